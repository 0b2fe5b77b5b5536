"""k-reciprocal re-ranking: who are neighbours of each other counts more than how far apart they are.

Of queries and gallery together, each row i has its k1 nearest besides itself, and R(i, k1) are those of them, and itself,
that have i among theirs. To these come R(c, k1 / 2) of every c in R(i, k1) that shares more than two thirds of its own
with R(i, k1). A row is encoded by exp(-distance) to the members, in shares of 1, then by the mean code of its k2
nearest, itself the first. The distance of two rows is (1 - weight) (1 - S / (2 - S)) + weight × distance, where S sums
over all rows the lesser of both codes, rounded to float32, and distances of a row are in shares of its largest.

Nearest means by rank: of equal distances the lower index is first, queries before the gallery. k1 and k2 are cut to the
set. A row that is in no set, such as one of zeros, has a code of zeros; a row whose distances are all 0 keeps them.
"""

from __future__ import annotations

import numpy as np

from vtk.kernels.dispatch import Array, call, check_array, check_number

FLOAT = ("float32",)


def rerank(queries: Array, gallery: Array, k1: int = 20, k2: int = 6, weight: float = 0.3) -> Array:
    """Return the re-ranked distance of each query to each row of the gallery.

    Args:
        queries: (Q, D) float32, any length of row; finite. The distance is 1 - cosine, half the squared Euclidean one
            of rows brought to length 1; ``cosine_topk`` says how it is rounded.
        gallery: (G, D) float32.
        k1, k2: whole numbers, 1 or more.
        weight: in [0, 1], the share of the plain distance; lambda in the paper.

    Returns:
        (Q, G) float32 in [0, 1].

    Raises:
        ValueError: a shape, a dtype or a number is not as said, or a feature is NaN or infinite.

    Source: Zhong et al., CVPR 2017, sections 3.2 to 3.4, with the choices of its authors' program: more than two thirds
    instead of at least (equation 5), squared distances, in shares of each row's largest.
    """
    _check_features(queries, gallery, k1, k2, weight)
    return call(__name__, "rerank", queries, gallery, int(k1), int(k2), float(weight))


def rerank_topk(
    queries: Array, gallery: Array, k: int, k1: int = 20, k2: int = 6, weight: float = 0.3
) -> tuple[Array, Array]:
    """Return the k rows of the gallery nearest to each query by re-ranked distance, nearest first.

    Args:
        queries, gallery, k1, k2, weight: as in ``rerank``, which holds all distances; this one does not.
        k: from 0 to G.

    Returns:
        (Q, k) int64, rows of the gallery, of equal distances the lower first; (Q, k) float32, their distances.

    Raises:
        ValueError: as ``rerank``, or k is not as said.

    Source: as ``rerank``.
    """
    _check_features(queries, gallery, k1, k2, weight)
    _check_whole("k", k, 0, len(gallery))
    return call(__name__, "rerank_topk", queries, gallery, int(k), int(k1), int(k2), float(weight))


def rerank_distances(distances: Array, queries: int, k1: int = 20, k2: int = 6, weight: float = 0.3) -> Array:
    """Return the re-ranked distance of each query to each row of the gallery, of distances known already.

    Args:
        distances: (N, N) float32, 0 or more and finite: row i holds those from i to all, queries first, then the
            gallery. May be memory-mapped. The usual results come of squared Euclidean distances.
        queries: how many of the rows are queries, from 0 to N.
        k1, k2, weight: as in ``rerank``.

    Returns:
        (Q, N - Q) float32 in [0, 1].

    Raises:
        ValueError: a shape, a dtype or a number is not as said, or a distance is NaN, infinite or below 0.

    Source: as ``rerank``.
    """
    check_array("distances", distances, ("N", "N"), FLOAT)
    check_array("distances", distances, (len(distances), len(distances)), FLOAT)
    _check_finite("distances", distances, 0)
    _check_whole("queries", queries, 0, len(distances))
    _check_numbers(k1, k2, weight)
    return call(__name__, "rerank_distances", distances, int(queries), int(k1), int(k2), float(weight))


def _check_features(queries: Array, gallery: Array, k1: int, k2: int, weight: float) -> None:
    """Raise ValueError where features or numbers break the contract."""
    check_array("queries", queries, ("Q", "D"), FLOAT)
    check_array("gallery", gallery, ("G", queries.shape[1]), FLOAT)
    for name, rows in (("queries", queries), ("gallery", gallery)):
        _check_finite(name, rows, -np.inf)
    _check_numbers(k1, k2, weight)


def _check_finite(name: str, values: Array, low: float) -> None:
    """Raise ValueError unless all ``values`` are finite and not below ``low``."""
    if 0 in values.shape:
        return
    for value in (float(values.min()), float(values.max())):
        if not (low <= value < np.inf and value > -np.inf):
            expected = "finite numbers" if low < 0 else "finite numbers, 0 or more"
            raise ValueError(f"{name}: got {value}, expected {expected}")


def _check_numbers(k1: int, k2: int, weight: float) -> None:
    """Raise ValueError where a number breaks the contract."""
    _check_whole("k1", k1, 1)
    _check_whole("k2", k2, 1)
    check_number("weight", weight, 0, 1)


def _check_whole(name: str, value: int, low: int, high: int | None = None) -> None:
    """Raise ValueError unless ``value`` is a whole number from ``low`` to ``high``."""
    whole = isinstance(value, (int, np.integer)) and not isinstance(value, bool)
    if not whole or value < low or (high is not None and value > high):
        extent = f"{low} or more" if high is None else f"from {low} to {high}"
        raise ValueError(f"{name}: got {value!r}, expected a whole number, {extent}")
