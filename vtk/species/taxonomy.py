"""What species belong to: paths of names, synonyms, and the rank at which an unsure answer is sure.

    taxonomy = read_taxonomy(Path("taxa.csv"))          # or Taxonomy.of(a range table)
    taxonomy.path("Parus caeruleus")                    # ("Cyanistes caeruleus", "Cyanistes", "Paridae", …)
    Rollup(taxonomy, names).answer(probabilities, 0.9)  # Answer("genus", "Cyanistes", 0.93)
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from operator import itemgetter
from pathlib import Path

import numpy as np

from vtk.errors import UsageError
from vtk.species.names import RANKS, binomial, filled, key_of
from vtk.species.ranges import RangeTable
from vtk.species.tables import is_text, open_table

UNKNOWN = ("",) * len(RANKS)
_ROUNDING = 1e-9  # of sums of probabilities
# Columns of a list of taxa, each by the first of its names that there is: those of Darwin Core and of GBIF's backbone.
_COLUMNS = (("species",), ("canonicalName", "scientificName"), ("taxonRank",), ("genus", "genericName"), ("family",),
            ("order",), ("class",), ("acceptedNameUsage", "acceptedName"), ("acceptedNameUsageID",), ("taxonID", "id"),
            ("synonyms", "synonym"))


@dataclass(frozen=True, slots=True)
class Taxonomy:
    """Species by what they are called, letter case, underscores and spaces aside.

    Attributes:
        paths: ``key_of`` a species → (species, genus, family, order, class), "" for a rank that is not known.
        synonyms: ``key_of`` another name → ``key_of`` its species.
        conflicts: names that were given two paths or two species; the first counts.
    """

    paths: Mapping[str, tuple[str, ...]]
    synonyms: Mapping[str, str] = field(default_factory=dict)
    conflicts: tuple[str, ...] = ()

    @classmethod
    def of(cls, table: RangeTable) -> Taxonomy:
        """Return what the occurrences said of which a range table was made."""
        return cls({key_of(path[0]): path for path in table.paths},
                   {key_of(other): key_of(name) for other, name in table.synonyms})

    def path(self, name: str) -> tuple[str, ...]:
        """Return (species, genus, family, order, class) of a name or synonym; all "" where it is not known."""
        key = key_of(name)
        return self.paths.get(key) or self.paths.get(self.synonyms.get(key, ""), UNKNOWN)

    def accepted(self, name: str) -> str:
        """Return the species that a name stands for; the name itself where it is not known."""
        return self.path(name)[0] or name

    def missing(self, names: Sequence[str]) -> list[str]:
        """Return those of the names that it does not know."""
        return [name for name in names if not self.path(name)[0]]


@dataclass(frozen=True, slots=True)
class Answer:
    """A taxon: its rank, one of RANKS, its name, and the probability of all its species together."""

    rank: str
    name: str
    probability: float


class Rollup:
    """Sums probabilities of a model's species by genus, family, order and class.

    Args:
        taxonomy: what they belong to; a species that it does not have belongs to itself alone.
        names: C species, in the model's order.
    """

    def __init__(self, taxonomy: Taxonomy, names: Sequence[str]) -> None:
        paths = [taxonomy.path(name) for name in names]
        self._groups: list[tuple[str, list[str], np.ndarray]] = []
        for place, rank in enumerate(RANKS):
            each = [path[place] or ("" if place else name) for path, name in zip(paths, names, strict=True)]
            taxa = list(dict.fromkeys(name for name in each if name))
            number = {name: index for index, name in enumerate(taxa)}
            self._groups.append((rank, taxa, np.array([number.get(name, -1) for name in each], np.int64)))

    def sums(self, probabilities: np.ndarray, rank: str) -> dict[str, float]:
        """Return the probability of each taxon of a rank, in the model's order.

        Args:
            probabilities: (C,), at least 0.
            rank: one of RANKS.

        Raises:
            ValueError: another length, or no such rank.
        """
        if rank not in RANKS:
            raise ValueError(f"rank '{rank}': expected one of {', '.join(RANKS)}")
        _, taxa, sums = self._summed(probabilities, RANKS.index(rank))
        return dict(zip(taxa, sums.tolist(), strict=True))

    def answer(self, probabilities: np.ndarray, threshold: float) -> Answer | None:
        """Return the most probable taxon of the deepest rank at which one reaches ``threshold``; None where none does.

        Above one half it is unique, and holds the answer of every deeper rank that would have been given at a lower
        threshold above one half; of equal ones the first in the model's order is taken.

        Args:
            probabilities: (C,), sum 1.
            threshold: probability that is sure enough, above 0 and at most 1.

        Raises:
            ValueError: another length, or a threshold out of range.
        """
        if not 0 < threshold <= 1:
            raise ValueError(f"threshold {threshold:g}: expected above 0 and at most 1")
        for place in range(len(RANKS)):
            rank, taxa, sums = self._summed(probabilities, place)
            if len(sums) and sums.max() >= threshold - _ROUNDING:
                best = int(np.argmax(sums >= sums.max() - _ROUNDING))
                return Answer(rank, taxa[best], float(sums[best]))
        return None

    def _summed(self, probabilities: np.ndarray, place: int) -> tuple[str, list[str], np.ndarray]:
        rank, taxa, group = self._groups[place]
        given = np.asarray(probabilities, np.float64)
        if given.shape != group.shape:
            raise ValueError(f"probabilities of shape {given.shape}, expected {group.shape}: one for each species")
        inside = group >= 0
        return rank, taxa, np.bincount(group[inside], given[inside], len(taxa))


def read_taxonomy(path: Path) -> Taxonomy:
    """Return the taxonomy in a table of taxa, or in one of occurrences.

    Columns are Darwin Core's and those of GBIF's backbone: ``species``, else ``canonicalName`` or ``scientificName``
    with ``taxonRank``; ``genus``, ``family``, ``order``, ``class``; for synonyms ``acceptedNameUsage`` (a name) or
    ``acceptedNameUsageID`` (a ``taxonID``) in the synonym's row, or ``synonyms`` in the species' row, between ``|``.

    Raises:
        UsageError: it cannot be read, names no species, or a row is broken or not UTF-8.
    """
    with open_table(path) as table:
        places = [table.place(*names) for names in _COLUMNS]
        if places[0] < 0 and places[1] < 0:
            raise UsageError(f"{path}: no column species or scientificName (it has {', '.join(table.columns[:8])})")
        take, found = itemgetter(*places), _Found()
        for number, row in table.rows:
            row.append("")  # what a missing column, at -1, has
            fields = take(row)
            if not all(map(is_text, fields)):
                raise UsageError(f"{path}, line {number}: not UTF-8: iconv -f LATIN1 -t UTF-8 turns Latin-1")
            found.add(fields)
    if not found.paths:
        raise UsageError(f"{path}: no species: expected a row for each, with what it belongs to")
    return found.taxonomy()


class _Found:
    """Gathers rows of taxa."""

    def __init__(self) -> None:
        self.paths: dict[str, tuple[str, ...]] = {}
        self._synonyms: dict[str, str] = {}
        self._ids: dict[str, str] = {}
        self._by_id: dict[str, str] = {}
        self._conflicts: dict[str, None] = {}

    def add(self, fields: tuple[str, ...]) -> None:
        """Take the fields of _COLUMNS of a row."""
        species, name, rank, genus, family, order, above, accepted, accepted_id, taxon, synonyms = fields
        written = binomial(name, rank)
        mine = binomial(species) or written
        if not mine:
            return
        key = key_of(mine)
        if accepted and key_of(binomial(accepted)) not in ("", key):
            self._synonym(key, key_of(binomial(accepted)), mine)
            return
        if accepted_id and accepted_id != taxon and not species:
            self._by_id[key] = accepted_id
            return
        if taxon:
            self._ids[taxon] = key
        path = (mine, genus or mine.removeprefix("× ").partition(" ")[0], family, order, above)
        known = self.paths[key] = filled(self.paths.get(key, path), path)
        if known[1:] != filled(path, known)[1:]:
            self._conflicts[mine] = None
        others = [written, *(binomial(other) for other in synonyms.split("|"))]
        for other in others:
            if other and key_of(other) != key:
                self._synonym(key_of(other), key, other)

    def taxonomy(self) -> Taxonomy:
        """Return what was gathered; a name that is a species itself is no synonym."""
        for key, taxon in self._by_id.items():
            if taxon in self._ids:
                self._synonym(key, self._ids[taxon], key)
        synonyms = {key: name for key, name in self._synonyms.items() if key not in self.paths and name in self.paths}
        return Taxonomy(self.paths, synonyms, tuple(self._conflicts))

    def _synonym(self, key: str, species: str, written: str) -> None:
        if self._synonyms.setdefault(key, species) != species:
            self._conflicts[written] = None
