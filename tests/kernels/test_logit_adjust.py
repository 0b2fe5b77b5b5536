"""``logit_adjust`` on shares worked out by hand, against Bayes' rule, and where nothing or not everything is known."""

from __future__ import annotations

from math import e, inf, log, nan
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.special import log_softmax, softmax

from vtk.kernels.logit_adjust import cases, cpu, logit_adjust, reference


def _logs(*shares: float) -> np.ndarray:
    """Return natural logarithms (C,) float32; -inf of 0."""
    with np.errstate(divide="ignore"):
        return np.log(np.array(shares)).astype(np.float32)


# The picture alone says 1/2, 1/4, 1/4.
PICTURE = _logs(2, 1, 1)[None]
HERE = np.zeros(1, np.int64)


def test_softmax_by_hand() -> None:
    shares, pooled = logit_adjust(PICTURE)
    assert (shares.dtype, pooled.dtype, pooled.shape) == (np.float32, np.float32, (1, 0))
    assert shares[0] == pytest.approx([1 / 2, 1 / 4, 1 / 4], abs=1e-7)
    assert logit_adjust(np.array([[0, 1]], np.float32))[0][0, 1] == pytest.approx(e / (1 + e), abs=1e-7)


@pytest.mark.parametrize(
    ("tau", "wanted"), [(0, [1 / 2, 1 / 4, 1 / 4]), (1, [2 / 14, 4 / 14, 8 / 14]), (2, [2 / 82, 16 / 82, 64 / 82])]
)
def test_training_shares_are_taken_out_by_hand(tau: float, wanted: list[float]) -> None:
    """Trained on 8, 2 and 1 of each: at 1 they are as 2/8, 1/2 and 1/1, at 2 as 2/64, 1/4 and 1/1."""
    train = _logs(8 / 11, 2 / 11, 1 / 11)
    assert logit_adjust(PICTURE, train, tau=tau)[0][0] == pytest.approx(wanted, abs=1e-7)


@pytest.mark.parametrize(
    ("options", "wanted"),
    [
        ({}, [0, 1 / 4, 3 / 4]),
        ({"gamma": 0}, [1 / 2, 1 / 4, 1 / 4]),
        ({"gamma": 0.5}, [0, 1 / (1 + 3**0.5), 3**0.5 / (1 + 3**0.5)]),
        # A floor of 1/10 for the class that was never seen: 2 * 0.1, 1/4, 3/4 of 1.2.
        ({"floor": 0.1}, [2 / 12, 2.5 / 12, 7.5 / 12]),
        ({"floor": 1}, [1 / 2, 1 / 4, 1 / 4]),
    ],
)
def test_what_lives_there_by_hand(options: dict[str, float], wanted: list[float]) -> None:
    priors = np.stack([_logs(0.9, 0.05, 0.05), _logs(0, 1 / 4, 3 / 4)])
    shares = logit_adjust(np.repeat(PICTURE, 2, 0), None, priors, np.array([1, -1]), **options)[0]
    assert shares[0] == pytest.approx(wanted, abs=1e-7)
    assert shares[1] == pytest.approx([1 / 2, 1 / 4, 1 / 4], abs=1e-7)  # no place: nothing is known, floor or not


def test_masks_and_their_way_out_by_hand() -> None:
    masks = np.array([[False, True, True], [False, False, False], [True, False, False]])
    logits = np.concatenate([np.repeat(PICTURE, 4, 0), _logs(0, 1, 3)[None]])
    shares = logit_adjust(logits, places=np.array([0, 1, 2, -1, 2]), masks=masks)[0]
    everything = [1 / 2, 1 / 4, 1 / 4]
    # The last row's mask has but a class that its picture excludes.
    wanted = [[0, 1 / 2, 1 / 2], everything, [1, 0, 0], everything, [0, 1 / 4, 3 / 4]]
    assert shares == pytest.approx(np.array(wanted), abs=1e-7)
    # A prior counts on either side of the mask: it leaves class 0 alone, which the mask excludes.
    priors = np.repeat(_logs(1, 0, 0)[None], 3, 0)
    assert logit_adjust(PICTURE, None, priors, HERE, masks)[0].tolist() == [[1, 0, 0]]
    assert logit_adjust(PICTURE, None, priors, HERE, masks, floor=0.5)[0][0] == pytest.approx([0, 0.5, 0.5], abs=1e-7)


def test_groups_by_hand() -> None:
    groups = np.array([2, 0, 2])
    pooled = logit_adjust(PICTURE, groups=groups, group_count=4)[1]
    assert pooled[0] == pytest.approx([1 / 4, 0, 3 / 4, 0], abs=1e-7)
    pooled = logit_adjust(PICTURE, groups=np.array([-1, 0, 0]), group_count=1)[1]
    assert pooled[0] == pytest.approx([1 / 2], abs=1e-7)


def test_bayes_rule() -> None:
    """Pictures drawn as trained elsewhere: with both at 1 the answer is the posterior of this place."""
    rng = np.random.default_rng(0)
    likelihood = rng.random((20, 7))  # p(x|y)
    train, here = rng.dirichlet(np.ones(7)), rng.dirichlet(np.ones(7))
    # The network's posterior is under the training shares; what it adds to every class does not matter.
    logits = (np.log(likelihood * train) + rng.normal(0, 9, (20, 1))).astype(np.float32)
    got = logit_adjust(logits, _logs(*train), _logs(*here)[None], np.zeros(20, np.int64))[0]
    wanted = likelihood * here / (likelihood * here).sum(axis=1, keepdims=True)
    np.testing.assert_allclose(got, wanted, atol=3e-6)  # float32 logits of about 10 are that coarse


def test_against_scipy() -> None:
    rng = np.random.default_rng(1)
    logits = rng.normal(0, 20, (50, 1572)).astype(np.float32)
    shares = logit_adjust(logits)[0]
    np.testing.assert_allclose(shares, softmax(logits.astype(np.float64), axis=1), rtol=6 * 2.0**-24, atol=1e-37)
    again = logit_adjust(log_softmax(logits, axis=1).astype(np.float32))[0]
    np.testing.assert_allclose(again, shares, atol=2e-5)


@pytest.mark.parametrize("seed", range(6))
def test_shares_and_groups_sum_to_one(seed: int) -> None:
    """Whatever is known beside, if a class is possible at all, with each class in a group."""
    given = dict(cases.inputs("logit_adjust", 300, np.random.default_rng(seed)))
    classes = given["logits"].shape[1]
    given |= {"groups": np.arange(classes) % 9, "group_count": 9}
    shares, pooled = logit_adjust(**given)
    for row, sums in zip(shares.astype(np.float64), pooled.astype(np.float64), strict=True):
        assert np.isnan(row).all() == np.isnan(sums).all()
        assert np.isnan(row).all() or not row.any() or row.sum() == pytest.approx(1, abs=1e-5)
        np.testing.assert_allclose(sums, [row[g::9].sum() for g in range(9)], atol=1e-6)


def test_nothing_is_possible() -> None:
    nothing = np.full((1, 3), -inf, np.float32)
    given = {"groups": np.zeros(3, np.int64), "group_count": 2}
    for options in (
        {},
        {"places": HERE, "masks": np.ones((1, 3), bool)},
        {"places": HERE, "masks": np.zeros((1, 3), bool)},
        {"places": HERE, "priors": np.zeros((1, 3), np.float32)},
    ):
        shares, pooled = logit_adjust(nothing, **given, **options)
        assert shares.tolist() == [[0, 0, 0]] and pooled.tolist() == [[0, 0]]
    shares, pooled = logit_adjust(PICTURE, None, nothing, HERE, **given)
    assert shares.tolist() == [[0, 0, 0]] and pooled.tolist() == [[0, 0]]
    assert logit_adjust(PICTURE, None, nothing, HERE, floor=1e-30)[0][0] == pytest.approx([0.5, 0.25, 0.25], abs=1e-7)


@pytest.mark.parametrize("bad", [nan, inf])
def test_what_is_no_score_spoils_its_row_alone(bad: float) -> None:
    logits = np.repeat(PICTURE, 3, 0)
    logits[1, 2] = bad
    masks = np.array([[True, True, False]])
    same = np.zeros(3, np.int64)
    shares, pooled = logit_adjust(logits, places=same, masks=masks, groups=same, group_count=2)
    assert np.isnan(shares).tolist() == [[False] * 3, [True] * 3, [False] * 3]
    assert np.isnan(pooled).tolist() == [[False] * 2, [True] * 2, [False] * 2]
    priors = np.zeros((2, 3), np.float32)
    priors[1, 0] = bad
    places = np.array([1, 0, -1])
    shares = logit_adjust(np.repeat(PICTURE, 3, 0), None, priors, places, floor=0.5)[0]
    assert np.isnan(shares).any(axis=1).tolist() == [True, False, False]
    assert not np.isnan(logit_adjust(np.repeat(PICTURE, 3, 0), None, priors, places, gamma=0)[0]).any()


def test_far_apart_scores() -> None:
    """e^-80 is told from 0, as relatively exact as e^-1; what is below float32's numbers is 0, and never negative."""
    far = np.array([[0, -1, -80, -87, -88, -100, -1e30, -3e38]], np.float32)
    shares = logit_adjust(far)[0][0]
    np.testing.assert_allclose(shares[:4], softmax(far[0].astype(np.float64))[:4], rtol=6 * 2.0**-24)
    assert shares[5:].tolist() == [0, 0, 0] and 0 <= shares[4] < 1e-37
    assert logit_adjust(np.array([[3e38, 3e38, -3e38]], np.float32))[0].tolist() == [[0.5, 0.5, 0]]


def test_memory_mapped_priors_and_every_layout(tmp_path: Path) -> None:
    """What is read-only, strided or a file's gives the same, and compiles nothing anew."""
    rng = np.random.default_rng(2)
    given = dict(cases._pictures(5, 40, rng))
    wanted = logit_adjust(**given)
    versions = len(cpu._adjust.signatures)
    np.save(tmp_path / "priors.npy", given["priors"])
    given["priors"] = np.load(tmp_path / "priors.npy", mmap_mode="r")
    given["logits"] = np.asfortranarray(given["logits"])
    given["masks"] = np.repeat(given["masks"], 2, 1)[:, ::2]
    got = logit_adjust(**given)
    assert (got[0] == wanted[0]).all() and (got[1] == wanted[1]).all()
    assert len(cpu._adjust.signatures) == versions == 1


def test_arguments_are_not_written() -> None:
    given = cases._pictures(3, 20, np.random.default_rng(3))
    before = {key: np.copy(value) for key, value in given.items()}
    logit_adjust(**given)
    assert all(np.array_equal(value, before[key]) for key, value in given.items())


def test_empty() -> None:
    for rows, classes in ((0, 3), (2, 0), (0, 0)):
        logits = np.zeros((rows, classes), np.float32)
        for module in (cpu, reference):
            shares, pooled = module.logit_adjust(logits, groups=np.zeros(classes, np.int64), group_count=2)
            assert shares.shape == (rows, classes) and pooled.tolist() == [[0, 0]] * rows
    # A table without a place, for rows that have none.
    none = np.zeros((0, 3), np.float32)
    assert logit_adjust(PICTURE, None, none, np.array([-1]), none.astype(bool))[0][0, 0] == pytest.approx(0.5, abs=1e-7)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"logits": PICTURE.astype(np.float64)}, r"logits: got a float64 array of shape \(1, 3\), expected a float32"),
        ({"train": _logs(1, 2)}, r"train: got a float32 array of shape \(2,\), expected a float32 array"),
        ({"train": _logs(0, 1, 1)}, "train: got NaN or an infinity, expected finite logarithms; a class that was not"),
        ({"train": np.array([nan, 1, 1], np.float32)}, "train: got NaN or an infinity"),
        ({"priors": np.zeros((2, 4), np.float32), "places": HERE}, r"priors: got a float32 array of shape \(2, 4\)"),
        ({"priors": np.zeros((2, 3), np.float32)}, "places: got None with priors or masks, expected their row"),
        ({"masks": np.ones((2, 3), np.uint8), "places": HERE}, r"masks: got a uint8 array .*expected a bool array"),
        ({"masks": np.ones((1, 3), bool), "priors": np.zeros((2, 3), np.float32), "places": HERE}, r"shape \(2, 3\)"),
        ({"masks": np.ones((2, 3), bool), "places": HERE + 2}, "places: got 2, expected whole numbers from -1 to 1"),
        ({"places": HERE - 2}, "places: got -2, expected -1 alone, for there are none"),
        ({"groups": np.array([0, 1, 2]), "group_count": 2}, "groups: got 2, expected whole numbers from -1 to 1"),
        ({"groups": np.array([0, 1, 2])}, "groups: got 2, expected -1 alone, for there are none"),
        ({"group_count": 2}, "group_count: got 2, expected 0 without groups"),
        ({"groups": np.zeros(3, np.int64), "group_count": 1.0}, "group_count: got 1.0, expected a whole number from 0"),
        ({"tau": -1}, r"tau: got -1, expected a finite number in \[0, 1e\+06\]"),
        ({"gamma": nan}, "gamma: got nan, expected a finite number"),
        ({"floor": 1.5}, r"floor: got 1.5, expected a finite number in \[0, 1\]"),
        ({"floor": log(0.5)}, "floor: got -0.69"),
    ],
)
def test_refusals(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        logit_adjust(**{"logits": PICTURE} | options)
