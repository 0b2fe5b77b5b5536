"""``hamming_topk`` and ``hamming_within`` in Numba: bits counted by the processor's instruction, eight words at once.

Bytes are read as words of 64 bits. A block of the base is turned so that a word of many rows lies together, small
enough to stay in the cache while all queries pass over it; the distances of some rows to a query are counted without
a branch, and only where one of them is near enough they are looked at one by one. A few queries pass over the rows as
they lie, as fast as memory gives them.

Functions are compiled for each number of words in a row, of which ``words``, a tuple as long, tells the compiler: it
then writes out the loop over them.

A pair is held as one number, the distance above and the row below: the order of these is the order of the answer.

Threads are Python's around functions that hold no lock: Numba's own layer stops the process when two threads of a
program use it at once.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
from numba import njit, types
from numba.extending import intrinsic

from vtk.kernels.hamming_topk.reference import too_many
from vtk.threads import asked, available

# Rows whose distances are counted in one step; a constant length lets the compiler do so without a remainder.
STEP = 64

# Rows of a block that lies turned in the first cache, 16 KB of 256 bits; and what keeps its columns off one cache set.
ROWS, APART = 512, 8

# Rows over which a few queries pass one after the other: 128 KB of 256 bits, in the second cache.
BLOCK = 4096

# Rows that Numba is given at once.
SHARE = 1 << 17

# Up to this many queries pass over the rows as they lie: turning these costs as much (measured: 1M x 256 bits).
FEW = 2

# Pairs that are worth a thread of their own. To start threads takes 0.1 ms, as long as some 400,000 pairs.
WORTH = 1 << 19

# Queries of each thread from which on they are divided among threads, not the base.
MANY = 16

# Pairs that a thread holds before it hands them over.
HELD = 1 << 16

# The distance stands above this many bits of the row's index.
INDEX = 52
NONE = np.iinfo(np.int64).max


def hamming_topk(queries: np.ndarray, base: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the k rows of the base nearest to each query; see the package."""
    if not (len(queries) and k):
        return np.empty((len(queries), k), np.int32), np.empty((len(queries), k), np.int64)
    wanted = as_words(queries).copy()
    words, tasks = (0,) * wanted.shape[1], _tasks(len(queries), len(base))
    heaps = np.full((1 + max(place for place, _, _ in tasks), len(queries), k), NONE)
    search = _pass if len(queries) <= FEW else _search

    def run(task: tuple[int, slice, slice]) -> None:
        place, mine, theirs = task
        for start in range(theirs.start, theirs.stop, SHARE):
            rows = as_words(base[start : min(start + SHARE, theirs.stop)])
            search(wanted[mine], rows, words, start, heaps[place, mine])

    _together(run, tasks)
    keys = np.sort(heaps.transpose(1, 0, 2).reshape(len(queries), -1), axis=1)[:, :k]
    return (keys >> INDEX).astype(np.int32), keys & ((1 << INDEX) - 1)


def hamming_within(
    queries: np.ndarray, base: np.ndarray, radius: int, most: int = 10_000_000
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return all pairs at most ``radius`` bits apart; see the package."""
    wanted = as_words(queries).copy()
    words, tasks = (0,) * wanted.shape[1], _tasks(len(queries), len(base))
    counts, found = [0] * len(tasks), [[] for _ in tasks]

    def run(number: int) -> None:
        _, mine, theirs = tasks[number]
        held, bits = np.empty((2, HELD), np.int64), np.empty(HELD, np.int32)
        for start in range(theirs.start, theirs.stop, SHARE):
            rows = as_words(base[start : min(start + SHARE, theirs.stop)])
            state = np.zeros(2, np.int64)
            while state[0] < len(rows):
                count = _gather(wanted[mine], rows, words, mine.start, start, radius, held, bits, state)
                counts[number] += count
                if sum(counts) > most:
                    raise too_many(radius, most)
                if count:
                    found[number].append((held[0, :count].copy(), held[1, :count].copy(), bits[:count].copy()))

    _together(run, range(len(tasks)))
    none = (np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0, np.int32))
    rows, columns, distances = map(np.concatenate, zip(none, *(part for own in found for part in own), strict=True))
    # Rows of the base were met in ascending order, and a stable sort keeps that.
    order = np.argsort(rows, kind="stable")
    return rows[order], columns[order], distances[order]


def as_words(rows: np.ndarray) -> np.ndarray:
    """Return rows (N, W) uint8 as (N, at least one) uint64, zeros appended; no copy where none is needed."""
    rows = np.ascontiguousarray(np.asarray(rows))
    count, width = rows.shape
    if width % 8 or not width:
        whole = np.zeros((count, 8 * max(1, -(-width // 8))), np.uint8)
        whole[:, :width] = rows
        rows = whole
    words = rows.view(np.uint64)
    return words if words.flags.aligned else words.copy()


def _tasks(queries: int, rows: int) -> list[tuple[int, slice, slice]]:
    """Return what one thread each does: which heaps it fills, queries, rows of the base.

    Many queries are divided, and fill one set of heaps; else the rows are, and each thread fills its own.
    """
    threads = max(1, min(asked() or available(), queries * rows // WORTH))
    if queries >= MANY * threads:
        return [(0, part, slice(0, rows)) for part in _parts(queries, threads)]
    return [(place, slice(0, queries), part) for place, part in enumerate(_parts(rows, threads))]


def _parts(length: int, count: int) -> list[slice]:
    """Return ``count`` parts of a range, about equally long."""
    edges = np.linspace(0, length, count + 1).astype(int).tolist()
    return [slice(start, stop) for start, stop in zip(edges[:-1], edges[1:], strict=True)]


def _together(run: Callable[[Any], None], tasks: Any) -> None:
    """Run each of ``tasks`` in a thread; wait for all. One alone needs no other thread."""
    if len(tasks) == 1:
        return run(tasks[0])
    with ThreadPoolExecutor(len(tasks)) as pool:
        for _ in pool.map(run, tasks):
            pass


@intrinsic
def _ones(typing: Any, word: Any) -> Any:
    """Return how many bits of a uint64 are set, by the instruction that the processor has for it."""

    def build(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.ctpop(arguments[0])

    return types.uint64(types.uint64), build


@njit(cache=True, nogil=True, error_model="numpy")
def _insert(key: int, heap: np.ndarray) -> None:
    """Put a smaller key in place of the largest of a heap (k,) that has the largest first."""
    k, at = len(heap), 0
    while 2 * at + 1 < k:
        child = 2 * at + 1
        child += child + 1 < k and heap[child + 1] > heap[child]
        if heap[child] <= key:
            break
        heap[at] = heap[child]
        at = child
    heap[at] = key


@njit(cache=True, nogil=True, error_model="numpy")
def _keep(counted: np.ndarray, length: int, start: int, heap: np.ndarray) -> None:
    """Put the first ``length`` of distances (STEP,), of the rows ``start`` and up, into a heap where they belong."""
    for j in range(length):
        if counted[j] < np.uint64(heap[0] >> INDEX):
            _insert((np.int64(counted[j]) << INDEX) | (start + j), heap)


@njit(cache=True, nogil=True, error_model="numpy")
def _turn(rows: np.ndarray, columns: np.ndarray) -> None:
    """Write rows (N, words) into columns (words, at least N)."""
    for j in range(len(rows)):
        for word in range(rows.shape[1]):
            columns[word, j] = rows[j, word]


@njit(cache=True, nogil=True, error_model="numpy", inline="always")
def _count(query: np.ndarray, part: np.ndarray, words: tuple[int, ...], limit: np.uint64, counted: np.ndarray) -> bool:
    """Write the distances of STEP rows, turned, (words, STEP) into ``counted``; tell whether one is below ``limit``."""
    for j in range(STEP):
        bits = np.uint64(0)
        for word in range(len(words)):
            bits += _ones(part[word, j] ^ query[word])
        counted[j] = bits
    below = np.uint64(0)
    for j in range(STEP):
        below += np.uint64(counted[j] < limit)
    return below > 0


@njit(cache=True, nogil=True, error_model="numpy")
def _search(queries: np.ndarray, rows: np.ndarray, words: tuple[int, ...], start: int, heaps: np.ndarray) -> None:
    """Put what rows (N, words) add to the nearest of each query (Q, words) into its heap, heaps (Q, k).

    They are rows ``start`` and up of the base, met in ascending order: of equal distances the earlier stays.
    """
    columns, counted = np.zeros((len(words), ROWS + APART), np.uint64), np.empty(STEP, np.uint64)
    for first in range(0, len(rows), ROWS):
        length = min(ROWS, len(rows) - first)
        _turn(rows[first : first + length], columns)
        for i in range(len(queries)):
            query, limit = queries[i], np.uint64(heaps[i, 0] >> INDEX)
            for at in range(0, length, STEP):
                if _count(query, columns[:, at : at + STEP], words, limit, counted):
                    _keep(counted, min(STEP, length - at), start + first + at, heaps[i])
                    limit = np.uint64(heaps[i, 0] >> INDEX)


@njit(cache=True, nogil=True, error_model="numpy")
def _pass(queries: np.ndarray, rows: np.ndarray, words: tuple[int, ...], start: int, heaps: np.ndarray) -> None:
    """As ``_search``, for a few queries, over the rows as they lie."""
    whole = len(rows) // STEP * STEP
    block = BLOCK if len(queries) > 1 else max(whole, 1)
    for first in range(0, whole, block):
        for i in range(len(queries)):
            _look(queries[i], rows[first : min(first + block, whole)], words, start + first, heaps[i])
    if whole < len(rows):
        _search(queries, rows[whole:], words, start + whole, heaps)


@njit(cache=True, nogil=True, error_model="numpy")
def _look(query: np.ndarray, rows: np.ndarray, words: tuple[int, ...], start: int, heap: np.ndarray) -> None:
    """As ``_search``, for one query, over rows whose number STEP divides."""
    counted, limit = np.empty(STEP, np.uint64), np.uint64(heap[0] >> INDEX)
    for at in range(0, len(rows), STEP):
        part = rows[at : at + STEP]
        for j in range(STEP):
            bits = np.uint64(0)
            for word in range(len(words)):
                bits += _ones(part[j, word] ^ query[word])
            counted[j] = bits
        below = np.uint64(0)
        for j in range(STEP):
            below += np.uint64(counted[j] < limit)
        if below:
            _keep(counted, STEP, start + at, heap)
            limit = np.uint64(heap[0] >> INDEX)


@njit(cache=True, nogil=True, error_model="numpy")
def _gather(
    queries: np.ndarray, rows: np.ndarray, words: tuple[int, ...], above: int, start: int, radius: int,
    held: np.ndarray, bits: np.ndarray, state: np.ndarray,
) -> int:  # fmt: skip
    """Write pairs within ``radius`` into held (2, HELD) and bits (HELD,) until it is full or all were seen; count them.

    queries (Q, words) and rows (N, words) are those from ``above`` and ``start`` on of all. ``state``: the row and the
    query to go on from, written back; the row is past the last when all were seen.
    """
    columns, counted = np.zeros((len(words), ROWS + APART), np.uint64), np.empty(STEP, np.uint64)
    limit, found = np.uint64(radius + 1), 0
    while state[0] < len(rows):
        first = state[0]
        length = min(ROWS, len(rows) - first)
        _turn(rows[first : first + length], columns)
        for i in range(state[1], len(queries)):
            if found + length > held.shape[1]:
                state[1] = i
                return found
            for at in range(0, length, STEP):
                if _count(queries[i], columns[:, at : at + STEP], words, limit, counted):
                    for j in range(min(STEP, length - at)):
                        if counted[j] < limit:
                            held[0, found], held[1, found] = above + i, start + first + at + j
                            bits[found] = counted[j]
                            found += 1
        state[0], state[1] = first + ROWS, 0
    return found
