"""Overlap of polygons: whole lists of pairs at a time, clipped in NumPy, any simple polygon."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np

_FARTHEST = 1e9  # pixels; beyond it nothing is a picture
_PAIRS = 4096  # clipped at a time: some megabytes of work arrays


def bounds(polygons: Sequence[np.ndarray]) -> np.ndarray:
    """Return the axis-aligned box (N, 4) float64 xyxy around each polygon (K, 2) of pixels."""
    if not len(polygons):
        return np.empty((0, 4))
    return np.array([(*polygon.min(axis=0), *polygon.max(axis=0)) for polygon in polygons], dtype=np.float64)


def checked_polygon(points: object) -> np.ndarray:
    """Return a polygon (K, 2) float64, K at least 3.

    Raises:
        ValueError: another shape, or a coordinate that is no place in a picture.
    """
    polygon = np.asarray(points, dtype=np.float64)
    if polygon.ndim != 2 or polygon.shape[1] != 2 or len(polygon) < 3:
        raise ValueError(f"a polygon of at least 3 points (K, 2) is needed, got shape {polygon.shape}")
    if not (np.abs(polygon) <= _FARTHEST).all():
        raise ValueError(f"a polygon within {_FARTHEST:g} pixels is needed, got {polygon.tolist()!r:.80}")
    return polygon


def area(polygon: np.ndarray) -> float:
    """Return the area of a simple polygon (K, 2), in square pixels, whichever way round it goes."""
    return abs(_signed_area(polygon))


def polygon_overlap(a: Sequence[np.ndarray], b: Sequence[np.ndarray],
                    share_of: Literal["union", "second"] = "union") -> np.ndarray:
    """Return the overlap (N, M) float64 in [0, 1] of each pair of N and M polygons; ``overlap_of_pairs`` has the rest.
    """
    boxes_a, boxes_b = bounds(a), bounds(b)
    apart = [np.minimum.outer(boxes_a[:, 2 + axis], boxes_b[:, 2 + axis])
             <= np.maximum.outer(boxes_a[:, axis], boxes_b[:, axis]) for axis in (0, 1)]
    # A picture of a thousand texts has a million pairs, and few that touch.
    rows, columns = np.nonzero(~(apart[0] | apart[1]))
    overlap = np.zeros((len(a), len(b)))
    overlap[rows, columns] = overlap_of_pairs(a, b, rows, columns, share_of)
    return overlap


def overlap_of_pairs(a: Sequence[np.ndarray], b: Sequence[np.ndarray], rows: np.ndarray, columns: np.ndarray,
                     share_of: Literal["union", "second"] = "union") -> np.ndarray:
    """Return the overlap of pairs of polygons as a share of their union, or of the second's area.

    Args:
        a: simple polygons, each (K, 2) float64 in pixels, convex or not, either way round.
        b: the same.
        rows, columns: (P,) int64; pair p is of ``a[rows[p]]`` and ``b[columns[p]]``.
        share_of: ``union`` gives the IoU, ``second`` how much of the one of ``b`` lies in the one of ``a``.

    Returns:
        (P,) float64 in [0, 1]; 0 where one has no area.

    Source: Sutherland and Hodgman, CACM 1974, for convex pairs; another polygon is the signed sum of the triangles that
    its first point makes with its edges, which is exact for simple ones.
    """
    if share_of not in ("union", "second"):
        raise ValueError(f"share_of must be union or second, got {share_of!r}")
    boxes_a, boxes_b = bounds(a)[rows], bounds(b)[columns]
    areas_a, areas_b = (np.array([area(polygon) for polygon in side]).reshape(-1)[places]
                        for side, places in ((a, rows), (b, columns)))
    sides = np.minimum(boxes_a[:, 2:], boxes_b[:, 2:]) - np.maximum(boxes_a[:, :2], boxes_b[:, :2])
    shared = np.maximum(sides, 0).prod(axis=1)
    flat_a, flat_b = (np.array([_is_rectangle(polygon) for polygon in side], dtype=bool)[places]
                      for side, places in ((a, rows), (b, columns)))
    shared[(areas_a <= 0) | (areas_b <= 0)] = 0
    slanted = np.flatnonzero((shared > 0) & ~(flat_a & flat_b))  # the rest are rectangles, and done
    shared[slanted] = _shared_areas(a, b, rows[slanted], columns[slanted])
    shared = np.minimum(shared, np.minimum(areas_a, areas_b))
    whole = areas_b if share_of == "second" else areas_a + areas_b - shared
    return np.divide(shared, whole, out=np.zeros_like(shared), where=shared > 0)


def clip_areas(subject: np.ndarray, clip: np.ndarray) -> np.ndarray:
    """Return the area that each pair of convex polygons shares.

    Args:
        subject: (P, K, 2) float64, counter-clockwise in a frame whose y points up; fewer points repeat the last one.
        clip: (P, L, 2), the same.

    Returns:
        (P,) float64 in square pixels.
    """
    points = subject
    for edge in range(clip.shape[1]):
        start, end = clip[:, edge], clip[:, (edge + 1) % clip.shape[1]]
        points = _cut(points, start, end - start)
    return np.maximum(_doubled(points), 0) / 2


def _cut(points: np.ndarray, start: np.ndarray, along: np.ndarray) -> np.ndarray:
    """Return what is left of polygons (P, K, 2) to the left of a line each, through ``start`` (P, 2) ``along``."""
    side = along[:, None, 0] * (points[..., 1] - start[:, None, 1]) - along[:, None, 1] * (
        points[..., 0] - start[:, None, 0])
    following, next_side = np.roll(points, -1, axis=1), np.roll(side, -1, axis=1)
    crosses = (side > 0) & (next_side < 0) | (side < 0) & (next_side > 0)
    part = np.divide(side, side - next_side, out=np.zeros_like(side), where=crosses)
    crossing = points + part[..., None] * (following - points)
    count = points.shape[1]
    slots = np.stack([points, crossing], axis=2).reshape(len(points), 2 * count, 2)
    kept = np.stack([side >= 0, crosses], axis=2).reshape(len(points), 2 * count)
    order = np.argsort(~kept, axis=1, kind="stable")[:, : count + 1]  # a convex polygon gains one corner at most
    slots = np.take_along_axis(slots, order[..., None], axis=1)
    filled = np.take_along_axis(kept, order, axis=1)
    return np.where(filled[..., None], slots, slots[:, :1])  # what is over repeats the first corner


def _doubled(points: np.ndarray) -> np.ndarray:
    """Return twice the signed area of polygons (P, K, 2), reckoned from a corner so that far ones lose no digits."""
    away = points - points[:, :1]
    following = np.roll(away, -1, axis=1)
    return (away[..., 0] * following[..., 1] - away[..., 1] * following[..., 0]).sum(axis=1)


def _signed_area(polygon: np.ndarray) -> float:
    return float(_doubled(polygon[None])[0]) / 2


def _is_rectangle(polygon: np.ndarray) -> bool:
    """Return whether a polygon is an axis-aligned rectangle."""
    if len(polygon) != 4:
        return False
    steps = polygon != np.roll(polygon, -1, axis=0)
    return bool((steps.sum(axis=1) == 1).all() and (steps[0] != steps[1]).all() and (steps[:2] == steps[2:]).all())


def _parts(polygon: np.ndarray) -> tuple[list[np.ndarray], list[float]]:
    """Return convex parts of a polygon, each counter-clockwise, and the sign that each counts with."""
    edges = np.roll(polygon, -1, axis=0) - polygon
    following = np.roll(edges, -1, axis=0)
    turns = edges[:, 0] * following[:, 1] - edges[:, 1] * following[:, 0]
    # With more than four corners a polygon can turn one way all along and still cross itself: a star.
    if len(polygon) == 4 and ((turns >= 0).all() or (turns <= 0).all()):
        return [polygon if _signed_area(polygon) > 0 else polygon[::-1]], [1.0]
    whole = np.sign(_signed_area(polygon))
    parts, signs = [], []
    for one, other in zip(polygon[1:-1], polygon[2:], strict=True):
        triangle = np.array([polygon[0], one, other])
        sign = np.sign(_signed_area(triangle))
        if sign:
            parts.append(triangle if sign > 0 else triangle[::-1])
            signs.append(float(sign * whole))
    return parts, signs


def _shared_areas(a: Sequence[np.ndarray], b: Sequence[np.ndarray], rows: np.ndarray,
                  columns: np.ndarray) -> np.ndarray:
    """Return the area (P,) that polygon ``rows[p]`` of ``a`` shares with ``columns[p]`` of ``b``."""
    parts_a = {row: _parts(a[row]) for row in np.unique(rows).tolist()}
    parts_b = {column: _parts(b[column]) for column in np.unique(columns).tolist()}
    pair, subject, clip, sign = [], [], [], []
    for place, (row, column) in enumerate(zip(rows.tolist(), columns.tolist(), strict=True)):
        for one, one_sign in zip(*parts_a[row], strict=True):
            for other, other_sign in zip(*parts_b[column], strict=True):
                pair.append(place)
                origin = one[0]
                subject.append(_four(one - origin))
                clip.append(_four(other - origin))
                sign.append(one_sign * other_sign)
    shared = np.zeros(len(rows))
    for start in range(0, len(pair), _PAIRS):
        some = slice(start, start + _PAIRS)
        np.add.at(shared, pair[some], np.array(sign[some]) * clip_areas(np.array(subject[some]), np.array(clip[some])))
    return np.maximum(shared, 0)


def _four(polygon: np.ndarray) -> np.ndarray:
    return polygon if len(polygon) == 4 else np.concatenate([polygon, polygon[-1:]])
