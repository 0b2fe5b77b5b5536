"""The trackers by name."""

from __future__ import annotations

from vtk.tracking.bytetrack import ByteTracker
from vtk.tracking.sort import SortTracker
from vtk.tracking.tracker import Tracker

TRACKERS = ("bytetrack", "sort")


def make_tracker(name: str, max_lost: float | None = None) -> Tracker:
    """Return a new tracker for one source.

    Args:
        name: bytetrack or sort.
        max_lost: seconds after its last box at which a track ends; None: 1 s for bytetrack, one step for sort.

    Raises:
        ValueError: there is no such tracker.
    """
    if name == "bytetrack":
        return ByteTracker() if max_lost is None else ByteTracker(max_lost)
    if name == "sort":
        return SortTracker(max_lost)
    raise ValueError(f"tracker must be one of {', '.join(TRACKERS)}, got {name!r}")
