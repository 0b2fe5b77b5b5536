"""``nms`` in Numba: each box is held against the boxes kept so far, a block at a time, until one overlaps it.

A box that goes meets the box that removes it early, so this does a fraction of the comparisons that removing
forwards does. The boxes of one class and image come together, so that only they are compared. One thread: each box
depends on those before it.
"""

from __future__ import annotations

import numpy as np
from numba import njit

# Kept boxes compared at once. A constant length lets the compiler unroll the comparison into vectors without a
# remainder: 6 times as fast as a varying one; 64 to 256 are 5 to 20 % slower (measured: 8400 boxes, AVX-512).
BLOCK = 32


def nms(
    boxes: np.ndarray,
    scores: np.ndarray,
    class_ids: np.ndarray | None = None,
    iou_threshold: float = 0.5,
    image_ids: np.ndarray | None = None,
) -> np.ndarray:
    """Return the indices of the kept boxes, best score first; see the package."""
    order = np.argsort(-scores, kind="stable")
    boxes = np.ascontiguousarray(boxes[order])
    first = np.zeros(len(boxes), np.bool_)
    groups = [ids[order] for ids in (class_ids, image_ids) if ids is not None]
    if not groups:
        return order[_greedy(boxes, first, _below(iou_threshold))]
    # A stable sort: within a class of an image the boxes stay in order of score.
    together = np.lexsort(groups)
    for ids in groups:
        first[1:] |= np.diff(ids[together]) != 0
    keep = np.empty(len(boxes), np.bool_)
    keep[together] = _greedy(boxes[together], first, _below(iou_threshold))
    return order[keep]


def _below(threshold: float) -> np.float32:
    """Return the largest float32 that is not above ``threshold``: a float32 exceeds both or neither."""
    nearest = np.float32(threshold)
    return nearest if float(nearest) <= threshold else np.nextafter(nearest, np.float32(-1))


@njit(cache=True, nogil=True, error_model="numpy")
def _greedy(boxes: np.ndarray, first: np.ndarray, threshold: np.float32) -> np.ndarray:
    """Return which of ``boxes`` (N, 4), best first, are kept, (N,) bool; ``first`` (N,) bool starts a new group."""
    keep = np.zeros(len(boxes), np.bool_)
    zero = np.float32(0)
    # The group's kept boxes, coordinate by coordinate. An area of NaN marks a free place: it overlaps nothing.
    left, top, right, bottom, area = np.full((5, len(boxes) + BLOCK), np.float32(np.nan))
    count = 0
    for i in range(len(boxes)):
        if first[i]:
            area[:count] = np.nan
            count = 0
        x1, y1, x2, y2 = boxes[i]
        own = (x2 - x1) * (y2 - y1)
        overlaps = np.int32(0)
        for start in range(0, count, BLOCK):
            block = slice(start, start + BLOCK)
            lefts, tops, rights, bottoms, areas = left[block], top[block], right[block], bottom[block], area[block]
            for k in range(BLOCK):
                width = (x2 if x2 < rights[k] else rights[k]) - (x1 if x1 > lefts[k] else lefts[k])
                height = (y2 if y2 < bottoms[k] else bottoms[k]) - (y1 if y1 > tops[k] else tops[k])
                intersection = (width if width > zero else zero) * (height if height > zero else zero)
                overlaps += np.int32(intersection / (areas[k] + own - intersection) > threshold)
            if overlaps:
                break
        if not overlaps:
            keep[i] = True
            left[count], top[count], right[count], bottom[count], area[count] = x1, y1, x2, y2, own
            count += 1
    return keep
