"""``temporal_align`` in Triton: maps are read here, as a wavefront of tiles or for their hits; the host chooses.

A cell of ``dynamic_programming`` or ``dtw`` waits for three before it, so a launch takes the tiles of one anti-diagonal
of tiles, and a program goes through its tile by anti-diagonals, a lane to a row. The first pass, over the whole map, is
the device's; what closing a box changes afterwards is little, and the host's. The other three look only at hits, which
are found here in order and cross alone. Entries are few, and their map is never built: the host has them to itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
import triton
import triton.language as tl

from vtk.kernels.temporal_align import boxes, cpu
from vtk.kernels.temporal_align.cells import Cells, Paths, every_cell, unmarked

# Rows and columns of a tile, and columns read at once for hits. Not swept on a GPU yet.
TILE, BLOCK = 32, 512


def hough(similarity: torch.Tensor | Sequence[Any], *, min_sim: float = 0.2, max_peaks: int = 100,
          max_iou: float = 0.9, whole: bool = False) -> torch.Tensor:  # fmt: skip
    """Return the diagonals that most similarity lies on; see the package."""
    frames = similarity[3] if isinstance(similarity, (list, tuple)) else similarity.shape
    found = cpu.peaks(_hits(similarity, min_sim), (int(frames[0]), int(frames[1])), max_peaks, max_iou, whole)
    return _back(found, similarity)


def temporal_network(similarity: torch.Tensor | Sequence[Any], *, max_step: int = 10, top_k: int = 5,
                     max_path: int = 10, min_sim: float = 0.2, min_length: int = 5,
                     max_iou: float = 0.3) -> torch.Tensor:  # fmt: skip
    """Return the longest paths through each query frame's most similar references; see the package."""
    cells = _hits(similarity, min_sim)
    return _back(cpu.network(cells, max_step, top_k, max_path, min_sim, min_length, max_iou), similarity)


def dynamic_programming(similarity: torch.Tensor | Sequence[Any], *, discontinue: int = 3, min_sim: float = 0.0,
                        ave_sim: float = 0.3, min_length: int = 5, max_straight: int = 30,
                        max_paths: int = 100) -> torch.Tensor:  # fmt: skip
    """Return the paths that earn most similarity, with few unmatched cells; see the package."""
    if isinstance(similarity, (list, tuple)):
        found = cpu.dynamic_programming(
            _host(similarity), discontinue=discontinue, min_sim=min_sim, ave_sim=ave_sim, min_length=min_length,
            max_straight=max_straight, max_paths=max_paths,
        )  # fmt: skip
        return _back(found, similarity)
    # In an array, since Triton takes a number to be float32.
    low = torch.tensor([min_sim], dtype=torch.float64).to(similarity.device)
    totals = torch.zeros(similarity.shape, dtype=torch.float64, device=similarity.device)
    counts, ways = torch.zeros_like(totals, dtype=torch.int32), torch.zeros_like(totals, dtype=torch.uint8)
    for grid, place in _waves(similarity):
        _earn[grid](similarity.contiguous(), totals, counts, ways, low, *similarity.shape, discontinue, *place,
                    TILE=TILE, enable_fp_fusion=False)  # fmt: skip
    cells = every_cell(similarity.cpu().numpy())
    known = (each.cpu().numpy().reshape(-1) for each in (totals, counts, ways))
    paths = Paths(*known, unmarked(cells, min_sim).states)
    found = cpu.take(cells, paths, similarity.shape[1], discontinue, min_sim, ave_sim, min_length, max_straight,
                     max_paths)  # fmt: skip
    return _back(found, similarity)


def dtw(similarity: torch.Tensor | Sequence[Any], *, discontinue: int = 3, min_sim: float = 0.2,
        min_length: int = 5) -> torch.Tensor:  # fmt: skip
    """Return the parts of the cheapest path from corner to corner that are similar; see the package."""
    if isinstance(similarity, (list, tuple)):
        found = cpu.dtw(_host(similarity), discontinue=discontinue, min_sim=min_sim, min_length=min_length)
        return _back(found, similarity)
    if not similarity.numel():
        return _back(boxes.ordered([]), similarity)
    costs = torch.empty(similarity.shape, dtype=torch.float64, device=similarity.device)
    ways = torch.empty_like(costs, dtype=torch.uint8)
    for grid, place in _waves(similarity):
        _cheapen[grid](similarity.contiguous(), costs, ways, *similarity.shape, *place, TILE=TILE,
                       enable_fp_fusion=False)  # fmt: skip
    steps, i, j = ways.cpu().numpy(), *(length - 1 for length in similarity.shape)
    path = [(i, j)]
    while i or j:
        way = steps[i, j]
        i, j = i - int(way != 3), j - int(way != 2)
        path.append((i, j))
    walked = np.array(path[::-1])
    values = similarity[tuple(torch.from_numpy(walked).to(similarity.device).T)].double().cpu().numpy()
    found = boxes.path_boxes(walked, values, min_sim, min_sim, min_length, discontinue)
    return _back(boxes.ordered(found), similarity)


def diagonal(similarity: torch.Tensor | Sequence[Any], *, min_sim: float = 0.4, slowest: float = 0.4,
             fastest: float = 2.5, speed_step: float = 1.1, band: float = 2.0, max_gap: int = 8,
             gap_cost: float = 0.05, min_length: int = 5, min_score: float = 2.0, min_mean: float = 0.15,
             max_overlap: float = 0.5, max_segments: int = 100) -> torch.Tensor:  # fmt: skip
    """Return straight runs of similar frames at any speed that is searched; see the package."""
    speeds = boxes.speeds(slowest, fastest, speed_step)
    found = cpu.runs(_hits(similarity, min_sim), speeds, min_sim, band, max_gap, gap_cost)
    segments = boxes.segments(
        found, slowest, fastest, max_gap, min_length, min_score, min_mean, max_overlap, max_segments
    )  # fmt: skip
    return _back(segments, similarity)


def _host(similarity: Sequence[Any]) -> list[Any]:
    """Return entries as NumPy arrays, and their shape."""
    return [*(each.cpu().numpy() for each in similarity[:3]), similarity[3]]


def _back(found: np.ndarray, similarity: torch.Tensor | Sequence[Any]) -> torch.Tensor:
    """Return segments on the device of the map, or of its entries."""
    like = similarity[2] if isinstance(similarity, (list, tuple)) else similarity
    return torch.from_numpy(found).to(like.device)


def _hits(similarity: torch.Tensor | Sequence[Any], low: float) -> Cells:
    """Return the cells of a map, or entries, that are ``low`` or more, and above 0, on the host."""
    if isinstance(similarity, (list, tuple)):
        return cpu.hits(_host(similarity), low)
    queries, refs = similarity.shape
    sims, device = similarity.contiguous(), similarity.device
    # In an array, since Triton takes a number to be float32.
    least = torch.tensor([low], dtype=torch.float64).to(device)
    counts = torch.zeros(queries, dtype=torch.int64, device=device)
    if sims.numel():
        _count[(queries,)](sims, counts, least, refs, BLOCK=BLOCK)
    starts = torch.cat([counts.new_zeros(1), counts.cumsum(0)])
    columns = torch.empty(int(starts[-1]), dtype=torch.int64, device=device)
    values = torch.empty(len(columns), dtype=torch.float32, device=device)
    if len(columns):
        _gather[(queries,)](sims, starts, columns, values, least, refs, BLOCK=BLOCK)
    return Cells(*(each.cpu().numpy() for each in (starts, columns, values)))


def _waves(similarity: torch.Tensor) -> list[tuple[tuple[int], tuple[int, int]]]:
    """Return for each anti-diagonal of tiles how many they are, its number and the row of its first tile."""
    down, across = (triton.cdiv(length, TILE) for length in similarity.shape)
    waves = [(d, max(0, d - across + 1)) for d in range(down + across - 1 if down and across else 0)]
    return [((min(d, down - 1) - top + 1,), (d, top)) for d, top in waves]


@triton.jit
def _count(sims, counts, least, refs, BLOCK: tl.constexpr):
    """Write how many cells of one row of sims (Q, refs) float32 are at least ``least`` (1,) float64, and above 0."""
    row = tl.program_id(0).to(tl.int64)
    count = tl.zeros([BLOCK], tl.int64)
    for start in range(0, refs, BLOCK):
        j = start + tl.arange(0, BLOCK)
        value = tl.load(sims + row * refs + j, j < refs, 0.0).to(tl.float64)
        count += ((value >= tl.load(least)) & (value > 0.0)).to(tl.int64)
    tl.store(counts + row, tl.sum(count, axis=0))


@triton.jit
def _gather(sims, starts, columns, values, least, refs, BLOCK: tl.constexpr):
    """Write columns int64 and values float32 of those cells of one row from its start (Q + 1,) int64 on, in order."""
    row = tl.program_id(0).to(tl.int64)
    first = tl.load(starts + row)
    for start in range(0, refs, BLOCK):
        j = start + tl.arange(0, BLOCK)
        value = tl.load(sims + row * refs + j, j < refs, 0.0)
        hit = (value.to(tl.float64) >= tl.load(least)) & (value > 0.0)
        place = first + tl.cumsum(hit.to(tl.int64), axis=0) - 1
        tl.store(columns + place, j.to(tl.int64), hit)
        tl.store(values + place, value, hit)
        first += tl.sum(hit.to(tl.int64), axis=0)


@triton.jit
def _earn(sims, totals, counts, ways, low, queries, refs, discontinue, wave, top, TILE: tl.constexpr):
    """Write what the best paths to the cells of one tile earn, their unmatched cells and last steps.

    sims (queries, refs) float32; totals float64, counts int32, ways uint8 alike, right in the tiles before; low (1,)
    float64; the tile is the one of anti-diagonal ``wave`` that lies program_id rows of tiles below row ``top``.
    """
    down = top + tl.program_id(0)
    lane = tl.arange(0, TILE)
    i = down.to(tl.int64) * TILE + lane
    for d in range(0, 2 * TILE - 1):
        j = (wave - down).to(tl.int64) * TILE + d - lane
        inside = (d >= lane) & (d - lane < TILE) & (i < queries) & (j < refs)
        place = i * refs + j
        upper, left = inside & (i > 0), inside & (j > 0)
        value = tl.load(sims + place, inside, 0.0).to(tl.float64)
        matched = value > tl.load(low)
        own = value + 1.0
        corner = tl.load(totals + place - refs - 1, upper & left, 0.0)
        over, beside = tl.load(totals + place - refs, upper, 0.0), tl.load(totals + place - 1, left, 0.0)
        total = tl.where(corner > 0.0, corner + own, -float("inf"))
        way, from_ = tl.where(corner > 0.0, 1, 0), place - refs - 1
        better = (over > 0.0) & (over + 0.5 * own > total)
        total, way = tl.where(better, over + 0.5 * own, total), tl.where(better, 2, way)
        from_ = tl.where(better, place - refs, from_)
        better = (beside > 0.0) & (beside + 0.5 * own > total)
        total, way = tl.where(better, beside + 0.5 * own, total), tl.where(better, 3, way)
        from_ = tl.where(better, place - 1, from_)
        count = tl.load(counts + from_, inside & (way > 0), 0) + tl.where(matched, 0, 1)
        goes_on = (way > 0) & (count <= discontinue) & (total > 0.0)
        total = tl.where(goes_on, total, tl.where(matched, own, 0.0))
        tl.store(totals + place, total, inside)
        tl.store(counts + place, tl.where(goes_on, count, 0), inside)
        tl.store(ways + place, tl.where(goes_on, way, 0).to(tl.uint8), inside)
        # The next anti-diagonal reads what other lanes of this program have just written.
        tl.debug_barrier()


@triton.jit
def _cheapen(sims, costs, ways, queries, refs, wave, top, TILE: tl.constexpr):
    """Write what the cheapest paths from the corner to the cells of one tile cost, and their last steps.

    sims (queries, refs) float32; costs float64 and ways uint8 alike, right in the tiles before; the tile as in _earn.
    """
    down = top + tl.program_id(0)
    lane = tl.arange(0, TILE)
    i = down.to(tl.int64) * TILE + lane
    for d in range(0, 2 * TILE - 1):
        j = (wave - down).to(tl.int64) * TILE + d - lane
        inside = (d >= lane) & (d - lane < TILE) & (i < queries) & (j < refs)
        place = i * refs + j
        upper, left = inside & (i > 0), inside & (j > 0)
        corner = tl.load(costs + place - refs - 1, upper & left, float("inf"))
        over = tl.load(costs + place - refs, upper, float("inf"))
        beside = tl.load(costs + place - 1, left, float("inf"))
        way = tl.where((corner <= over) & (corner <= beside), 1, tl.where(over <= beside, 2, 3))
        best = tl.minimum(tl.minimum(corner, over), beside)
        best = tl.where((i == 0) & (j == 0), 0.0, best)
        own = 1.0 - tl.load(sims + place, inside, 0.0).to(tl.float64)
        tl.store(costs + place, best + own, inside)
        tl.store(ways + place, way.to(tl.uint8), inside)
        tl.debug_barrier()
