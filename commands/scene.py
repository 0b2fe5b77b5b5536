"""``vtk scene``: classifiers of a user's own labels, fitted and checked."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from vtk.options import Batch, Device, Offline, Overwrite, Precision, Threads, TrustWeights

if TYPE_CHECKING:
    from vtk.heads.features import Features
    from vtk.heads.head import Head
    from vtk.heads.running import Told

app = typer.Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False, no_args_is_help=True,
                  help="Fit a classifier of your own labels on pictures, and check it.")

Labels = Annotated[Path, typer.Argument(
    metavar="LABELS", show_default=False,
    help="A csv file with the columns file and label, a folder with labels.csv, or a folder of pictures for each label "
         "(also PART/LABEL/).")]
HeadFile = Annotated[Path, typer.Argument(metavar="HEAD", show_default=False, help="A file of vtk scene fit-head.")]
Network = Annotated[str, typer.Option("--features", metavar="NAME",
                                      help="What makes vectors of pictures: mobilenet, timm:NAME, colour.")]
OtherNetwork = Annotated[str | None, typer.Option(
    "--features", metavar="NAME", show_default=False,
    help="As in vtk scene fit-head, where that had --weights. Default: the head's.")]
Weights = Annotated[Path | None, typer.Option(
    metavar="FILE", show_default=False,
    help="Load this file instead: ONNX, TFLite or OpenVINO, or a state dict of --features timm:NAME.")]
Pixels = Annotated[str | None, typer.Option(metavar="imagenet|half|unit|bgr255", show_default=False,
                                            help="Values that --weights takes, as vtk reid --pixels.")]
Views = Annotated[str, typer.Option(
    metavar="NAMES",
    help="Average vectors of these: whole,centre,flips,quadrants,scales. Costs 1, 1, 1, 4 and 2 looks.")]
Split = Annotated[str | None, typer.Option(metavar="COLUMN", show_default=False,
                                           help="Column of the table that names parts. Default: split.")]
FitPart = Annotated[str | None, typer.Option(
    "--part", metavar="NAME", show_default=False, help="Fit on this part. Default: on all but that of --check.")]
Check = Annotated[str | None, typer.Option(metavar="NAME", show_default=False,
                                           help="Say how the head does on this part.")]
CheckedPart = Annotated[str | None, typer.Option("--part", metavar="NAME", show_default=False,
                                                 help="Check on this part. Default: all.")]
Where = Annotated[list[str] | None, typer.Option(
    metavar="COLUMN=VALUE", show_default=False,
    help="Take only rows of the table with this value. May be given several times.")]
FitWhere = Annotated[list[str] | None, typer.Option(
    metavar="COLUMN=VALUE", show_default=False, help="The same, for the rows that the head is fitted on alone.")]
Balance = Annotated[bool, typer.Option("--balance", help="All labels weigh the same, however many pictures they have.")]
Standardise = Annotated[bool, typer.Option(
    "--standardise", help="Divide each component of the vectors by its standard deviation.")]
Penalty = Annotated[float | None, typer.Option(
    metavar="X", show_default=False, help="Of the ridge, as a multiple of the vectors' variance. Default: chosen by "
                                          "--criterion on pictures left out one by one.")]
Criterion = Annotated[str, typer.Option(
    metavar="nll|press|gcv", help="What chooses the penalty: likelihood, squared error, generalised cross-validation.")]
Tau = Annotated[float, typer.Option(
    metavar="X", help="Take X times the log of each label's share off its logit: 1 takes all labels for equally "
                      "frequent where the head will be used.")]
Terms = Annotated[str, typer.Option(
    metavar="TEXT", help="Keep this in the file: where the pictures come from, and what their terms allow.")]
HeadOutput = Annotated[Path, typer.Option("-o", "--output", metavar="FILE", show_default=False,
                                          help="Write the head to FILE, which appears when it is complete.")]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="No messages on stderr.")]


@app.callback()
def _tasks() -> None:
    """Say that each task is a command of its own."""


@app.command("fit-head")
def fit(labels: Labels, output: HeadOutput, features: Network = "mobilenet", weights: Weights = None,
        pixels: Pixels = None, views: Views = "whole", split: Split = None, part: FitPart = None, check: Check = None,
        where: Where = None, fit_where: FitWhere = None, balance: Balance = False, standardise: Standardise = False,
        penalty: Penalty = None, criterion: Criterion = "nll", tau: Tau = 0.0, terms: Terms = "",
        device: Device = "auto", precision: Precision = "auto", batch: Batch = None, threads: Threads = None,
        offline: Offline = False, trust_weights: TrustWeights = False, overwrite: Overwrite = False,
        as_json: Json = False, quiet: Quiet = False) -> None:
    """Fit a linear classifier of your labels on the vectors of a network that stays as it is.

    Reads labelled pictures. Writes a head: ridge regression in closed form, in seconds and without torch, its penalty
    and its temperature found on each picture by a fit without it. Prints how these do, and with --check how the head
    does on pictures of another part. It is for this network and these views. Near copies among the pictures make
    figures look better than they are. Buffers: holds the vectors.

    Example: vtk scene fit-head pictures -o head.npz && vtk scene eval-head head.npz pictures
    """
    from vtk.heads.features import load_features
    from vtk.heads.fitting import Fit
    from vtk.heads.running import Source, fit_file
    from vtk.models.runtime import RuntimeOptions

    plan = Fit(balance, standardise, penalty, criterion, tau, terms)
    runtime = RuntimeOptions(device, precision, batch, threads, offline, trust_weights)
    source = Source(labels, split, tuple(where or ()), tuple(fit_where or ()))

    def load() -> "Features":
        return load_features(features, weights, pixels, views.split(","), runtime)

    _say(fit_file(source, part, check, load, plan, output, overwrite, as_json, quiet), quiet)


@app.command("eval-head")
def evaluate(head: HeadFile, labels: Labels, part: CheckedPart = None, split: Split = None, where: Where = None,
             features: OtherNetwork = None, weights: Weights = None, pixels: Pixels = None, device: Device = "auto",
             precision: Precision = "auto", batch: Batch = None, threads: Threads = None, offline: Offline = False,
             trust_weights: TrustWeights = False, as_json: Json = False, quiet: Quiet = False) -> None:
    """Say how well a head tells labelled pictures.

    Reads a head and labelled pictures. Prints top-1 and top-5 accuracy, macro-F1, the expected calibration error and
    the negative log-likelihood, then precision and recall of each label. Pictures should be none that the head was
    fitted on. Buffers: holds the vectors.

    Example: vtk scene fit-head pictures -o head.npz && vtk scene eval-head head.npz pictures --json
    """
    from vtk.heads.features import load_features
    from vtk.heads.running import Source, eval_file, features_of
    from vtk.models.runtime import RuntimeOptions

    runtime = RuntimeOptions(device, precision, batch, threads, offline, trust_weights)

    def load(found: "Head") -> "Features":
        name = features or ("mobilenet" if weights else features_of(found))
        return load_features(name, weights, pixels, found.views, runtime)

    _say(eval_file(head, Source(labels, split, tuple(where or ())), part, load, as_json, quiet), quiet)


def _say(told: "Told", quiet: bool) -> None:
    """Print what is told: the result on stdout, notes on stderr."""
    for line in told.lines:
        print(line)
    for note in () if quiet else told.notes:
        print(f"vtk scene: {note}", file=sys.stderr)
