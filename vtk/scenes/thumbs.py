"""A small picture of each shot, as files."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from vtk.driver.inputs import output_path
from vtk.errors import MediaError, UsageError
from vtk.media.image import write_image

QUALITY = 85
# Pixels of the short side, at most.
SHORT = 256


class Thumbs:
    """Writes pictures into a folder: ``films/a.mp4`` from frame 120 on is ``films/a.mp4.0000120.jpg``.

    Args:
        folder: made where it is missing.
        overwrite: whether files that are there are replaced.
    """

    def __init__(self, folder: Path, overwrite: bool = False) -> None:
        self._folder, self._overwrite = folder, overwrite
        self._there: dict[Path, dict[str, str]] = {}

    def check(self) -> None:
        """Refuse a folder that is a file. Raises UsageError."""
        if self._folder.exists() and not self._folder.is_dir():
            raise UsageError(f"--thumbs {self._folder}: it is a file, a folder is needed")

    def path(self, source: str, start_frame: int) -> Path:
        """Return the file of a shot; no two shots of any sources share one."""
        place = output_path(source)
        return self._folder / f"{place}.{start_frame:07d}.jpg"

    def check_source(self, source: str) -> None:
        """Refuse a source of which pictures are there, before any work. Raises UsageError."""
        if self._overwrite:
            return
        first = self.path(source, 0)
        if first.parent not in self._there:  # listed once: it may hold the shots of ten thousand films
            names = [path.name for path in first.parent.iterdir()] if first.parent.is_dir() else []
            self._there[first.parent] = {name.removesuffix(".jpg").rpartition(".")[0]: name for name in names
                                         if name.endswith(".jpg")}
        if name := self._there[first.parent].get(first.name.removesuffix(".0000000.jpg")):
            raise UsageError(f"{first.parent / name} exists: --overwrite replaces it")

    def write(self, source: str, start_frame: int, image: np.ndarray) -> Path:
        """Write a picture (H, W, 3) uint8 RGB, a large one smaller; the file appears when it is whole. Return where.

        Raises:
            UsageError: it is there, and is not to be replaced.
            MediaError: it cannot be written.
        """
        path = self.path(source, start_frame)
        if path.exists() and not self._overwrite:
            raise UsageError(f"{path} exists: --overwrite replaces it")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise MediaError(f"cannot make folder {path.parent}: {error.strerror}", code="E_ENCODE") from None
        write_image(path, _small(image), QUALITY)
        return path


def _small(image: np.ndarray) -> np.ndarray:
    """Return a picture with a short side of SHORT pixels; as it is where it has no more."""
    height, width = image.shape[:2]
    share = SHORT / min(height, width)
    if share >= 1:
        return image
    return cv2.resize(image, (round(share * width), round(share * height)), interpolation=cv2.INTER_AREA)
