"""``vtk face-antispoof``."""

from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from vtk.options import Common, filter_command

Model = Annotated[str, typer.Option(metavar="NAME", help="What tells live faces: minifasnet; cdcn-epcr and transfas "
                                                         "with weights of your own.")]
Weights = Annotated[Path | None, typer.Option(
    metavar="FILE", show_default=False, help="Load this file, of the network of --model.")]
DetectorName = Annotated[str, typer.Option(
    metavar="rfb-320|yunet", help="Detector of faces to use where no records say where they are.")]
DetectorWeights = Annotated[Path | None, typer.Option(
    metavar="FILE", show_default=False, help="Load this file, of the architecture of --detector.")]
MinFaceScore = Annotated[float, typer.Option(metavar="X", help="Least score of a face by the detector, 0 to 1.")]
Tile = Annotated[int, typer.Option(
    min=0, metavar="PIXELS", help="Look for small faces in overlapping tiles of this size, too; 0: in the whole alone.")]
Bounds = Annotated[str | None, typer.Option(
    "--thresholds", metavar="LOW,HIGH", show_default="0.2,0.8",
    help="Below LOW a face is a spoof, from HIGH on live, between them unsure.")]
CalibrationFile = Annotated[Path | None, typer.Option(
    metavar="FILE", show_default=False, help="Take the thresholds of vtk calibrate face-antispoof; those of other "
                                             "networks or another precision are refused.")]
GatesText = Annotated[str, typer.Option(
    "--gates", metavar="K=V,…|off", show_default=False,
    help="What a face must be like to be judged, else it is unsure, with reasons: min_size=40 and the like.")]
Frames = Annotated[bool, typer.Option("--frames", help="Write the faces of each frame of a video, too.")]


@filter_command
def run(
    common: Common, model: Model = "minifasnet", weights: Weights = None, detector: DetectorName = "rfb-320",
    detector_weights: DetectorWeights = None, min_face_score: MinFaceScore = 0.7, tile: Tile = 0,
    thresholds: Bounds = None, calibration: CalibrationFile = None, gates: GatesText = "", frames: Frames = False,
) -> None:
    """Tell live faces from photos, screens and masks: live, spoof or unsure, with score and thresholds.

    Reads media, with a detector of faces inside; or detection and track records labelled face, or person: then the face
    is looked for in the person's box. Adds a face for each one in a picture; in video a face_track when a face is gone,
    its scores fused over the frames that are good enough, and with --frames each face, too. Streams: holds a few frames
    and a score for each frame of the faces in sight.

    The default thresholds are calibrated on nothing: run vtk calibrate face-antispoof on pictures of your own cameras.
    Precision auto is fp32 here, so that a threshold means the same on every machine.

    Example: vtk face-antispoof street.mp4 | jq -c '[.type, .track_id, .verdict, .live_score, .reasons]'
    """
    from vtk.driver import drive
    from vtk.liveness.decision import read_thresholds
    from vtk.liveness.gates import read_gates
    from vtk.liveness.stage import LivenessStage

    drive(partial(LivenessStage, model=model, weights=weights, detector=detector, detector_weights=detector_weights,
                  min_face_score=min_face_score, tile=tile,
                  thresholds=read_thresholds(thresholds) if thresholds is not None else None, calibration=calibration,
                  gates=read_gates(gates), frames=frames, runtime=common.runtime, sampling=common.sampling), common)
