"""Results across sources though each source is done alone: what processes leave of theirs, put together at the end.

    factories, reducer = split_across(factories, sources)     # factories for the processes, picklable
    ...                                                       # in a process: run_passes(steps, [source], …) up to Done,
    left_of(steps)                                            # then this
    reducer.said(lines)                                       # each OfRun among the lines, before it is written
    reducer.take(number, left)                                # sources in any order
    for lines in reducer.lines(tally): ...                    # the run's last lines, as one process would give them
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from functools import partial

from vtk.driver.chain import Chain, OfRun, Step
from vtk.driver.passes import Tally, concluded, split, told
from vtk.driver.stage import Stage
from vtk.errors import UsageError, VtkError
from vtk.records import parse

Factory = tuple[Callable[[], Stage], bool]  # builds a stage; whether it keeps only its own records


def split_across(factories: Sequence[Factory], sources: Sequence[str] = (),
                 option: str = "--jobs") -> tuple[list[Factory], Reducer | None]:
    """Return the factories of a pipe that is run on each source alone, and what gives the results across sources.

    Args:
        factories: of the stages of the pipe.
        sources: of the run, in its order.
        option: that asks for it, as messages name it.

    Returns:
        Picklable factories, and the reducer; None where no stage has results across sources.

    Raises:
        UsageError: a stage has results that no process could leave a part of, or a later one waits for them; or
            several would write one file.
    """
    steps = [Step(factory(), only) for factory, only in factories]
    across = [place for place, step in enumerate(steps) if step.stage.across]
    for place in across:
        stage = steps[place].stage
        if stage.mapper(sources) is None:
            raise UsageError(f"{option} cannot run {stage.name}: {stage.why_across}"
                             + (f"; {stage.deferral}" if stage.deferral else ""))
        _check_behind(steps, place, option)
    _check_files(steps, sources, option)
    if not across:
        return list(factories), None
    alone = [(partial(_mapper, factory, tuple(sources)) if place in across else factory, only)
             for place, (factory, only) in enumerate(factories)]
    return alone, Reducer(steps, across)


def left_of(steps: Sequence[Step]) -> list[bytes]:
    """Return what the stages of a pipe leave of the source that was done last, once; of most nothing."""
    return [step.stage.left() for step in steps]


class Reducer:
    """Gives the results across sources of a run whose sources were done one by one, each alone.

    What was left of sources waits on disk.

    Args:
        steps: the pipe as one process would run it; its stages are not prepared.
        across: the places of those that have results across sources.
    """

    def __init__(self, steps: Sequence[Step], across: Sequence[int]) -> None:
        self._chain = Chain(steps)
        self._across = list(across)
        self._file = tempfile.TemporaryFile(prefix="vtk-left-")
        self._places: dict[int, dict[int, tuple[int, int]]] = {place: {} for place in across}

    def said(self, lines: OfRun) -> OfRun:
        """Return those of the lines on the run that a source brought and none before it did."""
        fresh = OfRun()
        for line in lines:
            maker = parse(line)["by"]
            place = next((place for place in self._across if self._chain.steps[place].stage.by == maker), None)
            if place is None or place not in self._chain.announced:
                fresh.append(line)
            if place is not None and place not in self._chain.announced:
                self._chain.announced.append(place)
        return fresh

    def take(self, number: int, left: Sequence[bytes]) -> None:
        """Keep what the stages left of a source, which is the ``number``-th of the run.

        Raises:
            VtkError: there is no room for it.
        """
        for place in self._across:
            if left[place]:
                self._places[place][number] = (self._file.seek(0, 2), len(left[place]))
                try:
                    self._file.write(left[place])
                    self._file.flush()
                except OSError as error:
                    raise VtkError(f"cannot put by in {tempfile.gettempdir()} what the run's end needs: "
                                   f"{error.strerror or error}; TMPDIR names another folder", code="E_SPOOL") from None

    def lines(self, tally: Tally) -> Iterator[list[bytes]]:
        """Yield the lines that concern the whole run, stage by stage."""
        with self._file:
            for place in self._across:
                stage = self._chain.steps[place].stage
                yield from concluded(self._chain, place, partial(stage.reduce, self._parts(place)), tally)

    def close(self) -> None:
        """Forget what was left."""
        with suppress(OSError):  # what could not be written is written again
            self._file.close()

    def _parts(self, place: int) -> Iterator[bytes]:
        """Yield what a stage left of each source, in the order of sources."""
        for _, (begin, size) in sorted(self._places[place].items()):
            self._file.seek(begin)
            yield self._file.read(size)


def _mapper(factory: Callable[[], Stage], sources: tuple[str, ...]) -> Stage:
    stage = factory().mapper(sources)
    if stage is None:
        raise ValueError(f"{factory}: expected a stage that has a mapper, as it had when the run began")
    return stage


def _check_files(steps: Sequence[Step], sources: Sequence[str], option: str) -> None:
    """Raise UsageError where a stage has one file for what several processes would make, or a stdout that is not theirs."""
    for stage in (step.stage for step in steps):
        if stage.one_output is not None and (len(sources) > 1 or str(stage.one_output) == "-"):
            raise UsageError(f"{option} cannot run {stage.name} with -o {stage.one_output}: processes do not share a file "
                             "or stdout; give it --out-dir DIR, for a file of each source")


def _check_behind(steps: Sequence[Step], place: int, option: str) -> None:
    """Raise UsageError where a stage after the one at ``place`` waits for what that gives at the run's end."""
    stage = steps[place].stage
    late = ", ".join(sorted(stage.late_writes)) or "what it gives at the run's end"
    how = f"run the pipe up to {stage.name} with {option}, and pipe its records into the rest"
    for step, kinds in zip(steps[place + 1:], told(steps)[place + 1:], strict=True):
        if kinds or type(step.stage).overhear is not Stage.overhear:
            raise UsageError(f"{option} cannot run {step.stage.name} after {stage.name}: it needs {late} of all sources, "
                             f"and each process sees some of them; {how}")
    if steps[place] not in split(steps)[-1]:
        raise UsageError(f"{option} cannot run this pipe: {stage.name} gives {late} of all sources, and what follows it "
                         f"is a pass of its own; {how}")
