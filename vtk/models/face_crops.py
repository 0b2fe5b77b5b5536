"""What a liveness network sees of a face: a box of several times its size, cut out and brought to one size."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np

from vtk.models.liveness import Face

# (height and width of the picture, the face's box, sides of the crop in sides of the box) -> left, top, right, bottom
# of the crop, half-open, inside the picture
Around = Callable[[tuple[int, int], tuple[float, float, float, float], float], tuple[int, int, int, int]]


def check_face(face: Face, index: int = 0) -> None:
    """Raise ValueError unless there is something of ``face`` in its picture; the message has its ``index``."""
    image = face.image
    if not isinstance(image, np.ndarray) or image.ndim != 3 or image.shape[2] != 3 or image.dtype != np.uint8:
        got = f"{image.shape} {image.dtype}" if isinstance(image, np.ndarray) else type(image).__name__
        raise ValueError(f"faces[{index}]: got a picture {got}, expected (H, W, 3) uint8 RGB")
    x1, y1, x2, y2 = face.xyxy
    height, width = image.shape[:2]
    if not (np.isfinite(face.xyxy).all() and max(x1, 0) < min(x2, width) and max(y1, 0) < min(y2, height)):
        raise ValueError(f"faces[{index}]: got the box {[x1, y1, x2, y2]}, expected one with an area in the picture "
                         f"of {width} x {height} pixels")


def shifted(size: tuple[int, int], xyxy: tuple[float, float, float, float], scale: float) -> tuple[int, int, int, int]:
    """Return the box of ``scale`` around a face, moved into the picture where it crosses its edges.

    It is smaller only where the picture is: then it has the box's shape and the picture's height or width. The box is
    taken in whole pixels, x and y cut to them and both edges counted, as the networks' makers take it.

    Args:
        size: height and width of the picture.
        xyxy: of the face.
        scale: sides of the result in sides of the box.

    Returns:
        left, top, right, bottom; half-open, inside the picture, at least one pixel.

    Source: Silent-Face-Anti-Spoofing of Minivision, how its crops lie; measured to be the same.
    """
    height, width = size
    x, y = int(xyxy[0]), int(xyxy[1])
    w, h = max(int(xyxy[2] - xyxy[0] + 1), 1), max(int(xyxy[3] - xyxy[1] + 1), 1)
    scale = min((height - 1) / h, (width - 1) / w, scale)
    left, right = _moved(x + w / 2, w * scale, width)
    top, bottom = _moved(y + h / 2, h * scale, height)
    return left, top, right, bottom


def _moved(centre: float, length: float, limit: int) -> tuple[int, int]:
    """Return the pixels from ``length`` / 2 before ``centre`` to as much behind it, moved into [0, ``limit``)."""
    first, last = centre - length / 2, centre + length / 2
    if first < 0:
        first, last = 0, last - first
    if last > limit - 1:
        first, last = first - (last - limit + 1), limit - 1
    # The last bit of a sum may lie outside.
    return max(int(first), 0), min(int(last), limit - 1) + 1


def clipped(size: tuple[int, int], xyxy: tuple[float, float, float, float], scale: float) -> tuple[int, int, int, int]:
    """Return the box of ``scale`` around a face, cut off at the picture's edges; as ``shifted`` returns it."""
    edges = []
    for low, high, limit in ((xyxy[0], xyxy[2], size[1]), (xyxy[1], xyxy[3], size[0])):
        centre, half = (low + high) / 2, (high - low) * scale / 2
        first = min(max(int(np.floor(centre - half)), 0), limit - 1)
        edges.append((first, max(min(int(np.ceil(centre + half)), limit), first + 1)))
    return edges[0][0], edges[1][0], edges[0][1], edges[1][1]


def crop(face: Face, around: Around, scale: float, side: int) -> np.ndarray:
    """Return (side, side, 3) uint8 RGB, what ``around`` picks of the face's picture, stretched."""
    left, top, right, bottom = around(face.image.shape[:2], face.xyxy, scale)
    return cv2.resize(face.image[top:bottom, left:right], (side, side), interpolation=cv2.INTER_LINEAR)
