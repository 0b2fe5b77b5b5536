"""``vtk eval``: results against ground truth."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import typer

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
    metavar="MAKER", show_default=False, help="Score what this maker found, where records hold several.")]
Every = Annotated[int, typer.Option(min=1, metavar="N", help="Look at every N-th frame of both sides.")]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="No messages on stderr.")]

TextResults = Annotated[list[str] | None, typer.Argument(
    metavar="PRED", show_default=False,
    help="Results: files of text records, ICDAR video XML, lists of images, folders of these. Without any, or with -, "
         "records on stdin.")]
TextGt = Annotated[list[str], typer.Option(
    "--gt", metavar="GT", help="Ground truth: ICDAR video XML or JSON (also .gz), ICDAR lists of images (gt_NAME.txt), "
                               "MMOCR's JSON, text records, a folder of these. May be given several times.")]
Overlap = Annotated[str, typer.Option(metavar="polygon|box", help="Overlap of the polygons, or of the boxes around "
                                                                  "them.")]
DontCare = Annotated[str, typer.Option(
    metavar="auto|overlap|area",
    help="What takes a result on a don't-care region out: an overlap (IoU) above 0.5 with it, or more than half of its "
         "area in it. auto: overlap for video, area for images.")]
MinLength = Annotated[int, typer.Option(min=0, metavar="N", help="Letters and digits that a word of GT needs to count "
                                                                 "end to end.")]
Vocab = Annotated[Path | None, typer.Option(metavar="FILE", show_default=False,
                                            help="Take each transcript for the nearest word of FILE, one a line.")]
Crops = Annotated[Path, typer.Argument(
    metavar="DIR", show_default=False,
    help="Labelled crops: Market-1501's folders, labels.csv with file, label, camera, split, names such as "
         "0002_c1s1_000451_03.jpg, or a folder for each identity.")]
Split = Annotated[str | None, typer.Option(
    metavar="FILE|COLUMN", show_default=False,
    help="JSON with names of files by part, {query: [...], gallery: [...]}, or a column of labels.csv.")]
Part = Annotated[str, typer.Option(metavar="NAME", help="Take this part, where none are called query and gallery.")]
QueryCamera = Annotated[str | None, typer.Option(
    metavar="NAME", show_default=False, help="There, crops of this camera are queries. Default: the first by name.")]
Model = Annotated[str, typer.Option(metavar="NAME", help="What makes vectors of crops, as vtk reid --model.")]
Weights = Annotated[Path | None, typer.Option(metavar="FILE", show_default=False,
                                              help="Load this file instead, as vtk reid --weights.")]
InputSize = Annotated[str | None, typer.Option("--input", metavar="HxW", show_default=False,
                                               help="Pixels that --weights takes, such as 256x128.")]
Pixels = Annotated[str | None, typer.Option(
    metavar="imagenet|half|unit|bgr255", show_default=False,
    help="Values that --weights takes, as vtk reid --pixels.")]
Rerank = Annotated[bool, typer.Option("--rerank", help="Score k-reciprocal re-ranking too.")]
K1 = Annotated[int, typer.Option("--k1", metavar="N", help="Neighbours of re-ranking.")]
K2 = Annotated[int, typer.Option("--k2", metavar="N", help="Neighbours whose codes it averages.")]
Lambda = Annotated[float, typer.Option("--lambda", metavar="X", help="Share of the plain distance in it.")]
CropsFused = Annotated[bool, typer.Option("--crops-fused", help="Take the mean of an identity's crops by a camera.")]

CopyResults = Annotated[list[str] | None, typer.Argument(
    metavar="PRED", show_default=False,
    help="Results: files of copy records, VCSL's JSON, VSC's csv, folders of these. Without any, or with -, records on "
         "stdin.")]
CopyGt = Annotated[list[str], typer.Option(
    "--gt", metavar="GT", help="Ground truth: VCSL's JSON, VSC's csv, a JSON list of pairs with their segments, copy "
                               "records, a folder of these. May be given several times.")]
Pairs = Annotated[Path | None, typer.Option(
    metavar="FILE", show_default=False,
    help="The pairs that count, those without a copy too: a csv with the columns query_id and reference_id.")]
Sets = Annotated[Path | None, typer.Option(
    metavar="FILE", show_default=False,
    help="Query sets for MACRO, JSON {set: [query-reference, ...]}. Without it each query is one.")]
EitherWay = Annotated[bool, typer.Option("--either-way", help="A pair counts whichever of its videos is the query.")]
Each = Annotated[bool, typer.Option("--each", help="Show each pair too.")]

FaceResults = Annotated[list[str] | None, typer.Argument(
    metavar="PRED", show_default=False,
    help="Results: files of face and face_track records. Without any, or with -, records on stdin.")]
FaceGt = Annotated[Path, typer.Option(
    "--gt", metavar="LABELS", help="A folder with live/ (real, genuine, bonafide) and spoof/ (fake, attack) at any "
                                   "depth, spoof/TYPE/ by type of attack, or with labels.csv: file, label, and maybe "
                                   "attack, subject, split, others; or such a csv file.")]
FaceSplit = Annotated[str | None, typer.Option(metavar="COLUMN", show_default=False,
                                               help="Column of labels.csv that names parts. Default: split.")]
FacePart = Annotated[str | None, typer.Option(metavar="NAME", show_default=False, help="Score this part alone.")]
Threshold = Annotated[str | None, typer.Option(
    metavar="X|eer|apcer=P|bpcer=P", show_default=False,
    help="Live from this score on, spoof below, whatever the verdicts say: a score, or that of equal errors, or of P % "
         "at most of an error. Default: the verdicts; with a dev set eer.")]
Dev = Annotated[Path | None, typer.Option(metavar="LABELS", show_default=False,
                                          help="Choose the threshold on these files, as --gt.")]
DevRecords = Annotated[str | None, typer.Option(metavar="FILE", show_default=False,
                                                help="Records of the dev set. Default: PRED has them.")]
DevPart = Annotated[str | None, typer.Option(metavar="NAME", show_default=False,
                                             help="Choose it on this part of --dev, or of --gt.")]
Column = Annotated[str | None, typer.Option("--by", metavar="COLUMN", show_default=False,
                                            help="Show the figures by value of this column of labels.csv, too.")]
MadeBy = Annotated[str | None, typer.Option(metavar="MAKER", show_default=False,
                                            help="Score what this maker found, where records hold several.")]
AllFaces = Annotated[bool, typer.Option(
    "--all-faces", help="Count each face of a picture and each track of a video, without tracks each face of it.")]
Plots = Annotated[Path | None, typer.Option(metavar="DIR", show_default=False,
                                            help="Draw det.png, errors against each other, and scores.png there.")]
FaceSeed = Annotated[int, typer.Option("--seed", metavar="N", help="Seed of the resamples behind intervals.")]

IgnoreCase = Annotated[bool, typer.Option("--ignore-case", help="CER and WER do not tell A from a.")]


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

    def note(message: str) -> None:
        if not quiet:
            print(f"vtk eval: {message}", file=sys.stderr)

    lanes = TextLanes(by)
    with contextlib.redirect_stdout(sys.stderr):  # what libraries print is no figure
        truth, found = read_truth(gt), read_results(results or [], lanes)
        rules, kind = rules_for(truth, found, note, overlap, dont_care)
        rules = replace(rules, shortest=min_length, vocabulary=read_vocabulary(vocab), case=not ignore_case)
        evaluation = evaluate_texts(truth, found, note, rules, kind, every)
    for source, status in lanes.unfinished.items():
        note(f"{source} ended as {status}: it is scored as far as it goes")
    for number, where, error in lanes.bad[:20]:
        note(f"{where}, line {number}: {error} [{error.code}]")
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
    import sys

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

    def note(message: str) -> None:
        if not quiet:
            print(f"vtk eval: {message}", file=sys.stderr)

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
    import sys

    from vtk.errors import EXIT_PARTIAL
    from vtk.evaluation.copies import copy_report, evaluate_copies
    from vtk.evaluation.copy_lanes import CopyLanes, read_results, read_truth
    from vtk.evaluation.table import table
    from vtk.export.copy_files import read_pairs, read_sets

    def note(message: str) -> None:
        if not quiet:
            print(f"vtk eval: {message}", file=sys.stderr)

    lanes, listed = CopyLanes(by), read_pairs(pairs) if pairs else []
    truth, found = read_truth(gt, listed), read_results(results or [], lanes, listed)
    evaluation = evaluate_copies(truth, found, note, listed, read_sets(sets, listed) if sets else None, either_way)
    for source, status in lanes.unfinished.items():
        note(f"{source} ended as {status}: it is scored as far as it goes")
    for number, where, error in lanes.bad[:20]:
        note(f"{where}, line {number}: {error} [{error.code}]")
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
    import sys

    import orjson

    from vtk.errors import EXIT_PARTIAL
    from vtk.evaluation.liveness import evaluate_liveness
    from vtk.evaluation.liveness_plots import check_plots, write_plots
    from vtk.evaluation.liveness_sets import Wanted, read_sets
    from vtk.evaluation.liveness_table import lines, remarks, report

    def note(message: str) -> None:
        if not quiet:
            print(f"vtk eval: {message}", file=sys.stderr)

    if plots is not None and not overwrite:
        check_plots(plots)
    sets = read_sets(Wanted(gt, results or (), split, part, dev, dev_records, dev_part, threshold, made_by, all_faces),
                     note)
    evaluation = evaluate_liveness(sets.gathered, sets.rule, by, seed)
    for remark in (*remarks(sets.gathered), *evaluation.notes):
        note(remark)
    for number, where, error in sets.bad[:20]:
        note(f"{where}, line {number}: {error} [{error.code}]")
    if plots is not None:
        write_plots(plots, sets.gathered.presentations, sets.rule)
    if as_json:
        typer.echo(orjson.dumps(report(evaluation, sets.gathered, sets.rule, sets.maker)))
    else:
        typer.echo("\n".join(lines(evaluation, sets.gathered, sets.rule, sets.maker)))
    if sets.bad:
        raise typer.Exit(EXIT_PARTIAL)


def _rounded(figures: Mapping[str, float | int]) -> dict[str, float | int]:
    """Return figures with four decimals."""
    return {key: round(value, 4) for key, value in figures.items()}
