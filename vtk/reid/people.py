"""A gallery of people: identities that last from run to run, over ``vtk.library``.

A run calls it twice: before the work begins, so that a gallery of another model is refused in time, and at its end.

    check_gallery(uri, space, dim)
    names, scores = assign_people(uri, tracklets, vectors, labels, threshold, constraints, retention=None)

What is kept of a tracklet: its vector, source, track, span, camera and label, and when it was added. No picture.
"""

from __future__ import annotations

import contextlib
import difflib
import fcntl
import hashlib
import json
import os
from collections.abc import Iterator, Sequence
from datetime import timedelta

import numpy as np

from vtk.errors import UsageError
from vtk.library import Entry, Group, Library, LibraryError, NoLibraryError, Space, SpaceError, Stats
from vtk.library.conditions import quoted
from vtk.library.entries import directions
from vtk.library.storage import check_new, folder_of
from vtk.reid.constraints import Constraints
from vtk.reid.matching import Seen, agreement, clusters_of, matched, most_common, totals
from vtk.reid.names import Names
from vtk.reid.tracklets import Tracklet

UPGRADE = "vtk gallery upgrade"
# Two vectors below this cosine are not of the same crops: another video, or another hour of a stream, of that name.
SAME = 0.9


def space_of(text: str, dim: int) -> Space:
    """Return the space that records state as ``model@hash``; as many digits of its hash count as they carry.

    Raises:
        UsageError: it is something else.
    """
    model, mark, digits = text.rpartition("@")
    try:
        if not mark:
            raise ValueError("no @")
        return Space(model, digits.ljust(64, "0"), dim)
    except ValueError:
        raise UsageError(f"space '{text}': model@hash is needed, as embedding records have it") from None


def check_gallery(uri: str, space: str | None = None, dim: int | None = None) -> None:
    """Raise LibraryError or SpaceError where ``uri`` cannot take vectors (D,) of ``space``, or is damaged; make nothing.

    Args:
        uri: a folder, or an address on object storage; there may be none yet.
        space: ``model@hash`` as in records; None where it is not known yet.
        dim: length of a vector.
    """
    folder = folder_of(uri)
    if folder is not None:
        near = next(path for path in (folder, *folder.absolute().parents) if path.exists())
        if near != folder and not near.is_dir() or not os.access(near, os.W_OK):
            why = "cannot be written" if near.is_dir() else "is a file"
            raise NoLibraryError(f"gallery '{uri}' cannot be kept there: {near} {why}; name another folder")
    if folder is None or folder.exists():
        with _called_gallery():
            try:
                gallery = Gallery.open(uri, space, dim, create=False)
            except _NoGallery:
                return check_new(uri)
            gallery.identities()  # a file of it that is cut short is found now, and not when the work is done
            if space is not None and gallery.space != space:
                raise SpaceError(f"gallery '{uri}' holds {gallery.space} and may be searched by {space}, but not added "
                                 f"to; {UPGRADE} {uri} embeds it anew")


def assign_people(
    uri: str, tracklets: Sequence[Tracklet], vectors: np.ndarray, labels: np.ndarray, threshold: float,
    constraints: Constraints | bool = True, retention: float | None = None,
) -> tuple[list[str], np.ndarray]:  # fmt: skip
    """Return the name of each tracklet in the gallery ``uri``, made where there is none, and its score; keep them.

    Args:
        uri, tracklets, vectors, labels, threshold, constraints: see ``Gallery.assign``.
        retention: days after which what was added is forgotten, before this run is matched; None keeps all.
    """
    if not len(tracklets):
        return [], np.zeros(0)
    gallery = Gallery.open(uri, tracklets[0].space, np.shape(vectors)[1])
    if retention is not None:
        gallery.retain(retention)
    return gallery.assign(tracklets, vectors, labels, threshold, constraints)


class Gallery:
    """A gallery that is open; made by ``Gallery.open``.

    Attributes:
        uri: the folder or the address on object storage.
        library: where its vectors are: an entry is a tracklet, a group an identity.
    """

    def __init__(self, uri: str, library: Library) -> None:
        self.uri, self.library = uri, library
        self._given: Names | None = None

    @classmethod
    def open(cls, uri: str, space: str | None = None, dim: int | None = None, create: bool = True) -> Gallery:
        """Open a gallery, or make a new one.

        Args:
            uri: a folder, or an address on object storage.
            space, dim: of the vectors that it will be asked about; None to look and to mend alone.
            create: whether to make it where there is none; it needs a space.

        Raises:
            LibraryError: there is none, it is damaged, or a newer program wrote it.
            SpaceError: it is of another space.
        """
        wanted = space_of(space, dim or 1) if space is not None else None
        with _called_gallery():
            try:
                return cls(uri, Library.open(uri, wanted, create=create, upgrade=f"{UPGRADE} {uri}"))
            except LibraryError as error:
                if str(error).startswith("no library at"):
                    raise _NoGallery(f"no gallery at '{uri}': vtk reid --gallery makes one; or mend the path") from None
                raise

    def __enter__(self) -> Gallery:
        return self

    def __exit__(self, *_: object) -> None:
        self.library.close()

    @property
    def space(self) -> str:
        """The space of its vectors, ``model@hash`` as in records."""
        return str(self.library.space)

    def assign(self, tracklets: Sequence[Tracklet], vectors: np.ndarray, labels: np.ndarray, threshold: float,
               constraints: Constraints | bool = True) -> tuple[list[str], np.ndarray]:
        """Return the name of each tracklet of a run and its score, and keep the tracklets in one commit.

        What is stored already keeps its name: the same run again changes nothing, and what users merged and split
        stays so. Other members of its cluster are called like most of it. A cluster with none is the stored identity
        that it is most like, by the mean cosine of all pairs, from ``threshold`` on: the best pair first, then the
        best of the rest. Two clusters get one name only where ``constraints`` keep no pair of them apart; tracklets of
        earlier runs are under no constraint, since their sources' names and times may stand for another day. What is
        like no identity is a new one.

        Args:
            tracklets: N of one run; ``space`` is the gallery's.
            vectors: (N, D) float.
            labels: (N,) int, the cluster of each.
            threshold: a cosine.
            constraints: what keeps two tracklets of the run from being one person; True for overlap in time alone,
                False for nothing.

        Returns:
            N names; (N,) float64 in [0, 1], the mean cosine to the other tracklets of that name, 1 where it is alone.

        Raises:
            ValueError: the numbers of rows differ, or a vector has no direction.
            SpaceError: the gallery may be searched from the vectors' space only.
        """
        if not len(tracklets) == len(vectors) == len(labels):
            raise ValueError(f"got {len(tracklets)} tracklets, {len(vectors)} vectors and {len(labels)} labels, "
                             "expected as many of each")
        if not len(tracklets):
            return [], np.zeros(0)
        units = directions(vectors, self.library.space.dim, "vectors")
        units = units.astype(np.float16).astype(np.float32)  # as they come back
        clusters = clusters_of(np.asarray(labels))
        rules = Constraints(overlap=constraints) if isinstance(constraints, bool) else constraints
        with self._turn():
            ids, stored = self._known(tracklets, units)
            names = self._named(units, clusters, stored, threshold, Seen(tracklets, rules))
            new = [row for row, name in enumerate(stored) if name is None]
            if new:
                self.library.add([_entry(ids[row], tracklets[row], vectors[row], names[row]) for row in new],
                                 batch=len(new))
            scores = agreement(units, names, totals(self.library, sorted(set(names))))
        return names, scores

    def identities(self) -> list[Group]:
        """Return all identities by name."""
        with _called_gallery():
            return self.library.groups()

    def stats(self) -> Stats:
        """Return what the gallery holds."""
        return self.library.stats()

    def tracklets(self, name: str, vectors: bool = False) -> list[Entry]:
        """Return what is stored of an identity, by source and time.

        Raises:
            UsageError: there is none of that name.
        """
        found = list(self.library.read(f"`group` = {quoted(name)}", vectors=vectors))
        if not found:
            raise self._nobody(name)
        return sorted(found, key=lambda entry: (entry.source or "", entry.start or 0.0, entry.id))

    def merge(self, into: str, others: Sequence[str]) -> int:
        """Call all tracklets of ``others`` ``into``; return how many."""
        with self._turn():
            self._check([into, *others])
            joined = [name for name in dict.fromkeys(others) if name != into]
            return sum(self.library.rename(name, into) for name in joined)

    def split(self, name: str, which: Sequence[str]) -> str:
        """Make some tracklets of an identity a new one; return its name.

        Args:
            name: of the identity.
            which: ids of tracklets, or ``SOURCE#TRACK``.

        Raises:
            UsageError: there is no such identity, it has not all of the tracklets, or has no others.
        """
        with self._turn():
            mine = self.tracklets(name)
            chosen = [entry.id for entry in mine if entry.id in which or track_of(entry) in which]
            known = {entry.id for entry in mine} | {track_of(entry) for entry in mine}
            if wrong := [one for one in which if one not in known]:
                near = difflib.get_close_matches(wrong[0], known, n=1)
                hint = f"did you mean '{near[0]}'?" if near else f"vtk gallery show {self.uri} {name} has those of it"
                raise UsageError(f"{name} has no tracklet '{wrong[0]}': {hint}")
            if len(chosen) == len(mine):
                raise UsageError(f"that is all there is of {name}: leave some of it, or rename it")
            [new] = self._claim(1)
            self.library.rename(name, new, chosen)
            return new

    def rename(self, name: str, new: str) -> int:
        """Call an identity by a name that nobody had; return how many tracklets it has.

        Raises:
            UsageError: there is no such identity, or the name is or was somebody's.
        """
        with self._turn():
            self._check([name])
            if new in {group.name for group in self.identities()} or not new.strip() or not self._names().take(new):
                raise UsageError(f"the name '{new}' is taken: merge joins two identities; else choose another")
            return self.library.rename(name, new)

    def remove(self, names: Sequence[str]) -> int:
        """Remove identities, so that nothing finds them; return how many tracklets. ``forget`` clears the files too."""
        with self._turn():
            self._check(names)
            return sum(self.library.remove(group=name) for name in names)

    def forget(self, names: Sequence[str] = ()) -> int:
        """Remove identities, and all that was removed before, from the files and their history; return how many."""
        removed = self.remove(names)
        self._clear()
        return removed

    def retain(self, days: float) -> int:
        """Forget tracklets that were added more than ``days`` ago; return how many."""
        if not 0 < days < 1e6:
            raise UsageError(f"--retention {days:g}: a number of days above 0 is needed")
        with self._turn():
            removed = self.library.remove(older_than=timedelta(days=days))
        if removed or self.stats().deleted:
            self._clear()
        return removed

    def hand_names_to(self, other: Gallery) -> None:
        """Have ``other`` know all names that were ever given here, so that it gives none of them again."""
        self._names().copy_to(other._names(), [group.name for group in self.identities()])

    def _clear(self) -> None:
        """Clear the files of what was removed."""
        given = self._names()
        with self._turn():
            given.keep({group.name for group in self.identities()})
        given.compact()
        self.library.compact()

    def _named(self, units: np.ndarray, clusters: Sequence[np.ndarray], stored: Sequence[str | None],
               threshold: float, seen: Seen) -> list[str]:
        """Return the name of each tracklet; new ones are claimed."""
        names = list(stored)
        for row, name in enumerate(stored):
            if name is not None:
                seen.add(name, [row])
        chosen: dict[int, str] = {}
        for place, rows in enumerate(clusters):
            if known := [stored[row] for row in rows if stored[row] is not None]:
                chosen[place] = most_common(known)  # type: ignore[arg-type]
                seen.add(chosen[place], [row for row in rows if stored[row] is None])
        open_ = [place for place in range(len(clusters)) if place not in chosen]
        if open_:
            found = matched(self.library, units, [clusters[place] for place in open_], threshold, seen)
            chosen |= {open_[place]: name for place, name in found.items()}
            fresh = [place for place in open_ if place not in chosen]
            chosen |= dict(zip(fresh, self._claim(len(fresh)), strict=True))
        for place, rows in enumerate(clusters):
            for row in rows:
                names[row] = names[row] or chosen[place]
        return names  # type: ignore[return-value]

    def _known(self, tracklets: Sequence[Tracklet], units: np.ndarray) -> tuple[list[str], list[str | None]]:
        """Return the id of each tracklet, and the name of those that are stored."""
        plain = [tracklet_id(tracklet, self.space) for tracklet in tracklets]
        apart = [f"{one}-{hashlib.sha256(unit.tobytes()).hexdigest()[:8]}"
                 for one, unit in zip(plain, units, strict=True)]
        there = self.library.get([*plain, *apart])
        ids, names = [], []
        for unit, one, other in zip(units, plain, apart, strict=True):
            entry = there.get(one)
            mine = one if entry is None or float(unit @ entry.vector.astype(np.float32)) >= SAME else other
            ids.append(mine)
            names.append(there[mine].group if mine in there else None)
        return ids, names

    def _claim(self, count: int) -> list[str]:
        return self._names().claim(count, [group.name for group in self.identities()]) if count else []

    def _names(self) -> Names:
        if self._given is None:
            self._given = Names(self.uri)
        return self._given

    def _check(self, names: Sequence[str]) -> None:
        """Raise UsageError unless all are names of identities."""
        there = {group.name for group in self.identities()}
        for name in names:
            if name not in there:
                raise self._nobody(name, there)

    def _nobody(self, name: str, there: set[str] | None = None) -> UsageError:
        there = {group.name for group in self.identities()} if there is None else there
        near = difflib.get_close_matches(name, sorted(there), n=1)
        hint = f"did you mean '{near[0]}'?" if near else f"vtk gallery list {self.uri} has all {len(there)}"
        return UsageError(f"no identity '{name}' in {self.uri}: {hint}")

    @contextlib.contextmanager
    def _turn(self) -> Iterator[None]:
        """Hold the gallery for one change at a time, where it is in files: two runs at once give one person one name.

        On object storage there are no locks: two runs at once may give one person two names, never two people one.
        """
        folder = folder_of(self.uri)
        if folder is None:
            yield
            return
        try:
            file = open(folder / ".turn", "ab")
        except OSError as error:
            raise LibraryError(f"gallery '{self.uri}' cannot be written: {error.strerror}") from None
        with file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield


class _NoGallery(NoLibraryError):
    """There is none."""


@contextlib.contextmanager
def _called_gallery() -> Iterator[None]:
    """Call a library a gallery where it is refused: that is what its user has."""
    try:
        yield
    except (LibraryError, SpaceError) as error:
        if "library" not in str(error):
            raise
        raise type(error)(str(error).replace("library", "gallery", 1)) from error


def tracklet_id(tracklet: Tracklet, space: str) -> str:
    """Return the id under which a tracklet is stored: of its source, track, start and space."""
    told = json.dumps([tracklet.source, tracklet.track_id, round(tracklet.start, 6), space])
    return hashlib.sha256(told.encode("utf-8", "surrogatepass")).hexdigest()[:16]


def track_of(entry: Entry) -> str:
    """Return ``SOURCE#TRACK`` of what is stored of a tracklet."""
    return f"{entry.source}#{entry.extra.get('track_id', '')}"


def _entry(name: str, tracklet: Tracklet, vector: np.ndarray, identity: str) -> Entry:
    known = {"camera": tracklet.camera, "label": tracklet.label}
    return Entry(name, vector, identity, tracklet.source, tracklet.start, tracklet.end,
                 extra={"track_id": tracklet.track_id, "crops": tracklet.crops,
                        **{key: value for key, value in known.items() if value is not None}})
