"""The fonts that text on pictures is written in, and which of them writes which part of a line.

OpenCV's own fonts have Latin, Greek, Cyrillic, Chinese, Japanese and Korean, but write every line from the left and
join nothing. Lines with right-to-left letters, and signs that OpenCV lacks, go to Pillow: in the font file that the
user names, then in DejaVu Sans, which matplotlib brings, and that comes with ultralytics. Its layout engine raqm orders
and joins letters; without raqm they stand in the order of ``visual``, not joined.
"""

from __future__ import annotations

import importlib.util
import math
from collections.abc import Sequence
from functools import cache, lru_cache
from pathlib import Path
from typing import Protocol

import cv2
import numpy as np
from PIL import Image, ImageDraw, ImageFont, features

from vtk.report.direction import direction, first_direction, runs, runs_backwards, visual

WEIGHT = 600  # of 100 to 1000: semibold, so that thin strokes survive video compression
_ROOM = (1 << 14, 1 << 14)  # OpenCV wraps text at the picture's edge: measured as if there were none
ABOVE, BELOW = 1.25, 0.5  # room over and under the baseline, in letter heights: accents, and tails


class Face(Protocol):
    """A font: whether it has a sign, how wide a line is, and what it looks like. ``orders``: right-to-left too."""

    orders: bool

    def has(self, sign: str) -> bool:
        """Return whether the font has a picture of ``sign``."""

    def width(self, text: str, size: int) -> int:
        """Return the width of a line in pixels."""

    def mask(self, text: str, size: int) -> np.ndarray:
        """Return a line as (``room``, width) uint8, 255 where there is ink."""


def room(size: int) -> tuple[int, int]:
    """Return the pixels above and below the baseline that letters of ``size`` pixels may need."""
    return math.ceil(ABOVE * size), math.ceil(BELOW * size)


class OpenCvFace:
    """OpenCV's own fonts."""

    orders = False

    def __init__(self) -> None:
        self._font = cv2.FontFace("sans")
        self._known: dict[str, bool] = {}

    def has(self, sign: str) -> bool:
        """Return whether the fonts have ``sign``: what they lack is drawn as a question mark."""
        if sign not in self._known:
            canvas = np.zeros((2, 40, 60), np.uint8)
            for picture, letter in zip(canvas, (sign, "?"), strict=True):
                cv2.putText(picture, letter, (4, 30), 255, self._font, 24, WEIGHT)
            self._known[sign] = sign == "?" or sign.isspace() or bool((canvas[0] != canvas[1]).any())
        return self._known[sign]

    def width(self, text: str, size: int) -> int:
        """Return the width of a line in pixels."""
        left, _, width, _ = cv2.getTextSize(_ROOM, text, (0, 0), self._font, size, WEIGHT)
        return left + width

    def mask(self, text: str, size: int) -> np.ndarray:
        """Return a line as (room, width) uint8, 255 where there is ink."""
        above, below = room(size)
        out = np.zeros((above + below, max(1, self.width(text, size))), np.uint8)
        # Without a wrap range a long line would go on at the left edge of the next one.
        cv2.putText(out, text, (0, above), 255, self._font, size, WEIGHT, 0, (-_ROOM[0], _ROOM[0]))
        return out


class PillowFace:
    """A font file, written by Pillow. Raises OSError where the file is no font."""

    def __init__(self, path: str) -> None:
        self.orders = bool(features.check("raqm"))
        self._path = path
        self._sized: dict[int, ImageFont.FreeTypeFont] = {}
        self._known: dict[str, bool] = {}
        # Without a layout engine, which would draw a circle for a lone mark to stand on.
        self._plain = ImageFont.truetype(path, 24, layout_engine=ImageFont.Layout.BASIC)
        self._nothing = bytes(self._plain.getmask("\U0010fffd"))  # no font has what is for private use

    def has(self, sign: str) -> bool:
        """Return whether the font has ``sign``: what it lacks is drawn as its sign for nothing."""
        if sign not in self._known:
            self._known[sign] = sign.isspace() or bytes(self._plain.getmask(sign)) != self._nothing
        return self._known[sign]

    def width(self, text: str, size: int) -> int:
        """Return the width of a line in pixels."""
        left, _, right, _ = self._font(size).getbbox(text, anchor="ls")
        return math.ceil(max(self._font(size).getlength(text), right) - min(0, left))

    def mask(self, text: str, size: int) -> np.ndarray:
        """Return a line as (room, width) uint8, 255 where there is ink."""
        above, below = room(size)
        picture = Image.new("L", (max(1, self.width(text, size)), above + below))
        left = min(0, self._font(size).getbbox(text, anchor="ls")[0])
        ImageDraw.Draw(picture).text((-left, above), text, fill=255, font=self._font(size), anchor="ls")
        return np.asarray(picture)

    def _font(self, size: int) -> ImageFont.FreeTypeFont:
        if size not in self._sized:
            self._sized[size] = ImageFont.truetype(self._path, size)
        return self._sized[size]


@cache
def faces(font: str = "") -> tuple[Face, ...]:
    """Return the fonts at hand, OpenCV's first, then the file ``font``, then DejaVu Sans.

    Raises:
        OSError: ``font`` cannot be read or is no font.
    """
    found: list[Face] = [OpenCvFace()]
    if font:
        found.append(PillowFace(font))
    try:
        found.append(PillowFace(_dejavu()))
    except OSError:
        pass  # what OpenCV lacks is escaped then
    return tuple(found)


def has(sign: str, font: str = "") -> bool:
    """Return whether one of the fonts has ``sign``."""
    return any(face.has(sign) for face in faces(font))


@lru_cache(maxsize=4096)
def parts(text: str, font: str = "") -> tuple[tuple[Face, str], ...]:
    """Return the parts of a line from left to right, each with the font that writes it: one part wherever it can be."""
    backwards = runs_backwards(text)
    usable = sorted(faces(font), key=lambda face: backwards and not face.orders)
    for face in [face for face in usable if face.orders or not backwards] or usable:
        if all(face.has(sign) for sign in text):
            return ((face, text if face.orders else visual(text)),)
    found: list[tuple[Face, str]] = []
    for run, way in runs(text) if first_direction(text) > 0 else reversed(runs(text)):
        split = _split(run, usable if way < 0 else faces(font))
        found += split if way > 0 else split[::-1]
    return tuple((face, part if face.orders else visual(part)) for face, part in found)


def _split(run: str, able: Sequence[Face]) -> list[tuple[Face, str]]:
    """Return the parts of a run of one direction, each with the first font that has it; blanks stay with them."""
    found: list[tuple[Face, str]] = []
    for sign in run:
        having = [face for face in able if face.has(sign)] or [able[0]]
        if found and (found[-1][0] is having[0] or not direction(sign) and found[-1][0] in having):
            found[-1] = (found[-1][0], found[-1][1] + sign)
        else:
            found.append((having[0], sign))
    return found


def _dejavu() -> str:
    """Return the path of DejaVu Sans: matplotlib's, which is not loaded; else its name, for Pillow to look for."""
    name = "DejaVuSans-Bold.ttf"
    package = importlib.util.find_spec("matplotlib")
    if package is None or package.origin is None:
        return name
    path = Path(package.origin).parent / "mpl-data" / "fonts" / "ttf" / name
    return str(path) if path.is_file() else name
