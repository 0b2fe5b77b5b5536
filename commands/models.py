"""``vtk models``: the table of models, and their weights on this machine."""

from typing import Annotated, Any

import typer

app = typer.Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False, no_args_is_help=True,
                  help="List, fetch, find and verify models.\n\nReads no records. Prints tables and paths on stdout.")

Name = Annotated[str, typer.Argument(metavar="NAME", help="A model's name, as vtk models list shows it.")]
Names = Annotated[list[str], typer.Argument(metavar="NAME...", help="Models' names, as vtk models list shows them.")]
SomeNames = Annotated[list[str] | None, typer.Argument(
    metavar="[NAME]...", show_default=False, help="Models' names; without any, all that are on this machine.")]
Commercial = Annotated[bool, typer.Option(
    "--commercial", help="Those whose licence allows closed commercial products.")]
Json = Annotated[bool, typer.Option("--json", help="One JSON object a line.")]
Trust = Annotated[bool, typer.Option("--trust-weights", help="Take files whose sha256 nobody could confirm.")]
Offline = Annotated[bool, typer.Option("--offline", help="Never use the network.")]


@app.command("list")
def show(commercial: Commercial = False, as_json: Json = False) -> None:
    """List the models, their licence, and which are at hand.

    Example: vtk models list --commercial
    """
    from vtk.models import zoo

    rows = [_row(model) for model in zoo.MODELS.values() if model.commercial or not commercial]
    if as_json:
        import orjson

        for row in rows:
            typer.echo(orjson.dumps(row))
        return
    table = [("NAME", "TASK", "SIZE", "FIGURE", "LICENCE", "AT HAND")]
    table += [(row["name"] + (" (experimental)" if row["experimental"] else ""), row["task"], _size(row.get("bytes")),
               _figure(row["published"]), row["licence"], row.get("at_hand", "-")) for row in rows]
    widths = [max(len(line[column]) for line in table) for column in range(len(table[0]))]
    for line in table:
        typer.echo("  ".join(text.ljust(width) for text, width in zip(line, widths, strict=True)).rstrip())


@app.command()
def pull(names: Names, trust: Trust = False, offline: Offline = False) -> None:
    """Fetch the weights of models into the cache, where they are not at hand, and verify them.

    Example: vtk models pull yolo11n yolox-nano
    """
    from vtk.models import weights, zoo

    for model in [zoo.get(name) for name in names]:
        paths = weights.resolve(model, offline=offline, trust=trust).paths
        if model.hub:
            from vtk.models import hub

            paths = tuple(hub.fetch(model.name, file, offline) for file in model.hub)
        typer.echo(f"{model.name}: {', '.join(map(str, paths)) or 'needs no weights'}")


@app.command()
def path(name: Name) -> None:
    """Print where the weights of a model lie, one file a line; fail where they are not at hand.

    Example: vtk models path yolox-nano
    """
    from vtk.errors import WeightsError
    from vtk.models import weights, zoo

    model = zoo.get(name)
    places = _places(model)
    missing = [file for file, place in places if place is None]
    if missing:
        brings = "brings it" if model.hub or all(file.url for file in model.files) else "says what brings it"
        raise WeightsError(f"{', '.join(missing)} of {name} not found in the cache, VTK_MIRROR or a package; "
                           f"vtk models pull {name} {brings}")
    for _, place in places:
        typer.echo(str(place[1]))  # type: ignore[index]


@app.command()
def verify(names: SomeNames = None) -> None:
    """Read the weights that are at hand and compare their sha256; exit 1 where one is wrong or missing.

    Example: vtk models verify yolox-nano
    """
    from vtk.models import weights, zoo

    models = [zoo.get(name) for name in names] if names else [*filter(weights.at_hand, zoo.MODELS.values())]
    good = True
    for name, place in [each for model in models for each in _places(model)]:
        digest = weights.sha256_of(place[1], fresh=True) if place else None
        hashes = zoo.FILES[name].hashes if name in zoo.FILES else ()
        state = "missing" if digest is None else "ok" if digest in hashes else "WRONG" if hashes else "unknown"
        good = good and state in ("ok", "unknown")
        typer.echo(f"{state:8}{name}  {digest or '-'}  {place[1] if place else '-'}")
    if not good:
        raise typer.Exit(1)


def _places(model: Any) -> list[tuple[str, tuple[str, Any] | None]]:
    """Return each file of a model by name, and where it comes from and lies; None where it is not at hand."""
    from vtk.models import weights

    found = [(file.name, weights.locate(file)) for file in model.files]
    places = [(name, place and (place.origin, place.path)) for name, place in found]
    if model.hub:
        from vtk.models import hub

        places += [(f"{file.repository}/{file.name}", ("hub", path) if (path := hub.locate(file)) else None)
                   for file in model.hub]
    return places


def _row(model: Any) -> dict[str, Any]:
    """Return a model as one JSON object."""
    places = [place for _, place in _places(model)]
    origin = None if None in places else places[0][0] if places else "needs none"
    row = {
        "name": model.name, "task": model.task, "licence": model.licence, "commercial": model.commercial,
        "experimental": model.experimental, "trained_on": model.trained_on, "at_hand": origin,
        "bytes": (None if model.hub or any(file.bytes is None for file in model.files)
                  else sum(file.bytes for file in model.files)),
        "files": [{"name": file.name, "url": file.url, "sha256": file.sha256} for file in model.files]
        + [{"name": f"{file.repository}/{file.name}"} for file in model.hub],
        "published": [{"metric": figure.metric, "value": figure.value, "data": figure.data, "source": figure.source}
                      for figure in model.published],
    }  # fmt: skip
    return {key: value for key, value in row.items() if value is not None}


def _size(count: int | None) -> str:
    return "unknown" if count is None else "-" if count == 0 else f"{count / 1e6:.1f} MB"


def _figure(published: list[dict[str, Any]]) -> str:
    return f"{published[0]['metric']} {published[0]['value']:g}" if published else "-"
