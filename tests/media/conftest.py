"""The folder in which this session's clips are made."""

from __future__ import annotations

from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of this session's clips."""
    return tmp_path_factory.mktemp("clips")
