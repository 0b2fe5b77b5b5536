"""``vtk eval``: results against ground truth."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import typer

from vtk.evaluation.arguments import (
    AllFaces, By, ByColumn, Classes, Column, CopyGt, CopyResults, Crops, CropsFused, Dev, DevPart, DevRecords,
    DontCare, Each, EachLabel, EitherWay, Every, FaceGt, FacePart, FaceResults, FaceSeed, FaceSplit, Gt, IgnoreCase,
    InputSize, Json, K1, K2, LabelColumn, LabelGt, LabelResults, Lambda, MadeBy, MinLength, Model, Observations,
    Overlap, Pairs, Part, Pixels, Plot, Plots, Protocol, QueryCamera, Quiet, Rerank, Results, Sets, Split,
    TaxonomyFile, TextGt, TextResults, Threshold, Vocab, Weights,
)
from vtk.options import Batch, Device, Offline, Overwrite, Precision, Threads, TrustWeights

app = typer.Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False, no_args_is_help=True,
                  help="Score results against ground truth.\n\nReads results as records or files. Prints a table, or "
                       "with --json one JSON object, in the field's names and in percent.")

# What the table shows; --json has all.
COLUMNS = ("HOTA", "DetA", "AssA", "LocA", "MOTA", "MOTP", "IDF1", "IDP", "IDR", "FP", "FN", "IDSW", "Frag", "MT", "PT",
           "ML")
TRACK_COLUMNS = ("P", "R", "Hmean", "MOTA", "MOTP", "IDF1", "MM", "ML", "IDSW", "E2E_Hmean", "E2E_MOTA", "E2E_IDF1",
                 "E2E_MM", "E2E_ML", "CER", "WER")
RETRIEVAL_COLUMNS = ("rank1", "rank1_error", "rank5", "rank10", "mAP", "mINP", "queries", "unmatched")
COPY_COLUMNS = ("P", "R", "F", "FRR", "FAR", "uAP", "segAP", "AP50", "AP75", "AP")
PAIR_COLUMNS = ("P", "R", "F", "IoU", "found", "labelled")
TEXT_COLUMNS = ("P", "R", "Hmean", "FP", "FN", "E2E_P", "E2E_R", "E2E_Hmean", "CER", "WER")


@app.callback()
def _tasks() -> None:
    """Say that each task is a command of its own."""


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
    from vtk.evaluation.table import sequence_lines
    from vtk.evaluation.tracks import evaluate_tracks

    note = _noting(quiet)
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
    _say_bad(lanes.bad, note)
    for line in sequence_lines(evaluation, as_json, COLUMNS, evaluation.protocol):
        typer.echo(line)
    if lanes.bad:
        raise typer.Exit(EXIT_PARTIAL)


@app.command("spot-text")
def spot_text(gt: TextGt, results: TextResults = None, overlap: Overlap = "polygon", dont_care: DontCare = "auto",
              min_length: MinLength = 3, vocab: Vocab = None, ignore_case: IgnoreCase = False, by: By = None,
              every: Every = 1, as_json: Json = False, quiet: Quiet = False) -> None:
    """Score texts: found (P, R, Hmean), tracked (MOTA, MOTP, IDF1), read (E2E and the same, CER, WER).

    A match is an overlap of 0.5 or more, by frame, and end to end the same letters and digits too, whatever the case.
    Don't-care in GT are ###, quality LOW and MMOCR's ignore, end to end also words that are too short. A track's
    transcript is that of its text_track, else its most frequent. MM, PM and ML are the shares of tracks that are
    matched in over 80 %, between, and under 20 % of their frames. CER and WER are of matched tracks, or words of
    images, as written. A video or image without results counts as missed. Names are matched as by vtk eval track, SEQ
    for SEQ_GT.xml and res_SEQ.xml too.

    Example: vtk eval spot-text --gt street_GT.xml texts.jsonl
    """
    import contextlib
    import sys
    from dataclasses import replace

    from vtk.errors import EXIT_PARTIAL
    from vtk.evaluation.table import sequence_lines
    from vtk.evaluation.text_lanes import TextLanes
    from vtk.evaluation.text_sequences import read_results, read_truth
    from vtk.evaluation.texts import evaluate_texts, read_vocabulary, rules_for

    note = _noting(quiet)
    lanes = TextLanes(by)
    with contextlib.redirect_stdout(sys.stderr):  # what libraries print is no figure
        truth, found = read_truth(gt), read_results(results or [], lanes)
        rules, kind = rules_for(truth, found, note, overlap, dont_care)
        rules = replace(rules, shortest=min_length, vocabulary=read_vocabulary(vocab), case=not ignore_case)
        evaluation = evaluate_texts(truth, found, note, rules, kind, every)
    for source, status in lanes.unfinished.items():
        note(f"{source} ended as {status}: it is scored as far as it goes")
    _say_bad(lanes.bad, note)
    columns = TRACK_COLUMNS if rules.tracked else TEXT_COLUMNS
    for line in sequence_lines(evaluation, as_json, columns, evaluation.protocol_keys()):
        typer.echo(line)
    if lanes.bad:
        raise typer.Exit(EXIT_PARTIAL)


@app.command()
def reid(folder: Crops, split: Split = None, part: Part = "test", query_camera: QueryCamera = None,
         model: Model = "retail-0277", weights: Weights = None, input_size: InputSize = None,
         pixels: Pixels = None, rerank: Rerank = False,
         k1: K1 = 20, k2: K2 = 6, weight: Lambda = 0.3, crops_fused: CropsFused = False, device: Device = "auto",
         precision: Precision = "auto", batch: Batch = None, threads: Threads = None, offline: Offline = False,
         trust_weights: TrustWeights = False, as_json: Json = False, quiet: Quiet = False) -> None:
    """Score how well a model finds people again: rank-1, rank-5, rank-10, mAP, mINP by Market-1501's protocol.

    Reads labelled crops, queries and a gallery; a query's identity in its own camera is left out of its ranking, and
    so are boxes marked as junk. rank1_error is the standard error, in points. Buffers: holds all distances.

    Example: vtk eval reid people --model colour --rerank
    """
    import orjson

    from vtk.driver.progress import counted
    from vtk.evaluation.retrieval import (
        Reranking,
        Side,
        evaluate_retrieval,
        split_sides,
    )
    from vtk.evaluation.table import table
    from vtk.models.embedder import EmbedderOptions, load_embedder, read_size, space_of
    from vtk.models.runtime import RuntimeOptions
    from vtk.reid.labelled import embed, read_labelled

    note = _noting(quiet)
    reranking = Reranking(k1, k2, weight)
    queries, gallery = split_sides(read_labelled(folder, split), part, query_camera, note)
    runtime = RuntimeOptions(device, precision, batch, threads, offline, trust_weights)
    embedder = load_embedder(model, "reid", EmbedderOptions(weights, read_size(input_size) if input_size else None,
                                                            runtime, pixels))
    with counted(len(queries) + len(gallery), "crop", quiet) as heard:
        sides = [Side(crops, embed(crops, embedder, heard)) for crops in (queries, gallery)]
    if crops_fused:
        sides = [side.fused() for side in sides]
    found = evaluate_retrieval(*sides, note, reranking if rerank else None)
    if as_json:
        setup = {"space": space_of(embedder), "precision": embedder.precision, "crops_fused": crops_fused,
                 "gallery": len(sides[1].crops)}
        extra = {"reranked": {"k1": k1, "k2": k2, "lambda": weight}}
        typer.echo(orjson.dumps({**setup, **{name: {**extra.get(name, {}), **_rounded(each)}
                                             for name, each in found.items()}}))
        return
    for line in table(f"RANKING ({embedder.name}, {embedder.precision})", found, RETRIEVAL_COLUMNS):
        typer.echo(line)


@app.command("detect-copy")
def detect_copy(gt: CopyGt, results: CopyResults = None, pairs: Pairs = None, sets: Sets = None,
                either_way: EitherWay = False, by: By = None, each: Each = False, as_json: Json = False,
                quiet: Quiet = False) -> None:
    """Score copies: P, R, F of seconds as VCSL does, over pairs and query sets; FRR, FAR; average precisions by score.

    P, R and F do not tell a segment from the same twice, cut in two, or with its halves swapped. AP50, AP75 and AP (the
    mean from 0.50 to 0.95) are of segments one to one, by the lesser overlap (IoU) of query and reference time. uAP is
    of pairs of videos, segAP of covered seconds, as VSC22 has them. FRR is the share of copied pairs in which nothing
    was found, FAR that of others in which something was. Pairs count that GT names or that were found. Videos are
    matched by name, film for a/film.mp4, with suffix or folder where two would be called alike.

    Example: vtk eval detect-copy --gt copies_gt.json copies.jsonl
    """
    from vtk.errors import EXIT_PARTIAL
    from vtk.evaluation.copies import copy_report, evaluate_copies
    from vtk.evaluation.copy_lanes import CopyLanes, read_results, read_truth
    from vtk.evaluation.table import table
    from vtk.export.copy_files import read_pairs, read_sets

    note = _noting(quiet)
    lanes, listed = CopyLanes(by), read_pairs(pairs) if pairs else []
    truth, found = read_truth(gt, listed), read_results(results or [], lanes, listed)
    evaluation = evaluate_copies(truth, found, note, listed, read_sets(sets, listed) if sets else None, either_way)
    for source, status in lanes.unfinished.items():
        note(f"{source} ended as {status}: it is scored as far as it goes")
    _say_bad(lanes.bad, note)
    if as_json:
        typer.echo(copy_report(evaluation, each))
    else:
        rows = {"MICRO": evaluation.micro | evaluation.videos | evaluation.ranking, "MACRO": evaluation.macro}
        for line in table(f"COPIES ({len(evaluation.pairs)} pairs)", rows, COPY_COLUMNS):
            typer.echo(line)
        if each:
            some = {" - ".join(pair): figures for pair, figures in evaluation.pairs.items()}
            for line in table("PAIR", some, PAIR_COLUMNS):
                typer.echo(line)
    if lanes.bad:
        raise typer.Exit(EXIT_PARTIAL)


@app.command("face-antispoof")
def face_antispoof(gt: FaceGt, results: FaceResults = None, split: FaceSplit = None, part: FacePart = None,
                   threshold: Threshold = None, dev: Dev = None, dev_records: DevRecords = None,
                   dev_part: DevPart = None, by: Column = None, made_by: MadeBy = None, all_faces: AllFaces = False,
                   plots: Plots = None, overwrite: Overwrite = False, seed: FaceSeed = 0, as_json: Json = False,
                   quiet: Quiet = False) -> None:
    """Score live or spoof: APCER by type of attack and of the worst, BPCER, with 95 % intervals, as ISO/IEC 30107-3.

    A picture counts by its largest face, a video by its face track of most observations, without tracks by the mean
    over its frames' largest faces. APCER is the share of attacks called live, BPCER that of live faces called spoof;
    unsure is neither, and is given beside. APNRR and BPNRR are the shares without a face found. BPCER at an APCER of
    1, 5, 10 % is left out where a type has too few attacks. ACER (mean of the worst APCER and BPCER), HTER (the same of
    all attacks), EER and AUC (of scores, whatever the verdicts) are the literature's, not ISO's. Intervals are by
    bootstrap over subjects, else files; those of APCER and BPCER are exact of fewer than 30, and of none and all.

    Example: vtk eval face-antispoof --gt faces faces.jsonl
    """
    import orjson

    from vtk.errors import EXIT_PARTIAL
    from vtk.evaluation.liveness import evaluate_liveness
    from vtk.evaluation.liveness_plots import check_plots, write_plots
    from vtk.evaluation.liveness_sets import Wanted, read_sets
    from vtk.evaluation.liveness_table import lines, remarks, report

    note = _noting(quiet)
    if plots is not None and not overwrite:
        check_plots(plots)
    sets = read_sets(Wanted(gt, results or (), split, part, dev, dev_records, dev_part, threshold, made_by, all_faces),
                     note)
    evaluation = evaluate_liveness(sets.gathered, sets.rule, by, seed)
    for remark in (*remarks(sets.gathered), *evaluation.notes):
        note(remark)
    _say_bad(sets.bad, note)
    if plots is not None:
        write_plots(plots, sets.gathered.presentations, sets.rule)
    if as_json:
        typer.echo(orjson.dumps(report(evaluation, sets.gathered, sets.rule, sets.maker)))
    else:
        typer.echo("\n".join(lines(evaluation, sets.gathered, sets.rule, sets.maker)))
    if sets.bad:
        raise typer.Exit(EXIT_PARTIAL)


@app.command()
def scene(gt: LabelGt, results: LabelResults = None, label: LabelColumn = "label", by: ByColumn = None,
          made_by: MadeBy = None, each: EachLabel = False, plot: Plot = None, overwrite: Overwrite = False,
          seed: FaceSeed = 0, as_json: Json = False, quiet: Quiet = False) -> None:
    """Score scenes: top-1, top-5, macro-F1, mAP, F1 of kinds of places, and calibration (ECE, Brier).

    A span's answer is the scene that shares most of it, a film's without one the mean of its scenes by their length.
    Places may be written with spaces. macro_f1 is the mean over labels of GT; of several right ones that which was
    answered counts. Labels that are not in topk count as 0 in mAP and Brier, and NLL is left out for them. A level's f1
    is that of what places belong to. Intervals (95 %) are by bootstrap over files. Buffers: holds a score for each row and
    label.

    Example: vtk eval scene --gt places.csv scenes.jsonl --plot reliability.png
    """
    _labels("scene", gt, results, label, by, made_by, each, plot, overwrite, seed, as_json, quiet)


@app.command()
def species(gt: LabelGt, results: LabelResults = None, label: LabelColumn = "label", by: ByColumn = None,
            made_by: MadeBy = None, taxonomy: TaxonomyFile = None, observations: Observations = False,
            each: EachLabel = False, plot: Plot = None, overwrite: Overwrite = False, seed: FaceSeed = 0,
            as_json: Json = False, quiet: Quiet = False) -> None:
    """Score species: top-1, top-5, macro-F1, mAP, F1 by rank, how many are answered, and calibration (ECE, Brier).

    An answer without a label (not covered, or unsure) is none: top1 is over all, "of answered" over those that have a
    species; a genus counts at genus and above. "right of answered" and ECE take each answer at its own rank. "of topk"
    is of the model's species, whether or not it was sure. A genus is the first word where nothing else says it. A
    picture's answer is that about all of it, else its surest box; a film's that about it, else its longest track. Where
    candidates are given, "right within set" is how often they hold the right one, which their coverage promises. Buffers:
    holds a score for each row and label, of 5,000 by 5,000 a gigabyte.

    Example: vtk eval species --gt animals.csv species.jsonl --by group
    """
    from vtk.species.taxonomy import read_taxonomy

    _labels("species", gt, results, label, by, made_by, each, plot, overwrite, seed, as_json, quiet,
            taxonomy=read_taxonomy(taxonomy) if taxonomy is not None else None, observations=observations)


def _labels(task: str, gt: Path, results: Sequence[str] | None, label: str, by: str | None, made_by: str | None,
            each: bool, plot: Path | None, overwrite: bool, seed: int, as_json: bool, quiet: bool, *,
            taxonomy: Any = None, observations: bool = False) -> None:
    """Score labels of a task."""
    import orjson

    from vtk.errors import EXIT_PARTIAL
    from vtk.evaluation.label_lanes import LabelLanes
    from vtk.evaluation.label_table import check_plot, lines, remarks, report, write_plot
    from vtk.evaluation.label_truth import read_truth
    from vtk.evaluation.labels import evaluate_labels

    note = _noting(quiet)
    if plot is not None:
        check_plot(plot, overwrite)
    truth, lanes = read_truth(gt, task, label, taxonomy), LabelLanes(task, made_by, observations, taxonomy)
    for name in results or [None]:
        lanes.read(name)
    gathered = lanes.gather(truth)
    evaluation = evaluate_labels(gathered.pairs, task, by, seed)
    for remark in remarks(evaluation, gathered):
        note(remark)
    _say_bad(lanes.bad, note)
    if plot is not None:
        write_plot(plot, evaluation.curve)
    typer.echo(orjson.dumps(report(evaluation, gathered)) if as_json else "\n".join(lines(evaluation, gathered, each)))
    if lanes.bad:
        raise typer.Exit(EXIT_PARTIAL)


def _noting(quiet: bool) -> Callable[[str], None]:
    """Return what says a line on stderr; nothing where ``quiet``."""
    import sys

    def note(message: str) -> None:
        if not quiet:
            print(f"vtk eval: {message}", file=sys.stderr)

    return note


def _say_bad(bad: Sequence[tuple[int, str, Any]], note: Callable[[str], None]) -> None:
    """Name lines that are no records: number, file and error of each."""
    for number, where, error in bad[:20]:
        note(f"{where}, line {number}: {error} [{error.code}]")


def _rounded(figures: Mapping[str, float | int]) -> dict[str, float | int]:
    """Return figures with four decimals."""
    return {key: round(value, 4) for key, value in figures.items()}
