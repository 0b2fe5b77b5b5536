"""What is known beside a picture, put to a model's scores: place, date, training shares, costs, sets, ranks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np

from vtk.errors import UsageError
from vtk.kernels.logit_adjust import LARGEST, logit_adjust
from vtk.models.label_files import split_label
from vtk.models.weights import sha256_of
from vtk.species.costs import Costs, read_costs
from vtk.species.names import key_of
from vtk.species.range_files import read_ranges
from vtk.species.ranges import FLOOR, RangeTable
from vtk.species.sets import Sets, read_sets
from vtk.species.tables import open_table
from vtk.species.taxonomy import RANKS, UNKNOWN, Answer, Rollup, Taxonomy, read_taxonomy
from vtk.species.whereabouts import Whereabouts

SURE = 0.5
# Places whose shares are held ready; a question takes a millisecond, and pictures of a place come together.
_PLACES = 256


@dataclass(frozen=True, slots=True)
class Given:
    """What the user gives beside pictures.

    Attributes:
        prior: a range table of ``vtk species prior build``.
        gamma: how much the place says, 0 or more.
        hard: whether species that were never seen around the place are out.
        floor: least share of a species in a place.
        train: a table with the columns label and count: how many pictures of each class the model was trained on.
        tau: how much of the training shares is taken out, 0 or more.
        taxonomy: a list of taxa; without it those of the range table.
        sure: probability from which on a rank is answered, above 0 and at most 1.
        costs: a table of truth, answer and cost.
        sets: a file of ``vtk calibrate classify-species``.
        coverage: what the file has to promise, where the user says it.
    """

    prior: Path | None = None
    gamma: float = 1.0
    hard: bool = False
    floor: float = FLOOR
    train: Path | None = None
    tau: float = 1.0
    taxonomy: Path | None = None
    sure: float = SURE
    costs: Path | None = None
    sets: Path | None = None
    coverage: float | None = None

    @property
    def combined(self) -> str:
        """How scores are combined with what is given, in words: calibrations are for that alone."""
        parts = [f"--gamma {self.gamma:g}, floor {self.floor:g}" if self.prior is not None else "",
                 "--filter" if self.hard else "",
                 f"--tau {self.tau:g} of {_hash(self.train)}" if self.train is not None and self.tau else ""]
        return ", ".join(part for part in parts if part)

    def check(self) -> None:
        """Raise UsageError where a number is out of range, or what it needs is not given."""
        for name, value in (("--gamma", self.gamma), ("--tau", self.tau)):
            if not 0 <= value <= LARGEST:
                raise UsageError(f"{name} {value:g}: expected a number from 0 to {LARGEST:g}")
        if not 0 <= self.floor <= 1:
            raise UsageError(f"--floor {self.floor:g}: expected a share from 0 to 1")
        if not 0 < self.sure <= 1:
            raise UsageError(f"--sure {self.sure:g}: expected a probability above 0 and at most 1")
        if self.hard and self.prior is None:
            raise UsageError("--filter leaves out what was never seen around a place: give --prior, a range table of "
                             "vtk species prior build")
        if self.coverage is not None and self.sets is None:
            raise UsageError(f"--coverage {self.coverage:g} needs --calibration, a file of vtk calibrate "
                             "classify-species")


@dataclass(frozen=True, slots=True)
class Judged:
    """What a model and all that is known say.

    Attributes:
        probabilities: (C,) float32 of the model's species; zeros where none is possible.
        best: index of the answer.
        adjusted: what changed the answer, of ``prior``, ``place``, ``date``, ``filter``, ``cost``, in that order.
        answer: the deepest rank that is sure enough; None where none is.
        candidates: (C,) bool, the set; None without a calibration.
        cost: what the answer costs on average; None without costs.
    """

    probabilities: np.ndarray
    best: int
    adjusted: tuple[str, ...] = ()
    answer: Answer | None = None
    candidates: np.ndarray | None = None
    cost: float | None = None


class Knowledge:
    """What is known of the species of one model.

    Attributes:
        names, common: scientific and common names of the C species, the latter may be "".
        taxonomy: what they belong to.
        prior: hash of the range table; None without one.
        missing: species that the range table says nothing of.
        costs, sets: what errors cost, and the threshold of sets; None where they are not given.

    Args:
        labels: C labels of the model, ``Turdus merula (Blackbird)`` or ``Turdus merula``.
        model: name@hash of the model, which calibrations are for.
        given: what the user gives.
        table: the range table of ``given``, read once for all models.

    Raises:
        UsageError: a file is not what it should be, or knows none of the species.
    """

    def __init__(self, labels: Sequence[str], model: str, given: Given, table: RangeTable | None = None) -> None:
        pairs = [split_label(label) for label in labels]
        self.names = tuple(name for name, _ in pairs)
        self.common = tuple(common for _, common in pairs)
        self._given, self._table = given, table
        self.prior = table.hash if table is not None else None
        self.taxonomy = _taxonomy(self.names, given.taxonomy, table)
        self._rollup = Rollup(self.taxonomy, self.names)
        self._paths: dict[tuple[int, str], tuple[str, ...]] = {}
        for path in self.taxonomy.paths.values():
            for place, name in enumerate(path):
                self._paths.setdefault((place, name), path)
        self._train = _shares(given.train, self.names) if given.train is not None and given.tau else None
        self.costs: Costs | None = read_costs(given.costs, self.names) if given.costs is not None else None
        self.sets: Sets | None = None
        if given.sets is not None:
            self.sets = read_sets(given.sets, self.names, model, self.prior, given.combined)
            if given.coverage is not None and abs(self.sets.coverage - given.coverage) > 1e-9:
                raise UsageError(f"--coverage {given.coverage:g}: {given.sets} is calibrated for "
                                 f"{self.sets.coverage:g}; calibrate again with --coverage {given.coverage:g}")
        if table is not None and len(missing := table.missing(self.names)) == len(self.names):
            raise UsageError(f"the range table has none of the {len(missing)} species of {model.partition('@')[0]}, "
                             f"such as {missing[0]}: build it of observations of its group")
        self.missing = frozenset(table.missing(self.names) if table is not None else ())
        self._local = lru_cache(_PLACES)(self._local_of)
        self._known = lru_cache(_PLACES)(self._known_of)

    def taxon(self, name: str, rank: str) -> dict[str, str]:
        """Return what a taxon belongs to, by rank from the top down to itself; ranks that are not known left out."""
        place = RANKS.index(rank)
        path = self._paths.get((place, name), UNKNOWN)
        return {each: path[number] for number, each in reversed(list(enumerate(RANKS)))
                if number >= place and path[number]}

    def probabilities(self, scores: np.ndarray, where: Whereabouts) -> np.ndarray:
        """Return (C,) float32, the probabilities of the species under place, date and training shares.

        Args:
            scores: (C,) natural logarithms of the model's probabilities.
            where: where and when the picture was taken.

        Raises:
            UsageError: there is no such place, or the day is to come.
        """
        prior, mask = self._place(where, True)
        rows = np.ascontiguousarray(scores, np.float32)[None]
        found, _ = logit_adjust(
            rows, self._train, prior[None] if prior is not None else None,
            np.zeros(1, np.int64) if prior is not None or mask is not None else None,
            mask[None] if mask is not None else None, tau=self._given.tau, gamma=self._given.gamma)
        return found[0]

    def judge(self, scores: np.ndarray, where: Whereabouts) -> Judged:
        """Return the answer for (C,) natural logarithms of a model's probabilities; errors as ``probabilities``."""
        probabilities = self.probabilities(scores, where)
        if not probabilities.any() or not np.isfinite(probabilities).all():
            return Judged(probabilities, int(np.argmax(scores)))
        best, cost = int(np.argmax(probabilities)), None
        adjusted = self._adjusted(scores, where)
        answer = self._rollup.answer(probabilities, self._given.sure)
        if self.costs is not None:
            cheapest = int(self.costs.answer(probabilities))
            cost = float(self.costs.expected(probabilities)[cheapest])
            if cheapest != best:
                adjusted, best = (*adjusted, "cost"), cheapest
                answer = Answer(RANKS[0], self.names[best], float(probabilities[best]))
        candidates = self.sets.sets(probabilities[None].astype(np.float64))[0] if self.sets is not None else None
        return Judged(probabilities, best, adjusted, answer, candidates, cost)

    def _adjusted(self, scores: np.ndarray, where: Whereabouts) -> tuple[str, ...]:
        """Return what changed the most probable species on the way from the model's to that of all that is known."""
        so_far = np.asarray(scores, np.float64)
        steps: list[tuple[str, np.ndarray]] = [("", so_far)]
        if self._train is not None:
            so_far = so_far - self._given.tau * self._train
            steps.append(("prior", so_far))
        for name, dated in (("place", False), ("date", True)):
            prior, mask = self._place(where, dated)
            if prior is not None and self._given.gamma:  # 0 times -inf would be no number
                steps.append((name, so_far + self._given.gamma * prior))
        if mask is not None and np.isfinite(steps[-1][1][mask]).any():
            steps.append(("filter", np.where(mask, steps[-1][1], -np.inf)))
        tops = [int(np.argmax(values)) for _, values in steps]
        return tuple(name for (name, _), before, now in zip(steps[1:], tops, tops[1:], strict=False) if now != before)

    def _place(self, where: Whereabouts, dated: bool) -> tuple[np.ndarray | None, np.ndarray | None]:
        """Return (C,) log shares of the species where it was filmed, and which may be there; None where unknown."""
        if self._table is None or (where.latitude is None and where.country is None):
            return None, None
        return self._local(where.latitude, where.longitude, where.country, where.day if dated else None)

    def deaf(self, where: Whereabouts) -> str:
        """Return why the range table has no say on a place, for ``note``; "" where it has, or there is none."""
        if self._table is None or not (self._given.gamma or self._given.hard):
            return ""
        if where.latitude is None and where.country is None:
            return "no place is known: the range table is not asked"
        known = self._known(where.latitude, where.longitude, where.country)
        return "" if known else "the range table has no observations of the place"

    def _known_of(self, latitude: float | None, longitude: float | None, country: str | None) -> bool:
        try:
            return self._table is not None and self._table.at(latitude, longitude, None, country).level != "unknown"
        except ValueError as error:
            raise UsageError(str(error)) from None

    def _local_of(self, latitude: float | None, longitude: float | None, country: str | None,
                  day: object) -> tuple[np.ndarray, np.ndarray | None]:
        if self._table is None:
            raise UsageError("there is no range table to ask")
        try:
            prior = self._table.log_prior(self.names, latitude, longitude, day, country=country,  # type: ignore[arg-type]
                                          floor=self._given.floor)
            mask = (self._table.mask(self.names, latitude, longitude, country=country) if self._given.hard else None)
        except ValueError as error:
            raise UsageError(str(error)) from None
        return prior, mask


def _hash(path: Path) -> str:
    """Return twelve hexadecimal digits of the sha256 of a file."""
    try:
        return sha256_of(path)[:12]
    except OSError as error:
        raise UsageError(f"{path}: {error.strerror}") from None


def read_table(given: Given) -> RangeTable | None:
    """Return the range table that is given; errors are those of ``read_ranges``."""
    return read_ranges(given.prior) if given.prior is not None else None


def _taxonomy(names: Sequence[str], path: Path | None, table: RangeTable | None) -> Taxonomy:
    """Return what the species belong to: the first word of a name is its genus, where no list says it."""
    if path is not None:
        known = read_taxonomy(path)
    else:
        known = Taxonomy.of(table) if table is not None else Taxonomy({})
    paths: dict[str, tuple[str, ...]] = {}
    for name in names:
        told = known.path(name)
        genus = name.split()[0] if len(name.split()) > 1 else ""
        paths[key_of(name)] = (name, told[1] or genus, *told[2:]) if told[0] else (name, genus, *UNKNOWN[2:])
    return Taxonomy(paths)


def _shares(path: Path, names: Sequence[str]) -> np.ndarray:
    """Return (C,) float32, natural logarithms of the shares that the classes had in training.

    Raises:
        UsageError: the table cannot be read, lacks a column or a class, or a count is no number above 0.
    """
    counts: dict[str, float] = {}
    with open_table(path) as table:
        places = [table.place(name) for name in ("label", "count")]
        if min(places) < 0:
            raise UsageError(f"{path}: its columns are {', '.join(table.columns[:8])}: it needs label and count")
        for number, row in table.rows:
            label, text = (row[place].strip() for place in places)
            try:
                count = float(text)
            except ValueError:
                count = 0.0
            if not 0 < count < np.inf:
                raise UsageError(f"{path}, line {number}: count '{text}' of {label or 'no label'}: expected a number "
                                 "above 0")
            if counts.setdefault(key_of(split_label(label)[0]), count) != count:
                raise UsageError(f"{path}, line {number}: {label} has two counts; leave one")
    lacking = [name for name in names if key_of(name) not in counts]
    if lacking:
        raise UsageError(f"{path}: it has no count of {len(lacking)} of the model's {len(names)} species, such as "
                         f"{lacking[0]}")
    shares = np.array([counts[key_of(name)] for name in names])
    return np.log(shares / shares.sum()).astype(np.float32)

