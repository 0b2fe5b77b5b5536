"""Live faces against attacks: error rates of ISO/IEC 30107-3 by type of attack, and the literature's figures.

    told = answers(scores, spoof_below, live_from)
    found = rates(told, kinds, types)       # Rates: apcer by type, bpcer, acer, hter
    curve = operating_curve(scores, kinds, types)
    auc(curve), eer(curve), bpcer_at(curve, 0.05)

A score is higher the more a face looks live; from a threshold on it is taken for live. ISO/IEC 30107-3 names APCER, of
each type of attack (PAI species) on its own, BPCER, and BPCER at a fixed APCER. ACER, HTER, EER and AUC are the
literature's: the standard does not have them, and an average hides which of both errors is made.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass

import numpy as np

LIVE = -1  # the kind of a bona fide presentation; an attack's is the index of its type
IS_LIVE, IS_SPOOF, IS_UNSURE = 1, 0, -1  # answers
RESAMPLES = 1000
_TAILS = (2.5, 97.5)  # percent: 95 of 100 resamples lie between


@dataclass(frozen=True, slots=True)
class Rates:
    """Shares in [0, 1] of presentations that were answered wrongly or not at all; NaN where there are none.

    Attributes:
        apcer: (T,) of the attacks of each type those taken for live. Source: ISO/IEC 30107-3.
        bpcer: of bona fide presentations those taken for attacks. Source: ISO/IEC 30107-3.
        attacks_unsure: (T,) of the attacks of each type those answered with unsure.
        live_unsure: the same of bona fide presentations.
        pooled: of all attacks those taken for live, whatever their type: the literature's false acceptance rate.
        accuracy: of all presentations those answered rightly; unsure is not right.
    """

    apcer: np.ndarray
    bpcer: float
    attacks_unsure: np.ndarray
    live_unsure: float
    pooled: float
    accuracy: float

    @property
    def worst(self) -> float:
        """APCER of the type that is taken for live most often; NaN without attacks. Source: ISO/IEC 30107-3."""
        return _greatest(self.apcer)

    @property
    def acer(self) -> float:
        """Mean of the worst APCER and BPCER: the literature's, not ISO's. Source: OULU-NPU (Boulkenafet, FG 2017)."""
        return (self.worst + self.bpcer) / 2

    @property
    def hter(self) -> float:
        """Mean of the pooled false acceptance rate and BPCER: the literature's, not ISO's."""
        return (self.pooled + self.bpcer) / 2


@dataclass(frozen=True, slots=True)
class Curve:
    """Error rates at every threshold that makes a difference.

    Attributes:
        thresholds: (K,) float64 ascending, each score once, then infinity: what reaches one is taken for live.
        apcer: (K, T) float64, of each type of attack the share taken for live; NaN where a type has none.
        pooled: (K,) the same of all attacks.
        bpcer: (K,) share of bona fide presentations that are not taken for live.
        counts: (T,) int64, presentations of each type, which weights do not change.
    """

    thresholds: np.ndarray
    apcer: np.ndarray
    pooled: np.ndarray
    bpcer: np.ndarray
    counts: np.ndarray

    @property
    def worst(self) -> np.ndarray:
        """(K,) the greatest APCER of any type; NaN without attacks."""
        if not self.counts.any():
            return np.full(len(self.thresholds), np.nan)
        return np.asarray(np.nanmax(self.apcer[:, self.counts > 0], axis=1))


def checked(scores: np.ndarray, kinds: np.ndarray, types: int) -> tuple[np.ndarray, np.ndarray]:
    """Return scores (N,) float64 and kinds (N,) int64.

    Raises:
        ValueError: shapes that do not agree, a score that is not finite, a kind that is none.
    """
    scores, kinds = np.asarray(scores, np.float64), np.asarray(kinds, np.int64)
    if scores.ndim != 1 or scores.shape != kinds.shape:
        raise ValueError(f"scores, kinds: got shapes {scores.shape} and {kinds.shape}, expected (N,) twice")
    for row in np.flatnonzero(~np.isfinite(scores))[:1]:
        raise ValueError(f"scores: got {scores[row]} in row {row}, expected finite numbers")
    for row in np.flatnonzero((kinds < LIVE) | (kinds >= types))[:1]:
        raise ValueError(f"kinds: got {kinds[row]} in row {row}, expected {LIVE} for live or a type below {types}")
    return scores, kinds


def answers(scores: np.ndarray, spoof_below: float, live_from: float) -> np.ndarray:
    """Return (N,) int8: IS_LIVE from ``live_from`` on, IS_SPOOF below ``spoof_below``, IS_UNSURE between."""
    scores = np.asarray(scores, np.float64)
    told = np.where(scores < spoof_below, IS_SPOOF, IS_UNSURE)
    return np.where(scores >= live_from, IS_LIVE, told).astype(np.int8)


def rates(told: np.ndarray, kinds: np.ndarray, types: int, weights: np.ndarray | None = None) -> Rates:
    """Return the error rates of answers.

    Args:
        told: (N,) IS_LIVE, IS_SPOOF or IS_UNSURE.
        kinds: (N,) LIVE, or the type of attack from 0 to ``types`` - 1.
        weights: (N,) how often each presentation counts; None: once.

    Raises:
        ValueError: as ``checked``.
    """
    told, kinds = checked(told, kinds, types)
    weights = np.ones(len(told)) if weights is None else np.asarray(weights, np.float64)
    attack = kinds != LIVE
    sums = {answer: np.bincount(kinds[told == answer] + 1, weights[told == answer], types + 1)
            for answer in (IS_LIVE, IS_SPOOF, IS_UNSURE)}
    count = np.bincount(kinds + 1, weights, types + 1)
    right = weights[np.where(attack, told == IS_SPOOF, told == IS_LIVE)].sum()
    return Rates(_share(sums[IS_LIVE][1:], count[1:]), float(_share(sums[IS_SPOOF][0], count[0])),
                 _share(sums[IS_UNSURE][1:], count[1:]), float(_share(sums[IS_UNSURE][0], count[0])),
                 float(_share(sums[IS_LIVE][1:].sum(), count[1:].sum())),
                 float(_share(right, count.sum())))  # fmt: skip


def operating_curve(scores: np.ndarray, kinds: np.ndarray, types: int, weights: np.ndarray | None = None) -> Curve:
    """Return the error rates at every threshold.

    Args:
        scores: (N,) higher where live.
        kinds, types, weights: as of ``rates``.

    Raises:
        ValueError: as ``checked``.
    """
    scores, kinds = checked(scores, kinds, types)
    weights = np.ones(len(scores)) if weights is None else np.asarray(weights, np.float64)
    steps, place = np.unique(scores, return_inverse=True)
    mass = np.bincount(place * (types + 1) + kinds + 1, weights, (len(steps) + 1) * (types + 1)).reshape(-1, types + 1)
    below = np.concatenate([np.zeros((1, types + 1)), np.cumsum(mass, axis=0)[:-1]])
    total = mass.sum(axis=0)
    attacks, every = below[:, 1:], total[1:]
    return Curve(np.append(steps, np.inf), _share(every - attacks, every),
                 _share(every.sum() - attacks.sum(axis=1), every.sum()), _share(below[:, 0], total[0]),
                 np.bincount(kinds[kinds != LIVE], minlength=types))


def auc(curve: Curve) -> float:
    """Return the area under the ROC, [0, 1]: the chance that a live face scores above an attack, ties half.

    The literature's figure, not ISO's; of all attacks together. NaN where a class is missing.
    """
    found = 1 - curve.bpcer
    return float(np.sum((curve.pooled[:-1] - curve.pooled[1:]) * (found[:-1] + found[1:]) / 2))


def eer(curve: Curve) -> tuple[float, float]:
    """Return where as many attacks pass as live faces are turned down, and the threshold nearest to it.

    The literature's figure, not ISO's; of all attacks together. Between two thresholds the rate is taken from the
    straight line. The threshold is one of the scores. (NaN, NaN) where a class is missing.
    """
    gap = curve.bpcer - curve.pooled  # rises from -1 to 1
    if np.isnan(gap).any():
        return float("nan"), float("nan")
    after = int(np.argmax(gap >= 0))
    before = max(after - 1, 0)
    rise = gap[after] - gap[before]
    part = -gap[before] / rise if rise > 0 else 0.0
    rate = curve.bpcer[before] + part * (curve.bpcer[after] - curve.bpcer[before])
    nearest = before if -gap[before] < gap[after] or not np.isfinite(curve.thresholds[after]) else after
    return float(rate), float(curve.thresholds[nearest])


def bpcer_at(curve: Curve, apcer: float) -> float:
    """Return the least BPCER at which no type of attack has a greater APCER than ``apcer``, both in [0, 1].

    BPCER10, BPCER20 and BPCER100 are those at 0.1, 0.05 and 0.01. NaN where a type has fewer than 1 / ``apcer``
    attacks: one of them taken for live would be more than that share already.

    Raises:
        ValueError: ``apcer`` is no share above 0.

    Source: ISO/IEC 30107-3.
    """
    if not 0 < apcer < 1:
        raise ValueError(f"apcer: got {apcer}, expected a share between 0 and 1")
    there = curve.counts[curve.counts > 0]
    if not len(there) or there.min() * apcer < 1 - 1e-9 or np.isnan(curve.bpcer).any():
        return float("nan")
    return float(curve.bpcer[np.argmax(curve.worst <= apcer)])


def span_at_apcer(curve: Curve, apcer: float) -> tuple[float, float]:
    """Return (above, up to): the lowest thresholds at which no type of attack has a greater APCER than ``apcer``.

    All in it have the same rates. -infinity where any threshold will do; up to infinity where no score will.

    Raises:
        ValueError: there are no attacks, or ``apcer`` is no share.
    """
    if not 0 <= apcer < 1 or np.isnan(curve.pooled).any():
        raise ValueError(f"apcer: got {apcer} and {curve.counts.sum()} attacks, expected a share below 1, and attacks")
    place = int(np.argmax(curve.worst <= apcer))
    return _below(curve, place), float(curve.thresholds[place])


def span_at_bpcer(curve: Curve, bpcer: float) -> tuple[float, float]:
    """Return (above, up to): the highest thresholds at which BPCER is not above ``bpcer``; all have the same rates.

    Raises:
        ValueError: there are no live faces, or ``bpcer`` is no share.
    """
    if not 0 <= bpcer < 1 or np.isnan(curve.bpcer).any():
        raise ValueError(f"bpcer: got {bpcer}, expected a share below 1, and live faces")
    place = int(np.flatnonzero(curve.bpcer <= bpcer)[-1])
    return _below(curve, place), float(curve.thresholds[place])


def resampled(kinds: np.ndarray, groups: Sequence[Hashable], measure: Callable[[np.ndarray], Sequence[float]],
              seed: int = 0, resamples: int = RESAMPLES) -> np.ndarray:
    """Return figures (resamples, F) of data drawn again: whole groups, as many as there are.

    Groups with live faces alone, with attacks alone and with both are drawn apart, so that no draw lacks a class.

    Args:
        kinds: (N,) of each presentation.
        groups: N names: presentations of one subject or source stand or fall together.
        measure: gives F figures for weights (N,): how often each presentation was drawn.
        seed: of what is drawn.

    Raises:
        ValueError: lengths that do not agree.
    """
    if len(groups) != len(kinds):
        raise ValueError(f"groups: got {len(groups)}, expected one for each of {len(kinds)} presentations")
    numbers: dict[Hashable, int] = {}
    codes = np.array([numbers.setdefault(group, len(numbers)) for group in groups], np.int64)
    live = np.bincount(codes, np.asarray(kinds) == LIVE, len(numbers)) > 0
    attacked = np.bincount(codes, np.asarray(kinds) != LIVE, len(numbers)) > 0
    strata = [rows for rows in (np.flatnonzero((live == a) & (attacked == b)) for a in (0, 1) for b in (0, 1))
              if len(rows)]
    rng = np.random.default_rng(seed)
    out = []
    for _ in range(resamples):
        drawn = np.zeros(len(numbers))
        for rows in strata:
            drawn[rows] = rng.multinomial(len(rows), np.full(len(rows), 1 / len(rows)))
        out.append(tuple(measure(drawn[codes])))
    return np.array(out, np.float64)


def interval(figures: np.ndarray) -> tuple[float, float] | None:
    """Return where 95 of 100 resampled figures (R,) lie; None where all are the same: that says nothing of chance."""
    known = figures[np.isfinite(figures)]
    if len(known) < len(figures) / 2 or np.ptp(known) < 1e-12:
        return None
    low, high = np.percentile(known, _TAILS)
    return float(low), float(high)


def exact_interval(wrong: int, count: int) -> tuple[float, float]:
    """Return the exact 95 % interval of a share, of ``wrong`` out of ``count`` that are independent.

    For shares of 0 and 1, which resamples cannot leave: none of 9 wrong may still be 34 in 100.

    Raises:
        ValueError: not 0 <= wrong <= count with a count.

    Source: Clopper and Pearson, Biometrika 1934.
    """
    from scipy.special import betaincinv

    if not 0 <= wrong <= count or not count:
        raise ValueError(f"got {wrong} of {count}, expected a part of one or more")
    tail = _TAILS[0] / 100
    low = 0.0 if wrong == 0 else float(betaincinv(wrong, count - wrong + 1, tail))
    high = 1.0 if wrong == count else float(betaincinv(wrong + 1, count - wrong, 1 - tail))
    return low, high


def _below(curve: Curve, place: int) -> float:
    return float(curve.thresholds[place - 1]) if place else -np.inf


def _greatest(shares: np.ndarray) -> float:
    known = shares[~np.isnan(shares)]
    return float(known.max()) if len(known) else float("nan")


def _share(part: np.ndarray | float, whole: np.ndarray | float) -> np.ndarray:
    """Return part / whole, NaN where there is no whole."""
    part, whole = np.asarray(part, np.float64), np.asarray(whole, np.float64)
    return np.divide(part, whole, out=np.full(np.broadcast_shapes(part.shape, whole.shape), np.nan), where=whole > 0)
