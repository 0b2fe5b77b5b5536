"""Models of places by name: classifiers, several of them averaged, places by things, label names, and two streams."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np

from vtk.errors import UsageError
from vtk.models.classifier import Classifier, load_classifier, model_name
from vtk.models.ensemble import ensemble, pooled
from vtk.models.places365_labels import PLACES
from vtk.models.runtime import RuntimeOptions
from vtk.models.views import DEFAULT_VIEWS, check_views, magnified
from vtk.scenes import knowledge
from vtk.scenes.places import CLASSES, scene_scores

# Places by the things of ImageNet: needs no weights of places.
THINGS = "imagenet-scenes"
OF_THINGS = "imagenet"
# Prefixes and names of models that take any names of labels, by pictures and texts in one space.
BY_TEXT = ("clip", "siglip")
# Short side, in pixels, of pictures for networks that say nothing of it: an eighth more than most take.
SIDE = 256
# The model of whole spans.
SPANS = "twostream"


class Judge(Protocol):
    """Tells where a span was filmed.

    Attributes:
        names: of the makers of its answers.
        labels: of each of these.
        sha256: of all that its answers come from.
        hears: whether it takes words into account by itself, so that they are not to count again.
        side: pixels of the short side from which a picture has all that it can take in.
    """

    names: tuple[str, ...]
    labels: tuple[tuple[str, ...], ...]
    sha256: str
    hears: bool
    side: int

    def span(self, images: Sequence[np.ndarray], words: str = "") -> list[np.ndarray]:
        """Return (C,) log-probabilities for each of its names.

        Args:
            images: pictures (H, W, 3) uint8 RGB of the span, at least one, of any and different sizes.
            words: what is written in them, where that is known.
        """
        ...


@dataclass(frozen=True, slots=True)
class Asked:
    """What the user asks to be judged by.

    Attributes:
        models: names; several of the same labels are averaged. None where heads alone judge.
        heads: files of ``vtk scene fit-head``.
        weights, labels: files for the one model that takes them.
        views: of a picture, names of ``vtk.models.views.VIEWS``; those of a head are its own.
    """

    models: tuple[str, ...] = (THINGS,)
    heads: tuple[Path, ...] = ()
    weights: Path | None = None
    labels: Path | None = None
    views: tuple[str, ...] = DEFAULT_VIEWS

    def check(self) -> tuple[str, ...]:
        """Return the names of those who answer, as records have them, without loading one.

        Raises:
            UsageError: there is none, a name is unknown or comes twice, or an option has no model that takes it.
        """
        if not self.models and not self.heads:
            raise UsageError("nothing says what places there are: give --model or --head")
        if len(set(self.models)) < len(self.models) or "" in self.models:
            raise UsageError(f"--model {','.join(self.models)}: give names of models, each once")
        if (self.weights or self.labels) and (len(self.models) != 1 or self.models == (THINGS,)):
            raise UsageError("--weights and --labels are of one model: name it with --model, alone")
        check_views(self.views)
        if self.views != DEFAULT_VIEWS and (not self.models or SPANS in self.models):
            raise UsageError(f"--views {','.join(self.views)}: heads and {SPANS} have views of their own")
        names = [_named(model, self) for model in self.models]
        stems = [path.stem for path in self.heads]
        told = (["+".join(names)] if names else []) + stems
        twice = next((name for name in told if told.count(name) > 1), None)
        if twice is not None:
            raise UsageError(f"--head: two would write records by {twice}: rename a file")
        return tuple(told)

    def check_files(self) -> None:
        """Raise UsageError where a file is not there."""
        options = [*(("--head", path) for path in self.heads), ("--weights", self.weights), ("--labels", self.labels)]
        for option, path in options:
            if path is not None and not path.is_file():
                raise UsageError(f"{option} {path}: there is no such file")


def _named(model: str, asked: Asked) -> str:
    """Return the name of a model in records. Raises UsageError where there is none of it, or it lacks a file."""
    if model == THINGS:
        return THINGS
    if model == SPANS:
        if asked.labels is not None:
            raise UsageError(f"--labels {asked.labels}: {SPANS} has its labels in the file of its weights")
        if asked.weights is None:
            raise UsageError(f"--model {SPANS}: no weights of it are published; give a file of your own with --weights")
        return asked.weights.stem
    if model.partition(":")[0] in BY_TEXT:
        if asked.labels is None:
            raise UsageError(f"--model {model} knows no labels of its own: give names with --labels FILE, one a line")
        return model if asked.weights is None else asked.weights.stem
    try:
        return model_name(model, asked.weights)
    except UsageError as error:
        raise UsageError(f"{error}; of scenes {THINGS} and {SPANS}, too") from None


class PlacesByThings:
    """Places365 by what ImageNet's network sees; see ``vtk.models.classifier.Classifier``.

    Args:
        things: a classifier of ImageNet's 1000 classes, in their order.

    Raises:
        UsageError: it has other classes.
    """

    def __init__(self, things: Classifier) -> None:
        if len(things.labels) != CLASSES:
            raise UsageError(f"{things.name} has {len(things.labels)} classes, expected the {CLASSES} of ImageNet")
        self.name, self.labels = THINGS, PLACES
        self.sha256 = hashlib.sha256(f"{things.sha256} {knowledge.TABLE}".encode()).hexdigest()
        self.batch, self.precision = things.batch, things.precision
        self.side = int(getattr(things, "side", 0))
        self._things = things

    def scores(self, images: Sequence[np.ndarray]) -> np.ndarray:
        """Return (N, 365) float32, natural logarithms of the probabilities of places; see ``Classifier``."""
        return np.log(np.maximum(scene_scores(self._things.scores(images)), np.finfo(np.float32).tiny))


class OfPictures:
    """A classifier of pictures as a judge of spans: the mean of log-probabilities over pictures, renormalised.

    Source of the mean, and not that of probabilities: measured, ``python -m vtk.scenes.places_bench scene15/labels.csv
    scene15 --every 4 --pieces 4``: 25.8 and 25.4 % right first, 59.7 and 57.0 % in five.
    """

    hears = False

    def __init__(self, classifier: Classifier, side: int = SIDE) -> None:
        self.side = side
        self.names, self.labels, self.sha256 = (classifier.name,), (classifier.labels,), classifier.sha256
        self._classifier = classifier

    def span(self, images: Sequence[np.ndarray], words: str = "") -> list[np.ndarray]:
        """Return the classifier's answer, (C,) log-probabilities; see ``Judge``."""
        return [pooled(self._classifier.scores(images)[:, None])[0]]


class OfSpans:
    """A model that takes all pictures of a span at once, and what is written there."""

    hears = True

    def __init__(self, name: str, weights: Path, runtime: RuntimeOptions) -> None:
        from vtk.models.twostream import PARTS, load_two_stream

        self._model = load_two_stream(weights, runtime)
        self.side = side_of(self._model, PARTS)
        self.names, self.labels, self.sha256 = (name,), (tuple(self._model.labels),), self._model.sha256

    def span(self, images: Sequence[np.ndarray], words: str = "") -> list[np.ndarray]:
        """Return the model's answer, (C,) log-probabilities; see ``Judge``."""
        return [self._model.span(images, words)]


def load_scene_model(asked: Asked, runtime: RuntimeOptions) -> Judge:
    """Return the judge that ``asked.models`` name, weights fetched where they are missing.

    Raises:
        UsageError: no such model, or several of different labels.
        WeightsError: weights or labels cannot be had, verified or read.
    """
    if asked.models == (SPANS,) and asked.weights is not None:
        return OfSpans(asked.weights.stem, asked.weights, runtime)
    if SPANS in asked.models:
        raise UsageError(f"--model {','.join(asked.models)}: {SPANS} looks at whole spans and is averaged with none")
    classifiers = [_classifier(model, asked, runtime) for model in asked.models]
    return OfPictures(ensemble(classifiers, asked.views), max(side_of(each, asked.views) for each in classifiers))


def side_of(network: object, views: Sequence[str]) -> int:
    """Return the pixels of the short side from which a picture has all that a network can take in by its views.

    Of a network that says nothing, or of less, it is SIDE; of views that look at parts as much more.
    """
    return round(max(SIDE, int(getattr(network, "side", 0))) * magnified(views))


def _classifier(model: str, asked: Asked, runtime: RuntimeOptions) -> Classifier:
    if model == THINGS:
        return PlacesByThings(load_classifier(OF_THINGS, runtime=runtime))
    return load_classifier(model, asked.weights, asked.labels, runtime)


def load_judges(asked: Asked, runtime: RuntimeOptions) -> list[Judge]:
    """Return all that ``asked`` names, the model before the heads.

    Raises:
        UsageError, WeightsError: something cannot be had or read.
    """
    judges: list[Judge] = [load_scene_model(asked, runtime)] if asked.models else []
    if asked.heads:
        from vtk.scenes.judging import load_heads  # brings what heads are fitted with

        judges.append(load_heads(asked.heads, runtime))
    return judges
