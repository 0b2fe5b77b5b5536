"""Sizes, inputs and rivals of the signatures of frames."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np

from vtk.kernels.case import Arguments, Bench
from vtk.kernels.frame_signature.rivals import (
    numpy_difference,
    numpy_pdq,
    numpy_statistics,
    opencv_area,
    opencv_dct,
    opencv_difference,
    opencv_norm,
    opencv_statistics,
    pdqhash_compute,
    scipy_dct,
    torch_dct,
    torch_difference,
    torch_pdq,
    torch_statistics,
)

NAMES = ("luminance_difference", "block_statistics", "dct_vector", "pdq", "pdq_luminance")


def inputs(name: str, size: int, rng: np.random.Generator) -> Arguments:
    """Return pictures of size x (3/4 size), views of larger ones: one or two, in colour or gray, some of one level.

    Small pictures are 64 x 64, a few of them, with steep, faint and no changes.
    """
    if name in ("dct_vector", "pdq"):
        return {"luma": _small(min(size, 2 + size // 200), rng)}
    if name == "pdq_luminance":
        return _hashable(size, rng)
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


def _small(count: int, rng: np.random.Generator) -> np.ndarray:
    """Return luminance (count, 64, 64), uint8 or float32: noise, slopes, one level."""
    y, x = np.indices((64, 64)) / 64
    slopes = (rng.uniform(-1, 1, (3, count, 1, 1)) * np.stack([y, x, np.sin(9 * x * y)])[:, None]).sum(axis=0)
    luma = 128 + 60 * slopes + rng.normal(0, 1, (count, 64, 64)) * rng.choice([0.01, 3, 40], (count, 1, 1))
    luma[rng.integers(1, 4) :] = rng.choice([0, 200])
    if rng.integers(2):
        return np.clip(luma, 0, 255).astype(np.uint8)[:, ::-1]
    return (luma * rng.choice([-1e-6, 1, 100])).astype(np.float32)


def _hashable(size: int, rng: np.random.Generator) -> Arguments:
    """Return pictures of at least 5 x 5, about ``size`` high and narrow enough for Triton's interpreter."""
    height, width = max(5, size), int(rng.choice([5, 64, 63 if size > 100 else 140]))
    height = 64 if size == 63 and width == 64 else height
    shape = [(height, width), (height, width, 1), (height, width, 3), (min(size, 2), height, width, 3)]
    return {"image": rng.integers(0, 256, shape[rng.integers(4)] if size else (0, 5, 7, 3), np.uint8)[::-1]}


def tolerance(name: str, arguments: Arguments) -> float:
    """Return 0, or for ``dct_vector`` 2^-23, two roundings to float32.

    Sums are of whole numbers and each result is one division in float64, rounded once; or all roundings are PDQ's, in
    its order. The vectors are sums in float64, of another order in each implementation, that are rounded once: where
    they lie near the middle of two float32, to either.
    """
    return 2.0**-23 if name == "dct_vector" else 0.0


def _pair(shape: tuple[int, ...], rng: np.random.Generator) -> Arguments:
    """Return two pictures, or stacks of them, to be compared."""
    a = rng.integers(0, 256, shape, np.uint8)
    return {"a": a, "b": np.clip(a.astype(np.int16) + rng.integers(-9, 10, shape), 0, 255).astype(np.uint8)}


def _one(shape: tuple[int, ...], rng: np.random.Generator) -> Arguments:
    """Return one picture, or a stack."""
    return {"image": rng.integers(0, 256, shape, np.uint8)}


def _frames(count: int, kind: str, rng: np.random.Generator) -> Arguments:
    """Return luminance of ``count`` frames."""
    return {"luma": rng.integers(0, 256, (count, 64, 64), np.uint8).astype(kind)}


LIBRARIES = {
    "luminance_difference": {
        "opencv": opencv_difference, "opencv norm": opencv_norm, "numpy": numpy_difference, "torch": torch_difference,
    },
    "block_statistics": {"opencv": opencv_statistics, "numpy": numpy_statistics, "torch": torch_statistics},
    "dct_vector": {"scipy dctn": scipy_dct, "opencv dct": opencv_dct, "torch": torch_dct},
    "pdq": {"pdqhash": pdqhash_compute, "numpy": numpy_pdq, "torch": torch_pdq},
    "pdq_luminance": {"pdqhash, hash too": pdqhash_compute, "opencv area, another filter": opencv_area},
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
    Bench("dct_vector", "1000 frames", partial(_frames, 1000, "float32"), level=0),
    Bench("dct_vector", "1000 frames, uint8", partial(_frames, 1000, "uint8")),
    Bench("pdq", "1000 frames, uint8", partial(_frames, 1000, "uint8"), level=0),
    Bench("pdq", "1000 frames", partial(_frames, 1000, "float32")),
    Bench("pdq_luminance", "720p, RGB", partial(_one, (720, 1280, 3)), level=0),
    Bench("pdq_luminance", "64 thumbnails 144 x 256, RGB", partial(_one, (64, 144, 256, 3))),
)
