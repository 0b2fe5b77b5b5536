"""Stages of one pass see one picture of each frame: shared, never copied, and decoded once."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from clips import make_clip

from vtk.driver.run import run
from vtk.driver.stage import Frame, Record, Source, Stage
from vtk.media import video
from vtk.media.sampling import Sampling, Size


class Keeper(Stage):
    """Keeps the pictures that it is given, so that none can take another's place in memory."""

    def __init__(self, name: str, size: Size) -> None:
        self.name, self._size = name, size
        self.images: list[np.ndarray] = []

    def sampling(self, source: Source) -> Sampling:
        return Sampling(size=self._size)

    def frames(self, state: Any, batch: Sequence[Frame]) -> list[list[Record]]:
        self.images += [frame.image for frame in batch if frame.image is not None]
        return [[] for _ in batch]


def test_stages_share_their_frames(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[str] = []
    right = video.open_media
    monkeypatch.setattr(video, "open_media", lambda name, **given: (opened.append(name), right(name, **given))[1])
    clip = make_clip(tmp_path / "clip.mp4", frames=9)
    large = [Keeper("first", Size("native")), Keeper("second", Size("native"))]
    small = [Keeper("third", Size("long", 64)), Keeper("fourth", Size("long", 64))]
    list(run([*large, *small], sources=[str(clip)]))
    assert opened == [str(clip)]
    assert [len(stage.images) for stage in (*large, *small)] == [9] * 4
    for one, other in (large, small):
        assert all(np.shares_memory(mine, theirs) for mine, theirs in zip(one.images, other.images, strict=True))
    assert small[0].images[0].shape[1] == 64 != large[0].images[0].shape[1]
