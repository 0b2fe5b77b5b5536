"""``fold_cdc`` and ``dense_similarity`` in NumPy, the second over all pairs of positions."""

from __future__ import annotations

import numpy as np


def fold_cdc(weights: np.ndarray, theta: float) -> np.ndarray:
    """Return the weights of the plain convolution; see the package."""
    wide = weights.astype(np.float64)
    with np.errstate(all="ignore"):
        total = np.zeros(weights.shape[:2])
        for row in range(3):  # in one order: then every implementation rounds alike
            for column in range(3):
                total = total + wide[:, :, row, column]
        wide[:, :, 1, 1] = wide[:, :, 1, 1] - theta * total
        return wide.astype(weights.dtype)


def dense_similarity(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Return the mean cosine similarity of all pairs of positions; see the package."""
    count, channels, height, width = a.shape
    result = np.zeros(count)
    if height * width:
        for n in range(count):
            flat = (maps[n].reshape(channels, height * width).astype(np.float64) for maps in (a, b))
            rows, columns = map(_of_length_1, flat)
            with np.errstate(all="ignore"):
                # Each product with NaN where there is one, as a sum over channels is: BLAS may leave out zeros.
                result[n] = np.einsum("cu,cv->uv", rows, columns).mean()
    return result.astype(a.dtype)


def _of_length_1(positions: np.ndarray) -> np.ndarray:
    """Return ``positions`` (C, P), each brought to length 1; zeros stay, and what has no finite length is NaN."""
    with np.errstate(all="ignore"):
        squares = (positions * positions).sum(axis=0)
        lengths = np.where(squares == 0, 1, np.where(np.isfinite(squares), np.sqrt(squares), np.nan))
        return positions / lengths
