"""``pairwise_iou`` as the definition says it."""

from __future__ import annotations

import numpy as np


def pairwise_iou(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Return the overlap of each pair of boxes; see the package."""
    corner = np.maximum(a[:, None, :2], b[None, :, :2])
    opposite = np.minimum(a[:, None, 2:], b[None, :, 2:])
    # Coordinates near the end of float32's range overflow to inf and NaN; such a union is not positive, so 0 comes out.
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        sides = np.maximum(opposite - corner, 0)
        intersection = sides[..., 0] * sides[..., 1]
        areas = [(boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1]) for boxes in (a, b)]
        union = areas[0][:, None] + areas[1][None, :] - intersection
        return np.where(union > 0, intersection / union, np.float32(0))
