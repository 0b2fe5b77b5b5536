"""What two tracklets cannot have in common: a person is in one place at a time, and needs time to go elsewhere."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from vtk.errors import UsageError
from vtk.reid.tracklets import Tracklet

# Seconds that two tracklets of one source may share and be one person still: trackers let go a little late.
TOLERANCE = 0.2
# Tracklets of an image take no time; two of one image are two people all the same.
INSTANT = 1e-6
# Why two tracklets are apart; 0: they are not.
REASONS = ("", "time", "camera", "travel")


@dataclass(frozen=True, slots=True)
class Window:
    """How long people take from one camera to another, either way.

    Attributes:
        cameras: the two; they may be one.
        least, most: seconds from the end of the earlier tracklet to the start of the later one.
    """

    cameras: tuple[str, str]
    least: float = 0.0
    most: float = float("inf")


@dataclass(frozen=True, slots=True)
class Constraints:
    """What keeps two tracklets from being one person, whatever they look like.

    Attributes:
        overlap: whether two of one source that overlap in time are two; not where a tracker doubles tracks.
        tolerance: seconds of overlap that do not count, nor does half of the shorter one.
        one_per_camera: whether two of one camera are two at any time.
        windows: of pairs of cameras; between tracklets whose sources have a clock.
        clocks: by source, the second of a clock that all share at which it begins.
        cameras: by source, its camera, in place of what the tracklet says.
    """

    overlap: bool = True
    tolerance: float = TOLERANCE
    one_per_camera: bool = False
    windows: tuple[Window, ...] = ()
    clocks: Mapping[str, float] = field(default_factory=dict)
    cameras: Mapping[str, str] = field(default_factory=dict)

    @property
    def any(self) -> bool:
        """Whether there is a rule at all."""
        return self.overlap or self.one_per_camera or bool(self.windows)


def read_constraints(path: Path, overlap: bool = True) -> Constraints:
    """Return the constraints in a JSON file.

        {"one_per_camera": false, "tolerance": 0.2,
         "cameras": {"north.mp4": "north", "south.mp4": "south"},
         "clocks": {"north.mp4": 0, "south.mp4": 3.5},
         "windows": [{"cameras": ["north", "south"], "least": 20, "most": 600}]}

    Args:
        path: of the file; every key of it may be missing.
        overlap: as in ``Constraints``.

    Raises:
        UsageError: it cannot be read, or holds something else.
    """
    import orjson

    try:
        said = orjson.loads(path.read_bytes())
        if not isinstance(said, dict) or said.keys() - {"one_per_camera", "tolerance", "cameras", "clocks", "windows"}:
            raise ValueError("an object with one_per_camera, tolerance, cameras, clocks, windows is needed")
        windows = tuple(_window(each) for each in said.get("windows", []))
        found = Constraints(overlap, _seconds(said.get("tolerance", TOLERANCE)), _claim(said.get("one_per_camera")),
                            windows, {str(key): _seconds(value, -np.inf) for key, value in _of(said, "clocks")},
                            {str(key): str(value) for key, value in _of(said, "cameras")})
    except OSError as error:
        raise UsageError(f"cannot read {path}: {error.strerror}") from None
    except ValueError as error:
        raise UsageError(f"{path} is no file of constraints: {error}") from None
    if windows and not found.clocks:
        raise UsageError(f"{path} has windows and no clocks: times of two sources compare where both have a clock")
    return found


def _of(said: dict[str, Any], name: str) -> Sequence[tuple[str, Any]]:
    """Return the items of an object in a file of constraints."""
    if not isinstance(found := said.get(name, {}), dict):
        raise ValueError(f"{name} is {found!r:.40}, an object by source is needed")
    return list(found.items())


def _window(said: Any) -> Window:
    """Return a window of a file of constraints."""
    if not isinstance(said, dict) or said.keys() - {"cameras", "least", "most"} or "cameras" not in said:
        raise ValueError(f"a window is {said!r:.60}, an object with cameras, least, most is needed")
    pair = said["cameras"]
    if not isinstance(pair, list) or len(pair) != 2 or not all(isinstance(each, str) for each in pair):
        raise ValueError(f"a window's cameras are {pair!r:.60}, two names are needed")
    window = Window((pair[0], pair[1]), _seconds(said.get("least", 0)), _seconds(said.get("most", np.inf)))
    if window.least > window.most:
        raise ValueError(f"a window's least is {window.least:g}, above its most, {window.most:g}")
    return window


def _seconds(said: Any, low: float = 0.0) -> float:
    """Return a number of seconds, ``low`` or more."""
    if isinstance(said, bool) or not isinstance(said, (int, float)) or not said >= low:
        raise ValueError(f"{said!r:.40} is no number of seconds")
    return float(said)


def _claim(said: Any) -> bool:
    """Return a truth value; a missing one is false."""
    if said not in (None, True, False):
        raise ValueError(f"one_per_camera is {said!r:.40}, true or false is needed")
    return bool(said)


class Apartness:
    """Constraints over the tracklets of a run, as arrays.

    Args:
        tracklets: of the run.
        constraints: what holds.

    Attributes:
        source: (N,) int64, equal for those of one source.
        camera: (N,) int64, equal for those of one camera; -1: unknown.
        wide: whether tracklets of two sources can be apart.
    """

    def __init__(self, tracklets: Sequence[Tracklet], constraints: Constraints) -> None:
        self._rules = constraints
        self.source = _codes([tracklet.source for tracklet in tracklets])[0]
        cameras = [constraints.cameras.get(tracklet.source, tracklet.camera) for tracklet in tracklets]
        self.camera, names = _codes(cameras)
        self._start = np.array([tracklet.start for tracklet in tracklets], np.float64)
        end = np.array([tracklet.end for tracklet in tracklets], np.float64)
        if not (np.isfinite(self._start).all() and np.isfinite(end).all()):
            row = int(np.flatnonzero(~(np.isfinite(self._start) & np.isfinite(end)))[0])
            raise ValueError(f"tracklet {tracklets[row].key}: got times {self._start[row]} to {end[row]}, "
                             "expected finite seconds")
        self._end = np.maximum(end, self._start + INSTANT)
        clocks = [constraints.clocks.get(tracklet.source, np.nan) for tracklet in tracklets]
        self._clock = np.array(clocks, np.float64)
        self._windows = [(names.get(window.cameras[0], -2), names.get(window.cameras[1], -2), window)
                         for window in constraints.windows]
        self.wide = constraints.one_per_camera or bool(self._windows)

    def why(self, a: np.ndarray, b: np.ndarray) -> np.ndarray:
        """Return (M,) int64, the place in REASONS of what keeps each pair of rows apart; 0: nothing.

        Args:
            a, b: rows, whole numbers that broadcast against each other.
        """
        a, b = np.broadcast_arrays(a, b)
        out = np.zeros(a.shape, np.int64)
        gap = np.maximum(self._start[a], self._start[b]) - np.minimum(self._end[a], self._end[b])
        for first, second, window in self._windows:
            pair = ((self.camera[a] == first) & (self.camera[b] == second)
                    | (self.camera[a] == second) & (self.camera[b] == first))
            if not pair.any():
                continue
            begin = np.maximum(self._start[a] + self._clock[a], self._start[b] + self._clock[b])
            between = begin - np.minimum(self._end[a] + self._clock[a], self._end[b] + self._clock[b])
            # Without a clock it is NaN, and both comparisons are false.
            late = (between < window.least) | (between > window.most)
            out[pair & late & (self.source[a] != self.source[b])] = 3
        if self._rules.one_per_camera:
            out[(self.camera[a] == self.camera[b]) & (self.camera[a] >= 0)] = 2
        if self._rules.overlap:
            shorter = np.minimum(self._end[a] - self._start[a], self._end[b] - self._start[b])
            slack = np.minimum(self._rules.tolerance, shorter / 2)
            out[(self.source[a] == self.source[b]) & (-gap > slack)] = 1
        return out


def _codes(names: Sequence[str | None]) -> tuple[np.ndarray, dict[str, int]]:
    """Return a whole number for each name, from 0 by first appearance, -1 for None; and which name has which."""
    numbers: dict[str, int] = {}
    codes = [-1 if name is None else numbers.setdefault(name, len(numbers)) for name in names]
    return np.array(codes, np.int64), numbers


def tightness(tracklets: Sequence[Tracklet], constraints: Constraints) -> float:
    """Return how much constraints bind: the share of pairs within a source that are apart; 0 where there are none.

    Overlaps of any length count. Where two of one camera are two at any time, it is 1.
    """
    if constraints.one_per_camera:
        return 1.0
    if not constraints.overlap:
        return 0.0
    spans: dict[str, list[tuple[float, float]]] = {}
    for tracklet in tracklets:
        spans.setdefault(tracklet.source, []).append((tracklet.start, max(tracklet.end, tracklet.start + INSTANT)))
    pairs = apart = 0
    for each in spans.values():
        start, end = np.array(each).T
        after = int(np.searchsorted(np.sort(end), start, "right").sum())
        pairs += len(each) * (len(each) - 1) // 2
        apart += len(each) * (len(each) - 1) // 2 - after
    return apart / pairs if pairs else 0.0
