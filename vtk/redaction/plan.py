"""Where something is to be hidden in every frame: as seen, between two sightings, and for a while before and after."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

import numpy as np

from vtk.redaction.sightings import Sightings

# Boxes without a track are of one thing where their centres are no further apart than so many of their sides.
REACH = 1.0
# Share of the way between two sightings that what is between may lie off the straight line, at its middle. With half
# the way, what stands still for half of the time and then makes it all is covered.
OFF_COURSE = 0.5
_ROUNDED = 1e-6  # seconds in records have six digits


@dataclass(frozen=True, slots=True)
class Region:
    """What to hide in a frame: a box, or the outline in it.

    Attributes:
        box: x1, y1, x2, y2 in pixels, without a margin.
        outline: (K, 2) float32 corners, or None.
        seen: whether a record says that it is there; else it was filled in.
    """

    box: tuple[float, float, float, float]
    outline: np.ndarray | None = None
    seen: bool = True


class Plan:
    """What is hidden in each frame of a source.

    A thing that is seen again within ``hold`` seconds is hidden on the straight way between the two sightings, wider
    by what it may have strayed. What is lost for longer is hidden for ``hold`` seconds more, from where it was to where
    it would be if it went on, and as long before it comes up. Boxes without tracks are followed by their places.

    Args:
        sightings: what was seen.
        hold: seconds.
    """

    def __init__(self, sightings: Sightings, hold: float) -> None:
        self._sightings = sightings
        self._boxes = sightings.box_array()
        self._frames = np.frombuffer(sightings.frames, np.int64) if len(sightings) else np.zeros(0, np.int64)
        self._times = np.frombuffer(sightings.times, np.float64) if len(sightings) else np.zeros(0)
        self._order = np.argsort(self._frames, kind="stable")
        self._sorted = self._frames[self._order]
        self._spans = self._find_spans(hold)
        self._next, self._active = 0, np.zeros((0, 5))

    def regions(self, index: int, t: float) -> list[Region]:
        """Return what is to be hidden in frame ``index`` at ``t`` seconds; asked of frames in order."""
        first, last = np.searchsorted(self._sorted, [index, index + 1])
        found = [self._seen(int(number), True) for number in self._order[first:last]]
        seen = set(self._order[first:last].tolist())
        begin = self._next
        while self._next < len(self._spans) and self._spans[self._next, 0] <= t + _ROUNDED:
            self._next += 1
        self._active = np.concatenate([self._active, self._spans[begin : self._next]])
        self._active = self._active[self._active[:, 1] >= t - _ROUNDED]
        for _, _, *numbers in self._active:
            before, after, past = map(int, numbers)
            if before not in seen and after not in seen:
                found.append(self._going_on(before, past, t) if before == after else self._between(before, after, t))
        return found

    def _seen(self, number: int, now: bool) -> Region:
        return Region(tuple(map(float, self._boxes[number])),  # type: ignore[arg-type]
                      self._sightings.outlines.get(number), now)

    def _going_on(self, last: int, past: int, t: float) -> Region:
        """Return what is hidden at ``t`` of a thing seen ``last``, and in the time before or after it seen ``past``."""
        box, apart = self._boxes[last], self._times[last] - self._times[past]
        if abs(apart) < _ROUNDED:
            return self._seen(last, False)
        way = (box[:2] + box[2:] - self._boxes[past][:2] - self._boxes[past][2:]) / 2
        way = way * ((t - self._times[last]) / apart)
        if np.abs(way).max() < 1:  # it stands still
            return self._seen(last, False)
        low, high = np.minimum(way, 0), np.maximum(way, 0)
        return Region((float(box[0] + low[0]), float(box[1] + low[1]), float(box[2] + high[0]),
                       float(box[3] + high[1])), seen=False)

    def _between(self, before: int, after: int, t: float) -> Region:
        """Return what is hidden at ``t`` of a thing seen ``before`` and ``after``."""
        a, b = self._boxes[before], self._boxes[after]
        u = float(np.clip((t - self._times[before]) / max(self._times[after] - self._times[before], 1e-9), 0, 1))
        box = (1 - u) * a + u * b
        way = np.abs((b[:2] + b[2:] - a[:2] - a[2:]) / 2) * OFF_COURSE * 4 * u * (1 - u)
        return Region((float(box[0] - way[0]), float(box[1] - way[1]), float(box[2] + way[0]), float(box[3] + way[1])),
                      seen=False)

    def _find_spans(self, hold: float) -> np.ndarray:
        """Return (M, 5) begin, end in seconds, sighting before, after, and one to tell its motion by; by begin.

        Where before and after are one, it is the last of a chain, or its first.
        """
        spans: list[tuple[float, float, int, int, int]] = []
        for chain in self._chains(hold):
            times = self._times[chain]
            breaks = [0, *(np.flatnonzero(np.diff(times) > hold + _ROUNDED) + 1).tolist(), len(chain)]
            for first, last in zip(breaks, breaks[1:]):
                part, when = chain[first:last], times[first:last]
                near = part[int(np.searchsorted(when, when[0] + hold, side="right")) - 1]
                spans.append((when[0] - hold, when[0], part[0], part[0], near))
                near = part[int(np.searchsorted(when, when[-1] - hold))]
                spans.append((when[-1], when[-1] + hold, part[-1], part[-1], near))
                spans += [(self._times[before], self._times[after], before, after, before)
                          for before, after in zip(part, part[1:]) if self._frames[after] - self._frames[before] > 1]
        found = np.array(spans, np.float64).reshape(-1, 5)
        return found[np.argsort(found[:, 0], kind="stable")]

    def _chains(self, hold: float) -> Iterator[list[int]]:
        """Yield the sightings of each thing, in order: of a track, or of places that follow each other."""
        chains: dict[int, list[int]] = {}
        loose: dict[int, list[int]] = {}
        for number in self._order.tolist():
            track = self._sightings.tracks[number]
            if track >= 0:
                chains.setdefault(track, []).append(number)
            else:
                loose.setdefault(self._sightings.kinds[number], []).append(number)
        yield from chains.values()
        for numbers in loose.values():
            yield from self._followed(numbers, hold)

    def _followed(self, numbers: Sequence[int], hold: float) -> Iterator[list[int]]:
        """Yield boxes without tracks as chains of what is nearest from frame to frame, in order of frames."""
        open_chains: list[list[int]] = []
        for _, group in groupby(numbers, key=self._frames.__getitem__):
            now = list(group)
            t = self._times[now[0]]
            alive = [chain for chain in open_chains if t - self._times[chain[-1]] <= hold + _ROUNDED]
            ended = [chain for chain in open_chains if t - self._times[chain[-1]] > hold + _ROUNDED]
            yield from ended
            taken = self._nearest([chain[-1] for chain in alive], now)
            for chain, number in zip(alive, taken, strict=True):
                if number is not None:
                    chain.append(number)
            given = {number for number in taken if number is not None}
            open_chains = [*alive, *([number] for number in now if number not in given)]
        yield from open_chains

    def _nearest(self, before: list[int], now: list[int]) -> list[int | None]:
        """Return for each box of ``before`` the box of ``now`` that follows it, the nearest pairs first, or None."""
        found: list[int | None] = [None] * len(before)
        if not before or not now:
            return found
        a, b = self._boxes[before], self._boxes[now]
        centres = np.abs((a[:, None, :2] + a[:, None, 2:] - b[None, :, :2] - b[None, :, 2:]) / 2).max(axis=2)
        sides = np.maximum((a[:, 2:] - a[:, :2]).max(axis=1)[:, None], (b[:, 2:] - b[:, :2]).max(axis=1)[None])
        far = centres / np.maximum(sides, 1e-6)
        free = set(range(len(now)))
        for place in np.argsort(far, axis=None, kind="stable").tolist():
            row, column = divmod(place, len(now))
            if far[row, column] > REACH:
                break
            if found[row] is None and column in free:
                found[row] = now[column]
                free.remove(column)
        return found
