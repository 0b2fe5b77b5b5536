"""A pipe in one process gives the records of the pipe of processes."""

from __future__ import annotations

import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from encoded import assert_same_video

from conftest import run_vtk
from vtk.cli import load
from vtk.errors import UsageError

PIPES = [
    "detect --model motion | track",
    "detect --model motion --only | track --tracker sort",
    "detect --model motion --every 3 | track --only",
    "detect --model motion --fps 4 --start 0.5 --end 1.5 | track --tracklets-only",
    "detect --model motion --limit 9 | track | draw -o {out} --tee",
    "track --detector motion | draw -o {out} --tee",
    "detect --model motion --every 2 | track --refine",
    "track --detector motion --refine --gmc | draw -o {out} --tee",
    "detect --model motion | track --gmc --tracker ocsort --keep-detections",
    "detect --model motion --every 2 | draw -o {out} --tee | track",
    "probe | detect --model motion | track",
    "detect --model motion | frames -o {out} --size 64 --tee",
    "track --detector motion | reid --model colour --threshold 0.9 --classes motion",
    "detect --model motion | track | reid --model colour --threshold 0.9 --classes motion --explain | draw -o {out} --tee",
]


def shell(pipe: str, source: Path) -> bytes:
    """Return what the pipe of processes writes."""
    vtk = f"{shlex.quote(sys.executable)} -m vtk"
    first, *rest = pipe.split(" | ")
    name, _, options = first.partition(" ")
    command = " | ".join([f"{vtk} {name} {shlex.quote(str(source))} {options}", *(f"{vtk} {part}" for part in rest)])
    found = subprocess.run(["bash", "-o", "pipefail", "-c", command], capture_output=True, check=False)
    assert b"Traceback" not in found.stderr, found.stderr.decode()
    return found.stdout


def targets(pipe: str, folder: Path, name: str) -> str:
    """Return the pipe with its output path filled in: a video for draw, a folder for frames."""
    return pipe.format(out=folder / (f"{name}.mp4" if "draw" in pipe else name))


@pytest.mark.parametrize("pipe", PIPES)
def test_fused_equals_piped(pipe: str, clip: Path, tmp_path: Path) -> None:
    fused = run_vtk("pipe", targets(pipe, tmp_path, "fused"), clip)
    assert fused.returncode == 0, fused.stderr.decode()
    assert b'"type":"detection"' in fused.stdout or b'"type":"track' in fused.stdout
    assert fused.stdout == shell(targets(pipe, tmp_path, "piped"), clip)
    if "draw" in pipe:
        assert_same_video(tmp_path / "fused.mp4", tmp_path / "piped.mp4")


@pytest.mark.parametrize("pipe", ["detect --model motion | track", "track --detector motion | draw -o {out} --tee"])
@pytest.mark.parametrize("damage", ["cut", "text", "gone"])
def test_fused_equals_piped_on_damaged_media(pipe: str, damage: str, clip: Path, tmp_path: Path) -> None:
    bad = tmp_path / "bad.ts"
    if damage == "cut":
        from clips import make_clip

        data = make_clip(tmp_path / "whole.ts").read_bytes()
        bad.write_bytes(data[:len(data) * 6 // 10] + bytes(3000) + data[len(data) * 7 // 10:])
    elif damage == "text":
        bad.write_text("no video")
    fused = run_vtk("pipe", targets(pipe, tmp_path, "fused"), bad)
    assert fused.returncode == (1 if damage == "cut" else 3), fused.stderr.decode()
    assert fused.stdout == shell(targets(pipe, tmp_path, "piped"), bad)


def test_records_can_come_in(detections: bytes) -> None:
    fused = run_vtk("pipe", "track | track --tracker sort --only", stdin=detections)
    assert fused.returncode == 0
    assert fused.stdout == run_vtk("track", "--tracker", "sort", "--only", stdin=run_vtk("track", stdin=detections).stdout).stdout


def test_dry_run_shows_the_passes(clip: Path) -> None:
    found = run_vtk("pipe", "detect --model motion | track", clip, "--dry-run")
    assert found.returncode == 0
    assert found.stderr.splitlines()[0].startswith(b"pass 1: detect/motion | track/")


def test_records_that_nothing_lets_pass_are_not_promised(clip: Path, tmp_path: Path) -> None:
    found = run_vtk("pipe", f"track --detector motion | draw -o {tmp_path}/a.mp4", clip, "-o", tmp_path / "a.jsonl")
    assert found.returncode == 2
    assert b"--tee" in found.stderr
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(("pipe", "message"), [
    ("", b"empty"), ("detect |", b"empty"), ("detect || track", b"single |"), ("detect 'x", b"quot"),
    ("dtect", b"did you mean"), ("schema", b"no stage"), ("detect a.mp4", b"whole pipe"),
    ("detect --model motion -o x", b"whole pipe"), ("detect --no-such", b"No such option"),
    ("draw -o x.mp4 | track", b"--tee"), ("detect --threads 2 --model motion", b"whole pipe"),
])
def test_a_pipe_that_cannot_be_is_refused(pipe: str, message: bytes) -> None:
    found = run_vtk("pipe", pipe, "x.mp4")
    assert found.returncode == 2, found.stderr
    assert message in found.stderr
    assert found.stderr.count(b"\n") == 1


@pytest.mark.parametrize(("pipe", "words", "message"), [
    ("detect-copy --all-pairs", ("--shard", "1/2"), "--shard sees some of them"),
    ("detect-copy --within --decoder auto", ("--decoder", "opencv"), "detect-copy: --decoder belongs to the whole pipe"),
    ("detect-copy --within --root .", ("--root", "films"), "detect-copy: --root belongs to the whole pipe"),
    ("detect-copy --refs no*where", ("--root", "."), "none of 1 references can be read"),
])
def test_options_of_the_pipe_are_those_of_its_commands(pipe: str, words: tuple[str, ...], message: str) -> None:
    """What a command does not do with an option it does not do with the same one of the pipe."""
    with pytest.raises(UsageError) as error:
        load("pipe").main([pipe + " --descriptor dct", "x.mp4", *words], standalone_mode=False)
    assert message in str(error.value)


def test_a_bound_on_threads_in_the_environment_holds_for_the_pipe(clip: Path) -> None:
    pipe = "probe | detect --model motion --limit 3"
    found = run_vtk("pipe", pipe, clip, VTK_THREADS="1")
    assert (found.returncode, found.stderr) == (0, b"")
    assert found.stdout == run_vtk("pipe", pipe, clip, "--threads", "1").stdout
