"""``masked_roi`` in NumPy: the four cells around each sample, each times its share."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from vtk.kernels.masked_roi.perspective import coefficients, places


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
    result = np.zeros((len(quads), features.shape[1], *size), np.float32)
    images = np.zeros(len(quads), np.int64) if image_ids is None else image_ids
    for n, row in enumerate(coefficients(quads, stride, vertical)):
        mask = np.ones(features.shape[2:], bool) if labels is None else _dilated(labels[images[n]] == ids[n])
        result[n] = _sample(features[images[n]], mask, *places(row, size))
    return result


def _dilated(mask: np.ndarray) -> np.ndarray:
    """Return where ``mask`` (H, W) is true in the 3 x 3 cells around."""
    height, width = mask.shape
    padded = np.pad(mask, 1)
    return np.any([padded[y : y + height, x : x + width] for y in range(3) for x in range(3)], axis=0)


def _sample(features: np.ndarray, mask: np.ndarray, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Return (C, h, w) float32: ``features`` (C, H, W), where ``mask`` (H, W), between the cells at ``x``, ``y``."""
    height, width = mask.shape
    total = np.zeros((len(features), *x.shape))
    if not mask.size:
        return total.astype(np.float32)
    near = (x > -1) & (x < width) & (y > -1) & (y < height)
    x, y = np.where(near, x, 0), np.where(near, y, 0)
    left, top = np.floor(x).astype(np.int64), np.floor(y).astype(np.int64)
    with np.errstate(all="ignore"):
        for down in (0, 1):
            for right in (0, 1):
                row, column = top + down, left + right
                counts = near & (row >= 0) & (row < height) & (column >= 0) & (column < width)
                row, column = np.where(counts, row, 0), np.where(counts, column, 0)
                # Shares are float32, which decides what is 0 times infinity.
                share = (x - left if right else 1 - (x - left)) * (y - top if down else 1 - (y - top))
                value = features[:, row, column].astype(np.float64) * share.astype(np.float32)
                total += np.where(counts & mask[row, column], value, 0)
        return total.astype(np.float32)
