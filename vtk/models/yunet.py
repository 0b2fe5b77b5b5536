"""YuNet, OpenCV's face detector: boxes and five points from the raw outputs of its ONNX file."""

from __future__ import annotations

import numpy as np

from vtk.errors import WeightsError
from vtk.models.detector import Settings
from vtk.models.network import Candidates, NetworkDetector
from vtk.models.runtime import RuntimeOptions, load
from vtk.models.weights import Weights
from vtk.models.yolox import STRIDES, grid
from vtk.models.zoo import Input, Model

LABELS = ("face",)
IOU = 0.3  # models/face_detection_yunet/yunet.py of OpenCV's zoo
POINTS = 5  # right eye, left eye, nose, right and left corner of the mouth: the person's right and left
_WIDTHS = (1, 1, 4, 2 * POINTS)  # class, objectness, box, points of each cell


def build(model: Model, weights: Weights, settings: Settings, runtime: RuntimeOptions) -> NetworkDetector:
    """Return a detector of faces with five points; a picture gets the smallest canvas where the file lets it."""
    path = weights.paths[0]
    net = load(path, runtime, weights.paths[1] if len(weights.paths) > 1 else None)
    height, width = net.shape[2] or model.input.height, net.shape[3] or model.input.width
    if net.shape[1] not in (3, None) or height % STRIDES[-1] or width % STRIDES[-1]:
        raise WeightsError(f"{path}: its input is {net.shape}, expected (1, 3, height, width), sides that "
                           f"{STRIDES[-1]} divides")
    outputs = net(np.zeros((1, 3, height, width), np.float32))
    cells = [(height // stride) * (width // stride) for stride in STRIDES]
    expected = sorted((1, count, wide) for count in cells for wide in _WIDTHS)
    if sorted(output.shape for output in outputs) != expected:
        shapes = ", ".join(str(output.shape) for output in outputs[:4]) + (", …" if len(outputs) > 4 else "")
        raise WeightsError(f"{path}: not a YuNet export: its {len(outputs)} outputs are {shapes}, expected 12: class, "
                           f"objectness, box and points of {', '.join(map(str, cells))} cells")
    takes = Input(width, height, "corner", "bgr", scale=1.0, pad=0)
    stride = None if net.shape[2] and net.shape[3] else STRIDES[-1]
    return NetworkDetector(model.name, weights.sha256, LABELS, net, decode, takes, settings, IOU, stride)


def decode(outputs: list[np.ndarray], canvas: tuple[int, int], min_score: float) -> Candidates:
    """Return the faces that score ``min_score`` or more: the root of class times objectness, each cut to [0, 1].

    Args:
        outputs: 12 float32 arrays in any order, of each stride (N, 1) class and objectness, (N, 4) x and y offsets in
            cells and log width and height in strides, (N, 10) x, y offsets of the five points in cells.
        canvas: (height, width) in pixels.

    Source: FaceDetectorYNImpl::postProcess in modules/objdetect/src/face_detect.cpp of OpenCV.
    """
    product, box, points = (_stacked(outputs, width) for width in (1, 4, 2 * POINTS))
    scores = np.sqrt(product[:, 0])
    rows = np.flatnonzero(scores >= min_score)
    corners, strides = (array[rows] for array in grid(*canvas))
    centre = (box[rows, :2] + corners) * strides
    half = np.exp(box[rows, 2:]) * strides / 2
    places = (points[rows].reshape(-1, POINTS, 2) + corners[:, None]) * strides[:, None]
    return Candidates(np.concatenate([centre - half, centre + half], axis=1), scores[rows],
                      np.zeros(len(rows), np.int64), places)


def _stacked(outputs: list[np.ndarray], width: int) -> np.ndarray:
    """Return the (N, ``width``) outputs of all strides below each other, the finest first.

    The two of width 1, class and objectness, are multiplied: which is which does not matter.
    """
    maps = sorted((output for output in outputs if output.shape[1] == width), key=len, reverse=True)
    if width == 1:
        pairs = zip(maps[::2], maps[1::2], strict=True)
        maps = [np.clip(one, 0, 1) * np.clip(other, 0, 1) for one, other in pairs]
    return np.concatenate(maps)
