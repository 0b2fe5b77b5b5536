"""PP-OCR's text reader: crops of lines in; text, the score of each character and a visual cue out."""

from __future__ import annotations

import math
import tempfile
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import cv2
import numpy as np

from vtk.errors import WeightsError
from vtk.kernels.normalize import normalize
from vtk.models.openvino import core
from vtk.models.runtime import Net, RuntimeOptions, load
from vtk.models.spotter import Reading
from vtk.models.text_boxes import MAX_ASPECT
from vtk.models.zoo import Input

# Widths in pixels that crops are padded to: one compiled network each, and OpenVinoNet holds 16. The network was
# trained on 320; short words at 160 take two thirds of the time and 1 of 40 comes out worse (clova_words,
# svtlike_words10 and ic15_train10, fp32 and bf16).
WIDTHS = (320, 400, 480, 640, 800, 960, 1280, 1600, 2048, 3072)
BLANK = 0  # class of CTC's blank
PARTS = 4  # of a line whose features are averaged apart, so that the cue knows what stands where


class TextReader:
    """Reads upright crops of text lines; stateless, so that sources share it.

    Attributes:
        labels: the character of each class of the network; the first is CTC's blank, empty.
        batch: how many crops a call of the network takes.
        precision: what it computes in.
        dimensions: the length of a reading's feature.
    """

    def __init__(self, net: Net, takes: Input, path: Path) -> None:
        self.labels = labels_of(net, path)
        self.batch, self.precision = net.batch, net.precision
        self._net, self._input = net, takes
        probe = net(np.zeros((self.batch, 3, takes.height, WIDTHS[0]), np.float32))
        if len(probe) != 2 or any(output.ndim != 3 for output in probe) or probe[0].shape[2] != len(self.labels):
            shapes = ", ".join(str(output.shape) for output in probe)
            raise WeightsError(f"{path}: not a PP-OCR reader: its outputs are {shapes}, "
                               f"expected (1, steps, {len(self.labels)}) and (1, steps, features)")
        self.dimensions = probe[1].shape[2] * PARTS

    def read(self, crops: Sequence[np.ndarray]) -> list[Reading]:
        """Return what stands in each crop; its answer does not depend on the others.

        Args:
            crops: (h, w, 3) uint8 RGB each, upright, one line of text; ``text_boxes.crop_quad`` makes them.

        Raises:
            ValueError: a crop is not (h, w, 3) uint8, or is empty.
        """
        lines = [self._fitted(crop, index) for index, crop in enumerate(crops)]
        readings: list[Reading | None] = [None] * len(lines)
        buckets = [width_of(line.shape[1]) for line in lines]
        order = sorted(range(len(lines)), key=buckets.__getitem__)
        start = 0
        for end in range(1, len(order) + 1):
            full = end - start == self.batch
            if end == len(order) or full or buckets[order[end]] != buckets[order[start]]:
                some = order[start:end]
                for index, reading in zip(some, self._run([lines[index] for index in some]), strict=True):
                    readings[index] = reading
                start = end
        return [reading for reading in readings if reading is not None]

    def _fitted(self, crop: np.ndarray, index: int) -> np.ndarray:
        """Return ``crop`` at the height of the input."""
        if crop.ndim != 3 or crop.shape[2] != 3 or crop.dtype != np.uint8 or crop.size == 0:
            raise ValueError(f"crops[{index}]: got {crop.shape} {crop.dtype}, expected (h, w, 3) uint8 RGB")
        height, width = crop.shape[:2]
        target = self._input.height
        wide = min(math.ceil(width * target / height), MAX_ASPECT * target)
        if (height, width) == (target, wide):
            return crop
        return cv2.resize(crop, (wide, target), interpolation=cv2.INTER_LINEAR)

    def _run(self, lines: Sequence[np.ndarray]) -> list[Reading]:
        """Return the readings of lines of one bucket."""
        takes = self._input
        width = width_of(lines[0].shape[1])
        images = normalize(lines, takes.height, width, scale=takes.scale, mean=takes.mean, std=takes.std,
                           bgr=takes.colour == "bgr", pad=takes.pad)  # fmt: skip
        probabilities, features = self._net(images)
        return [
            self._reading(probabilities[index], features[index], line.shape[1] / width)
            for index, line in enumerate(lines)
        ]

    def _reading(self, probabilities: np.ndarray, features: np.ndarray, filled: float) -> Reading:
        """Return the reading of one crop, which fills the first share ``filled`` of its canvas."""
        classes, scores, steps = decode(probabilities)
        text = "".join(self.labels[index] for index in classes)
        # Steps on the padding say nothing of the line.
        seen = features[: max(1, math.ceil(filled * len(features)))]
        spans = np.clip(steps / (filled * len(probabilities)), 0, 1).astype(np.float32)
        return Reading(text, float(scores.mean()) if len(scores) else 0.0, scores, spans, visual_cue(seen))


def decode(probabilities: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the best path, repeats and blanks taken out: classes (L,), scores (L,) float32, steps (L, 2).

    The steps are those from which on, and until which, a character's run lasts.

    Args:
        probabilities: (T, C) float32 in [0, 1].

    Source: best path decoding (Graves et al., ICML 2006, section 3.2); a run scores as its first step. Measured on
    40 and 160 steps of 18,710 classes: ``ctc_decode.greedy`` takes as long (0.94 and 1.05 times) and tells no ends.
    """
    best = probabilities.argmax(axis=1)
    keep = best != BLANK
    keep[1:] &= best[1:] != best[:-1]
    classes, starts = best[keep], np.flatnonzero(keep)
    changes = np.append(np.flatnonzero(best[1:] != best[:-1]) + 1, len(best))
    ends = changes[np.searchsorted(changes, starts, side="right")]
    return classes, np.clip(probabilities[keep, classes], 0, 1), np.stack([starts, ends], axis=1)


def visual_cue(features: np.ndarray) -> np.ndarray:
    """Return (PARTS * D,) float32 of unit length: the means of ``features`` (T, D), T >= 1, over PARTS parts.

    Source: measured on 20 words and 38 lines of print against copies that are scaled, blurred, lightened and cut:
    the distance of the two means of cosines, the same text against others, in deviations, is 3.1 and 1.9 with one
    part, 4.1 and 3.3 with four, 4.1 and 4.4 with eight, where the same text falls to a cosine of 0.68.
    """
    edges = np.linspace(0, len(features), PARTS + 1)
    parts = [features[int(low) : max(int(low) + 1, int(high))].mean(axis=0) for low, high in pairwise(edges)]
    cue = np.concatenate(parts)
    return cue / max(float(np.linalg.norm(cue)), 1e-12)


def width_of(width: int) -> int:
    """Return the width in pixels that a line ``width`` pixels wide is padded to."""
    return next((bucket for bucket in WIDTHS if width <= bucket), WIDTHS[-1])


def labels_of(net: Net, path: Path) -> tuple[str, ...]:
    """Return the character of each class: blank, those that the file lists, a space."""
    listed = net.metadata.get("framework.character")
    if not listed:
        raise WeightsError(f"{path}: it holds no list of characters; expected PP-OCR's reader as rapidocr ships it")
    return ("", *listed.strip("\n").split("\n"), " ")


def load_reader_net(path: Path, runtime: RuntimeOptions) -> Net:
    """Return the reader's network with a second output: the features that its last layer classifies, (N, T, D).

    The file gives probabilities alone. An output is added by appending a few bytes: where a protobuf file holds a
    message twice, readers merge the two, so every runtime takes the file.

    Raises:
        WeightsError: the file is no such network.
    """
    if path.suffix.lower() != ".onnx":
        raise WeightsError(f"{path}: expected an .onnx file of PP-OCR's reader")
    name = features_of(path)
    # ModelProto.graph = 7, GraphProto.output = 12, ValueInfoProto.name = 1 (onnx.proto).
    more = _field(7, _field(12, _field(1, name.encode())))
    with tempfile.TemporaryDirectory(prefix="vtk-") as folder:
        extended = Path(folder) / path.name
        extended.write_bytes(path.read_bytes() + more)
        return load(extended, runtime)


def features_of(path: Path) -> str:
    """Return the name of what enters the last matrix product: the features, one row a time step.

    Raises:
        WeightsError: the file does not end in a matrix product by constant weights and a softmax.
    """
    try:
        model = core().read_model(path)
    except RuntimeError as error:
        raise WeightsError(f"{path}: OpenVINO cannot read it: damaged, or no .onnx model") from error
    node = model.output(0).get_node()
    passed = []
    while node.get_type_name() != "MatMul" and node.get_input_size() and len(passed) < 8:
        passed.append(node.get_type_name())
        node = node.input_value(0).get_node()
    names = sorted(node.input_value(0).get_names()) if node.get_type_name() == "MatMul" else []
    if "Softmax" not in passed or not names:
        raise WeightsError(f"{path}: not a PP-OCR reader: it ends in {', '.join(passed) or 'nothing'}, "
                           "expected a matrix product and a softmax")
    return names[0]


def _field(number: int, body: bytes) -> bytes:
    """Return a protobuf field of ``body``: tag, length, bytes."""
    return _varint(number << 3 | 2) + _varint(len(body)) + body


def _varint(value: int) -> bytes:
    parts = []
    while value > 127:
        parts.append(value & 127 | 128)
        value >>= 7
    return bytes([*parts, value])
