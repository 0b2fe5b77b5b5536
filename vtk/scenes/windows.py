"""Windows of so many seconds in place of shots."""

from __future__ import annotations

import math

import numpy as np

from vtk.scenes.tiling import Shot


class Windows:
    """Parts a film into windows of the same length from second 0 on; as ``vtk.scenes.Shots`` is used.

    Args:
        seconds: of a window.

    Raises:
        ValueError: ``seconds`` is not above 0, or no number.
    """

    def __init__(self, seconds: float) -> None:
        if not 0 < seconds < math.inf:
            raise ValueError(f"seconds: got {seconds}, expected a number above 0")
        self._seconds = seconds
        self._first: tuple[int, float] | None = None
        self._last = (0, 0.0, 1, 0.0)

    def add(self, index: int, t: float, image: np.ndarray | None = None) -> list[Shot]:
        """Take a frame and return the window that it ends, where it does; the picture does not matter."""
        if self._first is None:
            self._first, self._last = (index, t), (index, t, 1, 0.0)
            return []
        self._last = (index, t, index - self._last[0], t - self._last[1])
        if self._number(t) == self._number(self._first[1]):
            return []
        over = Shot(self._first[1], t, self._first[0], index)
        self._first = (index, t)
        return [over]

    def finish(self) -> list[Shot]:
        """Return the last window; none where no frame came."""
        if self._first is None:
            return []
        index, t, step, length = self._last
        return [Shot(self._first[1], t + length, self._first[0], index + step)]

    def _number(self, t: float) -> int:
        # 1e-6 s: a timestamp rounded down to its time base still counts as the next window's.
        return math.floor((t + 1e-6) / self._seconds)
