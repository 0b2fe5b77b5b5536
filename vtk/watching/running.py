"""A pipe over a folder's files as they land, until somebody stops it."""

from __future__ import annotations

import gc
import os
import signal
import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import FrameType
from typing import Any

from vtk.driver.chain import Opening, Step
from vtk.driver.inputs import in_shard, joined
from vtk.driver.output import Folder, Output, Stdout
from vtk.driver.passes import Tally, run_passes
from vtk.driver.progress import Reporter, printable
from vtk.driver.resume import Finished, current_fingerprint, finished_in
from vtk.driver.run import Planned, exit_code, prepare, write_stream
from vtk.errors import EXIT_INTERRUPT, UsageError, VtkError
from vtk.media.names import open_name
from vtk.options import Common
from vtk.watching.changes import Changes
from vtk.watching.landing import Landing

# Seconds between two listings of the whole folder: where the system tells of changes, and where it does not.
TOLD, UNTOLD = 30.0, 1.0
LISTING_SHARE = 10  # a listing that takes long is followed by this many times as long without one


@dataclass(frozen=True)
class Patience:
    """How long is waited for what, in seconds.

    Attributes:
        settle: how long a file has to stay as it is, to have landed.
        poll: how often the whole folder is listed; None as often as is needed.
        once: whether to stop when what is there is done.
        idle: after how long without anything new to stop; None never.
    """

    settle: float = 2.0
    poll: float | None = None
    once: bool = False
    idle: float | None = None


class Asked:
    """Whether somebody asked the run to stop: by which signal, if any."""

    def __init__(self) -> None:
        self.by: int | None = None


def watch(planned: Sequence[Planned], name: str, common: Common, patience: Patience,
          made: Iterable[tuple[str, Path]] = ()) -> None:
    """Run a pipe over each file that lands in a folder; exits the process with the run's code.

    Args:
        planned: the commands.
        name: the folder, as the user typed it.
        common: the options of the whole pipe; ``out_dir`` is where records go, a file a source.
        patience: when a file has landed, and when to stop.
        made: what the commands write beside records, each with the file or folder.

    Raises:
        UsageError: there is no such folder, or the pipe cannot be run source by source.
        VtkError: the folder is gone, or records cannot be written.
    """
    from vtk import threads

    threads.bound(common.threads)
    gc.set_threshold(100_000, 20, 20)  # as ``drive_all``
    root = os.fspath(common.root) if common.root is not None else None
    folder = open_name(name, root)
    if not os.path.isdir(folder):
        raise UsageError(f"cannot watch {printable(name)}: a folder is needed")
    steps = [Step(plan.factory(), plan.common.only) for plan in planned]
    _check(steps, folder, made)
    prepare([step.stage for step in steps], True)
    opening = Opening(common.decoder, common.threads or threads.asked(), common.timeout, root)
    reporter = Reporter(common.quiet)
    tally = Tally(hear=reporter.error)
    files = Folder(common.out_dir or Path(), True)
    finished = Finished(steps, partial(current_fingerprint, root=root))
    changes, asked = Changes(folder, patience.poll is None, reporter.say), Asked()
    with listening(asked, changes):
        if not patience.once:
            reporter.say(f"vtk watch: {printable(name)}: files are done as they land; "
                         "Ctrl-C ends it after the one at work")
        stream = _stream(steps, _sources(name, folder, common, patience, changes, asked), files, finished, opening, tally,
                         internal=not common.traceback)
        write_stream(stream, Both(files, Stdout()) if common.tee else files, reporter)
    if asked.by == signal.SIGINT:
        sys.exit(EXIT_INTERRUPT)
    if code := exit_code(tally):
        sys.exit(code)


def _stream(steps: Sequence[Step], sources: Iterator[tuple[str, bool]], files: Folder, finished: Finished,
            opening: Opening, tally: Tally, *, internal: bool) -> Iterator[Any]:
    """Yield what each source gives, one after another, as they come; not of those that were done before."""
    for source, changed in sources:
        if not changed and any(source == name for name, _ in finished_in(files.path(source), finished)):
            tally.kept += 1
            continue
        yield from run_passes(steps, [source], None, opening, tally, internal=internal)


def _sources(name: str, folder: str, common: Common, patience: Patience, changes: Changes,
             asked: Asked) -> Iterator[tuple[str, bool]]:
    """Yield sources as they land, and whether they did before with another content, until it is time to stop."""
    landing, listed, busy = Landing(folder, patience.settle), 0.0, time.monotonic()
    while asked.by is None:
        if (now := time.monotonic()) >= listed:
            if not os.path.isdir(folder):
                raise VtkError(f"{printable(name)}: the folder that is watched is gone", code="E_OPEN")
            landing.look_at_all()
            every = patience.poll or (TOLD if changes.heard else UNTOLD)
            listed = time.monotonic() + max(every, LISTING_SHARE * (time.monotonic() - now))
        found = landing.take()
        if found is not None:
            source = joined(name, folder, found[0])
            if common.shard is None or in_shard(source, common.shard):
                yield source, found[1]
            busy, seconds = time.monotonic(), 0.0
        else:
            left = float("inf") if patience.idle is None else busy + patience.idle - time.monotonic()
            if not landing.waiting and (patience.once or left <= 0):
                return
            left = left if not landing.waiting else float("inf")
            seconds = min(landing.next_in(), listed - time.monotonic(), left)
        told = changes.wait(seconds)
        if told is None:
            listed = 0.0
        else:
            landing.look(told)


def _check(steps: Sequence[Step], folder: str, made: Iterable[tuple[str, Path]]) -> None:
    """Raise UsageError where the pipe cannot be run source by source, or would feed itself."""
    for stage in (step.stage for step in steps):
        if stage.across:
            raise UsageError(f"watch cannot run {stage.name}: it has results across sources, and there is no last one"
                             + (f"; {stage.deferral}" if stage.deferral else ""))
    for who, path in made:
        if f"{os.path.realpath(path)}/".startswith(f"{os.path.realpath(folder)}/"):
            raise UsageError(f"{who} {path} is in the folder that is watched: what is written would land there and be "
                             "worked on again")
    last = steps[-1].stage
    if last.sink and not last.tee:
        raise UsageError(f"{last.name} lets no records pass, by which is known what was done: give it --tee")


@contextmanager
def listening(asked: Asked, changes: Changes) -> Iterator[None]:
    """Let the first SIGINT or SIGTERM ask for the end after the source that is worked on, the second interrupt it."""
    def hear(number: int, frame: FrameType | None) -> None:
        if asked.by is not None:
            raise KeyboardInterrupt
        asked.by = number
        changes.wake()

    quiet = getattr(signal, "SIGIO", None)  # a file's lease that is broken is told by it
    before = {number: signal.signal(number, hear) for number in (signal.SIGINT, signal.SIGTERM)}
    if quiet is not None:
        before[quiet] = signal.signal(quiet, signal.SIG_IGN)
    try:
        yield
    finally:
        changes.close()
        for number, handler in before.items():
            signal.signal(number, handler)


class Both:
    """Records in files, and on stdout as well."""

    def __init__(self, files: Output, stdout: Output) -> None:
        self._outputs = files, stdout

    def begin(self, source: str) -> None:
        """Open the file of ``source``."""
        for output in self._outputs:
            output.begin(source)

    def write(self, lines: Sequence[bytes]) -> None:
        """Write lines to both."""
        for output in self._outputs:
            output.write(lines)

    def aside(self, lines: Sequence[bytes]) -> None:
        """Write lines of the whole run to both."""
        for output in self._outputs:
            output.aside(lines)

    def flush(self) -> None:
        """Hand what is buffered to the operating system."""
        for output in self._outputs:
            output.flush()

    def done(self, source: str) -> None:
        """Complete the file of ``source``."""
        for output in self._outputs:
            output.done(source)
        self.flush()

    def close(self, complete: bool) -> None:
        """Close both."""
        for output in self._outputs:
            output.close(complete)
