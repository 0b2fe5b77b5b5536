"""Shots by TransNet V2, while a film is read: in place of ``vtk.scenes.shots.Shots``, some seconds later."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import cv2
import numpy as np

from vtk.models.transnet import EDGE, FRAMES, HEIGHT, STEP, WIDTH, TransNet
from vtk.scenes.shots import Change, Shot

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
        if not 0 <= shortest < math.inf:
            raise ValueError(f"shortest: got {shortest}, expected seconds, 0 or more")
        self.size = network.size
        self._network, self._shortest = network, shortest
        self._window: list[np.ndarray] = []
        self._waiting: list[tuple[int, float]] = []  # frames that nothing was told of
        self._run: list[Told] = []  # from the first frame of a transition that may not be over
        self._quiet = 0  # frames since the last that was of a transition
        self._bounds: list[Change] = []
        self._known = 0.0  # the second up to which all changes are known
        self._first: tuple[int, float] | None = None
        self._last: tuple[int, float, int, float] | None = None
        self._before: Change | None = None

    def add(self, index: int, t: float, image: np.ndarray) -> list[Shot]:
        """Take a frame and return the shots that are over.

        Args:
            index: its number, higher than that of the frame before.
            t: its second, not before that of the frame before.
            image: (H, W, 3) uint8 RGB; of ``size`` nothing is left to be scaled. It is kept: do not write to it.

        Raises:
            ValueError: the image is not as above, or index or time do not rise.
        """
        step, length = 1, 0.0
        if self._last is not None:
            step, length = index - self._last[0], t - self._last[1]
        if step < 1 or not length >= 0:
            raise ValueError(f"frame {index} at {t} s came after frame {self._last[0]} at {self._last[1]} s")
        image = _shrunk(image)
        if self._first is None:
            self._first = (index, t)
            self._window = [image] * EDGE
        self._last = (index, t, step, length)
        self._window.append(image)
        self._waiting.append((index, t))
        if len(self._window) < FRAMES:
            return []
        self._look()
        return self._cut_off(final=False)

    def finish(self) -> list[Shot]:
        """Return the shots that are left, the last one included; none where no frame came. Call it once."""
        if self._last is None:
            return []
        while self._waiting:
            self._window += [self._window[-1]] * (FRAMES - len(self._window))
            self._look()
        self._bounds += changes(self._run)
        shots = self._cut_off(final=True)
        index, t, step, length = self._last
        start_frame, start = self._start
        return [*shots, Shot(start, t + length, start_frame, index + step, self._before, None)]

    @property
    def _start(self) -> tuple[int, float]:
        return (self._before.frame, self._before.t) if self._before else self._first

    def _look(self) -> None:
        """Let the network look at the window, and take note of what it says of the frames in the middle."""
        found = self._network.likelihoods(self._window) > THRESHOLD
        for (index, t), (middle, part) in zip(self._waiting, found, strict=False):  # the last window may be padded
            told = Told(index, t, bool(middle), bool(part))
            self._quiet = 0 if middle or part else self._quiet + 1
            if self._run or not self._quiet:
                self._run.append(told)
            if self._run and (self._quiet > GAP or (self._quiet == 1 and _is_settled(self._run))):
                self._bounds += changes(self._run)
                self._run = []
            if not self._run:
                self._known = t
        del self._window[:STEP], self._waiting[:STEP]

    def _cut_off(self, final: bool) -> list[Shot]:
        """Return the shots between changes, once what follows has lasted long enough."""
        shots: list[Shot] = []
        while self._bounds:
            bound = self._bounds[0]
            start_frame, start = self._start
            now = self._last[1] + self._last[3] if final else self._known
            if bound.t - start < self._shortest or bound.frame <= start_frame:
                self._bounds.pop(0)
            elif now - bound.t >= self._shortest:
                shots.append(Shot(start, bound.t, start_frame, bound.frame, self._before, bound))
                self._before = self._bounds.pop(0)
            elif final:
                self._bounds.pop(0)
            else:
                break
        return shots


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
