"""One maker's detections in one source on their way to tracks and tracklets."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache

import numpy as np

from vtk import records
from vtk.records import Record
from vtk.tracking.detections import Classes, Looks, arrays
from vtk.tracking.refine import Refiner
from vtk.tracking.tracker import Tracker
from vtk.tracking.tracklets import Tracklets

# Keys that a track record states itself; a detection's others travel on.
OWN_KEYS = frozenset({"v", "type", "by", "source", "frame", "pts", "t", "step", "xyxy", "track_id", "det_xyxy"})


@dataclass(slots=True)
class Place:
    """A frame as the lanes of its source see it.

    Attributes:
        keys: what places a record in it: source, frame, pts, t, step.
        interval: seconds from a frame to the next, 0 where unknown.
        motion: (2, 3) float64, how the camera moved since the previous frame; None: not looked at.
        image: (H, W, 3) uint8 RGB, for trackers that look themselves; None: without.
        scale: (x, y), what its pixels are multiplied by to give the source's.
    """

    keys: Record
    interval: float
    motion: np.ndarray | None = None
    image: np.ndarray | None = None
    scale: tuple[float, float] = (1.0, 1.0)

    @property
    def frame(self) -> int:
        """Its index."""
        return self.keys["frame"]


@dataclass(slots=True)
class Lane:
    """One maker's detections in one source: they are tracked apart from another maker's.

    Attributes:
        by: the maker that the records name.
        size: width and height of the displayed frame in pixels, where known.
        keep: whether tracks carry the detector's box as ``det_xyxy``.
        refiner: what puts tracks right with hindsight; None: they are told as they come.
    """

    by: str
    tracker: Tracker
    tracklets: Tracklets
    size: tuple[int, int] | None
    keep: bool = False
    refiner: Refiner | None = None
    classes: Classes = field(default_factory=Classes)
    looks: Looks = field(default_factory=Looks)

    def track(self, place: Place, detections: Sequence[Record]) -> tuple[list[Record | None], list[Record]]:
        """Track the detections of a frame.

        Returns:
            the track of each detection, None where it has none (yet), and the tracklets that ended. With a refiner all
            are None, and ``final`` tells the tracks.
        """
        tracker = self.tracker
        tracker.interval = place.interval
        if place.motion is not None:
            tracker.move(place.motion)
        if place.image is not None:
            tracker.look(place.image, place.scale)
        boxes, scores, class_ids = arrays(detections, self.classes)
        if not (boxes[:, 2:] > boxes[:, :2]).all():
            return self._without_empty(place, detections, boxes)
        t, step = place.keys["t"], place.keys.get("step", 1)
        done = tracker.update(place.frame, t, step, boxes, scores, class_ids, self.looks.of(detections))
        if self.refiner is not None:
            self._refine(self.refiner, place, detections, done.track_ids.tolist(), done.keys.tolist())
            self.refiner.end(done.ended, done.lost)
            return [None] * len(detections), []
        tracks: list[Record | None] = []
        found = zip(detections, done.track_ids.tolist(), records.boxes(done.boxes), strict=True)
        for detection, track_id, box in found:
            if track_id > 0:
                track = self._record(place.keys, track_id, clipped(box, detection["xyxy"], self.size), detection)
                self.tracklets.add(track)
                tracks.append(track)
            else:
                tracks.append(None)
        return tracks, self.tracklets.close(done.ended, place.interval)

    def _without_empty(self, place: Place, detections: Sequence[Record],
                       boxes: np.ndarray) -> tuple[list[Record | None], list[Record]]:
        """Track the detections whose boxes (N, 4) have an area: the others overlap nothing."""
        whole = (boxes[:, 2:] > boxes[:, :2]).all(axis=1).tolist()
        tracked = [detection for detection, has_area in zip(detections, whole, strict=True) if has_area]
        found, ended = self.track(replace(place, motion=None, image=None), tracked)
        told = iter(found)
        return [next(told) if has_area else None for has_area in whole], ended

    def final(self, frame: int | None, interval: float) -> tuple[list[Record], list[Record]]:
        """Return the refined tracks that ``frame`` makes final, and the tracklets that are complete; None: all."""
        if self.refiner is None:
            return [], []
        refined, complete = self.refiner.final(frame)
        tracks = []
        for track_id, seen, box in refined:
            filled = seen.others is None
            found = box if filled else seen.others["xyxy"]  # type: ignore[index]
            detection = seen.others if seen.others is not None else self.tracklets.labels(track_id)
            track = self._record(seen.place, track_id, clipped(box, found, self.size), detection, seen.score)
            if filled:
                track["filled"] = True
            else:
                self.tracklets.add(track)
            tracks.append(track)
        return tracks, self.tracklets.close(complete, interval)

    def finish(self, interval: float) -> tuple[list[Record], list[Record]]:
        """End every track; return the refined tracks that were held back, and the tracklets."""
        ended = self.tracker.finish()
        if self.refiner is None:
            return [], self.tracklets.close(ended, interval)
        self.refiner.end(ended, [])
        return self.final(None, interval)

    def _refine(self, refiner: Refiner, place: Place, detections: Sequence[Record], track_ids: list[int],
                keys: list[int]) -> None:
        """Hand a frame's boxes to the refiner."""
        refiner.see(place.keys)
        for detection, track_id, key in zip(detections, track_ids, keys, strict=True):
            if key > 0:
                refiner.add(key, place.keys, detection["xyxy"], detection["score"], detection)
                if track_id > 0:
                    refiner.report(key, track_id)

    def _record(self, keys: Record, track_id: int, box: list[float], detection: Record,
                score: float | None = None) -> Record:
        """Return a track record: the detection's other keys travel on; ``score`` where there is no detection."""
        record: Record = {"v": records.VERSION, "type": "track", "by": self.by, **keys, "track_id": track_id,
                          "xyxy": box}
        if "score" not in detection and score is not None:
            record["score"] = records.score(score)
        for name in others(tuple(detection)):
            record[name] = detection[name]
        if self.keep and "xyxy" in detection:
            record["det_xyxy"] = detection["xyxy"]
        return record


@lru_cache(maxsize=64)
def others(names: tuple[str, ...]) -> tuple[str, ...]:
    """Return those of a detection's keys that its track takes over, in their order."""
    return tuple(name for name in names if name not in OWN_KEYS)


def clipped(box: list[float], found: list[float], size: tuple[int, int] | None) -> list[float]:
    """Return a filtered box cut to the frame; the detector's box where nothing of it would be left.

    Args:
        box: filtered xyxy in pixels.
        found: the detector's xyxy in pixels.
        size: width and height of the frame in pixels; None where unknown: the box stays as it is.
    """
    x1, y1, x2, y2 = box
    if size is not None and (x1 < 0 or y1 < 0 or x2 > size[0] or y2 > size[1]):
        width, height = size
        box = [min(max(x1, 0.0), width), min(max(y1, 0.0), height), min(max(x2, 0.0), width), min(max(y2, 0.0), height)]
    return box if box[0] < box[2] and box[1] < box[3] else found
