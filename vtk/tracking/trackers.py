"""The trackers by name, and what of them can be set."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from types import MappingProxyType

from vtk.tracking.bytetrack import ByteTracker
from vtk.tracking.ocsort import ObservationTracker
from vtk.tracking.sort import SortTracker
from vtk.tracking.steady import SteadyTracker
from vtk.tracking.tracker import Tracker

# BoT-SORT is ultralytics' own: it is imported when it is asked for, for it loads torch.
_CLASSES: Mapping[str, type[Tracker] | None] = MappingProxyType({
    "vtk": SteadyTracker, "bytetrack": ByteTracker, "botsort": None, "ocsort": ObservationTracker, "sort": SortTracker})

TRACKERS = tuple(_CLASSES)
DEFAULT = "vtk"

# What ``vtk tune track`` tries beside the defaults: the published ranges, and around ours.
SEARCH: Mapping[str, Mapping[str, tuple[float, ...]]] = MappingProxyType({
    "vtk": {
        "high": (0.1, 0.2, 0.3, 0.4, 0.5), "revive": (0.2, 0.3, 0.4, 0.5), "start": (0.3, 0.4, 0.5, 0.6, 0.7),
        "match": (0.6, 0.7, 0.8, 0.9),
        "second": (0.5, 0.6, 0.7), "unconfirmed": (0.5, 0.6, 0.7, 0.8), "grown": (0.0, 0.1, 0.2, 0.3),
        "wide": (0.2, 0.3, 0.4, 0.6), "height_power": (0.0, 0.3, 0.5, 1.0), "covered": (0.3, 0.4, 0.6, 1.0),
        "score_noise": (0.0, 1.0, 2.0, 4.0), "position": (1 / 40, 1 / 30, 1 / 20), "measured": (1 / 20, 1 / 16, 1 / 12),
        "velocity": (1 / 160, 1 / 80, 1 / 40), "max_lost": (1.0, 2.0, 3.0)},
    "bytetrack": {
        "high": (0.3, 0.4, 0.5, 0.6), "start": (0.4, 0.5, 0.6, 0.7), "match": (0.7, 0.8, 0.9),
        "low": (0.05, 0.1, 0.2), "max_lost": (1.0, 2.0, 3.0)},
    "ocsort": {
        "high": (0.2, 0.3, 0.4, 0.5, 0.6), "min_hits": (1, 2, 3), "least_overlap": (0.2, 0.25, 0.3),
        "inertia": (0.0, 0.1, 0.2, 0.4), "max_lost": (1.0, 2.0, 3.0)},
    "botsort": {"max_lost": (0.5, 1.0, 2.0, 3.0)},
    "sort": {"max_age": (1, 2, 3), "min_hits": (1, 2, 3), "least_overlap": (0.2, 0.25, 0.3, 0.4)},
})


def defaults(name: str) -> dict[str, float | None]:
    """Return the options of a tracker with their defaults. Raises ValueError: there is no such tracker."""
    parameters = inspect.signature(_class(name)).parameters.values()
    return {parameter.name: parameter.default for parameter in parameters}


def make_tracker(name: str, max_lost: float | None = None, options: Mapping[str, float] | None = None) -> Tracker:
    """Return a new tracker for one source.

    Args:
        name: one of TRACKERS.
        max_lost: seconds after its last box at which a track ends; None: the tracker's own.
        options: values for what ``defaults`` lists.

    Raises:
        ValueError: there is no such tracker or option, or a value is no number.
    """
    known = defaults(name)
    given = dict(options or {})
    if max_lost is not None:
        given["max_lost"] = max_lost
    for option, value in given.items():
        if option not in known:
            raise ValueError(f"{name} has no option {option!r}: it has {', '.join(known)}")
        if type(value) not in (int, float) or not 0 <= value < float("inf"):
            raise ValueError(f"{name}'s {option} must be a number from 0, got {value!r}")
    return _class(name)(**given)  # type: ignore[arg-type]


def _class(name: str) -> type[Tracker]:
    if name not in _CLASSES:
        raise ValueError(f"tracker must be one of {', '.join(TRACKERS)}, got {name!r}")
    if name == "botsort":
        from vtk.tracking.botsort import UltralyticsTracker

        return UltralyticsTracker
    return _CLASSES[name]  # type: ignore[return-value]
