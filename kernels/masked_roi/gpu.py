"""``masked_roi`` in Triton: one program for each text and block of channels, a block of samples after the other."""

from __future__ import annotations

from collections.abc import Sequence

import torch
import triton
import triton.language as tl

from vtk.kernels.masked_roi.perspective import coefficients

# Channels per program, and samples in one step. Not swept on a GPU yet.
CHANNELS, SAMPLES = 16, 64


def masked_roi(
    features: torch.Tensor,
    quads: torch.Tensor,
    size: Sequence[int] = (8, 32),
    *,
    stride: float = 4.0,
    labels: torch.Tensor | None = None,
    ids: torch.Tensor | None = None,
    image_ids: torch.Tensor | None = None,
    vertical: float | None = 1.5,
) -> torch.Tensor:
    """Return the features inside each quadrilateral; see the package."""
    _, channels, height, width = features.shape
    result = torch.empty((len(quads), channels, *size), dtype=torch.float32, device=features.device)
    if not result.numel():
        return result
    # A few numbers for each text: the host's float64 gives the same on every device.
    rows = torch.from_numpy(coefficients(quads.detach().cpu().numpy(), stride, vertical)).to(features.device)
    images = torch.zeros(len(quads), dtype=torch.int64, device=features.device)
    images = images if image_ids is None else image_ids.to(torch.int64).contiguous()
    grid = (len(quads) * triton.cdiv(channels, CHANNELS),)
    # Without fused multiply-add, samples lie between the same cells as on the CPU.
    _samples[grid](
        features.contiguous(), rows, images, images if labels is None else labels.contiguous(),
        images if ids is None else ids.to(torch.int64).contiguous(), result, channels, height, width, size[0], size[1],
        MASKED=labels is not None, CHANNELS=CHANNELS, SAMPLES=SAMPLES, enable_fp_fusion=False,
    )  # fmt: skip
    return result


@triton.jit
def _touches(labels, along, across, counts, label, height, width):
    """Return where one of the 3 x 3 cells around (along, across) of labels (height, width) has the label."""
    found = counts & False
    for step in tl.static_range(9):
        y, x = along + (step // 3 - 1), across + (step % 3 - 1)
        within = counts & (y >= 0) & (y < height) & (x >= 0) & (x < width)
        found = found | (within & (tl.load(labels + y * width + x, within, 0) == label))
    return found


@triton.jit
def _cell(features, labels, row, column, near, share, channel, label, channels, height, width,
          MASKED: tl.constexpr):  # fmt: skip
    """Return (CHANNELS, SAMPLES): the cells (row, column) of features (channels, height, width) by their share."""
    counts = near & (row >= 0) & (row < height) & (column >= 0) & (column < width)
    if MASKED:
        counts = _touches(labels, row, column, counts, label, height, width)
    place = channel * height * width + row * width + column
    value = tl.load(features + place, counts & (channel < channels), 0.0)
    return tl.where(counts, value * share.to(tl.float32), 0.0)


@triton.jit
def _samples(features, rows, images, labels, ids, result, channels, height, width, high, wide, MASKED: tl.constexpr,
             CHANNELS: tl.constexpr, SAMPLES: tl.constexpr):  # fmt: skip
    """Write CHANNELS channels of one text's result (N, channels, high, wide) float32.

    features (B, channels, height, width) float32; rows (N, 8) float64: see perspective.py; images, ids (N,) int64;
    labels (B, height, width) int32.
    """
    blocks = tl.cdiv(channels, CHANNELS)
    n = (tl.program_id(0) // blocks).to(tl.int64)
    channel = (tl.program_id(0) % blocks).to(tl.int64) * CHANNELS + tl.arange(0, CHANNELS)[:, None]
    image = tl.load(images + n)
    features += image * channels * height * width
    label = 0
    if MASKED:
        labels += image * height * width
        label = tl.load(ids + n)
    row = rows + n * 8
    a, b, c, d = tl.load(row), tl.load(row + 1), tl.load(row + 2), tl.load(row + 3)
    e, f, g, h = tl.load(row + 4), tl.load(row + 5), tl.load(row + 6), tl.load(row + 7)
    for start in range(0, high * wide, SAMPLES):
        k = start + tl.arange(0, SAMPLES)[None, :]
        u, v = ((k % wide).to(tl.float64) + 0.5) / wide, ((k // wide).to(tl.float64) + 0.5) / high
        divisor = g * u + h * v + 1
        x, y = (a * u + b * v + c) / divisor, (d * u + e * v + f) / divisor
        near = (x > -1) & (x < width) & (y > -1) & (y < height) & (k < high * wide)
        x, y = tl.where(near, x, 0.0), tl.where(near, y, 0.0)
        left, top = tl.floor(x), tl.floor(y)
        right, down = x - left, y - top
        i, j = top.to(tl.int64), left.to(tl.int64)
        total = tl.zeros([CHANNELS, SAMPLES], tl.float32)
        for t in tl.static_range(4):
            share = (right if t % 2 else 1 - right) * (down if t // 2 else 1 - down)
            total += _cell(features, labels, i + t // 2, j + t % 2, near, share, channel, label, channels, height,
                           width, MASKED)  # fmt: skip
        tl.store(result + (n * channels + channel) * high * wide + k, total, (channel < channels) & (k < high * wide))
