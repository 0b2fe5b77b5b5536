"""Background subtraction on squares that move over noise."""

from __future__ import annotations

import numpy as np
import pytest

from vtk.errors import UsageError
from vtk.models.detector import load_detector


def scene(width: int, height: int, frame: int, moving: bool = True) -> np.ndarray:
    """Return a noisy grey picture with a bright box, a tenth as wide as the picture, that moves to the right."""
    rng = np.random.default_rng(frame)
    image = rng.normal(90, 3, (height, width, 3)).clip(0, 255).astype(np.uint8)
    if moving:
        x, y, side = int(width * (0.1 + 0.01 * frame)), int(height * 0.3), width // 10
        image[y : y + side, x : x + side] = 220
    return image


@pytest.mark.parametrize("width, height", [(320, 240), (1280, 720), (240, 426)])
def test_moving_box_is_found_at_any_resolution(width: int, height: int) -> None:
    detect = load_detector("motion").start()
    for frame in range(10):
        found = detect([scene(width, height, frame, moving=frame >= 5)])[0]
        assert (len(found) == 1) == (frame >= 5), frame
    x1, y1, x2, y2 = found.xyxy[0] / width
    top = int(height * 0.3) / width
    # 0.02 of the width: the picture is looked at 480 pixels wide, and pieces are closed with a disc of 5.
    np.testing.assert_allclose([x1, y1, x2, y2], [0.19, top, 0.29, top + 0.1], atol=0.02)
    assert found.scores[0] > 0.9 and found.class_ids[0] == 0


def test_stillness_and_a_flood_give_nothing() -> None:
    detect = load_detector("motion").start()
    assert all(len(detect([scene(320, 240, frame, moving=False)])[0]) == 0 for frame in range(8))
    assert len(detect([np.full((240, 320, 3), 255, np.uint8)])[0]) == 0, "the light went on"


def test_sources_do_not_mix() -> None:
    detector = load_detector("motion")
    first, second = detector.start(), detector.start()
    frames = [scene(320, 240, frame) for frame in range(6)]
    alone = [box.xyxy.tolist() for box in load_detector("motion").start()(frames)]
    mixed = []
    for frame in frames:
        mixed.append(first([frame])[0].xyxy.tolist())
        second([np.zeros((240, 320, 3), np.uint8)])
    assert mixed == alone and alone[-1]


def test_classes() -> None:
    assert load_detector("motion", classes=("motion",)).labels == ("motion",)
    with pytest.raises(UsageError, match="no class 'person'"):
        load_detector("motion", classes=("person",))
