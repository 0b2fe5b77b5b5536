"""``kalman`` in Numba: one pass over the tracks, four filters of two states each, without a matrix.

One thread: 1000 tracks take microseconds, less than waking a second thread.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from vtk.kernels.kalman.states import (
    CODES,
    DRIFT_VALUE,
    DRIFT_VELOCITY,
    FIXED,
    NOISE,
    START_VALUE,
    START_VELOCITY,
)

_NOBODY = np.empty(0)


def initiate(
    boxes: np.ndarray,
    state: str = "xywh",
    position: float = 1 / 20,
    velocity: float = 1 / 160,
    *,
    start: tuple[float, float] = (2.0, 10.0),
) -> np.ndarray:
    """Return the filters of tracks that start at ``boxes``; see the package."""
    tracks = np.empty((len(boxes), 4, 5))
    weights = float(start[0] * position), float(start[1] * velocity)
    _initiate(np.ascontiguousarray(boxes), CODES[state], FIXED[state], *weights, tracks)
    return tracks


def predict(
    tracks: np.ndarray, dt: np.ndarray, state: str = "xywh", position: float = 1 / 20, velocity: float = 1 / 160
) -> np.ndarray:
    """Return the filters ``dt`` frame intervals later; see the package."""
    moved = np.empty((len(tracks), 4, 5))
    tracks, dt = np.ascontiguousarray(tracks), np.ascontiguousarray(dt)
    _predict(tracks, dt, CODES[state], FIXED[state], float(position), float(velocity), moved)
    return moved


def update(
    tracks: np.ndarray,
    boxes: np.ndarray,
    scores: np.ndarray | None = None,
    state: str = "xywh",
    position: float = 1 / 20,
    score_noise: float = 0.0,
) -> np.ndarray:
    """Return predicted filters after seeing ``boxes``; see the package."""
    seen = np.empty((len(tracks), 4, 5))
    tracks, boxes = np.ascontiguousarray(tracks), np.ascontiguousarray(boxes)
    scores = _NOBODY if scores is None or state == "xysr" else np.ascontiguousarray(scores)
    _update(tracks, boxes, scores, CODES[state], FIXED[state], float(position), float(score_noise), seen)
    return seen


def boxes(tracks: np.ndarray, state: str = "xywh") -> np.ndarray:
    """Return where the tracks are; see the package."""
    found = np.empty((len(tracks), 4))
    _boxes(np.ascontiguousarray(tracks), CODES[state], found)
    return found


@njit(cache=True, nogil=True, error_model="numpy")
def _initiate(
    boxes: np.ndarray, code: int, fixed: np.ndarray, position: float, velocity: float, tracks: np.ndarray
) -> None:
    """Write the filters of ``boxes`` (N, 4) into ``tracks`` (N, 4, 5)."""
    for t in range(len(boxes)):
        measured = _measure(boxes[t], code)
        for k in range(4):
            size = _size(measured, k, code)
            tracks[t, k, 0], tracks[t, k, 1], tracks[t, k, 3] = measured[k], 0, 0
            tracks[t, k, 2] = _variance(fixed[START_VALUE, k], position, size)
            tracks[t, k, 4] = _variance(fixed[START_VELOCITY, k], velocity, size)


@njit(cache=True, nogil=True, error_model="numpy")
def _predict(
    tracks: np.ndarray, dts: np.ndarray, code: int, fixed: np.ndarray, position: float, velocity: float,
    moved: np.ndarray,
) -> None:  # fmt: skip
    """Write the filters ``dts`` (T,) after ``tracks`` (T, 4, 5) into ``moved`` (T, 4, 5)."""
    for t in range(len(tracks)):
        dt, values = dts[t], tracks[t, :, 0]
        later = dt - 1 if dt > 1 else 0.0
        steps, squares = later * dt / 2, later * dt * (2 * dt - 1) / 6
        for k in range(4):
            size = _size(values, k, code)
            value_drift = _variance(fixed[DRIFT_VALUE, k], position, size)
            velocity_drift = _variance(fixed[DRIFT_VELOCITY, k], velocity, size)
            old, new = tracks[t, k], moved[t, k]
            new[0] = old[0] + dt * old[1]
            new[1] = old[1]
            new[2] = old[2] + 2 * dt * old[3] + dt * dt * old[4] + dt * value_drift + velocity_drift * squares
            new[3] = old[3] + dt * old[4] + velocity_drift * steps
            new[4] = old[4] + dt * velocity_drift


@njit(cache=True, nogil=True, error_model="numpy")
def _update(
    tracks: np.ndarray, boxes: np.ndarray, scores: np.ndarray, code: int, fixed: np.ndarray, position: float,
    score_noise: float, seen: np.ndarray,
) -> None:  # fmt: skip
    """Write ``tracks`` (T, 4, 5) after seeing ``boxes`` (T, 4) into ``seen`` (T, 4, 5); no scores: all 1."""
    for t in range(len(tracks)):
        factor = 1 + score_noise * (1 - scores[t]) if len(scores) else 1.0
        measured, values = _measure(boxes[t], code), tracks[t, :, 0]
        for k in range(4):
            old, new = tracks[t, k], seen[t, k]
            total = old[2] + _variance(fixed[NOISE, k], position, _size(values, k, code)) * factor
            gain, velocity_gain = old[2] / total, old[3] / total
            innovation = measured[k] - old[0]
            new[0] = old[0] + gain * innovation
            new[1] = old[1] + velocity_gain * innovation
            new[2] = (1 - gain) * old[2]
            new[3] = (1 - gain) * old[3]
            new[4] = old[4] - velocity_gain * old[3]


@njit(cache=True, nogil=True, error_model="numpy")
def _boxes(tracks: np.ndarray, code: int, found: np.ndarray) -> None:
    """Write the corners of ``tracks`` (T, 4, 5) into ``found`` (T, 4)."""
    for t in range(len(tracks)):
        width, height = tracks[t, 2, 0], tracks[t, 3, 0]
        if code == 1:
            width = width * height
        elif code == 2:
            area = width
            width = np.sqrt(area * height) if area > 0 and height > 0 else np.nan
            height = area / width
        found[t, 0] = tracks[t, 0, 0] - width / 2
        found[t, 1] = tracks[t, 1, 0] - height / 2
        found[t, 2] = tracks[t, 0, 0] + width / 2
        found[t, 3] = tracks[t, 1, 0] + height / 2


@njit(cache=True, nogil=True, error_model="numpy")
def _measure(box: np.ndarray, code: int) -> tuple[float, float, float, float]:
    """Return the four quantities of ``box`` (4,) xyxy."""
    width, height = box[2] - box[0], box[3] - box[1]
    third = width if code == 0 else width / height if code == 1 else width * height
    return box[0] + width / 2, box[1] + height / 2, third, width / height if code == 2 else height


@njit(cache=True, nogil=True, error_model="numpy")
def _size(values: np.ndarray, k: int, code: int) -> float:
    """Return the size, at least one pixel, that the noise of quantity ``k`` of ``values`` (4,) is in proportion to."""
    size = abs(values[2 + k % 2 if code == 0 else 3])
    return 1.0 if size < 1 else size


@njit(cache=True, nogil=True, error_model="numpy")
def _variance(fixed: float, weight: float, size: float) -> float:
    """Return ``fixed``, or (weight × size)² where it is NaN."""
    deviation = weight * size
    return deviation * deviation if fixed != fixed else fixed
