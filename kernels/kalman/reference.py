"""``kalman`` as the papers say it, quantity by quantity, in NumPy."""

from __future__ import annotations

import numpy as np

from vtk.kernels.kalman.states import (
    DRIFT_VALUE,
    DRIFT_VELOCITY,
    FIXED,
    NOISE,
    SIZES,
    START_VALUE,
    START_VELOCITY,
)


def initiate(
    boxes: np.ndarray,
    state: str = "xywh",
    position: float = 1 / 20,
    velocity: float = 1 / 160,
    *,
    start: tuple[float, float] = (2.0, 10.0),
) -> np.ndarray:
    """Return the filters of tracks that start at ``boxes``; see the package."""
    tracks = np.zeros((len(boxes), 4, 5))
    tracks[:, :, 0] = _measure(boxes, state)
    tracks[:, :, 2] = _variances(tracks, state, START_VALUE, start[0] * position)
    tracks[:, :, 4] = _variances(tracks, state, START_VELOCITY, start[1] * velocity)
    return tracks


def predict(
    tracks: np.ndarray, dt: np.ndarray, state: str = "xywh", position: float = 1 / 20, velocity: float = 1 / 160
) -> np.ndarray:
    """Return the filters ``dt`` frame intervals later; see the package."""
    value, speed, var_value, cov, var_velocity = np.moveaxis(tracks, 2, 0)
    dt = dt[:, None]
    later = np.maximum(dt - 1, 0)
    with np.errstate(all="ignore"):
        value_drift = _variances(tracks, state, DRIFT_VALUE, position)
        velocity_drift = _variances(tracks, state, DRIFT_VELOCITY, velocity)
        moved = np.empty_like(tracks, order="C")
        moved[:, :, 0] = value + dt * speed
        moved[:, :, 1] = speed
        summed = velocity_drift * (later * dt * (2 * dt - 1) / 6)
        moved[:, :, 2] = var_value + 2 * dt * cov + dt * dt * var_velocity + dt * value_drift + summed
        moved[:, :, 3] = cov + dt * var_velocity + velocity_drift * (later * dt / 2)
        moved[:, :, 4] = var_velocity + dt * velocity_drift
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
    with np.errstate(all="ignore"):
        noise = _variances(tracks, state, NOISE, position)
        if scores is not None and state != "xysr":
            noise = noise * (1 + score_noise * (1 - scores))[:, None]
        gain = tracks[:, :, 2:4] / (tracks[:, :, 2] + noise)[:, :, None]
        innovation = _measure(boxes, state) - tracks[:, :, 0]
        seen = np.empty_like(tracks, order="C")
        seen[:, :, :2] = tracks[:, :, :2] + gain * innovation[:, :, None]
        seen[:, :, 2:4] = (1 - gain[:, :, :1]) * tracks[:, :, 2:4]
        seen[:, :, 4] = tracks[:, :, 4] - gain[:, :, 1] * tracks[:, :, 3]
    return seen


def boxes(tracks: np.ndarray, state: str = "xywh") -> np.ndarray:
    """Return where the tracks are; see the package."""
    centre, (third, fourth) = tracks[:, :2, 0], tracks[:, 2:, 0].T
    with np.errstate(all="ignore"):
        if state == "xysr":
            width = np.sqrt(np.where((third > 0) & (fourth > 0), third * fourth, np.nan))
            height = third / width
        else:
            width, height = third * fourth if state == "xyah" else third, fourth
        half = np.stack([width, height], axis=1) / 2
        return np.concatenate([centre - half, centre + half], axis=1)


def _measure(boxes: np.ndarray, state: str) -> np.ndarray:
    """Return the four quantities of boxes (N, 4) xyxy: (N, 4)."""
    with np.errstate(all="ignore"):
        size = boxes[:, 2:] - boxes[:, :2]
        width, height = size.T
        last = {"xywh": (width, height), "xyah": (width / height, height), "xysr": (width * height, width / height)}
        return np.concatenate([boxes[:, :2] + size / 2, np.stack(last[state], axis=1)], axis=1)


def _variances(tracks: np.ndarray, state: str, row: int, weight: float) -> np.ndarray:
    """Return a variance for each quantity of each track (T, 4): fixed, or (weight × size)²."""
    with np.errstate(all="ignore"):
        size = np.maximum(np.abs(tracks[:, SIZES[state], 0]), 1)
        fixed = FIXED[state][row]
        return np.where(np.isnan(fixed), (weight * size) ** 2, fixed)
