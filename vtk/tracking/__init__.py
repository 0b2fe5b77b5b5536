"""Tracking: ids that stay with objects from frame to frame.

    tracker = make_tracker("vtk")
    for frame, (boxes, scores, class_ids) in enumerate(detections):
        step = tracker.update(frame, frame / 25, 1, boxes, scores, class_ids)
        print(step.track_ids, step.boxes)
"""

from __future__ import annotations

from vtk.tracking.bytetrack import ByteTracker
from vtk.tracking.ocsort import ObservationTracker
from vtk.tracking.sort import SortTracker
from vtk.tracking.stage import TrackStage
from vtk.tracking.steady import SteadyTracker
from vtk.tracking.tracker import Step, Tracker
from vtk.tracking.trackers import TRACKERS, make_tracker

__all__ = ["TRACKERS", "ByteTracker", "ObservationTracker", "SortTracker", "SteadyTracker", "Step", "TrackStage",
           "Tracker", "make_tracker"]
