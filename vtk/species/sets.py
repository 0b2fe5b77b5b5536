"""Answers as sets of species that hold the right one as often as promised: RAPS.

    found = calibrate(probabilities, labels, 0.95, names=names, model="inat-birds@c4e1…", prior=table.hash)
    found.sets(others)                                  # (M, C) bool
    write: found.to_json(); read again: read_sets(path, names, model, prior)

A class scores what all classes that are more probable have together, and itself, and ``penalty`` for each rank below
``free``; a set has the classes that score up to a threshold, under which the right ones of the calibration lie often
enough. Randomised, a class counts for a random part of itself, which hits the coverage exactly, with smaller sets.
The promise holds for pictures like those of the calibration, on average over them and not for each species.

Source: Angelopoulos, Bates, Malik and Jordan, "Uncertainty sets for image classifiers using conformal prediction", ICLR
2021, algorithms 2 and 3. PENALTY and FREE are chosen, not measured; ``tune`` finds what gives small sets.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from vtk.errors import UsageError

FORMAT = "vtk species sets 1"
PENALTY, FREE = 0.01, 5
PENALTIES = (0.001, 0.01, 0.1, 0.2, 0.5)  # that ``tune`` tries, those of the paper's code
_AT_ONCE = 1 << 22  # numbers that are sorted at once
_ROUNDING = 1e-9


@dataclass(frozen=True, slots=True)
class Sets:
    """A threshold for sets, and what it belongs to.

    Attributes:
        coverage: share of pictures whose set holds the right class, as promised.
        threshold: highest score of a class that is in the set.
        penalty, free: what each rank beyond the first ``free`` costs.
        randomised: whether a class counts for a random part of itself.
        count: pictures of the calibration.
        classes: hash of the names, in their order.
        model: name@hash of the model.
        prior: hash of the range table that the probabilities were combined with; None: of none.
        combined: how they were, in words; "" with nothing.
        report: coverage and size of sets by leaving each picture out, and coverage by class.
    """

    coverage: float
    threshold: float
    penalty: float
    free: int
    randomised: bool
    count: int
    classes: str
    model: str
    prior: str | None
    combined: str = ""
    report: dict[str, Any] = field(default_factory=dict)

    def sets(self, probabilities: np.ndarray, *, seed: int = 0) -> np.ndarray:
        """Return the set of each picture; the most probable class is in each.

        Args:
            probabilities: (M, C), rows sum to 1.
            seed: of the random parts, where it is randomised; another one for each call, since pictures of one place
                in two calls would share their part.

        Returns:
            (M, C) bool.

        Raises:
            ValueError: they are no probabilities.
        """
        given = _checked(probabilities)
        parts = _parts(len(given), self.randomised, seed)
        found = np.zeros(given.shape, bool)
        for rows in _blocks(given):
            order = np.argsort(-given[rows], axis=1, kind="stable")
            ranked = np.take_along_axis(given[rows], order, 1)
            ranks = np.arange(1, given.shape[1] + 1)
            scores = (np.cumsum(ranked, 1) - (1 - parts[rows, None]) * ranked
                      + self.penalty * np.maximum(0, ranks - self.free))
            inside = scores <= self.threshold + _ROUNDING
            inside[:, :1] = True
            np.put_along_axis(found[rows], order, inside, 1)
        return found

    def to_json(self) -> bytes:
        """Return it as one JSON object, as ``read_sets`` takes it."""
        return json.dumps({"format": FORMAT, **asdict(self)}).encode()


def calibrate(probabilities: np.ndarray, labels: np.ndarray, coverage: float, *, names: Sequence[str], model: str,
              prior: str | None = None, combined: str = "", penalty: float = PENALTY, free: int = FREE,
              randomised: bool = False, seed: int = 0) -> Sets:
    """Return the threshold at which sets hold the right class with probability ``coverage``.

    Args:
        probabilities: (N, C), rows sum to 1; of pictures that the model was not made with.
        labels: (N,) integers, the right classes.
        coverage: 1 - α, above 0 and below 1.
        names: C classes.
        model, prior, combined: see ``Sets``.
        penalty, free: see ``Sets``; ``tune`` finds them, on other pictures.
        randomised, seed: see ``Sets``.

    Raises:
        UsageError: there are fewer than 1 / α pictures, with which no threshold keeps the promise.
        ValueError: shapes that do not agree, or values out of range.
    """
    given, right = _checked(probabilities), np.asarray(labels)
    _check_labels(right, given, len(names))
    if not 0 < coverage < 1 or penalty < 0 or free < 0:
        raise ValueError(f"coverage {coverage:g}, penalty {penalty:g}, free {free}: expected 0 < coverage < 1, and "
                         "numbers from 0")
    need = math.ceil(1 / (1 - coverage) - _ROUNDING)
    if len(given) < need:
        raise UsageError(f"coverage {coverage:g} needs {need} labelled pictures at least, and there are {len(given)}: "
                         "add some, or ask for less")
    scores = _scores(given, right, _parts(len(given), randomised, seed), penalty, free)
    ordered = np.sort(scores)
    threshold = float(ordered[_place(len(scores) + 1, coverage)])
    found = Sets(coverage, threshold, penalty, free, randomised, len(given), hash_of(names), model, prior, combined)
    # Leaving a picture out moves the threshold only past its own score: it is covered by that of all others if it is
    # among the ⌈n · coverage⌉ lowest of all n, or the most probable class, which every set has.
    held = (scores <= ordered[_place(len(scores), coverage)] + _ROUNDING) | (given.argmax(1) == right)
    found.report.update(_covered(held, right, names, found.sets(given, seed=seed).sum(1)))
    return found


def tune(probabilities: np.ndarray, labels: np.ndarray, coverage: float) -> tuple[float, int]:
    """Return the penalty and the free ranks that give the smallest sets, for ``calibrate`` on other pictures.

    The free ranks are those that the right class has in ``coverage`` of the pictures. Source: algorithm 4 of the paper.

    Args:
        probabilities, labels, coverage: as in ``calibrate``; of pictures that ``calibrate`` does not get.

    Raises:
        UsageError, ValueError: as ``calibrate``.
    """
    given, right = _checked(probabilities), np.asarray(labels)
    _check_labels(right, given, given.shape[1])
    names = [str(place) for place in range(given.shape[1])]
    own = np.take_along_axis(given, right[:, None], 1)
    ahead = (given > own) | ((given == own) & (np.arange(given.shape[1]) < right[:, None]))
    free = int(np.sort(ahead.sum(1) + 1)[min(len(given) - 1, _place(len(given) + 1, coverage))])

    def size(penalty: float) -> float:
        found = calibrate(given, right, coverage, names=names, model="", penalty=penalty, free=free)
        return float(found.sets(given).sum(1).mean())

    return min(PENALTIES, key=size), free


def coverage_of(sets: np.ndarray, labels: np.ndarray, names: Sequence[str]) -> dict[str, Any]:
    """Return how often sets hold the right class, and how large they are.

    Args:
        sets: (M, C) bool.
        labels: (M,) integers, the right classes.
        names: C classes.

    Returns:
        ``coverage`` with its ``interval``, ``size`` (mean), ``count``; ``classes``: name → [coverage, count].
    """
    right = np.asarray(labels)
    _check_labels(right, sets, len(names))
    return _covered(np.take_along_axis(np.asarray(sets, bool), right[:, None], 1)[:, 0], right, names, sets.sum(1))


def read_sets(path: Path, names: Sequence[str], model: str, prior: str | None, combined: str = "") -> Sets:
    """Return a calibration that ``to_json`` wrote, for the probabilities at hand.

    Raises:
        UsageError: it cannot be read or is none, or is for other classes, another model, another range table, or
            scores that were combined otherwise.
    """
    try:
        data = json.loads(path.read_bytes())
    except OSError as error:
        raise UsageError(f"{path}: {error.strerror}") from None
    except ValueError:
        raise UsageError(f"{path}: not a JSON file") from None
    if not isinstance(data, dict) or data.pop("format", None) != FORMAT:
        raise UsageError(f"{path}: no calibration of sets of species")
    try:
        found = Sets(**data)
        numbers = [float(each) for each in (found.coverage, found.threshold, found.penalty, found.free)]
        if not all(map(math.isfinite, numbers)) or not 0 < found.coverage < 1 or type(found.randomised) is not bool:
            raise ValueError(f"coverage {found.coverage}, threshold {found.threshold}")
    except (TypeError, ValueError) as error:
        raise UsageError(f"{path}: damaged: {error}") from None
    for what, wanted, here in (("the model", found.model, model), ("the prior", found.prior, prior),
                               ("scores combined by", found.combined, combined),
                               ("classes", found.classes, hash_of(names))):
        if wanted != here:
            raise UsageError(f"{path} is for {what} {wanted or 'none'}, and this is {here or 'none'}: its promise does "
                             "not hold here; calibrate again")
    return found


def hash_of(names: Sequence[str]) -> str:
    """Return twelve hexadecimal digits of the sha256 of names in their order."""
    return hashlib.sha256("\n".join(names).encode()).hexdigest()[:12]


def _place(count: int, coverage: float) -> int:
    """Return which of scores in order, from 0, is the ⌈count · coverage⌉-th."""
    return max(0, math.ceil(count * coverage - _ROUNDING) - 1)


def _parts(count: int, randomised: bool, seed: int) -> np.ndarray:
    """Return which part of itself a class counts for, (N,) float64 in [0, 1]: the whole where nothing is random."""
    return np.random.default_rng(seed).random(count) if randomised else np.ones(count)


def _scores(given: np.ndarray, right: np.ndarray, parts: np.ndarray, penalty: float, free: int) -> np.ndarray:
    """Return the scores of the right classes, (N,). Equally probable ones stand in the classes' order."""
    scores = np.empty(len(given))
    for rows in _blocks(given):
        each, label = given[rows], right[rows, None]
        own = np.take_along_axis(each, label, 1)
        ahead = (each > own) | ((each == own) & (np.arange(each.shape[1]) < label))
        scores[rows] = ((each * ahead).sum(1) + parts[rows] * own[:, 0]
                        + penalty * np.maximum(0, ahead.sum(1) + 1 - free))
    return scores


def _covered(held: np.ndarray, right: np.ndarray, names: Sequence[str], sizes: np.ndarray) -> dict[str, Any]:
    from scipy.stats import binomtest

    if len(set(names)) != len(names):
        twice = next(name for place, name in enumerate(names) if name in names[:place])
        raise ValueError(f"two classes are called {twice}: expected names that tell them apart")
    hits = np.bincount(right[held], minlength=len(names))
    counts = np.bincount(right, minlength=len(names))
    interval = binomtest(int(held.sum()), len(held)).proportion_ci(0.95)
    return {"coverage": round(float(held.mean()), 4), "interval": [round(interval.low, 4), round(interval.high, 4)],
            "size": round(float(np.mean(sizes)), 4), "count": len(held),
            "classes": {name: [round(int(hit) / int(count), 4), int(count)]
                        for name, hit, count in zip(names, hits, counts, strict=True) if count}}


def _checked(probabilities: np.ndarray) -> np.ndarray:
    """Return probabilities as float64, or raise ValueError."""
    given = np.asarray(probabilities, np.float64)
    if given.ndim != 2 or not given.shape[1]:
        raise ValueError(f"probabilities of shape {given.shape}, expected (pictures, classes)")
    if not np.isfinite(given).all() or (given < 0).any() or (np.abs(given.sum(1) - 1) > 1e-3).any():
        raise ValueError("expected rows of probabilities that sum to 1: got one that does not, or holds less than 0 or "
                         "what is no number")
    return given


def _check_labels(right: np.ndarray, given: np.ndarray, classes: int) -> None:
    if right.ndim != 1 or right.dtype.kind not in "iu" or given.shape != (len(right), classes) or not len(right):
        raise ValueError(f"labels of shape {right.shape} and type {right.dtype} for {given.shape} and {classes} "
                         "names: expected (N,) integers, (N, C) and C names")
    if not 0 <= right.min() <= right.max() < classes:
        raise ValueError(f"labels from {right.min()} to {right.max()}: expected 0 to {classes - 1}")


def _blocks(given: np.ndarray) -> Iterator[slice]:
    step = max(1, _AT_ONCE // given.shape[1])
    return (slice(start, start + step) for start in range(0, len(given), step))
