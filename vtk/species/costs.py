"""What it costs to answer one species where it is another, and the answer of least expected cost.

    costs = read_costs(Path("costs.csv"), names)
    costs.answer(probabilities)            # index of the class

A cost file is a table with the columns ``truth``, ``answer`` and ``cost``, by which a viper that is called harmless may
cost a hundred times what the reverse does. ``*`` stands for any other species. What is said of a pair counts before
what is said of a truth, that before what is said of an answer, and that before ``*,*``; without it a wrong answer costs
1. A right answer costs nothing unless its own pair is named.

Source: least expected cost, Elkan, "The foundations of cost-sensitive learning", IJCAI 2001, equation 1.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from vtk.errors import UsageError
from vtk.species.names import key_of
from vtk.species.tables import is_text, open_table

ANY = "*"
WRONG = 1.0  # what a wrong answer costs where nothing is said of it
_SHOWN = 5
_ROUNDING = 1e-9  # of sums of costs: answers that differ by less are equal


@dataclass(frozen=True)
class Costs:
    """Costs of answers over C classes; of a pair that stands in none of the tables, ``wrong``.

    Attributes:
        wrong: of a wrong answer of which nothing else is said.
        truths: (C,) float64, of any wrong answer where the class is the truth; NaN: nothing is said.
        answers: (C,) float64, of this answer wherever it is wrong; NaN: nothing is said.
        pairs: (K, 2) int64, truth and answer.
        pair_costs: (K,) float64.
        unknown: names in the file that the model does not have.
    """

    wrong: float
    truths: np.ndarray
    answers: np.ndarray
    pairs: np.ndarray
    pair_costs: np.ndarray
    unknown: tuple[str, ...] = ()

    def notice(self) -> str:
        """Return one line that names what the model does not have; "" where it has all."""
        if not self.unknown:
            return ""
        more = f" and {len(self.unknown) - _SHOWN} more" if len(self.unknown) > _SHOWN else ""
        return (f"costs name {len(self.unknown)} species that the model does not have, and nothing guards them: "
                f"{', '.join(self.unknown[:_SHOWN])}{more}")

    def expected(self, probabilities: np.ndarray) -> np.ndarray:
        """Return what each answer costs on average.

        Args:
            probabilities: (..., C), sum 1.

        Returns:
            (..., C) float64.

        Raises:
            ValueError: another number of classes.
        """
        given = np.asarray(probabilities, np.float64)
        if given.ndim < 1 or given.shape[-1] != len(self.truths):
            raise ValueError(f"probabilities of shape {given.shape}, expected {len(self.truths)} in a row")
        said = ~np.isnan(self.truths)
        by_answer = np.where(np.isnan(self.answers), self.wrong, self.answers)
        own = np.where(said, self.truths, 0.0)
        # Of truths of which something is said, and of the others; then the right answer is taken out of both.
        found = (given @ own)[..., None] + (given @ ~said)[..., None] * by_answer
        found -= given * np.where(said, own, by_answer)
        truth, answer = self.pairs.T
        plain = np.where(truth == answer, 0.0, np.where(said[truth], own[truth], by_answer[answer]))
        flat, shares = found.reshape(-1, len(own)), given.reshape(-1, len(own))
        for row, share in zip(flat, shares, strict=True):
            np.add.at(row, answer, share[truth] * (self.pair_costs - plain))
        return flat.reshape(given.shape)

    def answer(self, probabilities: np.ndarray) -> np.ndarray:
        """Return the class of least expected cost; of equal ones the most probable, of those the first.

        Args:
            probabilities: (..., C), sum 1.

        Returns:
            (...) int64.

        Raises:
            ValueError: another number of classes.
        """
        expected = self.expected(probabilities)
        least = expected.min(-1, keepdims=True)
        equal = expected <= least + _ROUNDING * np.maximum(1, np.abs(least))
        return np.where(equal, np.asarray(probabilities, np.float64), -1).argmax(-1)


def read_costs(path: Path, names: Sequence[str]) -> Costs:
    """Return the costs in a file, for a model of C classes.

    Raises:
        UsageError: it cannot be read, has not its three columns, a cost that is none, a pair with two costs, or no name
            that the model has.
    """
    classes: dict[str, list[int]] = {}
    for place, name in enumerate(names):
        classes.setdefault(key_of(name), []).append(place)
    said = _read(path)
    wrong = said.pop((ANY, ANY), WRONG)
    named = dict.fromkeys(name for pair in said for name in pair if name != ANY)
    unknown = tuple(name for name in named if key_of(name) not in classes)
    if named and len(unknown) == len(named):
        raise UsageError(f"{path}: the model has none of its {len(named)} species, such as {unknown[0]}: write names "
                         f"as the model does, such as {names[0]}")
    truths, answers = np.full(len(names), math.nan), np.full(len(names), math.nan)
    pairs: dict[tuple[int, int], float] = {}
    for (truth, answer), cost in said.items():
        if answer == ANY:
            truths[classes.get(key_of(truth), [])] = cost
        elif truth == ANY:
            answers[classes.get(key_of(answer), [])] = cost
        else:
            pairs |= {(one, other): cost for one in classes.get(key_of(truth), [])
                      for other in classes.get(key_of(answer), [])}
    where = np.array(list(pairs), np.int64).reshape(-1, 2)
    return Costs(wrong, truths, answers, where, np.array(list(pairs.values()), np.float64), unknown)


def _read(path: Path) -> dict[tuple[str, str], float]:
    """Return the costs by (truth, answer), as the names are first written."""
    said: dict[tuple[str, str], float] = {}
    spelt: dict[str, str] = {}
    with open_table(path) as table:
        places = [table.place(name) for name in ("truth", "answer", "cost")]
        if min(places) < 0:
            raise UsageError(f"{path}: its columns are {', '.join(table.columns[:8])}: it needs truth, answer and "
                             "cost")
        for number, row in table.rows:
            truth, answer, text = (row[place].strip() for place in places)
            if not is_text(truth + answer):
                raise UsageError(f"{path}, line {number}: not UTF-8: iconv -f LATIN1 -t UTF-8 turns Latin-1")
            try:
                cost = float(text)
            except ValueError:
                cost = math.nan
            if not truth or not answer or not 0 <= cost < math.inf:
                raise UsageError(f"{path}, line {number}: {truth or 'no truth'}, {answer or 'no answer'}, cost "
                                 f"'{text}': expected two names, or {ANY}, and a number from 0")
            pair = (spelt.setdefault(key_of(truth), truth), spelt.setdefault(key_of(answer), answer))
            if said.setdefault(pair, cost) != cost:
                raise UsageError(f"{path}, line {number}: {truth}, {answer} costs {cost:g} here and {said[pair]:g} "
                                 "before: leave one")
    return said
