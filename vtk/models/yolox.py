"""YOLOX: anchor-free detectors whose ONNX files leave grids and exponents to the caller."""

from __future__ import annotations

from functools import cache

import numpy as np

from vtk.errors import WeightsError
from vtk.models.coco import COCO
from vtk.models.detector import Settings
from vtk.models.network import Candidates, NetworkDetector
from vtk.models.runtime import RuntimeOptions, load
from vtk.models.weights import Weights
from vtk.models.zoo import Input, Model

STRIDES = (8, 16, 32)
IOU = 0.45  # demo/ONNXRuntime/onnx_inference.py of the official repository


def build(model: Model, weights: Weights, settings: Settings, runtime: RuntimeOptions) -> NetworkDetector:
    """Return a YOLOX detector of the size that its file says."""
    net = load(weights.paths[0], runtime)
    height, width = net.shape[2] or model.input.height, net.shape[3] or model.input.width
    takes = Input(width, height, "corner", "bgr", scale=1.0)
    probe = net(np.zeros((1, 3, height, width), np.float32))
    rows = len(grid(height, width)[0])
    if len(probe) != 1 or probe[0].ndim != 3 or probe[0].shape[1] != rows or probe[0].shape[2] < 6:
        shapes = ", ".join(str(output.shape) for output in probe)
        raise WeightsError(f"{weights.paths[0]}: not a YOLOX export: its outputs are {shapes}, "
                           f"expected (1, {rows}, 5 + classes)")
    classes = probe[0].shape[2] - 5
    labels = COCO if classes == len(COCO) else tuple(f"class{index}" for index in range(classes))
    return NetworkDetector(model.name, weights.sha256, labels, net, decode, takes, settings, IOU)


@cache
def grid(height: int, width: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the corners (N, 2) x, y in cells and strides (N, 1) in pixels of a canvas's cells, float32."""
    corners, strides = [], []
    for stride in STRIDES:
        rows, columns = height // stride, width // stride
        y, x = np.mgrid[:rows, :columns]
        corners.append(np.stack([x.ravel(), y.ravel()], axis=1))
        strides.append(np.full((rows * columns, 1), stride))
    return np.concatenate(corners).astype(np.float32), np.concatenate(strides).astype(np.float32)


def decode(outputs: list[np.ndarray], canvas: tuple[int, int], min_score: float) -> Candidates:
    """Return the boxes that score ``min_score`` or more: objectness times the best class.

    Args:
        outputs: one (N, 5 + C) float32: x, y offsets in cells, log width and height in strides, objectness, classes.
        canvas: (height, width) in pixels.

    Source: demo_postprocess in yolox/utils/demo_utils.py of the official repository.
    """
    raw = outputs[0]
    # A class is at most 1, so objectness alone leaves few rows to look at.
    rows = np.flatnonzero(raw[:, 4] >= min_score)
    raw = raw[rows]
    class_ids = raw[:, 5:].argmax(axis=1)
    scores = raw[:, 4] * raw[np.arange(len(raw)), 5 + class_ids]
    keep = scores >= min_score
    raw, rows, scores, class_ids = raw[keep], rows[keep], scores[keep], class_ids[keep]
    corners, strides = grid(*canvas)
    centre = (raw[:, :2] + corners[rows]) * strides[rows]
    half = np.exp(raw[:, 2:4]) * strides[rows] / 2
    return Candidates(np.concatenate([centre - half, centre + half], axis=1), np.minimum(scores, 1.0), class_ids)
