"""``pairwise_iou`` in Triton."""

from __future__ import annotations

import torch
import triton
import triton.language as tl

# A tile's row is 512 bytes, so that each warp writes whole cache lines. Not swept on a GPU yet.
ROWS, COLUMNS = 16, 128


def pairwise_iou(a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
    """Return the overlap of each pair of boxes; see the package."""
    a, b = a.contiguous(), b.contiguous()
    out = torch.empty((len(a), len(b)), dtype=torch.float32, device=a.device)
    if out.numel():
        grid = (triton.cdiv(len(a), ROWS) * triton.cdiv(len(b), COLUMNS),)
        # Without fused multiply-add, and with a division that rounds, results equal those of the CPU bit for bit.
        _tile[grid](a, b, out, len(a), len(b), ROWS=ROWS, COLUMNS=COLUMNS, enable_fp_fusion=False)
    return out


@triton.jit
def _tile(a, b, out, rows, columns, ROWS: tl.constexpr, COLUMNS: tl.constexpr):
    """Write one ROWS x COLUMNS tile of out (rows, columns): the overlaps of a (rows, 4) and b (columns, 4)."""
    tile = tl.program_id(0)
    tiles_across = tl.cdiv(columns, COLUMNS)
    i = (tile // tiles_across).to(tl.int64) * ROWS + tl.arange(0, ROWS)[:, None]
    j = (tile % tiles_across).to(tl.int64) * COLUMNS + tl.arange(0, COLUMNS)[None, :]
    row, column = i < rows, j < columns
    left_a, left_b = tl.load(a + i * 4, row, 0.0), tl.load(b + j * 4, column, 0.0)
    top_a, top_b = tl.load(a + i * 4 + 1, row, 0.0), tl.load(b + j * 4 + 1, column, 0.0)
    right_a, right_b = tl.load(a + i * 4 + 2, row, 0.0), tl.load(b + j * 4 + 2, column, 0.0)
    bottom_a, bottom_b = tl.load(a + i * 4 + 3, row, 0.0), tl.load(b + j * 4 + 3, column, 0.0)
    width = tl.maximum(tl.minimum(right_a, right_b) - tl.maximum(left_a, left_b), 0.0)
    height = tl.maximum(tl.minimum(bottom_a, bottom_b) - tl.maximum(top_a, top_b), 0.0)
    intersection = width * height
    union = (right_a - left_a) * (bottom_a - top_a) + (right_b - left_b) * (bottom_b - top_b) - intersection
    # A NaN reaches the union through the areas, and no NaN is above 0.
    overlap = tl.where(union > 0.0, tl.div_rn(intersection, union), 0.0)
    tl.store(out + i * columns + j, overlap, row & column)
