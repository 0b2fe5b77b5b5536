"""Exact search by Hamming distance over bits in bytes: the nearest rows of each query, or all pairs within a radius.

The distance of two rows is how many of their bits differ. Of rows equally far the lower index comes first, so the
answer is one and the same in whatever blocks, threads and on whatever device. All pairs are never held.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from vtk.kernels.dispatch import Array, call, check_array

# Bytes of the longest row: 512 bits.
WIDEST = 64


def hamming_topk(queries: Array, base: Array, k: int) -> tuple[Array, Array]:
    """Return the k rows of the base that are nearest to each query, nearest first.

    Args:
        queries: (Q, W) uint8, W from 0 to 64 bytes; 32, as of PDQ, is the fastest for its length.
        base: (N, W) uint8; may be memory-mapped, it is read a block at a time.
        k: from 0 to N.

    Returns:
        (Q, k) int32 in [0, 8 W], the distances in bits, ascending. And (Q, k) int64, the rows of the base they are to;
        of equal distances the lower row first.

    Raises:
        ValueError: a shape, a dtype or k is not as said, or arrays are not all of one kind on one device.

    Source: R. W. Hamming, Error detecting and error correcting codes, BSTJ 29 (1950), section 4: the distance.
    """
    _check(queries, base)
    _check_whole("k", k, len(base), "the rows of the base")
    return call(__name__, "hamming_topk", queries, base, int(k))


def hamming_within(queries: Array, base: Array, radius: int, most: int = 10_000_000) -> tuple[Array, Array, Array]:
    """Return all pairs of a query and a row of the base that are at most ``radius`` bits apart.

    Args:
        queries: (Q, W) uint8, W from 0 to 64 bytes.
        base: (N, W) uint8; may be memory-mapped, it is read a block at a time.
        radius: in bits, from 0, equal rows alone, to 8 W, all.
        most: pairs; more are refused as soon as they are met, before they fill the memory (a pair takes 20 bytes, up
            to three times that while they are ordered).

    Returns:
        (P,) int64, the queries; (P,) int64, the rows of the base; (P,) int32, the distances in bits: a pair each, by
        query and then by row, both ascending.

    Raises:
        ValueError: there are more pairs than ``most``; a shape, a dtype or a number is not as said, or arrays are not
            all of one kind on one device.

    Source: as hamming_topk.
    """
    _check(queries, base)
    _check_whole("radius", radius, 8 * queries.shape[1], "the bits of a row")
    _check_whole("most", most, np.iinfo(np.int64).max, "pairs")
    return call(__name__, "hamming_within", queries, base, int(radius), int(most))


def _check(queries: Array, base: Array) -> None:
    """Raise ValueError unless both are bytes of one width that is not too wide."""
    check_array("queries", queries, ("Q", "W"), ("uint8",))
    check_array("base", base, ("N", queries.shape[1]), ("uint8",))
    if queries.shape[1] > WIDEST:
        raise ValueError(f"queries: got rows of {queries.shape[1]} bytes, expected at most {WIDEST}")


def _check_whole(name: str, value: Any, high: int, what: str) -> None:
    """Raise ValueError unless ``value`` is a whole number from 0 to ``high``."""
    if not isinstance(value, (int, np.integer)) or isinstance(value, bool) or not 0 <= value <= high:
        raise ValueError(f"{name}: got {value!r}, expected a whole number from 0 to {high}, {what}")
