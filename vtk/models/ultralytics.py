"""Detectors of the ultralytics family: their checkpoints, and ONNX, OpenVINO and TFLite files exported from them."""

from __future__ import annotations

import ast
import json
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from vtk.errors import WeightsError
from vtk.models.coco import COCO
from vtk.models.detector import Settings
from vtk.models.network import Candidates, Decode, NetworkDetector
from vtk.models.runtime import Net, RuntimeOptions, load, pick_device
from vtk.models.weights import Weights
from vtk.models.zoo import Input, Model

IOU = 0.7  # cfg/default.yaml of ultralytics


@dataclass(frozen=True, slots=True)
class About:
    """What a file says of itself: class names, the side it was trained at in pixels, its stride, its task."""

    names: tuple[str, ...] = ()
    side: int = 640
    stride: int = 32
    task: str = "detect"


def build(model: Model, weights: Weights, settings: Settings, runtime: RuntimeOptions) -> NetworkDetector:
    """Return a detector from a checkpoint or an export."""
    path = weights.paths[0]
    net, about = _open(path, weights, runtime)
    if about.task != "detect":
        raise WeightsError(f"{path}: it is a model for the task '{about.task}', expected one that detects")
    height, width = net.shape[2], net.shape[3]
    takes = Input(width or about.side, height or about.side)
    probe = net(np.zeros((1, 3, takes.height, takes.width), np.float32))
    decode, classes, suppressed = _head(path, probe, len(about.names))
    if path.suffix == ".tflite" and (net.channels_last or not suppressed):
        decode = partial(_denormalised, decode)
    labels = about.names or (COCO if classes in (0, len(COCO)) else tuple(f"class{index}" for index in range(classes)))
    iou = None if suppressed else IOU
    # An end-to-end head picks its best 300 cells, and a thin canvas of a small side has fewer.
    square = bool(height and width) or (suppressed and about.side < 480)
    return NetworkDetector(model.name, weights.sha256, labels, net, decode, takes, settings, iou,
                           None if square else about.stride)


def _open(path: Path, weights: Weights, runtime: RuntimeOptions) -> tuple[Net, About]:
    if path.suffix != ".pt":
        net = load(path, runtime, weights.paths[1] if len(weights.paths) > 1 else None)
        return net, read_about(path, net.metadata)
    if not (weights.official or runtime.trust_weights):
        raise WeightsError(f"{path}: a checkpoint can run code when it is loaded, and its sha256, {weights.sha256}, is "
                           "not in the table; if you trust its maker, --trust-weights loads it", code="E_HASH")
    from vtk.models import checkpoint

    device = pick_device(runtime)
    if device == "cpu":
        folder = checkpoint.converted(path, str(weights.sha256))
        net = load(folder / "model.xml", runtime, folder / "model.bin")
        return net, About(**json.loads((folder / "about.json").read_bytes()))
    from vtk.models.cuda import TorchNet

    module, about = checkpoint.read(path)
    return TorchNet(module, runtime, device), about


def read_about(path: Path, metadata: Mapping[str, str]) -> About:
    """Return what the export at ``path`` says of itself; defaults where it says nothing."""
    said: dict[str, Any] = {}
    if path.suffix == ".tflite" and zipfile.is_zipfile(path):
        said = _read_zip(path)
    else:
        # onnx: framework.names = "{0: 'person', …}"; OpenVINO export: model_info.labels = "person traffic_light …"
        said = {key.rpartition(".")[2]: value for key, value in metadata.items() if key.startswith("framework.")}
        if "model_info.labels" in metadata:
            said["names"] = [label.replace("_", " ") for label in metadata["model_info.labels"].split()]
    names = _literal(said.get("names", ()))
    names = [names[key] for key in sorted(names)] if isinstance(names, dict) else names
    return About(tuple(str(name) for name in names), int(_literal(said.get("imgsz", [640]))[0]),
                 int(said.get("stride", 32)), str(said.get("task", "detect")))


def _read_zip(path: Path) -> dict[str, Any]:
    """Return the metadata that a TFLite export carries in a zip archive after its end."""
    with zipfile.ZipFile(path) as archive:
        names = archive.namelist()
        name = "metadata.json" if "metadata.json" in names else names[0] if names else ""
        said = _literal(archive.read(name).decode("utf-8", "replace")) if name else {}
    return said if isinstance(said, dict) else {}


def _literal(value: Any) -> Any:
    """Return the Python or JSON literal that ``value`` spells, or ``value``."""
    if not isinstance(value, str):
        return value
    for parse in (ast.literal_eval, json.loads):
        try:
            return parse(value)
        except (ValueError, SyntaxError):
            continue
    return value


def _head(path: Path, probe: list[np.ndarray], names: int) -> tuple[Decode, int, bool]:
    """Return how outputs shaped like ``probe`` are read, the number of classes, and whether NMS is done."""
    shapes = ", ".join(str(output.shape) for output in probe)
    if len(probe) == 1 and probe[0].ndim == 3:
        rows, columns = probe[0].shape[1:]
        if columns == 6:
            return end_to_end, 0, True
        if 5 <= rows < columns and names in (0, rows - 4):
            return dense, rows - 4, False
    raise WeightsError(f"{path}: its outputs are {shapes}, expected (1, 4 + classes, boxes) or (1, boxes, 6)"
                       + (f" for its {names} classes" if names else "") + "; YOLOX exports need --model yolox-nano")


def dense(outputs: list[np.ndarray], canvas: tuple[int, int], min_score: float) -> Candidates:
    """Return the boxes of the YOLOv8 and YOLO11 head whose best class scores ``min_score`` or more.

    Args:
        outputs: one (4 + C, N) float32: x and y of the centre, width, height in canvas pixels; class scores in [0, 1].
        canvas: (height, width) in pixels.
    """
    raw = outputs[0]
    scores = raw[4:].max(axis=0)
    columns = np.flatnonzero(scores >= min_score)
    kept = np.ascontiguousarray(raw[:, columns].T)
    centre, half = kept[:, :2], kept[:, 2:4] / 2
    xyxy = np.concatenate([centre - half, centre + half], axis=1)
    return Candidates(xyxy, np.minimum(scores[columns], 1.0), kept[:, 4:].argmax(axis=1))


def end_to_end(outputs: list[np.ndarray], canvas: tuple[int, int], min_score: float) -> Candidates:
    """Return the boxes of an end-to-end head (YOLO26, YOLOv10, exported NMS) from ``min_score`` on.

    Args:
        outputs: one (N, 6) float32: x1, y1, x2, y2 in canvas pixels, score, class id.
        canvas: (height, width) in pixels.
    """
    rows = outputs[0]
    rows = rows[rows[:, 4] >= min_score]
    return Candidates(rows[:, :4], np.minimum(rows[:, 4], 1.0), rows[:, 5].astype(np.int64))


def _denormalised(decode: Decode, outputs: list[np.ndarray], canvas: tuple[int, int], min_score: float) -> Candidates:
    """Read the outputs of a TFLite export, whose coordinates are shares of the canvas."""
    found = decode(outputs, canvas, min_score)
    height, width = canvas
    return Candidates(found.xyxy * np.array([width, height] * 2, np.float32), found.scores, found.class_ids)
