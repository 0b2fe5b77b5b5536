"""Faces inside the boxes of people: found where one look at the picture misses them, and in their own region alone."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from small_faces import CELL, COLUMNS, small_faces

from vtk.kernels.pairwise_iou.reference import pairwise_iou
from vtk.models.detector import Boxes, load_detector
from vtk.models.face_search import CHUNK, find_in
from vtk.models.runtime import RuntimeOptions


def spots(images: Sequence[np.ndarray]) -> list[Boxes]:
    """Find the white spot of a picture, and give its corner as its points."""
    found = []
    for image in images:
        rows, columns = np.nonzero(image[:, :, 0] > 200)
        spot = [columns.min(), rows.min(), columns.max() + 1, rows.max() + 1] if len(rows) else []
        box = np.array(spot, np.float32).reshape(-1, 4)
        found.append(Boxes(box, np.full(len(box), 0.9, np.float32), np.zeros(len(box), np.int64),
                           np.repeat(box[:, None, :2], 5, axis=1)))
    return found


def test_faces_return_to_the_picture() -> None:
    image = np.zeros((200, 300, 3), np.uint8)
    image[20:30, 110:118] = 255
    regions = np.array([[100, 10, 140, 190],  # its region, as tall as a person
                        [100, 32, 140, 190],  # grown by a tenth it shows a part of the face, whose centre lies outside
                        [200, 10, 240, 190],  # nothing in it
                        [90, -50, 150, 60],  # beyond the picture
                        [400, 0, 500, 100], [50, 50, 50, 90]], np.float32)  # beside it; without area
    found = find_in(spots, image, regions)
    assert [boxes.xyxy.tolist() for boxes in found] == [[[110, 20, 118, 30]], [], [], [[110, 20, 118, 30]], [], []]
    np.testing.assert_array_equal(found[0].points, np.full((1, 5, 2), [110, 20]))
    assert find_in(spots, image, np.empty((0, 4))) == []


def test_a_call_takes_few_pictures() -> None:
    calls = []

    def count(images: Sequence[np.ndarray]) -> list[Boxes]:
        calls.append(len(images))
        return spots(images)

    assert len(find_in(count, np.zeros((100, 100, 3), np.uint8), np.array([[0, 0, 50, 50]] * 40))) == 40
    assert calls == [CHUNK, CHUNK, 8]


def test_shape_of_regions() -> None:
    with pytest.raises(ValueError, match=r"regions: got the shape \(4,\), expected \(N, 4\)"):
        find_in(spots, np.zeros((9, 9, 3), np.uint8), np.zeros(4))


def test_faces_of_real_people(shared: Path) -> None:
    """48 people, as it were, of 60 x 260 pixels in Full HD, their faces 20 to 40 wide.

    Measured: one look finds 12, the regions 47, and 2 that are none. The floors leave room for another rounding.
    """
    crowd, true = small_faces(shared)
    image = np.full_like(crowd, 110)
    regions, faces = [], []
    for place in range(48):
        cell = place * 4
        left, top = cell % COLUMNS * CELL[0], cell // COLUMNS * CELL[1]
        x, y = place % 16 * 110 + 60, place // 16 * 265
        image[y : y + CELL[1], x : x + CELL[0]] = crowd[top : top + CELL[1], left : left + CELL[0]]
        regions.append([x + 18, y + 5, x + 78, y + 265])
        faces.append(true[cell] + np.array([x - left, y - top] * 2, np.float32))
    detect = load_detector("rfb-320", min_score=0.7, runtime=RuntimeOptions("cpu", "fp32")).start()
    [whole] = detect([image])
    assert (pairwise_iou(np.array(faces), whole.xyxy).max(axis=1, initial=0) >= 0.5).sum() <= 20
    found = find_in(detect, image, np.array(regions))
    hits = [(pairwise_iou(face[None], boxes.xyxy) >= 0.5).any() for face, boxes in zip(faces, found, strict=True)]
    assert sum(hits) >= 45 and sum(map(len, found)) <= 52, (sum(hits), sum(map(len, found)))
