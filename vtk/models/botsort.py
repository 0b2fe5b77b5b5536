"""ultralytics' own BoT-SORT, over arrays: the program as it is published, for those who ask for it by name."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import cv2
import numpy as np

from vtk.errors import UsageError
from vtk.models.checkpoint import _ultralytics_kept_quiet as ultralytics_kept_quiet


class Tracked(NamedTuple):
    """What the tracker says of one frame.

    Attributes:
        track_ids: (N,) int64, the track of each box, from 1; -1 where it has none.
        boxes: (N, 4) float32 xyxy in pixels, filtered where there is a track, else as they came.
        removed: the ids of the reported tracks that ended, in increasing order.
    """

    track_ids: np.ndarray
    boxes: np.ndarray
    removed: list[int]


@dataclass(frozen=True, slots=True)
class _Detections:
    """Boxes in the shape that ultralytics' trackers read: ``Boxes`` of its results, without the torch.

    Attributes:
        xyxy: (N, 4) float32 in pixels.
        conf: (N,) float32 scores.
        cls: (N,) float32 classes.
    """

    xyxy: np.ndarray
    conf: np.ndarray
    cls: np.ndarray

    @property
    def xywh(self) -> np.ndarray:
        """Centre x, centre y, width, height (N, 4) float32."""
        low, high = self.xyxy[:, :2], self.xyxy[:, 2:]
        return np.concatenate([(low + high) / 2, high - low], axis=1)

    def __len__(self) -> int:
        return len(self.conf)

    def __getitem__(self, rows: np.ndarray) -> _Detections:
        return _Detections(self.xyxy[rows], self.conf[rows], self.cls[rows])


class BotSort:
    """A tracker of one source. Thresholds are those of ultralytics' botsort.yaml, without appearance.

    As there, a track takes the nearest box whatever its class, and boxes of score 0.1 or less are not looked at.

    Args:
        max_lost_frames: a track ends when it has gone without a box for more than so many frames.

    Raises:
        UsageError: the package lap is missing, which ultralytics would install by itself.
        ValueError: ``max_lost_frames`` is negative.

    Source: Aharon et al., BoT-SORT, 2022, as ultralytics wrote it (BOTSORT in trackers/bot_sort.py).
    """

    def __init__(self, max_lost_frames: int = 30) -> None:
        if max_lost_frames < 0:
            raise ValueError(f"max_lost_frames must be 0 or more, got {max_lost_frames}")
        self._tracker = _tracker(max_lost_frames)
        self._ids: dict[int, int] = {}  # ultralytics' id → ours; older versions count over all sources
        self._last = 0

    def update(self, boxes: np.ndarray, scores: np.ndarray, class_ids: np.ndarray,
               image: np.ndarray | None = None) -> Tracked:
        """Track the boxes of the next frame. Frames without boxes count and must be passed too.

        Args:
            boxes: (N, 4) xyxy in pixels.
            scores: (N,) in [0, 1].
            class_ids: (N,) int.
            image: (H, W, 3) uint8 RGB, in whose pixels the boxes are; with one, the camera's motion is compensated.

        Raises:
            ValueError: the arrays do not agree, or a box is not finite.
        """
        found, image = _checked(boxes, scores, class_ids, image)
        rows = self._tracker.update(found, image)
        track_ids, filtered = np.full(len(found), -1, np.int64), found.xyxy.copy()
        if len(rows):  # x1, y1, x2, y2, id, score, class, index of the box
            rows = rows[np.argsort(rows[:, -1])]
            place = rows[:, -1].astype(np.int64)
            track_ids[place] = [self._number(int(theirs)) for theirs in rows[:, 4]]
            filtered[place] = rows[:, :4]
        return Tracked(track_ids, filtered, self._forget())

    def _number(self, theirs: int) -> int:
        """Return our id of a track; ids go by the order in which tracks are first reported."""
        if theirs not in self._ids:
            self._last += 1
            self._ids[theirs] = self._last
        return self._ids[theirs]

    def _forget(self) -> list[int]:
        """Return the ids of reported tracks that are gone, and forget them.

        Those that ultralytics calls removed may come back a frame later, and duplicates vanish without a word.
        """
        alive = {track.track_id for pool in (self._tracker.tracked_stracks, self._tracker.lost_stracks)
                 for track in pool}
        gone = [theirs for theirs in self._ids if theirs not in alive]
        return sorted(self._ids.pop(theirs) for theirs in gone)


def _tracker(max_lost_frames: int) -> Any:
    """Return ultralytics' tracker with its published options, patience aside."""
    if importlib.util.find_spec("lap") is None:
        raise UsageError("BoT-SORT needs the package lap, and it is not installed; pip install lap, or choose another "
                         "tracker")
    with ultralytics_kept_quiet():
        from ultralytics.trackers.bot_sort import BOTSORT
        from ultralytics.utils import ROOT, YAML, IterableSimpleNamespace

        options = YAML.load(ROOT / "cfg" / "trackers" / "botsort.yaml")
        return BOTSORT(IterableSimpleNamespace(**options | {"track_buffer": max_lost_frames, "with_reid": False}))


def stock_byte_tracker() -> Callable[[Any], Any]:
    """Return the update of a new ByteTrack of ultralytics, of its published options: what a benchmark measures."""
    with ultralytics_kept_quiet():
        from ultralytics.trackers.byte_tracker import BYTETracker
        from ultralytics.utils import ROOT, YAML, IterableSimpleNamespace

    options = YAML.load(ROOT / "cfg" / "trackers" / "bytetrack.yaml")
    return BYTETracker(IterableSimpleNamespace(**options)).update


def stock_boxes(table: np.ndarray, shape: tuple[int, int]) -> Any:
    """Return boxes as ultralytics' trackers take them.

    Args:
        table: (N, 6) float32, x1, y1, x2, y2 in pixels, score, class.
        shape: height and width of the picture.
    """
    with ultralytics_kept_quiet():
        from ultralytics.engine.results import Boxes

    return Boxes(table, shape)


def _checked(boxes: np.ndarray, scores: np.ndarray, class_ids: np.ndarray,
             image: np.ndarray | None) -> tuple[_Detections, np.ndarray | None]:
    """Return the boxes and the image in BGR as ultralytics reads them."""
    found = _Detections(*(np.asarray(array, dtype=np.float32) for array in (boxes, scores, class_ids)))
    count = len(found.conf) if found.conf.ndim == 1 else -1
    if found.xyxy.shape != (count, 4) or found.cls.shape != (count,):
        raise ValueError(f"boxes (N, 4), scores (N,) and class_ids (N,) are needed, got shapes {found.xyxy.shape}, "
                         f"{found.conf.shape} and {found.cls.shape}")
    if not (np.isfinite(found.xyxy).all() and np.isfinite(found.conf).all()):
        raise ValueError("boxes and scores must be finite, got NaN or infinity")
    if image is None:
        return found, None
    if image.ndim != 3 or image.shape[2] != 3 or image.dtype != np.uint8:
        raise ValueError(f"image must be (H, W, 3) uint8, got {image.shape} {image.dtype}")
    return found, cv2.cvtColor(image, cv2.COLOR_RGB2BGR)
