"""SORT: predict, pair by overlap, correct; a track that is missed for more than one step ends."""

from __future__ import annotations

import numpy as np

from vtk.kernels import kalman
from vtk.tracking.association import assign_overlaps, overlaps
from vtk.tracking.tracker import MAX_GAP, Tracker

# Rows of the "xysr" state.
AREA = 2


class SortTracker(Tracker):
    """SORT with the defaults of its authors' program: every box counts, whatever its score, and a step is a step.

    Args:
        max_lost: seconds after its last box at which a track ends; None: after more than ``max_age`` empty steps.
        max_age: steps without a box that a track survives, where ``max_lost`` is None.
        min_hits: matches in a row after which a track is reported; not asked in the first ``min_hits`` steps.
        least_overlap: IoU that a pair must reach.

    Source: Bewley et al., ICIP 2016; the program's defaults max_age 1, min_hits 3, IoU 0.3. Its frame count starts at
    the first frame with boxes here, so that empty frames before it need not be seen.
    """

    def __init__(self, max_lost: float | None = None, max_age: int = 1, min_hits: int = 3,
                 least_overlap: float = 0.3) -> None:
        super().__init__("xysr", max_lost)
        self.max_age = max_age
        self.min_hits = min_hits
        self.least_overlap = least_overlap
        self._age = 0

    def _expired(self, t: float, unseen: int) -> np.ndarray:
        if self.max_lost is not None:
            return super()._expired(t, unseen)
        return self.tracks.missed + unseen > self.max_age

    def _advance(self, steps: int, dt: float) -> list[int]:
        """Predict step by step, each of length 1 however far apart the frames were: the program knows no time."""
        tracks = self.tracks
        self._age += steps
        tracks.streak[(tracks.missed > 0) | (steps > 1)] = 0
        for _ in range(min(steps, MAX_GAP)):
            still(tracks.state)
            tracks.state = kalman.predict(tracks.state, np.ones(len(tracks)), self.model)
        tracks.missed = tracks.missed + steps
        return self._drop(~np.isfinite(self._boxes()).all(axis=1))

    def _associate(self, boxes: np.ndarray, scores: np.ndarray, class_ids: np.ndarray, features: np.ndarray | None,
                   first: bool) -> tuple[np.ndarray, np.ndarray]:
        tracks = self.tracks
        rows, columns = assign_overlaps(overlaps(self._boxes(), tracks.class_id, boxes, class_ids), self.least_overlap)
        self._correct(rows, boxes[columns])
        owner = np.full(len(boxes), -1, np.int64)
        owner[columns] = rows
        self._start(np.flatnonzero(owner < 0), owner, boxes, class_ids, features)
        return owner, np.zeros(len(self.tracks), dtype=bool)

    def _reported(self) -> np.ndarray:
        if self._age <= self.min_hits:
            return np.ones(len(self.tracks), dtype=bool)
        return self.tracks.streak >= self.min_hits


def still(states: np.ndarray) -> None:
    """Stop the shrinking of "xysr" states (T, 4, 5) whose area would not be positive a step later."""
    area = states[:, AREA]
    area[area[:, 0] + area[:, 1] <= 0, 1] = 0
