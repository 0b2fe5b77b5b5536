"""What every text spotter is: pictures in; quadrilaterals, and what stands in them, out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, slots=True)
class Reading:
    """What stands in one crop.

    Attributes:
        text: empty where there is none.
        score: mean of ``characters``, in [0, 1]; 0 without text.
        characters: (L,) float32 in [0, 1], of each character of ``text``.
        spans: (L, 2) float32 in [0, 1], rising: from where to where along the line each character stands.
        feature: (D,) float32 of unit length: how the line looks to the network; the same text looks alike.
    """

    text: str
    score: float
    characters: np.ndarray
    spans: np.ndarray
    feature: np.ndarray


@dataclass(frozen=True, slots=True)
class Found:
    """The texts of one picture, best score first.

    Attributes:
        quads: (N, 4, 2) float32, x, y clockwise from the top left, in pixels of the picture, inside it.
        scores: (N,) float32 in [0, 1].
        read: returns what stands in some of them, by row, in the order asked for.
        more: boxes that were there and are left out, since a picture has a bound.
    """

    quads: np.ndarray
    scores: np.ndarray
    read: Callable[[Sequence[int]], list[Reading]]
    more: int = 0


@dataclass(frozen=True, slots=True)
class Spotter:
    """What finds and reads text.

    Attributes:
        name: as records state it.
        sha256: of its weights, all files together.
        find: finds the texts of each picture, (H, W, 3) uint8 RGB.
        crop: returns the upright crop of a quad (4, 2) of a picture.
        read: reads upright crops; None where the spotter reads only what it has just found.
        joint: whether a feature is learnt from looks, place and words together, and decides alone.
    """

    name: str
    sha256: str
    find: Callable[[Sequence[np.ndarray]], list[Found]]
    crop: Callable[[np.ndarray, np.ndarray], np.ndarray]
    read: Callable[[Sequence[np.ndarray]], Sequence[Reading]] | None
    joint: bool = False
