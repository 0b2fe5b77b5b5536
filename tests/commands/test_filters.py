"""The promises of a filter, asked of every one of them."""

from __future__ import annotations

import fcntl
import json
import os
import signal
import subprocess
import sys
import termios
import time
from array import array
from functools import cache
from pathlib import Path
from typing import IO

import pytest
from filter_calls import CALLS, HAS_WEIGHTS, READ_NO_RECORDS, WITH_WEIGHTS

from conftest import run_vtk
from vtk.cli import COMMANDS

FILTERS = [pytest.param(name, marks=HAS_WEIGHTS) if name in WITH_WEIGHTS else name for name in CALLS]
READS_MEDIA = [name for name in FILTERS if name != "sort"]


def lines_of(data: bytes) -> list[dict[str, object]]:
    return [json.loads(line) for line in data.splitlines()]


def of_type(data: bytes, kind: str) -> list[dict[str, object]]:
    return [record for record in lines_of(data) if record["type"] == kind]


def without_the_run(data: bytes) -> bytes:
    """Return the lines without those that concern the whole run: what ``run`` records announce, and these."""
    late = {kind for record in of_type(data, "run") for kind in record["late"]}  # type: ignore[attr-defined]
    return b"".join(line for line in data.splitlines(True) if json.loads(line)["type"] not in {"run", *late})


def until_read(pipe: IO[bytes]) -> None:
    """Wait until the other end has read all that was written: it is at work, however long it took to start."""
    left, end = array("i", [1]), time.monotonic() + 60
    while left[0]:
        assert time.monotonic() < end, "nobody reads"
        time.sleep(0.05)
        fcntl.ioctl(pipe, termios.FIONREAD, left)


@cache
def said(name: str, clip: Path) -> bytes:
    """Return what a filter says of the clip, which is the same each time: a test below runs it again."""
    return run_vtk(*CALLS[name], clip).stdout


def test_every_filter_is_asked() -> None:
    assert set(CALLS) == {name for name, kind, _ in COMMANDS if kind == "filter"} - READ_NO_RECORDS


@pytest.fixture(params=FILTERS)
def call(request: pytest.FixtureRequest) -> tuple[str, ...]:
    """Return how to call each filter."""
    return CALLS[request.param]


def test_empty_in_empty_out(call: tuple[str, ...]) -> None:
    found = run_vtk(*call)
    assert (found.returncode, found.stdout, found.stderr) == (0, b"", b"")


def test_records_pass_byte_for_byte(call: tuple[str, ...]) -> None:
    stream = (b'{"type":"weather","source":"x.mp4","frame":0,"sky":{"a":[1,  2.50]}}\n'
              b'{"type":"weather","mood":null}\n'
              b'{"type":"copy","source":"x.mp4","odd key":"\\u00e9","v":1}\n')
    found = run_vtk(*call, stdin=stream)
    assert found.returncode == 0, found.stderr
    assert sorted(found.stdout.splitlines()) == sorted(stream.splitlines())


def test_bad_lines_are_named_by_number_and_passed_over(call: tuple[str, ...]) -> None:
    good = b'{"type":"weather","source":"x.mp4","frame":0}'
    found = run_vtk(*call, stdin=b"\n".join([b"oops", good, b"[1]", b'{"type":"detection","frame":1}', good]))
    assert found.returncode == 1
    assert found.stdout.count(good) == 2
    errors = of_type(found.stdout, "error")
    assert [record["line"] for record in errors] == [1, 3, 4]
    assert [record["error"]["code"] for record in errors] == ["E_JSON", "E_RECORD", "E_RECORD"]  # type: ignore[index]
    assert len(found.stderr.splitlines()) == 3
    assert b"Traceback" not in found.stderr


def test_a_newer_vocabulary_is_refused_in_one_line(call: tuple[str, ...]) -> None:
    found = run_vtk(*call, stdin=b'{"v":2,"type":"detection","source":"a"}\n' * 3)
    assert found.returncode in (1, 3)
    assert b"version 2" in found.stderr


def test_a_closed_pipe_is_quiet(call: tuple[str, ...], detections: bytes, tmp_path: Path) -> None:
    many = tmp_path / "many.jsonl"
    many.write_bytes(b'{"type":"weather","source":"x.mp4","frame":0,"pad":"' + b"x" * 100 + b'"}\n')
    many.write_bytes(many.read_bytes() * 20000)
    with many.open("rb") as stream:
        process = subprocess.Popen([sys.executable, "-m", "vtk", *call], stdin=stream, stdout=subprocess.PIPE,
                                   stderr=subprocess.PIPE)
        assert process.stdout is not None and process.stderr is not None
        process.stdout.readline()
        process.stdout.close()
        assert process.wait(timeout=60) == 141
        assert process.stderr.read() == b""


@HAS_WEIGHTS
def test_several_models_give_the_same_bytes_again(clip: Path) -> None:
    """The three that species are asked of by default; see ``test_a_second_run_gives_the_same_bytes``."""
    call = ("classify-species", "--classes", "motion", "--frames", clip)
    found = run_vtk(*call)
    assert (found.returncode, found.stderr) == (0, b"") and of_type(found.stdout, "species")
    assert run_vtk(*call, PYTHONHASHSEED="8").stdout == found.stdout


@pytest.mark.parametrize("name", READS_MEDIA)
class TestMedia:
    """What filters that open media promise."""

    def test_a_ledger_closes_each_source(self, name: str, clip: Path) -> None:
        found = run_vtk(*CALLS[name], clip)
        assert found.returncode == 0, found.stderr
        records = lines_of(without_the_run(found.stdout))
        assert lines_of(found.stdout)[0] == records[0]
        assert records[0]["type"] == "media"
        assert (records[0]["width"], records[0]["height"], records[0]["fps"]) == (192, 128, 12.0)
        assert records[-1]["type"] == "end"
        assert records[-1]["status"] == "ok"
        made = [record for record in records if record["type"] not in ("media", "end")]
        assert records[-1]["records"] == len(made)
        assert {record["type"] for record in made} <= set(records[-1]["types"])  # type: ignore[arg-type]
        check = run_vtk("validate", stdin=found.stdout)
        assert (check.returncode, check.stdout) == (0, b"")

    def test_a_second_run_gives_the_same_bytes(self, name: str, clip: Path) -> None:
        """In another process, where sets have another order."""
        assert said(name, clip) == run_vtk(*CALLS[name], clip, PYTHONHASHSEED="8").stdout

    def test_a_bad_source_does_not_stop_the_rest(self, name: str, clip: Path, tmp_path: Path) -> None:
        text = tmp_path / "text.mp4"
        text.write_text("no video at all")
        found = run_vtk(*CALLS[name], tmp_path / "gone.mp4", text, clip)
        assert found.returncode == 1
        ends = of_type(found.stdout, "end")
        assert [record["status"] for record in ends] == ["failed", "failed", "ok"]
        assert [record["error"]["code"] for record in of_type(found.stdout, "error")] == ["E_OPEN"] * 2  # type: ignore[index]
        assert len(found.stderr.splitlines()) == 2
        assert b"Traceback" not in found.stderr

    def test_nothing_at_all_is_exit_3(self, name: str, tmp_path: Path) -> None:
        found = run_vtk(*CALLS[name], tmp_path / "gone.mp4")
        assert found.returncode == 3
        assert found.stderr.count(b"\n") == 1

    def test_media_records_open_the_media(self, name: str, clip: Path) -> None:
        probed = said("probe", clip)
        found = run_vtk(*CALLS[name], stdin=probed)
        assert found.returncode == 0, found.stderr
        assert found.stdout.splitlines()[0] == probed.splitlines()[0], "the media record is not written again"
        assert len(of_type(found.stdout, "media")) == 1
        if name == "probe":  # its lines are those that came in
            assert found.stdout.splitlines() == [probed.splitlines()[0], *probed.splitlines()[1:] * 2]
            return
        mine = [line for line in found.stdout.splitlines() if line not in probed.splitlines()]
        direct = said(name, clip).splitlines()
        assert mine == [line for line in direct if b'"type":"media"' not in line]

    def test_only_drops_what_came_in(self, name: str, clip: Path) -> None:
        upstream = said("probe", clip) + b'{"type":"error","by":"x","error":{"code":"E"}}\n'
        found = run_vtk(*CALLS[name], "--only", stdin=upstream)
        kinds = {record["type"] for record in lines_of(found.stdout) if record["by"] != "x"}
        assert "media" not in kinds
        assert found.stdout.count(b'"by":"probe"') == (1 if name == "probe" else 0)
        assert b'{"type":"error","by":"x"' in found.stdout

    def test_output_appears_whole_or_not(self, name: str, clip: Path, tmp_path: Path) -> None:
        out = tmp_path / "out.jsonl"
        found = run_vtk(*CALLS[name], clip, "-o", out)
        assert (found.returncode, found.stdout) == (0, b"")
        assert out.read_bytes() == said(name, clip)
        assert [path.name for path in tmp_path.iterdir()] == ["out.jsonl"]
        again = run_vtk(*CALLS[name], clip, "-o", out)
        assert again.returncode == 2
        assert b"--overwrite" in again.stderr
        assert run_vtk(*CALLS[name], clip, "-o", out, "--overwrite").returncode == 0

    def test_a_full_disk_is_one_line(self, name: str, clip: Path) -> None:
        found = run_vtk(*CALLS[name], clip, "-o", "/dev/full")
        assert found.returncode == 1
        assert found.stderr.count(b"\n") == 1
        assert b"No space left on device" in found.stderr

    def test_out_dir_has_a_file_a_source(self, name: str, clip: Path, tmp_path: Path) -> None:
        found = run_vtk(*CALLS[name], clip.name, "gone.mp4", "--out-dir", tmp_path / "out", cwd=clip.parent)
        assert found.returncode == 1
        assert (tmp_path / "out" / f"{clip.name}.jsonl").read_bytes() == without_the_run(run_vtk(
            *CALLS[name], clip.name, cwd=clip.parent).stdout)
        assert of_type((tmp_path / "out" / "gone.mp4.jsonl").read_bytes(), "end")[0]["status"] == "failed"

    def test_dry_run_writes_nothing(self, name: str, clip: Path, tmp_path: Path) -> None:
        found = run_vtk(*CALLS[name], clip, "-o", tmp_path / "out.jsonl", "--dry-run")
        assert (found.returncode, found.stdout, list(tmp_path.iterdir())) == (0, b"", [])
        assert os.fsencode(clip) in found.stderr

    def test_an_interrupt_leaves_by_130(self, name: str) -> None:
        # Tests that run in the background of a shell inherit an interrupt that is ignored.
        process = subprocess.Popen([sys.executable, "-m", "vtk", *CALLS[name]], stdin=subprocess.PIPE,
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                   preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL))
        assert process.stdin is not None
        process.stdin.write(b'{"type":"weather","source":"x","frame":0}\n{"type":"weather","source":"x","frame":1}\n')
        process.stdin.flush()
        until_read(process.stdin)
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=30)
        assert process.returncode == 130
        assert b"Traceback" not in said


@pytest.mark.parametrize(("arguments", "message"), [
    (("detect", "a", "--every", "2", "--fps", "3"), b"give one of them"),
    (("detect", "a", "--fps", "0"), b"above 0"),
    (("detect", "a", "--start", "3", "--end", "2"), b"not after"),
    (("detect", "a", "--model", "yolox-nan"), b"yolox-nano"),
    (("detect", "a", "--model", "motion", "--shard", "3/2"), b"I/N"),
    (("detect", "--model", "motion", "--shard", "1/2"), b"--shard"),
    (("detect", "--model", "motion", "--resume"), b"--resume"),
    (("detect", "a", "--model", "motion", "--resume"), b"-o FILE"),
    (("detect", "a", "--model", "motion", "-o", "x", "--out-dir", "y"), b"give one of them"),
    (("detect", "a", "--model", "motion", "--decoder", "ffmpeg"), b"pyav"),
    (("detect", "a", "--model", "motion", "--device", "gpu"), b"--device"),
    (("dtect", "a"), b"did you mean 'detect'"),
    (("detect", "--no-such-option"), b"No such option"),
    (("track", "a", "--tracker", "bytetrak"), b"bytetrack"),
])
def test_usage_errors_are_one_line_and_exit_2(arguments: tuple[str, ...], message: bytes) -> None:
    found = run_vtk(*arguments)
    assert found.returncode == 2, found.stderr
    assert message in found.stderr
    assert found.stderr.count(b"\n") == 1
    assert found.stdout == b""
