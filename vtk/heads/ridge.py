"""Ridge regression onto labels in closed form, its penalty chosen by leaving each row out; and a temperature."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import scipy.linalg
from scipy.optimize import minimize_scalar
from scipy.special import logsumexp

# Penalties that are tried, as multiples of the mean variance of a component times the rows: from next to none to one
# that leaves little but the class means. Four to a decade.
PENALTIES = tuple(np.logspace(-4, 3, 29).tolist())
# What is taken where nothing can be left out, since no label has two rows: all rows count, the class means most.
UNTRIED = 1.0
CRITERIA = ("nll", "press", "gcv")
# Bounds of the temperature. Scores lie about 0 and 1, so that 1e-3 is as sure as a float can say.
COLDEST, HOTTEST = 1e-3, 1e2


@dataclass(frozen=True, slots=True)
class Ridge:
    """A fitted regression; the scores of rows x are ``x @ weights + bias``, near 1 for a row's own class, else near 0.

    Attributes:
        weights: (D, C) float64.
        bias: (C,) float64.
        penalty: as a multiple, see PENALTIES.
        left_out: (N, C) float64, the scores of each row by a regression that was fitted without it.
        criterion: value of what chose the penalty at each one that was tried, by penalty.
    """

    weights: np.ndarray
    bias: np.ndarray
    penalty: float
    left_out: np.ndarray
    criterion: dict[float, float]


@dataclass(frozen=True, slots=True)
class _Problem:
    """Rows, centred, in terms of left singular vectors: what all penalties share.

    ``rows`` (N, D) are centred, scaled, and times the roots of their weights, ``targets`` (N, C) likewise; ``left``
    (N, R) with ``squares`` (R,) are singular vectors and squared values, ``turned`` (R, C) is ``left.T @ targets``.
    """

    rows: np.ndarray
    targets: np.ndarray
    left: np.ndarray
    squares: np.ndarray
    turned: np.ndarray
    weights: np.ndarray
    unit: float

    def residuals(self, penalty: float) -> tuple[np.ndarray, np.ndarray]:
        """Return the residuals (N, C), times the roots of weights, and each row's leverage (N,) in [0, 1]."""
        kept = self.squares / (self.squares + penalty * self.unit)
        leverage = self.weights / self.weights.sum() + (self.left ** 2) @ kept
        return self.targets - self.left @ (kept[:, None] * self.turned), leverage

    def slopes(self, penalty: float) -> np.ndarray:
        """Return the coefficients (D, C) of the scaled rows."""
        return self.rows.T @ (self.left @ (self.turned / (self.squares + penalty * self.unit)[:, None]))


def fit_ridge(features: np.ndarray, classes: np.ndarray, count: int, *, balance: bool = False,
              standardise: bool = False, penalties: Sequence[float] = PENALTIES, criterion: str = "nll") -> Ridge:
    """Return the ridge regression of classes, one-hot, on features, with an intercept that is not penalised.

    Minimises ``sum_i v_i |y_i - W'x_i - b|^2 + penalty * unit * |W|^2``, ``unit`` the mean over components of
    ``sum_i v_i x_ij^2``, x centred. Logits of smoothed labels as targets would be the same up to scale and shift,
    which a temperature takes out. What a row's score would be without it follows from its residual and leverage; its
    part in the scale of ``standardise`` alone stays. Takes N * D numbers of memory about three times.

    Args:
        features: (N, D) float, finite.
        classes: (N,) int in [0, count).
        count: of classes, C, each with a row.
        balance: v makes all classes weigh the same; else it is 1.
        standardise: divide each component by its standard deviation; one that is constant counts for nothing.
        penalties: to choose from, multiples above 0.
        criterion: what is least at the penalty that is taken: ``nll``, the mean negative log-likelihood of rows left
            out, at its best temperature; ``press``, their squared error; ``gcv``, generalised cross-validation. Rows of
            a class that has no other row do not count in the first two.

    Raises:
        ValueError: a shape, class, penalty or criterion is not as stated, or features are not finite.

    Source: Hoerl & Kennard, "Ridge regression", Technometrics 1970; Allen, "The relationship between variable
    selection and data augmentation", Technometrics 1974 (PRESS, e_i / (1 - h_ii)); Golub, Heath & Wahba, "Generalized
    cross-validation as a method for choosing a good ridge parameter", Technometrics 1979.
    """
    features, classes = _checked(features, classes, count, penalties, criterion)
    one_hot = np.eye(count)[classes]
    weights = row_weights(classes, count) if balance else np.ones(len(classes))
    centre, mean = (np.average(each, axis=0, weights=weights) for each in (features, one_hot))
    scale = np.ones(features.shape[1])
    if standardise:
        spread = np.sqrt(np.average((features - centre) ** 2, axis=0, weights=weights))
        scale = np.where(spread > 1e-12 * max(spread.max(), 1e-300), spread, np.inf)
    problem = _decomposed((features - centre) / scale, one_hot - mean, weights)
    counted = np.bincount(classes, minlength=count)[classes] > 1
    told = {float(penalty): _criterion(problem, penalty, one_hot, classes, counted, criterion)
            for penalty in (penalties if counted.any() else (UNTRIED,))}
    penalty = min(told, key=lambda each: told[each])
    slopes = problem.slopes(penalty) / scale[:, None]
    return Ridge(slopes, mean - centre @ slopes, penalty, _left_out(problem, penalty, one_hot), told)


def row_weights(classes: np.ndarray, count: int) -> np.ndarray:
    """Return (N,) float64 weights of mean 1 with which each of ``count`` classes weighs the same."""
    sizes = np.bincount(classes, minlength=count)
    return len(classes) / (count * sizes[classes])


def fit_temperature(scores: np.ndarray, classes: np.ndarray, weights: np.ndarray | None = None) -> tuple[float, float]:
    """Return what scores are divided by so that their softmax is most likely, and the mean negative log-likelihood.

    Args:
        scores: (N, C) float of rows that they were not fitted on, N >= 1.
        classes: (N,) int, those that are true.
        weights: (N,) of rows; None: all weigh the same.

    Raises:
        ValueError: there is no row.

    Source: Guo et al., "On Calibration of Modern Neural Networks", ICML 2017, section 4.2. The likelihood is concave
    in 1 / T, so that a search over one bounded interval finds its one optimum.
    """
    if not len(scores):
        raise ValueError("expected scores of at least one row, got none")

    def loss(inverse: float) -> float:
        return negative_log_likelihood(inverse * scores, classes, weights)

    found = minimize_scalar(lambda log: loss(np.exp(log)), bounds=(-np.log(HOTTEST), -np.log(COLDEST)),
                            method="bounded", options={"xatol": 1e-6})
    return float(np.exp(-found.x)), float(found.fun)


def negative_log_likelihood(logits: np.ndarray, classes: np.ndarray, weights: np.ndarray | None = None) -> float:
    """Return the weighted mean of minus the log-probability of each row's class, in nats.

    Args:
        logits: (N, C) float; their softmax are the probabilities.
        classes: (N,) int.
        weights: (N,); None: all weigh the same.
    """
    logits = np.asarray(logits, np.float64)
    told = logsumexp(logits, axis=1) - logits[np.arange(len(logits)), classes]
    return float(np.average(told, weights=weights))


def _checked(features: np.ndarray, classes: np.ndarray, count: int, penalties: Sequence[float],
             criterion: str) -> tuple[np.ndarray, np.ndarray]:
    features, classes = np.asarray(features, np.float64), np.asarray(classes)
    if features.ndim != 2 or classes.shape != (len(features),) or not features.size:
        raise ValueError(f"expected features (N, D) and classes (N,), got {features.shape} and {classes.shape}")
    if not np.isfinite(features).all():
        raise ValueError("features are not finite")
    if not np.issubdtype(classes.dtype, np.integer) or set(np.unique(classes).tolist()) != set(range(count)):
        raise ValueError(f"expected rows of each of {count} classes 0 to {count - 1}, got "
                         f"{np.unique(classes).tolist()}")
    if not len(penalties) or not all(np.isfinite(each) and each > 0 for each in penalties):
        raise ValueError(f"expected penalties above 0, got {list(penalties)}")
    if criterion not in CRITERIA:
        raise ValueError(f"criterion is {criterion!r}, expected one of {', '.join(CRITERIA)}")
    return features, classes


def _decomposed(rows: np.ndarray, targets: np.ndarray, weights: np.ndarray) -> _Problem:
    """Return the problem of centred rows (N, D) and targets (N, C), by the smaller of the two Gram matrices."""
    root = np.sqrt(weights)[:, None]
    rows, targets = rows * root, targets * root
    if len(rows) > rows.shape[1]:
        squares, right = scipy.linalg.eigh(rows.T @ rows)
        kept = squares > 1e-12 * max(squares[-1], 1e-300)
        squares = squares[kept]
        left = rows @ (right[:, kept] / np.sqrt(squares))
    else:
        squares, left = scipy.linalg.eigh(rows @ rows.T)
        kept = squares > 1e-12 * max(squares[-1], 1e-300)
        squares, left = squares[kept], left[:, kept]
    unit = float((rows ** 2).sum()) / rows.shape[1]
    return _Problem(rows, targets, left, squares, left.T @ targets, weights, unit or 1.0)


def _left_out(problem: _Problem, penalty: float, one_hot: np.ndarray) -> np.ndarray:
    """Return the scores (N, C) of each row by the regression without it; of one that alone counts, their mean."""
    residuals, leverage = problem.residuals(penalty)
    rest = np.maximum(1 - leverage, 1e-12)
    return one_hot - residuals / (np.sqrt(problem.weights) * rest)[:, None]


def _criterion(problem: _Problem, penalty: float, one_hot: np.ndarray, classes: np.ndarray, counted: np.ndarray,
               criterion: str) -> float:
    if not counted.any():
        return 0.0
    if criterion == "gcv":
        residuals, leverage = problem.residuals(penalty)
        return float(len(classes) * (residuals ** 2).sum() / (len(classes) - leverage.sum()) ** 2)
    scores = _left_out(problem, penalty, one_hot)[counted]
    if criterion == "press":
        return float(np.average(((one_hot[counted] - scores) ** 2).sum(axis=1), weights=problem.weights[counted]))
    return fit_temperature(scores, classes[counted], problem.weights[counted])[1]
