"""A frame to paint on: boxes, polygons, trails and labels, in sizes that suit the frame."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from vtk.report.lettering import fitted, printable, text_width, write
from vtk.report.palette import Colour, ink_on

# Shapes are drawn in sixteenths of a pixel, so that a slow box does not jump from pixel to pixel.
_SHIFT = 4
_FAR = 1 << 14  # pixels; OpenCV's drawing takes 16-bit coordinates


@dataclass(frozen=True, slots=True)
class Style:
    """What is painted, and how large.

    Attributes:
        line: width of lines in pixels.
        letters: height of letters in pixels.
        labels, scores: whether boxes carry their name, and their score.
        trail: seconds that a track's trail reaches back; 0 for none.
    """

    line: int = 2
    letters: int = 14
    labels: bool = True
    scores: bool = True
    trail: float = 2.0

    @staticmethod
    def sizes(width: int, height: int) -> tuple[int, int]:
        """Return the line width and letter height in pixels for a frame.

        They grow more slowly than the frame: a larger frame is looked at on a larger screen. Chosen by eye from
        240 to 2160 pixels.
        """
        side = min(width, height)
        return max(1, round(side / 300)), max(9, round(6 + side * 0.0135))


class Canvas:
    """One frame while it is painted. Labels are kept back so that no box is drawn over them.

    Args:
        image: (H, W, 3) uint8 RGB, painted in place.
        style: what is painted, and how large.
    """

    def __init__(self, image: np.ndarray, style: Style) -> None:
        self.image = image
        self.style = style
        self._labels: list[tuple[str, int, int, Colour, int]] = []
        self._captions: list[tuple[str, Colour]] = []

    def box(self, xyxy: Sequence[float], colour: Colour) -> None:
        """Draw a box, [x1, y1, x2, y2] in pixels."""
        x1, y1, x2, y2 = xyxy
        self.polygon([[x1, y1], [x2, y1], [x2, y2], [x1, y2]], colour)

    def polygon(self, points: Sequence[Sequence[float]], colour: Colour) -> None:
        """Draw a closed polygon, [[x, y], …] in pixels."""
        cv2.polylines(self.image, [_fixed(points)], True, colour, self.style.line, cv2.LINE_AA, _SHIFT)

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
        x, y, bottom = (int(max(-_FAR, min(_FAR, xyxy[k]))) for k in (0, 1, 3))
        self._labels.append((printable(text), x, y, colour, bottom))

    def caption(self, text: str, colour: Colour) -> None:
        """Put ``text``, which is about the whole frame, into its upper left corner."""
        self._captions.append((printable(text), colour))

    def finish(self) -> np.ndarray:
        """Write the labels that were kept back and return the image."""
        pad = self._pad
        height, width = self.image.shape[:2]
        high = self.style.letters + 2 * pad
        taken: list[tuple[int, int, int, int]] = []
        for row, (text, colour) in enumerate(self._captions):
            taken.append(self._plate(text, 2 * pad, 2 * pad + row * (high + pad), colour))
        for text, x, y, colour, bottom in self._labels:
            text = fitted(text, self.style.letters, width - 2 * pad)
            wide = text_width(text, self.style.letters) + 2 * pad
            x = max(0, min(x - self.style.line // 2, width - wide))
            # Above the box, below it, inside it: the first place in the frame that covers no other label.
            tops = [top for top in (y - high, bottom, y) if 0 <= top <= height - high] or [y]
            free = (top for top in tops if not any(_meet((x, top, x + wide, top + high), other) for other in taken))
            taken.append(self._plate(text, x, next(free, tops[0]), colour))
        self._labels, self._captions = [], []
        return self.image

    @property
    def _pad(self) -> int:
        return max(3, round(self.style.letters / 4))

    def _plate(self, text: str, x: int, y: int, colour: Colour) -> tuple[int, int, int, int]:
        """Write ``text`` on a plate at (x, y), its upper left corner, kept in the frame; return its place."""
        pad, size = self._pad, self.style.letters
        height, width = self.image.shape[:2]
        text = fitted(text, size, width - 2 * pad)
        wide, high = text_width(text, size) + 2 * pad, size + 2 * pad
        x, y = max(0, min(x, width - wide)), max(0, min(y, height - high))
        self.image[y:y + high, x:x + wide] = colour
        # Capitals are about 0.7 of the letter height, which centres them on the plate.
        write(self.image, text, x + pad, y + (high + round(0.7 * size)) // 2, size, ink_on(colour))
        return x, y, x + wide, y + high


def _meet(a: tuple[int, int, int, int], b: tuple[int, int, int, int]) -> bool:
    """Return whether two boxes, x1, y1, x2, y2 in pixels, overlap."""
    return a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]


def _fixed(points: Sequence[Sequence[float]] | np.ndarray) -> np.ndarray:
    """Return points as (K, 1, 2) int32 in sixteenths of a pixel, far ones brought near."""
    near = np.clip(np.asarray(points, dtype=np.float64), -_FAR, _FAR)
    return (near * (1 << _SHIFT)).round().astype(np.int32).reshape(-1, 1, 2)
