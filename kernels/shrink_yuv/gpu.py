"""``shrink_yuv`` in Triton: a program sums the parts under one pixel of the result, plane after plane."""

from __future__ import annotations

import torch
import triton
import triton.language as tl

# Columns of a box read at once: boxes of a small picture are some tens of pixels wide. Not swept on a GPU yet.
BLOCK = 64


def shrink_yuv(
    luma: torch.Tensor, blue: torch.Tensor, red: torch.Tensor, matrix: torch.Tensor, height: int, width: int
) -> torch.Tensor:
    """Return the RGB picture of means by area; see the package."""
    luma, blue, red = luma.contiguous(), blue.contiguous(), red.contiguous()
    out = torch.empty((height, width, 3), dtype=torch.uint8, device=luma.device)
    if out.numel():
        sizes = torch.tensor([[luma.numel(), blue.numel(), red.numel()]], dtype=torch.float64, device=luma.device)
        weights = torch.cat([matrix[:, :3] / sizes, matrix[:, 3:]], dim=1).contiguous()
        # Without fused multiply-add results equal those of the CPU bit for bit.
        _box[(height * width,)](
            luma, blue, red, weights, out, *luma.shape, *blue.shape, height, width, BLOCK=BLOCK, enable_fp_fusion=False
        )
    return out


@triton.jit
def _sum(plane, tall, wide, row, column, height, width, BLOCK: tl.constexpr):
    """Return the sum, int64, of a plane (tall, wide) uint8 under a box, each pixel cut into height x width parts."""
    top, bottom = row * tall, (row + 1) * tall
    left, right = column * wide, (column + 1) * wide
    total = tl.zeros((BLOCK,), tl.int64)
    for y in range(top // height, (bottom + height - 1) // height):
        parts = tl.minimum((y + 1) * height, bottom) - tl.maximum(y * height, top)
        for start in range(left // width, (right + width - 1) // width, BLOCK):
            x = start + tl.arange(0, BLOCK)
            pixels = tl.load(plane + y * wide + x, x < wide, 0).to(tl.int64)
            share = tl.minimum((x + 1) * width, right) - tl.maximum(x * width, left)
            total += pixels * tl.maximum(share, 0) * parts
    return tl.sum(total)


@triton.jit
def _box(luma, blue, red, weights, out, tall, wide, low, narrow, height, width, BLOCK: tl.constexpr):
    """Write one pixel of out (height, width, 3) from luma (tall, wide) and blue and red (low, narrow)."""
    pixel = tl.program_id(0).to(tl.int64)
    row, column = pixel // width, pixel % width
    y = _sum(luma, tall, wide, row, column, height, width, BLOCK).to(tl.float64)
    u = _sum(blue, low, narrow, row, column, height, width, BLOCK).to(tl.float64)
    v = _sum(red, low, narrow, row, column, height, width, BLOCK).to(tl.float64)
    for channel in tl.static_range(3):
        a, b = tl.load(weights + 4 * channel), tl.load(weights + 4 * channel + 1)
        c, d = tl.load(weights + 4 * channel + 2), tl.load(weights + 4 * channel + 3)
        value = tl.floor(((a * y + b * u) + c * v) + d + 0.5)
        value = tl.minimum(tl.maximum(value, 0.0), 255.0)
        tl.store(out + 3 * pixel + channel, value.to(tl.uint8))
