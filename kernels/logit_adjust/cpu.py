"""``logit_adjust`` in Numba: scores and their differences in float64, exponentials in float32, a row at a time.

A row's scores stay in the cache while it is gone over: their sum, their largest, the exponentials, the sums by group.
Exponentials are written out, for the compiler makes them of whole vectors, and calls the library's one by one. One
thread: the caller's others, decoding and the model, want the cores.
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit

# Sums may be taken in any order.
LOOSE = {"reassoc", "contract"}
# Values compared with the largest of as many at once.
LANES = 64
# Taken off a score it leaves a class behind all others: a score is above -1e45.
FAR = 1e300

LOG2_E, LN2 = math.log2(math.e), math.log(2)
# Adding this to a number of less than 2^51 leaves its nearest whole number in the last bits of a float64.
ROUNDER = 1.5 * 2.0**52
# e to this is 2^-127, for which float32's exponent is 0: the exponential comes out as 0.
LEAST = -127 * LN2
# Taylor's series up to the seventh power: within ln(2) / 2 of 0 the rest is below 2^-27 of the sum.
C2, C3, C4, C5, C6, C7 = (np.float32(1 / math.factorial(n)) for n in range(2, 8))
ONE = np.float32(1)


def logit_adjust(
    logits: np.ndarray,
    train: np.ndarray | None = None,
    priors: np.ndarray | None = None,
    places: np.ndarray | None = None,
    masks: np.ndarray | None = None,
    groups: np.ndarray | None = None,
    *,
    tau: float = 1.0,
    gamma: float = 1.0,
    floor: float = 0.0,
    group_count: int = 0,
) -> tuple[np.ndarray, np.ndarray]:
    """Return probabilities under priors and masks, and their sums by group; see the package."""
    rows, classes = logits.shape
    offsets = np.zeros(classes) if train is None else tau * train.astype(np.float64)
    shares, pooled = np.empty((rows, classes), np.float32), np.empty((rows, group_count), np.float32)
    _adjust(
        _fixed(logits, (0, 0), np.float32), _fixed(offsets, (0,), np.float64),
        _fixed(priors if gamma else None, (0, classes), np.float32), _fixed(places, (0,), np.int64),
        _fixed(masks, (0, classes), np.bool_).view(np.uint8), _fixed(groups, (0,), np.int64),
        gamma, math.log(floor) if floor else -math.inf, shares, pooled,
    )  # fmt: skip
    return shares, pooled


def _fixed(array: np.ndarray | None, shape: tuple[int, ...], dtype: type) -> np.ndarray:
    """Return an array, empty for None, C-contiguous and read-only: one compiled version serves, whatever is given."""
    view = (np.zeros(shape, dtype) if array is None else np.ascontiguousarray(array)).view()
    view.flags.writeable = False
    return view


@njit(cache=True, nogil=True, error_model="numpy")
def _adjust(
    logits: np.ndarray, offsets: np.ndarray, priors: np.ndarray, places: np.ndarray, masks: np.ndarray,
    groups: np.ndarray, gamma: float, lowest: float, shares: np.ndarray, pooled: np.ndarray,
) -> None:  # fmt: skip
    """Write shares (N, C) and pooled (N, G) of logits less offsets (C,); what has no rows or values is not there."""
    rows, classes = logits.shape
    scores, limited, scales = np.empty(classes), np.empty(classes), np.empty(classes, np.int32)
    tops, sums = np.empty(LANES), np.zeros(pooled.shape[1])
    for n in range(rows):
        place = places[n] if len(places) else -1
        _score(logits[n], offsets, scores)
        if place >= 0 and len(priors):
            _add_prior(priors[place], gamma, lowest, scores)
        if _unfit(scores):
            shares[n], pooled[n] = np.nan, np.nan
            continue
        most, chosen = -np.inf, scores
        if place >= 0 and len(masks):
            _limit(scores, masks[place], limited)
            most, chosen = _most(limited, tops), limited
        if most < -FAR / 2:
            most, chosen = _most(scores, tops), scores
        if most == -np.inf:
            shares[n], pooled[n] = 0, 0
            continue
        total = _exponentials(chosen, most, scales, shares[n])
        if len(groups):
            _pool(shares[n], groups, sums)
        for g in range(len(sums)):
            pooled[n, g] = sums[g] / total
            sums[g] = 0
        _divide(shares[n], total)


@njit(cache=True, nogil=True, error_model="numpy")
def _score(logits: np.ndarray, offsets: np.ndarray, scores: np.ndarray) -> None:
    """Write logits less offsets, all (C,)."""
    for c in range(len(scores)):
        scores[c] = np.float64(logits[c]) - offsets[c]


@njit(cache=True, nogil=True, error_model="numpy")
def _add_prior(prior: np.ndarray, gamma: float, lowest: float, scores: np.ndarray) -> None:
    """Add gamma times the prior, at least ``lowest``, to the scores, all (C,); a NaN stays one."""
    for c in range(len(scores)):
        value = np.float64(prior[c])
        scores[c] += gamma * (lowest if value < lowest else value)


@njit(cache=True, nogil=True, error_model="numpy")
def _unfit(scores: np.ndarray) -> bool:
    """Tell whether a NaN or +inf is among the scores."""
    count = 0
    for c in range(len(scores)):
        count += not scores[c] < np.inf
    return count > 0


@njit(cache=True, nogil=True, error_model="numpy")
def _limit(scores: np.ndarray, mask: np.ndarray, limited: np.ndarray) -> None:
    """Write the scores, less FAR where ``mask`` (C,) uint8 is 0: the compiler makes vectors of sums, not of choices."""
    for c in range(len(scores)):
        limited[c] = scores[c] + (np.float64(mask[c]) - 1) * FAR


@njit(cache=True, nogil=True, error_model="numpy")
def _most(scores: np.ndarray, tops: np.ndarray) -> float:
    """Return the largest score; ``tops`` (LANES,) is lent, for as many chains of comparisons beside each other."""
    whole = len(scores) - len(scores) % LANES
    tops[:] = -np.inf
    for start in range(0, whole, LANES):
        for lane in range(LANES):
            value = scores[start + lane]
            tops[lane] = value if value > tops[lane] else tops[lane]
    most = -np.inf
    for value in tops:
        most = max(most, value)
    for c in range(whole, len(scores)):
        most = max(most, scores[c])
    return most


@njit(cache=True, nogil=True, error_model="numpy")
def _exponentials(scores: np.ndarray, most: float, scales: np.ndarray, out: np.ndarray) -> float:
    """Write e^(scores - most) (C,) float32 and return their sum; ``scales`` (C,) int32 is lent.

    e^d is 2^k e^r with r within ln(2) / 2 of 0: a float32 of the bits (k + 127) << 23 times a polynomial.
    """
    for c in range(len(scores)):
        difference = scores[c] - most
        difference = LEAST if difference < LEAST else difference
        whole = (difference * LOG2_E + ROUNDER) - ROUNDER
        scales[c] = (np.int32(whole) + np.int32(127)) << np.int32(23)
        r = np.float32(difference - whole * LN2)
        out[c] = ONE + r * (ONE + r * (C2 + r * (C3 + r * (C4 + r * (C5 + r * (C6 + r * C7))))))
    return _scale(out, scales.view(np.float32))


@njit(cache=True, nogil=True, error_model="numpy", fastmath=LOOSE)
def _scale(values: np.ndarray, scales: np.ndarray) -> float:
    """Multiply values by scales, both (C,) float32, and return their sum in float64."""
    total = 0.0
    for c in range(len(values)):
        values[c] *= scales[c]
        total += np.float64(values[c])
    return total


@njit(cache=True, nogil=True, error_model="numpy")
def _pool(values: np.ndarray, groups: np.ndarray, sums: np.ndarray) -> None:
    """Add values (C,) to the sums (G,) of their groups; -1 is none."""
    for c in range(len(values)):
        if groups[c] >= 0:
            sums[groups[c]] += np.float64(values[c])


@njit(cache=True, nogil=True, error_model="numpy")
def _divide(values: np.ndarray, total: float) -> None:
    """Divide values (C,) by their sum."""
    share = 1 / total
    for c in range(len(values)):
        values[c] = np.float64(values[c]) * share
