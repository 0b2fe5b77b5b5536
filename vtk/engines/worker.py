"""One process of ``--jobs``: it builds and loads a pipe's stages once, then does sources, one after another."""

from __future__ import annotations

import os
import shutil
import signal
import tempfile
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from itertools import count
from multiprocessing import parent_process
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

from vtk.driver.chain import OfRun, Opening, Outcome, Step
from vtk.driver.heap import trim
from vtk.driver.link import error_record, internal
from vtk.driver.passes import Done, run_source
from vtk.driver.resume import options_of
from vtk.driver.run import prepare
from vtk.engines.reduce import Factory, left_of
from vtk.errors import VtkError
from vtk.records import dump, make


@dataclass(frozen=True)
class Setup:
    """What every process of a run is given.

    Attributes:
        factories: of the stages.
        opening: how sources are opened.
        threads: bound on the threads of each library.
        folder: where the lines of sources wait until they are written.
    """

    factories: list[Factory]
    opening: Opening
    threads: int
    folder: str


@dataclass(frozen=True)
class Ready:
    """A process has loaded what its stages need.

    Attributes:
        options: the hashes of the options of its stages, as the ledgers of sources have them.
    """

    options: list[str]


@dataclass
class Result:
    """A source that was done.

    Attributes:
        path: the file of its lines.
        of_run: lines that concern the run, with the byte of the file before which they stand.
        left: by stage, what ``reduce`` needs.
    """

    path: Path
    outcome: Outcome
    of_run: list[tuple[int, OfRun]] = field(default_factory=list)
    left: list[bytes] = field(default_factory=list)


def start(context: Any, setup: Setup, device: str | None) -> tuple[BaseProcess, Connection]:
    """Start a process, and return it with the line to it.

    Args:
        context: of multiprocessing.
        device: the CUDA device that it sees; None: all.
    """
    ours, theirs = context.Pipe()
    process = context.Process(target=_work, args=(theirs, setup), daemon=True)
    with _seeing(device), _deaf():
        process.start()
    theirs.close()
    return process, ours


@contextmanager
def _seeing(device: str | None) -> Iterator[None]:
    """Let processes that are started inside see one CUDA device alone, from their first instruction on."""
    name = "CUDA_VISIBLE_DEVICES"
    before = os.environ.get(name)
    if device is not None:
        os.environ[name] = device
    try:
        yield
    finally:
        if device is not None:
            os.environ.pop(name)
            if before is not None:
                os.environ[name] = before


@contextmanager
def _deaf() -> Iterator[None]:
    """Let processes that are started inside not hear an interrupt while they load: the parent does, and ends them."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def lost(factories: Sequence[Factory], folder: str, source: str, error: VtkError) -> Result:
    """Return the result of a source that no process could finish."""
    lines, outcome = lost_lines(factories, source, error)
    descriptor, path = tempfile.mkstemp(dir=folder)
    with os.fdopen(descriptor, "wb") as file:
        file.writelines(line + b"\n" for line in lines)
    return Result(Path(path), outcome)


def lost_lines(factories: Sequence[Factory], source: str, error: VtkError) -> tuple[list[bytes], Outcome]:
    """Return the records of a source that nobody could finish, and how it ended."""
    stages = [factory() for factory, _ in factories]
    ledger = {"decoded": 0, "processed": 0, "skipped": 0}
    lines = [dump(error_record(stages[0].by, stages[0].name, error, source, fatal=True))]
    lines += [dump(make("end", stage.by, source, status="failed", frames=ledger, records=0)) for stage in stages]
    return lines, Outcome(source, "failed", [(stages[0].name, error)])


def _work(line: Connection, setup: Setup) -> None:
    """Be a process of a run: say when the stages are loaded, then take sources until the line closes."""
    from vtk import threads
    from vtk.driver import heap

    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _keep_stdout_clean()
    threading.Thread(target=_follow_parent, args=(setup.folder,), name="vtk-parent", daemon=True).start()
    threads.bound(setup.threads)
    heap.share()
    with suppress(BrokenPipeError):  # the parent is gone
        try:
            steps = [Step(factory(), only) for factory, only in setup.factories]
            stages = [step.stage for step in steps]
            prepare(stages, True)
        except VtkError as error:
            line.send(error)
            return
        line.send(Ready(options_of(stages)))
        for done in count(1):
            try:
                number, source = line.recv()
            except EOFError:
                return
            line.send(_do(steps, number, source, setup))
            trim(done)


def _do(steps: Sequence[Step], number: int, source: str, setup: Setup) -> Result | VtkError:
    """Do a source; what is returned in its place ends the run."""
    result = Result(Path(setup.folder, str(number)), Outcome(source))
    opening = replace(setup.opening, threads=setup.threads)
    try:
        with open(result.path, "wb") as file:
            for item in run_source(steps, source, opening):
                if isinstance(item, OfRun):
                    result.of_run.append((file.tell(), item))
                elif isinstance(item, list):
                    file.writelines(part + b"\n" for part in item)
                elif isinstance(item, Done):
                    result.outcome = item.outcome
        result.left = left_of(steps)
    except OSError as error:
        return VtkError(f"cannot put records by in {setup.folder} until they are written: {error.strerror or error}; "
                        "TMPDIR names another folder", code="E_SPOOL")
    except Exception as error:
        left_of(steps)
        return lost(setup.factories, setup.folder, source, internal(error))
    return result


def _keep_stdout_clean() -> None:
    """Point stdout at stderr: a library that prints must not reach the records of the parent."""
    try:
        os.dup2(2, 1)
    except OSError:  # closed by who started us
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)


def _follow_parent(folder: str) -> None:
    """Wait for the parent's end, however it comes; then end too, and take the run's folder away."""
    parent = parent_process()
    if parent is not None:
        wait([parent.sentinel])
        shutil.rmtree(folder, ignore_errors=True)
        os._exit(1)
