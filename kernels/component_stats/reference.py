"""``component_stats`` label by label: the hull by Andrew's monotone chain, every edge of it against every point."""

from __future__ import annotations

from math import atan2, degrees, hypot

import numpy as np

Point = tuple[int, int]


def component_stats(labels: np.ndarray, scores: np.ndarray, count: int | None = None) -> np.ndarray:
    """Return area, sum of scores, box and rectangle of each label; see the package."""
    if count is None:
        count = max(int(labels.max(initial=0)), 0)
    stats = np.full((count, 11), np.nan)
    stats[:, :2] = 0
    y, x = np.nonzero((labels > 0) & (labels <= count))
    order = np.argsort(labels[y, x], kind="stable")
    y, x = y[order], x[order]
    ends = np.searchsorted(labels[y, x], np.arange(count + 1), side="right")
    for row, start, end in zip(stats, ends[:-1], ends[1:], strict=True):
        if end > start:
            own = slice(start, end)
            row[0] = end - start
            with np.errstate(invalid="ignore"):  # inf - inf is the NaN that is meant
                row[1] = scores[y[own], x[own]].sum(dtype=np.float64)
            row[2:6] = x[own].min(), y[own].min(), x[own].max(), y[own].max()
            row[6:] = _rectangle(_hull(_row_ends(x[own], y[own])))
    return stats


def _row_ends(x: np.ndarray, y: np.ndarray) -> list[Point]:
    """Return the first and the last pixel of each row, in order of x and y; the hull has no others."""
    first = np.flatnonzero(np.diff(y, prepend=-1))
    last = np.append(first[1:], len(y)) - 1
    return sorted({(int(x[i]), int(y[i])) for i in (*first, *last)})


def _hull(points: list[Point]) -> list[Point]:
    """Return the corners of the convex hull of sorted ``points``, without points on its sides."""
    if len(points) == 1:
        return points
    halves: list[list[Point]] = []
    for ordered in (points, points[::-1]):
        half: list[Point] = []
        for point in ordered:
            while len(half) > 1 and _cross(half[-2], half[-1], point) <= 0:
                half.pop()
            half.append(point)
        halves.append(half[:-1])
    return halves[0] + halves[1]


def _cross(a: Point, b: Point, c: Point) -> int:
    """Return the cross product of b - a and c - b; positive for a turn from x to y."""
    return (b[0] - a[0]) * (c[1] - b[1]) - (b[1] - a[1]) * (c[0] - b[0])


def _rectangle(hull: list[Point]) -> tuple[float, float, float, float, float]:
    """Return centre x, centre y, width, height and angle of the rectangle of least area around ``hull``."""
    if len(hull) == 1:
        return (*map(float, hull[0]), 0.0, 0.0, 0.0)
    found = []
    for (x, y), (to_x, to_y) in zip(hull, hull[1:] + hull[:1], strict=True):
        dx, dy = to_x - x, to_y - y
        while dx <= 0 or dy < 0:  # quarter turns leave the rectangle as it is
            dx, dy = -dy, dx
        along, across = [x * dx + y * dy for x, y in hull], [y * dx - x * dy for x, y in hull]
        length, square = (max(along) - min(along), max(across) - min(across)), dx * dx + dy * dy
        middle = (max(along) + min(along)) / 2, (max(across) + min(across)) / 2
        centre = (middle[0] * dx - middle[1] * dy) / square, (middle[0] * dy + middle[1] * dx) / square
        size = length[0] / hypot(dx, dy), length[1] / hypot(dx, dy)
        # Whole numbers but for this quotient, so equal areas are equal here, too.
        found.append((length[0] * length[1] / square, degrees(atan2(dy, dx)), (*centre, *size)))
    area, angle, shape = min(found)
    return (*shape, angle)
