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

from collections import Counter
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass

import numpy as np

LIVE = -1  # the kind of a bona fide presentation; an attack's is the index of its type
IS_LIVE, IS_SPOOF, IS_UNSURE = 1, 0, -1  # answers
RESAMPLES = 1000
_ROUNDING = 1e-9  # of sums of weights that are no whole numbers; less than one of a thousand million presentations
_AT_ONCE = 2_000_000  # numbers of resamples that are held at once
FEW_GROUPS = 30  # below, percentiles of resampled shares are too narrow. Judged by Clopper and Pearson's interval
_TAILS = (2.5, 97.5)  # percent: 95 of 100 resamples lie between


@dataclass(frozen=True, slots=True)
class Rates:
    """Shares in [0, 1] of presentations that were answered wrongly or not at all; NaN where there are none.

    All have the leading shape of the weights, (...), which is () without.

    Attributes:
        apcer: (..., T) of the attacks of each type those taken for live. Source: ISO/IEC 30107-3.
        bpcer: (...) of bona fide presentations those taken for attacks. Source: ISO/IEC 30107-3.
        attacks_unsure: (..., T) of the attacks of each type those answered with unsure.
        live_unsure: (...) the same of bona fide presentations.
        pooled: (...) of all attacks those taken for live: the literature's false acceptance rate.
        accuracy: (...) of all presentations those answered rightly; unsure is not right.
    """

    apcer: np.ndarray
    bpcer: np.ndarray
    attacks_unsure: np.ndarray
    live_unsure: np.ndarray
    pooled: np.ndarray
    accuracy: np.ndarray

    @property
    def worst(self) -> np.ndarray:
        """(...) APCER of the type that is taken for live most often; NaN without attacks. Source: ISO/IEC 30107-3."""
        return _greatest(self.apcer)

    @property
    def acer(self) -> np.ndarray:
        """(...) mean of worst APCER and BPCER: the literature's, not ISO's. Source: OULU-NPU (Boulkenafet, FG 2017)."""
        return (self.worst + self.bpcer) / 2

    @property
    def hter(self) -> np.ndarray:
        """(...) mean of the pooled false acceptance rate and BPCER: the literature's, not ISO's."""
        return (self.pooled + self.bpcer) / 2


@dataclass(frozen=True, slots=True)
class Curve:
    """Error rates at every threshold that makes a difference; (...) is the leading shape of the weights.

    Attributes:
        thresholds: (K,) float64 ascending, each score once, then infinity: what reaches one is taken for live.
        apcer: (..., K, T) float64, of each type of attack the share taken for live; NaN where a type has none.
        pooled: (..., K) the same of all attacks.
        bpcer: (..., K) share of bona fide presentations that are not taken for live.
        counts: (T,) int64, presentations of each type, which weights do not change.
    """

    thresholds: np.ndarray
    apcer: np.ndarray
    pooled: np.ndarray
    bpcer: np.ndarray
    counts: np.ndarray

    @property
    def worst(self) -> np.ndarray:
        """(..., K) the greatest APCER of any type; NaN without attacks."""
        return _greatest(self.apcer)


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
        weights: (..., N) how often each presentation counts; None: once.

    Raises:
        ValueError: as ``checked``.
    """
    told, kinds = checked(told, kinds, types)
    weights = np.ones(len(told)) if weights is None else np.asarray(weights, np.float64)
    # (..., 3, T + 1): how many of each kind have each answer, unsure first; the first kind is live.
    sums = _sums(weights, ((told - IS_UNSURE) * (types + 1) + kinds + 1).astype(np.int64), 3 * (types + 1))
    sums = sums.reshape(*weights.shape[:-1], 3, types + 1)
    unsure, spoof, live = (sums[..., answer - IS_UNSURE, :] for answer in (IS_UNSURE, IS_SPOOF, IS_LIVE))
    count = sums.sum(axis=-2)
    return Rates(_share(live[..., 1:], count[..., 1:]), _share(spoof[..., 0], count[..., 0]),
                 _share(unsure[..., 1:], count[..., 1:]), _share(unsure[..., 0], count[..., 0]),
                 _share(live[..., 1:].sum(axis=-1), count[..., 1:].sum(axis=-1)),
                 _share(live[..., 0] + spoof[..., 1:].sum(axis=-1), count.sum(axis=-1)))  # fmt: skip


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
    mass = _sums(weights, place * (types + 1) + kinds + 1, len(steps) * (types + 1))
    mass = mass.reshape(*weights.shape[:-1], len(steps), types + 1)
    below = np.concatenate([np.zeros_like(mass[..., :1, :]), np.cumsum(mass, axis=-2)], axis=-2)  # (..., K, T + 1)
    total = below[..., -1:, :]
    passed = total[..., 1:] - below[..., 1:]
    return Curve(np.append(steps, np.inf), _share(passed, total[..., 1:]),
                 _share(passed.sum(axis=-1), total[..., 1:].sum(axis=-1)), _share(below[..., 0], total[..., 0]),
                 np.bincount(kinds[kinds != LIVE], minlength=types))


def auc(curve: Curve) -> np.ndarray:
    """Return (...) the area under the ROC, [0, 1]: the chance that a live face scores above an attack, ties half.

    The literature's figure, not ISO's; of all attacks together. NaN where a class is missing.
    """
    found, passed = 1 - curve.bpcer, curve.pooled
    return np.sum((passed[..., :-1] - passed[..., 1:]) * (found[..., :-1] + found[..., 1:]) / 2, axis=-1)


def eer(curve: Curve) -> tuple[np.ndarray, np.ndarray]:
    """Return (...) where as many attacks pass as live faces are turned down, and (...) the threshold nearest to it.

    The literature's figure, not ISO's; of all attacks together. Between two thresholds the rate is taken from the
    straight line. The threshold is one of the scores. NaN both where a class is missing.
    """
    if len(curve.thresholds) < 2:
        return (np.full(curve.bpcer.shape[:-1], np.nan),) * 2
    gap = curve.bpcer - curve.pooled  # rises from -1 to 1
    after = np.maximum(np.argmax(gap >= 0, axis=-1), 1)
    low, high = _at(gap, after - 1), _at(gap, after)
    first, second = _at(curve.bpcer, after - 1), _at(curve.bpcer, after)
    rate = first + _share(-low, high - low) * (second - first)
    nearest = np.where((-low < high) | np.isinf(curve.thresholds[after]), after - 1, after)
    return rate, np.where(np.isnan(rate), np.nan, curve.thresholds[nearest])


def bpcer_at(curve: Curve, apcer: float) -> np.ndarray:
    """Return (...) the least BPCER at which no type of attack has a greater APCER than ``apcer``, both in [0, 1].

    BPCER10, BPCER20 and BPCER100 are those at 0.1, 0.05 and 0.01. NaN where a type has fewer than 1 / ``apcer``
    attacks: one of them taken for live would be more than that share already.

    Raises:
        ValueError: ``apcer`` is no share above 0.

    Source: ISO/IEC 30107-3.
    """
    if not 0 < apcer < 1:
        raise ValueError(f"apcer: got {apcer}, expected a share between 0 and 1")
    there = curve.counts[curve.counts > 0]
    if not len(there) or there.min() * apcer < 1 - 1e-9:
        return np.full(curve.bpcer.shape[:-1], np.nan)
    return _at(curve.bpcer, np.argmax(curve.worst <= apcer + _ROUNDING, axis=-1))


def span_at_apcer(curve: Curve, apcer: float) -> tuple[np.ndarray, np.ndarray]:
    """Return (...) twice, above and up to: the lowest thresholds at which no type's APCER is greater than ``apcer``.

    All between have the same rates. -infinity where any threshold will do; up to infinity where no score will.

    Raises:
        ValueError: there are no attacks, or ``apcer`` is no share.
    """
    if not 0 <= apcer < 1 or np.isnan(curve.pooled).any():
        raise ValueError(f"apcer: got {apcer} and {curve.counts.sum()} attacks, expected a share below 1, and attacks")
    place = np.argmax(curve.worst <= apcer + _ROUNDING, axis=-1)
    return _below(curve, place), curve.thresholds[place]


def span_at_bpcer(curve: Curve, bpcer: float) -> tuple[np.ndarray, np.ndarray]:
    """Return (...) twice, above and up to: the highest thresholds at which BPCER is not above ``bpcer``.

    Raises:
        ValueError: there are no live faces, or ``bpcer`` is no share.
    """
    if not 0 <= bpcer < 1 or np.isnan(curve.bpcer).any():
        raise ValueError(f"bpcer: got {bpcer}, expected a share below 1, and live faces")
    place = np.sum(curve.bpcer <= bpcer + _ROUNDING, axis=-1) - 1  # it never falls from one threshold to the next
    return _below(curve, place), curve.thresholds[place]


def resampled(kinds: np.ndarray, groups: Sequence[Hashable], measure: Callable[[np.ndarray], np.ndarray],
              seed: int = 0, resamples: int = RESAMPLES) -> np.ndarray:
    """Return figures (resamples, F) of data drawn again: whole groups, as many as there are.

    Groups with live faces alone, with attacks alone and with both are drawn apart, so that no draw lacks a class.

    Args:
        kinds: (N,) of each presentation.
        groups: N names: presentations of one subject or source stand or fall together.
        measure: gives figures (R, F) for weights (R, N): how often each presentation was drawn.
        seed: of what is drawn.

    Raises:
        ValueError: lengths that do not agree.
    """
    if len(groups) != len(kinds):
        raise ValueError(f"groups: got {len(groups)}, expected one for each of {len(kinds)} presentations")
    kinds = np.asarray(kinds)
    numbers: dict[Hashable, int] = {}
    codes = np.array([numbers.setdefault(group, len(numbers)) for group in groups], np.int64)
    live = np.bincount(codes, kinds == LIVE, len(numbers)) > 0
    attacked = np.bincount(codes, kinds != LIVE, len(numbers)) > 0
    strata = [rows for rows in (np.flatnonzero((live == a) & (attacked == b)) for a in (0, 1) for b in (0, 1))
              if len(rows)]
    rng = np.random.default_rng(seed)
    at_once = max(1, _AT_ONCE // (len(kinds) * (int(kinds.max(initial=0)) + 2)))
    out = []
    for start in range(0, resamples, at_once):
        drawn = np.zeros((min(at_once, resamples - start), len(numbers)))
        for rows in strata:
            drawn[:, rows] = rng.multinomial(len(rows), np.full(len(rows), 1 / len(rows)), len(drawn))
        out.append(measure(drawn[:, codes]))
    return np.concatenate(out)


def groups_of(kinds: np.ndarray, groups: Sequence[Hashable]) -> dict[int, int]:
    """Return of how many groups the presentations of each kind are."""
    return dict(Counter(kind for kind, _ in set(zip(np.asarray(kinds).tolist(), groups, strict=True))))


def interval(figures: np.ndarray) -> tuple[float, float] | None:
    """Return where 95 of 100 resampled figures (R,) lie; None where all are the same: that says nothing of chance."""
    known = figures[np.isfinite(figures)]
    if len(known) < len(figures) / 2 or np.ptp(known) < 1e-12:
        return None
    low, high = np.percentile(known, _TAILS)
    return float(low), float(high)


def share_interval(share: float, groups: int, draws: np.ndarray) -> tuple[float, float] | None:
    """Return the 95 % interval of a share, of resampled ones (R,), or exact where these cannot give it.

    They cannot for shares of none and all, which they never leave, nor for fewer than FEW_GROUPS ``groups``, for which
    they are too narrow: of one of 8 they say up to 38 in 100, and it may be 53. None as ``interval``.
    """
    return exact_interval(share * groups, groups) if is_exact(share, groups) else interval(draws)


def is_exact(share: float, groups: int) -> bool:
    """Return whether ``share_interval`` is exact for a share of so many groups; 0 for what is no plain share."""
    return groups > 0 and (groups < FEW_GROUPS or share in (0.0, 1.0))


def worst_interval(shares: Sequence[float], groups: Sequence[int], draws: np.ndarray) -> tuple[float, float] | None:
    """Return the 95 % interval of the greatest of T shares; None as ``interval``.

    Where that of any of them is exact it is from the greatest low end to the greatest high end of theirs.

    Args:
        shares, groups: as ``share_interval`` takes them, of each.
        draws: (R, T) resampled shares, NaN where a resample has none.
    """
    if not any(map(is_exact, shares, groups)):
        return interval(_greatest(draws))
    found = [share_interval(*each) for each in zip(shares, groups, draws.T, strict=True)]
    known = [each for each in found if each is not None]
    return max(low for low, _ in known), max(high for _, high in known)


def exact_interval(wrong: float, count: int) -> tuple[float, float]:
    """Return the exact 95 % interval of a share, of ``wrong`` out of ``count`` that are independent.

    Raises:
        ValueError: not 0 <= wrong <= count with a count.

    Source: Clopper and Pearson, Biometrika 1934.
    """
    from scipy.special import betaincinv

    if not 0 <= wrong <= count or not count:
        raise ValueError(f"got {wrong:g} of {count}, expected a part of one or more")
    tail = _TAILS[0] / 100
    low = 0.0 if wrong == 0 else float(betaincinv(wrong, count - wrong + 1, tail))
    high = 1.0 if wrong == count else float(betaincinv(wrong + 1, count - wrong, 1 - tail))
    return low, high


def _below(curve: Curve, place: np.ndarray) -> np.ndarray:
    """Return the threshold before each place, -infinity before the first."""
    return np.where(place > 0, curve.thresholds[place - 1], -np.inf)


def _at(values: np.ndarray, place: np.ndarray) -> np.ndarray:
    """Return (...) from values (..., K) those at place (...)."""
    return np.take_along_axis(values, place[..., None], axis=-1)[..., 0]


def _sums(weights: np.ndarray, cells: np.ndarray, count: int) -> np.ndarray:
    """Return (..., count), the sums of weights (..., N) by cell (N,)."""
    out = np.zeros((*weights.shape[:-1], count))
    if len(cells):
        order = np.argsort(cells, kind="stable")
        there, first = np.unique(cells[order], return_index=True)
        out[..., there] = np.add.reduceat(weights[..., order], first, axis=-1)
    return out


def _greatest(shares: np.ndarray) -> np.ndarray:
    """Return the greatest of the last axis that is a number, NaN where there is none."""
    found = np.max(np.nan_to_num(shares, nan=-1), axis=-1, initial=-1)
    return np.where(found < 0, np.nan, found)


def _share(part: np.ndarray, whole: np.ndarray) -> np.ndarray:
    """Return part / whole, NaN where there is no whole."""
    return np.divide(part, whole, out=np.full(np.broadcast_shapes(part.shape, whole.shape), np.nan), where=whole > 0)
