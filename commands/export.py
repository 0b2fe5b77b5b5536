"""``vtk export``: records as files of other tools."""

from collections.abc import Callable
from pathlib import Path

import typer

from vtk.export.arguments import (
    BoxType, By, Capture, Contributors, CopyOutput, DataSet, Design, Field, Folder, Fps, Like, Media, NonDrop,
    OutDir, Output, Overwrite, Packed, Prefix, Public, Records, Results, Root, SetFolder, Size, Tables, Title, Type,
    TypeFolder, Types, Version, Zone)
from vtk.export.running import export_stage, note_to, refuse_in_a_pipe
from vtk.options import Common, record_command, table_command

app = typer.Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False, no_args_is_help=True,
                  help="Turn records into files of other tools.")


@app.callback()
def formats() -> None:
    """Say that each format is a command of its own."""


@app.command()
@table_command
def mot(common: Common, context: typer.Context, inputs: Records = None, output: Output = None, out_dir: OutDir = None,
        overwrite: Overwrite = False, kind: Type = "", maker: By = "") -> None:
    """Turn track or detection records into MOT files.

    Reads track and detection records. Writes rows of frame, id, x, y, w, h, score, -1, -1, -1: frames from 1, pixels
    to two decimals, raw_score where a record has one, id -1 for a detection; where a source has a track 0, its ids
    are one higher. A file appears when it is complete. Buffers: holds the rows of one source.

    Example: vtk track videos/ | vtk export mot --out-dir results
    """
    from functools import partial

    from vtk.export.mot_export import MotStage

    export_stage(partial(MotStage, output=output, out_dir=out_dir, overwrite=overwrite, kind=kind, maker=maker,
                         tee=common.tee), inputs, common, context)


@app.command()
@table_command
def srt(common: Common, context: typer.Context, inputs: Records = None, output: Output = None, out_dir: OutDir = None,
        overwrite: Overwrite = False, maker: By = "") -> None:
    """Turn text tracks into SubRip subtitles.

    Reads text_track records. Writes a cue whenever a text comes or goes, with a line for each text on screen, top to
    bottom, then left to right; a text lost for half a second or less, and seen for less before or after, goes on. A
    file appears when it is complete. Buffers: holds the text tracks of one source.

    Example: vtk export srt texts.jsonl -o -
    """
    _subtitles("srt", output, out_dir, overwrite, maker, inputs, common, context)


@app.command()
@table_command
def vtt(common: Common, context: typer.Context, inputs: Records = None, output: Output = None, out_dir: OutDir = None,
        overwrite: Overwrite = False, maker: By = "") -> None:
    """Turn text tracks into WebVTT subtitles.

    Reads text_track records. Writes a cue whenever a text comes or goes, with a line for each text on screen, top to
    bottom, then left to right; a text lost for half a second or less, and seen for less before or after, goes on. A
    file appears when it is complete. Buffers: holds the text tracks of one source.

    Example: vtk export vtt texts.jsonl --out-dir subtitles
    """
    _subtitles("vtt", output, out_dir, overwrite, maker, inputs, common, context)


@app.command()
@table_command
def icdar(common: Common, context: typer.Context, inputs: Records = None, output: Output = None, out_dir: OutDir = None,
          overwrite: Overwrite = False, maker: By = "") -> None:
    """Turn texts into ICDAR submissions.

    Reads text and text_track records. Writes an XML of frames, from 1, in whole pixels with four corners an object, and
    beside it, in .txt, the list of "id","text". Where a source has a track 0, its ids are one higher. Buffers: holds
    the texts of one source.

    Example: vtk export icdar texts.jsonl --out-dir submission
    """
    from functools import partial

    from vtk.export.text_export import IcdarStage

    export_stage(partial(IcdarStage, output=output, out_dir=out_dir, overwrite=overwrite, maker=maker, tee=common.tee),
                 inputs, common, context)


@app.command()
@table_command
def edl(common: Common, context: typer.Context, inputs: Records = None, output: Output = None, out_dir: OutDir = None,
        overwrite: Overwrite = False, maker: By = "", fps: Fps = None, non_drop: NonDrop = False,
        packed: Packed = False) -> None:
    """Turn scenes or shots into edit decision lists, CMX 3600.

    Reads scene records, else shot records, and media for the frame rate. Writes an event of each, all of them cuts,
    with its label as a comment, and FROM CLIP NAME. Timecodes begin at 0; those of 29.97 and 59.94 drop numbers (first
    two of each minute, at 59.94 four, but of every tenth), others never. Buffers: holds the spans of one source.

    Example: vtk export edl scenes.jsonl -o -
    """
    _timelines("edl", output, out_dir, overwrite, maker, inputs, common, context,
               fps=fps, non_drop=non_drop, packed=packed)


@app.command()
@table_command
def otio(common: Common, context: typer.Context, inputs: Records = None, output: Output = None, out_dir: OutDir = None,
         overwrite: Overwrite = False, maker: By = "", fps: Fps = None, packed: Packed = False) -> None:
    """Turn scenes or shots into OpenTimelineIO timelines.

    Reads scene records, else shot records, and media for the frame rate. Writes one video track with a clip of each,
    called by its label, which is a marker too, and gaps between. A film that is there is named by its whole path as a
    file: URL, any other as in the records. Buffers: holds the spans of one source.

    Example: vtk export otio scenes.jsonl --out-dir timelines
    """
    _timelines("otio", output, out_dir, overwrite, maker, inputs, common, context, fps=fps, packed=packed)


@app.command()
@record_command
def vcsl(common: Common, context: typer.Context, inputs: Records = None, output: CopyOutput = None,
         maker: By = "") -> None:
    """Turn copies into VCSL's JSON of segments.

    Reads copy records. Writes {"query-reference": [[q0, r0, q1, r1], ...], ...} in seconds, one file of all sources;
    it has no scores. Videos are called film for a/film.mp4, with suffix or folder where two would be called alike; a
    hyphen in a name is %2D. Buffers: holds all copies.

    Example: vtk export vcsl copies.jsonl
    """
    _copies("vcsl", inputs, output, maker, common, context)


@app.command()
@record_command
def vsc(common: Common, context: typer.Context, inputs: Records = None, output: CopyOutput = None,
        maker: By = "") -> None:
    """Turn copies into VSC22's csv of matches.

    Reads copy records. Writes query_id, ref_id, query_start, query_end, ref_start, ref_end, score, one file of all
    sources, times in seconds. Videos are called film for a/film.mp4, with suffix or folder where two would be called
    alike. Buffers: holds all copies.

    Example: vtk export vsc copies.jsonl
    """
    _copies("vsc", inputs, output, maker, common, context)


@app.command()
@record_command
def camtrapdp(common: Common, context: typer.Context, output: Folder, inputs: Records = None,
              contributors: Contributors = None, title: Title = "", design: Design = "opportunistic",
              capture: Capture = "activityDetection", public: Public = False, zone: Zone = "Z", root: Root = None,
              maker: By = "") -> None:
    """Turn species into a Camtrap DP 1.0.1 package, the exchange format of camera traps.

    Reads species records with latitude, longitude and date, observation records, and media for sizes. Writes
    deployments.csv (a place is one), media.csv, observations.csv and datapackage.json. The time of day is the file's
    own, where it is there and of that date; else it is 00:00, and timestampIssues is true. Times without a zone are of
    --timezone. A source without place or date is named and left out. Files stand below the folder that all share: put
    the package there, or copy them beside it. Buffers: holds all species.

    Example: vtk export camtrapdp species.jsonl --contributor "A. Nyman" --timezone +02:00 -o meadow
    """
    from vtk.errors import EXIT_PARTIAL
    from vtk.export.camtrapdp import Package
    from vtk.export.camtrapdp_export import check_folder, export_camtrapdp, read_zone, write_package

    refuse_in_a_pipe("camtrapdp", context, "-o DIR")

    check_folder(output, common.overwrite)
    package = Package(title or output.resolve().name, contributors or [], design, capture, public)
    written, whole = export_camtrapdp(inputs or [], package, maker, read_zone(zone), str(root) if root else None,
                                      note_to(common))
    write_package(output, written, common.overwrite)
    if not whole:
        raise typer.Exit(EXIT_PARTIAL)


@app.command()
@table_command
def parquet(common: Common, context: typer.Context, output: Tables, inputs: Records = None, kinds: Types = "",
            overwrite: Overwrite = False) -> None:
    """Turn records into Parquet tables, one for each type of record.

    Reads all records. Writes DIR/TYPE.parquet with a column for each key of the type, whatever came: boxes are x1, y1,
    x2, y2, vectors lists of fixed size in embedding-SPACE.parquet, absent is null; row is the record's place in the
    stream, extra the JSON of keys that the type has no column for. Types that nobody knows are in other.parquet.
    Tables appear when all are complete. Streams: holds a row group of each type, 32 MB at most.

    Example: vtk track videos/ | vtk export parquet -o tracks
    """
    from vtk.export.parquet_tables import Tables
    from vtk.export.running import export_whole, read_types

    refuse_in_a_pipe("parquet", context, "-o DIR")
    export_whole(Tables(output, read_types(kinds), overwrite), inputs, common)


@app.command("csv")
@table_command
def csv_(common: Common, context: typer.Context, inputs: Records = None, output: Output = None,
         out_dir: TypeFolder = None, kinds: Types = "", overwrite: Overwrite = False) -> None:
    """Turn records into CSV, one file for each type of record.

    Reads all records. Writes a header and a row a record: the columns of the type's table in Parquet, lists and objects
    as JSON, absent as nothing. A file appears when it is complete. Streams: holds 1,024 records of each type.

    Example: vtk track street.mp4 | vtk export csv --type track -o street.csv
    """
    from vtk.export.csv_tables import CsvTables
    from vtk.export.running import export_whole, read_types

    refuse_in_a_pipe("csv", context, "--type TYPE -o FILE")
    export_whole(CsvTables(output, out_dir, read_types(kinds), overwrite, common.tee), inputs, common)


@app.command()
@table_command
def coco(common: Common, context: typer.Context, output: DataSet, inputs: Records = None, overwrite: Overwrite = False,
         kind: BoxType = "", maker: By = "", size: Size = "", root: Media = None, results: Results = False,
         like: Like = None) -> None:
    """Turn boxes into a COCO data set.

    Reads track, detection, face and text records, and media for sizes. Writes one JSON of all sources: an image for
    each picture and for each frame of a video that has boxes, called as vtk frames calls it, annotations with bbox,
    area, score and track_id, and categories. Lost are raw scores, landmarks and embeddings, and frames without boxes.
    The file appears when it is complete. Buffers: holds the boxes of one source and the names of all images.

    Example: vtk track street.mp4 | vtk export coco -o street.json
    """
    from functools import partial

    from vtk.export.coco_export import CocoFormat
    from vtk.export.whole import WholeFile

    form = partial(CocoFormat, WholeFile("coco", output, overwrite, common.tee), results, like)
    _boxes(form, kind, maker, size, root, False, inputs, common, context)


@app.command()
@table_command
def cvat(common: Common, context: typer.Context, inputs: Records = None, output: Output = None, out_dir: OutDir = None,
         overwrite: Overwrite = False, kind: BoxType = "", maker: By = "", size: Size = "", root: Media = None) -> None:
    """Turn boxes into annotations for CVAT.

    Reads track, detection, face and text records, and media for sizes. Writes CVAT for video 1.1 of a video: a track
    for each track, its boxes key frames, outside where it is gone; a box without a track is a track of one frame.
    Pictures are in one file of CVAT for images 1.1, DIR/images.xml with --out-dir. Lost are scores and numbers of
    tracks. Buffers: holds the boxes of one video, and those of all pictures.

    Example: vtk track street.mp4 | vtk export cvat -o street.xml
    """
    from functools import partial

    from vtk.export.cvat import CvatFormat

    form = partial(CvatFormat, output, out_dir, overwrite, common.tee)
    _boxes(form, kind, maker, size, root, False, inputs, common, context)


@app.command()
@table_command
def labelstudio(common: Common, context: typer.Context, output: DataSet, inputs: Records = None,
                overwrite: Overwrite = False, kind: BoxType = "", maker: By = "", size: Size = "", root: Media = None,
                prefix: Prefix = "", model: Version = "") -> None:
    """Turn boxes, scenes and shots into Label Studio's tasks with predictions.

    Reads track, detection, face and text records, scene, else shot records, and media for sizes. Writes one JSON: a
    task a source, in percents; of a video a region a track, and one a scene or shot on the timeline. Frames count from
    1. The file appears when it is complete. Buffers: holds the boxes of one source.

    Example: vtk track street.mp4 | vtk export labelstudio --url-prefix "/data/local-files/?d=" -o tasks.json
    """
    from functools import partial

    from vtk.export.labelstudio import LabelStudioFormat
    from vtk.export.whole import WholeFile

    form = partial(LabelStudioFormat, WholeFile("labelstudio", output, overwrite, common.tee), prefix, model)
    _boxes(form, kind, maker, size, root, True, inputs, common, context)


@app.command()
@table_command
def fiftyone(common: Common, context: typer.Context, output: SetFolder, inputs: Records = None,
             overwrite: Overwrite = False, kind: BoxType = "", maker: By = "", size: Size = "", root: Media = None,
             field: Field = "predictions") -> None:
    """Turn boxes, scenes and shots into a FiftyOne data set.

    Reads track, detection, face and text records, scene, else shot records, and media for sizes. Writes the folder of a
    FiftyOneDataset: a sample a source, detections as shares of the frame, those of videos by frame, from 1. A data set
    is of pictures or of videos. Buffers: holds the boxes of one source.

    Example: vtk detect photos/ | vtk export fiftyone -o dataset
    """
    from functools import partial

    from vtk.export.fiftyone import FiftyOneFormat

    _boxes(partial(FiftyOneFormat, output, field, overwrite), kind, maker, size, root, True, inputs, common, context)


def _boxes(form: Callable[[], object], kind: str, maker: str, size: str, root: Path | None, spans: bool,
           inputs: list[str] | None, common: Common, context: typer.Context) -> None:
    """Write the boxes of a run in a format of one data set."""
    from functools import partial

    from vtk.export.boxes import BoxStage, read_size

    export_stage(partial(BoxStage, form, kind, maker, read_size(size), root, spans, common.tee), inputs, common,
                 context)


def _copies(form: str, inputs: list[str] | None, output: Path | None, maker: str, common: Common,
            context: typer.Context) -> None:
    """Write the copies in files of records, or on stdin, as one file."""
    from dataclasses import replace

    from vtk.driver.run import open_output
    from vtk.errors import EXIT_PARTIAL
    from vtk.export.copy_export import export_copies

    refuse_in_a_pipe(form, context, "-o FILE")

    lines, whole = export_copies(form, inputs or [], maker, note_to(common))
    with open_output(replace(common, output=None if output == Path("-") else output)) as write:
        write(lines)
    if not whole:
        raise typer.Exit(EXIT_PARTIAL)


def _subtitles(form: str, output: Path | None, out_dir: Path | None, overwrite: bool, maker: str,
               inputs: list[str] | None, common: Common, context: typer.Context) -> None:
    from functools import partial

    from vtk.export.text_export import SubtitleStage

    export_stage(partial(SubtitleStage, form=form, output=output, out_dir=out_dir, overwrite=overwrite, maker=maker,
                         tee=common.tee), inputs, common, context)


def _timelines(form: str, output: Path | None, out_dir: Path | None, overwrite: bool, maker: str,
               inputs: list[str] | None, common: Common, context: typer.Context,
               **options: float | bool | None) -> None:
    from functools import partial

    from vtk.export.timeline_export import TimelineStage

    export_stage(partial(TimelineStage, form=form, output=output, out_dir=out_dir, overwrite=overwrite, maker=maker,
                         tee=common.tee, **options), inputs, common, context)
