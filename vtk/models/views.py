"""What is looked at of a picture: views, by name, each of one part or of several."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import cv2
import numpy as np

from vtk.errors import UsageError

# Share of each side that the view of the centre keeps. Source: ImageNet's usual evaluation, 224 of 256 pixels.
CENTRE = 0.875
# Shares of each side that the scales keep, beside all of it: what is small in the middle is seen larger. Chosen: a
# third and twice as large again.
SCALES = (0.75, 0.5)
DEFAULT_VIEWS = ("whole",)


def _middle(image: np.ndarray, share: float) -> np.ndarray:
    """Return the middle of a picture (H, W, 3), ``share`` of each side, one pixel at least."""
    height, width = image.shape[:2]
    high, wide = max(1, round(share * height)), max(1, round(share * width))
    top, left = (height - high) // 2, (width - wide) // 2
    return image[top:top + high, left:left + wide]


def _mirrored(image: np.ndarray) -> np.ndarray:
    """Return a picture mirrored; of one that is empty OpenCV would make an error of its own."""
    return cv2.flip(image, 1) if image.size else image


def _quadrants(image: np.ndarray) -> list[np.ndarray]:
    """Return the four quarters of a picture; the middle row and column of odd sides are in both."""
    height, width = image.shape[:2]
    high, wide = (height + 1) // 2, (width + 1) // 2
    return [image[top:top + high, left:left + wide] for top in (0, height - high) for left in (0, width - wide)]


# What is looked at of a picture (H, W, 3), by the name of the view; each part that comes out costs one look.
VIEWS: dict[str, Callable[[np.ndarray], list[np.ndarray]]] = {
    "whole": lambda image: [image],
    "centre": lambda image: [_middle(image, CENTRE)],
    "flips": lambda image: [_mirrored(image)],
    "quadrants": _quadrants,
    "scales": lambda image: [_middle(image, share) for share in SCALES],
}


def check_views(views: Sequence[str]) -> tuple[str, ...]:
    """Return ``views`` as they are, names of VIEWS.

    Raises:
        UsageError: there is none, one is unknown, or comes twice.
    """
    unknown = [view for view in views if view not in VIEWS]
    if unknown or not views or len(set(views)) < len(views):
        raise UsageError(f"--views {','.join(views)}: give some of {','.join(VIEWS)}, each once")
    return tuple(views)


def looks(image: np.ndarray, views: Sequence[str]) -> Iterator[np.ndarray]:
    """Yield what ``views`` look at of a picture (H, W, 3), C-contiguous, in the order of the views."""
    for view in views:
        for look in VIEWS[view](image):
            yield np.ascontiguousarray(look)


def magnified(views: Sequence[str]) -> float:
    """Return how many times the least of the looks at a picture goes into its sides: what its pixels must be more."""
    side = 64
    return side / min(min(look.shape[:2]) for look in looks(np.zeros((side, side, 3), np.uint8), views))


def count_looks(views: Sequence[str]) -> int:
    """Return how many looks at a picture ``views`` make; it is the same for every picture."""
    return sum(1 for _ in looks(np.zeros((1, 1, 3), np.uint8), views))
