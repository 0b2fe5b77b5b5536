"""``vtk tune``: options searched on stored records."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from vtk.options import Common, record_command

app = typer.Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False, no_args_is_help=True,
                  help="Search options on stored records, against ground truth.")

Records = Annotated[list[str] | None, typer.Argument(
    metavar="DETECTIONS", show_default=False,
    help="Files of detection records, of several sources; without any, or with -, stdin.")]
Gt = Annotated[list[str], typer.Option(
    "--gt", metavar="GT", help="Ground truth, as vtk eval track takes it. May be given several times.")]
Tracker = Annotated[str, typer.Option(metavar="vtk|bytetrack|botsort|ocsort|sort", help="The tracker to tune.")]
Trials = Annotated[int, typer.Option(min=1, metavar="N", help="Options to try at random, the defaults among them.")]
Grid = Annotated[bool, typer.Option("--grid", help="Try all combinations of --set in place of random ones.")]
Seed = Annotated[int, typer.Option(metavar="N", help="Seed of the random choice.")]
Metric = Annotated[str, typer.Option(metavar="HOTA|MOTA|IDF1|AssA|DetA", help="What to maximise.")]
Protocol = Annotated[str, typer.Option(metavar="auto|mot15|mot16|mot17|mot20|plain",
                                       help="What of the ground truth counts, as in vtk eval track.")]
Classes = Annotated[str, typer.Option(metavar="NAMES", help="Track these labels alone: person,car.")]
By = Annotated[str | None, typer.Option(
    metavar="MAKER", show_default=False, help="Track the detections of this maker, where records hold several.")]
Set = Annotated[list[str] | None, typer.Option(
    "--set", metavar="OPTION=V,V", show_default=False,
    help="Values to try of an option of the tracker, in place of those that it would have; one value fixes it. May be "
         "given several times.")]
Margin = Annotated[float, typer.Option(
    min=0, metavar="POINTS",
    help="An option stays at its default where that costs the mean no more than this, all of them together.")]
Jobs = Annotated[int, typer.Option(min=1, metavar="N", help="Run N trials at a time, each in its own process.")]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object, with all trials.")]
Output = Annotated[Path | None, typer.Option("-o", "--output", metavar="FILE", show_default=False,
                                             help="Write FILE, which appears when it is complete.")]
Overwrite = Annotated[bool, typer.Option("--overwrite", help="Replace FILE where it exists.")]


@app.callback()
def _tasks() -> None:
    """Keep ``track`` a sub-command, now that it is the only one."""


@app.command()
@record_command
def track(common: Common, gt: Gt, inputs: Records = None, tracker: Tracker = "vtk", trials: Trials = 100,
          grid: Grid = False, seed: Seed = 0, metric: Metric = "HOTA", protocol: Protocol = "auto",
          classes: Classes = "", by: By = None, settings: Set = None, margin: Margin = 0.05, jobs: Jobs = 1,
          as_json: Json = False, output: Output = None, overwrite: Overwrite = False) -> None:
    """Search the options of a tracker on stored detections: no pixel is looked at.

    Tracks the detections with each choice of options as vtk track would, and scores the tracks as vtk eval track does.
    Prints the choice of the highest mean over sequences as a recipe for vtk track --options, with figures as comments:
    of the defaults, of the choice, and cross-validated, that is on each sequence with options chosen on the others
    alone. Only the last says what to expect of new sequences; it needs two sequences or more, and many more for an
    answer that holds. The same seed gives the same recipe. Sequences are matched by name as in vtk eval track; one that
    a side lacks is left out, and stderr names it. Buffers: holds all detections.

    Example: vtk tune track detections.jsonl --gt street.txt --trials 20
    """
    import sys

    from vtk.driver.run import open_output
    from vtk.errors import EXIT_PARTIAL
    from vtk.tuning.recipe import Search, best_trials
    from vtk.tuning.search import Scorer, tune
    from vtk.tuning.space import gridded, make_space, sampled
    from vtk.tuning.stored import Stored

    def note(message: str) -> None:
        if not common.quiet:
            print(f"vtk tune: {message}", file=sys.stderr)

    names = inputs or ["-"]
    space = make_space(tracker, settings or (), grid)
    configs = gridded(space) if grid else sampled(space, trials, seed)
    stored = Stored([name.strip() for name in classes.split(",") if name.strip()], by)
    sequences, chosen = _sequences(stored, names, gt, protocol, metric, classes, note)
    words = {"--tracker": tracker, "--trials": None if grid else trials, "--seed": None if grid else seed,
             "--metric": metric, "--protocol": protocol, "--classes": classes or None, "--by": by, "--margin": margin}
    search = Search(space, _command(names, gt, grid, settings or [], words), metric, chosen,
                    "grid" if grid else "random", seed)
    with (open_output(replace(common, output=output, overwrite=overwrite)) as write, _progress(common.quiet) as hear,
          Scorer(sequences, space, metric, min(jobs, len(configs) * len(sequences)), hear) as scorer):
        tuning = tune(scorer, configs, margin)
        write(_printed(search, tuning, as_json))
    for line in best_trials(search, tuning) if not common.quiet else ():
        print(line, file=sys.stderr)
    if stored.bad:
        raise typer.Exit(EXIT_PARTIAL)


def _sequences(stored: "Stored", names: list[str], gt: list[str], protocol: str, metric: str,  # noqa: F821
               classes: str, note: Callable[[str], None]) -> tuple[list["Labelled"], str]:  # noqa: F821
    """Return the sequences to tune on, and the protocol that they are scored by."""
    from vtk.errors import UsageError
    from vtk.evaluation.sequences import read_truth
    from vtk.evaluation.tracks import choose_protocol
    from vtk.tuning.sequences import labelled
    from vtk.tuning.trial import METRICS

    if metric not in METRICS:
        raise UsageError(f"--metric {metric}: one of {', '.join(METRICS)} is needed")
    truth = read_truth(gt)
    protocol = choose_protocol(truth, protocol)
    for name in names:
        stored.read(name)
    for source, status in stored.unfinished.items():
        note(f"{source} ended as {status}: it is tuned on as far as it goes")
    if len(stored.labels) > 1 and not classes:
        note(f"detections are of {len(stored.labels)} labels ({', '.join(sorted(stored.labels)[:5])}): all are tracked "
             "and scored; --classes picks")
    for number, where, error in stored.bad[:20]:
        note(f"{where}, line {number}: {error} [{error.code}]")
    return labelled(truth, stored.sources(), protocol, note), protocol


def _command(names: list[str], gt: list[str], grid: bool, settings: list[str], words: dict[str, object]) -> str:
    """Return the command line that gives the same recipe again."""
    import shlex

    line = ["vtk", "tune", "track", *names, *(part for one in gt for part in ("--gt", one))]
    line += ["--grid"] * grid + [part for one in settings for part in ("--set", one)]
    line += [str(part) for name, value in words.items() if value is not None for part in (name, value)]
    return shlex.join(line)


@contextmanager
def _progress(quiet: bool) -> Iterator[Callable[[int, int], None]]:
    """Give what shows on a terminal how far the search is."""
    import sys

    if quiet or not sys.stderr.isatty():
        yield lambda done, known: None
        return
    from tqdm import tqdm

    with tqdm(unit=" run", file=sys.stderr, dynamic_ncols=True, leave=False) as bar:
        def hear(done: int, known: int) -> None:
            bar.total = known
            bar.update(done - bar.n)

        yield hear


def _printed(search: "Search", tuning: "Tuning", as_json: bool) -> list[bytes]:  # noqa: F821
    """Return the lines of the recipe, or of the JSON object."""
    import orjson

    from vtk.tuning.recipe import recipe, report

    return [orjson.dumps(report(search, tuning))] if as_json else [line.encode() for line in recipe(search, tuning)]
