"""Films of several minutes, put together of clips, and queries that show some, all or nothing of them.

They are written as ``python -m vtk.copies.generate`` writes its queries: H.264 with a key frame after 250 frames or at
a cut. A clip of fewer frames a second than the film plays faster among strangers, so that pictures move as they do in
films; where it is copied it plays as it is.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from vtk.copies.generate import probed
from vtk.copies.plans import Edit, Piece, Plan, Source
from vtk.copies.rendering import render, truth_of
from vtk.media.names import source_name
from vtk.records import Record

FPS = 30.0
CRF = 23  # of films; x264's own
COPY_CRF = 28  # of queries
# What is done to copied spans: other light.
EDITS: tuple[Edit, ...] = (
    ("recolour", {"gains": [1.1, 1.0, 0.9], "contrast": 1.1, "brightness": 0.02, "gamma": 1.0, "saturation": 0.9}),)


@dataclass(frozen=True, slots=True)
class Films:
    """What a benchmark reads.

    Attributes:
        references: paths of films.
        queries: by the share of them that is copied, their paths.
        truth: by the name of a query, its ``copy`` records; references in them by file name.
    """

    references: tuple[Path, ...]
    queries: dict[float, Path]
    truth: dict[str, list[Record]]


def films(folder: Path, copied: Sequence[Path], strange: Sequence[Path], seconds: float, size: tuple[int, int],
          shares: Sequence[float] = (0.0, 0.1, 1.0), seed: int = 0) -> Films:
    """Return films, those made that are not in the folder yet.

    Args:
        folder: is made; what is in it was made of the same clips.
        copied: clips of which the two references are made.
        strange: other clips.
        seconds: of a query, about.
        size: (width, height), pixels.
        shares: of a query that are copied, [0, 1].
        seed: of the order.

    Raises:
        MediaError: a clip cannot be read.
        ValueError: fewer than two clips are to be copied, or none is strange.
    """
    if len(copied) < 2 or not strange:
        raise ValueError(f"clips: got {len(copied)} to copy and {len(strange)} others, expected two and one at least")
    folder.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(seed)
    sources = [probed(str(path)) for path in copied]
    order = rng.permutation(len(sources)).tolist()
    made = []
    for number in range(2):
        own = [sources[at] for at in order[number::2]]
        pieces = tuple(Piece(each, 0.0, each.duration, copied=False) for each in own)
        made.append(written(folder, f"reference-{number}.mp4", pieces, size, CRF)[0])
    references = [probed(str(path)) for path in made]
    others = [probed(str(path)) for path in strange]
    queries, truth = {}, {}
    for share in shares:
        path, records = written(folder, f"query-{round(share * 100)}.mp4", _query(references, others, seconds, share),
                                 size, COPY_CRF)  # fmt: skip
        queries[share], truth[path.name] = path, records
    return Films(tuple(made), queries, truth)


def _query(references: Sequence[Source], others: Sequence[Source], seconds: float, share: float) -> tuple[Piece, ...]:
    """Return the pieces of a query: whole references where all is copied, else a span of each amid strangers."""
    if share >= 1:
        pieces: list[Piece] = []
        while sum(piece.seconds for piece in pieces) < seconds:
            each = references[len(pieces) % len(references)]
            pieces.append(Piece(each, 0.0, each.duration, copied=True, edits=EDITS))
        return tuple(pieces)
    length = seconds * share / len(references)
    copies = [Piece(each, min(5.0, each.duration / 4), min(length, each.duration * 0.75), copied=True, edits=EDITS)
              for each in references if length > 0]  # fmt: skip
    left = seconds - sum(piece.seconds for piece in copies)
    shown: list[Piece] = []
    while left > 0:
        each = others[len(shown) % len(others)]
        quick = FPS / each.fps if each.fps < 24 else 1.0
        shown.append(Piece(each, 0.0, min(each.duration, left * quick), copied=False, speed=quick))
        left -= shown[-1].seconds / quick
    third = max(1, len(shown) // 3)
    return (*shown[:third], *copies[:1], *shown[third : 2 * third], *copies[1:], *shown[2 * third :])


def written(folder: Path, name: str, pieces: tuple[Piece, ...], size: tuple[int, int],
             crf: int) -> tuple[Path, list[Record]]:
    """Return the path of a film and what is copied in it, as it was noted when the film was made."""
    path, note = folder / name, folder / f"{name}.json"
    if not note.exists():
        plan = Plan(name, "film", *size, FPS, crf, pieces, (0, 0))
        named = replace(plan, pieces=tuple(replace(piece, source=_named(piece.source)) for piece in pieces))
        note.write_text(json.dumps(truth_of(named, render(named, path))) + "\n", "utf-8")
    return path, json.loads(note.read_text("utf-8"))


def _named(source: Source) -> Source:
    return replace(source, name=source_name(Path(source.path).name))
