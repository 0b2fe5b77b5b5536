"""``masked_roi`` against torch's grid_sample and OpenCV's perspective, and on maps whose samples are known."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from vtk.kernels.masked_roi import masked_roi
from vtk.kernels.masked_roi.cases import page, quads
from vtk.kernels.masked_roi.perspective import coefficients


def _box(left: float, top: float, right: float, bottom: float) -> np.ndarray:
    """Return an upright quadrilateral, (1, 4, 2)."""
    return np.array([[[left, top], [right, top], [right, bottom], [left, bottom]]], np.float32)


def _ramp(height: int, width: int) -> np.ndarray:
    """Return (1, 2, height, width): x and y of each cell's centre, in cells from the map's edge."""
    y, x = np.mgrid[:height, :width] + np.float32(0.5)
    return np.stack([x, y])[None].astype(np.float32)


def test_box_on_the_cells_is_the_cells() -> None:
    features = np.arange(24, dtype=np.float32).reshape(1, 1, 4, 6)
    got = masked_roi(features, _box(1, 1, 5, 3), (2, 4), stride=1)
    assert got.tolist() == [[features[0, 0, 1:3, 1:5].tolist()]]
    # The same cells at stride 4: input pixels 4 to 20 and 4 to 12.
    assert (masked_roi(features, _box(4, 4, 20, 12), (2, 4), stride=4) == got).all()


def test_samples_stand_where_they_should() -> None:
    """On a ramp a sample's value is where it lies: u, v at the centres of a 3 x 5 grid in the box."""
    got = masked_roi(_ramp(20, 40), _box(8, 8, 108, 56), (3, 5), stride=4)[0]
    assert np.allclose(got[0], 2 + 25 * (np.arange(5) + 0.5) / 5)
    assert np.allclose(got[1], (2 + 12 * (np.arange(3) + 0.5) / 3)[:, None])


def test_perspective_is_opencvs() -> None:
    import cv2

    texts = quads(40, 300, 500, np.random.default_rng(2)) + np.float32(100)
    rows = coefficients(texts, 1.0, None)
    square = np.float32([[0, 0], [1, 0], [1, 1], [0, 1]])
    for text, row in zip(texts, rows, strict=True):
        wanted = cv2.getPerspectiveTransform(square, text)
        # Theirs lead to pixels from edges on, ours to cells from centres on.
        shift = np.array([[1, 0, -0.5], [0, 1, -0.5], [0, 0, 1]])
        assert np.allclose(np.append(row, 1).reshape(3, 3), shift @ wanted, rtol=1e-6, atol=1e-3)


def test_tall_texts_are_transposed() -> None:
    """16 high and 8 wide: the text's height runs along the result's width."""
    features, tall = _ramp(30, 30), _box(4, 4, 12, 20)
    lying = masked_roi(features, tall, (2, 4), stride=1)[0]
    assert np.allclose(lying[0], [[6] * 4, [10] * 4])
    assert np.allclose(lying[1], [[6, 10, 14, 18]] * 2)
    for rule in (None, 2.0, 2.5):
        upright = masked_roi(features, tall, (4, 2), stride=1, vertical=rule)[0]
        assert np.allclose(upright, lying.transpose(0, 2, 1)), "twice as high as wide is not more than twice"
    assert (masked_roi(features, tall, (2, 4), stride=1, vertical=1.99) == lying).all()


def test_mask_counts_cells_of_the_label_and_their_neighbours() -> None:
    features, labels = np.ones((1, 1, 5, 7), np.float32), np.zeros((1, 5, 7), np.int32)
    labels[0, 2, 2], labels[0, 2, 6] = 3, 4
    got = masked_roi(features, _box(0, 0, 7, 5), (5, 7), stride=1, labels=labels, ids=np.array([3]))[0, 0]
    wanted = np.zeros((5, 7))
    wanted[1:4, 1:4] = 1
    assert got.tolist() == wanted.tolist()
    # Half a cell to the right each sample is half of two cells: 0.5 on both edges of the mask.
    got = masked_roi(features, _box(0.5, 0, 7.5, 5), (5, 7), stride=1, labels=labels, ids=np.array([3]))[0, 0]
    assert got[2].tolist() == [0.5, 1, 1, 0.5, 0, 0, 0]


def test_nothing_comes_through_the_mask() -> None:
    """A NaN in another text's cell stays there."""
    features, labels = np.ones((1, 1, 3, 8), np.float32), np.ones((1, 3, 8), np.int32)
    labels[:, :, 4:], features[..., 5:] = 2, np.nan
    got = masked_roi(features, _box(0, 0, 8, 3), (3, 8), stride=1, labels=labels, ids=np.array([1]))[0, 0]
    assert got[0].tolist() == [1] * 5 + [0] * 3


@pytest.mark.parametrize("masked", [False, True])
def test_same_as_grid_sample(masked: bool) -> None:
    torch = pytest.importorskip("torch")
    import cv2
    from torch.nn.functional import grid_sample, max_pool2d

    given = page(30, 240, 400, masked, np.random.default_rng(4))
    features = torch.from_numpy(given["features"]).double()
    u, v = np.meshgrid((np.arange(32) + 0.5) / 32, (np.arange(8) + 0.5) / 8)
    points = np.stack([u, v], axis=-1).reshape(-1, 1, 2)
    got, upright = masked_roi(**given), 0
    for n, text in enumerate(given["quads"]):
        sides = np.linalg.norm(np.roll(text, -1, axis=0) - text, axis=1)
        tall = sides[1] + sides[3] > 1.5 * (sides[0] + sides[2])
        upright += int(tall)
        # A transposed text is the one whose corners come in the other turn.
        corners = text[[0, 3, 2, 1]] if tall else text
        turn = cv2.getPerspectiveTransform(np.float32([[0, 0], [1, 0], [1, 1], [0, 1]]), corners)
        grid = cv2.perspectiveTransform(points, turn).reshape(1, 8, 32, 2) / [200, 120] - 1
        mask = 1.0
        if masked:
            mask = max_pool2d(torch.from_numpy(given["labels"] == given["ids"][n]).double(), 3, 1, 1)
        wanted = grid_sample(features * mask, torch.from_numpy(grid), padding_mode="zeros", align_corners=False)
        # OpenCV takes float32 corners to float64 coefficients by elimination: places differ by about 1e-6 cells.
        assert np.abs(got[n] - wanted[0].numpy()).max() < 1e-4
    assert upright >= 3


def test_each_text_is_taken_from_its_picture() -> None:
    rng = np.random.default_rng(0)
    features, texts = rng.normal(size=(3, 5, 20, 30)).astype(np.float32), quads(12, 80, 120, rng)
    images, labels = rng.integers(0, 3, 12), rng.integers(1, 4, (3, 20, 30)).astype(np.int32)
    ids = rng.integers(1, 4, 12)
    got = masked_roi(features, texts, labels=labels, ids=ids, image_ids=images)
    for image in range(3):
        own = images == image
        alone = {"labels": labels[image : image + 1], "ids": ids[own]}
        assert (masked_roi(features[image : image + 1], texts[own], **alone) == got[own]).all()


def test_same_information_as_upsampling_first() -> None:
    """On a smooth map the paper's way, over the map at full size, gives nearly the same samples."""
    torch = pytest.importorskip("torch")
    from torch.nn.functional import interpolate

    y, x = np.mgrid[:40, :60] / 6
    features = np.stack([np.sin(x) * np.cos(y), np.cos(x + y)])[None].astype(np.float32)
    large = interpolate(torch.from_numpy(features), scale_factor=4, mode="bilinear", align_corners=False)
    theirs = interpolate(large[:, :, 40:72, 60:188], (8, 32), mode="bilinear", align_corners=False).numpy()
    # Measured 0.004: a bilinear sample of a bilinear sample is a little smoother.
    assert np.abs(masked_roi(features, _box(60, 40, 188, 72)) - theirs).max() < 0.01


@pytest.mark.parametrize(
    "corners",
    [
        [[2, 2], [8, 8], [8, 2], [2, 8]],  # crossed
        [[2, 2], [5, 2], [8, 2], [2, 8]],  # three in line
        [[2, 2], [8, 2], [4, 4], [2, 8]],  # a corner turned in
        [[2, 2], [2, 2], [2, 2], [2, 2]],
        [[2, 2], [8, 2], [8, np.nan], [2, 8]],
        [[2, 2], [np.inf, 2], [8, 8], [2, 8]],
        [[200, 2], [208, 2], [208, 8], [200, 8]],  # beside the map
        [[3e38, 2], [-3e38, 2], [-3e38, 3e38], [3e38, 3e38]],
    ],
)
def test_no_good_quadrilateral_gives_zeros(corners: Any) -> None:
    good = _box(2, 2, 8, 8)
    texts = np.concatenate([np.array([corners], np.float32), good])
    got = masked_roi(np.ones((1, 2, 10, 10), np.float32), texts, stride=1)
    assert (got[0] == 0).all()
    assert (got[1] == 1).all()


def test_mirrored_texts_are_read_mirrored() -> None:
    features, text = _ramp(20, 20), _box(2, 2, 18, 10)
    got = masked_roi(features, text[:, [1, 0, 3, 2]], stride=1)
    assert np.allclose(got, masked_roi(features, text, stride=1)[..., ::-1], atol=1e-5)


@pytest.mark.parametrize(
    ("maps", "texts"), [((1, 3, 0, 0), 2), ((1, 0, 4, 4), 2), ((1, 3, 4, 4), 0), ((0, 3, 4, 4), 0)]
)
def test_empty(maps: tuple[int, ...], texts: int) -> None:
    got = masked_roi(np.ones(maps, np.float32), np.repeat(_box(0, 0, 9, 9), texts, axis=0))
    assert got.shape == (texts, maps[1], 8, 32)
    assert got.dtype == np.float32
    assert not got.any()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"size": (8, 0)}, r"size: got \(8, 0\), expected \(h, w\)"),
        ({"stride": 0}, r"stride: got 0, expected a finite number in \[0.000976562, 1024\]"),
        ({"vertical": -1}, r"vertical: got -1, expected a finite number in \[0, inf\]"),
        ({"labels": np.zeros((2, 9, 9), np.int32)}, "labels, ids: got labels alone, expected both or none"),
        ({"ids": np.zeros(3, np.int64)}, "labels, ids: got ids alone"),
        ({"image_ids": None}, "image_ids: got None, expected the picture of each quadrilateral among 2"),
        ({"image_ids": np.array([0, 1, 2])}, r"image_ids: got 0 to 2, expected pictures in \[0, 2\)"),
        ({"image_ids": np.array([0, -1, 1])}, r"image_ids: got -1 to 1, expected pictures in \[0, 2\)"),
        ({"quads": np.zeros((3, 4), np.float32)}, r"quads: got a float32 array of shape \(3, 4\)"),
    ],
)
def test_refusals(change: dict[str, Any], message: str) -> None:
    given = {
        "features": np.zeros((2, 1, 9, 9), np.float32), "quads": np.zeros((3, 4, 2), np.float32),
        "image_ids": np.zeros(3, np.int64),
    }  # fmt: skip
    with pytest.raises(ValueError, match=message):
        masked_roi(**given | change)
