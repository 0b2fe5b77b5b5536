"""``hamming_topk`` and ``hamming_within`` in Triton: bits as -1 and 1, whose products tensor cores add up exactly.

A program holds some queries against its share of the base, tile by tile. It keeps the nearest that it saw, or writes
what is near enough to where an atomic counter says: all pairs never leave the chip.
"""

from __future__ import annotations

import torch
import triton
import triton.language as tl

from vtk.kernels.hamming_topk.reference import too_many

# Queries and rows of a tile, and programs that fill the device: two on each of an H200's 132 processors. Not swept on a
# GPU yet.
QUERIES, ROWS, PROGRAMS = 32, 128, 264

# The most rows that a program keeps for a query: beyond, sorting all distances is what is left.
MOST = 128

# Pairs for which there is room at first, and distances sorted at once.
HELD = 1 << 24

# What one takes from the index of a row in a key, the distance stands above.
INDEX = tl.constexpr(52)

# Bytes of a row that are multiplied, at least: what tensor cores take in one step.
LEAST = 32


def hamming_topk(queries: torch.Tensor, base: torch.Tensor, k: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the k rows of the base nearest to each query; see the package."""
    queries, base = queries.contiguous(), base.contiguous()
    (count, width), rows = queries.shape, len(base)
    kept = max(16, triton.next_power_of_2(k))
    if kept > MOST or not (k and count):
        return _sorted(queries, base, k)
    blocks, parts, share = _grid(count, rows)
    keys = torch.empty((count, parts, kept), dtype=torch.int64, device=queries.device)
    _search[(blocks, parts)](
        queries, base, keys, count, rows, width, share, QUERIES=QUERIES, ROWS=ROWS, WIDTH=_width(width), KEPT=kept
    )
    keys = keys.flatten(1).topk(k, dim=1).values
    below = keys & ((1 << INDEX.value) - 1)
    return (8 * width - (keys >> INDEX.value)).int(), rows - 1 - below


def hamming_within(
    queries: torch.Tensor, base: torch.Tensor, radius: int, most: int = 10_000_000
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Return all pairs at most ``radius`` bits apart; see the package."""
    queries, base = queries.contiguous(), base.contiguous()
    room = min(most, HELD, len(queries) * len(base))
    pairs, distances, count = _pairs(queries, base, radius, room)
    if count > most:
        raise too_many(radius, most)
    if count > room:
        pairs, distances, count = _pairs(queries, base, radius, count)
    pairs, order = pairs[:count].sort()
    return pairs // max(len(base), 1), pairs % max(len(base), 1), distances[:count][order]


def _pairs(queries: torch.Tensor, base: torch.Tensor, radius: int, room: int) -> tuple[torch.Tensor, torch.Tensor, int]:
    """Return ``room`` pairs (room,) int64, query * N + row, their distances (room,), and how many there are."""
    (count, width), rows = queries.shape, len(base)
    pairs = torch.empty(room, dtype=torch.int64, device=queries.device)
    distances = torch.empty(room, dtype=torch.int32, device=queries.device)
    found = torch.zeros(1, dtype=torch.int64, device=queries.device)
    blocks, parts, share = _grid(count, rows)
    if blocks:
        _within[(blocks, parts)](
            queries, base, pairs, distances, found, count, rows, width, share, radius, room,
            QUERIES=QUERIES, ROWS=ROWS, WIDTH=_width(width),
        )  # fmt: skip
    return pairs, distances, int(found)


def _grid(count: int, rows: int) -> tuple[int, int, int]:
    """Return blocks of queries, parts of the base, and the rows of a part."""
    blocks = triton.cdiv(count, QUERIES)
    parts = max(1, min(triton.cdiv(PROGRAMS, max(blocks, 1)), triton.cdiv(rows, 8 * ROWS)))
    return blocks, parts, triton.cdiv(triton.cdiv(rows, parts), ROWS) * ROWS


def _width(width: int) -> int:
    """Return the bytes of a row as they are multiplied: a power of two."""
    return max(LEAST, triton.next_power_of_2(width))


def _sorted(queries: torch.Tensor, base: torch.Tensor, k: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the k nearest of all distances, sorted."""
    found = [(torch.empty((0, k), dtype=torch.int32, device=base.device),
              torch.empty((0, k), dtype=torch.int64, device=base.device))]  # fmt: skip
    width, index = queries.shape[1], torch.arange(len(base), device=base.device)
    for some in queries.split(max(1, HELD // max(len(base), 1))):
        # Sums of at most 512 ones are exact in float16.
        products = [_signs(some) @ _signs(rows).T for rows in base.split(max(1, HELD // max(8 * width, 1)))]
        distances = (8 * width - torch.cat(products, dim=1).long()) >> 1
        keys = ((distances << INDEX.value) | index).topk(k, dim=1, largest=False).values
        found.append(((keys >> INDEX.value).int(), keys & ((1 << INDEX.value) - 1)))
    distances, indices = (torch.cat(each) for each in zip(*found, strict=True))
    return distances, indices


def _signs(rows: torch.Tensor) -> torch.Tensor:
    """Return the bits of rows (N, W) uint8 as (N, 8 W) float16, -1 and 1."""
    bits = (rows[:, :, None] >> torch.arange(8, dtype=torch.uint8, device=rows.device)) & 1
    return bits.flatten(1).half() * 2 - 1


@triton.jit
def _distances(
    queries, base, i, j, count, stop, width,
    QUERIES: tl.constexpr, ROWS: tl.constexpr, WIDTH: tl.constexpr,
):  # fmt: skip
    """Return the distances [QUERIES, ROWS] int32 of queries ``i`` (count, width) and rows ``j`` of base (N, width).

    Bits that agree multiply to 1 and others to -1, so their sum is all less twice the distance; bytes past ``width``
    are 0 in the queries.
    """
    w = tl.arange(0, WIDTH)
    inside = (w < width).to(tl.int8)
    a = tl.load(queries + i[:, None] * width + w[None, :], (i < count)[:, None] & (w < width)[None, :], 0)
    b = tl.load(base + j[None, :] * width + w[:, None], (j < stop)[None, :] & (w < width)[:, None], 0)
    product = tl.zeros([QUERIES, ROWS], tl.int32)
    for bit in tl.static_range(8):
        own = (((a >> bit) & 1).to(tl.int8) * 2 - 1) * inside[None, :]
        other = ((b >> bit) & 1).to(tl.int8) * 2 - 1
        product = tl.dot(own, other, product, out_dtype=tl.int32)
    return (8 * width - product) >> 1


@triton.jit
def _search(
    queries, base, keys, count, rows, width, share,
    QUERIES: tl.constexpr, ROWS: tl.constexpr, WIDTH: tl.constexpr, KEPT: tl.constexpr,
):  # fmt: skip
    """Write the KEPT nearest of QUERIES queries among the ``share`` rows of this program, in descending order.

    queries (count, width), base (rows, width) uint8; keys (count, programs along axis 1, KEPT) int64: above, how many
    bits agree, below, how many rows follow that row; -1: none.
    """
    i = tl.program_id(0).to(tl.int64) * QUERIES + tl.arange(0, QUERIES)
    start = tl.program_id(1).to(tl.int64) * share
    stop = tl.minimum(start + share, rows)
    best = tl.full([QUERIES, KEPT], -1, tl.int64)
    for first in range(start, stop, ROWS):
        j = first + tl.arange(0, ROWS)
        distance = _distances(queries, base, i, j, count, stop, width, QUERIES, ROWS, WIDTH)
        key = ((8 * width - distance).to(tl.int64) << INDEX) | (rows - 1 - j)[None, :]
        key = tl.where((j < stop)[None, :], key, -1)
        # Once the nearest are found, most tiles hold none that is nearer.
        better = key > tl.min(best, axis=1)[:, None]
        if tl.max(tl.max(better.to(tl.int32), axis=1), axis=0) > 0:
            both = tl.reshape(tl.join(best, tl.topk(key, KEPT)), [QUERIES, 2 * KEPT])
            best = tl.topk(both, KEPT)
    part = i * tl.num_programs(1) + tl.program_id(1)
    place = part[:, None] * KEPT + tl.arange(0, KEPT)[None, :]
    tl.store(keys + place, best, (i < count)[:, None])


@triton.jit
def _within(
    queries, base, pairs, distances, found, count, rows, width, share, radius, room,
    QUERIES: tl.constexpr, ROWS: tl.constexpr, WIDTH: tl.constexpr,
):  # fmt: skip
    """Append the pairs of QUERIES queries and this program's ``share`` of rows that are at most ``radius`` apart.

    queries (count, width), base (rows, width) uint8; pairs (room,) int64, query * rows + row, and distances (room,)
    int32, both in any order; found (1,) int64 counts them, those beyond ``room`` too.
    """
    i = tl.program_id(0).to(tl.int64) * QUERIES + tl.arange(0, QUERIES)
    start = tl.program_id(1).to(tl.int64) * share
    stop = tl.minimum(start + share, rows)
    for first in range(start, stop, ROWS):
        j = first + tl.arange(0, ROWS)
        distance = _distances(queries, base, i, j, count, stop, width, QUERIES, ROWS, WIDTH)
        near = (distance <= radius) & (i < count)[:, None] & (j < stop)[None, :]
        flat = tl.reshape(near.to(tl.int32), [QUERIES * ROWS])
        total = tl.sum(flat, axis=0)
        if total > 0:
            place = tl.atomic_add(found, total.to(tl.int64)) + tl.cumsum(flat, axis=0) - 1
            fits = (flat > 0) & (place < room)
            pair = tl.reshape(i[:, None] * rows + j[None, :], [QUERIES * ROWS])
            tl.store(pairs + place, pair, fits)
            tl.store(distances + place, tl.reshape(distance, [QUERIES * ROWS]), fits)
