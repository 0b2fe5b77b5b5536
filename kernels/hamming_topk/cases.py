"""Sizes, inputs and rivals of ``hamming_topk`` and ``hamming_within``."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np

from vtk.kernels.case import Arguments, Bench
from vtk.kernels.hamming_topk import rivals

NAMES = ("hamming_topk", "hamming_within")


def inputs(name: str, size: int, rng: np.random.Generator) -> Arguments:
    """Return ``size`` rows against some queries, copies with few bits turned among them, and equal rows."""
    width = int(rng.choice([1, 7, 32, 60]))
    base = rng.integers(0, 256, (size, width), np.uint8)
    base[::7] = base[: len(base[::7])]
    queries = turned(rng.permutation(base)[: min(size, int(rng.choice([1, 3, 40])))], rng.choice([0, 0.01, 0.2]), rng)
    given = {"queries": queries, "base": base}
    if name == "hamming_within":
        return given | {"radius": int(rng.choice([0, width, 3 * width, 8 * width])), "most": 100_000}
    return given | {"k": int(rng.choice([min(size, 1), min(size, 6), size // 10 + (size > 0), size]))}


def turned(rows: np.ndarray, share: float, rng: np.random.Generator) -> np.ndarray:
    """Return ``rows`` with about this share of their bits turned."""
    bits = (rng.random((*rows.shape, 8)) < share).astype(np.uint8)
    return rows ^ np.packbits(bits, axis=2)[..., 0]


def tolerance(name: str, arguments: Arguments) -> float:
    """Return 0: all are whole numbers, and no two answers are right."""
    return 0.0


def search(queries: int, count: int, width: int, rng: np.random.Generator, **more: int) -> Arguments:
    """Return a search among ``count`` rows of signatures for queries that each have a copy with a tenth turned."""
    base = rng.integers(0, 256, (count, width), np.uint8)
    found = turned(base[rng.integers(0, count, queries)], 0.1, rng)
    return {"queries": found, "base": base} | more


LIBRARIES: dict[str, dict[str, Any]] = {
    "hamming_topk": {
        "faiss binary flat, filled": rivals.faiss_topk, "opencv batchDistance": rivals.opencv_topk,
        "numpy argpartition": rivals.numpy_topk,
    },
    "hamming_within": {"faiss range_search, filled": rivals.faiss_within, "numpy": rivals.numpy_within},
}  # fmt: skip

BENCHES = (
    Bench("hamming_topk", "1 in 1M x 256 bits", partial(search, 1, 1_000_000, 32, k=10), level=0),
    Bench("hamming_topk", "1 in 1M x 64 bits", partial(search, 1, 1_000_000, 8, k=10)),
    Bench("hamming_topk", "100 in 100k x 256 bits", partial(search, 100, 100_000, 32, k=10), level=0),
    Bench("hamming_topk", "1 in 10M x 256 bits", partial(search, 1, 10_000_000, 32, k=10), level=2),
    Bench("hamming_topk", "100 in 1M x 256 bits", partial(search, 100, 1_000_000, 32, k=10), level=2),
    Bench("hamming_within", "100 in 100k x 256 bits", partial(search, 100, 100_000, 32, radius=31), level=0),
)
