"""Processes of --jobs: which source is next, which device they see, how they load, die and end."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from functools import partial
from pathlib import Path

import pytest
from clips import make_clip
from conftest import run_vtk

from vtk.driver.passes import Tally
from vtk.driver.stage import Opening, Stage
from vtk.engines import placing
from vtk.engines.local import run_jobs
from vtk.engines.placing import placed
from vtk.engines.queue import MOST_HELD, TAIL, Queue
from vtk.errors import UsageError, VtkError, WeightsError
from vtk.options import Common


class Telling(Stage):
    """Says of each source which device its process sees and what bounds its threads.

    Args:
        refusing: whether it has no weights.
        grave: a file that the first process makes; those after it die.
        meeting: a folder where processes wait for each other, two of them.
    """

    name = "telling"

    def __init__(self, refusing: bool = False, grave: str = "", meeting: str = "") -> None:
        self._refusing, self._grave, self._meeting = refusing, grave, meeting

    def prepare(self, mode: str = "media") -> None:
        """Refuse; or die, unless it is the first that loads."""
        if self._refusing:
            raise WeightsError("no weights here: fetch them")
        if self._grave:
            try:
                os.close(os.open(self._grave, os.O_CREAT | os.O_EXCL))
            except FileExistsError:
                os._exit(9)

    def end(self, state: object, ok: bool = True) -> list[dict[str, object]]:
        """Return what the process sees."""
        deadline = time.monotonic() + 60
        if self._meeting:
            Path(self._meeting, os.environ["CUDA_VISIBLE_DEVICES"]).touch()
        while self._meeting and len(os.listdir(self._meeting)) < 2 and time.monotonic() < deadline:
            time.sleep(0.01)
        print("a library prints")
        os.write(1, b"in C, too\n")
        return [{"v": 1, "type": "told", "by": self.name, "device": os.environ.get("CUDA_VISIBLE_DEVICES", ""),
                 "threads": os.environ["OMP_NUM_THREADS"]}]


def records(factory: object, names: list[str], tally: Tally | None = None, **options: object) -> list[dict[str, object]]:
    common = Common(**{"jobs": 2, "threads": 1} | options)  # type: ignore[arg-type]
    items = run_jobs([(factory, False)], names, Opening(), tally or Tally(), common)  # type: ignore[list-item]
    return [json.loads(line) for item in items if isinstance(item, list) for line in item]


def test_where_order_does_not_matter_the_largest_go_first(tmp_path: Path) -> None:
    for name, size in (("a", 5), ("b", 50), ("c", 500)):
        (tmp_path / name).write_bytes(b"x" * size)
    queue = Queue(["a", "http://host/b", "b", "c", "none"], 2, str(tmp_path), in_order=False)
    assert [queue.take(0, 0) for _ in range(6)] == [3, 2, 0, 1, 4, None]
    queue.back(2)
    assert queue.take(0, 0) == 2, "what a dead process left is next"


def test_where_it_does_they_go_in_order_and_the_last_ones_by_size(tmp_path: Path) -> None:
    names = [f"{number}" for number in range(TAIL + 5)]
    (tmp_path / names[-1]).write_bytes(b"much")
    queue = Queue(names, 1, str(tmp_path), in_order=True)
    assert [queue.take(0, 0) for _ in range(6)] == [0, 1, 2, 3, 4, len(names) - 1]


def test_nobody_runs_ahead_of_a_slow_source_without_end() -> None:
    queue = Queue([f"{number}" for number in range(100)], 2, None, in_order=True)
    assert [queue.take(0, 0) for _ in range(10)] == list(range(10))
    assert queue.take(0, MOST_HELD + 1) is None and queue.take(9, MOST_HELD + 1) == 10


def test_devices_are_numbers_of_those_that_are_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(placing, "cuda_devices", lambda: 3)
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    assert (placed("", 2), placed("0, 2", 4), placed("1", 2)) == ([], ["0", "2"], ["1"])
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "4,GPU-ab,6")
    assert placed("1,0", 2) == ["GPU-ab", "4"]


@pytest.mark.parametrize(("text", "jobs", "device", "count", "said"), [
    ("0,1", 2, "auto", 0, "--devices 0,1: there is no CUDA device 1; the driver offers none"),
    ("0,3", 2, "auto", 2, "there is no CUDA device 3; the driver offers 2, from 0"),
    ("0,0", 2, "auto", 2, "numbers of CUDA devices are needed, each once"),
    ("cuda", 2, "auto", 2, "numbers of CUDA devices are needed"),
    ("0,1", 2, "cpu", 2, "--devices 0,1 and --device cpu both say where models run"),
    ("0,1,2", 2, "auto", 3, "3 devices need --jobs 3 or more, and it is 2"),
])  # fmt: skip
def test_devices_that_cannot_be_had_are_refused(monkeypatch: pytest.MonkeyPatch, text: str, jobs: int, device: str,
                                                count: int, said: str) -> None:
    monkeypatch.setattr(placing, "cuda_devices", lambda: count)
    with pytest.raises(UsageError) as error:
        placed(text, jobs, device)
    assert said in str(error.value) and "\n" not in str(error.value)


def test_each_process_sees_its_device_and_its_share_of_threads(tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
                                                               capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    monkeypatch.setattr(placing, "cuda_devices", lambda: 2)
    monkeypatch.setattr("vtk.engines.local.available", lambda: 6)
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "5,7")
    names = [f"{number}.mp4" for number in range(4)]
    found = records(partial(Telling, meeting=str(tmp_path)), names, devices="0,1", threads=None)
    told = [record for record in found if record["type"] == "told"]
    assert {record["device"] for record in told} == {"5", "7"} and {record["threads"] for record in told} == {"3"}
    assert [record["source"] for record in found if record["type"] == "end"] == names
    assert os.environ["CUDA_VISIBLE_DEVICES"] == "5,7"
    out, err = capfdbinary.readouterr()
    assert out == b"" and b"in C, too" in err, "records alone go to stdout"


def test_what_cannot_be_loaded_is_said_once_before_any_source() -> None:
    tally = Tally()
    with pytest.raises(WeightsError, match="no weights here: fetch them"):
        records(partial(Telling, refusing=True), ["a.mp4", "b.mp4"], tally)
    assert (tally.sources, tally.troubled) == (0, False)


def test_a_run_goes_on_without_a_process_that_dies_while_it_loads(tmp_path: Path) -> None:
    said: list[VtkError] = []
    tally = Tally(hear=lambda stage, source, error: said.append(error))
    found = records(partial(Telling, grave=str(tmp_path / "grave")), [f"{number}.mp4" for number in range(40)], tally)
    assert sum(record["type"] == "end" for record in found) == 40 and not tally.failed
    assert [error.code for error in said] in ([], ["E_WORKER"]), "where the first was fast there was no time to die"
    assert all("exit code 9" in str(error) and "going on with 1 process" in str(error) for error in said)


def test_weights_that_are_missing_leave_nothing_behind(tmp_path: Path) -> None:
    make_clip(tmp_path / "a.mp4", frames=2)
    found = run_vtk("detect", "a.mp4", "a.mp4", "--weights", "none.onnx", "--jobs", "2", "--out-dir", "out", cwd=tmp_path)
    assert found.returncode == 2 and found.stdout == b"" and found.stderr.count(b"\n") == 1 and b"none.onnx" in found.stderr
    assert not (tmp_path / "out").exists()


def children_of(process: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{process}/task/{process}/children").read_text().split()]


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")
def test_no_process_outlives_a_killed_run(tmp_path: Path) -> None:
    script = tmp_path / "slow.py"
    script.write_text(
        "import sys, time\n"
        "from vtk.driver.stage import Opening, Stage\n"
        "from vtk.driver.passes import Tally\n"
        "from vtk.engines.local import run_jobs\n"
        "from vtk.options import Common\n"
        "class Slow(Stage):\n"
        "    name = 'slow'\n"
        "    def start(self, source):\n"
        "        open('started', 'w').close()\n"
        "        time.sleep(600)\n"
        "if __name__ == '__main__':\n"
        "    list(run_jobs([(Slow, False)], ['a.mp4', 'b.mp4'], Opening(), Tally(), Common(jobs=2, threads=1)))\n")
    (tmp_path / "tmp").mkdir()
    process = subprocess.Popen([sys.executable, str(script)], cwd=tmp_path, env={**os.environ, "TMPDIR": str(tmp_path / "tmp")})
    deadline = time.monotonic() + 60
    while not (tmp_path / "started").exists() and time.monotonic() < deadline:
        time.sleep(0.02)
    children = children_of(process.pid)
    process.kill()
    process.wait()
    assert len(children) >= 2, "the processes, and what keeps track of their resources"
    while any(Path(f"/proc/{child}").exists() for child in children) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert not [child for child in children if Path(f"/proc/{child}").exists()]
    assert not list((tmp_path / "tmp").glob("vtk-jobs-*"))
