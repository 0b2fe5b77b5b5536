"""Resizing of images that are in memory already."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np


def resized(image: np.ndarray, width: int, height: int) -> np.ndarray:
    """Return ``image`` (H, W, 3) uint8 as (height, width, 3): averaged when it shrinks, else bilinear."""
    if image.shape[:2] == (height, width):
        return image
    shrinks = width * height < image.shape[0] * image.shape[1]
    return cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR)


def resizer(image: np.ndarray) -> Callable[[int, int], np.ndarray]:
    """Return what gives ``image`` in a size (width, height), as ``Decoded`` wants it."""
    return lambda width, height: resized(image, width, height)
