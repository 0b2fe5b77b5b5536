"""A single picture as a source of one frame, and pictures as files."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Sequence

import cv2
import numpy as np

from vtk.errors import MediaError, UsageError
from vtk.media.frames import Decoded
from vtk.media.info import MediaInfo
from vtk.media.names import suffix
from vtk.media.picture import read_picture
from vtk.media.resize import resizer
from vtk.media.sampling import Size

WRITTEN = (".jpg", ".jpeg", ".png", ".webp")


class ImageReader:
    """Reads a picture: frame 0 at 0 seconds, without a timestamp. It is held in memory from the start."""

    def __init__(self, path: str, size: int | None = None, fingerprint: str | None = None) -> None:
        picture = read_picture(path)
        height, width = picture.image.shape[:2]
        self.info = MediaInfo("image", width, height, codec=picture.codec, rotation=picture.rotation, frames=1,
                              size=size, fingerprint=fingerprint, decoder="pillow")
        self.errors = [MediaError(f"only part of it could be decoded: {picture.damage}")] if picture.damage else []
        self.decoded = 1
        self._frame = Decoded(0, None, 0.0, width, height, resizer(picture.image))

    def frames(self, sizes: Sequence[Size], choose: Callable[[int, float], bool], start: float | None = None,
               end: float | None = None) -> Iterator[Decoded]:
        """Yield the picture if ``choose(0, 0.0)`` wants it and the span, in seconds, holds 0."""
        if (start is None or start <= 0) and (end is None or end > 0) and choose(0, 0.0):
            yield self._sized(sizes)

    def at(self, indices: Iterable[int], sizes: Sequence[Size]) -> Iterator[Decoded]:
        """Yield the picture for index 0; there is no other frame."""
        for index in indices:
            if index == 0:
                yield self._sized(sizes)

    def close(self) -> None:
        """Nothing: the file was closed when it had been read."""

    def _sized(self, sizes: Sequence[Size]) -> Decoded:
        for size in sizes:
            self._frame.image(size)
        return self._frame


def write_image(path: str | os.PathLike[str], image: np.ndarray, quality: int = 95) -> None:
    """Write a picture; the file appears under its name when it is whole.

    Args:
        path: ends in one of ``WRITTEN``; need not be UTF-8.
        image: (H, W, 3) uint8 RGB.
        quality: 1 to 100, for JPEG and WebP; PNG loses nothing.

    Raises:
        UsageError: an unknown suffix.
        MediaError: E_ENCODE, it cannot be encoded or written.
    """
    name = os.fspath(path)
    kind = suffix(name)
    if kind not in WRITTEN:
        raise UsageError(f"{name}: a picture is written to a name that ends in {', '.join(WRITTEN)}")
    if image.ndim != 3 or image.shape[2] != 3 or image.dtype != np.uint8 or not image.size:
        raise ValueError(f"image is {image.dtype} {image.shape}: uint8 (H, W, 3) is expected")
    if not 1 <= quality <= 100:
        raise ValueError(f"quality is {quality}: 1 to 100 is expected")
    options = {".png": [], ".webp": [cv2.IMWRITE_WEBP_QUALITY, quality]}.get(kind, [cv2.IMWRITE_JPEG_QUALITY, quality])
    try:
        done, data = cv2.imencode(kind, cv2.cvtColor(image, cv2.COLOR_RGB2BGR), options)
    except cv2.error:
        done = False
    if not done:
        raise MediaError(f"cannot write {name}: {image.shape[1]} x {image.shape[0]} pixels do not fit {kind}",
                         code="E_ENCODE")
    _put(name, data)


def _put(name: str, data: np.ndarray) -> None:
    """Write bytes to a part file and rename it; a device or a pipe is written to directly."""
    target = os.path.realpath(name)
    direct = os.path.exists(target) and not os.path.isfile(target)
    part = target if direct else target + ".part"
    try:
        with open(part, "wb") as file:
            file.write(data)
        if not direct:
            os.replace(part, target)
    except OSError as error:
        if not direct and os.path.isfile(part):
            os.unlink(part)
        raise MediaError(f"cannot write {name}: {error.strerror}", code="E_ENCODE") from None
