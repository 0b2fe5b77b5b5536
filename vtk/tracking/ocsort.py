"""OC-SORT: SORT that trusts what was observed more than what was predicted."""

from __future__ import annotations

import numpy as np

from vtk.kernels import kalman
from vtk.tracking.association import centres, overlaps, solve
from vtk.tracking.sort import still
from vtk.tracking.tracker import MAX_GAP, Tracker


class ObservationTracker(Tracker):
    """OC-SORT with the defaults of its authors' program.

    Pairs by overlap and by how well the direction from a track's box some steps ago to the new box agrees with its
    direction so far; gives tracks left over a second look from where they were last seen; and when a lost track is
    found again, corrects it along the straight line between its last box and the new one.

    Args:
        max_lost: seconds after its last box at which a track ends.
        high: score that a box must exceed to be looked at.
        min_hits: matches in a row after which a track is reported; not asked in the first ``min_hits`` steps.
        least_overlap: IoU that a pair must reach.
        inertia: weight of the direction.

    Source: Cao et al., CVPR 2023, sections 4.1 to 4.3; the program's defaults det_thresh 0.6, max_age 30 (1 s at 30
    frames a second), min_hits 3, IoU 0.3, delta_t 3, inertia 0.2. Unlike there, the filtered box is what is reported,
    boxes of different classes never pair, and motion goes by the time between frames.
    """

    recent = 3  # delta_t: a direction goes from the box this many steps before the last
    remembers = True

    def __init__(self, max_lost: float = 1.0, high: float = 0.6, min_hits: int = 3, least_overlap: float = 0.3,
                 inertia: float = 0.2) -> None:
        super().__init__("xysr", max_lost)
        self.high, self.min_hits = high, min_hits
        self.least_overlap, self.inertia = least_overlap, inertia
        self._age = 0
        self._gap = (1, 1.0)  # the steps and intervals of the last advance

    def _advance(self, steps: int, dt: float) -> list[int]:
        tracks = self.tracks
        self._age += steps
        self._gap = steps, dt
        tracks.streak[(tracks.missed > 0) | (steps > 1)] = 0
        still(tracks.state)
        super()._advance(steps, dt)
        return self._drop(~np.isfinite(self._boxes()).all(axis=1))

    def _associate(self, boxes: np.ndarray, scores: np.ndarray, class_ids: np.ndarray, features: np.ndarray | None,
                   first: bool) -> tuple[np.ndarray, np.ndarray]:
        tracks = self.tracks
        owner = np.full(len(boxes), -1, np.int64)
        sure = np.flatnonzero(scores > self.high)
        if len(tracks) and len(sure):
            self._pair(owner, sure, boxes, scores, class_ids)
        matched = np.flatnonzero(owner >= 0)
        self._straighten(owner[matched], boxes[matched])
        self._remember(owner[matched], boxes[matched])
        new = np.flatnonzero((owner < 0) & (scores > self.high))
        self._start(new, owner, boxes, class_ids, features)
        self.tracks.recent[len(tracks):, 0] = boxes[new]
        return owner, np.zeros(len(self.tracks), dtype=bool)

    def _reported(self) -> np.ndarray:
        if self._age <= self.min_hits:
            return np.ones(len(self.tracks), dtype=bool)
        return self.tracks.streak >= self.min_hits

    def _pair(self, owner: np.ndarray, sure: np.ndarray, boxes: np.ndarray, scores: np.ndarray,
              class_ids: np.ndarray) -> None:
        """Write into ``owner`` (N,) the track that each of the boxes ``sure`` (K,) goes to."""
        tracks = self.tracks
        iou = overlaps(self._boxes(), tracks.class_id, boxes[sure], class_ids[sure])
        worth = iou + self._consistency(boxes[sure]) * scores[sure]
        worth[tracks.class_id[:, None] != class_ids[sure]] = 0
        rows, columns = _best(iou, worth, self.least_overlap)
        owner[sure[columns]] = rows
        # Observation-centric recovery: from where it was last seen.
        left, free = sure[owner[sure] < 0], np.setdiff1d(np.arange(len(tracks)), rows)
        if len(left) and len(free):
            iou = overlaps(tracks.recent[free, 0], tracks.class_id[free], boxes[left], class_ids[left])
            rows, columns = _best(iou, iou, self.least_overlap)
            owner[left[columns]] = free[rows]

    def _consistency(self, boxes: np.ndarray) -> np.ndarray:
        """Return what each pair's direction is worth, (T, N) in [-inertia/2, inertia/2]; 0 for tracks of one box."""
        tracks = self.tracks
        last = tracks.recent[:, 0]
        # The box delta_t steps back, else the nearest after it: rows of ``recent`` hold NaN where there was none.
        past = last.copy()
        for back in range(1, self.recent):
            there = np.isfinite(tracks.recent[:, back, 0])
            past[there] = tracks.recent[there, back]
        so_far = _directions(centres(past), centres(last))
        now = _directions(centres(past)[:, None], centres(boxes)[None])
        angle = np.arccos(np.clip((so_far[:, None] * now).sum(axis=2), -1, 1))
        agreement = (np.pi / 2 - angle) / np.pi * self.inertia
        agreement[tracks.streak + (tracks.last_frame - tracks.born) == 0] = 0
        return agreement

    def _straighten(self, rows: np.ndarray, boxes: np.ndarray) -> None:
        """Correct the tracks of ``rows`` (K,) by ``boxes`` (K, 4), lost ones along a straight line to them."""
        tracks = self.tracks
        lost = tracks.missed[rows] > 1
        if lost.any():
            again = rows[lost]
            steps = np.minimum(tracks.missed[again], MAX_GAP)
            each = (self.t - tracks.last_t[again]) / self.interval / steps if self.interval > 0 else (
                (self.frame - tracks.last_frame[again]) / steps)
            state, last = tracks.seen[again], tracks.recent[again, 0]
            for step in range(1, int(steps.max()) + 1):
                on = step <= steps
                still(state)
                state[on] = kalman.predict(state[on], each[on], self.model)
                walking = step < steps
                share = (step / steps[walking])[:, None]
                path = last[walking] + share * (boxes[lost][walking] - last[walking])
                state[walking] = kalman.update(state[walking], path, None, self.model)
            tracks.state[again] = state
        self._correct(rows, boxes)

    def _remember(self, rows: np.ndarray, boxes: np.ndarray) -> None:
        """Keep the boxes (K, 4) and the states of the tracks ``rows`` (K,); forget what is too long ago."""
        tracks = self.tracks
        recent = tracks.recent
        gap = min(self._gap[0], self.recent)
        seen = np.full_like(recent[rows], np.nan)
        seen[:, gap:] = recent[rows, :self.recent - gap]
        seen[:, 0] = boxes
        recent[rows] = seen
        tracks.seen[rows] = tracks.state[rows]


def _directions(start: np.ndarray, end: np.ndarray) -> np.ndarray:
    """Return unit vectors from points ``start`` to ``end``, (…, 2) pixels, 0 where they are the same."""
    way = end - start
    return way / (np.linalg.norm(way, axis=-1, keepdims=True) + 1e-6)


def _best(iou: np.ndarray, worth: np.ndarray, least: float) -> tuple[np.ndarray, np.ndarray]:
    """Return the pairs of greatest total worth (T, N) whose overlap exceeds ``least``: rows, columns, (K,) each."""
    above = iou > least
    if not above.any():
        return np.empty(0, np.int64), np.empty(0, np.int64)
    if above.sum(axis=0).max() == 1 and above.sum(axis=1).max() == 1:
        return np.nonzero(above)
    rows, columns = solve(-worth)
    made = iou[rows, columns] >= least
    return rows[made], columns[made]
