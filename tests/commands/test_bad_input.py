"""Records that cannot be used: one clear line each, the right exit code, and nothing else lost."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from conftest import run_vtk


def detection(source: object, frame: object, **keys: object) -> bytes:
    """Return a detection record's line; a key of None is left out."""
    record = {"v": 1, "type": "detection", "by": "test", "source": source, "frame": frame, "t": 0.0,
              "xyxy": [10.0, 10.0, 40.0, 60.0], "score": 0.9, "label": "person", "class_id": 0, **keys}
    return json.dumps({key: value for key, value in record.items() if value is not None}).encode() + b"\n"


@pytest.mark.parametrize(("bad", "code", "message"), [
    (b"not json\n", "E_JSON", "not JSON"),
    (b"17\n", "E_RECORD", "not an object"),
    (detection("a.mp4", "three"), "E_RECORD", "'frame' is 'three'"),
    (detection(None, 5), "E_RECORD", "no 'source'"),
    (detection("a.mp4", 1), "E_ORDER", "frame 1 comes after frame 5; vtk sort"),
    (detection("a.mp4", 5, xyxy=None), "E_RECORD", "no 'xyxy'"),
    (detection("a.mp4", 5, xyxy=[1, 2, 3]), "E_RECORD", "'xyxy' is [1, 2, 3]"),
    (detection("a.mp4", 5, score=1.5), "E_RECORD", "'score' is 1.5"),
    (detection("a.mp4", 5, score="high"), "E_RECORD", "'score' is 'high'"),
])
def test_a_bad_record_costs_itself_alone(bad: bytes, code: str, message: str) -> None:
    good = [detection("a.mp4", frame, pts=None) for frame in (4, 5, 6)]
    found = run_vtk("track", stdin=good[0] + good[1] + bad + good[2])
    assert found.returncode == 1
    records = [json.loads(line) for line in found.stdout.splitlines()]
    [error] = [record for record in records if record["type"] == "error"]
    assert (error["line"], error["error"]["code"]) == (3, code)
    assert message in error["error"]["message"]
    assert [record["frame"] for record in records if record["type"] == "track"] == [4, 5, 6]
    assert [line for line in found.stdout.splitlines(True) if line in good] == good
    assert found.stderr.count(b"\n") == 1
    assert message in found.stderr.decode()


def test_frames_beyond_the_end_are_said_and_the_rest_is_drawn(clip: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.mp4"
    records = detection(str(clip), 3) + detection(str(clip), 9000) + detection(str(clip), 9001)
    found = run_vtk("draw", "-o", out, "--tee", stdin=records)
    assert found.returncode == 1
    assert b"records of 2 frames are beyond the end, the first of frame 9000: the source has 24 frames" in found.stderr
    assert b"E_FRAME" in found.stdout
    assert all(line in found.stdout for line in records.splitlines())
    assert b'"frames":24' in run_vtk("probe", out).stdout


def test_sort_mends_what_order_refuses(clip: Path) -> None:
    mixed = [detection("b.mp4", 2), detection("a.mp4", 1), detection("b.mp4", 0), detection("a.mp4", 0)]
    refused = run_vtk("track", stdin=b"".join(mixed))
    assert refused.returncode == 1
    assert refused.stdout.count(b"E_ORDER") == 2
    tracked = run_vtk("track", stdin=run_vtk("sort", stdin=b"".join(mixed)).stdout)
    assert tracked.returncode == 0
    assert tracked.stdout.count(b'"type":"track"') == 4


def test_sort_spills_to_disk_and_keeps_every_line(tmp_path: Path) -> None:
    from vtk.sorting import Sorter

    lines = [detection(f"{number % 3}.mp4", (number * 7919) % 500, pts=number).strip() for number in range(2000)]
    small, large = Sorter(run=150), Sorter()
    for line in lines:
        small.add(line)
        large.add(line)
    merged = list(small.sorted())
    small.close()
    assert merged == list(large.sorted())
    assert sorted(merged) == sorted(lines)
    keys = [(record["source"], record["frame"], record["pts"]) for record in map(json.loads, merged)]
    assert keys == sorted(keys, key=lambda key: (["0.mp4", "1.mp4", "2.mp4"].index(key[0]), key[1], key[2]))


def test_a_file_of_records_named_as_media_is_explained(detections: bytes, tmp_path: Path) -> None:
    path = tmp_path / "found.jsonl"
    path.write_bytes(detections)
    found = run_vtk("track", path, "--detector", "motion")
    assert found.returncode == 3
    assert b"holds records, no media: pipe it in with <" in found.stderr


def test_names_that_are_not_utf8_go_through_a_pipe(clip: Path, tmp_path: Path) -> None:
    import os

    odd = os.fsencode(tmp_path) + b"/caf\xe9 \n'.mp4"
    with open(odd, "wb") as file:
        file.write(clip.read_bytes())
    found = run_vtk("detect", os.fsdecode(odd), "--model", "motion")
    assert found.returncode == 0, found.stderr
    source = json.loads(found.stdout.splitlines()[0])["source"]
    assert source.startswith("file:") and source.endswith("caf%E9%20%0A%27.mp4")
    drawn = run_vtk("draw", "-o", tmp_path / "out.mp4", stdin=found.stdout)
    assert drawn.returncode == 0, drawn.stderr
    assert (tmp_path / "out.mp4").stat().st_size > 1000
