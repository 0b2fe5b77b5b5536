"""The exit code of a run, and what a dry run refuses."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from clips import make_clip

from conftest import run_vtk
from vtk.driver.passes import Tally
from vtk.driver.run import exit_code
from vtk.library import Library, Space

LINE = b'{"v":1,"type":"note","by":"x"}\n'  # of no source, and of a type that nobody knows


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with a clip, a file that is none, an empty folder, and a gallery."""
    path = tmp_path_factory.mktemp("exits")
    make_clip(path / "good.mp4")
    (path / "bad.mp4").write_bytes(b"no video")
    (path / "empty").mkdir()
    Library.open(str(path / "people.lance"), Space("net", "0" * 64, 4)).close()
    return path


@pytest.mark.parametrize(("counts", "code"), [
    ({}, 0),
    ({"sources": 2}, 0),
    ({"kept": 2}, 0),
    ({"sources": 2, "failed": 1}, 1),
    ({"sources": 2, "failed": 2}, 3),
    ({"sources": 1, "failed": 1, "kept": 1}, 1),  # the earlier run did the other
    ({"kept": 2, "sources": 0}, 1),  # what concerns the run was not whole
    ({}, 1),
    ({"bad": 2}, 3),
    ({"bad": 2, "loose": 1}, 1),
    ({"bad": 1, "sources": 1}, 1),
    ({"bad": 1, "sources": 1, "failed": 1}, 3),
])
def test_three_is_for_runs_that_did_nothing_of_what_there_was(counts: dict[str, int], code: int) -> None:
    assert exit_code(Tally(**counts, troubled=code > 0)) == code  # type: ignore[arg-type]


@pytest.mark.parametrize(("lines", "code"), [
    (b"", 0), (b"\n", 0), (LINE, 0), (b"no record\n", 3), (b"no record\n" + LINE, 1), (b"no record\nnor this\n", 3),
])
def test_lines_count_where_there_are_no_sources(lines: bytes, code: int) -> None:
    for call in (("detect", "--model", "motion"), ("pipe", "detect --model motion | track")):
        found = run_vtk(*call, stdin=lines)
        assert found.returncode == code, (call, found.stderr)


def test_what_a_run_before_did_counts_as_done(folder: Path, tmp_path: Path) -> None:
    call = ("detect", "--model", "motion", "-o", str(tmp_path / "out.jsonl"), "--resume")
    assert run_vtk(*call, "good.mp4", cwd=folder).returncode == 0
    again = run_vtk(*call, "good.mp4", cwd=folder)
    assert (again.returncode, again.stderr) == (0, b"")
    assert run_vtk(*call, "good.mp4", "bad.mp4", cwd=folder).returncode == 1
    assert run_vtk(*call, "bad.mp4", cwd=folder).returncode == 3


def test_a_folder_without_media_is_fine_and_said(folder: Path) -> None:
    found = run_vtk("detect", "--model", "motion", "empty", cwd=folder)
    assert (found.returncode, found.stdout) == (0, b"")
    assert found.stderr == b"vtk: empty: holds no media: no files are in it\n"


@pytest.mark.parametrize(("words", "said"), [
    (("detect-copy", "good.mp4", "--library", "none"), "no library at 'none'"),
    (("detect-copy", "good.mp4", "--library", "empty", "--descriptor", "dct"), "no library at 'empty'"),
    (("detect-copy", "good.mp4", "--library", "people.lance"), "holds other files and no library of references"),
    (("reid", "good.mp4", "--gallery", "."), "'.' holds other files and no gallery"),
    (("reid", "good.mp4", "--gallery", "good.mp4"), "is a file"),
    (("pipe", "detect-copy --library none | draw -o a.mp4", "good.mp4"), "no library at 'none'"),
    (("draw", "good.mp4", "-o", "bad.mp4"), "bad.mp4 exists: --overwrite replaces it"),
    (("sheet", "good.mp4", "-o", "none/a.png"), "there is no folder none"),
    (("detect", "good.mp4", "-o", "bad.mp4"), "bad.mp4 exists: --overwrite replaces it"),
    (("detect", "good.mp4", "-o", "empty"), "cannot write empty: it is a folder; --out-dir writes into folders"),
    (("detect", "good.mp4", "-o", "none/a.jsonl"), "cannot write none/a.jsonl: there is no folder none"),
    (("detect", "good.mp4", "--decoder", "eyes"), "--decoder is 'eyes'"),
])
def test_a_dry_run_refuses_what_shows_without_a_model(folder: Path, words: tuple[str, ...], said: str) -> None:
    found = run_vtk(*words, "--dry-run", cwd=folder)
    assert found.returncode == 2 and said in found.stderr.decode() and found.stderr.count(b"\n") == 1, found.stderr


def test_a_dry_run_of_what_can_be_done_makes_nothing(folder: Path) -> None:
    before = sorted(path.name for path in folder.iterdir())
    for words in (("reid", "good.mp4", "--gallery", "new.lance"), ("reid", "good.mp4", "--gallery", "people.lance")):
        found = run_vtk(*words, "--dry-run", cwd=folder)
        assert found.returncode == 0 and found.stderr.endswith(b"good.mp4 -> stdout\n"), found.stderr
    assert sorted(path.name for path in folder.iterdir()) == before


def test_a_dash_is_stdout(folder: Path, tmp_path: Path) -> None:
    found = run_vtk("detect", "--model", "motion", folder / "good.mp4", "-o", "-", cwd=tmp_path)
    plain = run_vtk("detect", "--model", "motion", folder / "good.mp4", cwd=tmp_path)
    assert found.returncode == 0 and found.stdout == plain.stdout and json.loads(found.stdout.splitlines()[-1])
    for sink in ("draw", "sheet"):
        refused = run_vtk(sink, folder / "good.mp4", "-o", "-", cwd=tmp_path)
        assert refused.returncode == 2 and refused.stderr.startswith(b"vtk: -o -: a name that ends in")
    assert list(tmp_path.iterdir()) == []
