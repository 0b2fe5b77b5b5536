"""Copies found by key frames first: between them only what may be copied is decoded.

    found = fast_find("film.mp4", references)

Key frames are searched as all frames are. Where several lie on one line with a reference, all that is between them is
taken for copied unseen, and what is decoded is where the line ends. Where one alone is much like a frame of a
reference, or few are on a line, what is around them is decoded, and compared with that reference as all frames are.
The rest is never decoded: a copy that lies between two key frames is missed, and so is one whose key frames are too
much changed. Long matches end where a frame a second has them.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator
from dataclasses import dataclass, replace

import numpy as np

from vtk.copies.collecting import Views, query_of
from vtk.copies.ends import ended, score_along
from vtk.copies.finding import Lookers, Search, Seen, find, highest
from vtk.copies.footprint import Footprint, FramePlan, Query
from vtk.copies.gaps import Gaps, Span
from vtk.copies.key_lines import KeyLine, key_lines
from vtk.copies.matches import Match, merged
from vtk.copies.matching import align
from vtk.copies.references import References
from vtk.copies.refining import Looker, refine
from vtk.copies.search import Hits, candidates, search
from vtk.copies.similarity import similarity
from vtk.driver.chain import Opening
from vtk.errors import MediaError

# Key frames on a line with which it needs no looking at what is between them, the share of those in between, and the
# seconds from the first to the last: over fewer, speeds are guesses, and little is saved.
SURE, SHARE, SPAN = 4, 0.6, 15.0
# Score of a key frame and a frame of a reference at which what is around it is decoded. Of 2,243 pictures of 15 kinds
# of scenes 10 in 100 have another that reaches 0.6, 4 reach 0.7 and 2.5 reach 0.75; of 48 copies of 3 to 12 seconds,
# 43 are found by 0.6, by 0.7 and by a frame a second, 40 by 0.75: ``python -m vtk.copies.missed``, 2026-11-21.
TRIGGER = 0.7
# Seconds around such a key frame that are decoded at least.
AROUND = 3.0
# Mean score of two key frames on a line at which what is around them is decoded, of which neither would do alone.
PAIR = 0.6
# Seconds of a match from which on its ends are left as a frame a second has them, right to half a second: to look more
# closely takes as long as to read a minute by its key frames.
LONG = 8.0
# Seconds outside of a match that must have been seen for its end to be one.
_BEYOND = 1.0
_REACH = 1.5  # seconds around an end that are compared where no more is known
# A match that goes on is followed gap by gap; what is not at its end then ends where it has come to.
_ROUNDS = 12


@dataclass(frozen=True, slots=True)
class Found:
    """What was found in a source, and by what.

    Attributes:
        matches: as ``find`` returns them.
        query: all frames that were described.
        decoded: how many frames the decoder gave; None where the source was read in the ordinary way.
        damage: what was wrong with frames that it could not give.
    """

    matches: list[Match]
    query: Query
    decoded: int | None = None
    damage: tuple[MediaError, ...] = ()


def fast_find(source: str, references: References, how: Search = Search(), opening: Opening = Opening(),
              lookers: Lookers | None = None, skip: Container[str] = (), seen: Seen | None = None,
              views: Views = Views(), span: Span = (None, None)) -> list[Match]:
    """Return the spans of references that a source shows, by its key frames first; see ``fast_look``."""
    return fast_look(source, references, how, opening, lookers, skip, seen, views, span).matches


def fast_look(source: str, references: References, how: Search = Search(), opening: Opening = Opening(),
              lookers: Lookers | None = None, skip: Container[str] = (), seen: Seen | None = None,
              views: Views = Views(), span: Span = (None, None)) -> Found:
    """Return the spans of references that a source shows, by its key frames first, and what was looked at.

    Sources whose key frames are not known or fewer than 16, and those that are looked for in themselves, are read in
    the ordinary way, a frame a second.

    Args:
        source: as ``query_of`` takes it.
        references: where it is looked for.
        how: says what a match is.
        opening: how the source is opened.
        lookers: look at the ends of matches of less than ``LONG`` seconds more closely.
        skip: see ``find``.
        seen: told of each pair that has something in common.
        views: what of each frame is described.
        span: first and last second to read; None is open.

    Raises:
        MediaError: it cannot be opened, or not one frame can be decoded.
    """
    gaps = None if how.within else Gaps.read(source, references.descriptor, opening, views, span)
    if gaps is None:
        damage: list[MediaError] = []
        query = query_of(source, references.descriptor, FramePlan(), opening, views, span=span, damage=damage)
        return Found(find(query, references, how, lookers, skip, seen), query, damage=tuple(damage))
    sighted = _Sighting(gaps, references, how, skip)
    matches = sighted.followed()
    if lookers is not None:
        matches = merged(ended(match, lookers, references.descriptor) if match.seconds < LONG else match
                         for match in matches)  # fmt: skip
    query = gaps.all()
    for name in dict.fromkeys(match.ref for match in matches) if seen is not None else ():
        for view in _views(query):
            reference = references.footprint(name)
            entries = highest([similarity(each, reference, references.descriptor) for each in view.seen])
            seen(view.seen[0], reference, entries, view.hflip)
    return Found(matches, query, gaps.decoded, tuple(gaps.damage))


@dataclass(frozen=True, slots=True)
class _View:
    """One way to see a query: the whole frames and crops of them, or the mirrored frames."""

    seen: tuple[Footprint, ...]
    hflip: bool


def _views(query: Query) -> list[_View]:
    views = [_View((query.whole, *query.crops), hflip=False)]
    return views if query.mirrored is None else [*views, _View((query.mirrored,), hflip=True)]


class _Sighting:
    """A source of which the key frames were searched: what is sure, and what to look at."""

    def __init__(self, gaps: Gaps, references: References, how: Search, skip: Container[str]) -> None:
        self._gaps, self._references, self._how, self._skip = gaps, references, how, skip
        self._lines: list[KeyLine] = []
        self._causes: list[tuple[str, float, float]] = []  # a reference, and seconds of the query that it may be in
        self._wanted: set[int] = set()
        self._footprints: dict[str, Footprint] = {}  # of references that have a line
        self._found: dict[tuple[int, int], list[Match]] = {}  # by stretch
        for view in _views(gaps.keys):
            self._sight(view)

    def followed(self) -> list[Match]:
        """Return all matches, each followed to its end."""
        matches: list[Match] = []
        for _ in range(_ROUNDS):
            self._gaps.decode(self._wanted)
            matches = merged([*self._between(), *self._along()])
            ends = [end for match in matches for end in (match.start - _BEYOND, match.end + _BEYOND)]
            self._wanted = {gap for end in ends for gap in self._gaps.around(end, end) if not self._gaps.known[gap]}
            if not self._wanted:
                break
        return [match for match in matches
                if match.score >= self._how.min_score and match.seconds >= self._how.min_seconds]  # fmt: skip

    def _sight(self, view: _View) -> None:
        """Search the key frames by one view of them: note the lines that are sure, and what is to be decoded."""
        hits = [search(each, self._references) for each in view.seen]
        joined = hits[0] if len(hits) == 1 else Hits(*map(np.concatenate, zip(*hits, strict=True)))
        explained: dict[int, np.ndarray] = {}
        for candidate in candidates(joined, view.seen[0].weights):
            name = self._references.list()[candidate.reference].source
            if name not in self._skip:
                explained[candidate.reference] = self._line_up(view, name)
        self._alone(joined, explained)

    def _line_up(self, view: _View, name: str) -> np.ndarray:
        """Note the lines of one reference; return the numbers of the key frames in them, sure or to be decoded."""
        reference = self._references.footprint(name)
        entries = highest([similarity(each, reference, self._references.descriptor) for each in view.seen])
        inside = [np.zeros(0, np.int64)]
        for line in key_lines(view.seen[0], reference, entries, self._how.speeds, hflip=view.hflip):
            least = self._how.min_score if len(line.keys) > 2 else PAIR
            if line.alike < least:
                continue
            if len(line.keys) >= SURE and line.share >= SHARE and line.match.end - line.match.start >= SPAN:
                self._lines.append(line)
                self._footprints[name] = reference
            else:
                self._want(name, line.match.start, line.match.end)
            inside.append(np.arange(line.keys[0], line.keys[-1] + 1))
        return np.concatenate(inside)

    def _alone(self, hits: Hits, explained: dict[int, np.ndarray]) -> None:
        """Want what is around key frames that are much like a frame of a reference, but on no line with it."""
        names = self._references.list()
        for at in np.flatnonzero(hits.scores >= TRIGGER):
            frame, number = int(hits.frames[at]), int(hits.references[at])
            if names[number].source not in self._skip and frame not in explained.get(number, ()):
                time = float(self._gaps.keys.whole.times[frame])
                self._want(names[number].source, time, time)

    def _want(self, name: str, start: float, end: float) -> None:
        self._causes.append((name, start, end))
        self._wanted.update(self._gaps.around(start - AROUND, end + AROUND))

    def _between(self) -> Iterable[Match]:
        """Return what is found in the stretches that were decoded, of the references for which they were."""
        found: dict[tuple[int, int], list[Match]] = {}
        for stretch, query in self._gaps.between():
            if stretch in self._found:
                found[stretch] = self._found[stretch]
                continue
            first, last = self._gaps.edges[stretch[0]], self._gaps.edges[stretch[1] + 1]
            names = dict.fromkeys(name for name, start, end in self._causes if start <= last and end >= first)
            found[stretch] = [match for name in names for match in self._compared(query, name)]
        self._found = found
        return [match for matches in found.values() for match in matches]

    def _compared(self, query: Query, name: str) -> Iterator[Match]:
        """Yield the matches of a stretch with one reference."""
        how, reference = self._how, self._references.footprint(name)
        for view in _views(query):
            entries = highest([similarity(each, reference, self._references.descriptor) for each in view.seen])
            yield from (match for match in align(view.seen[0], reference, entries, how.aligner, how.min_seconds,
                                                 how.speeds, hflip=view.hflip)
                        if match.score >= how.min_score)  # fmt: skip

    def _along(self) -> Iterable[Match]:
        """Yield the lines, from where to where the frames that are known by now are on them."""
        query = self._gaps.all()
        for line in self._lines:
            match, reference = line.match, self._footprints[line.match.ref]
            own = query.mirrored if match.hflip and query.mirrored is not None else query.whole
            reach = max([_REACH, *(abs(end - edge) + 1 for end in (match.start, match.end)
                                   for edge in self._reached(end))])  # fmt: skip
            followed = refine(match, _frames_of(own), _frames_of(reference), self._references.descriptor, reach)
            score = score_along(followed, own, reference, self._references.descriptor)
            yield replace(followed, score=score)

    def _reached(self, time: float) -> tuple[float, float]:
        """Return the seconds between which all gaps around ``time`` are known."""
        gaps, own = self._gaps, self._gaps.around(time - _BEYOND, time + _BEYOND)
        first, last = own[0], own[-1]
        while first > 0 and gaps.known[first - 1]:
            first -= 1
        while last < len(gaps.known) - 1 and gaps.known[last + 1]:
            last += 1
        return float(gaps.edges[first]), float(gaps.edges[last + 1])


def _frames_of(footprint: Footprint) -> Looker:
    """Return what looks at the frames of a footprint and no others."""

    def look(start: float, end: float) -> Footprint | None:
        own = (footprint.times >= start) & (footprint.times <= end)
        if not own.any():
            return None
        return replace(footprint, frames=footprint.frames[own], times=footprint.times[own],
                       vectors=footprint.vectors[own], weights=footprint.weights[own])

    return look
