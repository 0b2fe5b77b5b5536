"""``pairwise_iou`` and its kin as the definitions say them."""

from __future__ import annotations

import numpy as np


def pairwise_iou(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Return the overlap of each pair of boxes; see the package."""
    overlap, _ = _overlap_and_union(a, b)
    return overlap


def pairwise_giou(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Return the overlap less the share of the hull that neither covers; see the package."""
    overlap, union = _overlap_and_union(a, b)
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        sides = np.maximum(a[:, None, 2:], b[None, :, 2:]) - np.minimum(a[:, None, :2], b[None, :, :2])
        hull = sides[..., 0] * sides[..., 1]
        value = overlap - (hull - union) / hull
    return np.where(np.isnan(value), np.float32(-1), value)


def buffered_iou(a: np.ndarray, b: np.ndarray, buffer: float) -> np.ndarray:
    """Return the overlap of each pair of grown boxes; see the package."""
    return pairwise_iou(_grown(a, buffer), _grown(b, buffer))


def _overlap_and_union(a: np.ndarray, b: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the overlap and the union, in pixels², of each pair (N, M)."""
    corner = np.maximum(a[:, None, :2], b[None, :, :2])
    opposite = np.minimum(a[:, None, 2:], b[None, :, 2:])
    # Coordinates near the end of float32's range overflow to inf and NaN; such a union is not positive, so 0 comes out.
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        sides = np.maximum(opposite - corner, 0)
        intersection = sides[..., 0] * sides[..., 1]
        areas = [(boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1]) for boxes in (a, b)]
        union = areas[0][:, None] + areas[1][None, :] - intersection
        return np.where(union > 0, intersection / union, np.float32(0)), union


def _grown(boxes: np.ndarray, buffer: float) -> np.ndarray:
    """Return boxes (N, 4) grown on each side by ``buffer`` times their own width and height."""
    with np.errstate(over="ignore", invalid="ignore"):
        margin = np.float32(buffer) * (boxes[:, 2:] - boxes[:, :2])
        return np.concatenate([boxes[:, :2] - margin, boxes[:, 2:] + margin], axis=1)
