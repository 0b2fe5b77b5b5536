"""Sizes, inputs and rivals of ``temporal_align``."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np

from vtk.kernels.case import Arguments, Bench
from vtk.kernels.temporal_align import rivals

NAMES = ("hough", "temporal_network", "dynamic_programming", "dtw", "diagonal")


def inputs(name: str, size: int, rng: np.random.Generator) -> Arguments:
    """Return a map with a few lines in noise, whole or as entries, up to 50 frames a side; and options."""
    side = min(50, round(size**0.7))
    queries, refs = (side + int(rng.integers(4)) if side else 0 for _ in range(2))
    if not side:
        queries, refs = ((0, 0), (0, 3), (3, 0))[rng.integers(3)]
    sims = rng.normal(0.05, 0.12, (queries, refs))
    for _ in range(3 if side > 5 else 0):
        draw(sims, rng.integers(queries), rng.integers(refs), float(rng.choice([0.5, 1, 1, 1.3, 2])), side // 2)
    if rng.random() < 0.4:
        sims = np.round(sims * 8) / 8  # many are equal
    sims = sims.astype(np.float32)
    listed = rng.random() < 0.4
    return {"similarity": _entries(sims, rng) if listed else sims} | _options(name, listed, rng)


def draw(sims: np.ndarray, query: int, ref: int, speed: float, length: int, height: float = 0.8) -> None:
    """Raise a map to ``height`` along a line of ``length`` query frames that begins at (query, ref)."""
    for t in range(length):
        i, j = query + t, ref + round(speed * t)
        if i < sims.shape[0] and j < sims.shape[1]:
            sims[i, j] = height


def _entries(sims: np.ndarray, rng: np.random.Generator) -> tuple[Any, ...]:
    """Return most cells of a map as entries in no order, some of them twice."""
    rows, columns = np.nonzero(sims > np.quantile(sims, 0.3)) if sims.size else np.nonzero(sims)
    order = rng.permutation(np.concatenate([np.arange(len(rows)), np.arange(len(rows) // 5)]))
    values = sims[rows, columns][order] - rng.choice([0, 0.25], len(order)).astype(np.float32)
    shape = tuple(map(int, sims.shape))
    given = rows[order], columns[order], values, shape if rng.random() < 0.5 else list(shape)
    return given if rng.random() < 0.5 else list(given)


def _options(name: str, listed: bool, rng: np.random.Generator) -> dict[str, Any]:
    """Return options of ``name``, most of them not the defaults."""
    low, gap = float(rng.choice([0.125, 0.2, 0.3])), int(rng.integers(0, 5))
    length = int(rng.integers(0, 6))
    if name == "hough":
        return {"min_sim": low, "max_peaks": int(rng.choice([0, 5, 100])), "max_iou": float(rng.choice([0, 0.3, 0.9])),
                "whole": bool(rng.random() < 0.5)}  # fmt: skip
    if name == "temporal_network":
        return {"max_step": gap + 1, "top_k": int(rng.integers(1, 7)), "max_path": gap, "min_sim": low,
                "min_length": length, "max_iou": float(rng.choice([0.0, 0.3]))}  # fmt: skip
    if name == "dynamic_programming":
        lows = (0.0, low) if listed else (-0.1, 0.0, low)
        return {"discontinue": gap, "min_sim": float(rng.choice(lows)), "ave_sim": float(rng.choice([-1.0, 0.1, 0.3])),
                "min_length": length, "max_straight": int(rng.choice([0, 2, 30])), "max_paths": 2 * gap}  # fmt: skip
    if name == "dtw":
        return {"discontinue": gap, "min_sim": low, "min_length": length}
    return {"min_sim": low, "slowest": float(rng.choice([0.4, 1.0])), "fastest": float(rng.choice([1.0, 2.5])),
            "speed_step": 1.4, "band": float(rng.choice([0.0, 1.0, 2.5])), "max_gap": gap,
            "gap_cost": float(rng.choice([0.0, 0.05])), "min_length": length, "min_score": float(rng.choice([0, 1])),
            "min_mean": float(rng.choice([0, 0.1])), "max_overlap": float(rng.choice([0.0, 0.5, 1.0])),
            "max_segments": int(rng.choice([3, 100]))}  # fmt: skip


def tolerance(name: str, arguments: Arguments) -> float:
    """Return 0: every implementation does the same float64 operations in the same order, and ties are decided."""
    return 0.0


def pair(queries: int, refs: int, rng: np.random.Generator) -> np.ndarray:
    """Return a map as two videos with four parts in common make it: unrelated frames at 0.1, copied ones at 0.8."""
    sims = rng.normal(0.1, 0.08, (queries, refs)).astype(np.float32)
    for k, speed in enumerate((1.0, 1.0, 0.8, 1.5)):
        start = (2 * k + 1) * queries // 9
        draw(sims, start, rng.integers(refs // 2), speed, queries // 9, float(rng.uniform(0.6, 0.9)))
    return sims


def nearest(frames: int, rng: np.random.Generator, top: int = 20) -> tuple[Any, ...]:
    """Return the entries of two long videos, ``top`` a row as a search gives them, with four parts in common."""
    rows = np.repeat(np.arange(frames), top)
    columns = rng.integers(0, frames, len(rows))
    values = rng.uniform(0.1, 0.45, len(rows)).astype(np.float32)
    for k, speed in enumerate((1.0, 1.0, 0.8, 1.25)):
        length, start = frames // 10, (2 * k + 1) * frames // 9
        line = rng.integers(frames // 2) + np.rint(speed * np.arange(length)).astype(np.int64)
        columns[(start + np.arange(length)) * top], values[(start + np.arange(length)) * top] = line, 0.8
    return rows, columns, values, (frames, frames)


def _map(frames: int, rng: np.random.Generator) -> Arguments:
    """Return the arguments of a case on a whole map."""
    return {"similarity": pair(frames, frames, rng)}


LIBRARIES = {
    "hough": {"numpy, diagonal by diagonal": rivals.numpy_hough},
    "temporal_network": {"networkx": rivals.networkx_path},
    "dynamic_programming": {"numpy, one forward pass": rivals.numpy_forward},
    "dtw": {"numpy, cost alone": rivals.numpy_warp},
    "diagonal": {"opencv HoughLinesP": rivals.opencv_lines},
}

# Each is held against the reference, which takes 0.3 s for one of the larger, and could not hold a map of hours.
BENCHES = (
    *(Bench(name, "120 x 120 frames", partial(_map, 120), level=0) for name in NAMES),
    *(Bench(name, "300 x 300 frames", partial(_map, 300)) for name in NAMES),
)
