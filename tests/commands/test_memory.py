"""Memory does not grow from frame to frame of a long clip, and threads stay within their bound."""

from __future__ import annotations

import ctypes
import json
import os
import subprocess
import sys
from pathlib import Path
from statistics import median

import pytest
from clips import make_clip

FRAMES = 4_000
# Queues of decoded frames, tracks and the encoder's look-ahead are full before the first of these spans; imports and
# compiled kernels are in both.
EARLY, LATE = range(500, 1_000), range(3_500, 4_000)
# Frames of 96 x 64 pixels are 18 KiB each: to keep one of nine would be seen. 0.2 to 0.6 KiB were measured, of the
# indices of the file read and of the file written.
PER_FRAME_KIB = 2
# Runs vtk and writes every 10 ms into a file how many bytes it holds. Resident memory says less: by what thread took
# from which of the allocator's pools, and by when the kernel puts small pages together, it differs by 70 MiB.
WATCHED = """
import ctypes, mmap, struct, sys, threading, time
names = "arena ordblks smblks hblks hblkhd usmblks fsmblks uordblks fordblks keepcost".split()
held = ctypes.CDLL(None).mallinfo2
held.restype = type("Held", (ctypes.Structure,), {"_fields_": [(name, ctypes.c_size_t) for name in names]})
with open(sys.argv.pop(1), "r+b") as file:
    seen = mmap.mmap(file.fileno(), 8)
def watch():
    while True:
        now = held()
        seen[:] = struct.pack("Q", now.uordblks + now.hblkhd)
        time.sleep(0.01)
threading.Thread(target=watch, daemon=True).start()
from vtk.cli import main
main()
"""


def growth(watch: Path, *arguments: str) -> float:
    """Return by how many KiB a frame what a vtk process holds grew from EARLY to LATE, medians of both."""
    watch.write_bytes(bytes(8))
    held: dict[int, int] = {}
    with subprocess.Popen([sys.executable, "-c", WATCHED, watch, *arguments], stdout=subprocess.PIPE,
                          env=os.environ | {"PYTHONMALLOC": "malloc"}) as running:
        for record in map(json.loads, running.stdout):
            frame = record.get("frame")
            if frame is not None and frame not in held:
                held[frame] = int.from_bytes(watch.read_bytes(), sys.byteorder)
    assert running.returncode == 0
    early, late = ([size for frame, size in held.items() if frame in span] for span in (EARLY, LATE))
    assert min(len(early), len(late)) >= 100, "too few frames with records"
    assert median(early) > 2 ** 20, "nothing was measured"
    return (median(late) - median(early)) / 1024 / (median(LATE) - median(EARLY))


@pytest.mark.skipif(not hasattr(ctypes.CDLL(None), "mallinfo2"), reason="the C library does not say what is held")
def test_memory_does_not_grow_with_the_clip(tmp_path: Path) -> None:
    """Detect, track and draw hold no more of 4,000 frames than of 1,000.

    What leaks does so each time: the test fails where none of three runs stays within the bound.
    """
    clip = make_clip(tmp_path / "long.mp4", frames=FRAMES, width=96, height=64, fps=25)
    steps = "detect --model motion | track | draw -o {} --tee --preset ultrafast"
    found = []
    for run in range(3):
        found.append(growth(tmp_path / "held", "pipe", steps.format(tmp_path / f"{run}.mp4"), str(clip)))
        if found[-1] < PER_FRAME_KIB:
            return
    pytest.fail(f"memory grew by {found} KiB a frame, at most {PER_FRAME_KIB} were to be")


def test_the_bound_on_threads_reaches_every_library() -> None:
    script = (
        "from vtk.threads import bound, asked; bound(1)\n"
        "import cv2, numba, torch\n"
        "print(asked(), cv2.getNumThreads(), numba.get_num_threads(), torch.get_num_threads())\n")
    found = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert found.stdout.split() == ["1", "1", "1", "1"]
