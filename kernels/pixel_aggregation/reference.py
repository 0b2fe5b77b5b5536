"""``pixel_aggregation`` as the papers say it: breadth first, all pixels of one distance before those of the next."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np


def pixel_aggregation(kernels: np.ndarray, region: np.ndarray) -> np.ndarray:
    """Return for each pixel of a region the label of the nearest kernel; see the package."""
    return progressive_expansion(kernels, region[None])


def progressive_expansion(kernels: np.ndarray, maps: np.ndarray) -> np.ndarray:
    """Return the labels of the smallest kernels, grown inside one larger map after the other; see the package."""
    height, width = kernels.shape
    labels = np.where((maps[-1] != 0) & (kernels > 0), kernels, 0)
    found = {(y, x): int(labels[y, x]) for y, x in np.argwhere(labels).tolist()}
    for each in (maps != 0) & (maps[-1] != 0):
        inside, frontier = each.tolist(), list(found)
        while frontier:
            reached: dict[tuple[int, int], int] = {}
            for y, x in frontier:
                for place in _neighbours(y, x, height, width):
                    if place not in found and inside[place[0]][place[1]]:
                        reached[place] = min(found[y, x], reached.get(place, found[y, x]))
            found |= reached
            frontier = list(reached)
    for place, label in found.items():
        labels[place] = label
    return labels


def _neighbours(y: int, x: int, height: int, width: int) -> Iterator[tuple[int, int]]:
    """Yield the up to 4 neighbours of a pixel that lie in the picture."""
    if y:
        yield y - 1, x
    if y + 1 < height:
        yield y + 1, x
    if x:
        yield y, x - 1
    if x + 1 < width:
        yield y, x + 1
