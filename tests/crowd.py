"""Tracklets of people who look the same wherever they go: vectors near one direction each, for tests of galleries."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from vtk.records import dump
from vtk.reid.people import assign_people
from vtk.reid.tracklets import Tracklet, to_record

SPACE, OTHER = "net@0123456789ab", "newer@ba9876543210"
DIM = 32
LIKE = 0.6  # two tracklets of one person are more alike than that, of two people less

# source, track, start, end, who
Row = tuple[str, int, float, float, int]
Run = tuple[list[Tracklet], np.ndarray, np.ndarray]


def seen(rows: Sequence[Row], space: str = SPACE, seed: int = 0) -> Run:
    """Return tracklets, vectors (N, DIM) float32 and labels (N,), each person's tracklets one cluster."""
    tracklets, vectors = [], []
    for place, (source, track, start, end, who) in enumerate(rows):
        noise = np.random.default_rng([seed, place]).standard_normal(DIM)
        vector = np.random.default_rng([len(space), who]).standard_normal(DIM) * 2 + noise * 0.5
        tracklets.append(Tracklet(source, track, start, end, space=space, label="person", crops=4))
        vectors.append(vector / np.linalg.norm(vector))
    return tracklets, np.array(vectors, np.float32), np.array([who for *_, who in rows])


def crowd(people: int = 150) -> list[Row]:
    """Return rows of so many people, each seen by cam1.mp4 and by cam2.mp4, with the person's number as track."""
    return [(f"cam{camera}.mp4", who, float(who), who + 4.0, who) for camera in (1, 2) for who in range(1, people + 1)]


def fill(uri: Path, people: int = 150) -> list[str]:
    """Make a gallery of a crowd; return the names by row."""
    return assign_people(str(uri), *seen(crowd(people)), LIKE)[0]


def write_embeddings(path: Path, people: int = 150, space: str = OTHER) -> None:
    """Write the embedding records that another model makes of a crowd."""
    tracklets, vectors, _ = seen(crowd(people), space)
    path.write_bytes(b"".join(dump(to_record(replace(tracklet, vector=vector), "reid/newer")) + b"\n"
                              for tracklet, vector in zip(tracklets, vectors, strict=True)))
