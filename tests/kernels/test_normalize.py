"""``normalize`` on pixels that can be worked out by hand, and against the preprocessing of known models."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from vtk.kernels.normalize import normalize
from vtk.kernels.normalize.cases import TIMM, YOLO, YOLOX


def _image(height: int, width: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), np.uint8)


def test_by_hand() -> None:
    image = np.array([[[10, 20, 30], [40, 50, 60]]], np.uint8)
    got = normalize([image], 2, 3, scale=0.5, mean=(1, 2, 3), std=(2, 4, 8), pad=6)
    around = [(3 - 1) / 2, (3 - 2) / 4, (3 - 3) / 8]
    wanted = [
        [[(5 - 1) / 2, (20 - 1) / 2, around[0]], [around[0]] * 3],
        [[(10 - 2) / 4, (25 - 2) / 4, around[1]], [around[1]] * 3],
        [[(15 - 3) / 8, (30 - 3) / 8, around[2]], [around[2]] * 3],
    ]
    assert got.dtype == np.float32
    assert got.tolist() == [wanted]


def test_bgr_takes_mean_and_std_in_the_order_of_the_output() -> None:
    image = np.array([[[10, 20, 30]]], np.uint8)
    got = normalize([image], 1, 1, scale=1, mean=(1, 2, 3), std=(1, 2, 4), bgr=True)
    assert got.ravel().tolist() == [29, 9, 1.75]


@pytest.mark.parametrize(("shape", "top", "left"), [((3, 4), 2, 2), ((8, 5), 0, 1), ((7, 8), 0, 0), ((8, 8), 0, 0)])
def test_centred_image_lies_where_the_contract_says(shape: tuple[int, int], top: int, left: int) -> None:
    image = np.full((*shape, 3), 255, np.uint8)
    got = normalize([image], 8, 8, scale=1, centre=True)[0, 0]
    assert (got[top : top + shape[0], left : left + shape[1]] == 255).all()
    assert got.sum() == 255 * shape[0] * shape[1]


def test_images_of_different_sizes_do_not_disturb_each_other() -> None:
    images = [_image(5, 9, 1), _image(9, 2, 2), _image(0, 3, 3), _image(9, 9, 4)]
    together = normalize(images, 9, 9, **YOLO)
    for image, alone in zip(images, together, strict=True):
        np.testing.assert_array_equal(normalize([image], 9, 9, **YOLO)[0], alone)


def test_views_and_stacks() -> None:
    image = _image(12, 10)
    for view in (image[2:7, 3:9], image[:, ::-1], image[::2, ::3], image[..., ::-1], np.asfortranarray(image)):
        np.testing.assert_array_equal(normalize([view], 12, 10), normalize([view.copy()], 12, 10))
    stack = np.stack([image, image[::-1]])
    np.testing.assert_array_equal(normalize(stack, 12, 10), normalize(list(stack), 12, 10))


def test_writes_into_the_given_array() -> None:
    torch = pytest.importorskip("torch")
    image = _image(4, 6)
    batch = np.full((3, 3, 4, 6), np.nan, np.float32)
    assert normalize([image, image], 4, 6, out=batch[:2]).base is batch
    np.testing.assert_array_equal(batch[1], normalize([image], 4, 6)[0])
    assert np.isnan(batch[2]).all()
    tensor = torch.full((1, 3, 4, 6), float("nan"))
    assert normalize([torch.from_numpy(image)], 4, 6, out=tensor) is tensor
    np.testing.assert_array_equal(tensor.numpy()[0], batch[0])


def test_yolo_letterbox() -> None:
    """As ultralytics' LetterBox and predictor do it: a border of 114 in the middle, RGB, divided by 255."""
    image = _image(5, 8)
    bordered = cv2.copyMakeBorder(image, 1, 2, 0, 0, cv2.BORDER_CONSTANT, value=(114, 114, 114))
    wanted = bordered.transpose(2, 0, 1)[None].astype(np.float32) / 255
    # One rounding of 1/255 more than a division has.
    np.testing.assert_allclose(normalize([image], 8, 8, **YOLO), wanted, rtol=0, atol=np.finfo(np.float32).eps)


def test_yolox_preprocessing() -> None:
    """As YOLOX's preproc does it: BGR from 0 to 255, top left on 114; whole numbers, so exact."""
    image = _image(5, 8)
    padded = np.full((8, 8, 3), 114, np.uint8)
    padded[:5] = image[..., ::-1]
    np.testing.assert_array_equal(normalize([image], 8, 8, **YOLOX)[0], padded.transpose(2, 0, 1).astype(np.float32))


def test_timm_preprocessing() -> None:
    torch = pytest.importorskip("torch")
    from torchvision.transforms.v2 import functional

    crops = [_image(8, 6, seed) for seed in range(3)]
    scaled = torch.from_numpy(np.stack(crops)).permute(0, 3, 1, 2).float() / 255
    wanted = functional.normalize(scaled, list(TIMM["mean"]), list(TIMM["std"])).numpy()
    # Each side rounds at most four float32 operations on terms up to 1 / 0.224 = 4.5, whose spacing is 4 eps.
    np.testing.assert_allclose(normalize(crops, 8, 6, **TIMM), wanted, rtol=0, atol=16 * np.finfo(np.float32).eps)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"images": [np.zeros((3, 3), np.uint8)]}, r"images\[0\]: got a uint8 array of shape \(3, 3\), expected"),
        ({"images": [_image(9, 3)]}, r"images\[0\]: got \(9, 3\), expected at most \(8, 8\)"),
        ({"images": _image(3, 3)}, r"images: got an array of shape \(3, 3, 3\), expected a list of arrays"),
        ({"height": 0}, "height: got 0, expected a whole number of pixels, at least 1"),
        ({"pad": 256}, r"pad: got 256, expected a finite number in \[0, 255\]"),
        ({"std": (1, 0, 1)}, "scale, mean, std: got .* expected quotients below 1e.30"),
        ({"mean": (0.5,)}, r"mean: got \(0.5,\), expected 3 numbers"),
        ({"out": np.zeros((1, 3, 8, 9), np.float32)}, r"out: got .* \(1, 3, 8, 9\), expected .* \(1, 3, 8, 8\)"),
        ({"out": np.zeros((1, 3, 8, 16), np.float32)[..., ::2]}, "out: got a strided or read-only array, expected"),
    ],
)
def test_refuses(change: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        normalize(**{"images": [_image(3, 3)], "height": 8, "width": 8, **change})
