"""Liveness networks: faces in, probabilities that they are live out. ``load_liveness`` makes one by name."""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from vtk.errors import WeightsError
from vtk.models import weights as files
from vtk.models import zoo
from vtk.models.runtime import RuntimeOptions

if TYPE_CHECKING:
    import numpy as np

DEFAULT = "minifasnet"
TASK = "liveness"


@dataclass(frozen=True, slots=True)
class Face:
    """A face in a picture: the network looks at what is around it, too.

    Attributes:
        image: (H, W, 3) uint8 RGB, the whole picture in its own size.
        xyxy: the detector's box, [x1, y1, x2, y2] in pixels of ``image``; it overlaps the picture.
    """

    image: np.ndarray
    xyxy: tuple[float, float, float, float]


class Liveness(Protocol):
    """What tells live faces from pictures, screens and masks.

    Attributes:
        name: as records state it.
        sha256: of its weights.
        batch: how many faces a call of the network takes.
        precision: what it computes in.
    """

    name: str
    sha256: str
    batch: int
    precision: str

    def scores(self, faces: Sequence[Face]) -> np.ndarray:
        """Return (N,) float32 in [0, 1], the probability that each of ``faces`` is live.

        Raises:
            ValueError: a picture is not (H, W, 3) uint8, or a box has no area in it.
            WeightsError: the network gives no numbers.
        """
        ...


def model_name(name: str, weights: Path | None = None) -> str:
    """Return the name that records give the model: of the user's own file its stem.

    Raises:
        UsageError: there is no liveness model ``name``.
    """
    known = zoo.get(name, TASK).name
    return Path(weights).stem if weights is not None else known


def load_liveness(name: str = DEFAULT, weights: Path | None = None,
                  runtime: RuntimeOptions = RuntimeOptions()) -> Liveness:
    """Return the liveness model ``name``, its weights fetched where they are missing.

    Args:
        name: of a model in the table.
        weights: a file to load instead of the table's, of the same network.
        runtime: device, precision, batch, threads, network.

    Raises:
        UsageError: no such model, or an option out of range.
        WeightsError: the weights cannot be had, verified or read.
    """
    recipe = zoo.get(name, TASK)
    if weights is not None:
        recipe = zoo.custom(recipe, Path(weights).stem)
    elif not any(file.url or file.hashes for file in recipe.files) and not files.at_hand(recipe):
        raise WeightsError(f"{name} has no trained weights yet (experimental): give it a file of your own with "
                           "--weights FILE, or use another --model")
    found = files.resolve(recipe, weights, offline=runtime.offline, trust=runtime.trust_weights)
    builder = importlib.import_module(f"vtk.models.{recipe.builder}")
    return builder.build(recipe, found, runtime)
