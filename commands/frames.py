"""``vtk frames``: frames as image files."""

from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from vtk.options import Common, sink_command

OutDir = Annotated[Path, typer.Option("-o", "--out-dir", metavar="DIR", help="Write DIR/SOURCE/000123.jpg.")]
At = Annotated[str, typer.Option(metavar="SECONDS", help="Take the first frame at or after these times: 0,1.5,60.")]
Format = Annotated[str, typer.Option("--format", metavar="jpg|png|webp", help="Kind of image file.")]
Quality = Annotated[int, typer.Option(metavar="N", help="Quality of jpg and webp, 1 to 100.")]
Side = Annotated[int | None, typer.Option("--size", min=1, metavar="PIXELS", show_default=False,
                                          help="Scale the long side to this.")]
Overwrite = Annotated[bool, typer.Option("--overwrite", help="Replace images that exist.")]


@sink_command
def run(common: Common, out_dir: OutDir, at: At = "", image_format: Format = "jpg", quality: Quality = 92,
        size: Side = None, overwrite: Overwrite = False) -> None:
    """Extract frames as image files.

    Reads media, or records on stdin: then the frames that have records, unless --every, --fps or --at say which.
    Writes DIR/SOURCE/INDEX.jpg, INDEX the frame's number in the source. Streams.

    Example: vtk frames street.mp4 --fps 1 --out-dir frames
    """
    from vtk.driver import drive
    from vtk.errors import UsageError
    from vtk.probing import FramesStage

    try:
        times = tuple(float(part) for part in at.split(",") if part.strip())
    except ValueError:
        raise UsageError(f"--at is '{at}': seconds joined by commas are needed, such as 0,1.5,60") from None
    drive(partial(FramesStage, out_dir=out_dir, sampling=common.sampling, at=times, format=image_format,
                  quality=quality, size=size, overwrite=overwrite, tee=common.tee), common)
