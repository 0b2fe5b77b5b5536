"""Stages in a row: what is dropped on the way, and how sources are opened and end."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from orjson import loads

from vtk.driver.beforehand import Beforehand
from vtk.driver.late import announcement
from vtk.driver.link import Mode
from vtk.driver.profile import Spent
from vtk.driver.stage import Opening, Stage
from vtk.driver.stream import Event
from vtk.errors import VtkError
from vtk.records import Record, dump

STATUSES = ("ok", "partial", "failed")


@dataclass(frozen=True)
class Step:
    """A stage in a chain. ``only`` drops what came in to it, upstream errors excepted."""

    stage: Stage
    only: bool = False


@dataclass
class Outcome:
    """How a source ended, over all stages."""

    source: str
    status: str = "ok"
    errors: list[tuple[str, VtkError]] = field(default_factory=list)
    spent: dict[str, Spent] = field(default_factory=dict)


class OfRun(list[bytes]):
    """Lines that concern the whole run, though they stand among those of a source."""


class Chain:
    """A sequence of stages that share one decode and one pass over the records of each source."""

    def __init__(self, steps: Sequence[Step], opening: Opening = Opening(), *, internal: bool = True,
                 number: int = 1, last: bool = True) -> None:
        self.steps = list(steps)
        self.number = number  # of the pass, from 1
        self.last = last
        self.opening = opening
        self.beforehand = Beforehand(opening)
        self.reads = frozenset().union(*(step.stage.reads for step in steps))
        # A line made by step k (-1: upstream) is dropped when a later step wants only its own.
        self.only_from = max((k for k, step in enumerate(steps) if step.only), default=-1)
        last = steps[-1].stage
        self.silent = last.sink and not last.tee
        self.internal = internal
        self._listeners = [(place, step.stage) for place, step in enumerate(steps)
                           if type(step.stage).overhear is not Stage.overhear]
        # The stages that still have to announce what they give at the run's end, and those that want to be told such
        # things of an upstream: not behind a step that drops them.
        self._announcing = [place for place, step in enumerate(steps) if step.stage.late_writes]
        self.announced: list[int] = []
        self.told = [step.stage for place, step in enumerate(steps)
                     if step.stage.late and not any(before.only for before in steps[:place])]

    @property
    def first(self) -> Stage:
        """The stage in whose name the driver reports what no stage did."""
        return self.steps[0].stage

    def source(self, name: str, events: Iterator[Event] | None, outcome: Outcome) -> Iterator[list[bytes] | None]:
        """Yield the lines of one source in order, IDLE where it waits; ``outcome`` tells how it ended.

        Args:
            name: the source.
            events: its groups and its close, up to and including the close; None for a source named by the user.
            outcome: filled in while the lines are taken.
        """
        from vtk.driver.source_run import SourceRun

        run = SourceRun(self, name, events, outcome)
        lines = run.lines()
        try:
            for part in lines:
                if part and run.modes and self._announcing:
                    yield from self._announced(part, run.modes)
                    break
                yield part
            yield from lines
        finally:
            run.stop()

    def _announced(self, lines: list[bytes], modes: Sequence[Mode]) -> Iterator[list[bytes]]:
        """Yield a source's first lines, with ``run`` records for stages that work for the first time and give more late.

        They come before all lines but the ``media`` record, which stays at the source's head; never inside a frame.
        """
        working = [place for place in self._announcing if modes[place] != "pass"]
        self._announcing = [place for place in self._announcing if place not in working]
        self.announced += working
        head = loads(lines[0])["type"] == "media"
        yield lines[:head]
        for place in working:
            stage = self.steps[place].stage
            yield OfRun(self.keep(place, dump(announcement(stage.by, stage.late_writes)), False))
        yield lines[head:]

    def overheard(self, origin: int, records: Sequence[Record]) -> None:
        """Give records that step ``origin`` made (-1: upstream) to the stages behind it that listen to all there is."""
        for place, stage in self._listeners:
            if place > origin and records:
                stage.overhear(records)

    def keep(self, origin: int, line: bytes, is_error: bool) -> list[bytes]:
        """Return ``line`` as a list, empty where --only or a sink keeps it off the stream."""
        return [line] if not self.silent and (is_error or origin >= self.only_from) else []


def modes_of(stages: Sequence[Stage], types: Iterable[str]) -> list[Mode]:
    """Return each stage's mode for a source of which upstream has, or could have had, records of ``types``."""
    modes: list[Mode] = []
    seen = set(types)
    for stage in stages:
        mode: Mode = ("records" if stage.reads & seen else
                      "media" if stage.opens_media and "media" in seen else "pass")
        modes.append(mode)
        if mode != "pass":
            seen |= stage.writes
    return modes
