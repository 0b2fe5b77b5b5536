"""``pairwise_iou`` and its kin in Numba: one row of the result at a time, vectorised over the columns.

One thread: two (prange over the rows) are slower up to 300 x 300 boxes, where trackers are, and 1.5 times as fast at
1000 x 1000 (measured on 2 cores), while the caller's other threads, decoding and the model, want the cores.
"""

from __future__ import annotations

import numpy as np
from numba import njit


def pairwise_iou(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Return the overlap of each pair of boxes; see the package."""
    out = np.empty((len(a), len(b)), np.float32)
    # Coordinate by coordinate: the inner loop then reads each with one vector load.
    _fill(np.ascontiguousarray(a), np.ascontiguousarray(b.T), out)
    return out


def pairwise_giou(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Return the overlap less the share of the hull that neither covers; see the package."""
    out = np.empty((len(a), len(b)), np.float32)
    _fill_generalized(np.ascontiguousarray(a), np.ascontiguousarray(b.T), out)
    return out


def buffered_iou(a: np.ndarray, b: np.ndarray, buffer: float) -> np.ndarray:
    """Return the overlap of each pair of grown boxes; see the package."""
    out = np.empty((len(a), len(b)), np.float32)
    share = np.float32(buffer)
    grown = _grow(np.ascontiguousarray(a.T), share), _grow(np.ascontiguousarray(b.T), share)
    _fill(np.ascontiguousarray(grown[0].T), grown[1], out)
    return out


@njit(cache=True, nogil=True)
def _grow(boxes: np.ndarray, buffer: np.float32) -> np.ndarray:
    """Return boxes (4, N) grown on each side by ``buffer`` times their own width and height."""
    grown = np.empty_like(boxes)
    for j in range(boxes.shape[1]):
        for axis in range(2):
            margin = buffer * (boxes[axis + 2, j] - boxes[axis, j])
            grown[axis, j] = boxes[axis, j] - margin
            grown[axis + 2, j] = boxes[axis + 2, j] + margin
    return grown


@njit(cache=True, nogil=True, error_model="numpy")
def _fill(a: np.ndarray, b: np.ndarray, out: np.ndarray) -> None:
    """Write the overlap of boxes ``a`` (N, 4) and ``b`` (4, M) into ``out`` (N, M)."""
    zero = np.float32(0)
    left, top, right, bottom = b[0], b[1], b[2], b[3]
    area_b = (right - left) * (bottom - top)
    for i in range(out.shape[0]):
        x1, y1, x2, y2 = a[i, 0], a[i, 1], a[i, 2], a[i, 3]
        area_a = (x2 - x1) * (y2 - y1)
        row = out[i]
        for j in range(row.shape[0]):
            # Plain comparisons, not min and max: these become one instruction each. A NaN reaches the areas anyway.
            width = (x2 if x2 < right[j] else right[j]) - (x1 if x1 > left[j] else left[j])
            height = (y2 if y2 < bottom[j] else bottom[j]) - (y1 if y1 > top[j] else top[j])
            intersection = (width if width > zero else zero) * (height if height > zero else zero)
            union = area_a + area_b[j] - intersection
            row[j] = intersection / union if union > zero else zero


@njit(cache=True, nogil=True, error_model="numpy")
def _fill_generalized(a: np.ndarray, b: np.ndarray, out: np.ndarray) -> None:
    """Write the generalised overlap of boxes ``a`` (N, 4) and ``b`` (4, M) into ``out`` (N, M)."""
    zero, least = np.float32(0), np.float32(-1)
    left, top, right, bottom = b[0], b[1], b[2], b[3]
    area_b = (right - left) * (bottom - top)
    for i in range(out.shape[0]):
        x1, y1, x2, y2 = a[i, 0], a[i, 1], a[i, 2], a[i, 3]
        area_a = (x2 - x1) * (y2 - y1)
        row = out[i]
        for j in range(row.shape[0]):
            width = (x2 if x2 < right[j] else right[j]) - (x1 if x1 > left[j] else left[j])
            height = (y2 if y2 < bottom[j] else bottom[j]) - (y1 if y1 > top[j] else top[j])
            wide = (x2 if x2 > right[j] else right[j]) - (x1 if x1 < left[j] else left[j])
            high = (y2 if y2 > bottom[j] else bottom[j]) - (y1 if y1 < top[j] else top[j])
            intersection = (width if width > zero else zero) * (height if height > zero else zero)
            union, hull = area_a + area_b[j] - intersection, wide * high
            value = (intersection / union if union > zero else zero) - (hull - union) / hull
            row[j] = value if value == value else least
