"""What the user sees on stderr: a bar on a terminal alone, errors as single lines, no flood."""

from __future__ import annotations

import fcntl
import os
import pty
import struct
import subprocess
import sys
import termios
from pathlib import Path

import pytest
from clips import make_clip

from vtk.driver.progress import MOST_MESSAGES, Reporter
from vtk.errors import MediaError


def on_a_terminal(*arguments: str) -> tuple[int, bytes, bytes]:
    """Return exit code, stdout and what a vtk process shows on a terminal of 80 columns."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
    process = subprocess.Popen([sys.executable, "-m", "vtk", *arguments], stdout=subprocess.PIPE, stderr=theirs)
    os.close(theirs)
    assert process.stdout is not None
    stdout, shown = process.stdout.read(), b""
    while True:
        try:
            data = os.read(ours, 4096)
        except OSError:
            break
        if not data:
            break
        shown += data
    os.close(ours)
    return process.wait(), stdout, shown


def test_a_bar_on_a_terminal_alone(tmp_path: Path) -> None:
    clips = [str(make_clip(tmp_path / f"{number}.mp4", frames=6)) for number in range(3)]
    code, stdout, shown = on_a_terminal("detect", *clips, str(tmp_path / "gone.mp4"), "--model", "motion")
    assert code == 1
    assert b"/4" in shown and b"source" in shown
    assert b"gone.mp4: cannot be opened" in shown
    assert b"\r" not in stdout and stdout.count(b'"type":"end"') == 4
    assert on_a_terminal("detect", *clips, "--model", "motion", "-q")[2] == b""


def test_errors_are_single_lines_and_do_not_flood(capsys: pytest.CaptureFixture[str]) -> None:
    reporter = Reporter()
    for number in range(MOST_MESSAGES + 30):
        reporter.error("detect", f"a\n{number}.mp4", MediaError("cannot\nbe opened", code="E_OPEN"))
    reporter.error("detect", "b.mp4", MediaError("stopped", code="E_DECODE"))
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == MOST_MESSAGES + 2
    assert lines[0] == "vtk detect: a\\n0.mp4: cannot be opened [E_OPEN]"
    assert "error records alone" in lines[-2]
    assert lines[-1] == "vtk detect: b.mp4: stopped [E_DECODE]"
