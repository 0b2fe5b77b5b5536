"""``rerank`` as the paper and its authors' program say it, over whole matrices in float64."""

from __future__ import annotations

import numpy as np

from vtk.kernels.cosine_topk.reference import similarities


def rerank(
    queries: np.ndarray, gallery: np.ndarray, k1: int = 20, k2: int = 6, weight: float = 0.3
) -> np.ndarray:  # fmt: skip
    """Return the re-ranked distance of each query to each row of the gallery; see the package."""
    rows = np.concatenate([queries, gallery]).astype(np.float64)
    squares = np.einsum("nd,nd->n", rows, rows)
    similar = np.array([similarities(row, rows, squares) for row in rows]).reshape(len(rows), len(rows))
    ranks = np.argsort(-similar, axis=1, kind="stable")
    return _reranked(1 - similar.astype(np.float64), ranks, len(queries), k1, k2, weight)


def rerank_topk(
    queries: np.ndarray, gallery: np.ndarray, k: int, k1: int = 20, k2: int = 6, weight: float = 0.3
) -> tuple[np.ndarray, np.ndarray]:
    """Return the k rows of the gallery nearest to each query; see the package."""
    distances = rerank(queries, gallery, k1, k2, weight)
    nearest = np.argsort(distances, axis=1, kind="stable")[:, :k]
    return nearest, np.take_along_axis(distances, nearest, 1)


def rerank_distances(
    distances: np.ndarray, queries: int, k1: int = 20, k2: int = 6, weight: float = 0.3
) -> np.ndarray:  # fmt: skip
    """Return the re-ranked distance of each query to each row of the gallery; see the package."""
    ranks = np.argsort(distances, axis=1, kind="stable")
    return _reranked(distances.astype(np.float64), ranks, queries, k1, k2, weight)


def _reranked(
    distances: np.ndarray, ranks: np.ndarray, queries: int, k1: int, k2: int, weight: float
) -> np.ndarray:  # fmt: skip
    """Return the result (Q, N - Q) of ``distances`` and ``ranks``, (N, N) each, queries first."""
    count = len(distances)
    k1 = min(k1, count - 1)
    largest = distances.max(axis=1, keepdims=True, initial=0)
    distances = distances / np.where(largest > 0, largest, 1)
    codes = np.zeros((count, count))
    for i in range(count):
        members = _members(ranks, i, k1)
        shares = np.exp(-distances[i, members])
        codes[i, members] = shares / shares.sum()
    if k2 > 1:
        codes = np.array([codes[ranks[i, :k2]].mean(axis=0) for i in range(count)]).reshape(count, count)
    shared = np.array([np.minimum(code, codes[queries:]).sum(axis=1) for code in codes[:queries]])
    # Rounded, or the order of a sum would tell whether equal codes are at a distance of 0.
    shared = shared.reshape(queries, count - queries).astype(np.float32).astype(np.float64)
    jaccard = 1 - shared / (2 - shared)
    return (jaccard * (1 - weight) + distances[:queries, queries:] * weight).astype(np.float32)


def _members(ranks: np.ndarray, i: int, k1: int) -> np.ndarray:
    """Return the rows that row ``i`` is encoded by, ascending."""
    near = _reciprocal(ranks, i, k1)
    members = near
    for other in near:
        theirs = _reciprocal(ranks, other, round(k1 / 2))
        if 3 * len(np.intersect1d(theirs, near)) > 2 * len(theirs):
            members = np.union1d(members, theirs)
    return np.sort(members)


def _reciprocal(ranks: np.ndarray, i: int, k: int) -> np.ndarray:
    """Return those of the k nearest of row ``i``, and itself, that have ``i`` among theirs."""
    near = ranks[i, : k + 1]
    return near[(ranks[near, : k + 1] == i).any(axis=1)]
