"""The benches' arithmetic, on networks whose answers are known."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from vtk.liveness import bench
from vtk.liveness.wear import WEAR, worn
from vtk.media.image import write_image
from vtk.models.liveness import Face


class Widths:
    """Says live of faces of 100 pixels and more, unsure from 50 on, else spoof; remembers the boxes."""

    name, sha256, batch, precision = "widths", "0", 8, "fp32"

    def __init__(self) -> None:
        self.widths: list[float] = []

    def scores(self, faces: Sequence[Face]) -> np.ndarray:
        """Return a score a face by the width of its box."""
        width = [face.xyxy[2] - face.xyxy[0] for face in faces]
        self.widths += width
        return np.array([0.9 if each >= 99 else 0.5 if each >= 50 else 0.1 for each in width], np.float32)


def test_wear_is_told_of_the_faces_that_were_live() -> None:
    image = np.random.default_rng(0).integers(0, 256, (200, 300, 3), np.uint8)
    faces = [Face(image, (20, 20, 120, 140)), Face(image, (150, 20, 210, 120))]
    rows = {row["wear"]: row for row in worn(faces, Widths())}
    assert list(rows) == list(WEAR)
    assert rows["as it is"]["of_live"] == {"live": 100.0, "unsure": 0.0, "spoof": 0.0}
    assert rows["as it is"]["live_before"] == 1 and rows["as it is"]["faces"] == 2
    assert rows["60 pixels"]["of_live"]["unsure"] == 100.0
    assert rows["20 pixels"]["of_live"]["spoof"] == 100.0 and rows["20 pixels"]["gated"] == 100.0
    assert rows["JPEG 10"]["of_live"]["live"] == 100.0


def test_a_box_shrinks_with_its_picture() -> None:
    network = Widths()
    list(worn([Face(np.zeros((200, 300, 3), np.uint8), (20, 20, 120, 140))], network))
    smallest = min(network.widths)
    assert smallest == pytest.approx(20, abs=0.1) and max(network.widths) == 100


def test_rates_are_faces_by_time_without_the_first_turn(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = iter(range(10_000))
    monkeypatch.setattr(bench.time, "perf_counter", lambda: next(clock))  # a second a look
    monkeypatch.setattr(bench, "_processor_time", lambda: 0.0)
    counts = {"command": 12, "start": 2, "networks": 10, "liveness": 10}
    monkeypatch.setattr(bench, "_contestants", lambda names, batch: {
        name: lambda count=count: count for name, count in counts.items()})
    rows = list(bench.rate(["clip.mp4"], turns=2))
    assert [(row["batch"], row["of"]) for row in rows] == [
        (batch, name) for batch in (1, 32) for name in ("command", "running", "networks", "liveness")]
    assert [row["faces"] for row in rows[:4]] == [12, 10, 10, 10]
    assert rows[0]["seconds"] == 1 and rows[0]["faces_per_second"] == 12.0


def test_a_folder_is_its_files_and_rows_are_lines(tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
                                                  capsys: pytest.CaptureFixture[str]) -> None:
    write_image(tmp_path / "b.png", np.zeros((8, 8, 3), np.uint8))
    write_image(tmp_path / "a.png", np.zeros((8, 8, 3), np.uint8))
    monkeypatch.setattr(bench, "wear", lambda names: iter([{"bench": "wear", "wear": name} for name in names]))
    assert bench.main(["wear", str(tmp_path)]) == 0
    told = capsys.readouterr()
    assert [Path(json.loads(line)["wear"]).name for line in told.out.splitlines()] == ["a.png", "b.png"]
    assert "wear" in told.err
