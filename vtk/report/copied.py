"""Which copy of a source is shown at a moment, what the reference shows then, and in which colour."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from vtk.records import Record
from vtk.report.palette import Colour, colour_of

NEAR = 1e-6  # seconds: a time rounded down to its six decimals still counts


@dataclass(frozen=True, slots=True)
class Copy:
    """A copied span of a source, as a ``copy`` record states it; times in seconds, ``score`` in [0, 1].

    Attributes:
        speed: seconds of the reference that go by in a second of the source.
        hflip: whether the source shows the reference mirrored.
    """

    ref: str
    start: float
    end: float
    ref_start: float
    ref_end: float
    score: float
    speed: float
    hflip: bool

    @classmethod
    def of(cls, record: Record) -> Copy | None:
        """Return what a record states; None where a side of it lasts no time."""
        start, end, ref_start, ref_end = (float(record[key]) for key in ("start", "end", "ref_start", "ref_end"))
        if not (end > start and ref_end > ref_start):
            return None
        transform: Mapping[str, Any] = record.get("transform", {})
        speed = transform.get("speed")
        if not isinstance(speed, (int, float)) or not speed > 0:
            speed = (ref_end - ref_start) / (end - start)
        return cls(record["ref"], start, end, ref_start, ref_end, float(record["score"]), float(speed),
                   transform.get("hflip") is True)

    def opposite(self, t: float) -> float:
        """Return the second of the reference that the source shows at second ``t``, as the record's ends say."""
        share = (self.ref_end - self.ref_start) / (self.end - self.start)
        return self.ref_start + share * (t - self.start)


class Copied:
    """The copies of one source over its time: at each moment the best first."""

    def __init__(self, copies: Iterable[Copy]) -> None:
        self._edges, self._shown = _pieces(sorted(set(copies), key=_order))
        refs = dict.fromkeys(copy.ref for shown in self._shown for copy in shown[:1])
        refs |= dict.fromkeys(copy.ref for shown in self._shown for copy in shown)
        self._colours = {ref: colour_of(number) for number, ref in enumerate(refs, 1)}

    @property
    def refs(self) -> tuple[str, ...]:
        """The references: those that are shown at some time first, in order of that."""
        return tuple(self._colours)

    @property
    def end(self) -> float:
        """Second of the source at which the last copy ends; 0 without any."""
        return self._edges[-1] if self._edges else 0.0

    @property
    def most(self) -> int:
        """How many copies there are at one time at most."""
        return max(map(len, self._shown), default=0)

    def at(self, t: float) -> Sequence[Copy]:
        """Return the copies of second ``t``, best first; of equal scores that which begins first."""
        place = bisect_right(self._edges, t + NEAR) - 1
        return self._shown[place] if 0 <= place < len(self._shown) else ()

    def colour(self, ref: str) -> Colour:
        """Return the colour of a reference: those that are shown one after another differ most."""
        return self._colours[ref]

    def spans(self) -> list[tuple[float, float, Copy]]:
        """Return from when to when which copy is the best, in order of time."""
        pairs = zip(self._edges, self._edges[1:], self._shown, strict=False)
        return [(start, end, shown[0]) for start, end, shown in pairs if shown]


def _order(copy: Copy) -> tuple[Any, ...]:
    return -copy.score, copy.start, copy.ref, copy.ref_start, copy.end


def _pieces(copies: Sequence[Copy]) -> tuple[list[float], list[tuple[Copy, ...]]]:
    """Return the times at which copies come and go, and the copies, in order, between each two of these."""
    edges = sorted({time for copy in copies for time in (copy.start, copy.end)})
    place = {time: number for number, time in enumerate(edges)}
    shown: list[list[Copy]] = [[] for _ in edges[1:]]
    for copy in copies:
        for number in range(place[copy.start], place[copy.end]):
            shown[number].append(copy)
    return edges, [tuple(each) for each in shown]
