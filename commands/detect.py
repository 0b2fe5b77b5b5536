"""``vtk detect``: objects in media."""

from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from vtk.options import Common, filter_command

ModelName = Annotated[str, typer.Option(
    metavar="NAME", help="yolo11n|s|m|l|x, yolo26n|s|m|l|x, yolox-nano|tiny|s|m, pedestrian-adas, motion, for faces "
                         "rfb-320 or yunet, or a file.")]
Weights = Annotated[Path | None, typer.Option(
    metavar="FILE", show_default=False,
    help="Load this .pt, .onnx, .tflite or .xml file, of the architecture of --model.")]
Classes = Annotated[str, typer.Option(metavar="NAMES", help="Keep these classes alone: person,car.")]
MinScore = Annotated[float | None, typer.Option(
    metavar="X", show_default=False,
    help="Least score that is kept, 0 to 1. [0.25; the makers' 0.7 for rfb-320, 0.6 for yunet]")]
Iou = Annotated[float | None, typer.Option(
    metavar="X", show_default=False, help="Drop the weaker of two boxes of a class that overlap more. [model's own]")]
MaxBoxes = Annotated[int, typer.Option(metavar="N", help="Most boxes of a frame that are kept, best first.")]
Tile = Annotated[int, typer.Option(
    metavar="N", help="Look for small objects: cut the frame in its own size in squares of N pixels that overlap by a "
                      "quarter, look at them and at the whole. 0 is off.")]


@filter_command
def run(
    common: Common,
    model: ModelName = "yolo11n",
    weights: Weights = None,
    classes: Classes = "",
    min_score: MinScore = None,
    iou: Iou = None,
    max_boxes: MaxBoxes = 300,
    tile: Tile = 0,
) -> None:
    """Detect objects in media.

    Reads media. Adds detection: box, score, class; five points of a face where the model gives them. Streams: holds
    one batch of frames.

    Example: vtk detect street.mp4 | jq -c 'select(.label=="person")'
    """
    from vtk.detection import DetectStage
    from vtk.driver import drive

    names = tuple(name.strip() for name in classes.split(",") if name.strip())
    drive(partial(DetectStage, model=model, weights=weights, classes=names, min_score=min_score, iou=iou,
                  max_boxes=max_boxes, tile=tile, runtime=common.runtime, sampling=common.sampling), common)
