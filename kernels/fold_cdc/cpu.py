"""``fold_cdc`` and ``dense_similarity`` in Numba, in one thread: a network is folded once, and maps are small."""

from __future__ import annotations

import numpy as np
from numba import njit

# Sums may be taken in any order, so that the processor adds several at once; nothing else is loose.
LOOSE = {"reassoc", "contract"}


def fold_cdc(weights: np.ndarray, theta: float) -> np.ndarray:
    """Return the weights of the plain convolution; see the package."""
    folded = np.array(weights, order="C")
    _fold(folded.reshape(-1, 9), theta)
    return folded


def dense_similarity(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Return the mean cosine similarity of all pairs of positions; see the package."""
    count, channels = a.shape[:2]
    positions = a.shape[2] * a.shape[3]
    result = np.zeros(count, a.dtype)
    if not positions:
        return result
    means, scales = np.empty((2, channels)), np.empty(positions)
    for n in range(count):
        for maps, mean in ((a, means[0]), (b, means[1])):
            _mean(np.ascontiguousarray(maps[n]).reshape(channels, positions), scales, mean)
        result[n] = _dot(means[0], means[1])
    return result


@njit(cache=True, nogil=True, error_model="numpy")
def _fold(weights: np.ndarray, theta: float) -> None:
    """Take theta times their sum off the centre of each of ``weights`` (N, 9)."""
    for n in range(len(weights)):
        total = 0.0
        for k in range(9):
            total += np.float64(weights[n, k])
        weights[n, 4] = np.float64(weights[n, 4]) - theta * total


@njit(cache=True, nogil=True, error_model="numpy", fastmath=LOOSE)
def _mean(maps: np.ndarray, scales: np.ndarray, mean: np.ndarray) -> None:
    """Write the mean (C,) float64 of the positions of ``maps`` (C, P), each of length 1; ``scales`` (P,) is lent."""
    scales[:] = 0
    for c in range(len(maps)):
        plane = maps[c]
        for p in range(len(plane)):
            value = np.float64(plane[p])
            scales[p] += value * value
    for p in range(len(scales)):
        if scales[p] == 0:
            continue
        scales[p] = 1 / np.sqrt(scales[p]) if scales[p] < np.inf else np.nan
    for c in range(len(maps)):
        plane, total = maps[c], 0.0
        for p in range(len(plane)):
            total += np.float64(plane[p]) * scales[p]
        mean[c] = total / len(scales)


@njit(cache=True, nogil=True, error_model="numpy", fastmath=LOOSE)
def _dot(a: np.ndarray, b: np.ndarray) -> float:
    """Return the dot product of ``a`` and ``b`` (C,)."""
    total = 0.0
    for c in range(len(a)):
        total += a[c] * b[c]
    return total
