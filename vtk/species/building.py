"""Range tables made of occurrences.

    table, tally = build([Path("occurrences.csv")], size=1.0)

Rows are counted by place, species and month in blocks, so that memory grows with the different ones of these, 16 bytes
each, and with 8 bytes for each row that has an id, by which rows that come twice are known, not with the files.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import fields
from pathlib import Path

import numpy as np

from vtk.errors import UsageError
from vtk.species.cells import Grid
from vtk.species.occurrences import Block, Reading, Rules, Tally, country_name
from vtk.species.ranges import RangeTable

MAP_SIZE = 1.0  # degrees of the cells by which a table of countries knows where a country is
# A place, a species and a month in one whole number: 24 bits of cell, 10 of country, 23 of species, 4 of month.
_MONTHS, _SPECIES, _COUNTRIES = 1 << 4, 1 << 23, 1 << 10
Heard = Callable[[int], object]


class Counts:
    """How often each of many whole numbers came, in sorted arrays."""

    def __init__(self) -> None:
        self._waiting: list[tuple[np.ndarray, np.ndarray]] = []
        self._length = 0
        self._codes, self._counts = np.empty(0, np.int64), np.empty(0, np.int64)

    def add(self, codes: np.ndarray) -> None:
        """Count (N,) int64 codes."""
        self._waiting.append(np.unique(codes, return_counts=True))
        self._length += len(self._waiting[-1][0])
        if self._length > max(len(self._codes), 1 << 20):  # merging as often as that costs O(log N) for each
            self.all()

    def all(self) -> tuple[np.ndarray, np.ndarray]:
        """Return (codes ascending, counts), both (K,) int64."""
        parts = [(self._codes, self._counts), *self._waiting]
        codes, counts = (np.concatenate(each) for each in zip(*parts, strict=True))
        order = np.argsort(codes, kind="stable")
        codes, counts = codes[order], counts[order]
        starts = np.flatnonzero(np.r_[True, codes[1:] != codes[:-1]]) if len(codes) else np.empty(0, np.int64)
        self._codes = codes[starts]
        self._counts = np.add.reduceat(counts, starts) if len(starts) else counts
        self._waiting, self._length = [], 0
        return self._codes, self._counts


class Seen:
    """The ids of rows that came, as sorted hashes."""

    def __init__(self) -> None:
        self._known: list[np.ndarray] = []

    def fresh(self, identities: np.ndarray) -> np.ndarray:
        """Return (N,) bool: rows whose id did not come before; a row without an id, 0, always is."""
        unique, first = np.unique(identities, return_index=True)
        found = np.zeros(len(identities), bool)
        found[first] = True
        for known in self._known:
            at = np.minimum(np.searchsorted(known, unique), len(known) - 1)
            found[first[known[at] == unique]] = False
        new = np.sort(identities[found])
        # Arrays of falling length, each at least twice the next: few to search, and each id is merged seldom.
        while self._known and len(self._known[-1]) < 2 * len(new):
            new = np.sort(np.concatenate([self._known.pop(), new]))
        if len(new):
            self._known.append(new)
        return found | (identities == 0)


def build(paths: Sequence[Path], size: float | None = 1.0, rules: Rules | None = None,
          heard: Heard = lambda rows: None) -> tuple[RangeTable, Tally]:
    """Return the range table of all files, and what became of their rows.

    Args:
        paths: tables of occurrences in Darwin Core; all that was observed of a group of animals or plants, since what
            else was seen at a place says how much was looked there.
        size: degrees of cells; None: countries are the places.
        rules: which rows count.
        heard: takes how many rows more were read.

    Raises:
        UsageError: a file cannot be read, or nothing is left of all.
        ValueError: no grid has cells of this size.
    """
    reading = Reading(rules or Rules())
    grid = Grid(MAP_SIZE if size is None else size)
    counts, where, seen, tally = Counts(), Counts(), Seen(), reading.tally
    for path in paths:
        before = tally.rows
        for block in reading.blocks(path):
            heard(tally.rows - before)
            before = tally.rows
            cell = _kept(block, size is None, grid, reading, seen)
            there = (cell >= 0) & (block.country >= 0)
            where.add(cell[there] * _COUNTRIES + block.country[there])
            place = (np.full_like(cell, -1) if size is None else cell) + 1
            counts.add(((place * _COUNTRIES + block.country + 1) * _SPECIES + block.species) * _MONTHS + block.month)
    if tally.kept == tally.above:
        raise UsageError(f"{', '.join(map(str, paths))}: no observation of a species is left of {tally.rows} rows"
                         + "".join(f"; {line}" for line in tally.lines()))
    if len(reading.names.paths) > _SPECIES:
        raise UsageError(f"{len(reading.names.paths)} species: a table has {_SPECIES} at most")
    return _table(counts, where, reading, size, grid), tally


def _kept(block: Block, by_country: bool, grid: Grid, reading: Reading, seen: Seen) -> np.ndarray:
    """Leave in ``block`` the rows that count, and return their cells, (N,) int64, -1 where they have no coordinates."""
    tally, rules = reading.tally, reading.rules
    given = ~(np.isnan(block.latitude) & np.isnan(block.longitude))
    with np.errstate(invalid="ignore"):
        possible = (np.abs(block.latitude) <= 90) & (np.abs(block.longitude) <= 180)
    zero = (block.latitude == 0) & (block.longitude == 0)
    uncertain = given & ~(block.uncertainty <= rules.uncertainty)
    nowhere = (block.country < 0) & (True if by_country else ~given)
    keep = np.ones(len(block.line), bool)
    for reason, wrong in (("coordinates", given & ~possible), ("zero", zero), ("uncertain", uncertain),
                          ("nowhere", nowhere)):
        tally.drop(reason, block.path, block.line[keep & wrong])
        keep &= ~wrong
    twice = np.zeros(len(keep), bool)
    twice[keep] = ~seen.fresh(block.identity[keep])
    tally.drop("duplicate", block.path, block.line[twice])
    keep &= ~twice
    for each in fields(block)[1:]:
        setattr(block, each.name, getattr(block, each.name)[keep])
    tally.kept += len(block.line)
    tally.above += int((block.species == 0).sum())
    tally.undated += int((block.month == 0).sum())
    cell = np.full(len(block.line), -1, np.int64)
    there = ~np.isnan(block.latitude)
    cell[there] = grid.cells_of(block.latitude[there], block.longitude[there])
    return cell


def _table(counts: Counts, where: Counts, reading: Reading, size: float | None, grid: Grid) -> RangeTable:
    """Return the table of what was counted; species come in the order of their names, whatever the rows' order."""
    codes, number = counts.all()
    place, rest = np.divmod(codes, _SPECIES * _MONTHS)
    species, month = np.divmod(rest, _MONTHS)
    unique, place = np.unique(place, return_inverse=True)
    effort = np.zeros((len(unique), 13), np.int64)
    np.add.at(effort, (place, month), number)
    names = sorted(range(1, len(reading.names.paths)), key=lambda each: reading.names.paths[each][0])
    rank = np.full(len(reading.names.paths), -1, np.int64)
    rank[names] = np.arange(len(names))
    named = species > 0
    place, species, month, number = place[named], rank[species[named]], month[named], number[named]
    order = np.lexsort((month, species, place))
    codes, weight = where.all()
    cell, country = np.divmod(codes, _COUNTRIES)
    best = np.lexsort((country, -weight, cell))
    first = best[np.unique(cell[best], return_index=True)[1]]
    place_cell, place_country = np.divmod(unique, _COUNTRIES)
    accepted = {path[0] for path in reading.names.paths}
    synonyms = sorted((other, name) for other, name in reading.names.synonyms.items() if name and other not in accepted)
    return RangeTable(
        grid.size, size is None, tuple(reading.names.paths[each] for each in names), tuple(synonyms),
        place_cell - 1, tuple(country_name(int(each) - 1) for each in place_country), effort,
        place[order], species[order], month[order], number[order],
        cell[first], tuple(country_name(int(each)) for each in country[first]), reading.tally.rows)
