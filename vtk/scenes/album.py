"""Pictures of a film that may be looked at once the shot that they are of is known; few however long it is."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from vtk.scenes.shots import CHUNK, HORIZON, LOOKBACK, PATIENCE

# Seconds from a picture to the next where little happens, and where something does.
APART, SOON = 0.5, 0.1
# Mean absolute difference of all channels, of 255, that something happens from, and that a shot may begin with.
# Of pictures that a hard cut parts 97 % differ by more than ``MUCH`` in the films that ``vtk.scenes.bench`` makes.
SOME, MUCH = 8.0, 20.0
# Seconds and frames after which it is known where a shot ends, but for its least length.
LATE, LATE_FRAMES = HORIZON + LOOKBACK + PATIENCE + 1.0, 2 * CHUNK
# Pictures that are held beside those of one long shot: of 256 pixels a side some 40 MB.
MOST = 96


@dataclass(frozen=True, slots=True)
class Picture:
    """A frame that was kept.

    Attributes:
        index: its number.
        t: its second.
        image: (H, W, 3) uint8 RGB.
        number: of the frames that came before it.
    """

    index: int
    t: float
    image: np.ndarray
    number: int = 0


class Album:
    """Keeps pictures of the shots that are not over yet: two a second, and one wherever the picture changed much.

    Args:
        most: pictures that are looked at of a shot.
        late, late_frames: seconds and frames after which the shot of a picture is known; what is older and not taken is
            all of one shot, and thinned.

    Raises:
        ValueError: ``most`` is not positive.
    """

    def __init__(self, most: int, late: float = LATE, late_frames: int = LATE_FRAMES) -> None:
        if most < 1:
            raise ValueError(f"most: got {most}, expected 1 or more")
        self._most, self._late, self._late_frames = most, late, late_frames
        self._came = 0
        self._kept: list[Picture] = []
        self._small: np.ndarray | None = None
        self._t = 0.0

    def __len__(self) -> int:
        return len(self._kept)

    def due(self, t: float) -> bool:
        """Return whether a frame at ``t`` seconds is kept whatever it shows: others need not be shown."""
        return self._small is None or t - self._t >= APART

    def add(self, index: int, t: float, small: np.ndarray, large: Callable[[], np.ndarray]) -> bool:
        """Keep a frame where it is worth it, and return whether it is.

        Args:
            index: its number, higher than that of the frame before.
            t: its second.
            small: (h, w, 3) uint8 RGB, of one size throughout, by which frames are compared.
            large: gives the picture to keep; called only where it is.
        """
        self._came += 1
        if self._small is not None and not _worth(t - self._t, small, self._small):
            return False
        self._kept.append(Picture(index, t, large(), self._came - 1))
        self._small, self._t = small, t
        self._thin(t)
        return True

    def take(self, start: int, end: int, clear: tuple[int, int]) -> list[Picture]:
        """Return pictures of a shot, spread evenly, and forget all that are of it or before it.

        Args:
            start, end: its half-open span of frames.
            clear: that without gradual transitions, preferred.

        Returns:
            1 to ``most`` pictures; the one nearest to the shot where none was kept of it, none where none was kept.
        """
        low, high = clear
        inside = ([each for each in self._kept if low <= each.index < high]
                  or [each for each in self._kept if start <= each.index < end]
                  or sorted(self._kept, key=lambda each: abs(2 * each.index - start - end))[:1])
        later = [each for each in self._kept if each.index >= end]
        if not later:  # the next frame is of what follows: it is kept, whatever it shows
            self._small = None
        self._kept = later or self._kept[-1:]
        return spread(inside, self._most)

    def _thin(self, now: float) -> None:
        """Thin what is old, and where that is not enough what lies closest."""
        old = sum(each.t < now - self._late and each.number < self._came - self._late_frames for each in self._kept)
        if old > 2 * self._most:
            self._kept[:old] = spread(self._kept[:old], self._most)
        elif len(self._kept) > MOST + 2 * self._most:
            gaps = [after.t - before.t for before, after in zip(self._kept[:-2], self._kept[2:], strict=True)]
            del self._kept[1 + int(np.argmin(gaps))]


def spread(pictures: Sequence[Picture], most: int) -> list[Picture]:
    """Return at most so many of ``pictures``, in order, spread over the time that they cover as evenly as can be."""
    if len(pictures) <= most:
        return list(pictures)
    times = np.array([each.t for each in pictures])
    step = (times[-1] - times[0]) / most
    taken: list[int] = []
    for place in range(most):  # the middles of as many equal parts
        wanted = times[0] + (place + 0.5) * step
        free = range(taken[-1] + 1 if taken else 0, len(pictures) - (most - place) + 1)
        taken.append(min(free, key=lambda row: abs(times[row] - wanted)))
    return [pictures[row] for row in taken]


def _worth(seconds: float, small: np.ndarray, before: np.ndarray) -> bool:
    if seconds >= APART:
        return True
    change = float(np.abs(small.astype(np.int16) - before).mean())
    return change >= MUCH or (change >= SOME and seconds >= SOON)
