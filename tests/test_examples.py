"""The examples run, on clips made here, with the detector that needs no weights."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from clips import make_clip

from conftest import ROOT

EXAMPLES = ROOT / "examples"


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """Return a folder with three videos and a ``vtk`` that is the one under test."""
    (tmp_path / "videos").mkdir()
    for number in range(3):
        make_clip(tmp_path / "videos" / f"clip {number}.mp4" if number == 2 else tmp_path / "videos" / f"clip{number}.mp4")
    (tmp_path / "vtk").write_text(f'#!/bin/sh\nexec "{sys.executable}" -m vtk "$@"\n')
    (tmp_path / "vtk").chmod(0o755)
    return tmp_path


def run(place: Path, *command: str) -> str:
    found = subprocess.run(command, cwd=place, capture_output=True, text=True, check=False,
                           env={**os.environ, "VTK": str(place / "vtk"), "PYTHON": sys.executable})
    assert found.returncode == 0, found.stderr
    return found.stdout


@pytest.mark.parametrize("script", sorted(path.name for path in EXAMPLES.glob("*.sh")))
def test_scripts_parse_and_stop_at_errors(script: str) -> None:
    subprocess.run(["sh", "-n", EXAMPLES / script], check=True)
    assert "set -eu" in (EXAMPLES / script).read_text()


def test_parallel_writes_a_file_a_video(place: Path) -> None:
    assert run(place, "sh", str(EXAMPLES / "parallel.sh"), "videos", "out", "2", "motion").strip() == "3"
    assert sorted(path.name for path in (place / "out" / "videos").iterdir()) == [
        "clip 2.mp4.jsonl", "clip0.mp4.jsonl", "clip1.mp4.jsonl"]


def test_a_data_set_of_frames(place: Path) -> None:
    run(place, "sh", str(EXAMPLES / "frames_dataset.sh"), "set", "motion", "videos")
    pictures = sorted((place / "set").rglob("*.jpg"))
    assert pictures
    assert {int(path.stem) % 5 for path in pictures} == {0}


def test_the_makefile_makes_a_table_and_goes_on(place: Path) -> None:
    (place / "videos" / "clip 2.mp4").unlink()  # make cannot name a file with a blank
    arguments = ("make", "-f", str(EXAMPLES / "Makefile"), "DETECTOR=motion", f"VTK={place / 'vtk'}")
    run(place, *arguments)
    rows = (place / "out" / "people.csv").read_text().splitlines()
    assert {row.split(",")[0] for row in rows} <= {"videos/clip0.mp4", "videos/clip1.mp4"}
    assert rows
    assert "Nothing to be done" in run(place, *arguments)


def test_the_demo_runs_without_weights_and_without_network(place: Path) -> None:
    out = subprocess.run(["sh", str(EXAMPLES / "demo.sh"), "demo"], cwd=place, capture_output=True, text=True, check=False,
                         env={**os.environ, "VTK": str(place / "vtk"), "PYTHON": sys.executable, "VTK_OFFLINE": "1",
                              "VTK_MIRROR": "", "VTK_HOME": str(place / "home")})
    assert out.returncode == 0, out.stderr
    assert "detector: motion" in out.stdout
    assert (place / "demo" / "annotated.mp4").stat().st_size > 100_000


def test_the_demo_tracks_its_four_people(place: Path, shared: Path) -> None:
    """With a real detector: four walk through, nobody is counted more than twice."""
    import json

    said = run(place, "sh", str(EXAMPLES / "demo.sh"), "demo")
    assert "detector: " in said and "motion" not in said
    records = [json.loads(line) for line in (place / "demo" / "tracks.jsonl").read_text().splitlines()]
    tracklets = [record for record in records if record["type"] == "tracklet"]
    assert 4 <= len(tracklets) <= 8
    assert sum(record["observations"] for record in tracklets) > 400
