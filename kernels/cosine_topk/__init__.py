"""Exact search by cosine: for each query the rows of a gallery that are most similar, without ever holding all pairs.

The similarity of two rows is their dot product over the product of their lengths, in float64, rounded to float32; that
of a row of zeros with any row is 0. It ranks, and of equal ones the lower index comes first: so the answer is one and
the same whatever multiplies the bulk, in whatever blocks and precision, on whatever device.
"""

from __future__ import annotations

import sys

import numpy as np

from vtk.kernels.dispatch import Array, call, check_array

FLOATS = ("float32", "float16", "uint16")


def cosine_topk(queries: Array, gallery: Array, k: int) -> tuple[Array, Array]:
    """Return the k rows of the gallery that are most similar to each query, best first.

    Args:
        queries: (Q, D) float32, float16, or uint16: the bits of bfloat16 (a torch tensor may be bfloat16), any length
            of row. A query with a NaN or an infinity finds nothing.
        gallery: (N, D), of any of these types, its own; may be memory-mapped, it is read a block at a time. A row with
            a NaN or an infinity is never found.
        k: from 0 to N.

    Returns:
        (Q, k) int64, rows of the gallery; -1 where there are none left to be found. And (Q, k) float32 in [-1, 1],
        their similarities as the module says, descending; -inf where there is no row.

    Raises:
        ValueError: a shape, a dtype or k is not as said, or arrays are not all of one kind on one device.

    Source: an approximate product within a bound of the true one, gamma_D = D u / (1 - D u) for any order of summation
    (Higham, Accuracy and Stability of Numerical Algorithms, section 3.1), decides what is computed again in float64.
    """
    queries, gallery = _bits(queries), _bits(gallery)
    check_array("queries", queries, ("Q", "D"), FLOATS)
    check_array("gallery", gallery, ("N", queries.shape[1]), FLOATS)
    if not isinstance(k, (int, np.integer)) or isinstance(k, bool) or not 0 <= k <= len(gallery):
        raise ValueError(f"k: got {k!r}, expected a whole number from 0 to {len(gallery)}, the rows of the gallery")
    return call(__name__, "cosine_topk", queries, gallery, int(k))


def _bits(array: Array) -> Array:
    """Return a bfloat16 tensor as the uint16 that NumPy can hold; anything else as it is."""
    if str(getattr(array, "dtype", "")) != "torch.bfloat16":
        return array
    return array.view(sys.modules["torch"].uint16)
