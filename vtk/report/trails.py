"""Where tracked objects came from."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence

import numpy as np

from vtk.records import Record
from vtk.report.canvas import Canvas
from vtk.report.painters import colour_of_face, colour_of_track
from vtk.schema import matches

Key = tuple[str, int]


class Trails:
    """The latest foot points of the tracks of one source.

    Args:
        seconds: how far back a trail reaches.
    """

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self._points: dict[Key, deque[tuple[float, float, float]]] = {}

    def paint(self, canvas: Canvas, records: Sequence[Record], t: float) -> None:
        """Add the tracks among ``records``, seen at ``t`` seconds, and draw the trails that end at them.

        Without tracks, those of faces that are followed, in the colour of what is thought of them now.

        Args:
            canvas: painted before the boxes, so that trails lie under them.
            records: records of one frame; a track without a usable id and box is left to its painter to refuse.
            t: seconds.
        """
        kind = "track" if any(record["type"] == "track" for record in records) else "face"
        for record in records:
            if record["type"] == kind and matches("box", record.get("xyxy")) and type(record.get("track_id")) is int:
                x1, _, x2, y2 = record["xyxy"]
                key = (str(record.get("by", "")), record["track_id"])
                points = self._points.setdefault(key, deque())
                points.append((t, (x1 + x2) / 2, y2))
                while points[0][0] < t - self.seconds:
                    points.popleft()
                colour = colour_of_track(record) if kind == "track" else colour_of_face(record)
                canvas.trail(np.array(points)[:, 1:], colour)
        for key in [key for key, points in self._points.items() if points[-1][0] < t - self.seconds]:
            del self._points[key]
