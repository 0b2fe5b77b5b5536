"""``kalman``: the four two-state filters against the eight-state filter that they stand for."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vtk.kernels.kalman import boxes, initiate, predict, update
from vtk.kernels.kalman.cases import BENCHES, LIBRARIES, moving, objects
from vtk.kernels.kalman.rivals import matrices
from vtk.kernels.kalman.states import CODES

STATES = tuple(CODES)
ONE = np.ones(1)


def _textbook(state: str, size: np.ndarray) -> dict[str, np.ndarray]:
    """Return the published deviations of a track whose box is ``size`` (2,): of a new one, a step, a measurement.

    Written down from the programs of SORT, DeepSORT and BoT-SORT, not from the kernels' table.
    """
    w, h = size
    if state == "xysr":
        start = np.sqrt([10, 10, 10, 10, 1e4, 1e4, 1e4, 0])
        return {"start": start, "step": np.sqrt([1, 1, 1, 1, 0.01, 0.01, 1e-4, 0]), "seen": np.sqrt([1, 1, 10, 10.0])}
    if state == "xyah":
        start = [2 * h / 20, 2 * h / 20, 1e-2, 2 * h / 20, 10 * h / 160, 10 * h / 160, 1e-5, 10 * h / 160]
        step = [h / 20, h / 20, 1e-2, h / 20, h / 160, h / 160, 1e-5, h / 160]
        return {"start": np.array(start), "step": np.array(step), "seen": np.array([h / 20, h / 20, 1e-1, h / 20])}
    sides = np.array([w, h, w, h])
    return {
        "start": np.concatenate([2 * sides / 20, 10 * sides / 160]),
        "step": np.concatenate([sides / 20, sides / 160]),
        "seen": sides / 20,
    }


def _size(state: str, x: np.ndarray) -> np.ndarray:
    """Return width and height of a mean (8,)."""
    if state == "xysr":
        return np.array([np.sqrt(x[2] * x[3]), np.sqrt(x[2] / x[3])])
    return np.array([x[2] * x[3] if state == "xyah" else x[2], x[3]])


def _measured(state: str, box: np.ndarray) -> list[float]:
    w, h = box[2:] - box[:2]
    third, fourth = {"xywh": (w, h), "xyah": (w / h, h), "xysr": (w * h, w / h)}[state]
    return [(box[0] + box[2]) / 2, (box[1] + box[3]) / 2, third, fourth]


@pytest.mark.parametrize("state", STATES)
def test_equals_the_textbook_filter(state: str) -> None:
    """Kalman's equations with whole matrices give the same states over predictions, gaps and corrections."""
    rng = np.random.default_rng(7)
    box = np.array([100.0, 50, 140, 170])
    tracks = initiate(box[None], state)
    x = np.array(_measured(state, box) + [0] * 4)
    p = np.diag(_textbook(state, box[2:] - box[:2])["start"] ** 2)
    f, h = np.eye(8) + np.eye(8, k=4), np.eye(4, 8)
    for frame in range(30):
        step = _textbook(state, _size(state, x))["step"]
        x, p = f @ x, f @ p @ f.T + np.diag(step**2)
        tracks = predict(tracks, ONE, state)
        if frame % 5:
            box = box + [3, 1, 3.2, 1.5] + rng.normal(0, 1, 4)
            r = np.diag(_textbook(state, _size(state, x))["seen"] ** 2) * (1 + 0.7 * 0.4 * (state != "xysr"))
            gain = p @ h.T @ np.linalg.inv(h @ p @ h.T + r)
            x, p = x + gain @ (_measured(state, box) - h @ x), (np.eye(8) - gain @ h) @ p
            tracks = update(tracks, box[None], ONE * 0.6, state, score_noise=0.7)
        mean, cov = matrices(tracks)
        # Float64 through 30 steps; the covariance spans eleven orders of magnitude.
        np.testing.assert_allclose(mean[0], x, rtol=1e-9, atol=1e-9)
        np.testing.assert_allclose(cov[0], p, rtol=1e-7, atol=1e-9)


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("steps", [0, 1, 2, 3, 10, 30])
def test_a_whole_gap_equals_its_steps(state: str, steps: int) -> None:
    """With the size held, dt steps at once are dt single steps, noise and all."""
    tracks = moving(40, state, np.random.default_rng(1))
    tracks[:, 2:, 1] = 0
    one_by_one = tracks
    for _ in range(steps):
        one_by_one = predict(one_by_one, np.ones(40), state)
    np.testing.assert_allclose(predict(tracks, np.full(40, float(steps)), state), one_by_one, rtol=1e-11, atol=1e-11)


@settings(max_examples=100, deadline=None, derandomize=True)
@given(dt=st.lists(st.floats(0, 1000), min_size=1, max_size=20), state=st.sampled_from(STATES), seed=st.integers(0, 9))
def test_covariance_stays_positive_and_grows_with_the_gap(dt: list[float], state: str, seed: int) -> None:
    tracks = moving(len(dt), state, np.random.default_rng(seed))
    before, after = tracks, predict(tracks, np.array(dt), state, position=0.01, velocity=1.0)
    assert (after[..., 2] >= 0).all() and (after[..., 4] >= 0).all()
    # A correlation beyond 1 by rounding alone: products of three factors, each rounded a few times.
    assert (after[..., 3] ** 2 <= after[..., 2] * after[..., 4] * (1 + 1e-9)).all()
    assert (after[..., 4] >= before[..., 4]).all()
    # Q itself, from a track that is known exactly.
    tracks[..., 2:] = 0
    noise = predict(tracks, np.array(dt), state, position=0.01, velocity=1.0)
    assert (noise[..., 2] >= 0).all()
    assert (noise[..., 3] ** 2 <= noise[..., 2] * noise[..., 4] * (1 + 1e-9)).all()


def test_time_is_real() -> None:
    """Half a step moves half as far, and spreads less than a whole one but more than none."""
    tracks = moving(30, "xywh", np.random.default_rng(2))
    none, half, one = (predict(tracks, np.full(30, dt)) for dt in (0.0, 0.5, 1.0))
    np.testing.assert_array_equal(none, tracks)
    np.testing.assert_allclose(half[..., 0], (none[..., 0] + one[..., 0]) / 2, rtol=1e-12)
    assert (none[..., 4] < half[..., 4]).all() and (half[..., 4] < one[..., 4]).all()


def test_by_hand() -> None:
    """A box of 40 x 80 pixels: the deviations are 2 and 4 pixels, those of the velocities 0.25 and 0.5."""
    tracks = initiate(np.array([[10.0, 20, 50, 100]]))
    np.testing.assert_allclose(tracks[0, 0], [30, 0, 16, 0, 6.25])
    np.testing.assert_allclose(tracks[0, 3], [80, 0, 64, 0, 25])
    later = predict(tracks, np.array([2.0]))
    # Two steps: 16 + 4 × 6.25, 2 × 2² of the value's noise, and once the velocity's.
    np.testing.assert_allclose(later[0, 0], [30, 0, 16 + 25 + 8 + 0.0625, 12.5 + 0.0625, 6.25 + 0.125])
    seen = update(tracks, np.array([[15.0, 20, 55, 100]]))
    # Of a variance of 16 and one of 4: four fifths of the way.
    np.testing.assert_allclose(seen[0, 0], [34, 0, 16 / 5, 0, 6.25])


def test_scores_tell_how_much_to_believe() -> None:
    tracks, seen = moving(3, "xywh", np.random.default_rng(3)), objects(3, np.random.default_rng(4))
    trusting = update(tracks, seen)
    np.testing.assert_array_equal(update(tracks, seen, np.ones(3), score_noise=4.0), trusting)
    np.testing.assert_array_equal(update(tracks, seen, np.zeros(3)), trusting)
    # At score 0 and a noise of 3 the deviation is twice as large.
    np.testing.assert_allclose(
        update(tracks, seen, np.zeros(3), score_noise=3.0), update(tracks, seen, position=1 / 10), rtol=1e-14
    )
    doubtful = update(tracks, seen, np.array([0.9, 0.5, 0.1]), score_noise=4.0)
    moved = np.abs(doubtful[..., 0] - tracks[..., 0]) / np.abs(trusting[..., 0] - tracks[..., 0])
    assert (moved[0] > moved[1]).all() and (moved[1] > moved[2]).all() and (doubtful[..., 2] > trusting[..., 2]).all()


@pytest.mark.parametrize("state", STATES)
def test_a_new_track_is_its_box(state: str) -> None:
    given = np.array([[10.0, 20, 40, 100], [-5, -5, 1000, 3]])
    np.testing.assert_allclose(boxes(initiate(given, state), state), given, rtol=1e-12, atol=1e-9)


def test_what_is_no_area_is_no_box() -> None:
    tracks = moving(4, "xysr", np.random.default_rng(5))
    tracks[1, 2, 0], tracks[2, 3, 0], tracks[3, 2, 0] = -1, -1, 0
    found = boxes(tracks, "xysr")
    assert np.isnan(found[1:]).all() and np.isfinite(found[0]).all()


@pytest.mark.parametrize("state", ["xywh", "xyah"])
def test_a_vanished_size_has_the_noise_of_a_pixel(state: str) -> None:
    tracks = initiate(np.array([[10.0, 10, 11, 11], [10, 10, 40, 40]]), state)
    tracks[1, 2:, 0], tracks[1, 2:, 1] = [0.001, -0.5], 0
    tracks[:, :, 2:] = 0
    np.testing.assert_array_equal(*predict(tracks, np.ones(2), state)[:, :, 2:])
    assert np.isfinite(update(tracks, np.array([[0.0, 0, 5, 5]] * 2), None, state)).all()


@pytest.mark.parametrize("state", STATES)
def test_tracks_do_not_touch_each_other(state: str) -> None:
    tracks, seen = moving(9, state, np.random.default_rng(6)), objects(9, np.random.default_rng(7))
    dt = np.linspace(0, 4, 9)
    together = update(predict(tracks, dt, state), seen, None, state)
    for k in range(9):
        alone = update(predict(tracks[k : k + 1], dt[k : k + 1], state), seen[k : k + 1], None, state)
        np.testing.assert_array_equal(alone[0], together[k])


@pytest.mark.parametrize("name", LIBRARIES)
@pytest.mark.parametrize("state", STATES)
def test_what_is_timed_against_does_the_same_work(name: str, state: str) -> None:
    bench = next(bench for bench in BENCHES if bench.function == name)
    arguments = {**bench.inputs(np.random.default_rng(8)), "state": state}
    if "tracks" in arguments:
        arguments["tracks"] = moving(len(arguments["tracks"]), state, np.random.default_rng(9))
    functions = {"initiate": initiate, "predict": predict, "update": update, "boxes": boxes}
    ours = functions[name](**arguments)
    for label, prepare in LIBRARIES[name].items():
        result = prepare(arguments)()
        if name == "boxes":
            np.testing.assert_allclose(result, ours, rtol=1e-9, err_msg=label)
            continue
        means, covariances = result if isinstance(result, tuple) else map(np.array, zip(*result, strict=True))
        wanted = matrices(ours)
        # Matrix products and a solver add the same numbers in another order.
        np.testing.assert_allclose(means, wanted[0], rtol=1e-8, atol=1e-8, err_msg=label)
        np.testing.assert_allclose(covariances, wanted[1], rtol=1e-6, atol=1e-6, err_msg=label)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda tracks: initiate(np.zeros((2, 4)), "xyzw"), "state: got 'xyzw', expected one of xywh, xyah, xysr"),
        (lambda tracks: initiate(np.zeros((2, 4)), ["xywh"]), r"state: got \['xywh'\], expected one of xywh"),
        (lambda tracks: initiate(np.zeros((2, 4)), start=(-1, 2)), r"start: got \(-1, 2\), expected numbers >= 0"),
        (lambda tracks: initiate(np.zeros((2, 4)), position=-1.0), "position: got -1.0, expected a finite number in"),
        (lambda tracks: initiate(np.zeros((2, 4), np.float32)), "boxes: got a float32 array .* expected a float64"),
        (lambda tracks: predict(tracks, np.array([1, -0.5])), "dt: got -0.5, expected numbers >= 0"),
        (lambda tracks: predict(tracks, np.array([1, np.nan])), "dt: got nan, expected numbers >= 0"),
        (lambda tracks: predict(tracks, np.ones(3)), r"dt: got a float64 array of shape \(3,\), expected .* \(2,\)"),
        (lambda tracks: predict(tracks[:, :3], np.ones(2)), r"tracks: got a float64 array of shape \(2, 3, 5\)"),
        (lambda tracks: update(tracks, np.zeros((1, 4))), r"boxes: got a float64 array of shape \(1, 4\)"),
        (lambda tracks: boxes(tracks, None), "state: got None, expected one of"),
    ],
)
def test_refuses(call: Callable[[np.ndarray], np.ndarray], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        call(np.ones((2, 4, 5)))
