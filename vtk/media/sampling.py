"""Which frames of a source are wanted, and in which size."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal


@dataclass(frozen=True, slots=True)
class Size:
    """The size that a frame is wanted in, in pixels of the displayed orientation.

    ``native`` keeps the source's size; ``short`` and ``long`` scale that side to ``width`` and keep the
    aspect ratio; ``exact`` stretches to ``width`` × ``height``. Scaling goes up as well as down. ``none`` makes no picture
    until one is asked for by its size.
    """

    kind: Literal["native", "short", "long", "exact", "none"] = "native"
    width: int = 0
    height: int = 0

    def of(self, width: int, height: int) -> tuple[int, int]:
        """Return (width, height) in pixels for a source of ``width`` × ``height`` pixels."""
        if self.kind == "none":
            raise ValueError("size none: got a picture to make, expected none to be asked for")
        if self.kind == "native":
            return width, height
        if self.kind == "exact":
            return self.width, self.height
        side = min(width, height) if self.kind == "short" else max(width, height)
        ratio = self.width / side
        return max(1, round(width * ratio)), max(1, round(height * ratio))


NATIVE = Size()
ON_DEMAND = Size("none")


@dataclass(frozen=True, slots=True)
class Sampling:
    """The frames that a stage wants of a source, and their size.

    Attributes:
        mode: ``none`` (no pixels), ``all``, ``every`` (each ``every``-th frame by index), ``fps`` (the first frame
            at or after each multiple of 1/``fps`` seconds), ``at`` (the first frame at or after each of ``times``),
            ``records`` (frames that have records it reads).
        start, end: half-open span in seconds from the first frame; None is open.
        limit: at most this many frames of a source.
    """

    mode: Literal["none", "all", "every", "fps", "at", "records"] = "all"
    every: int = 1
    fps: float = 0.0
    start: float | None = None
    end: float | None = None
    limit: int | None = None
    size: Size = NATIVE
    times: tuple[float, ...] = ()

    def sized(self, size: Size) -> Sampling:
        """Return the same sampling with frames of ``size``."""
        return replace(self, size=size)

    def chooser(self) -> Callable[[int, float], bool]:
        """Return a predicate over (frame index, t in seconds) for one source; call it once per frame, in order."""
        taken = 0
        next_tick = 0

        def choose(index: int, t: float) -> bool:
            nonlocal taken, next_tick
            if not self.covers(t) or (self.limit is not None and taken >= self.limit):
                return False
            if self.mode == "every" and index % self.every:
                return False
            if self.mode == "fps":
                # 1e-6 s: a timestamp rounded down to its time base still counts as on the tick.
                tick = math.floor((t + 1e-6) * self.fps)
                if tick < next_tick:
                    return False
                next_tick = tick + 1
            if self.mode == "at":
                passed = sum(time <= t + 1e-6 for time in self.times)
                if passed <= next_tick:
                    return False
                next_tick = passed
            taken += 1
            return self.mode != "none"

        return choose

    def covers(self, t: float) -> bool:
        """Return whether ``t`` seconds lies in the wanted span."""
        return (self.start is None or t >= self.start) and (self.end is None or t < self.end)
