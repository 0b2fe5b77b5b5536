"""``vtk spot-text``."""

from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from vtk.options import Common, filter_command


@filter_command
def run(
    common: Common,
    model: Annotated[str, typer.Option(metavar="NAME", help="What finds and reads text: ppocr.")] = "ppocr",
    detector_weights: Annotated[Path | None, typer.Option(
        metavar="FILE", show_default=False, help="Load this file for finding text, of the same architecture.")] = None,
    reader_weights: Annotated[Path | None, typer.Option(
        metavar="FILE", show_default=False, help="Load this file for reading it, of the same architecture.")] = None,
    detect_fps: Annotated[float, typer.Option(
        metavar="X", help="Look for text so many times a second, sooner where the picture changes.")] = 4.0,
    long_side: Annotated[int, typer.Option(
        metavar="PIXELS", help="Look for text in pictures of this long side, a multiple of 32.")] = 640,
    min_height: Annotated[float, typer.Option(metavar="PIXELS", help="Leave out text that is lower.")] = 0.0,
    tracks_only: Annotated[bool, typer.Option("--tracks-only", help="Write text_track, not each text.")] = False,
) -> None:
    """Find text, follow it, read it, and say from when to when it was on screen.

    Reads media. Adds text for each frame, and a text_track when a text has gone: its span, and what it says by the
    vote of its best views. A picture gives text alone. Streams: holds a few frames and the open texts. The networks
    come with the installation: it needs no network access.

    Example: vtk spot-text street.mp4 | vtk draw -o street-texts.mp4
    """
    from vtk.driver import drive
    from vtk.text.stage import TextStage

    drive(partial(TextStage, model=model, detector_weights=detector_weights, reader_weights=reader_weights,
                  detect_fps=detect_fps, long_side=long_side, min_height=min_height, tracks_only=tracks_only,
                  runtime=common.runtime, sampling=common.sampling), common)
