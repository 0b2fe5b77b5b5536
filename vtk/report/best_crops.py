"""The crops that show a group of boxes best: few, of many tracks and moments, on disk while they are looked for."""

from __future__ import annotations

import os
import tempfile
from collections import Counter
from dataclasses import dataclass, field
from itertools import pairwise

import cv2
import numpy as np

from vtk.errors import VtkError

MOMENT = 1.0  # seconds of a track that one crop stands for
POORER = 0.5  # a crop of another moment may be so much worse than the one whose place it takes
WIDEST = 2  # a crop is at most so many times as wide as the height that crops are shown at
LARGEST = 3.0  # a crop is enlarged so many times at most


@dataclass(frozen=True, slots=True)
class Crop:
    """One crop that is kept.

    Attributes:
        worth: how well it shows what is in it, in [0, 1].
        source, track: of what it is; ``track`` is None where nobody follows it.
        t: seconds.
        slot: where its pixels are.
        shape: (h, w) of them.
    """

    worth: float
    source: str
    track: int | None
    t: float
    slot: int
    shape: tuple[int, int]

    @property
    def of(self) -> tuple[str, int | None]:
        """The track that it is of."""
        return self.source, self.track


@dataclass(slots=True)
class Group:
    """What is known of one group: its best crops, how many boxes it has, and of which tracks."""

    crops: list[Crop] = field(default_factory=list)
    boxes: int = 0
    tracks: set[tuple[str, int | None]] = field(default_factory=set)

    @property
    def sources(self) -> int:
        """How many sources it was seen in."""
        return len({source for source, _ in self.tracks})

    def place(self, worth: float, of: tuple[str, int | None], t: float, most: int) -> int | None:
        """Return where a crop belongs: the crop that it takes the place of, the end, or None where it is not wanted.

        Of each MOMENT of a track there is one crop, or of a video where nobody follows; boxes of a still picture do not
        compete. Where there are ``most``, a track with fewer than the others takes a place from the one that has most.
        Else of the track's two that are nearest in time the worse goes: it is shown from its beginning to its end.
        """
        if of[1] is not None or t > 0:
            same = [place for place, crop in enumerate(self.crops) if crop.of == of and crop.t // MOMENT == t // MOMENT]
            if same:
                return same[0] if worth > self.crops[same[0]].worth else None
        if len(self.crops) < most:
            return len(self.crops)
        counts = Counter(crop.of for crop in self.crops)
        crowded = max(counts.values())
        if counts[of] + 1 < crowded:
            rivals = [place for place, crop in enumerate(self.crops) if counts[crop.of] == crowded]
            return min(rivals, key=lambda place: self.crops[place].worth)
        if counts[of]:
            return self._thinned(worth, of, t)
        worst = min(range(len(self.crops)), key=lambda place: self.crops[place].worth)
        return worst if worth > self.crops[worst].worth else None

    def _thinned(self, worth: float, of: tuple[str, int | None], t: float) -> int | None:
        """Return which crop of a track goes for one more: the worse of the two that are nearest in time."""
        mine = sorted([(crop.t, crop.worth, place) for place, crop in enumerate(self.crops) if crop.of == of]
                      + [(t, worth, -1)])
        _, least, place = min((round(after[0] - before[0], 3), *min(before[1:], after[1:]))
                              for before, after in pairwise(mine))
        return place if place >= 0 and worth > POORER * least else None


class Pixels:
    """Crops of one height, on disk.

    Args:
        height: of crops in pixels.
    """

    def __init__(self, height: int) -> None:
        self.height = height
        self._room = height * WIDEST * height * 3
        self._slots = 0
        self._file = tempfile.TemporaryFile(prefix="vtk-sheet-", buffering=0)

    def slot(self) -> int:
        """Return a new slot."""
        self._slots += 1
        return self._slots - 1

    def write(self, slot: int, crop: np.ndarray) -> tuple[int, int]:
        """Keep a crop (h, w, 3) uint8, scaled to be shown; return its height and width.

        Raises:
            VtkError: E_SPOOL, there is no room on disk.
        """
        small = fitted_crop(crop, self.height)
        try:
            os.pwrite(self._file.fileno(), small.tobytes(), slot * self._room)
        except OSError as error:
            raise VtkError(f"cannot keep crops in {tempfile.gettempdir()}: {error.strerror}; TMPDIR names another "
                           "folder", code="E_SPOOL") from None
        return small.shape[0], small.shape[1]

    def read(self, crop: Crop) -> np.ndarray:
        """Return the pixels of a crop, (h, w, 3) uint8."""
        height, width = crop.shape
        data = os.pread(self._file.fileno(), height * width * 3, crop.slot * self._room)
        return np.frombuffer(data, np.uint8).reshape(height, width, 3)

    def close(self) -> None:
        """Let go of the disk."""
        self._file.close()


def fitted_crop(crop: np.ndarray, height: int) -> np.ndarray:
    """Return a crop (h, w, 3) uint8 in its own proportions, ``height`` high or WIDEST times as wide at most."""
    ratio = min(height / crop.shape[0], WIDEST * height / crop.shape[1], LARGEST)
    wide, high = (max(1, round(side * ratio)) for side in (crop.shape[1], crop.shape[0]))
    kind = cv2.INTER_AREA if ratio < 1 else cv2.INTER_CUBIC
    return cv2.resize(crop, (min(WIDEST * height, wide), min(height, high)), interpolation=kind)
