"""The benchmark of speed: films that are made, rows that are mixed, phases that are told apart."""

from __future__ import annotations

import json
import time
from pathlib import Path

import cv2
import numpy as np
import pytest
from clips import make_clip

from vtk.copies import speed
from vtk.media.image import write_image


def clip(path: Path, seed: int, frames: int = 48) -> Path:
    """Write a clip of four seconds that looks like no other: its square moves over other ground."""
    from vtk.media.writer import VideoWriter

    blots = np.random.default_rng(seed).normal(size=(9, 16, 3)).astype(np.float32)
    land = np.clip(128 + 60 * cv2.resize(blots, (384, 216), interpolation=cv2.INTER_CUBIC), 0, 255).astype(np.uint8)
    with VideoWriter(path, 192, 108, 12.0) as writer:
        for number in range(frames):
            writer.write(np.ascontiguousarray(land[50:158, number : number + 192]), number / 12)
    return path


def test_phases_within_phases_are_told_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = [0.0]
    monkeypatch.setattr(time, "perf_counter", lambda: clock[-1])
    monkeypatch.setattr(time, "process_time", lambda: clock[-1] / 2)
    phases = speed.Phases()
    with phases.of("decode"):
        clock.append(2.0)
        phases.timed("describe", clock.append)(5.0)
        clock.append(6.0)
        with phases.of("refine"):
            phases.timed("describe", clock.append)(16.0)
        clock.append(17.0)
    assert phases.wall == {"decode": 4.0, "describe": 3.0, "refine": 10.0, "search": 0.0, "align": 0.0}
    assert phases.cpu == {name: value / 2 for name, value in phases.wall.items()}


def test_rows_that_are_mixed_are_like_their_neighbours() -> None:
    pictures = np.random.default_rng(1).normal(size=(50, 255)).astype(np.float32)
    pictures /= np.linalg.norm(pictures, axis=1, keepdims=True)
    made = speed.mixed(pictures, "dct@0123456789ab", 3)
    assert len(made) == speed.VIDEO and np.allclose(np.linalg.norm(made.vectors, axis=1), 1, atol=1e-5)
    beside = (made.vectors[1:] * made.vectors[:-1]).sum(axis=1)
    assert 0.8 < np.quantile(beside, 0.5) < 0.99
    assert not np.array_equal(made.vectors, speed.mixed(pictures, "dct@0123456789ab", 4).vectors)


def test_a_line_for_each_query_and_way(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    copied = [str(clip(tmp_path / f"copied-{seed}.mp4", seed)) for seed in range(10)]
    strange = [str(clip(tmp_path / f"strange-{seed}.mp4", 100 + seed)) for seed in range(9)]
    (tmp_path / "pictures").mkdir()
    write_image(tmp_path / "pictures" / "one.png", np.random.default_rng(0).integers(0, 255, (90, 160, 3), np.uint8))
    options = [str(tmp_path / "films"), "--copied", *copied, "--strange", *strange, "--descriptor", "dct", "--lines",
               "90", "--seconds", "36", "--turns", "1", "--ways", "uniform:1,fast", "--hours", "0.5", "--pictures",
               str(tmp_path / "pictures")]  # fmt: skip
    assert speed.main(options) == 0
    rows = {(row["way"], row["copied"]): row for row in map(json.loads, capsys.readouterr().out.splitlines())}
    assert set(rows) == {(way, share) for way in ("uniform:1", "fast") for share in (0.0, 0.1, 1.0)}
    for (way, share), row in rows.items():
        assert set(row["wall"]) == set(row["cpu"]) == set(speed.PHASES)
        assert row["realtime"] == pytest.approx(row["seconds"] / sum(row["wall"].values()), rel=0.05)
        assert row["frames"] > 0 and row["false_references"] == 0 and row["cpu"]["search"] > 0
        assert row["true"] == {0.0: 0, 0.1: 2, 1.0: 2}[share]
        assert way == "fast" or (row["wall"]["refine"] > 0) == (row["found"] > 0)
        if share == 0:
            assert row["found"] == 0 and row["f"] is None
        if share == 1:
            assert row["f"] > 0.9, row
    made = {path.name: path.stat().st_mtime_ns for path in (tmp_path / "films").iterdir()}
    assert speed.main([*options, "--no-refine"]) == 0  # with what was made
    assert {path.name: path.stat().st_mtime_ns for path in (tmp_path / "films").iterdir()} == made
    assert all(json.loads(line)["wall"]["refine"] == 0 for line in capsys.readouterr().out.splitlines())


def test_what_cannot_be_used_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    one = str(make_clip(tmp_path / "one.mp4", frames=40))
    assert speed.main([str(tmp_path / "films"), "--copied", one, "--strange", one]) == 2
    assert "expected two and one at least" in capsys.readouterr().err
