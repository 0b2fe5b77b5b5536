"""The four two-state filters against the eight-state filter that they stand for."""

from __future__ import annotations

import numpy as np
import pytest

from vtk.tracking.kalman import AreaMotion, HeightMotion, correct, initiate, predict

MOTIONS = (AreaMotion(), HeightMotion())


def full(mean, cov):
    """Return the (8,) mean and (8, 8) covariance of one track's four filters."""
    matrix = np.zeros((8, 8))
    for k in range(4):
        matrix[k, k], matrix[k, k + 4], matrix[k + 4, k], matrix[k + 4, k + 4] = *cov[k, [0, 1]], *cov[k, 1:]
    return np.concatenate([mean[:, 0], mean[:, 1]]), matrix


@pytest.mark.parametrize("motion", MOTIONS)
def test_equals_the_textbook_filter(motion):
    """Kalman's equations with whole matrices give the same states over predictions, gaps and corrections."""
    rng = np.random.default_rng(7)
    boxes = np.array([[100.0, 50, 140, 170]])
    mean, cov = initiate(motion, boxes)
    x, p = full(mean[0], cov[0])
    f = np.eye(8) + np.eye(8, k=4)
    h = np.eye(4, 8)
    for frame in range(30):
        value, velocity = (np.broadcast_to(part, (1, 4))[0] for part in motion.drift(mean))
        mean, cov = predict(motion, mean, cov)
        x, p = f @ x, f @ p @ f.T + np.diag([*value, *velocity])
        if frame % 5:
            boxes = boxes + [3, 1, 3.2, 1.5] + rng.normal(0, 1, 4)
            r = np.diag(np.broadcast_to(motion.noise(mean), (1, 4))[0])
            mean, cov = correct(motion, mean, cov, boxes)
            gain = p @ h.T @ np.linalg.inv(h @ p @ h.T + r)
            x, p = x + gain @ (motion.measure(boxes)[0] - h @ x), (np.eye(8) - gain @ h) @ p
        ours = full(mean[0], cov[0])
        # Float64 through 30 steps; the covariance spans eleven orders of magnitude.
        np.testing.assert_allclose(ours[0], x, rtol=1e-9, atol=1e-9)
        np.testing.assert_allclose(ours[1], p, rtol=1e-7, atol=1e-9)


@pytest.mark.parametrize("motion", MOTIONS)
def test_a_new_track_is_its_box(motion):
    boxes = np.array([[10.0, 20, 40, 100], [-5, -5, 1000, 3]])
    np.testing.assert_allclose(motion.boxes(initiate(motion, boxes)[0]), boxes, rtol=1e-12, atol=1e-9)


@pytest.mark.parametrize("motion", MOTIONS)
def test_tracks_do_not_touch_each_other(motion):
    boxes = np.random.default_rng(0).uniform(0, 100, (9, 4))
    boxes[:, 2:] += boxes[:, :2] + 1
    together = predict(motion, *initiate(motion, boxes))
    for k in range(9):
        alone = predict(motion, *initiate(motion, boxes[k:k + 1]))
        assert (alone[0][0] == together[0][k]).all() and (alone[1][0] == together[1][k]).all()


def test_no_tracks_is_fine():
    for motion in MOTIONS:
        mean, cov = predict(motion, *initiate(motion, np.empty((0, 4))))
        assert mean.shape == (0, 4, 2) and cov.shape == (0, 4, 3)
        assert motion.boxes(mean).shape == (0, 4)
