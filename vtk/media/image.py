"""Images: JPEG, PNG, WebP, AVIF, TIFF and what else Pillow reads, HEIC by an extra; and image files written."""

from __future__ import annotations

import os
import struct
import warnings
from collections.abc import Iterator

import numpy as np
from PIL import Image, UnidentifiedImageError, features
from PIL.Image import Transpose

from vtk.errors import MediaError
from vtk.media.frames import Decoded, resizer
from vtk.media.info import MediaInfo
from vtk.media.names import suffix
from vtk.media.reader import SequentialReader

_ORIENTATION = 0x0112  # EXIF tag
# EXIF orientation to degrees clockwise; the even ones and 5, 7 are mirrored besides, which is applied too.
_DEGREES = {3: 180, 4: 180, 5: 90, 6: 90, 7: 270, 8: 270}
_TURNS = {2: Transpose.FLIP_LEFT_RIGHT, 3: Transpose.ROTATE_180, 4: Transpose.FLIP_TOP_BOTTOM, 5: Transpose.TRANSPOSE,
          6: Transpose.ROTATE_270, 7: Transpose.TRANSVERSE, 8: Transpose.ROTATE_90}
# What Pillow raises for EXIF that is none.
BROKEN_EXIF = (OSError, ValueError, SyntaxError, LookupError, TypeError, AttributeError, ArithmeticError, RuntimeError,
               struct.error)

# Pillow warns of large images, and of EXIF that is cut. Once for all: to be quiet for a while is not safe in threads.
# Behind the filters that are there: a program that imports this may want to hear of them.
warnings.filterwarnings("ignore", module=r"PIL\.", append=True)


class ImageReader(SequentialReader):
    """Reads an image as a source of one frame: frame 0 at t 0. Of an animation or many pages, the first."""

    def __init__(self, path: str, size: int | None = None, fingerprint: str | None = None) -> None:
        super().__init__()
        self._image, codec, rotation = load(path)
        self.decoded = 1
        height, width = self._image.shape[:2]
        self.info = MediaInfo("image", width, height, codec=codec, rotation=rotation, size=size,
                              fingerprint=fingerprint, decoder="pillow")

    def _read(self) -> Iterator[Decoded]:
        height, width = self._image.shape[:2]
        yield Decoded(0, None, 0.0, width, height, resizer(self._image))


def load(path: str) -> tuple[np.ndarray, str, int]:
    """Return an image file as (H, W, 3) uint8 RGB, upright, with its codec and the degrees clockwise it was turned.

    16-bit samples keep their upper 8 bits, grey becomes RGB, palettes and CMYK are converted, and what is
    transparent lies on white, as a viewer shows it.

    Raises:
        MediaError: E_OPEN it cannot be read or is of a kind that nothing here reads; E_DECODE its data are damaged.
    """
    try:
        with open(path, "rb") as file:
            make_ready(path)
            with Image.open(file) as image:
                codec = (image.format or "image").lower()
                # Pillow turns TIFF itself as it loads it; of PNG it cannot be asked before.
                stored = _orientation(image) if codec != "png" else 1
                image.load()
                left = _orientation(image)
                upright = image.transpose(_TURNS[left]) if left in _TURNS else image
                return np.ascontiguousarray(_rgb(upright)), codec, _DEGREES.get(max(stored, left), 0)
    except (UnidentifiedImageError, ModuleNotFoundError):
        # ultralytics, once loaded, replaces Image.open by one that wants pi_heif for whatever Pillow does not know.
        raise MediaError(_unknown(path), code="E_OPEN") from None
    except Image.DecompressionBombError as error:
        raise MediaError(f"is too large for an image: {error}", code="E_OPEN") from None
    except (OSError, ValueError, SyntaxError, RuntimeError) as error:
        if isinstance(error, OSError) and error.errno is not None:
            raise MediaError(f"cannot be opened: {error.strerror}", code="E_OPEN") from None
        # Pillow says broken data in any of these four; the last is AVIF's.
        raise MediaError(f"is a damaged image: {' '.join(str(error).split())}") from None


def size_of(path: str) -> tuple[int, int] | None:
    """Return (width, height) in pixels as an image file's head says; None where it cannot be told."""
    try:
        with open(path, "rb") as file:
            make_ready(path)
            with Image.open(file) as image:
                return image.size
    except (MediaError, ModuleNotFoundError, Image.DecompressionBombError, *BROKEN_EXIF):
        return None


def write_image(path: str | os.PathLike[str], image: np.ndarray, quality: int = 92) -> None:
    """Write (H, W, 3) uint8 RGB as JPEG, PNG or WebP, as the suffix says; the file appears when it is whole.

    Args:
        path: ends in .jpg, .jpeg, .png or .webp.
        image: the pixels.
        quality: 1 to 100, of JPEG and WebP.

    Raises:
        MediaError: E_ENCODE the file cannot be written.
    """
    import cv2

    name = os.fspath(path)
    part = name + ".part"
    try:
        data = encode_image(image, suffix(name), quality)
        with open(part, "wb") as file:
            file.write(data)
        os.replace(part, name)
    except (OSError, cv2.error) as error:
        if os.path.isfile(part):
            os.unlink(part)
        why = error.strerror if isinstance(error, OSError) else " ".join(str(error).split())
        raise MediaError(f"cannot write {name}: {why}", code="E_ENCODE") from None


def encode_image(image: np.ndarray, kind: str, quality: int = 92) -> bytes:
    """Return (H, W, 3) uint8 RGB as the bytes of an image file.

    Args:
        image: the pixels.
        kind: .jpg, .jpeg, .png or .webp.
        quality: 1 to 100, of JPEG and WebP.
    """
    import cv2

    flag = {".jpg": cv2.IMWRITE_JPEG_QUALITY, ".jpeg": cv2.IMWRITE_JPEG_QUALITY, ".webp": cv2.IMWRITE_WEBP_QUALITY}
    options = [flag[kind], quality] if kind in flag else []
    return cv2.imencode(kind, cv2.cvtColor(image, cv2.COLOR_RGB2BGR), options)[1].tobytes()


def _orientation(image: Image.Image) -> int:
    """Return how EXIF says that an image is stored, 1 to 8; 1 where it is silent, or damaged: pixels outlive it."""
    try:
        said = image.getexif().get(_ORIENTATION, 1)
    except BROKEN_EXIF:
        return 1
    return said if isinstance(said, int) else 1


def _rgb(image: Image.Image) -> np.ndarray:
    """Return any Pillow image as (H, W, 3) uint8 RGB."""
    if image.mode.startswith("I;16") or image.mode == "I":
        grey = np.asarray(image).astype(np.int64)
        return np.repeat((grey.clip(0, 65535) >> 8).astype(np.uint8)[:, :, None], 3, axis=2)
    if image.mode == "F":
        raise ValueError("its samples are floating-point numbers, whose range nothing says")
    if image.mode in ("LA", "PA", "La", "RGBa") or "transparency" in image.info:
        image = image.convert("RGBA")
    if image.mode == "RGBA":
        white = Image.new("RGBA", image.size, (255, 255, 255, 255))
        image = Image.alpha_composite(white, image)
    return np.asarray(image.convert("RGB"))


def make_ready(path: str) -> None:
    """Make Pillow ready for formats that it reads only with something added.

    Raises:
        MediaError: E_OPEN what would have to be added is missing.
    """
    kind = suffix(path)
    if kind in (".heic", ".heif"):
        try:
            import pillow_heif
        except ImportError:
            raise MediaError("is a HEIC image, which needs the extra heif: pip install 'vidtk[heif]'",
                             code="E_OPEN") from None
        pillow_heif.register_heif_opener()
    if kind == ".avif" and not features.check("avif"):
        raise MediaError("is an AVIF image, and this Pillow was built without AVIF: pip install -U pillow",
                         code="E_OPEN")


def _unknown(path: str) -> str:
    with open(path, "rb") as file:
        head = file.read(16)
    return f"is named as an image, and its content is none that is known (it begins with {head!r})"
