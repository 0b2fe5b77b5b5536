"""Classifiers that are one network: the middle of a picture in, log-probabilities out."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Literal

import cv2
import numpy as np

from vtk.errors import UsageError, WeightsError
from vtk.kernels.normalize import normalize
from vtk.models.classifier import ClassifierOptions
from vtk.models.label_files import classes, read_labels
from vtk.models.runtime import Net, RuntimeOptions, load
from vtk.models.weights import Weights, sha256_of
from vtk.models.zoo import Input, Model

MODEL_FILES = (".onnx", ".tflite", ".xml")
# Least probability that is told from nothing, where a file gives probabilities and not what they are made of.
FLOOR = 1e-7  # of float32: a step of a number near 1
FLOOR_8BIT = 1 / 512  # of 8 bits: half a step of 1/256
Gives = Literal["logits", "probabilities", "8 bits"]


class NetClassifier:
    """One network, stateless, so that sources share it; see ``classifier.Classifier``.

    Where the network has a background class, the probabilities of the labels sum to 1 less that of the background.
    """

    def __init__(self, name: str, sha256: str, labels: tuple[str, ...], columns: Sequence[int], net: Net,
                 takes: Input) -> None:
        self.name, self.sha256, self.labels = name, sha256, labels
        self.batch, self.precision = net.batch, net.precision
        self._columns, self._net, self._input = np.asarray(columns), net, takes
        # Pixels of the short side from which a picture has all that the network can take in.
        self.side = math.ceil(max(takes.height, takes.width) / (takes.share if takes.fit == "crop" else 1))
        self._gives = given(net(np.zeros((1, 3, takes.height, takes.width), np.float32))[0])

    def scores(self, images: Sequence[np.ndarray]) -> np.ndarray:
        """Return (N, C) float32, natural logarithms of probabilities; see ``classifier.Classifier``."""
        takes = self._input
        out = np.empty((len(images), len(self.labels)), np.float32)
        for start in range(0, len(images), self.batch):
            part = [fitted(image, takes, start + index)
                    for index, image in enumerate(images[start : start + self.batch])]
            batch = normalize(part, takes.height, takes.width, scale=takes.scale, mean=takes.mean, std=takes.std,
                              bgr=takes.colour == "bgr")  # fmt: skip
            found = self._net(batch)[0].reshape(len(part), -1)
            out[start : start + len(part)] = log_probabilities(found, self._gives)[:, self._columns]
        return out


def fitted(image: np.ndarray, takes: Input, index: int = 0) -> np.ndarray:
    """Return ``image`` (h, w, 3) uint8 in the size of the input: its middle, or all of it with fit ``stretch``.

    Raises:
        ValueError: it is not (h, w, 3) uint8, or empty; the message has its ``index``.
    """
    if image.ndim != 3 or image.shape[2] != 3 or image.dtype != np.uint8 or image.size == 0:
        raise ValueError(f"images[{index}]: got {image.shape} {image.dtype}, expected (h, w, 3) uint8 RGB")
    if takes.fit == "crop":
        tall, wide = image.shape[:2]
        side = min(tall / takes.height, wide / takes.width) * takes.share
        height, width = max(1, round(takes.height * side)), max(1, round(takes.width * side))
        top, left = (tall - height) // 2, (wide - width) // 2
        image = image[top : top + height, left : left + width]
    if image.shape[:2] == (takes.height, takes.width):
        return np.ascontiguousarray(image)
    # Beyond half the size, bilinear looks at some pixels and leaves others out: then means of areas.
    shrunk = max(image.shape[0] / takes.height, image.shape[1] / takes.width) > 2
    return cv2.resize(image, (takes.width, takes.height),
                      interpolation=cv2.INTER_AREA if shrunk else cv2.INTER_LINEAR)


def given(outputs: np.ndarray) -> Gives:
    """Return what a network's outputs (1, …) float32 are, by those of one picture."""
    values = outputs.ravel()
    if (values < 0).any():
        return "logits"
    if abs(float(values.sum()) - 1) < 0.01 and values.max() <= 1:
        return "probabilities"
    # Sums of rounded probabilities: what is under half a step is lost, and there may be a thousand of these.
    whole = (values == np.round(values)).all() and values.max() <= 255
    return "8 bits" if whole and 64 <= values.sum() <= 512 else "logits"


def log_probabilities(outputs: np.ndarray, gives: Gives) -> np.ndarray:
    """Return (N, C) float32, natural logarithms of the probabilities that ``outputs`` (N, C) are or stand for.

    Of logits it is their log-softmax. Probabilities have a floor, FLOOR or with 8 bits FLOOR_8BIT: what is below it
    counts as it, so that nothing is impossible.
    """
    if gives == "probabilities":
        return np.log(np.maximum(outputs, FLOOR)).astype(np.float32)
    if gives == "8 bits":
        return np.log(np.maximum(outputs / 256, FLOOR_8BIT)).astype(np.float32)
    shifted = outputs.astype(np.float64) - outputs.max(axis=1, keepdims=True)
    return (shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))).astype(np.float32)


def build(model: Model, weights: Weights, options: ClassifierOptions) -> NetClassifier:
    """Return a classifier from a model file and its labels: the user's, or those of the table's second file.

    Raises:
        WeightsError: a file cannot be read, or the labels are not the network's.
    """
    path = weights.paths[0]
    if path.suffix.lower() not in MODEL_FILES:
        raise WeightsError(f"{path}: a file of {', '.join(MODEL_FILES[:-1])} or {MODEL_FILES[-1]} is needed, which "
                           "holds its network")
    own = options.weights is not None
    named = options.labels or (None if own else weights.paths[1])
    if named is None:
        raise UsageError(f"--weights {path}: give the names of its classes, too, with --labels FILE, a line a class")
    tensors = weights.paths[1] if own and len(weights.paths) > 1 else None
    names = read_labels(named)
    net = load(path, _exact(options.runtime, path), tensors, logits=True)
    takes = replace(model.input, height=net.shape[2] or model.input.height, width=net.shape[3] or model.input.width)
    outputs = net(np.zeros((1, 3, takes.height, takes.width), np.float32))[0]
    if outputs.ndim < 2 or outputs.size != max(outputs.shape):
        raise WeightsError(f"{path}: its first output is {outputs.shape}, expected one number a class")
    labels, columns = classes(names, outputs.size, named)
    return NetClassifier(model.name, labelled(weights.sha256 or "", options.labels), labels, columns, net, takes)


def _exact(runtime: RuntimeOptions, path: Path) -> RuntimeOptions:
    """Return ``runtime`` with fp32 for precision auto of a TFLite file: those of 8 bits gain nothing from bf16.

    Measured by hand with one thread, 63 pictures in turns: 59 to 61 pictures/s with fp32, 59 to 65 with bf16; of
    ``inat-birds`` 3 first answers of 63 change, and probabilities by 0.02 in the mean, 0.09 at most.
    """
    if runtime.precision == "auto" and path.suffix.lower() == ".tflite":
        return replace(runtime, precision="fp32")
    return runtime


def labelled(sha256: str, labels: Path | None) -> str:
    """Return what stands for the weights of ``sha256`` with the labels of a user's own file: another model."""
    import hashlib

    return sha256 if labels is None else hashlib.sha256(f"{sha256} {sha256_of(labels)}".encode()).hexdigest()
