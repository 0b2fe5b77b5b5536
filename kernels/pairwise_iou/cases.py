"""Sizes, inputs and rivals of ``pairwise_iou`` and its kin."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from vtk.kernels.case import Arguments, Bench, tensors

NAMES = ("pairwise_iou", "pairwise_giou", "buffered_iou")


def inputs(name: str, size: int, rng: np.random.Generator) -> Arguments:
    """Return ``size`` boxes against a few more, some of them empty, some the same, one with a NaN."""
    a, b = boxes(size, rng), boxes(size + size // 3, rng)
    a[::7, 2] = a[::7, 0]
    b[: size // 4] = a[: size // 4]
    b[size:][:1, 1] = np.nan
    return {"a": a, "b": b} | ({"buffer": float(rng.choice([0.0, 0.3, 0.5]))} if name == "buffered_iou" else {})


def boxes(count: int, rng: np.random.Generator, extent: float = 640.0) -> np.ndarray:
    """Return (count, 4) float32 xyxy boxes of 1 to 160 pixels a side, spread over ``extent`` pixels."""
    corner, sides = rng.uniform(0, extent, (count, 2)), rng.uniform(1, 160, (count, 2))
    return np.concatenate([corner, corner + sides], axis=1).astype(np.float32)


def tolerance(name: str, arguments: Arguments) -> float:
    """Return 0: every implementation does the same float32 operations in the same order, none of them fused."""
    return 0.0


def _torchvision(name: str, arguments: Arguments) -> Callable[[], Any]:
    """Return torchvision's function on these boxes, which it has to grow first where they have a buffer."""
    import torch
    from torchvision import ops

    given, function = tensors(arguments, "cpu"), getattr(ops, name)
    if "buffer" not in given:
        return partial(function, given["a"], given["b"])

    def grown(boxes: torch.Tensor) -> torch.Tensor:
        margin = given["buffer"] * (boxes[:, 2:] - boxes[:, :2])
        return torch.cat([boxes[:, :2] - margin, boxes[:, 2:] + margin], dim=1)

    return lambda: function(grown(given["a"]), grown(given["b"]))


def _square(count: int, rng: np.random.Generator) -> Arguments:
    """Return ``count`` boxes against ``count`` others."""
    return {"a": boxes(count, rng), "b": boxes(count, rng)}


def _buffered(count: int, rng: np.random.Generator) -> Arguments:
    """Return ``count`` boxes against ``count`` others, to be grown as in C-BIoU's first pass."""
    return {**_square(count, rng), "buffer": 0.3}


LIBRARIES = {
    "pairwise_iou": {"torchvision": partial(_torchvision, "box_iou")},
    "pairwise_giou": {"torchvision": partial(_torchvision, "generalized_box_iou")},
    "buffered_iou": {"torchvision": partial(_torchvision, "box_iou")},
}

BENCHES = (
    Bench("pairwise_iou", "a tracker's frame, 50 x 50", partial(_square, 50)),
    Bench("pairwise_iou", "a crowd, 300 x 300", partial(_square, 300)),
    Bench("pairwise_iou", "1000 x 1000", partial(_square, 1000), level=0),
    Bench("pairwise_iou", "8400 x 8400", partial(_square, 8400), level=2),
    Bench("pairwise_giou", "GIoU, 50 x 50", partial(_square, 50)),
    Bench("pairwise_giou", "GIoU, 1000 x 1000", partial(_square, 1000), level=0),
    Bench("buffered_iou", "buffered, 50 x 50", partial(_buffered, 50)),
    Bench("buffered_iou", "buffered, 1000 x 1000", partial(_buffered, 1000), level=0),
)
