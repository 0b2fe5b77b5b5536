"""``nms`` in Triton: every box looks at all better boxes at once, round after round until nothing changes.

A box is kept when no kept box of a higher rank overlaps it. Started from "all kept", a round gives the first box its
right answer, the next round those that depend on it alone, and so on: a box on which a chain of d others depends is
right after d + 1 rounds, and what no longer changes is the greedy answer, for that is the only fixed point. Crowds
of boxes around objects need a handful of rounds; a row of N boxes that each overlap just the next needs N.
"""

from __future__ import annotations

import torch
import triton
import triton.language as tl

# Boxes per program and better boxes that it looks at in one step. Not swept on a GPU yet.
BLOCK, OTHERS = 64, 64


def nms(
    boxes: torch.Tensor,
    scores: torch.Tensor,
    class_ids: torch.Tensor | None = None,
    iou_threshold: float = 0.5,
    image_ids: torch.Tensor | None = None,
) -> torch.Tensor:
    """Return the indices of the kept boxes, best score first; see the package."""
    order = torch.sort(scores, descending=True, stable=True).indices
    if not len(order):
        return order
    boxes = boxes[order].contiguous()
    groups = torch.zeros_like(order)
    ids = [each.to(torch.int64) for each in (class_ids, image_ids) if each is not None]
    if ids:
        groups = torch.unique(torch.stack(ids), dim=1, return_inverse=True)[1][order].contiguous()
    keep = torch.ones(len(order), dtype=torch.int32, device=boxes.device)
    following = torch.empty_like(keep)
    changed = torch.ones(1, dtype=torch.int32, device=boxes.device)
    grid = (triton.cdiv(len(order), BLOCK),)
    while changed.item():
        changed.zero_()
        # Without fused multiply-add, and with a division that rounds, the set is that of the CPU.
        _round[grid](
            boxes, groups, keep, following, changed, len(order), _below(iou_threshold),
            BLOCK=BLOCK, OTHERS=OTHERS, enable_fp_fusion=False,
        )  # fmt: skip
        keep, following = following, keep
    return order[keep.bool()]


def _below(threshold: float) -> float:
    """Return the largest float32 that is not above ``threshold``: a float32 exceeds both or neither."""
    nearest = torch.tensor(threshold, dtype=torch.float32)
    if nearest.item() > threshold:
        nearest = torch.nextafter(nearest, torch.tensor(-1.0))
    return nearest.item()


@triton.jit
def _round(
    boxes, groups, keep, following, changed, count, threshold, BLOCK: tl.constexpr, OTHERS: tl.constexpr
):  # fmt: skip
    """Write following (count,) for BLOCK boxes: 1 where no box before it with keep 1 in its group overlaps it.

    boxes (count, 4) float32 and groups (count,) int64 in order of rank; keep, following (count,) int32; changed (1,).
    """
    block = tl.program_id(0).to(tl.int64)
    j = block * BLOCK + tl.arange(0, BLOCK)[:, None]
    own = j < count
    left, top = tl.load(boxes + j * 4, own, 0.0), tl.load(boxes + j * 4 + 1, own, 0.0)
    right, bottom = tl.load(boxes + j * 4 + 2, own, 0.0), tl.load(boxes + j * 4 + 3, own, 0.0)
    group = tl.load(groups + j, own, -1)
    area = (right - left) * (bottom - top)
    removed = tl.zeros([BLOCK, 1], tl.int32)
    for start in range(0, (block + 1) * BLOCK, OTHERS):
        i = start + tl.arange(0, OTHERS)[None, :]
        better = i < count
        left_i, top_i = tl.load(boxes + i * 4, better, 0.0), tl.load(boxes + i * 4 + 1, better, 0.0)
        right_i, bottom_i = tl.load(boxes + i * 4 + 2, better, 0.0), tl.load(boxes + i * 4 + 3, better, 0.0)
        width = tl.maximum(tl.minimum(right, right_i) - tl.maximum(left, left_i), 0.0)
        height = tl.maximum(tl.minimum(bottom, bottom_i) - tl.maximum(top, top_i), 0.0)
        intersection = width * height
        union = (right_i - left_i) * (bottom_i - top_i) + area - intersection
        overlaps = tl.div_rn(intersection, union) > threshold
        kept = tl.load(keep + i, better, 0) != 0
        same = tl.load(groups + i, better, -2) == group
        removes = overlaps & kept & same & (i < j)
        removed = tl.maximum(removed, tl.max(removes.to(tl.int32), axis=1, keep_dims=True))
    before = tl.load(keep + j, own, 1)
    after = 1 - removed
    tl.store(following + j, after, own)
    tl.atomic_max(changed + tl.zeros_like(j), (own & (before != after)).to(tl.int32), own & (before != after))
