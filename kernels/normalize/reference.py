"""``normalize`` as the definition says it, in float64."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np


def normalize(
    images: Sequence[np.ndarray],
    height: int,
    width: int,
    *,
    scale: float = 1 / 255,
    mean: Sequence[float] = (0.0, 0.0, 0.0),
    std: Sequence[float] = (1.0, 1.0, 1.0),
    bgr: bool = False,
    pad: float = 0.0,
    centre: bool = False,
    out: np.ndarray | None = None,
) -> np.ndarray:
    """Return images as a normalised batch, channels first; see the package."""
    canvas = np.full((len(images), height, width, 3), float(pad))
    for index, image in enumerate(images):
        h, w = image.shape[:2]
        top, left = ((height - h) // 2, (width - w) // 2) if centre else (0, 0)
        canvas[index, top : top + h, left : left + w] = image[..., ::-1] if bgr else image
    result = ((canvas * scale - mean) / std).transpose(0, 3, 1, 2).astype(np.float32)
    if out is None:
        return result
    out[...] = result
    return out
