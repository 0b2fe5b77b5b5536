"""What a box shows of a frame: with room around it, squared, and in the size that is wanted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

FITS = ("long", "short", "pad", "stretch")


@dataclass(frozen=True, slots=True)
class Cut:
    """How boxes are cut out of frames.

    Attributes:
        margin: how much is added on each side, as a share of the box's width and height.
        square: whether the shorter side is lengthened to the longer one.
        side: pixels to scale to; None keeps what the source has.
        fit: which side that is: ``long``, ``short``; ``pad`` the long one, with black to side × side; ``stretch``
            both.
    """

    margin: float = 0.0
    square: bool = False
    side: int | None = None
    fit: str = "long"

    def of(self, image: np.ndarray, box: Sequence[float]) -> tuple[np.ndarray, list[int]] | None:
        """Return what ``box`` shows, (h, w, 3) uint8, and the window that was cut; None where that is nothing.

        Args:
            image: (H, W, 3) uint8.
            box: xyxy in pixels of ``image``.

        Returns:
            pixels, and [x1, y1, x2, y2) in whole pixels of ``image``. Of a square that does not fit into the frame
            beside its box the window lies aside of the box's centre; what is larger than the frame is black there,
            and the window reaches beyond the frame.
        """
        height, width = image.shape[:2]
        window = self.window(box, width, height)
        left, top, right, bottom = window
        inside = image[max(0, top) : max(0, bottom), max(0, left) : max(0, right)]
        if not inside.size:
            return None
        if inside.shape[:2] != (bottom - top, right - left):
            inside = cv2.copyMakeBorder(inside, max(0, -top), max(0, bottom - height), max(0, -left),
                                        max(0, right - width), cv2.BORDER_CONSTANT)
        return self._scaled(inside), window

    def window(self, box: Sequence[float], width: int, height: int) -> list[int]:
        """Return the window of a box in a frame of ``width`` × ``height`` pixels, in whole pixels."""
        x1, y1, x2, y2 = box
        across, down = (x2 - x1) * self.margin, (y2 - y1) * self.margin
        left, top, right, bottom = x1 - across, y1 - down, x2 + across, y2 + down
        if not self.square:
            return [max(0, round(left)), max(0, round(top)), min(width, round(right)), min(height, round(bottom))]
        if right <= 0 or bottom <= 0 or left >= width or top >= height:  # moved inside it would show something else
            return [0, 0, 0, 0]
        side = max(1, round(max(right - left, bottom - top)))
        x, y = (_placed((low + high - side) / 2, side, most)
                for low, high, most in ((left, right, width), (top, bottom, height)))
        return [x, y, x + side, y + side]

    def _scaled(self, crop: np.ndarray) -> np.ndarray:
        """Return the crop in the size that is wanted."""
        if self.side is None:
            return crop
        height, width = crop.shape[:2]
        ratio = self.side / (min if self.fit == "short" else max)(height, width)
        size = ((self.side, self.side) if self.fit == "stretch"
                else (max(1, round(width * ratio)), max(1, round(height * ratio))))
        if size != (width, height):
            kind = cv2.INTER_AREA if ratio < 1 else cv2.INTER_CUBIC
            crop = cv2.resize(crop, size, interpolation=kind)
        if self.fit != "pad":
            return crop
        over, beside = self.side - crop.shape[0], self.side - crop.shape[1]
        return cv2.copyMakeBorder(crop, over // 2, over - over // 2, beside // 2, beside - beside // 2,
                                  cv2.BORDER_CONSTANT)


def _placed(start: float, side: int, most: int) -> int:
    """Return where a span of ``side`` pixels begins that lies inside ``most`` where it can, in the middle where not."""
    if side > most:
        return (most - side) // 2
    return min(max(0, round(start)), most - side)
