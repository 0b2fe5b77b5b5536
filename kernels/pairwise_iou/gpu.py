"""``pairwise_iou`` and its kin in Triton: one kernel."""

from __future__ import annotations

import torch
import triton
import triton.language as tl

# A tile's row is 512 bytes, so that each warp writes whole cache lines. Not swept on a GPU yet.
ROWS, COLUMNS = 16, 128


def pairwise_iou(a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
    """Return the overlap of each pair of boxes; see the package."""
    return _launch(a, b, 0.0, generalized=False, buffered=False)


def pairwise_giou(a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
    """Return the overlap less the share of the hull that neither covers; see the package."""
    return _launch(a, b, 0.0, generalized=True, buffered=False)


def buffered_iou(a: torch.Tensor, b: torch.Tensor, buffer: float) -> torch.Tensor:
    """Return the overlap of each pair of grown boxes; see the package."""
    # Rounded to float32 here as on the CPU; beyond its range it is inf.
    return _launch(a, b, torch.tensor(buffer, dtype=torch.float32).item(), generalized=False, buffered=True)


def _launch(a: torch.Tensor, b: torch.Tensor, buffer: float, generalized: bool, buffered: bool) -> torch.Tensor:
    """Return the matrix (N, M) of one of the three."""
    a, b = a.contiguous(), b.contiguous()
    out = torch.empty((len(a), len(b)), dtype=torch.float32, device=a.device)
    if out.numel():
        grid = (triton.cdiv(len(a), ROWS) * triton.cdiv(len(b), COLUMNS),)
        # Without fused multiply-add, and with a division that rounds, results equal those of the CPU bit for bit.
        _tile[grid](
            a, b, out, len(a), len(b), buffer, GENERALIZED=generalized, BUFFERED=buffered, ROWS=ROWS, COLUMNS=COLUMNS,
            enable_fp_fusion=False,
        )  # fmt: skip
    return out


@triton.jit
def _corners(boxes, index, inside, buffer, BUFFERED: tl.constexpr):
    """Return left, top, right and bottom of the boxes (N, 4) at index, grown where that is asked for."""
    left, top = tl.load(boxes + index * 4, inside, 0.0), tl.load(boxes + index * 4 + 1, inside, 0.0)
    right, bottom = tl.load(boxes + index * 4 + 2, inside, 0.0), tl.load(boxes + index * 4 + 3, inside, 0.0)
    if BUFFERED:
        wide, high = buffer * (right - left), buffer * (bottom - top)
        left, top, right, bottom = left - wide, top - high, right + wide, bottom + high
    return left, top, right, bottom


@triton.jit
def _tile(a, b, out, rows, columns, buffer, GENERALIZED: tl.constexpr, BUFFERED: tl.constexpr,
          ROWS: tl.constexpr, COLUMNS: tl.constexpr):  # fmt: skip
    """Write one ROWS x COLUMNS tile of out (rows, columns): the overlaps of a (rows, 4) and b (columns, 4)."""
    tile = tl.program_id(0)
    tiles_across = tl.cdiv(columns, COLUMNS)
    i = (tile // tiles_across).to(tl.int64) * ROWS + tl.arange(0, ROWS)[:, None]
    j = (tile % tiles_across).to(tl.int64) * COLUMNS + tl.arange(0, COLUMNS)[None, :]
    row, column = i < rows, j < columns
    left_a, top_a, right_a, bottom_a = _corners(a, i, row, buffer, BUFFERED)
    left_b, top_b, right_b, bottom_b = _corners(b, j, column, buffer, BUFFERED)
    width = tl.maximum(tl.minimum(right_a, right_b) - tl.maximum(left_a, left_b), 0.0)
    height = tl.maximum(tl.minimum(bottom_a, bottom_b) - tl.maximum(top_a, top_b), 0.0)
    intersection = width * height
    union = (right_a - left_a) * (bottom_a - top_a) + (right_b - left_b) * (bottom_b - top_b) - intersection
    # A NaN reaches the union through the areas, and no NaN is above 0.
    overlap = tl.where(union > 0.0, tl.div_rn(intersection, union), 0.0)
    if GENERALIZED:
        wide = tl.maximum(right_a, right_b) - tl.minimum(left_a, left_b)
        high = tl.maximum(bottom_a, bottom_b) - tl.minimum(top_a, top_b)
        hull = wide * high
        overlap = overlap - tl.div_rn(hull - union, hull)
        overlap = tl.where(overlap == overlap, overlap, -1.0)
    tl.store(out + i * columns + j, overlap, row & column)
