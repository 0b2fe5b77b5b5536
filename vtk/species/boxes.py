"""Which boxes of a source are looked at, how they are cut out, and when their tracks are over."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from vtk.driver.stage import Frame
from vtk.records import Record
from vtk.species.routing import LABELS, Looks

Key = tuple[str, int]
# Share of the longer side of a box that is seen around it: what stands around an animal tells of it, and boxes cut off
# beaks and legs.
AROUND = 1.1
# Tracks from which on those that are due anyway are forgotten.
_MANY = 256


@dataclass(slots=True)
class Track:
    """One track so far: what was seen of it, and its span in seconds and frames, half-open."""

    looks: Looks
    start: float
    start_frame: int
    end: float
    end_frame: int


@dataclass(slots=True)
class Boxes:
    """The boxes of one source.

    Attributes:
        classes: labels that are looked at; a box without a label is.
        interval: seconds between two looks at a track.
        frame_seconds: that a frame lasts, as far as known.
        tracked: whether tracks came: then detections are what they were made of.
        outside: how many boxes lay outside of their frame.
    """

    classes: frozenset[str]
    interval: float
    frame_seconds: float
    tracked: bool = False
    outside: int = 0
    tracks: dict[Key, Track] = field(default_factory=dict)
    _due: dict[int, list[Record]] = field(default_factory=dict)
    _next: dict[Key, float] = field(default_factory=dict)  # of ``choose`` alone
    _closing: dict[Key, Record] = field(default_factory=dict)

    def choose(self, frame: Frame) -> bool:
        """Choose the boxes of a frame that are looked at; return whether there is one. Once a frame, in order."""
        self.tracked = self.tracked or any(record["type"] == "track" for record in frame.records)
        chosen = []
        for record in frame.records:
            label = record.get("label")
            if label is not None and label not in self.classes or record["type"] == "tracklet":
                continue
            if record["type"] == "detection":
                if not self.tracked:
                    chosen.append(record)
            elif frame.t >= self._next.get(key := key_of(record), -math.inf):
                self._next[key] = frame.t + self.interval
                chosen.append(record)
        if len(self._next) > _MANY:  # what is past says nothing any more; nobody else may touch it: see ``Stage.picks``
            self._next = {key: due for key, due in self._next.items() if due > frame.t}
        if chosen:
            self._due[frame.index] = chosen
        return bool(chosen)

    def due(self, frame: Frame) -> list[Record]:
        """Return the boxes of a frame that were chosen, and note how far its tracks reach."""
        for record in frame.records:
            label = record.get("label")
            if record["type"] != "track" or label is not None and label not in self.classes:
                continue
            end = frame.t + self.frame_seconds
            track = self.tracks.setdefault(key_of(record), Track(Looks(), frame.t, frame.index, end, frame.index + 1))
            track.end, track.end_frame = end, frame.index + 1
        return self._due.pop(frame.index, [])

    def seen(self, record: Record, looks: Looks) -> None:
        """Add what was seen of a track's box."""
        if (track := self.tracks.get(key_of(record))) is not None:
            track.looks.merge(looks)

    def hear(self, record: Record) -> None:
        """Take a tracklet: its track is over once the frames before its end were looked at."""
        if (key := key_of(record)) in self.tracks or record.get("label") in (None, *self.classes):
            self._closing[key] = record

    def over(self, index: int | None) -> list[tuple[Key, Track]]:
        """Return the tracks that are over once frame ``index`` was looked at, all of them for None, in their order."""
        keys = [key for key in self.tracks
                if index is None or key in self._closing and self._closing[key].get("end_frame", 0) <= index + 1]
        done = []
        for key in keys:
            track, said = self.tracks.pop(key), self._closing.pop(key, {})
            if "end_frame" in said and "start_frame" in said:
                track.start, track.start_frame = said["start"], said["start_frame"]
                track.end, track.end_frame = said["end"], said["end_frame"]
            done.append((key, track))
        return done


def key_of(record: Record) -> Key:
    """Return what tells the track of a record from all others of its source."""
    return (str(record.get("by", "")), int(record["track_id"]))


def group_of(record: Record) -> str | None:
    """Return the group of living things that a box's label says; None where it says none."""
    return LABELS.get(str(record.get("label", "")))


def cut(image: np.ndarray, xyxy: Sequence[float]) -> np.ndarray | None:
    """Return the square around a box, as far as it lies in the picture; None where the box does not.

    Args:
        image: (H, W, 3) uint8 RGB, of the size that the box is given in.
        xyxy: pixels.
    """
    height, width = image.shape[:2]
    left, top, right, bottom = xyxy
    if not (min(right, width) > max(left, 0) and min(bottom, height) > max(top, 0)):
        return None
    half = max(right - left, bottom - top) * AROUND / 2
    x, y = (left + right) / 2, (top + bottom) / 2
    first, last = max(0, math.floor(x - half)), min(width, math.ceil(x + half))
    upper, lower = max(0, math.floor(y - half)), min(height, math.ceil(y + half))
    return np.ascontiguousarray(image[upper:lower, first:last])
