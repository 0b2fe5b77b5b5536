"""Small objects: a picture in its own size, cut in squares that overlap, and looked at as a whole as well."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from vtk.kernels.nms import nms
from vtk.media.sampling import NATIVE
from vtk.models.detector import Boxes, Detect, Detector, Settings

OVERLAP = 0.25  # of a tile's side, at least: what is no larger is whole in one of two neighbours
# Two boxes of a class that overlap more are of one object, unless the user or the detector's makers give less: what
# two looks at one object give differs more than what one look gives.
MERGE_IOU = 0.5
MERGE_PART = 0.5  # share of a cut box inside a whole one of its class from which on it is a part of it
EDGE = 0.02  # of a tile's side: a box that ends nearer to an inner edge counts as cut by it
ROWS = 256  # cut boxes compared at once: 10,000 of them and as many whole ones would fill gigabytes


class TiledDetector:
    """A detector that looks at pictures tile by tile; see ``detector.Detector``."""

    def __init__(self, detector: Detector, settings: Settings) -> None:
        self.name, self.sha256, self.labels = detector.name, detector.sha256, detector.labels
        self.batch, self.precision, self.size = detector.batch, detector.precision, NATIVE
        own = MERGE_IOU if detector.iou is None else min(detector.iou, MERGE_IOU)
        self.iou = own if settings.iou is None else settings.iou
        self._detector, self._settings = detector, settings

    def start(self) -> Detect:
        """Return what looks at the pictures of one source."""
        return _Source(self._detector, self._settings, self.iou)


@dataclass(slots=True)
class _Source:
    """The detectors of one source: one for the whole picture, one for each tile, for those that learn a background."""

    detector: Detector
    settings: Settings
    iou: float
    slots: list[Detect] = field(default_factory=list)

    def __call__(self, images: Sequence[np.ndarray]) -> list[Boxes]:
        """Return the boxes of each of ``images``, (H, W, 3) uint8 RGB, in pixels of the picture."""
        views = [windows(*image.shape[1::-1], self.settings.tile) for image in images]
        while len(self.slots) < max(map(len, views), default=0):
            self.slots.append(self.detector.start())
        jobs = [(self.slots[slot], crop(image, window))
                for image, cut in zip(images, views, strict=True) for slot, window in enumerate(cut)]
        found = iter(_in_batches(jobs, self.detector.batch))
        return [merge([next(found) for _ in cut], cut, self.iou).taken(slice(self.settings.max_boxes))
                for cut in views]


def windows(width: int, height: int, side: int) -> np.ndarray:
    """Return (K, 4) int64 x1, y1, x2, y2 in pixels: the whole picture, then its tiles in rows, where it has several.

    Tiles are squares of ``side`` pixels, no larger than the picture, evenly spread; neighbours overlap by ``OVERLAP``
    of their side or more.
    """
    whole = [[0, 0, width, height]]
    if width > side or height > side:
        whole += [[x, y, min(x + side, width), min(y + side, height)]
                  for y in _starts(height, side) for x in _starts(width, side)]
    return np.array(whole, np.int64)


def _starts(length: int, side: int) -> list[int]:
    """Return where tiles begin along a side of the picture of ``length`` pixels."""
    if length <= side:
        return [0]
    steps = -(-(length - side) // max(1, int(side * (1 - OVERLAP))))
    return [step * (length - side) // steps for step in range(steps + 1)]


def crop(image: np.ndarray, window: np.ndarray) -> np.ndarray:
    """Return the part of ``image`` in ``window``, x1, y1, x2, y2 in pixels; a view."""
    x1, y1, x2, y2 = window
    return image[y1:y2, x1:x2]


def _in_batches(jobs: Sequence[tuple[Detect, np.ndarray]], batch: int) -> list[Boxes]:
    """Return what each job's detector finds in its picture; neighbours with one detector share its calls."""
    found: list[Boxes] = []
    start = 0
    for end in range(1, len(jobs) + 1):
        if end == len(jobs) or jobs[end][0] is not jobs[start][0] or end - start == batch:
            found += jobs[start][0]([image for _, image in jobs[start:end]])
            start = end
    return found


def merge(found: Sequence[Boxes], cut: np.ndarray, iou: float) -> Boxes:
    """Return the boxes of one picture from those of its windows, best score first.

    A box is cut where it ends at an edge of its window that is not the picture's. Whole boxes are weeded out among
    themselves by non-maximum suppression. A cut box goes where ``MERGE_PART`` of it lies in a whole box of its class:
    that one shows all of the object, whatever the scores. Cut boxes left over are of what no window shows whole; they
    are weeded out as the others are, so that the best one stays.

    Args:
        found: the boxes of each window, in its pixels.
        cut: (K, 4) the windows; the first is the whole picture.
        iou: overlap above which of two boxes of a class the weaker goes.
    """
    boxes = join([shifted(each, window) for each, window in zip(found, cut, strict=True)])
    if len(cut) == 1 or not len(boxes):
        return boxes
    origin = np.repeat(cut, [len(each) for each in found], axis=0)
    broken = is_cut(boxes.xyxy, origin, cut[0])
    whole = boxes.taken(~broken)
    whole = whole.taken(_kept(whole, iou))
    parts = boxes.taken(broken)
    covered = _covered(parts, whole) >= MERGE_PART
    both = join([whole, parts.taken(~covered)])
    return both.taken(_kept(both, iou))


def _kept(boxes: Boxes, iou: float) -> np.ndarray:
    return nms(np.ascontiguousarray(boxes.xyxy), boxes.scores, boxes.class_ids, iou)


def shifted(boxes: Boxes, window: np.ndarray) -> Boxes:
    """Return boxes in pixels of ``window``, x1, y1, x2, y2, in pixels of its picture."""
    corner = window[:2].astype(np.float32)
    points = None if boxes.points is None else boxes.points + corner
    return Boxes(boxes.xyxy + np.tile(corner, 2), boxes.scores, boxes.class_ids, points)


def join(parts: Sequence[Boxes]) -> Boxes:
    """Return the boxes of all ``parts``, which have points all or none."""
    points = [part.points for part in parts if part.points is not None]
    return Boxes(*(np.concatenate([getattr(part, name) for part in parts]) for name in ("xyxy", "scores", "class_ids")),
                 np.concatenate(points) if points else None)


def is_cut(xyxy: np.ndarray, origin: np.ndarray, whole: np.ndarray) -> np.ndarray:
    """Return (N,) bool, which boxes end at an inner edge of their window.

    All in pixels of the picture: ``origin`` (N, 4), the window of each box; ``whole`` (4,), the picture.
    """
    near = EDGE * (origin[:, 2:] - origin[:, :2]).max(axis=1, initial=0, keepdims=True)
    first = (xyxy[:, :2] <= origin[:, :2] + near) & (origin[:, :2] > whole[:2])
    last = (xyxy[:, 2:] >= origin[:, 2:] - near) & (origin[:, 2:] < whole[2:])
    return (first | last).any(axis=1)


def _covered(parts: Boxes, whole: Boxes) -> np.ndarray:
    """Return (N,) float, the largest share of each part that lies in one whole box of its class."""
    shares = [_shares(parts.taken(slice(start, start + ROWS)), whole) for start in range(0, len(parts), ROWS)]
    return np.concatenate(shares) if shares else np.empty(0, np.float32)


def _shares(parts: Boxes, whole: Boxes) -> np.ndarray:
    corner = np.maximum(parts.xyxy[:, None, :2], whole.xyxy[None, :, :2])
    sides = np.maximum(np.minimum(parts.xyxy[:, None, 2:], whole.xyxy[None, :, 2:]) - corner, 0)
    area = (parts.xyxy[:, 2:] - parts.xyxy[:, :2]).prod(axis=1)
    share = sides.prod(axis=2) / np.maximum(area, np.finfo(np.float32).tiny)[:, None]
    return (share * (parts.class_ids[:, None] == whole.class_ids)).max(axis=1, initial=0)
