"""One painted picture as a file."""

from __future__ import annotations

import os
from pathlib import Path

import cv2
import numpy as np

from vtk.errors import MediaError

IMAGES = (".png", ".jpg", ".jpeg", ".webp")


class ImageFile:
    """Writes one picture; the file appears when it is whole.

    Args:
        path: ends in one of ``IMAGES``.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    def write(self, image: np.ndarray, t: float) -> None:
        """Write ``image`` (H, W, 3) uint8 RGB; ``t`` is of no use to a picture."""
        done, data = cv2.imencode(self._path.suffix.lower(), cv2.cvtColor(image, cv2.COLOR_RGB2BGR))
        part = self._path.with_name(self._path.name + ".part")
        try:
            if not done:
                raise OSError("the encoder refused the picture")
            with open(part, "wb") as file:
                file.write(data.tobytes())
                file.flush()
                os.fsync(file.fileno())
            os.replace(part, self._path)
        except OSError as error:
            part.unlink(missing_ok=True)
            raise MediaError(f"cannot write {self._path}: {error.strerror or error}", code="E_ENCODE") from None

    def close(self) -> None:
        """Nothing: the picture is whole already."""
