"""``pixel_aggregation`` in Numba: one queue for all labels, in order of distance and label.

The pixels that growth starts from are sorted by label. A queue that begins so stays in order of (distance, label):
a pixel's neighbours go to its end in the order in which the pixels leave it. So the first label that reaches a pixel
is the nearest, and of those the lowest, and each pixel is looked at once. One thread: the queue is one chain.
"""

from __future__ import annotations

import numpy as np
from numba import njit


def pixel_aggregation(kernels: np.ndarray, region: np.ndarray) -> np.ndarray:
    """Return for each pixel of a region the label of the nearest kernel; see the package."""
    return progressive_expansion(kernels, region[None])


def progressive_expansion(kernels: np.ndarray, maps: np.ndarray) -> np.ndarray:
    """Return the labels of the smallest kernels, grown inside one larger map after the other; see the package."""
    height, width = kernels.shape
    maps = np.ascontiguousarray(maps).view(np.uint8)
    # A frame of pixels outside, so that every pixel has 4 neighbours.
    labels = np.full((height + 2, width + 2), -1, np.int32)
    edges = _start(np.ascontiguousarray(kernels), maps[-1], labels)
    inside = np.zeros(labels.shape, np.uint8)
    for each in maps:
        inside[1:-1, 1:-1] = each
        edges = _grow(labels.reshape(-1), inside.reshape(-1), np.sort(edges), width + 2)
    return np.maximum(labels[1:-1, 1:-1], 0)


@njit(cache=True, nogil=True)
def _start(kernels: np.ndarray, region: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Write ``kernels`` (H, W) into ``labels`` (H + 2, W + 2), 0 in the rest of ``region`` (H, W); return the edges.

    An edge is a pixel with a label beside one in the region without: (E,) int64, label * 2^32 + place in ``labels``.
    """
    height, width = kernels.shape
    for y in range(height):
        row, line, mask = labels[y + 1, 1 : width + 1], kernels[y], region[y]
        for x in range(width):
            row[x] = -1 if mask[x] == 0 else line[x] if line[x] > 0 else 0
    edges, count = np.empty(height * width, np.int64), 0
    for y in range(1, height + 1):
        for x in range(1, width + 1):
            if labels[y, x] > 0 and (
                labels[y - 1, x] == 0 or labels[y + 1, x] == 0 or labels[y, x - 1] == 0 or labels[y, x + 1] == 0
            ):
                edges[count] = (np.int64(labels[y, x]) << 32) | (y * (width + 2) + x)
                count += 1
    return edges[:count].copy()


@njit(cache=True, nogil=True)
def _grow(labels: np.ndarray, inside: np.ndarray, edges: np.ndarray, stride: int) -> np.ndarray:
    """Grow ``labels`` (P,) from the sorted ``edges`` where ``inside`` (P,) isn't 0; return the edges that are left.

    ``stride``: pixels from one row to the next. A label of 0 waits for one, -1 gets none.
    """
    # Memory that is never written is never taken from the system.
    queue, left = np.empty(len(labels), np.int64), np.empty(len(labels), np.int64)
    steps = (-stride, stride, -1, 1)
    end, kept = len(edges), 0
    for k in range(end):
        queue[k] = edges[k] & 0xFFFFFFFF
    head = 0
    while head < end:
        place = queue[head]
        head += 1
        label, waits = labels[place], False
        for step in steps:
            beside = place + step
            if labels[beside] == 0:
                if inside[beside]:
                    labels[beside] = label
                    queue[end] = beside
                    end += 1
                else:
                    waits = True
        if waits:
            left[kept] = (np.int64(label) << 32) | place
            kept += 1
    return left[:kept].copy()
