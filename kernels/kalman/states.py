"""What the filters measure of a box, and the variances that are not in proportion to its size."""

from __future__ import annotations

import numpy as np

# Rows of FIXED.
START_VALUE, START_VELOCITY, DRIFT_VALUE, DRIFT_VELOCITY, NOISE = range(5)

# The number by which kernels know a state.
CODES = {"xywh": 0, "xyah": 1, "xysr": 2}

_SCALED = (np.nan,) * 4


def _deviations(ratio: float) -> tuple[float, ...]:
    """Return the variances of xyah where only the ratio's is fixed, from its standard deviation."""
    return (np.nan, np.nan, ratio**2, np.nan)


# state -> (5, 4) float64: per row and measured quantity a variance; NaN where it is (weight × size)².
# Source: xyah: the program of Wojke et al., ICIP 2017, which ByteTrack takes over; xysr: the program of Bewley et al.,
# ICIP 2016, where the ratio has no velocity.
FIXED = {
    "xywh": np.array([_SCALED] * 5),
    "xyah": np.array([_deviations(each) for each in (1e-2, 1e-5, 1e-2, 1e-5, 1e-1)]),
    "xysr": np.array([[10, 10, 10, 10], [1e4, 1e4, 1e4, 0], [1, 1, 1, 1], [0.01, 0.01, 1e-4, 0], [1, 1, 10, 10.0]]),
}

# state -> which quantity's value is the size that the noise of each quantity is in proportion to.
SIZES = {"xywh": (2, 3, 2, 3), "xyah": (3, 3, 3, 3), "xysr": (3, 3, 3, 3)}
