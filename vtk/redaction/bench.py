"""``python -m vtk.redaction.bench RECORDS``: what survives of what is hidden, beside what is shown.

Writes the source of RECORDS, those of ``vtk detect`` and the like on one video, in each way of hiding, decodes it, and
prints what survives of detail in regions that were hidden and in the same regions as they are, with seconds.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from vtk.driver.stage import Source
from vtk.media.sampling import NATIVE
from vtk.media.video import open_media
from vtk.records import parse
from vtk.redaction.checking import SURVIVES, look
from vtk.redaction.hiding import HOWS, How
from vtk.redaction.plan import Plan
from vtk.redaction.sightings import Sightings
from vtk.redaction.writing import Style, prove, write

HOLD = 0.5  # seconds


def measured(source: Source, sightings: Sightings, how: How, made: str) -> tuple[np.ndarray, np.ndarray]:
    """Return (N,) what survives in each region of ``made``, and (N,) in the same regions of the source itself."""
    plan, style = Plan(sightings, HOLD), Style(how)
    theirs, ours = open_media(source.name), open_media(made)
    found = []
    frames = [reader.frames([NATIVE], lambda index, t: True) for reader in (theirs, ours)]
    for before, after in zip(*frames, strict=True):
        picture = before.image(NATIVE)
        encoded = after.image(NATIVE)[: picture.shape[0], : picture.shape[1]]
        found += [[look(picture, image, [region], how, style.margin).survives for image in (encoded, picture)]
                  for region in plan.regions(before.index, before.t)]
    theirs.close()
    ours.close()
    hidden, shown = np.array(found).reshape(-1, 2).T
    return hidden, shown


def main(path: str) -> None:
    """Print a row for each way of hiding."""
    records = [parse(line) for line in Path(path).read_bytes().splitlines()]
    boxed = [record for record in records if "xyxy" in record]
    source, sightings = Source(boxed[0]["source"]), Sightings()
    for record in boxed:
        sightings.add(record)
    print(f"{source.name}: what survives, 0 to 1; from {SURVIVES} on it counts as shown")
    print(f"{'how':10} {'regions':>7} {'hidden, most':>12} {'99 %':>6} {'shown, least':>12} {'1 %':>6}"
          f" {'write, s':>8} {'check, s':>8}")
    with tempfile.TemporaryDirectory() as scratch:
        for how in HOWS:
            made = os.path.join(scratch, f"{how}.mp4")
            begin = time.perf_counter()
            write(source, Plan(sightings, HOLD), Style(how), made)
            written = time.perf_counter()
            prove(source, Plan(sightings, HOLD), Style(how), made)
            proved = time.perf_counter()
            hidden, shown = measured(source, sightings, how, made)
            print(f"{how:10} {len(hidden):7} {hidden.max():12.3f} {np.percentile(hidden, 99):6.3f} {shown.min():12.3f}"
                  f" {np.percentile(shown, 1):6.3f} {written - begin:8.1f} {proved - written:8.1f}")


if __name__ == "__main__":
    main(sys.argv[1])
