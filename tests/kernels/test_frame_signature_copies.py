"""DCT vectors and PDQ hashes: against SciPy and pdqhash, on pictures worked out by hand and on frames of real films."""

from __future__ import annotations

import hashlib
import importlib
import importlib.util
import platform
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from vtk.kernels.frame_signature import dct_vector, pdq, pdq_luminance


def _picture(height: int, width: int) -> np.ndarray:
    """Return a picture (H, W, 3) that anybody can make again, with edges and slopes."""
    y, x = np.indices((height, width))
    return np.stack([(x * x + 3 * y) // 7, x * y // 5, (x + 2 * y * y) // 11], -1).astype(np.uint8)


def _smooth(count: int, seed: int = 0) -> np.ndarray:
    """Return luminance (count, 64, 64) float32 in about [40, 210] of a few broad waves, as of a blurred photograph."""
    rng = np.random.default_rng(seed)
    y, x = np.indices((64, 64)) / 64
    waves = [np.sin(2 * np.pi * (a * y + b * x) + c) for a, b, c in rng.uniform(0, 5, (8 * count, 3))]
    return (125 + 30 * np.reshape(waves, (count, 8, 64, 64)).sum(axis=1)).astype(np.float32)


def _cosine(u: int, v: int) -> np.ndarray:
    """Return one wave of the transform (64, 64), amplitude 1."""
    down, across = (np.cos(np.pi * (2 * np.arange(64) + 1) * each / 128) for each in (u, v))
    return np.outer(down, across)


def _distance(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Return in how many bits hashes (N, 32) differ, (N,)."""
    return np.unpackbits(a ^ b, axis=1).sum(axis=1)


def test_a_wave_is_one_coefficient() -> None:
    waves = [(0, 1), (1, 0), (3, 5), (15, 15), (16, 2), (2, 16)]
    vectors = dct_vector(np.stack([100 + 50 * _cosine(u, v) for u, v in waves]).astype(np.float32))
    assert vectors.dtype == np.float32 and vectors.shape == (6, 255)
    for (u, v), vector in zip(waves, vectors, strict=True):
        wanted = np.zeros(256)
        if max(u, v) < 16:
            wanted[16 * u + v] = 1
        # Of a picture rounded to float32, 2^-24 of 150 in each of 4096 pixels.
        np.testing.assert_allclose(vector, wanted[1:], atol=1e-6)


@pytest.mark.parametrize("dtype", [np.uint8, np.float32])
def test_against_scipy(dtype: type) -> None:
    from scipy.fft import dctn

    luma = np.random.default_rng(1).integers(0, 256, (5, 64, 64)).astype(dtype)
    found = dctn(luma.astype(np.float64), axes=(1, 2), norm="ortho")[:, :16, :16].reshape(5, 256)[:, 1:]
    wanted = found / np.linalg.norm(found, axis=1, keepdims=True)
    # One rounding to float32 of values below 1, as SciPy's sums differ in bits that float32 has not.
    np.testing.assert_allclose(dct_vector(luma), wanted, rtol=0, atol=2.0**-24)
    np.testing.assert_allclose(np.linalg.norm(dct_vector(luma).astype(np.float64), axis=1), 1, atol=255**0.5 * 2.0**-25)


def test_gain_and_offset_change_nothing_and_a_negative_the_sign() -> None:
    luma = _smooth(20)
    vectors = dct_vector(luma)
    # Rounding of 2^-24 in each pixel, of vectors whose pictures vary by a fifth of their values.
    for changed in (luma * np.float32(0.1), luma * np.float32(100), luma * np.float32(0.7) + 31, luma - 400):
        np.testing.assert_allclose(dct_vector(changed), vectors, atol=2e-6)
    np.testing.assert_allclose(dct_vector(255 - luma), -vectors, atol=2e-6)


def test_a_mirrored_picture_has_odd_waves_across_negated() -> None:
    luma = _smooth(5)
    signs = np.tile([1, -1], 128)[1:]
    np.testing.assert_allclose(dct_vector(luma[:, :, ::-1]), dct_vector(luma) * signs, atol=2.0**-23)
    down = np.repeat(np.tile([1, -1], 8), 16)[1:]
    np.testing.assert_allclose(dct_vector(luma[:, ::-1]), dct_vector(luma) * down, atol=2.0**-23)


@pytest.mark.parametrize("level", [0, 1, 77, 255])
def test_a_flat_picture_has_no_direction(level: int) -> None:
    flat = np.full((2, 64, 64), level, np.uint8)
    assert not dct_vector(flat).any()
    assert not dct_vector(flat.astype(np.float32)).any()
    rounded = flat * np.random.default_rng(level).uniform(1 - 2.0**-21, 1 + 2.0**-21, flat.shape)
    assert not dct_vector(rounded.astype(np.float32)).any()
    coloured = np.tile(np.uint8([level, 255 - level, 31]), (2, 100, 130, 1))
    assert not dct_vector(pdq_luminance(coloured)).any()
    assert pdq(flat)[1].tolist() == [0, 0]


def test_one_pixel_of_one_level_is_no_flat_picture() -> None:
    for level in (0, 16, 254):
        luma = np.full((1, 64, 64), level, np.uint8)
        for place in ((0, 0), (31, 40), (63, 2)):
            changed = luma.copy()
            changed[0][place] += 1
            assert np.linalg.norm(dct_vector(changed)) == pytest.approx(1, abs=1e-6)


# The text and quality that pdqhash 0.2.8 gives.
@pytest.mark.parametrize(("height", "width", "text", "quality"), [
    (64, 64, "1ad516a52da5db2ab55a6a55d4b5392de2498caa7352ce2559c9a7131867479e", 100),
    (5, 9, "29d7d625d6282c9ec8d92c9729d7d9c89626d36029d7d625d6282c9fc9d92617", 0),
    (130, 200, "8c6218e338c6f1c6e3c6c38e0f0e1e1e7c1ef83ee03c80fc03fc5ff8ffd03500", 100),
    (480, 640, "fffadfe0ffeefffafbfefc28fc30da08aa48f8e0faca5188f100d20810000000", 100),
])  # fmt: skip
def test_known_hashes(height: int, width: int, text: str, quality: int) -> None:
    hashes, qualities = pdq(pdq_luminance(_picture(height, width))[None])
    assert hashes.dtype == np.uint8 and qualities.dtype == np.float32
    assert [each.tobytes().hex() for each in hashes] == [text]
    assert qualities.tolist() == [quality]


def _digest(hashes: np.ndarray, qualities: Sequence[float]) -> str:
    """Return a short digest of hashes (N, 32) uint8 and of their qualities, whole numbers."""
    return hashlib.sha256(hashes.tobytes() + bytes(map(int, qualities))).hexdigest()[:16]


def _agree_with_pdqhash(images: np.ndarray, hashes: np.ndarray, qualities: Sequence[float]) -> None:
    """Compare with the package pdqhash too, where it is: it is compiled where it is installed."""
    if importlib.util.find_spec("pdqhash") is None or platform.machine() not in ("x86_64", "AMD64"):
        return  # on other processors its compiler joins products and sums
    compute = importlib.import_module("pdqhash").compute
    found = [compute(image) for image in images]
    np.testing.assert_array_equal(hashes, np.packbits([bits for bits, _ in found], axis=1))
    assert list(qualities) == [quality for _, quality in found]


# Digests of what pdqhash 0.2.8 gives.
@pytest.mark.parametrize(("height", "width", "noisy", "plain"), [
    (64, 64, "b5609eb29de873f5", "4b81ca15c3b64c3a"),
    (5, 5, "a09d68189dd911e1", "4777b1d5f5bad9af"),
    (7, 300, "b5569e6943bc8e0c", "172bf0edd71f26cc"),
    (63, 64, "e6a39dcb51a2fe0d", "ae888f0dd15f3027"),
    (64, 65, "a31750803dcbd7f9", "9d828fe656aef310"),
    (127, 128, "af2dda3660737c7b", "93caf5ce5f66e347"),
    (129, 257, "2d2b60c82d28cc3c", "9e620634b023a0e7"),
    (240, 320, "840b17b25126c18e", "bd7d560910f46a72"),
    (385, 129, "caf20907d84ae039", "2bb1d11d1dcd7a30"),
])  # fmt: skip
def test_pdqhash_to_the_bit(height: int, width: int, noisy: str, plain: str) -> None:
    rng = np.random.default_rng([height, width])
    noise = rng.integers(0, 256, (12, height, width, 3), np.uint8)
    noise[4:8] //= 16
    blocks = rng.integers(0, 256, (12, -(-height // 9), -(-width // 9), 3), np.uint8)
    coarse = blocks.repeat(9, axis=1).repeat(9, axis=2)[:, :height, :width]
    for images, wanted in ((noise, noisy), (coarse, plain)):
        hashes, qualities = pdq(pdq_luminance(images))
        assert _digest(hashes, qualities.tolist()) == wanted
        _agree_with_pdqhash(images, hashes, qualities.tolist())


# Digests of what pdqhash 0.2.8 gives.
@pytest.mark.shared
@pytest.mark.parametrize(("film", "wanted"), [
    ("Megamind.avi", "b53231dc383c5c64"),
    ("carphone_pristine.mp4", "f347c3e542179a7e"),
    ("carphone_distorted.mp4", "4511d84db6bd7300"),
    ("mma_test.mp4", "ad860f3fc096d0dc"),
    ("bikes.mp4", "a748eef44eaadbfe"),
    ("torchcodec_nasa_13013.mp4", "f4728847c1b427d8"),
])  # fmt: skip
def test_pdqhash_to_the_bit_on_films(film: str, wanted: str, shared: Path) -> None:
    frames = _frames(shared / "data" / "detect-copy" / film)
    hashes, qualities = pdq(pdq_luminance(frames))
    assert _digest(hashes, qualities.tolist()) == wanted
    _agree_with_pdqhash(frames, hashes, qualities.tolist())


@pytest.mark.shared
def test_a_copy_is_nearer_than_any_other_film(shared: Path) -> None:
    """Frame by frame of a film, of it compressed to the extreme, and of two others."""
    folder = shared / "data" / "detect-copy"
    films = ("carphone_pristine.mp4", "carphone_distorted.mp4", "bikes.mp4", "mma_test.mp4")
    small = [pdq_luminance(_frames(folder / film)) for film in films]
    vectors = [dct_vector(each) for each in small]
    hashes = [pdq(each)[0] for each in small]
    same = (vectors[0] * vectors[1]).sum(axis=1)
    assert len(same) == 4 and same.min() > 0.9
    assert max((vectors[0] @ other.T).max() for other in vectors[2:]) < 0.7
    # PDQ's authors call hashes that differ in up to 31 bits the same picture; unrelated ones differ in about 128.
    distant = min(_distance(np.repeat(hashes[0][:1], len(other), axis=0), other).min() for other in hashes[2:])
    assert _distance(hashes[0], hashes[1]).max() < distant


def _frames(film: Path) -> np.ndarray:
    """Return four frames (4, H, W, 3) of a film, 20 apart."""
    from vtk.media.sampling import NATIVE
    from vtk.media.video import open_media

    reader = open_media(str(film))
    frames = [decoded.image(NATIVE) for decoded in reader.at(range(0, 80, 20), [NATIVE])]
    reader.close()
    return np.stack(frames)


def test_a_slight_change_is_few_bits_another_picture_half() -> None:
    luma = _smooth(10)
    hashes, qualities = pdq(luma)
    noisy = luma + np.random.default_rng(5).normal(0, 2, luma.shape).astype(np.float32)
    assert qualities.min() > 50
    assert _distance(hashes, pdq(noisy)[0]).max() <= 31
    assert _distance(hashes, pdq(np.roll(luma, 1, axis=0))[0]).min() > 80
    assert (np.unpackbits(hashes, axis=1).sum(axis=1) == 128).all()


def test_the_quality_counts_steep_changes() -> None:
    """Whole hundredths of white: a step of 3 levels is one, of 2 none; 90 of them are a point."""
    for step, wanted in ((2, 0), (3, 64 * 2 // 90), (255, 64 * 2 * 100 // 90)):
        luma = np.zeros((1, 64, 64), np.uint8)
        luma[:, :, 20:30] = step
        assert pdq(luma)[1].tolist() == [min(100, wanted)]


def test_small_luminance_by_hand() -> None:
    image = _picture(64, 64)
    weights = 0.299 * image[..., 0] + 0.587 * image[..., 1] + 0.114 * image[..., 2]
    np.testing.assert_array_equal(pdq_luminance(image), weights.astype(np.float32))
    # Nine pixels, each wide enough for seven of 64: the middle of each is taken.
    gray = image[:5, :9, 0]
    assert pdq_luminance(gray)[0].tolist() == [float(gray[0, int((i + 0.5) * 9 / 64)]) for i in range(64)]


def test_the_filter_is_two_boxes_each_way() -> None:
    """256 pixels: boxes of two, [1 1] * [1 1] / 4, which reach one pixel further to the right than to the left."""
    gray = np.random.default_rng(0).integers(0, 256, (256, 256), np.uint8)
    smooth = gray.astype(np.float64)
    for _ in range(2):
        smooth[:, :-1] = (smooth[:, :-1] + smooth[:, 1:]) / 2
        smooth[:-1] = (smooth[:-1] + smooth[1:]) / 2
    middle = np.arange(64) * 4 + 2
    # Quarters of whole numbers below 2^16: exact in float32 too.
    np.testing.assert_array_equal(pdq_luminance(gray), smooth[np.ix_(middle, middle)].astype(np.float32))


def test_luminance_of_a_stack_is_that_of_its_pictures_and_gray_is_gray() -> None:
    stack = np.random.default_rng(0).integers(0, 256, (3, 150, 70, 3), np.uint8)
    together = pdq_luminance(stack)
    for image, wanted in zip(stack, together, strict=True):
        np.testing.assert_array_equal(pdq_luminance(image), wanted)
    gray = stack[..., :1]
    np.testing.assert_array_equal(pdq_luminance(gray), pdq_luminance(gray.repeat(3, axis=3)))
    np.testing.assert_array_equal(pdq_luminance(gray[1, ..., 0]), pdq_luminance(gray)[1])
    assert (pdq_luminance(np.full((200, 300), 77, np.uint8)) == 77).all()


def test_none_are_none() -> None:
    for dtype in (np.uint8, np.float32):
        nothing = np.empty((0, 64, 64), dtype)
        assert dct_vector(nothing).shape == (0, 255)
        assert [each.shape for each in pdq(nothing)] == [(0, 32), (0,)]
    assert pdq_luminance(np.empty((0, 90, 100, 3), np.uint8)).shape == (0, 64, 64)


@pytest.mark.parametrize("function", [dct_vector, pdq])
@pytest.mark.parametrize(("luma", "message"), [
    (np.zeros((64, 64), np.uint8), r"luma: got a uint8 array of shape \(64, 64\), expected .* \(N, 64, 64\)"),
    (np.zeros((1, 64, 63), np.uint8), r"luma: got .* \(1, 64, 63\), expected"),
    (np.zeros((1, 64, 64)), "luma: got a float64 array of .*, expected a uint8 or float32"),
    ([[1]], "luma: got list, expected"),
    (np.full((1, 64, 64), 65537, np.float32), r"luma: got values from 65537.0 to .*, expected numbers in \[-65536"),
])  # fmt: skip
def test_refuses(function: object, luma: object, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        function(luma)


@pytest.mark.parametrize("function", [dct_vector, pdq])
@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_refuses_what_is_no_number(function: object, value: float) -> None:
    luma = np.zeros((3, 64, 64), np.float32)
    luma[1, 5, 6] = value
    with pytest.raises(ValueError, match="luma: got values from .* to .*, expected numbers in"):
        function(luma)


@pytest.mark.parametrize("shape", [(4, 90, 3), (90, 4), (2, 0, 9, 3)])
def test_refuses_pictures_too_small_for_pdq(shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match=r"image: got \d+ x \d+ pixels, expected at least 5 x 5"):
        pdq_luminance(np.zeros(shape, np.uint8))


def test_no_decoder_is_loaded() -> None:
    code = """
import sys
import numpy as np
from vtk.kernels.frame_signature import dct_vector, pdq, pdq_luminance
luma = pdq_luminance(np.zeros((70, 80, 3), np.uint8))[None]
dct_vector(luma), pdq(luma)
print(sorted({"av", "cv2", "torch"} & set(sys.modules)))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
