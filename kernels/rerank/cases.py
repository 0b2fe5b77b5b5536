"""Sizes, inputs and rivals of ``rerank``."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np

from vtk.kernels.case import Arguments, Bench
from vtk.kernels.cosine_topk.cases import people
from vtk.kernels.rerank import rivals

NAMES = ("rerank", "rerank_topk", "rerank_distances")


def inputs(name: str, size: int, rng: np.random.Generator) -> Arguments:
    """Return a fifth as many rows, a fifth of them queries, with copies and rows of zeros; k1 also beyond the set."""
    count = -(-size // 5)  # all pairs are many: the reference takes seconds for 1000 rows, Triton's interpreter for 50
    rows = people(count, int(rng.choice([2, 24])), rng)
    if rng.random() < 0.5:
        rows = np.round(rows)  # of which many are equal or equally far
        rows[::7] = 0
    queries = count // 5
    given: dict[str, Any] = {"k1": int(rng.choice([1, 5, 20, 500])), "k2": int(rng.choice([1, 6, 400]))}
    given["weight"] = float(rng.choice([0, 0.3, 1]))
    if name == "rerank_distances":
        apart = ((rows[:, None] - rows) ** 2).sum(axis=2)
        return {"distances": apart, "queries": queries} | given
    given = {"queries": rows[:queries].copy(), "gallery": rows[queries:].copy()} | given
    return given | ({"k": int(rng.choice([0, min(7, count - queries)]))} if name == "rerank_topk" else {})


def tolerance(name: str, arguments: Arguments) -> float:
    """Return what may separate two results: one step of float32 at 1, and for ``rerank`` the error of a product.

    Distances come from the same ranks and float64 codes, whose sums in another order differ by some 1e-16, and are
    rounded to float32 once. ``rerank`` takes its plain distances from a float32 product, whose error is at most
    gamma of D + 8 (see ``cosine_topk``), in shares of the row's largest: rows of which all are nearer to each other
    than 0.01 do not come up in the inputs, but for those where all distances are 0.
    """
    step = float(np.spacing(np.float32(1)))
    if name != "rerank":
        return step
    largest = max(0.01, _least_largest(arguments["queries"], arguments["gallery"]))
    return step + arguments["weight"] * (arguments["queries"].shape[1] + 9) * 2.0**-24 / largest


def _least_largest(queries: np.ndarray, gallery: np.ndarray) -> float:
    """Return the least of the queries' largest distances; 1 where there are none."""
    rows = np.concatenate([queries, gallery]).astype(np.float64)
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    units = rows / np.where(lengths > 0, lengths, 1)
    return float((1 - units[: len(queries)] @ units.T).max(axis=1, initial=0).min(initial=1))


def _market(queries: int, gallery: int, length: int, rng: np.random.Generator, **given: Any) -> Arguments:
    """Return features as of a re-ID network, about 20 of every person."""
    rows = people(queries + gallery, length, rng, each=20)
    return {"queries": rows[:queries], "gallery": rows[queries:], "k1": 20, "k2": 6, "weight": 0.3} | given


def _apart(queries: int, gallery: int, length: int, rng: np.random.Generator) -> Arguments:
    """Return the squared distances of such features brought to length 1."""
    rows = people(queries + gallery, length, rng, each=20)
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    return {"distances": np.maximum(0, 2 - 2 * rows @ rows.T), "queries": queries, "k1": 20, "k2": 6, "weight": 0.3}


LIBRARIES = {
    "rerank": {"usual NumPy code": rivals.usual},
    "rerank_topk": {"usual NumPy code": rivals.usual_topk},
    "rerank_distances": {"usual NumPy code": rivals.usual_of_distances},
}

BENCHES = (
    Bench("rerank", "200 in 800 x 256", partial(_market, 200, 800, 256), level=0),
    Bench("rerank", "500 in 2500 x 256", partial(_market, 500, 2500, 256), level=2),
    Bench("rerank_topk", "10 of 200 in 800 x 256", partial(_market, 200, 800, 256, k=10), level=0),
    Bench("rerank_distances", "distances, 200 in 800", partial(_apart, 200, 800, 256), level=0),
)
