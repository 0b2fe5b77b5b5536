"""What every tracker shares: its table of tracks, gaps between frames, expiry, and the numbering of tracks."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from vtk.kernels import kalman
from vtk.tracking.tracks import Tracks, no_tracks, unit

# Frame intervals that a track is moved through a gap. Expiry by time keeps gaps short; this bounds the covariance when
# a user asks for minutes of patience, and a track predicted further is no better known than one predicted so far.
MAX_GAP = 512

# Seconds: times are rounded to 6 decimals in records, so equal spans may differ by one unit of the last place.
TIME_SLACK = 2e-6


class Step(NamedTuple):
    """What a tracker says of one frame.

    Attributes:
        track_ids: (N,) int64, the track of each box, from 1; -1 where it has none (yet).
        boxes: (N, 4) float32 xyxy in pixels, filtered where there is a track, else as they came.
        ended: the ids of the reported tracks that ended.
        keys: (N,) int64, the number of the track that each box went to, reported or not yet; -1 for none.
        lost: the keys of the tracks that ended without ever being reported.
    """

    track_ids: np.ndarray
    boxes: np.ndarray
    ended: list[int]
    keys: np.ndarray
    lost: list[int]


class Tracker:
    """What trackers have in common; children decide which box goes to which track.

    Args:
        model: the filter's state, of vtk.kernels.kalman.STATES.
        max_lost: seconds after its last box at which a track ends; None: a child's own rule.
        position, velocity: the filter's noise: standard deviations of a box's place and speed in shares of its size.

    Attributes:
        interval: seconds from a frame to the next; 0: unknown, frames are counted instead.
        size: width and height of the frame in pixels; None: unknown.
        frame, t: index and time of the last frame with boxes; frame is -1 before the first.
    """

    recent = 0  # how many steps back boxes are remembered
    remembers = False  # whether the state after the last box is kept
    looks = False  # whether it looks at pictures itself

    def __init__(self, model: str, max_lost: float | None, position: float = 1 / 20, velocity: float = 1 / 160) -> None:
        if max_lost is not None and not max_lost >= 0:
            raise ValueError(f"max_lost must be 0 or more seconds, got {max_lost}")
        self.model = model
        self.max_lost = max_lost
        self.position, self.velocity = position, velocity
        self.interval = 0.0
        self.size: tuple[int, int] | None = None
        self.frame = -1
        self.t = 0.0
        self.tracks = no_tracks(self.recent, self.remembers)
        self._last_id = self._last_key = 0
        self._unreported: list[int] = []

    def update(self, frame: int, t: float, step: int, boxes: np.ndarray, scores: np.ndarray,
               class_ids: np.ndarray, features: np.ndarray | None = None) -> Step:
        """Track the boxes of one frame.

        Args:
            frame: index of the frame, greater than that of the last frame with boxes.
            t: its time in seconds.
            step: distance in frames to the previous frame that was looked at, from 1.
            boxes: (N, 4) float32 xyxy in pixels, of positive width and height.
            scores: (N,) float32 in [0, 1].
            class_ids: (N,) int; boxes of different classes never share a track.
            features: (N, D) float32, what the boxes show, compared by angle; a row of zeros says nothing; None: none.

        Raises:
            ValueError: the arrays do not agree, a box is empty or not finite, or the frame does not come after.
        """
        boxes, scores, class_ids = checked_boxes(boxes, scores, class_ids)
        if frame <= self.frame:
            raise ValueError(f"frames must come in increasing order: got {frame} after {self.frame}")
        if not len(boxes):
            ended = self.expire(frame, t, step)
            return Step(np.empty(0, np.int64), boxes.astype(np.float32), ended, np.empty(0, np.int64), self._lost())
        known = self._features(features, len(boxes))
        steps, dt = self._steps(frame, step), self._intervals(frame, t)
        ended = self._drop(self._expired(t, steps - 1))
        first = self.frame < 0
        self.frame, self.t = frame, t
        ended += self._advance(steps, dt)
        owner, dropped = self._associate(boxes, scores, class_ids, known, first)
        track_ids, keys, filtered = self._report(owner, boxes)
        ended += self._drop(dropped)
        return Step(track_ids, filtered.astype(np.float32), ended, keys, self._lost())

    def move(self, motion: np.ndarray) -> None:
        """Carry every track along with the camera.

        Args:
            motion: (2, 3) float64, takes points of the previous frame to where they are seen now, pixels.
        """
        from vtk.tracking.camera import warp  # OpenCV: loaded only where there are pixels

        if len(self.tracks):
            self.tracks.state = warp(self.tracks.state, motion)

    def look(self, image: np.ndarray, scale: tuple[float, float]) -> None:
        """Take the picture of the frame that comes next, where the tracker ``looks``.

        Args:
            image: (H, W, 3) uint8 RGB.
            scale: (x, y), what its pixels are multiplied by to give the boxes' pixels.
        """

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

    def _associate(self, boxes: np.ndarray, scores: np.ndarray, class_ids: np.ndarray, features: np.ndarray | None,
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

    def _intervals(self, frame: int, t: float) -> float:
        """Return how many nominal frame intervals lie between the last frame with boxes and ``frame`` at ``t``.

        Three decimals: times come rounded, and a steady rate must give whole numbers.
        """
        if self.frame < 0:
            return 1.0
        elapsed = round((t - self.t) / self.interval, 3) if self.interval > 0 else 0.0
        return min(elapsed if elapsed > 0 else float(frame - self.frame), float(MAX_GAP))

    def _advance(self, steps: int, dt: float) -> list[int]:
        """Predict every track ``steps`` steps and ``dt`` intervals on; return the ids of those that degenerated."""
        tracks = self.tracks
        if not len(tracks):
            return []
        tracks.state = kalman.predict(tracks.state, np.full(len(tracks), dt), self.model, self.position, self.velocity)
        tracks.missed = tracks.missed + steps
        return []

    def _boxes(self) -> np.ndarray:
        """Return where the tracks are, (T, 4) float64 xyxy in pixels."""
        return kalman.boxes(self.tracks.state, self.model)

    def _correct(self, rows: np.ndarray, boxes: np.ndarray, scores: np.ndarray | None = None) -> None:
        """Let the tracks of ``rows`` (K,) see ``boxes`` (K, 4), with ``scores`` (K,) where noise depends on them."""
        tracks = self.tracks
        if len(rows):
            tracks.state[rows] = self._seen(tracks.state[rows], boxes, scores)
        tracks.streak[rows] += 1
        tracks.missed[rows] = 0
        tracks.last_frame[rows] = self.frame
        tracks.last_t[rows] = self.t

    def _seen(self, states: np.ndarray, boxes: np.ndarray, scores: np.ndarray | None) -> np.ndarray:
        """Return the states (K, 4, 5) after seeing ``boxes`` (K, 4)."""
        return kalman.update(states, boxes, None, self.model, self.position)

    def _born(self, boxes: np.ndarray, class_ids: np.ndarray, features: np.ndarray | None = None) -> Tracks:
        """Return new tracks that start at ``boxes`` (N, 4) in the current frame."""
        state = self._initial(boxes)
        count = len(boxes)
        keys = self._last_key + 1 + np.arange(count)
        self._last_key += count
        zeros = np.zeros(count, np.int64)
        looks = features if features is not None else np.zeros((count, self.tracks.feature.shape[1]), np.float32)
        return Tracks(state, class_ids, keys, zeros, zeros + self.frame, zeros + self.frame, np.full(count, self.t),
                      zeros.copy(), zeros.copy(), np.zeros(count, dtype=bool), looks,
                      np.full((count, self.recent, 4), np.nan), state[:, :4 if self.remembers else 0].copy())

    def _initial(self, boxes: np.ndarray) -> np.ndarray:
        """Return the states (N, 4, 5) of tracks that start at ``boxes`` (N, 4)."""
        return kalman.initiate(boxes, self.model, self.position, self.velocity)

    def _start(self, rows: np.ndarray, owner: np.ndarray, boxes: np.ndarray, class_ids: np.ndarray,
               features: np.ndarray | None, confirmed: bool = False) -> None:
        """Start a track at each box of ``rows`` (K,), and note in ``owner`` (N,) that the box is its own."""
        if not len(rows):
            return
        owner[rows] = len(self.tracks) + np.arange(len(rows))
        born = self._born(boxes[rows], class_ids[rows], None if features is None else features[rows])
        born.confirmed[:] = confirmed
        self.tracks = self.tracks.join(born)

    def _report(self, owner: np.ndarray, boxes: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return track ids (N,), keys (N,) and boxes (N, 4); tracks reported for the first time get a number."""
        tracks = self.tracks
        track_ids, keys, filtered = np.full(len(owner), -1, np.int64), np.full(len(owner), -1, np.int64), boxes.copy()
        owned = np.flatnonzero(owner >= 0)
        if not len(owned):
            return track_ids, keys, filtered
        rows = owner[owned]
        keys[owned] = tracks.key[rows]
        found = kalman.boxes(tracks.state[rows], self.model)
        whole = np.isfinite(found).all(axis=1)
        filtered[owned[whole]] = found[whole]
        reported = self._reported()[rows]
        shown, rows = owned[reported], rows[reported]
        new = rows[tracks.track_id[rows] == 0]
        if len(new):
            tracks.track_id[new] = self._last_id + 1 + np.arange(len(new))
            self._last_id += len(new)
        track_ids[shown] = tracks.track_id[rows]
        return track_ids, keys, filtered

    def _drop(self, rows: np.ndarray) -> list[int]:
        """Take the tracks of ``rows`` (T,) bool off the table and return the ids of those that were reported."""
        if not rows.any():
            return []
        gone, keys = self.tracks.track_id[rows], self.tracks.key[rows]
        self.tracks = self.tracks.take(~rows)
        self._unreported += keys[gone == 0].tolist()
        return gone[gone > 0].tolist()

    def _lost(self) -> list[int]:
        """Return the keys of the tracks that ended unreported since the last call."""
        lost, self._unreported = self._unreported, []
        return lost

    def _features(self, features: np.ndarray | None, count: int) -> np.ndarray | None:
        """Return features (N, D) float32 of unit length; None where neither boxes nor tracks have any."""
        tracks = self.tracks
        length = tracks.feature.shape[1]
        if features is None:
            return np.zeros((count, length), np.float32) if length else None
        features = np.asarray(features, np.float32)
        if features.ndim != 2 or len(features) != count or (length and features.shape[1] != length):
            raise ValueError(f"features ({count}, {length or 'D'}) are needed, got shape {features.shape}")
        if not length and features.shape[1]:
            tracks.feature = np.zeros((len(tracks), features.shape[1]), np.float32)
        return unit(np.where(np.isfinite(features), features, np.float32(0))) if features.shape[1] else None


def checked_boxes(boxes: np.ndarray, scores: np.ndarray, class_ids: np.ndarray) -> tuple[np.ndarray, ...]:
    """Return boxes (N, 4) and scores (N,) as float64 and classes (N,) as int64.

    Raises:
        ValueError: their shapes do not agree, or a box is empty or not finite.
    """
    boxes = np.asarray(boxes, dtype=np.float64)
    scores, class_ids = np.asarray(scores, dtype=np.float64), np.asarray(class_ids, dtype=np.int64)
    if boxes.ndim != 2 or boxes.shape[1] != 4 or scores.shape != (len(boxes),) or class_ids.shape != scores.shape:
        raise ValueError(f"boxes (N, 4), scores (N,) and class_ids (N,) are needed, got shapes {boxes.shape}, "
                         f"{scores.shape} and {class_ids.shape}")
    # Of an infinite or undefined coordinate a difference is infinite, undefined, or beyond what two finite ones give.
    size = boxes[:, 2:] - boxes[:, :2]
    if not ((size > 0) & (size < np.inf)).all():
        bad = boxes[~((size > 0) & (size < np.inf)).all(axis=1)]
        raise ValueError(f"boxes must be finite with x1 < x2 and y1 < y2, got {bad[0].tolist()}")
    return boxes, scores, class_ids
