"""The cosines of the transforms, and where PDQ looks in a picture, as all implementations take them."""

from __future__ import annotations

import math

import numpy as np

# Side of the pictures that are transformed, and how many frequencies each way are kept.
SIDE, KEPT = 64, 16

# A picture whose low frequencies are together no longer than this many times its largest value counts as flat. 64 x 64
# values of one level, each off by up to eight roundings to float32 (2^-23 each), come to 64 x 2^-20 at most.
FLAT = 2.0**-14

# Luma of R, G and B, ITU-R BT.601.
WEIGHTS = (0.299, 0.587, 0.114)

# A picture with a shorter side has no PDQ hash.
SMALLEST = 5


def orthonormal() -> np.ndarray:
    """Return (16, 64) float64: the rows of the orthonormal DCT-II of 64 values, lowest frequency first."""
    rows = np.array([[math.cos(math.pi / (2 * SIDE) * u * (2 * x + 1)) for x in range(SIDE)] for u in range(KEPT)])
    rows *= math.sqrt(2 / SIDE)
    rows[0] /= math.sqrt(2)
    return rows


def pdq_cosines() -> np.ndarray:
    """Return (16, 64) float32: PDQ's rows, frequencies 1 to 16, to the bit: the scale is rounded before the product."""
    scale = float(np.float32(math.sqrt(2 / SIDE)))
    return np.array([[scale * math.cos(math.pi / 2 / SIDE * u * (2 * x + 1)) for x in range(SIDE)]
                     for u in range(1, KEPT + 1)], np.float32)  # fmt: skip


def window(length: int) -> int:
    """Return how many pixels each box of PDQ's filter averages along a side of ``length``."""
    return -(-length // (2 * SIDE))


def centres(length: int) -> np.ndarray:
    """Return (64,) int64: which of ``length`` pixels PDQ keeps, those in the middle of 64 equal parts."""
    return (2 * np.arange(SIDE) + 1) * length // (2 * SIDE)
