"""Sizes, inputs and rivals of ``nms``."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from vtk.kernels.case import Arguments, Bench, tensors

NAMES = ("nms",)


def inputs(name: str, size: int, rng: np.random.Generator) -> Arguments:
    """Return ``size`` boxes in crowds, with equal scores among them; with classes and images or without."""
    boxes = crowd(size, max(1, size // 8), rng)
    arguments: dict[str, Any] = {"boxes": boxes, "scores": rng.integers(0, max(1, size // 2), size).astype(np.float32)}
    arguments["iou_threshold"] = float(rng.choice([0.0, 0.3, 0.45, 0.5, 0.7, 1.0]))
    if rng.random() < 0.5:
        arguments["class_ids"] = rng.integers(-2, 5, size)
    if rng.random() < 0.5:
        arguments["image_ids"] = rng.integers(0, 3, size).astype(np.int32)
    return arguments


def crowd(count: int, objects: int, rng: np.random.Generator, spread: float = 0.15) -> np.ndarray:
    """Return (count, 4) float32 boxes as a detector gives them: many for each of ``objects`` places in 1280 x 720."""
    centres, sides = rng.uniform((0, 0), (1280, 720), (objects, 2)), np.exp(rng.normal(4, 0.5, (objects, 2)))
    which = rng.integers(0, objects, count)
    centre = centres[which] + rng.normal(0, spread, (count, 2)) * sides[which]
    half = sides[which] * np.exp(rng.normal(0, spread, (count, 2))) / 2
    return np.concatenate([centre - half, centre + half], axis=1).astype(np.float32)


def tolerance(name: str, arguments: Arguments) -> float:
    """Return 0: the results are indices, and every implementation computes the same float32 overlaps."""
    return 0.0


def _torchvision(arguments: Arguments) -> Callable[[], Any]:
    """Return torchvision's ``nms``, or ``batched_nms`` where there are classes, on these boxes."""
    from torchvision.ops import batched_nms, nms

    given = tensors(arguments, "cpu")
    threshold = given["iou_threshold"]
    if "class_ids" in given:
        return partial(batched_nms, given["boxes"], given["scores"], given["class_ids"], threshold)
    return partial(nms, given["boxes"], given["scores"], threshold)


def _detections(count: int, objects: int, classes: int, rng: np.random.Generator) -> Arguments:
    """Return a detector's boxes before suppression, with classes where there is more than one."""
    arguments = {"boxes": crowd(count, objects, rng), "scores": rng.random(count, np.float32), "iou_threshold": 0.45}
    return arguments | ({"class_ids": rng.integers(0, classes, count)} if classes > 1 else {})


LIBRARIES = {"nms": {"torchvision": _torchvision}}

BENCHES = (
    Bench("nms", "street, 300 boxes", partial(_detections, 300, 20, 1)),
    Bench("nms", "street, 300 boxes, 80 classes", partial(_detections, 300, 20, 80)),
    Bench("nms", "crowd, 8400 boxes", partial(_detections, 8400, 700, 1), level=0),
    Bench("nms", "crowd, 8400 boxes, 80 classes", partial(_detections, 8400, 700, 80)),
    Bench("nms", "crowd, 30000 boxes", partial(_detections, 30000, 2000, 1), level=2),
)
