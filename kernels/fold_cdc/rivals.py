"""What users have for the same: torch's own sums and products, and the definitions that the folds stand for."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from vtk.kernels.case import Arguments, tensors

Run = Callable[[], Any]
SIDE = 32  # of the map that the two forms of the convolution are timed on


def numpy_fold(arguments: Arguments) -> Run | None:
    """Return the fold in NumPy, its sums in the type of the weights."""
    weights, theta = arguments["weights"], arguments["theta"]
    if not isinstance(weights, np.ndarray):
        return None

    def run() -> np.ndarray:
        folded = weights.copy()
        folded[:, :, 1, 1] -= theta * weights.sum(axis=(2, 3))
        return folded

    return run


def torch_fold(arguments: Arguments) -> Run:
    """Return the fold in torch, its sums in the type of the weights."""
    weights, theta = _held(arguments["weights"]), arguments["theta"]

    def run() -> Any:
        folded = weights.clone()
        folded[:, :, 1, 1] -= theta * weights.sum((2, 3))
        return folded

    return run


def torch_unfolded(arguments: Arguments) -> Run:
    """Return what the fold saves: torch's two convolutions over a map of 32 x 32. Not the same work as a fold."""
    return _convolved(arguments, folded=False)


def torch_folded(arguments: Arguments) -> Run:
    """Return what the fold leaves: one convolution over the same map."""
    return _convolved(arguments, folded=True)


def _convolved(arguments: Arguments, folded: bool) -> Run:
    import torch
    from torch.nn.functional import conv2d

    weights, theta = _held(arguments["weights"]), arguments["theta"]
    images = torch.zeros(1, weights.shape[1], SIDE, SIDE, dtype=weights.dtype, device=weights.device)
    one = torch_fold(arguments)()

    def run() -> Any:
        with torch.inference_mode():
            if folded:
                return conv2d(images, one, padding=1)
            return conv2d(images, weights, padding=1) - theta * conv2d(images, weights.sum((2, 3), keepdim=True))

    return run


def torch_means(arguments: Arguments) -> Run:
    """Return torch in the factored form: normalised copies of both maps, their means, one product."""
    from torch.nn.functional import normalize

    a, b = _held(arguments["a"]), _held(arguments["b"])
    return lambda: (normalize(a, dim=1).mean((2, 3)) * normalize(b, dim=1).mean((2, 3))).sum(1)


def torch_pairs(arguments: Arguments) -> Run:
    """Return torch as the loss is written: the product of all positions with all, and its mean."""
    from torch.nn.functional import normalize

    a, b = _held(arguments["a"]), _held(arguments["b"])
    return lambda: (normalize(a.flatten(2), dim=1).transpose(1, 2) @ normalize(b.flatten(2), dim=1)).mean((1, 2))


def _held(array: Any) -> Any:
    """Return an array as a tensor where it lies."""
    return tensors(array, "cpu") if isinstance(array, np.ndarray) else array
