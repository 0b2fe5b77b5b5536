"""Maps as cells by rows, and what is the same on every device: reading entries, and looking a path's values up."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np


class Cells(NamedTuple):
    """The cells of a map by rows: row i has columns[starts[i]:starts[i + 1]], ascending, int64, values float32."""

    starts: np.ndarray
    columns: np.ndarray
    values: np.ndarray


class Paths(NamedTuple):
    """What the best path to each of ``Cells`` earns, its unmatched cells, its last step, and the cell's state."""

    totals: np.ndarray
    counts: np.ndarray
    ways: np.ndarray
    states: np.ndarray


def lengths(similarity: np.ndarray | Sequence[Any]) -> tuple[int, int]:
    """Return the frames of query and reference."""
    shape = similarity.shape if isinstance(similarity, np.ndarray) else similarity[3]
    return int(shape[0]), int(shape[1])


def listed(similarity: Sequence[Any], low: float = 0.0) -> Cells:
    """Return the entries of ``low`` or more, and above 0: of equal places the greatest."""
    rows, columns, values, _ = similarity
    queries, refs = lengths(similarity)
    used = (values > 0) & (values.astype(np.float64) >= low)
    places, values = rows[used] * refs + columns[used], values[used]
    if (np.diff(places) <= 0).any():
        order = np.argsort(places, kind="stable")
        places, values = places[order], values[order]
        firsts = np.flatnonzero(np.diff(places, prepend=-1))
        places, values = places[firsts], np.maximum.reduceat(values, firsts)
    return Cells(np.searchsorted(places, np.arange(queries + 1) * refs), places % max(refs, 1), values)


def hits(similarity: np.ndarray | Sequence[Any], low: float) -> Cells:
    """Return the cells of ``low`` or more, and above 0."""
    if not isinstance(similarity, np.ndarray):
        return listed(similarity, low)
    # As a float32, rounded up: a map is compared without a copy of it as float64.
    with np.errstate(over="ignore"):
        least = np.float32(low)
    least = least if least >= low else np.nextafter(least, np.float32(np.inf))
    rows, columns = np.nonzero((similarity >= least) & (similarity > 0))
    return Cells(np.searchsorted(rows, np.arange(len(similarity) + 1)), columns, similarity[rows, columns])


def unmarked(cells: Cells, min_sim: float) -> Paths:
    """Return what is known of ``cells`` before any path is: which are matched."""
    count = len(cells.columns)
    states = (cells.values.astype(np.float64) > min_sim).astype(np.uint8)
    return Paths(np.zeros(count), np.zeros(count, np.int32), np.zeros(count, np.uint8), states)


def every_cell(similarity: np.ndarray) -> Cells:
    """Return all cells of a map."""
    queries, refs = similarity.shape
    columns = np.tile(np.arange(refs), queries)
    return Cells(np.arange(queries + 1) * refs, columns, np.ascontiguousarray(similarity).reshape(-1))


def rows_of(cells: Cells) -> np.ndarray:
    """Return the row of each cell, int64."""
    return np.repeat(np.arange(len(cells.starts) - 1), np.diff(cells.starts))


def values_at(similarity: np.ndarray | Cells, path: np.ndarray, refs: int) -> np.ndarray:
    """Return the similarities on a path (P, 2) as (P,) float64."""
    if isinstance(similarity, np.ndarray):
        return similarity[path[:, 0], path[:, 1]].astype(np.float64)
    places, wanted = rows_of(similarity) * refs + similarity.columns, path[:, 0] * refs + path[:, 1]
    found = np.minimum(np.searchsorted(places, wanted), len(places) - 1)
    if not len(places):
        return np.zeros(len(path))
    return np.where(places[found] == wanted, similarity.values[found].astype(np.float64), 0.0)
