"""Softmax of class scores under what is known beside the picture: how often a class was trained, and what lives where.

In one pass over the scores: log p(y|x) - tau * log p_train(y) + gamma * log p(y|place), a hard list of what a place
has, and the sums of the probabilities by group of classes, such as species by genus.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from vtk.kernels.dispatch import Array, call, check_array, check_number

# Of ``tau`` and ``gamma``: more is a mistake, and their products with any float32 stay finite.
LARGEST = 1e6


def logit_adjust(
    logits: Array,
    train: Array | None = None,
    priors: Array | None = None,
    places: Array | None = None,
    masks: Array | None = None,
    groups: Array | None = None,
    *,
    tau: float = 1.0,
    gamma: float = 1.0,
    floor: float = 0.0,
    group_count: int = 0,
) -> tuple[Array, Array]:
    """Return the classes' probabilities under the priors and masks of each row's place, and their sums by group.

    A score is logit - tau * train + gamma * max(prior, log(floor)), in float64, and the probabilities are the softmax
    of a row's scores. What adds the same to every class changes nothing: logits may be log probabilities, and priors
    need not sum to 1.

    A class is impossible, its probability exactly 0, where its score is -inf: by its logit, or by a prior of -inf
    without a floor. A mask makes impossible what it does not have, unless nothing possible would be left: then the row
    is answered as if it had no mask. A row in which no class is possible is 0 throughout. A row with a NaN or +inf
    among its logits or in the prior that it uses is NaN throughout, whatever its mask.

    Args:
        logits: (N, C) float32.
        train: (C,) float32, finite: natural logarithms of the shares that the classes had in training. None: all alike.
        priors: (P, C) float32: natural logarithms of the shares that the classes have in each place (and season). May
            be memory-mapped: only rows that are used are read. None, or a gamma of 0: all alike.
        places: (N,) int64, for each row of ``logits`` that of ``priors`` and ``masks``; -1: neither. Needed with them.
        masks: (P, C) bool, whether a place has a class at all. None: all.
        groups: (C,) int64, the group of each class from 0 to ``group_count`` - 1, or -1 for none.
        tau: how much of the training shares is taken out, from 0 to 1e6.
        gamma: how much the place says, from 0 to 1e6.
        floor: the least share, from 0 to 1, that a class is taken to have in a place, so that what was never seen
            there is improbable, not impossible. It has no say where there is no prior.
        group_count: G; 0 without ``groups``.

    Returns:
        (N, C) float32 probabilities and (N, G) float32, their sums by group. Those below 1e-37 may be 0.

    Raises:
        ValueError: a shape, a dtype or an argument is not as said, or ``train`` is not finite.

    Source: tau: Menon et al., ICLR 2021, section 4.1 (post-hoc logit adjustment); gamma: the spatio-temporal prior of
    Mac Aodha et al., ICCV 2019, section 3. With both 1 it is Bayes' rule for a picture and a place that are
    independent given the class. A mask with a way out: the location filters of SnakeCLEF 2022.
    """
    check_array("logits", logits, ("N", "C"), ("float32",))
    rows, classes = logits.shape
    _check_train(train, classes)
    _check_places(priors, places, masks, rows, classes)
    _check_groups(groups, group_count, classes)
    check_number("tau", tau, 0, LARGEST)
    check_number("gamma", gamma, 0, LARGEST)
    check_number("floor", floor, 0, 1)
    return call(__name__, "logit_adjust", logits, train, priors, places, masks, groups, tau=float(tau),
                gamma=float(gamma), floor=float(floor), group_count=int(group_count))  # fmt: skip


def _check_train(train: Array | None, classes: int) -> None:
    """Raise ValueError unless ``train`` is None or a finite number for each class."""
    if train is None:
        return
    check_array("train", train, (classes,), ("float32",))
    if classes and not (train.min() > -math.inf and train.max() < math.inf):
        raise ValueError("train: got NaN or an infinity, expected finite logarithms; a class that was not trained has "
                         "no share: give it that of a rare one")  # fmt: skip


def _check_places(priors: Array | None, places: Array | None, masks: Array | None, rows: int, classes: int) -> None:
    """Raise ValueError unless ``priors`` and ``masks`` have the same places, and every row one of them or -1."""
    count = 0
    for name, table, dtype in (("priors", priors, "float32"), ("masks", masks, "bool")):
        if table is not None:
            check_array(name, table, ("P" if table is priors or priors is None else count, classes), (dtype,))
            count = table.shape[0]
    if places is None:
        if priors is not None or masks is not None:
            raise ValueError("places: got None with priors or masks, expected their row for each row of logits")
        return
    check_array("places", places, (rows,), ("int64",))
    _check_within("places", places, count)


def _check_groups(groups: Array | None, group_count: int, classes: int) -> None:
    """Raise ValueError unless each class has one of the groups or -1."""
    if not _is_whole(group_count) or group_count < 0 or (groups is None and group_count):
        expected = "0 without groups" if groups is None else "a whole number from 0"
        raise ValueError(f"group_count: got {group_count!r}, expected {expected}")
    if groups is not None:
        check_array("groups", groups, (classes,), ("int64",))
        _check_within("groups", groups, int(group_count))


def _check_within(name: str, values: Array, count: int) -> None:
    """Raise ValueError unless all ``values`` (N,) are from -1 to ``count`` - 1."""
    if not len(values):
        return
    low, high = int(values.min()), int(values.max())
    if low < -1 or high >= count:
        expected = f"whole numbers from -1 to {count - 1}" if count else "-1 alone, for there are none"
        raise ValueError(f"{name}: got {low if low < -1 else high}, expected {expected}")


def _is_whole(value: Any) -> bool:
    """Tell whether ``value`` is a whole number."""
    return isinstance(value, (int, np.integer)) and not isinstance(value, bool)
