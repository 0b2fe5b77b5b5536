"""The projective map from the unit square to a quadrilateral."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np


def coefficients(quads: np.ndarray, stride: float, vertical: float | None) -> np.ndarray:
    """Return where samples lie on a map: (u, v) at x = (a u + b v + c) / (g u + h v + 1), y with d, e, f.

    Args:
        quads: (N, 4, 2) float32, [x, y] in input pixels: top left, top right, bottom right, bottom left.
        stride: input pixels per cell.
        vertical: texts more than so many times as high as wide have u and v swapped; None: never.

    Returns:
        (N, 8) float64, [a, b, c, d, e, f, g, h], in cells, 0 at the centre of the first one; NaN for a quadrilateral
        that isn't strictly convex.

    Source: Heckbert, Fundamentals of texture mapping and image warping, 1989, section 2.2.3.
    """
    corners = quads.astype(np.float64)
    with np.errstate(all="ignore"):
        sides = np.roll(corners, -1, axis=1) - corners
        following = np.roll(sides, -1, axis=1)
        turns = sides[..., 0] * following[..., 1] - sides[..., 1] * following[..., 0]
        # Four turns one way: not (crossed, in line or with a NaN). Then the divisor is above 0 inside the square.
        convex = (turns > 0).all(axis=1) | (turns < 0).all(axis=1)
        lengths = np.sqrt(sides[..., 0] * sides[..., 0] + sides[..., 1] * sides[..., 1])
        found = _solve(corners / stride - 0.5)
        if vertical is not None:
            tall = lengths[:, 1] + lengths[:, 3] > vertical * (lengths[:, 0] + lengths[:, 2])
            found[tall] = found[tall][:, [1, 0, 2, 4, 3, 5, 7, 6]]
    found[~convex] = np.nan
    return found


def places(row: np.ndarray, size: Sequence[int]) -> tuple[np.ndarray, np.ndarray]:
    """Return x and y (h, w) float64, in cells, of the samples of one quadrilateral's coefficients (8,)."""
    a, b, c, d, e, f, g, h = row
    v, u = ((np.arange(length) + 0.5) / length for length in size)
    u, v = u[None, :], v[:, None]
    with np.errstate(all="ignore"):
        divisor = g * u + h * v + 1
        return (a * u + b * v + c) / divisor, (d * u + e * v + f) / divisor


def _solve(corners: np.ndarray) -> np.ndarray:
    """Return the coefficients (N, 8) that take the unit square to ``corners`` (N, 4, 2)."""
    (x0, y0), (x1, y1), (x2, y2), (x3, y3) = corners.transpose(1, 2, 0)
    right_x, right_y, down_x, down_y = x1 - x2, y1 - y2, x3 - x2, y3 - y2
    rest_x, rest_y = x0 - x1 + x2 - x3, y0 - y1 + y2 - y3
    divisor = right_x * down_y - down_x * right_y
    g = (rest_x * down_y - down_x * rest_y) / divisor
    h = (right_x * rest_y - rest_x * right_y) / divisor
    rows = (x1 - x0 + g * x1, x3 - x0 + h * x3, x0, y1 - y0 + g * y1, y3 - y0 + h * y3, y0, g, h)
    return np.stack(rows, axis=1)
