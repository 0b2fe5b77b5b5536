"""PP-OCR's text detector: pictures in, quadrilaterals of text lines out."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np

from vtk.kernels.normalize import normalize
from vtk.media.sampling import Size
from vtk.models.runtime import Net
from vtk.models.text_boxes import Db, Rectangles, find_boxes
from vtk.models.zoo import Input

STRIDE = 32  # sides of the net's input are multiples of it
LONGEST = 4  # long side over short side up to which a picture goes through the net in one piece
MAX_PIECES = 64  # of a longer one, which is made smaller beyond
MAX_ENLARGED = 4.0  # a small picture grows no more than this


@dataclass(frozen=True, slots=True)
class Layout:
    """How a picture goes through the net.

    Attributes:
        width, height: in pixels, that the picture is resized to: multiples of STRIDE.
        window: length in pixels of the pieces along the longer side; the longer side itself where it is one piece.
        starts: of the pieces along the longer side, in pixels.
    """

    width: int
    height: int
    window: int
    starts: tuple[int, ...]

    @property
    def canvas(self) -> tuple[int, int]:
        """(height, width) of one piece."""
        if self.width >= self.height:
            return self.height, self.window
        return self.window, self.width


class TextDetector:
    """Finds text in pictures; stateless, so that sources share it.

    Attributes:
        size: the size that it likes pictures in; others it resizes.
        batch: how many pictures a call takes at best.
        precision: what it computes in.
    """

    def __init__(self, net: Net, takes: Input, long_side: int, how: Db = Db()) -> None:
        self.size = Size("long", long_side)
        self.batch, self.precision = net.batch, net.precision
        self._net, self._input, self._long_side = net, takes, long_side
        self._how = how

    def find(self, images: Sequence[np.ndarray]) -> list[Rectangles]:
        """Return the text boxes of each picture, best score first, at most ``Db.max_boxes``.

        Args:
            images: (H, W, 3) uint8 RGB each, of any and different sizes.

        Returns:
            Of each picture the rectangles, in its pixels, inside it, and how many more there were.

        Raises:
            ValueError: a picture is not (H, W, 3) uint8, or is empty.
        """
        layouts = [self._layout_of(image, index) for index, image in enumerate(images)]
        found: list[Rectangles] = []
        start = 0
        for end in range(1, len(images) + 1):
            # One call of the net for neighbours of one layout; a picture's own never depends on the others.
            if end == len(images) or layouts[end] != layouts[start]:
                maps = self._maps(images[start:end], layouts[start])
                found += [self._finish(map_, image) for map_, image in zip(maps, images[start:end], strict=True)]
                start = end
        return found

    def _layout_of(self, image: np.ndarray, index: int) -> Layout:
        if image.ndim != 3 or image.shape[2] != 3 or image.dtype != np.uint8 or image.size == 0:
            raise ValueError(f"images[{index}]: got {image.shape} {image.dtype}, expected (H, W, 3) uint8 RGB")
        return layout(image.shape[1], image.shape[0], self._long_side)

    def _maps(self, images: Sequence[np.ndarray], plan: Layout) -> list[np.ndarray]:
        """Return the probability map (height, width) float32 in [0, 1] of each of ``images``, all of one layout."""
        small = [_resized(image, plan.width, plan.height) for image in images]
        if len(plan.starts) == 1:
            return [output[0] for output in self._net(self._prepare(small, plan))[0]]
        return [self._stitched(image, plan) for image in small]

    def _stitched(self, image: np.ndarray, plan: Layout) -> np.ndarray:
        """Return the map of a long picture, joined in the middle of what its pieces share: no line breaks there."""
        tall = plan.height > plan.width
        whole = np.empty((plan.height, plan.width), np.float32)
        along, target = (image.swapaxes(0, 1), whole.T) if tall else (image, whole)
        done = 0
        for index, start in enumerate(plan.starts):
            piece = image[start : start + plan.window] if tall else along[:, start : start + plan.window]
            output = self._net(self._prepare([np.ascontiguousarray(piece)], plan))[0][0, 0]
            last = index == len(plan.starts) - 1
            end = start + plan.window
            stop = end if last else (plan.starts[index + 1] + end) // 2
            target[:, done:stop] = (output.T if tall else output)[:, done - start : stop - start]
            done = stop
        return whole

    def _prepare(self, images: Sequence[np.ndarray], plan: Layout) -> np.ndarray:
        takes = self._input
        return normalize(images, *plan.canvas, scale=takes.scale, mean=takes.mean, std=takes.std,
                         bgr=takes.colour == "bgr")  # fmt: skip

    def _finish(self, probability: np.ndarray, image: np.ndarray) -> Rectangles:
        """Return the boxes of a map in pixels of its picture."""
        found = find_boxes(probability, self._how)
        height, width = image.shape[:2]
        scale = np.array([width / probability.shape[1], height / probability.shape[0]], np.float32)
        return replace(found, quads=np.clip(found.quads * scale, 0, np.array([width, height], np.float32)))


def layout(width: int, height: int, long_side: int) -> Layout:
    """Return how a picture of ``width`` × ``height`` pixels goes through the net.

    Its long side becomes ``long_side``. A picture longer than ``LONGEST`` to 1 keeps its short side at
    ``long_side / LONGEST`` instead and goes in pieces, at most ``MAX_PIECES``.
    """
    long, short = max(width, height), min(width, height)
    scale = max(long_side / long, long_side / LONGEST / short)
    overlap = long_side // LONGEST // STRIDE * STRIDE
    step = long_side - overlap
    scale = min(scale, MAX_ENLARGED, (overlap + MAX_PIECES * step) / long)
    across, down = (max(STRIDE, round(int(side * scale) / STRIDE) * STRIDE) for side in (width, height))
    length = max(across, down)
    if length <= long_side:
        return Layout(across, down, length, (0,))
    # The last piece ends where the picture ends, so that all are of one size.
    count = math.ceil((length - overlap) / step)
    return Layout(across, down, long_side, (*range(0, (count - 1) * step, step), length - long_side))


def _resized(image: np.ndarray, width: int, height: int) -> np.ndarray:
    """Return ``image`` at ``width`` × ``height``; averaged where it shrinks by more than half."""
    if image.shape[:2] == (height, width):
        return image
    shrinks = image.shape[0] > 2 * height or image.shape[1] > 2 * width
    return cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR)
