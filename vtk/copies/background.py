"""What frames have in common with everything: taken out of vectors by whitening, and of similarities by a bias.

    background = fit(vectors, sources, descriptor.space, dimensions=256)
    normalised = Whitened(descriptor, background)  # vectors stay as they are: scores alone are others

Vectors of a network lie in a cone: credits, faces, skies are alike to all. The background set, frames of videos that
have nothing to do with the queries, says along which directions, and to which vectors.
"""

from __future__ import annotations

import hashlib
import io
import zipfile
import zlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from vtk.copies.calibration import PLAIN, Calibration, calibrate
from vtk.copies.descriptors import Descriptor
from vtk.errors import UsageError
from vtk.kernels.cosine_topk import cosine_topk

FORMAT = 1
# Neighbours in the background whose mean similarity is the bias. Source: Pizzi et al., A Self-Supervised Descriptor
# for Image Copy Detection, CVPR 2022, equation 8 and the evaluation of its authors.
NEIGHBOURS = 3
# Least 1 - bias that similarities are divided by: what the background has thrice is like nothing, not like all.
LEAST = 0.05
# Parts of the background that are held out in turn to see how alike strangers are.
FOLDS = 4
# Least variance, as a share of the largest: directions in which the background hardly varies are not blown up.
FLOOR = 1e-4


@dataclass(frozen=True, slots=True)
class Background:
    """A projection and a bank of vectors, fitted to background frames.

    Attributes:
        space: of the vectors that it is for, ``model@hash``.
        mean: (D,) float32, of the background's vectors.
        projection: (D, d) float32, onto their principal components, each divided by its deviation.
        bank: (B, d) float32, the background's own vectors, whitened, of unit length.
        calibration: of normalised similarities.
    """

    space: str
    mean: np.ndarray
    projection: np.ndarray
    bank: np.ndarray
    calibration: Calibration

    @property
    def dimensions(self) -> int:
        """Components of a whitened vector."""
        return self.projection.shape[1]

    @property
    def sha256(self) -> str:
        """Of all that decides similarities, the space included."""
        digest = hashlib.sha256(self.space.encode())
        for array in (self.mean, self.projection, self.bank.astype(np.float16)):
            digest.update(np.ascontiguousarray(array, "<f4").tobytes())
        return digest.hexdigest()

    def apply(self, vectors: np.ndarray) -> np.ndarray:
        """Return (N, d) float32 of unit length, whitened, for (N, D) vectors; rows of zeros stay zeros.

        Raises:
            ValueError: the vectors are of another length.
        """
        if vectors.ndim != 2 or vectors.shape[1] != len(self.mean):
            raise ValueError(f"vectors: got {vectors.shape}, expected (N, {len(self.mean)}) of {self.space}")
        return _whitened(vectors, self.mean, self.projection)

    def bias(self, vectors: np.ndarray) -> np.ndarray:
        """Return (N,) float32, how alike the background is to whitened vectors (N, d)."""
        if not len(self.bank):
            return np.zeros(len(vectors), np.float32)
        near = cosine_topk(vectors, self.bank, min(NEIGHBOURS, len(self.bank)))[1]
        return near.mean(axis=1)

    def similarities(self, queries: np.ndarray, references: np.ndarray) -> np.ndarray:
        """Return (Q, R) float32 up to 1: by what share of 1 - bias whitened cosines are above the queries' biases.

        So one vector and itself are still at 1, or else thresholds of scores would mean something else, and what is
        no more alike than the background is at 0. Queries are ranked as by cosines less biases.

        Args:
            queries: (Q, D) float32 as the descriptor makes them.
            references: (R, D), or (Q, R, D): those of each query.
        """
        white = self.apply(queries)
        others = self.apply(references.reshape(-1, references.shape[-1]))
        bias = self.bias(white)[:, None]
        if references.ndim == 2:
            cosines = white @ others.T
        else:
            cosines = np.einsum("qd,qrd->qr", white, others.reshape(*references.shape[:2], -1))
        return (cosines - bias) / np.maximum(1 - bias, np.float32(LEAST))

    def directions(self, queries: np.ndarray) -> np.ndarray:
        """Return (Q, D) float32 of unit length, or zeros: which to search for, where vectors are stored as they are.

        The products of these with stored vectors are those of whitened vectors, but for the lengths that the stored
        ones have whitened: what is nearest so is compared by ``similarities``.
        """
        found = self.apply(queries) @ self.projection.T
        lengths = np.linalg.norm(found, axis=1, keepdims=True)
        # The mean itself has no direction: as good as any is its own.
        return np.where(lengths > 0, found / np.maximum(lengths, np.float32(1e-12)), queries)

    def to_bytes(self) -> bytes:
        """Return what ``from_bytes`` reads."""
        stream = io.BytesIO()
        np.savez_compressed(stream, format=FORMAT, space=self.space, mean=self.mean, projection=self.projection,
                            bank=self.bank.astype(np.float16), cosines=self.calibration.cosines)  # fmt: skip
        return stream.getvalue()

    @classmethod
    def from_bytes(cls, stored: bytes, what: str) -> Background:
        """Return the background that ``to_bytes`` wrote, its bank in float16.

        Args:
            stored: its bytes.
            what: holds them, for messages.

        Raises:
            UsageError: they are something else, cut short, or of a newer program.
        """
        try:
            if not zipfile.is_zipfile(io.BytesIO(stored)):
                raise ValueError(f"{len(stored)} bytes that are no .npz file")
            with np.load(io.BytesIO(stored), allow_pickle=False) as given:
                if int(given["format"]) > FORMAT:
                    raise UsageError(f"{what} has format {int(given['format'])}, this program reads up to {FORMAT}; "
                                     "install a newer vtk")
                arrays = [given[name].astype(np.float32) for name in ("mean", "projection", "bank")]
                found = cls(str(given["space"]), *arrays, Calibration(tuple(given["cosines"].tolist())))
            mean, projection, bank = (array.shape for array in arrays)
            if not (len(mean) == 1 and len(projection) == len(bank) == 2 and mean[0] == projection[0]
                    and projection[1] == bank[1] and all(np.isfinite(array).all() for array in arrays)):
                raise ValueError(f"its arrays are {mean}, {projection}, {bank}")
        except (OSError, EOFError, ValueError, KeyError, TypeError, zipfile.BadZipFile, zlib.error) as error:
            raise UsageError(f"{what} is no background ({error}); fit one again") from None
        return found


class Whitened:
    """A descriptor whose vectors are compared whitened, and by how much more alike than a background's they are.

    Its vectors, and so their space, are those of the descriptor: what is stored can be searched with a background and
    without one.
    """

    def __init__(self, descriptor: Descriptor, background: Background) -> None:
        """Compare what ``descriptor`` makes by ``background``.

        Raises:
            UsageError: the background is of another space.
        """
        if background.space != descriptor.space:
            raise UsageError(f"the background is of {background.space}, and the descriptor makes {descriptor.space}: "
                             "fit one for it")
        self.name, self.sha256 = descriptor.name, descriptor.sha256
        self.dimensions, self.space = descriptor.dimensions, descriptor.space
        self.descriptor, self.background = descriptor, background

    def describe(self, frames: Sequence[np.ndarray]) -> np.ndarray:
        """Return (N, D) float32; see ``Descriptor``."""
        return self.descriptor.describe(frames)

    def scores(self, queries: np.ndarray, references: np.ndarray) -> np.ndarray:
        """Return (Q, R) float32 in [0, 1]; see ``Descriptor``. The first are the queries: it is not symmetric."""
        return self.background.calibration(self.background.similarities(queries, references))


def fit(vectors: np.ndarray, sources: Sequence[str] | np.ndarray, space: str,
        dimensions: int | None = None) -> Background:
    """Return the background of frames that have nothing to do with what will be searched.

    Args:
        vectors: (N, D) float32 of unit length; rows of zeros are left out.
        sources: of each row, so that frames of one source are no strangers.
        space: of the vectors.
        dimensions: to keep, those of the largest variance; None: half the rows, at most D, which found
            more than a third (``python -m vtk.copies.norm_bench``).

    Raises:
        ValueError: too few vectors, or none that vary.

    Source: PCA with whitening and unit length, as FAISS' PCAW,L2norm; Jegou and Chum, Negative evidences and
    co-occurrences in image retrieval: the benefit of PCA and whitening, ECCV 2012.
    """
    codes = np.asarray(sources)
    if vectors.ndim != 2 or len(codes) != len(vectors):
        raise ValueError(f"got vectors {vectors.shape} and {len(codes)} sources, expected (N, D) and N")
    kept = np.any(vectors, axis=1)
    vectors, codes = vectors[kept], codes[kept]
    if len(vectors) < 2:
        raise ValueError(f"got {len(vectors)} vectors that show something, expected more")
    most = min(vectors.shape[1], len(vectors) - 1)
    chosen = min(most, max(1, len(vectors) // 2)) if dimensions is None else dimensions
    if not 1 <= chosen <= most:
        raise ValueError(f"dimensions: got {chosen}, expected 1 to {most} with {len(vectors)} vectors of "
                         f"{vectors.shape[1]}")
    mean, projection = _components(vectors, chosen)
    calibration = calibrate(_held_out(vectors, codes, chosen))
    return Background(space, mean, projection, _whitened(vectors, mean, projection), calibration)


def _components(vectors: np.ndarray, dimensions: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the mean (D,) float32 and the principal components (D, d) float32, divided by their deviations."""
    mean = vectors.mean(axis=0, dtype=np.float64)
    variances, directions = np.linalg.eigh(np.cov(vectors - mean, rowvar=False, dtype=np.float64))
    order = np.argsort(-variances, kind="stable")[:dimensions]
    variances = variances[order]
    if not variances[0] > 0:
        raise ValueError(f"vectors: got {len(vectors)} that are all one, expected a background that varies")
    directions = directions[:, order]
    # The sign of an eigenvector is anybody's: the largest entry is made positive, so that machines agree.
    directions = directions * np.sign(directions[np.abs(directions).argmax(axis=0), np.arange(dimensions)])
    projection = directions / np.sqrt(np.maximum(variances, FLOOR * variances[0]))
    return mean.astype(np.float32), projection.astype(np.float32)


def _whitened(vectors: np.ndarray, mean: np.ndarray, projection: np.ndarray) -> np.ndarray:
    rows = (vectors - mean) @ projection
    rows /= np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), np.float32(1e-12))
    return np.where(np.any(vectors, axis=1)[:, None], rows, np.float32(0))


def _held_out(vectors: np.ndarray, sources: np.ndarray, dimensions: int) -> np.ndarray:
    """Return the normalised similarities of strangers within each part of the sources, by a background of the others.

    Vectors that a projection was fitted to are less alike by it than new ones.
    """
    codes = np.unique(sources, return_inverse=True)[1]
    found = []
    for part in range(FOLDS):
        held = codes % FOLDS == part
        few = min(dimensions, len(codes) - int(held.sum()) - 1)
        if few < 1:
            raise ValueError(f"sources: got {len(set(codes.tolist()))} with {len(codes)} frames, expected more")
        mean, projection = _components(vectors[~held], few)
        other = Background("", mean, projection, _whitened(vectors[~held], mean, projection), PLAIN)
        similar = other.similarities(vectors[held], vectors[held])
        found.append(similar[codes[held][:, None] != codes[held]])
    return np.concatenate(found)
