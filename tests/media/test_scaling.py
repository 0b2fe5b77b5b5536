"""Frames come as RGB of the wanted size, near to what averaging the full picture gives, in every pixel format."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import av
import cv2
import numpy as np
import pytest
from av.video.reformatter import Interpolation
from cards import card, number_on

from vtk.media.scaling import Scalers

FORMATS = ("yuv420p", "yuvj420p", "yuv422p", "yuv444p", "yuv420p10le", "nv12", "gray", "rgb24", "gbrp", "yuva420p")


def picture(width: int = 320, height: int = 240) -> np.ndarray:
    """Return a smooth coloured picture, (height, width, 3) uint8."""
    y, x = np.mgrid[:height, :width]
    waves = [127 + 100 * np.sin(x / 40 + k) * np.cos(y / (30 + 5 * k)) for k in range(3)]
    return np.stack(waves, 2).astype(np.uint8)


@pytest.mark.parametrize("pix_fmt", FORMATS)
@pytest.mark.parametrize("size", [(320, 240), (160, 120), (101, 75), (640, 480)])
def test_every_pixel_format_scales_like_the_full_picture(pix_fmt: str, size: tuple[int, int]) -> None:
    frame = av.VideoFrame.from_ndarray(picture(), format="rgb24").reformat(format=pix_fmt)
    full = frame.to_ndarray(format="rgb24")
    image = Scalers().of(frame, 0)(*size)
    assert (image.shape, image.dtype) == ((size[1], size[0], 3), np.uint8)
    how = cv2.INTER_AREA if size[0] < 320 else cv2.INTER_LINEAR
    # Measured at most 1.56: chroma is sampled once at the small size instead of at the large one, and YUV is rounded.
    assert np.abs(image.astype(int) - cv2.resize(full, size, interpolation=how)).mean() < 2


@pytest.mark.parametrize("pix_fmt", ["yuv420p", "yuvj420p", "yuv422p", "yuv444p", "gray", "rgb24", "gbrp"])
@pytest.mark.parametrize("size", [(40, 30), (7, 5)])
def test_much_smaller_pictures_are_the_average_of_what_lies_under(pix_fmt: str, size: tuple[int, int]) -> None:
    """Not so of formats that swscale alone reads, such as ten bits: at 7 x 5 it is off by 17 levels."""
    frame = av.VideoFrame.from_ndarray(picture(), format="rgb24").reformat(format=pix_fmt)
    full = frame.to_ndarray(format="rgb24")
    off = np.abs(Scalers().of(frame, 0)(*size).astype(int) - cv2.resize(full, size, interpolation=cv2.INTER_AREA))
    assert off.mean() < 2


@pytest.mark.parametrize(("range_", "matrix", "expected"), [
    (0, 2, (242, 83, 51)), (1, 1, (255, 97, 47)), (2, 1, (239, 99, 55)), (2, 5, (226, 87, 58))])
@pytest.mark.parametrize("size", [(64, 64), (32, 32), (8, 8)])
def test_colour_follows_the_frames_own_range_and_matrix(range_: int, matrix: int, expected: tuple[int, int, int],
                                                        size: tuple[int, int]) -> None:
    """By hand for Y 126, Cb 90, Cr 200 (ITU-T H.273): limited BT.601 (when nothing is said) and BT.709, and full."""
    frame = av.VideoFrame(64, 64, "yuv420p")
    for plane, value in zip(frame.planes, (126, 90, 200), strict=True):
        plane.update(bytes([value]) * plane.buffer_size)
    frame.color_range, frame.colorspace = range_, matrix
    # 2 levels: swscale works in integers.
    assert np.abs(Scalers().of(frame, 0)(*size)[5, 5].astype(int) - expected).max() <= 2


@pytest.mark.parametrize("rotation", [0, 90, 180, 270])
def test_rotation_gives_the_displayed_picture_in_the_displayed_size(rotation: int) -> None:
    stored = np.ascontiguousarray(np.rot90(card(0b1011_0010_0111), rotation // 90))
    image = Scalers().of(av.VideoFrame.from_ndarray(stored, format="rgb24"), rotation)(64, 48)
    assert image.shape == (48, 64, 3)
    assert number_on(image) == 0b1011_0010_0111


def test_one_scaler_serves_several_threads() -> None:
    scalers = Scalers()
    frames = [av.VideoFrame.from_ndarray(card(number), format="rgb24").reformat(format="yuv420p")
              for number in range(64)]
    with ThreadPoolExecutor(4) as pool:
        images = list(pool.map(lambda frame: scalers.of(frame, 0)(64, 48), frames))
    assert [number_on(image) for image in images] == list(range(64))


@pytest.mark.parametrize("size", [(40, 30), (160, 120)])
def test_one_frame_serves_several_threads(size: tuple[int, int]) -> None:
    frame = av.VideoFrame.from_ndarray(picture(), format="rgb24").reformat(format="yuv420p")
    wanted, scalers = Scalers().of(frame, 0)(*size), Scalers()
    with ThreadPoolExecutor(4) as pool:
        images = list(pool.map(lambda _: scalers.of(frame, 0)(*size), range(64)))
    assert all((image == wanted).all() for image in images)


@pytest.mark.parametrize(("width", "height"), [(642, 272), (340, 256), (1080, 1920), (322, 1026)])
def test_planes_of_any_width_are_read_as_they_lie(width: int, height: int) -> None:
    """Their rows lie further apart than they are wide, and what stands between belongs to no picture."""
    frame = av.VideoFrame(width, height, "yuv420p")
    for plane, value in zip(frame.planes, (126, 128, 128), strict=True):
        rows = np.full((plane.height, plane.line_size), 255, np.uint8)
        rows[:, : plane.width] = value
        plane.update(rows.tobytes().ljust(plane.buffer_size, b"\xff"))
    assert np.abs(Scalers().of(frame, 0)(32, 32).astype(int) - 128).max() <= 1


def test_much_smaller_pictures_are_nearer_to_the_average_than_swscales() -> None:
    """Rows are left out of a tall plane: those that are left still tell the mean of a picture with detail."""
    noisy = np.random.default_rng(3).integers(0, 256, (1200, 1600, 3), dtype=np.uint8)
    noisy = cv2.GaussianBlur(noisy, (0, 0), 2) // 2 + cv2.resize(picture(), (1600, 1200)) // 2
    frame = av.VideoFrame.from_ndarray(noisy, format="rgb24").reformat(format="yuv420p")
    full = cv2.resize(frame.to_ndarray(format="rgb24"), (64, 64), interpolation=cv2.INTER_AREA).astype(int)
    swscale = frame.reformat(64, 64, format="yuv420p", interpolation=Interpolation.AREA).to_ndarray(format="rgb24")
    ours = np.abs(Scalers().of(frame, 0)(64, 64) - full).mean()
    assert ours < 1.5 and ours < np.abs(swscale - full).mean()
