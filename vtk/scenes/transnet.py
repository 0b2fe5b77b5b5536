"""Shots by TransNet V2, while a film is read: in place of ``vtk.scenes.shots.Shots``, some seconds later."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import cv2
import numpy as np

from vtk.models.transnet import EDGE, FRAMES, HEIGHT, STEP, WIDTH, TransNet
from vtk.scenes.tiling import Change, Shot, Tiling

# From which likelihood on a frame counts as of a transition. Source: the makers' ``predictions_to_scenes``.
THRESHOLD = 0.5
# Frames that a hard cut may seem to be part of.
LONGEST_CUT = 2
# Frames one after the other that are parts of a transition whose middle is not told: slow ones have no clear middle.
LEAST_PARTS = 5
# Frames between two gradual transitions that are one: half a second of black, or thereabouts.
GAP = 12
# Frames after which it is known whether a shot ends at one, but for a transition that lasts and the least length.
LATE_FRAMES = FRAMES + GAP
GRADUAL = "gradual"  # the network does not tell dissolves from wipes and fades


class Told(NamedTuple):
    """A frame, and what the network says of it."""

    index: int
    t: float
    middle: bool
    part: bool


class TransNetShots:
    """Finds the shots of one film: ``add`` each frame in order, then ``finish``; both return the shots that are over.

    A shot is returned some 90 frames after its end. Frames may be any part of a film, but the network was trained on
    all frames of 25 to 30 a second: chosen ones let it take movement for cuts.

    Attributes:
        size: what frames should come in.

    Args:
        network: of ``vtk.models.transnet.load_transnet``; it may serve several films.
        shortest: seconds that a shot lasts at least; the changes that make shorter ones do not count.

    Raises:
        ValueError: ``shortest`` is negative or no number.
    """

    def __init__(self, network: TransNet, shortest: float = 0.0) -> None:
        self._tiling = Tiling(shortest)
        self.size = network.size
        self._network = network
        self._window: list[np.ndarray] = []
        self._waiting: list[tuple[int, float]] = []  # frames that nothing was told of
        self._run: list[Told] = []  # from the first frame of a transition that may not be over
        self._quiet = 0  # frames since the last that was of a transition
        self._known = 0.0  # the second up to which all changes are known

    def add(self, index: int, t: float, image: np.ndarray) -> list[Shot]:
        """Take a frame and return the shots that are over.

        Args:
            index: its number, higher than that of the frame before.
            t: its second, not before that of the frame before.
            image: (H, W, 3) uint8 RGB; of ``size`` nothing is left to be scaled. It is kept: do not write to it.

        Raises:
            ValueError: the image is not as above, or index or time do not rise.
        """
        image = _shrunk(image)
        if self._tiling.see(index, t):
            self._window = [image] * EDGE
        self._window.append(image)
        self._waiting.append((index, t))
        if len(self._window) < FRAMES:
            return []
        self._look()
        return self._tiling.cut(self._known)

    def finish(self) -> list[Shot]:
        """Return the shots that are left, the last one included; none where no frame came. Call it once."""
        while self._waiting:
            self._window += [self._window[-1]] * (FRAMES - len(self._window))
            self._look()
        self._tiling.add(*changes(self._run))
        return self._tiling.finish()

    def _look(self) -> None:
        """Let the network look at the window, and take note of what it says of the frames in the middle."""
        found = self._network.likelihoods(self._window) > THRESHOLD
        for (index, t), (middle, part) in zip(self._waiting, found, strict=False):  # the last window may be padded
            told = Told(index, t, bool(middle), bool(part))
            self._quiet = 0 if middle or part else self._quiet + 1
            if self._run or not self._quiet:
                self._run.append(told)
            if self._run and (self._quiet > GAP or (self._quiet == 1 and _is_settled(self._run))):
                self._tiling.add(*changes(self._run))
                self._run = []
            if not self._run:
                self._known = t
        del self._window[:STEP], self._waiting[:STEP]


def changes(run: Sequence[Told]) -> list[Change]:
    """Return the changes of shot in consecutive frames, the last of which are of none.

    Frames that are of a transition one after the other are one: a hard cut where they are few. Without the middle of
    one they count where they are many. Gradual transitions with few frames between are one, such as a fade that shows
    nothing for a while.
    """
    spans: list[tuple[int, int, int]] = []  # of places in the run: the first mixed, the first of the new shot, the end
    start = 0
    for end, told in enumerate(run):
        if told.middle or told.part:
            continue
        middles = [place for place in range(start, end) if run[place].middle]
        if middles or end - start >= LEAST_PARTS:
            spans.append((start, middles[-1] + 1 if middles else (start + end + 1) // 2, end))
        start = end + 1
    joined: list[tuple[int, int, int]] = []
    for span in spans:
        if joined and _is_gradual(joined[-1]) and _is_gradual(span) and span[0] - joined[-1][2] <= GAP:
            first = joined.pop()[0]
            span = (first, (first + span[2] + 1) // 2, span[2])
        joined.append(span)
    return [_change(*(run[place] for place in span), _is_gradual(span)) for span in joined]


def _is_settled(run: Sequence[Told]) -> bool:
    """Return whether nothing that follows joins a run that has just gone quiet: its last is a cut, or none."""
    start = end = len(run) - 1
    while start and (run[start - 1].middle or run[start - 1].part):
        start -= 1
    middle = any(told.middle for told in run[start:end])
    return not _is_gradual((start, end, end)) if middle else start == 0 and end < LEAST_PARTS


def _is_gradual(span: tuple[int, int, int]) -> bool:
    return span[2] - span[0] > LONGEST_CUT


def _change(start: Told, new: Told, end: Told, gradual: bool) -> Change:
    if gradual:
        return Change(GRADUAL, start.index, end.index, start.t, end.t, new.index, new.t)
    return Change("cut", new.index, new.index, new.t, new.t, new.index, new.t)


def _shrunk(image: np.ndarray) -> np.ndarray:
    """Return a picture (H, W, 3) uint8 as (27, 48, 3); as it is where it has that size."""
    if image.ndim != 3 or image.shape[2] != 3 or image.dtype != np.uint8 or not image.size:
        raise ValueError(f"image: got {image.dtype} {image.shape}, expected uint8 (H, W, 3)")
    if image.shape[:2] == (HEIGHT, WIDTH):
        return image
    return cv2.resize(image, (WIDTH, HEIGHT), interpolation=cv2.INTER_AREA)
