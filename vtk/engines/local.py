"""Many sources at a time on one machine: processes that each work on one source after another.

    with Pool(factories, names, opening, common) as pool:
        pool.prepare()                              # what cannot be had is said here, once, before any source
        for item in pool.run(names, tally): ...     # lists of lines, Begin and Done, as run_passes gives them
"""

from __future__ import annotations

import multiprocessing
import signal
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from typing import Any

from vtk.driver.chain import Opening
from vtk.driver.passes import Begin, Done, Tally
from vtk.engines.placing import placed
from vtk.engines.queue import Queue
from vtk.engines.reduce import Factory, split_across
from vtk.engines.worker import Ready, Result, Setup, lost, start
from vtk.errors import VtkError
from vtk.options import Common
from vtk.threads import available

ATTEMPTS = 2  # a source whose process died once is given to another one once
READ = 1 << 20


class WorkerError(VtkError):
    """A process died while it worked on a source, or before it could."""

    code = "E_WORKER"


@dataclass
class _Worker:
    """A process, the line to it, its device, whether its stages are loaded, and the number of its source."""

    process: BaseProcess
    line: Connection
    device: str | None = None
    ready: bool = False
    task: int | None = None


@dataclass
class _Board:
    """The state of all sources by number: to do, how often tried, and what came back."""

    queue: Queue
    tries: dict[int, int] = field(default_factory=dict)
    done: dict[int, Result] = field(default_factory=dict)
    held: int = 0  # bytes of lines of those that are done


def run_jobs(factories: Sequence[Factory], sources: Sequence[str], opening: Opening, tally: Tally,
             common: Common) -> Iterator[Any]:
    """Yield what a pool gives of ``sources``; see ``Pool``."""
    with Pool(factories, sources, opening, common) as pool:
        if sources:
            pool.prepare()
        yield from pool.run(sources, tally)


class Pool:
    """Processes that do the sources of a run, each source whole by one of them.

    Args:
        factories: the stages of the pipe, picklable.
        sources: of the run.
        opening: how they are opened.
        common: --jobs, the number of processes; --threads, a bound on each one's, without which the machine's
            processors are divided among them; --devices.

    Raises:
        UsageError: a stage needs all sources in one process, or there are no such devices.
    """

    def __init__(self, factories: Sequence[Factory], sources: Sequence[str], opening: Opening,
                 common: Common) -> None:
        self._jobs = common.jobs or 1
        self._devices = placed(common.devices, self._jobs, common.device)
        alone, self._reducer = split_across(factories, sources)
        self._context = multiprocessing.get_context("spawn")
        self._scratch = tempfile.TemporaryDirectory(prefix="vtk-jobs-", ignore_cleanup_errors=True)
        each = common.threads or max(1, available() // self._jobs)
        self._setup = Setup(alone, opening, each, self._scratch.name)
        self._in_order = not common.unordered and common.out_dir is None
        self._workers: list[_Worker] = []
        self.options: list[str] = []  # the hashes of the options of the stages, once they are loaded

    def __enter__(self) -> Pool:
        return self

    def __exit__(self, *error: object) -> None:
        self._end()
        if self._reducer is not None:
            self._reducer.close()
        self._scratch.cleanup()

    def prepare(self) -> None:
        """Load what the stages need in the first process; the others follow when there is something to do.

        Raises:
            VtkError: what a stage's ``prepare`` refused, or the process died.
        """
        self._workers.append(worker := self._start(0))
        try:
            said = worker.line.recv()
        except EOFError:
            worker.process.join()
            raise WorkerError(f"a process died while it loaded its models ({_how(worker)}); maybe for want of "
                              "memory") from None
        if isinstance(said, VtkError):
            raise said
        worker.ready, self.options = True, said.options

    def run(self, sources: Sequence[str], tally: Tally) -> Iterator[Any]:
        """Yield lists of lines, Begin and Done, source by source, and what concerns the run last.

        In the order of ``sources``, unless that does not matter: with --unordered and where each has its own file.
        """
        board = _Board(Queue(sources, self._jobs, self._setup.opening.root, self._in_order))
        self._workers += [self._start(each) for each in range(len(self._workers), min(self._jobs, len(sources)))]
        for place in range(len(sources)):
            while (number := self._next(board, place)) is None:
                self._advance(board, sources, place, tally)
            result = board.done.pop(number)
            yield Begin(sources[number])
            yield from self._lines(board, result)
            if self._reducer is not None:
                self._reducer.take(number, result.left or [b""] * len(self._setup.factories))
            tally.add(result.outcome)
            yield Done(sources[number], result.outcome)
        self._end()  # what follows may need the memory
        if self._reducer is not None:
            yield from self._reducer.lines(tally)

    def _next(self, board: _Board, place: int) -> int | None:
        """Return the source to write next, where it is done."""
        if self._in_order:
            return place if place in board.done else None
        return next(iter(board.done), None)

    def _start(self, number: int) -> _Worker:
        device = self._devices[number % len(self._devices)] if self._devices else None
        return self._on(device)

    def _on(self, device: str | None) -> _Worker:
        return _Worker(*start(self._context, self._setup, device), device)

    def _advance(self, board: _Board, sources: Sequence[str], place: int, tally: Tally) -> None:
        """Give idle processes sources, and take in what the next ones to speak say."""
        for worker in self._workers:
            if worker.ready and worker.task is None and (number := board.queue.take(place, board.held)) is not None:
                worker.task = number
                board.tries[number] = board.tries.get(number, 0) + 1
                try:
                    worker.line.send((number, sources[number]))
                except OSError:  # it died while idle; wait() finds its line at its end just the same
                    pass
        talking = {worker.line: worker for worker in self._workers if worker.task is not None or not worker.ready}
        for line in wait(list(talking)):
            self._hear(talking[line], board, sources, tally)  # type: ignore[index]

    def _hear(self, worker: _Worker, board: _Board, sources: Sequence[str], tally: Tally) -> None:
        """Take in what a process says, or that it died."""
        try:
            said = worker.line.recv()
        except (EOFError, OSError):
            said = None
        if isinstance(said, Ready):
            worker.ready = True
        elif isinstance(said, VtkError) and worker.task is not None:
            raise said
        elif isinstance(said, Result) and worker.task is not None:
            board.done[worker.task], worker.task = said, None
            board.held += said.path.stat().st_size
        elif worker.task is None:
            self._without(worker, said, tally)
        else:
            worker.process.join()
            if board.tries[worker.task] < ATTEMPTS:
                board.queue.back(worker.task)
            else:
                error = WorkerError(f"the process that worked on it died ({_how(worker)}), {ATTEMPTS} times; out of "
                                    "memory, or a damaged file that crashes a decoder")
                board.done[worker.task] = lost(self._setup.factories, self._setup.folder, sources[worker.task], error)
            worker.line.close()
            self._workers[self._workers.index(worker)] = self._on(worker.device)

    def _without(self, worker: _Worker, said: VtkError | None, tally: Tally) -> None:
        """Go on without a process that could not load its models."""
        worker.process.join()
        self._workers.remove(worker)
        error = said or WorkerError(f"a process died while it loaded its models ({_how(worker)}); maybe for want of "
                                    "memory")
        if not self._workers:
            raise error
        count = len(self._workers)
        tally.hear(self._setup.factories[0][0]().name, None, WorkerError(
            f"{error}; going on with {count} {'process' if count == 1 else 'processes'}", code=error.code))

    def _lines(self, board: _Board, result: Result) -> Iterator[list[bytes]]:
        """Yield a source's lines, those on the run where no source before brought them; remove its file."""
        with result.path.open("rb") as file:
            for at, lines in result.of_run:
                yield file.read(at - file.tell()).split(b"\n")[:-1]
                fresh = self._reducer.said(lines) if self._reducer is not None else lines
                yield fresh
            rest = b""
            while data := file.read(READ):
                *whole, rest = (rest + data).split(b"\n")
                yield whole
            board.held -= file.tell()
        result.path.unlink()

    def _end(self) -> None:
        """End all processes."""
        for worker in self._workers:
            worker.process.terminate()
        for worker in self._workers:
            worker.process.join()
            worker.line.close()
        self._workers = []


def _how(worker: _Worker) -> str:
    """Return how a process died, in words."""
    code = worker.process.exitcode
    return signal.Signals(-code).name if code is not None and code < 0 else f"exit code {code}"
