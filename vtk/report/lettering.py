"""Lines of text on pictures: measured, cut, wrapped and written."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from functools import lru_cache

import cv2
import numpy as np

from vtk.report.fonts import has, parts, room
from vtk.report.palette import Colour

_BLACK = (0, 0, 0)


@lru_cache(maxsize=4096)
def text_width(text: str, size: int, font: str = "") -> int:
    """Return the width in pixels of a line of ``text`` in letters of ``size`` pixels."""
    return sum(face.width(part, size) for face, part in parts(text, font)) if text else 0


def write(image: np.ndarray, text: str, x: int, baseline: int, size: int, colour: Colour, font: str = "",
          outline: int = 0) -> None:
    """Write a line of ``text`` onto a picture.

    Args:
        image: (H, W, 3) uint8, painted in place.
        text: one line, as ``printable`` gives it.
        x, baseline: where it starts, in pixels.
        size: height of letters in pixels.
        colour: of the letters.
        font: a font file for what the built-in fonts lack; empty for none.
        outline: width in pixels of a black line around the letters.
    """
    if not text:
        return
    ink, top = _mask(text, size, font), baseline - room(size)[0]
    if outline:
        wide = cv2.copyMakeBorder(ink, *[outline] * 4, cv2.BORDER_CONSTANT)
        disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * outline + 1, 2 * outline + 1))
        _blend(image, cv2.dilate(wide, disc), x - outline, top - outline, _BLACK)
    _blend(image, ink, x, top, colour)


def printable(text: str, limit: int = 120, font: str = "") -> str:
    """Return ``text`` as one line that the fonts can write, other signs escaped, cut at ``limit`` signs."""
    if len(text) > limit:
        text = text[: limit - 1] + "…"
    if text.isascii() and text.isprintable():
        return text
    signs = " ".join(unicodedata.normalize("NFC", text).split())
    return "".join(_shown(sign, font) for sign in signs)


def fitted(text: str, size: int, width: int, font: str = "") -> str:
    """Return ``text``, cut with an ellipsis where it is wider than ``width``; both sizes in pixels."""
    if text_width(text, size, font) <= width:
        return text
    low, high = 0, len(text)
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if text_width(text[:middle] + "…", size, font) <= width else (low, middle - 1)
    return text[:low] + "…" if low else ""


def wrapped(text: str, size: int, width: int, font: str = "") -> list[str]:
    """Return ``text`` as lines no wider than ``width``, both sizes in pixels.

    Lines end at blanks, and before and after signs of Chinese and Japanese; a longer word is cut where it must be.
    """
    lines = [""]
    for word in _words(text):
        if text_width(lines[-1] + word.rstrip(), size, font) <= width:
            lines[-1] += word
            continue
        for piece in [word] if text_width(word.rstrip(), size, font) <= width else word:
            if lines[-1] and text_width(lines[-1] + piece.rstrip(), size, font) > width:
                lines.append("")
            lines[-1] += piece
    return [line.strip() for line in lines if line.strip()]


def _words(text: str) -> Iterator[str]:
    """Yield what stays together on a line, with the blank behind it."""
    word = ""
    for sign in text:
        if unicodedata.east_asian_width(sign) in "WF" and unicodedata.category(sign).startswith("L"):
            if word:
                yield word
            word = sign
        elif word and (word.endswith(" ") or unicodedata.east_asian_width(word[-1]) in "WF"
                       and unicodedata.category(sign).startswith(("L", "N"))):
            yield word
            word = sign
        else:
            word += sign
    yield word


@lru_cache(maxsize=512)
def _mask(text: str, size: int, font: str) -> np.ndarray:
    """Return a line as (H, W) uint8, 255 where there is ink; the baseline is at the first of ``room``."""
    return np.hstack([face.mask(part, size) for face, part in parts(text, font)])


def _blend(image: np.ndarray, ink: np.ndarray, x: int, y: int, colour: Colour) -> None:
    """Lay ``colour`` over the picture where there is ink, from (x, y) on; what lies outside is left out."""
    x1, y1 = max(x, 0), max(y, 0)
    x2, y2 = min(x + ink.shape[1], image.shape[1]), min(y + ink.shape[0], image.shape[0])
    if x1 >= x2 or y1 >= y2:
        return
    share = ink[y1 - y:y2 - y, x1 - x:x2 - x, None].astype(np.uint16)
    under = image[y1:y2, x1:x2]
    under[...] = (under * (255 - share) + np.array(colour, np.uint16) * share + 127) // 255


@lru_cache(maxsize=4096)
def _shown(sign: str, font: str) -> str:
    if unicodedata.category(sign) == "Cf":
        return ""  # directions and joiners, which have no picture
    if not sign.isprintable():
        return "�"
    return sign if has(sign, font) else sign.encode("ascii", "backslashreplace").decode()
