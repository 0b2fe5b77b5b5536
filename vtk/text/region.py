"""The part of the picture in which text is looked for."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from vtk.errors import UsageError, VtkError

# Shares of a region's shorter side that is looked at around it, so that a text on its edge is seen as it is and its
# centre lies where it does.
MARGIN = 1 / 8

WANTED = "x1,y1,x2,y2 in pixels or percent of the picture, x1 < x2 and y1 < y2, are needed, such as 0%,70%,100%,100%"


@dataclass(frozen=True, slots=True)
class Area:
    """A region of a picture of known size.

    Attributes:
        box: left, top, right and bottom in pixels, in which the centre of a text lies.
        cut: the same of what is looked at, whole pixels: the box and a margin.
    """

    box: tuple[float, float, float, float]
    cut: tuple[int, int, int, int]

    @property
    def offset(self) -> tuple[int, int]:
        """Where in the picture the first pixel of what is looked at stands, x and y."""
        return self.cut[:2]

    def crop(self, image: np.ndarray) -> np.ndarray:
        """Return what is looked at of a picture (H, W, 3), C-contiguous."""
        left, top, right, bottom = self.cut
        return np.ascontiguousarray(image[top:bottom, left:right])

    def holds(self, quads: np.ndarray) -> np.ndarray:
        """Tell of quads (N, 4, 2), in pixels of the crop, whether their centres lie in the region: (N,) bool."""
        centres = quads.mean(axis=1) + self.offset
        return ((centres >= self.box[:2]) & (centres < self.box[2:])).all(axis=1)


@dataclass(frozen=True, slots=True)
class Region:
    """A region of pictures of any size.

    Attributes:
        edges: x1, y1, x2, y2, each in pixels from the top left, or in percent of the picture's width or height.
        percent: which of them are percent.
    """

    edges: tuple[float, ...]
    percent: tuple[bool, ...]

    @classmethod
    def parse(cls, text: str) -> Region:
        """Return the region that ``x1,y1,x2,y2`` names, each in pixels, or in percent with a % behind it.

        Raises:
            UsageError: it is none.
        """
        parts = [part.strip() for part in text.split(",")]
        percent = tuple(part.endswith("%") for part in parts)
        try:
            edges = tuple(float(part.removesuffix("%")) for part in parts)
        except ValueError:
            edges = ()
        wrong = len(edges) != 4 or not all(
            math.isfinite(edge) and 0 <= edge <= (100 if share else math.inf)
            for edge, share in zip(edges, percent, strict=True))
        if wrong or any(percent[k] == percent[k + 2] and edges[k] >= edges[k + 2] for k in (0, 1)):
            raise UsageError(f"--region {text}: {WANTED}")
        return cls(edges, percent)

    def __str__(self) -> str:
        """Return it as it is given."""
        return ",".join(f"{edge:g}{'%' if share else ''}" for edge, share in zip(self.edges, self.percent, strict=True))

    def of(self, width: int, height: int) -> Area:
        """Return the region in a picture of ``width`` × ``height`` pixels; what reaches out of it is left out.

        Raises:
            VtkError: nothing of it lies in the picture.
        """
        sides = (width, height, width, height)
        edges = [min(edge * side / 100 if share else edge, side)
                 for edge, share, side in zip(self.edges, self.percent, sides, strict=True)]
        left, top, right, bottom = edges
        if right <= left or bottom <= top:
            raise VtkError(f"--region {self}: nothing of it lies in the picture, which has {width} × {height} pixels; "
                           "give it in percent for pictures of several sizes", code="E_REGION")
        margin = MARGIN * min(right - left, bottom - top)
        cut = (max(0, math.floor(left - margin)), max(0, math.floor(top - margin)),
               min(width, math.ceil(right + margin)), min(height, math.ceil(bottom + margin)))
        return Area((left, top, right, bottom), cut)
