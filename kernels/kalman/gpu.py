"""``kalman`` in Triton: each lane is one of a track's four filters of two states."""

from __future__ import annotations

from functools import lru_cache

import torch
import triton
import triton.language as tl

from vtk.kernels.kalman.states import CODES, DRIFT_VALUE, FIXED, NOISE, START_VALUE

# Filters per program. Not swept on a GPU yet.
BLOCK = 256


def initiate(
    boxes: torch.Tensor,
    state: str = "xywh",
    position: float = 1 / 20,
    velocity: float = 1 / 160,
    *,
    start: tuple[float, float] = (2.0, 10.0),
) -> torch.Tensor:
    """Return the filters of tracks that start at ``boxes``; see the package."""
    tracks = torch.empty((len(boxes), 4, 5), dtype=torch.float64, device=boxes.device)
    numbers = _numbers(state, boxes.device, START_VALUE, start[0] * position, start[1] * velocity)
    if len(boxes):
        # Without fused multiply-add the results are those of the CPU bit for bit; the kernels wait for memory anyway.
        _initiate[_grid(boxes)](
            boxes.contiguous(), numbers, tracks, len(boxes), CODES[state], BLOCK, enable_fp_fusion=False
        )  # fmt: skip
    return tracks


def predict(
    tracks: torch.Tensor, dt: torch.Tensor, state: str = "xywh", position: float = 1 / 20, velocity: float = 1 / 160
) -> torch.Tensor:
    """Return the filters ``dt`` frame intervals later; see the package."""
    moved = torch.empty(tracks.shape, dtype=torch.float64, device=tracks.device)
    numbers = _numbers(state, tracks.device, DRIFT_VALUE, position, velocity)
    if len(tracks):
        _predict[_grid(tracks)](
            tracks.contiguous(), dt.contiguous(), numbers, moved, len(tracks), CODES[state], BLOCK,
            enable_fp_fusion=False,
        )  # fmt: skip
    return moved


def update(
    tracks: torch.Tensor,
    boxes: torch.Tensor,
    scores: torch.Tensor | None = None,
    state: str = "xywh",
    position: float = 1 / 20,
    score_noise: float = 0.0,
) -> torch.Tensor:
    """Return predicted filters after seeing ``boxes``; see the package."""
    seen = torch.empty(tracks.shape, dtype=torch.float64, device=tracks.device)
    numbers = _numbers(state, tracks.device, NOISE, position, score_noise)
    scored = scores is not None and state != "xysr"
    if len(tracks):
        _update[_grid(tracks)](
            tracks.contiguous(), boxes.contiguous(), scores.contiguous() if scored else numbers, numbers, seen,
            len(tracks), CODES[state], scored, BLOCK, enable_fp_fusion=False,
        )  # fmt: skip
    return seen


def boxes(tracks: torch.Tensor, state: str = "xywh") -> torch.Tensor:
    """Return where the tracks are; see the package."""
    found = torch.empty((len(tracks), 4), dtype=torch.float64, device=tracks.device)
    if len(tracks):
        _boxes[_grid(tracks)](tracks.contiguous(), found, len(tracks), CODES[state], BLOCK, enable_fp_fusion=False)
    return found


def _grid(tracks: torch.Tensor) -> tuple[int]:
    return (triton.cdiv(4 * len(tracks), BLOCK),)


@lru_cache(maxsize=64)
def _numbers(state: str, device: torch.device, row: int, first: float, second: float) -> torch.Tensor:
    """Return two weights and the variances of FIXED from ``row`` on, (2 + 4 R,) float64 on ``device``.

    In an array, since Triton takes a number to be float32; kept, since each is a copy to the device.
    """
    return torch.tensor([first, second, *FIXED[state][row:].ravel()], dtype=torch.float64, device=device)


@triton.jit
def _variance(numbers, weight, row, k, size):
    """Return the variance of quantity k in the row: fixed, or (weight × size)² where that is NaN."""
    fixed = tl.load(numbers + 2 + row * 4 + k)
    deviation = tl.load(numbers + weight) * size
    return tl.where(fixed != fixed, deviation * deviation, fixed)


@triton.jit
def _at_least_one(size):
    """Return the size that noise is in proportion to: at least one pixel."""
    size = tl.abs(size)
    return tl.where(size < 1.0, 1.0, size)


@triton.jit
def _size(tracks, t, k, inside, CODE: tl.constexpr):
    """Return the size that the noise of quantity k of track t is in proportion to."""
    which = 2 + k % 2 if CODE == 0 else 3 + 0 * k
    return _at_least_one(tl.load(tracks + t * 20 + which * 5, inside, 0.0))


@triton.jit
def _measure(boxes, t, k, inside, CODE: tl.constexpr):
    """Return quantity k of box t of boxes (N, 4), and the box's width and height."""
    left, top = tl.load(boxes + t * 4, inside, 0.0), tl.load(boxes + t * 4 + 1, inside, 0.0)
    width = tl.load(boxes + t * 4 + 2, inside, 0.0) - left
    height = tl.load(boxes + t * 4 + 3, inside, 0.0) - top
    third = width if CODE == 0 else width / height if CODE == 1 else width * height
    fourth = width / height if CODE == 2 else height
    value = tl.where(k == 0, left + width / 2, tl.where(k == 1, top + height / 2, tl.where(k == 2, third, fourth)))
    return value, width, height


@triton.jit
def _initiate(boxes, numbers, tracks, count, CODE: tl.constexpr, BLOCK: tl.constexpr):
    """Write BLOCK filters of tracks (count, 4, 5), at rest at boxes (count, 4); numbers: see _numbers."""
    place = tl.program_id(0).to(tl.int64) * BLOCK + tl.arange(0, BLOCK)
    t, k, inside = place // 4, place % 4, place < 4 * count
    value, width, height = _measure(boxes, t, k, inside, CODE)
    size = _at_least_one(tl.where(k % 2 == 0, width, height) if CODE == 0 else height)
    tl.store(tracks + place * 5, value, inside)
    tl.store(tracks + place * 5 + 1, 0 * k, inside)
    tl.store(tracks + place * 5 + 2, _variance(numbers, 0, 0, k, size), inside)
    tl.store(tracks + place * 5 + 3, 0 * k, inside)
    tl.store(tracks + place * 5 + 4, _variance(numbers, 1, 1, k, size), inside)


@triton.jit
def _predict(tracks, dts, numbers, moved, count, CODE: tl.constexpr, BLOCK: tl.constexpr):
    """Write BLOCK filters of moved (count, 4, 5): those of tracks (count, 4, 5) after dts (count,)."""
    place = tl.program_id(0).to(tl.int64) * BLOCK + tl.arange(0, BLOCK)
    t, k, inside = place // 4, place % 4, place < 4 * count
    size = _size(tracks, t, k, inside, CODE)
    value_drift, velocity_drift = _variance(numbers, 0, 0, k, size), _variance(numbers, 1, 1, k, size)
    dt = tl.load(dts + t, inside, 0.0)
    later = tl.where(dt > 1.0, dt - 1, 0.0)
    steps, squares = later * dt / 2, later * dt * (2 * dt - 1) / 6
    value, velocity = tl.load(tracks + place * 5, inside, 0.0), tl.load(tracks + place * 5 + 1, inside, 0.0)
    spread, cov = tl.load(tracks + place * 5 + 2, inside, 0.0), tl.load(tracks + place * 5 + 3, inside, 0.0)
    speed = tl.load(tracks + place * 5 + 4, inside, 0.0)
    tl.store(moved + place * 5, value + dt * velocity, inside)
    tl.store(moved + place * 5 + 1, velocity, inside)
    spread = spread + 2 * dt * cov + dt * dt * speed + dt * value_drift + velocity_drift * squares
    tl.store(moved + place * 5 + 2, spread, inside)
    tl.store(moved + place * 5 + 3, cov + dt * speed + velocity_drift * steps, inside)
    tl.store(moved + place * 5 + 4, speed + dt * velocity_drift, inside)


@triton.jit
def _update(
    tracks, boxes, scores, numbers, seen, count, CODE: tl.constexpr, SCORED: tl.constexpr, BLOCK: tl.constexpr
):  # fmt: skip
    """Write BLOCK filters of seen (count, 4, 5): tracks (count, 4, 5) after boxes (count, 4), scores (count,)."""
    place = tl.program_id(0).to(tl.int64) * BLOCK + tl.arange(0, BLOCK)
    t, k, inside = place // 4, place % 4, place < 4 * count
    noise = _variance(numbers, 0, 0, k, _size(tracks, t, k, inside, CODE))
    if SCORED:
        noise = noise * (1 + tl.load(numbers + 1) * (1 - tl.load(scores + t, inside, 1.0)))
    value, velocity = tl.load(tracks + place * 5, inside, 0.0), tl.load(tracks + place * 5 + 1, inside, 0.0)
    spread, cov = tl.load(tracks + place * 5 + 2, inside, 1.0), tl.load(tracks + place * 5 + 3, inside, 0.0)
    gain, velocity_gain = spread / (spread + noise), cov / (spread + noise)
    measured, width, height = _measure(boxes, t, k, inside, CODE)
    innovation = measured - value
    tl.store(seen + place * 5, value + gain * innovation, inside)
    tl.store(seen + place * 5 + 1, velocity + velocity_gain * innovation, inside)
    tl.store(seen + place * 5 + 2, (1 - gain) * spread, inside)
    tl.store(seen + place * 5 + 3, (1 - gain) * cov, inside)
    speed = tl.load(tracks + place * 5 + 4, inside, 0.0)
    tl.store(seen + place * 5 + 4, speed - velocity_gain * cov, inside)


@triton.jit
def _boxes(tracks, found, count, CODE: tl.constexpr, BLOCK: tl.constexpr):
    """Write BLOCK corners' coordinates of found (count, 4), where tracks (count, 4, 5) are."""
    place = tl.program_id(0).to(tl.int64) * BLOCK + tl.arange(0, BLOCK)
    t, k, inside = place // 4, place % 4, place < 4 * count
    centre = tl.load(tracks + t * 20 + (k % 2) * 5, inside, 0.0)
    third, fourth = tl.load(tracks + t * 20 + 10, inside, 0.0), tl.load(tracks + t * 20 + 15, inside, 0.0)
    width, height = third * fourth if CODE == 1 else third, fourth
    if CODE == 2:
        width = tl.sqrt(tl.where((third > 0) & (fourth > 0), third * fourth, float("nan")))
        height = third / width
    half = tl.where(k % 2 == 0, width, height) / 2
    tl.store(found + place, tl.where(k < 2, centre - half, centre + half), inside)
