"""A library of 300 entries in seven groups, and the space it is of."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from vtk.library import Entry, Library, Space

SPACE = Space("model", "a" * 64, 16)


def vectors(count: int, seed: int = 0, dim: int = 16) -> np.ndarray:
    """Return (count, dim) float32 random vectors of several lengths."""
    return np.random.default_rng(seed).standard_normal((count, dim)).astype(np.float32)


def entries(first: int, last: int) -> list[Entry]:
    """Return entries whose vectors depend on their number alone."""
    return [Entry(f"e{number}", vectors(1, number)[0], f"g{number % 7}", source=f"{number % 3}.mp4", t=number / 10,
                  extra={"number": number}) for number in range(first, last)]


@pytest.fixture
def uri(tmp_path: Path) -> str:
    """Return where a library may be made."""
    return str(tmp_path / "things.lance")


@pytest.fixture
def library(uri: str) -> Library:
    """Return a library of 300 entries."""
    made = Library.open(uri, SPACE)
    made.add(entries(0, 300))
    return made
