"""Constant-velocity Kalman filters over boxes, for all tracks at once.

In the models of SORT and ByteTrack every noise matrix is diagonal and the motion couples each of the four measured
quantities with its own velocity alone, so the eight-state filter is four independent filters of two states: the same
numbers, without a matrix inverse. A state is ``mean`` (T, 4, 2) float64, value and velocity of the four quantities,
and ``cov`` (T, 4, 3) float64, the variance of the value, the covariance, and the variance of the velocity.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np


class Motion(Protocol):
    """A model of how boxes move: what is measured of a box, and how noisy each part of it is."""

    def measure(self, boxes: np.ndarray) -> np.ndarray:
        """Return what the filter tracks of boxes (N, 4) xyxy in pixels: (N, 4) float64."""

    def boxes(self, mean: np.ndarray) -> np.ndarray:
        """Return the boxes (T, 4) float64 xyxy in pixels of states (T, 4, 2)."""

    def initial(self, measured: np.ndarray) -> np.ndarray:
        """Return the covariance (N, 4, 3) of tracks that start at ``measured`` (N, 4)."""

    def drift(self, mean: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the process noise of one step: variances of value and velocity, each broadcastable to (T, 4)."""

    def noise(self, mean: np.ndarray) -> np.ndarray:
        """Return the measurement variances, broadcastable to (T, 4), of states (T, 4, 2)."""


def initiate(motion: Motion, boxes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the states of tracks that start at ``boxes``, at rest.

    Args:
        boxes: (N, 4) xyxy in pixels, of positive width and height.

    Returns:
        mean (N, 4, 2) and cov (N, 4, 3), float64.
    """
    measured = motion.measure(boxes)
    mean = np.zeros((len(boxes), 4, 2))
    mean[:, :, 0] = measured
    return mean, motion.initial(measured)


def predict(motion: Motion, mean: np.ndarray, cov: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the states one step later.

    Args:
        mean: (T, 4, 2) float64.
        cov: (T, 4, 3) float64.

    Source: Kalman 1960 with F = [[1, 1], [0, 1]] per quantity: x' = F x, P' = F P Fᵀ + Q.
    """
    value_drift, velocity_drift = motion.drift(mean)
    moved = mean.copy()
    moved[:, :, 0] += mean[:, :, 1]
    spread = np.empty_like(cov)
    spread[:, :, 0] = cov[:, :, 0] + 2 * cov[:, :, 1] + cov[:, :, 2] + value_drift
    spread[:, :, 1] = cov[:, :, 1] + cov[:, :, 2]
    spread[:, :, 2] = cov[:, :, 2] + velocity_drift
    return moved, spread


def correct(motion: Motion, mean: np.ndarray, cov: np.ndarray, boxes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return predicted states after seeing ``boxes``, one box a track.

    Args:
        mean: (T, 4, 2) float64, predicted.
        cov: (T, 4, 3) float64, predicted.
        boxes: (T, 4) xyxy in pixels.

    Source: Kalman 1960 with H = [1, 0] per quantity: K = P Hᵀ / (H P Hᵀ + R), x' = x + K (z - H x), P' = (I - K H) P.
    """
    innovation = motion.measure(boxes) - mean[:, :, 0]
    gain = cov[:, :, :2] / (cov[:, :, 0] + motion.noise(mean))[:, :, None]
    seen = mean + gain * innovation[:, :, None]
    kept = np.empty_like(cov)
    kept[:, :, :2] = (1 - gain[:, :, :1]) * cov[:, :, :2]
    kept[:, :, 2] = cov[:, :, 2] - gain[:, :, 1] * cov[:, :, 1]
    return seen, kept


def _centres(boxes: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return measurements (N, 4) with the box centres filled in, the widths and the heights, float64."""
    boxes = np.asarray(boxes, dtype=np.float64)
    size = boxes[:, 2:] - boxes[:, :2]
    measured = np.empty((len(boxes), 4))
    measured[:, :2] = boxes[:, :2] + size / 2
    return measured, size[:, 0], size[:, 1]


def _around(mean: np.ndarray, width: np.ndarray, height: np.ndarray) -> np.ndarray:
    """Return boxes (T, 4) xyxy of the given size around the centres of states (T, 4, 2)."""
    half = np.stack([width, height], axis=1) / 2
    centre = mean[:, :2, 0]
    return np.concatenate([centre - half, centre + half], axis=1)


@dataclass(frozen=True, slots=True)
class AreaMotion:
    """SORT's model: centre x, centre y, area and aspect ratio width/height, the ratio without a velocity.

    Source: Bewley et al., ICIP 2016, section 3.2; the variances are those of the authors' program: P0 = 10 for values
    and 10^4 for velocities, Q = 1 for values, 0.01 for velocities and 10^-4 for the area's, R = (1, 1, 10, 10).
    """

    def measure(self, boxes: np.ndarray) -> np.ndarray:
        """Return centre x, centre y, area, ratio (N, 4) of boxes (N, 4) xyxy in pixels."""
        measured, width, height = _centres(boxes)
        measured[:, 2] = width * height
        measured[:, 3] = width / height
        return measured

    def boxes(self, mean: np.ndarray) -> np.ndarray:
        """Return the boxes (T, 4) xyxy of states; NaN where area or ratio is not positive."""
        area, ratio = mean[:, 2, 0], mean[:, 3, 0]
        with np.errstate(invalid="ignore", divide="ignore"):
            width = np.sqrt(np.where((area > 0) & (ratio > 0), area * ratio, np.nan))
            return _around(mean, width, area / width)

    def initial(self, measured: np.ndarray) -> np.ndarray:
        """Return the covariance (N, 4, 3) of new tracks; the ratio's velocity is known to be 0."""
        return np.tile(np.array([[10.0, 0, 1e4], [10, 0, 1e4], [10, 0, 1e4], [10, 0, 0]]), (len(measured), 1, 1))

    def drift(self, mean: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the process variances, the same for every track."""
        return np.ones(4), np.array([0.01, 0.01, 1e-4, 0])

    def noise(self, mean: np.ndarray) -> np.ndarray:
        """Return the measurement variances, the same for every track."""
        return np.array([1.0, 1, 10, 10])


@dataclass(frozen=True, slots=True)
class HeightMotion:
    """DeepSORT's and ByteTrack's model: centre x, centre y, aspect ratio and height, noise in proportion to height.

    Source: Wojke et al., ICIP 2017, section 2.1; the weights 1/20 and 1/160 and the ratio's deviations are those of
    the authors' program, which ByteTrack (Zhang et al., ECCV 2022) takes over.
    """

    def measure(self, boxes: np.ndarray) -> np.ndarray:
        """Return centre x, centre y, ratio, height (N, 4) of boxes (N, 4) xyxy in pixels."""
        measured, width, height = _centres(boxes)
        measured[:, 2] = width / height
        measured[:, 3] = height
        return measured

    def boxes(self, mean: np.ndarray) -> np.ndarray:
        """Return the boxes (T, 4) xyxy of states."""
        height = mean[:, 3, 0]
        return _around(mean, mean[:, 2, 0] * height, height)

    def initial(self, measured: np.ndarray) -> np.ndarray:
        """Return the covariance (N, 4, 3) of new tracks."""
        cov = np.zeros((len(measured), 4, 3))
        cov[:, :, 0] = _scaled(measured[:, 3], 2 / 20, 1e-2)
        cov[:, :, 2] = _scaled(measured[:, 3], 10 / 160, 1e-5)
        return cov

    def drift(self, mean: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the process variances (T, 4) of values and velocities."""
        return _scaled(mean[:, 3, 0], 1 / 20, 1e-2), _scaled(mean[:, 3, 0], 1 / 160, 1e-5)

    def noise(self, mean: np.ndarray) -> np.ndarray:
        """Return the measurement variances (T, 4)."""
        return _scaled(mean[:, 3, 0], 1 / 20, 1e-1)


def _scaled(height: np.ndarray, weight: float, ratio_deviation: float) -> np.ndarray:
    """Return variances (T, 4): (weight × height)² for x, y and height, ``ratio_deviation``² for the ratio."""
    variance = np.empty((len(height), 4))
    variance[:] = ((weight * height) ** 2)[:, None]
    variance[:, 2] = ratio_deviation**2
    return variance
