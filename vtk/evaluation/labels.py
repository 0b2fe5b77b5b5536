"""Answers about labelled pictures, films and spans: how many are right, and whether scores keep their word.

    evaluation = evaluate_labels(gathered.pairs, "species", by="group")
    evaluation.figures["top1"], evaluation.curve            # percent; bins for a reliability plot
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from vtk.errors import UsageError
from vtk.evaluation.label_lanes import Answer
from vtk.evaluation.label_truth import Task, Truth, levels_of
from vtk.metrics.calibration import Reliability, brier, nll, reliability
from vtk.metrics.classification import (
    NO_ANSWER,
    Interval,
    average_precision,
    bootstrap,
    class_scores,
    level_scores,
    mean_average_precision,
)

Pair = tuple[Truth, Answer]
FEW = 20  # rows of a group below which a single one is more than 5 points


@dataclass(frozen=True, slots=True)
class LabelEvaluation:
    """Figures, all in percent but counts and NLL, which is in nats.

    Attributes:
        figures: by the field's names; what cannot be said is left out.
        intervals: 95 % intervals of some of them, by bootstrap over files.
        levels: figures by level of the labels.
        by: figures by value of a column.
        curve: how often answers are right, by their score.
        classes: figures by label of the truth.
        notes: what the figures do not show.
    """

    figures: dict[str, float]
    intervals: dict[str, Interval]
    levels: dict[str, dict[str, float]]
    by: dict[str, dict[str, float]]
    curve: Reliability
    classes: dict[str, dict[str, float]]
    notes: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Table:
    """Pairs as arrays.

    Attributes:
        names: C labels, those of the truth first.
        known: how many of them the truth has.
        truth: (N,) which label counts as true: the one that was answered where it is right, else the first.
        relevant: (N, C) which labels are right.
        answers: (N,) which label was answered; NO_ANSWER: none of the first level.
        scores: (N, C) of topk; 0 of what is not in it.
        best: (N,) of the labels that are right the one of the highest score.
    """

    names: tuple[str, ...]
    known: int
    truth: np.ndarray
    relevant: np.ndarray
    answers: np.ndarray
    scores: np.ndarray
    best: np.ndarray


def evaluate_labels(pairs: Sequence[Pair], task: Task, by: str | None = None, seed: int = 0) -> LabelEvaluation:
    """Return how good answers are.

    Records hold the first labels alone (``topk``): all others count as 0 in mAP, whose order among them is none, and
    in the Brier score, which is a little too low for it; NLL is left out where a right label isn't among them. Of
    several labels that are right the one answered counts, else the one of the highest score. An answer of a higher
    level is none at the levels below it. ECE is of all answers, each at its own level.

    Args:
        pairs: truth and answer, one at least.
        by: a column of the table: figures by its values, too.
        seed: of the resamples.

    Raises:
        UsageError: there is no pair, or no such column.
    """
    if not pairs:
        raise UsageError("nothing is to be scored: no labelled file is in the records")
    if by is not None and not any(by in truth.columns for truth, _ in pairs):
        there = ", ".join(pairs[0][0].columns) or "no other column"
        raise UsageError(f"--by {by}: the table has {there}")
    levels, table = levels_of(task), _tabled(pairs, levels_of(task)[0])
    scores, rights = _answered(pairs)
    figures = _figures(table, pairs) | _share(answered=np.array([bool(answer.levels) for _, answer in pairs]))
    curve = reliability(scores, rights)
    figures |= {"right_answered": _percent(rights), "ECE": 100 * curve.ece} | _sets(pairs, levels[0])
    judged = np.flatnonzero(table.truth >= 0)  # the figures' own rows
    groups = [pairs[row][0].name for row in judged]
    measures: dict[str, Callable[[np.ndarray], float]] = {
        "top1": lambda rows: float((table.answers == table.truth)[judged[rows]].mean()),
        "macro_f1": lambda rows: _f1(table, judged[rows])}
    intervals = {name: Interval(100 * found.low, 100 * found.high) for name, measure in measures.items()
                 if groups and (found := bootstrap(measure, groups, seed)) is not None}
    values = sorted({truth.columns.get(by, "") for truth, _ in pairs}) if by is not None else []
    by_value = {value or "(empty)": _short([pair for pair in pairs if pair[0].columns.get(by or "", "") == value],
                                           levels[0]) for value in values}
    return LabelEvaluation(_known(figures), intervals, _levels(pairs), by_value, curve,
                           _classes(table, pairs, levels[0]), _notes(pairs, table))


def _tabled(pairs: Sequence[Pair], level: str) -> _Table:
    number: dict[str, int] = {}
    for truth, _ in pairs:
        for each in truth.levels:
            if level in each:
                number.setdefault(each[level], len(number))
    known = len(number)
    for _, answer in pairs:
        for name in (answer.levels.get(level), *(name for name, _ in answer.topk)):
            if name is not None:
                number.setdefault(name, len(number))
    relevant, scores = np.zeros((len(pairs), len(number)), bool), np.zeros((len(pairs), len(number)))
    answers = np.full(len(pairs), NO_ANSWER)
    truths, best = np.zeros(len(pairs), np.int64), np.zeros(len(pairs), np.int64)
    for row, (truth, answer) in enumerate(pairs):
        right = [number[each[level]] for each in truth.levels if level in each]
        relevant[row, right] = True
        for name, score in answer.topk:
            scores[row, number[name]] = max(scores[row, number[name]], score)
        if (name := answer.levels.get(level)) is not None:
            answers[row] = number[name]
        truths[row] = answers[row] if answers[row] in right else right[0] if right else -1
        best[row] = max(right, key=lambda place: scores[row, place]) if right else -1
    return _Table(tuple(number), known, truths, relevant, answers, scores, best)


def _figures(table: _Table, pairs: Sequence[Pair]) -> dict[str, float]:
    """Return the figures of the first level, over rows whose truth has a label there."""
    rows = np.flatnonzero(table.truth >= 0)
    made: dict[str, float] = {"rows": len(pairs), "labels": table.known}
    if not len(rows):
        return made
    answers, truth, scores, best = table.answers[rows], table.truth[rows], table.scores[rows], table.best[rows]
    own = np.take_along_axis(scores, best[:, None], 1)[:, 0]
    ahead = (scores > own[:, None]).sum(1)
    made |= {"top1": _percent(answers == truth), "top1_answered": _percent((answers == truth)[answers != NO_ANSWER]),
             "first": _percent((own > 0) & (ahead < 1)), "top5": _percent((own > 0) & (ahead < 5)),
             "macro_f1": 100 * _f1(table, rows),
             "mAP": 100 * mean_average_precision(average_precision(scores[:, :table.known],
                                                                   table.relevant[rows, :table.known]))}
    held = np.array([bool(pairs[row][1].topk) for row in rows])
    if held.any():
        given = np.clip(scores[held], 0, 1)  # a label that is there twice may have more
        made["Brier"], made["NLL"] = brier(given, best[held]), nll(given, best[held])
    return made


def _f1(table: _Table, rows: np.ndarray) -> float:
    rows = rows[table.truth[rows] >= 0]
    return class_scores(table.truth[rows], table.answers[rows], len(table.names)).macro_f1()


def _answered(pairs: Sequence[Pair]) -> tuple[np.ndarray, np.ndarray]:
    """Return the scores of the answers, (M,), and whether each is right at its level, of those that can be judged."""
    found = [(answer.score, any(truth.get(level) == answer.levels[level] for truth in true.levels))
             for true, answer in pairs if (level := answer.level) is not None
             and any(level in truth for truth in true.levels)]
    scores, rights = zip(*found, strict=True) if found else ((), ())
    return np.array(scores, np.float64), np.array(rights, bool)


def _sets(pairs: Sequence[Pair], level: str) -> dict[str, float]:
    """Return how often sets hold a right label, and how many labels they have, where sets are given."""
    given = [(truth, answer.candidates) for truth, answer in pairs if answer.candidates is not None]
    if not given:
        return {}
    held = [any(each.get(level) in names for each in truth.levels) for truth, names in given]
    return {"sets": len(given), "set_coverage": _percent(np.array(held)),
            "set_size": float(np.mean([len(names) for _, names in given]))}


def _levels(pairs: Sequence[Pair]) -> dict[str, dict[str, float]]:
    """Return the figures of each level that the truth has; of several labels the one that agrees deepest counts."""
    def agreeing(truth: Truth, answer: Answer) -> Mapping[str, str]:
        return max(truth.levels, key=lambda each: sum(each.get(level) == name for level, name in answer.levels.items()))

    found = level_scores([agreeing(truth, answer) for truth, answer in pairs], [answer.levels for _, answer in pairs])
    return {level: _known({"rows": each.rows, "labels": each.labels, "answered": 100 * each.answered,
                           "accuracy": 100 * each.accuracy, "accuracy_answered": 100 * each.accuracy_answered,
                           "f1": 100 * each.macro_f1}) for level, each in found.items()}


def _short(pairs: Sequence[Pair], level: str) -> dict[str, float]:
    """Return a few figures of some of the pairs."""
    table = _tabled(pairs, level)
    figures = _figures(table, pairs) | _share(answered=np.array([bool(answer.levels) for _, answer in pairs]))
    figures["right_answered"] = _percent(_answered(pairs)[1])
    names = ("rows", "answered", "right_answered", "top1", "top1_answered", "top5")
    return _known({name: figures[name] for name in names if name in figures})


def _classes(table: _Table, pairs: Sequence[Pair], level: str) -> dict[str, dict[str, float]]:
    """Return the figures of each label that counts as true, as the table writes it."""
    written = {each[level]: label for truth, _ in reversed(pairs)
               for label, each in zip(truth.labels, truth.levels, strict=True) if level in each}
    rows = np.flatnonzero(table.truth >= 0)
    found = class_scores(table.truth[rows], table.answers[rows], len(table.names))
    return {written.get(table.names[place], table.names[place]): _known({
        "rows": int(found.support[place]), "P": 100 * float(found.precision[place]),
        "R": 100 * float(found.recall[place]), "F1": 100 * float(found.f1[place])})
        for place in range(table.known) if found.support[place]}


def _notes(pairs: Sequence[Pair], table: _Table) -> list[str]:
    notes = []
    longest = max(len(answer.topk) for _, answer in pairs)
    if 0 < longest < 5:
        notes.append(f"records have the first {longest} labels at most: top5 is of these")
    if lacking := int((table.truth < 0).sum()):
        notes.append(f"{lacking} rows have a label of a higher level alone: they count there, and not in top1")
    return notes


def _share(**values: np.ndarray) -> dict[str, float]:
    return {name: _percent(each) for name, each in values.items()}


def _percent(values: np.ndarray) -> float:
    return 100 * float(values.mean()) if len(values) else math.nan


def _known(figures: Mapping[str, float]) -> dict[str, float]:
    """Return the figures that are numbers."""
    return {name: value for name, value in figures.items() if math.isfinite(value)}
