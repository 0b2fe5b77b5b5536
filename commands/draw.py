"""``vtk draw``."""

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
    labels: Annotated[bool, typer.Option("--labels/--no-labels", help="Write names at boxes.")] = True,
    scores: Annotated[bool, typer.Option("--scores/--no-scores", help="Write scores behind names.")] = True,
    trails: Annotated[bool, typer.Option("--trails/--no-trails", help="Show where tracks came from.")] = True,
    trail: Annotated[float, typer.Option(metavar="SECONDS", help="How far back trails reach.")] = 2.0,
    types: Annotated[str, typer.Option(metavar="TYPES", show_default=False,
                                       help="Show these record types alone: track,text,copy.")] = "",
    subtitles: Annotated[Path | None, typer.Option(
        metavar="FILE|DIR", show_default=False,
        help="Write these subtitles, .srt or .vtt, into the picture; of a folder the one with the name.")] = None,
    font: Annotated[Path | None, typer.Option(
        metavar="FILE", show_default=False, help="Write letters that the built-in fonts lack with this font.")] = None,
    crf: Annotated[int, typer.Option(metavar="N", help="Quality of the video, 0 lossless to 51 poor.")] = 20,
    preset: Annotated[str, typer.Option(help="Effort of the encoder: ultrafast to veryslow.")] = "veryfast",
) -> None:
    """Draw records onto their media.

    Reads detection, track, text, face, species and scene records, and the media that they name. Adds nothing: writes an
    annotated video, with the source's sound, or an annotated image. Letters of scripts other than Latin, Greek,
    Cyrillic, Hebrew, Arabic and those of East Asia need --font, else their numbers are written. Streams: holds one
    frame. Where a run announces who is who for its end (reid), keeps records on disk until it came, and colours and
    names tracks by identity.

    A source with copy records is drawn beside the reference that it shows, the two aligned in time, mirrored ones
    mirrored back: of several at a time the best score, the others by name; its time runs below, copied spans in the
    colours of their references. Copies have to come before the frames (vtk sort puts them there), as those of vtk
    detect-copy do, or at the end of a run that announced them.

    Scenes stand in the corner, and tracks bear the species that they show, where these come before the frames: through
    vtk sort, or in vtk pipe.

    Example: vtk track street.mp4 | vtk draw -o street-ids.mp4

    Example: vtk detect-copy street.mp4 --refs videos/ | vtk draw -o side-by-side.mp4
    """
    from vtk.driver import drive
    from vtk.report.draw import DrawStage

    drive(partial(DrawStage, output=output, out_dir=out_dir, overwrite=overwrite, labels=labels, scores=scores,
                  trail=trail if trails else 0.0,
                  types=tuple(name.strip() for name in types.split(",") if name.strip()), crf=crf, preset=preset,
                  subtitles=subtitles, font=font, sampling=common.sampling, tee=common.tee), common)
