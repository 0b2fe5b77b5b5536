"""The functions that tell one shot from another in NumPy, each as it is defined."""

from __future__ import annotations

import numpy as np


def shifted_likeness(pictures: np.ndarray, parts: np.ndarray) -> np.ndarray:
    """Return the highest correlation of each part with a place of its picture; see the package."""
    result = np.zeros(len(pictures))
    height, width = parts.shape[1:3]
    for n, (picture, part) in enumerate(zip(pictures.astype(np.int64), parts.astype(np.int64), strict=True)):
        places = [(y, x) for y in range(picture.shape[0] - height + 1) for x in range(picture.shape[1] - width + 1)]
        result[n] = max(_correlation(picture[y : y + height, x : x + width], part) for y, x in places)
    return result


def _correlation(one: np.ndarray, other: np.ndarray) -> float:
    """Return the correlation of two (h, w, C) int64, each channel's mean taken off; 0 where one is flat."""
    spreads = float(_product(one, one)) * float(_product(other, other))
    return float(np.clip(_product(one, other) / np.sqrt(spreads), -1, 1)) if spreads > 0 else 0.0


def _product(one: np.ndarray, other: np.ndarray) -> int:
    """Return how two (h, w, C) int64 vary together, times the square of their pixels: a whole number."""
    pixels = one.shape[0] * one.shape[1]
    return int(pixels * (one * other).sum() - (one.sum(axis=(0, 1)) * other.sum(axis=(0, 1))).sum())


def carry(picture: np.ndarray, right: float, down: float, steps: np.ndarray) -> np.ndarray:
    """Return a picture after each number of steps; see the package."""
    height, width = picture.shape
    out = np.empty((len(steps), height, width), np.float32)
    if not out.size:
        return out
    wide = picture.astype(np.float64)
    for n, step in enumerate(steps.tolist()):
        with np.errstate(all="ignore"):
            top, below, low = _between(height, down, step)
            left, beside, far = _between(width, right, step)
            near = wide[:, left] * (1 - far) + wide[:, beside] * far
            out[n] = near[top] * (1 - low)[:, None] + near[below] * low[:, None]
    return out


def _between(side: int, speed: float, step: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return for each pixel of a side the two that it was between, and the share of the second."""
    at = np.clip(np.arange(side) - speed * step, 0, side - 1)
    first = at.astype(np.int64)
    return first, np.minimum(first + 1, side - 1), at - first


def shares_between(pictures: np.ndarray, ends: np.ndarray, count: int) -> np.ndarray:
    """Return how far pictures have gone from one to another; see the package."""
    shares = np.empty((len(ends), count))
    for n, (first, last) in enumerate(ends.tolist()):
        places = first + np.arange(count) * (last - first) // (count - 1)
        with np.errstate(all="ignore"):
            gone = pictures[places].astype(np.float64) - pictures[first]
            way = gone[-1]
            shares[n] = (gone * way).sum(axis=1) / (way * way).sum()
    return shares


def transition_fit(pictures: np.ndarray, first: np.ndarray, last: np.ndarray, least: float) -> tuple[np.ndarray, np.ndarray]:
    """Return how well pictures go from one to another; see the package."""
    pictures, first, last = (each.astype(np.float64) for each in (pictures, first, last))
    with np.errstate(all="ignore"):
        way, gone = last - first, pictures - first
        length = (way * way).sum(axis=1)
        mixed = (gone * way).sum(axis=1) / length
        left = np.sqrt(((gone - mixed[:, None] * way) ** 2).sum(axis=1) / length)
        ways, to_first, to_last = np.abs(way), np.abs(gone), np.abs(pictures - last)
        total = ways.sum(axis=1)
        # Zeros times infinities would be NaN: what is not of the last is left out.
        split = np.where(to_last < to_first, ways, 0).sum(axis=1) / total
        missed = np.minimum(to_first, to_last).sum(axis=1) / total
        changed = np.divide(np.count_nonzero(ways > least * (total.sum() / ways.size)) if ways.size else 0, ways.size)
        new, apart = to_last < to_first, ways.sum(axis=0)
        once = np.count_nonzero(new[1:] != new[:-1], axis=0) <= 1
        figures = np.array([changed, np.where(once, apart, 0).sum() / apart.sum()])
    return np.stack([mixed, left, split, missed]), figures
