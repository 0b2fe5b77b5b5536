"""Which model is asked: a general network tells the group of living things, and each model knows species of some."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np

from vtk.models.classifier import Classifier
from vtk.species.groups import GROUPS, group_scores

ROUTER = "imagenet"
NONE = "none"
# Groups that a model knows species of, by its name; one that is not here is taken to know all.
COVERS: Mapping[str, frozenset[str]] = MappingProxyType({
    "inat-birds": frozenset({"bird"}),
    "inat-insects": frozenset({"insect"}),
})
# Groups of what detectors call animals, those of COCO: where a box says what it holds nobody has to guess.
LABELS: Mapping[str, str] = MappingProxyType({
    "bird": "bird", "insect": "insect", "snake": "snake", "fish": "fish",
    **dict.fromkeys(("cat", "dog", "horse", "sheep", "cow", "elephant", "bear", "zebra", "giraffe"), "mammal")})
ANIMALS = frozenset({*LABELS, "animal"})
# Probability of a group from which on its model answers.
MIN_GROUP = 0.5
# A model isn't asked about a picture that shows its group with less than this: it could change nothing that is told.
_ASKED = 0.05


@dataclass(frozen=True, slots=True)
class Look:
    """What was seen at one look.

    Attributes:
        groups: (12,) float64, the probability of each of GROUPS; they sum to 1.
        scores: by the number of an expert, (C,) float32 natural logarithms; of those that were asked.
    """

    groups: np.ndarray
    scores: Mapping[int, np.ndarray]


@dataclass(frozen=True, slots=True)
class Expert:
    """A model that knows species.

    Attributes:
        classifier: the model.
        covers: the groups that it knows species of; None: all.
    """

    classifier: Classifier
    covers: frozenset[str] | None = None

    def knows(self, groups: np.ndarray) -> np.ndarray:
        """Return (…) the probability that a picture shows what it knows, of (…, 12) those of GROUPS."""
        if self.covers is None:
            return np.ones(groups.shape[:-1])
        return groups[..., [GROUPS.index(name) for name in sorted(self.covers)]].sum(-1)


class Panel:
    """The router and the experts.

    Args:
        router: the classifier of ImageNet's 1000 classes.
        experts: those that are asked, at least one.
    """

    def __init__(self, router: Classifier, experts: Sequence[Expert]) -> None:
        self.router, self.experts = router, tuple(experts)

    def look(self, images: Sequence[np.ndarray], told: Sequence[str | None]) -> list[Look]:
        """Return what N pictures show.

        Args:
            images: (H, W, 3) uint8 RGB, of any and different sizes.
            told: for each the group that is known, one of GROUPS, or None: the router is asked.
        """
        groups = np.zeros((len(images), len(GROUPS)))
        unknown = [row for row, group in enumerate(told) if group is None]
        if unknown:
            shares = group_scores(self.router.scores([images[row] for row in unknown]))
            groups[unknown] = np.stack([shares[name] for name in GROUPS], axis=-1)
        for row, group in enumerate(told):
            if group is not None:
                groups[row, GROUPS.index(group)] = 1.0
        scores: list[dict[int, np.ndarray]] = [{} for _ in images]
        for number, expert in enumerate(self.experts):
            rows = np.flatnonzero(expert.knows(groups) >= _ASKED)
            if len(rows):
                for row, values in zip(rows, expert.classifier.scores([images[row] for row in rows]), strict=True):
                    scores[row][number] = values
        return [Look(*pair) for pair in zip(groups, scores, strict=True)]


class Looks:
    """Sums of looks at one thing: a picture, a box, a track, a film or an observation, in memory that does not grow.

    A group's probability over looks is Σp² / Σp, which is that of the looks that show it, however many do not; an
    expert's scores are the mean of its logarithms, each look weighed by the probability that it shows what the expert
    knows. Of one look both are its own.
    """

    def __init__(self) -> None:
        self.count = 0
        self._sums, self._squares = np.zeros(len(GROUPS)), np.zeros(len(GROUPS))
        self._scores: dict[int, np.ndarray] = {}
        self._weights: dict[int, float] = {}

    def add(self, look: Look, experts: Sequence[Expert]) -> None:
        """Take a look."""
        self.count += 1
        self._sums += look.groups
        self._squares += look.groups**2
        for number, values in look.scores.items():
            weight = float(experts[number].knows(look.groups))
            self._scores[number] = self._scores.get(number, np.zeros(len(values))) + weight * values.astype(np.float64)
            self._weights[number] = self._weights.get(number, 0.0) + weight

    def merge(self, other: Looks) -> None:
        """Take all looks of ``other``."""
        self.count += other.count
        self._sums += other._sums
        self._squares += other._squares
        for number, values in other._scores.items():
            self._scores[number] = self._scores.get(number, np.zeros(len(values))) + values
            self._weights[number] = self._weights.get(number, 0.0) + other._weights[number]

    @property
    def groups(self) -> np.ndarray:
        """(12,) float64, the probability of each of GROUPS; of several looks they may sum to more than 1."""
        return np.divide(self._squares, self._sums, out=np.zeros(len(GROUPS)), where=self._sums > 0)

    @property
    def group(self) -> str:
        """The group that is shown most likely."""
        return GROUPS[int(np.argmax(self.groups))]

    def scores(self, number: int) -> np.ndarray | None:
        """Return (C,) natural logarithms of an expert's probabilities, summing to 1; None where it was not asked."""
        if number not in self._scores:
            return None
        values = self._scores[number] / self._weights[number]
        top = values.max()
        return values - (top + np.log(np.exp(values - top).sum()))
