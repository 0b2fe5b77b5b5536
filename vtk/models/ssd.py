"""SSD detectors of the Open Model Zoo: suppression is in the file, boxes come as shares of the picture."""

from __future__ import annotations

import numpy as np

from vtk.errors import WeightsError
from vtk.models.detector import Settings
from vtk.models.network import Candidates, NetworkDetector
from vtk.models.runtime import RuntimeOptions, load
from vtk.models.weights import Weights
from vtk.models.zoo import Model

LABELS = ("person",)  # the file's class 1; as COCO calls it, so that one selection fits all detectors


def build(model: Model, weights: Weights, settings: Settings, runtime: RuntimeOptions) -> NetworkDetector:
    """Return an SSD detector of pedestrians."""
    net = load(weights.paths[0], runtime, weights.paths[1] if len(weights.paths) > 1 else None)
    takes = model.input
    expected = (1, 3, takes.height, takes.width)
    if net.shape != expected:
        raise WeightsError(f"{weights.paths[0]}: its input is {net.shape}, expected {expected}")
    return NetworkDetector(model.name, weights.sha256, LABELS, net, decode, takes, settings, iou=None)


def decode(outputs: list[np.ndarray], canvas: tuple[int, int], min_score: float) -> Candidates:
    """Return the boxes that score ``min_score`` or more.

    Args:
        outputs: one (1, N, 7) float32: image (-1 after the last box), label from 1, score, x1, y1, x2, y2 in [0, 1].
        canvas: (height, width) in pixels.
    """
    rows = outputs[0].reshape(-1, 7)
    rows = rows[(rows[:, 0] >= 0) & (rows[:, 1] == 1) & (rows[:, 2] >= min_score)]
    height, width = canvas
    xyxy = rows[:, 3:7] * np.array([width, height, width, height], np.float32)
    return Candidates(xyxy, np.minimum(rows[:, 2], 1.0), np.zeros(len(rows), np.int64))
