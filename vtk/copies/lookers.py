"""Spans of files looked at more closely, and what became of files since they were described."""

from __future__ import annotations

import math
import os
from collections.abc import Iterable
from dataclasses import dataclass, field

from vtk.copies.collecting import Views, query_of
from vtk.copies.descriptors import Descriptor
from vtk.copies.footprint import Footprint, FramePlan
from vtk.copies.references import References
from vtk.copies.refining import Looker
from vtk.driver.chain import Opening
from vtk.errors import MediaError
from vtk.media.fingerprint import fingerprint
from vtk.media.names import is_stream, open_name

# Frames a second around the ends of a match: these are then right to a sixteenth of a second.
RATE = 8.0


@dataclass(slots=True)
class FileLookers:
    """Looks at a query and at references where they stand; see ``vtk.copies.finding.Lookers``.

    Attributes:
        source: the query.
        references: of whose files the fingerprints are known.
        opening: how files are opened.
        rate: frames a second.
        notes: by reference, why its ends could not be looked at.
        span: first and last second of the query that are looked at; None is open.
    """

    source: str
    references: References
    opening: Opening = Opening()
    rate: float = RATE
    notes: dict[str, str] = field(default_factory=dict)
    span: tuple[float | None, float | None] = (None, None)

    @property
    def bounds(self) -> tuple[float, float]:
        """First and last second of the query that are looked at."""
        first, last = self.span
        return first or 0.0, math.inf if last is None else last

    def within(self, start: float, end: float, noted: str | None) -> tuple[float, float]:
        """Return a span cut to what of the query is looked at; that of a reference, which is ``noted``, as it is."""
        first, last = self.bounds if noted is None else (0.0, math.inf)
        return max(start, first), min(end, last)

    def query(self, mirrored: bool) -> Looker:
        """Return what looks at the query, at its mirrored frames if so asked."""
        return self._looker(self.source, mirrored, None)

    def reference(self, name: str) -> Looker:
        """Return what looks at a reference; at nothing, with a note, where its file is not what it was."""
        why = self._changed(name)
        if why is not None:
            self.notes[name] = why
            return lambda start, end: None
        return self._looker(name, False, name)

    def forget(self, names: Iterable[str]) -> None:
        """Drop the notes of references that are looked at again."""
        for name in names:
            self.notes.pop(name, None)

    def _looker(self, source: str, mirrored: bool, noted: str | None) -> Looker:
        descriptor: Descriptor = self.references.descriptor

        def look(start: float, end: float) -> Footprint | None:
            seconds = self.within(start, end, noted)
            if not seconds[1] > seconds[0]:
                return None
            try:
                found = query_of(source, descriptor, FramePlan(rate=self.rate), self.opening, Views(mirrored=mirrored),
                                 span=seconds)
            except MediaError as error:
                if noted is not None:
                    self.notes.setdefault(noted, f"the reference cannot be read ({error}): its ends are as its "
                                                 "stored frames have them")  # fmt: skip
                return None
            return found.mirrored if found.mirrored is not None else found.whole

        return look

    def _changed(self, name: str) -> str | None:
        """Return what became of a reference's file since it was added; None where it is as it was."""
        known = self.references.get(name)
        if known is None or known.fingerprint is None:  # a folder of images, say
            return "the reference is a stream: its ends are as its stored frames have them" if is_stream(name) else None
        try:
            path = open_name(name, self.opening.root)
            if not os.path.exists(path):
                return ("the reference is gone, or --root does not say where it is: its ends are as its stored frames "
                        "have them")
            if fingerprint(path) != known.fingerprint:
                return "the reference changed since it was added: the times are those of the file as it was"
        except (OSError, ValueError) as error:
            return f"the reference cannot be read ({error}): its ends are as its stored frames have them"
        return None
