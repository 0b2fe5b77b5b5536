"""Descriptors of frames: pictures in, vectors of unit length out, near each other where one is a copy of the other.

    descriptor = load_descriptor("dct+mobilenet")
    scores = descriptor.scores(descriptor.describe(query), descriptor.describe(reference))  # (Q, R), 0 to 1

Vectors of one ``space`` alone are compared. A frame that shows nothing has a vector of zeros, and is like no other.
Of a frame with bars beside its picture, the picture alone is described (``vtk.copies.bars``).
"""

from __future__ import annotations

import difflib
import hashlib
from collections.abc import Sequence
from typing import Protocol

import cv2
import numpy as np

from vtk.copies.bars import without_bars
from vtk.copies.calibration import CALIBRATIONS, PLAIN, Calibration
from vtk.errors import UsageError
from vtk.kernels.frame_signature import dct_vector, pdq, pdq_luminance
from vtk.models import zoo
from vtk.models.embedder import Embedder, EmbedderOptions, load_embedder
from vtk.models.net_embedder import unit

DEFAULT = "dct+mobilenet"
SIDE = 64  # pixels of the pictures that dct_vector and pdq take
# Least standard deviation of a picture's luminance, of 255: below it there is nothing to see but a codec's noise.
BLANK = 2.0
# Up to this radius, in half waves across the picture, a frequency counts the more the higher it is.
RADIUS = 6
# Least quality of a hash that PDQ's authors would compare.
PDQ_QUALITY = 50
# What all of them do to a frame first, as their hashes say it: other vectors are another space.
_PICTURES = "between bars 1"


class Descriptor(Protocol):
    """What makes vectors of frames.

    Attributes:
        name: as users and records state it.
        sha256: of what decides the vectors: its weights, where there are any, and what is done to a frame.
        dimensions: of a vector.
        space: ``model@hash``.
    """

    name: str
    sha256: str
    dimensions: int
    space: str

    def describe(self, frames: Sequence[np.ndarray]) -> np.ndarray:
        """Return (N, D) float32 of unit length, or zeros, for frames (H, W, 3) uint8 RGB of any and different sizes.

        Raises:
            ValueError: a frame is not (H, W, 3) uint8, or is empty.
        """
        ...

    def scores(self, queries: np.ndarray, references: np.ndarray) -> np.ndarray:
        """Return (Q, R) float32 in [0, 1], how alike (Q, D) and (R, D) are, on the scale of all descriptors."""
        ...


class _Calibrated:
    """A descriptor whose vectors are compared by their cosine alone."""

    calibration: Calibration = PLAIN

    def scores(self, queries: np.ndarray, references: np.ndarray) -> np.ndarray:
        """Return (Q, R) float32 in [0, 1], how alike (Q, D) and (R, D) are, on the scale of all descriptors."""
        return self.calibration(queries @ references.T)


class DctDescriptor(_Calibrated):
    """The lowest 16 × 16 frequencies of luminance: the same after re-encoding, scaling, other light and contrast.

    Each is multiplied by its radius, which is what makes all of them vary alike: without that two pictures of bright
    sky over dark land are the same, and a caption is another picture.

    Source: amplitudes of natural pictures fall with the radius (Field, Relations between the statistics of natural
    images and the response properties of cortical cells, JOSA A 1987). RADIUS: between what cut and what captioned
    pictures want, ``python -m vtk.copies.bench edits PICTURES --descriptor dct:1,dct:4,dct,dct:8,dct:23``; 1 leaves
    the frequencies as they are.
    """

    name = "dct"
    dimensions = 255

    def __init__(self, radius: int = RADIUS) -> None:
        """Weigh frequencies up to ``radius``, in half waves across the picture; the others as those at it."""
        what = f"dct 1, BT.601, areas of {SIDE} x {SIDE}, radius {radius}, blank {BLANK}, {_PICTURES}"
        self.sha256 = hashlib.sha256(what.encode()).hexdigest()
        self.space = f"{self.name}@{self.sha256[:12]}"
        self.calibration = CALIBRATIONS.get(self.space, PLAIN)
        steps = np.arange(16)
        self._weights = np.minimum(np.hypot(steps[:, None], steps).ravel()[1:], radius).astype(np.float32)

    def describe(self, frames: Sequence[np.ndarray]) -> np.ndarray:
        """Return (N, 255) float32; see ``Descriptor``."""
        luma = luminance(_pictures(frames))
        return np.where(blank(luma)[:, None], np.float32(0), unit(dct_vector(luma) * self._weights))


class PdqDescriptor(_Calibrated):
    """PDQ's 256 bits as ±1/16, so that the cosine of two is 1 - distance / 128: for copies that were not cut."""

    name = "pdq"
    sha256 = hashlib.sha256(f"pdq 1, quality {PDQ_QUALITY}, blank {BLANK}, {_PICTURES}".encode()).hexdigest()
    dimensions = 256
    space = f"{name}@{sha256[:12]}"
    calibration = CALIBRATIONS.get(space, PLAIN)

    def bits(self, frames: Sequence[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
        """Return (N, 32) uint8 hashes and (N,) bool, which of them can be compared, for frames as in ``describe``."""
        frames = _pictures(frames)
        luma = luminance(frames)
        large = [frame if min(frame.shape[:2]) >= SIDE else cv2.resize(frame, (SIDE, SIDE)) for frame in frames]
        shrunk = [pdq_luminance(np.ascontiguousarray(frame)) for frame in large]
        hashes, quality = pdq(np.stack(shrunk) if shrunk else luma)
        return hashes, (quality >= PDQ_QUALITY) & ~blank(luma)

    def describe(self, frames: Sequence[np.ndarray]) -> np.ndarray:
        """Return (N, 256) float32; zeros too where PDQ's quality is low; see ``Descriptor``."""
        hashes, good = self.bits(frames)
        signs = np.unpackbits(hashes, axis=1).astype(np.float32) * 2 - 1
        return np.where(good[:, None], signs / np.float32(16), np.float32(0))


class NetworkDescriptor(_Calibrated):
    """The vectors of a network: also for what was cut, mirrored or shown small in another picture."""

    def __init__(self, embedder: Embedder, size: tuple[int, int]) -> None:
        """Describe by ``embedder``, whose input is ``size``, (height, width) in pixels."""
        self.name, self.dimensions = embedder.name, embedder.dimensions
        self.sha256 = hashlib.sha256(f"{embedder.sha256}, {_PICTURES}".encode()).hexdigest()
        self.space = f"{self.name}@{self.sha256[:12]}"
        self.calibration = CALIBRATIONS.get(self.space, PLAIN)
        self._embedder, self._size = embedder, size

    def describe(self, frames: Sequence[np.ndarray]) -> np.ndarray:
        """Return (N, D) float32; see ``Descriptor``."""
        frames = _pictures(frames)
        shows_nothing = blank(luminance(frames))
        vectors = self._embedder.embed([_shrunk(frame, *self._size) for frame in frames])
        return np.where(shows_nothing[:, None], np.float32(0), vectors)


def load_descriptor(name: str = DEFAULT, options: EmbedderOptions = EmbedderOptions()) -> Descriptor:
    """Return the descriptor ``name``, its weights fetched where they are missing.

    Args:
        name: dct, pdq, mobilenet, sscd, ``timm:NAME``, or several of them joined by ``+``.
        options: the user's weights, input size, runtime of the network.

    Raises:
        UsageError: no such descriptor, one twice, or two networks for one file of weights.
        WeightsError: the weights cannot be had, verified or read.
    """
    names = name.split("+")
    plain = {DctDescriptor.name: DctDescriptor, PdqDescriptor.name: PdqDescriptor}
    networks = [part for part in names if part not in plain]
    if len(set(names)) < len(names):
        raise UsageError(f"descriptor '{name}': it names one twice")
    if options.weights is not None and len(networks) != 1:
        raise UsageError(f"--weights {options.weights}: descriptor '{name}' has {len(networks)} networks, expected one")
    for part in networks:
        _check_name(part, list(plain))
    parts = [plain[part]() if part in plain else _network(part, options) for part in names]
    if len(parts) == 1:
        return parts[0]
    from vtk.copies.union import Union

    return Union(parts)


def luminance(frames: Sequence[np.ndarray]) -> np.ndarray:
    """Return (N, 64, 64) float32, the mean luminance in [0, 255] of each of 64 × 64 parts of (H, W, 3) uint8 frames.

    Raises:
        ValueError: a frame is not (H, W, 3) uint8, or is empty.
    """
    _check(frames)
    out = np.empty((len(frames), SIDE, SIDE), np.float32)
    for index, frame in enumerate(frames):
        # In float32: rounded to whole levels, the faint pictures of a fade would be noise.
        gray = cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY).astype(np.float32)
        out[index] = cv2.resize(gray, (SIDE, SIDE), interpolation=cv2.INTER_AREA)
    return out


def blank(luma: np.ndarray) -> np.ndarray:
    """Return (N,) bool, which of (N, 64, 64) float32 pictures show nothing: black, white, or of one level."""
    return luma.std(axis=(1, 2)) < BLANK


def _pictures(frames: Sequence[np.ndarray]) -> list[np.ndarray]:
    """Return what frames show between their bars."""
    _check(frames)
    return [without_bars(frame) for frame in frames]


def _check(frames: Sequence[np.ndarray]) -> None:
    """Raise ValueError for a frame that is not (H, W, 3) uint8, or is empty."""
    for index, frame in enumerate(frames):
        if frame.ndim != 3 or frame.shape[2] != 3 or frame.dtype != np.uint8 or frame.size == 0:
            raise ValueError(f"frames[{index}]: got {frame.shape} {frame.dtype}, expected (H, W, 3) uint8 RGB")


def _shrunk(frame: np.ndarray, height: int, width: int) -> np.ndarray:
    """Return a frame at the size of a network's input where it is larger: averaged, so that fine detail is no noise."""
    if frame.shape[0] <= height or frame.shape[1] <= width:
        return frame
    return cv2.resize(frame, (width, height), interpolation=cv2.INTER_AREA)


def _network(name: str, options: EmbedderOptions) -> NetworkDescriptor:
    takes = zoo.MODELS[name].input if name in zoo.MODELS else None
    size = options.size or ((takes.height, takes.width) if takes else (224, 224))
    return NetworkDescriptor(load_embedder(name, "copy", options), size)


def _check_name(name: str, plain: list[str]) -> None:
    known = plain + [model.name for model in zoo.MODELS.values() if model.task == "copy"]
    if name not in known and not name.startswith("timm:"):
        near = difflib.get_close_matches(name, known, n=1)
        hint = f"did you mean '{near[0]}'? " if near else ""
        raise UsageError(f"no descriptor '{name}': {hint}there is {', '.join(known)}, timm:NAME, "
                         "and several joined by +")
