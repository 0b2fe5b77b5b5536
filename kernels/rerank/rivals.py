"""What users run for the same: the program that most re-ID repositories carry, dense, row by row in NumPy."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from vtk.kernels.case import Arguments

Run = Callable[[], Any]


def usual(arguments: Arguments) -> Run | None:
    """Return the dense code on features."""
    if not isinstance(arguments["queries"], np.ndarray):
        return None
    return partial(_of_features, arguments)


def usual_topk(arguments: Arguments) -> Run | None:
    """Return the dense code on features, and its nearest."""
    if not isinstance(arguments["queries"], np.ndarray):
        return None

    def run() -> np.ndarray:
        return np.argsort(_of_features(arguments), axis=1)[:, : arguments["k"]]

    return run


def usual_of_distances(arguments: Arguments) -> Run | None:
    """Return the dense code on distances."""
    if not isinstance(arguments["distances"], np.ndarray):
        return None
    numbers = (arguments[name] for name in ("queries", "k1", "k2", "weight"))
    return partial(_dense, arguments["distances"], *numbers)


def _of_features(arguments: Arguments) -> np.ndarray:
    """Return the dense code's distances (Q, G) of features."""
    rows = np.concatenate([arguments["queries"], arguments["gallery"]])
    rows = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    numbers = (arguments[name] for name in ("k1", "k2", "weight"))
    return _dense(2 - 2 * rows @ rows.T, len(arguments["queries"]), *numbers)


def _dense(distances: np.ndarray, queries: int, k1: int, k2: int, weight: float) -> np.ndarray:
    """Return the re-ranked distances (Q, G) of squared distances (N, N), by the steps of the paper's program."""
    distances = (distances / np.max(distances, axis=0)).T
    codes, ranks = np.zeros_like(distances), np.argsort(distances)
    for i in range(len(distances)):
        near = _reciprocal(ranks, i, k1)
        members = near
        for other in near:
            theirs = _reciprocal(ranks, other, int(np.around(k1 / 2)))
            if len(np.intersect1d(theirs, near)) > 2 / 3 * len(theirs):
                members = np.append(members, theirs)
        members = np.unique(members)
        shares = np.exp(-distances[i, members])
        codes[i, members] = shares / np.sum(shares)
    if k2 != 1:
        means = np.zeros_like(codes)
        for i in range(len(codes)):
            means[i] = np.mean(codes[ranks[i, :k2]], axis=0)
        codes = means
    having = [np.where(codes[:, i] != 0)[0] for i in range(len(codes))]
    jaccard = np.zeros((queries, len(codes)), np.float32)
    for i in range(queries):
        shared = np.zeros(len(codes), np.float32)
        for member in np.where(codes[i] != 0)[0]:
            rows = having[member]
            shared[rows] += np.minimum(codes[i, member], codes[rows, member])
        jaccard[i] = 1 - shared / (2 - shared)
    return (jaccard * (1 - weight) + distances[:queries] * weight)[:, queries:]


def _reciprocal(ranks: np.ndarray, i: int, k: int) -> np.ndarray:
    """Return those of the k nearest of row ``i``, and itself, that have ``i`` among theirs."""
    forward = ranks[i, : k + 1]
    return forward[np.where(ranks[forward, : k + 1] == i)[0]]
