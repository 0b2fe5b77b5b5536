"""``vtk export parquet`` and ``csv``, ``vtk import parquet``: as tables and back, whole or not at all."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

import pyarrow.parquet as pq
import pytest
from called import caller

from conftest import run_vtk
from vtk.errors import VtkError
from vtk.export.reading import Reading

Vtk = Callable[..., "CompletedProcess[bytes]"]


@pytest.fixture
def vtk(capfdbinary: pytest.CaptureFixture[bytes], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Vtk:
    """Return a function that runs a command line in this process, in an empty folder."""
    monkeypatch.chdir(tmp_path)
    return caller(capfdbinary, monkeypatch)


def box(kind: str, source: str, frame: int, **keys: Any) -> dict[str, Any]:
    """Return a record of a box."""
    return {"v": 1, "type": kind, "by": f"{kind}/x", "source": source, "frame": frame, "t": frame / 10,
            "xyxy": [1.0, 2.0, 4.5, 6.25], "score": 0.5, **keys}


def lines(*records: dict[str, Any]) -> bytes:
    """Return records as a file of lines."""
    return b"".join(json.dumps(record, separators=(",", ":"), ensure_ascii=False).encode() + b"\n" for record in records)


STREAM = lines(
    {"v": 1, "type": "media", "by": "probe", "source": "a.mp4", "kind": "video", "width": 64, "height": 48},
    box("track", "a.mp4", 0, track_id=1, label="person"), box("detection", "b.mp4", 0, label="hawk, \"red\"\nkite"),
    box("track", "a.mp4", 1, track_id=1, label="person"),  # sources may take turns here
    {"v": 1, "type": "weather", "by": "x", "rain": None, "frame": 3},
    {"v": 1, "type": "text", "by": "spot-text/x", "source": "a.mp4", "frame": 1, "t": 0.1, "text": "späť", "score": 0.5,
     "xyxy": [0.0, 0.0, 5.0, 5.0], "poly": [[0.0, 0.0], [5.0, 0.0], [5.0, 5.0]]})


def test_a_stream_comes_back_byte_for_byte(vtk: Vtk, tmp_path: Path) -> None:
    (tmp_path / "in.jsonl").write_bytes(STREAM)
    assert vtk("export", "parquet", "in.jsonl", "-o", "tables").returncode == 0
    assert sorted(path.name for path in (tmp_path / "tables").iterdir()) == [
        "detection.parquet", "media.parquet", "other.parquet", "text.parquet", "track.parquet"]
    found = vtk("import", "parquet", "tables")
    assert (found.returncode, found.stdout) == (0, STREAM)
    assert vtk("import", "parquet", "tables/track.parquet").stdout.count(b"\n") == 2
    assert vtk("import", "parquet", "tables", "-o", "out.jsonl").stdout == b""
    assert (tmp_path / "out.jsonl").read_bytes() == STREAM


def test_stdin_goes_to_tables_and_on(tmp_path: Path) -> None:
    found = run_vtk("export", "parquet", "-o", "tables", "--tee", stdin=b"no record\n" + STREAM, cwd=tmp_path)
    assert (found.returncode, found.stdout) == (1, STREAM)
    assert found.stderr.count(b"\n") == 1 and b"stdin, line 1: not JSON" in found.stderr
    assert pq.ParquetFile(tmp_path / "tables" / "track.parquet").metadata.num_rows == 2
    found = run_vtk("pipe", "detect --model motion | export parquet -o t", "a.mp4", cwd=tmp_path)
    assert found.returncode == 2
    assert b"vtk pipe '\xe2\x80\xa6' | vtk export parquet -o DIR" in found.stderr


def test_tables_are_not_replaced_unasked(vtk: Vtk, tmp_path: Path) -> None:
    (tmp_path / "in.jsonl").write_bytes(STREAM)
    assert vtk("export", "parquet", "in.jsonl", "-o", "tables").returncode == 0
    again = vtk("export", "parquet", "in.jsonl", "-o", "tables")
    assert again.returncode == 2 and b"--overwrite" in again.stderr
    (tmp_path / "tables" / "mine.parquet").write_bytes((tmp_path / "tables" / "text.parquet").read_bytes()[:-9])
    assert vtk("export", "parquet", "in.jsonl", "-o", "tables", "--overwrite", "--type", "track,end").returncode == 0
    assert sorted(path.name for path in (tmp_path / "tables").iterdir()) == [
        "end.parquet", "mine.parquet", "track.parquet"], "what is not of an export stays"
    assert pq.ParquetFile(tmp_path / "tables" / "end.parquet").metadata.num_rows == 0


@pytest.mark.parametrize("words", [("parquet", "-o"), ("csv", "--out-dir")])
def test_a_run_that_failed_leaves_no_folder_of_its_own(words: tuple[str, str], vtk: Vtk, tmp_path: Path) -> None:
    own = tmp_path / "own"
    own.mkdir()
    for folder in (tmp_path / "new", own):
        assert vtk("export", words[0], tmp_path / "missing.jsonl", words[1], folder).returncode == 2
    assert [*tmp_path.iterdir()] == [own]


def test_one_table_is_of_one_type(vtk: Vtk, tmp_path: Path) -> None:
    (tmp_path / "in.jsonl").write_bytes(STREAM)
    assert b"--type TYPE" in vtk("export", "parquet", "in.jsonl", "-o", "a.parquet").stderr
    assert b"it is one of media" in vtk("export", "parquet", "in.jsonl", "-o", "a.parquet", "--type", "car").stderr
    assert vtk("export", "parquet", "in.jsonl", "-o", "a.parquet", "--type", "text").returncode == 0
    assert pq.ParquetFile(tmp_path / "a.parquet").metadata.num_rows == 1
    assert b"Parquet is no stream" in vtk("export", "parquet", "in.jsonl", "-o", "-").stderr
    assert b"no folder" in vtk("export", "parquet", "in.jsonl", "-o", "x/a.parquet", "--type", "text").stderr
    assert {path.name for path in tmp_path.iterdir()} == {"in.jsonl", "a.parquet"}


def test_where_no_line_is_a_record_nothing_is_written(vtk: Vtk, tmp_path: Path) -> None:
    (tmp_path / "in.jsonl").write_bytes(b"a\nb\n" * 30)
    found = vtk("export", "parquet", "in.jsonl", "-o", "tables")
    assert found.returncode == 1 and b"there is no record among 60 lines" in found.stderr
    assert not (tmp_path / "tables").exists()
    told: list[str] = []
    with pytest.raises(VtkError, match="no record"):
        list(Reading([str(tmp_path / "in.jsonl")], told.append).records())
    assert len(told) == 21 and told[-1] == "and 40 more lines are left out"
    (tmp_path / "empty.jsonl").write_bytes(b"")
    assert vtk("export", "parquet", "empty.jsonl", "-o", "tables").returncode == 0


def test_a_full_disk_is_said_and_leaves_nothing(vtk: Vtk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "in.jsonl").write_bytes(STREAM)

    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("pyarrow.parquet.ParquetWriter.write_table", full)
    found = vtk("export", "parquet", "in.jsonl", "-o", "tables")
    assert found.returncode == 1 and b"No space left on device" in found.stderr
    assert not (tmp_path / "tables").exists()


def test_broken_tables_are_said_and_others_read(vtk: Vtk, tmp_path: Path) -> None:
    (tmp_path / "in.jsonl").write_bytes(STREAM)
    vtk("export", "parquet", "in.jsonl", "-o", "tables")
    (tmp_path / "tables" / "text.parquet").write_bytes(b"no table")
    found = vtk("import", "parquet", "tables")
    assert found.returncode == 1 and found.stderr.count(b"\n") == 1
    assert b"text.parquet cannot be read as Parquet" in found.stderr
    *whole, last = found.stdout.splitlines(keepends=True)
    assert b"".join(whole) == b"".join(line for line in STREAM.splitlines(keepends=True) if b'"text"' not in line)
    assert json.loads(last)["error"]["code"] == "E_PARQUET" and json.loads(last)["source"] == "tables/text.parquet"
    assert vtk("import", "parquet", "tables/text.parquet").returncode == 3
    assert vtk("import", "parquet", "none").returncode == 3
    (tmp_path / "empty").mkdir()
    assert vtk("import", "parquet", "empty").returncode == 2


def test_csv_has_the_columns_of_the_table(vtk: Vtk, tmp_path: Path) -> None:
    (tmp_path / "in.jsonl").write_bytes(STREAM)
    found = vtk("export", "csv", "in.jsonl", "--type", "detection", "-o", "-")
    [row] = csv.DictReader(found.stdout.decode().splitlines(keepends=True))
    assert {key: value for key, value in row.items() if value} == {
        "v": "1", "by": "detection/x", "source": "b.mp4", "frame": "0", "t": "0.0", "x1": "1.0", "y1": "2.0",
        "x2": "4.5", "y2": "6.25", "score": "0.5", "label": "hawk, \"red\"\nkite"}
    assert vtk("export", "csv", "in.jsonl", "--out-dir", "out").returncode == 0
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [
        "detection.csv", "media.csv", "other.csv", "text.csv", "track.csv"]
    [text] = csv.DictReader((tmp_path / "out" / "text.csv").open(newline=""))
    assert (text["text"], json.loads(text["poly"])[1]) == ("späť", [5.0, 0.0])
    [other] = csv.DictReader((tmp_path / "out" / "other.csv").open(newline=""))
    assert (other["type"], other["extra"]) == ("weather", '{"rain":null}')
    columns = [name for name in pq.read_schema(_table(vtk, tmp_path)).names if name != "row"]
    assert list(text) == columns


def _table(vtk: Vtk, folder: Path) -> Path:
    vtk("export", "parquet", "in.jsonl", "--type", "text", "-o", "text.parquet")
    return folder / "text.parquet"


@pytest.mark.parametrize(("words", "said"), [
    (["-o", "a.csv"], b"give --type"), (["--type", "text,track", "-o", "a.csv"], b"a file holds one type"),
    ([], b"needs either -o"), (["--type", "text", "-o", "-", "--tee"], b"stdout"),
    (["--type", "text", "-o", "in.jsonl"], b"--overwrite"), (["--type", "text", "-o", "no/a.csv"], b"no folder"),
])
def test_csv_refuses_what_it_cannot_do(vtk: Vtk, tmp_path: Path, words: list[str], said: bytes) -> None:
    (tmp_path / "in.jsonl").write_bytes(STREAM)
    found = vtk("export", "csv", "in.jsonl", *words)
    assert found.returncode == 2 and said in found.stderr
    assert (tmp_path / "in.jsonl").read_bytes() == STREAM
    assert [path.name for path in tmp_path.iterdir()] == ["in.jsonl"]
