"""Parts of frames, described one by one: what was cut out of a picture, or shown small in another, is found by them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from vtk.copies.descriptors import Descriptor
from vtk.errors import UsageError

# By name [x1, y1, x2, y2] in shares of the width and the height. The first is the whole.
CROPS = {
    "whole": (0.0, 0.0, 1.0, 1.0),
    "centre": (0.15, 0.15, 0.85, 0.85),
    "left": (0.0, 0.0, 0.5, 1.0), "right": (0.5, 0.0, 1.0, 1.0),
    "top": (0.0, 0.0, 1.0, 0.5), "bottom": (0.0, 0.5, 1.0, 1.0),
    "top-left": (0.0, 0.0, 0.5, 0.5), "top-right": (0.5, 0.0, 1.0, 0.5),
    "bottom-left": (0.0, 0.5, 0.5, 1.0), "bottom-right": (0.5, 0.5, 1.0, 1.0),
}  # fmt: skip
GROUPS = {
    "halves": ("left", "right", "top", "bottom"),
    "quadrants": ("top-left", "top-right", "bottom-left", "bottom-right"),
}


def read_crops(text: str) -> tuple[str, ...]:
    """Return the names of the crops in comma-separated ``text``, halves and quadrants spelt out, the whole first.

    Raises:
        UsageError: there is no such crop.
    """
    names = ["whole"]
    for word in filter(None, text.split(",")):
        if word not in CROPS and word not in GROUPS:
            raise UsageError(f"crops '{text}': there is no '{word}'; it is one of {', '.join([*GROUPS, *CROPS])}")
        names += [name for name in GROUPS.get(word, (word,)) if name not in names]
    return tuple(names)


def cut(frame: np.ndarray, name: str) -> np.ndarray:
    """Return the part ``name`` of a frame (H, W, 3), a view of a pixel at least."""
    height, width = frame.shape[:2]
    x1, y1, x2, y2 = CROPS[name]
    left, top = min(width - 1, round(x1 * width)), min(height - 1, round(y1 * height))
    return frame[top : max(top + 1, round(y2 * height)), left : max(left + 1, round(x2 * width))]


class MultiCrop:
    """A descriptor of several crops of a frame.

    Attributes:
        descriptor: of each of them.
        crops: their names, the whole first.
    """

    def __init__(self, descriptor: Descriptor, crops: Sequence[str] = tuple(CROPS)) -> None:
        """Describe ``crops``, names of CROPS.

        Raises:
            ValueError: the first is not the whole, or there is no such crop.
        """
        if list(crops[:1]) != ["whole"] or not set(crops) <= set(CROPS):
            raise ValueError(f"crops: got {tuple(crops)}, expected the whole, then others of {', '.join(CROPS)}")
        self.descriptor, self.crops = descriptor, tuple(crops)

    def describe(self, frames: Sequence[np.ndarray]) -> np.ndarray:
        """Return (N, C, D) float32 of unit length, or zeros, for the C crops of each frame; see ``Descriptor``."""
        vectors = self.descriptor.describe([cut(frame, name) for frame in frames for name in self.crops])
        return vectors.reshape(len(frames), len(self.crops), self.descriptor.dimensions)

    def scores(self, queries: np.ndarray, references: np.ndarray) -> np.ndarray:
        """Return (Q, R) float32 in [0, 1], how alike the whole of one frame and any crop of the other are at most.

        Crops are not compared with crops: two quadrants of sky would be a copy.

        Args:
            queries: (Q, C, D) as ``describe`` gives them.
            references: (R, C, D).
        """
        found = self._against(queries[:, 0], references)
        return np.maximum(found, self._against(references[:, 0], queries).T)

    def _against(self, wholes: np.ndarray, others: np.ndarray) -> np.ndarray:
        """Return (A, B) float32, the best score of each whole (A, D) with a crop of each of the others (B, C, D)."""
        count, crops, dimensions = others.shape
        scores = self.descriptor.scores(wholes, others.reshape(count * crops, dimensions))
        return scores.reshape(len(wholes), count, crops).max(axis=2, initial=0)
