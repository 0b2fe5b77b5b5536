"""``nms`` as the definition says it: take the best box left, drop what overlaps it, repeat."""

from __future__ import annotations

import numpy as np


def nms(
    boxes: np.ndarray,
    scores: np.ndarray,
    class_ids: np.ndarray | None = None,
    iou_threshold: float = 0.5,
    image_ids: np.ndarray | None = None,
) -> np.ndarray:
    """Return the indices of the kept boxes, best score first; see the package."""
    classes = np.zeros(len(boxes), np.int64) if class_ids is None else class_ids
    images = np.zeros(len(boxes), np.int64) if image_ids is None else image_ids
    left = np.argsort(-scores, kind="stable")
    kept = []
    while len(left):
        best, rest = left[0], left[1:]
        kept.append(best)
        overlaps = _overlap(boxes[best], boxes[rest]).astype(np.float64) > iou_threshold
        same = (classes[rest] == classes[best]) & (images[rest] == images[best])
        left = rest[~(overlaps & same)]
    return np.array(kept, np.int64)


def _overlap(box: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Return the intersection over union of ``box`` (4,) and ``others`` (N, 4) in float32; NaN where undefined."""
    # A union of 0, or one beyond float32's range, gives a NaN, which exceeds no threshold.
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        sides = np.maximum(np.minimum(box[2:], others[:, 2:]) - np.maximum(box[:2], others[:, :2]), 0)
        intersection = sides[:, 0] * sides[:, 1]
        area = (box[2] - box[0]) * (box[3] - box[1])
        areas = (others[:, 2] - others[:, 0]) * (others[:, 3] - others[:, 1])
        return intersection / (area + areas - intersection)
