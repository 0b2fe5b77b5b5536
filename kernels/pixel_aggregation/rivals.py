"""What users call for the same; none of them gives the same result, and each says how it differs."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from vtk.kernels.case import Arguments

Run = Callable[[], Any]


def _last(arguments: Arguments) -> np.ndarray | None:
    """Return the mask that labels grow in, the largest map; None for arrays that aren't NumPy's."""
    region = arguments["region"] if "region" in arguments else arguments["maps"][-1]
    return region if isinstance(region, np.ndarray) else None


def distance_labels(arguments: Arguments) -> Run | None:
    """Return OpenCV's L1 distance transform with labels, cut to the mask: distances go straight through gaps in it."""
    region, kernels = _last(arguments), arguments["kernels"]
    if region is None or "maps" in arguments:
        return None
    import cv2

    def run() -> np.ndarray:
        empty = (kernels == 0).view(np.uint8)
        _, nearest = cv2.distanceTransformWithLabels(empty, cv2.DIST_L1, 3, labelType=cv2.DIST_LABEL_PIXEL)
        # OpenCV numbers the pixels that it starts from itself.
        names = np.zeros(int(nearest.max(initial=0)) + 1, np.int32)
        seeds = kernels > 0
        names[nearest[seeds]] = kernels[seeds]
        return np.where(region != 0, names[nearest], 0)

    return run


def watershed(arguments: Arguments) -> Run | None:
    """Return OpenCV's watershed from the kernels over a flat picture, cut to the mask by a label of its own.

    It puts lines of -1 between labels, where the mask ends too, grows in the order of its queue and wants three
    channels. The progressive form has no counterpart: it floods the largest map alone.
    """
    region, kernels = _last(arguments), arguments["kernels"]
    if region is None:
        return None
    import cv2

    flat = np.zeros((*kernels.shape, 3), np.uint8)

    def run() -> np.ndarray:
        outside = kernels.max(initial=0) + 1
        return cv2.watershed(flat, np.where(region != 0, kernels, outside))

    return run


def scipy_watershed(arguments: Arguments) -> Run | None:
    """Return scipy's image foresting transform over a flat picture.

    There every label costs the same everywhere, so a pixel's may be one from far away. The progressive form has no
    counterpart: it floods the largest map alone.
    """
    region, kernels = _last(arguments), arguments["kernels"]
    if region is None:
        return None
    from scipy import ndimage

    flat = np.zeros(kernels.shape, np.uint8)
    cross = ndimage.generate_binary_structure(2, 1)

    def run() -> np.ndarray:
        # Negative markers are background that grows last; the mask is all that isn't.
        return ndimage.watershed_ift(flat, np.where(region != 0, kernels, -1), structure=cross)

    return run


def dilations(arguments: Arguments) -> Run | None:
    """Return a loop of OpenCV dilations of the labels inside the mask, one for each step: ties go to the highest label.

    Labels are float32, exact up to 2^24.
    """
    if _last(arguments) is None:
        return None
    import cv2

    masks = [arguments["region"]] if "region" in arguments else list(arguments["maps"])
    cross = cv2.getStructuringElement(cv2.MORPH_CROSS, (3, 3))
    return partial(_dilate, arguments["kernels"], masks, cross)


def _dilate(kernels: np.ndarray, masks: list[np.ndarray], cross: np.ndarray) -> np.ndarray:
    """Return ``kernels`` dilated inside each of ``masks`` until nothing changes."""
    import cv2

    labels = np.where(masks[-1] != 0, kernels, 0).astype(np.float32)
    for mask in masks:
        while True:
            grown = cv2.dilate(labels, cross)
            fresh = (grown > 0) & (labels == 0) & (mask != 0)
            if not fresh.any():
                break
            labels[fresh] = grown[fresh]
    return labels.astype(np.int32)
