"""The work on one source: modes, one decode, the stages, the one order of records, the ledger."""

from __future__ import annotations

import math
from collections.abc import Container, Iterable, Iterator
from itertools import chain as joined
from typing import TYPE_CHECKING, Any

from vtk.driver.chain import STATUSES, Outcome, modes_of
from vtk.driver.conveyor import Conveyor
from vtk.driver.hold import Hold
from vtk.driver.items import Pixels, by_records, with_pixels, without_pixels
from vtk.driver.lines import IDLE
from vtk.driver.link import Item, Link, Mode, error_record, first_of, internal
from vtk.driver.profile import DECODE
from vtk.driver.stage import Record, Source
from vtk.driver.stream import BadLine, Close, Event, Group
from vtk.errors import MediaError, RecordError, VtkError
from vtk.records import dump, make

if TYPE_CHECKING:
    from vtk.driver.chain import Chain

# Groups without pixels that go through the stages together: so many, or as many as have so many lines. More records at
# a time fall out of the processor's cache before they are written (measured, 50 records a frame, microseconds a record
# passed through and read: 1.35 and 2.8 with 12,800 lines at a time, 0.9 and 2.2 with 500 to 4,000).
CHUNK = 256
CHUNK_LINES = 1500


class SourceRun:
    """The work on one source, from its first event to its ledger."""

    def __init__(self, chain: Chain, name: str, events: Iterator[Event] | None, outcome: Outcome) -> None:
        self._chain = chain
        self._name = name
        self._named = events is None
        self._events: Iterator[Event] = iter((Close(name),)) if events is None else events
        self._late: list[BadLine] = []
        self._outcome = outcome
        self._links: list[Link] = []
        self.modes: list[Mode] = []  # of each stage, once they are known: before the first line that is the source's
        self._pixels: Pixels | None = None
        self._conveyor: Conveyor | None = None
        self._hold: Hold | None = None
        self._close = Close(name)
        self._media: Record | None = None
        self._opened_by: int | None = None  # the stage in whose name the media record was made here
        self._fingerprint: str | None = None
        self._beyond: dict[int, list[int]] = {}

    def lines(self) -> Iterator[list[bytes] | None]:
        """Yield the source's lines, from its head to its ledger."""
        prefix = yield from self._decide()
        head = self._open()
        for link in self._links:
            link.start()
        yield [*head, *self._told_of_media()]
        if self._links[-1].stage.holds and self._links[-1].working:
            self._hold = Hold()
        groups = self._groups(prefix)
        if any(link.stage.needs == "source" for link in self._links):
            groups = iter([group for group in groups if group is not IDLE])
        yield from self._at_once(groups) if self._pixels is None or len(self._links) < 2 else self._abreast(groups)
        yield self._finish()

    def _at_once(self, groups: Iterator[Group | None]) -> Iterator[list[bytes] | None]:
        """Yield the lines of chunks that go through the stages one after another."""
        for chunk in self._chunks(groups):
            if chunk is IDLE:
                yield IDLE
                continue
            for link in self._links:
                link.take(chunk)
            yield self._lines_of(self._released(chunk))

    def _abreast(self, groups: Iterator[Group | None]) -> Iterator[list[bytes] | None]:
        """Yield the lines of chunks that go through the stages side by side, each stage in a thread of its own."""
        self._conveyor = conveyor = Conveyor(self._links)
        for chunk in self._chunks(groups):
            for done in conveyor.put(chunk) if chunk is not IDLE else conveyor.ready():
                yield self._lines_of(self._released(done))
            if chunk is IDLE:
                yield IDLE
        for done in conveyor.rest():
            yield self._lines_of(self._released(done))

    def _released(self, chunk: list[Item]) -> list[Item]:
        """Return the items that are final now that ``chunk`` is through the stages."""
        if self._hold is None:
            return chunk
        released = self._hold.put(chunk)
        return released if self._links[-1].working else [*released, *self._hold.rest()]

    def _late_to_frames(self, link: Link, records: list[Record]) -> list[Record]:
        """Add those of a closed stage's ``records`` that have a frame to the frames held back; return the others."""
        if self._hold is None or link is not self._links[-1]:
            return records
        self._hold.add((link.position, record) for record in records if "frame" in record)
        return [record for record in records if "frame" not in record]

    def _chunks(self, groups: Iterator[Group | None]) -> Iterator[list[Item] | None]:
        """Yield items in chunks of one batch; without pixels in larger ones, cut where the input waits."""
        size, most = ((max(1, *(link.stage.batch for link in self._links)), math.inf) if self._pixels is not None
                      else (CHUNK, CHUNK_LINES))
        chunk: list[Item] = []
        lines = 0
        for item in self._items(groups):
            if item is IDLE:
                if self._pixels is None and chunk:
                    yield chunk
                    chunk, lines = [], 0
                yield IDLE
                continue
            chunk.append(item)
            lines += len(item.lines)
            if len(chunk) >= size or lines >= most:
                yield chunk
                chunk, lines = [], 0
        if chunk:
            yield chunk

    def stop(self) -> None:
        """Stop decoding and close states that are still open: after an interrupt or a closed pipe."""
        if self._conveyor is not None:
            self._conveyor.close()
        if self._pixels is not None:
            self._pixels.close()
        for link in self._links:
            link.abandon()

    def _decide(self) -> Iterator[Any]:
        """Read until every stage's mode is known, set up the links, and return the groups read."""
        prefix: list[Group | Close] = []
        types: set[str] = {"media"} if self._named else set()
        while not self._decided(types, framed=any(isinstance(event, Group) and event.lines for event in prefix[-1:])):
            event = next(self._events)
            if event is IDLE:
                yield IDLE
            elif isinstance(event, BadLine):
                yield self._bad(event)
            else:
                prefix.append(event)
                records = [*event.records, *(entry[1] for entry in event.before if isinstance(entry, tuple))]
                types |= {record["type"] for record in records}
                self._media = self._media or next((record for record in records if record["type"] == "media"), None)
                if isinstance(event, Close):
                    self._close = event
                    types |= {kind for record in event.records for kind in record.get("types", ())
                              if isinstance(kind, str)}
                    if len(prefix) == 1:  # no frame came: what there is stands at the head of what we make
                        prefix.insert(0, Group(self._name, None, before=event.before))
                        event.before = []
                    break
        self._first(prefix, {"media"}.union(*(step.stage.early for step in self._chain.steps)))
        self.modes = modes_of([step.stage for step in self._chain.steps], types)
        for position, mode in enumerate(self.modes):
            source = Source(self._name, "records" if mode == "records" else "media", media=self._media,
                            opening=self._chain.opening)
            stage = self._chain.steps[position].stage
            self._links.append(Link(position, stage, source, mode, internal=self._chain.internal))
            self._links[-1].fed = any(stage.reads & step.stage.writes for step in self._chain.steps[:position])
        return prefix

    def _first(self, prefix: list[Group | Close], types: Container[str]) -> None:
        """Put records of ``types`` before all frames: the first that came may be late, and what we make begins at 0."""
        first = prefix[0] if prefix else None
        if not isinstance(first, Group) or not first.lines:
            return
        moved = [entry for entry in first.before if isinstance(entry, tuple) and entry[1]["type"] in types]
        if moved:
            first.before = [entry for entry in first.before if not any(entry is one for one in moved)]
            prefix.insert(0, Group(self._name, None, before=moved))

    def _decided(self, types: set[str], framed: bool) -> bool:
        """Return whether nothing that may still come can change a stage's mode; media records come before frames."""
        made: frozenset[str] = frozenset()
        for step in self._chain.steps:
            if not step.stage.reads & (types | made) and not (framed and not step.stage.reads):
                return False
            made |= step.stage.writes
        return True

    def _open(self) -> list[bytes]:
        """Open the source where a stage wants pixels; return the media record's line where none came."""
        wanting = [link for link in self._links if link.wants_pixels and not link.errors]
        if self._media is not None:
            self._fingerprint = self._media.get("fingerprint")
        if not wanting or self._upstream_failed():
            return []
        try:
            reader = self._chain.beforehand.open(self._name)
        except VtkError as error:
            return self._cannot_open(wanting, error)
        except Exception as error:
            if not self._chain.internal:
                raise
            return self._cannot_open(wanting, internal(error))
        info = reader.info
        self._fingerprint = info.fingerprint
        for link in self._links:
            link.source.info = info
        self._pixels = Pixels(reader, self._links)
        if self._media is not None:
            return []
        self._media, self._opened_by = media_record(wanting[0].by, self._name, info), wanting[0].position
        return self._chain.keep(wanting[0].position, dump(self._media), False)

    def _told_of_media(self) -> list[bytes]:
        """Give the media record that was made here to the stages behind its maker; return the lines of what they add."""
        lines: list[bytes] = []
        if self._opened_by is not None:
            known = [self._media]
            for link in self._links[self._opened_by + 1:]:
                heard = [record for record in known if record["type"] in link.stage.reads]
                made = link.hear(heard) if heard and link.working else []
                known += made
                for record in made:
                    lines += self._chain.keep(link.position, dump(record), False)
        return lines

    def _cannot_open(self, wanting: list[Link], error: VtkError) -> list[bytes]:
        wanting[0].errors.append(error)
        for link in wanting:
            link.status = "failed"
        return []

    def _upstream_failed(self) -> bool:
        """Whether upstream says that the source failed: then there is nothing to open it for."""
        return any(record.get("status") == "failed" for record in self._close.records)

    def _groups(self, prefix: Iterable[Group | Close]) -> Iterator[Group | None]:
        """Yield the groups up to the close, which is kept."""
        for event in joined(prefix, self._events):
            if isinstance(event, Close):
                self._close = event
                return
            if isinstance(event, BadLine):  # between end records
                self._late.append(event)
            else:
                yield event

    def _items(self, groups: Iterator[Group | None]) -> Iterable[Item | None]:
        if self._pixels is None:
            return without_pixels(groups)
        if self._pixels.by_records:
            return by_records(groups, self._pixels, self._wanted, self._note_beyond)
        return with_pixels(groups, self._pixels, self._note_beyond)

    def _wanted(self, group: Group) -> bool | None:
        """Return whether a stage wants the pixels of a group's frame; None where none reads its records."""
        if not any(record["type"] in self._chain.reads for record in group.records):
            return None
        return any([link.picks(group.frame, group.records) for link in self._links if link.wants_pixels])  # asks all

    def _note_beyond(self, item: Item) -> None:
        """Remember records of frames that the source does not have, for each stage that wanted the pixels."""
        for link in self._links:
            if link.wants_pixels and link.mode == "records" and any(
                    record["type"] in link.stage.reads for record in item.records):
                self._beyond.setdefault(link.position, []).append(item.index)

    def _lines_of(self, items: list[Item]) -> list[bytes]:
        """Return the lines of ``items`` that went through the stages: input lines first, frame by frame."""
        chain = self._chain
        lines: list[bytes] = []
        for item in items:
            if item.before:
                lines += self._unframed(item.before)
            for origin, record in item.ahead:
                lines += chain.keep(origin, dump(record), False)
            if chain.silent:
                continue
            if chain.only_from < 0:
                lines += item.lines
            else:
                lines += [line for line, record in zip(item.lines, item.records, strict=True)
                          if record["type"] == "error"]
            for origin, record in item.made:
                lines += chain.keep(origin, dump(record), False)
        return lines

    def _unframed(self, entries: Iterable[Any]) -> list[bytes]:
        """Return the lines of what came between frames."""
        lines: list[bytes] = []
        for entry in entries:
            if isinstance(entry, BadLine):
                lines += self._bad(entry)
            else:
                lines += self._chain.keep(-1, entry[0], entry[1]["type"] == "error")
        return lines

    def _finish(self) -> list[bytes]:
        """Close the stages in order; return source-level lines, upstream's end lines, and the ledgers."""
        chain = self._chain
        lines: list[bytes] = []
        damage = list(self._pixels.reader.errors) if self._pixels is not None else []
        if self._pixels is not None:
            self._pixels.close()
            self._outcome.spent[self._part(DECODE)] = self._pixels.spent
            if self._conveyor is None:
                self._links[0].spent.waiting += self._pixels.waited
        below = self._worst_upstream()
        lines += self._unframed(self._close.before)
        late = [entry[1] for entry in self._close.before if isinstance(entry, tuple)]
        ledgers: list[Record] = []
        for link in self._links:
            if link.mode == "pass":
                continue
            link.source.ledgers = [*self._close.records, *ledgers]
            heard = [record for record in late if record["type"] in link.stage.reads]
            records = [*(link.hear(heard) if heard and link.working else ()), *link.finish()]
            self._outcome.spent[self._part(f"{link.position + 1} {link.stage.name}")] = link.spent
            late += records
            self._settle(link, damage, below)
            ledgers.append(link.end_record(self._fingerprint))
            below = max(below, link.status, key=STATUSES.index)
            for record in self._late_to_frames(link, records):
                lines += chain.keep(link.position, dump(record), False)
                if record["type"] == "error":  # what the stage warns of, and goes on
                    self._outcome.errors.append((link.stage.name, VtkError(record["error"]["message"],
                                                                           code=record["error"]["code"])))
            for error in link.errors:
                self._outcome.errors.append((link.stage.name, error))
            troubles = link.error_records()
            chain.overheard(link.position, troubles)
            for record in troubles:
                lines += chain.keep(link.position, dump(record), True)
        for bad in self._late:
            lines += self._bad(bad)
        for line in self._close.lines:
            lines += chain.keep(-1, line, False)
        chain.overheard(-1, self._close.records)
        for link, ledger in zip((link for link in self._links if link.mode != "pass"), ledgers, strict=True):
            chain.overheard(link.position, [ledger])
            lines += chain.keep(link.position, dump(ledger), False)
        self._outcome.status = max(self._outcome.status, below, key=STATUSES.index)
        self._links = []
        return lines if self._hold is None else [*self._lines_of(self._hold.rest()), *lines]

    def _part(self, name: str) -> str:
        """Return what a part of this pass is called in a profile."""
        return name if self._chain.number == 1 else f"pass {self._chain.number}: {name}"

    def _settle(self, link: Link, damage: list[MediaError], below: str) -> None:
        """Set a finished link's status from what it met, from damage to the media, and from what came before it."""
        if link.wants_pixels and damage and not link.errors:
            link.errors += first_of(damage)
            link.status = "partial" if link.processed else "failed"
        if link.position in self._beyond and not link.errors:
            frames = self._beyond[link.position]
            # Frames that nobody picked are not counted: the decoder was asked for the last of them alone.
            there = (f"records of {len(frames)} frames are beyond the end, the first of frame {frames[0]}: "
                     f"the source has {self._pixels.last + 1 if self._pixels else 0} frames")
            link.errors.append(RecordError(
                f"records reach frame {frames[0]}, beyond the end" if link.picky else there, code="E_FRAME"))
            link.status = "partial"
        if below == "partial" and link.status == "ok":
            link.status = "partial"
        if below == "failed":
            link.status = "partial" if (link.processed or link.made) and link.status != "failed" else "failed"

    def _worst_upstream(self) -> str:
        found = [record.get("status") for record in self._close.records]
        return "failed" if "failed" in found else "partial" if "partial" in found else "ok"

    def _bad(self, bad: BadLine) -> list[bytes]:
        """Return the error record's line for a line that could not be used, and note it in the outcome."""
        stage = self._chain.first
        error = type(bad.error)(f"line {bad.number}: {bad.error}", code=bad.error.code)
        self._outcome.errors.append((stage.name, error))
        if self._outcome.status == "ok":
            self._outcome.status = "partial"
        record = error_record(stage.by, stage.name, bad.error, bad.source, bad.number)
        self._chain.overheard(-1, [record])
        return self._chain.keep(0, dump(record), True)


def media_record(by: str, name: str, info: Any) -> Record:
    """Return the ``media`` record of a source that was opened, from its vtk.media.info.MediaInfo."""
    keys: Record = {"kind": info.kind, "width": info.width, "height": info.height}
    for key, digits in (("fps", 6), ("duration", 6)):
        if getattr(info, key) is not None:
            keys[key] = round(float(getattr(info, key)), digits)
    for key in ("codec", "frames", "size", "fingerprint"):
        if getattr(info, key) is not None:
            keys[key] = getattr(info, key)
    if info.rotation:
        keys["rotation"] = info.rotation
    if info.vfr:
        keys["vfr"] = True
    return make("media", by, name, **keys, decoder=info.decoder)
