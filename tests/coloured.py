"""Films of coloured shots, and a classifier that knows their places: red kitchens, green beaches, blue streets."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from vtk.media.writer import VideoWriter

COLOURS = {"kitchen": (200, 40, 40), "beach": (40, 190, 60), "street": (50, 60, 220)}
PLACES = tuple(COLOURS)
WIDTH, HEIGHT, FPS = 160, 120, 10


def shown(place: str, seed: int = 0, height: int = HEIGHT, width: int = WIDTH) -> np.ndarray:
    """Return a picture of a place, (height, width, 3) uint8: its colour in squares, as bright as ``seed`` has it."""
    light = np.random.default_rng(seed).integers(60, 255, (-(-height // 20), -(-width // 20), 1)) / 255
    return (light.repeat(20, axis=0).repeat(20, axis=1)[:height, :width] * COLOURS[place]).astype(np.uint8)


def film(path: Path, *shots: tuple[str, int]) -> Path:
    """Write a film of shots, each a place and a number of frames, each with a picture of its own."""
    with VideoWriter(path, WIDTH, HEIGHT, FPS, crf=12) as writer:
        frame = 0
        for seed, (place, count) in enumerate(shots):
            image = shown(place, seed)
            for _ in range(count):
                writer.write(image, frame / FPS)
                frame += 1
    return path


class Coloured:
    """A classifier by the mean colour, see ``vtk.models.classifier.Classifier``; ``calls``: pictures of each call."""

    name, batch, precision = "coloured", 4, "fp32"

    def __init__(self, labels: Sequence[str] = PLACES, name: str = "coloured", sharp: float = 30.0) -> None:
        self.labels, self.name, self.sha256 = tuple(labels), name, name * 8
        self.calls: list[int] = []
        self._sharp = sharp

    def scores(self, images: Sequence[np.ndarray]) -> np.ndarray:
        """Return (N, 3) float32: how much of each colour there is, as log-probabilities."""
        self.calls.append(len(images))
        means = np.stack([image.reshape(-1, 3).mean(axis=0) for image in images]) / 255
        columns = [PLACES.index(label) if label in PLACES else number for number, label in enumerate(self.labels)]
        values = self._sharp * means[:, columns]
        return (values - np.log(np.exp(values).sum(axis=1, keepdims=True))).astype(np.float32)
