"""A long clip takes no more memory than a short one, and threads stay within their bound."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from clips import make_clip

PEAK = """
import json, resource, subprocess, sys
done = subprocess.run([sys.executable, "-m", "vtk", *sys.argv[1:]], stdout=subprocess.PIPE)
peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
print(json.dumps({"code": done.returncode, "peak_kib": peak, "lines": done.stdout.count(b"\\n")}))
"""


def peak(*arguments: str) -> dict[str, int]:
    """Return exit code, peak resident memory in KiB and number of lines of a vtk process."""
    found = subprocess.run([sys.executable, "-c", PEAK, *arguments], capture_output=True, check=True, text=True)
    return json.loads(found.stdout)


def test_memory_does_not_grow_with_the_clip(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """10,000 frames against 1,000 through detect, track and draw: 40 MiB at most between them.

    Decoding queues, tracks and the encoder's look-ahead are full after 1,000 frames; the index of a source (8 bytes
    a frame) and the allocator's fragments are what may still come. A first run fills a cache of compiled kernels that
    no other test writes to: to compile takes 120 MiB, and whoever loses an entry of the cache compiles again.
    """
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path / "kernels"))
    short = make_clip(tmp_path / "short.mp4", frames=1_000, width=96, height=64, fps=25)
    long = make_clip(tmp_path / "long.mp4", frames=10_000, width=96, height=64, fps=25)
    pipe = "detect --model motion | track | draw -o {} --tee --preset ultrafast"
    peak("pipe", pipe.format(tmp_path / "first.mp4"), str(short))
    small = peak("pipe", pipe.format(tmp_path / "a.mp4"), str(short))
    large = peak("pipe", pipe.format(tmp_path / "b.mp4"), str(long))
    assert small["code"] == large["code"] == 0
    assert large["lines"] > 5_000
    assert large["peak_kib"] - small["peak_kib"] < 40 * 1024, (small, large)


def test_the_bound_on_threads_reaches_every_library() -> None:
    script = (
        "from vtk.threads import bound, asked; bound(1)\n"
        "import cv2, numba, torch\n"
        "print(asked(), cv2.getNumThreads(), numba.get_num_threads(), torch.get_num_threads())\n")
    found = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert found.stdout.split() == ["1", "1", "1", "1"]
