"""Descriptors united: what any of them finds is found."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import numpy as np

from vtk.copies.descriptors import Descriptor


class Union:
    """Several descriptors at once; two frames are as alike as they are to the one that sees most in common.

    A vector is those of the parts one after the other, together of unit length: the cosine of two is the mean of the
    parts' cosines, by which they can be searched, and ``scores`` is the largest of the parts' scores.
    """

    def __init__(self, parts: Sequence[Descriptor]) -> None:
        """Unite ``parts``, two or more."""
        if len(parts) < 2:
            raise ValueError(f"parts: got {len(parts)}, expected two descriptors or more")
        self.parts = tuple(parts)
        self.name = "+".join(part.name for part in parts)
        self.sha256 = hashlib.sha256("+".join(part.space + part.sha256 for part in parts).encode()).hexdigest()
        self.dimensions = sum(part.dimensions for part in parts)
        self.space = f"{self.name}@{self.sha256[:12]}"

    def describe(self, frames: Sequence[np.ndarray]) -> np.ndarray:
        """Return (N, D) float32; see ``Descriptor``."""
        return self.join([part.describe(frames) for part in self.parts])

    def join(self, vectors: Sequence[np.ndarray]) -> np.ndarray:
        """Return (N, D) float32 of unit length, or zeros, of the parts' own vectors (N, Dᵢ) of unit length."""
        if [each.shape[1] for each in vectors] != [part.dimensions for part in self.parts]:
            raise ValueError(f"vectors: got {[each.shape for each in vectors]}, expected (N, D) with D of each of "
                             f"{[part.dimensions for part in self.parts]}")
        rows = np.concatenate(vectors, axis=1)
        return rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), np.float32(1e-12))

    def split(self, vectors: np.ndarray) -> list[np.ndarray]:
        """Return the parts' own vectors (N, Dᵢ) float32, each of unit length or zeros, of (N, D) vectors."""
        if vectors.ndim != 2 or vectors.shape[1] != self.dimensions:
            raise ValueError(f"vectors: got {vectors.shape}, expected (N, {self.dimensions})")
        ends = np.cumsum([part.dimensions for part in self.parts])[:-1]
        rows = np.split(vectors, ends, axis=1)
        return [each / np.maximum(np.linalg.norm(each, axis=1, keepdims=True), np.float32(1e-12)) for each in rows]

    def scores(self, queries: np.ndarray, references: np.ndarray) -> np.ndarray:
        """Return (Q, R) float32 in [0, 1], the largest of the parts' scores; see ``Descriptor``."""
        pairs = zip(self.parts, self.split(queries), self.split(references), strict=True)
        return np.maximum.reduce([part.scores(query, reference) for part, query, reference in pairs])
