"""What is to be hidden of one source: boxes and outlines as they were seen, in little memory."""

from __future__ import annotations

from array import array
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from vtk.records import Record

_NO_TRACK = -1


@dataclass(slots=True)
class Sightings:
    """Boxes of a source with their frames, in the order in which they came: some 50 bytes each, more with an outline.

    Attributes:
        frames, times: (N,) frame and seconds of each.
        tracks: the number of what it belongs to, counted over types and makers; -1 where nothing follows it.
        kinds: the number of its type and label.
        boxes: (4 N,) x1, y1, x2, y2 in pixels.
        outlines: corners by the number of the box, where it has more of a shape.
        step: the most frames from one that was looked at to the next, as records say.
    """

    frames: array[int] = field(default_factory=lambda: array("q"))
    times: array[float] = field(default_factory=lambda: array("d"))
    tracks: array[int] = field(default_factory=lambda: array("q"))
    kinds: array[int] = field(default_factory=lambda: array("q"))
    boxes: array[float] = field(default_factory=lambda: array("f"))
    outlines: dict[int, np.ndarray] = field(default_factory=dict)
    step: int = 1
    _numbers: dict[Any, int] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.frames)

    def add(self, record: Record) -> None:
        """Take note of a record with a box."""
        poly = record.get("poly") if record["type"] == "text" else None  # of others it need not be all that shows
        if poly is not None and len(poly) >= 3:
            corners = np.asarray(poly, np.float32)
            self.outlines[len(self.frames)] = corners
            box = [*corners.min(axis=0).tolist(), *corners.max(axis=0).tolist()]
        else:
            box = record["xyxy"]
        kind = record["type"]
        track = record.get("track_id")
        self.frames.append(record["frame"])
        self.times.append(record["t"])
        self.step = max(self.step, record.get("step", 1))
        self.tracks.append(self._number((kind, record["by"], track)) if track is not None else _NO_TRACK)
        self.kinds.append(self._number((kind, record["by"])))
        self.boxes.extend(box)

    def box_array(self) -> np.ndarray:
        """Return (N, 4) float32 boxes."""
        return np.frombuffer(self.boxes, np.float32).reshape(-1, 4) if len(self) else np.zeros((0, 4), np.float32)

    def _number(self, key: Any) -> int:
        return self._numbers.setdefault(key, len(self._numbers))
