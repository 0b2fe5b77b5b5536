"""``vtk report``."""

from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from vtk.driver.stage import Stage
from vtk.options import Common, Decoder, Framerate, Root, Threads, Timeout, table_command

Inputs = Annotated[list[str] | None, typer.Argument(
    metavar="PAGE.html|RECORDS", show_default=False,
    help="Files of records, and folders of them as --out-dir makes; without any, or with -, stdin. A first name in "
         ".html is -o.")]
PAGES = (".html", ".htm")


@table_command
def run(
    common: Common, context: typer.Context, inputs: Inputs = None,
    output: Annotated[Path | None, typer.Option(
        "-o", "--output", metavar="FILE", show_default=False,
        help="Write the page here; it appears when it is complete; - is stdout.")] = None,
    title: Annotated[str, typer.Option(metavar="TEXT", help="Title of the page.")] = "vtk report",
    thumbs: Annotated[int, typer.Option(min=0, metavar="N", help="Pictures on the page, shared among sources.")] = 600,
    no_thumbs: Annotated[bool, typer.Option("--no-thumbs", help="No pictures: no media are opened.")] = False,
    rows: Annotated[int, typer.Option(min=1, metavar="N", help="Rows of each table; sums and charts are of all "
                                                             "records.")] = 200_000,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace a page that exists.")] = False,
    root: Root = None, decoder: Decoder = "auto", timeout: Timeout = 10.0, framerate: Framerate = None,
    threads: Threads = None,
) -> None:
    """Show any records on one page: what went wrong, timelines, charts, people, copies, and tables to search.

    Reads records of all types, and their media for pictures. Writes one HTML file that needs no network and nothing
    beside it; what stands in its address after #, such as type=track&q=person, is what its tables show.
    Streams: holds columns of up to --rows records of each type, and a little of each source; pictures on disk.

    Example: vtk track street.mp4 | vtk report -o report.html
    """
    from vtk.report.page.stage import ReportStage

    names = list(inputs or ())
    if output is None and names and names[0].lower().endswith(PAGES):
        output = Path(names.pop(0))
    if output is None:
        raise typer.BadParameter("a page to write is needed: vtk report -o report.html", param_hint="-o")
    common = replace(common, root=root, decoder=decoder, timeout=timeout, framerate=framerate, threads=threads)
    stage = partial(ReportStage, output=output, title=title, thumbs=0 if no_thumbs else thumbs, rows=rows,
                    overwrite=overwrite, tee=common.tee)
    # Inside a pipe's text this is no command of ``vtk``, and drive says that inputs belong to the whole pipe.
    if names and context.find_root() is not context:
        _over_files(stage(), names, common)
    else:
        from vtk.driver import drive
        from vtk.driver.run import with_inputs

        drive(stage, with_inputs(common, names))


def _over_files(stage: Stage, names: list[str], common: Common) -> None:
    """Run the stage over files of records, which ``drive`` would take for media."""
    import os
    import sys
    from contextlib import nullcontext

    from vtk import threads
    from vtk.driver.chain import Opening, Step
    from vtk.driver.passes import Tally, run_passes
    from vtk.driver.progress import Reporter
    from vtk.driver.records_in import record_chunks
    from vtk.driver.run import exit_code, open_output
    from vtk.report.page.inputs import record_names

    threads.bound(common.threads)
    names = record_names(names)
    stage.prepare("records")
    tally = Tally(hear=Reporter(common.quiet).error)
    opening = Opening(common.decoder, common.threads or threads.asked(), common.timeout,
                      os.fspath(common.root) if common.root is not None else None, common.framerate)
    with open_output(common) if common.tee else nullcontext(lambda lines: None) as write:
        for item in run_passes([Step(stage)], None, record_chunks(names), opening, tally,
                               internal=not common.traceback):
            if isinstance(item, list):
                write(item)
    sys.exit(exit_code(tally))
