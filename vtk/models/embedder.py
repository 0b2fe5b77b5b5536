"""Embedders: crops in, vectors of unit length out. ``load_embedder`` makes one by name or from a user's own weights."""

from __future__ import annotations

import difflib
import importlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from vtk.errors import UsageError, WeightsError
from vtk.models import weights as files
from vtk.models import zoo
from vtk.models.runtime import RuntimeOptions

if TYPE_CHECKING:
    import numpy as np


# What a network may take, by the name of --pixels: (value * scale - mean) / std. Source of means: ImageNet's pictures.
PIXELS: dict[str, dict[str, Any]] = {
    "imagenet": {"colour": "rgb", "scale": 1 / 255, "mean": (0.485, 0.456, 0.406), "std": (0.229, 0.224, 0.225)},
    "half": {"colour": "rgb", "scale": 1 / 255, "mean": (0.5,) * 3, "std": (0.5,) * 3},
    "unit": {"colour": "rgb", "scale": 1 / 255, "mean": (0.0,) * 3, "std": (1.0,) * 3},
    "bgr255": {"colour": "bgr", "scale": 1.0, "mean": (0.0,) * 3, "std": (1.0,) * 3},
}
# What builds embedders of files that do not say what values they take.
UNSAID = ("net_embedder", "sscd")


class Embedder(Protocol):
    """What makes vectors of crops; alike things lie near each other.

    Attributes:
        name: of the space: the model's, and its input's size where that is not the model's own.
        sha256: of its weights.
        dimensions: of a vector.
        batch: how many crops a call of the model takes.
        precision: what it computes in.
    """

    name: str
    sha256: str
    dimensions: int
    batch: int
    precision: str

    def embed(self, crops: Sequence[np.ndarray]) -> np.ndarray:
        """Return (N, D) float32 of unit length for crops (h, w, 3) uint8 RGB of any and different sizes.

        Raises:
            ValueError: a crop is not (h, w, 3) uint8, or is empty.
        """
        ...


@dataclass(frozen=True, slots=True)
class EmbedderOptions:
    """Which weights an embedder takes, of what input, and where it runs.

    Attributes:
        weights: a file to load instead of the table's.
        size: (height, width) of the input, pixels; None: that of the table, or of the file.
        runtime: device, precision, batch, threads, network.
        pixels: the values that ``weights`` take, of PIXELS; None: those of the table's model.
    """

    weights: Path | None = None
    size: tuple[int, int] | None = None
    runtime: RuntimeOptions = RuntimeOptions()
    pixels: str | None = None


def space_of(embedder: Embedder) -> str:
    """Return the space that its vectors lie in, ``model@hash``: vectors of two spaces are never compared."""
    return f"{embedder.name}@{embedder.sha256[:12]}"


def at_size(model: zoo.Model, size: tuple[int, int] | None) -> zoo.Model:
    """Return ``model`` with an input of ``size``, (height, width) in pixels; None is its own.

    Vectors of two sizes do not compare: the name of a model at another size than its own has the size behind it, and
    the space with it.
    """
    if size is None or size == (model.input.height, model.input.width):
        return model
    height, width = size
    return replace(model, name=f"{model.name}:{height}x{width}", input=replace(model.input, height=height, width=width))


def read_size(text: str) -> tuple[int, int]:
    """Return (height, width) of ``HEIGHTxWIDTH``.

    Raises:
        UsageError: it is something else.
    """
    sides = text.lower().split("x")
    if len(sides) != 2 or not all(side.isascii() and side.isdigit() and 0 < int(side) <= 4096 for side in sides):
        raise UsageError(f"--input {text}: expected HEIGHTxWIDTH in pixels, such as 256x128")
    return int(sides[0]), int(sides[1])


def model_name(name: str, task: str, weights: Path | None = None) -> str:
    """Return the name that records give the model: of the user's own file its stem.

    Raises:
        UsageError: there is no embedder ``name`` for ``task``.
    """
    return Path(weights).stem if weights is not None else _recipe(name, task).name


def load_embedder(name: str, task: str, options: EmbedderOptions = EmbedderOptions()) -> Embedder:
    """Return the embedder ``name``, its weights fetched where they are missing.

    Args:
        name: of a model in the table for ``task``, or ``timm:`` and the name of a network of timm.
        task: as the table has it: reid, copy.
        options: the user's weights, input size, runtime, pixels.

    Raises:
        UsageError: no such model, or an option out of range.
        WeightsError: the weights cannot be had, verified or read.
    """
    recipe = _recipe(name, task)
    if options.weights is not None:
        recipe = _seeing(zoo.custom(recipe, options.weights.stem), options.pixels)
    elif options.pixels is not None:
        raise UsageError(f"--pixels goes with --weights FILE: {name} has its own")
    elif recipe.files and not any(file.url or file.hashes for file in recipe.files) and not files.at_hand(recipe):
        raise WeightsError(f"{name} has no trained weights yet (experimental): give it a file of your own with "
                           "--weights FILE, or use another --model")
    found = files.resolve(recipe, options.weights, offline=options.runtime.offline,
                          trust=options.runtime.trust_weights)  # fmt: skip
    builder = importlib.import_module(f"vtk.models.{recipe.builder}")
    return builder.build(recipe, found, options)


def _seeing(recipe: zoo.Model, pixels: str | None) -> zoo.Model:
    """Return the recipe of a user's file with the values that it takes; its name, and so its space, has others in it.

    Raises:
        UsageError: there are no such values, or the network has its own.
    """
    if pixels is None:
        return recipe
    if pixels not in PIXELS:
        raise UsageError(f"--pixels {pixels}: there is {', '.join(PIXELS)}")
    if recipe.builder not in UNSAID:
        raise UsageError(f"--pixels {pixels}: {recipe.arch} has its own; it is for ONNX, TFLite and OpenVINO files")
    takes = replace(recipe.input, **PIXELS[pixels])
    return recipe if takes == recipe.input else replace(recipe, name=f"{recipe.name}:{pixels}", input=takes)


def _recipe(name: str, task: str) -> zoo.Model:
    prefix, _, network = name.partition(":")
    if prefix == "timm" and network:
        takes = zoo.Input(128, 256, "stretch") if task == "reid" else zoo.Input(224, 224, "stretch")
        return zoo.Model(name, task, "timm_embedder", takes, (), "its makers'", False, "unknown", arch=network)
    names = [model.name for model in zoo.MODELS.values() if model.task == task]
    if name not in names:
        near = difflib.get_close_matches(name, names, n=1)
        hint = f"did you mean '{near[0]}'? " if near else ""
        raise UsageError(f"no {task} model '{name}': {hint}there is {', '.join(names)}; "
                         "timm:NAME takes any network of timm; a file of your own goes to --weights")
    return zoo.MODELS[name]
