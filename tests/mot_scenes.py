"""A scene in the style of MOT17, and TrackEval's own reading of it."""

from __future__ import annotations

import contextlib
import io
from pathlib import Path
from typing import Any

import numpy as np

Rows = np.ndarray


def scene(seed: int, frames: int = 40, objects: int = 14) -> tuple[Rows, Rows]:
    """Return ground truth (G, 9) and a result (R, 10) in MOT columns, both with whole frames missing.

    Objects of all classes drift, overlap and come and go, some rows are marked 0; the result jitters, loses, invents
    and swaps ids, and follows distractors as well as people.
    """
    rng = np.random.default_rng(seed)
    truth, found = [], []
    kind = rng.choice([1, 1, 1, 1, 2, 6, 7, 8, 9, 12], objects)
    place, speed = rng.uniform(0, 300, (objects, 2)), rng.normal(0, 6, (objects, 2))
    size = rng.uniform(30, 80, (objects, 2))
    name = np.arange(1, objects + 1)
    for frame in range(1, frames + 1):
        place += speed
        if rng.random() < 0.1:
            a, b = rng.choice(objects, 2, replace=False)
            name[[a, b]] = name[[b, a]]
        for one in range(objects):
            if frame % 11 and rng.random() < 0.9:
                truth.append([frame, one + 1, *place[one], *size[one], rng.random() < 0.85, kind[one], rng.random()])
            if frame % 13 and rng.random() < 0.8:
                noise = rng.normal(0, 5, 4)
                found.append([frame, name[one], *(np.r_[place[one], size[one]] + noise), rng.random(), -1, -1, -1])
        for extra in range(rng.integers(0, 3)):
            found.append([frame, 100 + extra, *rng.uniform(0, 300, 2), *size[extra], rng.random(), -1, -1, -1])
    return np.array(truth, dtype=float).round(3), np.array(found, dtype=float).round(3)


def write(path: Path, rows: Rows) -> Path:
    """Write MOT rows and return the path; its folder is made."""
    path.parent.mkdir(parents=True, exist_ok=True)
    np.savetxt(path, rows, fmt="%.12g", delimiter=",")
    return path


def by_trackeval(folder: Path, benchmark: str, lengths: dict[str, int]) -> dict[str, dict[str, dict[str, Any]]]:
    """Return what TrackEval's own data set and metrics make of gt/SEQ/gt/gt.txt and results/it/data/SEQ.txt."""
    with contextlib.redirect_stdout(io.StringIO()):
        from trackeval.datasets import MotChallenge2DBox
        from trackeval.metrics import CLEAR, HOTA, Identity

        data = MotChallenge2DBox({
            "GT_FOLDER": str(folder / "gt"), "TRACKERS_FOLDER": str(folder / "results"), "TRACKERS_TO_EVAL": ["it"],
            "BENCHMARK": benchmark, "SKIP_SPLIT_FOL": True, "SEQ_INFO": dict(lengths), "PRINT_CONFIG": False})
        quiet = {"PRINT_CONFIG": False}
        metrics = {"HOTA": HOTA(), "CLEAR": CLEAR(quiet), "Identity": Identity(quiet)}
        found: dict[str, dict[str, dict[str, Any]]] = {}
        for name in lengths:
            ready = data.get_preprocessed_seq_data(data.get_raw_seq_data("it", name), "pedestrian")
            found[name] = {family: metric.eval_sequence(ready) for family, metric in metrics.items()}
        found["COMBINED"] = {family: metric.combine_sequences({name: found[name][family] for name in lengths})
                             for family, metric in metrics.items()}
    return found
