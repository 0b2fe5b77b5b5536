"""Memory does not grow from frame to frame of a long clip, and threads stay within their bound."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from clips import make_clip
from held import MEASURED, check_growth

FRAMES = 4_000
# Queues of decoded frames, tracks and the encoder's look-ahead are full before the first of these spans; imports and
# compiled kernels are in both.
EARLY, LATE = range(500, 1_000), range(3_500, 4_000)
# Frames of 96 x 64 pixels are 18 KiB each: to keep one of nine would be seen. 0.2 to 0.6 KiB were measured, of the
# indices of the file read and of the file written.
PER_FRAME_KIB = 2
@MEASURED
def test_memory_does_not_grow_with_the_clip(tmp_path: Path) -> None:
    """Detect, track and draw hold no more of 4,000 frames than of 1,000."""
    clip = make_clip(tmp_path / "long.mp4", frames=FRAMES, width=96, height=64, fps=25)
    steps = "detect --model motion | track | draw -o {} --tee --preset ultrafast"
    check_growth(PER_FRAME_KIB, tmp_path,
                 lambda run: ("pipe", steps.format(tmp_path / f"{run}.mp4"), str(clip)), EARLY, LATE)


def test_the_bound_on_threads_reaches_every_library() -> None:
    script = (
        "from vtk.threads import bound, asked; bound(1)\n"
        "import cv2, numba, torch\n"
        "print(asked(), cv2.getNumThreads(), numba.get_num_threads(), torch.get_num_threads())\n")
    found = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert found.stdout.split() == ["1", "1", "1", "1"]
