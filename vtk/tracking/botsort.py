"""ultralytics' BoT-SORT behind the interface of our trackers."""

from __future__ import annotations

import numpy as np

from vtk.models.botsort import BotSort
from vtk.tracking.tracker import MAX_GAP, Step, Tracker, checked_boxes


class UltralyticsTracker(Tracker):
    """BoT-SORT as ultralytics publishes it, by its own code and thresholds, without appearance.

    It counts frames that were looked at, not time. Each class has a tracker of its own. With pictures it takes out the
    camera's motion in its own way.

    Args:
        max_lost: seconds after its last box at which a track ends; None: 30 frames, as there.
    """

    looks = True

    def __init__(self, max_lost: float | None = None) -> None:
        super().__init__("xywh", max_lost)
        self._by_class: dict[int, BotSort] = {}
        self._numbers: dict[tuple[int, int], int] = {}  # class and ultralytics' id -> ours
        self._seen: tuple[np.ndarray, tuple[float, float]] | None = None
        self._patience = 30  # frames
        BotSort()  # says at once what is missing

    def look(self, image: np.ndarray, scale: tuple[float, float]) -> None:
        """Take the picture of the frame that comes next."""
        self._seen = image, scale

    def update(self, frame: int, t: float, step: int, boxes: np.ndarray, scores: np.ndarray, class_ids: np.ndarray,
               features: np.ndarray | None = None) -> Step:
        """Track the boxes of one frame; features are not looked at. See ``Tracker.update``."""
        boxes, scores, class_ids = checked_boxes(boxes, scores, class_ids)
        if frame <= self.frame:
            raise ValueError(f"frames must come in increasing order: got {frame} after {self.frame}")
        track_ids, filtered = np.full(len(boxes), -1, np.int64), boxes.astype(np.float32)
        (image, scale), self._seen = self._seen or (None, (1.0, 1.0)), None
        if not len(boxes):
            return Step(track_ids, filtered, [], track_ids, [])
        empty, unseen = np.empty((0, 4), np.float32), min(self._steps(frame, step) - 1, MAX_GAP)
        if self.frame < 0:
            self._patience = self._frames(step)
        self.frame, self.t = frame, t
        for class_id in set(class_ids.tolist()) - set(self._by_class):
            self._by_class[class_id] = BotSort(self._patience)
        ended: list[int] = []
        theirs, removed = track_ids.copy(), []
        pixels = np.array([*scale, *scale], np.float32)
        for class_id, tracker in self._by_class.items():
            here = np.flatnonzero(class_ids == class_id)
            for _ in range(unseen):
                ended += self._gone(class_id, tracker.update(empty, empty[:, 0], empty[:, 0]).removed)
            found = tracker.update(filtered[here] / pixels, scores[here], class_ids[here], image)
            filtered[here] = found.boxes * pixels
            theirs[here] = found.track_ids
            removed.append((class_id, found.removed))
        # By the order of the boxes, whatever their classes; what is both found and removed here still needs its number.
        track_ids[:] = [self._number(*pair) for pair in zip(class_ids.tolist(), theirs.tolist(), strict=True)]
        ended += [number for class_id, gone in removed for number in self._gone(class_id, gone)]
        return Step(track_ids, filtered, ended, track_ids, [])

    def expire(self, frame: int, t: float, step: int) -> list[int]:
        """Return nothing: what an empty frame ends is told with the next boxes."""
        return []

    def finish(self) -> list[int]:
        """End every track and return the ids of those that were reported."""
        ended, self._numbers = list(self._numbers.values()), {}
        return ended

    def _frames(self, step: int) -> int:
        if self.max_lost is None:
            return 30
        return round(self.max_lost / (self.interval * step)) if self.interval > 0 else round(self.max_lost * 30)

    def _number(self, class_id: int, theirs: int) -> int:
        if theirs < 0:
            return -1
        if (class_id, theirs) not in self._numbers:
            self._last_id += 1
            self._numbers[class_id, theirs] = self._last_id
        return self._numbers[class_id, theirs]

    def _gone(self, class_id: int, removed: list[int]) -> list[int]:
        return [self._numbers.pop((class_id, theirs)) for theirs in removed if (class_id, theirs) in self._numbers]
