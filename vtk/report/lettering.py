"""Text on pictures, in OpenCV's own TrueType fonts: Latin, Greek, Cyrillic, Chinese, Japanese and Korean."""

from __future__ import annotations

from functools import cache, lru_cache

import cv2
import numpy as np

from vtk.report.palette import Colour

WEIGHT = 600  # of 100 to 1000: semibold, so that thin strokes survive video compression
_ROOM = (1 << 14, 1 << 14)  # OpenCV wraps text at the picture's edge: measured as if there were none


@cache
def _font() -> cv2.FontFace:
    return cv2.FontFace("sans")


@lru_cache(maxsize=4096)
def text_width(text: str, size: int) -> int:
    """Return the width in pixels of a line of ``text`` in letters of ``size`` pixels."""
    left, _, width, _ = cv2.getTextSize(_ROOM, text, (0, 0), _font(), size, WEIGHT)
    return left + width


def write(image: np.ndarray, text: str, x: int, baseline: int, size: int, colour: Colour) -> None:
    """Write a line of ``text`` onto ``image`` (H, W, 3) uint8, starting at (x, baseline) in pixels."""
    # Without a wrap range a long line would go on at the left edge of the next one.
    cv2.putText(image, text, (x, baseline), colour, _font(), size, WEIGHT, 0, (-_ROOM[0], _ROOM[0]))


def printable(text: str, limit: int = 120) -> str:
    """Return ``text`` as one line that the font can write, other signs escaped, cut at ``limit`` signs."""
    if len(text) > limit:
        text = text[: limit - 1] + "…"
    if text.isascii() and text.isprintable():
        return text
    return "".join(sign if _is_drawable(sign) else _escaped(sign) for sign in " ".join(text.split()))


def fitted(text: str, size: int, width: int) -> str:
    """Return ``text``, cut with an ellipsis where it is wider than ``width``; both sizes in pixels."""
    if text_width(text, size) <= width:
        return text
    low, high = 0, len(text)
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if text_width(text[:middle] + "…", size) <= width else (low, middle - 1)
    return text[:low] + "…" if low else ""


@lru_cache(maxsize=4096)
def _is_drawable(sign: str) -> bool:
    if sign == "?" or sign.isspace():
        return True
    if not sign.isprintable():
        return False
    canvas = np.zeros((2, 40, 60), np.uint8)
    for picture, letter in zip(canvas, (sign, "?"), strict=True):
        cv2.putText(picture, letter, (4, 30), 255, _font(), 24, WEIGHT)
    return bool((canvas[0] != canvas[1]).any())  # what the font lacks is drawn as a question mark


def _escaped(sign: str) -> str:
    return sign.encode("ascii", "backslashreplace").decode() if sign.isprintable() else "�"
