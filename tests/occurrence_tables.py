"""Tables of occurrences for tests, as GBIF exports them."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

COLUMNS = ("gbifID", "class", "order", "family", "genus", "species", "taxonRank", "scientificName", "countryCode",
           "occurrenceStatus", "individualCount", "decimalLatitude", "decimalLongitude",
           "coordinateUncertaintyInMeters", "eventDate", "month", "year", "basisOfRecord")
FOX = {"class": "Mammalia", "order": "Carnivora", "family": "Canidae", "genus": "Vulpes", "species": "Vulpes vulpes",
       "taxonRank": "SPECIES", "scientificName": "Vulpes vulpes (Linnaeus, 1758)"}
LYNX = FOX | {"family": "Felidae", "genus": "Lynx", "species": "Lynx lynx", "scientificName": "Lynx lynx L."}
WOLF = FOX | {"genus": "Canis", "species": "Canis lupus", "scientificName": "Canis lupus Linnaeus, 1758"}
SEEN = {"basisOfRecord": "HUMAN_OBSERVATION", "occurrenceStatus": "PRESENT"}


def at(latitude: float | str, longitude: float | str, country: str = "", when: str = "") -> dict[str, str]:
    """Return the fields of a place and a day."""
    return {"decimalLatitude": str(latitude), "decimalLongitude": str(longitude), "countryCode": country,
            "eventDate": when}


def write(path: Path, rows: Iterable[dict[str, str]], delimiter: str = "\t", encoding: str = "utf-8",
          columns: tuple[str, ...] = COLUMNS) -> Path:
    """Write rows as a table; what a row does not say is empty, its id is its number."""
    lines = [delimiter.join(columns)]
    lines += [delimiter.join((SEEN | {"gbifID": str(number)} | row).get(column, "") for column in columns)
              for number, row in enumerate(rows, 1)]
    path.write_bytes(("\n".join(lines) + "\n").encode(encoding, "surrogateescape"))
    return path
