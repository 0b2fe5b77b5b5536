"""How exporters are run by the command line: over the files of records that are named, or in the driver."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from typing import Protocol

import typer

from vtk.driver.stage import Stage
from vtk.errors import EXIT_PARTIAL, UsageError
from vtk.options import Common
from vtk.records import Record


class Whole(Protocol):
    """The outputs of a whole run, whichever sources it has."""

    def add(self, record: Record) -> None: ...
    def close(self) -> object: ...
    def drop(self) -> None: ...


def note_to(common: Common) -> Callable[[str], None]:
    """Return what tells the user of something, unless --quiet."""
    def note(message: str) -> None:
        if not common.quiet:
            typer.echo(f"vtk export: {message}", err=True)

    return note


def refuse_in_a_pipe(form: str, context: typer.Context, output: str) -> None:
    """Refuse to be called by the text of a pipe rather than by ``vtk``."""
    if context.find_root() is context.parent:
        raise UsageError(f"export {form} cannot stand in a pipe's text, it writes one file of a whole run: "
                         f"vtk pipe '…' | vtk export {form} {output}")


def read_types(text: str) -> list[str]:
    """Return the record types of a list with commas. Raises UsageError: one is unknown."""
    from vtk.export.columns import OTHER
    from vtk.records import TYPES

    kinds = list(dict.fromkeys(kind.strip() for kind in text.split(",") if kind.strip()))
    for kind in kinds:
        if kind not in TYPES and kind != OTHER:
            raise UsageError(f"--type has '{kind}': it is one of {', '.join(TYPES)}, or other for those that are none")
    return kinds


def export_whole(outputs: Whole, inputs: Sequence[str] | None, common: Common) -> None:
    """Give the records of files or stdin to the outputs of a whole run; pass them on to stdout with --tee.

    Exits with EXIT_PARTIAL where a line is no record.
    """
    from contextlib import nullcontext

    from vtk.driver.run import open_output
    from vtk.export.reading import Reading

    try:
        with open_output(common) if common.tee else nullcontext(None) as write:
            reading = Reading(inputs or (), note_to(common), write)
            for record in reading.records():
                outputs.add(record)
        outputs.close()
    except BaseException:  # an interrupt and a closed pipe, too, leave nothing unfinished
        outputs.drop()
        raise
    if reading.bad:
        raise typer.Exit(EXIT_PARTIAL)


def export_stage(factory: Callable[[], Stage], inputs: list[str] | None, common: Common,
                 context: typer.Context) -> None:
    """Run an exporter over the files of records that are named, else over stdin."""
    from vtk.driver import drive
    from vtk.driver.run import with_inputs

    # Inside a pipe's text this is no command of ``vtk``, and drive says that inputs belong to the whole pipe.
    if inputs and context.find_root() is not context.parent:
        over_files(factory(), inputs, common)
    else:
        drive(factory, with_inputs(common, inputs or ()))


def over_files(stage: Stage, names: list[str], common: Common) -> None:
    """Run a sink over files of records, which ``drive`` would take for media."""
    from contextlib import nullcontext

    from vtk.driver.chain import Opening, Step
    from vtk.driver.passes import Tally, run_passes
    from vtk.driver.progress import Reporter
    from vtk.driver.records_in import record_chunks
    from vtk.driver.run import exit_code, open_output

    stage.prepare("records")
    tally = Tally(hear=Reporter(common.quiet).error)
    # Without --tee no record goes on, and stdout is left to the stage, which may have rows for it.
    with open_output(common) if common.tee else nullcontext(lambda lines: None) as write:
        for item in run_passes([Step(stage)], None, record_chunks(names), Opening(), tally,
                               internal=not common.traceback):
            if isinstance(item, list):
                write(item)
    sys.exit(exit_code(tally))
