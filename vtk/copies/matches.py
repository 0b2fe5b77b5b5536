"""What was found: a span of a query that shows a span of a reference, and how several such findings become one."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

# Two matches whose boxes share more than this of the smaller one are of the same copy.
SHARED = 0.5


@dataclass(frozen=True, slots=True)
class Match:
    """A copied span.

    Attributes:
        ref: the reference, as its footprint is called.
        start, end: seconds of the query.
        ref_start, ref_end: seconds of the reference.
        score: in [0, 1], the mean similarity of the frames that lie opposite each other.
        speed: seconds of the reference that go by in a second of the query.
        hflip: whether the query shows it mirrored.
    """

    ref: str
    start: float
    end: float
    ref_start: float
    ref_end: float
    score: float
    speed: float
    hflip: bool = False

    @property
    def seconds(self) -> float:
        """Length of the shorter side."""
        return min(self.end - self.start, self.ref_end - self.ref_start)

    def opposite(self, time: float) -> float:
        """Return the second of the reference that the query shows at ``time``, outside the span as the line goes on."""
        return self.ref_start + self.speed * (time - self.start)


def clipped(match: Match, first: float, last: float) -> Match | None:
    """Return what of a match lies between two seconds of the query, along its line; None where nothing does."""
    start, end = max(match.start, first), min(match.end, last)
    if not end > start:
        return None
    return replace(match, start=start, end=end, ref_start=match.opposite(start), ref_end=match.opposite(end))


def shared(one: Match, other: Match) -> float:
    """Return the part of the smaller one's box, query seconds by reference seconds, that both have, in [0, 1]."""
    query = min(one.end, other.end) - max(one.start, other.start)
    ref = min(one.ref_end, other.ref_end) - max(one.ref_start, other.ref_start)
    smaller = min((each.end - each.start) * (each.ref_end - each.ref_start) for each in (one, other))
    return max(query, 0.0) * max(ref, 0.0) / smaller if smaller > 0 else 0.0


def merged(matches: Iterable[Match], slack: float = 1.0) -> list[Match]:
    """Return the matches of one query with what was found twice made one, by reference, then in order of the query.

    Where two of one reference share more than half of the smaller one's box, they are one match over both spans if
    they are of one line, within ``slack`` seconds of the reference, and both mirrored or both not. If not, the one
    that has more score by the second stays. Matches of different references leave each other alone.
    """
    kept: list[Match] = []
    for match in sorted(matches, key=lambda each: (-each.score * each.seconds, each.start, each.ref_start)):
        same = next((at for at, other in enumerate(kept)
                     if other.ref == match.ref and shared(other, match) > SHARED), None)  # fmt: skip
        if same is None:
            kept.append(match)
        elif _one_line(kept[same], match, slack):
            kept[same] = _joined(kept[same], match)
    return sorted(kept, key=lambda each: (each.ref, each.start, each.ref_start, -each.score))


def _one_line(one: Match, other: Match, slack: float) -> bool:
    if one.hflip != other.hflip:
        return False
    start, end = max(one.start, other.start), min(one.end, other.end)
    return all(abs(one.opposite(time) - other.opposite(time)) <= slack for time in (start, end))


def _joined(one: Match, other: Match) -> Match:
    """Return both as one; the score is their mean by length."""
    start, end = min(one.start, other.start), max(one.end, other.end)
    ref_start, ref_end = min(one.ref_start, other.ref_start), max(one.ref_end, other.ref_end)
    sides = one.end - one.start, other.end - other.start
    score = (one.score * sides[0] + other.score * sides[1]) / sum(sides)
    return replace(one, start=start, end=end, ref_start=ref_start, ref_end=ref_end, score=score,
                   speed=(ref_end - ref_start) / (end - start))  # fmt: skip
