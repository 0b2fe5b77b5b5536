"""Small clips, records and records of tracks, shared by the tests of commands."""

from __future__ import annotations

from pathlib import Path

import pytest
from clips import make_clip

from conftest import run_vtk


@pytest.fixture(scope="session")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a clip of a square that moves over a still background: 24 frames at 12 fps."""
    return make_clip(tmp_path_factory.mktemp("clip") / "square.mp4")


@pytest.fixture(scope="session")
def detections(clip: Path) -> bytes:
    """Return what ``vtk detect --model motion`` says of the clip."""
    found = run_vtk("detect", clip, "--model", "motion")
    assert found.returncode == 0, found.stderr.decode()
    assert found.stdout.count(b'"type":"detection"') >= 10
    return found.stdout
