"""Sizes, inputs and rivals of ``kalman``."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np

from vtk.kernels.case import Arguments, Bench
from vtk.kernels.kalman import reference, rivals
from vtk.kernels.kalman.states import CODES

NAMES = ("initiate", "predict", "update", "boxes")


def inputs(name: str, size: int, rng: np.random.Generator) -> Arguments:
    """Return ``size`` tracks or boxes, some without extent; any state, steps of any length, scores or none."""
    given: dict[str, Any] = {"state": str(rng.choice(list(CODES)))}
    if rng.random() < 0.5:
        given["position"] = float(rng.uniform(0.01, 0.1))
    if name == "initiate":
        boxes = objects(size, rng)
        boxes[::9, 2:] = boxes[::9, :2]
        return given | {"boxes": boxes, "start": (2.0, float(rng.uniform(1, 10)))}
    tracks = moving(size, given["state"], rng)
    if name == "boxes":
        tracks[::9, 2, 0] *= -1
        return {"state": given["state"], "tracks": tracks}
    if name == "predict":
        return given | {"tracks": tracks, "dt": rng.choice([0, 0.3, 1, 1.5, 2, 7, 40.0], size)}
    if rng.random() < 0.5:
        given |= {"scores": rng.random(size), "score_noise": float(rng.uniform(0, 5))}
    return given | {"tracks": tracks, "boxes": objects(size, rng)}


def objects(count: int, rng: np.random.Generator) -> np.ndarray:
    """Return (count, 4) float64 xyxy boxes of 4 to 200 pixels a side, in 1280 x 720."""
    corner, sides = rng.uniform((0, 0), (1280, 720), (count, 2)), rng.uniform(4, 200, (count, 2))
    return np.concatenate([corner, corner + sides], axis=1)


def moving(count: int, state: str, rng: np.random.Generator) -> np.ndarray:
    """Return (count, 4, 5) filters that have seen a few boxes, not the same number of steps apart."""
    boxes = objects(count, rng)
    tracks = reference.initiate(boxes, state)
    for _ in range(3):
        boxes = boxes + rng.normal(0, 1, boxes.shape)
        tracks = reference.predict(tracks, rng.integers(1, 4, count).astype(np.float64), state)
        tracks = reference.update(tracks, boxes, None, state)
    return tracks


def tolerance(name: str, arguments: Arguments) -> float:
    """Return 0: every implementation does the same float64 operations in the same order, none of them fused."""
    return 0.0


def _starting(count: int, rng: np.random.Generator) -> Arguments:
    """Return boxes that ``count`` tracks start at."""
    return {"boxes": objects(count, rng), "state": "xywh", "position": 1 / 20, "velocity": 1 / 160, "start": (2, 10)}


def _predicting(count: int, rng: np.random.Generator) -> Arguments:
    """Return ``count`` tracks before their next frame."""
    tracks = moving(count, "xywh", rng)
    return {"tracks": tracks, "dt": np.ones(count), "state": "xywh", "position": 1 / 20, "velocity": 1 / 160}


def _updating(count: int, rng: np.random.Generator) -> Arguments:
    """Return ``count`` tracks and what was detected of them."""
    tracks = moving(count, "xywh", rng)
    seen = {"boxes": objects(count, rng), "scores": rng.random(count)}
    return {"tracks": tracks, **seen, "state": "xywh", "position": 1 / 20, "score_noise": 1.0}


def _asking(count: int, rng: np.random.Generator) -> Arguments:
    """Return ``count`` tracks."""
    return {"tracks": moving(count, "xywh", rng), "state": "xywh"}


# No library has these filters for many tracks at once: users write one of these.
LIBRARIES = {name: {"per-track loop, 8x8": rivals.LOOPS[name]} for name in NAMES}
for _name, _prepare in rivals.STACKS.items():
    LIBRARIES[_name]["numpy, 8x8"] = _prepare

_MAKERS = {"initiate": _starting, "predict": _predicting, "update": _updating, "boxes": _asking}

BENCHES = tuple(
    Bench(name, f"{name}, {count} tracks", partial(_MAKERS[name], count), level=level)
    for name in NAMES
    for count, level in ((50, 1), (200, 1), (1000, 0))
)
