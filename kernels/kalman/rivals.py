"""The same filters with whole matrices: a track at a time, as trackers have them, and all at once in NumPy.

A state is the mean (8,), four values and four velocities, and the covariance (8, 8).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from vtk.kernels.case import Arguments
from vtk.kernels.kalman import reference
from vtk.kernels.kalman.states import DRIFT_VALUE, DRIFT_VELOCITY, FIXED, NOISE, SIZES, START_VALUE, START_VELOCITY

Run = Callable[[], Any]


def matrices(tracks: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return means (T, 8) and covariances (T, 8, 8) of ``tracks`` (T, 4, 5)."""
    mean = np.concatenate([tracks[:, :, 0], tracks[:, :, 1]], axis=1)
    cov, k = np.zeros((len(tracks), 8, 8)), np.arange(4)
    cov[:, k, k], cov[:, k + 4, k + 4] = tracks[:, :, 2], tracks[:, :, 4]
    cov[:, k, k + 4] = cov[:, k + 4, k] = tracks[:, :, 3]
    return mean, cov


def _drift(size: np.ndarray, dt: float | np.ndarray, arguments: Arguments) -> tuple[Any, Any, Any]:
    """Return Q(dt) for values, between value and velocity, and for velocities, of one track or of all."""
    fixed = FIXED[arguments["state"]]
    position = _variance(fixed[DRIFT_VALUE], arguments["position"], size)
    velocity = _variance(fixed[DRIFT_VELOCITY], arguments["velocity"], size)
    later = np.maximum(dt - 1, 0)
    return dt * position + velocity * (later * dt * (2 * dt - 1) / 6), velocity * (later * dt / 2), dt * velocity


def _variance(fixed: np.ndarray, weight: float, size: np.ndarray) -> np.ndarray:
    """Return variances: fixed (4,), or (weight × size)² where that is NaN."""
    return np.where(np.isnan(fixed), (weight * size) ** 2, fixed)


def _initiate_one(box: np.ndarray, arguments: Arguments) -> tuple[np.ndarray, np.ndarray]:
    measured, fixed, start = _measure_one(box, arguments["state"]), FIXED[arguments["state"]], arguments["start"]
    size = np.maximum(measured[list(SIZES[arguments["state"]])], 1)
    value = _variance(fixed[START_VALUE], start[0] * arguments["position"], size)
    velocity = _variance(fixed[START_VELOCITY], start[1] * arguments["velocity"], size)
    return np.concatenate([measured, np.zeros(4)]), np.diag(np.concatenate([value, velocity]))


def _measure_one(box: np.ndarray, state: str) -> np.ndarray:
    width, height = box[2] - box[0], box[3] - box[1]
    third = {"xywh": width, "xyah": width / height, "xysr": width * height}[state]
    return np.array([box[0] + width / 2, box[1] + height / 2, third, width / height if state == "xysr" else height])


def _predict_one(mean: np.ndarray, cov: np.ndarray, dt: float, arguments: Arguments) -> tuple[np.ndarray, np.ndarray]:
    motion = np.eye(8)
    motion[:4, 4:] = dt * np.eye(4)
    size = np.maximum(np.abs(mean[list(SIZES[arguments["state"]])]), 1)
    noise, k = np.zeros((8, 8)), np.arange(4)
    noise[k, k], noise[k, k + 4], noise[k + 4, k + 4] = _drift(size, dt, arguments)
    noise[k + 4, k] = noise[k, k + 4]
    return motion @ mean, np.linalg.multi_dot((motion, cov, motion.T)) + noise


def _update_one(
    mean: np.ndarray, cov: np.ndarray, box: np.ndarray, score: float, arguments: Arguments
) -> tuple[np.ndarray, np.ndarray]:
    state, observed = arguments["state"], np.eye(4, 8)
    size = np.maximum(np.abs(mean[list(SIZES[state])]), 1)
    noise = _variance(FIXED[state][NOISE], arguments["position"], size)
    if state != "xysr":
        noise = noise * (1 + arguments["score_noise"] * (1 - score))
    projected = np.linalg.multi_dot((observed, cov, observed.T)) + np.diag(noise)
    gain = np.linalg.solve(projected, observed @ cov).T
    innovation = _measure_one(box, state) - observed @ mean
    return mean + gain @ innovation, cov - np.linalg.multi_dot((gain, projected, gain.T))


def _box_one(mean: np.ndarray, state: str) -> np.ndarray:
    width, height = mean[2], mean[3]
    if state == "xyah":
        width = width * height
    elif state == "xysr":
        width = np.sqrt(mean[2] * mean[3])
        height = mean[2] / width
    return np.array([mean[0] - width / 2, mean[1] - height / 2, mean[0] + width / 2, mean[1] + height / 2])


def _loop_initiate(arguments: Arguments) -> Run | None:
    """Return the loop that starts tracks."""
    if not isinstance(arguments["boxes"], np.ndarray):
        return None
    return lambda: [_initiate_one(box, arguments) for box in arguments["boxes"]]


def _loop_predict(arguments: Arguments) -> Run | None:
    """Return the loop that predicts."""
    if not isinstance(arguments["tracks"], np.ndarray):
        return None
    states = list(zip(*matrices(arguments["tracks"]), arguments["dt"], strict=True))
    return lambda: [_predict_one(mean, cov, dt, arguments) for mean, cov, dt in states]


def _loop_update(arguments: Arguments) -> Run | None:
    """Return the loop that updates."""
    if not isinstance(arguments["tracks"], np.ndarray):
        return None
    states = list(zip(*matrices(arguments["tracks"]), arguments["boxes"], arguments["scores"], strict=True))
    return lambda: [_update_one(mean, cov, box, score, arguments) for mean, cov, box, score in states]


def _loop_boxes(arguments: Arguments) -> Run | None:
    """Return the loop that asks each track for its box."""
    if not isinstance(arguments["tracks"], np.ndarray):
        return None
    means = matrices(arguments["tracks"])[0]
    return lambda: [_box_one(mean, arguments["state"]) for mean in means]


def _batch_predict(arguments: Arguments) -> Run | None:
    """Return the prediction of all tracks with stacks of matrices."""
    if not isinstance(arguments["tracks"], np.ndarray):
        return None
    (mean, cov), dt, k = matrices(arguments["tracks"]), arguments["dt"], np.arange(4)

    def run() -> tuple[np.ndarray, np.ndarray]:
        motion, noise = np.tile(np.eye(8), (len(mean), 1, 1)), np.zeros((len(mean), 8, 8))
        motion[:, k, k + 4] = dt[:, None]
        size = np.maximum(np.abs(mean[:, SIZES[arguments["state"]]]), 1)
        noise[:, k, k], noise[:, k, k + 4], noise[:, k + 4, k + 4] = _drift(size, dt[:, None], arguments)
        noise[:, k + 4, k] = noise[:, k, k + 4]
        return np.einsum("tij,tj->ti", motion, mean), motion @ cov @ motion.transpose(0, 2, 1) + noise

    return run


def _batch_update(arguments: Arguments) -> Run | None:
    """Return the update of all tracks with stacks of matrices."""
    if not isinstance(arguments["tracks"], np.ndarray):
        return None
    (mean, cov), state, k = matrices(arguments["tracks"]), arguments["state"], np.arange(4)

    def run() -> tuple[np.ndarray, np.ndarray]:
        size = np.maximum(np.abs(mean[:, SIZES[state]]), 1)
        factor = 1 if state == "xysr" else 1 + arguments["score_noise"] * (1 - arguments["scores"][:, None])
        projected = cov[:, :4, :4].copy()
        projected[:, k, k] += _variance(FIXED[state][NOISE], arguments["position"], size) * factor
        gain = np.linalg.solve(projected, cov[:, :4]).transpose(0, 2, 1)
        innovation = reference.initiate(arguments["boxes"], state)[:, :, 0] - mean[:, :4]
        seen = mean + np.einsum("tij,tj->ti", gain, innovation)
        return seen, cov - gain @ projected @ gain.transpose(0, 2, 1)

    return run


# The loop over tracks that DeepSORT's program and filterpy's users have, and stacks of matrices in NumPy.
LOOPS = {"initiate": _loop_initiate, "predict": _loop_predict, "update": _loop_update, "boxes": _loop_boxes}
STACKS = {"predict": _batch_predict, "update": _batch_update}
