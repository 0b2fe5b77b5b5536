"""What every tracker shares: its table of tracks, gaps between frames, expiry, and the numbering of tracks."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import NamedTuple

import numpy as np

from vtk.tracking.kalman import Motion, correct, initiate, predict

# Steps that a track is moved through a gap. Expiry by time keeps gaps short; this bounds the work when a user asks for
# minutes of patience, and a track predicted further is no better known than one predicted so far.
MAX_REPLAY = 512

# Seconds: times are rounded to 6 decimals in records, so equal spans may differ by one unit of the last place.
TIME_SLACK = 2e-6


class Step(NamedTuple):
    """What a tracker says of one frame.

    Attributes:
        track_ids: (N,) int64, the track of each box, from 1; -1 where it has none (yet).
        boxes: (N, 4) float32 xyxy in pixels, filtered where there is a track, else as they came.
        ended: the ids of the reported tracks that ended.
    """

    track_ids: np.ndarray
    boxes: np.ndarray
    ended: list[int]


@dataclass(slots=True)
class Tracks:
    """A table of T tracks, one array a column.

    Attributes:
        mean: (T, 4, 2) float64, the filter's state.
        cov: (T, 4, 3) float64, its covariance.
        class_id: (T,) int64.
        track_id: (T,) int64, 0 until the track is reported for the first time.
        born: (T,) int64, the frame of its first box.
        last_frame: (T,) int64, the frame of its last box.
        last_t: (T,) float64, the time of its last box, seconds.
        missed: (T,) int64, steps since its last box.
        streak: (T,) int64, how many steps in a row it has been matched, the first box not counted.
        confirmed: (T,) bool, whether it may be reported.
    """

    mean: np.ndarray
    cov: np.ndarray
    class_id: np.ndarray
    track_id: np.ndarray
    born: np.ndarray
    last_frame: np.ndarray
    last_t: np.ndarray
    missed: np.ndarray
    streak: np.ndarray
    confirmed: np.ndarray

    def __len__(self) -> int:
        return len(self.mean)

    def take(self, rows: np.ndarray) -> Tracks:
        """Return the tracks of ``rows``, a mask or indices."""
        return Tracks(*(getattr(self, column.name)[rows] for column in fields(self)))

    def join(self, other: Tracks) -> Tracks:
        """Return these tracks and then ``other``."""
        return Tracks(*(np.concatenate([getattr(self, column.name), getattr(other, column.name)])
                        for column in fields(self)))


class Tracker:
    """A tracker of one source, on arrays. Subclasses say how boxes and tracks are paired and which are reported.

    Frames without boxes may be passed or left out: they act through the gap alone that they leave before the next
    frame with boxes, so the ids are the same either way. Passing them only brings the end of a track earlier.

    Args:
        motion: how boxes move.
        max_lost: seconds after its last box at which a track ends; None leaves it to the subclass.
    """

    def __init__(self, motion: Motion, max_lost: float | None) -> None:
        if max_lost is not None and not max_lost >= 0:
            raise ValueError(f"max_lost must be 0 or more seconds, got {max_lost}")
        self.motion = motion
        self.max_lost = max_lost
        self.frame = -1
        self.t = 0.0
        self._last_id = 0
        self.tracks = self._born(np.empty((0, 4)), np.empty(0, np.int64))

    def update(self, frame: int, t: float, step: int, boxes: np.ndarray, scores: np.ndarray,
               class_ids: np.ndarray) -> Step:
        """Track the boxes of one frame.

        Args:
            frame: index of the frame, greater than that of the last frame with boxes.
            t: its time in seconds.
            step: distance in frames to the previous frame that was looked at, from 1.
            boxes: (N, 4) float32 xyxy in pixels, of positive width and height.
            scores: (N,) float32 in [0, 1].
            class_ids: (N,) int; boxes of different classes never share a track.

        Raises:
            ValueError: the arrays do not agree, a box is empty or not finite, or the frame does not come after.
        """
        boxes, scores, class_ids = _checked(boxes, scores, class_ids)
        if frame <= self.frame:
            raise ValueError(f"frames must come in increasing order: got {frame} after {self.frame}")
        if not len(boxes):
            return Step(np.empty(0, np.int64), boxes.astype(np.float32), self.expire(frame, t, step))
        steps = self._steps(frame, step)
        ended = self._drop(self._expired(t, steps - 1))
        first = self.frame < 0
        self.frame, self.t = frame, t
        ended += self._advance(steps)
        owner, dropped = self._associate(boxes, scores, class_ids, first)
        track_ids, filtered = self._report(owner, boxes)
        return Step(track_ids, filtered.astype(np.float32), ended + self._drop(dropped))

    def expire(self, frame: int, t: float, step: int) -> list[int]:
        """Return the ids of the tracks that a frame without boxes ends; arguments as of ``update``."""
        return self._drop(self._expired(t, self._steps(frame, step)))

    def finish(self) -> list[int]:
        """End every track and return the ids of those that were reported."""
        return self._drop(np.ones(len(self.tracks), dtype=bool))

    def _expired(self, t: float, unseen: int) -> np.ndarray:
        """Return which tracks (T,) bool can match no more at ``t``, with ``unseen`` empty steps before it."""
        if self.max_lost is None:
            return np.zeros(len(self.tracks), dtype=bool)
        return t - self.tracks.last_t > self.max_lost + TIME_SLACK

    def _associate(self, boxes: np.ndarray, scores: np.ndarray, class_ids: np.ndarray,
                   first: bool) -> tuple[np.ndarray, np.ndarray]:
        """Pair the predicted tracks with boxes, correct and start tracks.

        Returns:
            owner: (N,) int64, the row of ``tracks`` that each box went to, -1 for none.
            dropped: (T,) bool over the new table, the tracks that end here.
        """
        raise NotImplementedError

    def _reported(self) -> np.ndarray:
        """Return which tracks (T,) bool may be reported in this frame, if matched."""
        return self.tracks.confirmed

    def _steps(self, frame: int, step: int) -> int:
        """Return how many steps ``frame`` lies after the last frame with boxes, at least 1; 1 for the first."""
        return 1 if self.frame < 0 else max(1, round((frame - self.frame) / max(1, step)))

    def _advance(self, steps: int) -> list[int]:
        """Predict every track ``steps`` steps on; return the ids of those whose box degenerated."""
        tracks = self.tracks
        for _ in range(min(steps, MAX_REPLAY)):
            self._restrain()
            tracks.mean, tracks.cov = predict(self.motion, tracks.mean, tracks.cov)
            tracks.missed += 1
        return self._drop(~np.isfinite(self.motion.boxes(tracks.mean)).all(axis=1))

    def _restrain(self) -> None:
        """Adjust velocities before a step."""

    def _correct(self, rows: np.ndarray, boxes: np.ndarray) -> None:
        """Let the tracks of ``rows`` (K,) see ``boxes`` (K, 4)."""
        tracks = self.tracks
        if len(rows):
            tracks.mean[rows], tracks.cov[rows] = correct(self.motion, tracks.mean[rows], tracks.cov[rows], boxes)
        tracks.streak[rows] += 1
        tracks.missed[rows] = 0
        tracks.last_frame[rows] = self.frame
        tracks.last_t[rows] = self.t

    def _born(self, boxes: np.ndarray, class_ids: np.ndarray) -> Tracks:
        """Return new tracks that start at ``boxes`` (N, 4) in the current frame."""
        mean, cov = initiate(self.motion, boxes)
        count = len(boxes)
        zeros = np.zeros(count, np.int64)
        return Tracks(mean, cov, class_ids, zeros, zeros + self.frame, zeros + self.frame, np.full(count, self.t),
                      zeros.copy(), zeros.copy(), np.zeros(count, dtype=bool))

    def _report(self, owner: np.ndarray, boxes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return track ids (N,) and filtered boxes (N, 4); tracks reported for the first time get a number."""
        tracks = self.tracks
        shown = np.flatnonzero((owner >= 0) & self._reported()[owner]) if len(tracks) else np.empty(0, np.int64)
        rows = owner[shown]
        new = rows[tracks.track_id[rows] == 0]
        tracks.track_id[new] = self._last_id + 1 + np.arange(len(new))
        self._last_id += len(new)
        track_ids = np.full(len(owner), -1, np.int64)
        track_ids[shown] = tracks.track_id[rows]
        filtered = boxes.copy()
        filtered[shown] = self.motion.boxes(tracks.mean[rows])
        broken = ~np.isfinite(filtered).all(axis=1)
        filtered[broken] = boxes[broken]
        return track_ids, filtered

    def _drop(self, rows: np.ndarray) -> list[int]:
        """Take the tracks of ``rows`` (T,) bool off the table and return the ids of those that were reported."""
        if not rows.any():
            return []
        gone = self.tracks.track_id[rows]
        self.tracks = self.tracks.take(~rows)
        return gone[gone > 0].tolist()


def _checked(boxes: np.ndarray, scores: np.ndarray, class_ids: np.ndarray) -> tuple[np.ndarray, ...]:
    boxes = np.asarray(boxes, dtype=np.float64)
    scores, class_ids = np.asarray(scores, dtype=np.float64), np.asarray(class_ids, dtype=np.int64)
    if boxes.ndim != 2 or boxes.shape[1] != 4 or scores.shape != (len(boxes),) or class_ids.shape != scores.shape:
        raise ValueError(f"boxes (N, 4), scores (N,) and class_ids (N,) are needed, got shapes {boxes.shape}, "
                         f"{scores.shape} and {class_ids.shape}")
    if not (np.isfinite(boxes).all() and (boxes[:, 2:] > boxes[:, :2]).all()):
        bad = boxes[~(np.isfinite(boxes).all(axis=1) & (boxes[:, 2:] > boxes[:, :2]).all(axis=1))]
        raise ValueError(f"boxes must be finite with x1 < x2 and y1 < y2, got {bad[0].tolist()}")
    return boxes, scores, class_ids
