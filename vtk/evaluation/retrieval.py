"""Retrieval of people by their looks: queries against a gallery of labelled crops, plain and re-ranked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from vtk.errors import UsageError
from vtk.evaluation.sequences import Note
from vtk.kernels.rerank import rerank
from vtk.metrics import retrieval as metric
from vtk.metrics.retrieval import RankScores, rank_scores
from vtk.reid.labelled import JUNK, Crop, fused, taken


@dataclass(frozen=True, slots=True)
class Reranking:
    """The numbers of k-reciprocal re-ranking; k1 and k2 are cut to the set.

    Attributes:
        k1: neighbours that count as such.
        k2: neighbours whose codes are averaged.
        weight: of the plain distance, lambda in the paper.
    """

    k1: int = 20
    k2: int = 6
    weight: float = 0.3

    def __post_init__(self) -> None:
        if self.k1 < 1 or self.k2 < 1:
            raise UsageError(f"--k1 {self.k1} --k2 {self.k2}: 1 or more are needed")
        if not 0 <= self.weight <= 1:
            raise UsageError(f"--lambda {self.weight:g}: a share from 0 to 1 is needed")


@dataclass(frozen=True, slots=True)
class Side:
    """Queries, or a gallery.

    Attributes:
        crops: what is held; of fused ones the first of each.
        vectors: (N, D) float32 of unit length.
    """

    crops: list[Crop]
    vectors: np.ndarray

    def fused(self) -> Side:
        """Return one for each identity and camera, the mean of its crops; what shows nobody is left out."""
        counted = [row for row, crop in enumerate(self.crops) if crop.label != JUNK]
        some = [self.crops[row] for row in counted]
        vectors, first = fused(self.vectors[counted], [(crop.label, crop.camera) for crop in some])
        return Side([some[row] for row in first], vectors)


def split_sides(crops: Sequence[Crop], part: str, query_camera: str | None,
                note: Note) -> tuple[list[Crop], list[Crop]]:
    """Return queries and gallery: the parts of these names, else the crops of a camera against those of the others.

    Args:
        crops: all that there are.
        part: of which crops are taken, where none are called query and gallery.
        query_camera: whose crops are queries; None: those of the first by name.
        note: is told which camera that is.

    Raises:
        UsageError: a side has no crop, or there is no telling the sides apart.
    """
    parts = {crop.part for crop in crops}
    if {"query", "gallery"} <= parts and query_camera is None:
        return ([crop for crop in crops if crop.part == "query"], [crop for crop in crops if crop.part == "gallery"])
    some = taken(crops, part)
    cameras = sorted({crop.camera for crop in some if crop.camera is not None})
    if len(cameras) < 2:
        raise UsageError(f"the crops are of {len(cameras)} known cameras and no part is called query or gallery: name "
                         "queries with --split FILE.json, as {\"query\": […], \"gallery\": […]}")
    if query_camera is None:
        note(f"queries are of camera {cameras[0]}, the gallery is of {', '.join(cameras[1:4])}"
             f"{', …' if len(cameras) > 4 else ''}; --query-camera picks")
    chosen = query_camera or cameras[0]
    if chosen not in cameras:
        raise UsageError(f"--query-camera {chosen}: there is {', '.join(cameras)}")
    return [crop for crop in some if crop.camera == chosen], [crop for crop in some if crop.camera != chosen]


def evaluate_retrieval(queries: Side, gallery: Side, note: Note,
                       reranking: Reranking | None = None) -> dict[str, dict[str, float | int]]:
    """Return figures in percent by Market-1501's protocol: ``plain``, and ``reranked`` where wanted.

    A query's own identity in its own camera is no match for it and is left out, where all cameras are known.

    Raises:
        UsageError: no query has a match in the gallery.
    """
    known = all(crop.camera is not None for crop in (*queries.crops, *gallery.crops))
    if not known:
        note("crops without a camera: nothing is left out of a query's ranking")
    names: dict[str | None, int] = {}
    ids = [np.array([metric.JUNK if crop.label == JUNK else names.setdefault(crop.label, len(names))
                     for crop in side.crops], np.int64) for side in (queries, gallery)]
    places: dict[str | None, int] = {}
    cameras = [np.array([places.setdefault(crop.camera, len(places)) for crop in side.crops], np.int64) if known
               else None for side in (queries, gallery)]
    distances = {"plain": 1 - queries.vectors @ gallery.vectors.T}
    if reranking is not None:
        distances["reranked"] = rerank(queries.vectors, gallery.vectors, reranking.k1, reranking.k2, reranking.weight)
    found = {name: figures(rank_scores(each, *ids, *cameras)) for name, each in distances.items()}
    if not found["plain"]["queries"]:
        raise UsageError("no query has a match in the gallery" + (" from another camera" if known else ""))
    if left := int(found["plain"]["unmatched"]):
        note(f"{left} of {len(queries.crops)} queries have no match in the gallery and do not count")
    return found


def figures(scores: RankScores) -> dict[str, float | int]:
    """Return the figures as tables and JSON name them; ``rank1_error`` is rank-1's standard error, in points."""
    said = {name.replace("-", ""): value for name, value in scores.figures().items()}
    if len(scores.first):
        share = scores.rank(1)
        said["rank1_error"] = 100 * float(np.sqrt(share * (1 - share) / len(scores.first)))
    return said
