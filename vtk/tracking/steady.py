"""Our tracker: two stages of boxes, noise by score, wide second looks, and appearance where boxes bring it."""

from __future__ import annotations

from typing import Any

import numpy as np

from vtk.kernels import kalman
from vtk.kernels.association import assign, gated_cost
from vtk.tracking.association import overlaps
from vtk.tracking.tracker import Tracker

# Rows of the "xywh" state.
SIZE = slice(2, 4)
# Pixels from the border within which a box is cut off by it.
BORDER = 1.0
# Of its size in a frame interval: the speed from which on a track is on its way out, not trembling. Measured: from 0 to
# 0.02 the same HOTA on the nine sets of boxes (mean 49.5; 49.7 without, by one track of TUD-Campus).
OUTWARD = 0.01


class SteadyTracker(Tracker):
    """The default tracker, ``--tracker vtk``.

    A box at or above ``high`` is sure, one between ``low`` and ``high`` only keeps a track alive, one below ``low`` is
    not looked at. A lost track comes back with a box of ``revive`` or more. A track starts at a box of ``start`` or
    more that no paired box covers, and is reported once a sure box confirms it in the next step; in the first frame
    with boxes at once.

    Pairs are made by the overlap of boxes that are grown by a share of their size, weighted by how well their heights
    agree; where both have features, by whichever is nearer, the overlap or the look. What is left over gets a second,
    wider look. Unsure boxes move a track less: their measurement noise is larger.

    Args:
        max_lost: seconds after its last box at which a track ends.
        high, low, revive, start: scores, see above.
        match, second, unconfirmed: costs under which a sure box may go to a confirmed track, an unsure one to a
            confirmed track, a sure one to a track that has one box. The last grows with the time between frames: such
            a track has no speed yet, and the overlap that it keeps shrinks with the way (``_first_limit``).
        grown: how far boxes are grown on each side, in shares of their size.
        wide, wide_match: the same, and the cost, of the second look.
        height_power: weight of the agreement of heights, an exponent.
        covered: overlap with a paired box from which on a box starts no track.
        score_noise: k of the measurement noise R·(1 + k(1 - score)).
        position, velocity, measured: noise of a box's place and speed from one frame to the next, and of its
            measurement: standard deviations in shares of its size.
        cosine: distance of looks, (1 - cosine) / 2, up to which they may make a pair.
        unlike: distance of looks from which on a box does not bring a lost track back.
        motion: squared Mahalanobis distance up to which looks may make a pair: 9.49, the 95 % quantile of chi-square
            for four quantities.

    Source: two stages, ByteTrack (Zhang et al., ECCV 2022); xywh state and the nearer of overlap and look, BoT-SORT
    (Aharon et al. 2022); grown boxes, C-BIoU (Yang et al., WACV 2023); agreement of heights, Hybrid-SORT (Yang et al.,
    AAAI 2024); noise by score, the GIAOTracker family (Du et al., ICCVW 2021); features averaged half and half, then a
    second pass by overlap, SVRep. Thresholds: measured on KITTI-17, TUD-Campus and PETS09-S2L1 with public, FrRCNN and
    yolox-nano boxes, the same for all nine (README, "Tracking", with the cross-validated figures).
    """

    def __init__(self, max_lost: float = 2.0, high: float = 0.2, low: float = 0.1, revive: float = 0.4,
                 start: float = 0.6, match: float = 0.8, second: float = 0.6, unconfirmed: float = 0.6,
                 grown: float = 0.2, wide: float = 0.4, wide_match: float = 0.8, height_power: float = 0.5, covered: float = 0.4,
                 score_noise: float = 2.0, position: float = 1 / 30, velocity: float = 1 / 80, measured: float = 1 / 16,
                 cosine: float = 0.1, unlike: float = 0.3, motion: float = 9.49) -> None:
        super().__init__("xywh", max_lost, position, velocity)
        self.high, self.low, self.revive, self.start = high, low, revive, start
        self.match, self.second, self.unconfirmed = match, second, unconfirmed
        self.grown, self.wide, self.wide_match = grown, wide, wide_match
        self.height_power, self.covered = height_power, covered
        self.score_noise, self.measured = score_noise, measured
        self.cosine, self.unlike, self.motion = cosine, unlike, motion
        self._dt = 1.0  # intervals of the last advance

    def _advance(self, steps: int, dt: float) -> list[int]:
        self._dt = dt
        # An unconfirmed track needs its second box in the very next step.
        ended = self._drop(~self.tracks.confirmed) if steps > 1 else []
        ended += self._drop(self._left(steps))
        tracks = self.tracks
        tracks.state[tracks.missed > 0, SIZE, 1] = 0  # a lost track keeps its size
        return ended + super()._advance(steps, dt)

    def _left(self, steps: int) -> np.ndarray:
        """Return which tracks (T,) bool have left the picture: unseen, cut off by its border and on their way out.

        Who comes in at the same place a moment later is somebody else.
        """
        tracks = self.tracks
        if self.size is None or not len(tracks):
            return np.zeros(len(tracks), dtype=bool)
        boxes, speed = self._boxes(), tracks.state[:, :2, 1] / tracks.state[:, SIZE, 0]
        low, high = boxes[:, :2] <= BORDER, boxes[:, 2:] >= np.array(self.size) - BORDER
        outward = (low & (speed < -OUTWARD)) | (high & (speed > OUTWARD))
        return outward.any(axis=1) & (tracks.missed + steps > 1)

    def _seen(self, states: np.ndarray, boxes: np.ndarray, scores: np.ndarray | None) -> np.ndarray:
        return kalman.update(states, boxes, scores, self.model, self.measured, self.score_noise)

    def _associate(self, boxes: np.ndarray, scores: np.ndarray, class_ids: np.ndarray, features: np.ndarray | None,
                   first: bool) -> tuple[np.ndarray, np.ndarray]:
        tracks = self.tracks
        owner = np.full(len(boxes), -1, np.int64)
        if len(tracks):
            self._pair(owner, boxes, scores, class_ids, features)
        matched = np.flatnonzero(owner >= 0)
        rows = owner[matched]
        self._correct(rows, boxes[matched], scores[matched])
        if features is not None:
            tracks.learn(rows, features[matched])
        free = np.ones(len(tracks), dtype=bool)
        free[rows] = False
        dropped = free & ~tracks.confirmed
        tracks.confirmed |= ~free
        new = np.flatnonzero((owner < 0) & (scores >= self.start))
        if len(new) and len(matched) and self.covered < 1:
            covering = overlaps(boxes[new], class_ids[new], boxes[matched], class_ids[matched])
            new = new[covering.max(axis=1) <= self.covered]
        self._start(new, owner, boxes, class_ids, features, first)
        return owner, np.concatenate([dropped, np.zeros(len(new), dtype=bool)])

    def _pair(self, owner: np.ndarray, boxes: np.ndarray, scores: np.ndarray, class_ids: np.ndarray,
              features: np.ndarray | None) -> None:
        """Write into ``owner`` (N,) the track that each box goes to."""
        tracks = self.tracks
        predicted = self._boxes()
        free = np.ones(len(tracks), dtype=bool)
        confirmed, live = tracks.confirmed, tracks.missed == 1
        sure = scores >= self.high
        barred = self._barred(~live, scores, features)

        def pair(cost: np.ndarray, limit: float, rows: np.ndarray, columns: np.ndarray) -> None:
            rows, columns = rows & free, columns & (owner < 0)
            if rows.any() and columns.any():
                column = assign(cost, limit, rows, columns)
                made = np.flatnonzero(column >= 0)
                owner[column[made]] = made
                free[made] = False

        def cost_of(rows: np.ndarray | slice = slice(None), columns: np.ndarray | slice = slice(None),
                    **how: Any) -> np.ndarray:
            cost = gated_cost(predicted[rows], boxes[columns], tracks.class_id[rows], class_ids[columns], **how)
            if barred is not None:
                cost[barred[rows][:, columns]] = np.inf
            return cost

        if features is not None:
            pair(cost_of(buffer=self.grown, height_power=self.height_power, track_features=tracks.feature,
                         box_features=features, max_cosine=self.cosine, spread=self._spread(),
                         max_motion=self.motion), self.match, confirmed, sure)
        cost = cost_of(buffer=self.grown, height_power=self.height_power)
        pair(cost, self.match, confirmed, sure)
        pair(cost, self.second, confirmed & live, ~sure & (scores >= self.low))
        pair(cost, self._first_limit(), ~confirmed, sure)
        rows, columns = np.flatnonzero(confirmed & free), np.flatnonzero(sure & (owner < 0))
        if len(rows) and len(columns):  # few are left: the wider look is at them alone
            column = assign(cost_of(rows, columns, buffer=self.wide), self.wide_match)
            made = np.flatnonzero(column >= 0)
            owner[columns[column[made]]] = rows[made]

    def _barred(self, lost: np.ndarray, scores: np.ndarray, features: np.ndarray | None) -> np.ndarray | None:
        """Return which pairs (T, N) bool are out: lost tracks with weak boxes or ones that look otherwise; None: none.
        """
        weak = scores < self.revive
        if not lost.any() or (features is None and not weak.any()):
            return None
        barred = lost[:, None] & weak
        if features is not None:
            looks = self.tracks.feature
            known = looks.any(axis=1)[:, None] & features.any(axis=1)
            barred |= lost[:, None] & known & (1 - looks @ features.T > 2 * self.unlike)
        return barred

    def _first_limit(self) -> float:
        """Return the cost under which a box may go to a track that has one, given the time since.

        Source: measured with the runner vtk.tracking.rates: with the square root, every 5th frame costs 7 points of
        HOTA instead of 10 on public boxes and 1.7 less on FrRCNN ones; every 2nd and 3rd 0.3 and 0.4 less.
        """
        return 1 - (1 - self.unconfirmed) / min(max(self._dt, 1.0), 8.0) ** 0.5

    def _spread(self) -> np.ndarray:
        """Return the variances (T, 4) of where a track's next box may be: centre x, centre y, width, height."""
        state = self.tracks.state
        size = np.maximum(state[:, [2, 3, 2, 3], 0], 1)
        return state[:, :, 2] + (self.measured * size) ** 2
