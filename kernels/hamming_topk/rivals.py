"""What users call for the same: faiss' flat binary index, OpenCV's matcher, or NumPy's counts of all."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from vtk.kernels.case import Arguments

Run = Callable[[], Any]


def numpy_topk(arguments: Arguments) -> Run | None:
    """Return NumPy's counts of the bits of words, query by query, and ``argpartition``; None for other widths."""
    words, k = _words(arguments), arguments["k"]
    if words is None:
        return None

    def run() -> Any:
        nearest = []
        for query in words[0]:
            distances = np.bitwise_count(words[1] ^ query).sum(axis=1, dtype=np.uint16)
            found = np.argpartition(distances, k - 1)[:k]
            nearest.append((found[np.argsort(distances[found])], distances))
        return nearest

    return run


def numpy_within(arguments: Arguments) -> Run | None:
    """Return NumPy's counts of the bits of words, query by query, and where they are small enough."""
    words, radius = _words(arguments), arguments["radius"]
    if words is None:
        return None

    def run() -> Any:
        counts = (np.bitwise_count(words[1] ^ query).sum(axis=1, dtype=np.uint16) for query in words[0])
        return [np.flatnonzero(distances <= radius) for distances in counts]

    return run


def opencv_topk(arguments: Arguments) -> Run | None:
    """Return OpenCV's brute force for the nearest k, whose ties are in any order."""
    import cv2

    queries, base, k = arguments["queries"], arguments["base"], arguments["k"]
    if not isinstance(queries, np.ndarray):
        return None
    return lambda: cv2.batchDistance(queries, base, cv2.CV_32S, normType=cv2.NORM_HAMMING, K=k)


def faiss_topk(arguments: Arguments) -> Run | None:
    """Return faiss' flat binary index, filled before; None where it is not installed."""
    index = _index(arguments)
    return index and (lambda: index.search(arguments["queries"], arguments["k"]))


def faiss_within(arguments: Arguments) -> Run | None:
    """Return the same index's search within a radius, which faiss takes to be exclusive."""
    index = _index(arguments)
    return index and (lambda: index.range_search(arguments["queries"], arguments["radius"] + 1))


def _index(arguments: Arguments) -> Any:
    """Return faiss' flat binary index of the base; None where it is not installed or can't hold it."""
    try:
        import faiss
    except ImportError:
        return None
    base = arguments["base"]
    if not isinstance(base, np.ndarray) or not base.size:
        return None
    index = faiss.IndexBinaryFlat(8 * base.shape[1])
    index.add(base)
    return index


def _words(arguments: Arguments) -> tuple[np.ndarray, np.ndarray] | None:
    """Return queries and base as uint64; None where they are no NumPy arrays of whole words."""
    queries, base = arguments["queries"], arguments["base"]
    if not isinstance(queries, np.ndarray) or queries.shape[1] % 8 or not hasattr(np, "bitwise_count"):
        return None
    return queries.view(np.uint64), base.view(np.uint64)
