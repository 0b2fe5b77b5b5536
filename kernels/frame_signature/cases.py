"""Sizes, inputs and rivals of the signatures of frames."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np

from vtk.kernels.case import Arguments, Bench
from vtk.kernels.frame_signature.rivals import (
    numpy_difference,
    numpy_statistics,
    opencv_difference,
    opencv_norm,
    opencv_statistics,
    torch_difference,
    torch_statistics,
)

NAMES = ("luminance_difference", "block_statistics")


def inputs(name: str, size: int, rng: np.random.Generator) -> Arguments:
    """Return pictures of size x (3/4 size), views of larger ones: one or two, in colour or gray, some of one level."""
    height, width = size, 3 * size // 4 + (size == 1)
    shape = [(height, width), (height, width, 1), (height, width, 3), (2, height, width, 3), (2, height, width, 1)]
    kind = shape[rng.integers(len(shape))]
    down = (slice(None, None, -1) if rng.integers(2) else slice(None),)
    view = (slice(None),) * (len(kind) == 4) + down
    images = [rng.integers(0, 256, kind, np.uint8)[view] for _ in range(2)]
    if rng.integers(3) == 0:
        images[0][...] = rng.choice([0, 200, 255])
    # Few blocks of small pictures: a program of Triton's interpreter takes a millisecond.
    given: dict[str, Any] = {"block": int(rng.choice([16, 17, 32, 250] if size > 100 else [1, 5, 16] if size < 10 else
                                                     [8, 13, 16]))}  # fmt: skip
    return ({"a": images[0], "b": images[1]} if name == "luminance_difference" else {"image": images[0]}) | given


def tolerance(name: str, arguments: Arguments) -> float:
    """Return 0: sums are whole numbers, and each result is one division in float64, rounded once to float32."""
    return 0.0


def _pair(shape: tuple[int, ...], rng: np.random.Generator) -> Arguments:
    """Return two pictures, or stacks of them, to be compared."""
    a = rng.integers(0, 256, shape, np.uint8)
    return {"a": a, "b": np.clip(a.astype(np.int16) + rng.integers(-9, 10, shape), 0, 255).astype(np.uint8)}


def _one(shape: tuple[int, ...], rng: np.random.Generator) -> Arguments:
    """Return one picture, or a stack."""
    return {"image": rng.integers(0, 256, shape, np.uint8)}


LIBRARIES = {
    "luminance_difference": {
        "opencv": opencv_difference, "opencv norm": opencv_norm, "numpy": numpy_difference, "torch": torch_difference,
    },
    "block_statistics": {"opencv": opencv_statistics, "numpy": numpy_statistics, "torch": torch_statistics},
}  # fmt: skip

BENCHES = (
    Bench("luminance_difference", "720p, RGB", partial(_pair, (720, 1280, 3)), level=0),
    Bench("luminance_difference", "720p, gray", partial(_pair, (720, 1280))),
    Bench("luminance_difference", "thumbnail 144 x 256, gray", partial(_pair, (144, 256))),
    Bench("luminance_difference", "64 thumbnails 144 x 256, RGB", partial(_pair, (64, 144, 256, 3))),
    Bench("block_statistics", "720p, RGB", partial(_one, (720, 1280, 3)), level=0),
    Bench("block_statistics", "720p, gray", partial(_one, (720, 1280))),
    Bench("block_statistics", "64 thumbnails 144 x 256, RGB", partial(_one, (64, 144, 256, 3))),
    Bench("block_statistics", "4K, RGB", partial(_one, (2160, 3840, 3)), level=2),
)
