"""What the neural detectors share: a picture onto the canvas, the model, boxes back in pixels of the picture."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from vtk.kernels.nms import nms
from vtk.kernels.normalize import normalize
from vtk.media.sampling import Size
from vtk.models.detector import Boxes, Detect, Settings, wanted
from vtk.models.runtime import Net
from vtk.models.zoo import Input
from vtk.threads import asked


@dataclass(frozen=True, slots=True)
class Candidates:
    """A model's boxes, not yet weeded out: (M, 4) xyxy in canvas pixels, (M,) scores, (M,) class ids.

    ``points``: (M, 5, 2) float32 in canvas pixels, as ``detector.Boxes`` has them; None where the model gives none.
    """

    xyxy: np.ndarray
    scores: np.ndarray
    class_ids: np.ndarray
    points: np.ndarray | None = None


# (outputs of the net for one picture, canvas (height, width), least score) -> what reaches that score
Decode = Callable[[list[np.ndarray], tuple[int, int], float], Candidates]


class NetworkDetector:
    """A detector that is one network; stateless, so that sources share it. See ``detector.Detector``.

    ``stride`` is given where the net takes canvases of any such multiple: then a picture gets the smallest one that
    holds it, and a 16:9 frame costs 60 % of a square canvas.
    """

    def __init__(
        self, name: str, sha256: str | None, labels: tuple[str, ...], net: Net, decode: Decode, takes: Input,
        settings: Settings, iou: float | None, stride: int | None = None,
    ) -> None:  # fmt: skip
        self.name, self.sha256, self.labels = name, sha256, labels
        self.batch, self.precision = net.batch, net.precision
        stretched = takes.fit == "stretch"
        longest = max(takes.width, takes.height)
        self.size = Size("exact", takes.width, takes.height) if stretched else Size("long", longest)
        self._net, self._decode, self._input, self._stride = net, decode, takes, stride
        self._settings = settings
        self.iou = iou if settings.iou is None or iou is None else settings.iou
        self._wanted = wanted(labels, settings.classes)
        self._canvas = np.empty(0, np.float32)
        if threads := asked():
            cv2.setNumThreads(threads)

    def start(self) -> Detect:
        """Return the detector itself: it keeps nothing of a source."""
        return self

    def __call__(self, images: Sequence[np.ndarray]) -> list[Boxes]:
        """Return the boxes of each of ``images``, (H, W, 3) uint8 RGB."""
        fitted = [self._fit(image) for image in images]
        canvases = [self._canvas_of(image) for image in fitted]
        found: list[Boxes] = []
        start = 0
        for end in range(1, len(images) + 1):
            # One call of the net for neighbours of one canvas; a picture's own canvas never depends on the others.
            if end == len(images) or canvases[end] != canvases[start]:
                found += self._run(images[start:end], fitted[start:end], canvases[start])
                start = end
        return found

    def _fit(self, image: np.ndarray) -> np.ndarray:
        """Return ``image`` resized to what the canvas holds."""
        height, width = image.shape[:2]
        if self._input.fit == "stretch":
            size = (self._input.width, self._input.height)
        else:
            ratio = min(self._input.width / width, self._input.height / height)
            size = (max(1, round(width * ratio)), max(1, round(height * ratio)))
        return image if size == (width, height) else cv2.resize(image, size, interpolation=cv2.INTER_LINEAR)

    def _canvas_of(self, image: np.ndarray) -> tuple[int, int]:
        if self._stride is None:
            return self._input.height, self._input.width
        height, width = image.shape[:2]
        return -(-height // self._stride) * self._stride, -(-width // self._stride) * self._stride

    def _run(self, images: Sequence[np.ndarray], fitted: Sequence[np.ndarray], canvas: tuple[int, int]) -> list[Boxes]:
        outputs = self._net(self._prepare(fitted, canvas))
        found = []
        for index, (image, small) in enumerate(zip(images, fitted, strict=True)):
            candidates = self._decode([output[index] for output in outputs], canvas, self._settings.min_score)
            found.append(self._finish(candidates, image.shape[:2], small.shape[:2], canvas))
        return found

    def _prepare(self, fitted: Sequence[np.ndarray], canvas: tuple[int, int]) -> np.ndarray:
        """Return the input tensor (N, 3, height, width) float32, in memory that is used again."""
        shape = (len(fitted), 3, *canvas)
        if self._canvas.shape != shape:
            self._canvas = np.empty(shape, np.float32)
        takes = self._input
        return normalize(
            fitted, *canvas, scale=takes.scale, mean=takes.mean, std=takes.std, bgr=takes.colour == "bgr",
            pad=takes.pad, centre=takes.fit == "centre", out=self._canvas,
        )  # fmt: skip

    def _finish(
        self, found: Candidates, size: tuple[int, int], small: tuple[int, int], canvas: tuple[int, int]
    ) -> Boxes:
        """Keep the wanted classes, suppress, and bring the boxes from the canvas to the picture."""
        xyxy, scores, class_ids, points = found.xyxy, found.scores, found.class_ids, found.points
        if self._wanted is not None:
            keep = self._wanted[class_ids]
            xyxy, scores, class_ids = xyxy[keep], scores[keep], class_ids[keep]
            points = None if points is None else points[keep]
        if self.iou is None:
            order = np.argsort(-scores, kind="stable")
        else:
            order = nms(np.ascontiguousarray(xyxy), scores, class_ids, self.iou)
        height, width = size
        inside = np.clip(self._back(xyxy[order].reshape(-1, 2), size, small, canvas), 0,
                         np.array([width, height], np.float32)).reshape(-1, 4)
        # What lies beside the picture, on the padding, has no area once it is clipped.
        some = ((inside[:, 2] > inside[:, 0]) & (inside[:, 3] > inside[:, 1])).nonzero()[0][: self._settings.max_boxes]
        if points is not None:
            chosen = points[order][some]
            points = self._back(chosen.reshape(-1, 2), size, small, canvas).reshape(chosen.shape)
        return Boxes(inside[some], scores[order][some], class_ids[order][some], points)

    def _back(
        self, places: np.ndarray, size: tuple[int, int], small: tuple[int, int], canvas: tuple[int, int]
    ) -> np.ndarray:
        """Return places (N, 2) x, y of the canvas in pixels of the picture; sizes are (height, width)."""
        if self._input.fit == "centre":
            top, left = (canvas[0] - small[0]) // 2, (canvas[1] - small[1]) // 2
            places = places - np.array([left, top], np.float32)
        return places * np.array([size[1] / small[1], size[0] / small[0]], np.float32)
