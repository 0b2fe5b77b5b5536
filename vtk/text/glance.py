"""Small pictures that are compared to see whether a film changed or was cut."""

from __future__ import annotations

import cv2
import numpy as np

from vtk.kernels.frame_signature import luminance_difference

# Pixels of the long side of the pictures that are compared to see change.
GLANCE = 160


def glance(image: np.ndarray) -> np.ndarray:
    """Return the luminance (h, w) uint8 of a picture scaled down to GLANCE pixels."""
    height, width = image.shape[:2]
    scale = min(1.0, GLANCE / max(height, width))
    small = cv2.resize(image, (max(1, round(width * scale)), max(1, round(height * scale))),
                       interpolation=cv2.INTER_AREA)
    return cv2.cvtColor(small, cv2.COLOR_RGB2GRAY)


def difference(a: np.ndarray, b: np.ndarray) -> float:
    """Return the mean difference of two pictures' luminance, of 255; 255 where their sizes differ."""
    return 255.0 if a.shape != b.shape else float(luminance_difference(a, b).mean())


def correlation(a: np.ndarray, b: np.ndarray) -> float:
    """Return the correlation of two pictures' luminance, in [-1, 1]; 0 where their sizes differ or one is flat."""
    if a.shape != b.shape:
        return 0.0
    first, second = (each - each.mean() for each in (a.astype(np.float64), b.astype(np.float64)))
    scale = np.sqrt((first**2).sum() * (second**2).sum())
    return float((first * second).sum() / scale) if scale > 0 else 0.0
