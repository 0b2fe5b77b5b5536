"""The text spotter ``ppocr``: PP-OCRv6's detector and reader, as rapidocr's wheel ships them, in our own runtime."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from vtk.errors import UsageError
from vtk.models import weights as files
from vtk.models import zoo
from vtk.models.ppocr_detection import STRIDE, TextDetector
from vtk.models.ppocr_recognition import TextReader, load_reader_net
from vtk.models.runtime import RuntimeOptions, load
from vtk.models.spotter import Found, Reading, Spotter
from vtk.models.text_boxes import Db, Rectangles, crop_quad

__all__ = ["Db", "PpOcr", "crop_quad", "load_ppocr"]

# its detector and its reader in the table
ROWS = ("ppocr-v6-det-small", "ppocr-v6-rec-small")
LONG_SIDE = 640


@dataclass(frozen=True, slots=True)
class PpOcr:
    """PP-OCR's two networks.

    Attributes:
        sha256: of their weights, together.
        detector: finds text boxes in pictures.
        reader: reads crops of them.
    """

    sha256: str
    detector: TextDetector
    reader: TextReader

    def spotter(self) -> Spotter:
        """Return what every text spotter is."""
        return Spotter("ppocr", self.sha256, self._find, crop_quad, self.reader.read)

    def _find(self, images: Sequence[np.ndarray]) -> list[Found]:
        return [self._found(image, found) for image, found in zip(images, self.detector.find(images), strict=True)]

    def _found(self, image: np.ndarray, found: Rectangles) -> Found:
        def read(rows: Sequence[int]) -> list[Reading]:
            return self.reader.read([crop_quad(image, found.quads[row]) for row in rows])

        return Found(found.quads, found.scores, read, found.more)


def load_ppocr(
    detector_weights: Path | None = None,
    reader_weights: Path | None = None,
    runtime: RuntimeOptions = RuntimeOptions(),
    long_side: int = LONG_SIDE,
    how: Db = Db(),
) -> PpOcr:
    """Return PP-OCR's networks, their weights taken from rapidocr's wheel, or fetched where that has none.

    Args:
        detector_weights, reader_weights: files to load instead, .onnx, of the same architecture.
        runtime: device, precision, batch, threads, network.
        long_side: that pictures are resized to for detection, in pixels, a multiple of 32.
        how: thresholds of the boxes, and the most of them in a picture.

    Raises:
        UsageError: an option is out of range.
        WeightsError: the weights cannot be had, verified or read.
    """
    if long_side < STRIDE or long_side % STRIDE:
        raise UsageError(f"long side {long_side}: expected a multiple of {STRIDE}, at least {STRIDE}")
    if not 0 <= how.min_score <= 1:
        raise UsageError(f"least score of a text box {how.min_score:g}: expected a number from 0 to 1")
    if how.max_boxes < 1:
        raise UsageError(f"most text boxes of a picture {how.max_boxes}: expected 1 or more")
    detector, reader = (zoo.get(row) for row in ROWS)
    found, read = (files.resolve(row, path, offline=runtime.offline, trust=runtime.trust_weights)
                   for row, path in ((detector, detector_weights), (reader, reader_weights)))
    finder = TextDetector(load(found.paths[0], runtime), detector.input, long_side, how)
    sha256 = hashlib.sha256(f"{found.sha256}{read.sha256}".encode()).hexdigest()
    return PpOcr(sha256, finder, TextReader(load_reader_net(read.paths[0], runtime), reader.input, read.paths[0]))
