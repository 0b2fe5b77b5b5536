"""A head in a file: an npz of numbers, and what it says of itself as JSON within. Nothing in it can run."""

from __future__ import annotations

import json
import os
import zipfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from scipy.special import log_softmax

from vtk.errors import UsageError, WeightsError

FORMAT = "vtk head 1"
_TEXTS, _LISTS = ("space", "precision", "note"), ("labels", "views", "counts", "prior")


@dataclass(frozen=True, slots=True)
class Head:
    """A linear classifier of vectors of one space.

    Attributes:
        labels: of its C classes, in the order of columns.
        weights: (D, C) float32.
        bias: (C,) float32.
        space: that the vectors lie in, ``model@hash``.
        views: of a picture that a vector is the mean of.
        counts: pictures of each label that it was fitted on.
        prior: (C,) shares that the classes had in the fit: of the counts, or equal where these were balanced.
        temperature: that scores are divided by, so that probabilities are right on pictures left out.
        tau: how much of log(prior) is taken off the logits: 0 keeps what was frequent likely, 1 takes all labels for
            equally frequent.
        precision: that the network computed in when it was fitted.
        note: what the user says of it: where the pictures come from, and what their terms allow.
        fit: how it was fitted, for people.
    """

    labels: tuple[str, ...]
    weights: np.ndarray
    bias: np.ndarray
    space: str
    views: tuple[str, ...]
    counts: tuple[int, ...]
    prior: tuple[float, ...]
    temperature: float = 1.0
    tau: float = 0.0
    precision: str = "fp32"
    note: str = ""
    fit: dict[str, Any] = field(default_factory=dict, compare=False)

    def log_probabilities(self, vectors: np.ndarray) -> np.ndarray:
        """Return (N, C) float64, the natural logarithms of the probabilities of the labels.

        Args:
            vectors: (N, D) float of unit length, of the head's space and views.

        Raises:
            ValueError: they have another length.

        Source: Menon et al., "Long-tail learning via logit adjustment", ICLR 2021, post hoc: logits less
        tau * log(prior), here after the temperature.
        """
        if vectors.ndim != 2 or vectors.shape[1] != len(self.weights):
            raise ValueError(f"vectors are {vectors.shape}, expected (N, {len(self.weights)})")
        scores = vectors.astype(np.float64) @ self.weights.astype(np.float64) + self.bias.astype(np.float64)
        return log_softmax(scores / self.temperature - self.tau * np.log(self.prior), axis=1)

    def about(self) -> dict[str, Any]:
        """Return all but its numbers as a JSON object."""
        return {"format": FORMAT, "space": self.space, "precision": self.precision, "views": list(self.views),
                "labels": list(self.labels), "counts": list(self.counts), "prior": list(self.prior),
                "temperature": self.temperature, "tau": self.tau, "note": self.note, "fit": self.fit}

    def check(self, space: str) -> None:
        """Refuse to judge vectors of another ``space``.

        Raises:
            UsageError: it is another one; the message has both.
        """
        if space != self.space:
            raise UsageError(f"the head is for vectors of {self.space}, and these are of {space}: vectors of the two "
                             "do not compare; take its model, or fit one for this")


def write(head: Head, path: Path, overwrite: bool = False) -> None:
    """Write a head; the file appears when it is whole, and the same head makes the same bytes.

    Raises:
        UsageError: the file exists, or cannot be written.
    """
    if path.exists() and not overwrite:
        raise UsageError(f"{path} exists: --overwrite replaces it")
    about = np.frombuffer(json.dumps(head.about(), ensure_ascii=False).encode("utf-8", "surrogateescape"), np.uint8)
    part = path.with_name(path.name + ".part")
    try:
        with part.open("wb") as file:
            np.savez(file, about=about, weights=np.float32(head.weights), bias=np.float32(head.bias))
            file.flush()
            os.fsync(file.fileno())
        os.replace(part, path)
    except OSError as error:
        part.unlink(missing_ok=True)
        raise UsageError(f"{path}: cannot be written: {error.strerror}") from None


def read(path: Path) -> Head:
    """Return the head in a file.

    Raises:
        UsageError: it cannot be read.
        WeightsError: it holds no head, or a damaged one.
    """
    try:
        with np.load(path, allow_pickle=False) as file:
            about, weights, bias = json.loads(file["about"].tobytes()), file["weights"], file["bias"]
    except OSError as error:
        if error.errno is not None:
            raise UsageError(f"{path}: {error.strerror}") from None
        raise WeightsError(f"{path}: no head of vtk scene fit-head") from None
    except (KeyError, ValueError, TypeError, AttributeError, EOFError, zipfile.BadZipFile):
        raise WeightsError(f"{path}: no head of vtk scene fit-head, or a damaged one") from None
    if not isinstance(about, dict) or about.get("format") != FORMAT:
        found = about.get("format") if isinstance(about, dict) else None
        raise WeightsError(f"{path}: its format is {found!r}, and {FORMAT!r} is read here")
    try:
        return _made(about, weights, bias)
    except (KeyError, TypeError, ValueError) as error:
        raise WeightsError(f"{path}: a damaged head: {' '.join(str(error).split())}") from None


def _made(about: dict[str, Any], weights: np.ndarray, bias: np.ndarray) -> Head:
    """Return a head of what a file says, each part of it checked.

    Raises:
        KeyError, TypeError, ValueError: something is missing or is not as it should be.
    """
    texts = {key: about[key] for key in _TEXTS}
    lists = {key: tuple(about[key]) for key in _LISTS}
    temperature, tau = float(about["temperature"]), float(about["tau"])
    if not all(isinstance(each, str) for each in (*texts.values(), *lists["labels"], *lists["views"])):
        raise TypeError("a text is none")
    shape = (weights.shape[0] if weights.ndim == 2 else -1, len(lists["labels"]))
    if weights.shape != shape or bias.shape != shape[1:] or {weights.dtype, bias.dtype} != {np.dtype(np.float32)}:
        raise ValueError(f"weights are {weights.shape} {weights.dtype}, bias {bias.shape} {bias.dtype}, of "
                         f"{shape[1]} labels")
    if len(set(lists["labels"])) != shape[1] or {len(lists["counts"]), len(lists["prior"])} != {shape[1]}:
        raise ValueError("labels, counts and prior do not fit")
    prior, counts = tuple(map(float, lists["prior"])), tuple(map(int, lists["counts"]))
    if not all(np.isfinite(each).all() for each in (weights, bias, prior, temperature, tau)):
        raise ValueError("a number is not finite")
    if not temperature > 0 or min(prior) <= 0:
        raise ValueError("temperature and prior must be above 0")
    fit = about.get("fit")
    return Head(lists["labels"], weights, bias, texts["space"], lists["views"], counts, prior, temperature, tau,
                texts["precision"], texts["note"], fit if isinstance(fit, dict) else {})
