"""Sizes, inputs and rivals of the four functions that tell one shot from another."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np

from vtk.kernels.case import Arguments, Bench

NAMES = ("shifted_likeness", "carry", "shares_between", "transition_fit")


def inputs(name: str, size: int, rng: np.random.Generator) -> Arguments:
    """Return pictures of about ``size`` values or pixels, flat ones, equal ones and parts of themselves among them."""
    if name == "shifted_likeness":
        return _laid(size, rng)
    if name == "carry":
        height = int(rng.choice([1, 3, 8]))
        return {
            "picture": rng.normal(100, 50, (height, -(-size // height))).astype(np.float32),
            "right": float(rng.choice([0, 1, -0.37, 1e300])), "down": float(rng.choice([0, -2, 0.21])),
            "steps": rng.integers(-9, 10, int(rng.integers(4))),
        }  # fmt: skip
    if name == "shares_between":
        pictures = rng.normal(100, 50, (int(rng.integers(1, 30)), size)).astype(np.float32)
        ends = rng.integers(0, len(pictures), (int(rng.integers(4)), 2))
        return {"pictures": pictures, "ends": ends, "count": int(rng.integers(2, 20))}
    shape = int(rng.choice([0, 1, 2, 9])), size
    first, last = (rng.normal(100, 50, shape).astype(np.float32) for _ in range(2))
    shares = np.sort(rng.random(shape[0]))[:, None].astype(np.float32)
    mixed = rng.random() < 0.5
    pictures = first + shares * (last - first) if mixed else np.where(rng.random(shape) < shares, last, first)
    last[:, ::5] = first[:, ::5]
    return {"pictures": pictures + rng.normal(0, 3, shape).astype(np.float32), "first": first, "last": last,
            "least": float(rng.choice([0.2, 0, -1.5]))}


def _laid(size: int, rng: np.random.Generator) -> Arguments:
    """Return up to two pictures of about ``size`` values and parts: cut out and changed a little, flat, or of noise."""
    channels, count = int(rng.choice([1, 3])), int(rng.integers(3))
    height = min(7, 1 + size // 5)
    width = size // (height * channels) + 1
    pictures = rng.integers(0, 256, (count, height, width, channels), np.uint8)
    tall, wide = int(rng.integers(1, height + 1)), int(rng.integers(max(1, width - 9), width + 1))
    wide = 0 if size == 0 else wide
    y, x = int(rng.integers(height - tall + 1)), int(rng.integers(width - wide + 1))
    parts = pictures[:, y : y + tall, x : x + wide] // 2 + rng.integers(0, 99, 1, np.uint8)
    if rng.random() < 0.3:
        parts = np.full_like(parts, 7)
    return {"pictures": pictures, "parts": parts}


def tolerance(name: str, arguments: Arguments) -> float:
    """Return 0 where all is whole numbers or the same operations; for the fit what float64 sums in any order may differ.

    A sum of K terms is off by K half steps of float64 of the sum of their absolutes, at most; shares are quotients of
    two sums, so by 2 K + 2 half steps where all terms have one sign. Where they have two, the sum of absolutes may be
    larger than the sum: the share of a mix is off by that part of the sum of squares, and what it leaves by as much.
    """
    if name not in ("shares_between", "transition_fit"):
        return 0.0
    if name == "shares_between":
        pictures, ends = arguments["pictures"].astype(np.float64), arguments["ends"]
        with np.errstate(all="ignore"):
            ways = pictures[ends[:, 1]] - pictures[ends[:, 0]]
            furthest = np.abs(pictures[:, None] - pictures[ends[:, 0]]).max(initial=0)
            return _bound(pictures, [furthest * np.abs(ways).sum(1) / (ways * ways).sum(1)])
    pictures, first, last = (arguments[key].astype(np.float64) for key in ("pictures", "first", "last"))
    with np.errstate(all="ignore"):
        way, gone = last - first, pictures - first
        scales = [np.abs(gone * way).sum(1) / (way * way).sum(1), np.sqrt((gone * gone).sum(1) / (way * way).sum(1)),
                  np.abs(gone).sum(1) / np.abs(way).sum(1)]
    return _bound(pictures, scales)


def _bound(pictures: np.ndarray, scales: Sequence[np.ndarray]) -> float:
    """Return by how much sums over all pixels may differ, the largest of ``scales`` or 1 being their size."""
    known = np.concatenate([[1.0], *scales])
    return float((8 * (pictures.size + 8)) * 2.0**-53 * known[np.isfinite(known)].max())


def _opencv_match(arguments: Arguments) -> Callable[[], Any] | None:
    """Return OpenCV's ``matchTemplate`` of each pair and its highest."""
    import cv2

    pairs = [each for each in zip(arguments["pictures"], arguments["parts"], strict=True)]
    if not isinstance(arguments["pictures"], np.ndarray):
        return None
    return lambda: [float(cv2.matchTemplate(*pair, cv2.TM_CCOEFF_NORMED).max()) for pair in pairs]


def _numpy_windows(arguments: Arguments) -> Callable[[], Any] | None:
    """Return NumPy over windows of each picture, as one writes it without a library for it."""
    pictures, parts = arguments["pictures"], arguments["parts"]
    if not isinstance(pictures, np.ndarray):
        return None

    def run() -> np.ndarray:
        windows = np.lib.stride_tricks.sliding_window_view(pictures, parts.shape[1:3], axis=(1, 2)).astype(np.float32)
        windows = windows - windows.mean(axis=(4, 5), keepdims=True)
        part = parts.astype(np.float32)
        part = np.moveaxis(part - part.mean(axis=(1, 2), keepdims=True), 3, 1)[:, None, None]
        over = np.sqrt((windows**2).sum(axis=(3, 4, 5)) * (part**2).sum(axis=(3, 4, 5)))
        return ((windows * part).sum(axis=(3, 4, 5)) / over).max(axis=(1, 2))

    return run


def _opencv_remap(arguments: Arguments) -> Callable[[], Any] | None:
    """Return OpenCV's ``remap`` of all pictures in one call; its shares are rounded to 32nds."""
    import cv2

    picture, steps = arguments["picture"], arguments["steps"]
    if not isinstance(picture, np.ndarray):
        return None
    height, width = picture.shape

    def run() -> np.ndarray:
        moves = steps.astype(np.float32)[:, None, None]
        shape = (len(steps), height, width)
        across = np.broadcast_to(np.arange(width, dtype=np.float32) - np.float32(arguments["right"]) * moves, shape)
        along = np.broadcast_to(np.arange(height, dtype=np.float32)[:, None] - np.float32(arguments["down"]) * moves, shape)
        maps = [each.reshape(-1, width) for each in (across, along)]
        return cv2.remap(picture, *maps, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)

    return run


def _numpy_fit(arguments: Arguments) -> Callable[[], Any] | None:
    """Return the same sums in NumPy, in float32, as one writes them."""
    pictures, first, last, least = (arguments[key] for key in ("pictures", "first", "last", "least"))
    if not isinstance(pictures, np.ndarray):
        return None

    def run() -> tuple[Any, ...]:
        way, gone = last - first, pictures - first
        length = (way * way).sum(axis=1)
        mixed = (gone * way).sum(axis=1) / length
        left = np.sqrt(((gone - mixed[:, None] * way) ** 2).sum(axis=1) / length)
        ways, to_first, to_last = np.abs(way), np.abs(gone), np.abs(pictures - last)
        total, new = ways.sum(axis=1), to_last < to_first
        apart = ways.mean(axis=0)
        return (mixed, left, (ways * new).sum(axis=1) / total, np.minimum(to_first, to_last).sum(axis=1) / total,
                np.count_nonzero(ways > least * ways.mean()) / ways.size,
                apart[(new[1:] != new[:-1]).sum(axis=0) <= 1].sum() / apart.sum())

    return run


def _numpy_shares(arguments: Arguments) -> Callable[[], Any] | None:
    """Return NumPy over all places at once, in float32."""
    pictures, ends, count = (arguments[key] for key in ("pictures", "ends", "count"))
    if not isinstance(pictures, np.ndarray):
        return None

    def run() -> np.ndarray:
        shown = pictures[ends[:, :1] + np.arange(count) * (ends[:, 1:] - ends[:, :1]) // (count - 1)]
        gone = shown - shown[:, :1]
        along = (gone @ gone[:, -1, :, None])[..., 0]
        return along / along[:, -1:]

    return run


def _pictures(count: int, side: int, part: int, rng: np.random.Generator) -> Arguments:
    """Return pictures in colour and the middles of others like them."""
    pictures = rng.integers(0, 256, (count, side, side, 3), np.uint8)
    edge = (side - part) // 2
    return {"pictures": pictures, "parts": pictures[::-1, edge : edge + part, edge : edge + part].copy()}


def _moving(looks: int, rng: np.random.Generator) -> Arguments:
    """Return the blocks of a look and the places of a stretch."""
    return {"picture": rng.normal(100, 50, (16, 16)).astype(np.float32), "right": 0.3, "down": -0.1,
            "steps": np.arange(looks)}


def _stretches(count: int, rng: np.random.Generator) -> Arguments:
    """Return six seconds of looks and stretches of them."""
    first = rng.integers(0, 100, count)
    return {"pictures": rng.normal(100, 50, (150, 256)).astype(np.float32),
            "ends": np.stack([first, first + rng.integers(10, 50, count)], 1), "count": 17}


def _stretch(looks: int, pixels: int, rng: np.random.Generator) -> Arguments:
    """Return a dissolve of so many looks."""
    first, last = (np.repeat(rng.normal(100, 50, (1, pixels)), looks, axis=0).astype(np.float32) for _ in range(2))
    shares = np.linspace(0, 1, looks, dtype=np.float32)[:, None]
    return {"pictures": first + shares * (last - first), "first": first, "last": last, "least": 0.2}


LIBRARIES = {
    "shifted_likeness": {"opencv": _opencv_match, "numpy": _numpy_windows},
    "carry": {"opencv": _opencv_remap},
    "shares_between": {"numpy": _numpy_shares},
    "transition_fit": {"numpy": _numpy_fit},
}

BENCHES = (
    Bench("shifted_likeness", "24 x 24 in 32 x 32", partial(_pictures, 1, 32, 24), level=0),
    Bench("shifted_likeness", "16 x 16 in 32 x 32", partial(_pictures, 1, 32, 16)),
    Bench("shifted_likeness", "64 of 24 x 24 in 32 x 32", partial(_pictures, 64, 32, 24)),
    Bench("carry", "16 x 16, 17 steps", partial(_moving, 17), level=0),
    Bench("shares_between", "16 stretches, 256 blocks", partial(_stretches, 16), level=0),
    Bench("transition_fit", "17 looks of 256 blocks", partial(_stretch, 17, 256), level=0),
    Bench("transition_fit", "100 looks of 4,096 pixels", partial(_stretch, 100, 4096)),
)
