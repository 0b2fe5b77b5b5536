"""Tracks put right with hindsight: short gaps filled, first boxes kept, boxes smoothed; a few frames late."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from vtk import records
from vtk.records import Record

# Frames missing in a row that are filled, as design and help say.
MAX_FILL = 20
# Frames on either side that a box is smoothed over. Mean HOTA with 0, 2, 4, 6, 8, 10 and 12: public boxes 47.4, 50.3,
# 51.2, 51.7, 52.0, 52.2, 52.2; yolox-nano 55.6, 57.7, 58.3, 59.0, 59.4, 59.5, 59.3 (measured on KITTI-17, TUD-Campus
# and PETS09-S2L1). 8, not 10: the wider it is, the more a quick turn
# is rounded off.
WINDOW = 8
# Frames after which nothing that comes can change a frame: a gap is filled from its far end, and smoothed beyond it.
LAG = MAX_FILL + 1 + WINDOW


@dataclass(slots=True)
class Observation:
    """A box of a track in one frame.

    Attributes:
        place: the keys that place it: source, frame, pts, t, step.
        box: (4,) float64, centre x, centre y, width, height in pixels.
        score: how sure it is.
        others: the other keys of its record; None where it was filled in.
    """

    place: Record
    box: np.ndarray
    score: float
    others: Record | None

    @property
    def frame(self) -> int:
        """The index of its frame."""
        return self.place["frame"]


@dataclass(slots=True)
class Course:
    """What is known of one track: its boxes, how many of them have been given out, and whether it has ended."""

    seen: list[Observation] = field(default_factory=list)
    given: int = 0
    track_id: int = 0
    ended: bool = False


class Refiner:
    """Holds the tracks of one tracker in one source back for LAG frames and gives them out refined.

    A track is given out with the boxes that it had before it was sure enough to be reported, with gaps of up to
    MAX_FILL frames filled, and smoothed by local linear regression over WINDOW frames on either side, boxes weighted
    by nearness (tricube) and by score.

    Source: local linear regression, Cleveland, JASA 1979; filling short gaps in tracks, ByteTrack's program and
    StrongSORT (Du et al., 2023).
    """

    def __init__(self) -> None:
        self._courses: dict[int, Course] = {}
        self._keys: dict[int, int] = {}  # track id -> key
        self._places: dict[int, Record] = {}  # frames of late, by index

    def see(self, place: Record) -> None:
        """Take note of a frame that was looked at, by the keys that place it."""
        self._places[place["frame"]] = place

    def add(self, key: int, place: Record, xyxy: list[float], score: float, others: Record) -> None:
        """Add a detector's box to the track numbered ``key``, and fill the gap before it if it is short."""
        course = self._courses.setdefault(key, Course())
        here = Observation(place, _centred(xyxy), score, others)
        if course.seen:
            course.seen += self._filling(course.seen[-1], here)
        course.seen.append(here)

    def report(self, key: int, track_id: int) -> None:
        """Say by which id the track numbered ``key`` is reported."""
        self._courses[key].track_id = track_id
        self._keys[track_id] = key

    def end(self, track_ids: list[int], lost: list[int]) -> None:
        """Take note that reported tracks have ended, and that the tracks numbered ``lost`` never will be reported."""
        for track_id in track_ids:
            self._courses[self._keys.pop(track_id)].ended = True
        for key in lost:
            self._courses.pop(key, None)

    def final(self, frame: int | None) -> tuple[list[tuple[int, Observation, list[float]]], list[int]]:
        """Return what nothing can change once ``frame`` has been seen; None: the source has ended.

        Returns:
            (track id, observation, smoothed xyxy) by frame and id, and the ids of the tracks that are complete.
        """
        least = None if frame is None else frame - LAG
        out: list[tuple[int, Observation, list[float]]] = []
        complete = []
        for key, course in list(self._courses.items()):
            if not course.track_id:  # what it had so long ago is too late to be told, should it still be reported
                course.given += sum(each.frame <= least for each in course.seen[course.given:]) if least else 0
            else:
                out += ((course.track_id, *refined) for refined in self._refined(course, least))
            if course.ended and course.given == len(course.seen):
                complete.append(course.track_id)
                del self._courses[key]
        for index in [index for index in self._places if least is not None and index < least - MAX_FILL]:
            del self._places[index]
        return sorted(out, key=lambda each: (each[1].frame, each[0])), complete

    def _filling(self, before: Observation, after: Observation) -> Iterator[Observation]:
        """Yield what stands between two observations of a track: one a frame looked at, on the line between them."""
        step = after.place.get("step", 1)
        gap = after.frame - before.frame
        if gap - 1 > MAX_FILL or gap <= step:
            return
        for frame in range(before.frame + step, after.frame, step):
            share = (frame - before.frame) / gap
            place = self._places.get(frame) or _between(before.place, after.place, frame, share)
            yield Observation(place, before.box + share * (after.box - before.box),
                              before.score + share * (after.score - before.score), None)

    def _refined(self, course: Course, least: int | None) -> Iterator[tuple[Observation, list[float]]]:
        """Yield the observations up to frame ``least`` that were not given out yet, with their smoothed boxes."""
        while course.given < len(course.seen):
            observation = course.seen[course.given]
            if least is not None and observation.frame > least:
                break
            yield observation, smooth(course.seen, course.given)
            course.given += 1
        stale = course.given - 2 * WINDOW
        if stale > 4 * WINDOW:  # far behind: no window reaches them
            del course.seen[:stale]
            course.given -= stale


def smooth(seen: list[Observation], at: int) -> list[float]:
    """Return the box xyxy of ``seen[at]`` on the line that fits its neighbours best, two decimals."""
    here = seen[at]
    low, high = at, at
    while low and here.frame - seen[low - 1].frame <= WINDOW:
        low -= 1
    while high + 1 < len(seen) and seen[high + 1].frame - here.frame <= WINDOW:
        high += 1
    near = seen[low:high + 1]
    frames = np.array([each.frame for each in near], dtype=np.float64)
    away = np.abs(frames - here.frame) / (WINDOW + 1)
    weight = (1 - away**3) ** 3 * np.array([each.score for each in near]) + 1e-9
    times = np.array([each.place["t"] for each in near])
    x = times - here.place["t"] if times[-1] > times[0] else frames - here.frame
    boxes = np.stack([each.box for each in near])
    mean = weight @ x / weight.sum()
    middle = weight @ boxes / weight.sum()
    spread = weight @ (x - mean) ** 2
    slope = (weight * (x - mean)) @ (boxes - middle) / spread if spread > 0 else np.zeros(4)
    box = middle - slope * mean
    if not (box[2:] > 0).all():
        box = here.box
    return records.boxes(np.concatenate([box[:2] - box[2:] / 2, box[:2] + box[2:] / 2])[None])[0]


def _centred(xyxy: list[float]) -> np.ndarray:
    x1, y1, x2, y2 = xyxy
    return np.array([(x1 + x2) / 2, (y1 + y2) / 2, x2 - x1, y2 - y1])


def _between(before: Record, after: Record, frame: int, share: float) -> Record:
    """Return the keys that place a frame that nothing was heard of: its time lies between those around it."""
    place = {"source": after["source"], "frame": frame, "t": round(before["t"] + share * (after["t"] - before["t"]), 6)}
    return place | ({"step": after["step"]} if "step" in after else {})
