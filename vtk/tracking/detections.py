"""Detection records as the arrays that trackers take."""

from __future__ import annotations

import base64
import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from vtk.errors import RecordError
from vtk.records import MAX_COORDINATE, Record

_NUMBERS = frozenset({int, float})


@dataclass(slots=True)
class Classes:
    """Numbers for the classes that one tracker meets: by label, else by class_id."""

    numbers: dict[object, int] = field(default_factory=dict)

    def of(self, records: Sequence[Record]) -> list[int]:
        """Return the number of each detection's class; detections without a class share one."""
        numbers = self.numbers
        return [numbers.setdefault(record.get("label", record.get("class_id")), len(numbers)) for record in records]


def arrays(records: Sequence[Record], classes: Classes) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return what a tracker takes of detections.

    Returns:
        boxes (N, 4) float32 xyxy in pixels, scores (N,) float32 in [0, 1], class numbers (N,) int64.
    """
    boxes = np.array([record["xyxy"] for record in records], dtype=np.float32).reshape(-1, 4)
    scores = np.array([record["score"] for record in records], dtype=np.float32)
    return boxes, scores, np.array(classes.of(records), dtype=np.int64)


@dataclass(slots=True)
class Looks:
    """The embeddings of one maker's detections: all of one space and length.

    Attributes:
        space: model and hash, of the first that stated it.
        length: of their vectors, 0 before the first.
    """

    space: str | None = None
    length: int = 0

    def of(self, records: Sequence[Record]) -> np.ndarray | None:
        """Return the embeddings (N, D) float32 of detections, zeros where one has none; None where none has any.

        Raises:
            RecordError: one cannot be read, or is not of the space and length of those before.
        """
        if not any("embedding" in record for record in records):
            return None
        vectors = [self._of(record) if "embedding" in record else None for record in records]
        none = np.zeros(self.length, np.float32)
        return np.stack([none if vector is None else vector for vector in vectors])

    def _of(self, record: Record) -> np.ndarray:
        vector, space = _vector(record["embedding"]), record.get("space")
        self.space = self.space or space
        self.length = self.length or len(vector)
        if len(vector) != self.length or (space or self.space) != self.space:
            raise RecordError(f"detection's embedding is of space {space!r:.40} and length {len(vector)}, those before "
                              f"of {self.space!r:.40} and {self.length}: spaces are not mixed")
        return vector


def _vector(embedding: Record) -> np.ndarray:
    """Return an embedding's values, (D,) float32."""
    text = embedding.get("b64")
    if embedding.get("dtype") not in ("float16", "f16") or not isinstance(text, str):
        raise RecordError(f"detection's 'embedding' has dtype {embedding.get('dtype')!r:.20} and keys "
                          f"{', '.join(embedding)}: float16 in b64 is needed")
    try:
        vector = np.frombuffer(base64.b64decode(text, validate=True), "<f2").astype(np.float32)
    except ValueError as error:
        raise RecordError(f"detection's 'embedding' cannot be read: {error}") from None
    if list(vector.shape) != embedding.get("shape"):
        raise RecordError(f"detection's 'embedding' has {len(vector)} values and shape {embedding.get('shape')!r:.40}")
    return vector


def check_detection(record: Record) -> None:
    """Raise RecordError, saying what was found, unless a detection's box, score and class can be tracked.

    A box of no area is legal: it overlaps nothing, so it is passed over.
    """
    get = record.get
    try:  # nearly every detection is right: that is settled in a microsecond, and what is wrong found at leisure
        x1, y1, x2, y2 = box = record["xyxy"]
        if (-MAX_COORDINATE <= x1 <= x2 <= MAX_COORDINATE and -MAX_COORDINATE <= y1 <= y2 <= MAX_COORDINATE
                and 0 <= (score := record["score"]) <= 1 and -math.inf < (t := record["t"]) < math.inf
                and (step := get("step", 1)).__class__ is int and step >= 1 and box.__class__ is list
                and {x1.__class__, y1.__class__, x2.__class__, y2.__class__, score.__class__, t.__class__} <= _NUMBERS
                and get("by", "").__class__ is str and get("label", "").__class__ is str
                and get("class_id", 0).__class__ is int):
            return
    except (KeyError, TypeError, ValueError):
        pass
    missing = [name for name in ("t", "xyxy", "score") if name not in record]
    if missing:
        raise RecordError(f"detection has no {' and no '.join(map(repr, missing))} (it has {', '.join(record)}); "
                          "pipe a detector in first")
    box, score = record["xyxy"], record["score"]
    if not (isinstance(box, list) and len(box) == 4 and all(map(_is_number, box))):
        raise RecordError(f"detection's 'xyxy' is {box!r:.80}: four numbers, [x1, y1, x2, y2] in pixels, are needed")
    if max(map(abs, box)) > MAX_COORDINATE:
        raise RecordError(f"detection's 'xyxy' is {box!r:.80}: coordinates beyond {MAX_COORDINATE:.0f} pixels")
    if box[0] > box[2] or box[1] > box[3]:
        raise RecordError(f"detection's 'xyxy' is {box!r:.80}: x1 <= x2 and y1 <= y2 are needed")
    if not (_is_number(score) and 0 <= score <= 1):
        raise RecordError(f"detection's 'score' is {score!r:.40}: a number from 0 to 1 is needed")
    if not _is_number(record["t"]):
        raise RecordError(f"detection's 't' is {record['t']!r:.40}: seconds from the first frame are needed")
    if type(record.get("step", 1)) is not int or record.get("step", 1) < 1:
        raise RecordError(f"detection's 'step' is {record['step']!r:.40}: a whole number from 1 is needed")
    _check_names(record)


def _check_names(record: Record) -> None:
    if not isinstance(record.get("by", ""), str):
        raise RecordError(f"detection's 'by' is {record['by']!r:.40}: a string, command/model, is needed")
    if not isinstance(record.get("label", ""), str):
        raise RecordError(f"detection's 'label' is {record['label']!r:.40}: a string is needed")
    if type(record.get("class_id", 0)) is not int:
        raise RecordError(f"detection's 'class_id' is {record['class_id']!r:.40}: a whole number is needed")


def _is_number(value: object) -> bool:
    return type(value) in (int, float) and math.isfinite(value)  # type: ignore[arg-type]
