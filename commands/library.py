"""``vtk library``: the references that copies are looked for in."""

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
                  help="Keep the references that copies are looked for in.\n\nA library holds vectors of frames, and of "
                       "which second of which file each is; no pictures. LIBRARY is a folder, or an address on object "
                       "storage such as s3://bucket/films.lance.")

Where = Annotated[str, typer.Argument(metavar="LIBRARY", help="The library.", show_default=False)]
Target = Annotated[str, typer.Option("--library", metavar="LIBRARY", show_default=False,
                                     help="The library; made where there is none.")]
Sources = Annotated[list[str] | None, typer.Argument(metavar="REFERENCE...", show_default=False,
                                                     help="Files, folders, globs, URLs, seq:FOLDER.")]
Names = Annotated[list[str], typer.Argument(metavar="REFERENCE...", help="As vtk library list has them.")]
DescriptorName = Annotated[str, typer.Option(
    "--descriptor", metavar="NAME", help="dct, pdq, mobilenet, sscd, timm:NAME, or several joined by +.")]
Weights = Annotated[Path | None, typer.Option(metavar="FILE", show_default=False,
                                              help="Load this file for the descriptor's network instead.")]
Frames = Annotated[str, typer.Option("--frames", metavar="uniform:RATE|adaptive",
                                     help="RATE frames a second and 16 at least, or what changed.")]
Json = Annotated[bool, typer.Option("--json", help="JSON in place of a table.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="No messages on stderr.")]


@app.command()
def add(library: Target, inputs: Sources = None, descriptor: DescriptorName = "dct+mobilenet", weights: Weights = None,
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
    from vtk.copies.descriptors import load_descriptor
    from vtk.copies.footprint import FramePlan
    from vtk.copies.reference_library import ReferenceLibrary
    from vtk.driver.chain import Opening
    from vtk.driver.inputs import sources
    from vtk.driver.progress import Reporter
    from vtk.errors import EXIT_NOTHING, EXIT_PARTIAL, MediaError, UsageError
    from vtk.models.embedder import EmbedderOptions
    from vtk.models.runtime import RuntimeOptions
    from vtk.options import Common
    from vtk.threads import bound

    bound(threads)
    plan = FramePlan.parse(frames)
    names = sources(Common(inputs=inputs or (), files_from=files_from, null=null, root=root))  # type: ignore[arg-type]
    if names is None:
        raise UsageError("references are files: name some, or list them in --files-from")
    runtime = RuntimeOptions(device, precision, batch, threads, offline, trust_weights)
    made = load_descriptor(descriptor, EmbedderOptions(weights, None, runtime))
    reporter, lost = Reporter(quiet, len(names)), []

    def failed(source: str, error: MediaError) -> None:
        lost.append(source)
        reporter.error("library", source, error)

    opening = Opening(decoder, threads, timeout, str(root) if root is not None else None)
    with ReferenceLibrary.open(library, made) as references:
        for source, outcome in add_sources(references, names, plan, opening, failed):
            typer.echo(f"{outcome:9} {source}")
    if lost:
        raise typer.Exit(EXIT_NOTHING if len(lost) == len(names) else EXIT_PARTIAL)


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
    counts = [references.remove(name) for name in dict.fromkeys(names)]
    typer.echo(f"{len(counts)} references removed, {sum(counts)} frames")


@app.command()
def compact(where: Where) -> None:
    """Rewrite the files of many adds into few, without what was removed. Waits until no other process writes.

    Example: vtk library compact films.lance
    """
    references = _opened(where)
    references.compact()
    typer.echo(f"{len(references)} references, {references.stats().bytes} bytes")


@app.command()
def stats(where: Where, as_json: Json = False) -> None:
    """Say what a library holds: its descriptor, references, frames, seconds, bytes, what waits to be cleared, its index.

    Example: vtk library stats films.lance
    """
    import dataclasses

    import orjson

    found: dict[str, Any] = dataclasses.asdict(_opened(where).stats())
    found["seconds"] = round(found["seconds"], 3)
    if as_json:
        typer.echo(orjson.dumps({key: value for key, value in found.items() if value is not None}))
        return
    for key, value in found.items():
        typer.echo(f"{key:12} {'-' if value is None else value}")


def _opened(where: str) -> "ReferenceLibrary":  # noqa: F821
    from vtk.copies.reference_library import ReferenceLibrary

    return ReferenceLibrary.open(where)
