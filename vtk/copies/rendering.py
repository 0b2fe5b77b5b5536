"""Writes a query as a plan describes it, and says what it shows when: the truth."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np

from vtk.copies.edits import edited, fitted, kept, resampled
from vtk.copies.plans import Piece, Plan, Source
from vtk.media.frames import Decoded
from vtk.media.sampling import Size
from vtk.media.video import open_media
from vtk.media.writer import VideoWriter
from vtk.records import Record, make

BY = "generate/edits"
_TICKS = 90_000  # a second; what VideoWriter counts in MP4, so that times on it are written as they are
# The slowest one without x264's macroblock tree, with which small frames do not come out the same twice: two queries
# of 96 × 64 pixels had five encodings in 16 renders by veryfast, and two in 40 by this one (PyAV 18.1).
_PRESET = "superfast"


@dataclass(frozen=True, slots=True)
class Span:
    """What was written of a piece, in seconds, ends exclusive: query [start, end) shows source [ref_start, ref_end)."""

    piece: Piece
    start: float
    end: float
    ref_start: float
    ref_end: float


def render(plan: Plan, path: str | os.PathLike[str]) -> list[Span]:
    """Write the query that ``plan`` describes, and return what each piece became; one without frames is left out.

    Memory: a few frames of the source, its backdrop and the encoder.

    Raises:
        MediaError: a source cannot be read any more, the query cannot be written, or not one frame came.
    """
    spans: list[Span] = []
    with VideoWriter(path, plan.width, plan.height, plan.fps, crf=plan.crf, preset=_PRESET) as writer:
        count = 0  # pictures so far, dropped ones included
        for number, piece in enumerate(plan.pieces):
            ref_start, last, before = 0.0, -1, count
            for place, t, image in _pictures(plan, number, piece):
                if last < 0:
                    ref_start = t
                last, count = place, before + place + 1
                writer.write(image, _time(before + place, plan.fps))
            if last >= 0:
                spans.append(Span(piece, _time(before, plan.fps), _time(count, plan.fps), ref_start,
                                  ref_start + (last + 1) * piece.speed / plan.fps))
    return spans


def truth_of(plan: Plan, spans: Sequence[Span]) -> list[Record]:
    """Return a ``copy`` record for each copied span; none for a negative."""
    return [make("copy", BY, plan.name, ref=span.piece.source.name, start=round(span.start, 6), end=round(span.end, 6),
                 ref_start=round(span.ref_start, 6), ref_end=round(span.ref_end, 6), score=1.0,
                 transform={"speed": span.piece.speed, "hflip": _is_mirrored(span.piece)})
            for span in spans if span.piece.copied]


def row_of(plan: Plan, spans: Sequence[Span]) -> dict[str, Any]:
    """Return the manifest's line of a query."""
    pieces = [{"source": span.piece.source.name, "copied": span.piece.copied, "start": round(span.start, 6),
               "end": round(span.end, 6), "ref_start": round(span.ref_start, 6), "ref_end": round(span.ref_end, 6),
               "speed": span.piece.speed, "drop": span.piece.drop,
               "edits": [{"edit": name, **parameters} for name, parameters in span.piece.edits],
               **({"backdrop": span.piece.backdrop.name} if span.piece.backdrop else {})} for span in spans]
    return {"query": plan.name, "family": plan.family, "seed": list(plan.seed), "width": plan.width,
            "height": plan.height, "fps": plan.fps, "crf": plan.crf, "pieces": pieces}


def _pictures(plan: Plan, number: int, piece: Piece) -> Iterator[tuple[int, float, np.ndarray]]:
    """Yield (place in the piece, seconds of the source, picture) of a piece, without those that are dropped."""
    limit = max(1, round(piece.seconds * plan.fps / piece.speed))
    keep = kept(limit, piece.drop, (*plan.seed, number))
    with _frames(piece.source, piece.start) as frames, closing(_backdrop(plan, piece)) as behind:
        for place, (t, frame) in enumerate(resampled(frames, plan.fps, piece.speed, limit)):
            backdrop = next(behind)
            if keep[place]:
                image = _within(frame, piece.source, plan)
                yield place, t, edited(image, piece.edits, place, backdrop)


def _backdrop(plan: Plan, piece: Piece) -> Iterator[np.ndarray | None]:
    """Yield what stands behind each picture of a piece; where it ends, its last picture stays."""
    image = None
    if piece.backdrop is not None:
        with _frames(piece.backdrop, 0.0) as frames:
            for _, frame in resampled(frames, plan.fps):
                image = _within(frame, piece.backdrop, plan)
                yield image
    while True:
        yield image


@contextmanager
def _frames(source: Source, start: float) -> Iterator[Iterator[Decoded]]:
    """Open a source, give its frames from ``start`` on, and close it."""
    with closing(open_media(source.path)) as reader:
        yield reader.frames([], lambda index, t: True, start=start)


def _within(frame: Decoded, source: Source, plan: Plan) -> np.ndarray:
    """Return a frame fitted into the query's, scaled as it is converted."""
    ratio = min(plan.width / source.width, plan.height / source.height)
    inner = Size("exact", max(1, round(source.width * ratio)), max(1, round(source.height * ratio)))
    return fitted(frame.image(inner), plan.width, plan.height)


def _time(count: int, fps: float) -> float:
    """Return when picture number ``count`` is shown, in seconds, on the clock of the file."""
    return round(count * _TICKS / fps) / _TICKS


def _is_mirrored(piece: Piece) -> bool:
    return sum(name == "hflip" for name, _ in piece.edits) % 2 == 1
