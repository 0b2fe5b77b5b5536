"""An embedder without weights: the colours of a crop from top to bottom. A baseline, and what tests run anywhere."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import cv2
import numpy as np

from vtk.models.embedder import EmbedderOptions, at_size
from vtk.models.net_embedder import stretched, unit
from vtk.models.weights import Weights
from vtk.models.zoo import Model

STRIPES = 6  # parts of the height, each with colours of its own: trousers are not shirts
HUES, GREYS = 12, 8
VIVID = 48  # saturation from which a pixel has a hue, of 255; below it, it is a grey


class ColourEmbedder:
    """Histograms of hues and greys of each stripe, by square roots; see ``embedder.Embedder``."""

    sha256 = hashlib.sha256(f"colour 1, {STRIPES} stripes, {HUES} hues, {GREYS} greys, {VIVID}".encode()).hexdigest()
    dimensions = STRIPES * (2 * HUES + GREYS)
    batch = 1
    precision = "fp32"

    def __init__(self, name: str, height: int, width: int) -> None:
        self.name = name
        self._height, self._width = height, width

    def embed(self, crops: Sequence[np.ndarray]) -> np.ndarray:
        """Return (N, D) float32 of unit length for crops (h, w, 3) uint8 RGB of any and different sizes."""
        images = (stretched(crop, self._height, self._width, index) for index, crop in enumerate(crops))
        rows = [self._histograms(cv2.cvtColor(image, cv2.COLOR_RGB2HSV)) for image in images]
        return unit(np.sqrt(np.stack(rows))) if rows else np.zeros((0, self.dimensions), np.float32)

    def _histograms(self, image: np.ndarray) -> np.ndarray:
        """Return (D,) float32, the shares of each stripe's pixels (H, W, 3) HSV that are of each colour."""
        hue, saturation, value = (channel.astype(np.int64) for channel in cv2.split(image))
        hued = hue * HUES // 180 + HUES * (value >= 128)
        colour = np.where(saturation >= VIVID, hued, 2 * HUES + value * GREYS // 256)
        bins = 2 * HUES + GREYS
        stripe = np.arange(self._height)[:, None] * STRIPES // self._height
        counts = np.bincount((stripe * bins + colour).ravel(), minlength=self.dimensions)
        return counts.astype(np.float32) / (self._height * self._width)


def build(model: Model, weights: Weights, options: EmbedderOptions) -> ColourEmbedder:
    """Return the embedder of colours."""
    model = at_size(model, options.size)
    return ColourEmbedder(model.name, model.input.height, model.input.width)
