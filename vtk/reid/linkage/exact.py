"""Average linkage over all pairs: exact, and quadratic in memory."""

from __future__ import annotations

import numpy as np

from vtk.reid.constraints import Apartness

# Rows whose distances to all are made at once.
BLOCK = 256
# Stands for an infinite distance, which scipy takes none of: the mean over 10^8 pairs of which one is apart is above 2.
APART = 1e9


def tree(vectors: np.ndarray, apart: Apartness | None) -> np.ndarray:
    """Return the order of joins (N - 1, 4) as ``scipy.cluster.hierarchy`` has it; of equal ones the lower rows first.

    Args:
        vectors: (N, D) of unit length, N from 2 to some thousands: 16 N² bytes are held.
        apart: what cannot be joined; None: nothing.
    """
    from scipy.cluster.hierarchy import linkage

    count = len(vectors)
    wide = np.asarray(vectors, np.float64)
    distances = np.empty(count * (count - 1) // 2)
    rows, at = np.arange(count), 0
    for start in range(0, count, BLOCK):
        mine = rows[start:start + BLOCK]
        block = np.maximum(1 - wide[mine] @ wide.T, 0)
        if apart is not None:
            block[apart.why(mine[:, None], rows) > 0] = APART
        for row, values in zip(mine, block, strict=True):
            distances[at:at + count - row - 1] = values[row + 1:]
            at += count - row - 1
    return linkage(distances, "average")


def cut(joins: np.ndarray, threshold: float) -> np.ndarray:
    """Return (N,) a group for each row: those that were joined at a mean cosine of ``threshold`` or more."""
    from scipy.cluster.hierarchy import fcluster

    # A sum of many is not exact to the last bit.
    return fcluster(joins, 1 - threshold + 1e-12, "distance")
