"""The bench of speed drives the command's own stage, and takes turns."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest

from vtk.driver.stage import Source, Stage
from vtk.errors import MediaError
from vtk.media.sampling import Sampling
from vtk.species.speed_bench import driven, in_turns, main


def test_ways_take_turns_and_the_first_turn_is_not_counted() -> None:
    seen: list[str] = []
    times = in_turns({"a": lambda: seen.append("a"), "b": lambda: seen.append("b")}, 2)
    assert "".join(seen) == "ababab"
    assert {name: len(taken) for name, taken in times.items()} == {"a": 2, "b": 2}


def test_a_picture_that_cannot_be_read_is_no_quick_one(tmp_path: Path) -> None:
    class Nothing(Stage):
        """Adds nothing."""

        name = "nothing"

        def sampling(self, source: Source) -> Sampling:
            """Return that all frames are wanted."""
            return Sampling()

    cv2.imwrite(str(tmp_path / "a.png"), np.zeros((8, 8, 3), np.uint8))
    assert driven(Nothing(), [str(tmp_path / "a.png")]) > 0
    (tmp_path / "b.png").write_bytes(b"no picture")
    with pytest.raises(MediaError):
        driven(Nothing(), [str(tmp_path / "b.png")])


@pytest.mark.shared
def test_both_rates_are_told(shared: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main([str(shared / "data/classify-species/speciesnet"), "--every", "4", "--turns", "1"])
    row = json.loads(capsys.readouterr().out)
    assert row["pictures"] == 2 and row["turns"] == 1
    assert row["command_per_s"] > 0 and row["networks_per_s"] > 0 and 0 < row["ratio"] and 0 < row["cpu_ratio"]
