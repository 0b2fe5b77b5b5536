"""Sizes, inputs and rivals of ``masked_roi``."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np

from vtk.kernels.case import Arguments, Bench, size
from vtk.kernels.masked_roi import rivals

NAMES = ("masked_roi",)


def inputs(name: str, size: int, rng: np.random.Generator) -> Arguments:
    """Return maps of about size / 2 x size / 3 and texts on, across and beyond their edges, a few of no good shape."""
    images, height, width, count = int(rng.integers(1, 3)), size // 2, size // 3, -(-size // 16)
    stride = float(rng.choice([1.0, 4.0, 5.5]))
    given: dict[str, Any] = {
        "features": rng.normal(0, 3, (images, 1 + size % 19, height, width)).astype(np.float32),
        "quads": quads(count, stride * (height + 4), stride * (width + 4), rng) - np.float32(2 * stride),
        "size": tuple(rng.choice([(8, 32), (3, 5), (1, 1)])),
        "stride": stride,
    }
    given["size"] = tuple(map(int, given["size"]))
    given["quads"][3::7, 1] = given["quads"][3::7, 3]
    given["quads"][4::9, 2, 0] = np.nan
    if images > 1 or rng.random() < 0.5:
        given["image_ids"] = rng.integers(0, images, count)
    if rng.random() < 0.6:
        given["labels"] = np.sort(rng.integers(0, 4, (images, height, width)), axis=1).astype(np.int32)
        given["ids"] = rng.integers(1, 5, count).astype(np.int32 if rng.random() < 0.5 else np.int64)
    if rng.random() < 0.5:
        given["vertical"] = (None, 0.0, 1.0)[rng.integers(3)]
    return given


def quads(count: int, height: float, width: float, rng: np.random.Generator, scale: float = 0.1) -> np.ndarray:
    """Return (count, 4, 2) float32 texts in height x width: turned, a little in perspective, upright ones among them.

    ``scale``: how high they are, as a share of the picture's height.
    """
    centre, angle = rng.uniform((0, 0), (width, height), (count, 2)), rng.normal(0, 0.3, count)
    angle[::5] += np.pi / 2
    half = scale * height / 2 * np.exp(rng.normal(0, 0.3, count))
    half = np.stack([half * rng.uniform(0.4, 6, count), half], axis=1)
    corners = half[:, None] * np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]]) * rng.uniform(0.85, 1, (count, 4, 2))
    turn = np.stack([np.cos(angle), -np.sin(angle), np.sin(angle), np.cos(angle)], axis=1).reshape(-1, 2, 2)
    found = centre[:, None] + corners @ turn.transpose(0, 2, 1)
    # Upright ones begin at the picture's top left, as one who doesn't read them counts.
    found[::5] = np.roll(found[::5], 1, axis=1)
    return found.astype(np.float32)


def tolerance(name: str, arguments: Arguments) -> float:
    """Return 6 steps of float32 at the largest feature.

    Every implementation finds the same cells and the same shares, float32. Four shares, which sum to 1 but for their
    own rounding, times features no larger than the largest; in float32 each product is rounded once and is part of up
    to three rounded sums, and the reference, in float64, rounds once in the end. Half a step each makes 5 halves.
    """
    features = np.abs(arguments["features"])
    largest = float(features[np.isfinite(features)].max(initial=0))
    return 6 * float(np.spacing(np.float32(largest)))


def page(count: int, height: int, width: int, masked: bool, rng: np.random.Generator) -> Arguments:
    """Return a page of ``count`` words on the 128 channels of a map at stride 4, with each word's cells or without."""
    high, wide = height // 4, width // 4
    texts = quads(count, height, width, rng, 0.04)
    given = {"features": rng.normal(0, 1, (1, 128, high, wide)).astype(np.float32), "quads": texts}
    if not masked:
        return given
    labels = np.zeros((1, high, wide), np.int32)
    y, x = (np.mgrid[:high, :wide] + 0.5) * 4
    for label, corners in enumerate(texts, start=1):
        sides = np.roll(corners, -1, axis=0) - corners
        turns = [s[0] * (y - c[1]) - s[1] * (x - c[0]) for s, c in zip(sides, corners, strict=True)]
        labels[0, np.all(np.array(turns) > 0, axis=0)] = label
    return given | {"labels": labels, "ids": np.arange(1, count + 1)}


def moved(arguments: Arguments, result: Any) -> int:
    """Return the bytes of the result, and of the cells under the texts, once: what is read at least."""
    found = np.asarray(arguments["quads"].cpu() if hasattr(arguments["quads"], "cpu") else arguments["quads"])
    x, y = found[..., 0], found[..., 1]
    areas = np.abs((x * np.roll(y, -1, axis=1) - y * np.roll(x, -1, axis=1)).sum(axis=1)) / 2
    cells = areas.sum() / arguments.get("stride", 4.0) ** 2
    return size(result) + int(4 * cells * arguments["features"].shape[1])


LIBRARIES = {
    "masked_roi": {
        "torch grid_sample": rivals.grid_sample, "torch, upsampled first": rivals.upsampled,
        "opencv remap": rivals.remap,
    }
}  # fmt: skip

BENCHES = (
    Bench("masked_roi", "50 words, masked, 736 x 1280", partial(page, 50, 736, 1280, True), moved, 0),
    Bench("masked_roi", "50 words, 736 x 1280", partial(page, 50, 736, 1280, False), moved),
    Bench("masked_roi", "10 words, masked, 736 x 1280", partial(page, 10, 736, 1280, True), moved),
    Bench("masked_roi", "200 words, masked, 1088 x 1920", partial(page, 200, 1088, 1920, True), moved, 2),
)
