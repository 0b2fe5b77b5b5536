"""``vtk track`` as a process."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest


def lines(result):
    return [json.loads(line) for line in result.stdout.splitlines()]


def walk(count=12, source="a.mp4"):
    """Return detection lines of one walker and the end of their source."""
    out = [{"v": 1, "type": "detection", "by": "detect/x", "source": source, "frame": index, "t": index / 10,
            "xyxy": [10.0 + 5 * index, 20.0, 50.0 + 5 * index, 120.0], "score": 0.9, "label": "person", "class_id": 0}
           for index in range(count)]
    return b"".join(json.dumps(record, separators=(",", ":")).encode() + b"\n" for record in out)


def test_records_need_no_pixels_and_no_model(vtk):
    result = vtk("track", "--only", stdin=walk(), VTK_HOME="/nonexistent", VTK_MIRROR="", VTK_OFFLINE="1")
    records = lines(result)
    assert result.returncode == 0, result.stderr
    assert [record["type"] for record in records] == ["track"] * 12 + ["tracklet", "end"]
    assert {record["track_id"] for record in records[:-1]} == {1} and records[0]["by"] == "track/x+vtk"
    assert records[-2]["start"] == 0.0 and records[-2]["observations"] == 12


def test_upstream_lines_pass_unchanged(vtk):
    result = vtk("track", "--tracker", "sort", stdin=walk(3))
    assert [line + b"\n" for line in result.stdout.splitlines() if b'"detection"' in line] == walk(3).splitlines(True)


def test_ids_restart_at_each_source(vtk):
    result = vtk("track", "--only", "--tracklets-only", stdin=walk() + walk(source="b.mp4"))
    assert [(record["source"], record["track_id"]) for record in lines(result) if record["type"] == "tracklet"] == [
        ("a.mp4", 1), ("b.mp4", 1)]


@pytest.mark.parametrize(("args", "words"), [
    (("--tracker", "deepsort"), b"no tracker 'deepsort': there are vtk, bytetrack, botsort, ocsort, sort"),
    (("--detector", "yolo11"), b"did you mean 'yolo11n'"),
    (("--max-lost", "-1"), b"--max-lost -1"),
    (("--min-score", "2"), b"--min-score 2"),
])
def test_usage_errors_are_one_line(vtk, args, words):
    result = vtk("track", *args, stdin=walk(1))
    assert result.returncode == 2 and words in result.stderr
    assert result.stdout == b"" and len(result.stderr.strip().splitlines()) == 1


def test_a_record_that_cannot_be_tracked_is_named(vtk):
    bad = walk(2) + walk(3).splitlines(True)[2].replace(b'"xyxy":[20.0,20.0,60.0,120.0]', b'"xyxy":[60.0,20.0,20.0,120.0]')
    result = vtk("track", "--only", stdin=bad + walk(source="b.mp4"))
    assert result.returncode == 1 and b"x1 <= x2" in result.stderr
    records = lines(result)
    assert [record["source"] for record in records if record["type"] == "tracklet"] == ["a.mp4", "b.mp4"]
    assert next(record for record in records if record["type"] == "error")["error"]["code"] == "E_RECORD"


def test_missing_weights_name_the_source_and_the_way_out(vtk, tmp_path, shared):
    clip = shared / "data" / "track" / "vtest.avi"
    result = vtk("track", clip, "--limit", "2", VTK_HOME=str(tmp_path), VTK_MIRROR="", VTK_OFFLINE="1")
    assert result.returncode == 2 and b"yolo11n.pt" in result.stderr and b"vtk models pull" in result.stderr


def test_tracks_people_in_real_video(vtk, shared, tmp_path):
    """PETS09-S2L1: people stay found and keep their ids; the pipe through records gives the same lines."""
    clip = shared / "data" / "track" / "vtest.avi"
    options = ("--classes", "person", "--limit", "100")
    inside = vtk("track", clip, "--detector", "yolox-nano", *options)
    assert inside.returncode == 0, inside.stderr
    found = vtk("detect", clip, "--model", "yolox-nano", "--min-score", "0.1", *options)
    piped = vtk("track", "--only", stdin=found.stdout)

    def mine(result):
        return [line for line in result.stdout.splitlines() if b'"type":"track' in line]

    assert mine(inside) == mine(piped)
    records = lines(inside)
    tracklets = [record for record in records if record["type"] == "tracklet"]
    # Eight people walk there in the first ten seconds; yolox-nano sees a few of them late or in pieces.
    assert 8 <= len(tracklets) <= 16
    assert sum(record["observations"] for record in tracklets) == sum(record["type"] == "track" for record in records) > 400
    assert max(record["observations"] for record in tracklets) > 80


def test_loads_no_torch(vtk, shared):
    """A detector that is a ready file runs on the CPU without torch, in the same process as the driver."""
    code = ("import sys, vtk.cli\n"
            "try:\n    vtk.cli.main()\nexcept SystemExit as error:\n    assert not error.code, error.code\n"
            "sys.stderr.write(' '.join(name for name in ('torch', 'ultralytics', 'timm') if name in sys.modules))")
    import subprocess

    result = subprocess.run([sys.executable, "-c", code, "track", str(shared / "data" / "track" / "vtest.avi"),
                             "--detector", "yolox-nano", "--limit", "3", "--device", "cpu", "-q"], capture_output=True,
                            check=False, cwd=Path(__file__).parent)
    assert result.returncode == 0 and result.stderr == b"" and b'"end"' in result.stdout
