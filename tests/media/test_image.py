"""Images of every kind come as upright 8-bit RGB; those that cannot are refused in one line."""

from __future__ import annotations

import os
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from cards import card, number_on
from vtk.errors import MediaError
from vtk.media.image import load, write_image
from vtk.media.sampling import NATIVE, Size
from vtk.media.video import open_media

NUMBER = 0b0110_1001_1100_0101  # no rotation or mirror image of its card shows a number


def everything(index: int, t: float) -> bool:
    return True


def only(path: Path) -> np.ndarray:
    """Return the one frame of an image source."""
    reader = open_media(os.fspath(path))
    (frame,) = reader.frames([NATIVE], everything)
    assert (frame.index, frame.pts, frame.t, reader.info.kind, reader.errors) == (0, None, 0.0, "image", [])
    assert frame.image().dtype == np.uint8 and frame.image().flags.c_contiguous
    assert frame.image().shape == (reader.info.height, reader.info.width, 3)
    return frame.image()


@pytest.mark.parametrize(("name", "options"), [
    ("a.jpg", {"quality": 95}), ("a.png", {}), ("a.webp", {"quality": 95}), ("a.avif", {"quality": 95}),
    ("a.tiff", {}), ("a.bmp", {}), ("a.jp2", {}), ("upper.JPG", {"quality": 95})])
def test_formats(tmp_path: Path, name: str, options: dict[str, int]) -> None:
    Image.fromarray(card(NUMBER)).save(tmp_path / name, **options)
    image = only(tmp_path / name)
    assert number_on(image) == NUMBER
    strip = (slice(70, 90), slice(40, 100))  # plain colour, away from edges
    assert np.abs(image[strip].astype(int) - card(NUMBER)[strip]).mean() < 8  # lossy codecs, channels in order


@pytest.mark.parametrize("name", ["a.png", "a.tif"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_orientation_is_applied(tmp_path: Path, orientation: int, name: str) -> None:
    # What a camera stores so that the card is displayed: the inverse of each orientation (Exif 2.32, 4.6.4).
    store = {1: lambda a: a, 2: np.fliplr, 3: lambda a: np.rot90(a, 2), 4: np.flipud, 5: lambda a: a.swapaxes(0, 1),
             6: lambda a: np.rot90(a, 1), 7: lambda a: np.rot90(a, 2).swapaxes(0, 1), 8: lambda a: np.rot90(a, -1)}
    exif = Image.Exif()
    exif[0x0112] = orientation
    stored = np.ascontiguousarray(store[orientation](card(NUMBER)))
    Image.fromarray(stored).save(tmp_path / name, exif=exif)
    image = only(tmp_path / name)
    assert np.array_equal(image, card(NUMBER))
    if orientation in (1, 3, 6, 8):
        assert open_media(os.fspath(tmp_path / name)).info.rotation == {1: 0, 3: 180, 6: 90, 8: 270}[orientation]


def test_16_bit_samples_keep_their_upper_8_bits(tmp_path: Path) -> None:
    ramp = np.linspace(0, 65535, 64 * 64).astype(np.uint16).reshape(64, 64)
    Image.fromarray(ramp).save(tmp_path / "grey.png")
    assert np.array_equal(only(tmp_path / "grey.png"), np.repeat((ramp >> 8).astype(np.uint8)[..., None], 3, 2))
    colour = np.stack([ramp, ramp[::-1], ramp.T], axis=2)
    (tmp_path / "rgb.png").write_bytes(cv2.imencode(".png", colour[..., ::-1])[1].tobytes())
    assert np.abs(only(tmp_path / "rgb.png").astype(int) - (colour >> 8)).max() <= 1  # libpng may round


def test_grey_palette_and_bilevel_become_rgb(tmp_path: Path) -> None:
    grey = Image.fromarray(card(NUMBER)).convert("L")
    grey.save(tmp_path / "grey.png")
    assert np.array_equal(only(tmp_path / "grey.png"), np.repeat(np.asarray(grey)[..., None], 3, 2))
    grey.convert("1").save(tmp_path / "bits.png")
    assert set(np.unique(only(tmp_path / "bits.png"))) == {0, 255}
    palette = Image.fromarray(card(NUMBER)).quantize(16)
    palette.save(tmp_path / "palette.png")
    assert np.array_equal(only(tmp_path / "palette.png"), np.asarray(palette.convert("RGB")))


def test_transparent_pixels_lie_on_white(tmp_path: Path) -> None:
    rgba = np.zeros((8, 8, 4), np.uint8)
    rgba[:, :4] = (200, 30, 30, 255)
    rgba[:4, 4:] = (200, 30, 30, 0)
    rgba[4:, 4:] = (0, 0, 0, 128)
    Image.fromarray(rgba).save(tmp_path / "a.png")
    image = only(tmp_path / "a.png")
    assert (image[0, 0] == (200, 30, 30)).all() and (image[0, 7] == 255).all()
    assert np.abs(image[7, 7].astype(int) - 127).max() <= 1  # half black on white
    flat = Image.new("P", (4, 4), 1)
    flat.putpalette([0, 0, 255, 255, 0, 0])
    flat.save(tmp_path / "p.png", transparency=1)
    assert (only(tmp_path / "p.png") == 255).all()


def test_cmyk_is_converted(tmp_path: Path) -> None:
    Image.fromarray(card(NUMBER)).convert("CMYK").save(tmp_path / "a.jpg", quality=95)
    assert number_on(only(tmp_path / "a.jpg")) == NUMBER


def test_an_animation_gives_its_first_frame(tmp_path: Path) -> None:
    frames = [Image.fromarray(card(number)) for number in (NUMBER, 1, 2)]
    frames[0].save(tmp_path / "a.webp", save_all=True, append_images=frames[1:], lossless=True)
    assert number_on(only(tmp_path / "a.webp")) == NUMBER


def test_sizes_are_scaled_and_read_only(tmp_path: Path) -> None:
    Image.fromarray(card(NUMBER)).save(tmp_path / "a.png")
    (frame,) = open_media(os.fspath(tmp_path / "a.png")).frames([], everything)
    for size, shape in ((Size("long", 64), (48, 64, 3)), (Size("short", 192), (192, 256, 3)),
                        (Size("exact", 50, 70), (70, 50, 3))):
        assert frame.image(size).shape == shape
        assert number_on(frame.image(size)) == NUMBER
        assert frame.image(size) is frame.image(size)
    with pytest.raises(ValueError, match="read-only"):
        frame.image()[0, 0] = 0


def test_names_that_are_not_utf8_open(tmp_path: Path) -> None:
    path = os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9\n\".png")
    Image.fromarray(card(NUMBER)).save(path)
    assert number_on(only(Path(path))) == NUMBER


@pytest.mark.parametrize(("name", "content", "code", "message"), [
    ("a.png", b"", "E_EMPTY", "empty file"),
    ("a.jpg", b"hello, I am text", "E_OPEN", "its content is none that is known.*hello, I am te"),
    ("a.jpg", None, "E_DECODE", "damaged image: image file is truncated"),
    ("missing.png", None, "E_OPEN", "No such file"),
])
def test_what_is_no_image_is_refused(tmp_path: Path, name: str, content: bytes | None, code: str, message: str) -> None:
    if content is not None:
        (tmp_path / name).write_bytes(content)
    elif name == "a.jpg":
        Image.fromarray(card(NUMBER)).save(tmp_path / "whole.jpg")
        whole = (tmp_path / "whole.jpg").read_bytes()
        (tmp_path / name).write_bytes(whole[: len(whole) * 6 // 10])
    with pytest.raises(MediaError, match=message) as refused:
        open_media(os.fspath(tmp_path / name))
    assert refused.value.code == code
    assert "\n" not in str(refused.value)


def test_floating_point_samples_are_refused(tmp_path: Path) -> None:
    Image.fromarray(np.ones((4, 4), np.float32)).save(tmp_path / "a.tiff")
    with pytest.raises(MediaError, match="floating-point"):
        load(os.fspath(tmp_path / "a.tiff"))


def test_heic_without_its_extra_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "pillow_heif", None)
    (tmp_path / "a.heic").write_bytes(b"\0\0\0\x18ftypheic")
    with pytest.raises(MediaError, match=r"pip install 'vidtk\[heif\]'"):
        open_media(os.fspath(tmp_path / "a.heic"))


@pytest.mark.parametrize("name", ["a.jpg", "a.png", "a.webp"])
def test_written_images_come_back(tmp_path: Path, name: str) -> None:
    write_image(tmp_path / name, card(NUMBER), 95)
    assert number_on(only(tmp_path / name)) == NUMBER
    assert os.listdir(tmp_path) == [name]


def test_quality_counts(tmp_path: Path) -> None:
    for quality in (20, 95):
        write_image(tmp_path / f"{quality}.jpg", card(NUMBER), quality)
    assert (tmp_path / "20.jpg").stat().st_size < (tmp_path / "95.jpg").stat().st_size


def test_an_image_that_cannot_be_written_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(MediaError, match="cannot write .*missing/a.jpg: No such file or directory") as refused:
        write_image(tmp_path / "missing" / "a.jpg", card(0))
    assert refused.value.code == "E_ENCODE"


@pytest.mark.parametrize("name", ["a.jpg", "a.webp", "a.png"])
def test_pixels_outlive_exif_that_is_damaged(tmp_path: Path, name: str) -> None:
    Image.fromarray(card(NUMBER)).save(tmp_path / name, exif=b"Exif\0\0MM\0*no directory of tags at all", quality=95)
    assert number_on(only(tmp_path / name)) == NUMBER
    Image.fromarray(card(NUMBER)).save(tmp_path / name, exif=b"Exif\0\0no TIFF", quality=95)
    assert number_on(only(tmp_path / name)) == NUMBER


def test_a_damaged_avif_is_said_to_be_one(tmp_path: Path) -> None:
    Image.fromarray(card(NUMBER)).save(tmp_path / "a.avif")
    data = (tmp_path / "a.avif").read_bytes()
    (tmp_path / "a.avif").write_bytes(data.replace(b"av01", b"av99"))
    with pytest.raises(MediaError, match="is a damaged image") as caught:
        load(os.fspath(tmp_path / "a.avif"))
    assert caught.value.code == "E_DECODE"
