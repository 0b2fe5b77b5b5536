"""``vtk spot-text``."""

from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from vtk.options import Common, filter_command


@filter_command
def run(
    common: Common,
    model: Annotated[str, typer.Option(
        metavar="NAME", help="What finds and reads text: ppocr, or cotext, experimental.")] = "ppocr",
    detector_weights: Annotated[Path | None, typer.Option(
        metavar="FILE", show_default=False, help="Load this file for finding text, of the same architecture.")] = None,
    reader_weights: Annotated[Path | None, typer.Option(
        metavar="FILE", show_default=False, help="Load this file for reading it, of the same architecture.")] = None,
    weights: Annotated[Path | None, typer.Option(
        metavar="FILE", show_default=False, help="Load this file for cotext, which comes without.")] = None,
    detect_fps: Annotated[float, typer.Option(
        metavar="X", help="Look for text so many times a second, sooner where the picture changes.")] = 4.0,
    long_side: Annotated[int, typer.Option(
        metavar="PIXELS", help="Look for text in pictures of this long side, a multiple of 32.")] = 640,
    min_height: Annotated[float, typer.Option(metavar="PIXELS", help="Leave out text that is lower.")] = 0.0,
    region: Annotated[str | None, typer.Option(
        metavar="X1,Y1,X2,Y2", show_default=False,
        help="Take text whose centre lies there: pixels, or percent such as 0%,70%,100%,100%.")] = None,
    vocab: Annotated[Path | None, typer.Option(
        metavar="FILE", show_default=False, help="Take what was read for the nearest entry of FILE, one a line, where "
        "at most a third of its letters differ and no other entry is as near.")] = None,
    words: Annotated[bool, typer.Option("--words/--lines", help="Write words, or whole lines.")] = False,
    tracks_only: Annotated[bool, typer.Option("--tracks-only", help="Write text_track, not each text.")] = False,
    image_tracks: Annotated[bool, typer.Option("--image-tracks", help="Write text_track for pictures too.")] = False,
) -> None:
    """Find text, follow it, read it, and say from when to when it was on screen.

    Reads media. Adds text for each frame, and a text_track when a text has gone: its span, and what it says by the
    vote of its best views. What changes in place, such as a score, is another text_track. A picture gives text alone;
    seq:FOLDER takes numbered pictures for a video. Streams: holds a few frames and the open texts. The networks
    come with the installation: it needs no network access.

    Example: vtk spot-text street.mp4 | vtk draw -o street-texts.mp4
    """
    from vtk.driver import drive
    from vtk.text.region import Region
    from vtk.text.stage import TextStage
    from vtk.text.text_records import Output
    from vtk.text.vocabulary import Vocabulary

    output = Output(min_height, Region.parse(region) if region is not None else None,
                    Vocabulary.read(vocab) if vocab is not None else None, words, tracks_only, image_tracks)
    drive(partial(TextStage, model=model, detector_weights=detector_weights, reader_weights=reader_weights,
                  detect_fps=detect_fps, long_side=long_side, output=output, runtime=common.runtime,
                  sampling=common.sampling, weights=weights), common)
