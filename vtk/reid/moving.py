"""A gallery as records, and the same people in the space of another model."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from vtk.errors import RecordError, UsageError
from vtk.library import Entry, LibraryError
from vtk.records import Record, make, score
from vtk.reid.matching import agreement, totals
from vtk.reid.people import Gallery, tracklet_id
from vtk.reid.tracklets import Tracklet, to_record

BY = "gallery"
READ = 1000  # entries that are read at once
Key = tuple[str, int, float]


@dataclass(frozen=True, slots=True)
class Upgraded:
    """What an upgrade did.

    Attributes:
        moved: tracklets that are in the new gallery.
        left: those that nobody embedded anew, by identity and by source.
        lost: identities of which there is none in the new gallery.
    """

    moved: int
    left: dict[str, int]
    sources: dict[str, int]
    lost: list[str]


def records_of(gallery: Gallery) -> Iterator[Record]:
    """Yield an ``embedding`` and an ``identity`` record of each tracklet, by source, start and track."""
    order = sorted(((entry.source or "", entry.start or 0.0, entry.id, entry.group)
                    for entry in gallery.library.read(vectors=False)))
    for first in range(0, len(order), READ):
        part = order[first : first + READ]
        there = gallery.library.get([one for _, _, one, _ in part])
        entries = [there[one] for _, _, one, _ in part if one in there]
        known = totals(gallery.library, sorted({entry.group for entry in entries}))
        units = np.stack([entry.vector for entry in entries]).astype(np.float32)
        scores = agreement(units, [entry.group for entry in entries], known)
        for entry, unit, value in zip(entries, units, scores, strict=True):
            tracklet = tracklet_of(entry, gallery.space)
            yield to_record(replace(tracklet, vector=unit), BY)
            yield make("identity", BY, tracklet.source, track_id=tracklet.track_id, identity=entry.group,
                       score=score(value))


def tracklet_of(entry: Entry, space: str) -> Tracklet:
    """Return what an entry of a gallery says of its tracklet, without the vector.

    Raises:
        LibraryError: it is none, but an entry of a library of something else.
    """
    told = entry.extra
    if entry.source is None or entry.start is None or entry.end is None or "track_id" not in told:
        raise LibraryError(f"entry '{entry.id}' is of no track: this library is no gallery of vtk reid")
    return Tracklet(entry.source, int(told["track_id"]), entry.start, entry.end, told.get("camera"), None, space,
                    told.get("label"), int(told.get("crops", 1)))


def sources_of(gallery: Gallery) -> list[str]:
    """Return the sources whose tracklets are stored, by name."""
    return sorted({entry.source for entry in gallery.library.read(vectors=False) if entry.source is not None})


def upgrade(old: Gallery, target: str, tracklets: Sequence[Tracklet]) -> Upgraded:
    """Make the gallery ``target`` of the people in ``old``, by vectors of another model; in one commit.

    Identities, their names and the times at which tracklets were added stay; ``old`` stays as it is. A tracklet is
    found again by its source, track and start.

    Args:
        old: what is there.
        target: where to; there is nothing yet.
        tracklets: of the same sources and tracks, with vectors of one other space.

    Raises:
        RecordError: the tracklets are of two spaces, or of the space that the gallery has.
        UsageError: there are none, or ``target`` holds something.
    """
    if not tracklets:
        raise UsageError(asked_for(old, target))
    space, dim = tracklets[0].space, len(tracklets[0].vector)  # type: ignore[arg-type]
    other = next((one for one in tracklets if (one.space, len(one.vector)) != (space, dim)), None)  # type: ignore[arg-type]
    if other is not None:
        raise RecordError(f"embeddings of two spaces, {space} and {other.space}: embed all with one model")
    if space == old.space:
        raise RecordError(f"the embeddings are of {space}, as the gallery is: there is nothing to upgrade")
    fresh = {_key(one): one for one in tracklets}
    new = Gallery.open(target, space, dim)
    if len(new.library):
        raise UsageError(f"gallery '{target}' holds {len(new.library)} tracklets: name a new one")
    entries, left, sources = [], defaultdict(int), defaultdict(int)
    for entry in sorted(old.library.read(vectors=False), key=lambda entry: entry.id):  # of doubles the plain id first
        before = tracklet_of(entry, old.space)
        found = fresh.pop(_key(before), None) if entry.id == tracklet_id(before, old.space) else None
        if found is None:
            left[entry.group] += 1
            sources[before.source] += 1
        else:
            entries.append(replace(entry, id=tracklet_id(before, space), vector=found.vector))
    old.hand_names_to(new)
    if entries:
        new.library.add(entries, batch=len(entries))
    kept = {entry.group for entry in entries}
    return Upgraded(len(entries), dict(left), dict(sources), sorted(set(left) - kept))


def asked_for(old: Gallery, target: str) -> str:
    """Return what to do where an upgrade has nothing to go by: no crops are stored."""
    return (f"gallery '{old.uri}' stores no crops: embed its {len(sources_of(old))} sources anew (--sources prints "
            "them), from the tracks that it was made of: vtk reid --embed-only --model NAME < TRACKS.jsonl "
            f"| vtk gallery upgrade {old.uri} -o {target}")


def _key(tracklet: Tracklet) -> Key:
    return tracklet.source, tracklet.track_id, round(tracklet.start, 3)
