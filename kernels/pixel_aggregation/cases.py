"""Sizes, inputs and rivals of ``pixel_aggregation``."""

from __future__ import annotations

from functools import partial

import numpy as np

from vtk.kernels.case import Arguments, Bench
from vtk.kernels.pixel_aggregation import rivals

NAMES = ("pixel_aggregation", "progressive_expansion")


def inputs(name: str, size: int, rng: np.random.Generator) -> Arguments:
    """Return kernels of few pixels in a mask with holes, size/5 x size/4, many of them at equal distances.

    Maps aren't quite nested, as those of a network aren't; labels are neither dense nor in order, some below 0.
    """
    shape = (-(-size // 5), -(-size // 4))
    kernels = rng.permutation(shape[0] * shape[1]).reshape(shape).astype(np.int32) - 2
    kernels[rng.random(shape) < rng.choice([0.9, 0.99])] = 0
    region = rng.random(shape) < rng.choice([0.6, 0.8, 1.0])
    if name == "pixel_aggregation":
        return {"kernels": kernels, "region": region if rng.random() < 0.5 else 255 * region.astype(np.uint8)}
    # Each map has the pixels up to its own share of all, and a few stray ones.
    order, stray = rng.random(shape), rng.random((3, *shape)) < 0.02
    maps = np.stack([region & (order < share) for share in (0.3, 0.6, 1.0)]) ^ stray
    return {"kernels": kernels, "maps": maps if rng.random() < 0.5 else maps.astype(np.uint8)}


def tolerance(name: str, arguments: Arguments) -> float:
    """Return 0: the results are labels, and ties are decided."""
    return 0.0


def page(height: int, width: int, rng: np.random.Generator, count: int = 120, scales: int = 1) -> Arguments:
    """Return a page of ``count`` slanted words as a network gives it: kernels of half their size, and their regions.

    Neighbouring words touch here and there. With ``scales`` above 1 as many maps, from the kernels' size to the whole.
    """
    y, x = np.mgrid[:height, :width].astype(np.float32)
    across_page = max(1, round((count * width / height / 4) ** 0.5))
    pitch = np.array([height / -(-count // across_page), width / across_page])
    depth = np.zeros((height, width), np.float32)
    names = np.zeros((height, width), np.int32)
    for label in range(1, count + 1):
        # In rows and columns, shaken, so that some words touch and few lie on one another.
        centre = (np.array(divmod(label - 1, across_page)) + rng.normal(0.5, 0.1, 2)) * pitch
        angle, half = rng.normal(0, 0.1), pitch * rng.uniform(0.3, 0.6, 2)
        low = np.maximum(np.array(centre - 1.2 * half.max(), int), 0)
        part = tuple(slice(start, int(end + 1.2 * half.max()) + 1) for start, end in zip(low, centre, strict=True))
        down, right = y[part] - centre[0], x[part] - centre[1]
        across, along = down * np.cos(angle) - right * np.sin(angle), down * np.sin(angle) + right * np.cos(angle)
        # 1 on the middle line, 0 on the outline: how much a word may shrink until it loses the pixel.
        own = np.minimum(1 - np.abs(across) / half[0], (half[1] - np.abs(along)) / half[0])
        nearer = own > depth[part]
        names[part][nearer], depth[part][nearer] = label, own[nearer]
    kernels = np.where(depth > 0.5, names, 0).astype(np.int32)
    if scales == 1:
        return {"kernels": kernels, "region": depth > 0}
    return {"kernels": kernels, "maps": np.stack([depth > 0.5 - 0.5 * s / (scales - 1) for s in range(scales)])}


LIBRARIES = {
    "pixel_aggregation": {
        "opencv L1 distance": rivals.distance_labels, "opencv watershed": rivals.watershed,
        "scipy watershed_ift": rivals.scipy_watershed, "opencv dilations": rivals.dilations,
    },
    "progressive_expansion": {
        "opencv watershed": rivals.watershed, "scipy watershed_ift": rivals.scipy_watershed,
        "opencv dilations": rivals.dilations,
    },
}  # fmt: skip

BENCHES = (
    Bench("pixel_aggregation", "PAN, 736 x 1280", partial(page, 736, 1280), level=0),
    Bench("pixel_aggregation", "PAN, 1088 x 1920", partial(page, 1088, 1920)),
    Bench("progressive_expansion", "PSE, 7 maps, 736 x 1280", partial(page, 736, 1280, scales=7), level=0),
    Bench("progressive_expansion", "PSE, 7 maps, 1088 x 1920", partial(page, 1088, 1920, scales=7), level=2),
)
