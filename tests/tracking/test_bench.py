"""The tracking benchmark times every contestant on the same crowd, and leaves out rivals that are not there."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import pytest

from vtk.records import check
from vtk.tracking import bench
from vtk.tracking.crowd import SIZE, crowd, records_of, write_lines
from vtk.tracking.rivals import RIVALS, Rival, loop_arrays, loop_lines, loop_records


def echo() -> Rival:
    """Return a rival that gives back each box as a track of its own."""
    return Rival("numpy", "import numpy", lambda: lambda table: table,
                 lambda boxes, scores, class_ids: np.column_stack([boxes, scores, class_ids]),
                 lambda found: zip(found[:, :4].tolist(), range(len(found)), found[:, 4].tolist(),
                                   found[:, 5].astype(int).tolist(), strict=True))


def test_rows(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(RIVALS, "trackers", echo())  # type: ignore[index]
    assert bench.main(["--objects", "3,8", "--frames", "40", "--trackers", "vtk,sort", "--turns", "3",
                       "--kinds", "arrays,records,lines", "--rivals", "trackers,ultralytics"]) == 0
    out, err = capsys.readouterr()
    rows = [json.loads(line) for line in out.splitlines()]
    contestants = ["vtk vtk", "vtk sort", "trackers", "ultralytics"]
    assert [(row["objects"], row["kind"], row["contestant"]) for row in rows] == [
        (walkers, kind, name) for walkers in (3, 8) for kind in ("arrays", "records", "lines") for name in contestants]
    boxes = {walkers: sum(len(seen.boxes) for seen in crowd(walkers, 40)) for walkers in (3, 8)}
    for row in rows:
        assert row["frames"] == 40 and row["turns"] == 3
        assert 0 < row["ms_range"][0] <= row["ms_a_frame"] <= row["ms_range"][1]
        assert {"version", "device", "date", "cpu_ms_a_frame", "cpu_times_ours"} <= set(row)
        ours = {other["contestant"]: other["ms_a_frame"] for other in rows
                if (other["objects"], other["kind"]) == (row["objects"], row["kind"])}
        for name in ("vtk", "sort"):
            assert row["times_ours"][name] == pytest.approx(row["ms_a_frame"] / ours[f"vtk {name}"], rel=0.02, abs=0.02)
        if row["contestant"] == "trackers":
            assert row["made"] == boxes[row["objects"]]
        else:
            least = boxes[row["objects"]] * (1.6 if row["contestant"] == "vtk vtk" and row["kind"] == "lines" else 0.5)
            assert row["made"] > least
    assert len(err.splitlines()) == len(rows)


def test_startup(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.setitem(RIVALS, "trackers", echo())  # type: ignore[index]
    assert bench.main(["--kinds", "startup", "--turns", "1", "--rivals", "trackers", "--packages", "no such"]) == 0
    rows = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [row["contestant"] for row in rows] == ["vtk track", "vtk track, 5 frames", "trackers"]
    assert all(0 < row["seconds"] < 60 for row in rows)
    assert not any("ms_a_frame" in row for row in rows)


def test_rivals_that_are_not_there_are_left_out(capsys: pytest.CaptureFixture[str],
                                                monkeypatch: pytest.MonkeyPatch) -> None:
    def missing() -> None:
        raise ImportError("No module named 'boxmot'")

    rival = echo()
    monkeypatch.setitem(RIVALS, "boxmot", Rival("boxmot", rival.imports, missing, rival.prepared, rival.rows))  # type: ignore[index]
    assert bench.main(["--objects", "2", "--frames", "5", "--kinds", "arrays", "--rivals", "boxmot", "--quick"]) == 0
    out, err = capsys.readouterr()
    assert [json.loads(line)["contestant"] for line in out.splitlines()] == ["vtk vtk"]
    assert err.startswith("boxmot left out: No module named 'boxmot'; --help says how to install it\n")


def test_a_slow_rival_gets_fewer_frames() -> None:
    calls: list[int] = []

    def run(count: int) -> int:
        calls.append(count)
        sum(range(count * 200_000))  # a tenth of a second for the fewest: ten times what may be spent
        return count

    few = bench._affordable(run, 100_000, 0.01)
    assert few == 50 and set(calls) == {50}
    assert bench._affordable(run, 60, 1000) == 60


def test_the_loops_take_the_frames_that_they_are_told(tmp_path: Path) -> None:
    frames = crowd(5, 12)
    found = [records_of(index, seen) for index, seen in enumerate(frames)]
    write_lines(tmp_path / "crowd.jsonl", found)
    rival, expected = echo(), sum(len(seen.boxes) for seen in frames[:7])
    assert loop_arrays(rival, [rival.prepared(*seen) for seen in frames], 7) == expected
    assert loop_records(rival, found, 7) == expected
    assert loop_lines(rival, tmp_path / "crowd.jsonl", 7) == expected
    assert loop_lines(rival, tmp_path / "crowd.jsonl", 12) == sum(map(len, found))


def test_crowd(tmp_path: Path) -> None:
    frames = crowd(60, 80)
    again = crowd(60, 80)
    assert all(np.array_equal(one.boxes, two.boxes) for one, two in zip(frames, again, strict=True))
    assert not np.array_equal(frames[0].boxes[:5], crowd(60, 1, seed=1)[0].boxes[:5])
    seen = np.mean([len(one.boxes) for one in frames]) / 60
    assert 0.95 < seen < 1.02  # 95 % of the walkers, and 3 % clutter
    for one in frames:
        assert (one.boxes[:, 2:] > one.boxes[:, :2]).all()
        assert ((one.scores >= 0) & (one.scores <= 1)).all()
        centres = (one.boxes[:, :2] + one.boxes[:, 2:]) / 2
        assert ((centres > -200) & (centres < np.array(SIZE) + 200)).all()
    assert min(len(one.boxes) for one in crowd(1, 300)) == 1
    write_lines(tmp_path / "crowd.jsonl", [records_of(index, one) for index, one in enumerate(frames)])
    lines = [json.loads(line) for line in (tmp_path / "crowd.jsonl").read_bytes().splitlines()]
    for record in lines:
        check(record)
    assert [lines[0]["type"], lines[-1]["type"]] == ["media", "end"]
    assert lines[-1]["records"] == len(lines) - 2 == sum(len(one.boxes) for one in frames)


@pytest.mark.parametrize(("argv", "said"), [
    (["--trackers", "bogus"], "--trackers: got 'bogus', expected some of vtk, "),
    (["--kinds", "lines,bogus"], "--kinds: got 'bogus', expected some of arrays, records, lines, startup"),
    (["--objects", "ten"], "must be above 0"), (["--turns", "0"], "must be above 0")])
def test_usage(argv: list[str], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        bench.main(argv)
    assert stopped.value.code == 2
    assert said in capsys.readouterr().err
