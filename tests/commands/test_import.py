"""``vtk import mot``: rows as records."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from conftest import run_vtk
from vtk.records import check

SEQINFO = "[Sequence]\nframeRate=7\nseqLength=3\nimWidth=100\nimHeight=80\n"


def records_of(data: bytes) -> list[dict[str, Any]]:
    records = [json.loads(line) for line in data.splitlines()]
    for record in records:
        check(record)
    return records


def import_rows(folder: Path, rows: str, *arguments: str, code: int = 0) -> tuple[list[dict[str, Any]], str]:
    """Import ``rows`` from a file of that folder; return the records and stderr."""
    (folder / "det.txt").write_text(rows)
    found = run_vtk("import", "mot", "det.txt", *arguments, cwd=folder)
    assert found.returncode == code, found.stderr
    return records_of(found.stdout), found.stderr.decode()


def test_rows_become_detections_and_tracks_in_order(tmp_path: Path) -> None:
    found, said = import_rows(tmp_path, "4,-1,1.004,2,2.004,4,0.98765\n1,0,5,5,0,0,1\n4,3,-1,2,3,4,0\n", "--fps", "3")
    assert said == ""
    assert found[:3] == [
        {"v": 1, "type": "detection", "by": "import/mot", "source": "det.txt", "frame": 0, "t": 0.0,
         "xyxy": [5.0, 5.0, 5.0, 5.0], "score": 1.0, "label": "person", "class_id": 0},
        {"v": 1, "type": "detection", "by": "import/mot", "source": "det.txt", "frame": 3, "t": 1.0,
         "xyxy": [1.0, 2.0, 3.0, 6.0], "score": 0.9877, "label": "person", "class_id": 0},
        {"v": 1, "type": "track", "by": "import/mot", "source": "det.txt", "frame": 3, "t": 1.0, "track_id": 3,
         "xyxy": [-1.0, 2.0, 2.0, 6.0], "score": 0.0, "label": "person", "class_id": 0},
    ]
    end = found[3]
    assert (end["type"], end["status"], end["records"]) == ("end", "ok", 3)
    assert end["frames"] == {"decoded": 0, "processed": 2, "skipped": 0}
    assert end["types"] == ["detection", "track"]


def test_scores_of_any_range_keep_their_number(tmp_path: Path) -> None:
    rows = "1,-1,1,1,2,2,-0.8\n1,-1,1,1,2,2,139\n2,-1,1,1,2,2,40\n"
    found, _ = import_rows(tmp_path, rows, "--fps", "10")
    # Of n rows so far and 4 that are half below: (below + 1/2 + 2) / (n + 4).
    assert [record["score"] for record in found[:3]] == [round(2.5 / 6, 4), round(3.5 / 6, 4), 0.5]
    assert [record["raw_score"] for record in found[:3]] == [-0.8, 139, 40]
    for way, scores in (("clip", [0.0, 1.0, 1.0]), ("logistic", [0.31, 1.0, 1.0])):
        found, _ = import_rows(tmp_path, rows, "--fps", "10", "--scores", way)
        assert [record["score"] for record in found[:3]] == scores
        assert found[0]["raw_score"] == -0.8


def test_equal_scores_are_in_the_middle(tmp_path: Path) -> None:
    found, _ = import_rows(tmp_path, "1,1,1,1,2,2,-1\n2,1,1,1,2,2,-1\n9,1,1,1,2,2,-1\n", "--fps", "10")
    assert [(record["score"], record["raw_score"]) for record in found[:3]] == [(0.5, -1)] * 3


def test_classes_of_later_ground_truth_have_their_names(tmp_path: Path) -> None:
    rows = "".join(f"1,{n},1,1,2,2,1,{kind},0.5\n" for n, kind in enumerate((1, 3, 8, 99, -1), 1))
    found, _ = import_rows(tmp_path, rows, "--fps", "10", "--label", "pedestrian")
    assert [(record["label"], record["class_id"]) for record in found[:5]] == [
        ("pedestrian", 1), ("car", 3), ("distractor", 8), ("class 99", 99), ("pedestrian", 0)]


def test_seqinfo_gives_rate_and_size(tmp_path: Path) -> None:
    (tmp_path / "seqinfo.ini").write_text(SEQINFO)
    found, _ = import_rows(tmp_path, "8,-1,1,1,2,2,1\n")
    assert found[0] == {"v": 1, "type": "media", "by": "import/mot", "source": "det.txt", "kind": "sequence",
                        "width": 100, "height": 80, "fps": 7.0, "frames": 3}
    assert found[1]["t"] == 1.0
    found, _ = import_rows(tmp_path, "8,-1,1,1,2,2,1\n", "--fps", "3.5", "--source", "clips/a.mp4")
    assert (found[0]["source"], found[0]["kind"], found[0]["fps"]) == ("clips/a.mp4", "video", 3.5)
    assert (found[1]["source"], found[1]["t"]) == ("clips/a.mp4", 2.0)


def test_bad_rows_are_named_by_line_and_passed_over(tmp_path: Path) -> None:
    rows = "1,-1,1,1,2,2,nan\n1,-1,1,1,2,2,0.5\n1,-1,1,1,-2,2,0.5\n1,4,1,1,2,2,0.5\n1,4,1,1,2,2,0.5\n"
    found, said = import_rows(tmp_path, rows, "--fps", "10", code=1)
    assert [record["type"] for record in found] == ["detection", "track", "error", "error", "error", "end"]
    assert [record["line"] for record in found[2:5]] == [1, 3, 5]
    assert {record["error"]["code"] for record in found[2:5]} == {"E_MOT"}
    assert said.splitlines() == [
        "vtk import: det.txt, line 1: column 7 is nan, a number is needed [E_MOT]",
        "vtk import: det.txt, line 3: size is -2 x 2, it cannot be negative [E_MOT]",
        "vtk import: det.txt, line 5: frame 1 has id 4 already [E_MOT]"]
    assert (found[5]["status"], found[5]["records"]) == ("partial", 2)


def test_a_bad_file_does_not_stop_the_rest(tmp_path: Path) -> None:
    (tmp_path / "good.txt").write_text("1,-1,1,1,2,2,0.5\n")
    (tmp_path / "picture.png").write_bytes(b"\x89PNG\r\n\x1a\n\0\0")
    (tmp_path / "empty.txt").write_text("")
    found = run_vtk("import", "mot", "gone.txt", "picture.png", "empty.txt", "good.txt", "--fps", "5", cwd=tmp_path)
    assert found.returncode == 1
    ends = [record for record in records_of(found.stdout) if record["type"] == "end"]
    assert [(end["source"], end["status"], end["records"]) for end in ends] == [
        ("gone.txt", "failed", 0), ("picture.png", "failed", 0), ("empty.txt", "ok", 0), ("good.txt", "ok", 1)]
    said = found.stderr.decode().splitlines()
    assert len(said) == 2
    assert "gone.txt: No such file" in said[0]
    assert "picture.png is no MOT file" in said[1]
    assert run_vtk("import", "mot", "gone.txt", cwd=tmp_path).returncode == 3, "that is why, not a missing --fps"


def test_rows_come_on_stdin(tmp_path: Path) -> None:
    found = run_vtk("import", "mot", "-", "--fps", "5", "--source", "a.mp4", stdin=b"1 -1 1 1 2 2 0.5\n", cwd=tmp_path)
    assert found.returncode == 0, found.stderr
    assert records_of(found.stdout)[0]["source"] == "a.mp4"


def test_a_closed_pipe_is_quiet(tmp_path: Path) -> None:
    (tmp_path / "rows.txt").write_text("".join(f"{frame},-1,1,1,2,2,0.5\n" for frame in range(1, 20001)))
    process = subprocess.Popen([sys.executable, "-m", "vtk", "import", "mot", "rows.txt", "--fps", "5"], cwd=tmp_path,
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert process.stdout is not None and process.stderr is not None
    process.stdout.readline()
    process.stdout.close()
    assert process.wait(timeout=60) == 141
    assert process.stderr.read() == b""


def test_output_appears_whole_or_not(tmp_path: Path) -> None:
    (tmp_path / "rows.txt").write_text("1,-1,1,1,2,2,0.5\n")
    call = ("import", "mot", "rows.txt", "--fps", "5")
    assert run_vtk(*call, "-o", "out.jsonl", cwd=tmp_path).stdout == b""
    assert (tmp_path / "out.jsonl").read_bytes() == run_vtk(*call, cwd=tmp_path).stdout
    again = run_vtk(*call, "-o", "out.jsonl", cwd=tmp_path)
    assert again.returncode == 2
    assert b"--overwrite" in again.stderr


@pytest.mark.parametrize(("arguments", "said"), [
    (("rows.txt",), b"seqinfo.ini"),
    (("rows.txt", "--fps", "0"), b"above 0"),
    (("rows.txt", "--fps", "nan"), b"above 0"),
    (("rows.txt", "--fps", "5", "--scores", "rank"), b"quantile, logistic, clip"),
    (("rows.txt", "other.txt", "--fps", "5", "--source", "a.mp4"), b"one by one"),
    (("-", "--fps", "5"), b"--source"),
    (("", "--fps", "5"), b"empty"),
])
def test_usage_errors_are_one_line_and_exit_2(tmp_path: Path, arguments: tuple[str, ...], said: bytes) -> None:
    (tmp_path / "rows.txt").write_text("1,-1,1,1,2,2,0.5\n")
    found = run_vtk("import", "mot", *arguments, cwd=tmp_path)
    assert (found.returncode, found.stdout, found.stderr.count(b"\n")) == (2, b"", 1), found.stderr
    assert said in found.stderr


def test_it_cannot_stand_in_the_text_of_a_pipe(tmp_path: Path) -> None:
    (tmp_path / "rows.txt").write_text("1,-1,1,1,2,2,0.5\n")
    found = run_vtk("pipe", "import mot rows.txt --fps 5 | track", "a.mp4", cwd=tmp_path)
    assert (found.returncode, found.stdout) == (2, b"")
    assert b"vtk import mot" in found.stderr


def test_an_empty_file_through_the_tracker_is_no_media(tmp_path: Path) -> None:
    (tmp_path / "seqinfo.ini").write_text(SEQINFO)
    (tmp_path / "det.txt").write_text("")
    upstream = run_vtk("import", "mot", "det.txt", cwd=tmp_path)
    found = run_vtk("track", "--tracker", "sort", stdin=upstream.stdout, cwd=tmp_path)
    assert found.returncode == 0, found.stderr
    assert [record["type"] for record in records_of(found.stdout)] == ["media", "end", "end"]


def test_real_detections_are_tracked(shared: Path) -> None:
    path = shared / "data" / "track" / "KITTI-17" / "det" / "det.txt"
    upstream = run_vtk("import", "mot", path)
    assert upstream.returncode == 0, upstream.stderr
    found = records_of(upstream.stdout)
    media, detections = found[0], [record for record in found if record["type"] == "detection"]
    assert (media["width"], media["height"], media["fps"], media["frames"]) == (1224, 370, 10.0, 145)
    assert len(detections) == 552
    assert min(record["raw_score"] for record in detections) == -0.76509
    # In the last frame all 552 are known, and 4 more that are half below.
    raw = [record["raw_score"] for record in detections]
    last = [record for record in detections if record["frame"] == 144]
    assert len(last) > 1
    for record in last:
        below, equal = (sum(map(compare, raw)) for compare in (record["raw_score"].__gt__, record["raw_score"].__eq__))
        assert record["score"] == pytest.approx((below + equal / 2 + 2) / 556, abs=5.1e-5), "four decimals"
    tracks = records_of(run_vtk("track", "--tracker", "sort", stdin=upstream.stdout).stdout)
    boxes = [record["xyxy"] for record in tracks if record["type"] == "track"]
    assert len(boxes) > 300
    assert all(0 <= x1 < x2 <= 1224 and 0 <= y1 < y2 <= 370 for x1, y1, x2, y2 in boxes), "cut to the stated size"
