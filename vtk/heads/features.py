"""Vectors that heads are fitted on: those of an embedder that stays as it is, averaged over views of a picture."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from vtk.errors import MediaError
from vtk.heads.labelled import Labelled
from vtk.media.image import load
from vtk.models import zoo
from vtk.models.embedder import Embedder, EmbedderOptions, load_embedder, space_of
from vtk.models.runtime import RuntimeOptions
from vtk.models.views import DEFAULT_VIEWS, check_views, count_looks, looks

# Pictures that are in memory at once.
AT_ONCE = 32


@dataclass(frozen=True, slots=True)
class Features:
    """What makes one vector of a picture.

    Attributes:
        embedder: the network, which is not changed.
        views: names of ``vtk.models.views.VIEWS``, each once; all that is looked at weighs the same in the mean.
    """

    embedder: Embedder
    views: tuple[str, ...] = DEFAULT_VIEWS

    @property
    def space(self) -> str:
        """The space of its vectors, ``model@hash``, whatever the views."""
        return space_of(self.embedder)

    def looks(self, images: Sequence[np.ndarray]) -> np.ndarray:
        """Return (N, L, D) float32 of unit length, a vector of each look at each picture, in the order of the views.

        Args:
            images: N pictures (H, W, 3) uint8 RGB, of any and different sizes.

        Raises:
            ValueError: a picture is not (H, W, 3) uint8, or is empty.
        """
        made = self.embedder.embed([look for image in images for look in looks(image, self.views)])
        return made.reshape(len(images), count_looks(self.views), self.embedder.dimensions)

    def vectors(self, images: Sequence[np.ndarray]) -> np.ndarray:
        """Return (N, D) float32 of unit length, see ``averaged``; arguments and errors are those of ``looks``."""
        return averaged(self.looks(images))

    def of(self, pictures: Sequence[Labelled], heard: Callable[[int], object] = lambda count: None) -> np.ndarray:
        """Return (N, D) float32 of unit length, a row a picture; ``heard`` is told how many more are done.

        Raises:
            MediaError: a file cannot be read, or shows nothing that a vector is made of.
        """
        out = np.empty((len(pictures), self.embedder.dimensions), np.float32)
        for start in range(0, len(pictures), AT_ONCE):
            some = pictures[start:start + AT_ONCE]
            out[start:start + len(some)] = self.vectors([_pixels(each) for each in some])
            heard(len(some))
        blank = np.flatnonzero(~out.any(axis=1))
        if len(blank):
            raise MediaError(f"{pictures[blank[0]].path}: the model makes no vector of it")
        return out


def averaged(looks: np.ndarray) -> np.ndarray:
    """Return (N, D) float32, the means of looks (N, L, D) at unit length; zeros where all looks are zeros."""
    means = looks.mean(axis=1, dtype=np.float64)
    return (means / np.maximum(np.linalg.norm(means, axis=1, keepdims=True), 1e-12)).astype(np.float32)


def load_features(name: str = "mobilenet", weights: Path | None = None, pixels: str | None = None,
                  views: Sequence[str] = DEFAULT_VIEWS, runtime: RuntimeOptions = RuntimeOptions()) -> Features:
    """Return the features of the embedder ``name``, its weights fetched where they are missing.

    Args:
        name: of an embedder of the table, or ``timm:`` and the name of a network of timm.
        weights: the user's own file, in place of the table's.
        pixels: the values that ``weights`` take, of ``vtk.models.embedder.PIXELS``.
        views: names of ``vtk.models.views.VIEWS``.
        runtime: device, precision, batch, threads, network.

    Raises:
        UsageError: there is no such embedder or view.
        WeightsError: the weights cannot be had, verified or read.
    """
    chosen = check_views(views)
    task = zoo.MODELS[name].task if name in zoo.MODELS else "copy"
    task = task if task in ("copy", "reid") else "copy"
    return Features(load_embedder(name, task, EmbedderOptions(weights, None, runtime, pixels)), chosen)


def _pixels(picture: Labelled) -> np.ndarray:
    try:
        return load(str(picture.path))[0]
    except MediaError as error:
        raise MediaError(f"{picture.path} {error}", code=error.code) from None
