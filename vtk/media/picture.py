"""Pictures to RGB: every mode that Pillow reads, turned upright, and what can be had of a broken file."""

from __future__ import annotations

import io
import struct
import warnings
import zlib
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from vtk.errors import MediaError

# What Pillow's parsers raise on files that are cut or forged.
BROKEN = (OSError, SyntaxError, ValueError, TypeError, KeyError, IndexError, EOFError, OverflowError, MemoryError,
          struct.error, zlib.error)
# Degrees clockwise by EXIF orientation (CIPA DC-008, 4.6.4 A); 2, 4, 5 and 7 mirror besides.
ROTATIONS = {3: 180, 4: 180, 5: 90, 6: 90, 7: 270, 8: 270}
_ORIENTATION = 0x0112
_HEIF_BRANDS = (b"heic", b"heix", b"hevc", b"heim", b"heis", b"mif1", b"msf1")


@dataclass(frozen=True, slots=True)
class Picture:
    """A decoded picture.

    Attributes:
        image: (H, W, 3) uint8 RGB, upright.
        codec: the file's format, as ``jpeg``.
        rotation: degrees clockwise that were applied.
        damage: what is wrong with the file, though part of it could be had; None when it is whole.
    """

    image: np.ndarray
    codec: str
    rotation: int
    damage: str | None = None


def read_picture(path: str) -> Picture:
    """Read a picture; of several in one file the first.

    Grey of 16 bits is scaled to 8, floats are taken to range over [0, 1]; what is transparent is laid over white.

    Raises:
        MediaError: E_OPEN it cannot be read from the disk; E_EMPTY an empty file; E_DECODE nothing of it can be
            decoded, its format needs a package that is missing, or it unpacks to too many pixels.
    """
    try:
        with open(path, "rb") as file:
            data = file.read()
    except OSError as error:
        raise MediaError(f"cannot be opened: {error.strerror}", code="E_OPEN") from None
    if not data:
        raise MediaError("is an empty file", code="E_EMPTY")
    with warnings.catch_warnings():
        # Pillow warns of odd tags, and of pictures from half its limit on: what it does not refuse is read.
        warnings.simplefilter("ignore")
        return _decoded(data)


def _decoded(data: bytes) -> Picture:
    """Return the picture in the bytes of a file, or raise MediaError E_DECODE."""
    picture, damage = _opened(data), None
    try:
        picture.load()
    except BROKEN as error:
        damage = _line(error)
        picture = _salvaged(data, damage)
    codec = (picture.format or "unknown").lower()
    try:
        turn = picture.getexif().get(_ORIENTATION, 1)
        upright = ImageOps.exif_transpose(picture)
    except BROKEN as error:
        turn, upright, damage = 1, picture, damage or f"its EXIF cannot be read: {_line(error)}"
    image = _rgb(upright)
    if damage and (image == image[0, 0]).all():
        raise MediaError(f"nothing of it can be decoded: {damage}")
    return Picture(image, codec, ROTATIONS.get(turn, 0), damage)


def _opened(data: bytes) -> Image.Image:
    """Return a picture of which the header was read."""
    if data[4:8] == b"ftyp" and data[8:12] in _HEIF_BRANDS:
        return _heif(data)
    try:
        return Image.open(io.BytesIO(data))
    except Image.DecompressionBombError as error:
        raise MediaError(f"unpacks to too many pixels: {_line(error)}") from None
    except UnidentifiedImageError:
        raise MediaError("is no picture of a known format") from None
    except BROKEN as error:
        raise MediaError(f"its header cannot be read: {_line(error)}") from None


def _heif(data: bytes) -> Image.Image:
    try:
        import pillow_heif
    except ImportError:
        raise MediaError("is HEIC, which needs pillow-heif: pip install 'vidtk[heif]'", code="E_OPEN") from None
    try:
        picture = pillow_heif.open_heif(data, convert_hdr_to_8bit=True).to_pillow()
    except BROKEN as error:
        raise MediaError(f"its header cannot be read: {_line(error)}") from None
    picture.format = "HEIF"
    return picture


def _salvaged(data: bytes, damage: str) -> Image.Image:
    """Return what can be decoded of a picture that broke."""
    try:
        if data[:2] == b"\xff\xd8":
            # With an end marker libjpeg gives all scans up to there, of progressive files as well.
            data += b"\xff\xd9"
        picture = _opened(data)
        try:
            picture.load()
        except BROKEN:
            picture.tile = []  # nothing more to decode: what is in memory is the picture
            picture.load()
        return picture
    except BROKEN:
        raise MediaError(f"nothing of it can be decoded: {damage}") from None


def _rgb(picture: Image.Image) -> np.ndarray:
    """Return a picture of any mode as (H, W, 3) uint8."""
    if picture.mode.startswith("I") or picture.mode == "F":
        grey = _eight_bits(np.asarray(picture))
        return np.repeat(grey[:, :, None], 3, axis=2)
    if picture.mode in ("RGBA", "RGBa", "LA", "La", "PA") or "transparency" in picture.info:
        clear = picture.convert("RGBA")
        picture = Image.alpha_composite(Image.new("RGBA", clear.size, "white"), clear)
    return np.array(picture.convert("RGB"))


def _eight_bits(grey: np.ndarray) -> np.ndarray:
    """Return (H, W) grey of 16 bits, or of floats over [0, 1], as uint8; what is beyond the range is clipped."""
    top = 1.0 if grey.dtype.kind == "f" else 65535.0
    return np.rint(np.clip(np.nan_to_num(grey.astype(np.float32)) / top, 0, 1) * 255).astype(np.uint8)


def _line(error: BaseException) -> str:
    """Return what an error says, or its kind, as one line."""
    return " ".join(str(error).split()) or type(error).__name__
