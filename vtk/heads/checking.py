"""How well a head tells pictures that it was not fitted on."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Sequence

import numpy as np

from vtk.errors import UsageError
from vtk.heads.head import Head
from vtk.heads.labelled import Labelled
from vtk.heads.ridge import negative_log_likelihood
from vtk.metrics.calibration import reliability
from vtk.metrics.classification import class_scores, top_k_accuracy

TOP = 5
Figures = dict[str, float | int]
# What is shown in tables, in this order; labels alone have the last two.
COLUMNS = ("pictures", "top1", "top5", "macroF1", "ECE", "NLL")
LABEL_COLUMNS = ("pictures", "recall", "precision")


def known(head: Head, labels: Sequence[str], option: str = "LABELS") -> np.ndarray:
    """Return the place of each label among those of a head, (N,) int64.

    Raises:
        UsageError: the head does not know one.
    """
    places = {label: place for place, label in enumerate(head.labels)}
    strange = Counter(label for label in labels if label not in places)
    if strange:
        some = ", ".join(f"{label} ({count})" for label, count in strange.most_common(5))
        raise UsageError(f"{option}: {some}{', …' if len(strange) > 5 else ''}: the head does not know "
                         f"{'this label' if len(strange) == 1 else 'these labels'}; it has {len(places)}, such as "
                         f"{', '.join(head.labels[:3])}")
    return np.array([places[label] for label in labels], np.int64)


def figures(head: Head, vectors: np.ndarray, labels: Sequence[str]) -> tuple[Figures, dict[str, Figures]]:
    """Return how well a head tells vectors, together and by label, rates in percent, NLL in nats.

    ECE is of the first answers, in 15 bins of equal width. Macro-F1 is over the labels that are there.

    Args:
        head: the head.
        vectors: (N, D) float32 of its space and views.
        labels: N, those that are true.

    Raises:
        UsageError: the head does not know a label.
    """
    true = known(head, labels)
    told = head.log_probabilities(vectors)
    found = told.argmax(axis=1)
    sure = np.exp(told.max(axis=1))
    classes = class_scores(true, found, len(head.labels))
    together: Figures = {"pictures": len(true), "top1": 100 * float(np.mean(found == true))}
    if len(head.labels) > TOP:
        together["top5"] = 100 * top_k_accuracy(told, true, TOP)
    together |= {"macroF1": 100 * classes.macro_f1(), "ECE": 100 * reliability(sure, found == true).ece,
                 "NLL": negative_log_likelihood(told, true)}
    by_label: dict[str, Figures] = {}
    for place in np.flatnonzero(classes.support).tolist():
        each: Figures = {"pictures": int(classes.support[place]), "recall": 100 * float(classes.recall[place])}
        if classes.answers[place]:
            each["precision"] = 100 * float(classes.precision[place])
        by_label[head.labels[place]] = each
    return together, by_label


def twins(fitted: Sequence[Labelled], checked: Sequence[Labelled]) -> int:
    """Return how many of the pictures ``checked`` are, byte for byte, among those ``fitted``."""
    sizes = {each.path.stat().st_size for each in fitted} & {each.path.stat().st_size for each in checked}
    there = {_digest(each) for each in fitted if each.path.stat().st_size in sizes}
    return sum(_digest(each) in there for each in checked if each.path.stat().st_size in sizes)


def _digest(picture: Labelled) -> bytes:
    return hashlib.sha256(picture.path.read_bytes()).digest()
