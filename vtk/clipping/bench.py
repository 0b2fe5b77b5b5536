"""``python -m vtk.clipping.bench VIDEO START END``: a span cut in each way, timed and compared with its source.

Prints for each way the seconds that it took (the least of three), frames, how many were copied, the seconds by which
the file begins early and ends late, bytes, and the least likeness of a frame with the source's in dB (100 is equal).
"""

from __future__ import annotations

import os
import sys
import tempfile
import time

from vtk.clipping.cuts import HOWS, Cutter, likeness
from vtk.clipping.spans import Span
from vtk.driver.stage import Source
from vtk.media.cutting import TOLERANCE
from vtk.media.sampling import NATIVE
from vtk.media.video import open_media

RUNS = 3


def least_likeness(source: str, made: str, start: float, end: float) -> tuple[float, int]:
    """Return the least likeness of frames of ``made`` with those of a span of ``source``, and how many it has."""
    theirs, ours = open_media(source), open_media(made)
    frames = theirs.frames([NATIVE], lambda index, t: True, start, end - TOLERANCE)
    found = [likeness(a.image(NATIVE), b.image(NATIVE)) for a, b in zip(
        frames, ours.frames([NATIVE], lambda index, t: True), strict=True)]
    theirs.close()
    ours.close()
    return min(found), len(found)


def main(video: str, start: float, end: float) -> None:
    """Print a row for each way of cutting."""
    print(f"{video}, {start:g} to {end:g} s")
    print(f"{'cut':6} {'made as':>8} {'seconds':>8} {'frames':>7} {'copied':>7} {'early, s':>8} {'late, s':>8}"
          f" {'bytes':>10} {'least dB':>8}")
    source, span = Source(video), Span(start, end)
    with tempfile.TemporaryDirectory() as scratch:
        for how in HOWS:
            target = os.path.join(scratch, how + Cutter(how).suffix(source))
            spent = []
            for _ in range(RUNS):
                begin = time.perf_counter()
                made = Cutter(how).cut(source, span, target)
                spent.append(time.perf_counter() - begin)
            cut = made.cut
            worst, frames = least_likeness(video, target, cut.start, cut.end)
            print(f"{how:6} {made.how:>8} {min(spent):8.2f} {frames:7} {cut.copied:7} {start - cut.start:8.2f}"
                  f" {cut.end - end:8.2f} {os.path.getsize(target):10} {worst:8.1f}")


if __name__ == "__main__":
    main(sys.argv[1], float(sys.argv[2]), float(sys.argv[3]))
