"""The table of the tracks that one tracker has open."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np

# Track features forget half of what they knew with each box: SVRep's and our moving average.
MEMORY = 0.5


@dataclass(slots=True)
class Tracks:
    """A table of T tracks, one array a column.

    Attributes:
        state: (T, 4, 5) float64, the filter's state (vtk.kernels.kalman).
        class_id: (T,) int64.
        key: (T,) int64, the track's number from its first box on, reported or not.
        track_id: (T,) int64, 0 until the track is reported for the first time.
        born: (T,) int64, the frame of its first box.
        last_frame: (T,) int64, the frame of its last box.
        last_t: (T,) float64, the time of its last box, seconds.
        missed: (T,) int64, steps since its last box.
        streak: (T,) int64, how many steps in a row it has been matched, the first box not counted.
        confirmed: (T,) bool, whether it may be reported.
        feature: (T, D) float32 of unit length, what it looks like; D is 0 without embeddings, a row 0 where unknown.
        recent: (T, K, 4) float64 xyxy, its boxes in the K steps before the last, newest first, NaN where there was
            none; K is 0 where the tracker does not ask.
        seen: (T, 4, 5) float64, the state after its last box; (T, 0, 5) where the tracker does not ask.
    """

    state: np.ndarray
    class_id: np.ndarray
    key: np.ndarray
    track_id: np.ndarray
    born: np.ndarray
    last_frame: np.ndarray
    last_t: np.ndarray
    missed: np.ndarray
    streak: np.ndarray
    confirmed: np.ndarray
    feature: np.ndarray
    recent: np.ndarray
    seen: np.ndarray

    def __len__(self) -> int:
        return len(self.state)

    def take(self, rows: np.ndarray) -> Tracks:
        """Return the tracks of ``rows``, a mask or indices."""
        return Tracks(*(getattr(self, column)[rows] for column in _COLUMNS))

    def join(self, other: Tracks) -> Tracks:
        """Return these tracks and then ``other``."""
        return Tracks(*(np.concatenate([getattr(self, column), getattr(other, column)]) for column in _COLUMNS))

    def learn(self, rows: np.ndarray, features: np.ndarray) -> None:
        """Let the tracks of ``rows`` (K,) look like ``features`` (K, D) float32, half and half with what they did.

        Rows of zeros teach nothing.
        """
        known = features.any(axis=1)
        rows, features = rows[known], features[known]
        mean = MEMORY * self.feature[rows] + (1 - MEMORY) * features
        self.feature[rows] = unit(mean)


_COLUMNS = tuple(column.name for column in fields(Tracks))


def no_tracks(recent: int = 0, seen: bool = False) -> Tracks:
    """Return a table without tracks, of ``recent`` boxes back and with ``seen`` states if asked."""
    none = np.empty(0, np.int64)
    return Tracks(np.empty((0, 4, 5)), none, none, none, none, none, np.empty(0), none, none, np.empty(0, bool),
                  np.empty((0, 0), np.float32), np.empty((0, recent, 4)), np.empty((0, 4 if seen else 0, 5)))


def unit(vectors: np.ndarray) -> np.ndarray:
    """Return rows (N, D) float32 scaled to unit length; rows of zeros stay."""
    length = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.divide(vectors, length, out=np.zeros_like(vectors, dtype=np.float32), where=length > 0)
