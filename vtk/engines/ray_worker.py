"""One actor of a Ray cluster: it builds and loads a pipe's stages once, then does sources, one a call."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import partial

from vtk import __version__
from vtk.driver.chain import OfRun, Opening, Outcome, Step
from vtk.driver.link import internal
from vtk.driver.passes import Done, run_source
from vtk.driver.resume import Finished, current_fingerprint, finished_among
from vtk.driver.run import prepare
from vtk.engines.reduce import Factory, left_of
from vtk.engines.storage import Storage, lines_in, open_storage
from vtk.engines.worker import lost_lines
from vtk.errors import UsageError, VtkError


@dataclass(frozen=True)
class Plan:
    """What every actor of a run is given.

    Attributes:
        factories: of the stages.
        opening: how sources are opened.
        threads: bound on the threads of each library.
        place: the folder or the URL that records are written to.
        resume: whether a source is kept that the file there proves to be done.
        folder: that relative names are of.
        relative: whether there are such names.
        environment: variables that the stages read.
        version: of the program that runs the sources.
    """

    factories: list[Factory]
    opening: Opening
    threads: int
    place: str
    resume: bool
    folder: str
    relative: bool
    environment: dict[str, str]
    version: str = __version__


@dataclass(frozen=True)
class Hello:
    """An actor has loaded what its stages need."""


@dataclass
class Report:
    """A source that was done, or that an earlier run did; its records are in its file.

    Attributes:
        records: how many there are.
        node: the machine that wrote it.
        kept: whether an earlier run did it.
        of_run: lines that concern the run.
        left: by stage, what ``reduce`` needs.
    """

    outcome: Outcome
    records: int = 0
    node: str = ""
    kept: bool = False
    of_run: list[OfRun] = field(default_factory=list)
    left: list[bytes] = field(default_factory=list)


class Worker:
    """The actor. It answers with errors rather than raising them: what is raised in it tells of its own death."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._node = os.uname().nodename if hasattr(os, "uname") else ""
        self._steps: list[Step] = []
        self._storage: Storage | None = None
        self._finished: Finished | None = None

    def ready(self) -> Hello | VtkError:
        """Load what the stages need; what cannot be had is the answer."""
        plan = self._plan
        try:
            if plan.version != __version__:
                raise UsageError(f"machine {self._node} has vidtk {__version__}, and {plan.version} runs here: install "
                                 "one version on all machines")
            os.environ.update(plan.environment)
            self._enter()
            self._load()
        except VtkError as error:
            return error
        except Exception as error:
            return internal(error)
        return Hello()

    def do(self, source: str, name: str, token: str) -> Report | VtkError:
        """Do a source and write its file; an error in place of a report tells that it could not be written.

        Args:
            source: its name.
            name: the file's.
            token: what tells this try's part file from those of others.
        """
        if self._storage is None:
            raise ValueError("do: expected an actor that is ready")
        report = Report(Outcome(source), node=self._node)
        try:
            if self._finished is not None and self._has(self._storage, self._finished, source, name):
                report.kept = True
                return report
            with self._storage.writing(name, token) as file:
                for item in self._items(source, report):
                    file.writelines(line + b"\n" for line in item)
                    report.records += len(item)
        except VtkError as error:
            return error
        return report

    def _enter(self) -> None:
        """Go to the folder that relative names are of."""
        try:
            os.chdir(self._plan.folder)
        except OSError as error:
            if self._plan.relative:
                raise UsageError(f"machine {self._node} cannot enter {self._plan.folder} ({error.strerror}), which "
                                 "relative names are of: name sources by paths or URLs that every machine "
                                 "sees") from None

    def _load(self) -> None:
        from vtk import threads
        from vtk.driver import heap

        plan = self._plan
        threads.bound(plan.threads)
        heap.share()
        self._storage = open_storage(plan.place)
        self._steps = [Step(factory(), only) for factory, only in plan.factories]
        prepare([step.stage for step in self._steps], True)
        if plan.resume:
            self._finished = Finished(self._steps, partial(current_fingerprint, root=plan.opening.root))

    @staticmethod
    def _has(storage: Storage, finished: Finished, source: str, name: str) -> bool:
        """Return whether a source's file is there and proves that it is done."""
        if not storage.has(name):
            return False
        return any(found == source for found, _ in finished_among(lines_in(storage, name), finished))

    def _items(self, source: str, report: Report) -> Iterator[Sequence[bytes]]:
        """Yield the lines of a source, and fill in the report; after a bug of ours, what tells of it."""
        opening = replace(self._plan.opening, threads=self._plan.threads)
        try:
            for item in run_source(self._steps, source, opening):
                if isinstance(item, OfRun):
                    report.of_run.append(item)
                elif isinstance(item, list):
                    yield item
                elif isinstance(item, Done):
                    report.outcome = item.outcome
            report.left = left_of(self._steps)
        except Exception as error:
            left_of(self._steps)
            lines, report.outcome = lost_lines(self._plan.factories, source, internal(error))
            yield lines
