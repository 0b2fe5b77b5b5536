"""Real sequences in the MOTChallenge layout, and their scores by TrackEval."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from vtk.tracking import Tracker

Rows = np.ndarray


@pytest.fixture(scope="session")
def mot_rows(shared: Path) -> Callable[[str], Rows]:
    """Return a reader of MOT rows: frame, id, x1, y1, x2, y2, confidence; frames from 1."""

    def read(name: str) -> Rows:
        rows = np.loadtxt(shared / "data" / "track" / name, delimiter=",", ndmin=2)[:, :7]
        rows[:, 4:6] += rows[:, 2:4]
        return rows

    return read


@pytest.fixture(scope="session")
def run_tracker() -> Callable[[Tracker, Rows], Rows]:
    """Return a function that tracks MOT rows at 25 frames a second and returns MOT rows with ids."""

    def run(tracker: Tracker, rows: Rows) -> Rows:
        out = []
        for frame in range(1, int(rows[:, 0].max()) + 1):
            here = rows[rows[:, 0] == frame]
            step = tracker.update(frame - 1, (frame - 1) / 25, 1, here[:, 2:6].astype(np.float32),
                                  here[:, 6].astype(np.float32), np.zeros(len(here), np.int64))
            out += [[frame, track, *box, 1] for track, box in zip(step.track_ids, step.boxes, strict=True) if track > 0]
        return np.array(out)

    return run


@pytest.fixture(scope="session")
def mot_scores() -> Callable[[Rows, Rows], dict[str, float]]:
    """Return TrackEval's HOTA, CLEAR and identity scores of MOT rows, percentages and counts."""
    with contextlib.redirect_stdout(io.StringIO()):
        from trackeval.metrics import CLEAR, HOTA, Identity

        metrics = [HOTA(), CLEAR({"PRINT_CONFIG": False}), Identity({"PRINT_CONFIG": False})]

    def score(truth: Rows, found: Rows) -> dict[str, float]:
        truth = truth[truth[:, 6] != 0]  # rows that the ground truth marks as not to be counted
        data = sequence(truth, found)
        with contextlib.redirect_stdout(io.StringIO()):
            results = {key: value for metric in metrics for key, value in metric.eval_sequence(data).items()}
        names = ("HOTA", "DetA", "AssA", "MOTA", "MOTP", "IDF1")
        shares = {name: 100 * float(np.mean(results[name])) for name in names}
        return shares | {"FP": results["CLR_FP"], "FN": results["CLR_FN"], "IDSW": results["IDSW"]}

    return score


def sequence(truth: Rows, found: Rows) -> dict[str, object]:
    """Return the arrays that TrackEval's metrics take of one sequence."""
    frames = range(1, int(max(truth[:, 0].max(), found[:, 0].max())) + 1)
    ids = {}
    for name, rows in (("gt", truth), ("tracker", found)):
        ids[name], inverse = np.unique(rows[:, 1], return_inverse=True)
        rows[:, 1] = inverse
    here = [(truth[truth[:, 0] == frame], found[found[:, 0] == frame]) for frame in frames]
    return {
        "num_timesteps": len(frames), "num_gt_dets": len(truth), "num_tracker_dets": len(found),
        "num_gt_ids": len(ids["gt"]), "num_tracker_ids": len(ids["tracker"]),
        "gt_ids": [a[:, 1].astype(int) for a, _ in here], "tracker_ids": [b[:, 1].astype(int) for _, b in here],
        "similarity_scores": [overlap(a[:, 2:6], b[:, 2:6]) for a, b in here],
    }


def overlap(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Return the IoU of each pair of boxes xyxy, (N, M)."""
    low, high = np.maximum(a[:, None, :2], b[None, :, :2]), np.minimum(a[:, None, 2:], b[None, :, 2:])
    shared = np.clip(high - low, 0, None).prod(axis=2)
    areas = [(boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1]) for boxes in (a, b)]
    return shared / (areas[0][:, None] + areas[1] - shared)
