"""A frame to paint on: boxes, polygons, trails and labels, in sizes that suit the frame."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import cv2
import numpy as np

from vtk.report.lettering import fitted, printable, text_width, wrapped, write
from vtk.report.palette import Colour, ink_on
from vtk.report.placing import Box, Places

# Shapes are drawn in sixteenths of a pixel, so that a slow box does not jump from pixel to pixel.
_SHIFT = 4
_FAR = 1 << 14  # pixels; OpenCV's drawing takes 16-bit coordinates
_WHITE = (255, 255, 255)


@dataclass(frozen=True, slots=True)
class Style:
    """What is painted, and how large.

    Attributes:
        line: width of lines in pixels.
        letters: height of letters in pixels.
        labels, scores: whether boxes carry their name, and their score.
        trail: seconds that a track's trail reaches back; 0 for none.
        font: a font file for letters that the built-in fonts lack; empty for none.
    """

    line: int = 2
    letters: int = 14
    labels: bool = True
    scores: bool = True
    trail: float = 2.0
    font: str = ""

    @staticmethod
    def sizes(width: int, height: int) -> tuple[int, int]:
        """Return the line width and letter height in pixels for a frame.

        They grow more slowly than the frame: a larger frame is looked at on a larger screen. Chosen by eye from
        240 to 2160 pixels.
        """
        side = min(width, height)
        return max(1, round(side / 300)), max(9, round(6 + side * 0.0135))


class _Label(NamedTuple):
    """A label that waits: what it says and names, where it begins above and below, and whether to stay outside."""

    text: str
    box: Box
    corners: tuple[int, int]
    colour: Colour
    outside: bool


class Canvas:
    """One frame while it is painted. Labels and subtitles are kept back so that no box is drawn over them.

    Args:
        image: (H, W, 3) uint8 RGB, painted in place.
        style: what is painted, and how large.
    """

    def __init__(self, image: np.ndarray, style: Style) -> None:
        self.image = image
        self.style = style
        self._labels: list[_Label] = []
        self._captions: list[tuple[str, Colour]] = []
        self._subtitles: list[Sequence[str]] = []
        self._texts: list[Sequence[float]] = []

    def box(self, xyxy: Sequence[float], colour: Colour) -> None:
        """Draw a box, [x1, y1, x2, y2] in pixels."""
        x1, y1, x2, y2 = xyxy
        self.polygon([[x1, y1], [x2, y1], [x2, y2], [x1, y2]], colour)

    def polygon(self, points: Sequence[Sequence[float]], colour: Colour) -> None:
        """Draw a closed polygon, [[x, y], …] in pixels."""
        cv2.polylines(self.image, [_fixed(points)], True, colour, self.style.line, cv2.LINE_AA, _SHIFT)

    def dots(self, points: Sequence[Sequence[float]], colour: Colour) -> None:
        """Draw points, [[x, y], …] in pixels, with a dark rim, so that they show on any skin."""
        radius = (self.style.line + 1) << (_SHIFT - 1)
        for point in _fixed(points)[:, 0].tolist():
            cv2.circle(self.image, point, radius + (1 << _SHIFT), (0, 0, 0), cv2.FILLED, cv2.LINE_AA, _SHIFT)
            cv2.circle(self.image, point, radius, colour, cv2.FILLED, cv2.LINE_AA, _SHIFT)

    def trail(self, points: np.ndarray, colour: Colour, bands: int = 6) -> None:
        """Draw a path that fades towards its beginning.

        Args:
            points: (K, 2) float, x and y in pixels, oldest first.
            colour: of its end.
            bands: steps in which it fades.
        """
        if len(points) < 2:
            return
        count = len(points) - 1
        bands = min(bands, count)
        path = _fixed(points)
        height, width = self.image.shape[:2]
        margin = self.style.line + 2
        for band in range(1, bands + 1):
            part = path[count * (band - 1) // bands:count * band // bands + 1]
            left, top, wide, high = cv2.boundingRect(part)
            x1, y1 = max((left >> _SHIFT) - margin, 0), max((top >> _SHIFT) - margin, 0)
            x2 = min((left + wide >> _SHIFT) + margin, width)
            y2 = min((top + high >> _SHIFT) + margin, height)
            if x1 >= x2 or y1 >= y2:
                continue
            under = self.image[y1:y2, x1:x2]
            over = under.copy()
            corner = np.array([x1 << _SHIFT, y1 << _SHIFT], np.int32)
            cv2.polylines(over, [part - corner], False, colour, self.style.line, cv2.LINE_AA, _SHIFT)
            cv2.addWeighted(over, band / bands, under, 1 - band / bands, 0, dst=under)

    def label(self, text: str, xyxy: Sequence[float], colour: Colour) -> None:
        """Put ``text`` above a box's left corner, inside the frame, once everything else is drawn."""
        x1, y1, x2, y2 = (int(max(-_FAR, min(_FAR, side))) for side in xyxy)
        self._labels.append(_Label(self._printable(text), (x1, y1, x2, y2), (x1, x1), colour, False))

    def transcript(self, text: str, points: Sequence[Sequence[float]], colour: Colour) -> None:
        """Put ``text`` beside a polygon, [[x, y], …] in pixels, above its highest corner if there is room.

        ``keep_clear`` says that no label, this one too, is to cover what it reads.
        """
        near = np.clip(np.asarray(points, np.float64), -_FAR, _FAR)
        x1, y1 = (int(side) for side in np.floor(near.min(axis=0)))
        x2, y2 = (int(side) for side in np.ceil(near.max(axis=0)))
        highest = int(near[near[:, 1] <= y1 + self.style.letters, 0].min())
        lowest = int(near[near[:, 1] >= y2 - self.style.letters, 0].min())
        self._labels.append(_Label(self._printable(text), (x1, y1, x2, y2), (highest, lowest), colour, True))

    def keep_clear(self, xyxy: Sequence[float]) -> None:
        """Let no label cover a box, [x1, y1, x2, y2] in pixels, where there is room elsewhere."""
        self._texts.append(xyxy)

    def caption(self, text: str, colour: Colour) -> None:
        """Put ``text``, which is about the whole frame, into its upper left corner."""
        self._captions.append((self._printable(text), colour))

    def subtitle(self, lines: Sequence[str]) -> None:
        """Put lines at the bottom, centred, wrapped, white with a black outline; a second subtitle above the first."""
        self._subtitles.append([self._printable(line, 2000) for line in lines])

    def finish(self) -> np.ndarray:
        """Write what was kept back and return the image."""
        pad, size, font = self._pad, self.style.letters, self.style.font
        places = Places(self.image.shape[1], self.image.shape[0])
        high = size + 2 * pad
        for row, (text, colour) in enumerate(self._captions):
            places.take(self._plate(text, 2 * pad, 2 * pad + row * (high + pad), colour))
        subtitles = self._laid_out()
        for box in (*(box for _, box, _ in subtitles), *self._texts):
            places.take(box)
        for label in self._labels:
            text = fitted(label.text, size, places.width - 2 * pad, font)
            wide = text_width(text, size, font) + 2 * pad
            above, below = (corner - self.style.line // 2 for corner in label.corners)
            spots = places.around(label.box, (above, below), wide, high, label.outside)
            places.take(self._plate(text, *places.free(spots, wide, high), label.colour))
        for text, (x, y, _, _), letters in subtitles:
            write(self.image, text, x, y + letters, letters, _WHITE, font, outline=max(1, round(letters / 12)))
        self._labels, self._captions, self._subtitles, self._texts = [], [], [], []
        return self.image

    @property
    def _pad(self) -> int:
        return max(3, round(self.style.letters / 4))

    def _printable(self, text: str, limit: int = 120) -> str:
        return printable(text, limit, self.style.font)

    def _laid_out(self) -> list[tuple[str, Box, int]]:
        """Return the lines of the subtitles, their boxes and the height of their letters.

        Letters are smaller where the lines would fill more than a third of the frame; what does not fit in the smallest
        size is left out at the top.
        """
        height, width = self.image.shape[:2]
        size, font = max(10, round(min(height * 0.06, width * 0.045))), self.style.font
        while True:
            lines = [part for block in reversed(self._subtitles) for line in block
                     for part in wrapped(line, size, round(0.9 * width), font)]
            step = round(1.35 * size)
            if len(lines) * step <= height / 3 or size <= 10:
                break
            size = max(10, round(size * 0.85))
        lines = lines[-max(1, round(0.94 * height) // step):] if lines else []
        top = round(0.96 * height) - len(lines) * step
        found = []
        for row, text in enumerate(lines):
            wide = text_width(text, size, font)
            x, y = (width - wide) // 2, top + row * step
            found.append((text, (x, y, x + wide, y + step), size))
        return found

    def _plate(self, text: str, x: int, y: int, colour: Colour) -> Box:
        """Write ``text`` on a plate at (x, y), its upper left corner, kept in the frame; return its place."""
        pad, size, font = self._pad, self.style.letters, self.style.font
        height, width = self.image.shape[:2]
        text = fitted(text, size, width - 2 * pad, font)
        wide, high = text_width(text, size, font) + 2 * pad, size + 2 * pad
        x, y = max(0, min(x, width - wide)), max(0, min(y, height - high))
        self.image[y:y + high, x:x + wide] = colour
        # Capitals are about 0.7 of the letter height, which centres them on the plate.
        write(self.image, text, x + pad, y + (high + round(0.7 * size)) // 2, size, ink_on(colour), font)
        return x, y, x + wide, y + high


def _fixed(points: Sequence[Sequence[float]] | np.ndarray) -> np.ndarray:
    """Return points as (K, 1, 2) int32 in sixteenths of a pixel, far ones brought near."""
    near = np.clip(np.asarray(points, dtype=np.float64), -_FAR, _FAR)
    return (near * (1 << _SHIFT)).round().astype(np.int32).reshape(-1, 1, 2)
