"""Which spans of which references a source shows: search, candidates, maps, alignment, ends.

    matches = find(query_of("clip.mp4", references.descriptor), references)
"""

from __future__ import annotations

from collections.abc import Callable, Container, Sequence
from dataclasses import dataclass

import numpy as np

from vtk.copies.ends import ended
from vtk.copies.footprint import Footprint, Query
from vtk.copies.matches import Match, merged
from vtk.copies.matching import ALIGNERS, MIN_SCORE, MIN_SECONDS, SPEEDS, align
from vtk.copies.references import References
from vtk.copies.refining import Lookers
from vtk.copies.search import Hits, candidates, search
from vtk.copies.similarity import Entries, similarity
from vtk.errors import UsageError

# Told of each pair of videos that was compared: query, reference, their map, and whether the query was mirrored.
Seen = Callable[[Footprint, Footprint, Entries, bool], None]
# Seconds, and share of a speed, by which what was looked at eight times a second may be off.
SLACK = 1 / 16


@dataclass(frozen=True, slots=True)
class Search:
    """How copies are looked for.

    Attributes:
        aligner: one of ``vtk.copies.matching.ALIGNERS``.
        min_score: in [0, 1]; matches below it are left out.
        min_seconds: of both sides of a match.
        speeds: slowest and fastest, reference seconds per query second.
        within: whether spans of the query that come back in it are looked for, too.
    """

    aligner: str = "diagonal"
    min_score: float = MIN_SCORE
    min_seconds: float = MIN_SECONDS
    speeds: tuple[float, float] = SPEEDS
    within: bool = False

    def __post_init__(self) -> None:
        if self.aligner not in ALIGNERS:
            raise UsageError(f"--aligner {self.aligner}: expected one of {', '.join(ALIGNERS)}")
        if not 0 <= self.min_score <= 1:
            raise UsageError(f"--min-score {self.min_score}: 0 to 1 is needed")
        if not 0 <= self.min_seconds < float("inf"):
            raise UsageError(f"--min-seconds {self.min_seconds}: seconds, 0 or more, are needed")
        if not 0 < self.speeds[0] <= self.speeds[1] < float("inf"):
            raise UsageError(f"--speeds {self.speeds[0]:g}-{self.speeds[1]:g}: slowest and fastest are needed, above 0")


def find(query: Query, references: References, how: Search = Search(), lookers: Lookers | None = None,
         skip: Container[str] = (), seen: Seen | None = None) -> list[Match]:
    """Return the spans of references that a source shows, by reference, then in order of the source.

    Args:
        query: of the references' space.
        references: where it is looked for.
        how: says what a match is.
        lookers: look at the ends of matches more closely; None leaves them where the frames at hand have them.
        skip: names of references that are left out.
        seen: told of each pair that was compared.

    Raises:
        ValueError: the query is of another space.
    """
    found = _among(query.whole, query.crops, references, how, skip, seen, hflip=False)
    if query.mirrored is not None:
        found += _among(query.mirrored, (), references, how, skip, seen, hflip=True)
    if how.within:
        entries = similarity(query.whole, query.whole, references.descriptor)
        own = align(query.whole, query.whole, entries, how.aligner, how.min_seconds, how.speeds, within=True)
        found += own
        if seen is not None:
            seen(query.whole, query.whole, entries, False)
    kept = [match for match in found if match.score >= how.min_score]
    if lookers is not None:
        kept = [ended(match, lookers, references.descriptor, within=match.ref == query.whole.source) for match in kept]
        kept = [match for match in kept if match.seconds >= how.min_seconds - SLACK
                and how.speeds[0] * (1 - SLACK) <= match.speed <= how.speeds[1] * (1 + SLACK)]  # fmt: skip
    return merged(kept)


def _among(whole: Footprint, crops: Sequence[Footprint], references: References, how: Search, skip: Container[str],
           seen: Seen | None, *, hflip: bool) -> list[Match]:
    """Return the matches of one view of the query, and of crops of it, with all references."""
    hits = [search(each, references) for each in (whole, *crops)]
    joined = hits[0] if len(hits) == 1 else Hits(*map(np.concatenate, zip(*hits, strict=True)))
    found: list[Match] = []
    for candidate in candidates(joined, whole.weights):
        name = references.list()[candidate.reference].source
        if name in skip:
            continue
        reference = references.footprint(name)
        entries = highest([similarity(each, reference, references.descriptor) for each in (whole, *crops)])
        some = align(whole, reference, entries, how.aligner, how.min_seconds, how.speeds, hflip=hflip)
        if seen is not None:
            seen(whole, reference, entries, hflip)
        found += some
    return found


def highest(maps: Sequence[Entries]) -> Entries:
    """Return the map whose entries are the highest of those of ``maps``, of one shape each."""
    if len(maps) == 1:
        return maps[0]
    shape = maps[0].shape
    cells = np.concatenate([each.rows * shape[1] + each.columns for each in maps])
    values = np.concatenate([each.values for each in maps])
    order = np.lexsort((-values, cells))
    order = order[np.flatnonzero(np.diff(cells[order], prepend=-1))]
    return Entries(*np.divmod(cells[order], shape[1]), values[order], shape)


def read_speeds(text: str) -> tuple[float, float]:
    """Return the slowest and the fastest speed in ``SLOW-FAST``; one number is both.

    Raises:
        UsageError: it is something else.
    """
    first, _, last = text.partition("-")
    try:
        return float(first), float(last or first)
    except ValueError:
        raise UsageError(f"--speeds {text}: SLOW-FAST is needed, such as 0.4-2.5") from None
