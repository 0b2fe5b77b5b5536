"""Histograms of few bins, fixed beforehand: of scores, of the sizes of boxes, of seconds."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from vtk.records import MAX_COORDINATE

SCORES = 10  # bins of a tenth each; one more holds a score of 1, and goes to the last of them
SIZES = 22  # bin 0 holds boxes of less than a pixel, bin k those of sizes from 2^(k-1) to 2^k
SECONDS = 24  # bin 0 holds what is shorter than FINEST, bin k from FINEST · 2^(k-1) to FINEST · 2^k
FINEST = 0.125


@dataclass(slots=True)
class Boxes:
    """Counts of records with a box, of one type and label.

    Attributes:
        records: how many.
        scored, total: how many have a score, and the sum of these.
        scores: by tenths.
        boxed: how many have a box.
        sizes: of boxes, roots of their areas in pixels, by powers of two.
    """

    records: int = 0
    scored: int = 0
    total: float = 0.0
    scores: list[int] = field(default_factory=lambda: [0] * (SCORES + 1))
    boxed: int = 0
    sizes: list[int] = field(default_factory=lambda: [0] * SIZES)

    def tenths(self) -> list[int]:
        """Return the counts of scores by tenths, SCORES of them."""
        return [*self.scores[:-2], self.scores[-2] + self.scores[-1]]

    def add(self, other: Boxes) -> None:
        """Add the counts of another label."""
        self.records += other.records
        self.scored += other.scored
        self.total += other.total
        self.boxed += other.boxed
        self.scores = [mine + its for mine, its in zip(self.scores, other.scores, strict=True)]
        self.sizes = [mine + its for mine, its in zip(self.sizes, other.sizes, strict=True)]


@dataclass(slots=True)
class Lengths:
    """Counts of spans by how long they last, seconds."""

    count: int = 0
    total: float = 0.0
    longest: float = 0.0
    bins: list[int] = field(default_factory=lambda: [0] * SECONDS)

    def take(self, seconds: float) -> None:
        """Count a span."""
        self.bins[min(SECONDS - 1, int(seconds / FINEST).bit_length())] += 1
        self.count += 1
        self.total += seconds
        self.longest = max(self.longest, seconds)

    def table(self) -> dict[str, object]:
        """Return counts, mean and longest, and the bins that hold something, each by where it begins."""
        return {"count": self.count, "seconds": round(self.total, 3), "mean": round(self.total / max(1, self.count), 3),
                "longest": round(self.longest, 3),
                "bins": [{"from": FINEST * 2 ** (place - 1) if place else 0.0, "count": count}
                         for place, count in enumerate(self.bins) if count]}


def score_bin(score: float) -> int:
    """Return the bin of a score.

    Raises:
        ValueError: it does not lie in [0, 1].
    """
    if not 0 <= score <= 1:
        raise ValueError(f"score: got {score!r}, expected one in [0, 1]")
    return int(score * SCORES)


def size_bin(box: list[float]) -> int:
    """Return the bin of a box, [x1, y1, x2, y2] in pixels, by the root of its area.

    Raises:
        ValueError: its corners are not in order, or too far away.
    """
    x1, y1, x2, y2 = box
    if not (-MAX_COORDINATE <= x1 <= x2 <= MAX_COORDINATE and -MAX_COORDINATE <= y1 <= y2 <= MAX_COORDINATE):
        raise ValueError(f"box: got {box!r}, expected x1 <= x2 and y1 <= y2")
    return int((x2 - x1) * (y2 - y1)).bit_length() + 1 >> 1  # a bin of sizes is two of areas: 4^(k-1) to 4^k


def span_of(start: object, end: object) -> float:
    """Return the seconds from ``start`` to ``end``.

    Raises:
        ValueError, TypeError: they are no numbers, or not in order.
    """
    seconds = end - start  # type: ignore[operator]
    if not (seconds >= 0 and math.isfinite(seconds)):
        raise ValueError(f"span: got {start!r} to {end!r}, expected an end that is not before its start")
    return float(seconds)
