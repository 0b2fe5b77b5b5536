"""Options of ``vtk export``, declared once."""

from pathlib import Path
from typing import Annotated

import typer

Records = Annotated[list[str] | None, typer.Argument(
    metavar="RECORDS", show_default=False, help="Files of records; without any, or with -, stdin.")]
Output = Annotated[Path | None, typer.Option("-o", "--output", metavar="FILE", show_default=False,
                                             help="Write this file, of one source; - is stdout.")]
OutDir = Annotated[Path | None, typer.Option(metavar="DIR", show_default=False,
                                             help="Write one file a source into this folder: DIR/SOURCE.txt, or the "
                                                  "format's suffix.")]
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
Types = Annotated[str, typer.Option("--type", metavar="TYPE,…", show_default=False,
                                    help="Write these types alone, and a table of each though none come.")]
TypeFolder = Annotated[Path | None, typer.Option("--out-dir", metavar="DIR", show_default=False,
                                                 help="Write one file a record type into this folder: DIR/TYPE.csv.")]
Tables = Annotated[Path, typer.Option("-o", "--output", metavar="DIR|FILE", show_default=False,
                                      help="Write the tables into this folder; a name that ends in .parquet is the "
                                           "table of a single --type.")]
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
DataSet = Annotated[Path, typer.Option("-o", "--output", metavar="FILE", show_default=False,
                                       help="Write this file, of all sources; - is stdout.")]
SetFolder = Annotated[Path, typer.Option("-o", "--output", metavar="DIR", show_default=False,
                                         help="Write the data set into this folder.")]
BoxType = Annotated[str, typer.Option("--type", metavar="track|detection|face|text", show_default=False,
                                      help="Write these alone; without it the first of them that a source has.")]
Size = Annotated[str, typer.Option("--size", metavar="WxH", show_default=False,
                                   help="Size of the frames of sources that have no media record, in pixels.")]
Media = Annotated[Path | None, typer.Option("--root", metavar="DIR", show_default=False,
                                            help="Resolve relative sources in DIR, to open those whose size no record "
                                                 "says.")]
Results = Annotated[bool, typer.Option("--results", help="Write a list of results, to be scored, not a data set.")]
Like = Annotated[Path | None, typer.Option("--like", metavar="FILE", show_default=False,
                                           help="With --results: the data set whose ids of images and categories "
                                                "hold.")]
Prefix = Annotated[str, typer.Option("--url-prefix", metavar="TEXT", show_default=False,
                                     help="Put before the names of sources, for the server that has them.")]
Version = Annotated[str, typer.Option("--model-version", metavar="NAME", show_default=False,
                                      help="Call the predictions this. Default: the maker of the records.")]
Field = Annotated[str, typer.Option("--field", metavar="NAME", help="Field of samples or frames that holds the boxes.")]
