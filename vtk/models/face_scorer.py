"""Liveness networks at work: crops of each face, as many as the network wants, and its score of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from vtk.errors import WeightsError
from vtk.kernels.normalize import normalize
from vtk.models.face_crops import Around, check_face, crop
from vtk.models.liveness import Face
from vtk.models.runtime import Net
from vtk.models.zoo import Input


@dataclass(frozen=True, slots=True)
class Views:
    """What is cut out for a network: a crop for each of ``scales``, where ``around`` says."""

    around: Around
    scales: tuple[float, ...]


class FaceScorer:
    """One network, stateless, so that sources share it; see ``liveness.Liveness``.

    The network takes the crops of a face one behind the other as (3 K, side, side), and gives one number a face, the
    probability that it is live. Calls have one size, the last one padded: a face's score does not depend on others.
    """

    def __init__(self, name: str, sha256: str, net: Net, takes: Input, views: Views) -> None:
        self.name, self.sha256 = name, sha256
        self.batch, self.precision = net.batch, net.precision
        self._net, self._input, self._views = net, takes, views

    def scores(self, faces: Sequence[Face]) -> np.ndarray:
        """Return (N,) float32 in [0, 1], the probability that each of ``faces`` is live.

        Raises:
            ValueError: a picture is not (H, W, 3) uint8, or a box has no area in it.
            WeightsError: the network gives no numbers.
        """
        for index, face in enumerate(faces):
            check_face(face, index)
        out = np.empty(len(faces), np.float32)
        for start in range(0, len(faces), self.batch):
            some = faces[start : start + self.batch]
            out[start : start + len(some)] = self._net(self.crops(some))[0].reshape(len(some))
        if not np.isfinite(out).all():
            raise WeightsError(f"{self.name} gives scores that are no numbers in {self.precision}: its weights are of "
                               "no use there; try --precision fp32")
        return np.clip(out, 0, 1)

    def crops(self, faces: Sequence[Face]) -> np.ndarray:
        """Return (N, 3 K, side, side) float32, what the network gets to see of ``faces``."""
        takes, views = self._input, self._views
        cut = [crop(face, views.around, scale, takes.height) for face in faces for scale in views.scales]
        filled = normalize(cut, takes.height, takes.width, scale=takes.scale, mean=takes.mean, std=takes.std,
                           bgr=takes.colour == "bgr")  # fmt: skip
        return filled.reshape(len(faces), -1, takes.height, takes.width)
