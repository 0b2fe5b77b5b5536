"""How many short copies are missed by key frames: ``python -m vtk.copies.missed FOLDER``.

In FOLDER it makes, once, two references as ``vtk.copies.speed`` does, and queries in which strangers and copies of one
length follow each other, H.264 as x264 makes it by default. A JSON line a length says how many of the copies are found
by a frame a second, how many by key frames first, and how much of the query that decoded. With ``--pictures`` a line
before says what share of pictures have a stranger among the others that reaches a score: so many key frames would be
looked around in vain in a library of as many scenes.
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
from vtk.copies.descriptors import DEFAULT, Descriptor, load_descriptor
from vtk.copies.fast import fast_look
from vtk.copies.finding import find
from vtk.copies.generate import probed
from vtk.copies.matches import Match
from vtk.copies.plans import Piece, Source
from vtk.copies.references import MemoryReferences, References
from vtk.copies.speed_films import EDITS, FPS, films, written
from vtk.errors import VtkError
from vtk.media.image import load
from vtk.media.names import IMAGE_SUFFIXES
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
    return sum(any(_shows(match, copy) for match in matches) for copy in truth)


def _shows(match: Match, copy: Record) -> bool:
    start, end = copy["start"], copy["end"]
    off = match.opposite((start + end) / 2) - (copy["ref_start"] + copy["ref_end"]) / 2
    shown = min(match.end, end) - max(match.start, start)
    return Path(match.ref).name == copy["ref"] and shown >= (end - start) / 2 and abs(off) <= _OFF


def rows(folder: Path, references: References, sources: Sequence[Source], strange: Sequence[Source],
         lengths: Sequence[float], copies: int, size: tuple[int, int]) -> Iterator[dict[str, Any]]:
    """Yield the line of each length."""
    for length in lengths:
        path, truth = written(folder, f"short-{length:g}.mp4", mixed(sources, strange, length, copies), size, 28)
        slow = query_of(str(path), references.descriptor)
        quick = fast_look(str(path), references)
        matches = find(slow, references)
        frames = round(slow.whole.duration * FPS)
        found, by_keys = counted(matches, truth), counted(quick.matches, truth)
        yield {"length": length, "copies": len(truth), "by_second": found, "by_key_frames": by_keys,
               "false_by_second": len(matches) - found, "false_by_key_frames": len(quick.matches) - by_keys,
               "seconds": round(slow.whole.duration, 1),
               "decoded_share": round(quick.decoded / frames, 3) if quick.decoded is not None else 1.0}


def alike(descriptor: Descriptor, pictures: Sequence[Path]) -> dict[str, Any]:
    """Return what share of pictures have another one that reaches each of some scores."""
    vectors = np.concatenate([descriptor.describe([load(str(path))[0] for path in pictures[first : first + 64]])
                              for first in range(0, len(pictures), 64)])  # fmt: skip
    best = np.zeros(len(vectors), np.float32)
    for first in range(0, len(vectors), 256):
        scores = descriptor.scores(vectors[first : first + 256], vectors)
        own = np.arange(len(scores))
        scores[own, first + own] = 0
        best[first : first + 256] = scores.max(axis=1)
    return {"pictures": len(vectors), **{f"reach_{score:g}": round(float((best >= score).mean()), 4)
                                         for score in (0.5, 0.6, 0.7, 0.75, 0.8)}}


def main(argv: Sequence[str] | None = None) -> int:
    """Write a JSON line a length; return 0, or 2 where something cannot be used."""
    parser = argparse.ArgumentParser(prog="python -m vtk.copies.missed", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", help="for the films, which are kept")
    parser.add_argument("--copied", nargs="+", required=True, metavar="CLIP", help="of which references are made")
    parser.add_argument("--strange", nargs="+", required=True, metavar="CLIP", help="that queries show besides")
    parser.add_argument("--lengths", default=",".join(f"{each:g}" for each in LENGTHS), help="of copies, seconds")
    parser.add_argument("--copies", type=int, default=12, help="of each length (default: %(default)s)")
    parser.add_argument("--pictures", type=Path, metavar="FOLDER", help="of different things; every second is taken")
    parser.add_argument("--lines", type=int, default=180, help="of a picture (default: %(default)s)")
    parser.add_argument("--descriptor", default=DEFAULT)
    asked = parser.parse_args(argv)
    size = asked.lines * 16 // 9, asked.lines
    try:
        made = films(Path(asked.folder), list(map(Path, asked.copied)), list(map(Path, asked.strange)), 0, size, ())
        references = MemoryReferences(load_descriptor(asked.descriptor))
        if asked.pictures is not None:
            found = sorted(path for path in asked.pictures.rglob("*") if path.suffix.lower() in IMAGE_SUFFIXES)[::2]
            if not found:
                raise VtkError(f"--pictures {asked.pictures}: no picture is there; name a folder of some")
            sys.stdout.write(json.dumps(alike(references.descriptor, found)) + "\n")
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
