"""``vtk reid``."""

from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from vtk.options import Common, filter_command


Model = Annotated[str, typer.Option(
    metavar="NAME", help="What makes vectors of crops: vtk models list has them; timm:NAME is any network of timm.")]
Weights = Annotated[Path | None, typer.Option(
    metavar="FILE", show_default=False,
    help="Load this file instead: ONNX, TFLite or OpenVINO; for timm:NAME, dcformer-s and -b a state dict of PyTorch.")]
InputSize = Annotated[str | None, typer.Option(
    "--input", metavar="HxW", show_default=False,
    help="Height and width of crops, such as 256x128, where a model leaves them open; vectors of two do not mix.")]
Pixels = Annotated[str | None, typer.Option(
    metavar="imagenet|half|unit|bgr255", show_default=False,
    help="Values that an ONNX, TFLite or OpenVINO file of --weights takes. imagenet: RGB by ImageNet's means; half: RGB "
         "from -1 to 1; unit: RGB from 0 to 1; bgr255: BGR from 0 to 255. Default: --model's, bgr255 of retail-0277.")]
Detector = Annotated[str, typer.Option(
    metavar="NAME", help="Detector to use where no tracks come in, as vtk detect --model.")]
Tracker = Annotated[str, typer.Option(
    metavar="vtk|bytetrack|botsort|ocsort|sort", help="Tracker to use there, as vtk track --tracker.")]
Classes = Annotated[str, typer.Option(
    metavar="NAMES", help="Take tracks of these labels, and those without a label; '' takes all.")]
Crops = Annotated[bool, typer.Option(
    "--crops", help="Each source is a crop of somebody: an image, or seq:FOLDER of one's images.")]
CropsPerTrack = Annotated[int, typer.Option(metavar="N", help="Take the mean of a track's N best crops.")]
Threshold = Annotated[float | None, typer.Option(
    metavar="X", show_default=False, help="Least mean cosine of one identity's tracks. Default: the model's own, found "
                                          "in fp32 on people that it was not made with; bf16 moves it by 0.015 at "
                                          "most.")]
Calibration = Annotated[Path | None, typer.Option(
    metavar="FILE", show_default=False, help="Take the threshold of vtk calibrate reid.")]
Overlap = Annotated[bool, typer.Option(
    "--overlap-constraint/--no-overlap-constraint",
    help="Two tracks of one source at one time are two people; not where the tracker doubles tracks.")]
ConstraintsFile = Annotated[Path | None, typer.Option(
    metavar="FILE", show_default=False,
    help="JSON of cameras, clocks, and how long people take from camera to camera.")]
Gallery = Annotated[str | None, typer.Option(
    metavar="URI", show_default=False, help="Search the people of earlier runs there, and add those of this one; "
                                            "identities are its names.")]
Retention = Annotated[float | None, typer.Option(
    metavar="DAYS", show_default=False, help="Forget what was added to the gallery more than so long ago.")]
Explain = Annotated[bool, typer.Option(
    "--explain", help="Add the three nearest tracks to each identity, and what kept them apart.")]
EmbedOnly = Annotated[bool, typer.Option(
    "--embed-only", help="Write no identities: --finish tells them over the files of many runs.")]
Finish = Annotated[Path | None, typer.Option(
    metavar="DIR", show_default=False,
    help="Read the embedding records of the .jsonl files below DIR, and write identities alone; tracks may follow them "
         "into vtk draw or sheet.")]


@filter_command
def run(
    common: Common, model: Model = "retail-0277", weights: Weights = None, input_size: InputSize = None,
    pixels: Pixels = None,
    detector: Detector = "yolo11n", tracker: Tracker = "vtk", classes: Classes = "person", crops: Crops = False,
    crops_per_track: CropsPerTrack = 8, threshold: Threshold = None, calibration: Calibration = None,
    overlap: Overlap = True, constraints: ConstraintsFile = None, gallery: Gallery = None, retention: Retention = None,
    explain: Explain = False, embed_only: EmbedOnly = False, finish: Finish = None,
) -> None:
    """Tell who is who across videos, by what a track looks like and when it was seen.

    Reads track records, and looks at the frames that have some; or media, with a detector and a tracker inside: then it
    writes their tracks too; or images of one person each, with --crops. Adds an embedding for each track at its
    source's end, and identities at the run's end, numbered from 1. Streams: holds up to twice --crops-per-track crops
    of each open track, and the vectors of the run, on disk where they are many.

    Example: vtk track videos/ --classes person | vtk reid -o who.jsonl
    """
    from vtk.driver import drive
    from vtk.errors import UsageError
    from vtk.models.embedder import EmbedderOptions, read_size
    from vtk.reid.finishing import finish_run
    from vtk.reid.identity_records import Deciding
    from vtk.reid.stage import Plan, ReidStage
    from vtk.tracking import TrackStage

    deciding = Deciding(threshold, calibration, overlap, constraints, explain, gallery, retention)
    if finish is not None:
        if embed_only or crops:
            raise UsageError(f"--finish tells identities of what is embedded: {'--crops' if crops else '--embed-only'} "
                             "does not go with it")
        said = finish_run(finish, deciding, common)
        if said and (common.dry_run or not common.quiet):
            typer.echo(said, err=True)
        return
    names = tuple(name.strip() for name in classes.split(",") if name.strip())
    size = read_size(input_size) if input_size is not None else None
    options = EmbedderOptions(weights, size, common.runtime, pixels)
    inner = partial(TrackStage, detector=detector, tracker=tracker, classes=names, runtime=common.runtime,
                    sampling=common.sampling)
    drive(partial(ReidStage, model=model, options=options, plan=Plan(crops_per_track, names, crops, embed_only),
                  deciding=deciding, tracker=inner, sampling=common.sampling), common)
