"""Sizes, inputs and rivals of ``shrink_yuv``."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
from vtk.kernels.case import Arguments, Bench

NAMES = ("shrink_yuv",)

# BT.601 of limited range, by H.273.
MATRIX = np.array([[1.16438, 0, 1.59603, -222.921], [1.16438, -0.39176, -0.81297, 135.576],
                   [1.16438, 2.01723, 0, -276.836]])  # fmt: skip


def inputs(name: str, size: int, rng: np.random.Generator) -> Arguments:
    """Return planes of up to 3/4 size x size, cut out of wider ones, for a picture of a few pixels."""
    shapes = [(3 * size // 4, size), (-(-3 * size // 8), -(-size // 2))]
    shapes = [(max(1, tall), wide) if size else (0, 0) for tall, wide in shapes]
    planes = [rng.integers(0, 256, (tall, wide + 3), np.uint8)[:, 1:-2] for tall, wide in (*shapes, shapes[1])]
    height, width = (int(rng.integers(1, 5)), int(rng.integers(1, 6))) if size else (0, int(rng.integers(3)))
    return dict(zip(("luma", "blue", "red"), planes, strict=True)) | {
        "matrix": MATRIX * rng.choice([1.0, -0.3, 40.0]), "height": height, "width": width}


def tolerance(name: str, arguments: Arguments) -> float:
    """Return 0: sums are whole numbers, and what follows is the same in float64, step by step."""
    return 0.0


def _opencv(arguments: Arguments) -> Callable[[], Any] | None:
    """Return OpenCV's ``INTER_AREA`` on each plane, and its matrix: the same picture but for two more roundings."""
    import cv2

    planes = [arguments[key] for key in ("luma", "blue", "red")]
    if not isinstance(planes[0], np.ndarray):
        return None
    size = arguments["width"], arguments["height"]

    def run() -> np.ndarray:
        small = [cv2.resize(plane, size, interpolation=cv2.INTER_AREA) for plane in planes]
        return cv2.transform(cv2.merge(small), arguments["matrix"])

    return run


def _torch(arguments: Arguments) -> Callable[[], Any] | None:
    """Return torch's ``interpolate(mode="area")`` on each plane, whose boxes end on whole pixels, and the matrix."""
    import torch
    from torch.nn.functional import interpolate

    luma, blue, red, matrix = (torch.as_tensor(np.ascontiguousarray(each)) if isinstance(each, np.ndarray) else each
                               for each in (arguments[key] for key in ("luma", "blue", "red", "matrix")))
    size, mix = (arguments["height"], arguments["width"]), matrix.float()

    def run() -> Any:
        small = torch.cat([interpolate(plane[None, None].float(), size, mode="area")[0] for plane in (luma, blue, red)])
        rgb = torch.einsum("cp,phw->hwc", mix[:, :3], small) + mix[:, 3]
        return rgb.round().clamp(0, 255).to(torch.uint8)

    return run


def _frame(tall: int, wide: int, height: int, width: int, rng: np.random.Generator) -> Arguments:
    """Return a frame in YUV 4:2:0."""
    shapes = (tall, wide), (tall // 2, wide // 2), (tall // 2, wide // 2)
    planes = [rng.integers(0, 256, shape, np.uint8) for shape in shapes]
    return dict(zip(("luma", "blue", "red"), planes, strict=True)) | {
        "matrix": MATRIX, "height": height, "width": width}


LIBRARIES = {"shrink_yuv": {"opencv": _opencv, "torch": _torch}}

BENCHES = (
    Bench("shrink_yuv", "1080p to 64 x 64", partial(_frame, 1080, 1920, 64, 64), level=0),
    Bench("shrink_yuv", "720p to 64 x 64", partial(_frame, 720, 1280, 64, 64)),
    Bench("shrink_yuv", "2160p to 256 x 144", partial(_frame, 2160, 3840, 144, 256)),
    Bench("shrink_yuv", "480 x 360 to 64 x 64", partial(_frame, 360, 480, 64, 64)),
)
