"""The functions that tell one shot from another in Triton: a program takes places, pixels or a picture."""

from __future__ import annotations

import torch
import triton
import triton.language as tl

# Places of a part, pixels, and columns of a part that a program takes at once. Not swept on a GPU yet.
PLACES, PIXELS, COLUMNS = 32, 256, 32


def shifted_likeness(pictures: torch.Tensor, parts: torch.Tensor) -> torch.Tensor:
    """Return the highest correlation of each part with a place of its picture; see the package."""
    count, height, width, channels = pictures.shape
    tall, wide = parts.shape[1:3]
    result = torch.zeros(count, dtype=torch.float64, device=pictures.device)
    if count and parts.numel():
        places = (height - tall + 1) * (width - wide + 1)
        blocks = triton.cdiv(places, PLACES)
        best = torch.empty((count, blocks), dtype=torch.float64, device=pictures.device)
        _likeness[(count * blocks,)](
            pictures.contiguous(), parts.contiguous(), best, height, width, channels, tall, wide,
            PLACES=PLACES, COLUMNS=COLUMNS, enable_fp_fusion=False,
        )  # fmt: skip
        result = best.amax(1).clamp(-1, 1)
    return result


def carry(picture: torch.Tensor, right: float, down: float, steps: torch.Tensor) -> torch.Tensor:
    """Return a picture after each number of steps; see the package."""
    height, width = picture.shape
    out = torch.empty((len(steps), height, width), dtype=torch.float32, device=picture.device)
    if out.numel():
        # A scalar of a launch is float32; a tensor keeps all its digits.
        speed = torch.tensor([right, down], dtype=torch.float64, device=picture.device)
        blocks = triton.cdiv(height * width, PIXELS)
        _carry[(len(steps) * blocks,)](
            picture.contiguous(), speed, steps.contiguous(), out, height, width, PIXELS=PIXELS, enable_fp_fusion=False
        )
    return out


def shares_between(pictures: torch.Tensor, ends: torch.Tensor, count: int) -> torch.Tensor:
    """Return how far pictures have gone from one to another; see the package."""
    shares = torch.empty((len(ends), count), dtype=torch.float64, device=pictures.device)
    if len(ends):
        _shares[(len(ends) * count,)](pictures.contiguous(), ends.contiguous(), shares, pictures.shape[1], count,
                                      PIXELS=PIXELS, enable_fp_fusion=False)  # fmt: skip
    return shares


def transition_fit(
    pictures: torch.Tensor, first: torch.Tensor, last: torch.Tensor, least: float
) -> tuple[torch.Tensor, torch.Tensor]:
    """Return how well pictures go from one to another; see the package."""
    count, pixels = pictures.shape
    pictures, first, last = pictures.contiguous(), first.contiguous(), last.contiguous()
    kind = {"dtype": torch.float64, "device": pictures.device}
    fits, ways = torch.full((4, count), torch.nan, **kind), torch.zeros(count, **kind)
    apart, once = torch.zeros(pixels, **kind), torch.zeros(pixels, **kind)
    changed = torch.zeros(pixels, dtype=torch.int64, device=pictures.device)
    if count and pixels:
        _fit[(count,)](pictures, first, last, fits, ways, count, pixels, PIXELS=PIXELS, enable_fp_fusion=False)
        limit = least * (ways.sum() / (count * pixels))
        grid = (triton.cdiv(pixels, PIXELS),)
        _changes[grid](pictures, first, last, limit.reshape(1), apart, once, changed, count, pixels, PIXELS=PIXELS,
                       enable_fp_fusion=False)  # fmt: skip
    size = torch.tensor(float(count * pixels), **kind)
    return fits, torch.stack([changed.sum() / size, once.sum() / apart.sum()])


@triton.jit
def _likeness(pictures, parts, best, height, width, channels, tall, wide, PLACES: tl.constexpr, COLUMNS: tl.constexpr):
    """Write the highest correlation at PLACES places of a part (tall, wide, channels) in its picture, or -1."""
    across = width - wide + 1
    places = (height - tall + 1) * across
    blocks = tl.cdiv(places, PLACES)
    n = (tl.program_id(0) // blocks).to(tl.int64)
    place = (tl.program_id(0) % blocks) * PLACES + tl.arange(0, PLACES)
    corner = (place // across * width + place % across)[:, None]
    picture, part = pictures + n * height * width * channels, parts + n * tall * wide * channels
    together = tl.zeros([PLACES], tl.int64)
    squares = tl.zeros([PLACES], tl.int64)
    spread = tl.zeros([PLACES], tl.int64)
    pixels = tl.cast(tall * wide, tl.int64)
    for c in range(channels):
        product = tl.zeros([PLACES, COLUMNS], tl.int64)
        total = tl.zeros([PLACES, COLUMNS], tl.int64)
        square = tl.zeros([PLACES, COLUMNS], tl.int64)
        own = tl.zeros([PLACES, COLUMNS], tl.int64)
        own_square = tl.zeros([PLACES, COLUMNS], tl.int64)
        for y in range(tall):
            for start in range(0, wide, COLUMNS):
                x = start + tl.arange(0, COLUMNS)[None, :]
                there = (x < wide) & (place < places)[:, None]
                a = tl.load(picture + (corner + y * width + x) * channels + c, there, 0).to(tl.int64)
                b = tl.load(part + (y * wide + x) * channels + c, x < wide, 0).to(tl.int64)
                b = tl.broadcast_to(b, [PLACES, COLUMNS])
                product += a * b
                total += a
                square += a * a
                own += b
                own_square += b * b
        a_sum, b_sum = tl.sum(total, 1), tl.sum(own, 1)
        together += pixels * tl.sum(product, 1) - a_sum * b_sum
        squares += pixels * tl.sum(square, 1) - a_sum * a_sum
        spread += pixels * tl.sum(own_square, 1) - b_sum * b_sum
    spreads = squares.to(tl.float64) * spread.to(tl.float64)
    some = spreads > 0
    value = tl.where(some, together.to(tl.float64) / tl.sqrt(tl.where(some, spreads, 1.0)), 0.0)
    tl.store(best + tl.program_id(0), tl.max(tl.where(place < places, value, -1.0), 0))


@triton.jit
def _between(at, speed, step, side):
    """Return the two pixels of a side that pixels ``at`` were between, and the share of the second, float64."""
    was = at.to(tl.float64) - speed * step.to(tl.float64)
    was = tl.minimum(tl.maximum(was, 0.0), (side - 1).to(tl.float64))
    first = was.to(tl.int32)
    return first, tl.minimum(first + 1, side - 1), was - first.to(tl.float64)


@triton.jit
def _carry(picture, speed, steps, out, height, width, PIXELS: tl.constexpr):
    """Write PIXELS of a picture (height, width) after a number of steps."""
    blocks = tl.cdiv(height * width, PIXELS)
    n = (tl.program_id(0) // blocks).to(tl.int64)
    pixel = (tl.program_id(0) % blocks) * PIXELS + tl.arange(0, PIXELS)
    inside, step = pixel < height * width, tl.load(steps + n)
    left, beside, far = _between(pixel % width, tl.load(speed), step, tl.cast(width, tl.int32))
    top, below, low = _between(pixel // width, tl.load(speed + 1), step, tl.cast(height, tl.int32))
    upper = (tl.load(picture + top * width + left, inside, 0.0).to(tl.float64) * (1 - far)
             + tl.load(picture + top * width + beside, inside, 0.0).to(tl.float64) * far)
    lower = (tl.load(picture + below * width + left, inside, 0.0).to(tl.float64) * (1 - far)
             + tl.load(picture + below * width + beside, inside, 0.0).to(tl.float64) * far)
    tl.store(out + n * height * width + pixel, (upper * (1 - low) + lower * low).to(tl.float32), inside)


@triton.jit
def _shares(pictures, ends, shares, pixels, count, PIXELS: tl.constexpr):
    """Write how far the picture at a place has gone from one of pictures (M, pixels) to another."""
    n = (tl.program_id(0) // count).to(tl.int64)
    first, last = tl.load(ends + 2 * n), tl.load(ends + 2 * n + 1)
    # Downwards also where the last comes before the first, as quotients of other languages are.
    way = (tl.program_id(0) % count) * (last - first)
    step = way // (count - 1)
    step = tl.where(step * (count - 1) > way, step - 1, step)
    place = first + step
    length = tl.zeros([PIXELS], tl.float64)
    along = tl.zeros([PIXELS], tl.float64)
    for start in range(0, pixels, PIXELS):
        p = start + tl.arange(0, PIXELS)
        inside = p < pixels
        one = _load(pictures, first * pixels + p, inside)
        whole = _load(pictures, last * pixels + p, inside) - one
        length += whole * whole
        along += (_load(pictures, place * pixels + p, inside) - one) * whole
    tl.store(shares + tl.program_id(0), tl.sum(along, 0) / tl.sum(length, 0))


@triton.jit
def _load(pictures, at, inside):
    """Return values of pictures, float64."""
    return tl.load(pictures + at, inside, 0.0).to(tl.float64)


@triton.jit
def _fit(pictures, first, last, fits, ways, count, pixels, PIXELS: tl.constexpr):
    """Write the four fits of a picture, and how far its first and last are apart in all."""
    n = tl.program_id(0).to(tl.int64)
    length = tl.zeros([PIXELS], tl.float64)
    along = tl.zeros([PIXELS], tl.float64)
    total = tl.zeros([PIXELS], tl.float64)
    of_last = tl.zeros([PIXELS], tl.float64)
    missed = tl.zeros([PIXELS], tl.float64)
    for start in range(0, pixels, PIXELS):
        p = start + tl.arange(0, PIXELS)
        at, inside = n * pixels + p, p < pixels
        value, one, other = _load(pictures, at, inside), _load(first, at, inside), _load(last, at, inside)
        way, gone = other - one, value - one
        to_first, to_last = tl.abs(gone), tl.abs(value - other)
        length += way * way
        along += gone * way
        total += tl.abs(way)
        of_last += tl.where(to_last < to_first, tl.abs(way), 0.0)
        missed += tl.minimum(to_first, to_last, propagate_nan=tl.PropagateNan.ALL)
    share = tl.sum(along, 0) / tl.sum(length, 0)
    left = tl.zeros([PIXELS], tl.float64)
    for start in range(0, pixels, PIXELS):
        p = start + tl.arange(0, PIXELS)
        at, inside = n * pixels + p, p < pixels
        one = _load(first, at, inside)
        rest = (_load(pictures, at, inside) - one) - share * (_load(last, at, inside) - one)
        left += tl.where(inside, rest * rest, 0.0)
    tl.store(fits + n, share)
    tl.store(fits + count + n, tl.sqrt(tl.sum(left, 0) / tl.sum(length, 0)))
    tl.store(fits + 2 * count + n, tl.sum(of_last, 0) / tl.sum(total, 0))
    tl.store(fits + 3 * count + n, tl.sum(missed, 0) / tl.sum(total, 0))
    tl.store(ways + n, tl.sum(total, 0))


@triton.jit
def _changes(pictures, first, last, limit, apart, once, changed, count, pixels, PIXELS: tl.constexpr):
    """Write of PIXELS how far both are apart in all, the same where they go over once at most, and the count beyond."""
    p = tl.program_id(0) * PIXELS + tl.arange(0, PIXELS)
    inside, most = p < pixels, tl.load(limit)
    total = tl.zeros([PIXELS], tl.float64)
    beyond = tl.zeros([PIXELS], tl.int64)
    flips = tl.zeros([PIXELS], tl.int64)
    before = tl.zeros([PIXELS], tl.int64)
    for n in range(count):
        at = tl.cast(n, tl.int64) * pixels + p
        value, one, other = _load(pictures, at, inside), _load(first, at, inside), _load(last, at, inside)
        way = tl.abs(other - one)
        new = (tl.abs(value - other) < tl.abs(value - one)).to(tl.int64)
        total += way
        beyond += (way > most).to(tl.int64)
        flips += tl.where(n > 0, (new != before).to(tl.int64), 0)
        before = new
    tl.store(apart + p, total, inside)
    tl.store(once + p, tl.where(flips <= 1, total, 0.0), inside)
    tl.store(changed + p, tl.where(inside, beyond, 0), inside)
