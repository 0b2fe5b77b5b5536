"""``cosine_topk`` in Triton: products in bfloat16 and their best in one kernel, which are computed again in float64.

A program multiplies some queries with its share of the gallery, tile by tile, and keeps the best of what it saw: all
pairs never leave the chip. How far such a product may be from the similarity is known, from the lengths that bfloat16
cut off the rows. Where a row that was left out could still belong to the k best, as with many copies of one row, all
similarities of that query are computed in float64.
"""

from __future__ import annotations

import torch
import triton
import triton.language as tl

# Queries and rows of a tile, values of both that are multiplied in one step, and programs that fill the device: two on
# each of an H200's 132 processors. Not swept on a GPU yet.
QUERIES, ROWS, LENGTH, PROGRAMS = 32, 128, 64, 264

# The most candidates that a program keeps for a query: beyond, sorting all similarities is what is left.
MOST = 128

# Values held at once in float64.
HELD = 1 << 27

LOWEST = tl.constexpr(-(1 << 63))


def cosine_topk(queries: torch.Tensor, gallery: torch.Tensor, k: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the k rows of the gallery most similar to each query; see the package."""
    queries, gallery = (each.view(torch.bfloat16) if each.dtype == torch.uint16 else each for each in (queries, gallery))
    queries, gallery = queries.contiguous(), gallery.contiguous()
    kept = max(16, triton.next_power_of_2(2 * k))
    if kept > MOST or not (k and len(queries) and queries.shape[1]):
        return _sorted(queries, gallery, k)
    rough, candidates, slack = _candidates(queries, gallery, kept)
    found = torch.cat([
        similarities(some.double(), gallery[theirs.clamp(min=0)].double())
        for some, theirs in zip(*(each.split(_share(kept * queries.shape[1])) for each in (queries, candidates)),
                                strict=True)
    ])  # fmt: skip
    scores, order = found.masked_fill_(candidates < 0, -torch.inf).sort(dim=1, descending=True, stable=True)
    indices, scores = candidates.gather(1, order)[:, :k], scores[:, :k].contiguous()
    unsure = torch.nonzero(~(scores[:, -1].double() - slack > rough) & (rough > -torch.inf)).flatten()
    if len(unsure):
        indices[unsure], scores[unsure] = _sorted(queries[unsure], gallery, k)
    return indices.masked_fill(scores == -torch.inf, -1), scores


def _candidates(
    queries: torch.Tensor, gallery: torch.Tensor, kept: int
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Return what the products of others are at most (Q,), the candidates (Q, kept) by index, and the error (Q,)."""
    (rows, cut), (units, own) = _units(gallery), _units(queries)
    count, length = units.shape
    blocks = triton.cdiv(count, QUERIES)
    parts = max(1, min(triton.cdiv(PROGRAMS, blocks), triton.cdiv(len(rows), 8 * ROWS)))
    share = triton.cdiv(triton.cdiv(len(rows), parts), ROWS) * ROWS
    keys = torch.empty((count, parts, kept), dtype=torch.int64, device=units.device)
    _search[(blocks, parts)](
        units, rows, keys, count, len(rows), length, share, QUERIES=QUERIES, ROWS=ROWS, LENGTH=LENGTH, KEPT=kept
    )
    keys = keys.flatten(1).topk(kept, dim=1).values
    candidates = torch.where(keys == LOWEST.value, -1, len(rows) - 1 - (keys & 0xFFFFFFFF)).sort(dim=1).values
    ordered = (keys[:, -1] >> 32).to(torch.int32)
    rough = torch.where(ordered < 0, ordered ^ 0x7FFFFFFF, ordered).view(torch.float32)
    rough = rough.masked_fill(keys[:, -1] == LOWEST.value, -torch.inf)
    # gamma four times over: tensor cores cut off where others round.
    gamma = 4 * (length + 8) * 2.0**-24
    most = cut.max()
    return rough.double(), candidates, own * (1 + most) + most + gamma


def _units(rows: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Return rows of length 1 in bfloat16, zeros where there is none, and the length (N,) float64 that it cut off."""
    units, cut = torch.empty(rows.shape, dtype=torch.bfloat16, device=rows.device), []
    for into, some in zip(*(each.split(_share(rows.shape[1])) for each in (units, rows)), strict=True):
        wide = some.double()
        square = (wide * wide).sum(dim=1, keepdim=True)
        wide = torch.where((square > 0) & (square < torch.inf), wide / square.sqrt(), 0)
        into.copy_(wide)
        cut.append((wide - into.double()).norm(dim=1))
    return units, torch.cat(cut)


def similarities(queries: torch.Tensor, rows: torch.Tensor) -> torch.Tensor:
    """Return the similarities (Q, N) float32 of queries (Q, D) with rows (N, D), or of each with its (Q, N, D).

    Both are float64; -inf where there is no similarity.
    """
    own, square = (queries * queries).sum(dim=-1, keepdim=True), (rows * rows).sum(dim=-1)
    dots = queries @ rows.T if rows.ndim == 2 else (rows @ queries[:, :, None])[..., 0]
    squares = own * square
    found = torch.where(squares == 0, 0, dots / squares.sqrt()).float()
    # Adding makes -0 0: radix sorts tell them apart.
    return torch.where(squares < torch.inf, found + 0.0, -torch.inf)


def _sorted(queries: torch.Tensor, gallery: torch.Tensor, k: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the k best of all similarities, sorted."""
    found = []
    for some in queries.split(_share(len(gallery))):
        parts = [similarities(some.double(), rows.double()) for rows in gallery.split(_share(queries.shape[1]))]
        scores, order = torch.cat(parts, dim=1).sort(dim=1, descending=True, stable=True)
        found.append((order[:, :k].masked_fill(scores[:, :k] == -torch.inf, -1), scores[:, :k]))
    indices, scores = (torch.cat(each) for each in zip(*found, strict=True))
    return indices, scores


def _share(length: int) -> int:
    """Return how many rows of ``length`` values are held in float64 at once."""
    return max(1, HELD // max(length, 1))


@triton.jit
def _search(
    queries, gallery, keys, count, rows, length, share,
    QUERIES: tl.constexpr, ROWS: tl.constexpr, LENGTH: tl.constexpr, KEPT: tl.constexpr,
):  # fmt: skip
    """Write the KEPT best of QUERIES queries among the ``share`` rows of this program, in descending order.

    queries (count, length), gallery (rows, length) bfloat16; keys (count, programs along axis 1, KEPT) int64: above,
    the product's bits such that they sort as whole numbers, below, how many rows follow that row; LOWEST: none.
    """
    i = tl.program_id(0).to(tl.int64) * QUERIES + tl.arange(0, QUERIES)
    start = tl.program_id(1).to(tl.int64) * share
    stop = tl.minimum(start + share, rows)
    best = tl.full([QUERIES, KEPT], LOWEST, tl.int64)
    for first in range(start, stop, ROWS):
        j = first + tl.arange(0, ROWS)
        product = tl.zeros([QUERIES, ROWS], tl.float32)
        for at in range(0, length, LENGTH):
            d = at + tl.arange(0, LENGTH)
            a = tl.load(queries + i[:, None] * length + d[None, :], (i < count)[:, None] & (d < length)[None, :], 0.0)
            b = tl.load(gallery + j[None, :] * length + d[:, None], (j < stop)[None, :] & (d < length)[:, None], 0.0)
            product = tl.dot(a, b, product)
        bits = product.to(tl.int32, bitcast=True)
        upper = tl.where(bits < 0, bits ^ 0x7FFFFFFF, bits).to(tl.int64) << 32
        key = tl.where((j < stop)[None, :], upper | (rows - 1 - j)[None, :].to(tl.int64), LOWEST)
        # Once the best are found, most tiles hold none that is better.
        better = key > tl.min(best, axis=1)[:, None]
        if tl.max(tl.max(better.to(tl.int32), axis=1), axis=0) > 0:
            both = tl.reshape(tl.join(best, tl.topk(key, KEPT)), [QUERIES, 2 * KEPT])
            best = tl.topk(both, KEPT)
    part = i * tl.num_programs(1) + tl.program_id(1)
    place = part[:, None] * KEPT + tl.arange(0, KEPT)[None, :]
    tl.store(keys + place, best, (i < count)[:, None])
