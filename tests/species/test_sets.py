"""Sets that hold the right species as often as promised: by hand, over many draws, and for what they were made."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import binom

from vtk.errors import UsageError
from vtk.species.sets import PENALTIES, calibrate, coverage_of, hash_of, read_sets, tune

NAMES = ["a", "b", "c"]
MODEL = "inat-birds@0123456789ab"


def draw(rng: np.random.Generator, count: int, classes: int = 8, sharp: float = 0.5) -> tuple[np.ndarray, np.ndarray]:
    """Return probabilities and right classes, of a model that is surer than it should be: pictures are exchangeable."""
    true = rng.dirichlet(np.full(classes, sharp), count)
    labels = (true.cumsum(1) > rng.random((count, 1))).argmax(1)
    given = true**1.7 + 1e-6
    return given / given.sum(1, keepdims=True), labels


def test_scores_and_sets_by_hand() -> None:
    """With a penalty of 0.1 from the second rank on; four pictures, three classes."""
    given = np.array([[0.6, 0.3, 0.1], [0.3, 0.1, 0.6], [0.2, 0.5, 0.3], [0.05, 0.35, 0.6]])
    found = calibrate(given, np.array([0, 1, 1, 1]), 0.6, names=NAMES, model=MODEL, penalty=0.1, free=1)
    # Scores: 0.6; 0.6 + 0.3 + 0.1 + 2 · 0.1 = 1.2; 0.5; 0.6 + 0.35 + 0.1 = 1.05. The ⌈5 · 0.6⌉ = third lowest is 1.05.
    assert found.threshold == pytest.approx(1.05)
    assert found.sets(np.array([[0.7, 0.2, 0.1], [0.8, 0.15, 0.05], [0.5, 0.25, 0.25]])).tolist() == [
        [True, True, False], [True, True, False], [True, True, False]]
    assert found.sets(np.array([[0.98, 0.01, 0.01]])).tolist() == [[True, False, False]]
    # Leaving one out: those of the ⌈4 · 0.6⌉ = three lowest are covered.
    assert found.report["coverage"] == 0.75 and found.report["classes"] == {"a": [1.0, 1], "b": [0.6667, 3]}


def test_leaving_out_is_what_the_report_says() -> None:
    given, labels = draw(np.random.default_rng(5), 60)
    names = [str(number) for number in range(8)]
    for coverage in (0.7, 0.9, 0.95):
        whole = calibrate(given, labels, coverage, names=names, model=MODEL)
        held = []
        for row in range(60):
            others = np.arange(60) != row
            one = calibrate(given[others], labels[others], coverage, names=names, model=MODEL)
            held.append(one.sets(given[row:row + 1])[0, labels[row]])
        assert whole.report["coverage"] == pytest.approx(np.mean(held), abs=1e-4)


@pytest.mark.parametrize("coverage", [0.8, 0.95])
@pytest.mark.parametrize("randomised", [False, True])
def test_coverage_is_kept_over_draws(coverage: float, randomised: bool) -> None:
    """Of 300 draws of calibration and test each covers its test picture with the promised probability at least."""
    rng = np.random.default_rng(11)
    names = [str(number) for number in range(8)]
    hits = 0
    for seed in range(300):
        given, labels = draw(rng, 101)
        found = calibrate(given[:100], labels[:100], coverage, names=names, model=MODEL, randomised=randomised,
                          seed=seed)
        hits += int(found.sets(given[100:], seed=seed + 1000)[0, labels[100]])
    assert hits >= binom.ppf(0.001, 300, coverage), "one in a thousand would be lower by chance"


def test_randomised_sets_are_smaller_and_no_surer_than_promised() -> None:
    rng = np.random.default_rng(2)
    given, labels = draw(rng, 20_000, sharp=2.0)
    names = [str(number) for number in range(8)]
    tests, right = draw(rng, 20_000, sharp=2.0)
    plain, random = (calibrate(given, labels, 0.9, names=names, model=MODEL, randomised=each) for each in (False, True))
    one, other = (coverage_of(found.sets(tests, seed=9), right, names) for found in (plain, random))
    assert other["size"] < one["size"]
    # Two samples of 20,000: the threshold's coverage and the share each err by 0.0021.
    assert abs(other["coverage"] - 0.9) < 4 * np.sqrt(2 * 0.9 * 0.1 / 20_000)
    assert one["coverage"] > 0.9 - 4 * np.sqrt(2 * 0.9 * 0.1 / 20_000)
    assert np.array_equal(random.sets(tests, seed=3), random.sets(tests, seed=3))
    assert not np.array_equal(random.sets(tests, seed=3), random.sets(tests, seed=4))


def test_more_coverage_never_takes_a_species_out() -> None:
    given, labels = draw(np.random.default_rng(3), 500)
    names = [str(number) for number in range(8)]
    sets = [calibrate(given, labels, coverage, names=names, model=MODEL).sets(given)
            for coverage in (0.5, 0.8, 0.9, 0.99)]
    for less, more in zip(sets, sets[1:], strict=False):
        assert (less <= more).all()
    assert (sets[0].sum(1) >= 1).all(), "the most probable one is always in"


def test_sets_are_the_most_probable_ones_and_ties_go_by_order() -> None:
    given, labels = draw(np.random.default_rng(4), 200)
    found = calibrate(given, labels, 0.9, names=[str(number) for number in range(8)], model=MODEL)
    sets = found.sets(given)
    least = np.where(sets, given, 2).min(1)
    most = np.where(sets, -1, given).max(1)
    assert (least >= most).all()
    flat = calibrate(np.full((40, 4), 0.25), np.repeat(np.arange(4), 10), 0.5, names=list("abcd"), model=MODEL)
    assert flat.sets(np.full((1, 4), 0.25)).tolist() == [[True, True, True, False]], "⌈41 · 0.5⌉ = 21 of 40"


def test_the_penalty_that_is_found_gives_the_smallest_sets() -> None:
    given, labels = draw(np.random.default_rng(6), 400, classes=40, sharp=0.1)
    penalty, free = tune(given, labels, 0.9)
    names = [str(number) for number in range(40)]
    sizes = {each: calibrate(given, labels, 0.9, names=names, model=MODEL, penalty=each, free=free).report["size"]
             for each in PENALTIES}
    assert sizes[penalty] == min(sizes.values())
    ranks = (given > given[np.arange(400), labels][:, None]).sum(1) + 1
    assert (ranks <= free).mean() >= 0.9 > (ranks <= free - 1).mean()


@pytest.mark.parametrize(("count", "coverage"), [(19, 0.95), (9, 0.9), (1, 0.5), (99, 0.99)])
def test_too_few_pictures_are_refused(count: int, coverage: float) -> None:
    given = np.full((count + 1, 3), 1 / 3)
    labels = np.zeros(count + 1, int)
    with pytest.raises(UsageError, match=f"coverage {coverage:g} needs {count + 1} labelled pictures at least, and "
                                         f"there are {count}: add some, or ask for less"):
        calibrate(given[:count], labels[:count], coverage, names=NAMES, model=MODEL)
    assert calibrate(given, labels, coverage, names=NAMES, model=MODEL).count == count + 1


@pytest.mark.parametrize(("given", "labels", "said"), [
    (np.ones((30, 3)), np.zeros(30, int), "sum to 1"), (np.full((30, 3), np.nan), np.zeros(30, int), "sum to 1"),
    (np.tile([1.5, -0.5, 0], (30, 1)), np.zeros(30, int), "holds less than 0"),
    (np.zeros(3), np.zeros(3, int), "shape"),
    (np.full((30, 3), 1 / 3), np.full(30, 3), "labels from 3 to 3: expected 0 to 2"),
    (np.full((30, 3), 1 / 3), np.zeros(30), "expected .N,. integers"),
    (np.full((30, 3), 1 / 3), np.zeros(29, int), "labels of shape .29,."),
    (np.full((30, 2), 1 / 2), np.zeros(30, int), "and 3 names"),
    (np.zeros((0, 3)), np.zeros(0, int), "labels of shape")])
def test_what_are_no_probabilities_is_refused(given: np.ndarray, labels: np.ndarray, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        calibrate(given, labels, 0.9, names=NAMES, model=MODEL)
    with pytest.raises(ValueError, match="two classes are called a"):
        calibrate(np.full((30, 3), 1 / 3), np.zeros(30, int), 0.9, names=["a", "b", "a"], model=MODEL)
    with pytest.raises(ValueError, match="coverage 1, "):
        calibrate(np.full((30, 3), 1 / 3), np.zeros(30, int), 1.0, names=NAMES, model=MODEL)


def test_a_file_is_read_for_what_it_was_made_for_alone(tmp_path: Path) -> None:
    given, labels = draw(np.random.default_rng(7), 50, classes=3)
    found = calibrate(given, labels, 0.9, names=NAMES, model=MODEL, prior="abc", randomised=True)
    path = tmp_path / "sets.json"
    path.write_bytes(found.to_json())
    assert read_sets(path, NAMES, MODEL, "abc") == found
    for names, model, prior, said in (
            (NAMES, "inat-birds@ffff", "abc", f"for the model {MODEL}, and this is inat-birds@ffff: its promise"),
            (NAMES, MODEL, None, "for the prior abc, and this is none"), (NAMES, MODEL, "xyz", "this is xyz"),
            (["a", "c", "b"], MODEL, "abc", f"for classes {hash_of(NAMES)}, and this is")):
        with pytest.raises(UsageError, match=said):
            read_sets(path, names, model, prior)


@pytest.mark.parametrize(("change", "said"), [
    ({"coverage": 2}, "damaged: coverage 2"), ({"threshold": "x"}, "damaged"), ({"other": 1}, "damaged"),
    ({"format": "x"}, "no calibration of sets"), ({"randomised": 1}, "damaged")])
def test_damaged_files_are_refused(tmp_path: Path, change: dict[str, object], said: str) -> None:
    found = calibrate(np.full((30, 3), 1 / 3), np.zeros(30, int), 0.9, names=NAMES, model=MODEL)
    path = tmp_path / "sets.json"
    path.write_text(json.dumps(json.loads(found.to_json()) | change))
    with pytest.raises(UsageError, match=said):
        read_sets(path, NAMES, MODEL, None)
    for data in (b"", b"[]", b"\xff"):
        path.write_bytes(data)
        with pytest.raises(UsageError, match="not a JSON file|no calibration of sets"):
            read_sets(path, NAMES, MODEL, None)
