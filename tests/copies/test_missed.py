"""Short copies are counted that are found by a frame a second and by key frames."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from copy_films import shot, shots, write

from vtk.copies import missed
from vtk.copies.matches import Match
from vtk.media.image import write_image
from vtk.records import make


def test_a_line_for_each_length(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    copied = [str(write(tmp_path / f"copied-{n}.mp4", shots(range(10 * n, 10 * n + 5)))) for n in range(2)]
    strange = [str(write(tmp_path / f"strange-{n}.mp4", shots(range(500 + 10 * n, 506 + 10 * n)))) for n in range(3)]
    pictures = tmp_path / "pictures"
    pictures.mkdir()
    for number, seed in enumerate((1, 0, 1, 0, 2, 0, 3)):  # of those that are taken, the first two are one
        write_image(pictures / f"{number}.png", shot(seed, 0.0, 0.1)[0])
    assert missed.main([str(tmp_path / "films"), "--copied", *copied, "--strange", *strange, "--lengths", "6",
                        "--copies", "3", "--lines", "72", "--descriptor", "dct", "--pictures",
                        str(pictures)]) == 0  # fmt: skip
    (same, row) = map(json.loads, capsys.readouterr().out.splitlines())
    assert same["pictures"] == 4 and same["reach_0.8"] == 0.5
    assert row["copies"] == 3 and 3 * 6 + 4 * 15 < row["seconds"] < 3 * 6 + 4 * 26
    assert row["by_key_frames"] <= row["by_second"] == 3 and row["false_by_second"] == row["false_by_key_frames"] == 0
    assert row["decoded_share"] < 1
    assert missed.main([str(tmp_path / "films"), "--copied", copied[0], "--strange", *strange]) == 2
    assert "expected two and one at least" in capsys.readouterr().err


def test_what_counts_as_found() -> None:
    truth = [make("copy", "test", "query", ref="film.mp4", start=10.0, end=16.0, ref_start=30.0, ref_end=36.0)]
    right = Match("folder/film.mp4", 11.0, 16.0, 31.0, 36.0, 0.8, 1.0)
    assert missed.counted([right], truth) == 1 and missed.counted([], truth) == 0
    for ref, start, end, ref_start in (("other.mp4", 10, 16, 30), ("film.mp4", 10, 12, 30), ("film.mp4", 10, 16, 34)):
        match = Match(ref, start, end, ref_start, ref_start + end - start, 0.8, 1.0)
        assert missed.counted([match], truth) == 0, match
