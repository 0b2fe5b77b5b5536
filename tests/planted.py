"""Footprints with copies planted in them: films of vectors that drift, cut, slowed, changed a little."""

from __future__ import annotations

import numpy as np

from vtk.copies.calibration import Calibration
from vtk.copies.footprint import Footprint
from vtk.copies.matches import Match
from vtk.copies.matching import align
from vtk.copies.similarity import similarity

SPACE = "planted@0123456789ab"


class Planted:
    """A descriptor of 128 dimensions, calibrated: the cosines of strangers have a deviation of 0.09."""

    name, sha256, dimensions, space = "planted", "0" * 64, 128, SPACE
    calibration = Calibration((-1.0, 0.12, 0.21, 0.28, 0.34, 1.0))

    def describe(self, frames: object) -> np.ndarray:
        raise NotImplementedError("vectors are planted")

    def scores(self, queries: np.ndarray, references: np.ndarray) -> np.ndarray:
        return self.calibration(queries @ references.T)


DESCRIPTOR = Planted()


def film(seed: int, seconds: float) -> np.ndarray:
    """Return (10 × seconds, 128) float32 unit vectors, ten a second, that drift: unlike itself after two seconds."""
    rng = np.random.default_rng(seed)
    noise = rng.normal(size=(round(seconds * 10) + 20, 128))
    moving = np.stack([noise[at : at + 20].sum(axis=0) for at in range(round(seconds * 10))])
    return unit(moving)


def unit(rows: np.ndarray) -> np.ndarray:
    return (rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-9)).astype(np.float32)


def shot(vectors: np.ndarray, times: np.ndarray, noise: float = 0.0, seed: int = 0) -> np.ndarray:
    """Return what a film's vectors are at ``times``, changed a little."""
    rows = vectors[np.clip((times * 10).round().astype(int), 0, len(vectors) - 1)]
    return unit(rows + np.random.default_rng(seed).normal(size=rows.shape) * noise / np.sqrt(rows.shape[1]))


def footprint(vectors: np.ndarray, times: np.ndarray, name: str = "film", weights: np.ndarray | None = None,
              duration: float | None = None) -> Footprint:
    weights = np.ones(len(times), np.float32) if weights is None else weights.astype(np.float32)
    return Footprint(name, np.arange(len(times), dtype=np.int64), times.astype(np.float64), vectors, weights,
                     float(times[-1] + 1 if duration is None else duration), 10.0, 640, 360, SPACE)  # fmt: skip


def whole(vectors: np.ndarray, name: str = "film", step: float = 1.0) -> Footprint:
    times = np.arange(0, len(vectors) / 10, step)
    return footprint(shot(vectors, times), times, name, duration=len(vectors) / 10)


def edit(*pieces: tuple[np.ndarray, float, float, float]) -> np.ndarray:
    """Return ten vectors a second that show, one after the other, films from a second to another at a speed."""
    return np.concatenate([shot(vectors, np.arange(start, end - 1e-9, speed / 10), 0.4, at)
                           for at, (vectors, start, end, speed) in enumerate(pieces)])  # fmt: skip


def found(query: Footprint, reference: Footprint, **options: object) -> list[Match]:
    return align(query, reference, similarity(query, reference, DESCRIPTOR), **options)


def near(match: Match, start: float, end: float, ref_start: float, ref_end: float, within: float = 1.0) -> bool:
    """Tell whether all four ends are as said; a frame a second says no more than a second."""
    got = (match.start, match.end, match.ref_start, match.ref_end)
    return bool(np.abs(np.subtract(got, (start, end, ref_start, ref_end))).max() <= within)


FILM, OTHER, STRANGER = film(0, 120), film(1, 60), film(2, 60)
