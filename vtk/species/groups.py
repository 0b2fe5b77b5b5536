"""Groups of living things: which of them a picture shows, by a network that knows the 1000 classes of ImageNet."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

GROUPS = ("bird", "mammal", "snake", "reptile", "amphibian", "fish", "insect", "spider", "invertebrate", "plant",
          "fungus", "none")  # fmt: skip
# First and last class of each group, in the order of ImageNet's 1000 classes without a background. Source: where their
# synsets stand in WordNet; written down from the list of classes. Where WordNet and users differ, users are right:
# - reptile: without the snakes, with the triceratops (a dinosaur); birds have their own group.
# - spider: all arachnids, and so the harvestman, the scorpion and the tick, too.
# - invertebrate: what is neither an insect nor an arachnid: the trilobite, the centipede, jellyfish, snails, crabs.
# - plant: what grows as well as its fruits and seeds, kitchen vegetables among them; hay is a thing.
# - none: things, dishes, places and people; a toy of an animal, or one on a dish, is none as well.
RANGES: Mapping[str, tuple[tuple[int, int], ...]] = {
    "fish": ((0, 6), (389, 397)),
    "bird": ((7, 24), (80, 100), (127, 146)),
    "amphibian": ((25, 32),),
    "reptile": ((33, 51),),
    "snake": ((52, 68),),
    "invertebrate": ((69, 69), (79, 79), (107, 126), (327, 329)),
    "spider": ((70, 78),),
    "mammal": ((101, 106), (147, 299), (330, 388)),
    "insect": ((300, 326),),
    "plant": ((936, 946), (948, 957), (984, 990), (998, 998)),
    "fungus": ((947, 947), (991, 997)),
}
CLASSES = 1000


def table() -> np.ndarray:
    """Return (1000,) int64, for each class of ImageNet the index of its group in GROUPS."""
    groups = np.full(CLASSES, GROUPS.index("none"))
    for name, ranges in RANGES.items():
        for first, last in ranges:
            groups[first : last + 1] = GROUPS.index(name)
    return groups


def group_scores(log_probabilities: np.ndarray) -> dict[str, np.ndarray]:
    """Return for each group of GROUPS the probability that a picture shows it: the sum over its classes.

    Args:
        log_probabilities: (..., 1000) float, natural logarithms, as the classifier ``imagenet`` gives them. They need
            not sum to 1: what is missing, the background's, counts as ``none``.

    Returns:
        By the names of GROUPS, (...) float64 in [0, 1]; they sum to 1.

    Raises:
        ValueError: there are not 1000 classes, or sums are beyond 1.
    """
    values = np.asarray(log_probabilities, np.float64)
    if values.ndim < 1 or values.shape[-1] != CLASSES:
        raise ValueError(f"log_probabilities: got {values.shape}, expected (..., {CLASSES}), the classes of ImageNet")
    shares = np.exp(values)
    groups = table()
    sums = np.stack([shares[..., groups == index].sum(axis=-1) for index in range(len(GROUPS))], axis=-1)
    missing = 1 - sums.sum(axis=-1)
    if (missing < -1e-3).any() or not np.isfinite(sums).all():  # sums of 1000 rounded numbers are not exactly 1
        raise ValueError(f"log_probabilities: their exponentials sum to {float((1 - missing).max()):.3f}, expected 1")
    sums[..., GROUPS.index("none")] += np.maximum(missing, 0)
    sums /= sums.sum(axis=-1, keepdims=True)
    return {name: sums[..., index] for index, name in enumerate(GROUPS)}


def group_of(label: int) -> str:
    """Return the group of class ``label`` of ImageNet, 0 to 999.

    Raises:
        ValueError: there is no such class.
    """
    if not 0 <= label < CLASSES:
        raise ValueError(f"label: got {label}, expected 0 to {CLASSES - 1}, a class of ImageNet")
    return next((name for name, ranges in RANGES.items() if any(low <= label <= high for low, high in ranges)), "none")
