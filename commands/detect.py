"""``vtk detect``: objects in media."""

from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from vtk.options import Common, filter_command

ModelName = Annotated[str, typer.Option(
    metavar="NAME", help="yolo11n|s|m|l|x, yolo26n|s|m|l|x, yolox-nano|tiny|s|m, pedestrian-adas, motion, or a file.")]
Weights = Annotated[Path | None, typer.Option(
    metavar="FILE", show_default=False,
    help="Load this .pt, .onnx, .tflite or .xml file, of the architecture of --model.")]
Classes = Annotated[str, typer.Option(metavar="NAMES", help="Keep these classes alone: person,car.")]
MinScore = Annotated[float, typer.Option(metavar="X", help="Least score that is kept, 0 to 1.")]
Iou = Annotated[float | None, typer.Option(
    metavar="X", show_default=False, help="Drop the weaker of two boxes of a class that overlap more. [model's own]")]
MaxBoxes = Annotated[int, typer.Option(metavar="N", help="Most boxes of a frame that are kept, best first.")]


@filter_command
def run(
    common: Common,
    model: ModelName = "yolo11n",
    weights: Weights = None,
    classes: Classes = "",
    min_score: MinScore = 0.25,
    iou: Iou = None,
    max_boxes: MaxBoxes = 300,
) -> None:
    """Detect objects in media.

    Reads media. Adds detection: box, score, class. Streams: holds one batch of frames.

    Example: vtk detect street.mp4 | jq -c 'select(.label=="person")'
    """
    from vtk.detection import DetectStage
    from vtk.driver import drive

    names = tuple(name.strip() for name in classes.split(",") if name.strip())
    drive(partial(DetectStage, model=model, weights=weights, classes=names, min_score=min_score, iou=iou,
                  max_boxes=max_boxes, runtime=common.runtime, sampling=common.sampling), common)
