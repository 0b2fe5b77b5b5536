"""Finding: the way from a source to its copies, in every view of its frames, and what is passed over."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
import pytest
from filmed import HEIGHT, WIDTH, Part, film, picture

from vtk.copies.collecting import Views, query_of
from vtk.copies.descriptors import DctDescriptor
from vtk.copies.finding import Search, find, highest, read_speeds
from vtk.copies.footprint import Footprint, Query
from vtk.copies.lookers import FileLookers
from vtk.copies.matches import Match
from vtk.copies.references import MemoryReferences
from vtk.copies.similarity import Entries
from vtk.errors import UsageError
from vtk.media.writer import VideoWriter

DCT = DctDescriptor()


@pytest.fixture(scope="module")
def references(tmp_path_factory: pytest.TempPathFactory) -> MemoryReferences:
    """Return two films of 30 seconds, by their paths."""
    folder = tmp_path_factory.mktemp("films")
    found = MemoryReferences(DCT)
    for number in (1, 2):
        found.add(query_of(str(film(folder / f"{number}.mp4", [Part(number, 0, 30)])), DCT).whole)
    return found


def names(matches: Sequence[Match]) -> list[str]:
    return [Path(match.ref).stem for match in matches]


def test_what_is_shown_small_is_found_by_parts_of_frames(references: MemoryReferences, tmp_path: Path) -> None:
    path = tmp_path / "small.mp4"
    with VideoWriter(path, 2 * WIDTH, 2 * HEIGHT, 10.0, crf=18, preset="ultrafast") as writer:
        for index in range(120):
            image = cv2.resize(picture(7, index / 10), (2 * WIDTH, 2 * HEIGHT))
            image[:HEIGHT, WIDTH:] = picture(1, 5 + index / 10)
            writer.write(image, index / 10)
    assert find(query_of(str(path), DCT), references) == []
    (match,) = find(query_of(str(path), DCT, views=Views(("top-left", "top-right"))), references)
    assert names([match]) == ["1"] and match.opposite(6) == pytest.approx(11, abs=0.6)


def test_what_is_left_out_is_not_found(references: MemoryReferences, tmp_path: Path) -> None:
    query = query_of(str(film(tmp_path / "q.mp4", [Part(1, 5, 15), Part(2, 5, 15)])), DCT)
    both = find(query, references)
    assert names(both) == ["1", "2"]
    assert names(find(query, references, skip={both[0].ref})) == ["2"]
    assert find(query, references, Search(min_seconds=11)) == []
    assert find(query, references, Search(min_score=1.0)) == []


def test_each_pair_that_is_compared_is_told(references: MemoryReferences, tmp_path: Path) -> None:
    told: list[tuple[str, bool]] = []

    def seen(query: Footprint, reference: Footprint, entries: Entries, mirrored: bool) -> None:
        assert entries.shape == (len(query), len(reference)) and len(entries.rows) >= 20
        told.append((Path(reference.source).stem, mirrored))

    path = str(film(tmp_path / "q.mp4", [Part(2, 18, 28), Part(8, 0, 4), Part(2, 2, 12), Part(1, 2, 24, hflip=True)]))
    query = query_of(path, DCT, views=Views(mirrored=True))
    assert names(find(query, references, seen=seen)) == ["1", "2", "2"]
    assert told == [("2", False), ("1", True)]


def test_ends_are_looked_at_where_the_files_are(references: MemoryReferences, tmp_path: Path) -> None:
    path = str(film(tmp_path / "q.mp4", [Part(9, 0, 3.4), Part(1, 5.3, 25.1), Part(8, 0, 3)]))
    query, lookers = query_of(path, DCT), FileLookers(path, references)
    coarse, fine = (max(abs(match.start - 3.4), abs(match.end - 23.2), abs(match.ref_start - 5.3))
                    for match in (*find(query, references), *find(query, references, lookers=lookers)))
    assert fine <= 0.2 and fine < coarse and lookers.notes == {}


def test_the_highest_of_several_maps() -> None:
    one = Entries(np.array([0, 1]), np.array([1, 1]), np.array([0.5, 0.3], np.float32), (2, 3))
    other = Entries(np.array([0, 1]), np.array([1, 2]), np.array([0.4, 0.9], np.float32), (2, 3))
    found = highest([one, other])
    assert (found.rows.tolist(), found.columns.tolist()) == ([0, 1, 1], [1, 1, 2])
    assert found.values.tolist() == pytest.approx([0.5, 0.3, 0.9]) and found.shape == (2, 3)
    assert highest([one]) is one


def test_views_of_other_frames_are_no_query(references: MemoryReferences) -> None:
    one, other = (references.footprint(each.source) for each in references.list())
    assert Query(one, mirrored=one).mirrored is one
    with pytest.raises(ValueError, match="expected the 30 of the whole"):
        Query(one, (query_of(other.source, DCT, places=frozenset({1, 2})).whole,))


@pytest.mark.parametrize(("text", "speeds"), [("0.4-2.5", (0.4, 2.5)), ("1", (1.0, 1.0)), ("1-3", (1.0, 3.0))])
def test_speeds_are_read(text: str, speeds: tuple[float, float]) -> None:
    assert read_speeds(text) == speeds


@pytest.mark.parametrize("text", ["", "x", "1-x", "-"])
def test_other_speeds_are_refused(text: str) -> None:
    with pytest.raises(UsageError, match="SLOW-FAST"):
        read_speeds(text)
