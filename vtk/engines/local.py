"""Many sources at a time on one machine: processes that each work on one source after another."""

from __future__ import annotations

import multiprocessing
import os
import signal
import tempfile
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

from vtk.driver.chain import Opening, Outcome, Step
from vtk.driver.link import error_record, internal
from vtk.driver.passes import Begin, Done, Tally, run_passes
from vtk.driver.run import check_jobs, prepare
from vtk.driver.stage import Stage
from vtk.errors import VtkError
from vtk.options import Common
from vtk.records import dump, make

Factory = tuple[Callable[[], Stage], bool]  # builds a stage; whether it keeps only its own records

ATTEMPTS = 2  # a source whose worker died once is given to another worker once
READ = 1 << 20


class WorkerError(VtkError):
    """A worker process died while it worked on a source."""

    code = "E_WORKER"


@dataclass
class _Worker:
    """A process, the line to it, and the source that it works on (its number), if any."""

    process: BaseProcess
    line: Connection
    task: int | None = None


@dataclass
class _Board:
    """The state of all sources by number: to do, how often tried, and what came back."""

    waiting: deque[int]
    tries: dict[int, int] = field(default_factory=dict)
    done: dict[int, tuple[Path, Outcome]] = field(default_factory=dict)


def run_jobs(factories: Sequence[Factory], sources: Sequence[str], opening: Opening, tally: Tally,
             common: Common) -> Iterator[Any]:
    """Yield lists of lines, Begin and Done as ``run_passes`` does, source by source in the order of ``sources``.

    Args:
        factories: the stages of the pipe, picklable.
        sources: their names; each is worked on whole by one process.
        common: --jobs, the number of processes; --threads, a bound on each one's, without which the machine's
            processors are divided among them.

    Raises:
        UsageError: a stage has results across sources, which no single process could see.
    """
    from vtk.threads import available

    check_jobs(factory() for factory, _ in factories)
    jobs = common.jobs or 1
    each = common.threads or max(1, available() // jobs)
    board = _Board(deque(range(len(sources))))
    context = multiprocessing.get_context("spawn")
    with tempfile.TemporaryDirectory(prefix="vtk-jobs-") as folder:
        setup = (list(factories), opening, each, folder)
        workers = [_start(context, setup) for _ in range(min(jobs, len(sources)))]
        try:
            for number, source in enumerate(sources):
                while number not in board.done:
                    _advance(board, workers, sources, context, setup, ahead=number + 4 * jobs)
                path, outcome = board.done.pop(number)
                yield Begin(source)
                yield from _read(path)
                tally.add(outcome)
                yield Done(source, outcome)
        finally:
            for worker in workers:
                worker.process.terminate()
                worker.process.join()


def _start(context: Any, setup: tuple[Any, ...]) -> _Worker:
    ours, theirs = context.Pipe()
    process = context.Process(target=_work, args=(theirs, *setup), daemon=True)
    process.start()
    theirs.close()
    return _Worker(process, ours)


def _advance(board: _Board, workers: list[_Worker], sources: Sequence[str], context: Any, setup: tuple[Any, ...],
             ahead: int) -> None:
    """Give idle workers sources, not further than ``ahead``, and take in what the next worker to speak says."""
    for worker in workers:
        if worker.task is None and board.waiting and board.waiting[0] < ahead:
            worker.task = board.waiting.popleft()
            board.tries[worker.task] = board.tries.get(worker.task, 0) + 1
            try:
                worker.line.send((worker.task, sources[worker.task]))
            except OSError:  # it died while idle; wait() finds its line at its end just the same
                pass
    busy = {worker.line: worker for worker in workers if worker.task is not None}
    for line in wait(list(busy)):
        worker = busy[line]  # type: ignore[index]
        number = worker.task
        try:
            path, outcome = worker.line.recv()
            board.done[number] = (Path(path), outcome)  # type: ignore[index]
            worker.task = None
        except (EOFError, OSError):
            worker.process.join()
            if board.tries[number] < ATTEMPTS:  # type: ignore[index]
                board.waiting.appendleft(number)  # type: ignore[arg-type]
            else:
                board.done[number] = _lost(setup, sources[number], _death(worker.process.exitcode))  # type: ignore[index]
            workers[workers.index(worker)] = _start(context, setup)


def _death(code: int | None) -> WorkerError:
    how = signal.Signals(-code).name if code is not None and code < 0 else f"exit code {code}"
    return WorkerError(f"the process that worked on it died ({how}), {ATTEMPTS} times; out of memory, or a damaged "
                       "file that crashes a decoder")


def _lost(setup: tuple[Any, ...], source: str, error: VtkError) -> tuple[Path, Outcome]:
    """Return the records and the outcome of a source that no worker could finish."""
    factories, _, _, folder = setup
    stage = factories[0][0]()
    ledger = {"decoded": 0, "processed": 0, "skipped": 0}
    lines = [dump(error_record(stage.by, stage.name, error, source, fatal=True))]
    lines += [dump(make("end", factory().by, source, status="failed", frames=ledger, records=0))
              for factory, _ in factories]
    descriptor, path = tempfile.mkstemp(dir=folder)
    with os.fdopen(descriptor, "wb") as file:
        file.writelines(line + b"\n" for line in lines)
    return Path(path), Outcome(source, "failed", [(stage.name, error)])


def _read(path: Path) -> Iterator[list[bytes]]:
    """Yield a worker's lines, and remove its file."""
    rest = b""
    with path.open("rb") as file:
        while data := file.read(READ):
            *whole, rest = (rest + data).split(b"\n")
            yield whole
    path.unlink()


def _work(line: Connection, factories: list[Factory], opening: Opening, threads: int, folder: str) -> None:
    """Be a worker: build the stages once, then take sources until the line closes."""
    from dataclasses import replace

    from vtk import threads as bounds

    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent hears the interrupt, and ends us
    bounds.bound(threads)
    steps = [Step(factory(), only) for factory, only in factories]
    prepare([step.stage for step in steps], True)
    while True:
        try:
            number, source = line.recv()
        except EOFError:
            return
        path = os.path.join(folder, str(number))
        outcome = Outcome(source)
        try:
            with open(path, "wb") as file:
                for item in run_passes(steps, [source], None, replace(opening, threads=threads), Tally()):
                    if isinstance(item, list):
                        file.writelines(part + b"\n" for part in item)
                    elif isinstance(item, Done):
                        outcome = item.outcome
        except Exception as error:
            path, outcome = _lost((factories, opening, threads, folder), source, internal(error))
        line.send((str(path), outcome))
