"""Sources done on a Ray cluster of several nodes on this machine: the same files, whatever dies on the way."""

from __future__ import annotations

import subprocess
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any

import orjson
import pytest
from called import caller
from clips import make_clip
from mortal import MortalStage

from vtk.driver.chain import Opening
from vtk.driver.passes import Done, Tally
from vtk.engines import ray_crew
from vtk.engines.ray import run_ray
from vtk.engines.ray_crew import Crew, Needs
from vtk.engines.storage import DiskFolder
from vtk.errors import VtkError, WeightsError
from vtk.options import Common

ray = pytest.importorskip("ray", reason="Ray is not installed (extra ray)")

Vtk = Callable[..., "subprocess.CompletedProcess[bytes]"]
MOTION = ("detect", "clips", "--model", "motion")
REID = ("reid", "clips", "--detector", "motion", "--classes", "motion", "--model", "colour", "--threshold", "0.9")
NODE = {"num_cpus": 1, "object_store_memory": 80_000_000, "include_dashboard": False}


@pytest.fixture(scope="module")
def cluster() -> Iterator[Any]:
    """Return a cluster of a head without processors and two nodes of one each."""
    from ray.cluster_utils import Cluster

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RAY_memory_monitor_refresh_ms", "0")  # other tests may fill the machine
        patch.setenv("RAY_USAGE_STATS_ENABLED", "0")
        patch.setenv("PYTHONPATH", str(Path(__file__).parent.parent))  # of what is not installed: the stage above
        found = Cluster(initialize_head=True, head_node_args={**NODE, "num_cpus": 0})
        for _ in range(2):
            found.add_node(**NODE)
        yield found
        ray.shutdown()
        found.shutdown()


@pytest.fixture
def vtk(capfdbinary: pytest.CaptureFixture[bytes], monkeypatch: pytest.MonkeyPatch) -> Vtk:
    """Return a function that calls a command in this process."""
    return caller(capfdbinary, monkeypatch)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with clips/ of moving squares, and two that are broken."""
    folder = tmp_path_factory.mktemp("cluster")
    (folder / "clips" / "more").mkdir(parents=True)
    for number in range(6):
        make_clip(folder / "clips" / ("more" if number % 2 else "") / f"{number}.mp4", frames=6 + number)
    (folder / "clips" / "broken.mp4").write_bytes(b"nothing of use" * 50)
    whole = (folder / "clips" / "0.mp4").read_bytes()
    (folder / "clips" / "cut.mp4").write_bytes(whole[:len(whole) // 2])
    return folder


def files(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def names(place: Path) -> list[str]:
    return sorted(str(path) for path in (place / "clips").rglob("*.mp4"))


def crew(place: Path, out: Path, stage: Callable[[], MortalStage], cluster: Any, **options: Any) -> tuple[
        list[Done], Tally]:
    """Return what a run of one stage on the cluster gives."""
    tally = Tally()
    common = Common(out_dir=out, engine="ray", address=cluster.address, **options)
    return [item for item in run_ray([(stage, False)], names(place), Opening(), tally, common)
            if isinstance(item, Done)], tally


def test_files_are_those_of_one_process(place: Path, tmp_path: Path, cluster: Any, vtk: Vtk) -> None:
    one = vtk(*MOTION, "--out-dir", tmp_path / "one", cwd=place)
    many = vtk(*MOTION, "--engine", "ray", "--address", cluster.address, "--out-dir", f"file://{tmp_path}/many", cwd=place)
    assert files(tmp_path / "many") == files(tmp_path / "one") and len(files(tmp_path / "one")) == 8
    assert many.returncode == one.returncode == 1 and many.stdout == b""
    assert sorted(many.stderr.splitlines()) == sorted(one.stderr.splitlines())


def test_resume_does_what_is_not_done(place: Path, tmp_path: Path, cluster: Any, vtk: Vtk) -> None:
    words = (*MOTION, "--engine", "ray", "--address", cluster.address, "--out-dir", tmp_path)
    vtk(*MOTION, "--out-dir", tmp_path, cwd=place)
    before = files(tmp_path)
    there = vtk(*words, cwd=place)
    assert there.returncode == 2 and b"exists: --overwrite replaces it, --resume goes on with it" in there.stderr
    cut = tmp_path / "clips" / "0.mp4.jsonl"
    cut.write_bytes(b"\n".join(cut.read_bytes().split(b"\n")[:-3]) + b"\n")
    (tmp_path / "clips" / "more" / "1.mp4.jsonl").unlink()
    left = tmp_path / "clips" / "0.mp4.jsonl.0123abcd-1.part"
    left.write_bytes(b"of a run that was killed")
    made = {path: path.stat().st_ino for path in tmp_path.rglob("*.jsonl")}
    again = vtk(*words, "--resume", cwd=place)
    assert again.returncode == 1 and files(tmp_path) == before
    kept = {path.name for path, number in made.items() if path.stat().st_ino == number}
    assert kept == {"2.mp4.jsonl", "3.mp4.jsonl", "4.mp4.jsonl", "5.mp4.jsonl"}, "failed ones are tried again"


def test_identities_are_those_of_one_process(place: Path, tmp_path: Path, cluster: Any, vtk: Vtk) -> None:
    one = vtk(*REID, "--out-dir", tmp_path / "one", cwd=place)
    many = vtk(*REID, "--engine", "ray", "--address", cluster.address, "--out-dir", tmp_path / "many", cwd=place)
    assert many.returncode == one.returncode and files(tmp_path / "many") == files(tmp_path / "one")
    assert b'"type":"identity"' in files(tmp_path / "many")["_run.jsonl"]


def test_a_node_that_dies_costs_nothing(place: Path, tmp_path: Path, cluster: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Killed while its actor has a source: that is done again elsewhere, and ends once."""
    again: list[int] = []
    monkeypatch.setattr(Crew, "_again", lambda self, number, error, before=Crew._again: (
        again.append(number), before(self, number, error))[1])
    node = cluster.add_node(**NODE, resources={"doomed": 1})
    stage = partial(MortalStage, seconds=0.4)
    tally, ends = Tally(), Counter[str]()
    common = Common(out_dir=tmp_path, engine="ray", address=cluster.address)
    sources = [*names(place), *(f"file:{name}" for name in names(place))]
    for item in run_ray([(stage, False)], sources, Opening(), tally, common):
        if isinstance(item, Done):
            ends[item.source] += 1
            if sum(ends.values()) == 3:
                cluster.remove_node(node, allow_graceful=False)
    assert again, "the node had no source when it died"
    assert ends == Counter(sources)
    assert (tally.sources, tally.failed, len(list(tmp_path.rglob("*.jsonl")))) == (16, 4, 16)
    assert not list(tmp_path.rglob("*.part"))
    for path in tmp_path.rglob("*.jsonl"):
        records = [orjson.loads(line) for line in path.read_bytes().splitlines()]
        assert [record["type"] for record in records].count("end") == 1 and records[-1]["type"] == "end"
        frames = [record["frame"] for record in records if record["type"] == "mark"]
        assert frames == list(range(len(frames))) and bool(frames) == (records[-1]["status"] != "failed")


def test_a_source_that_kills_its_workers_is_given_up(place: Path, tmp_path: Path, cluster: Any) -> None:
    done, tally = crew(place, tmp_path, partial(MortalStage, deadly="more/3.mp4"), cluster)
    assert len(done) == 8 and [item.source[-10:] for item in done if item.outcome.errors and "died" in str(
        item.outcome.errors[0][1])] == ["more/3.mp4"]
    path = next(tmp_path.rglob("3.mp4.jsonl"))
    error, end = (orjson.loads(line) for line in path.read_bytes().splitlines())
    assert error["error"]["code"] == "E_WORKER" and "3 times" in error["error"]["message"] and error["error"]["fatal"]
    assert end["status"] == "failed" and tally.failed == 3 and not list(tmp_path.rglob("*.part"))


def test_an_interrupt_leaves_whole_files_alone(place: Path, tmp_path: Path, cluster: Any, vtk: Vtk,
                                               monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(self: Crew, post: Any, ref: Any, before: Any = Crew._hear) -> Any:
        found = before(self, post, ref)
        if found is not None:
            raise KeyboardInterrupt
        return found

    monkeypatch.setattr(Crew, "_hear", interrupted)
    said = vtk(*MOTION, "--engine", "ray", "--address", cluster.address, "--out-dir", tmp_path, cwd=place)
    assert said.returncode == 130 and said.stdout == b"" and b"vtk: interrupted" in said.stderr
    assert not ray.is_initialized()
    for lines in (path.read_bytes().splitlines() for path in tmp_path.rglob("*.jsonl")):
        assert orjson.loads(lines[-1])["type"] == "end"


def test_what_no_machine_can_load_stops_the_run(place: Path, tmp_path: Path, cluster: Any) -> None:
    with pytest.raises(WeightsError, match="vtk models pull mortal"):
        crew(place, tmp_path, partial(MortalStage, unready=True), cluster)
    assert not files(tmp_path)


def test_a_folder_that_is_not_shared_is_told(place: Path, tmp_path: Path, cluster: Any,
                                             monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(DiskFolder, "has", lambda self, name: False)
    monkeypatch.setattr(ray_crew, "SEEN", 0.0)
    with pytest.raises(VtkError, match="is not seen here: --out-dir must be a folder that all machines share"):
        crew(place, tmp_path, MortalStage, cluster)


def test_a_cluster_without_room_is_told_of(place: Path, tmp_path: Path, cluster: Any,
                                           monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ray_crew, "PATIENCE", 0.0)
    heard: list[str] = []
    tally = Tally(hear=lambda stage, source, error: heard.append(str(error)))
    common = Common(out_dir=tmp_path, engine="ray", address=cluster.address, threads=64)
    with closing(run_ray([(MortalStage, False)], names(place), Opening(), tally, common)) as stream:  # type: ignore[type-var]
        next(stream), next(stream)
    assert len(heard) == 1 and heard[0].startswith("still waiting for the cluster: a worker needs 64 CPUs")


def test_actors_are_as_many_as_asked_for(place: Path, tmp_path: Path, cluster: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    most: list[int] = []
    monkeypatch.setattr(Crew, "_hire", lambda self, before=Crew._hire: (before(self), most.append(len(self._posts))))
    crew(place, tmp_path, MortalStage, cluster, jobs=1)
    assert set(most) <= {0, 1} and 1 in most


@pytest.mark.parametrize(("words", "said"), [
    (("--engine", "ray"), b"--engine ray needs --out-dir DIR"),
    (("--engine", "ray", "--out-dir", "out", "--address", "ray://head:10001"), b"run vtk on a machine of the cluster"),
    (("--engine", "ray", "--out-dir", "out", "--address", "127.0.0.1:1"), b"cannot join the Ray cluster at 127.0.0.1:1"),
    (("--engine", "ray", "--out-dir", "out", "--device", "cuda:1"), b"on a cluster each worker sees one GPU"),
    (("--out-dir", "s3://bucket/out"), b"--out-dir is a URL, s3://bucket/out"),
])
def test_what_does_not_go_is_one_line(place: Path, vtk: Vtk, words: tuple[str, ...], said: bytes) -> None:
    found = vtk(*MOTION, *words, cwd=place)
    assert found.returncode == 2 and said in found.stderr and found.stderr.count(b"\n") == 1
    assert found.stdout == b"" and not (place / "out").exists()


def test_ray_is_an_extra(place: Path, vtk: Vtk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "ray", None)
    found = vtk(*MOTION, "--engine", "ray", "--out-dir", "out", cwd=place)
    assert found.returncode == 2 and b"pip install 'vidtk[ray]'" in found.stderr


def test_actors_fit_processors_and_gpus() -> None:
    assert Needs(2).fit({"CPU": 7.0}) == 3 and Needs(4, 1).fit({"CPU": 64.0, "GPU": 2.0}) == 2
    assert Needs(1, 1).fit({"CPU": 8.0}) == 0 and str(Needs(4, 1)) == "4 CPUs and 1 GPU"
