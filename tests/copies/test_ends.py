"""The ends of matches by light and dark first, by all that describes frames where these do not show the copy."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
from copy_films import SHOT, near, shot, shots, write

from vtk.copies.collecting import footprint_of
from vtk.copies.descriptors import DctDescriptor
from vtk.copies.ends import ended, score_along
from vtk.copies.lookers import FileLookers
from vtk.copies.matches import Match
from vtk.copies.references import MemoryReferences
from vtk.copies.refining import refine
from vtk.copies.union import Union

DCT = DctDescriptor()


class Colours:
    """A descriptor for tests: the mean colours of a frame's 3 × 3 parts; counts the frames that it describes."""

    name, sha256, dimensions = "colours", "0" * 64, 27
    space = "colours@000000000000"

    def __init__(self) -> None:
        self.count = 0

    def describe(self, frames: list[np.ndarray]) -> np.ndarray:
        self.count += len(frames)
        rows = [[part.mean(axis=(0, 1)) - 128 for band in np.array_split(frame.astype(np.float32), 3)
                 for part in np.array_split(band, 3, axis=1)] for frame in frames]  # fmt: skip
        found = np.array(rows, np.float32).reshape(len(frames), 27)
        return found / np.maximum(np.linalg.norm(found, axis=1, keepdims=True), 1e-9)

    def scores(self, queries: np.ndarray, references: np.ndarray) -> np.ndarray:
        return np.clip(queries @ references.T, 0, 1) ** 4


@pytest.fixture(scope="module")
def films(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, str, str]:
    """Return a reference, a query that shows its seconds 5.5 to 30.5 from 10.25 on, and the same upside down."""
    folder = tmp_path_factory.mktemp("ends")
    pictures = [*shots(range(50, 52)), *shot(52, 0.0, 2.25), *shot(101, 1.5, SHOT - 1.5), *shots(range(102, 107)),
                *shot(107, 0.0, 2.5), *shots(range(60, 62))]  # fmt: skip
    turned = [np.ascontiguousarray(picture[::-1]) for picture in pictures]
    films = (write(folder / "reference.mp4", shots(range(100, 110))), write(folder / "query.mp4", pictures),
             write(folder / "turned.mp4", turned))  # fmt: skip
    return tuple(map(os.fspath, films))  # type: ignore[return-value]


TRUTH = 10.25, 35.25, 5.5, 30.5


def test_what_light_and_dark_show_needs_no_other_look(films: tuple[str, str, str]) -> None:
    reference, query, turned = films
    colours = Colours()
    both = Union([DCT, colours])
    references = MemoryReferences(both)
    references.add(footprint_of(reference, both))
    rough = Match(reference, 11.0, 34.5, 6.0, 30.0, 0.8, 24 / 23.5)
    before = colours.count
    found = ended(rough, FileLookers(query, references), both)
    assert near(found, *TRUTH, within=0.15) and found.score == rough.score, found
    assert colours.count == before
    # Upside down it is another picture to DCT: the ends are then where all parts have them.
    lookers = FileLookers(turned, references)
    slow = ended(rough, lookers, both)
    assert colours.count > before
    assert slow == refine(rough, lookers.query(False), lookers.reference(reference), both)


def test_other_descriptors_look_for_themselves(films: tuple[str, str, str], tmp_path: Path) -> None:
    reference, query, _ = films
    references = MemoryReferences(DCT)
    references.add(footprint_of(reference, DCT))
    rough = Match(reference, 11.0, 34.5, 6.0, 30.0, 0.8, 24 / 23.5)
    lookers = FileLookers(query, references)
    assert ended(rough, lookers, DCT) == refine(rough, lookers.query(False), lookers.reference(reference), DCT)
    gone = FileLookers(os.fspath(tmp_path / "gone.mp4"), references)
    assert ended(rough, gone, DCT) == rough


def test_a_video_within_itself(films: tuple[str, str, str]) -> None:
    reference, *_ = films
    both = Union([DCT, Colours()])
    references = MemoryReferences(both)
    rough = Match(reference, 4.5, 20.0, 4.5, 20.0, 0.9, 1.0)
    lookers = FileLookers(reference, references)
    found = ended(rough, lookers, both, within=True)
    assert found.start == found.ref_start and found.end == found.ref_end


def test_the_score_along_a_line(films: tuple[str, str, str]) -> None:
    reference, query, _ = films
    one, other = footprint_of(query, DCT), footprint_of(reference, DCT)
    true = Match(reference, *TRUTH, 1.0, 1.0)
    off = Match(reference, 10.25, 35.25, 13.5, 38.5, 1.0, 1.0)
    assert score_along(true, one, other, DCT) > 0.8
    assert score_along(off, one, other, DCT) < 0.35
    assert score_along(Match(reference, 80.0, 81.0, 0.0, 1.0, 1.0, 1.0), one, other, DCT) == 0
