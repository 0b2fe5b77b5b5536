"""``logit_adjust`` as the contract says it, row by row in float64."""

from __future__ import annotations

import numpy as np


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
    shares, pooled = np.zeros(logits.shape), np.zeros((len(logits), group_count))
    with np.errstate(divide="ignore", invalid="ignore"):
        lowest = np.log(floor)
        for n, line in enumerate(logits):
            place = -1 if places is None else places[n]
            scores = line.astype(np.float64)
            if train is not None:
                scores = scores - tau * train.astype(np.float64)
            if priors is not None and place >= 0 and gamma:
                scores = scores + gamma * np.maximum(priors[place].astype(np.float64), lowest)
            shares[n] = softmax(scores, None if masks is None or place < 0 else masks[place])
            if groups is not None:
                pooled[n] = np.bincount(groups[groups >= 0], shares[n, groups >= 0], group_count)
            if np.isnan(shares[n]).any():
                pooled[n] = np.nan  # that of a group without classes too
    return shares.astype(np.float32), pooled.astype(np.float32)


def softmax(scores: np.ndarray, mask: np.ndarray | None) -> np.ndarray:
    """Return the probabilities (C,) of scores (C,), of those in ``mask`` alone where one of them is possible."""
    if not (scores < np.inf).all():
        return np.full_like(scores, np.nan)
    if mask is not None and (scores[mask] > -np.inf).any():
        scores = np.where(mask, scores, -np.inf)
    if not (scores > -np.inf).any():
        return np.zeros_like(scores)
    exponentials = np.exp(scores - scores.max())
    return exponentials / exponentials.sum()
