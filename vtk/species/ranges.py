"""What lives where and when: a range table, and what it says of a place before anyone looks at a picture.

    table = read_ranges(Path("ranges.npz"))
    table.log_prior(["Vulpes vulpes", "Lynx lynx"], 52.5, 13.4, date(2026, 5, 1))   # (2,) float32
    table.log_prior(names, country="DE"); table.mask(names, 52.5, 13.4)

People report what they see where they are, so counts follow people. What is corrected: the share that a species has of
all observations of a place stands for it, not their number, and in a region each observation of a place counts
1 / (N + SMOOTHING), N being the place's number of observations, so that no city outweighs the land around it. Shares
of few observations lean on those of the wider region, from all the world to continent, country, the cell with those
around it, and the cell:

    p(s | region) = (N · share(s | region) + SMOOTHING · p(s | wider region)) / (N + SMOOTHING)

and the world's on 1 / S. A date multiplies by p(s | around, month) / p(s | around), where the months before and after
count half and few observations lean on the whole year.

Source: other species of the same group as measure of effort, Phillips et al., Ecological Applications 19 (2009),
"target-group background"; shares that lean on wider ones, MacKay and Peto, Natural Language Engineering 1 (1995). The
values of SMOOTHING, FLOOR and ENOUGH are chosen, not measured.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cached_property

import numpy as np

from vtk.species.cells import Grid
from vtk.species.countries import CONTINENT_OF, code_of
from vtk.species.names import key_of

SMOOTHING = 20.0  # observations that the wider region counts for
FLOOR = 1e-5  # the least share, so that no species is impossible
ENOUGH = 100  # observations of a place from which on what was never seen there counts as absent
MONTHS = 13  # of which the first is no month


@dataclass(frozen=True, slots=True)
class Local:
    """What a table says of a place.

    Attributes:
        level: the narrowest region with observations, of cell, around (it, and those that touch it), country, unknown.
        effort: observations there.
        shares: (S,) float64, sum 1 or less, as far as observations name a species; None where the place is unknown.
        counts: (S,) int64, how often each was seen there, in any month; None where the place is unknown.
    """

    level: str
    effort: int
    shares: np.ndarray | None = None
    counts: np.ndarray | None = None


@dataclass(frozen=True, slots=True)
class _Region:
    """Observations of a region: their number, and (S,) shares of species in them, corrected for effort."""

    effort: float
    shares: np.ndarray


@dataclass(frozen=True, eq=False)
class RangeTable:
    """Observations by place, species and month.

    Attributes:
        size: degrees of the grid's cells.
        by_country: whether places are countries; else the cells of the grid that lie in a country.
        paths: (species, genus, family, order, class) of S species, ordered by name; "" where not known.
        synonyms: (other name, species).
        place_cell: (P,) int64 cells; -1: known by country alone.
        place_country: P two-letter codes; "": unknown.
        effort: (P, 13) int64, all observations of a place by month; those of month 0 have none.
        row_place, row_species, row_month, row_count: (K,) int64, how often a species was seen; ordered by place.
        map_cell, map_country: in which country most observations of a cell lie; cells ascending.
        rows: that it was made of, those left out too.
    """

    size: float
    by_country: bool
    paths: tuple[tuple[str, ...], ...]
    synonyms: tuple[tuple[str, str], ...]
    place_cell: np.ndarray
    place_country: tuple[str, ...]
    effort: np.ndarray
    row_place: np.ndarray
    row_species: np.ndarray
    row_month: np.ndarray
    row_count: np.ndarray
    map_cell: np.ndarray
    map_country: tuple[str, ...]
    rows: int

    @property
    def species(self) -> list[str]:
        """The names of its species, in their order."""
        return [path[0] for path in self.paths]

    @cached_property
    def hash(self) -> str:
        """Twelve hexadecimal digits of the sha256 of all it holds."""
        digest = hashlib.sha256(json.dumps([self.size, self.by_country, self.paths, self.synonyms, self.place_country,
                                            self.map_country, self.rows]).encode())
        for array in (self.place_cell, self.effort, self.row_place, self.row_species, self.row_month, self.row_count,
                      self.map_cell):
            digest.update(np.ascontiguousarray(array, "<i8").tobytes())
        return digest.hexdigest()[:12]

    def indices(self, names: Sequence[str]) -> np.ndarray:
        """Return which species names mean, by spelling or synonym: (C,) int64, -1 where it knows none of that name."""
        return np.array([self._index.get(key_of(name), -1) for name in names], np.int64)

    def missing(self, names: Sequence[str]) -> list[str]:
        """Return those of the names that the table has no species for: it says nothing of them."""
        return [name for name, place in zip(names, self.indices(names), strict=True) if place < 0]

    def log_prior(self, names: Sequence[str], latitude: float | None = None, longitude: float | None = None,
                  when: date | None = None, *, country: str | None = None, floor: float = FLOOR) -> np.ndarray:
        """Return log p(species | place, date) over the names asked for.

        Args:
            names: C species; one that the table does not have gets 1 / C, since it knows nothing of it.
            latitude, longitude: degrees; None: known by country alone, or not at all.
            when: day of the observation; None: unknown.
            country: two letters of ISO 3166-1; None: that of the cell.
            floor: added to each share before they are made to sum to 1 again.

        Returns:
            (C,) float32; all -log C where the place is unknown or nothing was ever observed there.

        Raises:
            ValueError: no such place or country, a day to come, half a place, or a floor out of [0, 1].
        """
        if not 0 <= floor <= 1:
            raise ValueError(f"floor {floor:g}: expected 0 to 1")
        shares = self.at(latitude, longitude, when, country).shares
        which = self.indices(names)
        known = which >= 0
        found = np.full(len(names), 1 / max(1, len(names)))
        if shares is not None and known.any():
            asked = shares[which[known]]
            found[known] = asked / asked.sum() * known.mean()
        with np.errstate(divide="ignore"):
            return np.log((found + floor) / (1 + len(names) * floor)).astype(np.float32)

    def mask(self, names: Sequence[str], latitude: float | None = None, longitude: float | None = None, *,
             country: str | None = None, enough: int = ENOUGH) -> np.ndarray:
        """Return which species may be there: those that were seen in the cell or one that touches it.

        Where fewer than ``enough`` observations were made there, those that were seen in the country; where that is not
        enough either, or none of the names was seen, all. A species that the table does not have may be anywhere.

        Args:
            names: C species.
            latitude, longitude, country: as in ``log_prior``.
            enough: observations of all species from which on one that was not seen is taken to be absent.

        Returns:
            (C,) bool.

        Raises:
            ValueError: no such place or country.
        """
        which = self.indices(names)
        cell, code = self._place_of(latitude, longitude, country)
        for places in (self._around(cell), self._in_country(code)):
            if self.effort[places].sum() >= max(1, enough):
                seen = np.zeros(len(self.paths) + 1, bool)
                seen[self.row_species[self._rows(places)]] = True
                if seen[which[which >= 0]].any():
                    return seen[which] | (which < 0)
        return np.ones(len(names), bool)

    def at(self, latitude: float | None = None, longitude: float | None = None, when: date | None = None,
           country: str | None = None) -> Local:
        """Return the shares of all species at a place; see ``log_prior`` for its arguments and errors."""
        day = date.today() if when is None else date(when.year, when.month, when.day)  # of a datetime, too
        if day > date.today() + timedelta(1):  # it may be tomorrow already where it was filmed
            raise ValueError(f"{day.isoformat()} is in the future: the camera's clock may be wrong; expected a day "
                             f"up to {date.today().isoformat()}")
        cell, code = self._place_of(latitude, longitude, country)
        levels = [("country", self._in_country(code)), ("around", self._around(cell)), ("cell", self._at(cell))]
        levels = [(name, places) for name, places in levels if len(places)]
        if not levels:
            return Local("unknown", 0)
        shares, wide = self._wide(CONTINENT_OF.get(code, "")), np.empty(0)
        for name, places in levels:
            shares = _lean(self._region(places), shares)
            if name != "cell":
                wide, around = shares, places
        if when is not None:
            shares = shares * _lean(self._region(around, when.month), wide) / wide
            shares /= shares.sum()
        name, places = levels[-1]
        rows = self._rows(places)
        counts = np.bincount(self.row_species[rows], self.row_count[rows], len(self.paths)).astype(np.int64)
        return Local(name, int(self.effort[places].sum()), shares, counts)

    @cached_property
    def _index(self) -> dict[str, int]:
        names = {key_of(path[0]): place for place, path in enumerate(self.paths)}
        return {key_of(other): names[key_of(name)] for other, name in self.synonyms} | names

    @cached_property
    def _starts(self) -> np.ndarray:
        return np.searchsorted(self.row_place, np.arange(len(self.place_cell) + 1))

    @cached_property
    def _weights(self) -> np.ndarray:
        """(P,) what one observation of a place counts in a region."""
        return 1 / (self.effort.sum(1) + SMOOTHING)

    @cached_property
    def _by_country(self) -> dict[str, np.ndarray]:
        """Places of each country."""
        codes = np.array(self.place_country)
        return {code: np.flatnonzero(codes == code) for code in set(self.place_country) - {""}}

    @cached_property
    def _by_continent(self) -> dict[str, np.ndarray]:
        """Shares of continents, as they were asked for; of the world by ""."""
        return {}

    def _place_of(self, latitude: float | None, longitude: float | None, country: str | None) -> tuple[int, str]:
        """Return cell, -1 where unknown, and country, "" where unknown."""
        if (latitude is None) != (longitude is None):
            raise ValueError(f"latitude {latitude}, longitude {longitude}: expected both or neither")
        code = code_of(country) if country else ""
        if country and not code:
            raise ValueError(f"country '{country}': expected two letters of ISO 3166-1, such as DE")
        if latitude is None or longitude is None:
            return -1, code
        cell = Grid(self.size).cell_of(latitude, longitude)
        at = int(np.searchsorted(self.map_cell, cell))
        if not code and at < len(self.map_cell) and self.map_cell[at] == cell:
            code = self.map_country[at]
        return cell, code

    def _at(self, cell: int) -> np.ndarray:
        """Return the places of a cell: one for each country that it lies in."""
        if cell < 0 or self.by_country:
            return np.empty(0, np.int64)
        return np.arange(*np.searchsorted(self.place_cell, [cell, cell + 1]))

    def _around(self, cell: int) -> np.ndarray:
        """Return the places of a cell and of those that touch it."""
        if cell < 0 or self.by_country:
            return np.empty(0, np.int64)
        return np.concatenate([self._at(int(each)) for each in Grid(self.size).around(cell)])

    def _in_country(self, code: str) -> np.ndarray:
        return self._by_country.get(code, np.empty(0, np.int64))

    def _wide(self, continent: str) -> np.ndarray:
        """Return shares of the continent, which lean on the world's; those of the world for ""."""
        if continent not in self._by_continent:
            inside = [not continent or CONTINENT_OF.get(country) == continent for country in self.place_country]
            wider = self._wide("") if continent else np.full(len(self.paths), 1 / len(self.paths))
            self._by_continent[continent] = _lean(self._region(np.flatnonzero(inside)), wider)
        return self._by_continent[continent]

    def _rows(self, places: np.ndarray) -> np.ndarray:
        """Return the rows of places, ascending."""
        if len(places) > 64:
            inside = np.zeros(len(self.place_cell), bool)
            inside[places] = True
            return np.flatnonzero(inside[self.row_place])
        return np.concatenate([np.arange(self._starts[each], self._starts[each + 1]) for each in places])

    def _region(self, places: np.ndarray, month: int | None = None) -> _Region:
        """Return what was observed at places, in a month with half of what was in those beside it."""
        months = np.ones(MONTHS)
        if month is not None:
            months[:] = 0
            months[[(month - 2) % 12 + 1, month, month % 12 + 1]] = 0.5, 1, 0.5
        effort = self.effort[places] @ months
        rows = self._rows(places)
        counted = self.row_count[rows] * months[self.row_month[rows]] * self._weights[self.row_place[rows]]
        found = np.bincount(self.row_species[rows], counted, len(self.paths))
        total = float(effort @ self._weights[places])
        return _Region(float(effort.sum()), found / total if total else found)


def _lean(region: _Region, wider: np.ndarray) -> np.ndarray:
    """Return shares of a region that lean on those of a wider one, (S,)."""
    return (region.effort * region.shares + SMOOTHING * wider) / (region.effort + SMOOTHING)
