"""``masked_roi`` in Numba: where a text's samples lie is worked out once, then used in each channel.

The channels stay apart as they lie: a map turned to channels last would be read whole, and texts cover little of it.
One thread: a frame's texts take a few milliseconds, and the caller's other threads want the cores.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numba import njit

from vtk.kernels.masked_roi.perspective import coefficients

_NO_LABELS = np.empty((0, 0), np.int32)


def masked_roi(
    features: np.ndarray,
    quads: np.ndarray,
    size: Sequence[int] = (8, 32),
    *,
    stride: float = 4.0,
    labels: np.ndarray | None = None,
    ids: np.ndarray | None = None,
    image_ids: np.ndarray | None = None,
    vertical: float | None = 1.5,
) -> np.ndarray:
    """Return the features inside each quadrilateral; see the package."""
    images, channels, height, width = features.shape
    rows = coefficients(quads, stride, vertical)
    planes = np.ascontiguousarray(features).reshape(images, channels, height * width)
    result = np.empty((len(quads), channels, *size), np.float32)
    cells, shares = np.empty((4, size[0] * size[1]), np.int64), np.empty((4, size[0] * size[1]), np.float32)
    for n, row in enumerate(rows):
        image = 0 if image_ids is None else int(image_ids[n])
        mask = _NO_LABELS if labels is None else np.ascontiguousarray(labels[image])
        _place(row, size[0], size[1], height, width, mask, 0 if ids is None else int(ids[n]), cells, shares)
        _sample(planes[image], cells, shares, result[n].reshape(channels, size[0] * size[1]))
    return result


@njit(cache=True, nogil=True, error_model="numpy")
def _place(
    row: np.ndarray, high: int, wide: int, height: int, width: int, labels: np.ndarray, label: int,
    cells: np.ndarray, shares: np.ndarray,
) -> None:  # fmt: skip
    """Write the four cells and their shares (4, high * wide) of each sample of a text; ``row`` (8,): its coefficients.

    A cell is its index in the map (height, width), -1 where it doesn't count. ``labels``: (height, width), or empty.
    """
    a, b, c, d, e, f, g, h = row
    for i in range(high):
        v = (i + 0.5) / high
        for j in range(wide):
            u, k = (j + 0.5) / wide, i * wide + j
            divisor = g * u + h * v + 1
            x, y = (a * u + b * v + c) / divisor, (d * u + e * v + f) / divisor
            if not (-1 < x < width and -1 < y < height):
                cells[:, k], shares[:, k] = -1, 0
                continue
            left, top = int(np.floor(x)), int(np.floor(y))
            right, down = x - left, y - top
            shares[0, k], shares[1, k] = (1 - right) * (1 - down), right * (1 - down)
            shares[2, k], shares[3, k] = (1 - right) * down, right * down
            for t in range(4):
                across, along = left + (t & 1), top + (t >> 1)
                counts = 0 <= across < width and 0 <= along < height
                if counts and labels.size:
                    counts = _touches(labels, along, across, label)
                cells[t, k] = along * width + across if counts else -1


@njit(cache=True, nogil=True)
def _touches(labels: np.ndarray, along: int, across: int, label: int) -> bool:
    """Tell whether one of the 3 x 3 cells around a cell of ``labels`` (H, W) has ``label``."""
    for y in range(max(along - 1, 0), min(along + 2, labels.shape[0])):
        for x in range(max(across - 1, 0), min(across + 2, labels.shape[1])):
            if labels[y, x] == label:
                return True
    return False


@njit(cache=True, nogil=True)
def _sample(planes: np.ndarray, cells: np.ndarray, shares: np.ndarray, out: np.ndarray) -> None:
    """Write (C, S) samples of ``planes`` (C, H * W): the sum of four ``cells`` (4, S) by their ``shares`` (4, S)."""
    zero = np.float32(0)
    for channel in range(len(planes)):
        plane, line = planes[channel], out[channel]
        for k in range(len(line)):
            total = zero
            for t in range(4):
                if cells[t, k] >= 0:
                    total += plane[cells[t, k]] * shares[t, k]
            line[k] = total
