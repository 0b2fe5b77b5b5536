"""References, in memory and in files: what was added is found, as it was, until it is replaced or removed."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from coded import code_clip

from vtk.copies.calibration import PLAIN, Calibration
from vtk.copies.collecting import footprint_of
from vtk.copies.descriptors import DctDescriptor
from vtk.copies.footprint import Footprint, FramePlan
from vtk.copies.reference_library import ReferenceLibrary
from vtk.copies.references import MemoryReferences, References, merged
from vtk.copies.union import Union
from vtk.errors import UsageError
from vtk.library import LibraryError, SpaceError
from vtk.media.fingerprint import fingerprint

Open = Callable[[object], References]
# What float16 leaves of a component of a unit vector of 16 dimensions, times its root.
HALF = 2**-11 * 4


class Toy:
    """A descriptor of vectors that tests make themselves."""

    def __init__(self, name: str = "toy", dimensions: int = 16, calibration: Calibration = PLAIN) -> None:
        self.name, self.sha256, self.dimensions = name, f"{len(name):x}" * 64, dimensions
        self.sha256 = self.sha256[:64]
        self.space = f"{name}@{self.sha256[:12]}"
        self.calibration = calibration

    def describe(self, frames: object) -> np.ndarray:
        raise NotImplementedError

    def scores(self, queries: np.ndarray, references: np.ndarray) -> np.ndarray:
        return self.calibration(queries @ references.T)


TOY = Toy()


def made(source: str, count: int = 5, seed: int = 0, descriptor: object = TOY, **changes: object) -> Footprint:
    """Return a footprint of random vectors, the third of them zeros."""
    rng = np.random.default_rng([seed, len(source), *source.encode()])
    vectors = rng.standard_normal((count, descriptor.dimensions)).astype(np.float32)
    if isinstance(descriptor, Union):
        vectors = descriptor.join(descriptor.split(vectors))
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    vectors[2:3] = 0
    weights = np.where(vectors.any(axis=1), np.float32(1), np.float32(0))
    return replace(Footprint(source, np.arange(count) * 25, np.arange(count) * 1.001, vectors, weights, count * 1.001,
                             24.975, 640, 360, descriptor.space, f"print{seed}", "uniform:1"), **changes)


@pytest.fixture(params=["memory", "files"])
def opened(request: pytest.FixtureRequest, tmp_path: Path) -> Open:
    """Return what opens the same references again, in files, or new ones in memory."""
    if request.param == "memory":
        return MemoryReferences
    return lambda descriptor: ReferenceLibrary.open(str(tmp_path / "films.lance"), descriptor)


def is_in_files(text: bytes, folder: Path) -> bool:
    return any(text in path.read_bytes() for path in folder.rglob("*") if path.is_file())


def agree(found: Footprint, given: Footprint) -> None:
    """Assert that two footprints are one, their vectors up to float16."""
    for name in ("source", "duration", "fps", "width", "height", "space", "fingerprint", "plan"):
        assert getattr(found, name) == getattr(given, name), name
    for name in ("frames", "times", "weights"):
        np.testing.assert_array_equal(getattr(found, name), getattr(given, name))
    np.testing.assert_allclose(found.vectors, given.vectors, atol=HALF)


def test_what_was_added_is_read_back(opened: Open) -> None:
    references = opened(TOY)
    given = [made("b.mp4", 7), made("a.mp4"), made("c.mp4", 1, fingerprint=None, fps=None)]
    assert [references.add(each) for each in given] == ["added"] * 3
    assert [each.source for each in references.list()] == ["a.mp4", "b.mp4", "c.mp4"]
    assert (len(references), references.rows, references.space) == (3, 13, TOY.space)
    for each in given:
        agree(references.footprint(each.source), each)


def test_rows_are_found_and_located(opened: Open) -> None:
    references = opened(TOY)
    given = {name: made(name, 6) for name in ("a.mp4", "b.mp4", "c.mp4")}
    for each in given.values():
        references.add(each)
    scores, rows = references.search(given["b.mp4"].vectors, 20)
    assert scores.shape == rows.shape == (6, 20)
    numbers, places = references.locate(rows[[0, 1, 3, 4, 5], 0])
    assert numbers.tolist() == [1] * 5 and places.tolist() == [0, 1, 3, 4, 5]
    # A frame that shows nothing finds nothing, and none finds it: three references have five others each.
    assert (rows[2] == -1).all() and not scores[2].any()
    assert ((rows[0] >= 0).sum(), scores[0, 15:].any()) == (15, False) and 2 + 6 not in rows
    whole = np.concatenate([each.vectors for each in given.values()])
    np.testing.assert_allclose(scores[0, :15], TOY.scores(whole[6:7], whole[rows[0, :15]])[0], atol=0.01)
    assert (np.diff(scores, axis=1) <= 0).all()


def test_nothing_is_found_in_nothing(opened: Open) -> None:
    references = opened(TOY)
    assert (references.search(made("a").vectors, 3)[1] == -1).all()
    references.add(made("black.mp4", vectors=np.zeros((5, 16), np.float32)))
    assert (references.search(made("a").vectors, 3)[1] == -1).all()
    assert not references.footprint("black.mp4").vectors.any()
    assert references.search(np.zeros((0, 16), np.float32), 3)[0].shape == (0, 3)


def test_the_unchanged_is_skipped_and_the_changed_replaced(opened: Open) -> None:
    references = opened(TOY)
    references.add(made("a.mp4"))
    assert references.has("a.mp4", "print0", "uniform:1")
    assert not references.has("a.mp4", "print1", "uniform:1") and not references.has("a.mp4", "print0", "adaptive")
    assert not references.has("b.mp4", "print0", "uniform:1") and not references.has("a.mp4", None, "uniform:1")
    assert references.add(made("a.mp4")) == "unchanged"
    changed = made("a.mp4", 9, seed=1)
    assert references.add(changed) == "replaced"
    assert (len(references), references.rows) == (1, 9)
    agree(references.footprint("a.mp4"), changed)
    rows = references.search(made("a.mp4").vectors, 20)[1]
    assert (rows[0] >= 0).sum() == 8  # of the old one nothing is found


def test_the_removed_is_gone(opened: Open) -> None:
    references = opened(TOY)
    given = [made(f"{name}.mp4") for name in "abc"]
    for each in given:
        references.add(each)
    assert references.remove("b.mp4") == 5
    assert [each.source for each in references.list()] == ["a.mp4", "c.mp4"]
    assert (references.search(given[1].vectors, 20)[1][0] >= 0).sum() == 8
    assert references.locate(references.search(given[2].vectors, 1)[1][[0, 1]][:, 0])[0].tolist() == [1, 1]
    with pytest.raises(UsageError, match=r"no reference 'b.mp4': did you mean"):
        references.remove("b.mp4")
    with pytest.raises(UsageError, match="no reference"):
        references.footprint("b.mp4")


def test_a_union_finds_what_one_part_alone_recognises(opened: Open) -> None:
    """By the mean of both, frames that are half alike to both parts are nearer than a copy that one part sees."""
    union = Union([Toy("one", 16), Toy("other", 24, Calibration((0, 0.2, 0.3, 0.4, 0.5, 1.0)))])
    references = opened(union)
    given = made("copy.mp4", 4, descriptor=union)
    first, second = union.split(given.vectors)
    noise = union.split(made("copy.mp4", 4, 1, union).vectors)
    alike = union.join(union.split(np.concatenate([first * 0.6 + noise[0] * 0.8, second * 0.6 + noise[1] * 0.8], 1)))
    copied = union.join([np.where(given.vectors.any(axis=1)[:, None], -first, 0), second])
    references.add(replace(given, source="alike.mp4", vectors=alike.astype(np.float32)))
    references.add(replace(given, vectors=copied.astype(np.float32)))
    agree(references.footprint("copy.mp4"), replace(given, vectors=copied.astype(np.float32)))
    assert ((given.vectors @ alike.T)[0, 0], (given.vectors @ copied.T)[0, 0]) == (
        pytest.approx(0.6, abs=0.3), pytest.approx(0, abs=1e-5))  # fmt: skip
    scores, rows = references.search(given.vectors, 8)
    numbers, places = references.locate(rows[[0, 1, 3], 0])
    assert numbers.tolist() == [1, 1, 1] and places.tolist() == [0, 1, 3]
    assert scores[[0, 1, 3], 0].min() > 0.99
    for query, found in zip(scores, rows, strict=True):
        kept = found[found >= 0]
        assert len(set(kept.tolist())) == len(kept) and not query[len(kept):].any()


def test_results_are_merged() -> None:
    one = np.array([[0.9, 0.5, 0.0]], np.float32), np.array([[4, 7, -1]])
    other = np.array([[0.8, 0.7, 0.5]], np.float32), np.array([[7, 4, 1]])
    scores, rows = merged([one, other], 4)
    np.testing.assert_array_equal(rows, [[4, 7, 1, -1]])
    np.testing.assert_array_equal(scores, np.array([[0.9, 0.8, 0.5, 0]], np.float32))


def test_another_space_is_refused(tmp_path: Path) -> None:
    uri = str(tmp_path / "films.lance")
    ReferenceLibrary.open(uri, TOY).add(made("a.mp4"))
    with pytest.raises(SpaceError, match=r"films.lance' holds toy@333.*asked for toys@444.*"
                                         r"; vtk library upgrade \S*films.lance --descriptor NAME --weights FILE "):
        ReferenceLibrary.open(uri, Toy("toys"))
    other = made("b.mp4", space="toys@4")
    for references in (ReferenceLibrary.open(uri, TOY), MemoryReferences(TOY)):
        with pytest.raises(SpaceError, match="describe it anew"):
            references.add(other)
        with pytest.raises(ValueError, match=r"expected \(Q, 16\)"):
            references.search(np.zeros((3, 8), np.float32), 5)


def test_places_that_are_no_library_are_refused(tmp_path: Path) -> None:
    with pytest.raises(LibraryError, match="no library at"):
        ReferenceLibrary.open(str(tmp_path / "films.lance"), TOY, create=False)
    assert not (tmp_path / "films.lance").exists()
    (tmp_path / "film.mp4").write_bytes(b"0")
    for place in (tmp_path, tmp_path / "film.mp4"):
        with pytest.raises(LibraryError, match="holds other files|is a file"):
            ReferenceLibrary.open(str(place), TOY)


def test_two_writers_see_each_other(tmp_path: Path) -> None:
    uri = str(tmp_path / "films.lance")
    one, other = ReferenceLibrary.open(uri, TOY), ReferenceLibrary.open(uri, TOY)
    one.add(made("a.mp4"))
    assert len(other) == 0
    assert other.add(made("a.mp4")) == "unchanged" and len(other) == 1
    other.add(made("b.mp4"))
    assert (one.search(made("b.mp4").vectors, 20)[1][0] >= 0).sum() == 4  # the rows that it does not know are left out
    one.refresh()
    assert [each.source for each in one.list()] == ["a.mp4", "b.mp4"]


def test_stats_and_compaction(tmp_path: Path) -> None:
    references = ReferenceLibrary.open(str(tmp_path / "films.lance"), TOY)
    for name in "abc":
        references.add(made(f"{name}.mp4", seed=ord(name)))
    references.remove("a.mp4")
    before = references.stats()
    assert (before.space, before.references, before.frames, before.index) == (TOY.space, 2, 10, None)
    assert before.seconds == pytest.approx(10.01) and before.bytes > 0
    assert is_in_files(b"a.mp4", tmp_path)
    references.compact()
    assert references.stats().removed == 0
    agree(references.footprint("b.mp4"), made("b.mp4", seed=ord("b")))
    assert is_in_files(b"b.mp4", tmp_path) and not is_in_files(b"a.mp4", tmp_path)


KILLED = """
import os, signal, sys
sys.path.insert(0, {tests!r})
from copies.test_references import TOY, made
from vtk.copies import reference_library
from vtk.copies.reference_library import ReferenceLibrary
references = ReferenceLibrary.open(sys.argv[1], TOY)
references.add(made("a.mp4"))
references._library.add = lambda *a, **k: os.kill(os.getpid(), signal.SIGKILL)
references.add(made("a.mp4", 9, seed=1))
"""


def test_a_writer_that_is_killed_leaves_the_old_one(tmp_path: Path) -> None:
    """It dies between the frames and the entry that names them: what it left is never found, and cleared."""
    uri = str(tmp_path / "films.lance")
    tests = Path(__file__).parents[1]
    done = subprocess.run([sys.executable, "-c", KILLED.format(tests=str(tests)), uri], check=False,
                          capture_output=True, env={**os.environ, "PYTHONPATH": str(tests)})  # fmt: skip
    assert done.returncode == -signal.SIGKILL, done.stderr
    references = ReferenceLibrary.open(uri, TOY)
    agree(references.footprint("a.mp4"), made("a.mp4"))
    left = made("a.mp4", 9, seed=1)
    assert references.search(left.vectors, 20)[1].max() < 5
    assert len(references._frames[0]) == 4 + 8
    assert references.add(made("b.mp4")) == "added"
    assert len(references._frames[0]) == 4 + 4


WRITER = """
import sys
sys.path.insert(0, {tests!r})
from copies.test_references import TOY, made
from vtk.copies.reference_library import ReferenceLibrary
references = ReferenceLibrary.open(sys.argv[1], TOY)
for number in range(12):
    references.add(made(f"{{number % 6}}.mp4", 9, seed=number))
    if number % 6 == 5:
        references.compact()
"""


def test_writers_at_one_time_leave_each_reference_once(tmp_path: Path) -> None:
    """Two add the same six, replace them all, and compact."""
    uri, tests = str(tmp_path / "films.lance"), str(Path(__file__).parents[1])
    ReferenceLibrary.open(uri, TOY)
    writers = [subprocess.Popen([sys.executable, "-c", WRITER.format(tests=tests), uri], stderr=subprocess.PIPE,
                                env={**os.environ, "PYTHONPATH": tests}) for _ in range(2)]  # fmt: skip
    for writer in writers:
        said = writer.communicate(timeout=120)[1]
        assert writer.returncode == 0, said
    references = ReferenceLibrary.open(uri, TOY)
    assert (len(references), references.rows, len(references._frames[0])) == (6, 54, 6 * 8)
    for number in range(6):
        agree(references.footprint(f"{number}.mp4"), made(f"{number}.mp4", 9, seed=number + 6))


def test_clips_are_found_by_what_they_show(tmp_path: Path, opened: Open) -> None:
    """A clip's frames find their own times in the reference that it was cut from."""
    for clip in range(3):
        code_clip(tmp_path / f"{clip}.mp4", clip, 60, 10.0)
    descriptor, plan = DctDescriptor(), FramePlan(rate=10)
    references = opened(descriptor)
    for clip in range(3):
        path = str(tmp_path / f"{clip}.mp4")
        references.add(footprint_of(path, descriptor, plan))
        assert references.has(path, fingerprint(path), str(plan))
    query = footprint_of(str(tmp_path / "1.mp4"), descriptor, FramePlan(rate=5))
    scores, rows = references.search(query.vectors, 3)
    numbers, places = references.locate(rows[:, 0])
    assert set(numbers.tolist()) == {1} and scores[:, 0].min() > 0.9 and scores[:, 1:].max() < 0.6
    np.testing.assert_array_equal(references.list()[1].times[places], query.times)


def test_a_library_is_listed_and_mended_without_its_descriptor(tmp_path: Path) -> None:
    """It says itself what it is of, a union too; to search it takes the descriptor."""
    uri, union = str(tmp_path / "films.lance"), Union([Toy("one", 16), Toy("other", 24)])
    given = [made(f"{name}.mp4", descriptor=union) for name in "ab"]
    with ReferenceLibrary.open(uri, union) as references:
        for each in given:
            references.add(each)
    references = ReferenceLibrary.open(uri)
    assert (references.space, references.rows, references.stats().references) == (union.space, 10, 2)
    agree(references.footprint("a.mp4"), given[0])
    assert references.remove("a.mp4") == 5
    assert [len(library) for library in references._frames] == [4, 4]
    with pytest.raises(ValueError, match="without its descriptor"):
        references.search(given[1].vectors, 3)
    shutil.rmtree(tmp_path / "films.lance" / "frames-2")
    with pytest.raises(LibraryError, match="files of it are missing"):
        ReferenceLibrary.open(uri)
