"""RFB-320 and its kin, the Ultra-Light-Fast face detectors: their files decode the boxes themselves."""

from __future__ import annotations

import numpy as np

from vtk.errors import WeightsError
from vtk.models.detector import Settings
from vtk.models.network import Candidates, NetworkDetector
from vtk.models.runtime import RuntimeOptions, load
from vtk.models.weights import Weights
from vtk.models.zoo import Input, Model

LABELS = ("face",)
IOU = 0.3  # vision/ssd/config/fd_config.py of the official repository; its ONNX demo has 0.5
# (stride in pixels, boxes in each cell): min_boxes and shrinkage_list of that file.
CELLS = ((8, 3), (16, 2), (32, 2), (64, 3))


def build(model: Model, weights: Weights, settings: Settings, runtime: RuntimeOptions) -> NetworkDetector:
    """Return a detector of faces of the size that its file says."""
    path = weights.paths[0]
    net = load(path, runtime, weights.paths[1] if len(weights.paths) > 1 else None)
    height, width = net.shape[2] or model.input.height, net.shape[3] or model.input.width
    if net.shape[1] not in (3, None):
        raise WeightsError(f"{path}: its input is {net.shape}, expected (1, 3, {height}, {width})")
    count = anchors(height, width)
    shapes = [output.shape for output in net(np.zeros((1, 3, height, width), np.float32))]
    if shapes != [(1, count, 2), (1, count, 4)]:
        raise WeightsError(f"{path}: not an RFB face detector: its outputs are {', '.join(map(str, shapes))}, "
                           f"expected scores (1, {count}, 2) and boxes (1, {count}, 4)")
    given = model.input
    takes = Input(width, height, given.fit, given.colour, given.scale, given.mean, given.std, given.pad)
    return NetworkDetector(model.name, weights.sha256, LABELS, net, decode, takes, settings, IOU)


def anchors(height: int, width: int) -> int:
    """Return how many boxes the network weighs on a canvas of ``height`` × ``width`` pixels."""
    return sum(-(-height // stride) * -(-width // stride) * each for stride, each in CELLS)


def decode(outputs: list[np.ndarray], canvas: tuple[int, int], min_score: float) -> Candidates:
    """Return the faces that score ``min_score`` or more.

    Args:
        outputs: scores (N, 2) float32 of background and face; boxes (N, 4) float32, x1, y1, x2, y2 as shares of the
            canvas, which may reach beyond it.
        canvas: (height, width) in pixels.

    Source: predict in detect_imgs_onnx.py of the official repository.
    """
    scores = outputs[0][:, 1]
    rows = np.flatnonzero(scores >= min_score)
    height, width = canvas
    xyxy = outputs[1][rows] * np.array([width, height, width, height], np.float32)
    return Candidates(xyxy, np.minimum(scores[rows], 1.0), np.zeros(len(rows), np.int64))
