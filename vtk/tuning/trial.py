"""One trial: a sequence tracked with some options, and scored."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from vtk.metrics.mot import FIGURES, Boxes, score_sequence
from vtk.tracking.trackers import make_tracker
from vtk.tuning.sequences import Labelled
from vtk.tuning.stored import Detections

METRICS = ("HOTA", "MOTA", "IDF1", "AssA", "DetA")


def figure(sequence: Labelled, tracker: str, options: Mapping[str, float], metric: str) -> float:
    """Return what the tracks of a sequence come to: ``metric``, one of METRICS, in percent; 0 where nothing matches."""
    found = tracked(sequence.detections, tracker, options)
    scores = score_sequence(sequence.truth, found, metrics=(FIGURES[metric].family,))
    return float(scores.figures().get(metric, 0.0))


def tracked(detections: Detections, tracker: str, options: Mapping[str, float]) -> Boxes:
    """Return the tracks, frames from 1, as they would stand in the records of ``vtk track``."""
    tracking = make_tracker(tracker, options=options)
    tracking.size = detections.size
    boxes, ids = detections.boxes.astype(np.float32), np.empty(len(detections.boxes), np.int64)
    filtered = np.empty(boxes.shape)
    columns = (detections.frame, detections.t, detections.step, detections.interval, detections.first[:-1],
               detections.first[1:], detections.looks)
    for frame, t, step, interval, begin, end, look in zip(*(column.tolist() for column in columns), strict=True):
        here = slice(begin, end)
        tracking.interval = interval
        made = tracking.update(frame, t, step, boxes[here], detections.scores[here], detections.class_ids[here],
                               detections.features[here] if look else None)
        ids[here], filtered[here] = made.track_ids, made.boxes
    shown = ids > 0
    frames = np.repeat(detections.frame, np.diff(detections.first))
    return Boxes(frames[shown] + 1, ids[shown], _recorded(filtered, detections)[shown])


def _recorded(filtered: np.ndarray, detections: Detections) -> np.ndarray:
    """Return filtered boxes (N, 4) with the decimals of records, cut to the frame; the detector's where none is left.

    Source: ``vtk.tracking.lanes.clipped``, over all boxes at once; a test holds the two together.
    """
    boxes = filtered.round(2)
    if detections.size is not None:
        boxes = np.clip(boxes, 0, np.tile(np.array(detections.size, np.float64), 2))
    empty = (boxes[:, :2] >= boxes[:, 2:]).any(axis=1)
    boxes[empty] = detections.boxes[empty]
    return boxes
