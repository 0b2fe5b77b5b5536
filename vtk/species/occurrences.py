"""Occurrences in Darwin Core, as GBIF exports them, read in blocks: who was seen where, in which month.

A row is one observation however many animals it counts: a flock is one look at a place. Rows that say nothing of where
a species lives are left out and counted by reason, with the numbers of the first few; none stops the reading.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from operator import itemgetter
from pathlib import Path

import numpy as np

from vtk.errors import UsageError
from vtk.species.countries import code_of
from vtk.species.names import binomial, filled, key_of
from vtk.species.tables import Table, is_text, open_table

BLOCK = 1 << 16  # rows that are held at once
SHOWN = 5  # rows of a reason that are named
_REMEMBERED = 1 << 18  # different dates that are kept as read
# What is read, each by the first of its names that there is.
COLUMNS = (("species",), ("scientificName", "canonicalName"), ("taxonRank",), ("decimalLatitude",),
           ("decimalLongitude",), ("countryCode",), ("eventDate",), ("year",), ("month",), ("individualCount",),
           ("basisOfRecord",), ("coordinateUncertaintyInMeters",), ("occurrenceStatus",),
           ("gbifID", "occurrenceID", "id"))
PATH = (("genus",), ("family",), ("order",), ("class",))
LEFT_OUT = ("FOSSIL_SPECIMEN", "LIVING_SPECIMEN")
# Why rows are left out; those of BROKEN are no rows of occurrences at all.
REASONS = {
    "broken": "cannot be read", "name": "a name that is not UTF-8 (iconv -f LATIN1 -t UTF-8 turns Latin-1)",
    "number": "coordinates or an uncertainty that are no numbers", "unnamed": "no name",
    "basis": "a kind of record that is left out", "future": "a date in the future", "absent": "nothing was there",
    "coordinates": "impossible coordinates", "zero": "0, 0, where coordinates are put that nobody knew",
    "uncertain": "may lie further off than is let pass", "nowhere": "neither coordinates nor a country",
    "duplicate": "an id that was there already"}
BROKEN = ("broken", "name", "number")
_DATE = re.compile(r"(\d{4})(?:-(\d\d?)(?:-(\d\d?))?)?(?!\d)")


@dataclass(frozen=True, slots=True)
class Rules:
    """What counts as an observation.

    Attributes:
        left_out: basisOfRecord that does not: what lies in the ground, and what is kept in a zoo or garden.
        uncertainty: metres that a place may be off.
        today: later dates are wrong.
    """

    left_out: tuple[str, ...] = LEFT_OUT
    uncertainty: float = 50_000.0
    today: date = field(default_factory=date.today)


@dataclass(slots=True)
class Tally:
    """What became of the rows.

    Attributes:
        rows: that were read, without heads of columns.
        kept: of them, observations.
        above: observations that name no species, but a genus or more: they count as effort alone.
        undated: observations without a month.
        dropped: how many were left out, by reason.
        first: (file, line number) of the first few of each reason.
    """

    rows: int = 0
    kept: int = 0
    above: int = 0
    undated: int = 0
    dropped: dict[str, int] = field(default_factory=dict)
    first: dict[str, list[tuple[str, int]]] = field(default_factory=dict)

    def drop(self, reason: str, path: Path, numbers: Sequence[int]) -> None:
        """Count rows that are left out for a reason."""
        if len(numbers):
            self.dropped[reason] = self.dropped.get(reason, 0) + len(numbers)
            shown = self.first.setdefault(reason, [])
            shown.extend((path.name, int(number)) for number in numbers[: max(0, SHOWN - len(shown))])

    def lines(self) -> list[str]:
        """Return a line for each reason: how many rows, why, and which the first are."""
        return [f"{count} row{'s' if count > 1 else ''} left out, {REASONS[reason]}: "
                f"{', '.join(f'{name} line {number}' for name, number in self.first[reason])}"
                f"{', …' if count > len(self.first[reason]) else ''}"
                for reason, count in sorted(self.dropped.items(), key=lambda each: list(REASONS).index(each[0]))]


@dataclass(slots=True)
class Block:
    """Rows side by side; all arrays are (N,).

    Attributes:
        path: of the file.
        line: int64, line numbers.
        species: int64, index into ``Names.paths``; 0: named above the species.
        latitude, longitude: float64 degrees; NaN where there is none.
        country: int64, 26 · first letter + second, from 0; -1 unknown.
        month: int64, 1 to 12; 0 unknown.
        uncertainty: float64, metres; 0 where not said.
        identity: int64, hash of the row's id; 0 where it has none.
    """

    path: Path
    line: np.ndarray
    species: np.ndarray
    latitude: np.ndarray
    longitude: np.ndarray
    country: np.ndarray
    month: np.ndarray
    uncertainty: np.ndarray
    identity: np.ndarray


class Names:
    """The species that were met, in the order in which they were, and other names that they came by.

    Attributes:
        paths: (species, genus, family, order, class) of each; the first is nobody. "" where a rank was not given.
        synonyms: other name → the species that it was said to be, or None where it was said to be several.
    """

    def __init__(self) -> None:
        self.paths: list[tuple[str, ...]] = [("",) * 5]
        self.synonyms: dict[str, str | None] = {}
        self._places: dict[str, int] = {}

    def place(self, species: str, scientific: str, rank: str, above: Sequence[str]) -> int:
        """Return the index of a row's species; 0 where it names none but something above, -1 where it names nothing."""
        written = binomial(scientific, rank)
        name = binomial(species) or written
        if not name:
            return 0 if scientific or any(above) else -1
        place = self._places.setdefault(key_of(name), len(self.paths))
        path = (name, above[0] or name.removeprefix("× ").partition(" ")[0], *above[1:])
        if place == len(self.paths):
            self.paths.append(path)
        self.paths[place] = filled(self.paths[place], path)
        if written and key_of(written) != key_of(name):
            known = self.synonyms.setdefault(written, self.paths[place][0])
            if known != self.paths[place][0]:
                self.synonyms[written] = None
        return place


class Reading:
    """Reads tables of occurrences into blocks, and counts what becomes of rows.

    Args:
        rules: what counts.
    """

    def __init__(self, rules: Rules) -> None:
        self.rules, self.tally, self.names = rules, Tally(), Names()
        self._left_out = {plain(basis) for basis in rules.left_out}
        self._dates: dict[tuple[str, str, str], int] = {}
        self._countries: dict[str, int] = {}

    def blocks(self, path: Path) -> Iterator[Block]:
        """Yield the rows of a file that say where something was seen, some ten thousand at a time.

        Raises:
            UsageError: the file cannot be read, or has no column of names or of places.
        """
        def bad(number: int, why: str) -> None:
            self.tally.rows += 1
            self.tally.drop("broken", path, [number])

        with open_table(path, bad) as table:
            rows: list[tuple[int | float, ...]] = []
            for row in self._rows(table):
                rows.append(row)
                if len(rows) == BLOCK:
                    yield _block(path, rows)
                    rows = []
            if rows:
                yield _block(path, rows)

    def _rows(self, table: Table) -> Iterator[tuple[int | float, ...]]:
        """Yield (line, species, latitude, longitude, country, month, uncertainty, identity) of what can be read."""
        take = itemgetter(*_places(table))
        above = itemgetter(*(table.place(*names) for names in PATH))
        known: dict[tuple[str, str, str], int] = {}
        kinds: dict[str, bool] = {"": False}
        absent: dict[str, bool] = {"": False}
        tally, path, dates, countries, nan = self.tally, table.path, self._dates, self._countries, math.nan
        for number, row in table.rows:
            tally.rows += 1
            row.append("")  # what a missing column, at -1, has
            (species, scientific, rank, latitude, longitude, country, when, year, month, count, basis, doubt, status,
             identity) = take(row)
            try:
                line = (float(latitude) if latitude else nan, float(longitude) if longitude else nan,
                        float(doubt) if doubt else 0.0)
            except ValueError:
                tally.drop("number", path, [number])
                continue
            if (name := known.get((species, scientific, rank))) is None:
                if not is_text(species) or not is_text(scientific):
                    tally.drop("name", path, [number])
                    continue
                wider = [each if is_text(each) else "" for each in above(row)]
                name = self.names.place(species, scientific, rank, wider)
                known[species, scientific, rank] = name
            if (left_out := kinds.get(basis)) is None:
                left_out = kinds[basis] = plain(basis) in self._left_out
            if (missed := absent.get(status)) is None:
                missed = absent[status] = plain(status) == "ABSENT"
            if (dated := dates.get((when[:10], year, month))) is None:
                dated = self._dated(when, year, month)
            if (code := countries.get(country)) is None:
                code = self._country(country)
            if name < 0 or left_out or dated < 0 or count == "0" or missed:
                reason = ("unnamed" if name < 0 else "basis" if left_out else "future" if dated < 0 else "absent")
                tally.drop(reason, path, [number])
                continue
            yield number, name, line[0], line[1], code, dated, line[2], hash(identity) if identity else 0

    def _dated(self, when: str, year: str, month: str) -> int:
        """Return a row's month; 0 unknown, -1 of the future. It is remembered, as far as it hangs on the arguments."""
        found = month_of(when, year, month, self.rules.today)
        if "/" not in when:
            if len(self._dates) >= _REMEMBERED:
                self._dates.clear()
            self._dates[when[:10], year, month] = found
        return found

    def _country(self, country: str) -> int:
        code = code_of(country)
        found = (ord(code[0]) - 65) * 26 + ord(code[1]) - 65 if code else -1
        if len(self._countries) < _REMEMBERED:
            self._countries[country] = found
        return found


def month_of(when: str, year: str, month: str, today: date) -> int:
    """Return the month of an observation, 1 to 12; 0 where it is not known or several, -1 where it is to come.

    Args:
        when: eventDate of ISO 8601, or an interval of two.
        year, month: columns of their own, which count more: GBIF has read the date for them.
        today: the last day that can be.
    """
    dates = [found.groups() for part in when.split("/") if (found := _DATE.match(part.strip()))]
    first = [int(part or 0) for part in dates[0]] if dates else [0, 0, 0]
    years, months = (int(text) if text.strip().isascii() and text.strip().isdigit() else 0 for text in (year, month))
    if not 1 <= months <= 12:
        same = len({(each[0], each[1]) for each in dates}) == 1
        months = first[1] if same and 1 <= first[1] <= 12 else 0
    years = years or first[0]
    day = first[2] if first[:2] == [years, months] else 1
    return -1 if (years, months or 1, day) > (today.year, today.month, today.day) else months


def plain(word: str) -> str:
    """Return a word of a vocabulary as GBIF writes it, without its underscores: FossilSpecimen is FOSSILSPECIMEN."""
    return word.replace("_", "").replace(" ", "").upper()


def country_name(code: int) -> str:
    """Return the two letters of a country's number in a block; "" for -1."""
    return "" if code < 0 else chr(65 + code // 26) + chr(65 + code % 26)


def _places(table: Table) -> list[int]:
    """Return where the columns are. Raises UsageError where names or places are missing."""
    found = [table.place(*names) for names in COLUMNS]
    if found[0] < 0 and found[1] < 0:
        raise UsageError(f"{table.path}: no column species or scientificName (it has {_some(table)}): expected "
                         "occurrences in Darwin Core, as GBIF exports them")
    if (found[3] < 0 or found[4] < 0) and found[5] < 0:
        raise UsageError(f"{table.path}: neither decimalLatitude and decimalLongitude nor countryCode (it has "
                         f"{_some(table)}): nothing says where")
    return found


def _some(table: Table) -> str:
    return ", ".join(table.columns[:8]) + (", …" if len(table.columns) > 8 else "")


def _block(path: Path, rows: list[tuple[int | float, ...]]) -> Block:
    line, species, latitude, longitude, country, month, uncertainty, identity = zip(*rows, strict=True)
    whole = (np.array(each, np.int64) for each in (line, species, country, month, identity))
    line, species, country, month, identity = whole
    return Block(path, line, species, np.array(latitude), np.array(longitude), country, month, np.array(uncertainty),
                 identity)
