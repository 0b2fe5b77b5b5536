"""``vtk sheet``."""

from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from vtk.options import Common, sink_command


@sink_command
def run(
    common: Common,
    output: Annotated[Path, typer.Option("-o", "--output", metavar="FILE", show_default=False,
                                         help="Write this picture, png, jpg or webp; further pages are FILE-2, …")],
    by: Annotated[str, typer.Option(
        metavar="auto|identity|track_id|label|KEY",
        help="Group boxes by this key. auto: identities, else tracks, else labels, and verdicts of faces.")] = "auto",
    crops: Annotated[int, typer.Option(min=1, metavar="N", help="Show so many crops of a group.")] = 8,
    size: Annotated[int, typer.Option(metavar="PIXELS", help="Height of a crop.")] = 128,
    rows: Annotated[int, typer.Option(min=1, metavar="N", help="Groups on a page.")] = 40,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace files that exist.")] = False,
    font: Annotated[Path | None, typer.Option(
        metavar="FILE", show_default=False, help="Write letters that the built-in fonts lack with this font.")] = None,
) -> None:
    """Show who or what was found on one picture: a row for each, of the crops that show it best.

    Reads detection, track, text, face and species records, and looks at their media; after vtk reid it shows
    identities, after vtk face-antispoof --frames what is thought of each track of a face. Crops are chosen by score,
    size, sharpness and what covers them, of all tracks and of their whole time. The species of a whole picture has all of
    it for a crop. Of scene and shot records, and of species of whole films, where no box came, it shows a picture from
    the middle of each, --crops in a row.
    Writes a contact sheet at the run's end. Streams: holds one frame, and the crops on disk.

    Example: vtk track street.mp4 | vtk sheet -o sheet.png
    """
    from vtk.driver import drive
    from vtk.report.sheet import SheetStage

    drive(partial(SheetStage, output=output, by=by, crops=crops, height=size, rows=rows, overwrite=overwrite, font=font,
                  sampling=common.sampling, tee=common.tee), common)
