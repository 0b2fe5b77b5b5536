"""Signatures of frames in Triton: one program for each block of a picture."""

from __future__ import annotations

import torch
import triton
import triton.language as tl

# Pixels that a program looks at in one step. Not swept on a GPU yet.
TILE = 2048


def luminance_difference(a: torch.Tensor, b: torch.Tensor, block: int = 16) -> torch.Tensor:
    """Return the mean absolute difference of luminance of each block; see the package."""
    stack, other = _stack(a), _stack(b)
    out = torch.empty(_grid(stack, block), dtype=torch.float32, device=a.device)
    if out.numel():
        _differences[(out.numel(),)](stack, other, out, *_sizes(stack, out, block), **_tile(stack, block))
    return out if a.ndim == 4 else out[0]


def block_statistics(image: torch.Tensor, block: int = 16) -> torch.Tensor:
    """Return mean and variance of the luminance of each block; see the package."""
    stack = _stack(image)
    out = torch.empty((*_grid(stack, block), 2), dtype=torch.float32, device=image.device)
    if out.numel():
        _moments[(out.numel() // 2,)](stack, out, *_sizes(stack, out, block), **_tile(stack, block))
    return out if image.ndim == 4 else out[0]


def _stack(image: torch.Tensor) -> torch.Tensor:
    """Return pictures as (N, H, W, C), contiguous."""
    image = image[..., None] if image.ndim == 2 else image
    return (image if image.ndim == 4 else image[None]).contiguous()


def _grid(stack: torch.Tensor, block: int) -> tuple[int, int, int]:
    """Return how many pictures, rows and columns of blocks there are."""
    return len(stack), -(-stack.shape[1] // block), -(-stack.shape[2] // block)


def _sizes(stack: torch.Tensor, out: torch.Tensor, block: int) -> tuple[int, ...]:
    """Return height, width, rows, columns and the block, as the kernels take them."""
    return stack.shape[1], stack.shape[2], out.shape[1], out.shape[2], int(block)


def _tile(stack: torch.Tensor, block: int) -> dict[str, int]:
    """Return the compile-time sizes: channels, and the rows and columns of pixels of one step."""
    across = triton.next_power_of_2(int(block))
    return {"CHANNELS": stack.shape[3], "DOWN": min(across, max(1, TILE // across)), "ACROSS": across}


@triton.jit
def _place(height, width, rows, columns, block):
    """Return picture, top, bottom, left and right of this program's block."""
    index = tl.program_id(0).to(tl.int64)
    n, row, column = index // (rows * columns), index // columns % rows, index % columns
    top, left = row * block, column * block
    return n, top, tl.minimum(top + block, height), left, tl.minimum(left + block, width)


@triton.jit
def _luminance(images, n, y, x, inside, height, width, CHANNELS: tl.constexpr):
    """Return the luminance, int64, of the pixels (n, y, x) of images (N, height, width, CHANNELS) that are inside."""
    pixel = images + ((n * height + y) * width + x) * CHANNELS
    value = tl.load(pixel, inside, 0).to(tl.int64)
    if CHANNELS == 3:
        green, blue = tl.load(pixel + 1, inside, 0).to(tl.int64), tl.load(pixel + 2, inside, 0).to(tl.int64)
        value = (77 * value + 150 * green + 29 * blue + 128) >> 8
    return tl.where(inside, value, 0)


@triton.jit
def _differences(a, b, out, height, width, rows, columns, block, CHANNELS: tl.constexpr, DOWN: tl.constexpr,
                 ACROSS: tl.constexpr):  # fmt: skip
    """Write one value of out (N, rows, columns) float32: the mean difference of a and b in its block."""
    n, top, bottom, left, right = _place(height, width, rows, columns, block)
    x = left + tl.arange(0, ACROSS)[None, :]
    total = tl.zeros((DOWN, ACROSS), tl.int64)
    for step in range(0, block, DOWN):
        y = top + step + tl.arange(0, DOWN)[:, None]
        inside = (y < bottom) & (x < right)
        total += tl.abs(_luminance(a, n, y, x, inside, height, width, CHANNELS)
                        - _luminance(b, n, y, x, inside, height, width, CHANNELS))  # fmt: skip
    pixels = ((bottom - top) * (right - left)).to(tl.float64)
    mean = tl.sum(tl.sum(total, 1), 0).to(tl.float64) / pixels
    tl.store(out + tl.program_id(0).to(tl.int64), mean.to(tl.float32))


@triton.jit
def _moments(images, out, height, width, rows, columns, block, CHANNELS: tl.constexpr, DOWN: tl.constexpr,
             ACROSS: tl.constexpr):  # fmt: skip
    """Write one pair of out (N, rows, columns, 2) float32: mean and variance of images in its block."""
    n, top, bottom, left, right = _place(height, width, rows, columns, block)
    x = left + tl.arange(0, ACROSS)[None, :]
    sums, squares = tl.zeros((DOWN, ACROSS), tl.int64), tl.zeros((DOWN, ACROSS), tl.int64)
    for step in range(0, block, DOWN):
        y = top + step + tl.arange(0, DOWN)[:, None]
        value = _luminance(images, n, y, x, (y < bottom) & (x < right), height, width, CHANNELS)
        sums += value
        squares += value * value
    total, square = tl.sum(tl.sum(sums, 1), 0), tl.sum(tl.sum(squares, 1), 0)
    pixels = (bottom - top) * (right - left)
    mean = total.to(tl.float64) / pixels.to(tl.float64)
    # Whole numbers up to the one division, so that nothing cancels.
    variance = (pixels * square - total * total).to(tl.float64) / (pixels * pixels).to(tl.float64)
    pair = out + tl.program_id(0).to(tl.int64) * 2
    tl.store(pair, mean.to(tl.float32))
    tl.store(pair + 1, variance.to(tl.float32))
