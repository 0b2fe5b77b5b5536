"""A head as a classifier: pictures in, log-probabilities of its labels out."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from vtk.errors import UsageError
from vtk.heads.features import Features
from vtk.heads.head import Head, read


class HeadClassifier:
    """A head on its features; see ``vtk.models.classifier.Classifier``.

    Args:
        name: as records state it, such as the stem of the head's file.
        head: the head.
        features: of its space and views.

    Raises:
        UsageError: they are of another space, or look at other views.
    """

    def __init__(self, name: str, head: Head, features: Features) -> None:
        head.check(features.space)
        if features.views != head.views:
            raise UsageError(f"the head is for the views {','.join(head.views)}, and these are "
                             f"{','.join(features.views)}")
        self.name, self.labels = name, head.labels
        numbers = head.weights.tobytes() + head.bias.tobytes() + repr((head.about(), features.embedder.sha256)).encode()
        self.sha256 = hashlib.sha256(numbers).hexdigest()
        self.batch, self.precision = features.embedder.batch, features.embedder.precision
        self._head, self._features = head, features

    def scores(self, images: Sequence[np.ndarray]) -> np.ndarray:
        """Return (N, C) float32, natural logarithms of the probabilities of ``labels`` for each of ``images``.

        Args:
            images: N pictures (H, W, 3) uint8 RGB, of any and different sizes.

        Raises:
            ValueError: a picture is not (H, W, 3) uint8, or is empty.
        """
        return self._head.log_probabilities(self._features.vectors(images)).astype(np.float32)


def load_head(path: Path, features: Features) -> HeadClassifier:
    """Return the classifier of a head's file, by the name of the file; errors are those of ``read`` and the class."""
    return HeadClassifier(path.stem, read(path), features)
