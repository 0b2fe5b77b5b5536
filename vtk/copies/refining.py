"""The ends of a match to a fraction of a sample: more frames around them say where the similarity falls off."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Protocol, TypeAlias

import numpy as np

from vtk.copies.matches import Match, shared
from vtk.copies.matching import align
from vtk.copies.similarity import ALIKE, similarity

if TYPE_CHECKING:
    from vtk.copies.descriptors import Descriptor
    from vtk.copies.footprint import Footprint

# A span of a source in seconds → its frames, more of them than the search had; None where it cannot be read.
Looker: TypeAlias = "Callable[[float, float], Footprint | None]"


class Lookers(Protocol):
    """What looks more closely at spans of videos."""

    def query(self, mirrored: bool) -> Looker:
        """Return what looks at the query, at its mirrored frames if so asked."""
        ...

    def reference(self, name: str) -> Looker:
        """Return what looks at a reference."""
        ...


REACH = 1.5  # seconds before and after an end that are looked at
# Seconds of a match up to which all of it is looked at: of a few samples, one off turns its line.
SHORT = 8.0
# Share of a match's length that one found in its place has at least: less is a part of it that is clearer.
_KEPT = 0.8
# What a second of shift must gain in mean similarity: of a picture that stands still, any shift is as good.
_DRIFT = 0.02


def refine(match: Match, query_at: Looker, reference_at: Looker, descriptor: Descriptor,
           reach: float = REACH) -> Match:
    """Return the match with its ends where the similarity falls off.

    A match of SHORT seconds or less is aligned anew, by more frames of all of it. Of a longer one, both videos are
    looked at more closely around each end. The line of the match is shifted, by ``reach`` seconds at most, to where the
    frames inside are most alike; along it, the end is where the sum of similarity above ALIKE is largest. An end that
    cannot be looked at stays.

    Args:
        match: that ``align`` found.
        query_at: looks at the query; where the match is mirrored, it describes the mirrored frames.
        reference_at: looks at the reference.
        descriptor: of both.
        reach: seconds.

    Raises:
        ValueError: reach is not above 0.
    """
    if not reach > 0:
        raise ValueError(f"reach: got {reach}, expected seconds above 0")
    if max(match.end - match.start, match.ref_end - match.ref_start) <= SHORT:
        closer = _aligned(match, query_at, reference_at, descriptor, reach)
        if closer is not None:
            return closer
    ends = [_end(match, query_at, reference_at, descriptor, reach, last) for last in (False, True)]
    (start, ref_start), (end, ref_end) = ends
    if not (end > start and ref_end > ref_start):
        return match
    return replace(match, start=start, end=end, ref_start=ref_start, ref_end=ref_end,
                   speed=(ref_end - ref_start) / (end - start))  # fmt: skip


def _aligned(match: Match, query_at: Looker, reference_at: Looker, descriptor: Descriptor,
             reach: float) -> Match | None:
    """Return what is found where the match is, by more frames; None where nothing is.

    The score stays that of the frames that found it, so that all scores are of one sampling.
    """
    query = query_at(max(0.0, match.start - reach), match.end + reach)
    reference = reference_at(max(0.0, match.ref_start - reach), match.ref_end + reach)
    if query is None or reference is None or not len(query) or not len(reference):
        return None
    found = align(query, reference, similarity(query, reference, descriptor), min_seconds=0.0, hflip=match.hflip)
    best = max(found, key=lambda each: (shared(each, match), each.seconds), default=None)
    if best is None or not shared(best, match) > 0 or best.seconds < _KEPT * match.seconds:
        return None
    return replace(best, ref=match.ref, score=match.score)


def _end(match: Match, query_at: Looker, reference_at: Looker, descriptor: Descriptor, reach: float,
         last: bool) -> tuple[float, float]:
    """Return the query's and the reference's second of one end."""
    old = (match.end, match.ref_end) if last else (match.start, match.ref_start)
    inner = min(reach, (match.end - match.start) / 2)
    low, high = (old[0] - inner, old[0] + reach) if last else (old[0] - reach, old[0] + inner)
    query = query_at(max(0.0, low), high)
    # Room for the shift on both sides.
    reference = reference_at(max(0.0, old[1] + match.speed * (low - old[0]) - reach),
                             old[1] + match.speed * (high - old[0]) + reach)  # fmt: skip
    if query is None or reference is None or not len(query) or not len(reference):
        return old
    seen = query.vectors.any(axis=1)[:, None] & reference.vectors.any(axis=1)
    values = np.where(seen, descriptor.scores(query.vectors, reference.vectors), 0)
    inside = query.times <= old[0] if last else query.times >= old[0]
    opposite = old[1] + match.speed * (query.times - old[0])
    shift = _shift(values, opposite, reference.times, inside, reach)
    profile = _along(values, opposite + shift, reference.times)
    if not inside.any() or profile[inside].mean() < ALIKE:  # nothing is seen there: a part of the frame is what is alike
        return old
    time = _fall(profile, query, last)
    return time, _within(old[1] + shift + match.speed * (time - old[0]), reference)


def _shift(values: np.ndarray, opposite: np.ndarray, times: np.ndarray, inside: np.ndarray, reach: float) -> float:
    """Return the seconds by which the line is off, from the frames that are inside for sure."""
    if not inside.any() or len(times) < 2:
        return 0.0
    step = float(np.median(np.diff(times))) or reach
    shifts = np.arange(-int(reach / step), int(reach / step) + 1) * step
    gains = [_along(values[inside], opposite[inside] + shift, times).mean() - _DRIFT * abs(shift) for shift in shifts]
    best = float(shifts[int(np.argmax(gains))])
    return best if max(gains) > gains[len(shifts) // 2] else 0.0


def _along(values: np.ndarray, opposite: np.ndarray, times: np.ndarray) -> np.ndarray:
    """Return the similarity (Q,) of each query frame and the reference's frame nearest to ``opposite``.

    It is 0 where the reference has nothing there: further away than a step.
    """
    right = np.clip(np.searchsorted(times, opposite), 1, max(len(times) - 1, 1))
    left = right - 1
    right = np.minimum(right, len(times) - 1)
    nearest = np.where(opposite - times[left] <= times[right] - opposite, left, right)
    step = float(np.median(np.diff(times))) if len(times) > 1 else 0.0
    return np.where(np.abs(times[nearest] - opposite) <= step, values[np.arange(len(opposite)), nearest], 0.0)


def _fall(profile: np.ndarray, query: Footprint, last: bool) -> float:
    """Return the second between the frames that are in and those that are out."""
    gains = profile - ALIKE
    sums = np.concatenate([[0.0], np.cumsum(gains if last else gains[::-1])])
    # Of equal sums the longest: what says nothing stays in.
    count = len(sums) - 1 - int(np.argmax(sums[::-1]))
    cut = count if last else len(gains) - count
    times = query.times
    step = float(np.median(np.diff(times))) if len(times) > 1 else 0.0
    edges = np.concatenate([[times[0] - step / 2], (times[1:] + times[:-1]) / 2, [times[-1] + step / 2]])
    return _within(float(edges[cut]), query)


def _within(time: float, footprint: Footprint) -> float:
    return min(max(time, 0.0), max(footprint.duration, float(footprint.times[-1])))
