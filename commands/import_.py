"""``vtk import``: files of other tools as records."""

from typing import Annotated

import typer

from vtk.options import Common, record_command

app = typer.Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False, no_args_is_help=True,
                  help="Turn files of other tools into records.")

Files = Annotated[list[str], typer.Argument(
    metavar="FILE", help="MOT files: det.txt, gt.txt, tracks of other tools; - is stdin.")]
Fps = Annotated[float | None, typer.Option(
    metavar="N", show_default=False,
    help="Frames a second; without it, what seqinfo.ini says, beside FILE or in the folder above.")]
About = Annotated[str | None, typer.Option(
    "--source", metavar="MEDIA", show_default=False,
    help="The media that the rows are about: the source of the records, for commands that need its pixels. "
         "Without it, FILE is.")]
Label = Annotated[str, typer.Option(help="Label of files without classes, and of pedestrians.")]
Scores = Annotated[str | None, typer.Option(
    metavar="quantile|logistic|clip", show_default=False,
    help="How scores of any range come into [0, 1]: rank among those of the source so far, 1 / (1 + exp(-x)), or "
         "cut off. Without it: quantile where a score of the file is outside, else as they are.")]


@app.callback()
def formats() -> None:
    """Say that each format is a command of its own, though there be one."""


@app.command()
@record_command
def mot(common: Common, context: typer.Context, inputs: Files, fps: Fps = None, source: About = None,
        label: Label = "person", scores: Scores = None) -> None:
    """Turn MOT detections, tracks and ground truth into records.

    Reads rows of frame, id, x, y, w, h, score, …; those without an id above 0 become detection records, the others
    track records. Adds media where a seqinfo.ini states the size of the frames, and raw_score, the file's number,
    where scores were changed. In ground truth of MOT16 and later classes are named, 1 by --label; the score is its
    flag whether to consider the row. A row that cannot be used is named by its line and passed over. Buffers: holds
    one file, whose rows may come in any order.

    Example: vtk import mot det.txt --fps 10 | vtk track | vtk export mot -o tracks.txt
    """
    import sys

    from vtk.driver.chain import Outcome
    from vtk.driver.passes import Tally
    from vtk.driver.progress import Reporter
    from vtk.driver.run import exit_code, open_output
    from vtk.errors import UsageError
    from vtk.export.mot_import import MotImport, mot_files

    if context.find_root() is context.parent:  # it was called by the text of a pipe, not by ``vtk``
        raise UsageError("import cannot stand in a pipe's text: vtk import mot … | vtk pipe '…' gives it the records")
    files, reader = mot_files(inputs, source, fps), MotImport(label, scores)
    tally = Tally(hear=Reporter(common.quiet).error)
    with open_output(common) as write:
        for file in files:
            outcome = Outcome(file.source)
            for lines in reader.lines(file, outcome):
                write(lines)
            tally.add(outcome)
    sys.exit(exit_code(tally))
