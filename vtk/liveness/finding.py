"""Which faces are looked at: those that a detector finds, those of records, and those of people's boxes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from vtk.errors import RecordError
from vtk.models.detector import Boxes, Detect
from vtk.models.face_search import find_in
from vtk.records import Record, boxes, score

# A person's face is in the upper part of the box; more of it costs time and finds the faces of others.
UPPER = 0.6
FACE, PERSON = "face", "person"


@dataclass(frozen=True, slots=True)
class Found:
    """A face in a frame.

    Attributes:
        by: what found it, as the records of this command name it: ``rfb-320``, ``yolo11n+vtk+rfb-320``.
        detector: the one that gave the box.
        maker: of the record that it came with, or that its track came with.
        xyxy: the detector's box, pixels of the source, as records carry it.
        score: the detector's; None where a record has none.
        points: five, [x, y] in pixels; None where the detector gives none.
        track_id: None where it is not followed.
    """

    by: str
    detector: str
    maker: str
    xyxy: list[float]
    score: float | None = None
    points: list[list[float]] | None = None
    track_id: int | None = None


def of_record(record: Record) -> Found:
    """Return the face that a detection or track of a face is.

    A track's own box is filtered, and scores depend on the box: the detector's is taken where the record has it.

    Raises:
        RecordError: its box is not four numbers.
    """
    by = by_of(record)
    return Found(by, by.partition("+")[0], str(record.get("by")), _box(record), record.get("score"),
                 record.get("points"), record.get("track_id"))


def of_people(people: Sequence[Record], image: np.ndarray, detect: Detect, detector: str) -> list[Found]:
    """Return the face of each person in whose box one is found, the best one of each; a face is one person's.

    Args:
        people: detections or tracks of people; they need not have a face to be seen.
        image: (H, W, 3) uint8 RGB, the frame in its own size.
        detect: finds faces in pictures.
        detector: its name.

    Raises:
        RecordError: a box is not four numbers.
    """
    regions = np.array([_upper(_box(person)) for person in people], np.float64).reshape(-1, 4)
    found = [(float(here.scores[0]), _first(here, person, detector))
             for person, here in zip(people, find_in(detect, image, regions), strict=True) if len(here)]
    found.sort(key=lambda pair: -pair[0])
    kept: list[Found] = []
    for _, face in found:
        if not any(_same(face.xyxy, other.xyxy) for other in kept):
            kept.append(face)
    return kept


def _first(here: Boxes, person: Record, detector: str) -> Found:
    """Return the best face in a person's box."""
    [xyxy] = boxes(here.xyxy[:1])
    points = here.points[0].astype(np.float64).round(2).tolist() if here.points is not None else None
    return Found(by_of(person, detector), detector, str(person.get("by")), xyxy, score(here.scores[0]), points,
                 person.get("track_id"))


def _upper(box: Sequence[float]) -> tuple[float, float, float, float]:
    """Return the part of a person's box where the face is."""
    x1, y1, x2, y2 = box
    return x1, y1, x2, y1 + UPPER * (y2 - y1)


def _same(one: Sequence[float], other: Sequence[float]) -> bool:
    """Return whether two boxes are one face: where people overlap both boxes show it."""
    wide = min(one[2], other[2]) - max(one[0], other[0])
    high = min(one[3], other[3]) - max(one[1], other[1])
    if wide <= 0 or high <= 0:
        return False
    areas = [(box[2] - box[0]) * (box[3] - box[1]) for box in (one, other)]
    return wide * high > 0.5 * min(areas)


def _box(record: Record) -> list[float]:
    """Return the box of a record, the detector's where it has it."""
    box = record.get("det_xyxy", record.get("xyxy"))
    if not isinstance(box, list) or len(box) != 4 or not all(isinstance(value, (int, float)) for value in box):
        raise RecordError(f"{record['type']}'s box is {box!r:.60}: four numbers are needed")
    return box


def by_of(record: Record, *more: str) -> str:
    """Return what found a face: the model of the record's maker, and what was used after it."""
    maker = str(record.get("by", record["type"]))
    return "+".join((maker.partition("/")[2] or maker, *more))
