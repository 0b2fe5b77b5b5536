"""``association`` as the papers say it, over whole matrices, in NumPy and scipy."""

from __future__ import annotations

from math import inf

import numpy as np


def gated_cost(
    tracks: np.ndarray,
    boxes: np.ndarray,
    track_groups: np.ndarray,
    box_groups: np.ndarray,
    *,
    buffer: float = 0.0,
    height_power: float = 0.0,
    scores: np.ndarray | None = None,
    track_features: np.ndarray | None = None,
    box_features: np.ndarray | None = None,
    max_cosine: float = 0.25,
    min_overlap: float = 0.0,
    spread: np.ndarray | None = None,
    max_motion: float = inf,
) -> np.ndarray:
    """Return what it costs to give each box to each track; see the package."""
    # What overflows is inf or NaN, and that is a pair that is out.
    with np.errstate(all="ignore"):
        overlap, inside = _overlaps(_grown(tracks, buffer), _grown(boxes, buffer), height_power)
        cost = 1 - overlap * (1 if scores is None else scores)
        inside &= (track_groups[:, None] == box_groups) & np.isfinite(cost)
        if spread is not None:
            difference = _shape(tracks)[:, None] - _shape(boxes)
            inside &= (difference * difference * (1 / spread[:, None])).sum(axis=2) <= max_motion
        if track_features is not None and box_features is not None:
            distance, known = _distances(track_features, box_features)
            similar = known & (distance <= max_cosine) & (overlap >= min_overlap)
            cost = np.where(similar & (distance < cost), distance, cost)
    return np.where(inside, cost, inf)


def assign(
    cost: np.ndarray, limit: float, rows: np.ndarray | None = None, columns: np.ndarray | None = None
) -> np.ndarray:
    """Return the pairs of least total cost; see the package."""
    from scipy.optimize import linear_sum_assignment

    capped = _capped(cost, limit, rows, columns)
    if np.isneginf(capped).any():
        raise ValueError("cost: got -inf, expected numbers above it")
    pairs = np.full(len(cost), -1)
    chosen = np.transpose(linear_sum_assignment(capped))
    for row, column in chosen:
        if capped[row, column] < limit:
            pairs[row] = column
    return pairs


def assign_greedy(
    cost: np.ndarray, limit: float, rows: np.ndarray | None = None, columns: np.ndarray | None = None
) -> np.ndarray:
    """Return pairs made one by one, the cheapest left first; see the package."""
    capped = _capped(cost, limit, rows, columns)
    pairs = np.full(len(cost), -1)
    taken: set[int] = set()
    for place in np.argsort(capped, axis=None, kind="stable")[: (capped < limit).sum()].tolist():
        row, column = divmod(place, capped.shape[1])
        if pairs[row] < 0 and column not in taken:
            pairs[row] = column
            taken.add(column)
    return pairs


def _grown(boxes: np.ndarray, buffer: float) -> np.ndarray:
    """Return boxes (N, 4) grown on each side by ``buffer`` times their own width and height."""
    margin = buffer * (boxes[:, 2:] - boxes[:, :2])
    return np.concatenate([boxes[:, :2] - margin, boxes[:, 2:] + margin], axis=1)


def _overlaps(a: np.ndarray, b: np.ndarray, height_power: float) -> tuple[np.ndarray, np.ndarray]:
    """Return the overlap of boxes a (T, 4) and b (N, 4), and where it is defined: (T, N) each."""
    low, high = np.maximum(a[:, None, :2], b[:, :2]), np.minimum(a[:, None, 2:], b[:, 2:])
    sides = np.maximum(high - low, 0)
    shared = sides[..., 0] * sides[..., 1]
    areas = [(boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1]) for boxes in (a, b)]
    union = areas[0][:, None] + areas[1] - shared
    overlap = np.where(union > 0, shared / union, 0)
    if height_power:
        joint = np.maximum(a[:, None, 3], b[:, 3]) - np.minimum(a[:, None, 1], b[:, 1])
        overlap = overlap * np.where(joint > 0, sides[..., 1] / joint, 0) ** height_power
    return overlap, np.isfinite(union)


def _shape(boxes: np.ndarray) -> np.ndarray:
    """Return centre x, centre y, width and height (N, 4) of boxes (N, 4)."""
    size = boxes[:, 2:] - boxes[:, :2]
    return np.concatenate([boxes[:, :2] + size / 2, size], axis=1)


def _distances(a: np.ndarray, b: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the halved cosine distance in [0, 1] of rows a (T, D) and b (N, D), and which pairs have both.

    The dot product is summed in float64 and rounded to the features' own float32: so the order of the sum, which
    differs between implementations, does not decide whether equal features are at a distance of exactly 0.
    """
    dot = np.einsum("td,nd->tn", a.astype(np.float64), b.astype(np.float64)).astype(np.float32).astype(np.float64)
    known = (a != 0).any(axis=1)[:, None] & (b != 0).any(axis=1)
    return np.clip((1 - dot) / 2, 0, 1), known


def _capped(cost: np.ndarray, limit: float, rows: np.ndarray | None, columns: np.ndarray | None) -> np.ndarray:
    """Return ``cost`` (T, N) with ``limit`` where a pair is never made."""
    capped = np.where(cost < limit, cost, limit)
    if rows is not None:
        capped[~rows] = limit
    if columns is not None:
        capped[:, ~columns] = limit
    return capped
