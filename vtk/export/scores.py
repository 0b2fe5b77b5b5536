"""Scores of other tools, of any range, brought into [0, 1]."""

from __future__ import annotations

import numpy as np

METHODS = ("quantile", "logistic", "clip")

# Rows that a source counts as having had before its first, half below and half above any score: without them a score
# in the first frames is sure of a rank that it does not know. Source: measured on the public detections of KITTI-17,
# PETS09-S2L1 and TUD-Campus, mean distance to the share in the whole sequence over the first 10 frames: 0.279, 0.093
# and 0.092 with 4; 0.289, 0.071 and 0.099 with 0; 0.266, 0.157 and 0.099 with 16.
PRIOR = 4.0


def unit_scores(scores: np.ndarray, frames: np.ndarray, method: str | None = None) -> tuple[np.ndarray, bool]:
    """Return scores in [0, 1], and whether a method was applied to them.

    Args:
        scores: (R,) finite, of any range: the scores of one source.
        frames: (R,) int64, the frame of each.
        method: ``quantile`` (see ``causal_quantile``), ``logistic`` (1 / (1 + exp(-x))) or ``clip``; None leaves
            scores that are all in [0, 1] as they are, and takes the quantile of others.

    Returns:
        (R,) float64 in [0, 1]; False where they are as they were.

    Raises:
        ValueError: an unknown method, other shapes, or a score that is not finite.
    """
    scores = _checked(scores, frames)
    if method is None:
        if not len(scores) or (scores.min() >= 0 and scores.max() <= 1):
            return scores, False
        method = "quantile"
    if method == "quantile":
        return causal_quantile(scores, frames), True
    if method == "logistic":
        return 0.5 * (1.0 + np.tanh(0.5 * scores)), True  # the same, without overflow
    if method == "clip":
        return np.clip(scores, 0.0, 1.0), True
    raise ValueError(f"method is {method!r}, expected one of {', '.join(METHODS)}")


def causal_quantile(scores: np.ndarray, frames: np.ndarray, prior: float = PRIOR) -> np.ndarray:
    """Return each score's rank among those of its frame and all frames before it, as a share.

    (below + equal / 2 + prior / 2) / (rows + prior), the score itself among the equal: the middle of the steps of the
    empirical distribution, drawn towards 1/2 while there are few rows. Equal scores of a frame get equal shares, and
    where all scores are equal each is 1/2. Nothing later than a row's frame changes its share.

    Args:
        scores: (R,) finite, of any range.
        frames: (R,) int64, in any order.
        prior: rows to count before the first, half below and half above any score; 0 for none.

    Returns:
        (R,) float64 in (0, 1), in the order of ``scores``.

    Raises:
        ValueError: other shapes, a score that is not finite, or a negative prior.
    """
    scores = _checked(scores, frames)
    if not prior >= 0:
        raise ValueError(f"prior is {prior}, expected a number of rows, 0 or more")
    if not len(scores):
        return scores
    order = np.argsort(frames, kind="stable")
    ordered = frames[order]
    known = np.searchsorted(ordered, ordered, side="right")  # rows up to the end of each row's frame
    ranks = np.unique(scores, return_inverse=True)[1].reshape(-1)[order]
    below = _counts_below(ranks, known, ranks)
    equal = _counts_below(ranks, known, ranks + 1) - below
    shares = np.empty(len(scores))
    shares[order] = (below + equal / 2 + prior / 2) / (known + prior)
    return shares


def _counts_below(values: np.ndarray, ends: np.ndarray, limits: np.ndarray) -> np.ndarray:
    """Return, for each query, how many of ``values[:end]`` are below its limit.

    A wavelet matrix, all queries at once: R log R steps in all, whatever the rows a frame has.

    Args:
        values: (R,) int64, 0 or more.
        ends: (Q,) int64 in [0, R].
        limits: (Q,) int64, 0 or more.

    Returns:
        (Q,) int64.

    Source: Claude, Navarro, Ordóñez, "The wavelet matrix", Information Systems 47 (2015), section 4.
    """
    starts, ends = np.zeros_like(ends), ends
    counts = np.zeros(len(ends), dtype=np.int64)
    for bit in reversed(range(int(max(values.max(), limits.max())).bit_length())):
        ones = (values >> bit & 1).astype(bool)
        zeros = np.concatenate(([0], np.cumsum(~ones)))
        low, high = zeros[starts], zeros[ends]
        up = (limits >> bit & 1).astype(bool)
        counts += np.where(up, high - low, 0)
        starts = np.where(up, zeros[-1] + starts - low, low)
        ends = np.where(up, zeros[-1] + ends - high, high)
        values = np.concatenate((values[~ones], values[ones]))
    return counts


def _checked(scores: np.ndarray, frames: np.ndarray) -> np.ndarray:
    """Return scores as float64, or raise ValueError."""
    scores = np.asarray(scores, dtype=np.float64)
    if scores.ndim != 1 or frames.shape != scores.shape:
        raise ValueError(f"scores and frames have shapes {scores.shape} and {frames.shape}, expected (R,) twice")
    if not np.isfinite(scores).all():
        raise ValueError("scores hold NaN or infinity, expected finite numbers")
    return scores
