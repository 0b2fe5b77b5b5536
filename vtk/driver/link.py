"""One stage at work on one source: what it looks at, what it made, how it ended."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

import orjson

from vtk.driver.profile import Spent
from vtk.driver.stage import Frame, Record, Source, Stage
from vtk.errors import VtkError
from vtk.media.sampling import ON_DEMAND, Sampling
from vtk.records import make

Mode = Literal["media", "records", "pass"]


class InternalError(VtkError):
    """A bug of ours met on one source: it is reported like any error, and the run goes on."""

    code = "E_INTERNAL"


@dataclass(slots=True)
class Item:
    """One frame on its way through the stages: upstream's lines and records, pixels, and what stages made of it.

    What belongs to no frame comes before the frame: ``before`` from upstream, ``ahead`` from the stages. A stage that
    holds frames back gives records of earlier ones, ``late``, and says from which on there may be more, ``horizon``.
    It is ``bare`` where no stage picked it for its pixels.
    """

    index: int
    lines: Sequence[bytes] = ()
    records: list[Record] = field(default_factory=list)
    decoded: Any = None
    chosen: tuple[bool, ...] = ()
    made: list[tuple[int, Record]] = field(default_factory=list)
    before: Sequence[Any] = ()
    ahead: list[tuple[int, Record]] = field(default_factory=list)
    late: list[tuple[int, Record]] = field(default_factory=list)
    horizon: int | None = None
    bare: bool = False


def options_hash(stage: Stage, mode: Mode) -> str:
    """Return a short hash of the options of ``stage`` that change what it makes of a source in ``mode``."""
    maker = stage.by if mode == "media" else stage.name  # with records the model inside has no say
    text = orjson.dumps({"by": maker, **stage.options(mode)}, option=orjson.OPT_SORT_KEYS, default=str)
    return hashlib.blake2b(text, digest_size=8).hexdigest()


class Link:
    """A stage of a chain with one source open in it."""

    def __init__(self, position: int, stage: Stage, source: Source, mode: Mode, *, internal: bool = True) -> None:
        self.position = position
        self.stage = stage
        self.source = source
        self.mode = mode
        self.by = stage.by
        self.status = "ok"
        self.errors: list[VtkError] = []
        self.decoded = self.processed = self.made = 0
        self.spent = Spent()
        self.sampling = Sampling(mode="none")
        self._internal = internal
        self._state: Any = None
        self._started = False
        self._last: int | None = None
        self._taken = 0
        self._asked = -1  # the last frame that the stage picked or left
        self._picked: set[int] = set()  # frames that it did not take yet
        self.fed = False  # whether a stage before it may make records that it reads
        if mode != "pass":
            self._call(lambda: setattr(self, "sampling", stage.sampling(source)))
        self.choose = self.sampling.chooser()

    @property
    def wants_pixels(self) -> bool:
        """Whether it needs the source opened."""
        return self.mode != "pass" and self.sampling.mode != "none"

    @property
    def picky(self) -> bool:
        """Whether the stage may do without the pixels of some frames that have records."""
        return self.sampling.mode == "records" and type(self.stage).picks is not Stage.picks

    @property
    def working(self) -> bool:
        """Whether it takes frames: it is neither passing through nor broken."""
        return self.mode != "pass" and self.status != "failed" and not self.errors

    def start(self) -> None:
        """Open the stage's state for the source."""
        def begin() -> None:
            self._state = self.stage.start(self.source)
            self._started = True

        if self.working:
            self._call(begin)

    def exhausted(self, t: float) -> bool:
        """Return whether no frame at or after ``t`` seconds is wanted any more."""
        window = self.sampling
        return (not self.working or (window.end is not None and t >= window.end)
                or (window.limit is not None and self._taken >= window.limit))

    def wants(self, index: int, t: float) -> bool:
        """Return whether a frame that was just decoded is wanted, and count it as decoded. Once a frame, in order."""
        if self.exhausted(t) or not self.sampling.covers(t):
            return False
        if self.sampling.mode == "records":
            return True
        self.decoded += 1
        chosen = self.choose(index, t)
        self._taken += chosen
        return chosen

    def looks_at(self, item: Item) -> bool:
        """Return whether the stage takes ``item``."""
        if not self.working:
            return False
        if self.mode == "records" and self.sampling.mode in ("none", "records"):
            if self.sampling.mode == "records" and not item.bare and (
                    item.decoded is None or not item.chosen[self.position]):
                return False
            return any(record["type"] in self.stage.reads for record in self._visible(item))
        return item.decoded is not None and item.chosen[self.position]

    def picks(self, index: int, records: Sequence[Record]) -> bool:
        """Return whether the stage wants the pixels of a frame that upstream gave ``records``."""
        if self.fed:
            return True
        mine = [record for record in records if record["type"] in self.stage.reads]
        if mine and self.working:
            self._call(lambda: self._ask(_bare(self.source, index, mine)))
        return index in self._picked

    def _ask(self, frame: Frame) -> None:
        """Ask the stage whether it picks a frame."""
        self._asked = frame.index
        if self.stage.picks(self._state, frame):
            self._picked.add(frame.index)

    def take(self, items: Sequence[Item]) -> None:
        """Run the stage over ``items`` and add what it makes to each."""
        mine: list[Item] = []
        for item in items:
            known = self._unframed(item)
            if known:
                # In its place between the frames: how many of them come at a time must not show.
                self._work(mine)
                mine = []
                item.ahead += [(self.position, record) for record in self.hear(known)]
            if self.looks_at(item):
                mine.append(item)
        self._work(mine)

    def _work(self, mine: Sequence[Item]) -> None:
        """Run the stage over frames that it takes."""
        for begin in range(0, len(mine), self.stage.batch):
            batch = mine[begin:begin + self.stage.batch]

            def work(batch: Sequence[Item] = batch) -> None:
                begin = time.perf_counter()
                frames = [self._frame(item) for item in batch]
                if self.sampling.mode == "records":
                    self._count(frames)
                made = self.stage.frames(self._state, frames)
                if len(made) != len(batch):
                    raise ValueError(f"{self.stage.name} made {len(made)} lists for {len(batch)} frames")
                for item, records in zip(batch, made, strict=True):
                    for record in records:
                        frame = record.get("frame")
                        place = item.ahead if frame is None else item.made if frame == item.index else item.late
                        place.append((self.position, record))
                    self.made += len(records)
                if self.stage.holds:
                    batch[-1].horizon = self.stage.horizon(self._state)
                self.processed += len(batch)
                self.spent.add(Spent(busy=time.perf_counter() - begin, frames=len(batch)))

            if not self.working or not self._call(work):
                break

    def _count(self, frames: Sequence[Frame]) -> None:
        """Count the frames that the stage picked as decoded; it is asked of those that nobody asked about before."""
        for frame in frames:
            if frame.index > self._asked:
                self._ask(replace(frame, image=None, convert=None))
            self.decoded += frame.index in self._picked
            self._picked.discard(frame.index)

    def _unframed(self, item: Item) -> list[Record]:
        """Return the records without a frame that came before ``item`` and that the stage reads."""
        known = [entry[1] for entry in item.before if isinstance(entry, tuple)] + [record for _, record in item.ahead]
        return [record for record in known if record["type"] in self.stage.reads] if self.working else []

    def hear(self, records: list[Record]) -> list[Record]:
        """Give the stage records that belong to no frame; return what it makes of them."""
        made: list[Record] = []
        self._call(lambda: made.extend(self.stage.unframed(self._state, records)))
        self.made += len(made)
        return made

    def finish(self) -> list[Record]:
        """Close the stage's state and return its source-level records: its own, then its errors."""
        records: list[Record] = []
        if self._started:
            self._started = False
            begin = time.perf_counter()
            self._call(lambda: records.extend(self.stage.end(self._state, self.status == "ok" and not self.errors)))
            self.spent.busy += time.perf_counter() - begin
            self.made += len(records)
            self.by = self.stage.maker(self._state)
            self._call(self._own_reading)
        if self.errors:
            self.status = "partial" if (self.processed or self.made) and not self.stage.whole else "failed"
        return records

    def _own_reading(self) -> None:
        """Count the frames that the stage read by itself, and note what was lost of them."""
        frames, lost = self.stage.own_reading(self._state)
        self.decoded += frames
        self.processed += frames
        if lost and not self.errors:
            self.errors += lost

    def abandon(self) -> None:
        """Close the stage's state of a source that will not be finished: after an interrupt or a closed pipe."""
        if self._started:
            self._started = False
            self._call(lambda: self.stage.end(self._state, False))

    def error_records(self) -> list[Record]:
        """Return one error record for each error that this link met."""
        return [error_record(self.by, self.stage.name, error, self.source.name, fatal=self.status == "failed")
                for error in self.errors]

    def end_record(self, fingerprint: str | None) -> Record:
        """Return the ledger of this source and command."""
        if not self.wants_pixels:
            self.decoded = 0
        keys: Record = {
            "status": self.status,
            "frames": {"decoded": self.decoded, "processed": self.processed,
                       "skipped": max(0, self.decoded - self.processed)},
            "records": self.made, "types": sorted(self.stage.writes)}
        if fingerprint is not None:
            keys["fingerprint"] = fingerprint
        return make("end", self.by, self.source.name, **keys, options=options_hash(self.stage, self.mode))

    def _visible(self, item: Item) -> list[Record]:
        return [*item.records, *(record for _, record in item.made)] if item.made else item.records

    def _frame(self, item: Item) -> Frame:
        reads = self.stage.reads
        records = [record for record in self._visible(item) if record["type"] in reads]
        if not self.wants_pixels:
            return _bare(self.source, item.index, records)
        step = item.index - self._last if self._last is not None else 1
        self._last = item.index
        if item.bare:
            return replace(_bare(self.source, item.index, records), step=max(1, step))
        image = item.decoded.image(self.sampling.size) if self.sampling.size != ON_DEMAND else None
        info = self.source.info
        scale = ((info.width / image.shape[1], info.height / image.shape[0])
                 if info is not None and image is not None else (1.0, 1.0))
        return Frame(self.source, item.index, item.decoded.t, item.decoded.pts, max(1, step), image, scale, records,
                     item.decoded.image)

    def _call(self, work: Any) -> bool:
        """Run ``work``; on an error remember it, so that the source is closed and the run goes on."""
        try:
            work()
        except VtkError as error:
            self.errors.append(error)
        except (BrokenPipeError, MemoryError):
            raise
        except Exception as error:
            if not self._internal:
                raise
            self.errors.append(internal(error))
        return not self.errors


def first_of(errors: Sequence[VtkError]) -> list[VtkError]:
    """Return the first of errors that are alike, saying how many there are; none of none."""
    more = f" (and {len(errors) - 1} more like it)" if len(errors) > 1 else ""
    return [type(error)(f"{error}{more}", code=error.code) for error in errors[:1]]


def _bare(source: Source, index: int, records: list[Record]) -> Frame:
    """Return a frame by its records alone."""
    first = next((record for record in records if "t" in record), {})
    return Frame(source, index, first.get("t", 0.0), first.get("pts"), first.get("step", 1), records=records)


def internal(error: Exception) -> InternalError:
    """Return an unexpected error as one line that a user can pass on."""
    return InternalError(f"{type(error).__name__}: {' '.join(str(error).split())} (--traceback shows where)")


def error_record(by: str, stage: str, error: VtkError, source: str | None = None, line: int | None = None,
                 fatal: bool = False) -> Record:
    """Return the ``error`` record for ``error``."""
    record = make("error", by, source)
    if line is not None:
        record["line"] = line
    record["error"] = {"code": error.code, "stage": stage, "message": str(error), "fatal": fatal}
    return record
