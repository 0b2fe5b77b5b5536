"""``vtk track``."""

from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from vtk.options import Common, filter_command


@filter_command
def run(
    common: Common,
    detector: Annotated[str, typer.Option(
        metavar="NAME", help="Detector to use where no detections come in, as vtk detect --model.")] = "yolo11n",
    weights: Annotated[Path | None, typer.Option(
        metavar="FILE", show_default=False, help="Load this file, of the architecture of --detector.")] = None,
    tracker: Annotated[str, typer.Option(metavar="bytetrack|sort", help="How boxes become tracks.")] = "bytetrack",
    classes: Annotated[str, typer.Option(metavar="NAMES", help="Track these labels alone: person,car.")] = "",
    min_score: Annotated[float | None, typer.Option(
        metavar="X", show_default=False,
        help="Leave out boxes below this score. Default: 0.1 with bytetrack and 0.25 with sort from the detector; "
             "every detection record.")] = None,
    max_lost: Annotated[float | None, typer.Option(
        metavar="SECONDS", show_default=False,
        help="End a track this long after its last box. Default: 1 with bytetrack; one empty step with sort.")] = None,
    tracklets_only: Annotated[bool, typer.Option("--tracklets-only", help="Write tracklets, not each track.")] = False,
) -> None:
    """Detect objects and give each an id that stays with it from frame to frame.

    Reads media, or detection records on stdin: then it needs no pixels and no detector. Adds track, and a tracklet
    when a track ends. Streams: holds one batch of frames and the open tracks.

    With bytetrack a box scored 0.6 or more starts a track and one from 0.1 on keeps it alive: pipe
    vtk detect --min-score 0.1 into it.

    Example: vtk track street.mp4 --classes person | vtk draw -o street-ids.mp4
    """
    from vtk.driver import drive
    from vtk.tracking import TrackStage

    drive(partial(TrackStage, detector=detector, weights=weights, tracker=tracker,
                  classes=tuple(name.strip() for name in classes.split(",") if name.strip()), min_score=min_score,
                  max_lost=max_lost, tracklets_only=tracklets_only, runtime=common.runtime, sampling=common.sampling),
          common)
