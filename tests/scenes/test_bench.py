"""The bench of shots tells what it is asked for, or in one line why not."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from vtk.media.writer import VideoWriter
from vtk.scenes.bench import main, read_material
from vtk.scenes.films import HEIGHT, WIDTH, Join, Plan, Take


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A film with a cut before frame 40."""
    path = tmp_path_factory.mktemp("film") / "cut.mp4"
    with VideoWriter(path, WIDTH, HEIGHT, 25) as writer:
        for n, image in enumerate(Plan((Take(1, 40), Take(2, 40)), (Join("cut"),)).frames()):
            writer.write(image, n / 25)
    return path


def test_a_clip_is_scored_by_its_truth_and_timed(clip: Path, tmp_path: Path,
                                                 capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "truth.json").write_text(json.dumps({"cut.mp4": {"cuts": [40], "graduals": [[60, 70]]}}))
    main([str(clip), "--truth", str(tmp_path / "truth.json"), "--films", "0", "--turns", "1"])
    score, *_, timed = map(json.loads, capsys.readouterr().out.splitlines())
    assert score["implementation"] == "vtk" and score["set"] == ["cut.mp4"]
    assert score["cuts"] == {"recall": 100.0, "precision": 100.0, "F": 100.0, "there": 1}
    assert score["graduals"]["F"] == 0.0
    assert timed["clip"] == "cut.mp4" and timed["frames"] == 80 and timed["ratio"] > 0


def test_films_are_made_of_seeds(capsys: pytest.CaptureFixture[str]) -> None:
    main(["--films", "1", "--seed", "3200"])
    row = json.loads(capsys.readouterr().out.splitlines()[0])
    assert (row["set"], row["films"], row["seed"], row["material"]) == ("films", 1, 3200, 0)
    assert row["changes"]["there"] == 9 and row["cuts"]["F"] >= 80


def test_material_is_a_clip_or_a_part_of_one(clip: Path) -> None:
    assert read_material(str(clip)).shape == (80, HEIGHT, WIDTH, 3)
    part = read_material(f"{clip}:10:15")
    assert part.shape == (5, HEIGHT, WIDTH, 3) and part.dtype == np.uint8


@pytest.mark.parametrize(("text", "message"), [("{}", "has no 'cut.mp4'"), ("[", "a JSON object of clips"),
                                               ('{"cut.mp4": {}}', "has no 'cuts'"), ("[1]", "a JSON object of clips")])
def test_a_truth_file_that_says_nothing_of_a_clip_is_named(text: str, message: str, clip: Path, tmp_path: Path) -> None:
    (tmp_path / "truth.json").write_text(text)
    with pytest.raises(SystemExit, match=message):
        main([str(clip), "--truth", str(tmp_path / "truth.json"), "--films", "0"])
