"""``vtk export mot``: records as rows, and back again."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from conftest import run_vtk
from vtk.errors import RecordError
from vtk.export.mot import read_mot
from vtk.export.mot_export import row_end, table_path


def line(kind: str, source: str = "a.mp4", frame: int = 0, by: str = "track/x", **keys: Any) -> bytes:
    record = {"v": 1, "type": kind, "by": by, "source": source, "frame": frame, "t": frame / 10,
              "xyxy": [1.0, 2.0, 4.5, 6.25], "score": 0.5, **keys}
    return json.dumps(record).encode() + b"\n"


def exported(folder: Path, stream: bytes, *arguments: str, code: int = 0) -> str:
    """Export a stream to a new file; return its text, empty where there is none."""
    found = run_vtk("export", "mot", "-o", "out.txt", *arguments, stdin=stream, cwd=folder)
    assert found.returncode == code, found.stderr
    assert found.stderr.count(b"\n") == (code != 0)
    assert not (folder / "out.txt.part").exists()
    return (folder / "out.txt").read_text() if (folder / "out.txt").exists() else found.stderr.decode()


def test_tracks_go_before_detections(tmp_path: Path) -> None:
    stream = (line("detection", by="detect/x") + line("track", track_id=7) + line("detection", frame=1, by="detect/x")
              + line("track", frame=1, track_id=7, raw_score=-0.76509))
    assert exported(tmp_path, stream) == (
        "1,7,1.00,2.00,3.50,4.25,0.5,-1,-1,-1\n2,7,1.00,2.00,3.50,4.25,-0.76509,-1,-1,-1\n")
    assert exported(tmp_path, stream, "--overwrite", "--type", "detection") == (
        "1,-1,1.00,2.00,3.50,4.25,0.5,-1,-1,-1\n2,-1,1.00,2.00,3.50,4.25,0.5,-1,-1,-1\n")


def test_detections_alone_are_written(tmp_path: Path) -> None:
    assert exported(tmp_path, line("detection", score=1.0)) == "1,-1,1.00,2.00,3.50,4.25,1,-1,-1,-1\n"


def test_ids_from_0_are_lifted(tmp_path: Path) -> None:
    rows = exported(tmp_path, line("track", track_id=0) + line("track", track_id=4)).splitlines()
    assert [row.split(",")[1] for row in rows] == ["1", "5"], "an id of 0 would be none"


def test_several_makers_need_a_choice(tmp_path: Path) -> None:
    stream = line("track", track_id=1) + line("track", track_id=1, by="track/y", score=0.25)
    assert "track records of 2 makers (track/x, track/y): --by" in exported(tmp_path, stream, code=1)
    assert exported(tmp_path, stream, "--by", "track/y") == "1,1,1.00,2.00,3.50,4.25,0.25,-1,-1,-1\n"


def test_a_track_twice_in_a_frame_is_said(tmp_path: Path) -> None:
    assert "frame 3 has track 1 of track/x twice" in exported(
        tmp_path, line("track", frame=3, track_id=1) * 2, code=3)


def test_a_negative_size_is_said(tmp_path: Path) -> None:
    assert "x1 <= x2" in exported(tmp_path, line("detection", xyxy=[4, 2, 1, 6]), code=3)


def test_a_source_with_nothing_found_has_an_empty_file(tmp_path: Path) -> None:
    end = {"v": 1, "type": "end", "by": "track/x", "source": "a.mp4", "status": "ok", "records": 0,
           "frames": {"decoded": 3, "processed": 3, "skipped": 0}, "types": ["track", "tracklet"]}
    assert exported(tmp_path, json.dumps(end).encode()) == ""
    assert (tmp_path / "out.txt").exists()
    (tmp_path / "out.txt").unlink()
    exported(tmp_path, b"")
    assert not (tmp_path / "out.txt").exists(), "no source, no file"


def test_one_file_holds_one_source(tmp_path: Path) -> None:
    stream = line("track", track_id=1) + line("track", "b.mp4", track_id=2)
    found = run_vtk("export", "mot", "-o", "out.txt", stdin=stream, cwd=tmp_path)
    assert found.returncode == 1
    assert b"holds a.mp4 already, and b.mp4 came too: give --out-dir" in found.stderr
    assert (tmp_path / "out.txt").read_text().startswith("1,1,")


def test_a_folder_holds_a_file_a_source(tmp_path: Path) -> None:
    stream = line("track", "v/a.mp4", track_id=1) + line("track", "v/a.avi", track_id=2) + line(
        "track", "seq:s/img1", track_id=3)
    found = run_vtk("export", "mot", "--out-dir", "out", stdin=stream, cwd=tmp_path)
    assert found.returncode == 1
    assert b"v/a.txt holds v/a.mp4 already, and v/a.avi came too" in found.stderr
    files = {path.relative_to(tmp_path / "out").as_posix(): path.read_text()[:4]
             for path in (tmp_path / "out").rglob("*.*")}
    assert files == {"v/a.txt": "1,1,", "seq%3As%2Fimg1.txt": "1,3,"}
    again = run_vtk("export", "mot", "--out-dir", "out", stdin=line("track", "v/a.mp4", track_id=9), cwd=tmp_path)
    assert again.returncode == 3
    assert b"--overwrite" in again.stderr
    assert (tmp_path / "out" / "v" / "a.txt").read_text().startswith("1,1,")


def test_names_of_files() -> None:
    assert [table_path(name) for name in ("a.MP4", "/x/det/det.txt", "../a", "b.v2", "http://h/a.mp4")] == [
        "a.txt", "x/det/det.txt", "%2E%2E/a.txt", "b.v2.txt", "http%3A%2F%2Fh%2Fa.txt"]


def test_rows_go_to_stdout_and_records_through(tmp_path: Path) -> None:
    stream = line("weather") + line("track", track_id=1)
    row = b"1,1,1.00,2.00,3.50,4.25,0.5,-1,-1,-1\n"
    assert run_vtk("export", "mot", "-o", "-", stdin=stream).stdout == row
    (tmp_path / "in.jsonl").write_bytes(stream)
    assert run_vtk("export", "mot", "in.jsonl", "-o", "-", cwd=tmp_path).stdout == row
    for place, (inputs, given) in enumerate(((("in.jsonl",), b""), ((), stream))):
        found = run_vtk("export", "mot", *inputs, "-o", f"{place}.txt", "--tee", stdin=given, cwd=tmp_path)
        assert found.returncode == 0, found.stderr
        assert found.stdout.startswith(stream)
        assert (tmp_path / f"{place}.txt").read_bytes() == row


def test_it_ends_a_pipe_in_one_process(clip: Path, tmp_path: Path) -> None:
    tracks = run_vtk("track", clip, "--detector", "motion")
    assert run_vtk("export", "mot", "-o", tmp_path / "a.txt", stdin=tracks.stdout).returncode == 0
    found = run_vtk("pipe", f"track --detector motion | export mot -o {tmp_path / 'b.txt'}", clip)
    assert (found.returncode, found.stdout) == (0, b""), found.stderr
    assert (tmp_path / "a.txt").read_bytes() == (tmp_path / "b.txt").read_bytes()
    assert len(read_mot(tmp_path / "a.txt").frame) > 10
    found = run_vtk("pipe", "track | export mot x.jsonl -o y.txt", clip, cwd=tmp_path)
    assert found.returncode == 2
    assert b"input belongs to the whole pipe" in found.stderr


def test_bad_lines_are_named_and_the_rest_is_written(tmp_path: Path) -> None:
    stream = b"oops\n" + line("track") + line("track", track_id=2)
    (tmp_path / "in.jsonl").write_bytes(stream)
    found = run_vtk("export", "mot", "in.jsonl", "-o", "out.txt", cwd=tmp_path)
    assert found.returncode == 1
    assert [text.split(":")[1] for text in found.stderr.decode().splitlines()] == [" line 1", " line 2"]
    assert (tmp_path / "out.txt").read_text().startswith("1,2,")


@pytest.mark.parametrize(("arguments", "said"), [
    ((), b"-o FILE"),
    (("-o", "x.txt", "--out-dir", "y"), b"-o FILE"),
    (("-o", "."), b"folder"),
    (("-o", "gone/x.txt"), b"no folder gone"),
    (("-o", "there.txt"), b"--overwrite"),
    (("-o", "-", "--tee"), b"stdout"),
    (("-o", "x.txt", "--type", "tracks"), b"track, detection"),
    (("gone.jsonl", "-o", "x.txt"), b"cannot read gone.jsonl"),
])
def test_usage_errors_are_one_line_and_exit_2(tmp_path: Path, arguments: tuple[str, ...], said: bytes) -> None:
    (tmp_path / "there.txt").write_text("mine")
    found = run_vtk("export", "mot", *arguments, cwd=tmp_path)
    assert (found.returncode, found.stdout, found.stderr.count(b"\n")) == (2, b"", 1), found.stderr
    assert said in found.stderr
    assert (tmp_path / "there.txt").read_text() == "mine"


def test_a_full_disk_is_one_line() -> None:
    found = run_vtk("export", "mot", "-o", "/dev/full", stdin=line("track", track_id=1))
    assert (found.returncode, found.stderr.count(b"\n")) == (1, 1)
    assert b"No space left" in found.stderr


def test_a_row_by_hand() -> None:
    box = {"type": "track", "xyxy": [-0.001, 1.005, 2, 1.005], "score": 0.1234, "raw_score": 139}
    assert row_end(box) == "0.00,1.00,2.00,0.00,139,-1,-1,-1"
    with pytest.raises(RecordError, match="y1 <= y2"):
        row_end({**box, "xyxy": [0, 2, 1, 1]})


def rounded(values: np.ndarray) -> list[float]:
    return [round(value, 2) for value in values.ravel().tolist()]


def test_boxes_come_back_to_two_decimals(tmp_path: Path) -> None:
    random = np.random.default_rng(1)
    xywh = np.concatenate([random.uniform(-50, 2000, (2000, 2)), random.uniform(0, 400, (2000, 2))], axis=1).round(4)
    scores = random.normal(20, 40, 2000)
    rows = "".join(f"{n // 9 + 1},-1,{x!r},{y!r},{w!r},{h!r},{score!r},-1,-1,-1\n" for n, ((x, y, w, h), score) in
                   enumerate(zip(xywh.tolist(), scores.tolist(), strict=True)))
    (tmp_path / "det.txt").write_text(rows)
    records = run_vtk("import", "mot", "det.txt", "--fps", "10", cwd=tmp_path)
    run_vtk("export", "mot", "-o", "back.txt", stdin=records.stdout, cwd=tmp_path)
    back = read_mot(tmp_path / "back.txt")
    assert back.xywh.ravel().tolist() == rounded(xywh)
    assert back.score.tolist() == scores.tolist()
    assert back.frame.tolist() == [n // 9 + 1 for n in range(2000)]


@pytest.mark.parametrize("name", ["KITTI-17/det/det.txt", "PETS09-S2L1/det/det.txt", "TUD-Campus/det/det.txt",
                                  "TUD-Campus/gt/gt.txt", "expected_sort_output/KITTI-17.txt"])
def test_real_files_come_back(shared: Path, tmp_path: Path, name: str) -> None:
    path = shared / "data" / "track" / name
    records = run_vtk("import", "mot", path, "--fps", "10")
    found = run_vtk("export", "mot", "-o", tmp_path / "back.txt", stdin=records.stdout)
    assert found.returncode == 0, found.stderr
    given, back = read_mot(path), read_mot(tmp_path / "back.txt")
    order = given.frame.argsort(kind="stable")
    assert (given.frame[order] == back.frame).all()
    assert (given.id[order] == back.id).all()
    assert rounded(given.xywh[order]) == back.xywh.ravel().tolist()
    assert (given.score[order] == back.score).all()
