"""``vtk export``: records as files of other tools."""

from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

from vtk.driver.stage import Stage
from vtk.options import Common, record_command, table_command

app = typer.Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False, no_args_is_help=True,
                  help="Turn records into files of other tools.")

Records = Annotated[list[str] | None, typer.Argument(
    metavar="RECORDS", show_default=False, help="Files of records; without any, or with -, stdin.")]
Output = Annotated[Path | None, typer.Option("-o", "--output", metavar="FILE", show_default=False,
                                             help="Write this file, of one source; - is stdout.")]
OutDir = Annotated[Path | None, typer.Option(metavar="DIR", show_default=False,
                                             help="Write one file a source into this folder: DIR/SOURCE.txt, or the format's suffix.")]
Overwrite = Annotated[bool, typer.Option("--overwrite", help="Replace files that exist.")]
Type = Annotated[str, typer.Option("--type", metavar="track|detection", show_default=False,
                                   help="Write these alone; without it tracks, or detections where a source has none.")]
By = Annotated[str, typer.Option("--by", metavar="MAKER", show_default=False,
                                 help="Write the records of this maker, where there are several.")]
Fps = Annotated[float | None, typer.Option("--fps", metavar="X", show_default=False,
                                           help="Frames a second of the timeline. Default: those of the film.")]
NonDrop = Annotated[bool, typer.Option(
    "--non-drop", help="Number each frame at 29.97 and 59.94, too: timecodes then fall behind the clock.")]
Packed = Annotated[bool, typer.Option("--packed", help="Lay pieces end to end; else each is where it is in the film.")]
CopyOutput = Annotated[Path | None, typer.Option(
    "-o", "--output", metavar="FILE", show_default=False,
    help="Write this file, which appears when it is complete; without it, stdout.")]


Folder = Annotated[Path, typer.Option("-o", "--output", metavar="DIR", show_default=False,
                                      help="Write the package into this folder.")]
Contributors = Annotated[list[str] | None, typer.Option("--contributor", metavar="NAME", show_default=False,
                                                        help="Who made the pictures. May be given several times.")]
Title = Annotated[str, typer.Option(metavar="TEXT", show_default=False,
                                    help="Title of the project. Default: the folder's name.")]
Design = Annotated[str, typer.Option(metavar="NAME", help="How places were chosen: simpleRandom, systematicRandom, "
                                                          "clusteredRandom, experimental, targeted, opportunistic.")]
Capture = Annotated[str, typer.Option(metavar="activityDetection|timeLapse", help="What made cameras take pictures.")]
Public = Annotated[bool, typer.Option("--public", help="Say that anybody can open the media.")]
Zone = Annotated[str, typer.Option("--timezone", metavar="±HH:MM|Z", help="Zone of times that name none, as of most "
                                                                         "pictures.")]
Root = Annotated[Path | None, typer.Option(metavar="DIR", show_default=False,
                                           help="Resolve relative sources in DIR, to ask them for the time of day.")]


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

    _export(partial(MotStage, output=output, out_dir=out_dir, overwrite=overwrite, kind=kind, maker=maker,
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

    _export(partial(IcdarStage, output=output, out_dir=out_dir, overwrite=overwrite, maker=maker, tee=common.tee),
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
    import sys

    from vtk.errors import EXIT_PARTIAL
    from vtk.export.camtrapdp import Package
    from vtk.export.camtrapdp_export import check_folder, export_camtrapdp, read_zone, write_package

    _not_in_a_pipe("camtrapdp", context, "-o DIR")

    def note(message: str) -> None:
        if not common.quiet:
            print(f"vtk export: {message}", file=sys.stderr)

    check_folder(output, common.overwrite)
    package = Package(title or output.resolve().name, contributors or [], design, capture, public)
    written, whole = export_camtrapdp(inputs or [], package, maker, read_zone(zone), str(root) if root else None, note)
    write_package(output, written, common.overwrite)
    if not whole:
        raise typer.Exit(EXIT_PARTIAL)


def _not_in_a_pipe(form: str, context: typer.Context, output: str) -> None:
    """Refuse to be called by the text of a pipe rather than by ``vtk``."""
    from vtk.errors import UsageError

    if context.find_root() is context.parent:
        raise UsageError(f"export {form} cannot stand in a pipe's text, it writes one file of a whole run: "
                         f"vtk pipe '…' | vtk export {form} {output}")


def _copies(form: str, inputs: list[str] | None, output: Path | None, maker: str, common: Common,
            context: typer.Context) -> None:
    """Write the copies in files of records, or on stdin, as one file."""
    import sys
    from dataclasses import replace

    from vtk.driver.run import open_output
    from vtk.errors import EXIT_PARTIAL
    from vtk.export.copy_export import export_copies

    _not_in_a_pipe(form, context, "-o FILE")

    def note(message: str) -> None:
        if not common.quiet:
            print(f"vtk export: {message}", file=sys.stderr)

    lines, whole = export_copies(form, inputs or [], maker, note)
    with open_output(replace(common, output=None if output == Path("-") else output)) as write:
        write(lines)
    if not whole:
        raise typer.Exit(EXIT_PARTIAL)


def _subtitles(form: str, output: Path | None, out_dir: Path | None, overwrite: bool, maker: str,
               inputs: list[str] | None, common: Common, context: typer.Context) -> None:
    from functools import partial

    from vtk.export.text_export import SubtitleStage

    _export(partial(SubtitleStage, form=form, output=output, out_dir=out_dir, overwrite=overwrite, maker=maker,
                    tee=common.tee), inputs, common, context)


def _timelines(form: str, output: Path | None, out_dir: Path | None, overwrite: bool, maker: str,
               inputs: list[str] | None, common: Common, context: typer.Context,
               **options: float | bool | None) -> None:
    from functools import partial

    from vtk.export.timeline_export import TimelineStage

    _export(partial(TimelineStage, form=form, output=output, out_dir=out_dir, overwrite=overwrite, maker=maker,
                    tee=common.tee, **options), inputs, common, context)


def _export(factory: Callable[[], Stage], inputs: list[str] | None, common: Common, context: typer.Context) -> None:
    """Run an exporter over the files of records that are named, else over stdin."""
    from vtk.driver import drive
    from vtk.driver.run import with_inputs

    # Inside a pipe's text this is no command of ``vtk``, and drive says that inputs belong to the whole pipe.
    if inputs and context.find_root() is not context.parent:
        _over_files(factory(), inputs, common)
    else:
        drive(factory, with_inputs(common, inputs or ()))


def _over_files(stage: Stage, names: list[str], common: Common) -> None:
    """Run a sink over files of records, which ``drive`` would take for media."""
    import sys
    from contextlib import nullcontext

    from vtk.driver.chain import Opening, Step
    from vtk.driver.passes import Tally, run_passes
    from vtk.driver.progress import Reporter
    from vtk.driver.records_in import record_chunks
    from vtk.driver.run import exit_code, open_output

    stage.prepare("records")
    tally = Tally(hear=Reporter(common.quiet).error)
    # Without --tee no record goes on, and stdout is left to the stage, which may have rows for it.
    with open_output(common) if common.tee else nullcontext(lambda lines: None) as write:
        for item in run_passes([Step(stage)], None, record_chunks(names), Opening(), tally,
                               internal=not common.traceback):
            if isinstance(item, list):
                write(item)
    sys.exit(exit_code(tally))
