"""What the comparison of videos lets pass, and what it doesn't."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from encoded import assert_same_video

from vtk.media.writer import VideoWriter


def video(path: Path, *, crf: int = 18, paint: tuple[slice, slice] | None = None, fps: int = 10) -> Path:
    """Write ten frames with a gradient; in the fifth, ``paint`` is white."""
    with VideoWriter(path, 176, 120, fps, crf=crf) as writer:
        for index in range(10):
            image = np.broadcast_to(np.arange(176)[None, :, None] // 2 + 9 * index, (120, 176, 3)).astype(np.uint8)
            if paint is not None and index == 4:
                image[paint] = 255
            writer.write(image, index / fps)
    return path


def test_an_encoder_may_differ_a_little_and_painting_may_not(tmp_path: Path) -> None:
    one = video(tmp_path / "one.mp4")
    other = video(tmp_path / "other.mp4", crf=19)
    assert one.read_bytes() != other.read_bytes()
    assert_same_video(one, other)
    for name, place in (("inside", (slice(40, 50), slice(80, 86))), ("edge", (slice(112, 120), slice(170, 176)))):
        with pytest.raises(AssertionError, match=r"differ at 0\.4"):
            assert_same_video(one, video(tmp_path / f"{name}.mp4", paint=place))
    with pytest.raises(AssertionError):
        assert_same_video(one, video(tmp_path / "slow.mp4", fps=5))
