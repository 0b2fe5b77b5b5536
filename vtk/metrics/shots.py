"""How well changes of shot are found: hard cuts by their frame, gradual transitions by their overlap."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

Span = tuple[int, int]
# Frames that a cut may be off: TRECVID's shot boundary task let short transitions match within a few frames.
TOLERANCE = 2


@dataclass(frozen=True)
class Truth:
    """Where a film changes from shot to shot.

    Attributes:
        cuts: the first frames of shots that follow hard cuts.
        graduals: (first mixed frame, first frame that is not) of gradual transitions.
        frames: how many frames the film has.
        unsure: spans of frames about which two people would not agree; what is found there counts neither way.
    """

    cuts: tuple[int, ...]
    graduals: tuple[Span, ...]
    frames: int
    unsure: tuple[Span, ...] = ()


@dataclass(frozen=True)
class Score:
    """Counts of what is there, what was found, and what of it is right; scores add up over films."""

    hits: int = 0
    found: int = 0
    there: int = 0

    def __add__(self, other: Score) -> Score:
        return Score(self.hits + other.hits, self.found + other.found, self.there + other.there)

    @property
    def recall(self) -> float:
        """The share of what is there that was found, in [0, 1]; 1 where nothing is there."""
        return self.hits / self.there if self.there else 1.0

    @property
    def precision(self) -> float:
        """The share of what was found that is there, in [0, 1]; 1 where nothing was found."""
        return self.hits / self.found if self.found else 1.0

    @property
    def f1(self) -> float:
        """The harmonic mean of both, in [0, 1]; 1 where nothing is there and nothing was found."""
        return 2 * self.hits / (self.found + self.there) if self.found + self.there else 1.0


def score_cuts(truth: Truth, cuts: Sequence[int], graduals: Sequence[Span] = (), tolerance: int = TOLERANCE) -> Score:
    """Return how many hard cuts were found, each true cut matched once at most.

    Args:
        cuts: the first frames of shots behind cuts, as found.
        graduals: the gradual transitions found; not needed here, and taken so that both scores have one signature.
        tolerance: frames by which a cut may be off.

    A cut found within a true gradual transition (or ``tolerance`` frames of it) is no false cut: it counts in
    ``score_graduals``, as a miss there.
    """
    left = [cut for cut in cuts if not _within(cut, truth.unsure, tolerance)]
    hits = 0
    for cut in sorted(truth.cuts):
        near = [one for one in left if abs(one - cut) <= tolerance]
        if near:
            hits += 1
            left.remove(min(near, key=lambda one: abs(one - cut)))
    false = [cut for cut in left if not _within(cut, truth.graduals, tolerance)]
    return Score(hits, hits + len(false), len(truth.cuts))


def score_graduals(truth: Truth, cuts: Sequence[int], graduals: Sequence[Span]) -> Score:
    """Return how many gradual transitions were found, each matched once at most, the largest overlaps first.

    A transition is found by one that covers half of the frames of both at least (of their union): a cut in the middle
    of a dissolve finds none, and is a false finding, as is every further one.
    """
    found = [(start, max(end, start + 1)) for start, end in graduals if not _within(start, truth.unsure, 0)]
    pairs = sorted(((_overlap(one, other), n, m) for n, one in enumerate(truth.graduals)
                    for m, other in enumerate(found)), reverse=True)
    taken: set[int] = set()
    used: set[int] = set()
    for overlap, n, m in pairs:
        if overlap >= 0.5 and n not in taken and m not in used:
            taken.add(n)
            used.add(m)
    strays = [cut for cut in cuts if _within(cut, truth.graduals, 0) and not _near(cut, truth.cuts)]
    return Score(len(taken), len(found) + len(strays), len(truth.graduals))


def score_changes(truth: Truth, frames: Sequence[int], tolerance: int = TOLERANCE) -> Score:
    """Return how many changes of either sort were found, by one frame each: for programs that tell no spans.

    A cut is found within ``tolerance`` frames, a gradual transition by any frame of it, or ``tolerance`` beside it.
    """
    left = [frame for frame in frames if not _within(frame, truth.unsure, tolerance)]
    there = sorted([(cut, cut) for cut in truth.cuts] + list(truth.graduals), key=lambda span: span[1] - span[0])
    hits = 0
    for span in there:
        near = [frame for frame in left if _within(frame, [span], tolerance)]
        if near:
            hits += 1
            left.remove(near[0])
    return Score(hits, hits + len(left), len(there))


def _overlap(one: Span, other: Span) -> float:
    """Return the share of the frames of either that are of both."""
    shared = min(one[1], other[1]) - max(one[0], other[0])
    return max(0, shared) / (max(one[1], other[1]) - min(one[0], other[0]))


def _within(frame: int, spans: Sequence[Span], tolerance: int) -> bool:
    return any(start - tolerance <= frame <= end + tolerance for start, end in spans)


def _near(frame: int, cuts: Sequence[int]) -> bool:
    return any(abs(frame - cut) <= TOLERANCE for cut in cuts)
