"""A tracker's options from the command line and from a file."""

from __future__ import annotations

import pytest

from vtk.errors import UsageError
from vtk.tracking.recipe import read_options


def test_nothing_is_nothing():
    assert read_options("", "vtk") == ("vtk", {})


def test_pairs():
    assert read_options("high=0.3, min_hits=2", "sort") == ("sort", {"high": 0.3, "min_hits": 2})


def test_a_file_may_name_the_tracker(tmp_path):
    path = tmp_path / "best.toml"
    path.write_text('[track]\ntracker = "bytetrack"\n[track.options]\nhigh = 0.4\n')
    assert read_options(str(path), "vtk") == ("bytetrack", {"high": 0.4})
    path.write_text("[track]\n")
    assert read_options(str(path), "vtk") == ("vtk", {})


@pytest.mark.parametrize(("text", "words"), [
    ("high=much", "'high=much' is not name=number"),
    ("nowhere.toml", "no file nowhere.toml"),
    ("=3,", "is not name=number"),
])
def test_says_what_is_wrong(text, words):
    with pytest.raises(UsageError, match=words):
        read_options(text, "vtk")


@pytest.mark.parametrize(("content", "words"), [
    (b"[track", "cannot be read as TOML"),
    (b"\xff\xfe", "cannot be read as TOML"),
    (b"[other]\n", r"no table \[track\] \(it has other\)"),
    (b"track = 3\n", "no table"),
    (b"[track]\noptions = 3\n", "needs tracker, a name, and a table"),
])
def test_says_what_is_wrong_with_a_file(tmp_path, content, words):
    path = tmp_path / "best.toml"
    path.write_bytes(content)
    with pytest.raises(UsageError, match=words):
        read_options(str(path), "vtk")
