"""Signatures of frames in Triton: a program for each block of a picture, each small picture, or some lines of one."""

from __future__ import annotations

import torch
import triton
import triton.language as tl

from vtk.kernels.frame_signature.cosines import FLAT, KEPT, SIDE, WEIGHTS, centres, orthonormal, pdq_cosines, window

# Pixels that a program looks at in one step. Not swept on a GPU yet.
TILE = 2048
# Lines of a picture that a program averages along, side by side; pixels whose luminance one works out.
LANES, PIXELS = 128, 1024


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


def dct_vector(luma: torch.Tensor) -> torch.Tensor:
    """Return the low frequencies of each picture without its mean, as one vector of length 1; see the package."""
    vectors = torch.empty((len(luma), KEPT * KEPT - 1), dtype=torch.float32, device=luma.device)
    if len(luma):
        cosines = torch.from_numpy(orthonormal()).to(luma.device)
        across = cosines.new_empty((len(luma), KEPT, SIDE))
        _vectors[(len(luma),)](luma.contiguous(), cosines, across, vectors, FLAT, SIDE, KEPT)
    return vectors


def pdq(luma: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the PDQ hash of each picture and its quality; see the package."""
    hashes = torch.empty((len(luma), KEPT * KEPT // 8), dtype=torch.uint8, device=luma.device)
    qualities = torch.empty(len(luma), dtype=torch.float32, device=luma.device)
    if len(luma):
        cosines = torch.from_numpy(pdq_cosines()).to(luma.device)
        across = cosines.new_empty((len(luma), KEPT, SIDE))
        both = cosines.new_empty((len(luma), KEPT, KEPT))
        # A product and a sum rounded at once would be other bits than PDQ's.
        _hashes[(len(luma),)](luma.contiguous(), cosines, across, both, hashes, qualities, SIDE, KEPT,
                              enable_fp_fusion=False)  # fmt: skip
    return hashes, qualities


def pdq_luminance(image: torch.Tensor) -> torch.Tensor:
    """Return the 64 x 64 pictures that PDQ hashes; see the package."""
    stack = _stack(image)
    count, height, width, channels = stack.shape
    if not count:
        return torch.empty((0, SIDE, SIDE), dtype=torch.float32, device=image.device)
    luma = torch.empty((count, height, width), dtype=torch.float32, device=image.device)
    weights = torch.tensor(WEIGHTS, dtype=torch.float64, device=image.device)
    _exact_luminance[(triton.cdiv(luma.numel(), PIXELS),)](
        stack, weights, luma, luma.numel(), channels, PIXELS, enable_fp_fusion=False
    )
    if (height, width) != (SIDE, SIDE):
        rows, columns = (torch.from_numpy(centres(side)).to(image.device) for side in (height, width))
        luma = _box(_box(luma, 1), 0)
        # Of the last pass only the columns that are kept.
        luma = _box(_box(luma, 1)[:, :, columns].contiguous(), 0)[:, rows]
    return luma if image.ndim == 4 else luma[0]


def _box(luma: torch.Tensor, axis: int) -> torch.Tensor:
    """Return the running means of ``luma`` (N, H, W) float32 down the columns (axis 0) or along the rows (axis 1)."""
    height, width = luma.shape[1:]
    length, lines = (width, height) if axis else (height, width)
    means = torch.empty_like(luma)
    _running_means[(len(luma), triton.cdiv(lines, LANES))](
        luma, means, height * width, lines, length, *((width, 1) if axis else (1, width)), window(length), LANES
    )
    return means


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


@triton.jit
def _vectors(luma, cosines, across, vectors, least, SIDE: tl.constexpr, KEPT: tl.constexpr):
    """Write one row of vectors (N, KEPT² - 1) float32 from luma (N, SIDE, SIDE); across (N, KEPT, SIDE) is room."""
    n = tl.program_id(0).to(tl.int64)
    side, kept = tl.arange(0, SIDE), tl.arange(0, KEPT)
    room = across + n * KEPT * SIDE
    total = tl.zeros((KEPT, SIDE), tl.float64)
    largest = tl.zeros((SIDE,), tl.float64)
    for y in range(SIDE):
        row = tl.load(luma + (n * SIDE + y) * SIDE + side).to(tl.float64)
        largest = tl.maximum(largest, tl.abs(row))
        total += tl.load(cosines + kept * SIDE + y)[:, None] * row[None, :]
    tl.store(room + kept[:, None] * SIDE + side[None, :], total)
    tl.debug_barrier()
    both = tl.zeros((KEPT, KEPT), tl.float64)
    for x in range(SIDE):
        both += tl.load(room + kept * SIDE + x)[:, None] * tl.load(cosines + kept * SIDE + x)[None, :]
    place = kept[:, None] * KEPT + kept[None, :]
    both = tl.where(place > 0, both, 0.0)
    length = tl.sqrt(tl.sum(tl.sum(both * both, 1), 0))
    found = length > least * tl.max(largest, 0)
    unit = tl.where(found, both / tl.where(found, length, 1.0), 0.0)
    tl.store(vectors + n * (KEPT * KEPT - 1) + place - 1, unit.to(tl.float32), place > 0)


@triton.jit
def _hashes(luma, cosines, across, both, hashes, qualities, SIDE: tl.constexpr, KEPT: tl.constexpr):
    """Write hashes (N, KEPT² / 8) and qualities (N,) of one of luma (N, SIDE, SIDE); across and both are room."""
    n = tl.program_id(0).to(tl.int64)
    side, kept = tl.arange(0, SIDE), tl.arange(0, KEPT)
    picture, room, values = luma + n * SIDE * SIDE, across + n * KEPT * SIDE, both + n * KEPT * KEPT
    total = tl.zeros((KEPT, SIDE), tl.float32)
    changes = tl.zeros((SIDE,), tl.int32)
    for y in range(SIDE):
        row = tl.load(picture + y * SIDE + side).to(tl.float32)
        total += tl.load(cosines + kept * SIDE + y)[:, None] * row[None, :]
        # At an end a pixel is its own neighbour, without a difference.
        down = tl.load(picture + tl.minimum(y + 1, SIDE - 1) * SIDE + side).to(tl.float32)
        right = tl.load(picture + y * SIDE + tl.minimum(side + 1, SIDE - 1)).to(tl.float32)
        changes += _hundredths(row - down) + _hundredths(row - right)
    tl.store(qualities + n, tl.minimum(tl.sum(changes, 0) // 90, 100).to(tl.float32))
    tl.store(room + kept[:, None] * SIDE + side[None, :], total)
    tl.debug_barrier()
    sums = tl.zeros((KEPT, KEPT), tl.float32)
    for x in range(SIDE):
        sums += tl.load(room + kept * SIDE + x)[:, None] * tl.load(cosines + kept * SIDE + x)[None, :]
    tl.store(values + kept[:, None] * KEPT + kept[None, :], sums)
    tl.debug_barrier()
    _pack(values, hashes + n * (KEPT * KEPT // 8), KEPT * KEPT, 2 * KEPT)


@triton.jit
def _pack(values, hashes, COUNT: tl.constexpr, SOME: tl.constexpr):
    """Write the bytes of one hash: which of the COUNT values are above the lower median; SOME at a time."""
    place, some = tl.arange(0, COUNT), tl.arange(0, SOME)
    mine = tl.load(values + COUNT - 1 - place)
    below = tl.zeros((COUNT,), tl.int32)
    for first in range(0, COUNT, SOME):
        others = tl.load(values + first + some)
        below += tl.sum((others[None, :] < mine[:, None]).to(tl.int32), 1)
    # Above the lower median is what half of all lie below.
    bits = tl.where(below >= COUNT // 2, 1 << (7 - place % 8), 0)
    tl.store(hashes + tl.arange(0, COUNT // 8), tl.sum(tl.reshape(bits, (COUNT // 8, 8)), 1).to(tl.uint8))


@triton.jit
def _hundredths(difference):
    """Return how large ``difference`` float32 is in hundredths of white, int32, the rest cut off."""
    return tl.abs(tl.div_rn(difference * 100.0, tl.full(difference.shape, 255.0, tl.float32)).to(tl.int32))


@triton.jit
def _exact_luminance(images, weights, luma, count, CHANNELS: tl.constexpr, PIXELS: tl.constexpr):
    """Write PIXELS of luma (count,) float32, the luminance of images (count, CHANNELS) summed in float64."""
    pixel = tl.program_id(0).to(tl.int64) * PIXELS + tl.arange(0, PIXELS)
    inside = pixel < count
    value = tl.load(images + pixel * CHANNELS, inside, 0).to(tl.float64)
    if CHANNELS == 3:
        # From memory: a Python number would be rounded to float32.
        value *= tl.load(weights)
        value += tl.load(weights + 1) * tl.load(images + pixel * CHANNELS + 1, inside, 0).to(tl.float64)
        value += tl.load(weights + 2) * tl.load(images + pixel * CHANNELS + 2, inside, 0).to(tl.float64)
    tl.store(luma + pixel, value.to(tl.float32), inside)


@triton.jit
def _running_means(luma, means, size, lines, length, across, along, wide, LANES: tl.constexpr):
    """Write the running means of LANES lines of one picture; steps in memory are across lines and along them."""
    line = tl.program_id(1).to(tl.int64) * LANES + tl.arange(0, LANES)
    there = line < lines
    place = tl.program_id(0).to(tl.int64) * size + line * across
    ahead, nothing = tl.zeros((LANES,), tl.int64) + along, tl.zeros((LANES,), tl.int32)
    before = wide // 2
    total = tl.zeros((LANES,), tl.float32)
    for step in range(length + before):
        at = nothing + step
        total += tl.load(luma + place, there & (at < length), 0.0)
        total -= tl.load(luma + place - wide * ahead, there & (at >= wide), 0.0)
        count = tl.minimum(at + 1, length) - tl.maximum(at + 1 - wide, 0)
        mean = tl.div_rn(total, count.to(tl.float32))
        tl.store(means + place - before * ahead, mean, there & (at >= before))
        place += ahead
