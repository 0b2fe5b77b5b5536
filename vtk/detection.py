"""Detect objects in media: the stage behind ``vtk detect``, and the detectors behind the stage."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from vtk.driver.stage import Frame, Record, Source, Stage
from vtk.media.sampling import Sampling
from vtk.models.detector import DEFAULT, Boxes, Detect, Detector, Settings, load_detector, model_name, own_score
from vtk.models.runtime import RuntimeOptions
from vtk.records import boxes, make, score

__all__ = ["Boxes", "DetectStage", "Detector", "detections", "load_detector"]


class DetectStage(Stage):
    """Adds a ``detection`` record for each object in each frame that is looked at."""

    name = "detect"
    writes = frozenset({"detection"})

    def __init__(
        self,
        model: str = DEFAULT,
        weights: Path | None = None,
        classes: Sequence[str] = (),
        min_score: float | None = None,
        iou: float | None = None,
        max_boxes: int = 300,
        tile: int = 0,
        runtime: RuntimeOptions = RuntimeOptions(),
        sampling: Sampling = Sampling(),
    ) -> None:
        least = own_score(model) if min_score is None else min_score
        Settings(tuple(classes), least, iou, max_boxes, tile)  # refuses what is out of range before anything is read
        self._given = {"name": model, "weights": weights, "classes": tuple(classes), "min_score": least, "iou": iou,
                       "max_boxes": max_boxes, "tile": tile, "runtime": runtime}
        self._sampling = sampling
        self._loaded: Detector | None = None
        self._model = model_name(model, weights)

    def __getstate__(self) -> dict[str, Any]:
        """Leave the network behind: another process loads its own."""
        return {**self.__dict__, "_loaded": None}

    @property
    def by(self) -> str:
        """The maker of this stage's records."""
        return f"detect/{self._model}"

    @property
    def batch(self) -> int:  # type: ignore[override]
        """How many frames one call of the network takes."""
        return self._detector.batch

    @property
    def _detector(self) -> Detector:
        if self._loaded is None:
            self._loaded = load_detector(**self._given)
        return self._loaded

    def prepare(self, mode: str = "media") -> None:
        """Load the detector, fetching its weights where they are missing."""
        self._detector.start()

    def options(self, mode: str = "media") -> Record:
        """Return the options that change results."""
        options = {
            "model": self._model, "sha256": self._detector.sha256, "precision": self._detector.precision,
            "classes": list(self._given["classes"]), "min_score": self._given["min_score"], "iou": self._given["iou"],
            "max_boxes": self._given["max_boxes"], "tile": self._given["tile"] or None, "batch": self._detector.batch,
        }  # fmt: skip
        return {key: value for key, value in options.items() if value is not None}

    def sampling(self, source: Source) -> Sampling:
        """Return the frames that were asked for, in the size that the network takes."""
        return self._sampling.sized(self._detector.size)

    def start(self, source: Source) -> Detect:
        """Return the detector of one source."""
        return self._detector.start()

    def frames(self, state: Detect, batch: Sequence[Frame]) -> list[list[Record]]:
        """Return the detections of each frame, best score first."""
        images = [frame.image for frame in batch if frame.image is not None]
        found = iter(state(images))
        return [
            detections(frame, next(found), self._detector.labels, self.by) if frame.image is not None else []
            for frame in batch
        ]


def detections(frame: Frame, found: Boxes, labels: Sequence[str], by: str) -> list[Record]:
    """Return one ``detection`` record for each box that was found in ``frame.image``, in source pixels."""
    scaled = boxes(found.xyxy * np.array([*frame.scale, *frame.scale], np.float32))
    points: list[Record] = [{}] * len(found)
    if found.points is not None:
        points = [{"points": five} for five in boxes(found.points * np.array(frame.scale, np.float32))]
    return [
        make("detection", by, **frame.keys(), xyxy=xyxy, score=score(value), label=labels[index], class_id=int(index),
             **five)
        for xyxy, value, index, five in zip(scaled, found.scores, found.class_ids, points, strict=True)
    ]
