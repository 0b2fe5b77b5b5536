"""The best views of a track: few crops that show it well, spread over the time that it was seen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

# Seconds between views at first: neighbouring frames show the same. It doubles as a track grows.
APART = 0.2
# Moments that are kept for each view that is taken: the best of them are.
SPARE = 2
# A view is looked at where its plain worth is so many times that of all before it in its moment.
MORE = 1.1
# Pixels that a view is as good with as with any more: what embedders of people take, 128 × 256.
ENOUGH = 128 * 256
# A box less wide or high than this, in pixels, shows nothing.
LEAST_SIDE = 4
# The longest side of a crop that is kept, pixels: twice what embedders take, so that memory is bounded.
LONGEST_SIDE = 512
# The deviation of the Laplacian, in grey levels, at which a crop is half as good as a perfectly sharp one, measured at
# this width in pixels.
HALF_SHARP = 15.0
SHARP_WIDTH = 64
# What is left of a view's worth where others cover it all, or the frame cuts nearly all of it off.
FLOOR = 0.02


@dataclass(slots=True)
class View:
    """One view of a track.

    Attributes:
        worth: how well it shows the track, in [0, 1]: its plain worth × how sharp it is.
        frame, t: when it was.
        crop: (h, w, 3) uint8 RGB; None once it is embedded.
        vector: (D,) float32 of unit length; None until it is embedded.
    """

    worth: float
    frame: int
    t: float
    crop: np.ndarray | None = None
    vector: np.ndarray | None = None


class Moments:
    """The time since a track was first seen, in moments of equal length, which double where they are too many.

    Args:
        most: how many of them there are in the end, at most.
    """

    __slots__ = ("_apart", "_first", "_most")

    def __init__(self, most: int) -> None:
        self._most = most
        self._first: float | None = None
        self._apart = APART

    def at(self, t: float) -> tuple[int, int]:
        """Return the moment that ``t`` seconds lies in, and by how many of the former ones one is longer now."""
        if self._first is None:
            self._first = t
        longer = 1
        while t - self._first >= self._most * self._apart:
            self._apart *= 2
            longer *= 2
        return int((t - self._first) / self._apart), longer


class Choice:
    """Which views of one track are worth a look at their pixels, by what its records say alone.

    In each moment it is the first, and each that is worth so much more than all before it.

    Args:
        most: how many views are taken in the end.
    """

    __slots__ = ("_moment", "_moments", "_worth", "last")

    def __init__(self, most: int) -> None:
        self._moments = Moments(most * SPARE)
        self._moment, self._worth = -1, 0.0
        self.last = 0.0  # when it was asked, seconds

    def takes(self, plain: float, t: float) -> bool:
        """Return whether a view of ``plain`` worth at ``t`` seconds, not before the last, is worth a look."""
        self.last = t
        if plain <= 0:
            return False
        moment, longer = self._moments.at(t)
        if moment != self._moment or longer > 1:  # where moments have grown, a new one begins
            self._moment, self._worth = moment, 0.0
        if plain <= MORE * self._worth:
            return False
        self._worth = plain
        return True


class Views:
    """The best views of one track, at most one a moment and ``most`` in the end.

    The time since the track's first view is divided into moments of equal length, and the best view of each is kept;
    where they are too many, two become one. So a long track's views lie apart, and memory has a bound.

    Args:
        most: how many views ``best`` gives.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._times = Moments(most * SPARE)
        self._moments: dict[int, View] = {}

    def add(self, view: View) -> None:
        """Keep a view if it is the best of its moment."""
        moment, longer = self._times.at(view.t)
        if longer > 1:
            wider: dict[int, View] = {}
            for former, kept in self._moments.items():  # in order of time
                wider[former // longer] = _better(wider[former // longer], kept) if former // longer in wider else kept
            self._moments = wider
        kept = self._moments.get(moment)
        self._moments[moment] = view if kept is None else _better(kept, view)

    def best(self) -> list[View]:
        """Return the best views, at most as many as asked for, in order of time."""
        ranked = sorted(self._moments.values(), key=lambda view: (-view.worth, view.frame))
        return sorted(ranked[: self._most], key=lambda view: view.frame)

    def settle(self) -> list[View]:
        """Keep the best views so far alone, and return them: what comes later is held against these."""
        chosen = {view.frame for view in self.best()}
        self._moments = {moment: view for moment, view in self._moments.items() if view.frame in chosen}
        return list(self._moments.values())


def _better(earlier: View, later: View) -> View:
    """Return the better one of two views of a moment."""
    return later if later.worth > earlier.worth else earlier


def plain_worths(boxes: np.ndarray, scores: np.ndarray, width: int, height: int) -> np.ndarray:
    """Return (N,) float64 in [0, 1], how well boxes of one frame show what is in them, before pixels are looked at.

    The score × how large it is × how much of it lies inside the frame × how little of it another box covers. 0 where a
    box is empty, or has nothing inside the frame.

    Args:
        boxes: (N, 4) float64 xyxy in pixels; all of the frame, since they may cover each other.
        scores: (N,) in [0, 1].
        width, height: of the frame, pixels.
    """
    limits = np.array([width, height, width, height], np.float64)
    inside = np.clip(boxes, 0, limits)
    sides = inside[:, 2:] - inside[:, :2]
    area = sides.prod(axis=1)
    whole = np.maximum((boxes[:, 2:] - boxes[:, :2]).prod(axis=1), 1e-9)
    corner = np.minimum(inside[:, None, 2:], inside[None, :, 2:])
    shared = np.maximum(corner - np.maximum(inside[:, None, :2], inside[None, :, :2]), 0).prod(axis=2)
    np.fill_diagonal(shared, 0)
    covered = shared.max(axis=1, initial=0) / np.maximum(area, 1e-9)
    size = np.minimum(1, np.sqrt(area / ENOUGH))
    worth = scores * size * np.maximum(area / whole, FLOOR) ** 2 * np.maximum(1 - covered, FLOOR)
    return np.where(sides.min(axis=1) >= LEAST_SIDE, worth, 0.0)


def sharpness(crop: np.ndarray) -> float:
    """Return how sharp a crop (h, w, 3) uint8 RGB is, in [0, 1).

    Wide crops are measured at one width, so that size does not count twice.
    """
    height, width = crop.shape[:2]
    if width > SHARP_WIDTH:
        size = (SHARP_WIDTH, max(1, round(height * SHARP_WIDTH / width)))
        crop = cv2.resize(crop, size, interpolation=cv2.INTER_AREA)
    edges = float(cv2.meanStdDev(cv2.Laplacian(cv2.cvtColor(crop, cv2.COLOR_RGB2GRAY), cv2.CV_32F))[1].item())
    return edges / (edges + HALF_SHARP)


def cut(image: np.ndarray, box: Sequence[float]) -> np.ndarray:
    """Return a copy of what ``box``, xyxy in pixels, shows of ``image``, (h, w, 3) uint8; LONGEST_SIDE at most.

    Raises:
        ValueError: it shows nothing.
    """
    height, width = image.shape[:2]
    left, right = max(0, round(box[0])), min(width, round(box[2]))
    top, bottom = max(0, round(box[1])), min(height, round(box[3]))
    if right <= left or bottom <= top:
        raise ValueError(f"box: got {list(box)}, expected one with something inside {width} × {height} pixels")
    crop = image[top:bottom, left:right]
    ratio = LONGEST_SIDE / max(crop.shape[:2])
    if ratio >= 1:
        return crop.copy()
    size = (max(1, round(crop.shape[1] * ratio)), max(1, round(crop.shape[0] * ratio)))
    return cv2.resize(crop, size, interpolation=cv2.INTER_AREA)
