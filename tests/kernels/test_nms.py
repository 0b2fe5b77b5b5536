"""``nms`` on boxes whose fate can be worked out by hand, and the same set as torchvision."""

from __future__ import annotations

import numpy as np
import pytest

from vtk.kernels.nms import nms
from vtk.kernels.nms.cases import crowd
from vtk.kernels.pairwise_iou import pairwise_iou

# Each overlaps the next by a third; the first and the last not at all.
ROW = np.array([[0, 0, 10, 10], [5, 0, 15, 10], [10, 0, 20, 10]], np.float32)


def _scores(*values: float) -> np.ndarray:
    return np.array(values, np.float32)


@pytest.mark.parametrize(
    ("scores", "threshold", "kept"),
    [
        ((0.9, 0.8, 0.7), 0.3, [0, 2]),
        ((0.8, 0.9, 0.7), 0.3, [1]),
        ((0.7, 0.8, 0.9), 0.3, [2, 0]),
        ((0.9, 0.8, 0.7), 0.34, [0, 1, 2]),
        ((0.5, 0.5, 0.5), 0.3, [0, 2]),
        ((0.5, 0.5, 0.9), 1.0, [2, 0, 1]),
        ((-1.0, -0.5, -np.inf), 0.3, [1]),
    ],
)
def test_by_hand(scores: tuple[float, ...], threshold: float, kept: list[int]) -> None:
    got = nms(ROW, _scores(*scores), iou_threshold=threshold)
    assert got.dtype == np.int64
    assert got.tolist() == kept


def test_removed_boxes_remove_nothing() -> None:
    """The middle box goes with the first, so the last, which only the middle one overlaps, stays."""
    assert nms(ROW, _scores(3, 2, 1), iou_threshold=0.2).tolist() == [0, 2]


def test_overlap_equal_to_the_threshold_stays() -> None:
    halves = np.array([[0, 0, 10, 10], [0, 0, 10, 5]], np.float32)
    assert nms(halves, _scores(2, 1), iou_threshold=0.5).tolist() == [0, 1]
    assert nms(halves, _scores(2, 1), iou_threshold=np.nextafter(0.5, 0)).tolist() == [0]


def test_classes_and_images_stay_apart() -> None:
    same = np.repeat(ROW[:1], 4, axis=0)
    scores = _scores(1, 2, 3, 4)
    assert nms(same, scores).tolist() == [3]
    assert nms(same, scores, np.array([0, 0, 1, 1])).tolist() == [3, 1]
    assert nms(same, scores, image_ids=np.array([7, -7, 7, -7], np.int32)).tolist() == [3, 2]
    assert nms(same, scores, np.array([0, 0, 1, 1]), image_ids=np.array([0, 1, 0, 1])).tolist() == [3, 2, 1, 0]
    assert nms(same, scores, np.array([2, 2, 2, 1]), image_ids=np.array([0, 1, 1, 1])).tolist() == [3, 2, 0]


def test_box_without_extent_or_with_a_nan_removes_nothing() -> None:
    boxes = np.array([[5, 5, 5, 5], [5, 5, 5, 5], [np.nan, 0, 10, 10], [0, 0, 10, 10]], np.float32)
    assert nms(boxes, _scores(4, 3, 2, 1), iou_threshold=0.0).tolist() == [0, 1, 2, 3]


def test_properties() -> None:
    rng = np.random.default_rng(3)
    boxes, scores = crowd(500, 60, rng), rng.permutation(500).astype(np.float32)
    kept = nms(boxes, scores, iou_threshold=0.45)
    assert 60 <= len(kept) < 400
    assert (np.diff(scores[kept]) < 0).all()
    overlaps = pairwise_iou(boxes, boxes[kept])
    among = overlaps[kept]
    np.fill_diagonal(among, 0)
    assert among.max() <= 0.45
    better = scores[kept][None] > scores[:, None]
    gone = np.setdiff1d(np.arange(500), kept)
    assert ((overlaps > 0.45) & better)[gone].any(axis=1).all(), "a box went that no better kept box overlaps"
    assert nms(boxes[kept], scores[kept], iou_threshold=0.45).tolist() == list(range(len(kept)))


@pytest.mark.parametrize("threshold", [0.0, 0.3, 0.45, 0.7])
def test_same_set_as_torchvision(threshold: float) -> None:
    torch = pytest.importorskip("torch")
    from torchvision.ops import batched_nms
    from torchvision.ops import nms as theirs

    rng = np.random.default_rng(4)
    # Whole pixels: batched_nms moves classes apart by adding to the coordinates, which is exact for these.
    boxes = np.round(crowd(2000, 150, rng))
    scores, classes = rng.permutation(2000).astype(np.float32), rng.integers(0, 10, 2000)
    tensors = [torch.from_numpy(array) for array in (boxes, scores, classes)]
    wanted = theirs(*tensors[:2], threshold).tolist()
    assert nms(boxes, scores, iou_threshold=threshold).tolist() == wanted
    assert nms(boxes, scores, classes, threshold).tolist() == batched_nms(*tensors, threshold).tolist()


def test_refuses_a_nan_score_and_a_wrong_threshold() -> None:
    with pytest.raises(ValueError, match="scores: got a NaN, expected numbers"):
        nms(ROW, _scores(1, np.nan, 0))
    with pytest.raises(ValueError, match=r"iou_threshold: got 45, expected a finite number in \[0, 1\]"):
        nms(ROW, _scores(1, 2, 3), iou_threshold=45)
    with pytest.raises(ValueError, match=r"class_ids: got a float32 array of shape \(3,\), expected a int64 or int32"):
        nms(ROW, _scores(1, 2, 3), _scores(0, 0, 1))
