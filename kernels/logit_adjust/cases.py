"""Sizes, inputs and rivals of ``logit_adjust``."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np

from vtk.kernels.case import Arguments, Bench
from vtk.kernels.case import size as bytes_of
from vtk.kernels.logit_adjust import rivals

NAMES = ("logit_adjust",)


def inputs(name: str, size: int, rng: np.random.Generator) -> Arguments:
    """Return some rows of ``size`` classes, or nine times as many, with any of what may be known beside; 0: none."""
    classes, rows, places = size * int(rng.choice([1, 9])), int(rng.integers(0 if size == 0 else 1, 6)), 4
    logits = rng.normal(0, float(rng.choice([0.5, 4.0, 60.0])), (rows, classes)).astype(np.float32)
    logits[rng.random(logits.shape) < 0.05] = -np.inf
    logits[3:4] = rng.choice([-np.inf, np.nan, np.inf, 1e30])
    group_count = int(rng.choice([1, 3, 70]))
    priors, masks = _places(places, classes, rng), rng.random((places, classes)) < rng.choice([0.02, 0.5])
    priors[1, ::5] = rng.choice([-np.inf, -300, np.nan], p=[0.6, 0.3, 0.1])
    masks[2] = False
    given: dict[str, Any] = {"logits": logits}
    if rng.random() < 0.7:
        given["train"] = _places(1, classes, rng)[0]
    for key, table in (("priors", priors), ("masks", masks)):
        if rng.random() < 0.7:
            given |= {key: table, "places": rng.integers(-1, places, rows)}
    if rng.random() < 0.7:
        given |= {"groups": rng.integers(-1, group_count, classes), "group_count": group_count}
    return given | {
        "tau": float(rng.choice([0, 0.7, 1])), "gamma": float(rng.choice([0, 0.5, 1])),
        "floor": float(rng.choice([0, 1e-4, 1])),
    }  # fmt: skip


def _places(places: int, classes: int, rng: np.random.Generator) -> np.ndarray:
    """Return the logarithms of shares (places, classes) float32 of a few common classes and many rare ones."""
    shares = rng.gamma(0.3, 1, (places, classes)) + 1e-6
    return np.log(shares / shares.sum(axis=1, keepdims=True)).astype(np.float32)


def tolerance(name: str, arguments: Arguments) -> float:
    """Return 6 half steps of float32 at 1.

    Scores are the same in every implementation: the same float64 operations, one after the other. An exponential in
    float32 is off by 2 half steps at most: a quarter for its rounded argument, an eighth for the rest of the series,
    1.6 for the roundings of the polynomial's last steps. A sum of such is off by as much, and so is its share of
    another sum again, 4; the result is rounded once more, and the reference's, too.
    """
    return 6 * 2.0**-24


def _pictures(rows: int, classes: int, rng: np.random.Generator, **left_out: None) -> Arguments:
    """Return the logits of ``rows`` pictures from 50 places, a third of the classes in each, by taxonomy in order."""
    logits = rng.normal(0, 2, (rows, classes)).astype(np.float32)
    logits[np.arange(rows), rng.integers(0, classes, rows)] += 10
    given = {
        "logits": logits, "train": _places(1, classes, rng)[0], "priors": _places(50, classes, rng),
        "places": rng.integers(0, 50, rows), "masks": rng.random((50, classes)) < 1 / 3,
        "groups": np.arange(classes) // 4, "floor": 1e-4, "group_count": -(-classes // 4),
    }  # fmt: skip
    given |= left_out
    return given if given["groups"] is not None else given | {"group_count": 0}


def _moved(arguments: Arguments, result: Any) -> int:
    """Return the bytes that are read and written at least: of the tables, only rows that some place names."""
    tables = sum(bytes_of(arguments[key][:1]) for key in ("priors", "masks") if arguments[key] is not None)
    used = 0 if arguments["places"] is None else len(set(arguments["places"].tolist()))
    once = sum(bytes_of(arguments[key]) for key in ("logits", "train", "places", "groups")) + bytes_of(result)
    return once + used * tables


LIBRARIES: dict[str, dict[str, Any]] = {
    "logit_adjust": {
        "torch": rivals.torch_softmax, "numpy": rivals.numpy_softmax, "scipy": rivals.scipy_softmax,
    }
}  # fmt: skip

_SOFTMAX = {"train": None, "priors": None, "places": None, "masks": None, "groups": None}

BENCHES = (
    Bench("logit_adjust", "1k x 1572", partial(_pictures, 1000, 1572), _moved, level=0),
    Bench("logit_adjust", "1 x 10k", partial(_pictures, 1, 10_000), _moved),
    Bench("logit_adjust", "64 x 10k", partial(_pictures, 64, 10_000), _moved, level=0),
    Bench("logit_adjust", "10k x 1k", partial(_pictures, 10_000, 1000), _moved),
    Bench("logit_adjust", "64 x 10k, softmax alone", partial(_pictures, 64, 10_000, **_SOFTMAX), _moved),
)
