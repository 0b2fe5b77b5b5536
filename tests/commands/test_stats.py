"""``vtk stats``: files, folders and stdin; pages and JSON; lines that are none."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from called import caller

from conftest import Vtk
from vtk.stats.lettering import columns_of


@pytest.fixture
def vtk(capfdbinary: pytest.CaptureFixture[bytes], monkeypatch: pytest.MonkeyPatch) -> Vtk:
    """Return what runs ``vtk`` in this process."""
    return caller(capfdbinary, monkeypatch)


def test_a_page_of_a_real_stream(vtk: Vtk, clip: Path) -> None:
    stream = vtk("track", "--detector", "motion", clip).stdout
    found = vtk("stats", stdin=stream)
    assert (found.returncode, found.stderr) == (0, b"")
    page = found.stdout.decode().splitlines()
    assert page[0] == f"{len(stream.splitlines())} records, 1 source"
    assert all(columns_of(line) <= 80 for line in page)
    assert [title for title in page[1:] if title and not title.startswith(" ")] == [
        "Records", "Sources", "Commands", "Labels", "Scores, from 0 to 1 in tenths", "Boxes, root of the area in pixels",
        "How long"]
    assert page[page.index("Sources") + 1 :][:2] == ["  1 ok", f"  1 video, 2.0 s, "
                                                     f"{clip.stat().st_size / 1000:.1f} kB, 192x128, 12 frames/s, h264"]


def test_what_jq_counts_is_counted(vtk: Vtk, clip: Path) -> None:
    stream = vtk("track", "--detector", "motion", clip).stdout
    records = [json.loads(line) for line in stream.splitlines()]
    whole = json.loads(vtk("stats", "--json", stdin=stream).stdout)
    kinds = [record["type"] for record in records]
    assert {row["type"]: row["records"] for row in whole["types"]} == {kind: kinds.count(kind) for kind in set(kinds)}
    tracks = [record for record in records if record["type"] == "track"]
    [scores] = [row for row in whole["scores"] if row["type"] == "track"]
    assert scores["bins"] == [sum(min(9, int(record["score"] * 10)) == place for record in tracks) for place in range(10)]
    [end] = [record for record in records if record["type"] == "end"]
    assert whole["commands"][0]["processed"] == end["frames"]["processed"] == whole["sources"]["top"][0]["processed"]
    tracklets = [record for record in records if record["type"] == "tracklet"]
    assert whole["lengths"][0]["count"] == len(tracklets) > 0
    assert whole["lengths"][0]["longest"] == max(round(record["end"] - record["start"], 3) for record in tracklets)


def test_folders_of_an_out_dir_are_read(vtk: Vtk, clip: Path, tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / f"{name}.mp4").symlink_to(clip)
    (tmp_path / "broken.mp4").write_text("none")
    assert vtk("detect", "--model", "motion", "a.mp4", "b.mp4", "broken.mp4", "--out-dir", "out", cwd=tmp_path).returncode == 1
    (tmp_path / "out" / "c.mp4.jsonl.part").write_text("{")
    whole = json.loads(vtk("stats", "out", "--json", cwd=tmp_path).stdout)
    assert whole["sources"]["count"] == 3 and whole["sources"]["status"] == {"ok": 2, "failed": 1}
    assert whole["errors"][0]["sources"] == 1
    page = vtk("stats", "out", cwd=tmp_path).stdout.decode().splitlines()
    assert page[2] == "Errors", "first of all"
    both = json.loads(vtk("stats", "out/a.mp4.jsonl", "-", "--json", stdin=(tmp_path / "out" / "b.mp4.jsonl").read_bytes(),
                          cwd=tmp_path).stdout)
    assert both["sources"]["count"] == 2
    (tmp_path / "empty").mkdir()
    found = vtk("stats", "empty", cwd=tmp_path)
    assert found.returncode == 2 and b"empty: no file in it ends in .jsonl" in found.stderr


def test_lines_that_are_no_records_are_named(vtk: Vtk, tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_bytes(b'{"type":"x"}\n\nnothing\n{"type":"detection","source":"a"}\n{"v":9,"type":"x"}\n'
                                       b'\xff\xfe\n[]\n{"type":"x"}')
    found = vtk("stats", "a.jsonl", "--json", cwd=tmp_path)
    assert found.returncode == 1
    said = found.stderr.decode().splitlines()
    assert [line.split(": ")[1] for line in said] == [f"a.jsonl, line {number}" for number in (3, 4, 5, 6, 7)]
    assert ["E_JSON" in said[0], "no 'by'" in said[1] or "E_RECORD" in said[1], "E_VERSION" in said[2]] == [True] * 3
    whole = json.loads(found.stdout)
    assert (whole["records"], whole["bad_lines"]) == (2, 5)


def test_nothing_is_nothing(vtk: Vtk) -> None:
    found = vtk("stats")
    assert (found.returncode, found.stdout, found.stderr) == (0, b"0 records, 0 sources\n", b"")
    assert json.loads(vtk("stats", "--json").stdout) == {"records": 0, "types": [], "sources": {"count": 0}}
    assert vtk("stats", "--by", "label").stdout == b"label  records  share  sources\n"


def test_groups_and_files_to_write(vtk: Vtk, detections: bytes, tmp_path: Path) -> None:
    found = vtk("stats", "--by", "type,label", "-o", "out.txt", stdin=detections, cwd=tmp_path)
    assert (found.returncode, found.stdout, found.stderr) == (0, b"", b"")
    rows = (tmp_path / "out.txt").read_text().splitlines()
    assert rows[0].split() == ["type", "label", "records", "share", "sources", "score"]
    assert rows[1].split()[:3] == ["detection", "motion", str(detections.count(b'"type":"detection"'))]
    found = vtk("stats", "-o", "out.txt", stdin=detections, cwd=tmp_path)
    assert found.returncode == 2 and b"out.txt exists: --overwrite replaces it" in found.stderr
    assert vtk("stats", "--by", "label,", stdin=detections).returncode == 2
    found = vtk("pipe", "detect --model motion | stats", "no.mp4")
    assert found.returncode == 2 and found.stderr.count(b"\n") == 1
    by_code = vtk("stats", "--by", "error.code", "--json", stdin=b'{"type":"error","by":"x","error":{"code":"E_X"}}\n')
    assert json.loads(by_code.stdout)["groups"] == [{"error.code": "E_X", "records": 1, "sources": 0}]


def test_names_of_any_script_keep_the_page(vtk: Vtk) -> None:
    stream = b"".join(json.dumps({"v": 1, "type": "text_track", "by": "spot-text", "source": f"映画/{'長' * place}\x1b[31m.mp4",
                                  "track_id": place, "start": 0, "end": 1, "text": "停止 STOP \n قف" * place, "score": 0.5,
                                  "observations": 1}).encode() + b"\n" for place in range(1, 30))
    found = vtk("stats", stdin=stream)
    assert found.returncode == 0 and b"\x1b" not in found.stdout
    assert all(columns_of(line) <= 80 for line in found.stdout.decode().splitlines())
