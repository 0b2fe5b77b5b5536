"""Classifiers: pictures in, log-probabilities of labels out. ``load_classifier`` makes one by name."""

from __future__ import annotations

import difflib
import importlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from vtk.errors import UsageError, WeightsError
from vtk.models import weights as files
from vtk.models import zoo
from vtk.models.runtime import RuntimeOptions

if TYPE_CHECKING:
    import numpy as np

TASK = "classify"
TIMM, ZERO_SHOT = "timm_classifier", "zero_shot"


class Classifier(Protocol):
    """What tells what a picture shows.

    Attributes:
        name: as records state it.
        sha256: of its weights, and of its labels where these are a file of their own.
        labels: of its classes, in order, no two alike, no background among them.
        batch: how many pictures a call of the network takes.
        precision: what it computes in.
    """

    name: str
    sha256: str
    labels: tuple[str, ...]
    batch: int
    precision: str

    def scores(self, images: Sequence[np.ndarray]) -> np.ndarray:
        """Return (N, C) float32, natural logarithms of the probabilities of ``labels`` for each of ``images``.

        Args:
            images: N pictures (H, W, 3) uint8 RGB, of any and different sizes.

        Raises:
            ValueError: a picture is not (H, W, 3) uint8, or is empty.
        """
        ...


@dataclass(frozen=True, slots=True)
class ClassifierOptions:
    """What a classifier is made with.

    Attributes:
        weights: the user's own file, which goes before the table's.
        labels: the user's own file of labels, a line a class of the network.
        runtime: device, precision, batch, threads, network.
    """

    weights: Path | None = None
    labels: Path | None = None
    runtime: RuntimeOptions = RuntimeOptions()


def model_name(name: str, weights: Path | None = None) -> str:
    """Return the name that records give the model: of the user's own file its stem.

    Raises:
        UsageError: there is no classifier ``name``.
    """
    known = _recipe(name).name
    return Path(weights).stem if weights is not None else known


def load_classifier(name: str, weights: Path | None = None, labels: Path | None = None,
                    runtime: RuntimeOptions = RuntimeOptions()) -> Classifier:
    """Return the classifier ``name``, its weights and labels fetched where they are missing.

    Args:
        name: of a model in the table, ``timm:`` and the name of weights of timm that have a classifier, or ``clip:``
            and ARCH/WEIGHTS of open_clip.
        weights: a file to load instead of the table's, of the same input; ``labels`` says what its classes are.
        labels: a text file, a line a class in the network's order; a line ``background`` is no class.
        runtime: device, precision, batch, threads, network.

    Raises:
        UsageError: no such model, or an option out of range.
        WeightsError: the weights or labels cannot be had, verified or read.
    """
    recipe = _recipe(name)
    if weights is not None:
        recipe = zoo.custom(recipe, Path(weights).stem)
    found = files.resolve(recipe, weights, offline=runtime.offline, trust=runtime.trust_weights)
    if labels is not None and not Path(labels).is_file():
        raise WeightsError(f"--labels {labels}: there is no such file; give a text file with a line a class")
    builder = importlib.import_module(f"vtk.models.{recipe.builder}")
    return builder.build(recipe, found, ClassifierOptions(weights, labels, runtime))


def _recipe(name: str) -> zoo.Model:
    prefix, _, network = name.partition(":")
    if prefix == "timm" and network:
        takes = zoo.Input(224, 224, "crop")
        return zoo.Model(name, TASK, TIMM, takes, (), "its makers'", False, "unknown", arch=network)
    if prefix in ("clip", "siglip") and network:
        takes = zoo.Input(224, 224, "crop")
        return zoo.Model(name, TASK, ZERO_SHOT, takes, (), "its makers'", False, "unknown", arch=network)
    names = [model.name for model in zoo.MODELS.values() if model.task == TASK]
    if name not in names:
        near = difflib.get_close_matches(name, names, n=1)
        hint = f"did you mean '{near[0]}'? " if near else ""
        raise UsageError(f"no classifier '{name}': {hint}there is {', '.join(names)}; timm:NAME takes weights of timm "
                         "that have a classifier, clip:ARCH/WEIGHTS those of open_clip; a file of your own goes to --weights")
    return zoo.MODELS[name]
