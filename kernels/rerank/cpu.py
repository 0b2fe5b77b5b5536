"""``rerank`` in Numba over sparse rows: a row's code has some dozen members, and only pairs that share one are met.

The neighbours come of ``cosine_topk``'s blocks of products, which find the farthest row too; codes are lists of members
and shares, and an index of the gallery by member gives what two rows share. Sums are in float64, in order of rows.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

import numpy as np
from numba import njit

from vtk.kernels.cosine_topk.cpu import (
    STEP, best, insert, margin, search, similarity, spans, together, unit_rows, visit_products,
)  # fmt: skip
from vtk.threads import asked, available

# Rows of distances taken at once: of 20,000 columns 10 MB.
BLOCK = 128


class Codes(NamedTuple):
    """Sparse rows: those of row i are at offsets[i] to offsets[i + 1]; columns ascending, int32; values float64."""

    offsets: np.ndarray
    columns: np.ndarray
    values: np.ndarray


class Features(NamedTuple):
    """All rows, queries first.

    Attributes:
        rows: (N, D) float32.
        squares: (N,) float64, their squared lengths.
        scales: (N,) float64, 1 over the largest distance of each row; 0 where that is 0.
        codes: what each row is encoded by.
    """

    rows: np.ndarray
    squares: np.ndarray
    scales: np.ndarray
    codes: Codes


def rerank(
    queries: np.ndarray, gallery: np.ndarray, k1: int = 20, k2: int = 6, weight: float = 0.3
) -> np.ndarray:  # fmt: skip
    """Return the re-ranked distance of each query to each row of the gallery; see the package."""
    count = len(queries)
    out = np.empty((count, len(gallery)), np.float32)
    if not out.size:
        return out
    with ThreadPoolExecutor(_threads()) as pool:
        found = _encoded(queries, gallery, k1, k2, pool)
        units = unit_rows(found.rows)
        np.matmul(units[:count], units[count:].T, out=out)
        index = _by_column(*found.codes, count)

        def blend(part: tuple[int, int]) -> None:
            mine = out[slice(*part)]
            _distance(mine)
            _blend(*found.codes, *index, part[0], found.scales, weight, mine)

        together(pool, blend, spans(0, count, BLOCK))
    return out


def rerank_topk(
    queries: np.ndarray, gallery: np.ndarray, k: int, k1: int = 20, k2: int = 6, weight: float = 0.3
) -> tuple[np.ndarray, np.ndarray]:
    """Return the k rows of the gallery nearest to each query; see the package."""
    indices, scores = _heaps(len(queries), k)
    if not indices.size:
        return indices, scores
    with ThreadPoolExecutor(_threads()) as pool:
        found = _encoded(queries, gallery, k1, k2, pool)
        index = _by_column(*found.codes, len(queries))
        units, slack = unit_rows(found.rows), margin(found.rows.shape[1])
        for first, last in spans(0, len(queries), 4 * BLOCK):
            # BLAS has threads of its own, and takes one caller at a time.
            products = units[first:last] @ units[len(queries) :].T

            def nearest(part: tuple[int, int], products: np.ndarray = products, first: int = first) -> None:
                mine = slice(part[0] - first, part[1] - first)
                _nearest(products[mine], *found, *index, part[0], weight, slack, indices[slice(*part)],
                         scores[slice(*part)])  # fmt: skip

            together(pool, nearest, spans(first, last, BLOCK))
    indices, scores = best(indices[None], scores[None])
    return indices, -scores


def rerank_distances(
    distances: np.ndarray, queries: int, k1: int = 20, k2: int = 6, weight: float = 0.3
) -> np.ndarray:  # fmt: skip
    """Return the re-ranked distance of each query to each row of the gallery; see the package."""
    count = len(distances)
    out = np.empty((queries, count - queries), np.float32)
    if not out.size:
        return out
    indices, scores = _heaps(count, min(max(k1 + 1, k2), count))
    scales = np.empty(count)

    def look(part: tuple[int, int]) -> None:
        block = np.ascontiguousarray(distances[slice(*part)])
        scales[slice(*part)] = _scales(block.max(axis=1))
        _least(block, indices[slice(*part)], scores[slice(*part)])

    with ThreadPoolExecutor(_threads()) as pool:
        together(pool, look, spans(0, count, BLOCK))
        ranks = best(indices[None], scores[None])[0]
        codes = encode(ranks, lambda rows, columns: distances[rows, columns], scales, k1, k2, pool)
        index = _by_column(*codes, queries)

        def blend(part: tuple[int, int]) -> None:
            mine = out[slice(*part)]
            mine[:] = distances[slice(*part), queries:]
            _blend(*codes, *index, part[0], scales, weight, mine)

        together(pool, blend, spans(0, queries, BLOCK))
    return out


def encode(
    ranks: np.ndarray, measure: Callable[[np.ndarray, np.ndarray], np.ndarray], scales: np.ndarray, k1: int, k2: int,
    pool: ThreadPoolExecutor,
) -> Codes:  # fmt: skip
    """Return what each row is encoded by.

    Args:
        ranks: (N, K) int64, the K nearest of each row, itself among them; K is k1 + 1 and k2 or more, or N.
        measure: gives the distances of pairs, rows and columns (P,) int64.
        scales: (N,) float64, 1 over the largest distance of each row.
        k1, k2: as the package says.
        pool: threads.
    """
    count, k1 = len(ranks), min(k1, len(ranks) - 1)
    parts = list(spans(0, count, max(BLOCK, -(-count // _threads()))))
    lengths, columns = zip(*pool.map(lambda part: _members(ranks, k1, round(k1 / 2), *part), parts), strict=True)
    lengths, columns = np.concatenate(lengths), np.concatenate(columns)
    rows = np.repeat(np.arange(count), lengths)
    shares = np.exp(-(measure(rows, columns.astype(np.int64)).astype(np.float64) * scales[rows]))
    shares /= np.bincount(rows, shares, count)[rows]
    codes = Codes(_offsets(lengths), columns, shares)
    if k2 == 1:
        return codes
    made = pool.map(lambda part: _expanded(*codes, ranks[:, :k2], *part), parts)
    lengths, columns, shares = (np.concatenate(each) for each in zip(*made, strict=True))
    return Codes(_offsets(lengths), columns, shares)


def _encoded(queries: np.ndarray, gallery: np.ndarray, k1: int, k2: int, pool: ThreadPoolExecutor) -> Features:
    """Return all rows and their codes."""
    rows = np.concatenate([queries, gallery])
    squares, slack = np.einsum("nd,nd->n", rows, rows, dtype=np.float64), margin(rows.shape[1])
    indices, scores = _heaps(len(rows), min(max(k1 + 1, k2), len(rows)))
    lows = np.full(len(rows), np.inf, np.float32)

    def look(mine: slice, products: np.ndarray, block: np.ndarray, start: int) -> None:
        search(products, rows[mine], squares[mine], block, start, slack, indices[mine], scores[mine])
        _lows(products, rows[mine], squares[mine], block, slack, lows[mine])

    visit_products(rows, rows, look, _threads(), pool)
    ranks = best(indices[None], scores[None])[0]
    scales = _scales(1 - lows.astype(np.float64))

    def measure(ones: np.ndarray, others: np.ndarray) -> np.ndarray:
        out = np.empty(len(ones))
        together(pool, lambda part: _measure(rows, squares, ones[slice(*part)], others[slice(*part)],
                                             out[slice(*part)]), spans(0, len(ones), 1 << 14))  # fmt: skip
        return out

    return Features(rows, squares, scales, encode(ranks, measure, scales, k1, k2, pool))


def _heaps(count: int, k: int) -> tuple[np.ndarray, np.ndarray]:
    """Return indices and scores (count, k) of nothing found yet."""
    return np.full((count, k), -1), np.full((count, k), -np.inf, np.float32)


def _scales(largest: np.ndarray) -> np.ndarray:
    """Return 1 over each, in float64; 0 for 0."""
    largest = largest.astype(np.float64)
    return np.divide(1, largest, out=np.zeros_like(largest), where=largest > 0)


def _offsets(lengths: np.ndarray) -> np.ndarray:
    """Return where each row begins, and the end."""
    return np.concatenate([np.zeros(1, np.int64), np.cumsum(lengths, dtype=np.int64)])


def _threads() -> int:
    """Return how many threads work."""
    return asked() or available()


@njit(cache=True, nogil=True, error_model="numpy")
def _lows(
    products: np.ndarray, queries: np.ndarray, squares: np.ndarray, block: np.ndarray, slack: float, lows: np.ndarray
) -> None:  # fmt: skip
    """Lower ``lows`` (Q,) to the least similarity with a block; as ``search`` finds the greatest."""
    for i in range(len(queries)):
        row = products[i]
        limit = np.float32(lows[i] + slack)
        for at in range(0, len(row), STEP):
            part = row[at : at + STEP]
            below = 0
            if len(part) == STEP:
                for j in range(STEP):
                    below += part[j] <= limit
            else:
                below = 1
            if below:
                for j in range(len(part)):
                    if part[j] <= limit:
                        lows[i] = min(lows[i], similarity(queries[i], squares[i], block[at + j]))
                        limit = np.float32(lows[i] + slack)


@njit(cache=True, nogil=True, error_model="numpy")
def _measure(rows: np.ndarray, squares: np.ndarray, ones: np.ndarray, others: np.ndarray, out: np.ndarray) -> None:
    """Write the distances of pairs of rows (P,) into ``out``."""
    for p in range(len(ones)):
        out[p] = 1 - np.float64(similarity(rows[ones[p]], squares[ones[p]], rows[others[p]]))


@njit(cache=True, nogil=True, error_model="numpy")
def _least(distances: np.ndarray, indices: np.ndarray, scores: np.ndarray) -> None:
    """Put the least of each row of ``distances`` (B, N) into the heaps indices, scores (B, K), negated."""
    for i in range(len(distances)):
        row, found = distances[i], scores[i]
        for j in range(len(row)):
            if -row[j] > found[0]:
                insert(j, -row[j], indices[i], found)


@njit(cache=True, nogil=True)
def _has(ranks: np.ndarray, row: int, k: int, wanted: int) -> bool:
    """Tell whether ``wanted`` is among the k nearest of ``row``, or itself."""
    for at in range(k + 1):
        if ranks[row, at] == wanted:
            return True
    return False


@njit(cache=True, nogil=True)
def _members(ranks: np.ndarray, k1: int, half: int, start: int, stop: int) -> tuple[np.ndarray, np.ndarray]:
    """Return how many members rows ``start`` to ``stop`` have, and these, ascending, one row after the other."""
    lengths, columns, used = np.zeros(stop - start, np.int64), np.empty(64 * (stop - start), np.int32), 0
    near, member = np.full(len(ranks), -1), np.full(len(ranks), -1)
    theirs = np.empty(half + 1, np.int64)
    for i in range(start, stop):
        if used + (k1 + 1) * (half + 2) > len(columns):
            columns = np.concatenate((columns, np.empty(len(columns) + (k1 + 1) * (half + 2), np.int32)))
        first = used
        for at in range(k1 + 1):
            other = ranks[i, at]
            if _has(ranks, other, k1, i):
                near[other] = member[other] = i
                columns[used] = other
                used += 1
        for place in range(first, used):
            other, count, shared = columns[place], 0, 0
            for at in range(half + 1):
                third = ranks[other, at]
                if _has(ranks, third, half, other):
                    theirs[count] = third
                    count += 1
                    shared += near[third] == i
            if 3 * shared > 2 * count:
                for third in theirs[:count]:
                    if member[third] != i:
                        member[third] = i
                        columns[used] = third
                        used += 1
        columns[first:used].sort()
        lengths[i - start] = used - first
    return lengths, columns[:used].copy()


@njit(cache=True, nogil=True, error_model="numpy")
def _expanded(
    offsets: np.ndarray, columns: np.ndarray, values: np.ndarray, nearest: np.ndarray, start: int, stop: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:  # fmt: skip
    """Return lengths, columns and values of the mean codes of the ``nearest`` (N, k2) of rows ``start`` to ``stop``."""
    count, k2 = nearest.shape
    lengths, used = np.zeros(stop - start, np.int64), 0
    out, shares = np.empty(64 * (stop - start), np.int32), np.empty(64 * (stop - start))
    total, seen = np.zeros(count), np.full(count, -1)
    for i in range(start, stop):
        most = 0
        for row in nearest[i]:
            most += offsets[row + 1] - offsets[row]
        if used + most > len(out):
            out = np.concatenate((out, np.empty(len(out) + most, np.int32)))
            shares = np.concatenate((shares, np.empty(len(out) - len(shares))))
        first = used
        for row in nearest[i]:
            for at in range(offsets[row], offsets[row + 1]):
                column = columns[at]
                if seen[column] != i:
                    seen[column], total[column], out[used] = i, 0, column
                    used += 1
                total[column] += values[at]
        out[first:used].sort()
        for at in range(first, used):
            shares[at] = total[out[at]] / k2
        lengths[i - start] = used - first
    return lengths, out[:used].copy(), shares[:used].copy()


@njit(cache=True, nogil=True)
def _by_column(offsets: np.ndarray, columns: np.ndarray, values: np.ndarray, first: int) -> tuple[
    np.ndarray, np.ndarray, np.ndarray
]:  # fmt: skip
    """Return the codes of rows ``first`` and up by column: offsets of columns, rows less ``first``, values."""
    count = len(offsets) - 1
    starts = np.zeros(count + 1, np.int64)
    for at in range(offsets[first], offsets[count]):
        starts[columns[at] + 1] += 1
    starts = np.cumsum(starts)
    place = starts[:-1].copy()
    rows, shares = np.empty(starts[count], np.int32), np.empty(starts[count])
    for row in range(first, count):
        for at in range(offsets[row], offsets[row + 1]):
            to = place[columns[at]]
            rows[to], shares[to] = row - first, values[at]
            place[columns[at]] += 1
    return starts, rows, shares


@njit(cache=True, nogil=True, error_model="numpy")
def _share(
    offsets: np.ndarray, columns: np.ndarray, values: np.ndarray, starts: np.ndarray, rows: np.ndarray,
    shares: np.ndarray, i: int, shared: np.ndarray,
) -> None:  # fmt: skip
    """Write what row ``i`` shares with each of the gallery into ``shared`` (G,)."""
    shared[:] = 0
    for at in range(offsets[i], offsets[i + 1]):
        value = values[at]
        for entry in range(starts[columns[at]], starts[columns[at] + 1]):
            shared[rows[entry]] += min(value, shares[entry])
    for j in range(len(shared)):
        shared[j] = np.float32(shared[j])


@njit(cache=True, nogil=True, error_model="numpy")
def _distance(products: np.ndarray) -> None:
    """Make distances of products of rows brought to length 1, in place."""
    for i in range(len(products)):
        row = products[i]
        for j in range(len(row)):
            row[j] = max(np.float32(0), np.float32(1) - row[j])


@njit(cache=True, nogil=True, error_model="numpy")
def _blend(
    offsets: np.ndarray, columns: np.ndarray, values: np.ndarray, starts: np.ndarray, rows: np.ndarray,
    shares: np.ndarray, first: int, scales: np.ndarray, weight: float, out: np.ndarray,
) -> None:  # fmt: skip
    """Make final distances of the plain ones (B, G) of rows ``first`` and up, in place."""
    shared = np.empty(out.shape[1])
    for i in range(len(out)):
        _share(offsets, columns, values, starts, rows, shares, first + i, shared)
        row, scale = out[i], scales[first + i]
        for j in range(len(row)):
            row[j] = (1 - shared[j] / (2 - shared[j])) * (1 - weight) + row[j] * scale * weight


@njit(cache=True, nogil=True, error_model="numpy")
def _nearest(
    products: np.ndarray, features: np.ndarray, squares: np.ndarray, scales: np.ndarray, codes: tuple,
    starts: np.ndarray, rows: np.ndarray, shares: np.ndarray, first: int, weight: float, slack: float,
    indices: np.ndarray, scores: np.ndarray,
) -> None:  # fmt: skip
    """Put the nearest of each query by final distance, negated, into the heaps indices, scores (B, k).

    products (B, G) of rows ``first`` and up with the gallery, all of length 1, in float32: where they can't tell, the
    distance is computed again in float64.
    """
    shared = np.empty(products.shape[1])
    gallery = len(features) - products.shape[1]
    for i in range(len(products)):
        _share(codes[0], codes[1], codes[2], starts, rows, shares, first + i, shared)
        found, own, plain = scores[i], features[first + i], scales[first + i] * weight
        for j in range(len(shared)):
            jaccard = (1 - shared[j] / (2 - shared[j])) * (1 - weight)
            if np.float32(-(jaccard + max(0, 1 - products[i, j] - slack) * plain)) >= found[0]:
                near = similarity(own, squares[first + i], features[gallery + j])
                distance = jaccard + (1 - np.float64(near)) * scales[first + i] * weight
                if np.float32(-distance) > found[0]:
                    insert(j, np.float32(-distance), indices[i], found)
