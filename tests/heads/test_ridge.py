"""Ridge regression onto labels: by hand, by plain linear algebra, and its leave-one-out by leaving one out."""

from __future__ import annotations

import numpy as np
import pytest

from vtk.heads.ridge import (
    CRITERIA,
    PENALTIES,
    UNTRIED,
    Ridge,
    fit_ridge,
    fit_temperature,
    negative_log_likelihood,
    row_weights,
)

CLOUDS = [(60, 5, 3), (12, 30, 4), (9, 9, 3)]  # rows, components, classes: more rows than components, fewer, as many


def clouds(rows: int, length: int, count: int, seed: int = 0, apart: float = 1.0) -> tuple[np.ndarray, np.ndarray]:
    """Return rows (N, D) about a centre for each class, and their classes (N,), of unequal sizes."""
    random = np.random.default_rng(seed)
    drawn = random.integers(0, count, rows - 2 * count) ** 2 // count
    classes = np.concatenate([np.repeat(np.arange(count), 2), drawn])
    centres = random.normal(0, apart, (count, length))
    return centres[classes] + random.normal(0, 1, (rows, length)) + 3, classes


def solved(rows: np.ndarray, classes: np.ndarray, count: int, penalty: float,
           weights: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return (D, C) and (C,) by the normal equations, the intercept a column that is not penalised."""
    wide = np.hstack([rows, np.ones((len(rows), 1))])
    penalties = np.diag([penalty] * rows.shape[1] + [0.0])
    found = np.linalg.solve(wide.T @ (weights[:, None] * wide) + penalties,
                            wide.T @ (weights[:, None] * np.eye(count)[classes]))
    return found[:-1], found[-1]


def unit(rows: np.ndarray, weights: np.ndarray) -> float:
    centred = rows - np.average(rows, axis=0, weights=weights)
    return float((weights[:, None] * centred ** 2).sum() / rows.shape[1])


def test_two_points_by_hand() -> None:
    """x = -1, 1: the unit is 2, so that a penalty of 1 halves the slope of 1/2 that goes through both points."""
    found = fit_ridge(np.array([[-1.0], [1.0]]), np.array([0, 1]), 2, penalties=(1.0,))
    np.testing.assert_allclose(found.weights, [[-0.25, 0.25]], atol=1e-12)
    np.testing.assert_allclose(found.bias, [0.5, 0.5], atol=1e-12)
    assert found.penalty == UNTRIED, "no class has a second row, so that nothing could be left out"
    np.testing.assert_allclose(found.left_out, [[0, 1], [1, 0]], atol=1e-9, err_msg="all that is left is the other one")


@pytest.mark.parametrize("balance", [False, True])
@pytest.mark.parametrize(("rows", "length", "count"), CLOUDS)
def test_it_solves_the_normal_equations(rows: int, length: int, count: int, balance: bool) -> None:
    features, classes = clouds(rows, length, count)
    weights = row_weights(classes, count) if balance else np.ones(rows)
    found = fit_ridge(features, classes, count, balance=balance, penalties=(0.03,))
    slopes, bias = solved(features, classes, count, 0.03 * unit(features, weights), weights)
    np.testing.assert_allclose(found.weights, slopes, atol=1e-9)
    np.testing.assert_allclose(found.bias, bias, atol=1e-8)


@pytest.mark.parametrize("balance", [False, True])
@pytest.mark.parametrize(("rows", "length", "count"), CLOUDS)
def test_scores_left_out_are_those_of_fits_without_the_row(rows: int, length: int, count: int, balance: bool) -> None:
    features, classes = clouds(rows, length, count, seed=1)
    weights = row_weights(classes, count) if balance else np.ones(rows)
    found = fit_ridge(features, classes, count, balance=balance, penalties=(0.1,))
    for row in range(rows):
        others = np.arange(rows) != row
        slopes, bias = solved(features[others], classes[others], count, 0.1 * unit(features, weights), weights[others])
        np.testing.assert_allclose(found.left_out[row], features[row] @ slopes + bias, atol=1e-8)


@pytest.mark.parametrize("criterion", CRITERIA)
def test_the_penalty_is_that_of_the_least_criterion(criterion: str) -> None:
    """PRESS and the likelihood by fits that leave each row out in truth; GCV by the trace of the hat matrix."""
    features, classes = clouds(40, 12, 3, seed=2)
    tried = (0.01, 0.1, 1.0, 10.0)
    wide = np.hstack([features, np.ones((40, 1))])
    expected = []
    for penalty in tried:
        at = penalty * unit(features, np.ones(40))
        scores = np.empty((40, 3))
        for row in range(40):
            others = np.arange(40) != row
            slopes, bias = solved(features[others], classes[others], 3, at, np.ones(39))
            scores[row] = features[row] @ slopes + bias
        if criterion == "press":
            expected.append(np.mean(((np.eye(3)[classes] - scores) ** 2).sum(axis=1)))
        elif criterion == "nll":
            expected.append(fit_temperature(scores, classes)[1])
        else:
            hat = wide @ np.linalg.solve(wide.T @ wide + np.diag([at] * 12 + [0.0]), wide.T)
            residuals = np.eye(3)[classes] - hat @ np.eye(3)[classes]
            expected.append(40 * (residuals ** 2).sum() / (40 - np.trace(hat)) ** 2)
    found = fit_ridge(features, classes, 3, penalties=tried, criterion=criterion)
    np.testing.assert_allclose([found.criterion[penalty] for penalty in tried], expected, rtol=1e-6)
    assert found.penalty == tried[int(np.argmin(expected))]


def test_standardising_makes_units_of_components_indifferent() -> None:
    features, classes = clouds(50, 6, 3, seed=3)
    stretched = features * np.array([1, 10, 100, 0.1, 5, 1]) + 7
    plain, other = (fit_ridge(each, classes, 3, standardise=True, penalties=(0.5,)) for each in (features, stretched))
    np.testing.assert_allclose(features @ plain.weights + plain.bias, stretched @ other.weights + other.bias, atol=1e-8)
    constant = np.hstack([features, np.full((50, 1), 4.0)])
    assert not fit_ridge(constant, classes, 3, standardise=True, penalties=(0.5,)).weights[-1].any()


def test_balancing_is_repeating_the_rows_of_rare_classes() -> None:
    features, _ = clouds(12, 4, 2, seed=4)
    classes = np.array([0] * 9 + [1] * 3)
    repeated = np.concatenate([np.arange(9), *[np.arange(9, 12)] * 3])
    balanced = fit_ridge(features, classes, 2, balance=True, penalties=(0.2,))
    twice = fit_ridge(features[repeated], classes[repeated], 2, penalties=(0.2,))
    np.testing.assert_allclose(balanced.weights, twice.weights, atol=1e-9)
    np.testing.assert_allclose(balanced.bias, twice.bias, atol=1e-9)


def test_a_temperature_is_found_and_makes_what_is_left_out_more_likely() -> None:
    """Labels drawn from known probabilities: the temperature that made them comes back."""
    random = np.random.default_rng(5)
    logits = random.normal(0, 2, (20000, 5))
    classes = (logits + random.gumbel(size=logits.shape)).argmax(axis=1)
    temperature, loss = fit_temperature(logits * 0.08, classes)
    assert temperature == pytest.approx(0.08, rel=0.03)
    assert loss < negative_log_likelihood(logits * 0.08, classes) - 0.3
    assert loss == pytest.approx(negative_log_likelihood(logits, classes), abs=1e-3)
    features, labels = clouds(300, 10, 4, seed=6, apart=0.7)
    test, truth = clouds(300, 10, 4, seed=6, apart=0.7)[0] + random.normal(0, 0.3, (300, 10)), labels
    found = fit_ridge(features, labels, 4)
    temperature, _ = fit_temperature(found.left_out, labels)
    scores = test @ found.weights + found.bias
    assert negative_log_likelihood(scores / temperature, truth) < negative_log_likelihood(scores, truth) - 0.1


def test_weights_of_rows_count_in_the_likelihood() -> None:
    scores, classes = np.array([[1.0, 0], [0, 1], [1, 0]]), np.array([0, 0, 0])
    twice = negative_log_likelihood(scores, classes, np.array([1.0, 2, 1]))
    assert twice == pytest.approx(negative_log_likelihood(scores[[0, 1, 1, 2]], classes[[0, 0, 0, 0]]))
    assert negative_log_likelihood(np.zeros((1, 2)), np.array([1])) == pytest.approx(np.log(2))


def test_a_class_of_one_row_does_not_choose_the_penalty() -> None:
    """Left out it is always wrong, and would ask for nothing but softness."""
    features, classes = clouds(60, 8, 3, seed=7, apart=4)
    lone = np.vstack([features, features.mean(axis=0) + 20]), np.append(classes, 3)
    found = fit_ridge(*lone, 4)
    assert found.penalty in PENALTIES and fit_temperature(found.left_out[:-1], classes)[0] < 0.2
    assert (lone[0] @ found.weights + found.bias).argmax(axis=1)[-1] == 3


def test_rows_that_are_all_alike_give_the_shares_of_classes() -> None:
    found = fit_ridge(np.ones((6, 3)), np.array([0, 0, 0, 0, 1, 1]), 2)
    assert isinstance(found, Ridge) and not found.weights.any()
    np.testing.assert_allclose(found.bias, [4 / 6, 2 / 6])


@pytest.mark.parametrize(("given", "said"), [
    ({"features": np.zeros(3)}, r"expected features \(N, D\) and classes \(N,\), got \(3,\)"),
    ({"features": np.full((3, 2), np.nan)}, "not finite"),
    ({"classes": np.array([0, 0, 2])}, r"each of 2 classes 0 to 1, got \[0, 2\]"),
    ({"classes": np.array([0, 0, 0])}, "each of 2 classes"), ({"classes": np.array([0.0, 1, 1])}, "each of 2 classes"),
    ({"penalties": (0.0,)}, r"penalties above 0, got \[0.0\]"), ({"penalties": ()}, "penalties above 0"),
    ({"criterion": "aic"}, "criterion is 'aic', expected one of nll, press, gcv"),
])
def test_what_is_refused(given: dict[str, object], said: str) -> None:
    whole = {"features": np.eye(3, 2), "classes": np.array([0, 1, 1]), "count": 2, **given}
    with pytest.raises(ValueError, match=said):
        fit_ridge(**whole)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="at least one row"):
        fit_temperature(np.zeros((0, 2)), np.zeros(0, int))
