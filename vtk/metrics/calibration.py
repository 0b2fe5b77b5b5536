"""Whether probabilities and label sets keep their word: calibration error with its bins, Brier, NLL, coverage.

    curve = reliability(probabilities.max(1), probabilities.argmax(1) == truth)    # curve.ece; bins for a plot
    brier(probabilities, truth), nll(probabilities, truth)
    found = set_scores(sets, truth)                                                # found.coverage, found.size
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from vtk.metrics.classification import checked

BINS = 15  # Source: Guo et al., ICML 2017, section 5
_ABOVE_ONE = 1e-5  # float32 probabilities that sum to 1 may exceed it by their roundings


@dataclass(frozen=True, slots=True)
class Reliability:
    """A reliability plot: what was promised and what came of it, by bins of the score; bins without rows are NaN.

    Attributes:
        edges: (B + 1,) float64 from 0 to 1: a bin reaches from above one edge up to the next; 0 is in the first.
        count: (B,) int64, rows of each bin.
        score: (B,) float64, their mean score.
        accuracy: (B,) float64, the share of them that are right.
    """

    edges: np.ndarray
    count: np.ndarray
    score: np.ndarray
    accuracy: np.ndarray

    @property
    def ece(self) -> float:
        """Expected calibration error, in [0, 1]: the gaps of the bins, weighted by their rows; NaN without rows."""
        held = self.count > 0
        gaps = np.abs(self.score - self.accuracy)[held]
        return float(gaps @ self.count[held] / self.count.sum()) if held.any() else float("nan")


@dataclass(frozen=True, slots=True)
class SetScores:
    """What came of label sets: over all rows, and by the true class, (C,), NaN of a class without rows.

    Attributes:
        coverage: the share of rows whose set holds the true class.
        size: the mean number of classes in a set.
        empty: the share of rows whose set is empty.
        class_coverage: (C,) the coverage of the rows of each class.
        class_size: (C,) the mean size of the sets of the rows of each class.
        support: (C,) int64, rows of each class.
    """

    coverage: float
    size: float
    empty: float
    class_coverage: np.ndarray
    class_size: np.ndarray
    support: np.ndarray

    @property
    def macro_coverage(self) -> float:
        """Mean of the coverages of classes that have rows, each counting alike."""
        known = self.class_coverage[self.support > 0]
        return float(known.mean()) if len(known) else float("nan")


def reliability(scores: np.ndarray, right: np.ndarray, bins: int = BINS,
                equal: Literal["width", "mass"] = "width") -> Reliability:  # fmt: skip
    """Return how often answers are right, by bins of their score.

    Args:
        scores: (N,) in [0, 1], the probability that each answer was given with.
        right: (N,) bool, whether it was right.
        bins: how many.
        equal: "width": edges at i / bins; "mass": as many rows in each as can be. Rows of one score are in one bin, so
            of equal mass there are fewer bins where scores are few.

    Raises:
        ValueError: shapes that do not agree, a score that is no probability, or no bins.

    Source: ECE: Naeini et al., AAAI 2015; Guo et al., ICML 2017, section 2. Equal mass: Nixon et al., CVPRW 2019.
    """
    scores, right = np.asarray(scores, np.float64), np.asarray(right)
    if scores.ndim != 1 or right.shape != scores.shape or right.dtype != bool:
        raise ValueError(f"scores, right: got shapes {scores.shape} and {right.shape} of {right.dtype}, "
                         "expected numbers (N,) and bool (N,)")  # fmt: skip
    _check_probabilities("scores", scores[:, None])
    if bins < 1 or equal not in ("width", "mass"):
        raise ValueError(f"bins, equal: got {bins}, {equal!r}, expected 1 or more, and width or mass")
    scores = np.minimum(scores, 1)
    edges = np.arange(bins + 1) / bins
    if equal == "mass" and len(scores):
        # A bin ends with the score of its last row, and takes along those of the same score.
        last = -(np.arange(1, bins) * -len(scores) // bins) - 1
        edges = np.unique(np.concatenate([[0], np.sort(scores)[last], [1]]))
    place = np.maximum(np.searchsorted(edges, scores, side="left") - 1, 0)
    count = np.bincount(place, minlength=len(edges) - 1)
    sums = [np.bincount(place, values, len(count)) for values in (scores, right)]
    means = [np.divide(each, count, out=np.full(len(count), np.nan), where=count > 0) for each in sums]
    return Reliability(edges, count, *means)


def brier(probabilities: np.ndarray, truth: np.ndarray) -> float:
    """Return the mean over rows of the squared distance to the truth, in [0, 2]; NaN without rows.

    Args:
        probabilities: (N, C) in [0, 1]. They need not sum to 1: a row of zeros, where no class was possible, is 1 off.
        truth: (N,) whole numbers from 0 to C - 1.

    Raises:
        ValueError: shapes that do not agree, what is no probability, or a truth that is no class.

    Source: Brier, Monthly Weather Review 1950: the sum over all classes, twice that of the true class alone for two.
    """
    probabilities, own = _of_truth(probabilities, truth)
    squares = np.einsum("nc,nc->n", probabilities, probabilities)
    return _mean(squares - 2 * own + 1)


def nll(probabilities: np.ndarray, truth: np.ndarray) -> float:
    """Return the mean negative natural logarithm of the true class's probability, in nats; NaN without rows.

    Infinite where a true class was held impossible. Arguments and errors are those of ``brier``.
    """
    with np.errstate(divide="ignore"):
        return _mean(-np.log(_of_truth(probabilities, truth)[1]))


def set_scores(sets: np.ndarray, truth: np.ndarray) -> SetScores:
    """Return how often sets of labels hold the true one, and how large they are.

    Args:
        sets: (N, C) bool, the classes that each row's set has; may be none.
        truth: (N,) whole numbers from 0 to C - 1.

    Raises:
        ValueError: shapes that do not agree, or a truth that is no class.
    """
    sets = np.asarray(sets)
    if sets.ndim != 2 or sets.dtype != bool:
        raise ValueError(f"sets: got {sets.dtype} of shape {sets.shape}, expected bool (N, C)")
    _, truth = checked(sets.view(np.uint8), truth, "sets")
    held, sizes = sets[np.arange(len(sets)), truth], sets.sum(axis=1)
    support = np.bincount(truth, minlength=sets.shape[1])
    by_class = [np.divide(np.bincount(truth, values, len(support)), support, out=np.full(len(support), np.nan),
                          where=support > 0) for values in (held, sizes)]  # fmt: skip
    return SetScores(_mean(held), _mean(sizes), _mean(sizes == 0), *by_class, support)


def _of_truth(probabilities: np.ndarray, truth: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return probabilities (N, C) float64 and those of the true classes (N,)."""
    probabilities, truth = checked(probabilities, truth, "probabilities")
    _check_probabilities("probabilities", probabilities)
    probabilities = np.minimum(probabilities.astype(np.float64), 1)
    return probabilities, probabilities[np.arange(len(truth)), truth]


def _check_probabilities(name: str, values: np.ndarray) -> None:
    """Raise ValueError unless ``values`` (N, C) are from 0 to 1."""
    for row in np.flatnonzero(~((values >= 0) & (values <= 1 + _ABOVE_ONE)).all(axis=1))[:1]:
        wrong = values[row][~((values[row] >= 0) & (values[row] <= 1 + _ABOVE_ONE))][0]
        raise ValueError(f"{name}: got {wrong} in row {row}, expected probabilities, from 0 to 1")


def _mean(values: np.ndarray) -> float:
    """Return the mean, NaN of nothing."""
    return float(values.mean()) if len(values) else float("nan")
