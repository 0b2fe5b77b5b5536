"""A run without its surroundings: passes over sources or records, as a stream of lines and of what happened."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Container, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain as joined
from itertools import islice
from tempfile import SpooledTemporaryFile
from typing import IO, Any

from vtk.driver.beforehand import with_next
from vtk.driver.chain import Chain, Opening, Outcome, Step
from vtk.driver.heap import trim
from vtk.driver.late import Late, conclusion, listed, no_room
from vtk.driver.lines import IDLE
from vtk.driver.link import error_record
from vtk.driver.profile import Spent, gather
from vtk.driver.stage import Stage
from vtk.driver.stream import BadLine, Close, Event, Group, Loose, RecordStream
from vtk.errors import RecordError, VtkError
from vtk.records import Record, dump, parse

# Bytes of lines that wait in memory between two passes, and lines that go on at a time.
_IN_MEMORY, _AT_ONCE = 2**22, 256
# Types of no frame that stages give while a source goes on.
_MIDWAY = frozenset({"shot", "scene", "tracklet", "text_track", "face_track"})


@dataclass
class Tally:
    """What happened in a run, over all passes.

    Attributes:
        kept: sources that an earlier run did, and this one does not do again.
        sources, failed: those that the last pass worked on, and how many of them failed.
        bad: lines that could not be used.
        loose: lines that are of no source, and could; without those that tell of errors.
        troubled: whether anything was not whole.
        spent: by part of the pipe.
        hear: told of each error, with the stage and the source.
    """

    kept: int = 0
    sources: int = 0
    bad: int = 0
    loose: int = 0
    failed: int = 0
    troubled: bool = False
    spent: dict[str, Spent] = field(default_factory=dict)
    hear: Callable[[str, str | None, VtkError], None] = field(default=lambda stage, source, error: None)

    def add(self, outcome: Outcome, last: bool = True) -> None:
        """Count a source that is finished, where this was the last pass, and tell of its errors."""
        self.sources += last
        self.failed += last and outcome.status == "failed"
        self.troubled |= outcome.status != "ok"
        gather(self.spent, outcome.spent)
        for stage, error in outcome.errors:
            self.hear(stage, outcome.source, error)

    def line(self, stage: str, error: VtkError) -> None:
        """Count a line that could not be used."""
        self.bad += 1
        self.troubled = True
        self.hear(stage, None, error)


@dataclass(frozen=True)
class Begin:
    """A source begins: its lines follow."""

    source: str


@dataclass(frozen=True)
class Done:
    """A source is finished; ``records`` of it were written elsewhere, where they did not come as lines before."""

    source: str
    outcome: Outcome
    records: int = 0


def split(steps: Sequence[Step]) -> list[list[Step]]:
    """Return the passes of a pipe.

    One begins at a stage that needs more than its frame, at one that wants what an earlier one gives at the run's end
    or at a source's, and after one that holds. So it does at one that looks at the media by itself where all that came
    before is of no frame: such records stand at a source's head.
    """
    passes: list[list[Step]] = []
    written = frozenset[str]()  # what stages of this pass write and those behind them let by
    for step, late in zip(steps, told(steps), strict=True):
        if (not passes or step.stage.needs != "frame" or passes[-1][-1].stage.holds or late
                or step.stage.early & written or _heads(written, step.stage)):
            passes.append([])
            written = frozenset()
        passes[-1].append(step)
        written = step.stage.writes | (frozenset() if step.only else written)
    return passes


def _heads(written: frozenset[str], stage: Stage) -> bool:
    """Return whether records of types ``written``, some of which come midway, all stand at the head of a source."""
    return (bool(written & _MIDWAY) and written <= _MIDWAY | {"media"} and stage.opens_media
            and not written & stage.reads)


def told(steps: Sequence[Step]) -> list[frozenset[str]]:
    """Return what each stage of a pipe is told that those before it give at the run's end."""
    found, given = [], frozenset[str]()
    for step in steps:
        found.append(step.stage.late & given)
        given = step.stage.late_writes | (frozenset() if step.only else given)
    return found


def run_passes(steps: Sequence[Step], sources: Iterable[str] | None, chunks: Iterable[list[bytes] | None] | None,
               opening: Opening, tally: Tally, *, internal: bool = True) -> Iterator[Any]:
    """Yield the last pass's lists of lines, IDLE, Begin and Done.

    Args:
        steps: the stages, prepared.
        sources: the sources that the user named; None reads ``chunks``, lines of records.
    """
    parts = split(steps)
    passes = [Chain(part, opening, internal=internal, number=number, last=number == len(parts))
              for number, part in enumerate(parts, 1)]
    for position, part in enumerate(passes):
        events = _named(part, sources, tally) if sources is not None else _piped(part, chunks or (), tally)
        if part.last:
            yield from events
        else:
            early = frozenset[str]().union(*(step.stage.early for step in passes[position + 1].steps))
            made = frozenset[str]().union(*(step.stage.writes for step in part.steps))
            sources, chunks = None, _fronted(events, early & made)


def run_source(steps: Sequence[Step], source: str, opening: Opening) -> Iterator[Any]:
    """Yield what ``run_passes`` gives of one source, up to its Done, which tells of all passes.

    What stages give at a run's end is not of one source.
    """
    errors: list[tuple[str, VtkError]] = []
    tally = Tally(hear=lambda stage, about, error: errors.append((stage, error)))
    for item in run_passes(steps, [source], None, opening, tally):
        if isinstance(item, Done):
            yield replace(item, outcome=replace(item.outcome, errors=errors, spent=tally.spent))
            return
        yield item


def _fronted(events: Iterable[Any], kinds: frozenset[str]) -> Iterator[list[bytes] | None]:
    """Yield the lines of a pass for the next one; of each source those of ``kinds`` that are of no frame come first.

    Where there are kinds, the other lines of a source wait until it is done, on disk where they are many.
    """
    marks = [b"media", *(kind.encode() for kind in kinds)]
    first, inside = list[bytes](), False
    with SpooledTemporaryFile(_IN_MEMORY, prefix="vtk-pass-") as waiting:
        for item in events:
            if isinstance(item, Begin):
                inside = bool(kinds)
            elif isinstance(item, Done):
                yield from _released(first, waiting)
                first, inside = [], False
            elif item is IDLE or not inside:
                yield item
            else:
                for line in item:
                    if any(mark in line for mark in marks) and _leads(parse(line), kinds):
                        first.append(line)
                    else:
                        _put_by(waiting, line)
        yield from _released(first, waiting)


def _put_by(waiting: IO[bytes], line: bytes) -> None:
    try:
        waiting.write(line + b"\n")
    except OSError as error:
        raise no_room(error) from None


def _leads(record: Record, kinds: frozenset[str]) -> bool:
    return record["type"] == "media" or record["type"] in kinds and "frame" not in record


def _released(first: list[bytes], waiting: IO[bytes]) -> Iterator[list[bytes]]:
    """Yield lines, and empty the file that others wait in."""
    if first:
        yield first
    waiting.seek(0)
    while lines := [line[:-1] for line in islice(waiting, _AT_ONCE)]:
        yield lines
    waiting.seek(0)
    waiting.truncate()


def _named(part: Chain, sources: Iterable[str], tally: Tally) -> Iterator[Any]:
    """Run a chain over sources that the user named."""
    for number, (source, following) in enumerate(with_next(sources), 1):
        part.beforehand.expect(following)
        outcome = Outcome(source)
        yield Begin(source)
        yield from part.source(source, None, outcome)
        tally.add(outcome, part.last)
        yield Done(source, outcome)
        trim(number)
    yield from _last(part, tally)


def _piped(part: Chain, chunks: Iterable[list[bytes] | None], tally: Tally) -> Iterator[Any]:
    """Run a chain over a stream of records."""
    stage, begun, reads = part.first, set[str](), part.reads
    missed: list[RecordError] = []
    late: Late | None = None
    if part.told:
        def miss(error: RecordError) -> None:
            missed.append(error)
            tally.line(part.told[0].name, error)

        late = Late(chunks, part.told, miss)
        chunks = late.chunks(begun)
        reads = reads.union({"run"}, *(each.late for each in part.told))
    events = RecordStream(chunks, reads).events()
    unseen = Counter[tuple[str, str]]()
    if wanted := frozenset[str]().union(*(step.stage.early for step in part.steps)):
        events = _noting(events, wanted, begun, unseen)
    try:
        for event in events:
            if event is IDLE:
                yield IDLE
            elif isinstance(event, BadLine):
                tally.line(stage.name, RecordError(f"line {event.number}: {event.error}", code=event.error.code))
                told_of = error_record(stage.by, stage.name, event.error, None, event.number)
                part.overheard(-1, [told_of])
                yield part.keep(0, dump(told_of), True)
            elif isinstance(event, Loose):
                tally.loose += event.record["type"] != "error"
                part.overheard(-1, [event.record])
                yield part.keep(-1, event.line, event.record["type"] == "error")
            elif isinstance(event, (Group, Close)):
                outcome = Outcome(event.source)
                begun.add(event.source)
                yield Begin(event.source)
                yield from part.source(event.source, joined((event,), events), outcome)
                tally.add(outcome, part.last)
                yield Done(event.source, outcome)
    except RecordError as error:
        tally.line(stage.name, error)
        told_of = error_record(stage.by, stage.name, error, fatal=True)
        part.overheard(-1, [told_of])
        yield part.keep(0, dump(told_of), True)
    missed += _came_late(unseen, late.sources if late is not None else (), part, tally)
    for error in missed:
        yield part.keep(0, dump(error_record(part.told[0].by, part.told[0].name, error)), True)
    yield from _last(part, tally)


def _noting(events: Iterator[Event], wanted: frozenset[str], begun: Container[str],
            unseen: Counter[tuple[str, str]]) -> Iterator[Event]:
    """Yield events; count records of ``wanted`` types, by type and source, that come when the source is done."""
    for event in events:
        if isinstance(event, (Group, Close)):
            records = [entry[1] for entry in event.before if isinstance(entry, tuple)]
        else:
            records = [event.record] if isinstance(event, Loose) else []
        own = getattr(event, "source", None)
        for record in records:
            source = record.get("source")
            if record["type"] in wanted and source != own and source in begun:
                unseen[record["type"], source] += 1
        yield event


def _came_late(unseen: Counter[tuple[str, str]], told: Container[str], part: Chain, tally: Tally) -> list[RecordError]:
    """Return what to tell of records that came when their source was done, and that nobody was told before."""
    errors = []
    for kind in sorted({kind for (kind, source) in unseen if source not in told}):
        counts = {source: count for (one, source), count in unseen.items() if one == kind and source not in told}
        stage = next(step.stage for step in part.steps if kind in step.stage.early)
        what = f"{total} {kind} records" if (total := sum(counts.values())) > 1 else f"a {kind} record"
        errors.append(RecordError(
            f"{what} came after the end of {listed(sorted(counts))}: worked on without; let the run records pass that "
            "announce them, or vtk sort put them first", code="E_LATE"))
        tally.line(stage.name, errors[-1])
    return errors


def _last(part: Chain, tally: Tally) -> Iterator[list[bytes]]:
    """Yield what concerns the whole run, stage by stage."""
    for position, step in enumerate(part.steps):
        yield from concluded(part, position, step.stage.finish, tally)
    if not part.last:
        trim()  # the next pass needs the room


def concluded(part: Chain, position: int, work: Callable[[], list[Record]], tally: Tally) -> Iterator[list[bytes]]:
    """Yield the lines of what ``work`` gives of the whole run, in the name of the step at ``position``."""
    stage, status = part.steps[position].stage, "ok"
    try:
        records = work()
    except VtkError as error:
        tally.troubled = True
        tally.hear(stage.name, None, error)
        status = "failed"
        records = [error_record(stage.by, stage.name, error, fatal=True)]
    part.overheard(position, records)
    for record in records:
        if record["type"] == "error" and status == "ok":
            tally.troubled = True
            tally.hear(stage.name, None, VtkError(record["error"]["message"], code=record["error"]["code"]))
        yield part.keep(position, dump(record), record["type"] == "error")
    if position in part.announced:
        yield part.keep(position, dump(conclusion(stage.by, stage.late_writes, records, status)), False)
