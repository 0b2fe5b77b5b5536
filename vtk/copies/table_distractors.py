"""Hours of frames that nothing was copied from: a camera that moves over still pictures, shot after shot.

These are no films. Each shot shows one picture of those given, a window of it that drifts and grows or shrinks, now
and then mirrored, in other light; a second of it is a frame. What a search meets is their number and their variety:
as many scenes as pictures. Neighbouring frames are as alike as those of a slow shot. One video in LOOPS is drawn so;
the others are its shots in another order, their vectors moved a little, as another encoding would move them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import cv2
import numpy as np

from vtk.copies.edits import recolour
from vtk.media.image import load
from vtk.media.names import IMAGE_SUFFIXES

FRAMES = 600  # of a video, one a second: ten minutes
LOOPS = 4
NAME = "distractor:"  # before a number, the name of such a video
_SHOT = (3, 10)  # frames of a shot, both included
_SIDE = (0.55, 0.95)  # of the window, in shares of the picture's
_SIZE = (320, 240)  # pixels of a frame: descriptors see 224 at most
_MOVED = 0.2  # length of what is added to a vector of unit length: its cosine with what it was is 0.98


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
    def drawn(self) -> range:
        """The numbers of the videos whose frames are drawn; the others are loops of these."""
        return range(-(-self.count // LOOPS))

    def frames(self, number: int) -> Iterator[np.ndarray]:
        """Yield the FRAMES pictures (240, 320, 3) uint8 RGB of video ``number`` of those that are drawn."""
        rng = np.random.default_rng([self.seed, number, 0])
        for length in self._lengths(number):
            yield from _shot(_opened(self.pictures[rng.integers(len(self.pictures))]), length, rng)

    def loops(self, number: int) -> Iterator[tuple[str, np.ndarray]]:
        """Yield the name of each video that is made of the drawn one ``number``, and its frames' numbers there.

        The first is it as it was drawn.
        """
        shots = np.split(np.arange(FRAMES), np.cumsum(self._lengths(number))[:-1])
        rng = np.random.default_rng([self.seed, number, 2])
        for name in islice((f"{NAME}{at}" for at in range(number, self.count, len(self.drawn))), LOOPS):
            yield name, np.concatenate(shots)
            shots = [shots[at] for at in rng.permutation(len(shots))]

    def moved(self, vectors: np.ndarray, name: str) -> np.ndarray:
        """Return (N, D) float32 vectors of unit length moved a little, zeros as they are."""
        rng = np.random.default_rng([self.seed, int(name.removeprefix(NAME)), 3])
        out = vectors + rng.standard_normal(vectors.shape, np.float32) * np.float32(_MOVED / vectors.shape[1] ** 0.5)
        return np.where(vectors.any(axis=1, keepdims=True), out / np.linalg.norm(out, axis=1, keepdims=True), vectors)

    def _lengths(self, number: int) -> list[int]:
        """Return the frames of each shot of a drawn video."""
        rng, lengths = np.random.default_rng([self.seed, number, 1]), list[int]()
        while (left := FRAMES - sum(lengths)) > 0:
            lengths.append(min(left, int(rng.integers(_SHOT[0], _SHOT[1] + 1))))
        return lengths


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
