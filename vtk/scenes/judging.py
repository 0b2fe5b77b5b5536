"""Heads on frozen features as judges of spans: however many there are, each network looks once at a picture."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from vtk.heads.features import Features, averaged, load_features
from vtk.heads.head import Head, read
from vtk.heads.running import features_of
from vtk.models.ensemble import pooled
from vtk.models.runtime import RuntimeOptions
from vtk.models.views import count_looks
from vtk.scenes.scene_models import side_of

Load = Callable[[Head, tuple[str, ...]], Features]


class Heads:
    """Heads as a judge of spans; see ``vtk.scenes.scene_models.Judge``.

    Args:
        heads: by name.
        load: gives features of the space of a head, for the views that all heads of this space look at.

    Raises:
        UsageError: a head is of another space than its features.
    """

    hears = False

    def __init__(self, heads: Sequence[tuple[str, Head]], load: Load) -> None:
        self.names = tuple(name for name, _ in heads)
        self.labels = tuple(head.labels for _, head in heads)
        self._heads = [head for _, head in heads]
        self._features: dict[str, Features] = {}
        for head in self._heads:
            if head.space not in self._features:
                views = dict.fromkeys(view for each in self._heads if each.space == head.space for view in each.views)
                self._features[head.space] = load(head, tuple(views))
            head.check(self._features[head.space].space)
        self.side = max(side_of(features.embedder, features.views) for features in self._features.values())
        parts = [head.weights.tobytes() + head.bias.tobytes() + repr(head.about()).encode() for head in self._heads]
        self.sha256 = hashlib.sha256(b"".join(parts)).hexdigest()

    def span(self, images: Sequence[np.ndarray], words: str = "") -> list[np.ndarray]:
        """Return (C,) log-probabilities of each head; see ``vtk.scenes.scene_models.Judge``."""
        seen = {space: _by_view(features, images) for space, features in self._features.items()}
        return [self._answer(head, seen[head.space]) for head in self._heads]

    @staticmethod
    def _answer(head: Head, seen: dict[str, np.ndarray]) -> np.ndarray:
        vectors = averaged(np.concatenate([seen[view] for view in head.views], axis=1))
        return pooled(head.log_probabilities(vectors)[:, None])[0]


def _by_view(features: Features, images: Sequence[np.ndarray]) -> dict[str, np.ndarray]:
    """Return (N, looks, D) vectors of ``images`` for each view."""
    vectors, parts, start = features.looks(images), {}, 0
    for view in features.views:
        end = start + count_looks((view,))
        parts[view] = vectors[:, start:end]
        start = end
    return parts


def load_heads(paths: Sequence[Path], runtime: RuntimeOptions) -> Heads:
    """Return the heads of files, each with the network that it was fitted on.

    Raises:
        UsageError, WeightsError: a file is no head, or its network cannot be had or has other weights.
    """
    return Heads([(path.stem, read(path)) for path in paths],
                 lambda head, views: load_features(features_of(head), views=views, runtime=runtime))

