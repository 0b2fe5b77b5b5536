"""``vtk recognize-scene``."""

from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from vtk.errors import UsageError
from vtk.options import Common, filter_command

Models = Annotated[str | None, typer.Option(
    "--model", metavar="NAME[,NAME…]", show_default="imagenet-scenes",
    help="What names places: imagenet-scenes, places365-resnet18 or -resnet50, any classifier of vtk models list, "
         "timm:NAME, clip:NAME with --labels, twostream with --weights. Several of the same labels are averaged.")]
Heads = Annotated[str | None, typer.Option(
    "--head", metavar="FILE[,FILE…]", show_default=False,
    help="Heads of vtk scene fit-head, in place of --model or beside it; each writes records of its own.")]
Weights = Annotated[Path | None, typer.Option(metavar="FILE", show_default=False,
                                              help="Load this file, of the network of --model.")]
Labels = Annotated[Path | None, typer.Option(
    metavar="FILE", show_default=False, help="Names of labels, one a line, of --weights; of clip any names you like.")]
Views = Annotated[str, typer.Option(
    metavar="NAME[,NAME…]", help="What the model looks at of a picture: whole, centre, flips, quadrants, scales.")]
ShotsOnly = Annotated[bool, typer.Option("--shots-only", help="Write shots, and load no model.")]
Finder = Annotated[str, typer.Option("--shots", metavar="vtk|transnet", help="What finds shots.")]
MinShot = Annotated[float, typer.Option(metavar="SECONDS", help="Seconds that a shot lasts at least.")]
Window = Annotated[float | None, typer.Option(metavar="SECONDS", show_default=False,
                                              help="Windows of this length in place of shots.")]
TopK = Annotated[int, typer.Option("--topk", metavar="N", help="Labels in a record, at most.")]
Looks = Annotated[int, typer.Option(metavar="N", help="Pictures of a shot that are looked at, at most.")]
Smooth = Annotated[float, typer.Option(
    metavar="W", help="Weight of neighbouring shots, by how alike they look, 0 to 1; 0: each on its own.")]
TextWeight = Annotated[float, typer.Option(
    metavar="W", help="Weight of what text records say beside the pictures; 0: text is not read.")]
Texts = Annotated[str, typer.Option(
    metavar="auto|words|minilm", help="What matches texts with labels: a list of words, and where it knows none of them "
    "MiniLM (extra text), by meaning; auto: MiniLM where it is installed.")]
ThumbsDir = Annotated[Path | None, typer.Option(
    "--thumbs", metavar="DIR", show_default=False, help="Write a JPEG of each shot: DIR/SOURCE.FRAME.jpg.")]


@filter_command
def run(
    common: Common, model: Models = None, head: Heads = None, weights: Weights = None, labels: Labels = None,
    views: Views = "whole", shots_only: ShotsOnly = False, shots: Finder = "vtk", min_shot: MinShot = 0.0,
    window: Window = None, topk: TopK = 5, looks: Looks = 8, smooth: Smooth = 0.0, text_weight: TextWeight = 0.5,
    texts: Texts = "auto", thumbs: ThumbsDir = None,
) -> None:
    """Find the shots of a film, and say where each was filmed.

    Reads media; text and text_track records of vtk spot-text count as well, where they come. Adds a scene for each
    shot, picture or window, some seconds after its end, or at the source's end where text came; with --shots-only a
    shot. Streams: holds two small pictures a second of the last ten, and a score of each label where text came.

    Example: vtk recognize-scene street.mp4 | jq -c '[.start, .end, .label, .score, .indoor, .transition]'
    """
    from vtk.driver import drive
    from vtk.scenes.scene_models import THINGS, Asked
    from vtk.scenes.stage import Plan, SceneStage
    from vtk.scenes.thumbs import Thumbs

    if shots_only and (model or head or weights or labels or views != "whole"):
        raise UsageError("--shots-only loads no model: leave out --model, --head, --weights, --labels and --views")
    models = tuple(model.split(",")) if model is not None else () if head else (THINGS,)
    heads = tuple(Path(part) for part in head.split(",")) if head else ()
    plan = Plan(shots, min_shot, window, shots_only, looks, smooth)
    written = Thumbs(thumbs, common.overwrite or common.resume) if thumbs is not None else None
    asked = Asked(models, heads, weights, labels, tuple(views.split(",")))
    drive(partial(SceneStage, asked, plan, topk, text_weight, written, common.runtime, common.sampling, texts), common)
