"""Views of a classifier, and classifiers together: what is averaged, what is kept, what is refused."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from labelled_pictures import pictures

from vtk.errors import UsageError
from vtk.models.classifier import load_classifier
from vtk.models.ensemble import Averaged, Viewed, ensemble, load_ensemble, pooled
from vtk.models.runtime import RuntimeOptions
from vtk.models.views import looks

CPU = RuntimeOptions("cpu", "fp32", offline=True)
IMAGES = list(np.random.default_rng(0).integers(0, 256, (5, 8, 6, 3), np.uint8))


class Corners:
    """A classifier whose probabilities are the values of a look's first pixel; what they lack to 255 is background."""

    def __init__(self, name: str = "corners", labels: Sequence[str] = ("red", "green", "blue"), batch: int = 2,
                 precision: str = "fp32") -> None:
        self.name, self.sha256, self.labels = name, name * 3, tuple(labels)
        self.batch, self.precision = batch, precision
        self.calls: list[int] = []

    def scores(self, images: Sequence[np.ndarray]) -> np.ndarray:
        """Return (N, C) float32."""
        self.calls.append(len(images))
        columns = [("red", "green", "blue").index(label) for label in self.labels]
        values = np.array([image[0, 0] for image in images], np.float64).reshape(-1, 3)[:, columns]
        return np.log(np.maximum(values / 255, 1e-7)).astype(np.float32)


def picture(left: Sequence[int], right: Sequence[int]) -> np.ndarray:
    """Return a picture of two halves."""
    image = np.zeros((4, 4, 3), np.uint8)
    image[:, :2], image[:, 2:] = left, right
    return image


def test_looks_are_averaged_as_logarithms_and_normalised() -> None:
    seeing = Viewed(Corners(), ("whole", "flips"))
    [row] = np.exp(seeing.scores([picture((204, 51, 0), (51, 204, 0))]))
    np.testing.assert_allclose(row, [0.5, 0.5, 1.25e-7], rtol=1e-5)  # 1e-7 over 2 * sqrt(0.8 * 0.2)
    [row] = np.exp(seeing.scores([picture((204, 51, 0), (102, 153, 0))]))
    first, second = np.sqrt(0.8 * 0.4), np.sqrt(0.2 * 0.6)
    np.testing.assert_allclose(row[:2], [first / (first + second), second / (first + second)], rtol=1e-5)


def test_what_is_left_to_the_background_stays_its() -> None:
    [row] = np.exp(Viewed(Corners(), ("whole", "flips")).scores([picture((51, 51, 0), (102, 0, 51))]))
    parts = np.sqrt([0.2 * 0.4, 0.2 * 1e-7, 1e-7 * 0.2, 0.6 * 0.4])  # the last is the background
    np.testing.assert_allclose(row, (parts / parts.sum())[:3], rtol=1e-4)
    assert row.sum() < 0.5


def test_a_network_takes_as_many_looks_at_once_as_it_can() -> None:
    inner = Corners(batch=4)
    seeing = Viewed(inner, ("whole", "quadrants"))
    found = seeing.scores(IMAGES[:2])
    assert inner.calls == [4, 4, 2] and found.shape == (2, 3) and found.dtype == np.float32
    each = np.stack([inner.scores([look]) for look in looks(IMAGES[1], ("whole", "quadrants"))])
    np.testing.assert_array_equal(found[1:], pooled(each))
    assert seeing.scores([]).shape == (0, 3)
    for wrong in (np.zeros((9, 9), np.uint8), np.zeros((9, 9, 3), np.float32), np.zeros((0, 9, 3), np.uint8)):
        with pytest.raises(ValueError, match=r"images\[1\]: got .* expected \(h, w, 3\) uint8 RGB"):
            seeing.scores([IMAGES[0], wrong])


def test_labels_are_in_the_order_of_the_first() -> None:
    both = Averaged([Corners("a"), Corners("b", ("blue", "red", "green"), 4, "bf16")])
    assert (both.name, both.labels, both.batch, both.precision) == ("a+b", ("red", "green", "blue"), 4, "fp32+bf16")
    image = np.full((2, 2, 3), (51, 153, 51), np.uint8)
    np.testing.assert_allclose(np.exp(both.scores([image])), [[0.2, 0.6, 0.2]], rtol=1e-5)
    assert both.scores([]).shape == (0, 3)


def test_it_is_another_model_with_other_parts() -> None:
    one, two = Corners("a"), Corners("b")
    made = [Averaged([one, two]), Averaged([two, one]), Averaged([one, Corners("c")]), Viewed(one, ("flips",)),
            Viewed(one, ("flips", "whole")), Averaged([Viewed(one, ("flips",)), two])]
    assert len({each.sha256 for each in made} | {one.sha256, two.sha256}) == 8
    assert all(len(each.sha256) == 64 for each in made) and Averaged([one, two]).sha256 == made[0].sha256


def test_one_that_looks_once_stays_as_it_is() -> None:
    one = Corners()
    assert ensemble([one]) is one
    assert isinstance(ensemble([one], ("whole", "flips")), Viewed)
    assert ensemble([one, Corners("b")], ("flips",)).name == "corners+b"
    np.testing.assert_array_equal(ensemble([one], ("flips",)).scores(IMAGES), one.scores([i[:, ::-1] for i in IMAGES]))


def test_a_label_that_one_forbids_may_still_be_the_answer_of_many() -> None:
    never = np.array([[-np.inf, 0, -np.inf]], np.float32)
    found = pooled(np.stack([never, never[:, [1, 0, 2]]]))
    assert np.isfinite(found).all() and found[0, 0] == found[0, 1] > found[0, 2]


@pytest.mark.parametrize(("other", "words"), [
    (("red", "green"), "1 labels are of one alone, such as 'blue' of corners"),
    (("red", "green", "blue", "mauve"), "1 labels are of one alone, such as 'mauve' of other"),
])
def test_labels_must_be_the_same(other: tuple[str, ...], words: str) -> None:
    with pytest.raises(UsageError, match=f"^corners and other cannot be averaged: {words}; give models of the same"):
        Averaged([Corners(), Corners("other", other)])
    with pytest.raises(UsageError, match="no classifier is given"):
        ensemble([])


@pytest.mark.parametrize("names", [[], ["imagenet", "imagenet"], ["imagenet", ""]])
def test_names_come_once(names: list[str]) -> None:
    with pytest.raises(UsageError, match=r"^--model .*: give names of classifiers, each once$"):
        load_ensemble(names, runtime=CPU)


def test_on_real_weights(shared: Path) -> None:
    with pytest.raises(UsageError, match="imagenet and inat-birds cannot be averaged: 1964 labels"):
        load_ensemble(["imagenet", "inat-birds"], runtime=CPU)
    with pytest.raises(UsageError, match="--views whole,upside: give some of"):
        load_ensemble(["imagenet"], ("whole", "upside"), CPU)
    plain = load_classifier("imagenet", runtime=CPU)
    seeing = load_ensemble(["imagenet"], ("whole", "flips"), CPU)
    images = [image for _, image in pictures(shared / "data")[::8]]
    each = np.stack([plain.scores(images), plain.scores([np.ascontiguousarray(image[:, ::-1]) for image in images])])
    mean = each.astype(np.float64).mean(axis=0)
    expected = mean - np.logaddexp.reduce(mean, axis=1, keepdims=True)
    # The background may take 1e-7 of what the two agree on.
    np.testing.assert_allclose(seeing.scores(images), expected, atol=1e-4)
    assert seeing.name == "imagenet" and seeing.sha256 != plain.sha256
