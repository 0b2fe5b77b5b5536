"""``vtk calibrate``: thresholds found on labelled data."""

from pathlib import Path
from typing import Annotated

import typer

from vtk.evaluation.arguments import InputSize, Model, Pixels, Quiet, Weights
from vtk.options import (
    Batch,
    Device,
    Offline,
    Overwrite,
    Precision,
    Threads,
    TrustWeights,
)

app = typer.Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False, no_args_is_help=True,
                  help="Find a model's thresholds on labelled data.")

Folder = Annotated[Path, typer.Argument(
    metavar="FOLDER", show_default=False, help="Labelled crops, as vtk eval reid takes them.")]
Split = Annotated[str | None, typer.Option(
    metavar="FILE|COLUMN", show_default=False, help="JSON with names of files by part, or a column of labels.csv.")]
Part = Annotated[str, typer.Option(metavar="NAME", help="Take this part, where there are parts.")]
Check = Annotated[str | None, typer.Option(
    metavar="NAME", show_default=False, help="Group the people of this part at the thresholds too, and say how well.")]
CropsPerTrack = Annotated[int, typer.Option(
    min=1, metavar="N", help="Take the mean of N of an identity's crops by a camera for a track.")]
SeenOnce = Annotated[float, typer.Option(
    min=0, max=0.99, metavar="SHARE",
    help="Leave one track alone of this share of the people: the more are seen once, the higher the threshold.")]
Tracklets = Annotated[int, typer.Option(
    min=4, max=20000, metavar="N", help="Draw people until there are N tracks; memory grows with its square.")]
Seed = Annotated[int, typer.Option(metavar="N", help="Seed of what is drawn.")]
Output = Annotated[Path | None, typer.Option("-o", "--output", metavar="FILE", show_default=False,
                                             help="Write FILE, which appears when it is complete.")]

Faces = Annotated[Path, typer.Argument(
    metavar="LABELS", show_default=False, help="Labelled pictures and videos, as vtk eval face-antispoof --gt.")]
Records = Annotated[str | None, typer.Option(
    metavar="FILE", show_default=False,
    help="Take scores from these records of vtk face-antispoof --frames, made with the same models and without "
         "--calibration; - for stdin. Default: run the models over LABELS.")]
Column = Annotated[str | None, typer.Option("--split", metavar="COLUMN", show_default=False,
                                            help="Column of labels.csv that names parts. Default: split.")]
FacePart = Annotated[str | None, typer.Option(
    "--part", metavar="NAME", show_default=False, help="Calibrate on this part. Default: on all but that of --check.")]
FaceCheck = Annotated[str | None, typer.Option(
    "--check", metavar="NAME", show_default=False, help="Say how the thresholds do on this part.")]
TargetApcer = Annotated[float, typer.Option(
    metavar="PERCENT", help="Of attacks of each type, those that may be called live at most.")]
TargetBpcer = Annotated[float, typer.Option(
    metavar="PERCENT", help="Of live faces, those that may be called spoofs at most.")]
AllowFew = Annotated[bool, typer.Option(
    "--allow-few", help="Take sets too small to tell such a rate from none; the report says so.")]
FaceModel = Annotated[str, typer.Option("--model", metavar="NAME", help="As vtk face-antispoof --model.")]
FaceWeights = Annotated[Path | None, typer.Option("--weights", metavar="FILE", show_default=False,
                                                  help="As vtk face-antispoof --weights.")]
Detector = Annotated[str, typer.Option(metavar="NAME", help="As vtk face-antispoof --detector.")]
DetectorWeights = Annotated[Path | None, typer.Option(metavar="FILE", show_default=False,
                                                      help="As vtk face-antispoof --detector-weights.")]
MinFaceScore = Annotated[float, typer.Option(metavar="X", help="As vtk face-antispoof --min-face-score.")]
Tile = Annotated[int, typer.Option(metavar="PIXELS", help="As vtk face-antispoof --tile.")]
GatesText = Annotated[str, typer.Option("--gates", metavar="K=V,…|off", show_default=False,
                                        help="As vtk face-antispoof --gates: faces that fail are left out.")]

Animals = Annotated[Path, typer.Argument(
    metavar="LABELS", show_default=False, help="Labelled pictures: a csv table with the columns file and label, or a "
                                               "folder with labels.csv, or of a folder for each species.")]
Coverage = Annotated[float, typer.Option(metavar="SHARE",
                                         help="Share of pictures whose set has to hold the right species.")]
PartOf = Annotated[str | None, typer.Option(
    "--part", metavar="NAME", show_default=False, help="Calibrate on this part. Default: on all but that of --check.")]
CheckOn = Annotated[str | None, typer.Option("--check", metavar="NAME", show_default=False,
                                             help="Say how often sets hold the right species on this part.")]
Where = Annotated[list[str] | None, typer.Option(metavar="COLUMN=VALUE", show_default=False,
                                                 help="Take these rows alone. May be given several times.")]
SpeciesModel = Annotated[str, typer.Option("--model", metavar="NAME,…", help="As vtk classify-species --model: one, or "
                                                                           "several of the same species, not auto.")]
SpeciesWeights = Annotated[Path | None, typer.Option("--weights", metavar="FILE", show_default=False,
                                                     help="As vtk classify-species --weights.")]
SpeciesLabels = Annotated[Path | None, typer.Option("--labels", metavar="FILE", show_default=False,
                                                    help="As vtk classify-species --labels.")]
HeadFile = Annotated[Path | None, typer.Option("--head", metavar="FILE", show_default=False,
                                               help="As vtk classify-species --head.")]
Covers = Annotated[str, typer.Option(metavar="GROUP,…", show_default=False, help="As vtk classify-species --covers.")]
MinGroup = Annotated[float, typer.Option(metavar="P", help="As vtk classify-species --min-group.")]
Views = Annotated[str, typer.Option(metavar="NAME,…", help="As vtk classify-species --views.")]
Latitude = Annotated[float | None, typer.Option("--lat", metavar="DEGREES", show_default=False,
                                                help="As vtk classify-species --lat.")]
Longitude = Annotated[float | None, typer.Option("--lon", metavar="DEGREES", show_default=False,
                                                 help="As vtk classify-species --lon.")]
Country = Annotated[str | None, typer.Option(metavar="XX", show_default=False,
                                             help="As vtk classify-species --country.")]
Day = Annotated[str | None, typer.Option("--date", metavar="YYYY-MM-DD", show_default=False,
                                         help="As vtk classify-species --date.")]
Metadata = Annotated[Path | None, typer.Option(metavar="FILE", show_default=False,
                                               help="As vtk classify-species --metadata.")]
NoEmbedded = Annotated[bool, typer.Option("--no-embedded", help="As vtk classify-species --no-embedded.")]
Prior = Annotated[Path | None, typer.Option(metavar="FILE", show_default=False,
                                            help="As vtk classify-species --prior.")]
Gamma = Annotated[float, typer.Option(metavar="X", help="As vtk classify-species --gamma.")]
Filter = Annotated[bool, typer.Option("--filter", help="As vtk classify-species --filter.")]
Train = Annotated[Path | None, typer.Option("--train-counts", metavar="FILE", show_default=False,
                                            help="As vtk classify-species --train-counts.")]
Tau = Annotated[float, typer.Option(metavar="X", help="As vtk classify-species --tau.")]
TaxonomyFile = Annotated[Path | None, typer.Option("--taxonomy", metavar="FILE", show_default=False,
                                                   help="What species are called besides: a csv table as GBIF's "
                                                        "backbone has it.")]


@app.callback()
def _tasks() -> None:
    """Say that each task is a command of its own."""


@app.command()
def reid(folder: Folder, split: Split = None, part: Part = "train", check: Check = None,
         model: Model = "retail-0277", weights: Weights = None, input_size: InputSize = None, pixels: Pixels = None,
         crops_per_track: CropsPerTrack = 8, seen_once: SeenOnce = 0.5, tracklets: Tracklets = 4096,
         seed: Seed = 0, device: Device = "auto",
         precision: Precision = "auto", batch: Batch = None, threads: Threads = None, offline: Offline = False,
         trust_weights: TrustWeights = False, output: Output = None, overwrite: Overwrite = False,
         quiet: Quiet = False) -> None:
    """Find how alike two tracks of one person are at least, for vtk reid --calibration.

    Reads crops of people who are known, of two cameras or more; those of one person by one camera are a track, and
    without cameras each crop is. Prints one JSON object: the thresholds of the highest B-cubed F, where constraints
    keep all tracks of one camera apart and where nothing does, F there, and intervals by bootstrap over people. It is
    for this model in this precision. People should be none that the model was made with. Buffers: holds the vectors.

    Example: vtk calibrate reid people --model colour
    """
    import sys

    from vtk.driver.progress import counted
    from vtk.driver.run import open_output
    from vtk.models.embedder import EmbedderOptions, load_embedder, read_size, space_of
    from vtk.models.runtime import RuntimeOptions
    from vtk.options import Common
    from vtk.reid.calibration import calibrate, checked, drawn
    from vtk.reid.labelled import capped, read_labelled, taken, tracks

    crops = read_labelled(folder, split)
    parts = [drawn(capped(taken(crops, name), crops_per_track), tracklets, seed) for name in (part, check) if name]
    runtime = RuntimeOptions(device, precision, batch, threads, offline, trust_weights)
    embedder = load_embedder(model, "reid", EmbedderOptions(weights, read_size(input_size) if input_size else None,
                                                            runtime, pixels))
    with open_output(Common(output=output, overwrite=overwrite)) as write:
        with counted(sum(map(len, parts)), "crop", quiet) as heard:
            made = [tracks(some, embedder, heard) for some in parts]
        found = calibrate(*made[0], space_of(embedder), embedder.precision, seen_once=seen_once, seed=seed)
        if check:
            found.data["check"] = {"part": check, **checked(found, *made[1])}
        write([found.to_json()])
    if "constrained" not in found.choices and not quiet:
        print("vtk calibrate: cameras are unknown or one: there is no threshold for where constraints bind",
              file=sys.stderr)


@app.command("face-antispoof")
def face_antispoof(labels: Faces, records: Records = None, split: Column = None, part: FacePart = None,
                   check: FaceCheck = None, target_apcer: TargetApcer = 5.0, target_bpcer: TargetBpcer = 5.0,
                   allow_few: AllowFew = False, model: FaceModel = "minifasnet", weights: FaceWeights = None,
                   detector: Detector = "rfb-320", detector_weights: DetectorWeights = None,
                   min_face_score: MinFaceScore = 0.7, tile: Tile = 0, gates: GatesText = "", seed: Seed = 0,
                   device: Device = "auto", precision: Precision = "auto", batch: Batch = None, threads: Threads = None,
                   offline: Offline = False, trust_weights: TrustWeights = False, output: Output = None,
                   overwrite: Overwrite = False, quiet: Quiet = False) -> None:
    """Find what scores are live and spoof for vtk face-antispoof --calibration, on faces like those to be judged.

    Live is from the least score on at which no type of attack has a higher APCER than wanted, spoof below the greatest
    at which BPCER is kept; where they cross, one score keeps both and nothing is unsure. Prints one JSON object: these
    for single faces, and for face tracks, whose log-odds are scaled first, where 20 videos of each class are there;
    rates, and intervals by bootstrap over subjects, else files. Pictures count by their largest face, videos by all
    their frames as much as one picture. It is for these models in this precision. Buffers: holds the scores.

    Example: vtk calibrate face-antispoof faces --records faces.jsonl
    """
    import sys

    from vtk.driver.run import open_output
    from vtk.liveness.calibrating import Targets
    from vtk.liveness.calibration_run import Plan, run_calibration
    from vtk.liveness.gates import read_gates
    from vtk.models.runtime import RuntimeOptions
    from vtk.options import Common

    def note(message: str) -> None:
        if not quiet:
            print(f"vtk calibrate: {message}", file=sys.stderr)

    targets = Targets(target_apcer / 100, target_bpcer / 100, allow_few)
    stage = {"model": model, "weights": weights, "detector": detector, "detector_weights": detector_weights,
             "min_face_score": min_face_score, "tile": tile, "gates": read_gates(gates),
             "runtime": RuntimeOptions(device, precision, batch, threads, offline, trust_weights)}
    with open_output(Common(output=output, overwrite=overwrite)) as write:
        found, code = run_calibration(Plan(labels, records, split, part, check, targets, seed), stage, quiet, note)
        write([found])
    if code:
        raise typer.Exit(code)


@app.command("classify-species")
def classify_species(
    labels_of: Animals, coverage: Coverage = 0.95, split: Column = None, part: PartOf = None, check: CheckOn = None,
    where: Where = None, model: SpeciesModel = "auto", weights: SpeciesWeights = None,
    labels: SpeciesLabels = None, head: HeadFile = None, covers: Covers = "", min_group: MinGroup = 0.5,
    views: Views = "whole", lat: Latitude = None, lon: Longitude = None, country: Country = None, date: Day = None,
    metadata: Metadata = None, no_embedded: NoEmbedded = False, prior: Prior = None, gamma: Gamma = 1.0,
    hard: Filter = False, train_counts: Train = None, tau: Tau = 1.0, taxonomy: TaxonomyFile = None, seed: Seed = 0,
    device: Device = "auto", precision: Precision = "auto", batch: Batch = None, threads: Threads = None,
    offline: Offline = False, trust_weights: TrustWeights = False, output: Output = None, overwrite: Overwrite = False,
    quiet: Quiet = False,
) -> None:
    """Find how large sets of species have to be to hold the right one as often as wanted, for classify-species.

    Asks one model about labelled pictures, with all that vtk classify-species would know beside them. Prints one JSON
    object, for its --calibration: a threshold by RAPS, with coverage and size by leaving each picture out, and of each
    species. Refused where there are fewer pictures than 1 / (1 - coverage); from four times as many on half are to tune
    what ranks cost. The promise is of pictures like these on average, not of each species, and of this model, range
    table and options alone. Pictures should be none that the model was made with, and one of each observation.

    Example: vtk calibrate classify-species birds --model inat-birds --coverage 0.8
    """
    import sys

    from vtk.driver.progress import counted
    from vtk.driver.run import open_output
    from vtk.heads.labelled import read_labelled, taken
    from vtk.models.runtime import RuntimeOptions
    from vtk.options import Common
    from vtk.species.asking import Asked, read_models
    from vtk.species.calibrating import Run, calibrated, check_enough, remarks
    from vtk.species.knowing import Given
    from vtk.species.sidecar import day_of
    from vtk.species.whereabouts import Finder

    known = read_labelled(labels_of, split)
    others = taken(known, check, "--check", where or ()) if check is not None else []
    pictures = taken([each for each in known if part is not None or check is None or each.part != check], part,
                     where=where or ())
    check_enough(len(pictures), coverage)
    finder = Finder(lat, lon, country, day_of(date, "--date") if date is not None else None, metadata, not no_embedded)
    runtime = RuntimeOptions(device, precision, batch, threads, offline, trust_weights)
    with open_output(Common(output=output, overwrite=overwrite)) as write:
        run = Run(Asked(read_models(model), weights, labels, head, frozenset(filter(None, covers.split(","))),
                        tuple(views.split(",")), runtime),
                  Given(prior=prior, gamma=gamma, hard=hard, train=train_counts, tau=tau, taxonomy=taxonomy), finder,
                  min_group)
        with counted(len(pictures) + len(others), "picture", quiet) as heard:
            answers, checked = (run.answers(some, heard) if some else None for some in (pictures, others))
        found = calibrated(answers, coverage, seed, checked)
        write([found.to_json()])
    for line in remarks(found, answers, checked) if not quiet else ():
        print(f"vtk calibrate: {line}", file=sys.stderr)
