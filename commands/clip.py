"""``vtk clip``."""

from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from vtk.options import Common, sink_command


@sink_command
def run(
    common: Common,
    output: Annotated[Path | None, typer.Option("-o", "--output", metavar="FILE", show_default=False,
                                                help="Write this file, of one span or with --join.")] = None,
    out_dir: Annotated[Path | None, typer.Option(metavar="DIR", show_default=False,
                                                 help="Write DIR/SOURCE/START-END-LABEL.mp4 and clips.jsonl.")] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace files that exist.")] = False,
    cut: Annotated[str, typer.Option(
        metavar="smart|exact|copy", help="smart encodes only the frames before the first key frame and those that "
        "build on what is cut off (H.264; else exact); exact encodes all; copy encodes none, and begins at the key "
        "frame before.")] = "smart",
    types: Annotated[str, typer.Option(metavar="TYPES", show_default=False,
                                       help="Cut spans of these records alone: scene,tracklet.")] = "",
    classes: Annotated[str, typer.Option(metavar="NAMES", show_default=False,
                                         help="Cut spans of these labels alone: person,car.")] = "",
    margin: Annotated[float, typer.Option(metavar="SECONDS", help="Add so much before and after each span.")] = 0.0,
    merge: Annotated[float | None, typer.Option(
        metavar="SECONDS", show_default=False,
        help="Make one of spans of a type and label that are no further apart.")] = None,
    least: Annotated[float, typer.Option("--min", metavar="SECONDS", help="Leave shorter spans out.")] = 0.0,
    most: Annotated[float | None, typer.Option("--max", metavar="SECONDS", show_default=False,
                                               help="Cut no more than this of a span.")] = None,
    join: Annotated[bool, typer.Option("--join", help="Put the spans of a source into one file.")] = False,
    mute: Annotated[bool, typer.Option("--mute", help="Leave the sound out.")] = False,
    crf: Annotated[int, typer.Option(metavar="N", help="Quality of what is encoded, 0 lossless to 51 poor.")] = 18,
    preset: Annotated[str, typer.Option(help="Effort of the encoder: ultrafast to veryslow.")] = "veryfast",
) -> None:
    """Cut the spans that records tell of out of their media.

    Reads scene, shot, tracklet, text_track, face_track, copy and species records with a start and an end, or media
    with --start and --end, the span itself (with records, what bounds it). Adds nothing: writes a file for each span,
    with the source's sound, and clips.jsonl, which says what each file shows. Buffers the spans of a source; cuts when
    the source ended.

    Example: vtk recognize-scene --shots-only street.mp4 | vtk clip --margin 0.2 --out-dir shots/

    Example: vtk clip street.mp4 --start 0.5 --end 1.5 -o part.mp4
    """
    from vtk.clipping.cuts import Cutter
    from vtk.clipping.spans import Choice
    from vtk.clipping.stage import ClipStage
    from vtk.driver import drive
    from vtk.errors import UsageError

    if common.start is not None and common.end is not None and common.end <= common.start:
        raise UsageError(f"--end {common.end:g} is not after --start {common.start:g}")
    if common.every != 1 or common.fps is not None or common.limit is not None:
        raise UsageError("--every, --fps and --limit pick frames, and vtk clip cuts spans: give --start and --end")
    choice = Choice(_names(types), _names(classes), margin, least, most, merge, common.start, common.end)
    drive(partial(ClipStage, output=output, out_dir=out_dir, overwrite=overwrite, choice=choice,
                  cutter=Cutter(cut, not mute, crf, preset), join=join, tee=common.tee,  # type: ignore[arg-type]
                  say=None if common.quiet else _say), common)


def _names(text: str) -> tuple[str, ...]:
    return tuple(name.strip() for name in text.split(",") if name.strip())


def _say(what: str) -> None:
    typer.echo(f"vtk clip: {what}", err=True)
