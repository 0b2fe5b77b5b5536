"""``vtk library``: the references that copies are looked for in."""

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import typer

from vtk.options import (
    Batch,
    Decoder,
    Device,
    FilesFrom,
    Null,
    Offline,
    Precision,
    Root,
    Threads,
    Timeout,
    TrustWeights,
)

app = typer.Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False, no_args_is_help=True,
                  help="Keep the references that copies are looked for in.\n\nA library holds vectors of frames, and "
                       "of which second of which file each is; no pictures. LIBRARY is a folder, or an address on "
                       "object storage such as s3://bucket/films.lance.")

Where = Annotated[str, typer.Argument(metavar="LIBRARY", help="The library.", show_default=False)]
Target = Annotated[str, typer.Option("--library", metavar="LIBRARY", show_default=False,
                                     help="The library; made where there is none.")]
Sources = Annotated[list[str] | None, typer.Argument(metavar="REFERENCE...", show_default=False,
                                                     help="Files, folders, globs, URLs, seq:FOLDER.")]
Names = Annotated[list[str], typer.Argument(metavar="REFERENCE...", help="As vtk library list has them.")]
DescriptorName = Annotated[str, typer.Option(
    "--descriptor", metavar="NAME", help="dct, pdq, mobilenet, sscd, timm:NAME, or several joined by +.")]
AddedBy = Annotated[str | None, typer.Option(
    "--descriptor", metavar="NAME", show_default=False,
    help="dct, pdq, mobilenet, sscd, timm:NAME, or several joined by +. Default: the library's, else dct+mobilenet.")]
Own = Annotated[str | None, typer.Option("--descriptor", metavar="NAME", show_default=False,
                                         help="The library's, where its network was loaded by --weights.")]
Weights = Annotated[Path | None, typer.Option(metavar="FILE", show_default=False,
                                              help="Load this file for the descriptor's network instead.")]
Frames = Annotated[str, typer.Option("--frames", metavar="uniform:RATE|adaptive",
                                     help="RATE frames a second and 16 at least, or what changed.")]
New = Annotated[str | None, typer.Option("-o", "--output", metavar="NEW", show_default=False,
                                         help="Make this library, and leave LIBRARY as it is.")]
LeaveOut = Annotated[bool, typer.Option("--leave-out", help="Let go of references that cannot be read.")]
Background = Annotated[list[str] | None, typer.Argument(metavar="BACKGROUND...", show_default=False,
                                                        help="Files, folders, globs, URLs of videos and pictures.")]
Dimensions = Annotated[int | None, typer.Option(min=1, metavar="N", show_default=False,
                                                help="Of whitened vectors; without, half the frames.")]
Forget = Annotated[bool, typer.Option("--remove", help="Normalise no more.")]
Kind = Annotated[str, typer.Option(metavar="sq|rq|pq|hnsw", help="Kind of the index.")]
Json = Annotated[bool, typer.Option("--json", help="JSON in place of a table.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="No messages on stderr.")]


@app.command()
def add(library: Target, inputs: Sources = None, descriptor: AddedBy = None, weights: Weights = None,
        frames: Frames = "uniform:1", files_from: FilesFrom = None, null: Null = False, root: Root = None,
        device: Device = "auto", precision: Precision = "auto", batch: Batch = None, offline: Offline = False,
        trust_weights: TrustWeights = False, threads: Threads = None, decoder: Decoder = "auto",
        timeout: Timeout = 10.0, quiet: Quiet = False) -> None:
    """Add references, and replace those whose files changed; those that did not are not read again.

    Prints a line for each when it is committed: run it again after it was stopped, and it goes on. A source that cannot
    be read is said on stderr and left out. Streams: holds a lot of frames and the vectors of one source.

    Example: vtk library add videos --library films.lance --descriptor dct
    """
    from vtk.copies.adding import add_sources
    from vtk.copies.descriptors import DEFAULT
    from vtk.copies.footprint import FramePlan
    from vtk.copies.reference_library import ReferenceLibrary
    from vtk.copies.sought import held_descriptor

    plan = FramePlan.parse(frames)
    names = _listed(inputs, files_from, null, root, quiet)
    named = descriptor or held_descriptor(library) or DEFAULT
    made = _descriptor(named, weights, device, precision, batch, offline, trust_weights, threads)
    lost = _Lost(quiet, len(names))
    with ReferenceLibrary.open(library, made) as references:
        references.check_writable()
        done = 0
        for source, outcome in add_sources(references, names, plan, _opening(decoder, threads, timeout, root), lost):
            typer.echo(f"{outcome:9} {source}")
            done += 1
    lost.end(len(names) + done)  # a damaged one is added and told of


@app.command()
def upgrade(where: Where, descriptor: DescriptorName = "dct+mobilenet", weights: Weights = None, output: New = None,
            leave_out: LeaveOut = False, root: Root = None, device: Device = "auto", precision: Precision = "auto",
            batch: Batch = None, offline: Offline = False, trust_weights: TrustWeights = False, threads: Threads = None,
            decoder: Decoder = "auto", timeout: Timeout = 10.0, quiet: Quiet = False) -> None:
    """Describe the sources of all references anew, by another descriptor.

    The library stays what it is, and can be searched, until the new one is whole; then that takes its place. Prints a
    line for each reference when it is committed: run it again after it was stopped, and it goes on. While the source
    of any cannot be read, which stderr says, the library stays what it was: mend the path, remove the reference, or
    let go of them all with --leave-out, which is then no failure. What fit-norm fitted is not kept.

    Example: vtk library upgrade films.lance --descriptor pdq -o newer.lance
    """
    from vtk.copies.upgrading import upgrade as upgraded
    from vtk.errors import EXIT_PARTIAL

    made = _descriptor(descriptor, weights, device, precision, batch, offline, trust_weights, threads)
    lost = _Lost(quiet)
    done = upgraded(where, made, _opening(decoder, threads, timeout, root), output, leave_out,
                    lambda source, outcome: typer.echo(f"{outcome:9} {source}"), lost)
    typer.echo(f"{_counted(done.references, 'reference')} of {made.space}")
    if done.lost and not quiet:
        kept = ("the new library goes without" if output or leave_out
                else f"{where} stays as it was (--leave-out goes on without)")
        typer.echo(f"vtk library: {_counted(len(done.lost), 'reference')} cannot be read: {kept}", err=True)
    if done.lost and not leave_out or lost.count > len(done.lost):  # of the others some have not all their frames
        raise typer.Exit(EXIT_PARTIAL)


@app.command()
def index(where: Where, kind: Kind = "sq") -> None:
    """Build the index that searches go by beyond a million frames; up to that they look at all.

    What is added later is looked at in full, until it is built again.

    Example: vtk library index films.lance
    """
    from vtk.errors import UsageError
    from vtk.library.index import FEWEST, KINDS

    references = _opened(where)
    if kind not in KINDS:
        raise UsageError(f"--kind {kind}: expected one of {', '.join(KINDS)}")
    if references.least < FEWEST:
        typer.echo(f"no index: {references.rows} frames, fewer than {FEWEST} of which show something, are searched "
                   "exactly")
        return
    references.index(kind)  # type: ignore[arg-type]
    typer.echo(f"{kind}: {references.rows} frames")


@app.command("fit-norm")
def fit_norm(where: Where, inputs: Background = None, descriptor: Own = None, weights: Weights = None,
             dimensions: Dimensions = None, remove: Forget = False, frames: Frames = "uniform:1",
             files_from: FilesFrom = None, null: Null = False, root: Root = None, device: Device = "auto",
             precision: Precision = "auto", batch: Batch = None, offline: Offline = False,
             trust_weights: TrustWeights = False, threads: Threads = None, decoder: Decoder = "auto",
             timeout: Timeout = 10.0, quiet: Quiet = False) -> None:
    """Normalise the scores of all later searches by a background: sources that have to do with nothing searched for.

    Vectors of networks are then compared whitened, and by how much more alike two are than the query is to the
    background. What is stored stays, and nothing is described anew but the background; --remove undoes it. Hundreds of
    sources are needed, each of them unlike the others; pictures do. Streams: holds the vectors of all of them.

    As in: vtk library fit-norm films.lance background/
    """
    from vtk.copies.footprint import FramePlan
    from vtk.copies.normalising import fit_norm as fitted

    references = _opened(where)
    if remove:
        references.normalise([])
        typer.echo("scores are not normalised")
        return
    plan, lost = FramePlan.parse(frames), _Lost(quiet)
    names = _listed(inputs, files_from, null, root, quiet)
    name = descriptor or references.descriptor.name
    made = _descriptor(name, weights, device, precision, batch, offline, trust_weights, threads)
    references = _opened(where, made)
    found = fitted(made, _footprints(names, made, plan, _opening(decoder, threads, timeout, root), lost), dimensions)
    references.normalise(found)
    for each in found:
        typer.echo(f"{each.space}: {len(each.bank)} frames, {each.dimensions} of {len(each.mean)} dimensions")
    lost.end(len(names))


@app.command()
def allow(where: Where, descriptor: DescriptorName, weights: Weights = None, offline: Offline = False,
          trust_weights: TrustWeights = False) -> None:
    """Let another descriptor search a library as it is: its network was trained to be compatible with the library's.

    Nothing checks that it was: vectors of another network look like noise. To add takes the library's own.

    As in: vtk library allow films.lance --descriptor sscd --weights compatible.pt
    """
    from vtk.errors import UsageError

    made = _descriptor(descriptor, weights, "auto", "auto", None, offline, trust_weights, None)
    references = _opened(where)
    try:
        references.allow(made)
    except ValueError as error:
        raise UsageError(f"{where}: {error}") from None
    typer.echo(f"{made.space} may search {references.held}")


@app.command("list")
def show_all(where: Where, as_json: Json = False) -> None:
    """List the references: frames, seconds, size, rate, by which plan and when each was added (UTC).

    --json gives an object a line.

    Example: vtk library list films.lance
    """
    import orjson

    rows = [{"reference": each.source, "frames": len(each), "duration": round(each.duration, 3), "width": each.width,
             "height": each.height, "fps": None if each.fps is None else round(each.fps, 3), "plan": each.plan,
             "added": each.added.strftime("%Y-%m-%dT%H:%M:%SZ"), "fingerprint": each.fingerprint}
            for each in _opened(where).list()]
    if as_json:
        for row in rows:
            typer.echo(orjson.dumps({key: value for key, value in row.items() if value is not None}))
        return
    columns = [name for name in (rows[0] if rows else ()) if name != "fingerprint"]
    cells = [columns] + [["-" if row[name] is None else str(row[name]) for name in columns] for row in rows]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    for number, line in enumerate(cells if rows else []):
        told = "  ".join(text.ljust(width) for text, width in zip(line, widths, strict=True)).rstrip()
        typer.echo(told if number else told.upper())


@app.command()
def remove(where: Where, names: Names) -> None:
    """Remove references: nothing finds them any more. Their bytes stay until vtk library compact.

    Example: vtk library remove films.lance videos/1.mp4
    """
    references = _opened(where)
    known = {name: references.known(name) for name in dict.fromkeys(names)}  # all of them, before one goes
    counts = [references.remove(name) for name in known]
    typer.echo(f"{_counted(len(counts), 'reference')} removed, {_counted(sum(counts), 'frame')}")


@app.command()
def compact(where: Where) -> None:
    """Rewrite the files of many adds into few, without what was removed. Waits until no other process writes.

    Example: vtk library compact films.lance
    """
    references = _opened(where)
    references.compact()
    typer.echo(f"{_counted(len(references), 'reference')}, {references.stats().bytes} bytes")


@app.command()
def stats(where: Where, as_json: Json = False) -> None:
    """Say what a library holds: its descriptor, references, frames, seconds, bytes, what waits to go, its index.

    Example: vtk library stats films.lance
    """
    import dataclasses

    import orjson

    found: dict[str, Any] = dataclasses.asdict(_opened(where).stats())
    found["seconds"] = round(found["seconds"], 3)
    if as_json:
        typer.echo(orjson.dumps({key: value for key, value in found.items() if value is not None}))
        return
    found["normalised"] = ", ".join(f"{space} by {count} frames" for space, count in found["normalised"].items())
    found["compatible_with"] = ", ".join(found["compatible_with"])
    for key, value in found.items():
        typer.echo(f"{key:16} {'-' if value in (None, '') else value}")


class _Lost:
    """Counts sources that cannot be read, and says which on stderr."""

    def __init__(self, quiet: bool, total: int | None = None) -> None:
        from vtk.driver.progress import Reporter

        self._reporter, self.count = Reporter(quiet, total), 0

    def __call__(self, source: str, error: Exception) -> None:
        """Say that ``source`` cannot be read."""
        self.count += 1
        self._reporter.error("library", source, error)

    def end(self, total: int) -> None:
        """Exit where any of ``total`` sources was lost."""
        from vtk.errors import EXIT_NOTHING, EXIT_PARTIAL

        if self.count:
            raise typer.Exit(EXIT_NOTHING if self.count == total else EXIT_PARTIAL)


def _counted(count: int, one: str) -> str:
    return f"{count} {one}{'s' * (count != 1)}"


def _opened(where: str, descriptor: "Descriptor | None" = None) -> "ReferenceLibrary":  # noqa: F821
    from vtk.copies.reference_library import ReferenceLibrary

    return ReferenceLibrary.open(where, descriptor, create=False)


def _listed(inputs: list[str] | None, files_from: Path | None, null: bool, root: Path | None,
            quiet: bool) -> list[str]:
    """Return the sources that are named."""
    from vtk.driver.inputs import sources
    from vtk.errors import UsageError
    from vtk.options import Common

    names = sources(Common(inputs=tuple(inputs or ()), files_from=files_from, null=null,  # type: ignore[arg-type]
                           root=root, quiet=quiet))
    if names is None:
        raise UsageError("references are files: name some, or list them in --files-from")
    return names


def _descriptor(name: str, weights: Path | None, device: str, precision: str, batch: int | None, offline: bool,
                trust_weights: bool, threads: int | None) -> "Descriptor":  # noqa: F821
    from vtk.copies.descriptors import load_descriptor
    from vtk.models.embedder import EmbedderOptions
    from vtk.models.runtime import RuntimeOptions
    from vtk.threads import bound

    bound(threads)
    runtime = RuntimeOptions(device, precision, batch, threads, offline, trust_weights)
    return load_descriptor(name, EmbedderOptions(weights, None, runtime))


def _opening(decoder: str, threads: int | None, timeout: float, root: Path | None) -> "Opening":  # noqa: F821
    from vtk.driver.chain import Opening

    return Opening(decoder, threads, timeout, str(root) if root is not None else None)


def _footprints(names: list[str], descriptor: "Descriptor", plan: "FramePlan", opening: "Opening",  # noqa: F821
                lost: _Lost) -> Iterator["Footprint"]:  # noqa: F821
    """Yield the footprints of the sources that can be read."""
    from vtk.copies.collecting import footprint_of
    from vtk.errors import MediaError

    for name in names:
        try:
            yield footprint_of(name, descriptor, plan, opening)
        except MediaError as error:
            lost(name, error)
