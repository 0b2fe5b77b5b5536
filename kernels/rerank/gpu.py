"""``rerank`` in Triton: neighbours by ``cosine_topk``, codes on the host, and what the codes of all pairs share here.

A program holds one query's code, spread out, against the sparse codes of a block of the gallery: reads of it, where an
index by member would need sums that meet in no fixed order. Sets of neighbours are some dozen numbers a row, taken one
by one: the host makes them, and ranks and codes are all that crosses.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import torch
import triton
import triton.language as tl

from vtk.kernels.cosine_topk import gpu as nearest
from vtk.kernels.rerank import cpu

# Rows of the gallery per program. Not swept on a GPU yet.
BLOCK = 128

# Values held at once in float64.
HELD = 1 << 27


def rerank(
    queries: torch.Tensor, gallery: torch.Tensor, k1: int = 20, k2: int = 6, weight: float = 0.3
) -> torch.Tensor:  # fmt: skip
    """Return the re-ranked distance of each query to each row of the gallery; see the package."""
    out = torch.empty((len(queries), len(gallery)), device=queries.device)
    if not out.numel():
        return out
    rows = torch.cat([queries, gallery])
    ranks = nearest.cosine_topk(rows, rows, min(max(k1 + 1, k2), len(rows)))[0]
    lows = torch.cat([_similar(some, rows).amin(dim=1) for some in rows.split(_share(len(rows)))])
    scales = _scales(1 - lows.double())

    def measure(ones: np.ndarray, others: np.ndarray) -> np.ndarray:
        pairs = torch.from_numpy(np.stack([ones, others])).to(rows.device)
        found = [_similar(rows[a], rows[b][:, None]) for a, b in
                 zip(*(side.split(_share(rows.shape[1])) for side in pairs), strict=True)]  # fmt: skip
        return 1 - torch.cat(found)[:, 0].double().cpu().numpy()

    codes = _encode(ranks, measure, scales, k1, k2)
    for first in range(0, len(queries), _share(len(rows))):
        part = slice(first, min(first + _share(len(rows)), len(queries)))
        plain = (1 - _similar(queries[part], gallery).double()) * scales[part, None]
        _blend(plain, codes, part, weight, out[part])
    return out


def rerank_topk(
    queries: torch.Tensor, gallery: torch.Tensor, k: int, k1: int = 20, k2: int = 6, weight: float = 0.3
) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the k rows of the gallery nearest to each query; see the package."""
    distances = rerank(queries, gallery, k1, k2, weight)
    # Adding makes -0 0: radix sorts tell them apart.
    parts = [torch.sort(some + 0.0, dim=1, stable=True) for some in distances.split(_share(len(gallery)))]
    return (torch.cat([part.indices[:, :k] for part in parts]), torch.cat([part.values[:, :k] for part in parts]))


def rerank_distances(
    distances: torch.Tensor, queries: int, k1: int = 20, k2: int = 6, weight: float = 0.3
) -> torch.Tensor:  # fmt: skip
    """Return the re-ranked distance of each query to each row of the gallery; see the package."""
    count = len(distances)
    out = torch.empty((queries, count - queries), device=distances.device)
    if not out.numel():
        return out
    kept, step = min(max(k1 + 1, k2), count), _share(count)
    ranks = torch.cat([torch.sort(some + 0.0, dim=1, stable=True).indices[:, :kept] for some in distances.split(step)])
    scales = _scales(distances.amax(dim=1).double())

    def measure(ones: np.ndarray, others: np.ndarray) -> np.ndarray:
        pairs = torch.from_numpy(np.stack([ones, others])).to(distances.device)
        return distances[pairs[0], pairs[1]].cpu().numpy()

    codes = _encode(ranks, measure, scales, k1, k2)
    for first in range(0, queries, step):
        part = slice(first, min(first + step, queries))
        _blend(distances[part, queries:].double() * scales[part, None], codes, part, weight, out[part])
    return out


def _encode(
    ranks: torch.Tensor, measure: Callable[[np.ndarray, np.ndarray], np.ndarray], scales: torch.Tensor, k1: int, k2: int
) -> cpu.Codes:  # fmt: skip
    """Return the codes of all rows, made on the host, on the device."""
    with ThreadPoolExecutor(1) as pool:
        codes = cpu.encode(ranks.cpu().numpy(), measure, scales.cpu().numpy(), k1, k2, pool)
    return cpu.Codes(*(torch.from_numpy(each).to(ranks.device) for each in codes))


def _similar(queries: torch.Tensor, rows: torch.Tensor) -> torch.Tensor:
    """Return the similarities of float32 rows as ``cosine_topk`` defines them, (Q, N) float32."""
    return nearest.similarities(queries.double(), rows.double())


def _scales(largest: torch.Tensor) -> torch.Tensor:
    """Return 1 over each; 0 for 0."""
    return torch.where(largest > 0, 1 / largest, 0)


def _share(length: int) -> int:
    """Return how many rows of ``length`` values are held in float64 at once."""
    return max(1, HELD // max(length, 1))


def _blend(plain: torch.Tensor, codes: cpu.Codes, part: slice, weight: float, out: torch.Tensor) -> None:
    """Write the final distances of queries ``part`` into ``out`` (B, G) from the plain ones in shares, float64."""
    offsets, columns, values = codes
    count, gallery = len(offsets) - 1, plain.shape[1]
    dense = torch.zeros((len(plain), count), dtype=torch.float64, device=plain.device)
    own = slice(int(offsets[part.start]), int(offsets[part.stop]))
    lengths = offsets[part.start + 1 : part.stop + 1] - offsets[part.start : part.stop]
    dense[torch.repeat_interleave(lengths), columns[own].long()] = values[own]
    # In an array, since Triton takes a number to be float32.
    number = torch.tensor([weight], dtype=torch.float64).to(plain.device)
    _final[(len(plain), triton.cdiv(gallery, BLOCK))](
        dense, offsets[count - gallery :], columns, values, plain.contiguous(), number, out, count, gallery,
        BLOCK=BLOCK, enable_fp_fusion=False,
    )  # fmt: skip


@triton.jit
def _final(dense, offsets, columns, values, plain, weight, out, count, gallery, BLOCK: tl.constexpr):
    """Write out (queries, gallery) float32 for one query and BLOCK rows of the gallery.

    dense (queries, count) float64, the queries' codes; offsets (gallery + 1,) int64 into columns int32 and values
    float64, the gallery's; plain (queries, gallery) float64; weight (1,) float64.
    """
    i = tl.program_id(0).to(tl.int64)
    j = tl.program_id(1).to(tl.int64) * BLOCK + tl.arange(0, BLOCK)
    row = j < gallery
    start, stop = tl.load(offsets + j, row, 0), tl.load(offsets + j + 1, row, 0)
    shared = tl.zeros([BLOCK], tl.float64)
    for at in range(0, tl.max(stop - start, axis=0)):
        entry = start + at
        inside = entry < stop
        column = tl.load(columns + entry, inside, 0).to(tl.int64)
        own = tl.load(dense + i * count + column, inside, 0.0)
        shared += tl.minimum(own, tl.load(values + entry, inside, 0.0))
    shared = shared.to(tl.float32).to(tl.float64)
    share = tl.load(weight)
    jaccard = (1 - shared / (2 - shared)) * (1 - share)
    place = i * gallery + j
    tl.store(out + place, (jaccard + tl.load(plain + place, row, 0.0) * share).to(tl.float32), row)
