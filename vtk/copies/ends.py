"""The ends of a match looked at by what costs least: by light and dark alone, where these show the copy.

    match = ended(match, FileLookers("film.mp4", references), references.descriptor)

A network takes twenty times as long for a frame as ``dct`` does. Where that sees what both videos have in common it
says as well where it ends.
"""

from __future__ import annotations

import numpy as np

from vtk.copies.collecting import Views, query_of
from vtk.copies.descriptors import DctDescriptor, Descriptor
from vtk.copies.footprint import Footprint, FramePlan
from vtk.copies.lookers import FileLookers
from vtk.copies.matches import Match
from vtk.copies.refining import Looker, Lookers, refine
from vtk.copies.similarity import entry_scores
from vtk.copies.union import Union
from vtk.errors import MediaError
from vtk.media.sampling import Size

# Mean similarity along a match at which a part of a descriptor sees it.
SEEN = 0.6
# Of the pictures that are looked at, the short side in pixels: twice what ``dct`` takes.
SIZE = Size("short", 128)


def ended(match: Match, lookers: Lookers, descriptor: Descriptor, *, within: bool = False) -> Match:
    """Return the match with its ends where the similarity falls off; see ``refine``.

    Args:
        match: that was found.
        lookers: look at both videos; those at files do so by ``dct`` first, where the descriptor is a union with it.
        descriptor: of both.
        within: the reference is the query.
    """
    quick = next((part for part in descriptor.parts if isinstance(part, DctDescriptor)), None) \
        if isinstance(descriptor, Union) else None
    if quick is not None and isinstance(lookers, FileLookers):
        looked: list[tuple[Footprint | None, Footprint | None]] = []
        first = QuickLookers(lookers.source, lookers.references, lookers.opening, lookers.rate, lookers.notes,
                             lookers.span)  # fmt: skip
        first.part = quick
        found = refine(match, *_noted(_sides(match, first, within), looked), quick)
        if looked and all(_sees(found, *pair, quick) for pair in looked):
            return found
    return refine(match, *_sides(match, lookers, within), descriptor)


class QuickLookers(FileLookers):
    """Looks at files by one part of a descriptor, in small pictures; see ``FileLookers``."""

    part: Descriptor

    def _looker(self, source: str, mirrored: bool, noted: str | None) -> Looker:
        def look(start: float, end: float) -> Footprint | None:
            seconds = self.within(start, end, noted)
            if not seconds[1] > seconds[0]:
                return None
            try:
                found = query_of(source, self.part, FramePlan(rate=self.rate), self.opening, Views(mirrored=mirrored),
                                 SIZE, seconds)  # fmt: skip
            except MediaError:  # noted where it is looked at in the ordinary way
                return None
            return found.mirrored if found.mirrored is not None else found.whole

        return look


def score_along(match: Match, query: Footprint, reference: Footprint, descriptor: Descriptor) -> float:
    """Return the mean similarity, in [0, 1], along a match: of each frame of the query in it, by its weight.

    Each is compared with the two frames of the reference that it lies between on the match's line.
    """
    rows = np.flatnonzero((query.times >= match.start) & (query.times <= match.end))
    weights = query.weights[rows]
    if not weights.sum() > 0:
        return 0.0
    opposite = match.ref_start + match.speed * (query.times[rows] - match.start)
    after = np.searchsorted(reference.times, opposite)
    near = (np.clip(after - 1, 0, len(reference) - 1), np.clip(after, 0, len(reference) - 1))
    scores = np.maximum(*(entry_scores(query.vectors, reference.vectors, rows, columns, descriptor)
                          for columns in near))  # fmt: skip
    return float((scores * weights).sum() / weights.sum())


def _sides(match: Match, lookers: Lookers, within: bool) -> tuple[Looker, Looker]:
    return lookers.query(match.hflip), lookers.query(False) if within else lookers.reference(match.ref)


def _noted(sides: tuple[Looker, Looker],
           looked: list[tuple[Footprint | None, Footprint | None]]) -> tuple[Looker, Looker]:
    """Return lookers that note what they saw, in pairs: the query is always looked at first."""
    query_at, reference_at = sides
    held: list[Footprint | None] = []

    def query(start: float, end: float) -> Footprint | None:
        held[:] = [query_at(start, end)]
        return held[0]

    def reference(start: float, end: float) -> Footprint | None:
        found = reference_at(start, end)
        looked.append((held[0], found))
        return found

    return query, reference


def _sees(match: Match, query: Footprint | None, reference: Footprint | None, part: Descriptor) -> bool:
    return query is not None and reference is not None and score_along(match, query, reference, part) >= SEEN
