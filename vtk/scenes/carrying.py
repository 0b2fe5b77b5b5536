"""Pictures carried on as the camera goes: what a shot would have shown some frames later, or earlier."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import cv2
import numpy as np

from vtk.kernels.shot_change import carry
from vtk.scenes.looks import BLOCK, Box, Look

# Looks before and after a stretch by which it is told how the camera goes, and seconds that they may be apart.
REACH, LATELY = 5, 0.35
# Response of phase correlation below which no motion was made out, and pixels of 32 a look that are believed.
SURE, FASTEST = 0.15, 1.5


def carried(looks: Sequence[Look], places: np.ndarray, area: Box) -> tuple[np.ndarray, np.ndarray]:
    """Return what the first and the last look would show at each place, did the camera go on as around them.

    Args:
        looks: the looks; some before the first place and behind the last tell how the camera goes.
        places: (N,) numbers of looks, increasing.
        area: the blocks that are returned.

    Returns:
        Two of (N, blocks) float32, mean luminance. What a camera that moves uncovers is repeated from the edge.
    """
    first, last = int(places[0]), int(places[-1])
    early, late = max(0, first - REACH), min(len(looks) - 1, last + REACH)
    before, after = _speed(looks, early, first, area), _speed(looks, last, late, area)
    return (_moved(looks[first].blocks[area], before, places - first),
            _moved(looks[last].blocks[area], after, places - last))


def _speed(looks: Sequence[Look], start: int, end: int, area: Box) -> tuple[float, float]:
    """Return how many pixels a look things go right and down from ``looks[start]`` to ``looks[end]``."""
    if end == start or looks[end].t - looks[start].t > LATELY:
        return 0.0, 0.0
    right, down = _shift(looks[start], looks[end], *((each.start, each.stop) for each in area))
    steps = end - start
    if max(abs(right), abs(down)) > FASTEST * steps:
        return 0.0, 0.0
    return right / steps, down / steps


@lru_cache(maxsize=64)  # stretches of several lengths begin or end at the same looks
def _shift(start: Look, end: Look, rows: tuple[int, int], columns: tuple[int, int]) -> tuple[float, float]:
    """Return by how many pixels things went right and down within ranges of blocks; 0 where that was not made out."""
    down, across = (slice(each[0] * BLOCK, each[1] * BLOCK) for each in (rows, columns))
    one, other = (cv2.cvtColor(look.image[down, across], cv2.COLOR_RGB2GRAY).astype(np.float32)
                  for look in (start, end))
    shift, response = cv2.phaseCorrelate(one, other, _window(one.shape[1], one.shape[0]))
    return shift if response >= SURE else (0.0, 0.0)


@lru_cache(maxsize=64)
def _window(width: int, height: int) -> np.ndarray:
    return cv2.createHanningWindow((width, height), cv2.CV_32F)


def _moved(blocks: np.ndarray, speed: tuple[float, float], looks: np.ndarray) -> np.ndarray:
    """Return blocks (rows, columns) moved on by each number of ``looks`` (N,), increasing, as (N, rows * columns)."""
    right, down = speed[0] / BLOCK, speed[1] / BLOCK
    furthest = max(abs(int(looks[0])), abs(int(looks[-1])))
    if max(abs(right), abs(down)) * furthest < 0.25:
        return np.repeat(blocks.reshape(1, -1), len(looks), axis=0)
    return carry(blocks, right, down, looks).reshape(len(looks), -1)
