"""References survive what kills the command that adds them."""

from __future__ import annotations

from pathlib import Path

from vtk.copies.kills import run


def test_nothing_that_was_acknowledged_is_lost(tmp_path: Path) -> None:
    found = run(tmp_path / "kills", 5, seed=1, count=8)
    assert found.lost == [] and found.kills == 5
    assert len(found.last) == 8 and found.told.get("added", 0) >= 1
