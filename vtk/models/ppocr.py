"""The text spotter ``ppocr``: PP-OCRv6's detector and reader, as rapidocr's wheel ships them, in our own runtime."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

from vtk.errors import UsageError
from vtk.models import weights as files
from vtk.models import zoo
from vtk.models.ppocr_detection import STRIDE, TextDetector
from vtk.models.ppocr_recognition import TextReader, load_reader_net
from vtk.models.runtime import RuntimeOptions, load
from vtk.models.text_boxes import Db, crop_quad

__all__ = ["SPOTTERS", "Db", "Spotter", "crop_quad", "load_spotter"]

# name of the spotter -> its detector and its reader in the table
SPOTTERS = {"ppocr": ("ppocr-v6-det-small", "ppocr-v6-rec-small")}
LONG_SIDE = 640


@dataclass(frozen=True, slots=True)
class Spotter:
    """What finds and reads text.

    Attributes:
        name: as records state it.
        sha256: of its weights, detector and reader together.
        detector: finds text boxes in pictures.
        reader: reads crops of them.
    """

    name: str
    sha256: str
    detector: TextDetector
    reader: TextReader


def load_spotter(
    name: str = "ppocr",
    detector_weights: Path | None = None,
    reader_weights: Path | None = None,
    runtime: RuntimeOptions = RuntimeOptions(),
    long_side: int = LONG_SIDE,
    how: Db = Db(),
) -> Spotter:
    """Return the spotter ``name``, its weights taken from rapidocr's wheel, or fetched where that has none.

    Args:
        name: of a spotter in ``SPOTTERS``.
        detector_weights, reader_weights: files to load instead, .onnx, of the same architecture.
        runtime: device, precision, batch, threads, network.
        long_side: that pictures are resized to for detection, in pixels, a multiple of 32.
        how: thresholds of the boxes, and the most of them in a picture.

    Raises:
        UsageError: no such spotter, or an option out of range.
        WeightsError: the weights cannot be had, verified or read.
    """
    if name not in SPOTTERS:
        raise UsageError(f"no text spotter '{name}': expected {' or '.join(SPOTTERS)}")
    if long_side < STRIDE or long_side % STRIDE:
        raise UsageError(f"long side {long_side}: expected a multiple of {STRIDE}, at least {STRIDE}")
    if not 0 <= how.min_score <= 1:
        raise UsageError(f"least score of a text box {how.min_score:g}: expected a number from 0 to 1")
    if how.max_boxes < 1:
        raise UsageError(f"most text boxes of a picture {how.max_boxes}: expected 1 or more")
    detector, reader = (zoo.get(row) for row in SPOTTERS[name])
    found, read = (files.resolve(row, path, offline=runtime.offline, trust=runtime.trust_weights)
                   for row, path in ((detector, detector_weights), (reader, reader_weights)))
    finder = TextDetector(load(found.paths[0], runtime), detector.input, long_side, how)
    sha256 = hashlib.sha256(f"{found.sha256}{read.sha256}".encode()).hexdigest()
    return Spotter(name, sha256, finder, TextReader(load_reader_net(read.paths[0], runtime), reader.input,
                                                    read.paths[0]))  # fmt: skip
