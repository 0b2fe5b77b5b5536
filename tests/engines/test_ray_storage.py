"""Folders that many machines write: whole files alone are seen, on a disk and in a store of objects."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from vtk.engines.storage import (
    DiskFolder,
    Storage,
    lines_in,
    open_storage,
    part_name,
    restored,
    scheme_of,
    whole_of,
)
from vtk.errors import UsageError, VtkError

fsspec = pytest.importorskip("fsspec")


@pytest.fixture(params=["disk", "file", "memory"])
def storage(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Storage]:
    """Return an empty folder of each kind."""
    place = {"disk": str(tmp_path / "out"), "file": f"file://{tmp_path}/out", "memory": "memory://bucket/out"}
    yield open_storage(place[request.param])
    fsspec.filesystem("memory").store.clear()
    fsspec.filesystem("memory").pseudo_dirs[:] = [""]


def test_a_file_is_seen_when_it_is_whole(storage: Storage) -> None:
    with storage.writing("a/b.jsonl", "c0ffee-1") as file:
        file.write(b"one\ntw")
        assert not storage.has("a/b.jsonl")
        file.write(b"o\ncut off")
    assert storage.has("a/b.jsonl") and storage.names(["a", "", "none"]) >= {"a/b.jsonl"}
    assert [line for lines in lines_in(storage, "a/b.jsonl") for line in lines] == [b"one", b"two"]
    assert storage.names(["a"]) == {"a/b.jsonl"}, "no part is left"


@pytest.mark.parametrize("name", ["a[1].mp4.jsonl", "b/a*.jsonl", "b/?.jsonl", "c {2}#.jsonl"])
def test_names_are_no_patterns(storage: Storage, name: str) -> None:
    with storage.writing("b/ax.jsonl", "c0ffee-1") as file:
        file.write(b"other\n")
    with storage.writing(name, "c0ffee-1") as file:
        file.write(b"own\n")
    assert storage.names(["", "b"]) >= {name, "b/ax.jsonl"} and not [each for each in storage.names(["", "b"]) if "part" in each]
    assert storage.opened(name).read() == b"own\n" and storage.opened("b/ax.jsonl").read() == b"other\n"
    storage.remove(name)
    assert not storage.has(name) and storage.has("b/ax.jsonl")


def test_what_goes_wrong_leaves_the_file_that_was_there(storage: Storage) -> None:
    with storage.writing("a.jsonl", "c0ffee-1") as file:
        file.write(b"old\n")
    with pytest.raises(VtkError, match="broken"), storage.writing("a.jsonl", "c0ffee-2") as file:
        file.write(b"new\n")
        raise VtkError("broken")
    assert storage.opened("a.jsonl").read() == b"old\n" and storage.names([""]) == {"a.jsonl"}


def test_two_writers_of_one_name_do_not_mix(storage: Storage) -> None:
    with storage.writing("a.jsonl", "c0ffee-1") as one, storage.writing("a.jsonl", "c0ffee-2") as two:
        one.write(b"first\n")
        two.write(b"first")
        two.write(b"\n")
    assert storage.opened("a.jsonl").read() == b"first\n" and storage.names([""]) == {"a.jsonl"}
    storage.remove("a.jsonl")
    storage.remove("never there")
    assert not storage.has("a.jsonl")


def test_a_folder_that_cannot_be_written_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with (pytest.raises(VtkError, match="cannot write .*file/a.jsonl: (Not a directory|File exists)") as error,
          open_storage(tmp_path / "file").writing("a.jsonl", "c0ffee-1")):
        raise AssertionError("there is nothing to write to")
    assert error.value.code == "E_WRITE"


def test_urls_survive_being_paths() -> None:
    assert restored(str(Path("s3://bucket/a/b"))) == "s3://bucket/a/b"
    assert scheme_of(str(Path("gs://bucket"))) == "gs" and scheme_of("/a/b") is None and scheme_of("a:b") is None
    local = open_storage(Path("file:///data/out"))
    assert isinstance(local, DiskFolder) and local.place == "/data/out"


def test_what_nothing_can_write_is_refused() -> None:
    with pytest.raises(UsageError, match="--out-dir nosuch://x/y: .*nosuch"):
        open_storage("nosuch://x/y")


def test_parts_tell_what_they_are_of() -> None:
    assert whole_of(part_name("a/b.mp4.jsonl", "0af3-2")) == "a/b.mp4.jsonl"
    assert [whole_of(name) for name in ("a.jsonl", "a.jsonl.part", "a.zz-1.part")] == [None, None, None]
