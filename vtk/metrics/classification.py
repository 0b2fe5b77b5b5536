"""Classes against the truth: right answers at k, precision, recall and F1 by class, mAP, and the levels of a taxonomy.

    top_k_accuracy(scores, truth, 5)
    found = class_scores(truth, scores.argmax(1), scores.shape[1])      # found.f1, found.macro_f1(), found.absent
    mean_average_precision(average_precision(scores, one_hot(truth, scores.shape[1])))
    level_scores(true_paths, answered_paths)["genus"].accuracy
    bootstrap(lambda rows: float(right[rows].mean()), observations)     # Interval(low, high)

All are shares in [0, 1], NaN of nothing. How far probabilities and label sets keep their word: ``calibration``.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np

NO_ANSWER = -1  # a predicted class: none was named; never right, and no false alarm of any class
RESAMPLES = 1000
_SAME = 1e-12  # figures that differ by less differ by their roundings

Over = Literal["truth", "either", "all"]


@dataclass(frozen=True, slots=True)
class ClassScores:
    """What came of each of C classes, one against the rest.

    Attributes:
        right: (C,) int64, rows of the class that were answered with it.
        support: (C,) int64, rows of the class.
        answers: (C,) int64, rows that were answered with the class.
    """

    right: np.ndarray
    support: np.ndarray
    answers: np.ndarray

    @property
    def precision(self) -> np.ndarray:
        """(C,) share of the answers that are right; NaN of a class that was never the answer."""
        return _share(self.right, self.answers)

    @property
    def recall(self) -> np.ndarray:
        """(C,) share of the class's rows that were answered rightly; NaN of a class without rows."""
        return _share(self.right, self.support)

    @property
    def f1(self) -> np.ndarray:
        """(C,) harmonic mean of both, 0 where nothing was right; NaN where there are neither rows nor answers."""
        return _share(2 * self.right, self.support + self.answers)

    @property
    def absent(self) -> int:
        """Classes without rows, of which no recall is known."""
        return int((self.support == 0).sum())

    def macro_f1(self, over: Over = "truth") -> float:
        """Return the mean of F1 over classes, each counting alike.

        Args:
            over: "truth": classes that have rows (answers with others lower the recall of those); "either": those that
                have rows or answers, as scikit-learn does without labels: a class that is only answered counts as 0;
                "all": every class, 0 for those with neither.
        """
        if over not in ("truth", "either", "all"):
            raise ValueError(f"over: got {over!r}, expected truth, either or all")
        counted = {"truth": self.support > 0, "either": self.support + self.answers > 0,
                   "all": np.ones(len(self.right), bool)}[over]  # fmt: skip
        return _mean(np.nan_to_num(self.f1)[counted])


@dataclass(frozen=True, slots=True)
class LevelScores:
    """What came of one level of a taxonomy.

    Attributes:
        rows: rows whose truth has a label at this level; the others do not count.
        answered: share of them that were answered at this level.
        accuracy: share of them that were answered rightly; no answer is not right.
        accuracy_answered: share of the answered ones that are right.
        macro_f1: mean of F1 over the labels of the truth; see ``ClassScores.macro_f1``.
        labels: labels that the truth has here.
    """

    rows: int
    answered: float
    accuracy: float
    accuracy_answered: float
    macro_f1: float
    labels: int


class Interval(NamedTuple):
    """Between which figures a share of resamples lies."""

    low: float
    high: float


def checked(scores: np.ndarray, truth: np.ndarray, name: str = "scores") -> tuple[np.ndarray, np.ndarray]:
    """Return scores (N, C) as they are and truth (N,) int64; ``name`` is what messages call the scores.

    Raises:
        ValueError: shapes that do not agree, a NaN, or a truth that is none of C classes.
    """
    scores, truth = _scores(scores, name), _labels("truth", truth)
    if len(truth) != len(scores):
        raise ValueError(f"truth: got {len(truth)}, expected one for each of {len(scores)} rows of {name}")
    _check_within("truth", truth, 0, scores.shape[1])
    return scores, truth


def places(scores: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """Return (N,) int64, at which place from 1 the true class stands by score, best first.

    Args:
        scores: (N, C) of any real type, higher is better; of equal ones the lower class comes first.
        truth: (N,) whole numbers from 0 to C - 1.

    Raises:
        ValueError: shapes that do not agree, a NaN, or a truth that is no class.
    """
    scores, truth = checked(scores, truth)
    own = np.take_along_axis(scores, truth[:, None], axis=1)
    before = np.arange(scores.shape[1]) < truth[:, None]
    return 1 + ((scores > own) | ((scores == own) & before)).sum(axis=1)


def top_k_accuracy(scores: np.ndarray, truth: np.ndarray, k: int = 1) -> float:
    """Return the share of rows whose true class is among the ``k`` of the highest scores; arguments as ``places``."""
    if k < 1:
        raise ValueError(f"k: got {k}, expected 1 or more")
    return _mean(places(scores, truth) <= k)


def class_scores(truth: np.ndarray, predicted: np.ndarray, classes: int) -> ClassScores:
    """Return what came of each class.

    Args:
        truth: (N,) whole numbers from 0 to ``classes`` - 1.
        predicted: (N,) the same, or NO_ANSWER.
        classes: C.

    Raises:
        ValueError: lengths that do not agree, or numbers that are no class.
    """
    truth, predicted = (_labels(name, values) for name, values in (("truth", truth), ("predicted", predicted)))
    if truth.shape != predicted.shape:
        raise ValueError(f"predicted: got {len(predicted)}, expected one for each of {len(truth)} rows")
    _check_within("truth", truth, 0, classes)
    _check_within("predicted", predicted, NO_ANSWER, classes)
    counted = [truth[truth == predicted], truth, predicted[predicted != NO_ANSWER]]
    return ClassScores(*(np.bincount(rows, minlength=classes) for rows in counted))


def one_hot(truth: np.ndarray, classes: int) -> np.ndarray:
    """Return (N, classes) bool, what ``average_precision`` takes where each row has one class: one against the rest."""
    truth = _labels("truth", truth)
    _check_within("truth", truth, 0, classes)
    return truth[:, None] == np.arange(classes)


def average_precision(scores: np.ndarray, relevant: np.ndarray) -> np.ndarray:
    """Return (C,) float64 average precisions, of each class over all rows by its score; NaN of a class without rows.

    The mean of the precisions at each relevant row, without interpolation. Rows of one score are taken at once, so that
    their order says nothing: a classifier that scores all alike has the class's share of the rows.

    Args:
        scores: (N, C) of any real type, higher is better.
        relevant: (N, C) bool, which classes a row has: any number of them.

    Raises:
        ValueError: shapes that do not agree, or a NaN.
    """
    scores, relevant = _scores(scores), np.asarray(relevant)
    if relevant.shape != scores.shape or relevant.dtype != bool:
        raise ValueError(f"relevant: got {relevant.dtype} of shape {relevant.shape}, expected bool of {scores.shape}")
    found = np.full(scores.shape[1], np.nan)
    for c in np.flatnonzero(relevant.any(axis=0)).tolist():
        order = np.argsort(scores[:, c], kind="stable")[::-1]
        ordered, hits = scores[order, c], np.cumsum(relevant[order, c])
        last = np.flatnonzero(np.append(ordered[1:] != ordered[:-1], True))  # of the rows of each score
        found[c] = (np.diff(hits[last], prepend=0) * hits[last] / (last + 1)).sum() / hits[-1]
    return found


def mean_average_precision(precisions: np.ndarray) -> float:
    """Return mAP, the mean over classes that have rows, of what ``average_precision`` returns."""
    return _mean(precisions[~np.isnan(precisions)])


def level_scores(truth: Sequence[Mapping[str, str]], predicted: Sequence[Mapping[str, str]]) -> dict[str, LevelScores]:
    """Return what came of each level of a taxonomy, in the order in which the truth names them.

    Args:
        truth: for each row its labels by level, such as {"species": "Parus major", "genus": "Parus"}.
        predicted: the same; what was not answered at a level has no label there, and so has no answer at all.

    Raises:
        ValueError: lengths that do not agree.
    """
    if len(truth) != len(predicted):
        raise ValueError(f"predicted: got {len(predicted)}, expected one for each of {len(truth)} rows")
    levels = dict.fromkeys(level for path in truth for level, label in path.items() if label)
    return {level: _level([(path[level], answer.get(level)) for path, answer in zip(truth, predicted, strict=True)
                           if path.get(level)]) for level in levels}  # fmt: skip


def bootstrap(measure: Callable[[np.ndarray], float], groups: Sequence[Hashable], seed: int = 0,
              resamples: int = RESAMPLES, level: float = 0.95) -> Interval | None:  # fmt: skip
    """Return the percentile interval of a figure, from rows drawn again with replacement.

    Args:
        measure: gives the figure of rows, (M,) int64 indices in which one may occur more than once.
        groups: N names; rows of one group, as of one observation or video, are drawn together. ``range(N)``: alone.
        seed: of what is drawn.
        resamples: how often.
        level: the share of resampled figures between both ends.

    Returns:
        The interval; None where fewer than half of the resampled figures are finite, or all are the same: then it
        would say nothing of chance.

    Raises:
        ValueError: no group, or ``level`` or ``resamples`` out of range.

    Source: percentile intervals (Efron, Annals of Statistics 1979); whole groups: the cluster bootstrap.
    """
    if not len(groups) or not 0 < level < 1 or resamples < 1:
        raise ValueError(f"groups, level, resamples: got {len(groups)}, {level}, {resamples}, expected at least one "
                         "group, a share between 0 and 1, and 1 or more")  # fmt: skip
    members: dict[Hashable, list[int]] = {}
    for row, group in enumerate(groups):
        members.setdefault(group, []).append(row)
    rows = [np.array(each, np.int64) for each in members.values()]
    rng = np.random.default_rng(seed)
    drawn = (rng.integers(0, len(rows), len(rows)).tolist() for _ in range(resamples))
    figures = np.array([measure(np.concatenate([rows[place] for place in some])) for some in drawn], np.float64)
    known = figures[np.isfinite(figures)]
    if len(known) < len(figures) / 2 or np.ptp(known) < _SAME:
        return None
    low, high = np.quantile(known, ((1 - level) / 2, (1 + level) / 2)).tolist()
    return Interval(low, high)


def _level(pairs: list[tuple[str, str | None]]) -> LevelScores:
    """Return what came of one level, of (true label, answered label or None)."""
    codes = {label: code for code, label in enumerate(dict.fromkeys(true for true, _ in pairs))}
    labels = len(codes)
    for _, answer in pairs:
        if answer:
            codes.setdefault(answer, len(codes))
    truth = np.array([codes[true] for true, _ in pairs], np.int64)
    answers = np.array([codes[answer] if answer else NO_ANSWER for _, answer in pairs], np.int64)
    right, answered = truth == answers, answers != NO_ANSWER
    found = class_scores(truth, answers, len(codes))
    return LevelScores(len(pairs), _mean(answered), _mean(right), _mean(right[answered]), found.macro_f1(), labels)


def _scores(scores: np.ndarray, name: str = "scores") -> np.ndarray:
    """Return scores (N, C) as an array; ValueError for another shape, another kind of values or a NaN."""
    scores = np.asarray(scores)
    if scores.ndim != 2 or scores.dtype.kind not in "fiu":
        raise ValueError(f"{name}: got {scores.dtype} of shape {scores.shape}, expected numbers (N, C)")
    for row in np.flatnonzero(np.isnan(scores).any(axis=1))[:1]:
        raise ValueError(f"{name}: got a NaN in row {row}, expected numbers")
    return scores


def _labels(name: str, values: np.ndarray) -> np.ndarray:
    """Return whole numbers (N,) int64; no values may be of any type."""
    values = np.asarray(values)
    if values.ndim != 1 or (values.dtype.kind not in "iu" and len(values)):
        raise ValueError(f"{name}: got {values.dtype} of shape {values.shape}, expected whole numbers (N,)")
    return values.astype(np.int64)


def _check_within(name: str, values: np.ndarray, low: int, classes: int) -> None:
    """Raise ValueError unless ``values`` (N,) are from ``low`` to ``classes`` - 1."""
    for row in np.flatnonzero((values < low) | (values >= classes))[:1]:
        raise ValueError(f"{name}: got {values[row]} in row {row}, expected {low} to {classes - 1}")


def _share(part: np.ndarray, whole: np.ndarray) -> np.ndarray:
    """Return part / whole, NaN where there is no whole."""
    return np.divide(part, whole, out=np.full(part.shape, np.nan), where=whole > 0)


def _mean(values: np.ndarray) -> float:
    """Return the mean, NaN of nothing."""
    return float(values.mean()) if len(values) else float("nan")
