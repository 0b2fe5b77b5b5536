"""What the tests of text share."""

from __future__ import annotations

from pathlib import Path

import pytest

from vtk.text.scenes import Still, icdar_stills


@pytest.fixture(scope="session")
def ten_pictures(shared: Path) -> list[Still]:
    """Return ten pictures of ICDAR 2015, of whose words 20 were read."""
    folder = shared / "data" / "spot-text"
    return icdar_stills(folder / "ic15_train10", folder / "ic15_train10_transcripts_by_eye.json")
