"""Sizes, inputs and rivals of ``association``."""

from __future__ import annotations

from functools import partial
from math import fsum, inf
from typing import Any

import numpy as np

from vtk.kernels.association import reference, rivals
from vtk.kernels.case import Arguments, Bench

NAMES = ("gated_cost", "assign", "assign_greedy")


def inputs(name: str, size: int, rng: np.random.Generator) -> Arguments:
    """Return ``size`` tracks against a few more boxes, with all that is optional or not; or what these cost."""
    count = size + size // 3
    if name != "gated_cost":
        # Whole tenths for the greedy choice, so that many are equal.
        cost = rng.random((size, count)) if name == "assign" else rng.integers(0, 10, (size, count)) / 10
        cost[rng.random((size, count)) < rng.choice([0.3, 0.97])] = inf
        given: dict[str, Any] = {"cost": cost, "limit": float(rng.choice([0.2, 0.7, 1.5]))}
        masks = {"rows": rng.random(size) < 0.8, "columns": rng.random(count) < 0.8}
        return given | {key: mask for key, mask in masks.items() if rng.random() < 0.5}
    given = frame(size, rng, count)
    given["tracks"][::7, 2] = given["tracks"][::7, 0]
    given["boxes"][size:][:1, 1] = np.nan
    if rng.random() < 0.5:
        given |= {"buffer": 0.3, "height_power": float(rng.choice([0.5, 1.0, 2.0]))}
    if rng.random() < 0.5:
        given["scores"] = rng.random(count)
    if rng.random() < 0.5:
        given |= appearance(size, count, int(rng.choice([1, 16, 33])), rng)
        given |= {"max_cosine": float(rng.choice([0.25, 0.6])), "min_overlap": float(rng.choice([0.0, 0.5]))}
    if rng.random() < 0.5:
        given |= {"spread": rng.uniform(20, 2000, (size, 4)), "max_motion": float(rng.choice([9.4877, inf]))}
    return given


def frame(tracks: int, rng: np.random.Generator, boxes: int | None = None, groups: int = 2) -> dict[str, Any]:
    """Return tracks and, a few pixels from as many of them as there are, boxes; each object of one of ``groups``."""
    count = tracks if boxes is None else boxes
    # As many objects to a place in a large frame as in a small one.
    extent = 160 * max(tracks, 1) ** 0.5
    corner, sides = rng.uniform(0, extent, (count, 2)), rng.uniform((20, 40), (80, 160), (count, 2))
    found, group = np.concatenate([corner, corner + sides], axis=1), rng.integers(0, groups, count)
    return {
        "tracks": found[:tracks] + rng.normal(0, 4, (tracks, 4)), "boxes": found,
        "track_groups": group[:tracks].copy(), "box_groups": group,
    }  # fmt: skip


def appearance(tracks: int, boxes: int, length: int, rng: np.random.Generator) -> dict[str, Any]:
    """Return features of unit length, those of an object alike; some rows of zeros."""
    box = rng.normal(size=(boxes, length))
    track = box[:tracks] + rng.normal(0, 0.6, (tracks, length))
    track[::5], box[1::6] = 0, 0
    rows = [each / np.maximum(np.linalg.norm(each, axis=1, keepdims=True), 1e-9) for each in (track, box)]
    return {"track_features": rows[0].astype(np.float32), "box_features": rows[1].astype(np.float32)}


def tolerance(name: str, arguments: Arguments) -> float:
    """Return 4 steps of float64 at 1 for a power, the rounding of the solver's sums for ``assign``, 0 otherwise.

    Every implementation does the same float64 operations in the same order, none of them fused, and rounds dot
    products to float32. But a power p that isn't 1 may be an exponential of a logarithm: a logarithm wrong by a step
    puts r^p p |log r| <= 1/e steps into the power r^p, the exponential up to 2, and 1 - overlap rounds once more.
    Assignments may differ where sets of pairs cost the same but for the rounding of sums over the rows, which the
    solver takes once for each row, of numbers as large as the largest.
    """
    if name == "gated_cost":
        return 0.0 if arguments.get("height_power", 0) in (0, 1) else 4 * float(np.spacing(1.0))
    if name == "assign_greedy":
        return 0.0
    limit, cost = arguments["limit"], arguments["cost"]
    made = cost[cost < limit]
    largest = max(abs(limit), float(np.abs(made[np.isfinite(made)]).max(initial=0)))
    return (len(cost) + 1) ** 2 * float(np.spacing(largest))


def comparable(name: str, arguments: Arguments, result: np.ndarray) -> Any:
    """Return what of a result must be the same: for ``assign`` what the pairs cost, and that they may be made."""
    if name != "assign":
        return result
    cost, limit = arguments["cost"], arguments["limit"]
    made = np.flatnonzero(result >= 0)
    costs, masks = cost[made, result[made]], [arguments.get(key) for key in ("rows", "columns")]
    allowed = [mask[index].all() for mask, index in zip(masks, (made, result[made]), strict=True) if mask is not None]
    right = all(allowed) and len(set(result[made].tolist())) == len(made) and bool((costs < limit).all())
    return result.shape == (len(cost),) and result.dtype == np.int64 and right, np.float64(fsum(costs - limit))


def _frame(count: int, options: dict[str, Any], length: int, rng: np.random.Generator) -> Arguments:
    """Return a frame of ``count`` objects of one class, with features where ``length`` isn't 0."""
    given = frame(count, rng, groups=1) | options
    given["scores"] = rng.random(count)
    return given | (appearance(count, count, length, rng) if length else {})


def _pairing(count: int, rng: np.random.Generator) -> Arguments:
    """Return what the pairs of a frame of ``count`` objects cost by overlap."""
    return {"cost": reference.gated_cost(**frame(count, rng, groups=1)), "limit": 0.8}


LIBRARIES = {
    "gated_cost": {"numpy": rivals.numpy_cost, "torchvision": rivals.torchvision_cost},
    "assign": {"scipy, all pairs": rivals.scipy_assign, "lap": rivals.lap_assign},
    "assign_greedy": {"numpy argmin loop": rivals.loop_greedy},
}

_COUNTS = ((10, 1), (50, 0), (200, 1), (1000, 1))
_REID = {"max_cosine": 0.25, "min_overlap": 0.5}

BENCHES = (
    *(Bench("gated_cost", f"cost, {n} x {n}", partial(_frame, n, {}, 0), level=level) for n, level in _COUNTS),
    *(Bench("gated_cost", f"cost, {n} x {n}, 512 features", partial(_frame, n, _REID, 512)) for n, _ in _COUNTS),
    *(Bench("assign", f"assign, {n} x {n}", partial(_pairing, n), level=level) for n, level in _COUNTS),
    *(Bench("assign_greedy", f"greedy, {n} x {n}", partial(_pairing, n), level=level) for n, level in _COUNTS),
)
