"""The best views of a text: the few crops that are worth reading, and what was read of them."""

from __future__ import annotations

from dataclasses import dataclass, field

import cv2
import numpy as np

# Views kept for each text.
VIEWS = 5
# Seconds between views of one text: neighbouring frames blur alike.
APART = 0.3
# Parts of a line whose sharpness is measured.
STRIPS = 8


@dataclass(frozen=True, slots=True)
class View:
    """One crop of a text.

    Attributes:
        worth: how good it is to read: sharpness × length.
        frame, t: where it was taken.
        quad: (4, 2) float32 in source pixels.
        crop: (h, w, 3) uint8 RGB, upright.
        reading: the text, the score of each character, in [0, 1]; None: not read yet.
    """

    worth: float
    frame: int
    t: float
    quad: np.ndarray
    crop: np.ndarray
    reading: tuple[str, np.ndarray] | None = None


@dataclass(slots=True)
class Views:
    """The best views of one text, best first."""

    kept: list[View] = field(default_factory=list)

    def wants(self, worth: float, t: float) -> bool:
        """Return whether a view would be kept."""
        near = [view for view in self.kept if abs(view.t - t) < APART]
        if near:
            return worth > max(view.worth for view in near)
        return len(self.kept) < VIEWS or worth > self.kept[-1].worth

    def add(self, view: View) -> None:
        """Keep a view if it is among the best, and better than those of the same moment."""
        if not self.wants(view.worth, view.t):
            return
        apart = [other for other in self.kept if abs(other.t - view.t) >= APART]
        self.kept = sorted([*apart, view], key=lambda each: (-each.worth, each.frame))[:VIEWS]


def worth_of(crop: np.ndarray) -> float:
    """Return how good an upright crop (h, w, 3) uint8 is to read: how sharp it is × its length.

    Sharp is the deviation of the Laplacian in the middling one of STRIPS parts along the line: what covers some of the
    text, such as leaves, may be sharper than any letter. A text that is hidden in part is found shorter.
    """
    gray = cv2.cvtColor(crop, cv2.COLOR_RGB2GRAY)
    edges = cv2.Laplacian(gray, cv2.CV_32F)
    height, width = gray.shape
    if height > width:
        edges, width = edges.T, height
    strips = np.array_split(edges, min(STRIPS, width), axis=1)
    return float(np.median([strip.std() for strip in strips])) * width
