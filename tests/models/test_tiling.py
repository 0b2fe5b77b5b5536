"""Tiles: where they lie, how their boxes become the picture's, and what they find that one look does not."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import linear_sum_assignment
from small_faces import small_faces

from vtk.errors import UsageError
from vtk.kernels.pairwise_iou.reference import pairwise_iou
from vtk.media.sampling import NATIVE, Size
from vtk.models.detector import Boxes, Detect, Settings, load_detector
from vtk.models.runtime import RuntimeOptions
from vtk.models.tiling import TiledDetector, merge, windows

EXACT = RuntimeOptions("cpu", "fp32")


@given(st.integers(1, 900), st.integers(1, 900), st.integers(32, 400))
def test_windows_cover_the_picture(width: int, height: int, side: int) -> None:
    whole, *tiles = windows(width, height, side).tolist()
    assert whole == [0, 0, width, height] and bool(tiles) == (max(width, height) > side)
    for low, high, length in ((0, 2, width), (1, 3, height)):
        spans = sorted({(tile[low], tile[high]) for tile in tiles})
        if not spans:
            continue
        assert spans[0][0] == 0 and spans[-1][1] == length
        assert {end - start for start, end in spans} == {min(side, length)}
        assert all(here[1] - there[0] >= side * 0.25 for here, there in zip(spans, spans[1:]))
    if tiles:
        columns, rows = {tile[0] for tile in tiles}, {tile[1] for tile in tiles}
        assert len(tiles) == len(columns) * len(rows) == len(set(map(tuple, tiles)))


def test_windows_hand_worked() -> None:
    assert windows(100, 40, 64).tolist() == [[0, 0, 100, 40], [0, 0, 64, 40], [36, 0, 100, 40]]
    assert windows(64, 64, 64).tolist() == [[0, 0, 64, 64]]
    assert len(windows(1920, 1080, 320)) == 1 + 8 * 5


def made(*rows: Sequence[float], points: bool = False) -> Boxes:
    """Return boxes of rows x1, y1, x2, y2, score, class id."""
    table = np.array(rows, np.float32).reshape(-1, 6)
    five = np.repeat(table[:, None, :2], 5, axis=1) if points else None
    return Boxes(table[:, :4], table[:, 4], table[:, 5].astype(np.int64), five)


CUT = windows(100, 40, 64)


def test_a_cut_box_loses_against_the_whole_one() -> None:
    """An object at 30 to 70: the left tile, to 64, cuts it, the right one, from 36, too; the whole picture shows it."""
    found = [made([30, 5, 70, 25, 0.5, 0]), made([30, 5, 64, 25, 0.9, 0]), made([0, 5, 34, 25, 0.8, 0])]
    assert merge(found, CUT, 0.5).xyxy.tolist() == [[30, 5, 70, 25]]
    found[1] = made([30, 5, 64, 25, 0.9, 1])  # of another class
    both = merge(found, CUT, 0.5)
    assert both.class_ids.tolist() == [1, 0] and both.scores.tolist() == pytest.approx([0.9, 0.5])
    # No window shows it whole: the better part stays.
    parts = merge([made(), made([30, 5, 64, 25, 0.6, 0]), made([0, 5, 34, 25, 0.8, 0])], CUT, 0.5)
    assert parts.xyxy.tolist() == [[36, 5, 70, 25]]


def test_whole_boxes_are_weeded_by_overlap() -> None:
    """One object in the overlap, seen three times; a small one before a large one; some at the picture's own edges."""
    seen = [made([40, 10, 60, 30, 0.7, 0]), made([41, 10, 60, 30, 0.9, 0]), made([4, 10, 25, 30, 0.8, 0])]
    assert merge(seen, CUT, 0.5).xyxy.tolist() == [[41, 10, 60, 30]]
    nested = [made([30, 0, 90, 40, 0.9, 0]), made(), made([10, 10, 20, 20, 0.6, 0])]
    assert merge(nested, CUT, 0.5).xyxy.tolist() == [[30, 0, 90, 40], [46, 10, 56, 20]]
    edge = [made(), made([0, 0, 20, 40, 0.6, 0]), made([44, 0, 64, 40, 0.7, 0])]
    assert merge(edge, CUT, 0.5).xyxy.tolist() == [[80, 0, 100, 40], [0, 0, 20, 40]]
    assert len(merge([made(), made(), made()], CUT, 0.5)) == 0


def test_thousands_of_cut_boxes() -> None:
    """More than are compared at once, each in one of as many whole ones but for the last."""
    left = np.arange(700, dtype=np.float32) * 100
    row = np.array([0, 0, 40, 20, 0.5, 0], np.float32)
    cut = np.array([[0, 0, 70_000, 600], [0, 0, 70_000, 64]], np.int64)
    none = 0 * left
    whole = (row + np.stack([left, none + 50, left, none + 50, none, none], axis=1))[:699]
    parts = row + np.stack([left, none + 50, left, none + 44, none + 0.3, none], axis=1)
    found = merge([made(*whole), made(*parts)], cut, 0.5)
    assert len(found) == 700 and found.scores[0] == pytest.approx(0.8) and (found.scores[1:] == 0.5).all()


def test_points_move_with_their_boxes() -> None:
    found = [made(points=True), made([1, 2, 9, 12, 0.6, 0], points=True), made([10, 3, 20, 13, 0.7, 0], points=True)]
    both = merge(found, CUT, 0.5)
    assert both.xyxy[:, :2].tolist() == [[46, 3], [1, 2]]
    np.testing.assert_array_equal(both.points, np.repeat(both.xyxy[:, None, :2], 5, axis=1))


class Bright:
    """A detector of a picture's bright spot that learns: it says how many pictures its source has shown it."""

    name, sha256, labels, size, precision, iou = "bright", None, ("spot",), Size("long", 32), "fp32", None

    def __init__(self, batch: int, learns: bool) -> None:
        self.batch, self.learns, self.calls = batch, learns, []

    def start(self) -> Detect:
        return Bright(self.batch, True) if self.learns else self

    def __call__(self, images: Sequence[np.ndarray]) -> list[Boxes]:
        self.calls.append(len(images))
        found = []
        for image in images:
            rows, columns = np.nonzero(image[:, :, 0] > 200)
            spot = [columns.min(), rows.min(), columns.max() + 1, rows.max() + 1] if len(rows) else []
            found.append(made([*spot, sum(self.calls) / 100, 0]) if spot else made())
        return found


def spotted(x: int, y: int) -> np.ndarray:
    image = np.zeros((40, 100, 3), np.uint8)
    image[y : y + 6, x : x + 6] = 255
    return image


def test_pictures_share_calls_and_keep_their_places() -> None:
    detector = Bright(4, learns=False)
    tiled = TiledDetector(detector, Settings(tile=64))
    assert (tiled.size, tiled.batch, tiled.labels, tiled.iou) == (NATIVE, 4, ("spot",), 0.5)
    found = tiled.start()([spotted(2, 3), spotted(90, 30), np.zeros((20, 20, 3), np.uint8)])
    assert [boxes.xyxy.tolist() for boxes in found] == [[[2, 3, 8, 9]], [[90, 30, 96, 36]], []]
    assert detector.calls == [4, 3]
    assert tiled.start()([]) == []


def test_one_that_learns_gets_one_background_for_each_tile() -> None:
    detect = TiledDetector(Bright(4, learns=True), Settings(tile=64)).start()
    for step in range(1, 4):
        assert detect([spotted(2, 3)])[0].scores.tolist() == pytest.approx([step / 100])


def test_settings() -> None:
    for tile in (-1, 1, 31):
        with pytest.raises(UsageError, match=f"--tile {tile}: expected 32 pixels or more, or 0 for none"):
            Settings(tile=tile)
    assert load_detector("motion", tile=320).size == NATIVE and load_detector("motion").size == Size("long", 480)


def recall(found: Boxes, true: np.ndarray) -> tuple[int, int]:
    """Return how many of ``true`` are found at IoU 0.5, each box matched once, and how many boxes match none."""
    iou = pairwise_iou(true, found.xyxy)
    rows, columns = linear_sum_assignment(-iou)
    hits = int((iou[rows, columns] >= 0.5).sum())
    return hits, len(found) - hits


def test_two_hundred_small_faces(shared: Path) -> None:
    """Measured, found of 200 and false: one look 75 and 5, tiles of 480 189 and 2, of 320 199 and 1, of 160 200 and 7.

    The floors leave room for another rounding: one look must stay far behind. The README names this test with ``-s``.
    """
    crowd, true = small_faces(shared)
    looks = {tile: load_detector("rfb-320", min_score=0.7, tile=tile, runtime=EXACT).start()([crowd])[0]
             for tile in (0, 320)}
    figures = {tile: recall(found, true) for tile, found in looks.items()}
    for tile, (hits, false) in figures.items():
        print(f"--tile {tile}: {hits} of {len(true)} faces found, {false} false")
    assert figures[0][0] < 100 and figures[320][0] >= 197 and figures[320][1] <= 4, figures
    few = load_detector("rfb-320", min_score=0.7, tile=320, max_boxes=50, runtime=EXACT).start()([crowd])[0]
    np.testing.assert_array_equal(few.xyxy, looks[320].xyxy[:50])


def test_people_by_tiles(shared: Path) -> None:
    """A detector of 80 classes, letterboxed: by tiles it finds the people of a frame that is a ninth of the picture."""
    from vtk.media.video import open_media

    reader = open_media(str(shared / "data" / "track" / "vtest.avi"))
    [frame] = [decoded.image(NATIVE) for decoded in reader.at([100], [NATIVE])]
    reader.close()
    large = np.zeros((576 * 3, 768 * 3, 3), np.uint8)
    large[576:1152, 768:1536] = frame
    alone = load_detector("yolox-nano", classes=("person",), min_score=0.5, runtime=EXACT).start()([frame])[0]
    one = load_detector("yolox-nano", classes=("person",), min_score=0.5, runtime=EXACT).start()([large])[0]
    tiled = load_detector("yolox-nano", classes=("person",), min_score=0.5, tile=640, runtime=EXACT).start()([large])[0]
    moved = alone.xyxy + np.array([768, 576] * 2, np.float32)
    assert len(alone) >= 6 and recall(one, moved)[0] <= 2 < recall(tiled, moved)[0], (len(one), len(tiled))
    assert recall(tiled, moved)[0] >= len(alone) - 1
