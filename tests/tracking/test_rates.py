"""The runner that says what time-aware motion is worth takes the frames it says, and differs in motion alone."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from mot_scenes import write

from vtk.tracking import rates


@pytest.fixture
def files(tmp_path: Path) -> list[str]:
    """Return ground truth and detections of walkers that leave their own width behind in three frames."""
    rows = [[frame + 1, one + 1, 20 + 14 * frame, 20 + 150 * one, 40, 90, 1, -1, -1, -1]
            for frame in range(60) for one in range(3)]
    truth = np.array(rows, float)
    found = truth.copy()
    found[:, 1] = -1
    found[:, 2:6] += np.random.default_rng(0).normal(0, 1, (len(found), 4))
    found[:, 6] = 0.9
    return [str(write(tmp_path / "walk" / "gt" / "gt.txt", truth)),
            str(write(tmp_path / "walk" / "det" / "det.txt", found))]


def test_rows(files: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert rates.main([*files, "--fps", "10", "--seeds", "2", "--trackers", "vtk,bytetrack"]) == 0
    out, err = capsys.readouterr()
    rows = [json.loads(line) for line in out.splitlines()]
    assert len(rows) == 12 and len(err.splitlines()) == 13
    for row in rows:
        assert row["sequence"] == "walk"
        assert row["loss_time"] == pytest.approx(row["hota_full"] - row["hota_time"], abs=0.011)
        assert row["loss_dt_1"] == pytest.approx(row["hota_full"] - row["hota_dt_1"], abs=0.011)
        assert row["hota_full"] > 80
        if row["sampling"] == "all":
            assert (row["frames"], row["loss_time"], row["loss_dt_1"]) == (60, 0, 0)
        if row["sampling"] == "every 3":
            assert (row["frames"], row["draws"]) == (20, 3)
        if row["sampling"] == "gaps 1 to 5":
            # At a constant speed, who knows the time finds everyone again.
            assert row["loss_time"] + 10 < row["loss_dt_1"]
            assert row["draws"] == 2 and row["draws_better"] >= 1 and row["draws_worse"] == 0


def test_several_sequences_have_their_mean(files: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    other = [str(write(tmp_path / "other" / Path(file).parent.name / Path(file).name, np.loadtxt(file, delimiter=",")))
             for file in files]
    assert rates.main([*files, *other, "--fps", "10", "--seeds", "1", "--trackers", "vtk"]) == 0
    rows = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [row["sequence"] for row in rows] == ["walk"] * 6 + ["other"] * 6 + ["mean"] * 6
    assert [row["loss_dt_1"] for row in rows[12:]] == [row["loss_dt_1"] for row in rows[:6]]


@pytest.mark.parametrize(("seconds", "same"), [(1.5, True), (3.8, False)])
@pytest.mark.parametrize("even", [False, True])
def test_tracks_end_by_true_time_in_both(files: list[str], seconds: float, same: bool, even: bool) -> None:
    sequence = rates.read(*files, fps=10)
    still = replace(sequence, boxes=[sequence.boxes[0]] * 60, scores=[sequence.scores[0]] * 60)
    taken = np.r_[0:5, 4 + round(seconds * 10):10 + round(seconds * 10)]
    found = rates.track(still, "vtk", taken, even)
    assert set(found.frame.tolist()) <= set((taken + 1).tolist())
    before, after = (set(found.id[rows].tolist()) for rows in (found.frame <= 5, found.frame > 5))
    assert len(before) == len(after) == 3
    assert (before == after) == same


def test_samplings() -> None:
    ways = rates.samplings(300, [0, 1])
    assert [len(draws) for draws in ways.values()] == [1, 2, 3, 5, 2, 2]
    assert {gap for draw in ways["gaps 1 to 5"] for gap in np.diff(draw).tolist()} == {1, 2, 3, 4, 5}
    for draw in ways["bursts"]:
        runs = np.split(draw, np.flatnonzero(np.diff(draw) > 1) + 1)
        assert {len(run) for run in runs[:-1]} == {3, 4, 5, 6}
        assert {int(b[0] - a[-1]) - 1 for a, b in zip(runs, runs[1:], strict=False)} == {3, 4, 5, 6}
    assert not np.array_equal(*(draw[:60] for draw in ways["gaps 1 to 5"]))
    again = rates.samplings(300, [0, 1])
    assert all(np.array_equal(a, b) for way in ways for a, b in zip(ways[way], again[way], strict=True))


@pytest.mark.parametrize(("argv", "said"), [
    (["a", "b", "--trackers", "sort"], "got tracker sort, expected some of vtk, bytetrack, ocsort"),
    (["a"], "files come in pairs")])
def test_usage(argv: list[str], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        rates.main(argv)
    assert stopped.value.code == 2
    assert said in capsys.readouterr().err


def test_a_file_that_is_not_there_is_one_line(files: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert rates.main([files[0], "missing.txt", "--fps", "10"]) == 1
    out, err = capsys.readouterr()
    assert out == "" and err.count("\n") == 1 and "missing.txt" in err


def test_time_is_worth_something_on_real_sequences(shared: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data = shared / "data" / "track"
    files = [str(data / name / place) for name in ("KITTI-17", "TUD-Campus") for place in ("gt/gt.txt", "det/det.txt")]
    assert rates.main([*files, "--seeds", "3", "--trackers", "vtk,bytetrack"]) == 0
    rows = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    means = {row["tracker"]: row for row in rows if row["sequence"] == "mean" and row["sampling"] == "gaps 1 to 5"}
    assert set(means) == {"vtk", "bytetrack"}
    assert all(row["loss_time"] < row["loss_dt_1"] for row in means.values())
