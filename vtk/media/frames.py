"""A decoded frame, converted to the sizes that are asked for."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import Self

import cv2
import numpy as np

from vtk.media.sampling import NATIVE, Size

Convert = Callable[[int, int], np.ndarray]


class Decoded:
    """One decoded frame: where it stands in its source, and its pixels in any size.

    Attributes:
        index: 0-based index in the original stream.
        pts: timestamp in stream ticks, where the media has one.
        t: seconds from the first frame.
    """

    __slots__ = ("_cache", "_convert", "_height", "_lock", "_width", "index", "pts", "t")

    def __init__(self, index: int, pts: int | None, t: float, width: int, height: int, convert: Convert) -> None:
        self.index = index
        self.pts = pts
        self.t = t
        self._width = width
        self._height = height
        self._convert = convert
        self._cache: dict[tuple[int, int], np.ndarray] = {}
        self._lock = threading.Lock()

    def image(self, size: Size = NATIVE) -> np.ndarray:
        """Return the frame in ``size`` as (H, W, 3) uint8 RGB, read only; each size is converted once."""
        wanted = size.of(self._width, self._height)
        with self._lock:
            image = self._cache.get(wanted)
            if image is None:
                image = np.ascontiguousarray(self._convert(*wanted))
                image.setflags(write=False)
                self._cache[wanted] = image
        return image

    def converted(self, sizes: Sequence[Size]) -> Self:
        """Convert to ``sizes`` here and now, in the thread that decodes, and return the frame."""
        for size in sizes:
            self.image(size)
        return self


def resizer(image: np.ndarray) -> Convert:
    """Return what scales ``image`` (H, W, 3) uint8 to (width, height): averaging when it shrinks, linear when it grows."""

    def convert(width: int, height: int) -> np.ndarray:
        have_height, have_width = image.shape[:2]
        if (width, height) == (have_width, have_height):
            return image
        shrinks = width * height < have_width * have_height
        return cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR)

    return convert
