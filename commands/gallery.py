"""``vtk gallery``: the people that ``vtk reid --gallery`` remembers."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

app = typer.Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False, no_args_is_help=True,
                  help="Look at, mend and clear the people that vtk reid --gallery remembers.\n\nA gallery holds vectors "
                       "of people, and where and when each was seen; no pictures. GALLERY is a folder, or an address on "
                       "object storage such as s3://bucket/people.lance.")

Where = Annotated[str, typer.Argument(metavar="GALLERY", help="The gallery.", show_default=False)]
Name = Annotated[str, typer.Argument(metavar="IDENTITY", help="As vtk gallery list has it.", show_default=False)]
Names = Annotated[list[str], typer.Argument(metavar="IDENTITY...", help="As vtk gallery list has them.")]
SomeNames = Annotated[list[str] | None, typer.Argument(metavar="[IDENTITY]...", show_default=False,
                                                       help="As vtk gallery list has them.")]
Others = Annotated[list[str], typer.Argument(metavar="OTHER...", help="Those that are the same, and are no more.")]
Which = Annotated[list[str], typer.Argument(metavar="TRACKLET...", help="Ids as vtk gallery show has them, or "
                                                                       "SOURCE#TRACK.")]
Records = Annotated[list[str] | None, typer.Argument(
    metavar="[EMBEDDINGS]...", show_default=False, help="Files of embedding records; without any, or with -, stdin.")]
Json = Annotated[bool, typer.Option("--json", help="JSON in place of a table.")]
Nearest = Annotated[int, typer.Option(min=0, metavar="N", help="How many identities that are like it to show.")]
Retention = Annotated[float | None, typer.Option(metavar="DAYS", show_default=False,
                                                 help="Forget what was added longer ago.")]
Target = Annotated[str | None, typer.Option("-o", "--output", metavar="NEW", show_default=False,
                                            help="The new gallery; there is nothing yet.")]
Sources = Annotated[bool, typer.Option("--sources", help="Print the sources that are needed, one a line, and stop.")]
Kind = Annotated[str, typer.Option(metavar="sq|rq|pq|hnsw", help="Kind of the index.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="No messages on stderr.")]


@app.command("list")
def show_all(where: Where, as_json: Json = False) -> None:
    """List the identities, their tracklets and sources, and when the first and the last was added (UTC).

    --json gives an object a line.

    Example: vtk gallery list people.lance
    """
    rows = [{"identity": group.name, "tracklets": group.entries, "sources": group.sources,
             "first": _moment(group.first), "last": _moment(group.last)} for group in _opened(where).identities()]
    _print(rows, ("identity", "tracklets", "sources", "first", "last"), as_json)


@app.command()
def show(where: Where, name: Name, nearest: Nearest = 5, as_json: Json = False) -> None:
    """Show the tracklets of an identity, and who is most like it.

    The others are in the order of k-reciprocal re-ranking: who are neighbours of each other counts more than how alike
    they look. COSINE is the mean over all pairs of tracklets, what the threshold of vtk reid is compared with.

    Example: vtk gallery show people.lance p000001
    """
    from vtk.reid.neighbours import neighbours

    gallery = _opened(where)
    seen = [{"tracklet": entry.id, "source": entry.source, "track_id": entry.extra.get("track_id"),
             "start": entry.start, "end": entry.end, "camera": entry.extra.get("camera"),
             "added": _moment(entry.added)} for entry in gallery.tracklets(name)]
    like = [{"identity": one.name, "distance": round(one.distance, 4), "cosine": round(one.cosine, 4),
             "tracklets": one.tracklets} for one in neighbours(gallery, name, nearest)]
    if as_json:
        import orjson

        seen = [{key: value for key, value in row.items() if value is not None} for row in seen]
        typer.echo(orjson.dumps({"identity": name, "tracklets": seen, "nearest": like}))
        return
    columns = ("tracklet", "source", "track_id", "start", "end", "added")
    _print(seen, (*columns[:-1], "camera", "added") if any(row["camera"] for row in seen) else columns, False)
    if like:
        typer.echo("")
        _print(like, ("identity", "distance", "cosine", "tracklets"), False)


@app.command()
def merge(where: Where, into: Name, others: Others) -> None:
    """Call the tracklets of other identities by the name of the first: they are one person.

    Example: vtk gallery merge people.lance p000001 p000002
    """
    gallery = _opened(where)
    count = gallery.merge(into, others)
    typer.echo(f"{into}: {count} tracklets joined, {len(gallery.tracklets(into))} in all")


@app.command()
def split(where: Where, name: Name, which: Which) -> None:
    """Make some tracklets of an identity a new one, and print its name: they are two people.

    Example: vtk gallery split people.lance p000003 'cam2.mp4#3'
    """
    typer.echo(_opened(where).split(name, which))


@app.command()
def rename(where: Where, name: Name, new: Annotated[str, typer.Argument(metavar="NAME", help="The new name.")]) -> None:
    """Call an identity by a name of yours, which later runs will use.

    Example: vtk gallery rename people.lance p000004 keeper
    """
    count = _opened(where).rename(name, new)
    typer.echo(f"{new}: {count} tracklets")


@app.command()
def remove(where: Where, names: Names) -> None:
    """Remove identities: no run finds them any more. Their bytes stay until vtk gallery forget.

    Example: vtk gallery remove people.lance p000005
    """
    typer.echo(f"{_opened(where).remove(names)} tracklets removed")


@app.command()
def forget(where: Where, names: SomeNames = None, retention: Retention = None) -> None:
    """Remove identities, or what is old, from the files and their history: no byte of them stays.

    Without IDENTITY and --retention it clears what was removed before. Waits until no other process writes. Copies and
    backups of the folder are yours to clear.

    Example: vtk gallery forget people.lance p000006 --retention 30
    """
    gallery = _opened(where)
    old = gallery.retain(retention) if retention is not None else 0
    count = gallery.forget(names or []) if names or retention is None else 0
    typer.echo(f"{count + old} tracklets forgotten, {len(gallery.library)} left")


@app.command()
def export(where: Where) -> None:
    """Write an embedding and an identity record of each tracklet, by source.

    Example: vtk gallery export people.lance > people.jsonl
    """
    from vtk.records import dump
    from vtk.reid.moving import records_of

    for record in records_of(_opened(where)):
        typer.echo(dump(record))


@app.command()
def upgrade(where: Where, inputs: Records = None, output: Target = None, sources: Sources = False,
            quiet: Quiet = False) -> None:
    """Make a gallery of the same people for another model, of embeddings of the same tracks.

    No crops are stored, so the sources are embedded anew: vtk reid --embed-only --model OTHER, over the tracks that
    the gallery was made of. A tracklet is known by its source, track and start; those without a new embedding are left
    out, and stderr says whose they are. The old gallery stays as it is.

    Example: vtk gallery upgrade people.lance embeddings.jsonl -o newer.lance
    """
    import sys

    from vtk.errors import EXIT_PARTIAL, UsageError
    from vtk.reid.moving import asked_for, sources_of
    from vtk.reid.moving import upgrade as moved

    gallery = _opened(where)
    if sources:
        for source in sources_of(gallery):
            typer.echo(source)
        return
    if output is None or (not inputs and sys.stdin.isatty()):
        raise UsageError(asked_for(gallery, output or "NEW"))
    done = moved(gallery, output, list(_tracklets(inputs or ["-"])))
    typer.echo(f"{done.moved} tracklets in {output}")
    if done.left and not quiet:
        names = ", ".join(sorted(done.sources)[:5]) + (", …" if len(done.sources) > 5 else "")
        print(f"vtk gallery: {sum(done.left.values())} tracklets have no new embedding, of {len(done.left)} identities, "
              f"{len(done.lost)} of them with none at all; embed {names}", file=sys.stderr)
    if done.left:
        raise typer.Exit(EXIT_PARTIAL)


@app.command()
def index(where: Where, kind: Kind = "sq") -> None:
    """Build the index that searches go by beyond a million tracklets; up to that they look at all.

    Example: vtk gallery index people.lance
    """
    from vtk.errors import UsageError

    gallery = _opened(where)
    try:
        gallery.library.index(kind)  # type: ignore[arg-type]
    except ValueError as error:
        raise UsageError(f"{where}: {error}") from None
    typer.echo(f"{gallery.stats().index}: {len(gallery.library)} tracklets")


@app.command()
def stats(where: Where, as_json: Json = False) -> None:
    """Say what a gallery holds: its space, identities, tracklets, bytes, what waits to be cleared, its index.

    Example: vtk gallery stats people.lance
    """
    import orjson

    gallery = _opened(where)
    found = gallery.stats()
    said = {"space": gallery.space, "dimensions": gallery.library.space.dim, "identities": found.groups,
            "tracklets": found.entries, "bytes": found.bytes, "removed": found.deleted, "versions": found.versions,
            "index": found.index, "unindexed": found.unindexed, "compatible_with": gallery.library.compatible_with}
    if as_json:
        typer.echo(orjson.dumps({key: value for key, value in said.items() if value is not None}))
        return
    for key, value in said.items():
        text = ", ".join(value) if isinstance(value, tuple) else value
        typer.echo(f"{key:16} {'-' if text is None or text == '' else text}")


def _opened(where: str) -> "Gallery":  # noqa: F821
    from vtk.reid.people import Gallery

    return Gallery.open(where)


def _tracklets(names: Sequence[str]) -> Iterator["Tracklet"]:  # noqa: F821
    """Yield the tracklets of the embedding records in files, or on stdin."""
    import sys
    from contextlib import nullcontext

    from vtk.errors import RecordError, UsageError
    from vtk.records import parse
    from vtk.reid.tracklets import from_record

    for name in names:
        try:
            opened = nullcontext(sys.stdin.buffer) if name == "-" else Path(name).open("rb")
        except OSError as error:
            raise UsageError(f"{name}: {error.strerror}") from None
        with opened as lines:
            for number, line in enumerate(lines, 1):
                if b'"embedding"' not in line:
                    continue
                try:
                    record = parse(line)
                    if record["type"] == "embedding" and "track_id" in record:
                        yield from_record(record)
                except RecordError as error:
                    raise RecordError(f"{'stdin' if name == '-' else name}, line {number}: {error}") from None


def _moment(moment: Any) -> str:
    """Return a time in UTC, to the second."""
    from datetime import timezone

    return moment.astimezone(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def _print(rows: Sequence[dict[str, Any]], columns: Sequence[str], as_json: bool) -> None:
    """Print rows as a table of ``columns``, numbers to the right, or as JSON, an object a line."""
    import orjson

    if as_json:
        for row in rows:
            typer.echo(orjson.dumps(row))
        return
    places = {"distance": ".4f", "cosine": ".4f", "start": ".2f", "end": ".2f"}
    cells = [["-" if row[name] is None else format(row[name], places.get(name, "")) for name in columns] for row in rows]
    widths = [max(len(name), *(len(line[place]) for line in cells), 0) for place, name in enumerate(columns)]
    right = [all(isinstance(row[name], (int, float)) for row in rows) for name in columns]
    for line in [[name.upper() for name in columns], *cells]:
        typer.echo("  ".join(text.rjust(width) if end else text.ljust(width)
                             for text, width, end in zip(line, widths, right, strict=True)).rstrip())
