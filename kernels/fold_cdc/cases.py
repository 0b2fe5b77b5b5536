"""Sizes, inputs and rivals of ``fold_cdc`` and ``dense_similarity``."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np

from vtk.kernels.case import Arguments, Bench
from vtk.kernels.fold_cdc import rivals

NAMES = ("fold_cdc", "dense_similarity")


def inputs(name: str, size: int, rng: np.random.Generator) -> Arguments:
    """Return kernels of about ``size`` values, or two pairs of maps of so many positions, some all zeros, alike or odd."""
    kind = rng.choice([np.float32, np.float64])
    if name == "fold_cdc":
        outer = -(-size // 9)
        weights = rng.normal(0, 1, (outer, int(rng.choice([1, 3, 20])), 3, 3)).astype(kind)
        weights[::5] *= kind(rng.choice([0, 1e-30, 1e30]))
        return {"weights": weights, "theta": float(rng.choice([0, 0.7, 1, -2.5]))}
    height, count, channels = int(rng.choice([1, 3, 7])), int(rng.integers(1, 3)), int(rng.choice([0, 1, 5, 20]))
    shape = (count, channels, height, -(-size // height))
    a, b = (rng.normal(centre, 1, shape).astype(kind) for centre in (0.5, rng.normal()))
    a[..., ::7] *= kind(rng.choice([0, 1e-30, 1e30]))
    b[:, ::3] = 0
    if rng.random() < 0.2:
        b[:1] = rng.choice([np.nan, np.inf, 0])
    return {"a": a, "b": a.copy() if rng.random() < 0.2 else b}


def tolerance(name: str, arguments: Arguments) -> float:
    """Return 0 for the fold: the same float64 sums in the same order. For similarities the roundings of float64 sums.

    A length sums C squares, a mean P positions, the product C terms, each term at most 1 in the end; the reference sums
    C products for each of P^2 pairs. As many half steps of float64 as all these have additions and 16 more for roots
    and quotients bound the difference; in float32 two values that are so close may yet round to neighbours, half a
    step of float32 at 1 apart.
    """
    if name == "fold_cdc":
        return 0.0
    a = arguments["a"]
    terms = 4 * (a.shape[1] + a.shape[2] * a.shape[3]) + 16
    return terms * 2.0**-53 + (2.0**-24 if a.dtype == np.float32 else 0)


def _layer(outer: int, inner: int, rng: np.random.Generator) -> Arguments:
    """Return the weights of one layer, float32."""
    return {"weights": rng.standard_normal((outer, inner, 3, 3), np.float32), "theta": 0.7}


def _maps(count: int, rng: np.random.Generator) -> Arguments:
    """Return the embedding maps of two views of ``count`` faces: 64 channels of 32 x 32, float32."""
    return {key: rng.standard_normal((count, 64, 32, 32), np.float32) for key in ("a", "b")}


LIBRARIES: dict[str, dict[str, Any]] = {
    "fold_cdc": {
        "torch": rivals.torch_fold, "numpy": rivals.numpy_fold, "conv, two": rivals.torch_unfolded,
        "conv, folded": rivals.torch_folded,
    },
    "dense_similarity": {"torch, means": rivals.torch_means, "torch, all pairs": rivals.torch_pairs},
}  # fmt: skip

BENCHES = (
    Bench("fold_cdc", "128 to 196 channels", partial(_layer, 196, 128), level=0),
    Bench("fold_cdc", "3 to 64 channels", partial(_layer, 64, 3)),
    Bench("dense_similarity", "8 x 64 x 32 x 32", partial(_maps, 8), level=0),
    Bench("dense_similarity", "64 x 64 x 32 x 32", partial(_maps, 64), level=2),
)
