"""Trackers of other packages, for the benchmark: how each is made, fed and read, as its own documentation does it.

But for ultralytics none is a dependency. They are looked up by name when they are asked for: what stands here is
measured, not used.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np
import orjson

from vtk.models.botsort import stock_boxes, stock_byte_tracker
from vtk.records import Record

# Of the picture that the benchmark's crowd walks in: height, width.
SHAPE = (1080, 1920)


@dataclass(frozen=True, slots=True)
class Rival:
    """A tracker of another package.

    Attributes:
        distribution: the package that it comes in, as pip names it.
        imports: the statement that a program would begin with.
        start: returns the update of a new tracker, of its published defaults; raises ImportError.
        prepared: returns what the update takes for boxes (N, 4) float32 xyxy, scores (N,) float32 and classes (N,).
        rows: yields the box, id, score and class of each track that the update returned, Python numbers all.
    """

    distribution: str
    imports: str
    start: Callable[[], Callable[[Any], Any]]
    prepared: Callable[[np.ndarray, np.ndarray, np.ndarray], Any]
    rows: Callable[[Any], Iterator[tuple[Any, ...]]]

    @property
    def version(self) -> str:
        """Return the version of its package; ``unknown`` where it is not stated."""
        try:
            return version(self.distribution)
        except PackageNotFoundError:
            return "unknown"


def _trackers_start() -> Callable[[Any], Any]:
    return import_module("trackers").ByteTrackTracker().update


def _trackers_prepared(boxes: np.ndarray, scores: np.ndarray, class_ids: np.ndarray) -> Any:
    return import_module("supervision").Detections(xyxy=boxes, confidence=scores, class_id=class_ids)


def _trackers_rows(found: Any) -> Iterator[tuple[Any, ...]]:
    known = found.tracker_id >= 0
    if not known.any():
        return iter(())
    return zip(found.xyxy[known].tolist(), found.tracker_id[known].tolist(), found.confidence[known].tolist(),
               found.class_id[known].tolist(), strict=True)


def _ultralytics_prepared(boxes: np.ndarray, scores: np.ndarray, class_ids: np.ndarray) -> Any:
    return stock_boxes(_table(boxes, scores, class_ids), SHAPE)


def _boxmot_start() -> Callable[[Any], Any]:
    """Return the update of BoxMOT's ByteTrack in Python, which is its default."""
    import_module("boxmot.utils")
    logging.getLogger("boxmot").setLevel(logging.WARNING)  # else each tracker announces its options
    return import_module("boxmot.trackers.box.bytetrack.tracker").ByteTrack().update


def _table(boxes: np.ndarray, scores: np.ndarray, class_ids: np.ndarray) -> np.ndarray:
    """Return rows x1, y1, x2, y2, score, class (N, 6) float32."""
    return np.column_stack([boxes, scores, class_ids]).astype(np.float32)


def _table_rows(found: np.ndarray) -> Iterator[tuple[Any, ...]]:
    """Yield the rows x1, y1, x2, y2, id, score, class, index of ultralytics and of BoxMOT."""
    found = np.asarray(found).reshape(-1, 8)
    return zip(found[:, :4].tolist(), found[:, 4].astype(int).tolist(), found[:, 5].tolist(),
               found[:, 6].astype(int).tolist(), strict=True)


def _norfair_start() -> Callable[[Any], Any]:
    return import_module("norfair").Tracker(distance_function="iou", distance_threshold=0.7).update


def _norfair_prepared(boxes: np.ndarray, scores: np.ndarray, class_ids: np.ndarray) -> Any:
    make = import_module("norfair").Detection
    return [make(points=corners, scores=np.array([score, score]), label=class_id) for corners, score, class_id in
            zip(boxes.reshape(-1, 2, 2), scores.tolist(), class_ids.tolist(), strict=True)]


def _norfair_rows(found: Any) -> Iterator[tuple[Any, ...]]:
    return ((track.estimate.reshape(-1).tolist(), track.id, float(track.last_detection.scores[0]), track.label)
            for track in found)


RIVALS: Mapping[str, Rival] = {
    "trackers": Rival("trackers", "import supervision; from trackers import ByteTrackTracker", _trackers_start,
                      _trackers_prepared, _trackers_rows),
    "ultralytics": Rival("ultralytics", "from ultralytics.trackers.byte_tracker import BYTETracker",
                         stock_byte_tracker, _ultralytics_prepared, _table_rows),
    "boxmot": Rival("boxmot", "from boxmot.trackers.box.bytetrack.tracker import ByteTrack", _boxmot_start, _table,
                    _table_rows),
    "norfair": Rival("norfair", "from norfair import Detection, Tracker", _norfair_start, _norfair_prepared,
                     _norfair_rows),
}


def loop_arrays(rival: Rival, prepared: Sequence[Any], count: int) -> int:
    """Track ``count`` frames of what the rival's update takes; return how many rows it gave, also those without an id.
    """
    update = rival.start()
    return sum(len(update(one)) for one in prepared[:count])


def loop_records(rival: Rival, frames: Sequence[Sequence[Record]], count: int) -> int:
    """Track ``count`` frames of detection records by the least loop; return how many tracks it made."""
    update = rival.start()
    return sum(len(_tracks(rival, update, found)) for found in frames[:count])


def loop_lines(rival: Rival, path: Path, count: int) -> int:
    """Track ``count`` frames of a file of lines by the least loop; return how many lines it wrote."""
    update, made = rival.start(), 0
    with path.open("rb") as file, open(os.devnull, "wb") as out:
        found = (record for record in map(orjson.loads, file) if record["type"] == "detection")
        for frame, records in groupby(found, key=lambda record: record["frame"]):
            if frame >= count:
                break
            tracks = _tracks(rival, update, list(records))
            made += len(tracks)
            out.writelines(orjson.dumps(track) + b"\n" for track in tracks)
    return made


def _tracks(rival: Rival, update: Callable[[Any], Any], records: Sequence[Record]) -> list[Record]:
    """Return the tracks of a frame as a user would write them down."""
    boxes = np.array([record["xyxy"] for record in records], np.float32)
    scores = np.array([record["score"] for record in records], np.float32)
    class_ids = np.array([record["class_id"] for record in records], np.int64)
    found = update(rival.prepared(boxes, scores, class_ids))
    place = {"v": 1, "type": "track", "by": "loop", **{key: records[0][key] for key in ("source", "frame", "t")}}
    return [{**place, "track_id": track_id, "xyxy": box, "score": score, "class_id": class_id}
            for box, track_id, score, class_id in rival.rows(found)]
