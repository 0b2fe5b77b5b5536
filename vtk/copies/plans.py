"""What a generated query shows, drawn from a seed: which spans of which sources, edited how."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise, permutations
from typing import Any

import numpy as np

Edit = tuple[str, dict[str, Any]]  # a name of vtk.copies.edits.PICTURE_EDITS, its parameters
Random = np.random.Generator

SHORTEST = 2.0  # seconds of a source that a piece shows at least
_FILLER = (2.0, 6.0)  # seconds of what is no copy
_RATES = (15.0, 24.0, 25.0, 30.0)  # frames a second
_WORDS = ("BREAKING NEWS", "wait for it...", "follow for more", "part 2", "LIVE", "you will not believe this", "12:45")


@dataclass(frozen=True, slots=True)
class Source:
    """A video that queries are made of: its file name alone, its path, pixels, frames a second, seconds."""

    name: str
    path: str
    width: int
    height: int
    fps: float
    duration: float


@dataclass(frozen=True, slots=True)
class Change:
    """What is done to copied spans.

    Attributes:
        edits: of each picture, in order.
        speed: how many times as fast they play.
        drop: share of the frames that are left out, the rest staying at their times.
        crf, scale: of the encoder; sides of the picture as a share of the usual.
        pieces: how many spans are copied.
        sources: whether they are of several sources.
    """

    edits: tuple[Edit, ...] = ()
    speed: float = 1.0
    drop: float = 0.0
    crf: int = 23
    scale: float = 1.0
    pieces: int = 1
    sources: bool = False


@dataclass(frozen=True, slots=True)
class Piece:
    """A span of a source as a query shows it; ``start`` and ``seconds`` on the source's clock.

    ``backdrop`` is what stands behind a picture in a picture, from its beginning.
    """

    source: Source
    start: float
    seconds: float
    copied: bool
    edits: tuple[Edit, ...] = ()
    speed: float = 1.0
    drop: float = 0.0
    backdrop: Source | None = None


@dataclass(frozen=True, slots=True)
class Plan:
    """A query: its family, its pieces in order, its frame in pixels and its encoding; ``seed`` draws what is left."""

    name: str
    family: str
    width: int
    height: int
    fps: float
    crf: int
    pieces: tuple[Piece, ...]
    seed: tuple[int, int]


def _crop(rng: Random) -> Change:
    side = rng.uniform(0.6, 0.9)
    x, y = rng.uniform(0, 1 - side, 2)
    return Change((("crop", {"box": _shares(x, y, x + side, y + side)}),))


def _border(rng: Random) -> Change:
    x, y = rng.choice([(0.0, 1.0), (1.0, 0.0), (1.0, 1.0)]) * rng.uniform(0.06, 0.2)
    colour = (0, 0, 0) if rng.random() < 0.7 else tuple(rng.integers(0, 256, 3).tolist())
    return Change((("border", {"box": _shares(x, y, 1 - x, 1 - y), "colour": colour}),))


def _picture_in_picture(rng: Random) -> Change:
    side = rng.uniform(0.4, 0.7)
    x, y = rng.uniform(0, 1 - side, 2)
    return Change((("picture_in_picture", {"box": _shares(x, y, x + side, y + side)}),))


def _caption(rng: Random) -> Change:
    top = rng.choice([0.02, 0.72, 0.8])
    words, below = str(rng.choice(_WORDS)), top + rng.uniform(0.12, 0.18)
    first = ("caption", {"text": words, "box": _shares(0.05, top, 0.95, below), "colour": (255, 255, 255),
                         "band": round(rng.uniform(0, 1), 2)})
    x, y = rng.choice([0.02, 0.73]), 0.3
    logo = ("caption", {"text": "TV" + str(rng.integers(1, 10)), "box": _shares(x, y, x + 0.25, y + 0.2),
                        "colour": tuple(rng.integers(0, 256, 3).tolist()), "band": 1.0})
    return Change((first, logo) if rng.random() < 0.5 else (first,))


def _colour(rng: Random) -> Change:
    return Change((("recolour", {
        "gains": np.round(rng.uniform(0.75, 1.25, 3), 2).tolist(), "contrast": round(rng.uniform(0.5, 1.6), 2),
        "brightness": round(rng.uniform(-0.2, 0.2), 2), "gamma": round(rng.uniform(0.6, 1.6), 2),
        "saturation": 0.0 if rng.random() < 0.25 else round(rng.uniform(0.3, 1.8), 2)}),))


def _blur(rng: Random) -> Change:
    return Change((("blur", {"radius": round(rng.uniform(0.006, 0.025), 4)}),))


def _noise(rng: Random) -> Change:
    return Change((("noise", {"deviation": round(rng.uniform(8, 30), 1), "seed": [int(rng.integers(2**32))]}),))


def _hflip(rng: Random) -> Change:
    return Change((("hflip", {}),))


def _speed(rng: Random) -> Change:
    return Change(speed=round(float(rng.uniform(1.15, 2.0) ** rng.choice([-1, 1])), 3))


def _reencode(rng: Random) -> Change:
    return Change(crf=int(rng.integers(34, 46)), scale=round(rng.uniform(0.3, 0.7), 2))


def _drops(rng: Random) -> Change:
    return Change(drop=round(rng.uniform(0.2, 0.7), 2))


def _mixed(rng: Random) -> Change:
    """Return what a re-uploader does: a few edits one after the other, another speed now and then."""
    chosen = rng.choice([_crop, _caption, _colour, _blur, _hflip, _border], 3, replace=False)
    edits = tuple(edit for make in chosen for edit in make(rng).edits)
    slight = round(rng.uniform(0.8, 1.25), 3) if rng.random() < 0.5 else 1.0
    return replace(_reencode(rng), edits=edits, speed=slight, scale=round(rng.uniform(0.6, 1.0), 2), crf=30)


# Family → what it draws. NEGATIVE stands beside them: it copies nothing.
FAMILIES: dict[str, Callable[[Random], Change]] = {
    "trim": lambda rng: Change(),
    "cuts": lambda rng: Change(pieces=int(rng.integers(2, 5))),
    "concat": lambda rng: Change(pieces=int(rng.integers(2, 4)), sources=True),
    "crop": _crop, "border": _border, "picture_in_picture": _picture_in_picture, "caption": _caption,
    "colour": _colour, "blur": _blur, "noise": _noise, "hflip": _hflip, "speed": _speed, "reencode": _reencode,
    "drops": _drops, "mixed": _mixed,
}
NEGATIVE = "negative"
_EVERY = 5  # each fifth query is a negative


def family_of(index: int) -> str:
    """Return the family of query ``index``: they take turns, and each fifth query copies nothing."""
    turn, place = divmod(index, _EVERY)
    return NEGATIVE if place == _EVERY - 1 else list(FAMILIES)[(turn * (_EVERY - 1) + place) % len(FAMILIES)]


def drawn(index: int, seed: int, references: Sequence[Source], strangers: Sequence[Source], longest: float = 12.0,
          long_side: int = 640, family: str | None = None) -> Plan:
    """Return query ``index`` of the set that ``seed`` stands for.

    Args:
        references: what is copied.
        strangers: what stands before and after it and behind it, and negatives are made of; none shows a reference.
        longest: seconds of a source that a piece shows at most.
        long_side: of the query's frame, in pixels, at most.
        family: one of ``FAMILIES`` or ``NEGATIVE``; by default they take turns.

    Raises:
        ValueError: no references, no strangers, or no such family.
    """
    if not references or not strangers:
        raise ValueError(f"got {len(references)} references and {len(strangers)} strangers: one of each is expected")
    family = family or family_of(index)
    if family != NEGATIVE and family not in FAMILIES:
        raise ValueError(f"family is '{family}': one of {', '.join((*FAMILIES, NEGATIVE))} is expected")
    rng = np.random.default_rng([seed, index])
    makers = FAMILIES if family == NEGATIVE else {family: FAMILIES[family]}
    change = makers[str(rng.choice(list(makers)))](rng)
    if family == NEGATIVE:
        pieces = [_whole(change, _filler(rng, strangers), rng, strangers) for _ in range(rng.integers(1, 4))]
    else:
        copies = [_whole(change, piece, rng, strangers) for piece in _copies(change, references, longest, rng)]
        pieces = _surrounded(copies, rng, strangers, always=change.sources)
    first = next((piece.source for piece in pieces if piece.copied), pieces[0].source)
    fps = float(rng.choice(_RATES)) if rng.random() < 1 / 3 else min(30.0, max(8.0, first.fps))
    width, height = _frame(first, long_side, change.scale)
    return Plan(f"q{index:04d}-{family}.mp4", family, width, height, fps, change.crf, tuple(pieces), (seed, index))


def _copies(change: Change, references: Sequence[Source], longest: float, rng: Random) -> list[Piece]:
    """Return the copied spans: of a source each, or of one source in another order than it has them."""
    if change.sources:
        count = min(change.pieces, len(references))
        chosen = [references[at] for at in rng.choice(len(references), count, replace=False)]
        return [_span(source, 0.0, source.duration, longest, rng) for source in chosen]
    least = SHORTEST * max(change.speed, 1.0) * min(change.pieces, 2)
    able = [source for source in references if source.duration >= least]
    source = able[rng.integers(len(able))] if able else max(references, key=lambda each: each.duration)
    count = max(1, min(change.pieces, int(source.duration / SHORTEST)))
    cell = source.duration / count
    # No span is followed by the one after it in the source: both would be one copy.
    orders = [order for order in permutations(range(count)) if all(b != a + 1 for a, b in pairwise(order))]
    order = orders[rng.integers(len(orders))]
    return [_span(source, at * cell, (at + 1) * cell, longest, rng, SHORTEST * change.speed) for at in order]


def _span(source: Source, begin: float, end: float, longest: float, rng: Random, least: float = SHORTEST) -> Piece:
    """Return a span of ``source`` within [begin, end), of ``least`` to ``longest`` seconds where there is room."""
    room = end - begin
    seconds = rng.uniform(min(least, room), max(min(longest, room), min(least, room)))
    return Piece(source, round(begin + rng.uniform(0, room - seconds), 3), round(seconds, 3), copied=True)


def _filler(rng: Random, strangers: Sequence[Source]) -> Piece:
    source = strangers[rng.integers(len(strangers))]
    return replace(_span(source, 0.0, source.duration, _FILLER[1], rng, _FILLER[0]), copied=False)


def _whole(change: Change, piece: Piece, rng: Random, strangers: Sequence[Source]) -> Piece:
    """Return the piece with what is done to it."""
    backdrop = strangers[rng.integers(len(strangers))]
    behind = backdrop if any(name == "picture_in_picture" for name, _ in change.edits) else None
    return replace(piece, edits=change.edits, speed=change.speed, drop=change.drop, backdrop=behind)


def _surrounded(copies: Sequence[Piece], rng: Random, strangers: Sequence[Source], always: bool) -> list[Piece]:
    """Return the copies, half the time with a stranger before them, and with one after; ``always`` with both.

    With both always, one may stand between two of them as well.
    """
    pieces: list[Piece] = []
    for number, piece in enumerate(copies):
        if (number == 0 and (always or rng.random() < 0.5)) or (number and always and rng.random() < 0.5):
            pieces.append(_filler(rng, strangers))
        pieces.append(piece)
    if always or rng.random() < 0.5:
        pieces.append(_filler(rng, strangers))
    return pieces


def _frame(source: Source, long_side: int, scale: float) -> tuple[int, int]:
    """Return width and height of a query's frame, even: 4:2:0 needs it."""
    ratio = min(1.0, long_side / max(source.width, source.height)) * scale
    return max(16, round(source.width * ratio / 2) * 2), max(16, round(source.height * ratio / 2) * 2)


def _shares(*values: float) -> list[float]:
    return [round(min(1.0, max(0.0, float(value))), 3) for value in values]
