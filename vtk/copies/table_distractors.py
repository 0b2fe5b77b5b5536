"""Hours of frames that nothing was copied from: a camera that moves over still pictures, shot after shot.

These are no films. Each shot shows one picture of those given, a window of it that drifts and grows or shrinks, now
and then mirrored, in other light; a second of it is a frame. What a search meets is their number and their variety:
as many scenes as pictures, each in several shots. Neighbouring frames are as alike as those of a slow shot.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from vtk.copies.edits import recolour
from vtk.media.image import load
from vtk.media.names import IMAGE_SUFFIXES

FRAMES = 600  # of a video, one a second: ten minutes
_SHOT = (3, 10)  # frames of a shot, both included
_SIDE = (0.55, 0.95)  # of the window, in shares of the picture's
_SIZE = (320, 240)  # pixels of a frame: descriptors see 224 at most
NAME = "distractor:"  # before a number, the name of such a video


@dataclass(frozen=True, slots=True)
class Distractors:
    """Videos of ten minutes that are drawn from pictures by a seed.

    Attributes:
        pictures: paths.
        count: of videos.
        seed: another one makes others.
    """

    pictures: tuple[Path, ...]
    count: int
    seed: int = 0

    @property
    def names(self) -> list[str]:
        """What the videos are called."""
        return [f"{NAME}{number}" for number in range(self.count)]

    def frames(self, number: int) -> Iterator[np.ndarray]:
        """Yield the FRAMES pictures (240, 320, 3) uint8 RGB of video ``number``."""
        rng, left = np.random.default_rng([self.seed, number]), FRAMES
        while left:
            length = min(left, int(rng.integers(_SHOT[0], _SHOT[1] + 1)))
            yield from _shot(_opened(self.pictures[rng.integers(len(self.pictures))]), length, rng)
            left -= length


def drawn(folders: Sequence[Path], hours: float, seed: int = 0) -> Distractors:
    """Return as many videos as ``hours`` need, of the pictures in ``folders`` and in folders within.

    Raises:
        ValueError: there is no picture, and hours are wanted.
    """
    pictures = tuple(sorted(path for folder in folders for path in folder.rglob("*")
                            if path.suffix.lower() in IMAGE_SUFFIXES))  # fmt: skip
    count = int(np.ceil(hours * 3600 / FRAMES))
    if count and not pictures:
        raise ValueError(f"pictures: got none in {[str(folder) for folder in folders]}, expected some to make "
                         f"{hours:g} hours of")  # fmt: skip
    return Distractors(pictures, count, seed)


def _opened(path: Path) -> np.ndarray:
    """Return a picture with a short side of 320 pixels at most: more is not seen."""
    image = load(str(path))[0]
    ratio = min(1.0, _SIZE[0] / min(image.shape[:2]))
    width, height = max(1, round(image.shape[1] * ratio)), max(1, round(image.shape[0] * ratio))
    return cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA) if ratio < 1 else image


def _shot(image: np.ndarray, length: int, rng: np.random.Generator) -> Iterator[np.ndarray]:
    """Yield ``length`` frames of a window that goes over a picture."""
    height, width = image.shape[:2]
    if rng.random() < 0.5:
        image = image[:, ::-1]
    image = recolour(np.ascontiguousarray(image), rng.uniform(0.9, 1.1, 3).tolist(), rng.uniform(0.8, 1.2),
                     rng.uniform(-0.05, 0.05))  # fmt: skip
    sides, corners = rng.uniform(*_SIDE, 2), rng.uniform(0, 1, (2, 2))
    for share in np.linspace(0, 1, length):
        side = sides[0] + (sides[1] - sides[0]) * share
        x, y = (corners[0] + (corners[1] - corners[0]) * share) * (1 - side)
        left, top = int(x * width), int(y * height)
        window = image[top : top + max(1, int(side * height)), left : left + max(1, int(side * width))]
        yield cv2.resize(window, _SIZE, interpolation=cv2.INTER_AREA)
