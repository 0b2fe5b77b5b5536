"""``cosine_topk`` as the definition says it: all similarities of a query in float64, sorted."""

from __future__ import annotations

import numpy as np


def cosine_topk(queries: np.ndarray, gallery: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the k rows of the gallery most similar to each query; see the package."""
    indices, scores = np.full((len(queries), k), -1), np.full((len(queries), k), -np.inf, np.float32)
    rows = widened(gallery)
    squares = np.einsum("nd,nd->n", rows, rows)
    for place, query in enumerate(widened(queries)):
        found = similarities(query, rows, squares)
        order = np.argsort(-found, kind="stable")  # a NaN comes last
        order = order[~np.isnan(found[order])][:k]
        indices[place, : len(order)], scores[place, : len(order)] = order, found[order]
    return indices, scores


def similarities(query: np.ndarray, rows: np.ndarray, squares: np.ndarray) -> np.ndarray:
    """Return the similarity (N,) float32 of ``query`` (D,) with ``rows`` (N, D), whose squared lengths are ``squares``.

    All are float64. NaN where there is none.
    """
    squares = (query * query).sum() * squares
    with np.errstate(invalid="ignore"):
        found = np.where(squares == 0, 0, (rows @ query) / np.sqrt(squares))
    # A row with a NaN or an infinity has no length.
    return np.where(np.isfinite(squares), found, np.nan).astype(np.float32)


def widened(array: np.ndarray) -> np.ndarray:
    """Return rows as float64; uint16 are the bits of bfloat16, the upper half of float32's."""
    if array.dtype == np.uint16:
        array = (array.astype(np.uint32) << 16).view(np.float32)
    return array.astype(np.float64)
