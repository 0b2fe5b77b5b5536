"""``fold_cdc`` and ``dense_similarity`` in Triton: both wait for memory alone, so each value is read once or twice."""

from __future__ import annotations

import torch
import triton
import triton.language as tl

# Kernels of 3 x 3 per program. Not swept on a GPU yet.
KERNELS = 256

# Channels and positions of a tile, and positions of which a program finds the lengths. Not swept on a GPU yet.
CHANNELS, POSITIONS, LENGTHS = 8, 256, 256


def fold_cdc(weights: torch.Tensor, theta: float) -> torch.Tensor:
    """Return the weights of the plain convolution; see the package."""
    folded = weights.clone(memory_format=torch.contiguous_format)
    count = folded.shape[0] * folded.shape[1]
    if count:
        # A scalar of a launch is float32; a tensor keeps all its digits. Products stay apart from sums, as on the CPU.
        share = torch.tensor([theta], dtype=torch.float64, device=weights.device)
        _fold[(triton.cdiv(count, KERNELS),)](folded, share, count, KERNELS=KERNELS, enable_fp_fusion=False)
    return folded


def dense_similarity(a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
    """Return the mean cosine similarity of all pairs of positions; see the package."""
    count, channels, positions = *a.shape[:2], a.shape[2] * a.shape[3]
    if not count * channels * positions:
        return torch.zeros(count, dtype=a.dtype, device=a.device)
    means = []
    for maps in (a.contiguous(), b.contiguous()):
        scales = torch.empty((count, positions), dtype=torch.float64, device=a.device)
        mean = torch.empty((count, channels), dtype=torch.float64, device=a.device)
        grid = (count * triton.cdiv(positions, LENGTHS),)
        _lengths[grid](maps, scales, channels, positions, LENGTHS=LENGTHS)
        grid = (count * triton.cdiv(channels, CHANNELS),)
        _means[grid](maps, scales, mean, channels, positions, CHANNELS=CHANNELS, POSITIONS=POSITIONS)
        means.append(mean)
    return (means[0] * means[1]).sum(1).to(a.dtype)


@triton.jit
def _fold(weights, theta, count, KERNELS: tl.constexpr):
    """Take theta (1,) float64 times their sum off the centre of KERNELS of weights (count, 9)."""
    n = tl.program_id(0).to(tl.int64) * KERNELS + tl.arange(0, KERNELS)
    rows = weights + n * 9
    total = tl.zeros([KERNELS], tl.float64)
    for k in tl.static_range(9):
        total += tl.load(rows + k, n < count, 0.0).to(tl.float64)
    centre = tl.load(rows + 4, n < count, 0.0).to(tl.float64)
    tl.store(rows + 4, centre - tl.load(theta) * total, n < count)


@triton.jit
def _lengths(maps, scales, channels, positions, LENGTHS: tl.constexpr):
    """Write into scales (N, positions) what brings LENGTHS positions of one of maps (N, channels, positions) to length 1.

    0 for zeros, NaN for what has no finite length.
    """
    blocks = tl.cdiv(positions, LENGTHS)
    n = (tl.program_id(0) // blocks).to(tl.int64)
    p = (tl.program_id(0) % blocks).to(tl.int64) * LENGTHS + tl.arange(0, LENGTHS)
    plane = maps + n * channels * positions + p
    squares = tl.zeros([LENGTHS], tl.float64)
    for c in range(channels):
        value = tl.load(plane + tl.cast(c, tl.int64) * positions, p < positions, 0.0).to(tl.float64)
        squares += value * value
    some = squares > 0
    scale = tl.where(some, 1 / tl.sqrt(tl.where(some, squares, 1.0)), squares)
    scale = tl.where(squares < float("inf"), scale, float("nan"))
    tl.store(scales + n * positions + p, scale, p < positions)


@triton.jit
def _means(maps, scales, means, channels, positions, CHANNELS: tl.constexpr, POSITIONS: tl.constexpr):
    """Write into means (N, channels) those of CHANNELS channels of one of maps (N, channels, positions), each scaled."""
    blocks = tl.cdiv(channels, CHANNELS)
    n = (tl.program_id(0) // blocks).to(tl.int64)
    c = (tl.program_id(0) % blocks).to(tl.int64) * CHANNELS + tl.arange(0, CHANNELS)
    rows = maps + (n * channels + c[:, None]) * positions
    total = tl.zeros([CHANNELS, POSITIONS], tl.float64)
    for start in range(0, positions, POSITIONS):
        p = start + tl.arange(0, POSITIONS)[None, :]
        value = tl.load(rows + p, (c[:, None] < channels) & (p < positions), 0.0).to(tl.float64)
        total += value * tl.load(scales + n * positions + p, p < positions, 0.0)
    tl.store(means + n * channels + c, tl.sum(total, 1) / positions, c < channels)
