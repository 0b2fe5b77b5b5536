"""What users call for the same: torch's grid_sample, OpenCV's warp, and the paper's own way over the full picture."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from vtk.kernels.case import Arguments, tensors
from vtk.kernels.masked_roi.perspective import coefficients, places

Run = Callable[[], Any]


def _places(arguments: Arguments) -> np.ndarray:
    """Return where the samples of each quadrilateral lie, (N, h, w, 2) float32 [x, y] in cells."""
    rows = coefficients(arguments["quads"], arguments.get("stride", 4.0), arguments.get("vertical", 1.5))
    return np.stack([np.stack(places(row, arguments.get("size", (8, 32))), axis=-1) for row in rows]).astype(np.float32)


def _on_host(arguments: Arguments) -> bool:
    """Tell whether there is one picture, and as NumPy arrays."""
    return isinstance(arguments["features"], np.ndarray) and len(arguments["features"]) == 1


def grid_sample(arguments: Arguments) -> Run | None:
    """Return torch's ``grid_sample``: all texts in one call; masked, a call a text, over its own cut of the map.

    Where samples lie is worked out beforehand and not timed.
    """
    if not _on_host(arguments):
        return None
    import torch
    from torch.nn.functional import grid_sample as sample

    given, found = tensors(arguments, "cpu"), _places(arguments)
    features, (count, high, wide, _) = given["features"], found.shape
    if given.get("labels") is not None:
        return _masked(given, found)
    # The texts one below the other in one grid: the map is read once, and not repeated for each.
    grid = torch.from_numpy((2 * found + 1) / np.float32(features.shape[:1:-1]) - 1).reshape(1, -1, wide, 2)

    def run() -> Any:
        sampled = sample(features, grid, align_corners=False)
        return sampled.reshape(-1, count, high, wide).transpose(0, 1).contiguous()

    return run


def _masked(given: Arguments, found: np.ndarray) -> Run:
    """Return the cuts around the samples ``found`` (N, h, w, 2), masked, each in a call of ``grid_sample``."""
    import torch
    from torch.nn.functional import grid_sample as sample
    from torch.nn.functional import max_pool2d

    limits, cuts = np.array(given["features"].shape[:1:-1]), []
    for place, label in zip(found, given["ids"].tolist(), strict=True):
        low = np.clip(np.floor(place.min(axis=(0, 1))).astype(int) - 1, 0, limits - 1)
        high = np.clip(np.floor(place.max(axis=(0, 1))).astype(int) + 3, low + 1, limits)
        grid = torch.from_numpy((2 * (place - np.float32(low)) + 1) / np.float32(high - low) - 1)
        cuts.append((slice(low[1], high[1]), slice(low[0], high[0]), grid[None], label))

    def run() -> Any:
        sampled = []
        for down, across, grid, label in cuts:
            mask = max_pool2d((given["labels"][:, down, across] == label).float(), 3, 1, 1)
            sampled.append(sample(given["features"][:, :, down, across] * mask, grid, align_corners=False))
        return torch.cat(sampled)

    return run


def upsampled(arguments: Arguments) -> Run | None:
    """Return the paper's way: the map to the input's size, then each text's upright box, masked, to the size wanted.

    Not the same samples: a slanted text's box isn't turned, and the mask grows by an input pixel, not by a cell.
    """
    if not _on_host(arguments) or arguments.get("labels") is None:
        return None
    import torch
    from torch.nn.functional import interpolate, max_pool2d

    given, stride = tensors(arguments, "cpu"), int(arguments.get("stride", 4.0))
    size = tuple(arguments.get("size", (8, 32)))

    def run() -> Any:
        large = interpolate(given["features"], scale_factor=stride, mode="bilinear", align_corners=False)
        labels = interpolate(given["labels"][None].float(), scale_factor=stride, mode="nearest")[0, 0]
        found = []
        for quad, label in zip(given["quads"], given["ids"], strict=True):
            low, high = quad.amin(0).floor().int().clamp(min=0).tolist(), quad.amax(0).ceil().int().tolist()
            part = (slice(low[1], high[1] + 1), slice(low[0], high[0] + 1))
            mask = max_pool2d((labels[part] == label).float()[None], 3, 1, 1)
            crop = large[(0, slice(None), *part)] * mask
            crop = crop.transpose(1, 2) if crop.shape[1] > 1.5 * crop.shape[2] else crop
            found.append(interpolate(crop[None], size, mode="bilinear", align_corners=False))
        return torch.cat(found)

    return run


def remap(arguments: Arguments) -> Run | None:
    """Return OpenCV's ``remap``, a call a text, over the map turned to channels last; not masked.

    ``warpPerspective`` takes four channels at most; ``remap`` rounds places to 1/32 of a cell.
    """
    if not _on_host(arguments) or arguments.get("labels") is not None:
        return None
    import cv2

    found = _places(arguments)

    def run() -> np.ndarray:
        last = np.ascontiguousarray(arguments["features"][0].transpose(1, 2, 0))
        parts = [cv2.remap(last, place, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT) for place in found]
        return np.stack(parts).transpose(0, 3, 1, 2).copy()

    return run
