"""Footprints: which frames of a source are described, when, by what they show, and how they are weighed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import cv2
import numpy as np
import pytest
from coded import code_clip, coded

from vtk.copies.collecting import BLANK, LEAST, LOT, STILL, footprint_of
from vtk.copies.descriptors import DctDescriptor
from vtk.copies.footprint import Footprint, FramePlan
from vtk.copies.looks import Picker
from vtk.errors import MediaError, UsageError
from vtk.media.writer import VideoWriter

DCT = DctDescriptor()
ADAPTIVE = FramePlan("adaptive")


def write(path: Path, images: Sequence[np.ndarray], fps: float) -> str:
    """Write a video of ``images`` and return its name."""
    height, width = images[0].shape[:2]
    with VideoWriter(path, width, height, fps, crf=14, preset="ultrafast") as writer:
        for index, image in enumerate(images):
            writer.write(image, index / fps)
    return str(path)


def flat(level: int) -> np.ndarray:
    return np.full((64, 96, 3), level, np.uint8)


@pytest.mark.parametrize(("text", "plan"), [
    ("uniform:1", FramePlan()), ("uniform", FramePlan()), ("uniform:0.5", FramePlan(rate=0.5)), ("adaptive", ADAPTIVE),
])  # fmt: skip
def test_plans_are_read_and_written(text: str, plan: FramePlan) -> None:
    assert FramePlan.parse(text) == FramePlan.parse(str(plan)) == plan


@pytest.mark.parametrize("text", ["", "uniform:", "uniform:0", "uniform:-1", "uniform:nan", "uniform:1x", "ske"])
def test_other_plans_are_refused(text: str) -> None:
    with pytest.raises(UsageError, match="uniform:RATE"):
        FramePlan.parse(text)


def test_one_frame_a_second_of_a_long_source(tmp_path: Path) -> None:
    found = footprint_of(str(code_clip(tmp_path / "a.mp4", 1, 200, 10.0)), DCT)
    assert found.frames.tolist() == list(range(0, 200, 10))
    np.testing.assert_allclose(found.times, np.arange(20), atol=1e-4)
    assert (found.duration, found.fps, found.width, found.height) == (pytest.approx(20, abs=1e-3), 10, 96, 64)
    assert (found.space, found.plan, len(found.fingerprint or "")) == (DCT.space, "uniform:1", 16)
    # Lots are joined in order: each vector is that of its own frame.
    assert LOT < len(found)
    expected = DCT.describe([coded(1, index) for index in found.frames])
    assert (found.vectors @ expected.T).argmax(axis=1).tolist() == list(range(20))
    assert (found.vectors * expected).sum(axis=1).min() > 0.95
    assert found.weights.tolist() == [1] * 20


@pytest.mark.parametrize(("frames", "fps", "taken"), [(40, 10.0, LEAST), (30, 30.0, LEAST), (5, 25.0, 5), (1, 25.0, 1)])
def test_sixteen_frames_of_a_short_source(tmp_path: Path, frames: int, fps: float, taken: int) -> None:
    found = footprint_of(str(code_clip(tmp_path / "a.mp4", 1, frames, fps)), DCT)
    steps = np.diff(found.frames)
    assert len(found) == taken
    assert found.frames[0] == 0 and (taken == 1 or steps.max() - steps.min() <= 1)
    assert frames - 1 - found.frames[-1] <= frames / taken
    assert found.duration == pytest.approx(frames / fps, abs=1e-3)


def test_sixteen_frames_where_they_lie_unevenly(tmp_path: Path) -> None:
    """Nineteen frames in the first second and one in the tenth."""
    with VideoWriter(tmp_path / "a.mp4", 96, 64, 20.0, preset="ultrafast") as writer:
        for index in range(20):
            writer.write(coded(1, index), index / 20 if index < 19 else 10.0)
    found = footprint_of(str(tmp_path / "a.mp4"), DCT)
    assert len(found) == LEAST and found.frames[-1] == 19 and found.times[-1] == pytest.approx(10, abs=1e-3)


def test_what_shows_nothing_weighs_nothing_and_what_stands_still_less(tmp_path: Path) -> None:
    images = [flat(0)] * 50 + [coded(1, 0)] * 50 + [coded(1, index) for index in range(1, 101)]
    found = footprint_of(write(tmp_path / "a.mp4", images, 10.0), DCT)
    assert not found.vectors[:5].any() and found.vectors[5:].any(axis=1).all()
    assert found.weights.tolist() == [BLANK] * 5 + [1] + [STILL] * 4 + [1] * 10


def test_adaptive_takes_each_shot_and_what_stands_still_once(tmp_path: Path) -> None:
    """Ten seconds of black, three shots that stand still, one that moves."""
    shots = [flat(0), coded(1, 0), coded(1, 1), coded(1, 2)]
    wide = cv2.GaussianBlur(np.concatenate([coded(2, index) for index in range(12)], axis=1), (0, 0), 4)
    images = [shot for shot, length in zip(shots, (100, 100, 8, 7), strict=True) for _ in range(length)]
    images += [np.ascontiguousarray(wide[:, step * 4 : step * 4 + 96]) for step in range(100)]
    found = footprint_of(write(tmp_path / "a.mp4", images, 10.0), DCT, ADAPTIVE)
    starts = [0, 100, 200, 208, 215]
    taken = [[int(index) for index in found.frames if start <= index < end]
             for start, end in zip(starts, [*starts[1:], 315], strict=True)]
    assert [len(shot) for shot in taken[:4]] == [1, 1, 1, 1] and 6 <= len(taken[4]) <= 20
    assert all(shot[0] - start <= 4 for shot, start in zip(taken[:4], starts, strict=False))
    assert (found.times[2:] - found.times[:-2]).min() >= 1 - 1e-6
    assert found.weights[:4].tolist() == [BLANK, STILL, 1, 1] and found.weights[4:].min() == 1
    assert found.plan == "adaptive"


def test_a_slow_change_is_taken_now_and_then() -> None:
    """A ramp that brightens by a fortieth of its contrast a second: no cut, and no still either."""
    ramp = np.tile(np.linspace(40, 160, 64, dtype=np.float32)[:, None, None], (1, 64, 3))
    picker = Picker()
    times = [index / 25 for index in range(25 * 30) if picker.looks(index, index / 25)]
    taken = [t for t in times if picker.takes(t, (ramp + t).astype(np.uint8))]
    assert len(times) == pytest.approx(240, abs=2) and set(np.round(np.diff(taken), 1)) <= {4.0, 4.1}


def test_a_flash_is_no_cut_and_dark_cuts_are() -> None:
    dark = [(coded(1, index) // 20 + 2)[:64, :64] for index in range(2)]
    picker = Picker()
    shown = [dark[0]] * 8 + [dark[1]] * 8 + [flat(255)[:64, :64]] + [dark[1]] * 8
    taken = [place for place, look in enumerate(shown) if picker.takes(place / 8, look)]
    assert taken == [0, 9]  # a look after the cut


@pytest.mark.parametrize("change", [
    lambda n: {"times": np.zeros(n + 1)}, lambda n: {"frames": np.zeros(n, np.int64)},
    lambda n: {"weights": np.full(n, 2, np.float32)}, lambda n: {"vectors": np.zeros((n, 4))},
    lambda n: {"frames": np.arange(n, dtype=np.int32)}, lambda n: {"duration": float("nan")},
])  # fmt: skip
def test_what_does_not_fit_together_is_refused(change: Callable[[int], dict[str, object]]) -> None:
    good = {"source": "a", "frames": np.arange(3), "times": np.arange(3.0), "vectors": np.zeros((3, 4), np.float32),
            "weights": np.ones(3, np.float32), "duration": 3.0, "fps": 1.0, "width": 4, "height": 4, "space": "a@b"}
    assert len(Footprint(**good)) == 3
    with pytest.raises(ValueError, match="got"):
        Footprint(**{**good, **change(3)})


def test_what_has_no_pictures_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.mp4").write_bytes(b"no video at all" * 100)
    with pytest.raises(MediaError):
        footprint_of(str(tmp_path / "a.mp4"), DCT)


def test_real_film(shared: Path) -> None:
    """A trailer's cuts: adaptive takes no more than two frames a second, and others than uniform does."""
    path = next(iter(sorted((shared / "data" / "detect-copy").rglob("*.mp4"))), None)
    if path is None:
        pytest.skip("no video in detect-copy")
    uniform, adaptive = footprint_of(str(path), DCT), footprint_of(str(path), DCT, ADAPTIVE)
    assert len(uniform) >= min(LEAST, uniform.duration) and adaptive.duration == uniform.duration
    assert 1 <= len(adaptive) <= 2 * adaptive.duration + 2
