"""Arguments and options of ``vtk eval``, declared once."""

from pathlib import Path
from typing import Annotated

import typer

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

LabelResults = Annotated[list[str] | None, typer.Argument(
    metavar="PRED", show_default=False,
    help="Results: files of records. Without any, or with -, records on stdin.")]
LabelGt = Annotated[Path, typer.Option(
    "--gt", metavar="LABELS", help="A csv table with the columns file and label (several right ones with | between), "
                                   "maybe start and end of a span in seconds, for species genus, family, order, class, "
                                   "and any others; or a folder with labels.csv.")]
LabelColumn = Annotated[str, typer.Option("--label", metavar="COLUMN", help="Column of the table that has the labels.")]
ByColumn = Annotated[str | None, typer.Option("--by", metavar="COLUMN", show_default=False,
                                              help="Show figures by value of this column of the table, too.")]
TaxonomyFile = Annotated[Path | None, typer.Option(
    "--taxonomy", metavar="FILE", show_default=False,
    help="What species belong to and are called besides: a csv table as GBIF's backbone has it, or occurrences.")]
Observations = Annotated[bool, typer.Option(
    "--observations", help="The answer about an observation stands for each of its pictures.")]
EachLabel = Annotated[bool, typer.Option("--each", help="Show precision, recall and F1 of each label, too.")]
Plot = Annotated[Path | None, typer.Option(metavar="FILE.png", show_default=False,
                                           help="Draw how often answers are right, by their score.")]
