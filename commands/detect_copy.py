"""``vtk detect-copy``."""

from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from vtk.options import Common, filter_command

Library = Annotated[str | None, typer.Option(
    metavar="LIBRARY", show_default=False,
    help="Look in this library of references, a folder or an address such as s3://bucket/films.lance; vtk library add "
         "makes it.")]
Refs = Annotated[list[str] | None, typer.Option(
    metavar="INPUT", show_default=False,
    help="Look in these files or folders, described for this run alone; may be given several times.")]
AllPairs = Annotated[bool, typer.Option(
    "--all-pairs", help="Compare the inputs with each other; clusters of what is one video come last.")]
Within = Annotated[bool, typer.Option("--within", help="Find spans of a video that come back in it, too.")]
Descriptor = Annotated[str | None, typer.Option(
    "--descriptor", metavar="NAME", show_default=False,
    help="dct, pdq, mobilenet, sscd, timm:NAME, or several joined by +. Default: the library's, else dct+mobilenet.")]
Weights = Annotated[Path | None, typer.Option(metavar="FILE", show_default=False,
                                              help="Load this file for the descriptor's network instead.")]
Frames = Annotated[str | None, typer.Option(
    "--frames", metavar="uniform:RATE|adaptive", show_default=False,
    help="RATE frames a second and 16 at least, or what changed. Default: the library's, else uniform:1.")]
Fast = Annotated[bool, typer.Option(
    "--fast", help="Look at key frames first, and decode the rest only where one of them is known.")]
Aligner = Annotated[str, typer.Option(metavar="diagonal|hough|tn|dp|dtw", help="What finds spans in similarities.")]
MinScore = Annotated[float | None, typer.Option(
    metavar="X", show_default=False, help="Least score of a copy, in [0, 1]. Default: 0.5, which of single frames a pair "
                                          "of strangers in 10,000 reaches.")]
MinSeconds = Annotated[float, typer.Option(metavar="SECONDS", help="Least length of a copy on both sides.")]
Speeds = Annotated[str, typer.Option(metavar="SLOW-FAST", help="Seconds of the reference in a second of the copy.")]
Flip = Annotated[bool, typer.Option("--hflip", help="Look for mirrored copies, too; describes each frame twice.")]
Crops = Annotated[str, typer.Option(
    metavar="NAMES", show_default=False,
    help="Look for parts of frames, too: centre, halves, quadrants, comma-separated.")]
Refine = Annotated[bool, typer.Option(
    "--refine/--no-refine", help="Look at the ends of copies more closely, where both files are at hand.")]
Plot = Annotated[Path | None, typer.Option(
    metavar="DIR", show_default=False,
    help="Draw the similarity of each pair that was compared, and what was found in it: DIR/SOURCE/PAIR.png.")]


@filter_command
def run(
    common: Common, library: Library = None, refs: Refs = None, all_pairs: AllPairs = False, within: Within = False,
    descriptor: Descriptor = None, weights: Weights = None, frames: Frames = None, fast: Fast = False,
    aligner: Aligner = "diagonal", min_score: MinScore = None, min_seconds: MinSeconds = 1.0, speeds: Speeds = "0.4-2.5",
    hflip: Flip = False, crops: Crops = "", refine: Refine = True, plot: Plot = None,
) -> None:
    """Find which seconds of which references a video shows.

    Reads media. Adds a copy for each span, with the seconds of both sides, at its source's end; with --all-pairs
    copies and clusters at the run's end. A reference that is the source itself is passed over. Streams: holds a few
    frames and the vectors of one source; with --refs those of the references, with --all-pairs those of all sources.

    Example: vtk detect-copy street.mp4 --refs videos/ | jq -c 'select(.type=="copy") | [.start, .end, .ref, .ref_start]'
    """
    from vtk import threads
    from vtk.copies.collecting import Views
    from vtk.copies.crops import read_crops
    from vtk.copies.finding import Search, read_speeds
    from vtk.copies.footprint import FramePlan
    from vtk.copies.matching import MIN_SCORE
    from vtk.copies.sought import Place
    from vtk.copies.stage import CopyStage, Work
    from vtk.driver import drive
    from vtk.driver.chain import Opening
    from vtk.driver.inputs import sources
    from vtk.errors import UsageError
    from vtk.models.embedder import EmbedderOptions

    if all_pairs and common.shard is not None:
        raise UsageError("--all-pairs compares all inputs, and --shard sees some of them: vtk library add keeps what it "
                         "sees of videos, and --library looks for others in it")
    search = Search(aligner, MIN_SCORE if min_score is None else min_score, min_seconds, read_speeds(speeds), within)
    root = str(common.root) if common.root is not None else None
    files: tuple[str, ...] = ()
    if refs:
        files = tuple(sources(Common(inputs=refs, root=common.root, quiet=True)) or ())  # type: ignore[arg-type]
        if not files:
            raise UsageError(f"--refs {' '.join(refs)}: there is no media to look in")
    opening = Opening(common.decoder, common.threads or threads.asked(), common.timeout, root, common.framerate)
    place = Place(library, files, descriptor, EmbedderOptions(weights, None, common.runtime),
                  FramePlan.parse(frames) if frames is not None else None, opening, common.quiet)
    work = Work(search, Views(read_crops(crops)[1:], hflip), refine, fast, all_pairs, plot,
                common.overwrite or common.resume)
    drive(partial(CopyStage, place, work, common.sampling), common)
