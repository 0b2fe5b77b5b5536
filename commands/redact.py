"""``vtk redact``."""

from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from vtk.options import Common, sink_command


@sink_command
def run(
    common: Common,
    output: Annotated[Path | None, typer.Option("-o", "--output", metavar="FILE", show_default=False,
                                                help="Write this video or image, of one source.")] = None,
    out_dir: Annotated[Path | None, typer.Option(metavar="DIR", show_default=False,
                                                 help="Write one video or image a source into this folder.")] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace files that exist.")] = False,
    how: Annotated[str, typer.Option(
        metavar="fill|pixelate|blur", help="fill leaves nothing; pixelate and blur leave the means of 6 blocks a side, "
        "from which a model may still tell people that it knows.")] = "fill",
    types: Annotated[str, typer.Option(metavar="TYPES", show_default=False,
                                       help="Hide the boxes of these records alone: face,text.")] = "",
    classes: Annotated[str, typer.Option(
        metavar="NAMES", show_default=False,
        help="Hide these labels or types alone: person,face. Nothing of another name is hidden.")] = "",
    keep: Annotated[str, typer.Option(
        metavar="NAMES", show_default=False,
        help="Show the tracks of these identities (vtk reid); give --types track, else their detections are "
             "hidden.")] = "",
    margin: Annotated[float, typer.Option(metavar="X", help="Hide so much more on each side, of width and height.")]
    = 0.15,
    hold: Annotated[float, typer.Option(
        metavar="SECONDS", help="Hide what is not seen for so long: between two sightings, before the first one and "
        "after the last.")] = 0.5,
    mute: Annotated[bool, typer.Option("--mute", help="Leave the sound out.")] = False,
    allow_partial: Annotated[bool, typer.Option(
        "--allow-partial", help="Write sources of which not every frame was looked at. They may show what no record "
        "tells of.")] = False,
    crf: Annotated[int, typer.Option(metavar="N", help="Quality of the video, 0 lossless to 35 poor.")] = 20,
    preset: Annotated[str, typer.Option(help="Effort of the encoder: ultrafast to veryslow.")] = "veryfast",
) -> None:
    """Hide what records show: faces, people, text.

    Reads detection, track, text, face and species records, and the media that they name; tracklet, text_track and
    face_track to see that their boxes came. Adds nothing: writes pictures and sound anew, without what the container
    says of place, time and maker, and without covers, subtitles and other streams. Buffers the boxes of a source, some
    50 bytes each; writes when it ended.

    Where an end record is not ok, or does not say that all frames were looked at, or where a line was bad or the file
    changed or is damaged, no file is written. Every frame of what is written is read again and compared with the
    source: what still shows some of it gets no name.

    Example: vtk detect --model yunet street.mp4 | vtk redact -o street-faceless.mp4

    Example: vtk spot-text street.mp4 | vtk redact --types text -o street-textless.mp4
    """
    from vtk.driver import drive
    from vtk.errors import UsageError
    from vtk.redaction.stage import RedactStage
    from vtk.redaction.writing import Style

    if common.sampling.mode != "all" or (common.start, common.end, common.limit) != (None, None, None):
        raise UsageError("--every, --fps, --start, --end and --limit leave frames out, and vtk redact writes them all: "
                         "vtk clip cuts a part out of what it wrote")
    drive(partial(RedactStage, output=output, out_dir=out_dir, overwrite=overwrite, types=_names(types),
                  classes=_names(classes), keep=_names(keep), hold=hold,
                  style=Style(how, margin, not mute, crf, preset),  # type: ignore[arg-type]
                  allow_partial=allow_partial, tee=common.tee, say=None if common.quiet else _say), common)


def _names(text: str) -> tuple[str, ...]:
    return tuple(name.strip() for name in text.split(",") if name.strip())


def _say(what: str) -> None:
    typer.echo(f"vtk redact: {what}", err=True)
