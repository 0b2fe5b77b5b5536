"""Several looks at a picture, and several classifiers of the same labels, as one classifier."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from itertools import islice

import numpy as np

from vtk.errors import UsageError
from vtk.models.classifier import Classifier, load_classifier
from vtk.models.runtime import RuntimeOptions
from vtk.models.views import DEFAULT_VIEWS, check_views, count_looks, looks

# What a classifier leaves for the background, where that is no more than rounding: as little as can be told.
REST = 1e-7
# Sums of a thousand probabilities of float32 are off by less than this.
ROUNDING = 1e-5
# Least logarithm that counts: beneath, one look or classifier alone would forbid a label for all others.
LEAST = -100.0


class Viewed:
    """A classifier that looks at several views of a picture; see ``classifier.Classifier``.

    Args:
        classifier: that looks, once at each part of a view.
        views: names of ``views.VIEWS``; all looks weigh the same.

    Raises:
        UsageError: a view is unknown or comes twice, or there is none.
    """

    def __init__(self, classifier: Classifier, views: Sequence[str]) -> None:
        self._classifier, self.views = classifier, check_views(views)
        self.name, self.labels = classifier.name, classifier.labels
        self.batch, self.precision = classifier.batch, classifier.precision
        self.sha256 = _digest([classifier.sha256, *self.views])
        self._looks = count_looks(self.views)

    def scores(self, images: Sequence[np.ndarray]) -> np.ndarray:
        """Return (N, C) float32, the looks' pooled log-probabilities; see ``pooled`` and ``classifier.Classifier``."""
        for index, image in enumerate(images):
            if image.ndim != 3 or image.shape[2] != 3 or image.dtype != np.uint8 or image.size == 0:
                raise ValueError(f"images[{index}]: got {image.shape} {image.dtype}, expected (h, w, 3) uint8 RGB")
        found = np.empty((len(images) * self._looks, len(self.labels)), np.float32)
        each = (look for image in images for look in looks(image, self.views))
        start = 0
        # As many looks as the network takes at once: those of a hundred large pictures are not in memory together.
        while some := list(islice(each, self.batch)):
            found[start:start + len(some)] = self._classifier.scores(some)
            start += len(some)
        return pooled(found.reshape(len(images), self._looks, len(self.labels)).swapaxes(0, 1))


class Averaged:
    """Classifiers of the same labels, pooled; the labels are in the order of the first. See ``classifier.Classifier``.

    Args:
        classifiers: at least one; each weighs the same.

    Raises:
        UsageError: they have different labels, or there is none.
    """

    def __init__(self, classifiers: Sequence[Classifier]) -> None:
        if not classifiers:
            raise UsageError("no classifier is given; name at least one")
        first = classifiers[0]
        self._classifiers = tuple(classifiers)
        self._columns = [_columns(first, other) for other in classifiers]
        self.name, self.labels = "+".join(each.name for each in classifiers), first.labels
        self.sha256 = _digest([each.sha256 for each in classifiers])
        self.batch = max(each.batch for each in classifiers)
        self.precision = "+".join(dict.fromkeys(each.precision for each in classifiers))

    def scores(self, images: Sequence[np.ndarray]) -> np.ndarray:
        """Return (N, C) float32, the classifiers' pooled log-probabilities; see ``pooled``."""
        return pooled(np.stack([each.scores(images)[:, columns]
                                for each, columns in zip(self._classifiers, self._columns, strict=True)]))


def pooled(log_probabilities: np.ndarray) -> np.ndarray:
    """Return (N, C) float32, the means over L looks or classifiers of (L, N, C) log-probabilities, normalised.

    What the probabilities of a look leave to 1 is the background's; it is averaged as a class of its own, so that the
    probabilities that come out sum to 1 less that of the background.

    Source: the logarithmic opinion pool (Genest and Zidek, "Combining probability distributions", Statistical Science
    1, 1986), with equal weights.
    """
    if len(log_probabilities) == 1:
        return log_probabilities[0]
    each = np.maximum(log_probabilities.astype(np.float64), LEAST)
    rest = 1 - np.exp(each).sum(axis=2)
    means = each.mean(axis=0)
    background = np.log(np.where(rest > ROUNDING, rest, REST)).mean(axis=0)[:, None]
    return (means - np.logaddexp(np.logaddexp.reduce(means, axis=1, keepdims=True), background)).astype(np.float32)


def ensemble(classifiers: Sequence[Classifier], views: Sequence[str] = DEFAULT_VIEWS) -> Classifier:
    """Return ``classifiers`` with ``views`` as one classifier; one of them that looks once comes back as it is.

    Raises:
        UsageError: they have different labels, there is none, or a view is unknown.
    """
    chosen = check_views(views)
    seeing = [each if chosen == DEFAULT_VIEWS else Viewed(each, chosen) for each in classifiers]
    return seeing[0] if len(seeing) == 1 else Averaged(seeing)


def load_ensemble(names: Sequence[str], views: Sequence[str] = DEFAULT_VIEWS,
                  runtime: RuntimeOptions = RuntimeOptions()) -> Classifier:
    """Return the classifiers ``names`` as one, their weights and labels fetched where they are missing.

    Args:
        names: as ``classifier.load_classifier`` takes them, all of the same labels.
        views: names of ``views.VIEWS``: what each looks at of a picture.
        runtime: device, precision, batch, threads, network.

    Raises:
        UsageError: a model or view is unknown or comes twice, there is none, or labels differ.
        WeightsError: weights or labels cannot be had, verified or read.
    """
    if not names or len(set(names)) < len(names) or "" in names:
        raise UsageError(f"--model {','.join(names)}: give names of classifiers, each once")
    check_views(views)
    return ensemble(list(_loaded(names, runtime)), views)


def _loaded(names: Sequence[str], runtime: RuntimeOptions) -> Iterator[Classifier]:
    """Yield the classifiers; one whose labels differ is refused before the next is loaded."""
    first: Classifier | None = None
    for name in names:
        made = load_classifier(name, runtime=runtime)
        first = first or made
        _columns(first, made)
        yield made


def _columns(first: Classifier, other: Classifier) -> list[int]:
    """Return where ``other`` has the labels of ``first``."""
    if set(first.labels) != set(other.labels):
        own = [[label for label in each.labels if label not in set(less.labels)]
               for each, less in ((first, other), (other, first))]
        has, told = (first, own[0][0]) if own[0] else (other, own[1][0])
        raise UsageError(f"{first.name} and {other.name} cannot be averaged: {len(own[0]) + len(own[1])} labels are of "
                         f"one alone, such as '{told[:60]}' of {has.name}; give models of the same labels")
    places = {label: index for index, label in enumerate(other.labels)}
    return [places[label] for label in first.labels]


def _digest(parts: Sequence[str]) -> str:
    return hashlib.sha256(" ".join(parts).encode()).hexdigest()
