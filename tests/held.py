"""What a vtk process holds of memory, frame by frame."""

from __future__ import annotations

import ctypes
import json
import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import median

import pytest

MEASURED = pytest.mark.skipif(not hasattr(ctypes.CDLL(None), "mallinfo2"),
                              reason="the C library does not say what is held")

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


def growth(watch: Path, arguments: Sequence[str], first: range, last: range) -> float:
    """Return by how many KiB a frame what a vtk process holds grew between two spans of frames, medians of both.

    Args:
        watch: a file that the process writes to.
        arguments: what vtk is asked; it writes a record of a frame for most of them.
        first, last: the spans.
    """
    watch.write_bytes(bytes(8))
    held: dict[int, int] = {}
    with subprocess.Popen([sys.executable, "-c", WATCHED, watch, *arguments], stdout=subprocess.PIPE,
                          env=os.environ | {"PYTHONMALLOC": "malloc"}) as running:
        for record in map(json.loads, running.stdout):
            frame = record.get("frame")
            if frame is not None and frame not in held:
                held[frame] = int.from_bytes(watch.read_bytes(), sys.byteorder)
    assert running.returncode == 0
    early, late = ([size for frame, size in held.items() if frame in span] for span in (first, last))
    assert min(len(early), len(late)) >= 100, "too few frames with records"
    assert median(early) > 2 ** 20, "nothing was measured"
    return (median(late) - median(early)) / 1024 / (median(last) - median(first))


def check_growth(bound: float, folder: Path, arguments: Callable[[int], Sequence[str]], first: range,
                 last: range) -> None:
    """Fail where memory grows by ``bound`` KiB a frame or more in each of three runs: what leaks does so each time."""
    found = []
    for run in range(3):
        found.append(growth(folder / "held", arguments(run), first, last))
        if found[-1] < bound:
            return
    pytest.fail(f"memory grew by {found} KiB a frame, at most {bound} were to be")
