"""Shots of a film while it is read: what lies between hard cuts and gradual transitions, some seconds late."""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Sequence

import numpy as np

from vtk.scenes.cuts import is_cut, is_shot
from vtk.scenes.gradual import AHEAD, BLANK, LONGEST, Found, find_fade, find_mix, likely_stretches
from vtk.scenes.looks import Look, measure, shrink
from vtk.scenes.tiling import Change, Shot, Tiling

# Seconds behind a frame that may tell what it is, and seconds before it; looks at most, should they come faster.
HORIZON, PAST, CROWD = LONGEST + BLANK + 0.4, 3.0, 240
# Seconds by which a transition that is told later may begin before the frame that it is told by.
LOOKBACK = LONGEST + 0.1
# Seconds more after which overlapping transitions are told apart, though more might come to overlap them.
PATIENCE = 4.0
# How much more may be left unexplained by a transition that is twice as long: parts of one fit as well as the whole.
LONGER = 0.3
# Frames that are measured at a time, at most, and seconds that they span: many at once take less time than one by one.
CHUNK, CHUNK_SECONDS = 32, 1.0


class Shots:
    """Finds the shots of one film: ``add`` each frame in order, then ``finish``; both return the shots that are over.

    A shot is returned once no later frame can change it: ``HORIZON + LOOKBACK`` seconds after its end, ``shortest``
    seconds more, ``CHUNK_SECONDS`` (at few frames a second, a dozen frames), and ``PATIENCE`` seconds at most where
    transitions overlap that must be told apart.
    At most ``CROWD`` looks are held on either side of the frame that is looked at, however fast frames come.

    Frames may be any part of a film, as ``--every`` or ``--fps`` choose them, at any distance in time: a cut is then
    before the first frame that was seen of a shot. Of dissolves little is seen below six frames a second.

    Args:
        shortest: seconds that a shot lasts at least; the changes that make shorter ones do not count.

    Raises:
        ValueError: ``shortest`` is negative or no number.
    """

    def __init__(self, shortest: float = 0.0) -> None:
        self._tiling = Tiling(shortest)
        self._fresh: list[tuple[int, float, np.ndarray]] = []
        self._looks: list[Look] = []
        self._next = 0  # the look of which it is told next whether anything changes there
        self._latest: int | None = None  # the last look with a cut before it
        self._cuts: list[Change] = []
        self._graduals: list[tuple[Change, float]] = []
        self._accepted: Change | None = None

    def add(self, index: int, t: float, image: np.ndarray) -> list[Shot]:
        """Take a frame and return the shots that are over.

        Args:
            index: its number, higher than that of the frame before.
            t: its second, not before that of the frame before.
            image: (H, W, 3) uint8 RGB; of ``LOOK``'s size nothing is left to be scaled. It is kept: do not write to it.

        Raises:
            ValueError: the image is not as above, or index or time do not rise.
        """
        image = shrink(image)
        self._tiling.see(index, t)
        self._fresh.append((index, t, image))
        if len(self._fresh) < CHUNK and t - self._fresh[0][1] < CHUNK_SECONDS:
            return []
        self._measure()
        self._advance(final=False)
        return self._tiling.cut(self._looks[self._next - 1].t - LOOKBACK if self._next else 0.0)

    def finish(self) -> list[Shot]:
        """Return the shots that are left, the last one included; none where no frame came. Call it once."""
        if self._fresh:
            self._measure()
        self._advance(final=True)
        return self._tiling.finish()

    def _measure(self) -> None:
        before = self._looks[-1].image if self._looks else None
        self._looks += measure(self._fresh, before)
        self._fresh = []

    def _advance(self, final: bool) -> None:
        """Look at every frame whose future is known, and note the changes that this settles."""
        stop = self._next
        while stop < len(self._looks) and (final or self._known(stop)):
            stop += 1
        stretches = likely_stretches(self._looks, self._next, stop)
        for at in range(self._next, stop):
            self._examine(at, stretches.get(at, ()))
        self._next = stop
        self._settle(final)
        oldest = self._looks[self._next - 1].t - PAST if self._next else -math.inf
        spare = max(bisect_left(self._looks, oldest, hi=self._next, key=lambda look: look.t), self._next - CROWD)
        del self._looks[:spare]
        self._next -= spare
        if self._latest is not None:
            self._latest = self._latest - spare if self._latest >= spare else None

    def _known(self, at: int) -> bool:
        return len(self._looks) - at > CROWD or (
            self._looks[-1].t - self._looks[at].t > HORIZON and len(self._looks) - at > 2 * AHEAD)

    def _examine(self, at: int, stretches: Sequence[tuple[int, int]]) -> None:
        """Note what changes at a look, the middle of ``stretches``."""
        looks = self._looks
        if is_cut(looks, at):
            look = looks[at]
            if self._cuts and self._latest is not None and not is_shot(
                    looks[self._latest : at], look.t - looks[self._latest].t):
                self._cuts.pop()
            self._latest = at
            self._cuts.append(Change("cut", look.index, look.index, look.t, look.t, look.index, look.t))
        fade = find_fade(looks, at)
        found = [fade] if fade else []
        found = found or find_mix(looks, stretches, self._latest)
        self._graduals += [(self._change(each), _rank(each)) for each in found if 0 < each.start < each.end < len(looks)]

    def _change(self, found: Found) -> Change:
        start, middle, end = (self._looks[n] for n in (found.start, (found.start + found.end + 1) // 2, found.end))
        return Change(found.kind, start.index, end.index, start.t, end.t, middle.index, middle.t)

    def _settle(self, final: bool) -> None:
        """Turn into bounds what no later finding can overlap."""
        now = math.inf if final else self._looks[self._next - 1].t if self._next else -math.inf
        while self._graduals:
            group = self._group()
            late = now - max(change.end for change, _ in group) > LOOKBACK
            if not late and now - group[0][0].start < LOOKBACK + PATIENCE:
                break
            best = min(group, key=lambda each: (each[1], each[0].start_frame))[0]
            self._accept_cuts(best.start, best)
            self._tiling.add(best)
            self._accepted = best
            self._graduals = [each for each in self._graduals if not _overlap(each[0], best)
                              and each[0].start >= best.end]
        until = min([now - LOOKBACK, *(change.start for change, _ in self._graduals)])
        self._accept_cuts(until, None)

    def _group(self) -> list[tuple[Change, float]]:
        """Return the first of the gradual transitions and those that overlap it or each other."""
        self._graduals.sort(key=lambda each: each[0].start_frame)
        group, end = [self._graduals[0]], self._graduals[0][0].end_frame
        for each in self._graduals[1:]:
            if each[0].start_frame >= end:
                break
            group.append(each)
            end = max(end, each[0].end_frame)
        return group

    def _accept_cuts(self, until: float, gradual: Change | None) -> None:
        """Turn cuts before ``until`` seconds into bounds, and forget those within gradual transitions."""
        inside = [each for each in (self._accepted, gradual) if each is not None]
        left = []
        for cut in self._cuts:
            if any(each.start_frame <= cut.frame <= each.end_frame for each in inside):
                continue
            if cut.t < until:
                self._tiling.add(cut)
            else:
                left.append(cut)
        self._cuts = left


def _rank(found: Found) -> float:
    """Return by what overlapping transitions are told apart, the lower the better: the longer that fits as well."""
    return -math.inf if found.kind == "fade" else found.error - LONGER * math.log2(found.end - found.start)


def _overlap(one: Change, other: Change) -> bool:
    return one.start_frame < other.end_frame and other.start_frame < one.end_frame
