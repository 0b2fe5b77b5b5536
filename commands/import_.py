"""``vtk import``: files of other tools as records."""

from pathlib import Path
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

Parquet = Annotated[list[str], typer.Argument(
    metavar="DIR|FILE", help="Folders of tables, as vtk export parquet writes them, or single tables.")]
Type = Annotated[str, typer.Option("--type", metavar="TYPE", show_default=False,
                                   help="Type of the records of tables of other tools, which do not say it.")]

Coco = Annotated[list[str], typer.Argument(metavar="FILE", help="COCO data sets or lists of results; - is stdin.")]
Folder = Annotated[str, typer.Option("--images", metavar="DIR", show_default=False,
                                     help="Folder of the images: put before their names, to open them by.")]
Like = Annotated[Path | None, typer.Option("--like", metavar="FILE", show_default=False,
                                           help="The data set that lists of results are about.")]


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
    from vtk.export.mot_import import MotImport, mot_files

    _not_in_a_pipe(context, "mot")
    files, reader = mot_files(inputs, source, fps), MotImport(label, scores)
    tally = Tally(hear=Reporter(common.quiet).error)
    with open_output(common) as write:
        for file in files:
            outcome = Outcome(file.source)
            for lines in reader.lines(file, outcome):
                write(lines)
            tally.add(outcome)
    sys.exit(exit_code(tally))


@app.command()
@record_command
def coco(common: Common, context: typer.Context, inputs: Coco, images: Folder = "", like: Like = None) -> None:
    """Turn COCO data sets and results into records.

    Reads images, categories and annotations, or with --like lists of results. Adds media where an image states its
    size, and detection records, track where an annotation has a track_id; a score outside [0, 1] is cut off, and
    raw_score keeps it. Images are sources, but those of vtk export coco are the frames that they were. Outlines (RLE
    and polygons) are left out. An annotation that cannot be used is named and passed over. Buffers: holds one file.

    Example: vtk import coco boxes.json | jq -c 'select(.label=="person")'
    """
    import sys

    from vtk.driver.chain import Outcome
    from vtk.driver.passes import Tally
    from vtk.driver.progress import Reporter
    from vtk.driver.run import exit_code, open_output
    from vtk.export.coco_import import CocoImport, coco_files

    _not_in_a_pipe(context, "coco")
    reader, tally = CocoImport(images, like), Tally(hear=Reporter(common.quiet).error)
    with open_output(common) as write:
        for name in coco_files(inputs):
            outcome = Outcome(name)
            for lines in reader.lines(name, outcome):
                write(lines)
            tally.add(outcome)
            if reader.note and not common.quiet:
                print(f"vtk import: {reader.note}", file=sys.stderr)
    sys.exit(exit_code(tally))


@app.command()
@record_command
def parquet(common: Common, context: typer.Context, inputs: Parquet, kind: Type = "") -> None:
    """Turn Parquet tables of records into records again.

    Reads the tables of vtk export parquet, and others with columns of the same names, of the type that their names or
    --type say. The records of a folder come in the order that they were written from, equal in all values. Columns of
    other names become keys. A table that cannot be read is named and passed over. Streams: holds 4,096 rows of each.

    Example: vtk import parquet tables | vtk draw -o out.mp4
    """
    import sys

    from vtk.driver.chain import Outcome
    from vtk.driver.passes import Tally
    from vtk.driver.progress import Reporter
    from vtk.driver.run import exit_code, open_output
    from vtk.export.parquet_import import parquet_lines

    _not_in_a_pipe(context, "parquet")
    tally, outcomes = Tally(hear=Reporter(common.quiet).error), list[Outcome]()
    with open_output(common) as write:
        for lines in parquet_lines(inputs, kind, outcomes):
            write(lines)
    for outcome in outcomes:
        tally.add(outcome)
    sys.exit(exit_code(tally))


def _not_in_a_pipe(context: typer.Context, form: str) -> None:
    """Refuse to be called by the text of a pipe rather than by ``vtk``."""
    from vtk.errors import UsageError

    if context.find_root() is context.parent:
        raise UsageError(f"import cannot stand in a pipe's text: vtk import {form} … | vtk pipe '…' gives it the "
                         "records")
