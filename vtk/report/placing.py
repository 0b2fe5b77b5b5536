"""Where labels go: beside what they name, inside the frame, over no other label and over no text."""

from __future__ import annotations

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
        self._taken = np.empty((64, 4), np.float32)
        self._count = 0

    def take(self, box: Sequence[float]) -> None:
        """Keep a box, [x1, y1, x2, y2] in pixels, free of labels where there is room elsewhere."""
        if self._count == len(self._taken):
            self._taken = np.concatenate([self._taken, np.empty_like(self._taken)])
        self._taken[self._count] = np.clip(box, -_FAR, _FAR)
        self._count += 1

    def free(self, spots: Sequence[tuple[int, int]], wide: int, high: int) -> tuple[int, int]:
        """Return the first of ``spots`` (upper left corners) where nothing is covered, else the least of it."""
        if not self._count:
            return spots[0]
        corners = np.array(spots, np.float32)[:, None]
        taken = self._taken[: self._count]
        shared = np.minimum(corners + (wide, high), taken[:, 2:]) - np.maximum(corners, taken[:, :2])
        covered = np.prod(np.maximum(shared, 0), axis=2).sum(axis=1)
        return spots[int(covered.argmin())]

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
