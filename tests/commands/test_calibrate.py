"""``vtk calibrate reid``: a file that vtk reid can take, and what is wrong in one line."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from people_crops import market, save
from said import Said, runner

from vtk.errors import UsageError
from vtk.models.embedder import load_embedder, space_of
from vtk.reid.calibration import read_calibration


@pytest.fixture
def calibrate(capfd: pytest.CaptureFixture[str]) -> Callable[..., Said]:
    """Return a function that runs ``vtk calibrate reid --model colour`` in this process."""
    run = runner(capfd, "calibrate", "reid")
    return lambda *words: run("--model", "colour", *words)


def test_a_file_for_this_model(calibrate: Callable[..., Said], tmp_path: Path) -> None:
    market(tmp_path / "people", 8)
    found = calibrate(tmp_path / "people", "-o", tmp_path / "c.json", "--check", "gallery", "--seen-once", "0")
    assert (found.code, found.out, found.err) == (0, "", "")
    said = json.loads((tmp_path / "c.json").read_bytes())
    assert said["identities"] == 8 and said["tracklets"] == 16 and said["check"]["tracklets"] == 16
    assert said["thresholds"]["constrained"]["f"] == 100 and said["check"]["constrained"]["f"] == 100
    embedder = load_embedder("colour", "reid")
    assert read_calibration(tmp_path / "c.json", space_of(embedder), embedder.precision).threshold(True) > 0
    with pytest.raises(UsageError, match="overwrite"):
        calibrate(tmp_path / "people", "-o", tmp_path / "c.json")


def test_without_cameras_there_is_one_threshold(calibrate: Callable[..., Said], tmp_path: Path) -> None:
    for person in range(4):
        for number in range(3):
            save(tmp_path / "people" / f"p{person}" / f"{number}.png", person, 10 * person + number)
    found = calibrate(tmp_path / "people")
    assert found.code == 0 and "there is no threshold for where constraints bind" in found.err
    said = json.loads(found.out)
    assert said["thresholds"].keys() == {"free"} and said["tracklets"] == 12
    assert json.loads(calibrate(tmp_path / "people", "-q", "--tracklets", "6").out)["identities"] == 2


def test_what_is_wrong(calibrate: Callable[..., Said], tmp_path: Path) -> None:
    market(tmp_path / "people", 2)
    for words, said in ((["--part", "fold"], "--part fold"), (["--model", "color"], "did you mean 'colour'"),
                        (["--split", "x"], "--split x"), (["--check", "query2"], "query2")):
        with pytest.raises(UsageError, match=said):
            calibrate(tmp_path / "people", *words)
