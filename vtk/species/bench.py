"""What making a range table takes: ``python -m vtk.species.bench [--rows 1000000]``.

Rows are made as GBIF's simple export has them: 50 columns, tabs, about 430 bytes; species by Zipf's law, places in
clusters, as people report. Timed are whole processes on Linux, and beside them reading the same file with Python's csv alone.
"""

from __future__ import annotations

import csv
import json
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Annotated

import numpy as np
import typer

from vtk.species.range_files import read_ranges

TURNS = 5
# The columns of GBIF's simple export, in its order.
COLUMNS = (
    "gbifID datasetKey occurrenceID kingdom phylum class order family genus species infraspecificEpithet taxonRank "
    "scientificName verbatimScientificName verbatimScientificNameAuthorship countryCode locality stateProvince "
    "occurrenceStatus individualCount publishingOrgKey decimalLatitude decimalLongitude coordinateUncertaintyInMeters "
    "coordinatePrecision elevation elevationAccuracy depth depthAccuracy eventDate day month year taxonKey speciesKey "
    "basisOfRecord institutionCode collectionCode catalogNumber recordNumber identifiedBy dateIdentified license "
    "rightsHolder recordedBy typeStatus establishmentMeans lastInterpreted mediaType issue").split()
_COUNTRIES = "US GB DE FR SE ES AU ZA BR IN CA NL".split()
# A command line that says on stderr how much memory it took: what a parent asks the system would count its own, too.
_MEASURED = """
import sys
from vtk.cli import main
try:
    main()
finally:
    status = dict(line.split(":", 1) for line in open("/proc/self/status"))
    print(status["VmHWM"].split()[0], file=sys.stderr)
"""
_DATASET = "50c9509d-22c7-4a22-a47d-8c48425ef4a7"


def write_occurrences(path: Path, rows: int, species: int, seed: int = 0) -> None:
    """Write a table of made-up occurrences, some of them wrong: a thousandth has no place, or one at 0, 0.

    Args:
        path: of the file.
        rows, species: how many.
        seed: of what is drawn.
    """
    rng = np.random.default_rng(seed)
    share = 1 / np.arange(1, species + 1)
    kinds = rng.choice(species, rows, p=share / share.sum())
    towns = np.stack([rng.uniform(-55, 70, 3000), rng.uniform(-180, 180, 3000)], 1)
    town = np.minimum(rng.zipf(1.3, rows) - 1, len(towns) - 1)
    places = towns[town] + rng.normal(0, 0.3, (rows, 2))
    places[:, 1] = np.mod(places[:, 1] + 180, 360) - 180
    places[rng.random(rows) < 0.001] = 0
    days = rng.integers(0, 5000, rows).astype("datetime64[D]") + np.datetime64("2010-01-01", "D").astype(int)
    with path.open("w", encoding="utf-8") as file:
        file.write("\t".join(COLUMNS) + "\n")
        for number, (kind, where, day) in enumerate(zip(kinds.tolist(), places.tolist(), days.tolist(), strict=True)):
            file.write("\t".join(_row(number, kind, where, day, _COUNTRIES[town[number] % 12])) + "\n")


def _row(number: int, kind: int, where: list[float], day: date, country: str) -> list[str]:
    genus, epithet = f"Genus{'abcdefghij'[kind % 10]}", f"species{_letters(kind)}"
    values = {
        "gbifID": f"{4_000_000_000 + number}", "datasetKey": _DATASET, "occurrenceID": f"urn:made:{number}",
        "kingdom": "Animalia", "phylum": "Chordata", "class": "Aves", "order": "Passeriformes",
        "family": f"Family{kind % 7}", "genus": genus, "species": f"{genus} {epithet}", "taxonRank": "SPECIES",
        "scientificName": f"{genus} {epithet} Linnaeus, 1758", "verbatimScientificName": f"{genus} {epithet}",
        "countryCode": country, "locality": "By the lake, north of the \"old\" mill", "occurrenceStatus": "PRESENT",
        "individualCount": "1", "publishingOrgKey": _DATASET, "decimalLatitude": f"{where[0]:.6f}",
        "decimalLongitude": f"{where[1]:.6f}", "coordinateUncertaintyInMeters": "25.0", "eventDate": day.isoformat(),
        "day": f"{day.day}", "month": f"{day.month}", "year": f"{day.year}", "taxonKey": f"{kind}",
        "speciesKey": f"{kind}", "basisOfRecord": "HUMAN_OBSERVATION", "recordedBy": "Somebody Else",
        "license": "CC_BY_4_0", "rightsHolder": "Somebody Else", "lastInterpreted": "2026-01-01T00:00:00.000Z"}
    return [values.get(column, "") for column in COLUMNS]


def _letters(number: int) -> str:
    return "".join(chr(97 + int(digit)) for digit in str(number))


def seconds(work: Callable[[], object]) -> float:
    """Return how long ``work`` takes."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def main(rows: Annotated[int, typer.Option(min=1, help="Of the table that is made.")] = 1_000_000,
         species: Annotated[int, typer.Option(min=1, help="Different ones.")] = 5000,
         turns: Annotated[int, typer.Option(min=1, help="Times that each is timed, in turn.")] = TURNS) -> None:
    """Time vtk species prior build as a whole process, and queries, and print one JSON object."""
    with tempfile.TemporaryDirectory() as folder:
        table, ranges = Path(folder) / "occurrences.csv", Path(folder) / "ranges.npz"
        write_occurrences(table, rows, species)
        command = [sys.executable, "-c", _MEASURED, "species", "prior", "build", str(table), "-o", str(ranges), "-q",
                   "--overwrite"]
        peaks = []

        def build() -> None:
            said = subprocess.run(command, check=True, capture_output=True, text=True).stderr
            peaks.append(int(said) / 1024)

        def plain() -> None:
            with table.open(encoding="utf-8", newline="") as file:
                for _ in csv.reader(file, delimiter="\t", quoting=csv.QUOTE_NONE):
                    pass

        times = [(seconds(build), seconds(plain)) for _ in range(turns)]
        built, reading = (statistics.median(each) for each in zip(*times, strict=True))
        opening = seconds(lambda: read_ranges(ranges))
        found = read_ranges(ranges)
        names = found.species
        first = seconds(lambda: found.log_prior(names, 52.5, 13.4, date(2026, 5, 1)))
        places = np.random.default_rng(1).uniform((-55, -180), (70, 180), (200, 2)).tolist()
        later = [seconds(lambda: found.log_prior(names, *place, date(2026, 5, 1))) for place in places]  # noqa: B023
        print(json.dumps({
            "rows": rows, "species": len(names), "megabytes": round(table.stat().st_size / 1e6),
            "seconds": round(built, 2), "rows_per_second": round(rows / built),
            "times_csv_alone": round(built / reading, 2),
            "peak_megabytes": round(max(peaks)), "file_megabytes": round(ranges.stat().st_size / 1e6, 2),
            "open_ms": round(1000 * opening, 1), "first_query_ms": round(1000 * first, 1),
            "query_ms": round(1000 * statistics.median(later), 2), "turns": turns, "cpu": platform.processor() or
            platform.machine(), "python": platform.python_version(), "date": date.today().isoformat()}))


if __name__ == "__main__":
    typer.run(main)
