"""Shots that tile a film: frames come in order, and changes, once they are known, end one shot and begin the next."""

from __future__ import annotations

import math
from dataclasses import dataclass


@dataclass(frozen=True)
class Change:
    """Where one shot goes over into the next.

    Attributes:
        kind: "cut", "dissolve", "wipe" or "fade" (through black, white or another level).
        start_frame, end_frame: the first frame that shows both shots or neither, the first that does no more; the
            same for a cut, which is the first frame of the new shot.
        start, end: the seconds of those.
        frame, t: the first frame that is counted as the new shot's, in the middle of a gradual transition.
    """

    kind: str
    start_frame: int
    end_frame: int
    start: float
    end: float
    frame: int
    t: float


@dataclass(frozen=True)
class Shot:
    """A half-open span of frames; the shots of a film tile it.

    Attributes:
        start, end: seconds of its first frame, and of the first that is not its own.
        start_frame, end_frame: the same in frames.
        before, after: how it came from the shot before and goes over into the next; None at the film's ends.
    """

    start: float
    end: float
    start_frame: int
    end_frame: int
    before: Change | None = None
    after: Change | None = None

    @property
    def clear(self) -> tuple[int, int]:
        """The half-open span of frames without those of gradual transitions, or the whole where none is left."""
        start = max(self.start_frame, self.before.end_frame) if self.before else self.start_frame
        end = min(self.end_frame, self.after.start_frame) if self.after else self.end_frame
        return (start, end) if start < end else (self.start_frame, self.end_frame)


class Tiling:
    """Turns the changes of one film into shots: ``see`` each frame, ``cut`` where changes are known, then ``finish``.

    Args:
        shortest: seconds that a shot lasts at least; the changes that make shorter ones do not count.

    Raises:
        ValueError: ``shortest`` is negative or no number.
    """

    def __init__(self, shortest: float = 0.0) -> None:
        if not 0 <= shortest < math.inf:
            raise ValueError(f"shortest: got {shortest}, expected seconds, 0 or more")
        self._shortest = shortest
        self._bounds: list[Change] = []
        self._first: tuple[int, float] | None = None
        self._last: tuple[int, float, int, float] | None = None  # with its distance from the frame before
        self._before: Change | None = None

    def see(self, index: int, t: float) -> bool:
        """Take note of a frame, and return whether it is the first.

        Raises:
            ValueError: index or time do not rise.
        """
        if self._last is None:
            self._first, self._last = (index, t), (index, t, 1, 0.0)
            return True
        step, length = index - self._last[0], t - self._last[1]
        if step < 1 or not length >= 0:
            raise ValueError(f"frame {index} at {t} s came after frame {self._last[0]} at {self._last[1]} s")
        self._last = (index, t, step, length)
        return False

    def add(self, *changes: Change) -> None:
        """Take note of changes, in any order."""
        self._bounds += changes

    def cut(self, known: float) -> list[Shot]:
        """Return the shots that are over where all changes up to second ``known`` were added.

        A shot ends where what follows has lasted long enough.
        """
        return self._cut(known, final=False)

    def finish(self) -> list[Shot]:
        """Return the shots that are left, the last one included; none where no frame came. Call it once."""
        if self._last is None:
            return []
        index, t, step, length = self._last
        shots = self._cut(t + length, final=True)
        start_frame, start = self._start
        return [*shots, Shot(start, t + length, start_frame, index + step, self._before, None)]

    @property
    def _start(self) -> tuple[int, float]:
        """The frame and the second that the shot which is not over began at."""
        return (self._before.frame, self._before.t) if self._before else self._first

    def _cut(self, now: float, final: bool) -> list[Shot]:
        shots: list[Shot] = []
        self._bounds.sort(key=lambda each: each.frame)
        while self._bounds:
            bound = self._bounds[0]
            start_frame, start = self._start
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
