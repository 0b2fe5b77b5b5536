"""Background subtraction: what moves before a camera that stands still. No weights, any subject."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from vtk.media.sampling import Size
from vtk.models.detector import Boxes, Detect, Settings, wanted
from vtk.models.runtime import RuntimeOptions
from vtk.models.weights import Weights
from vtk.models.zoo import Model
from vtk.threads import asked

LABELS = ("motion",)
# Shares of the picture, so that a clip gives the same boxes at any resolution; set by eye on vtest.avi (768 x 576).
MIN_AREA = 0.0008  # of the picture: a person 25 pixels wide and 35 high there
GAP = 0.012  # of the long side: pieces nearer than this are one
GRAIN = 0.003  # of the long side: specks smaller than this are noise
DENSITY = 0.25  # least moving share of a box's pixels: what is thinner is a rim of light or a swaying twig
FLOOD = 0.6  # where more of the picture moves, the light or the camera changed
# The share of the past that a picture replaces. Measured on vtest.avi and TUD-Campus: OpenCV's own schedule learns a
# thing that comes early within a few pictures, a slower rate keeps the ghosts of what stood there at first.
RATE = 0.008
WARM_UP = 2  # pictures until there is a background to compare with


def build(model: Model, weights: Weights, settings: Settings, runtime: RuntimeOptions) -> MotionDetector:
    """Return the motion detector."""
    return MotionDetector(model, settings, runtime)


class MotionDetector:
    """A detector of what moves; see ``detector.Detector``. A score is 1 - exp(-moving area / MIN_AREA)."""

    sha256 = None
    labels = LABELS
    precision = "fp32"
    iou = None

    def __init__(self, model: Model, settings: Settings, runtime: RuntimeOptions) -> None:
        wanted(LABELS, settings.classes)
        self.name = model.name
        self.size = Size("long", model.input.width)
        self.batch = runtime.batch or 1
        self._settings = settings
        if threads := runtime.threads or asked():
            cv2.setNumThreads(threads)

    def start(self) -> Detect:
        """Return a detector that knows nothing of the background yet."""
        return _Background(self.size, self._settings)


class _Background:
    """The background of one source, learned as its pictures come in order."""

    def __init__(self, size: Size, settings: Settings) -> None:
        self._size, self._settings = size, settings
        self._model = cv2.createBackgroundSubtractorMOG2(history=500, varThreshold=16, detectShadows=True)
        self._seen = 0

    def __call__(self, images: Sequence[np.ndarray]) -> list[Boxes]:
        return [self._one(image) for image in images]

    def _one(self, image: np.ndarray) -> Boxes:
        height, width = image.shape[:2]
        size = self._size.of(width, height)
        small = image if size == (width, height) else cv2.resize(image, size, interpolation=cv2.INTER_AREA)
        moving = (self._model.apply(small, learningRate=RATE) == 255).astype(np.uint8)  # 127 marks shadows
        self._seen += 1
        if self._seen <= WARM_UP or moving.mean() > FLOOD:
            return _boxes(np.empty((0, 4)), np.empty(0))
        long = max(size)
        moving = cv2.morphologyEx(moving, cv2.MORPH_OPEN, _disc(GRAIN * long))
        whole = cv2.morphologyEx(moving, cv2.MORPH_CLOSE, _disc(GAP * long))
        _, labels, stats, _ = cv2.connectedComponentsWithStats(whole)
        return self._pick(stats[1:], moving, labels, (width / size[0], height / size[1]))

    def _pick(
        self, stats: np.ndarray, moving: np.ndarray, labels: np.ndarray, scale: tuple[float, float]
    ) -> Boxes:
        """Return the parts that are large and dense enough; ``stats`` as OpenCV gives them."""
        x, y, width, height, area = stats.T.astype(np.float64)
        count = np.bincount(labels.ravel(), weights=moving.ravel(), minlength=len(stats) + 1)[1:]
        least = MIN_AREA * labels.size
        scores = 1 - np.exp(-count / least)
        keep = (area >= least) & (count >= DENSITY * width * height) & (scores >= self._settings.min_score)
        order = np.flatnonzero(keep)[np.argsort(-scores[keep], kind="stable")][: self._settings.max_boxes]
        xyxy = np.stack([x, y, x + width, y + height], axis=1)[order] * [*scale, *scale]
        return _boxes(xyxy, scores[order])


def _boxes(xyxy: np.ndarray, scores: np.ndarray) -> Boxes:
    return Boxes(xyxy.astype(np.float32), scores.astype(np.float32), np.zeros(len(scores), np.int64))


def _disc(diameter: float) -> np.ndarray:
    """Return a round structuring element of an odd diameter in pixels, at least 3."""
    side = max(3, round(diameter) | 1)
    return cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side))
