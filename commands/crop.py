"""``vtk crop``."""

from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from vtk.options import Common, sink_command


@sink_command
def run(
    common: Common,
    out_dir: Annotated[Path, typer.Option("-o", "--out-dir", metavar="DIR", show_default=False,
                                          help="Write DIR/GROUP/SOURCE-000123-7.jpg, and DIR/manifest.jsonl.")],
    by: Annotated[str, typer.Option(
        metavar="label|track|identity|source|type|none|KEY",
        help="A folder for each of these. Of faces the label is their verdict; none: all in DIR.")] = "label",
    types: Annotated[str, typer.Option(metavar="TYPES", show_default=False,
                                       help="Crop these record types alone: track,text.")] = "",
    classes: Annotated[str, typer.Option(metavar="LABELS", show_default=False,
                                         help="Crop these labels alone: person,car.")] = "",
    min_score: Annotated[float, typer.Option(metavar="X", help="Crop from this score on.")] = 0.0,
    min_size: Annotated[float, typer.Option(
        metavar="PIXELS", help="Crop boxes whose shorter side, inside the frame, is this or more.")] = 0.0,
    margin: Annotated[float, typer.Option(
        metavar="SHARE", help="Add this share of the box's width and height on each side.")] = 0.0,
    square: Annotated[bool, typer.Option("--square", help="Lengthen the shorter side to the longer one.")] = False,
    size: Annotated[int | None, typer.Option(metavar="PIXELS", show_default=False,
                                             help="Scale crops to this.")] = None,
    fit: Annotated[str, typer.Option(
        metavar="long|short|pad|stretch",
        help="What --size is: the long side, the short one, both with black beside, both by stretching.")] = "long",
    per_track: Annotated[int | None, typer.Option(
        min=1, metavar="N", show_default=False,
        help="Of each track write its best N, by score, size, sharpness and what covers it, apart in time.")] = None,
    apart: Annotated[float, typer.Option(metavar="SECONDS", help="Leave so much between crops of a track.")] = 0.0,
    per_folder: Annotated[int | None, typer.Option(min=1, metavar="N", show_default=False,
                                                   help="Write the first N of a folder.")] = None,
    image_format: Annotated[str, typer.Option("--format", metavar="jpg|png|webp", help="Kind of image file.")] = "jpg",
    quality: Annotated[int, typer.Option(metavar="N", help="Quality of jpg and webp, 1 to 100.")] = 92,
    table: Annotated[bool, typer.Option(
        "--csv", help="Write DIR/labels.csv as well: file, label and more, as vtk scene fit-head reads it.")] = False,
    overwrite: Annotated[bool, typer.Option(
        "--overwrite", help="Replace the crops that an earlier run made of the same sources.")] = False,
) -> None:
    """Cut what records show out of its frames: a folder of pictures for each label, track or identity.

    Reads detection, track, text, face and species records, and looks at their media. Of records of several types with
    one box it takes that which says most, and no detections where there are tracks; of species without a box the whole
    picture. Writes pictures, and DIR/manifest.jsonl at the run's end: a row for each with its source, frame, time, box
    and what its record says. The folders are a torchvision ImageFolder. Names are made safe: no label or source leaves DIR, and no two share a file;
    a slash is written +. Streams: holds one frame; with --per-track the best crops of a source's tracks, on disk. For
    --by identity, where a run announces who is who for its end (reid), keeps records on disk until it came.

    Example: vtk track street.mp4 | vtk crop -o crops --per-track 3 --margin 0.1
    """
    from vtk.cropping.groups import TYPES, Wanted
    from vtk.cropping.stage import CropStage, Thinning
    from vtk.cropping.views import Cut
    from vtk.driver import drive

    wanted = Wanted(_names(types) or frozenset(TYPES), _names(classes), min_score, min_size)
    drive(partial(CropStage, out_dir=out_dir, by=by, wanted=wanted, cut=Cut(margin, square, size, fit),
                  thinning=Thinning(per_track, apart, per_folder), format=image_format, quality=quality, table=table,
                  overwrite=overwrite, sampling=common.sampling, tee=common.tee), common)


def _names(text: str) -> frozenset[str]:
    return frozenset(name.strip() for name in text.split(",") if name.strip())
