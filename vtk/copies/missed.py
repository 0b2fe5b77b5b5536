"""How many short copies are missed by key frames: ``python -m vtk.copies.missed FOLDER``.

In FOLDER it makes, once, two references as ``vtk.copies.speed`` does, and queries in which strangers and copies of one
length follow each other, H.264 as x264 makes it by default. A JSON line a length says how many of the copies are found
by a frame a second, how many by key frames first, and how much of the query that decoded.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from vtk.copies.collecting import footprint_of, query_of
from vtk.copies.descriptors import DEFAULT, load_descriptor
from vtk.copies.fast import fast_look
from vtk.copies.finding import find
from vtk.copies.generate import probed
from vtk.copies.matches import Match
from vtk.copies.plans import Piece, Source
from vtk.copies.references import MemoryReferences, References
from vtk.copies.speed_films import EDITS, FPS, films, written
from vtk.errors import VtkError
from vtk.records import Record

LENGTHS = (3.0, 5.0, 8.0, 12.0)
_STRANGE = (15.0, 25.0)  # seconds between two copies
_OFF = 2.0  # seconds by which a match that counts may be off the copy's line


def mixed(references: Sequence[Source], strange: Sequence[Source], length: float, copies: int,
          seed: int = 0) -> tuple[Piece, ...]:
    """Return the pieces of a query that shows ``copies`` spans of ``length`` seconds, strangers between them."""
    rng = np.random.default_rng([seed, round(length * 10)])
    pieces: list[Piece] = []
    for number in range(copies + 1):
        left = float(rng.uniform(*_STRANGE))
        while left > 0:
            other = strange[int(rng.integers(len(strange)))]
            quick = FPS / other.fps if other.fps < 24 else 1.0
            shown = min(left * quick, other.duration)
            pieces.append(Piece(other, float(rng.uniform(0, other.duration - shown)), shown, copied=False,
                                speed=quick))  # fmt: skip
            left -= shown / quick
        if number < copies:
            source = references[number % len(references)]
            start = float(rng.uniform(0, max(0.0, source.duration - length)))
            pieces.append(Piece(source, start, min(length, source.duration), copied=True, edits=EDITS))
    return tuple(pieces)


def counted(matches: Sequence[Match], truth: Sequence[Record]) -> int:
    """Return how many copies some match shows: half of the copy's seconds at least, on its line."""
    return sum(any(Path(match.ref).name == copy["ref"]
                   and min(match.end, copy["end"]) - max(match.start, copy["start"]) >= (copy["end"] - copy["start"]) / 2
                   and abs(match.opposite((copy["start"] + copy["end"]) / 2)
                           - (copy["ref_start"] + copy["ref_end"]) / 2) <= _OFF for match in matches)
               for copy in truth)  # fmt: skip


def rows(folder: Path, references: References, sources: Sequence[Source], strange: Sequence[Source],
         lengths: Sequence[float], copies: int, size: tuple[int, int]) -> Iterator[dict[str, Any]]:
    """Yield the line of each length."""
    for length in lengths:
        path, truth = written(folder, f"short-{length:g}.mp4", mixed(sources, strange, length, copies), size, 28)
        slow = query_of(str(path), references.descriptor)
        quick = fast_look(str(path), references)
        matches = find(slow, references)
        frames = round(slow.whole.duration * FPS)
        yield {"length": length, "copies": len(truth), "by_second": counted(matches, truth),
               "by_key_frames": counted(quick.matches, truth), "false_by_second": len(matches) - counted(matches, truth),
               "false_by_key_frames": len(quick.matches) - counted(quick.matches, truth),
               "seconds": round(slow.whole.duration, 1),
               "decoded_share": round(quick.decoded / frames, 3) if quick.decoded is not None else 1.0}


def main(argv: Sequence[str] | None = None) -> int:
    """Write a JSON line a length; return 0, or 2 where something cannot be used."""
    parser = argparse.ArgumentParser(prog="python -m vtk.copies.missed", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", help="for the films, which are kept")
    parser.add_argument("--copied", nargs="+", required=True, metavar="CLIP", help="of which references are made")
    parser.add_argument("--strange", nargs="+", required=True, metavar="CLIP", help="that queries show besides")
    parser.add_argument("--lengths", default=",".join(f"{each:g}" for each in LENGTHS), help="of copies, seconds")
    parser.add_argument("--copies", type=int, default=12, help="of each length (default: %(default)s)")
    parser.add_argument("--lines", type=int, default=180, help="of a picture (default: %(default)s)")
    parser.add_argument("--descriptor", default=DEFAULT)
    asked = parser.parse_args(argv)
    size = asked.lines * 16 // 9, asked.lines
    try:
        made = films(Path(asked.folder), list(map(Path, asked.copied)), list(map(Path, asked.strange)), 0, size, ())
        references = MemoryReferences(load_descriptor(asked.descriptor))
        for path in made.references:
            references.add(footprint_of(str(path), references.descriptor))
        for line in rows(Path(asked.folder), references, [probed(str(path)) for path in made.references],
                         [probed(path) for path in asked.strange], [float(each) for each in asked.lengths.split(",")],
                         asked.copies, size):  # fmt: skip
            sys.stdout.write(json.dumps(line | {"descriptor": references.descriptor.name}) + "\n")
            sys.stdout.flush()
    except (VtkError, ValueError) as error:
        sys.stderr.write(f"vtk.copies.missed: {error}\n")
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
