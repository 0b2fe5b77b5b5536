"""``vtk species``: what is known of species before anyone looks at a picture."""

from pathlib import Path
from typing import Annotated, Any

import typer

app = typer.Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False, no_args_is_help=True,
                  help="Keep what is known of species: where and when they were seen.")
prior = typer.Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False, no_args_is_help=True,
                    help="Make and read range tables: which species were seen where, and in which month.")
app.add_typer(prior, name="prior")

Occurrences = Annotated[list[Path], typer.Argument(
    metavar="OCCURRENCES", show_default=False,
    help="Tables in Darwin Core as GBIF exports them: tabs or commas, UTF-8, plain, gzip or zip.")]
Target = Annotated[Path, typer.Option("-o", "--output", metavar="FILE", show_default=False,
                                      help="The range table, which appears when it is complete.")]
Cells = Annotated[str, typer.Option(metavar="DEGREES|country",
                                    help="Height of cells in degrees, which are as wide at the equator and of one area "
                                         "everywhere; or whole countries.")]
LeaveOut = Annotated[str, typer.Option("--leave-out", metavar="KIND,…",
                                       help="basisOfRecord that does not count; '' counts all.")]
Uncertainty = Annotated[float, typer.Option("--max-uncertainty", min=0.0, metavar="METRES",
                                            help="Leave out what may lie further off than this.")]
Overwrite = Annotated[bool, typer.Option("--overwrite", help="Replace an output that exists.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="No messages on stderr.")]
Ranges = Annotated[Path, typer.Argument(metavar="RANGES", show_default=False,
                                         help="As vtk species prior build made it.")]
Latitude = Annotated[float | None, typer.Option("--lat", metavar="DEGREES", show_default=False, help="Latitude.")]
Longitude = Annotated[float | None, typer.Option("--lon", metavar="DEGREES", show_default=False, help="Longitude.")]
Country = Annotated[str | None, typer.Option(metavar="XX", show_default=False, help="Two letters of ISO 3166-1.")]
Day = Annotated[str | None, typer.Option("--date", metavar="YYYY-MM-DD", show_default=False,
                                            help="Day of the picture.")]
Top = Annotated[int, typer.Option(min=1, metavar="N", help="Species to show, the likeliest first.")]
Json = Annotated[bool, typer.Option("--json", help="JSON in place of a table.")]


@prior.command()
def build(occurrences: Occurrences, output: Target, cells: Cells = "1",
          left_out: LeaveOut = "FOSSIL_SPECIMEN,LIVING_SPECIMEN", max_uncertainty: Uncertainty = 50_000.0,
          overwrite: Overwrite = False, quiet: Quiet = False) -> None:
    """Make a range table of what was observed of a group of animals or plants.

    Give all that was seen of the group, of all species: how much else was seen at a place says how much was looked
    there. Prints what became of the rows, one JSON object. Rows that say nothing of where a species lives are counted
    by reason and the first few named; rows that cannot be read end with code 1, and stop nothing. Streams: holds the
    different species, cells and months, and 8 bytes a row.

    Example: vtk species prior build occurrences.csv -o ranges.npz
    """
    import sys

    import orjson

    from vtk.driver.output import check_target
    from vtk.driver.progress import counted
    from vtk.errors import EXIT_PARTIAL, UsageError
    from vtk.species import building
    from vtk.species.occurrences import BROKEN, Rules
    from vtk.species.range_files import write_ranges

    check_target(output, overwrite, resumable=False)
    rules = Rules(tuple(kind for kind in left_out.split(",") if kind.strip()), max_uncertainty)
    try:
        with counted(0, "row", quiet) as heard:
            table, tally = building.build(occurrences, _size(cells), rules, heard)
    except ValueError as error:
        raise UsageError(f"--cells: {error}") from None
    write_ranges(table, output)
    for line in [] if quiet else tally.lines():
        print(f"vtk species: {line}", file=sys.stderr)
    typer.echo(orjson.dumps({
        "rows": tally.rows, "observations": tally.kept, "species": len(table.paths), "places": len(table.place_cell),
        "above_species": tally.above, "without_month": tally.undated, "left_out": tally.dropped, "hash": table.hash}))
    if any(reason in tally.dropped for reason in BROKEN):
        raise typer.Exit(EXIT_PARTIAL)


@prior.command()
def show(ranges: Ranges, latitude: Latitude = None, longitude: Longitude = None, country: Country = None,
         day: Day = None, top: Top = 20, as_json: Json = False) -> None:
    """Show what a range table holds, or which species it expects at a place.

    PERCENT is the share among all its species, SEEN how often one was seen in the region that is named on top. --json
    gives one object.

    Example: vtk species prior show lives.npz --lat 52.5 --lon 13.4 --date 2026-05-01
    """
    import numpy as np
    import orjson

    from vtk.errors import UsageError
    from vtk.species.range_files import read_ranges

    table = read_ranges(ranges)
    if latitude is None and longitude is None and country is None:
        if day:
            raise UsageError("--date needs a place: --lat and --lon, or --country")
        months = table.effort.sum(0)
        said: dict[str, Any] = {
            "cells": "country" if table.by_country else f"{table.size:g} degrees", "species": len(table.paths),
            "places": len(table.place_cell), "countries": len(set(table.place_country) - {""}),
            "observations": int(months.sum()), "without_month": int(months[0]), "synonyms": len(table.synonyms),
            "rows": table.rows, "hash": table.hash}
        typer.echo(orjson.dumps(said) if as_json else "\n".join(f"{key:14}{value}" for key, value in said.items()))
        return
    try:
        found = table.at(latitude, longitude, _day(day), country)
    except ValueError as error:
        raise UsageError(str(error)) from None
    said = {"level": found.level, "observations": found.effort, "species": []}
    if found.shares is not None and found.counts is not None:
        best = np.argsort(-found.shares, kind="stable")[:top]
        said["species"] = [{"name": table.paths[place][0], "percent": round(100 * float(found.shares[place]), 4),
                            "seen": int(found.counts[place])} for place in best]
    if as_json:
        typer.echo(orjson.dumps(said))
        return
    typer.echo("unknown place: all species are equal" if found.shares is None
               else f"{found.level}: {found.effort} observations\n\n  PERCENT     SEEN  NAME")
    for row in said["species"]:
        typer.echo(f"{row['percent']:9.4f}{row['seen']:9d}  {row['name']}")


def _size(cells: str) -> float | None:
    """Return degrees; None for whole countries."""
    if cells == "country":
        return None
    try:
        return float(cells)
    except ValueError:
        raise ValueError(f"'{cells}': expected degrees, such as 0.5, or country") from None


def _day(text: str | None) -> Any:
    """Return the date of a text of ISO 8601; None for None."""
    from datetime import date

    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        raise ValueError(f"--date {text}: expected a day such as 2026-05-01") from None
