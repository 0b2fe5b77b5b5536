"""``cosine_topk``: a float32 product by BLAS finds candidates, Numba computes those again in float64.

The rows are brought to length 1 in float32 a block at a time. What the product can still reach, its error added, is held
against the worst of the k best so far; only where it isn't below, the pair is computed as the package says. So the
answer is exact, and among a million rows some hundred pairs for a query are computed twice. A few queries are not
multiplied by BLAS, which would bring the block to and from memory, but in one pass over the gallery as it lies.

The product is float32's although one of bfloat16 is faster where the processor has instructions for it (torch's whole
search in bfloat16, whose ranks are others, takes 0.4 to 0.7 of the time): NumPy has no such product, and torch, which
has, takes seconds to load and must not be for a command that runs its model without it.

Threads are Python's around functions that hold no lock: Numba's own layer stops the process when two threads of a
program use it at once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
from numba import njit

from vtk.threads import asked, available

# Rows of the gallery, and queries, of which all pairs are multiplied at once: their products take 8 MB.
ROWS, QUERIES = 2048, 1024

# Up to this many queries a pass over the gallery without BLAS is faster; of 16 neither is (measured: 20k x 256).
FEW = 8

# Products looked at in one step; a constant length lets the compiler compare them without a remainder.
STEP = 32

UNIT = 2.0**-24
# Any order of summation, but for a NaN or an infinity, which the bound does not cover and which are computed again.
LOOSE = {"reassoc", "contract", "nsz"}


def cosine_topk(queries: np.ndarray, gallery: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the k rows of the gallery most similar to each query; see the package."""
    few = len(queries) <= FEW
    threads = max(1, min(asked() or available(), len(gallery) // ROWS if few else len(queries)))
    indices = np.full((threads if few else 1, len(queries), k), -1)
    scores = np.full(indices.shape, -np.inf, np.float32)
    if not indices.size:
        return indices[0], scores[0]
    wide = widened(queries)
    with ThreadPoolExecutor(threads) as pool:
        (_stream if few else _multiply)(wide, gallery, indices, scores, threads, pool)
    return best(indices, scores)


def _stream(
    queries: np.ndarray, gallery: np.ndarray, indices: np.ndarray, scores: np.ndarray, threads: int,
    pool: ThreadPoolExecutor,
) -> None:  # fmt: skip
    """Find the best of each thread's share of the gallery: indices, scores (threads, Q, k)."""
    edges = np.linspace(0, len(gallery), threads + 1).astype(int).tolist()
    squares = (queries.astype(np.float64) ** 2).sum(axis=1)
    units = unit_rows(queries)

    def share(thread: int) -> None:
        for start, stop in spans(edges[thread], edges[thread + 1], ROWS):
            block = widened(gallery[start:stop])
            _pass(queries, units, squares, block, start, margin(queries.shape[1], 2), indices[thread], scores[thread])

    together(pool, share, range(threads))


def _multiply(
    queries: np.ndarray, gallery: np.ndarray, indices: np.ndarray, scores: np.ndarray, threads: int,
    pool: ThreadPoolExecutor,
) -> None:  # fmt: skip
    """Find the best of the gallery by products of blocks: indices, scores (1, Q, k)."""
    squares, slack = (queries.astype(np.float64) ** 2).sum(axis=1), margin(queries.shape[1])

    def look(mine: slice, products: np.ndarray, block: np.ndarray, start: int) -> None:
        search(products, queries[mine], squares[mine], block, start, slack, indices[0, mine], scores[0, mine])

    visit_products(queries, gallery, look, threads, pool)


def visit_products(
    queries: np.ndarray, gallery: np.ndarray, visit: Callable[[slice, np.ndarray, np.ndarray, int], None],
    threads: int, pool: ThreadPoolExecutor,
) -> None:  # fmt: skip
    """Call ``visit`` in each thread with a part of all products, until all were seen.

    ``visit`` is given which queries these are, their float32 products (Q', B) with rows, all brought to length 1; the
    rows (B, D) float32 as they are; and the index of the first. For one query the blocks come in ascending order.
    """
    units = unit_rows(queries)
    products = np.empty((min(QUERIES, len(queries)), min(ROWS, len(gallery))), np.float32)
    rows = np.empty((products.shape[1], queries.shape[1]), np.float32)
    for start, stop in spans(0, len(gallery), ROWS):
        block = widened(gallery[start:stop])
        parts = list(spans(0, len(block), -(-len(block) // threads)))
        together(pool, lambda part: _unit(block[slice(*part)], rows[slice(*part)]), parts)
        for first, last in spans(0, len(queries), QUERIES):
            part = products[: last - first, : len(block)]
            np.matmul(units[first:last], rows[: len(block)].T, out=part)

            def look(own: tuple[int, int]) -> None:
                visit(slice(own[0] + first, own[1] + first), part[slice(*own)], block, start)

            together(pool, look, spans(0, last - first, -(-(last - first) // threads)))


def together(pool: ThreadPoolExecutor, run: Callable[[Any], None], parts: Iterable[Any]) -> None:
    """Run each of ``parts`` in a thread; wait for all."""
    for _ in pool.map(run, parts):
        pass


def spans(start: int, stop: int, step: int) -> Iterable[tuple[int, int]]:
    """Yield the (start, stop) of the parts of a range, each ``step`` long but the last."""
    for at in range(start, stop, max(step, 1)):
        yield at, min(at + step, stop)


def margin(length: int, factor: float = 1) -> np.float64:
    """Return how far the float32 product of two rows brought to length 1 may be from their similarity.

    gamma of ``length`` and 8 roundings: of both rows to float32, of what the product is compared with. Twice that
    (factor 2) where the length of a row comes from a sum of the same kind.
    """
    roundings = factor * (length + 8) * UNIT
    return np.float64(roundings / (1 - roundings) if roundings < 1 else np.inf)


def widened(array: np.ndarray) -> np.ndarray:
    """Return rows (N, D) as contiguous float32; uint16 are the bits of bfloat16."""
    if array.dtype == np.float32:
        return np.ascontiguousarray(np.asarray(array))
    out = np.empty(array.shape, np.float32)
    _widen(np.ascontiguousarray(np.asarray(array)).view(np.uint16), array.dtype == np.float16, out.view(np.uint32))
    return out


def unit_rows(rows: np.ndarray) -> np.ndarray:
    """Return ``rows`` (N, D) float32 brought to length 1; zeros where the length is 0 or isn't finite."""
    out = np.empty(rows.shape, np.float32)
    _unit(rows, out)
    return out


def best(indices: np.ndarray, scores: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the k best in order, (Q, k) each, of the heaps (threads, Q, k) of every thread."""
    k = indices.shape[2]
    together, found = (each.transpose(1, 0, 2).reshape(each.shape[1], -1) for each in (indices, scores))
    # Of places without a row, -inf, those of other threads come last too.
    order = np.lexsort((together, -found), axis=1)[:, :k]
    return np.take_along_axis(together, order, 1), np.take_along_axis(found, order, 1)


@njit(cache=True, nogil=True)
def _widen(bits: np.ndarray, half: bool, out: np.ndarray) -> None:
    """Write the bits (N, D) of float16 where ``half``, otherwise of bfloat16, as those of float32 into ``out``."""
    for i in range(len(bits)):
        row, into = bits[i], out[i]
        if not half:
            for j in range(len(row)):
                into[j] = np.uint32(row[j]) << np.uint32(16)
            continue
        for j in range(len(row)):
            value = np.uint32(row[j])
            sign, rest = (value & np.uint32(0x8000)) << np.uint32(16), value & np.uint32(0x7FFF)
            exponent = rest >> np.uint32(10)
            if exponent == 31:
                wide = np.uint32(0x7F800000) | ((rest & np.uint32(0x3FF)) << np.uint32(13))
            elif exponent:
                wide = (rest << np.uint32(13)) + np.uint32(112 << 23)
            else:
                # Below the least normal number, a whole multiple of 2^-24.
                wide = np.float32(np.float32(rest) * np.float32(2.0**-24)).view(np.uint32)
            into[j] = sign | wide


@njit(cache=True, nogil=True, error_model="numpy", fastmath=LOOSE)
def _square(row: np.ndarray) -> float:
    """Return the squared length of ``row`` (D,) float32, in float64: there it can't overflow."""
    total = 0.0
    for j in range(len(row)):
        total += np.float64(row[j]) * np.float64(row[j])
    return total


@njit(cache=True, nogil=True, error_model="numpy")
def _unit(rows: np.ndarray, out: np.ndarray) -> None:
    """Write ``rows`` (N, D) float32, brought to length 1, into ``out``; zeros where that can't be."""
    for i in range(len(rows)):
        row, into = rows[i], out[i]
        square = _square(row)
        if not (0 < square < np.inf):
            into[:] = 0
            continue
        scale = 1 / np.sqrt(square)
        for j in range(len(row)):
            into[j] = np.float32(row[j] * scale)


@njit(cache=True, nogil=True, error_model="numpy", fastmath=LOOSE)
def _dots(query: np.ndarray, row: np.ndarray) -> tuple[float, float]:
    """Return the dot product of both (D,) float32 and the squared length of ``row``, in float64."""
    dot, square = 0.0, 0.0
    for j in range(len(row)):
        value = np.float64(row[j])
        dot += np.float64(query[j]) * value
        square += value * value
    return dot, square


@njit(cache=True, nogil=True, error_model="numpy")
def similarity(query: np.ndarray, own: float, row: np.ndarray) -> np.float32:
    """Return the similarity as the package says; ``own`` is the squared length of ``query``. NaN: there is none."""
    dot, square = _dots(query, row)
    squares = own * square
    if squares == 0:
        return np.float32(0)
    return np.float32(dot / np.sqrt(squares)) if squares < np.inf else np.float32(np.nan)


@njit(cache=True, nogil=True, error_model="numpy")
def insert(index: int, score: np.float32, indices: np.ndarray, scores: np.ndarray) -> None:
    """Put a better pair in place of the worst in a heap (k,) that has the worst first: of equal scores the last."""
    k, at = len(scores), 0
    while 2 * at + 1 < k:
        child = 2 * at + 1
        other = child + 1
        if other < k and (scores[other] < scores[child] or
                          (scores[other] == scores[child] and indices[other] > indices[child])):
            child = other
        if scores[child] > score or (scores[child] == score and indices[child] < index):
            break
        scores[at], indices[at] = scores[child], indices[child]
        at = child
    scores[at], indices[at] = score, index


@njit(cache=True, nogil=True, error_model="numpy")
def search(
    products: np.ndarray, queries: np.ndarray, squares: np.ndarray, block: np.ndarray, start: int, slack: float,
    indices: np.ndarray, scores: np.ndarray,
) -> None:  # fmt: skip
    """Put what a block adds to the best into the heaps indices, scores (Q, k).

    products (Q, B) float32 of the rows of length 1; queries (Q, D) float32 and their squared lengths; block (B, D)
    float32, rows ``start`` and up of the gallery, met in ascending order: of equal scores the earlier stays.
    """
    for i in range(len(queries)):
        own, found, places = squares[i], scores[i], indices[i]
        if not own < np.inf:
            continue
        row = products[i]
        limit = np.float32(found[0] - slack)
        for at in range(0, len(row), STEP):
            part = row[at : at + STEP]
            above = 0
            if len(part) == STEP:
                for j in range(STEP):
                    above += part[j] >= limit
            else:
                above = 1
            if not above:
                continue
            for j in range(len(part)):
                if part[j] >= limit:
                    score = similarity(queries[i], own, block[at + j])
                    if score > found[0]:
                        insert(start + at + j, score, places, found)
                        limit = np.float32(found[0] - slack)


@njit(cache=True, nogil=True, error_model="numpy", fastmath=LOOSE)
def _roughly(units: np.ndarray, row: np.ndarray, dots: np.ndarray) -> np.float32:
    """Write the float32 products of ``units`` (Q, D) with ``row`` (D,) into ``dots``; return its squared length."""
    square = np.float32(0)
    for j in range(len(row)):
        square += row[j] * row[j]
    for i in range(len(units)):
        unit, dot = units[i], np.float32(0)
        for j in range(len(row)):
            dot += unit[j] * row[j]
        dots[i] = dot
    return square


@njit(cache=True, nogil=True, error_model="numpy")
def _pass(
    queries: np.ndarray, units: np.ndarray, squares: np.ndarray, block: np.ndarray, start: int, slack: float,
    indices: np.ndarray, scores: np.ndarray,
) -> None:  # fmt: skip
    """As ``search``, for a few queries, from the rows themselves: units (Q, D) are the queries of length 1."""
    dots = np.empty(len(queries), np.float32)
    for at in range(len(block)):
        square = _roughly(units, block[at], dots)
        # Squares too small or large for float32 say nothing; nor does a NaN.
        sound = np.float32(1e-20) < square < np.float32(1e30)
        inverse = np.float32(1) / np.sqrt(square)
        for i in range(len(queries)):
            if sound and not dots[i] * inverse >= np.float32(scores[i, 0] - slack):
                continue
            if squares[i] < np.inf:
                score = similarity(queries[i], squares[i], block[at])
                if score > scores[i, 0]:
                    insert(start + at, score, indices[i], scores[i])
