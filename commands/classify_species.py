"""``vtk classify-species``."""

from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from vtk.options import Common, filter_command

Model = Annotated[str, typer.Option(
    metavar="NAME,…", help="auto: a large one that vtk models pull fetched, else inat-birds,inat-insects. Models "
                           "of the same groups are averaged, those of different ones stand side by side.")]
Weights = Annotated[Path | None, typer.Option(metavar="FILE", show_default=False,
                                              help="Load this file, of the network of --model.")]
Labels = Annotated[Path | None, typer.Option(metavar="FILE", show_default=False,
                                             help="Names of the classes of --weights, one a line.")]
HeadFile = Annotated[Path | None, typer.Option("--head", metavar="FILE", show_default=False,
                                               help="Ask a classifier of vtk scene fit-head in place of a model.")]
Covers = Annotated[str, typer.Option(metavar="GROUP,…", show_default=False,
                                     help="Groups that the model knows species of: bird,insect,snake,… Default: as the "
                                          "model's own entry says, all for others.")]
MinGroup = Annotated[float, typer.Option("--min-group", metavar="P",
                                         help="Answer where a group that is covered is this probable; else say not covered.")]
Views = Annotated[str, typer.Option(metavar="NAME,…", help="Average looks at these: whole,centre,flips,quadrants,scales.")]
Topk = Annotated[int, typer.Option(metavar="N", help="Species to name.")]
Classes = Annotated[str, typer.Option(metavar="LABEL,…", show_default=False,
                                      help="Labels of boxes to look at. Default: bird, animal and the other animals of COCO.")]
Interval = Annotated[float, typer.Option(metavar="SECONDS", help="Look at a track this often.")]
Frames = Annotated[bool, typer.Option("--frames", help="Write each look at a film or a track, too.")]
Latitude = Annotated[float | None, typer.Option("--lat", metavar="DEGREES", show_default=False,
                                                help="Latitude of all inputs; goes before --metadata and what files say.")]
Longitude = Annotated[float | None, typer.Option("--lon", metavar="DEGREES", show_default=False, help="Longitude.")]
Country = Annotated[str | None, typer.Option(metavar="XX", show_default=False, help="Two letters of ISO 3166-1.")]
Day = Annotated[str | None, typer.Option("--date", metavar="YYYY-MM-DD", show_default=False,
                                         help="Day on which they were filmed.")]
Metadata = Annotated[Path | None, typer.Option(metavar="FILE", show_default=False,
                                               help="A csv table with the columns file and lat, lon, country, date, any of them.")]
NoEmbedded = Annotated[bool, typer.Option("--no-embedded", help="Do not ask files where and when they were made.")]
Group = Annotated[str, typer.Option(metavar="folder|time|COLUMN", show_default=False,
                                    help="Several pictures, or the boxes in them, are one observation: those of a "
                                         "folder, those taken within a minute, or those with the same entry in this "
                                         "column of --metadata.")]
Prior = Annotated[Path | None, typer.Option(metavar="FILE", show_default=False,
                                            help="What lives where: a range table of vtk species prior build.")]
Gamma = Annotated[float, typer.Option(metavar="X", help="How much --prior says; 0 is nothing, 1 Bayes' rule.")]
Filter = Annotated[bool, typer.Option("--filter", help="Leave out what was never seen around the place, where there was "
                                                       "looked enough.")]
Train = Annotated[Path | None, typer.Option("--train-counts", metavar="FILE", show_default=False,
                                            help="A csv table with the columns label and count, of the model's training.")]
Tau = Annotated[float, typer.Option(metavar="X", help="How much of the shares in --train-counts is taken out.")]
TaxonomyFile = Annotated[Path | None, typer.Option("--taxonomy", metavar="FILE", show_default=False,
                                                   help="What species belong to: a csv table as GBIF's backbone has it. "
                                                        "Default: as --prior says, else the genus.")]
Sure = Annotated[float, typer.Option(metavar="P", help="Answer the deepest rank that is this probable.")]
Calibration = Annotated[Path | None, typer.Option(metavar="FILE", show_default=False,
                                                  help="Name the candidates, too: sets of vtk calibrate classify-species.")]
Coverage = Annotated[float | None, typer.Option(metavar="P", show_default=False,
                                                help="The coverage that --calibration has to be for.")]
Cost = Annotated[Path | None, typer.Option(metavar="FILE", show_default=False,
                                           help="Take the answer of least expected cost: a csv table of truth, answer "
                                                "and cost.")]


@filter_command
def run(
    common: Common, model: Model = "auto", weights: Weights = None, labels: Labels = None, head: HeadFile = None,
    covers: Covers = "", min_group: MinGroup = 0.5, views: Views = "whole", topk: Topk = 5, classes: Classes = "",
    interval: Interval = 0.5, frames: Frames = False, lat: Latitude = None, lon: Longitude = None,
    country: Country = None, date: Day = None, metadata: Metadata = None, no_embedded: NoEmbedded = False,
    group: Group = "", prior: Prior = None, gamma: Gamma = 1.0, hard: Filter = False, train_counts: Train = None,
    tau: Tau = 1.0, taxonomy: TaxonomyFile = None, sure: Sure = 0.5, calibration: Calibration = None,
    coverage: Coverage = None, cost: Cost = None,
) -> None:
    """Say which species pictures and films show, given where and when they were made.

    Reads media; or detection and track records: then each box of an animal is answered, and each track once, by the
    mean of its looks. Adds species: of a picture, of a film as a whole, of a box or a track. A general network tells
    birds, insects, mammals, snakes and the like apart; what no model knows species of is not covered, and gets no
    label. A label is of the rank that is sure enough, topk has species. Where it was filmed is asked of the options,
    of --metadata, and of the files themselves; adjusted_by says what of it changed the answer. Streams: holds a few
    frames and the sums of tracks; with --group those of observations, which come at the run's end.

    No answer makes a mushroom fit to eat or a snake harmless: do not use it to decide that.

    Example: vtk classify-species photos/ | jq -c '[.source, .label, .rank, .score, .note]'
    """
    from vtk.driver import drive
    from vtk.species.asking import AUTO, SMALL, Asked, read_models
    from vtk.species.knowing import Given
    from vtk.species.routing import ANIMALS
    from vtk.species.sidecar import day_of
    from vtk.species.stage import SpeciesStage, Telling
    from vtk.species.whereabouts import Finder

    models = SMALL if head is not None and model == AUTO else read_models(model)
    asked = Asked(models, weights, labels, head, _names(covers), tuple(views.split(",")), common.runtime)
    given = Given(prior=prior, gamma=gamma, hard=hard, train=train_counts, tau=tau, taxonomy=taxonomy, sure=sure,
                  costs=cost, sets=calibration, coverage=coverage)
    finder = Finder(lat, lon, country, day_of(date, "--date") if date is not None else None, metadata, not no_embedded, group)
    telling = Telling(min_group, topk, _names(classes) if classes else ANIMALS, interval, frames)
    drive(partial(SpeciesStage, asked=asked, given=given, telling=telling, finder=finder, sampling=common.sampling),
          common)


def _names(text: str) -> frozenset[str]:
    return frozenset(name.strip() for name in text.split(",") if name.strip())
