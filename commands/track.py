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
    tracker: Annotated[str, typer.Option(
        metavar="vtk|bytetrack|botsort|ocsort|sort", help="How boxes become tracks.")] = "vtk",
    options: Annotated[str, typer.Option(
        metavar="FILE|K=V,…", help="The tracker's own options: high=0.3,match=0.9, or a file by vtk tune track, "
                                   "which may name the tracker too.")] = "",
    classes: Annotated[str, typer.Option(metavar="NAMES", help="Track these labels alone: person,car.")] = "",
    min_score: Annotated[float | None, typer.Option(
        metavar="X", show_default=False,
        help="Leave out boxes below this score. Default: from the detector 0.1, 0.25 with sort; of records every "
             "one.")] = None,
    max_lost: Annotated[float | None, typer.Option(
        metavar="SECONDS", show_default=False,
        help="End a track this long after its last box. Default: 2 with vtk, 1 with bytetrack and ocsort; 30 frames with "
             "botsort, one empty step with sort.")] = None,
    keep_detections: Annotated[bool, typer.Option(
        "--keep-detections", help="Add det_xyxy, the detector's box; xyxy is the filtered one.")] = False,
    refine: Annotated[bool, typer.Option(
        "--refine", help="Fill gaps of up to 20 frames, keep each track's first boxes, smooth. Frames come out 29 "
                         "frames late, in order; boxes filled in are marked filled.")] = False,
    gmc: Annotated[bool, typer.Option(
        "--gmc", help="Take out the camera's motion, by sparse flow: for moving cameras. Opens the media where "
                      "detections come in.")] = False,
    tracklets_only: Annotated[bool, typer.Option("--tracklets-only", help="Write tracklets, not each track.")] = False,
) -> None:
    """Detect objects and give each an id that stays with it from frame to frame.

    Reads media, or detection records on stdin: then it needs no pixels and no detector, except with --gmc. Detections
    that carry an embedding are told apart by it too. Adds track, and a tracklet when a track ends. Streams: holds one
    batch of frames and the open tracks; with --refine also the last 29 frames.

    With the default tracker a box scored 0.6 or more starts a track and one from 0.1 on keeps it alive: pipe
    vtk detect --min-score 0.1 into it. Time counts, not frames: rates may vary and frames may be left out. sort and
    botsort count frames, as their authors do.

    Example: vtk track street.mp4 --classes person | vtk draw -o street-ids.mp4
    """
    from vtk.driver import drive
    from vtk.tracking import TrackStage
    from vtk.tracking.recipe import read_options

    tracker, chosen = read_options(options, tracker)
    drive(partial(TrackStage, detector=detector, weights=weights, tracker=tracker,
                  classes=tuple(name.strip() for name in classes.split(",") if name.strip()), min_score=min_score,
                  max_lost=max_lost, set_options=chosen, keep_detections=keep_detections, refine=refine, gmc=gmc,
                  tracklets_only=tracklets_only, runtime=common.runtime, sampling=common.sampling), common)
