"""Where labels go: beside what they name, inside the frame, over no other label and over no text."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

import numpy as np

Box = tuple[int, int, int, int]
_FAR = 1 << 14  # pixels


class Places:
    """The parts of a frame that are taken.

    Args:
        width, height: of the frame in pixels.
    """

    def __init__(self, width: int, height: int) -> None:
        self.width, self.height = width, height
        # A map and not a list of boxes: a label looks at as many pixels as it has, whatever the number of others.
        self._taken = np.zeros((height, width), bool)

    def take(self, box: Sequence[float]) -> None:
        """Keep a box, [x1, y1, x2, y2] in pixels, free of labels where there is room elsewhere."""
        x1, y1, x2, y2 = (max(0.0, min(side, _FAR)) for side in box)
        self._taken[math.floor(y1):math.ceil(y2), math.floor(x1):math.ceil(x2)] = True

    def free(self, spots: Sequence[tuple[int, int]], wide: int, high: int) -> tuple[int, int]:
        """Return the first of ``spots`` (upper left corners) where nothing is covered, else the least of it."""
        least, best = math.inf, spots[0]
        for x, y in spots:
            covered = np.count_nonzero(self._taken[y:y + high, x:x + wide])
            if covered < least:
                least, best = covered, (x, y)
            if not covered:
                break
        return best

    def around(self, box: Box, corners: tuple[int, int], wide: int, high: int, outside: bool
               ) -> list[tuple[int, int]]:
        """Return the places in the frame for a label of ``wide`` by ``high`` pixels, the best first; at least one.

        Args:
            box: what is named, [x1, y1, x2, y2] in pixels.
            corners: where a label above begins, and where one below does, as x.
            wide, high: size of the label in pixels.
            outside: whether what is named should stay uncovered, however far the label moves for it.
        """
        last_x, last_y = self.width - wide, self.height - high
        x, below = (max(0, min(corner, last_x)) for corner in corners)
        spots = [(left, top) for left, top in _spots(box, x, below, wide, high, outside)
                 if 0 <= left <= last_x and 0 <= top <= last_y]
        return spots or [(x, max(0, min(box[1], last_y)))]


def _spots(box: Box, x: int, below: int, wide: int, high: int, outside: bool) -> Iterator[tuple[int, int]]:
    """Yield upper left corners: above, below, beside and farther off, inside."""
    left, top, right, bottom = box
    yield from ((x, top - high), (below, bottom))
    if outside:
        middle = (top + bottom - high) // 2
        yield from ((right, middle), (left - wide, middle), (right - wide, top - high), (right - wide, bottom))
        yield from ((right, top - high), (right, bottom), (left - wide, top - high), (left - wide, bottom))
        yield from ((x, top - 2 * high), (below, bottom + high))
    yield x, top
