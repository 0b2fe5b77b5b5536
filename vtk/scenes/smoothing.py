"""What a shot's neighbours say of where it was filmed: mixed in by how alike their pictures are."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from vtk.scenes.looks import Overlay, likeness
from vtk.scenes.tiling import Shot

# Shots on either side that are asked: a dialogue goes from one to the other and back.
REACH = 2
# Correlation of two pictures up to which they say nothing about each other: chosen. Of pictures that have nothing in
# common it is above 0, since one is shifted to where it fits the other best.
STRANGERS = 0.5


@dataclass(frozen=True, slots=True)
class Span:
    """A shot and what is known of it.

    Attributes:
        shot: from where to where.
        scores: (C,) log-probabilities, one array a maker of answers.
        observations: how many pictures were looked at.
        look: a picture of it, small; None where neighbours have no say.
    """

    shot: Shot
    scores: tuple[np.ndarray, ...]
    observations: int
    look: Overlay | None = None


class Smoothing:
    """Mixes into each span's scores those of its neighbours, ``REACH`` spans late.

    The scores are the mean of log-probabilities, renormalised: the span's own with weight 1 and each neighbour's with
    ``weight`` times how far the correlation of their pictures goes from STRANGERS to 1.

    Args:
        weight: 0 changes nothing, and nothing waits.

    Raises:
        ValueError: ``weight`` is not in [0, 1].
    """

    def __init__(self, weight: float) -> None:
        if not 0 <= weight <= 1:
            raise ValueError(f"weight: got {weight}, expected a number from 0 to 1")
        self._weight = weight
        self._reach = REACH if weight else 0
        self._spans: list[Span] = []
        self._next = 0

    def add(self, spans: Iterable[Span]) -> list[Span]:
        """Take spans in order and return those whose neighbours are known."""
        out = []
        for span in spans:
            self._spans.append(span)
            if len(self._spans) - self._next > self._reach:
                out += self._give(1)
        return out

    def finish(self) -> list[Span]:
        """Return the spans that are left."""
        return self._give(len(self._spans) - self._next)

    def _give(self, count: int) -> list[Span]:
        given = [self._mixed(at) for at in range(self._next, self._next + count)]
        self._next += count
        spare = max(0, self._next - self._reach)
        del self._spans[:spare]
        self._next -= spare
        return given

    def _mixed(self, at: int) -> Span:
        span = self._spans[at]
        near = [*self._spans[max(0, at - self._reach):at], *self._spans[at + 1:at + 1 + self._reach]]
        shares = [self._weight * _kinship(span, other) for other in near]
        if not any(shares):
            return span
        return replace(span, scores=tuple(
            _mean([own, *(other.scores[row] for other in near)], [1.0, *shares])
            for row, own in enumerate(span.scores)))


def _kinship(span: Span, other: Span) -> float:
    """Return how much one span has to say of another, in [0, 1]."""
    if span.look is None or other.look is None:
        return 0.0
    return max(0.0, likeness(span.look, other.look) - STRANGERS) / (1 - STRANGERS)


def _mean(scores: Sequence[np.ndarray], shares: Sequence[float]) -> np.ndarray:
    mixed = np.average(np.stack(scores), axis=0, weights=shares)
    return mixed - np.logaddexp.reduce(mixed)
