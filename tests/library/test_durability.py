"""A library outlives kills, other writers, other programs and damage; what was removed does not outlive ``compact``."""

from __future__ import annotations

import random
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from library.conftest import SPACE, entries, vectors
from vtk.errors import VtkError
from vtk.library import Entry, Library, LibraryError, Space, SpaceError
from vtk.library.kills import run
from vtk.library.storage import check_new

OTHER = Space("other", "b" * 64, 16)
WRITER = """
import sys, numpy as np
from vtk.library import Entry, Library, Space
library = Library.open(sys.argv[1], Space("model", "a" * 64, 16))
print(flush=True)
sys.stdin.readline()
for number in range(0, 200, 5):
    names = [f"{sys.argv[2]}{row}" for row in range(number, number + 5)] + [f"both{number}"]
    library.add([Entry(name, np.random.default_rng(list(name.encode())).standard_normal(16), "g") for name in names])
"""
MAKER = """
import sys, lancedb, numpy as np
from vtk.library import Entry, Library, Space
print(flush=True)
sys.stdin.readline()
for number in range(20):
    library = Library.open(f"{sys.argv[1]}/{number}", Space("model", "a" * 64, 16))
    library.add([Entry(sys.argv[2], np.ones(16), "g")])
"""


def test_what_was_acknowledged_outlives_kills(tmp_path: Path) -> None:
    """A few; ``python -m vtk.library.bench --kills 100`` kills many."""
    found = run(str(tmp_path / "killed.lance"), 6)
    assert found.lost == []
    assert found.changes > 30 and found.groups


def test_two_writers_at_once_lose_nothing(uri: str) -> None:
    writers = [subprocess.Popen([sys.executable, "-c", WRITER, uri, name], stdin=subprocess.PIPE, text=True,
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE) for name in "xy"]
    for writer in writers:
        writer.stdout.readline()  # both have opened the library, which one of them made
    said = [writer.stdin.write("go\n") and writer.stdin.flush() for writer in writers]
    said = [writer.communicate() for writer in writers]
    assert [writer.returncode for writer in writers] == [0, 0], said
    names = [entry.id for entry in Library.open(uri).read(vectors=False)]
    assert len(names) == len(set(names)) == 200 + 200 + 40


def test_what_was_removed_is_gone_from_the_files_after_compact(uri: str, library: Library) -> None:
    def files_with(*needles: bytes) -> list[str]:
        return [path.name for path in Path(uri).rglob("*")
                if path.is_file() and any(needle in path.read_bytes() for needle in needles)]

    secret = vectors(2, 77)
    library.add([Entry(f"needle-id-{row}", secret[row], "needle-group", source="needle-source") for row in range(2)])
    library.compact()  # into one file, of which it is less than a tenth
    library.index()
    stored = library.get(["needle-id-1"])["needle-id-1"].vector.tobytes()
    assert files_with(stored) and files_with(b"needle-id-1") and files_with(b"needle-group")
    library.rename("needle-group", "needle-renamed")
    library.remove(group="needle-renamed")
    # As a writer leaves it that was killed before its commit.
    left = Path(uri) / "entries.lance" / "data" / "left.lance"
    left.write_bytes(stored)
    assert files_with(stored)
    library.compact()
    assert files_with(stored, b"needle") == []
    assert (library.stats().deleted, library.stats().versions, len(library)) == (0, 1, 300)
    assert library.search(secret[1:], 1)[0].scores[0] < 0.99
    assert library.stats().index == "sq" and library.stats().unindexed == 0


def test_what_was_a_file_of_its_own_is_gone_by_name_too(uri: str, library: Library) -> None:
    """The commit that removes all of a file says in its words what it removed: it must not stay the last one."""
    library.add([Entry("needle-id", vectors(1, 77)[0], "needle-group")])
    library.remove(group="needle-group")
    library.compact()
    assert [path.name for path in Path(uri).rglob("*") if path.is_file() and b"needle" in path.read_bytes()] == []
    assert len(library) == 300


def test_compact_of_a_library_that_became_empty(library: Library) -> None:
    library.index()
    library.remove(ids=[f"e{number}" for number in range(300)])
    library.compact()
    assert len(library) == 0 and library.search(vectors(1), 3)[0].ids == []
    assert library.add(entries(0, 3)) == 3


def test_a_reader_goes_on_after_another_compacts(uri: str, library: Library) -> None:
    reader = Library.open(uri, SPACE)
    query = vectors(1, 12)
    assert reader.search(query, 1)[0].ids == ["e12"]
    library.remove(ids=["e12"])
    library.compact()
    assert reader.search(query, 1)[0].ids != ["e12"]
    assert reader.add([Entry("e12", query[0], "again")]) == 1 and len(library) == 300


def test_another_space_is_refused_with_the_way_out(uri: str, library: Library) -> None:
    with pytest.raises(SpaceError) as refused:
        Library.open(uri, OTHER, upgrade=f"vtk gallery upgrade {uri}")
    assert f"holds {SPACE}" in str(refused.value) and f"asked for {OTHER}" in str(refused.value)
    assert f"vtk gallery upgrade {uri} embeds it anew" in str(refused.value) and "\n" not in str(refused.value)
    library.allow(OTHER)
    other = Library.open(uri, OTHER)
    assert other.search(vectors(1, 12), 1)[0].ids == ["e12"]
    assert other.compatible_with == (str(OTHER),) and other.space == SPACE
    with pytest.raises(SpaceError, match="not added to"):
        other.add(entries(300, 301))
    with pytest.raises(ValueError, match="expected 16"):
        library.allow(Space("wide", "c" * 64, 32))
    assert len(Library.open(uri)) == 300


def test_a_newer_format_and_a_foreign_table_are_refused(uri: str, library: Library, tmp_path: Path) -> None:
    import lancedb

    table = lancedb.connect(uri).open_table("entries")
    table.update_field_metadata({"path": "vector", "metadata": {"vtk.format_version": "2"}})
    with pytest.raises(LibraryError, match="format 2, this program reads up to 1; install a newer vtk"):
        Library.open(uri, SPACE)
    lancedb.connect(tmp_path / "foreign").create_table("entries", [{"a": 1}])
    with pytest.raises(LibraryError, match="of another program"):
        Library.open(str(tmp_path / "foreign"), SPACE)


def test_what_is_no_library_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(LibraryError, match="is a file"):
        Library.open(str(tmp_path / "file"), SPACE)
    with pytest.raises(LibraryError, match="no library at"):
        Library.open(str(tmp_path / "absent"), SPACE, create=False)
    assert not (tmp_path / "absent").exists()
    with pytest.raises(LibraryError, match="holds other files"):
        Library.open(str(tmp_path), SPACE)


@pytest.mark.parametrize("damage", ["cut", "emptied", "missing"])
def test_a_library_cut_short_says_so_in_one_line(uri: str, library: Library, damage: str, tmp_path: Path) -> None:
    """Each file in turn is damaged: either the library says so, or all is still there."""
    library.add(entries(300, 320))
    library.remove(ids=["e7"])
    whole = sorted(entry.id for entry in library.read())
    chance, refused = random.Random(damage), []
    for path in sorted(path for path in Path(uri).rglob("*.*") if path.is_file() and path.name != ".lock"):
        copy = tmp_path / "copy"
        shutil.copytree(uri, copy)
        hurt = copy / path.relative_to(uri)
        content = hurt.read_bytes()
        hurt.unlink() if damage == "missing" else hurt.write_bytes(
            content[: chance.randrange(len(content)) if damage == "cut" else 0])
        try:
            damaged = Library.open(str(copy), SPACE, create=False)
            found = sorted(entry.id for entry in damaged.read())
            damaged.search(vectors(1), 3)
            # The newest commit's own file alone tells of it: without it the library is the one before.
            assert found == whole
        except VtkError as error:
            assert "\n" not in str(error) and ".rs" not in str(error) and str(copy) in str(error)
            refused.append(path.suffix)
        shutil.rmtree(copy)
    assert ".lance" in refused


def test_object_storage_takes_the_same_calls(tmp_path: Path) -> None:
    """In memory, which LanceDB reaches by an address too: no folder, no lock."""
    library = Library.open("memory://things", SPACE)
    library.add(entries(0, 300))
    library.remove(group="g1")
    library.compact(alone=True)
    assert library.search(vectors(1, 12), 1)[0].ids == ["e12"] and len(library) == 257
    np.testing.assert_equal(library.stats().deleted, 0)


def test_a_lost_last_version_is_not_passed_over(uri: str, library: Library) -> None:
    """Without its newest manifest a library is as it was before the last change: silently, if nobody looked."""
    library.remove(ids=["e7"])
    newest = min(Path(uri).rglob("*.manifest"), key=lambda path: path.name)  # they count down
    newest.unlink()
    with pytest.raises(LibraryError, match="up to version 3, and the newest that is left is 2: files of it are lost") as lost:
        Library.open(uri, SPACE)
    hint = next(Path(uri).rglob("latest_version_hint.json"))
    assert str(hint) in str(lost.value)
    hint.unlink()  # as it says
    assert len(Library.open(uri, SPACE)) == 300


def test_a_library_that_several_make_at_once_is_one(uri: str) -> None:
    writers = [subprocess.Popen([sys.executable, "-c", MAKER, uri, name], stdin=subprocess.PIPE, text=True,
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE) for name in "xyz"]
    for writer in writers:
        writer.stdout.readline()  # all have loaded LanceDB
    for writer in writers:
        writer.stdin.write("go\n")
        writer.stdin.flush()
    said = [writer.communicate() for writer in writers]
    assert [writer.returncode for writer in writers] == [0, 0, 0], said
    names = sorted(entry.id for entry in Library.open(f"{uri}/19").read(vectors=False))
    assert names == ["x", "y", "z"]


def test_a_table_that_appears_while_the_folder_is_looked_at_is_no_other_file(
        tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As another process may make it, between any two looks."""
    listed = Path.iterdir

    def late(folder: Path) -> Iterator[Path]:
        (folder / "entries.lance").mkdir(exist_ok=True)
        return listed(folder)

    (tmp_path / ".lock").touch()
    monkeypatch.setattr(Path, "iterdir", late)
    check_new(str(tmp_path))


def test_a_maker_that_was_killed_leaves_nothing_in_the_way(uri: str) -> None:
    table = Path(uri) / "entries.lance"
    (table / "_versions").mkdir(parents=True)
    (table / "_transactions").mkdir()
    (table / "_transactions" / "0-left.txn").write_bytes(b"")
    with pytest.raises(LibraryError, match="no library at"):
        Library.open(uri)
    assert Library.open(uri, SPACE).add(entries(0, 3)) == 3
