"""Heads fitted on labelled vectors: the ridge, the temperature, and what the file says of both."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from vtk.errors import UsageError
from vtk.heads.features import Features
from vtk.heads.head import Head
from vtk.heads.ridge import CRITERIA, PENALTIES, Ridge, fit_ridge, fit_temperature, row_weights

# Pictures left out from which a temperature means something; below, scores are softened as if nothing were known.
# Each one moves a mean of ten by a tenth.
ENOUGH = 10
UNKNOWN_TEMPERATURE = 1.0


@dataclass(frozen=True, slots=True)
class Fit:
    """How a head is fitted.

    Attributes:
        balance: all labels weigh the same, however many pictures they have.
        standardise: divide each component of the vectors by its standard deviation.
        penalty: multiple, as ``vtk.heads.ridge.PENALTIES`` has them; None: chosen.
        criterion: what chooses it, of ``vtk.heads.ridge.CRITERIA``.
        tau: see ``Head``.
        note: see ``Head``.
    """

    balance: bool = False
    standardise: bool = False
    penalty: float | None = None
    criterion: str = "nll"
    tau: float = 0.0
    note: str = ""

    def __post_init__(self) -> None:
        if self.penalty is not None and not (np.isfinite(self.penalty) and self.penalty > 0):
            raise UsageError(f"--penalty {self.penalty:g}: a number above 0 is needed")
        if self.criterion not in CRITERIA:
            raise UsageError(f"--criterion {self.criterion}: there is {', '.join(CRITERIA)}")
        if not 0 <= self.tau <= 10:
            raise UsageError(f"--tau {self.tau:g}: a number from 0 to 10 is needed")
        if not self.note.isprintable():
            raise UsageError(f"--terms {self.note!r}: one line of text in UTF-8 is needed")
        if self.balance and self.tau:
            raise UsageError("--balance makes all labels equally frequent in the fit, so that --tau would change "
                             "nothing: give one of them")


def fit_head(vectors: np.ndarray, labels: Sequence[str], features: Features, plan: Fit = Fit()) -> Head:
    """Return the head of labelled vectors; its temperature is fitted on scores of pictures that were left out.

    Args:
        vectors: (N, D) float32 of unit length.
        labels: N, of the vectors.
        features: what made them.
        plan: how.

    Raises:
        UsageError: there is one label alone.
    """
    names, classes = np.unique(np.array(labels, object).astype(str), return_inverse=True)
    if len(names) < 2:
        raise UsageError(f"two labels or more are needed, and there is {', '.join(names) or 'none'}")
    ridge = fit_ridge(vectors, classes, len(names), balance=plan.balance, standardise=plan.standardise,
                      penalties=PENALTIES if plan.penalty is None else (plan.penalty,), criterion=plan.criterion)
    told = Counter(labels)
    counts = tuple(told[str(name)] for name in names)
    prior = [1 / len(names)] * len(names) if plan.balance else [count / len(labels) for count in counts]
    temperature, said = _left_out(ridge, classes, np.array(prior), plan)
    fit = {"penalty": ridge.penalty, "penalty_by": plan.criterion if plan.penalty is None else "user",
           "balance": plan.balance, "standardise": plan.standardise, "left_out": said}
    return Head(tuple(map(str, names)), ridge.weights.astype(np.float32), ridge.bias.astype(np.float32), features.space,
                features.views, counts, tuple(prior), temperature, plan.tau, features.embedder.precision, plan.note,
                fit)


def _left_out(ridge: Ridge, classes: np.ndarray, prior: np.ndarray,
              plan: Fit) -> tuple[float, dict[str, float | int | bool]]:
    """Return the temperature, and how pictures are told that were left out one by one, those alone of their label not.

    Each picture is scored by a regression without it. Pictures that are nearly alike stay in on its behalf, and make
    this look better than it is.
    """
    others = np.bincount(classes)[classes] > 1
    scores, true = ridge.left_out[others], classes[others]
    if len(true) < ENOUGH:
        return UNKNOWN_TEMPERATURE, {"pictures": len(true), "calibrated": False}
    weights = row_weights(classes, len(prior))[others] if plan.balance else None
    temperature, loss = fit_temperature(scores, true, weights)
    right = float(np.mean((scores / temperature - plan.tau * np.log(prior)).argmax(axis=1) == true))
    return temperature, {"pictures": len(true), "calibrated": True, "top1": round(100 * right, 2),
                         "nll": round(loss, 4)}
