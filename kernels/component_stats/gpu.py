"""``component_stats`` in Triton: every pixel adds to its label's row ends on the device, hulls are made on the host.

A run of a label adds its end and takes away its start, so that areas and row ends cost two atomics a run, not one a
pixel; scores take one a pixel. What crosses is two numbers for each row of each label.
"""

from __future__ import annotations

import torch
import triton
import triton.language as tl

from vtk.kernels.component_stats import cpu

# Pixels of a row per program. Not swept on a GPU yet.
BLOCK = 256


def component_stats(labels: torch.Tensor, scores: torch.Tensor, count: int | None = None) -> torch.Tensor:
    """Return area, sum of scores, box and rectangle of each label; see the package."""
    height, width = labels.shape
    if count is None:
        count = max(int(labels.max()), 0) if labels.numel() else 0
    stats = torch.full((count, 11), float("nan"), dtype=torch.float64, device=labels.device)
    stats[:, :2] = 0
    if not count:
        return stats
    labels, scores = labels.contiguous(), scores.contiguous()
    area, total = (torch.zeros(count, dtype=dtype, device=labels.device) for dtype in (torch.int64, torch.float64))
    top = torch.full((count,), height, dtype=torch.int32, device=labels.device)
    bottom = torch.full_like(top, -1)
    grid = (height * triton.cdiv(width, BLOCK),)
    _sums[grid](labels, scores, area, total, top, bottom, width, count, BLOCK=BLOCK)
    # Each label's rows lie together, from its first to its last.
    starts = torch.zeros(count + 1, dtype=torch.int64, device=labels.device)
    starts[1:] = torch.cumsum((bottom - top + 1).clamp(min=0), 0)
    rows = int(starts[-1])
    first = torch.full((rows,), width, dtype=torch.int32, device=labels.device)
    last = torch.full_like(first, -1)
    _ends[grid](labels, starts, top, first, last, width, count, BLOCK=BLOCK)
    stats[:, 0], stats[:, 1] = area, total
    return _with_rectangles(stats, starts, top, first, last)


def _with_rectangles(stats: torch.Tensor, starts: torch.Tensor, top: torch.Tensor, first: torch.Tensor,
                     last: torch.Tensor) -> torch.Tensor:  # fmt: skip
    """Return ``stats`` (K, 11) with boxes and rectangles of the rows that have pixels."""
    owner = torch.repeat_interleave(starts.diff())
    y = torch.arange(len(first), device=first.device) - starts[owner] + top[owner]
    there = last >= 0
    rows = torch.stack([y.to(torch.int32), first, last], dim=1)[there]
    begins = torch.zeros_like(starts)
    begins[1:] = torch.cumsum(torch.bincount(owner[there], minlength=len(stats)), 0)
    host = stats.cpu().numpy()
    cpu.rectangles(begins.cpu().numpy(), rows.cpu().numpy(), host)
    return torch.from_numpy(host).to(stats.device)


@triton.jit
def _run(labels, width, count, BLOCK: tl.constexpr):
    """Return row, column and label of BLOCK pixels, whether it counts, and whether a run starts or ends there.

    labels (H, width) int32. A run that goes on in the next block ends and starts at its edge, too.
    """
    across = tl.cdiv(width, BLOCK)
    y = (tl.program_id(0) // across).to(tl.int64)
    lane = tl.arange(0, BLOCK)
    x = (tl.program_id(0) % across) * BLOCK + lane
    at = y * width + x
    label = tl.load(labels + at, x < width, 0)
    counts = (label > 0) & (label <= count)
    before = tl.load(labels + at - 1, (x < width) & (lane > 0), 0)
    after = tl.load(labels + at + 1, (x + 1 < width) & (lane + 1 < BLOCK), 0)
    return y, x, label.to(tl.int64) - 1, counts, counts & (label != before), counts & (label != after)


@triton.jit
def _sums(labels, scores, area, total, top, bottom, width, count, BLOCK: tl.constexpr):
    """Add BLOCK pixels of a row to area (count,) int64, total (count,) float64, top and bottom (count,) int32.

    labels (H, width) int32, scores (H, width) float32.
    """
    y, x, k, counts, starts, ends = _run(labels, width, count, BLOCK)
    value = tl.load(scores + y * width + x, counts, 0.0).to(tl.float64)
    tl.atomic_add(total + k, value, counts)
    tl.atomic_add(area + k, (x + 1).to(tl.int64), ends)
    tl.atomic_add(area + k, -x.to(tl.int64), starts)
    row = tl.zeros([BLOCK], tl.int32) + y.to(tl.int32)
    tl.atomic_min(top + k, row, starts)
    tl.atomic_max(bottom + k, row, starts)


@triton.jit
def _ends(labels, starts, top, first, last, width, count, BLOCK: tl.constexpr):
    """Write the least and largest column of each row of each label into first and last (N,) int32.

    labels (H, width) int32; label k + 1 in row y stands at starts[k] + y - top[k]; starts (count + 1,) int64.
    """
    y, x, k, counts, run_starts, run_ends = _run(labels, width, count, BLOCK)
    at = tl.load(starts + k, counts, 0) + y - tl.load(top + k, counts, 0)
    tl.atomic_min(first + at, x, run_starts)
    tl.atomic_max(last + at, x, run_ends)
