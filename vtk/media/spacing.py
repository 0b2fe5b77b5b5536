"""How far apart in time the frames are that stand for a source when its key frames are read alone."""

from __future__ import annotations

import math

UNMARKED = 1.0  # seconds between frames where key frames are unknown and nothing else is asked for
ROUNDING = 1e-6  # seconds: a timestamp rounded down to its time base still counts


class Spacing:
    """Says which frames are given: key frames, and others where those lie too far apart.

    Args:
        start, end: half-open span in seconds from the first frame; None is open.
        closest: a key frame nearer to the one given before, in seconds, is passed over.
        furthest: where no key frame comes for so many seconds from ``start`` or from the frame given before, the first
            frame after them is given; None is key frames alone.

    Attributes:
        furthest: seconds; infinite where none is asked for.
        last: seconds, when the latest frame that was given is shown; negative infinity before.

    Raises:
        ValueError: an interval is negative or no number, or ``furthest`` is below ``closest``, or 0.
    """

    def __init__(self, start: float | None = None, end: float | None = None, closest: float = 0.0,
                 furthest: float | None = None) -> None:
        if not 0 <= closest < math.inf:
            raise ValueError(f"closest is {closest}; expected seconds from 0 on")
        if furthest is not None and not (furthest > 0 and furthest >= closest):
            raise ValueError(f"furthest is {furthest}; expected seconds above 0, not below closest ({closest})")
        self._begin = max(0.0, (start or 0.0) - ROUNDING)
        self._end = math.inf if end is None else end
        self._closest = closest
        self.furthest = math.inf if furthest is None else furthest
        self.last = -math.inf

    def takes(self, t: float, key: bool) -> bool:
        """Return whether the frame at ``t`` is given, and remember it; call it in order, once a frame."""
        wanted = self.would_take(t, key)
        if wanted:
            self.last = t
        return wanted

    def would_take(self, t: float, key: bool) -> bool:
        """Return whether the frame at ``t`` is given if it can be had."""
        due = self.last + self._closest if key else max(self.last, self._begin) + self.furthest
        return self._begin <= t < self._end and t >= due - ROUNDING

    def takes_any(self, t: float) -> bool:
        """Return whether the frame at ``t`` is given where key frames are unknown, and remember it."""
        step = self.furthest if math.isfinite(self.furthest) else max(self._closest, UNMARKED)
        wanted = self._begin <= t < self._end and t >= self.last + step - ROUNDING
        if wanted:
            self.last = t
        return wanted

    def is_far(self, key: float, t: float) -> bool:
        """Return whether a frame between is due at ``t`` if none has come since the key frame at ``key``."""
        given = key if key >= self.last + self._closest - ROUNDING else self.last
        return t >= max(given, self._begin) + self.furthest - ROUNDING

    def ends(self, t: float) -> bool:
        """Return whether ``t`` lies behind the span."""
        return t >= self._end
