"""Bars beside a picture are taken off to the pixel, and nothing else is."""

from __future__ import annotations

import numpy as np
import pytest

from vtk.copies.bars import without_bars
from vtk.copies.descriptors import DctDescriptor


def scene(height: int, width: int, seed: int = 0) -> np.ndarray:
    """Return a picture of smooth shapes that reaches its edges everywhere."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:height, :width] / max(height, width)
    waves = sum(np.sin(rng.uniform(5, 30) * x + rng.uniform(5, 30) * y + rng.uniform(0, 6)) for _ in range(6))
    grey = 128 + 110 * waves / np.abs(waves).max()
    return np.repeat(grey[:, :, None], 3, axis=2).astype(np.uint8)


def framed(picture: np.ndarray, top: int, left: int, colour: tuple[int, int, int], seed: int = 0) -> np.ndarray:
    """Return the picture with bars of a colour around it, noisy by a few levels as encoders leave them."""
    height, width = picture.shape[:2]
    frame = np.empty((height + 2 * top, width + 2 * left, 3), np.int16)
    frame[:] = colour
    frame[top : top + height, left : left + width] = picture
    return np.clip(frame + np.random.default_rng(seed).integers(-5, 6, frame.shape), 0, 255).astype(np.uint8)


@pytest.mark.parametrize("colour", [(0, 0, 0), (31, 148, 164), (255, 255, 255)])
@pytest.mark.parametrize(("top", "left"), [(0, 40), (30, 0), (30, 40), (6, 60)])
def test_bars_are_taken_off_to_two_pixels(top: int, left: int, colour: tuple[int, int, int]) -> None:
    found = without_bars(framed(scene(180, 240), top, left, colour))
    for have, wanted, bar in ((found.shape[0], 180, top), (found.shape[1], 240, left)):
        assert wanted - 4 <= have <= wanted + 1 if bar else have == wanted


def test_pictures_without_bars_stay_whole() -> None:
    sky = np.full((180, 240, 3), 200, np.uint8)
    sky[90:] = scene(90, 240)
    night = scene(180, 240)  # a stage in the dark: bright in the middle, fading out
    y, x = np.mgrid[:180, :240]
    night = (night * np.exp(-(((y - 90) / 40) ** 2 + ((x - 120) / 50) ** 2))[:, :, None]).astype(np.uint8)
    credits_ = np.zeros((180, 240, 3), np.uint8)
    credits_[85:95, 100:130] = 255
    black = np.zeros((180, 240, 3), np.uint8)
    for frame in (scene(180, 240), sky, night, credits_, black, scene(8, 8)):
        assert without_bars(frame).shape == frame.shape


def test_what_is_left_is_a_third_at_least() -> None:
    assert without_bars(framed(scene(40, 240), 100, 0, (0, 0, 0))).shape == (240, 240, 3)


def test_a_picture_is_described_alike_with_bars_and_without() -> None:
    picture = scene(180, 240, 3)
    alone, barred = DctDescriptor().describe([picture, framed(picture, 34, 44, (98, 42, 98))])
    assert alone @ barred > 0.95
