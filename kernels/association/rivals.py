"""What users write for the same: whole matrices in NumPy or torchvision, scipy or lap on all pairs, a loop."""

from __future__ import annotations

from collections.abc import Callable
from math import inf
from typing import Any

import numpy as np

from vtk.kernels.case import Arguments, tensors

Run = Callable[[], Any]

# What these do not do.
EXTRAS = ("buffer", "height_power", "spread")


def numpy_cost(arguments: Arguments) -> Run | None:
    """Return the matrices that trackers compose a cost of in NumPy; None where it would be another cost."""
    if not isinstance(arguments["tracks"], np.ndarray) or _has_extras(arguments):
        return None

    def run() -> np.ndarray:
        overlap = _overlaps(arguments["tracks"], arguments["boxes"])
        cost = 1 - (overlap * arguments["scores"] if "scores" in arguments else overlap)
        if "track_features" in arguments:
            distance = (1 - arguments["track_features"] @ arguments["box_features"].T) / 2
            near = (distance <= arguments["max_cosine"]) & (overlap >= arguments["min_overlap"])
            cost = np.where(near, np.minimum(cost, distance), cost)
        return np.where(arguments["track_groups"][:, None] == arguments["box_groups"], cost, inf)

    return run


def _overlaps(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Return the IoU of boxes (T, 4) and (N, 4), of positive area."""
    sides = np.minimum(a[:, None, 2:], b[:, 2:]) - np.maximum(a[:, None, :2], b[:, :2])
    shared = np.maximum(sides, 0).prod(axis=2)
    areas = [(boxes[:, 2:] - boxes[:, :2]).prod(axis=1) for boxes in (a, b)]
    return shared / (areas[0][:, None] + areas[1] - shared)


def _has_extras(arguments: Arguments) -> bool:
    return any(arguments.get(key) is not None for key in EXTRAS)


def torchvision_cost(arguments: Arguments) -> Run | None:
    """Return torchvision's ``box_iou`` and torch for the rest; None where it would be another cost."""
    if _has_extras(arguments):
        return None
    import torch
    from torchvision.ops import box_iou

    given = tensors(arguments, "cpu")

    def run() -> Any:
        overlap = box_iou(given["tracks"], given["boxes"])
        cost = 1 - (overlap * given["scores"] if "scores" in given else overlap)
        if "track_features" in given:
            distance = (1 - given["track_features"] @ given["box_features"].T) / 2
            near = (distance <= given["max_cosine"]) & (overlap >= given["min_overlap"])
            cost = torch.where(near, torch.minimum(cost, distance.double()), cost)
        return torch.where(given["track_groups"][:, None] == given["box_groups"], cost, inf)

    return run


def scipy_assign(arguments: Arguments) -> Run | None:
    """Return scipy's ``linear_sum_assignment`` on all pairs, capped at the limit."""
    cost, limit = arguments["cost"], arguments["limit"]
    if not isinstance(cost, np.ndarray):
        return None
    from scipy.optimize import linear_sum_assignment

    def run() -> np.ndarray:
        rows, columns = linear_sum_assignment(np.minimum(cost, limit))
        made = cost[rows, columns] < limit
        pairs = np.full(len(cost), -1)
        pairs[rows[made]] = columns[made]
        return pairs

    return run


def lap_assign(arguments: Arguments) -> Run | None:
    """Return lap's ``lapjv`` as ByteTrack calls it; None where it is not installed."""
    try:
        import lap
    except ImportError:
        return None
    cost, limit = arguments["cost"], arguments["limit"]
    if not isinstance(cost, np.ndarray):
        return None
    return lambda: lap.lapjv(np.minimum(cost, 2 * limit), extend_cost=True, cost_limit=limit)[1]


def loop_greedy(arguments: Arguments) -> Run | None:
    """Return the loop that takes the least of what is left, as CenterTrack's program does."""
    if not isinstance(arguments["cost"], np.ndarray):
        return None

    def run() -> np.ndarray:
        cost = np.array(arguments["cost"])
        pairs = np.full(len(cost), -1)
        for _ in range(min(cost.shape)):
            row, column = np.unravel_index(cost.argmin(), cost.shape)
            if cost[row, column] >= arguments["limit"]:
                break
            pairs[row] = column
            cost[row], cost[:, column] = inf, inf
        return pairs

    return run
