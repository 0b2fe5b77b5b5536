"""Detectors: pictures in, boxes out. ``load_detector`` makes one by name or from a user's own weights."""

from __future__ import annotations

import difflib
import importlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from vtk.errors import UsageError
from vtk.media.sampling import Size
from vtk.models import weights as files
from vtk.models import zoo
from vtk.models.runtime import RuntimeOptions

if TYPE_CHECKING:
    import numpy as np

DEFAULT = "yolo11n"
LEAST_TILE = 32  # pixels; smaller ones show less than any detector was trained to see, and a picture has thousands
SUFFIXES = (".pt", ".onnx", ".tflite", ".xml")


@dataclass(frozen=True, slots=True)
class Boxes:
    """The detections in one picture, best score first.

    Attributes:
        xyxy: (N, 4) float32, [x1, y1, x2, y2] in pixels of the picture, inside it.
        scores: (N,) float32 in [0, 1].
        class_ids: (N,) int64, indices into the detector's labels.
        points: (N, 5, 2) float32, x and y in pixels of the right eye, left eye, nose, right and left corner of the
            mouth, the person's right and left; a turned face has some outside the picture. None where the detector
            gives none.
    """

    xyxy: np.ndarray
    scores: np.ndarray
    class_ids: np.ndarray
    points: np.ndarray | None = None

    def __len__(self) -> int:
        """Return the number of boxes."""
        return len(self.scores)

    def taken(self, rows: np.ndarray | slice) -> Boxes:
        """Return the boxes of ``rows``, indices, a mask or a slice, with what belongs to them."""
        points = None if self.points is None else self.points[rows]
        return Boxes(self.xyxy[rows], self.scores[rows], self.class_ids[rows], points)


Detect = Callable[[Sequence["np.ndarray"]], list[Boxes]]


class Detector(Protocol):
    """What finds objects in pictures.

    Attributes:
        name: as records state it.
        sha256: of its weights; None where it has none.
        labels: the class names by class id.
        size: the size that it likes pictures in; others it resizes.
        batch: how many pictures a call takes at best.
        precision: what it computes in.
        iou: the overlap above which the weaker of two boxes of a class goes; None where it leaves that to its file.
    """

    name: str
    sha256: str | None
    labels: tuple[str, ...]
    size: Size
    batch: int
    precision: str
    iou: float | None

    def start(self) -> Detect:
        """Return what is called with the pictures of one source, (H, W, 3) uint8 RGB, in order."""
        ...


@dataclass(frozen=True, slots=True)
class Settings:
    """What is kept of a detector's boxes: which classes (empty: all), from which score, how many.

    ``tile`` is the side in pixels of the squares that pictures are cut into, 0 for none; see ``tiling``.
    """

    classes: tuple[str, ...] = ()
    min_score: float = 0.25
    iou: float | None = None
    max_boxes: int = 300
    tile: int = 0

    def __post_init__(self) -> None:
        for option, value in (("--min-score", self.min_score), ("--iou", self.iou)):
            if value is not None and not 0 <= value <= 1:
                raise UsageError(f"{option} {value:g}: expected a number from 0 to 1")
        if self.max_boxes < 1:
            raise UsageError(f"--max-boxes {self.max_boxes}: expected 1 or more")
        if self.tile and self.tile < LEAST_TILE:
            raise UsageError(f"--tile {self.tile}: expected {LEAST_TILE} pixels or more, or 0 for none")


def model_name(name: str, weights: Path | None = None) -> str:
    """Return the name that records give the model: of the user's own file its stem.

    Raises:
        UsageError: there is no detector ``name``.
    """
    if weights is not None:
        return Path(weights).stem
    if Path(name).suffix in SUFFIXES:
        return Path(name).stem
    return zoo.get(name, "detect").name


def own_score(name: str) -> float:
    """Return the least score that the makers of a detector keep, for ``name`` as ``model_name`` takes it."""
    return zoo.get(DEFAULT if Path(name).suffix in SUFFIXES else name, "detect").min_score


def find_files(name: str, weights: Path | None, runtime: RuntimeOptions) -> tuple[zoo.Model, files.Weights]:
    """Return the table's row of a detector and its checked files, fetched where they are missing.

    Raises:
        UsageError: no such model.
        WeightsError: the weights cannot be had or verified.
    """
    if weights is None and Path(name).suffix in SUFFIXES:
        name, weights = DEFAULT, Path(name)
    recipe = zoo.get(name, "detect")
    if weights is not None:
        recipe = zoo.custom(recipe, Path(weights).stem)
    return recipe, files.resolve(recipe, Path(weights) if weights else None, offline=runtime.offline,
                                 trust=runtime.trust_weights)


def load_detector(
    name: str = DEFAULT,
    weights: Path | None = None,
    classes: Sequence[str] = (),
    min_score: float = 0.25,
    iou: float | None = None,
    runtime: RuntimeOptions = RuntimeOptions(),
    max_boxes: int = 300,
    tile: int = 0,
) -> Detector:
    """Return the detector ``name`` of the table, its weights fetched where they are missing.

    Args:
        name: of a detector in the table, or the path of a checkpoint or exported model.
        weights: a file to load instead of the table's; it must fit the architecture of ``name``.
        classes: names of the classes to keep; empty: all.
        min_score: the least score that is kept, in [0, 1].
        iou: overlap above which of two boxes of a class the weaker goes; None: the architecture's own.
        runtime: device, precision, batch, threads, network.
        max_boxes: the most boxes that are kept of a picture, best first.
        tile: 0, or the side in pixels of the squares that pictures are cut into, to find what is small; the detector
            then likes pictures in their own size.

    Raises:
        UsageError: no such model or class, or an option out of range.
        WeightsError: the weights cannot be had, verified or read.
    """
    settings = Settings(tuple(classes), min_score, iou, max_boxes, tile)
    recipe, found = find_files(name, weights, runtime)
    builder = importlib.import_module(f"vtk.models.{recipe.builder}")
    detector = builder.build(recipe, found, settings, runtime)
    if not tile:
        return detector
    from vtk.models.tiling import TiledDetector

    return TiledDetector(detector, settings)


def wanted(labels: Sequence[str], classes: Sequence[str]) -> np.ndarray | None:
    """Return (C,) bool, which of ``labels`` are among ``classes``; None for all.

    Raises:
        UsageError: one of ``classes`` is not among the labels; the message has the nearest.
    """
    import numpy as np

    if not classes:
        return None
    for name in classes:
        if name not in labels:
            near = difflib.get_close_matches(name.lower(), labels, n=1, cutoff=0.5)
            few = ", ".join(labels[:8]) + (", …" if len(labels) > 8 else "")
            hint = f"did you mean '{near[0]}'? " if near else ""
            raise UsageError(f"no class '{name}': {hint}the model knows {len(labels)}: {few}")
    return np.array([label in classes for label in labels])
