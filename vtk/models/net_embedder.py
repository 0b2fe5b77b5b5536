"""Embedders that are one ONNX, TFLite or OpenVINO file: resized crops in, its first output out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np

from vtk.errors import UsageError, WeightsError
from vtk.kernels.normalize import normalize
from vtk.models.embedder import EmbedderOptions, at_size
from vtk.models.runtime import Net, load
from vtk.models.weights import Weights
from vtk.models.zoo import Input, Model

MODEL_FILES = (".onnx", ".tflite", ".xml")  # that hold their network


class NetEmbedder:
    """One network, stateless, so that sources share it; see ``embedder.Embedder``."""

    def __init__(self, name: str, sha256: str, net: Net, takes: Input, path: Path) -> None:
        self.name, self.sha256 = name, sha256
        self.batch, self.precision = net.batch, net.precision
        self._net, self._input, self.side = net, takes, max(takes.height, takes.width)
        probe = net(np.zeros((1, 3, takes.height, takes.width), np.float32))[0]
        if probe.ndim < 2 or not 2 <= probe.size == max(probe.shape):
            raise WeightsError(f"{path}: its first output is {probe.shape}, expected one vector a crop")
        self.dimensions = probe.size

    def embed(self, crops: Sequence[np.ndarray]) -> np.ndarray:
        """Return (N, D) float32 of unit length for crops (h, w, 3) uint8 RGB of any and different sizes."""
        out = np.empty((len(crops), self.dimensions), np.float32)
        for start in range(0, len(crops), self.batch):
            images = [self._fitted(crop, start + index) for index, crop in enumerate(crops[start : start + self.batch])]
            takes = self._input
            batch = normalize(images, takes.height, takes.width, scale=takes.scale, mean=takes.mean, std=takes.std,
                              bgr=takes.colour == "bgr")  # fmt: skip
            out[start : start + len(images)] = self._net(batch)[0].reshape(len(images), -1)
        return unit(out)

    def _fitted(self, crop: np.ndarray, index: int) -> np.ndarray:
        return stretched(crop, self._input.height, self._input.width, index)


def stretched(crop: np.ndarray, height: int, width: int, index: int = 0) -> np.ndarray:
    """Return ``crop`` (h, w, 3) uint8 at ``height`` × ``width`` pixels, its shape not kept.

    Raises:
        ValueError: it is not (h, w, 3) uint8, or empty; the message has its ``index``.
    """
    if crop.ndim != 3 or crop.shape[2] != 3 or crop.dtype != np.uint8 or crop.size == 0:
        raise ValueError(f"crops[{index}]: got {crop.shape} {crop.dtype}, expected (h, w, 3) uint8 RGB")
    if crop.shape[:2] == (height, width):
        return crop
    return cv2.resize(crop, (width, height), interpolation=cv2.INTER_LINEAR)


def unit(vectors: np.ndarray) -> np.ndarray:
    """Return (N, D) float32 vectors at unit length; one without length, or that is not finite, is zeros."""
    vectors = np.where(np.isfinite(vectors).all(axis=1, keepdims=True), vectors, 0).astype(np.float32)
    return vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12)


def build(model: Model, weights: Weights, options: EmbedderOptions) -> NetEmbedder:
    """Return an embedder from a model file.

    Raises:
        UsageError: another size is asked for than the file fixes.
        WeightsError: the file cannot be read, or gives no vectors.
    """
    path = weights.paths[0]
    if path.suffix.lower() not in MODEL_FILES:
        raise WeightsError(f"{path}: a file of {', '.join(MODEL_FILES[:-1])} or {MODEL_FILES[-1]} is needed, which holds "
                           "its network; for a state dict of PyTorch name the network, such as --model timm:NAME")
    net = load(path, options.runtime, weights.paths[1] if len(weights.paths) > 1 else None)
    model = _sized(model, net, options.size, path)
    return NetEmbedder(model.name, weights.sha256 or "", net, model.input, path)


def _sized(model: Model, net: Net, size: tuple[int, int] | None, path: Path) -> Model:
    """Return ``model`` in the size that the file fixes, and where it leaves a side open in ``size``."""
    own = replace(model.input, height=net.shape[2] or model.input.height, width=net.shape[3] or model.input.width)
    if size is not None and any(side not in (None, asked) for side, asked in zip(net.shape[2:], size, strict=True)):
        raise UsageError(f"--input {size[0]}x{size[1]}: {path} takes {own.height}x{own.width}; leave --input away")
    return at_size(replace(model, input=own), size)
