"""Constant-velocity Kalman filters over boxes, for all tracks at once.

In the models of SORT, DeepSORT, ByteTrack and BoT-SORT every noise matrix is diagonal and the motion couples each of
the four measured quantities with its own velocity alone, so the filter of eight states is four independent filters of
two: the same numbers, without a matrix inverse. One array holds them, ``tracks`` (T, 4, 5) float64: for each quantity
its value, its velocity per frame interval, var(value), cov(value, velocity) and var(velocity).

``state`` names the quantities and the noise:

- ``xywh``: centre x, centre y, width, height; noise of x and width in proportion to the width, of y and height to the
  height (BoT-SORT: Aharon et al., arXiv:2206.14651, section 3.1);
- ``xyah``: centre x, centre y, width / height, height; noise in proportion to the height, that of the ratio fixed
  (DeepSORT: Wojke et al., ICIP 2017, section 2.1; ByteTrack);
- ``xysr``: centre x, centre y, area, width / height; all noise fixed, the ratio without a velocity (SORT: Bewley et
  al., ICIP 2016, section 3.2).

A size below one pixel counts as one pixel where noise is in proportion to it: no variance vanishes with a box.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from vtk.kernels.dispatch import Array, call, check_array, check_number, check_numbers
from vtk.kernels.kalman.states import CODES

FLOAT = ("float64",)


def initiate(
    boxes: Array,
    state: str = "xywh",
    position: float = 1 / 20,
    velocity: float = 1 / 160,
    *,
    start: tuple[float, float] = (2.0, 10.0),
) -> Array:
    """Return the filters of tracks that start at ``boxes``, at rest.

    Args:
        boxes: (N, 4) float64, [x1, y1, x2, y2] in pixels, of positive width and height.
        state: ``xywh``, ``xyah`` or ``xysr``, see the module. ``xysr`` ignores the weights.
        position, velocity: standard deviations of value and velocity in one step, as shares of the size; >= 0.
        start: how many times these the deviations of a new track are; >= 0.

    Returns:
        (N, 4, 5) float64. A NaN in a box, or a height of 0 where a ratio is measured, gives what arithmetic gives.

    Raises:
        ValueError: a shape, a dtype, the state or a weight is not as said.

    Source: the deviations 2 / 20 and 10 / 160 of the size are those of the DeepSORT authors' program.
    """
    check_array("boxes", boxes, ("N", 4), FLOAT)
    _check_state(state)
    check_number("position", position, 0)
    check_number("velocity", velocity, 0)
    check_numbers("start", start, 2)
    if min(start) < 0:
        raise ValueError(f"start: got {start!r}, expected numbers >= 0")
    return call(__name__, "initiate", boxes, state, position, velocity, start=start)


def predict(
    tracks: Array, dt: Array, state: str = "xywh", position: float = 1 / 20, velocity: float = 1 / 160
) -> Array:
    """Return the filters ``dt`` frame intervals later.

    For a whole ``dt`` it equals as many single steps of the published models, whose noise per step is
    Q = diag(sp², sv²) with the size held: what a velocity's noise adds to the value in the steps after it is the sum
    over 0..dt-1 of the squares and of the whole numbers, (dt-1) dt (2dt-1) / 6 and dt (dt-1) / 2. Between whole
    numbers these formulas interpolate; below dt = 1 they would turn negative, so there both terms are 0 and the
    covariance stays positive semidefinite (the determinant of Q is sp² sv² dt² + sv⁴ dt² (dt²-1) / 12 from 1 on).

    Args:
        tracks: (T, 4, 5) float64, see the module.
        dt: (T,) float64, in units of the nominal frame interval, any real number >= 0.
        state, position, velocity: as in ``initiate``.

    Returns:
        (T, 4, 5) float64.

    Raises:
        ValueError: a shape, a dtype, the state or a weight is not as said, or a ``dt`` is negative or NaN.

    Source: Kalman 1960 with F = [[1, dt], [0, 1]] per quantity: x' = F x, P' = F P Fᵀ + Q(dt).
    """
    check_array("tracks", tracks, ("T", 4, 5), FLOAT)
    check_array("dt", dt, (len(tracks),), FLOAT)
    least = _least(dt)
    if not least >= 0:
        raise ValueError(f"dt: got {least}, expected numbers >= 0")
    _check_state(state)
    check_number("position", position, 0)
    check_number("velocity", velocity, 0)
    return call(__name__, "predict", tracks, dt, state, position, velocity)


def update(
    tracks: Array,
    boxes: Array,
    scores: Array | None = None,
    state: str = "xywh",
    position: float = 1 / 20,
    score_noise: float = 0.0,
) -> Array:
    """Return predicted filters after seeing ``boxes``, one box a track.

    Args:
        tracks: (T, 4, 5) float64, predicted, see the module.
        boxes: (T, 4) float64, [x1, y1, x2, y2] in pixels, of positive width and height.
        scores: (T,) float64 in [0, 1], the detector's; None: all 1.
        state, position: as in ``initiate``; the size is that of the predicted track.
        score_noise: how much more variance a box of score 0 is measured with than one of score 1, as a share of the
            latter; >= 0. ``xysr`` ignores it, and the scores.

    Returns:
        (T, 4, 5) float64.

    Raises:
        ValueError: a shape, a dtype, the state or a weight is not as said.

    Source: Kalman 1960 with H = [1, 0] per quantity: K = P Hᵀ / (H P Hᵀ + R), x' = x + K (z - H x), P' = (I - K H) P;
    R = (position × size)² (1 + score_noise (1 - score)), after the noise scaled by score of Du et al., StrongSORT,
    TMM 2023, section III-C, which at score 1 takes R away altogether.
    """
    check_array("tracks", tracks, ("T", 4, 5), FLOAT)
    check_array("boxes", boxes, (len(tracks), 4), FLOAT)
    if scores is not None:
        check_array("scores", scores, (len(tracks),), FLOAT)
    _check_state(state)
    check_number("position", position, 0)
    check_number("score_noise", score_noise, 0)
    return call(__name__, "update", tracks, boxes, scores, state, position, score_noise)


def boxes(tracks: Array, state: str = "xywh") -> Array:
    """Return where the tracks are.

    Args:
        tracks: (T, 4, 5) float64, see the module.
        state: as in ``initiate``.

    Returns:
        (T, 4) float64, [x1, y1, x2, y2] in pixels. ``xysr``: NaN where area or ratio is not positive, the centre too.

    Raises:
        ValueError: the shape, the dtype or the state is not as said.

    Source: the definitions of the quantities, solved for the corners.
    """
    check_array("tracks", tracks, ("T", 4, 5), FLOAT)
    _check_state(state)
    return call(__name__, "boxes", tracks, state)


def _least(dt: Array) -> float:
    """Return the least of ``dt`` and 0; NaN where one is NaN."""
    if isinstance(dt, np.ndarray):
        return float(np.minimum.reduce(dt, initial=0.0))
    return float(dt.clamp(max=0).min()) if len(dt) else 0.0


def _check_state(state: Any) -> None:
    """Raise ValueError unless ``state`` is one that the kernels know."""
    if type(state) is not str or state not in CODES:
        raise ValueError(f"state: got {state!r}, expected one of {', '.join(CODES)}")
