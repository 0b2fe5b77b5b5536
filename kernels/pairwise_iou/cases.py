"""Sizes, inputs and rivals of ``pairwise_iou``."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from vtk.kernels.case import Arguments, Bench, tensors

NAMES = ("pairwise_iou",)


def inputs(name: str, size: int, rng: np.random.Generator) -> Arguments:
    """Return ``size`` boxes against a few more, some of them empty, some the same, one with a NaN."""
    a, b = boxes(size, rng), boxes(size + size // 3, rng)
    a[::7, 2] = a[::7, 0]
    b[: size // 4] = a[: size // 4]
    b[size:][:1, 1] = np.nan
    return {"a": a, "b": b}


def boxes(count: int, rng: np.random.Generator, extent: float = 640.0) -> np.ndarray:
    """Return (count, 4) float32 xyxy boxes of 1 to 160 pixels a side, spread over ``extent`` pixels."""
    corner, sides = rng.uniform(0, extent, (count, 2)), rng.uniform(1, 160, (count, 2))
    return np.concatenate([corner, corner + sides], axis=1).astype(np.float32)


def tolerance(name: str, arguments: Arguments) -> float:
    """Return 0: every implementation does the same float32 operations in the same order, none of them fused."""
    return 0.0


def _torchvision(arguments: Arguments) -> Callable[[], Any]:
    """Return torchvision's ``box_iou`` on these boxes."""
    from torchvision.ops import box_iou

    given = tensors(arguments, "cpu")
    return partial(box_iou, given["a"], given["b"])


def _square(count: int, rng: np.random.Generator) -> Arguments:
    """Return ``count`` boxes against ``count`` others."""
    return {"a": boxes(count, rng), "b": boxes(count, rng)}


LIBRARIES = {"pairwise_iou": {"torchvision": _torchvision}}

BENCHES = (
    Bench("pairwise_iou", "a tracker's frame, 50 x 50", partial(_square, 50)),
    Bench("pairwise_iou", "a crowd, 300 x 300", partial(_square, 300)),
    Bench("pairwise_iou", "1000 x 1000", partial(_square, 1000), level=0),
    Bench("pairwise_iou", "8400 x 8400", partial(_square, 8400), level=2),
)
