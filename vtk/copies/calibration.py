"""Cosines of different descriptors on one scale: how seldom two frames that have nothing in common reach them.

A score rises by 0.125 with each power of ten: it is 0.5 at the cosine that one pair of strangers in 10,000 reaches, and
from there on grows evenly to 1 at a cosine of 1. Scores of two descriptors can so be compared, and the larger
taken.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

# Shares of pairs of strangers, and the scores of the cosines that they reach: each power of ten is worth as much.
SHARES = (1.0, 0.1, 0.01, 0.001, 0.0001)
SCORES = (0.0, 0.125, 0.25, 0.375, 0.5, 1.0)


@dataclass(frozen=True, slots=True)
class Calibration:
    """A map of cosines to scores, rising and piecewise linear.

    Attributes:
        cosines: that the SHARES of strangers reach, then 1; of each the score is that in SCORES. Ascending.
    """

    cosines: tuple[float, ...]

    def __post_init__(self) -> None:
        steps = np.diff(np.asarray(self.cosines, float))
        if len(self.cosines) != len(SCORES) or self.cosines[-1] != 1 or not (steps > 0).all():
            raise ValueError(f"cosines: got {self.cosines}, expected {len(SCORES)} that ascend, the last one 1")

    def __call__(self, cosines: np.ndarray) -> np.ndarray:
        """Return the scores float32 in [0, 1] of ``cosines``, of any shape."""
        return np.interp(cosines, self.cosines, SCORES).astype(np.float32)


# For descriptors without a calibration of their own: half of the scale is a cosine of 0.8, strangers stay below 0.2.
PLAIN = Calibration((0.2, 0.35, 0.5, 0.65, 0.8, 1.0))
# By space. Measured: ``python -m vtk.copies.bench calibrate`` on seven videos, and one in four (``--every 4``) of 70
# pictures of ImageNet and camera traps and of Scene-15's 4,485, whose skies and horizons are alike; 1,477 frames of
# 1,148 sources, a million pairs, fp32, 2026-11-21; before bars were taken off, which one frame in a thousand of those
# has: the cosines of dct and pdq are the same with and without.
CALIBRATIONS = {
    "dct@6b517346ad01": Calibration((-0.713, 0.1534, 0.3046, 0.4784, 0.6279, 1.0)),
    "mobilenet@71c0f2de7d0d": Calibration((0.1214, 0.6311, 0.7426, 0.802, 0.8464, 1.0)),
    "pdq@40e208ce7915": Calibration((-0.3125, 0.0781, 0.1406, 0.2031, 0.25, 1.0)),
}


def strangers(vectors: np.ndarray, sources: Sequence[str] | np.ndarray) -> np.ndarray:
    """Return the cosines (P,) float32 of all pairs of frames of two sources.

    Args:
        vectors: (N, D) float32 of unit length; rows of zeros are left out.
        sources: of each row: sources have nothing in common.

    Raises:
        ValueError: there are not as many of both.
    """
    if len(sources) != len(vectors):
        raise ValueError(f"got {len(vectors)} vectors and {len(sources)} sources, expected as many")
    codes = np.unique(np.asarray(sources), return_inverse=True)[1]
    kept = np.any(vectors, axis=1)
    vectors, codes = vectors[kept], codes[kept]
    found = [vectors[row + 1:][codes[row + 1:] != codes[row]] @ vectors[row] for row in range(len(vectors))]
    return np.concatenate(found) if found else np.empty(0, np.float32)


def calibrate(cosines: np.ndarray) -> Calibration:
    """Return the calibration of a descriptor by the cosines (P,) of pairs of ``strangers``.

    Raises:
        ValueError: fewer than 10,000 pairs, with which the last of SHARES says nothing, or too many of one cosine.
    """
    if len(cosines) * SHARES[-1] < 1:
        raise ValueError(f"got {len(cosines)} pairs of frames of two sources, expected {round(1 / SHARES[-1])} or more")
    return Calibration((*(round(float(at), 4) for at in np.quantile(cosines, 1 - np.asarray(SHARES))), 1.0))
