"""``shrink_yuv`` as its definition says it, in NumPy."""

from __future__ import annotations

import numpy as np


def shrink_yuv(
    luma: np.ndarray, blue: np.ndarray, red: np.ndarray, matrix: np.ndarray, height: int, width: int
) -> np.ndarray:
    """Return the RGB picture of means by area; see the package."""
    if not height or not width:
        return np.zeros((height, width, 3), np.uint8)
    sums = [_sums(plane, height, width) for plane in (luma, blue, red)]
    weights = matrix[:, :3] / (luma.size, blue.size, red.size)  # of sums, not of means
    mixed = [((a * sums[0] + b * sums[1]) + c * sums[2]) + offset
             for (a, b, c), offset in zip(weights, matrix[:, 3], strict=True)]
    return np.clip(np.floor(np.stack(mixed, 2) + 0.5), 0, 255).astype(np.uint8)


def _sums(plane: np.ndarray, height: int, width: int) -> np.ndarray:
    """Return the sums (height, width) int64 of a plane under boxes, each pixel cut into height x width parts."""
    down, across = _shares(plane.shape[0], height), _shares(plane.shape[1], width)
    return down @ plane.astype(np.int64) @ across.T


def _shares(length: int, boxes: int) -> np.ndarray:
    """Return how many of the ``boxes`` parts of each pixel lie in each box, (boxes, length) int64."""
    box, pixel = np.arange(boxes)[:, None], np.arange(length)[None]
    start, end = np.maximum(box * length, pixel * boxes), np.minimum((box + 1) * length, (pixel + 1) * boxes)
    return np.maximum(end - start, 0)
