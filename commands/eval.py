"""``vtk eval``: results against ground truth."""

from typing import Annotated

import typer

app = typer.Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False, no_args_is_help=True,
                  help="Score results against ground truth.\n\nReads results as records or files. Prints a table, or "
                       "with --json one JSON object, in the field's names and in percent.")

# What the table shows; --json has all.
COLUMNS = ("HOTA", "DetA", "AssA", "LocA", "MOTA", "MOTP", "IDF1", "IDP", "IDR", "FP", "FN", "IDSW", "Frag", "MT", "PT",
           "ML")

Results = Annotated[list[str] | None, typer.Argument(
    metavar="PRED", show_default=False,
    help="Results: MOT files, files of track records, folders of either. Without any, or with -, records on stdin.")]
Gt = Annotated[list[str], typer.Option(
    "--gt", metavar="GT", help="Ground truth: a MOT file, a file of track records, a sequence folder (gt/gt.txt), a "
                               "folder of sequences or of SEQUENCE.txt. May be given several times.")]
Protocol = Annotated[str, typer.Option(
    metavar="auto|mot15|mot16|mot17|mot20|plain",
    help="mot15: rows with flag 0 do not count. mot16, mot17, mot20: pedestrians with a flag count, and what lies on a "
         "distractor is taken out. plain: every row counts. auto: by the columns of GT, 10 are mot15, 9 are mot16, "
         "others and records are plain.")]
Classes = Annotated[str | None, typer.Option(
    metavar="NAMES", show_default=False, help="Score only results of these labels, or class numbers: person,car.")]
By = Annotated[str | None, typer.Option(
    metavar="MAKER", show_default=False, help="Score the tracks of this maker, where records hold several.")]
Every = Annotated[int, typer.Option(min=1, metavar="N", help="Look at every N-th frame of both sides.")]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="No messages on stderr.")]


@app.callback()
def _tasks() -> None:
    """Keep ``track`` a sub-command, now that it is the only one."""


@app.command()
def track(gt: Gt, results: Results = None, protocol: Protocol = "auto", classes: Classes = None, by: By = None,
          every: Every = 1, as_json: Json = False, quiet: Quiet = False) -> None:
    """Score tracks: HOTA, MOTA, IDF1 and their parts, a sequence a row and all of them combined.

    Sequences are matched by name: SEQ/gt/gt.txt, SEQ.txt, SEQ.mp4 and SEQ/img1 are all SEQ. One of each side is matched
    whatever the names. A sequence without results counts as missed, results without ground truth are left out, and
    stderr names both. Frames that GT does not cover count: what is found there is false. MOTP is the mean overlap of
    matches. A dash stands where there is nothing that the figure could be a share of; JSON leaves the key out.

    Example: vtk track street.mp4 --classes person | vtk eval track --gt street.txt
    """
    import contextlib
    import sys

    from vtk.errors import EXIT_PARTIAL
    from vtk.evaluation.lanes import Lanes
    from vtk.evaluation.sequences import read_results, read_truth
    from vtk.evaluation.tracks import evaluate_tracks

    def note(message: str) -> None:
        if not quiet:
            print(f"vtk eval: {message}", file=sys.stderr)

    chosen = frozenset(name.strip() for name in classes.split(",")) if classes else None
    lanes = Lanes(chosen, by)
    with contextlib.redirect_stdout(sys.stderr):  # what libraries print is no figure
        truth = read_truth(gt)
        evaluation = evaluate_tracks(truth, read_results(results or [], lanes, chosen), note, protocol, every)
    for source, status in lanes.unfinished.items():
        note(f"{source} ended as {status}: it is scored as far as it goes")
    if chosen is None and len(lanes.labels) > 1:
        note(f"results are of {len(lanes.labels)} labels ({', '.join(sorted(lanes.labels)[:5])}): all are scored; "
             "--classes picks")
    for number, where, error in lanes.bad[:20]:
        note(f"{where}, line {number}: {error} [{error.code}]")
    for line in _lines(evaluation, as_json):
        typer.echo(line)
    if lanes.bad:
        raise typer.Exit(EXIT_PARTIAL)


def _lines(evaluation: "Evaluation", as_json: bool) -> list[str]:  # noqa: F821  # imported where it is used
    """Return what is printed of an evaluation."""
    import orjson

    from vtk.evaluation.table import table

    sequences = {name: scores.figures() for name, scores in evaluation.sequences.items()}
    combined = evaluation.combined.figures()
    if not as_json:
        return table(f"SEQUENCE ({evaluation.protocol})", {**sequences, "COMBINED": combined}, COLUMNS)
    rounded = {name: {key: round(value, 4) for key, value in figures.items()} for name, figures in sequences.items()}
    report = {"protocol": evaluation.protocol, "sequences": rounded,
              "combined": {key: round(value, 4) for key, value in combined.items()}}
    return [orjson.dumps(report).decode()]
