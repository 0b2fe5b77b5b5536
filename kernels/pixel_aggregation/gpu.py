"""``pixel_aggregation`` in Triton: every pixel looks at its 4 neighbours, pass after pass until nothing changes.

A pixel's state is its distance from the kernels and its label in one number, distance first, so that the better of
two is the smaller one. A pass takes the least of a pixel's own and its neighbours' with a step added. In whatever
order programs see one another's writes, states only fall, and they rest where each is the least: the one result.
"""

from __future__ import annotations

import torch
import triton
import triton.language as tl

# Pixels per program, and passes per launch, between which the host asks whether anything changed. Not swept on a GPU
# yet.
ROWS, COLUMNS, PASSES = 16, 64, 8

# A step of the distance, above all labels; and the state of a pixel that nothing has reached.
STEP, FAR = 1 << 32, 1 << 62


def pixel_aggregation(kernels: torch.Tensor, region: torch.Tensor) -> torch.Tensor:
    """Return for each pixel of a region the label of the nearest kernel; see the package."""
    return progressive_expansion(kernels, region[None])


def progressive_expansion(kernels: torch.Tensor, maps: torch.Tensor) -> torch.Tensor:
    """Return the labels of the smallest kernels, grown inside one larger map after the other; see the package."""
    height, width = kernels.shape
    maps = (maps != 0) & (maps[-1] != 0)
    labels = torch.where(maps[-1] & (kernels > 0), kernels, 0).contiguous()
    grid = (triton.cdiv(height, ROWS) * triton.cdiv(width, COLUMNS),)
    changed = torch.zeros(1, dtype=torch.int32, device=kernels.device)
    for each in maps.to(torch.uint8).contiguous():
        # What has a label is where the next map's distances begin.
        states = torch.where(labels > 0, labels.to(torch.int64), FAR)
        more = labels.numel() > 0
        while more:
            changed.zero_()
            _relax[grid](states, each, changed, height, width, STEP=STEP, FAR=FAR,
                         PASSES=PASSES, ROWS=ROWS, COLUMNS=COLUMNS, enable_fp_fusion=False)  # fmt: skip
            more = bool(changed.item())
        labels = torch.where(states < FAR, states % STEP, 0).to(torch.int32)
    return labels


@triton.jit
def _relax(states, inside, changed, height, width, STEP: tl.constexpr, FAR: tl.constexpr, PASSES: tl.constexpr,
           ROWS: tl.constexpr, COLUMNS: tl.constexpr):  # fmt: skip
    """Lower ROWS x COLUMNS of states (height, width) int64 to their neighbours' and a step, PASSES times.

    inside (height, width) uint8: where states may change; changed (1,) int32: set to 1 where one did.
    """
    across = tl.cdiv(width, COLUMNS)
    y = (tl.program_id(0) // across).to(tl.int64) * ROWS + tl.arange(0, ROWS)[:, None]
    x = (tl.program_id(0) % across).to(tl.int64) * COLUMNS + tl.arange(0, COLUMNS)[None, :]
    place = y * width + x
    within = (y < height) & (x < width)
    open_ = within & (tl.load(inside + place, within, 0) != 0)
    first = tl.load(states + place, within, FAR)
    own = first
    # A program in which nothing can change reads no neighbours.
    if tl.max(tl.max((open_ & (own >= STEP)).to(tl.int32), axis=1), axis=0) > 0:
        for _ in range(PASSES):
            near = tl.load(states + place - width, within & (y > 0), FAR)
            near = tl.minimum(near, tl.load(states + place + width, within & (y + 1 < height), FAR))
            near = tl.minimum(near, tl.load(states + place - 1, within & (x > 0), FAR))
            near = tl.minimum(near, tl.load(states + place + 1, within & (x + 1 < width), FAR))
            lower = open_ & (near < FAR) & (near + STEP < own)
            own = tl.where(lower, near + STEP, own)
            tl.store(states + place, own, lower)
            # The program's own pixels see one another's new states in the next pass.
            tl.debug_barrier()
        fell = own < first
        tl.atomic_max(changed + tl.zeros_like(place), fell.to(tl.int32), fell)
