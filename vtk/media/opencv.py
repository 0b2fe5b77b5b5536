"""OpenCV behind the reader interface: files on request (``--decoder opencv``), and local cameras."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from typing import Any

import cv2
import numpy as np

from vtk.errors import MediaError
from vtk.media.frames import Decoded, resizer
from vtk.media.info import MediaInfo
from vtk.media.names import is_webcam
from vtk.media.reader import SequentialReader


class OpencvReader(SequentialReader):
    """Reads a file, or the camera ``webcam:N``, by cv2.VideoCapture.

    Its faults (measured): it cannot tell the end from damage, so a file that breaks off ends silently and nothing
    stands in ``errors``; AV1 opens and gives no frame; it drops frames after damage without a gap in their numbers;
    its timestamps are not the stream's, so frames have a t and no pts; where files were put one behind the other its
    time begins anew, and t stays where it was until that is made up for.
    """

    def __init__(self, path: str, size: int | None = None, fingerprint: str | None = None,
                 threads: int | None = None) -> None:
        super().__init__()
        self._live = is_webcam(path)
        self._capture = _camera(path) if self._live else _file(path, threads)
        self._origin: float | None = None
        self._t = 0.0
        first = self._next()
        if first is None:
            self._capture.release()
            if self._live:
                raise MediaError(f"the camera {path} gives no picture; is it there, and free?", code="E_OPEN")
            raise MediaError("no frame could be decoded by OpenCV, which does not say why; --decoder pyav reads more")
        self._held: Decoded | None = first
        self._rate = self._capture.get(cv2.CAP_PROP_FPS) or None
        height, width = first.image().shape[:2]
        count = int(self._capture.get(cv2.CAP_PROP_FRAME_COUNT))
        frames = count if count > 0 and not self._live else None
        self.info = MediaInfo(
            "stream" if self._live else "video", width, height, self._rate,
            frames / self._rate if frames and self._rate else None, _codec(self._capture),
            round(self._capture.get(cv2.CAP_PROP_ORIENTATION_META)) % 360, frames=frames, size=size,
            fingerprint=fingerprint, decoder="opencv")

    def close(self) -> None:
        """Close the file or the camera."""
        self._capture.release()

    def _read(self) -> Iterator[Decoded]:
        if self._held is not None:
            frame, self._held = self._held, None
            yield frame
        while (following := self._next()) is not None:
            yield following

    def _next(self) -> Decoded | None:
        """Return the next frame; None at the end, or where OpenCV gives up."""
        done, bgr = self._capture.read()
        if not done:
            return None
        now = time.monotonic() if self._live else self._capture.get(cv2.CAP_PROP_POS_MSEC) / 1000
        if self._origin is None:
            self._origin = now
        index = self.decoded
        self.decoded += 1
        height, width = bgr.shape[:2]
        self._t = max(self._t, now - self._origin)
        return Decoded(index, None, self._t, width, height, _converter(bgr))


def _converter(bgr: np.ndarray) -> Any:
    scale = resizer(bgr)

    def convert(width: int, height: int) -> np.ndarray:
        # Scaled before the channels change places: the fewer pixels.
        return cv2.cvtColor(scale(width, height), cv2.COLOR_BGR2RGB)

    return convert


def _file(path: str, threads: int | None) -> Any:
    try:
        path.encode("utf-8")
    except UnicodeEncodeError:
        # OpenCV ends the interpreter over such a path.
        raise MediaError("has a name that is not UTF-8, which OpenCV cannot open; --decoder pyav can",
                         code="E_OPEN") from None
    options = [cv2.CAP_PROP_N_THREADS, threads] if threads else []
    # An absolute path, so that "12:30.mp4" is no URL; FFmpeg alone, so that "a%03d.mp4" is no pattern of images.
    capture = cv2.VideoCapture(os.path.abspath(path), cv2.CAP_FFMPEG, options)
    if not capture.isOpened():
        raise MediaError("cannot be opened by OpenCV, which does not say why; --decoder pyav says more", code="E_OPEN")
    return capture


def _camera(name: str) -> Any:
    number = int(name.removeprefix("webcam:"))
    capture = cv2.VideoCapture(number)
    if not capture.isOpened():
        raise MediaError(f"there is no camera {number} that can be opened", code="E_OPEN")
    return capture


def _codec(capture: Any) -> str | None:
    code = int(capture.get(cv2.CAP_PROP_FOURCC))
    text = code.to_bytes(4, "little", signed=False).decode("latin-1").strip("\0 ") if code > 0 else ""
    return text.lower() or None
