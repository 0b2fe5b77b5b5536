"""What users write for the same: one expression after the other in torch, NumPy or SciPy, in float32."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from vtk.kernels.case import Arguments

Run = Callable[[], Any]


def torch_softmax(arguments: Arguments) -> Run:
    """Return torch's softmax of the sum, masked, and ``index_add``; on the device where the logits are."""
    import torch

    given = {key: torch.from_numpy(value) if isinstance(value, np.ndarray) else value
             for key, value in arguments.items()}  # fmt: skip
    logits, train, priors, places, masks, groups = (given[key] for key in _KEYS)

    def run() -> Any:
        scores = logits if train is None else logits - given.get("tau", 1.0) * train
        if priors is not None:
            scores = scores + given.get("gamma", 1.0) * priors[places].clamp(min=np.log(given["floor"]))
        if masks is not None:
            allowed = masks[places]
            allowed |= ~(allowed & (scores > -torch.inf)).any(1, keepdim=True)
            scores = scores.masked_fill(~allowed, -torch.inf)
        shares = scores.softmax(1)
        if groups is None:
            return shares
        return shares, shares.new_zeros(len(shares), given["group_count"]).index_add_(1, groups, shares)

    return run


def numpy_softmax(arguments: Arguments) -> Run | None:
    """Return NumPy's: exponentials of what is left after the largest; sums of runs, for groups are in order."""
    if not isinstance(arguments["logits"], np.ndarray):
        return None

    def softmax(scores: np.ndarray) -> np.ndarray:
        exponentials = np.exp(scores - scores.max(axis=1, keepdims=True))
        return exponentials / exponentials.sum(axis=1, keepdims=True)

    return lambda: _numpy(arguments, softmax)


def scipy_softmax(arguments: Arguments) -> Run | None:
    """Return the same with SciPy's softmax."""
    if not isinstance(arguments["logits"], np.ndarray):
        return None
    from scipy.special import softmax

    return lambda: _numpy(arguments, lambda scores: softmax(scores, axis=1))


_KEYS = ("logits", "train", "priors", "places", "masks", "groups")


def _numpy(given: Arguments, softmax: Callable[[np.ndarray], np.ndarray]) -> Any:
    """Return shares and their sums by group, by NumPy around a softmax."""
    scores, train, priors, places, masks, groups = (given[key] for key in _KEYS)
    if train is not None:
        scores = scores - np.float32(given.get("tau", 1.0)) * train
    if priors is not None:
        lowest = np.log(given["floor"], dtype=np.float32)
        scores = scores + np.float32(given.get("gamma", 1.0)) * np.maximum(priors[places], lowest)
    if masks is not None:
        allowed = masks[places]
        allowed |= ~(allowed & (scores > -np.inf)).any(axis=1, keepdims=True)
        scores = np.where(allowed, scores, np.float32(-np.inf))
    shares = softmax(scores)
    if groups is None:
        return shares
    return shares, np.add.reduceat(shares, np.searchsorted(groups, np.arange(given["group_count"])), axis=1)
