"""The run of a command: plan, outputs, resume, interrupts, exit code."""

from __future__ import annotations

import gc
import os
import re
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from vtk.driver import output as outputs
from vtk.driver.chain import OfRun, Opening, Step, modes_of
from vtk.driver.inputs import sources as named_sources
from vtk.driver.lines import IDLE, lines_of
from vtk.driver.passes import Begin, Done, Tally, run_passes, split, told
from vtk.driver.profile import table
from vtk.driver.progress import Reporter
from vtk.driver.resume import Finished, current_fingerprint, finished_in
from vtk.driver.stage import Record, Stage
from vtk.errors import EXIT_NOTHING, EXIT_OK, EXIT_PARTIAL, EXIT_PIPE, UsageError
from vtk.media.names import DECODERS
from vtk.options import Common

Factory = Callable[[], Stage]

ENGINES = ("local", "ray")


@dataclass(frozen=True)
class Planned:
    """A command of a pipe as it was parsed: how to build its stage, and its own options."""

    factory: Factory
    common: Common


# While ``vtk pipe`` parses a pipe, ``drive`` adds to this list and runs nothing.
_collecting: ContextVar[list[Planned] | None] = ContextVar("vtk_collecting", default=None)


def drive(factory: Factory, common: Common) -> None:
    """Run one command: build its stage and drive it over its inputs; exits the process with the run's code.

    Args:
        factory: builds the stage; picklable, so that other processes can build their own.
        common: the shared options.
    """
    collected = _collecting.get()
    if collected is not None:
        collected.append(Planned(factory, common))
        return
    drive_all([Planned(factory, common)], common)


def collect(parse: Callable[[], None]) -> list[Planned]:
    """Return what ``drive`` was called with while ``parse`` ran."""
    token = _collecting.set([])
    try:
        parse()
        return _collecting.get() or []
    finally:
        _collecting.reset(token)


def drive_all(planned: Sequence[Planned], common: Common) -> None:
    """Run the stages of a pipe over the inputs in ``common``; exits the process with the run's code."""
    from vtk import threads
    from vtk.driver import heap

    threads.bound(common.threads)
    heap.share()
    # Records are many, short-lived and without cycles: looking for cycles at every 700th costs a fifth of the time.
    gc.set_threshold(100_000, 20, 20)
    steps = [Step(plan.factory(), plan.common.only) for plan in planned]
    names = named_sources(common)
    _check(planned, steps, names, common)
    for step in steps if names else ():
        step.stage.expect(names)
    if common.dry_run:
        for step in steps:
            step.stage.check()
        _describe(steps, names, common)
        return
    opening = Opening(common.decoder, common.threads or threads.asked(), common.timeout,
                      os.fspath(common.root) if common.root is not None else None, common.framerate)
    with _prepared(planned, steps, names, opening, common) as pool:
        todo, sink = _target(steps, names, common, pool.options if pool is not None else None)
        reporter = Reporter(common.quiet, len(todo) if todo is not None else None)
        tally = Tally(hear=reporter.error, kept=len(names or ()) - len(todo or ()))
        stream = (pool.run(todo or [], tally) if pool is not None
                  else _stream(planned, steps, todo, opening, tally, common))
        begin = time.perf_counter()
        write_stream(stream, sink, reporter)
    if common.profile:
        for line in table(tally.spent, time.perf_counter() - begin, common.jobs or 1):
            reporter.say(line)
    code = exit_code(tally)
    if code:
        sys.exit(code)


@contextmanager
def _prepared(planned: Sequence[Planned], steps: Sequence[Step], names: list[str] | None, opening: Opening,
              common: Common) -> Iterator[Any]:
    """Load what the stages need: here, or with --jobs in the processes, of which the pool is given."""
    if common.engine == "ray":  # this machine need not have what the models need
        for step in steps:
            step.stage.check()
        yield None
        return
    if (common.jobs or 1) == 1:
        prepare([step.stage for step in steps], names is not None)
        yield None
        return
    from vtk.engines.local import Pool

    with Pool([(plan.factory, plan.common.only) for plan in planned], names or [], opening, common) as pool:
        if names:
            pool.prepare()
        yield pool


def _stream(planned: Sequence[Planned], steps: Sequence[Step], names: list[str] | None, opening: Opening, tally: Tally,
            common: Common) -> Iterator[Any]:
    """Return what a cluster or this process gives of the sources still to do, or of the records on stdin."""
    if common.engine == "ray":
        from vtk.engines.ray import run_ray

        device = next((plan.common.device for plan in planned if plan.common.device.startswith("cuda")), "auto")
        return run_ray([(plan.factory, plan.common.only) for plan in planned], names or [], opening, tally,
                       replace(common, device=device))
    return run_passes(steps, names, None if names is not None else lines_of(0), opening, tally,
                      internal=not common.traceback)


def _check_engine(names: list[str] | None, common: Common) -> None:
    """Raise UsageError where options of --jobs and of a cluster do not go together."""
    many = (common.jobs or 1) > 1
    if common.engine not in ENGINES:
        raise UsageError(f"--engine is '{common.engine}': it is one of {', '.join(ENGINES)}")
    if common.engine != "ray" and common.address:
        raise UsageError("--address names a Ray cluster: it goes with --engine ray")
    if common.engine == "ray" and common.out_dir is None:
        raise UsageError("--engine ray needs --out-dir DIR, which all its machines see: each source is written by the "
                         "one that did it")
    if common.engine == "local" and common.out_dir is not None and re.match(r"[a-z][a-z0-9+.-]+:/", str(common.out_dir)):
        raise UsageError(f"--out-dir is a URL, {str(common.out_dir).replace(':/', '://', 1)}: the workers of --engine ray "
                         "write there; name a folder here")
    for option, given in (("--unordered", common.unordered), ("--devices", common.devices)):
        if given and (common.engine == "ray" or not many):
            raise UsageError(f"{option} goes with --jobs N of 2 or more on this machine")
    for option, given in (("--resume", common.resume), ("--engine ray", common.engine == "ray"), ("--jobs", many)):
        if names is None and given:
            raise UsageError(f"{option} needs inputs named on the command line: records on stdin are one stream")


def _check(planned: Sequence[Planned], steps: Sequence[Step], names: list[str] | None, common: Common) -> None:
    """Raise UsageError where options do not go together, or what would be written is there."""
    _check_engine(names, common)
    if common.resume and common.output is None and common.out_dir is None:
        raise UsageError("--resume needs -o FILE or --out-dir DIR: what an earlier run wrote")
    for stage in (step.stage for step in steps if step.stage.late_writes and (common.resume or common.shard)):
        types = ", ".join(sorted(stage.late_writes))
        why = ("--resume cannot go on with {}: {} records need all sources, and what was kept is not looked at again"
               if common.resume else "--shard cannot be with {}: {} records need all sources, and --shard sees some of them")
        raise UsageError(why.format(stage.name, types) + (f"; {stage.deferral}" if stage.deferral else ""))
    if (common.jobs or 1) > 1 or common.engine == "ray":
        from vtk.engines.placing import placed
        from vtk.engines.reduce import split_across

        split_across([(plan.factory, plan.common.only) for plan in planned], names or (),
                     "--jobs" if common.engine == "local" else f"--engine {common.engine}")
        placed(common.devices, common.jobs or 1, common.device)
    if common.decoder not in DECODERS:
        raise UsageError(f"--decoder is '{common.decoder}': it is one of {', '.join(DECODERS)}")
    if common.output is not None and common.out_dir is not None:
        raise UsageError("-o and --out-dir both say where records go: give one of them")
    last = steps[-1].stage
    if last.sink and not last.tee and (common.output is not None or common.out_dir is not None):
        raise UsageError(f"{last.name} lets no records pass, so nothing would be written there: give it --tee")
    if common.out_dir is not None and common.engine == "local":
        outputs.check_targets(common.out_dir, names or [], common.overwrite or common.resume, _resumable(steps, names))
    if common.output is not None:
        outputs.check_target(common.output, common.overwrite or common.resume, _resumable(steps, names))


def prepare(stages: Sequence[Stage], named: bool) -> None:
    """Load what ``stages`` need: for ``named`` sources each as its mode asks, else only what every mode needs."""
    modes = modes_of(stages, {"media"}) if named else ["records" if stage.reads else "media" for stage in stages]
    for stage, mode in zip(stages, modes, strict=True):
        if mode != "pass":
            stage.prepare(mode)


def exit_code(tally: Tally) -> int:
    """Return 0, 1 where a source or a line was not whole, 3 where nothing at all could be processed.

    Of a run that had no source to do, lines are what could have been processed.
    """
    if not tally.troubled:
        return EXIT_OK
    could = tally.kept or tally.loose or tally.failed < tally.sources or not (tally.sources or tally.bad)
    return EXIT_PARTIAL if could else EXIT_NOTHING


def _target(steps: Sequence[Step], names: list[str] | None, common: Common,
            options: Sequence[str] | None) -> tuple[list[str] | None, outputs.Output]:
    """Return the sources still to do, and where records go; ``options`` is as ``Finished`` takes it."""
    if steps[-1].stage.sink and not steps[-1].stage.tee:
        return names, outputs.Nowhere()
    if common.engine == "ray":  # what resumes and what is written is the machines' own business
        return names, outputs.Nowhere()
    if common.out_dir is not None:
        folder = outputs.Folder(common.out_dir, common.overwrite or common.resume, _resumable(steps, names))
        if common.resume and names:
            finished = _finished(steps, common, options)
            names = [name for name in names
                     if name not in {source for source, _ in finished_in(folder.path(name), finished)}]
        return names, folder
    if common.output is not None:
        if not common.resume or names is None:
            return names, outputs.OneFile(common.output, common.overwrite, resumable=_resumable(steps, names))
        finished, wanted = _finished(steps, common, options), set(names)
        earlier = ((source, lines) for path in (common.output, outputs.part_of(common.output))
                   for source, lines in finished_in(path, finished) if source in wanted)
        file = outputs.OneFile(common.output, True, earlier)
        return [name for name in names if name not in file.kept], file
    return names, outputs.Stdout()


def _resumable(steps: Sequence[Step], names: Sequence[str] | None) -> bool:
    """Return whether --resume could go on with what a run leaves: not with records that need all sources."""
    return names is not None and not any(step.stage.late_writes for step in steps)


def _finished(steps: Sequence[Step], common: Common, options: Sequence[str] | None) -> Finished:
    root = os.fspath(common.root) if common.root is not None else None
    return Finished(steps, partial(current_fingerprint, root=root), options)


def write_stream(stream: Iterator[Any], sink: outputs.Output, reporter: Reporter) -> None:
    """Write a run's stream; on a closed pipe or an interrupt leave what is whole."""
    complete = False
    try:
        for item in stream:
            if item is IDLE:
                sink.flush()
            elif isinstance(item, Begin):
                sink.begin(item.source)
                reporter.begin(item.source)
            elif isinstance(item, Done):
                sink.done(item.source)
                reporter.lines(item.records)
                reporter.done()
            else:
                (sink.aside if isinstance(item, OfRun) else sink.write)(item)
                reporter.lines(len(item))
        complete = True
    except BrokenPipeError:
        stream.close()  # type: ignore[attr-defined]
        sys.exit(EXIT_PIPE)
    except KeyboardInterrupt:
        stream.close()  # type: ignore[attr-defined]
        reporter.say("vtk: interrupted")
        raise
    finally:
        reporter.close()
        try:
            sink.close(complete)
        except BrokenPipeError:
            sys.exit(EXIT_PIPE)


def _describe(steps: Sequence[Step], names: list[str] | None, common: Common) -> None:
    """Say on stderr what a run would do: its passes, then its sources."""
    late = dict(zip(steps, told(steps), strict=True))
    for number, part in enumerate(split(steps), 1):
        stages = " | ".join(step.stage.by for step in part)
        kinds = ", ".join(sorted(frozenset[str]().union(*(late[step] for step in part))))
        print(f"pass {number}: {stages}{f', once it is told {kinds} of the whole run' if kinds else ''}", file=sys.stderr)
    target = common.output or common.out_dir or "stdout"
    if names is None:
        print(f"records on stdin -> {target}", file=sys.stderr)
    for name in names or ():
        print(f"{name} -> {target}", file=sys.stderr)


def run(stages: Sequence[Stage], sources: Iterable[str] | None = None, records: Iterable[Record] | None = None,
        opening: Opening = Opening()) -> Iterator[Record]:
    """Yield the records that ``stages`` make of ``sources`` or of ``records``, those that came in among them.

    Errors of a source come as ``error`` records, as on the command line.
    """
    import orjson

    from vtk.records import dump

    steps = [Step(stage) for stage in stages]
    prepare(stages, sources is not None)
    chunks = [[dump(record) for record in records]] if records is not None else None
    if (sources is None) == (chunks is None):
        raise ValueError("give either sources or records")
    for item in run_passes(steps, sources, chunks, opening, Tally()):
        if isinstance(item, list):
            yield from map(orjson.loads, item)


def with_inputs(common: Common, inputs: Sequence[str]) -> Common:
    """Return ``common`` with other inputs."""
    return replace(common, inputs=tuple(inputs))


@contextmanager
def open_output(common: Common) -> Iterator[Callable[[Sequence[bytes]], None]]:
    """Give a function that writes lines to -o FILE or stdout; the file appears when the block ends well.

    Raises:
        UsageError: FILE exists, or ``vtk pipe`` is parsing: what writes by itself has no stage that a pipe could run.
    """
    if _collecting.get() is not None:
        raise UsageError("a pipe cannot run this, since it has no stage: run it by itself")
    sink = outputs.Stdout() if common.output is None else outputs.OneFile(common.output, common.overwrite,
                                                                         resumable=False)  # fmt: skip
    complete = False
    try:
        yield sink.write
        complete = True
    finally:
        sink.close(complete)
        if not complete and common.output is not None:  # nothing could go on with it
            with suppress(OSError):
                outputs.part_of(common.output).unlink()
