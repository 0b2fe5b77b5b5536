"""Sizes, inputs and rivals of ``cosine_topk``."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np

from vtk.kernels.case import Arguments, Bench
from vtk.kernels.cosine_topk import rivals

NAMES = ("cosine_topk",)
TYPES = ("float32", "float16", "uint16")


def inputs(name: str, size: int, rng: np.random.Generator) -> Arguments:
    """Return ``size`` rows against some queries: copies and rows of zeros among them, values that can't be counted."""
    length = int(rng.choice([1, 7, 48]))
    # Small whole numbers, of which many pairs are equally similar, or any.
    whole = rng.random() < 0.5
    gallery = rng.integers(-2, 3, (size, length)).astype(np.float32) if whole else people(size, length, rng)
    queries = rng.permutation(gallery)[: min(size, int(rng.choice([1, 3, 20])))]
    gallery[::9] *= np.float32(rng.choice([0, 3, 1e-30, 1e30]))
    gallery[5:40:11] = np.nan
    queries[2::8] = rng.choice([0, np.inf])
    kinds = rng.choice(TYPES, 2)
    with np.errstate(over="ignore"):
        return {
            "queries": stored(queries, kinds[0]), "gallery": stored(gallery, kinds[1]),
            "k": int(rng.choice([min(size, 1), min(size, 6), size // 10 + (size > 0), size])),
        }  # fmt: skip


def people(count: int, length: int, rng: np.random.Generator, each: int = 8) -> np.ndarray:
    """Return features (count, length) float32, about ``each`` of every identity alike, as of a re-ID network."""
    centres = rng.standard_normal((max(1, count // each), length), np.float32)
    rows = rng.standard_normal((count, length), np.float32)
    rows *= np.float32(0.6)
    rows += centres[rng.integers(0, len(centres), count)]
    return rows


def stored(rows: np.ndarray, kind: str) -> np.ndarray:
    """Return float32 ``rows`` as ``kind``; uint16: the upper half of their bits."""
    if kind == "uint16":
        return (np.ascontiguousarray(rows).view(np.uint32) >> 16).astype(np.uint16)
    return rows.astype(kind)


def tolerance(name: str, arguments: Arguments) -> float:
    """Return 0: a similarity is a float64 sum rounded to float32, and its ranks are by that.

    Sums of another order differ in their last bits, 2^29 of which make one of float32's: they round alike but where
    one lies that close to the middle of two float32, a case in millions.
    """
    return 0.0


def _search(queries: int, count: int, length: int, rng: np.random.Generator, kind: str = "float32") -> Arguments:
    """Return a search for the 10 rows of ``count`` most similar to each of the queries."""
    gallery = people(count, length, rng)
    found = gallery[rng.integers(0, count, queries)]
    found += np.float32(0.6) * rng.standard_normal(found.shape, np.float32)
    return {"queries": found, "gallery": stored(gallery, kind), "k": 10}


LIBRARIES: dict[str, dict[str, Any]] = {
    "cosine_topk": {
        "torch.topk of all": rivals.torch_topk, "the same, bf16": rivals.torch_bfloat16,
        "numpy argpartition": rivals.numpy_topk, "faiss flat, filled": rivals.faiss_flat,
    }
}  # fmt: skip

BENCHES = (
    Bench("cosine_topk", "1 in 100k x 256", partial(_search, 1, 100_000, 256), level=0),
    Bench("cosine_topk", "1 in 100k x 256, float16", partial(_search, 1, 100_000, 256, kind="float16")),
    Bench("cosine_topk", "100 in 20k x 256", partial(_search, 100, 20_000, 256), level=0),
    Bench("cosine_topk", "1000 in 20k x 256", partial(_search, 1000, 20_000, 256), level=2),
    Bench("cosine_topk", "1 in 1M x 512", partial(_search, 1, 1_000_000, 512), level=2),
    Bench("cosine_topk", "100 in 1M x 512", partial(_search, 100, 1_000_000, 512), level=2),
)
