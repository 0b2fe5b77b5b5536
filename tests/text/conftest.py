"""What the tests of text share."""

from __future__ import annotations

from pathlib import Path

import pytest

from vtk.models.runtime import RuntimeOptions
from vtk.models.spotter import Spotter
from vtk.models.spotters import SpotterOptions, load_spotter
from vtk.text.scenes import Still, icdar_stills


@pytest.fixture(scope="session")
def ten_pictures(shared: Path) -> list[Still]:
    """Return ten pictures of ICDAR 2015, of whose words 20 were read."""
    folder = shared / "data" / "spot-text"
    return icdar_stills(folder / "ic15_train10", folder / "ic15_train10_transcripts_by_eye.json")


@pytest.fixture(scope="session")
def spotter() -> Spotter:
    """Return the default spotter, small and in figures that agree across machines."""
    return load_spotter("ppocr", SpotterOptions(long_side=320, runtime=RuntimeOptions(precision="fp32")))
