"""Copies are found by key frames first, and little else is decoded."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
from copy_films import FPS, HEIGHT, SHOT, WIDTH, near, shot, shots, write

from vtk.copies.collecting import Views, footprint_of, query_of
from vtk.copies.descriptors import DctDescriptor
from vtk.copies.fast import fast_find, fast_look
from vtk.copies.finding import Search, find
from vtk.copies.footprint import Footprint
from vtk.copies.gaps import Gaps
from vtk.copies.key_lines import key_lines
from vtk.copies.lookers import FileLookers
from vtk.copies.references import MemoryReferences
from vtk.copies.similarity import similarity
from vtk.media.video import open_media

DCT = DctDescriptor()
REFERENCE = range(100, 118)  # shots, by the seed of their picture
OTHERS = range(200, 230)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("fast")


@pytest.fixture(scope="module")
def references(folder: Path) -> MemoryReferences:
    """Return one reference of 72 seconds."""
    held = MemoryReferences(DCT)
    held.add(footprint_of(os.fspath(write(folder / "reference.mp4", shots(REFERENCE))), DCT))
    return held


def test_where_nothing_is_copied_key_frames_alone_are_decoded(folder: Path, references: MemoryReferences) -> None:
    path = write(folder / "other.mp4", shots(OTHERS))
    found = fast_look(os.fspath(path), references)
    assert found.matches == [] and found.decoded is not None
    # A frame for each shot, and one to open the file.
    assert len(OTHERS) <= len(found.query.whole) <= found.decoded <= len(OTHERS) + 6


@pytest.mark.parametrize("mirrored", [False, True])
def test_a_long_copy_is_found_to_its_ends_without_decoding_its_middle(mirrored: bool, folder: Path,
                                                                      references: MemoryReferences) -> None:
    """Its ends lie within shots of both; they are those of a frame a second, right to half a sample of either side."""
    pictures = [*shots(OTHERS[:8]), *shot(100, 1.44, SHOT - 1.44), *shots(REFERENCE[1:13]), *shot(113, 0.0, 2.0),
                *shots(OTHERS[8:12])]  # fmt: skip
    path = write(folder / f"long-{mirrored}.mp4", pictures, mirrored)
    views = Views(mirrored=mirrored)
    found = fast_look(os.fspath(path), references, views=views)
    (match,) = found.matches
    assert near(match, 32.0, 32.0 + 52.56, 1.44, 54.0, within=1.0), match
    assert match.score > 0.8 and match.hflip == mirrored
    assert found.decoded is not None and found.decoded < len(pictures) / 3
    assert fast_find(os.fspath(path), references, views=views, lookers=FileLookers(os.fspath(path), references)) == [
        match]


def test_what_is_around_one_key_frame_is_looked_at(folder: Path, references: MemoryReferences) -> None:
    """Seven seconds of two shots: too few key frames for a line."""
    pictures = [*shots(OTHERS[:9]), *shot(105, 0.0, SHOT), *shot(106, 0.0, 3.0), *shots(OTHERS[9:18])]
    path = write(folder / "short.mp4", pictures)
    found = fast_look(os.fspath(path), references)
    (match,) = found.matches
    assert near(match, 36.0, 43.0, 20.0, 27.0, within=1.0), match
    (refined,) = fast_find(os.fspath(path), references, lookers=FileLookers(os.fspath(path), references))
    assert near(refined, 36.0, 43.0, 20.0, 27.0, within=0.2), refined
    assert found.decoded is not None and found.decoded < len(pictures) / 3
    told: list[tuple[str, str, int, bool]] = []
    fast_find(os.fspath(path), references, seen=lambda query, reference, entries, mirrored: told.append(
        (query.source, reference.source, len(query), mirrored)))
    assert told == [(os.fspath(path), references.list()[0].source, len(found.query.whole), False)]
    assert fast_find(os.fspath(path), references, skip=[references.list()[0].source]) == []
    assert fast_find(os.fspath(path), references, Search(min_seconds=9.0)) == []
    assert fast_find(os.fspath(path), references, span=(0.0, 36.0)) == []


def test_few_key_frames_are_no_way_to_read(folder: Path, references: MemoryReferences) -> None:
    """A clip is read as it is without, and so is what is looked for in itself."""
    path = write(folder / "clip.mp4", shots(REFERENCE[3:7]))
    found = fast_look(os.fspath(path), references)
    assert found.decoded is None and len(found.matches) == 1
    assert found.matches == find(query_of(os.fspath(path), DCT), references)
    within = fast_look(os.fspath(folder / "reference.mp4"), references, Search(within=True))
    assert within.decoded is None and len(within.query.whole) == 72


def test_gaps_are_decoded_once_by_the_second(folder: Path) -> None:
    path = os.fspath(write(folder / "gaps.mp4", shots(OTHERS[:20])))
    gaps = Gaps.read(path, DCT)
    assert gaps is not None
    times = gaps.keys.whole.times
    np.testing.assert_allclose(times, np.arange(20) * SHOT, atol=1e-6)
    # Gap n lies before key frame n; before the first one is nothing.
    assert gaps.known.tolist() == [True] + [False] * 20 and list(gaps.between()) == []
    assert list(gaps.around(5.0, 5.0)) == [2] and list(gaps.around(7.0, 13.0)) == [2, 3, 4]
    assert list(gaps.around(-9.0, -1.0)) == [0] and list(gaps.around(500.0, 600.0)) == [20]
    before = gaps.decoded
    assert gaps.decode([2, 3, 7]) and not gaps.decode([2, 7]) and not gaps.decode([])
    assert 3 * SHOT * FPS <= gaps.decoded - before <= 3 * SHOT * FPS + 20
    everyone = query_of(path, DCT).whole
    (_, first), ((low, high), second) = gaps.between()
    assert (low, high) == (7, 7)
    for part, span in ((first, (4.0, 12.0)), (second, (24.0, 28.0))):
        own = (everyone.times >= span[0]) & (everyone.times < span[1])
        assert part.whole.frames.tolist() == everyone.frames[own].tolist()
        np.testing.assert_allclose(part.whole.vectors, everyone.vectors[own], atol=1e-5)
    whole = gaps.all().whole
    assert len(whole) == len(set(whole.frames.tolist())) == 20 + 12 - 3 and whole.duration == pytest.approx(80.0)


def test_gaps_at_any_time_give_the_frames_of_whole_seconds(folder: Path) -> None:
    """Cut off by 1.6 seconds, key frames come at no whole second but each fifth."""
    path = os.fspath(write(folder / "uneven.mp4", shots(OTHERS[:20]), group=45))
    gaps = Gaps.read(path, DCT)
    assert gaps is not None and gaps.keys.whole.times[1] == pytest.approx(3.6)
    gaps.decode([2])
    gaps.decode([1, 3, 7])
    everyone = query_of(path, DCT).whole
    stretches = [part.whole for _, part in gaps.between()]
    assert [part.times.round(3).tolist() for part in stretches] == [
        everyone.times[:11].round(3).tolist(), everyone.times[22:26].round(3).tolist()]


def test_what_tells_of_no_key_frames_has_no_gaps(folder: Path) -> None:
    path = os.fspath(write(folder / "early.mp4", shots(OTHERS[:20])))
    assert Gaps.read(path, DCT, span=(0.0, 40.0)) is None  # ten of them
    reader = open_media(path)
    assert reader.key_spacing() == pytest.approx(SHOT, abs=0.2)


def footprint(vectors: np.ndarray, times: np.ndarray, name: str) -> Footprint:
    return Footprint(name, np.arange(len(times)), times, vectors, np.ones(len(times), np.float32),
                     float(times[-1]) + 1, 25.0, WIDTH, HEIGHT, DCT.space)  # fmt: skip


def vectors(seed: int, count: int) -> np.ndarray:
    found = np.random.default_rng(seed).normal(size=(count, DCT.dimensions)).astype(np.float32)
    return found / np.linalg.norm(found, axis=1, keepdims=True)


@pytest.mark.parametrize("speed", [1.0, 0.5, 1.6, 2.4])
def test_key_frames_at_uneven_times_are_on_a_line(speed: float) -> None:
    """The reference is seen each second; of 20 key frames, 14 are copies, among them one that was spoiled."""
    rng = np.random.default_rng(4)
    times = np.cumsum(rng.uniform(1.0, 9.0, 20)).round(2)
    seen = vectors(1, 400)
    own = vectors(2, 20)
    copied = np.arange(3, 17)
    opposite = 40 + speed * (times[copied] - times[3])
    own[copied] = seen[np.round(opposite).astype(int)]
    own[8] = vectors(3, 1)
    keys, reference = footprint(own, times, "query"), footprint(seen, np.arange(400.0), "reference")
    (line,) = key_lines(keys, reference, similarity(keys, reference, DCT), (0.4, 2.5))
    assert line.keys.tolist() == [each for each in copied.tolist() if each != 8]
    assert line.match.speed == pytest.approx(speed, abs=0.03)
    assert near(line.match, times[3], times[16], opposite[0], opposite[-1], within=0.8)
    assert line.match.score == pytest.approx(13 / 14, abs=0.01)
    assert key_lines(keys, reference, similarity(keys, reference, DCT), (speed * 1.3, speed * 2)) == []


def test_strangers_are_on_no_line() -> None:
    keys = footprint(vectors(1, 30), np.arange(30) * 5.0, "query")
    reference = footprint(vectors(2, 300), np.arange(300.0), "reference")
    assert key_lines(keys, reference, similarity(keys, reference, DCT), (0.4, 2.5)) == []
