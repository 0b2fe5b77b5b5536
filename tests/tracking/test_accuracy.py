"""The runner that says how well trackers track: ours as ``vtk track`` has them, others by their own code."""

from __future__ import annotations

import json

import pytest

from vtk.tracking import accuracy
from vtk.tracking.trackers import TRACKERS


def test_says_what_vtk_track_reaches(shared, capsys, vtk):
    folder = shared / "data" / "track" / "TUD-Campus"
    truth, boxes = str(folder / "gt" / "gt.txt"), str(folder / "det" / "det.txt")
    assert accuracy.main([truth, boxes, "--rivals", "ultralytics"]) == 0
    out, _ = capsys.readouterr()
    rows = {row["tracker"]: row for row in map(json.loads, out.splitlines())}
    assert [name for name in rows if name.startswith("vtk ")] == [f"vtk {name}" for name in TRACKERS]
    assert len(rows) == len(TRACKERS) + 1 and all(row["mean"] == row["TUD-Campus"] for row in rows.values())
    for name in ("vtk", "bytetrack"):
        tracks = vtk("track", "--tracker", name, "--only", stdin=vtk("import", "mot", boxes).stdout)
        told = json.loads(vtk("eval", "track", "--gt", truth, "--json", "-q", stdin=tracks.stdout).stdout)
        # Records hold two decimals of a pixel and four of a score.
        assert rows[f"vtk {name}"]["mean"] == pytest.approx(told["combined"]["HOTA"], abs=0.2)


def test_says_what_is_wrong(tmp_path, capsys):
    assert accuracy.main([str(tmp_path / "gt.txt"), str(tmp_path / "det.txt")]) == 1
    assert "gt.txt" in capsys.readouterr().err
    for arguments in (["one"], ["a", "b", "--rivals", "deepsort"]):
        with pytest.raises(SystemExit):
            accuracy.main(arguments)
