"""Who is who, told at a run's end and drawn from its first frame, through processes and in one."""

from __future__ import annotations

import json
import os
import resource
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import av
import numpy as np
import pytest
from encoded import assert_same_video

from conftest import ROOT, run_vtk
from vtk.report.palette import colour_of

NAMING = ROOT / "tests" / "naming.py"


def naming(*args: str | Path, stdin: bytes = b"", cwd: Path | None = None) -> subprocess.CompletedProcess[bytes]:
    """Run the command line with ``name-tracks`` in it."""
    return subprocess.run([sys.executable, str(NAMING), *map(str, args)], input=stdin, capture_output=True, cwd=cwd,
                          timeout=120, check=False)


@pytest.fixture(scope="module")
def tracks(clip: Path) -> bytes:
    """Return the tracks of the clip: its square is track 1."""
    found = run_vtk("track", "--detector", "motion", clip)
    assert found.returncode == 0 and found.stdout.count(b'"type":"track"') > 10, found.stderr
    return found.stdout


@pytest.fixture(scope="module")
def named(tracks: bytes) -> bytes:
    """Return the same with who track 1 is: identity 7."""
    found = naming("name-tracks", stdin=tracks)
    assert found.returncode == 0 and found.stdout.count(b'"type":"identity"') == 1, found.stderr
    return found.stdout


@pytest.fixture(scope="module")
def drawn(named: bytes, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return what ``vtk draw`` makes of it."""
    path = tmp_path_factory.mktemp("drawn") / "named.mp4"
    found = run_vtk("draw", "-o", path, "--tee", stdin=named)
    assert (found.returncode, found.stderr) == (0, b"")
    assert [line for line in found.stdout.splitlines() if b'"by":"draw"' not in line] == named.splitlines()
    return path


@pytest.fixture(scope="module")
def plain(tracks: bytes, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the video without names."""
    path = tmp_path_factory.mktemp("plain") / "plain.mp4"
    assert run_vtk("draw", "-o", path, stdin=tracks).returncode == 0
    return path


def has(path: Path, colour: tuple[int, int, int]) -> list[int]:
    """Return the frames with a plate in this colour, as far as the encoder keeps it."""
    with av.open(str(path)) as container:
        pictures = [frame.to_ndarray(format="rgb24").astype(int) for frame in container.decode(video=0)]
    return [index for index, picture in enumerate(pictures)
            if (np.abs(picture - colour).max(axis=2) < 40).sum() > 100]


def test_tracks_bear_their_names_from_the_first_frame(drawn: Path, tracks: bytes, clip: Path) -> None:
    frames = sorted({json.loads(line)["frame"] for line in tracks.splitlines() if b'"type":"track"' in line})
    assert has(drawn, colour_of(7)) == frames and not has(drawn, colour_of(1))


def test_fused_equals_piped(drawn: Path, named: bytes, clip: Path, tmp_path: Path) -> None:
    pipe = f"track --detector motion | name-tracks | draw -o {tmp_path}/fused.mp4 --tee"
    fused = naming("pipe", pipe, clip)
    assert (fused.returncode, fused.stderr) == (0, b"")
    assert fused.stdout == run_vtk("draw", "-o", tmp_path / "piped.mp4", "--tee", stdin=named).stdout
    assert_same_video(tmp_path / "fused.mp4", tmp_path / "piped.mp4")
    assert_same_video(tmp_path / "fused.mp4", drawn)


def test_dry_run_shows_what_is_waited_for(clip: Path, tmp_path: Path) -> None:
    found = naming("pipe", f"track --detector motion | name-tracks | draw -o {tmp_path}/a.mp4", clip, "--dry-run")
    first, second, _ = found.stderr.decode().splitlines()
    assert first.startswith("pass 1: track/") and first.endswith(" | name-tracks")
    assert second == "pass 2: draw, once it is told identity of the whole run"


def test_records_are_of_the_vocabulary_and_in_order(named: bytes) -> None:
    assert [json.loads(line)["type"] for line in named.splitlines()[:2]] == ["media", "run"]
    assert run_vtk("validate", stdin=named).returncode == 0
    ordered = run_vtk("sort", stdin=named).stdout.splitlines()
    assert json.loads(ordered[0])["type"] == "run" and [json.loads(line)["type"] for line in ordered[-2:]] == ["identity", "run"]
    wrong = run_vtk("validate", stdin=b'{"v":1,"type":"run","by":"reid","late":[""]}')
    assert wrong.returncode == 1 and b"'late' is ['']" in wrong.stderr


def test_without_the_announcement_it_is_drawn_as_it_comes(named: bytes, plain: Path, tmp_path: Path) -> None:
    dropped = b"".join(line for line in named.splitlines(True) if b'"type":"run"' not in line)
    found = run_vtk("draw", "-o", tmp_path / "a.mp4", stdin=dropped)
    assert (found.returncode, found.stderr) == (0, b"")
    assert_same_video(tmp_path / "a.mp4", plain)


def test_an_upstream_that_breaks_off_is_said_and_tracks_keep_their_ids(tracks: bytes, plain: Path, tmp_path: Path) -> None:
    broken = naming("name-tracks", "--die", stdin=tracks)
    assert broken.returncode == 130 and b'"type":"run"' in broken.stdout and b'"type":"identity"' not in broken.stdout
    found = run_vtk("draw", "-o", tmp_path / "a.mp4", stdin=broken.stdout)
    assert found.returncode == 1 and found.stderr.count(b"\n") == 1
    assert b"vtk draw: name-tracks broke off before the identity records that it announced for its end" in found.stderr
    assert_same_video(tmp_path / "a.mp4", plain)


def test_a_folder_keeps_them_apart_and_joins_again(clip: Path, tracks: bytes, drawn: Path, tmp_path: Path) -> None:
    for name in ("a.mp4", "b.mp4"):
        shutil.copy(clip, tmp_path / name)
    pipe = ("pipe", "track --detector motion | name-tracks", "a.mp4", "b.mp4", "--out-dir", "out")
    assert naming(*pipe, cwd=tmp_path).returncode == 0
    run, first, second = ((tmp_path / "out" / f"{name}.jsonl").read_bytes() for name in ("_run", "a.mp4", "b.mp4"))
    assert [json.loads(line)["type"] for line in run.splitlines()] == ["run", "identity", "identity", "run"]
    assert b'"type":"run"' not in first + second and b'"type":"identity"' not in first + second
    found = run_vtk("draw", "--out-dir", "drawn", stdin=run + second + first, cwd=tmp_path)
    assert (found.returncode, found.stderr) == (0, b"")
    for name in ("a.mp4", "b.mp4"):
        assert has(tmp_path / "drawn" / name, colour_of(7)) == has(drawn, colour_of(7)), "the same in both videos"
    late = run_vtk("draw", "--out-dir", "again", stdin=first + second + run, cwd=tmp_path)
    assert late.returncode == 1 and b"_run.jsonl goes first" in late.stderr and late.stderr.count(b"\n") == 1
    again = naming(*pipe, "--resume", cwd=tmp_path)
    assert again.returncode == 2 and b"--resume cannot go on with name-tracks: identity" in again.stderr


def start(*args: str | Path, folder: Path, **options: object) -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-m", "vtk", *map(str, args)], stdin=subprocess.PIPE,
                            stderr=subprocess.PIPE, env={**os.environ, "TMPDIR": str(folder)},
                            **options)  # type: ignore[call-overload,no-any-return]


def holds_a_deleted_file(process: subprocess.Popen[bytes], folder: Path) -> bool:
    """Return whether a process has an open file below ``folder``, which nobody else can see."""
    for descriptor in Path(f"/proc/{process.pid}/fd").iterdir():
        try:
            if os.readlink(descriptor).startswith(str(folder)) and (descriptor.stat().st_size > 0):
                return True
        except OSError:
            continue
    return False


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGKILL])
def test_an_interrupt_leaves_nothing_behind(how: signal.Signals, named: bytes, tmp_path: Path) -> None:
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    # Tests that run in the background of a shell inherit an interrupt that is ignored.
    process = start("draw", "-o", tmp_path / "a.mp4", folder=scratch,
                    preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL))
    assert process.stdin is not None and process.stderr is not None
    process.stdin.write(named[:named.rindex(b'{"v"')])  # all but that it has come
    process.stdin.flush()
    begun = time.monotonic()
    while not holds_a_deleted_file(process, scratch) and time.monotonic() - begun < 60:
        time.sleep(0.05)
    process.send_signal(how)
    assert process.wait(30) == (130 if how == signal.SIGINT else -how)
    assert b"Traceback" not in process.stderr.read()
    assert time.monotonic() - begun < 60 and list(scratch.iterdir()) == []
    assert [path.name for path in tmp_path.iterdir()] == ["scratch"]


def test_a_closed_pipe_is_quiet(named: bytes, tmp_path: Path) -> None:
    process = start("draw", "--tee", "-o", tmp_path / "a.mp4", folder=tmp_path, stdout=subprocess.PIPE)
    assert process.stdin is not None and process.stdout is not None and process.stderr is not None
    process.stdout.close()
    process.stdin.write(named)
    process.stdin.close()
    assert (process.wait(60), process.stderr.read()) == (141, b"")


def test_a_full_disk_is_said(named: bytes, tmp_path: Path) -> None:
    def small_files() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 16, 1 << 16))

    process = start("draw", "-o", tmp_path / "a.mp4", folder=tmp_path, preexec_fn=small_files)
    first, second = named.split(b"\n", 2)[:2]
    weather = b'{"type":"weather","pad":"%s"}' % (b"x" * 100_000)
    _, said = process.communicate(b"\n".join([first, second, weather, *named.splitlines()[2:], b""]), timeout=60)
    assert process.returncode == 1 and said.count(b"\n") == 1
    assert b"cannot put records by in" in said and b"TMPDIR" in said


def test_reid_is_drawn_as_the_shell_does_it(shared: Path, tmp_path: Path) -> None:
    """Real people, real names: the pipe of processes and the pipe in one give the same pixels."""
    video = shared / "data" / "track" / "vtest.avi"
    track = "track --detector yolox-nano --classes person --end 4"
    piped = run_vtk("draw", "-o", tmp_path / "piped.mp4", "--tee", "--limit", "40", stdin=run_vtk(
        "reid", stdin=run_vtk(*track.split(), video).stdout).stdout)
    assert piped.returncode == 0 and piped.stdout.count(b'"type":"identity"') > 3, piped.stderr
    fused = run_vtk("pipe", f"{track} | reid | draw -o {tmp_path}/fused.mp4 --tee --limit 40", video)
    assert fused.returncode == 0, fused.stderr
    shown = [[line for line in data.splitlines() if b'"type":"embedding"' not in line and b'"type":"identity"' not in line]
             for data in (fused.stdout, piped.stdout)]
    assert shown[0] == shown[1]
    assert_same_video(tmp_path / "fused.mp4", tmp_path / "piped.mp4")
