"""Places by what stands in them: from probabilities of ImageNet's classes to those of Places365."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from vtk.models.places365_labels import PLACES
from vtk.scenes.knowledge import TABLE

CLASSES = 1000


def scene_scores(log_probabilities: np.ndarray) -> np.ndarray:
    """Return for each place of Places365 the probability that a picture was taken there, by the things that it shows.

    It is p(place) = Σ p(class) w(class, place) with the weights of ``knowledge.TABLE``; what no class stands for, the
    background's share among it, is spread over all places alike: a picture whose things can be anywhere gets low
    scores.

    Args:
        log_probabilities: (..., 1000) float, natural logarithms, as the classifier ``imagenet`` gives them; they may
            sum to less than 1, the rest is the background's.

    Returns:
        (..., 365) float32 in [0, 1], in the order of PLACES; they sum to 1.

    Raises:
        ValueError: there are not 1000 classes, or sums are beyond 1.
    """
    values = np.asarray(log_probabilities, np.float64)
    if values.ndim < 1 or values.shape[-1] != CLASSES:
        raise ValueError(f"log_probabilities: got {values.shape}, expected (..., {CLASSES}), the classes of ImageNet")
    shares = np.exp(values)
    total = shares.sum(axis=-1, keepdims=True)
    if not (total <= 1 + 1e-3).all():  # sums of 1000 rounded numbers are not exactly 1
        raise ValueError(f"log_probabilities: their exponentials sum to {float(np.max(total)):.3f}, expected 1 at most")
    told = _spread(shares / np.maximum(total, 1))
    rest = np.maximum(1 - told.sum(axis=-1, keepdims=True), 0)
    return (told + rest / len(PLACES)).astype(np.float32)


def _spread(shares: np.ndarray) -> np.ndarray:
    """Return shares (..., 1000) @ ``weights``, of which one in two hundred is not 0.

    A product of matrices would start threads, which cost more than the work where others use the cores.
    """
    classes, places, values, starts = _entries()
    told = np.zeros((*shares.shape[:-1], len(PLACES)))
    told[..., places[starts]] = np.add.reduceat(shares[..., classes] * values, starts, axis=-1)
    return told


@lru_cache(maxsize=1)
def _entries() -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Return classes, places and weights of the entries that are not 0, by place, and where each place begins."""
    places, classes = np.nonzero(weights().T)
    return classes, places, weights()[classes, places], np.flatnonzero(np.diff(places, prepend=-1))


def told_share(log_probabilities: np.ndarray) -> np.ndarray:
    """Return (...) float64 in [0, 1], how much of (..., 1000) log-probabilities lies on what stands for places."""
    return np.exp(np.asarray(log_probabilities, np.float64)) @ weights().sum(axis=1)


@lru_cache(maxsize=1)
def weights() -> np.ndarray:
    """Return (1000, 365) float64, for each class of ImageNet the share of its pictures that each place has.

    Rows sum to 1 at most; it is read once and cannot be written.
    """
    table = np.zeros((CLASSES, len(PLACES)))
    numbers = {place: number for number, place in enumerate(PLACES)}
    for line in TABLE.strip().splitlines():
        classes, places = line.split(": ")
        first, _, last = classes.split(" ", 1)[0].partition("-")
        for place, hundredths in (entry.rsplit(" ", 1) for entry in places.split(", ")):
            table[int(first) : int(last or first) + 1, numbers[place]] = int(hundredths) / 100
    table.setflags(write=False)
    return table
