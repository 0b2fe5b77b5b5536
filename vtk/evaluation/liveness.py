"""Faces against what is known of them: error rates by type of attack, of all, and by subgroup, with intervals."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import compress

import numpy as np

from vtk.errors import UsageError
from vtk.liveness.calibrating import live_from, spoof_below
from vtk.liveness.presentations import Gathered, Presentation
from vtk.metrics import liveness as metric
from vtk.metrics.liveness import IS_LIVE, IS_SPOOF, IS_UNSURE, LIVE, Curve

Figures = dict[str, float | int]
Spread = dict[str, tuple[float, float]]
# BPCER at a greatest APCER, as ISO/IEC 30107-3 calls them.
AT = {"BPCER10": 0.1, "BPCER20": 0.05, "BPCER100": 0.01}
# A subgroup with fewer live faces or attacks of a type, where it has any, is marked: one error is above 5 points.
FEW = 20
_ANSWERS = {"live": IS_LIVE, "spoof": IS_SPOOF, "unsure": IS_UNSURE}
NOBODY = "(not said)"


@dataclass(frozen=True, slots=True)
class Rule:
    """How answers come about.

    Attributes:
        thresholds: spoof below, live from; None: the verdicts of the records.
        said: in words.
        same: whether they were chosen on the very set that is scored.
    """

    thresholds: tuple[float, float] | None = None
    said: str = "verdicts of the records"
    same: bool = False


@dataclass(frozen=True, slots=True)
class Group:
    """Figures in percent and their 95 % intervals; what is undefined is left out."""

    figures: Figures
    spread: Spread = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class LivenessEvaluation:
    """What a set of presentations came to.

    Attributes:
        whole: APCER of the worst type, BPCER, ACER, HTER, EER, AUC and more, of all.
        worst: the type of that APCER; None without attacks.
        live: BPCER, unsure, BPNRR of bona fide presentations.
        attacks: by type APCER, unsure, APNRR, EER, AUC and BPCER at an APCER of this type alone.
        by: the whole by value of a column.
        small: those of them with too few presentations.
        notes: what is left out, and why.
    """

    whole: Group
    worst: str | None
    live: Group
    attacks: dict[str, Group]
    by: dict[str, Group]
    small: list[str]
    notes: list[str]


@dataclass(frozen=True, slots=True)
class Sample:
    """Presentations as arrays of N.

    Attributes:
        scores: float64; kinds: int64, LIVE or a place in ``types``; told: int8 answers; groups: what is drawn together.
    """

    scores: np.ndarray
    kinds: np.ndarray
    told: np.ndarray
    groups: list[str]
    types: tuple[str, ...]

    def take(self, rows: np.ndarray) -> Sample:
        """Return the presentations of ``rows``, a mask, with the types of attack that are among them."""
        kinds = self.kinds[rows]
        there = sorted(set(kinds[kinds != LIVE].tolist()))
        numbers = {kind: number for number, kind in enumerate(there)} | {LIVE: LIVE}
        return Sample(self.scores[rows], np.array([numbers[kind] for kind in kinds.tolist()], np.int64),
                      self.told[rows], [group for group, row in zip(self.groups, rows, strict=True) if row],
                      tuple(self.types[kind] for kind in there))

    def merged(self) -> tuple[Sample, np.ndarray]:
        """Return it with presentations that are alike in all as one, (M,), and how many each stands for, (M,)."""
        numbers: dict[str, int] = {}
        codes = [numbers.setdefault(group, len(numbers)) for group in self.groups]
        rows = np.stack([self.scores, self.kinds, self.told, codes], axis=1)
        _, first, times = np.unique(rows, axis=0, return_index=True, return_counts=True)
        order = np.argsort(first)  # groups keep their order, by which they are drawn
        there = first[order]
        return Sample(self.scores[there], self.kinds[there], self.told[there], [self.groups[row] for row in there],
                      self.types), times[order]

    def curve(self, weights: np.ndarray | None = None) -> Curve:
        """Return the error rates at every threshold."""
        return metric.operating_curve(self.scores, self.kinds, len(self.types), weights)


def sample_of(presentations: Sequence[Presentation], rule: Rule = Rule()) -> Sample:
    """Return presentations as arrays, answered by ``rule``."""
    types = tuple(sorted({each.label.attack for each in presentations if each.label.attack is not None}))
    scores = np.array([each.seen.score for each in presentations], np.float64)
    kinds = np.array([LIVE if each.label.attack is None else types.index(each.label.attack)
                      for each in presentations], np.int64)
    told = (np.array([_ANSWERS[each.seen.verdict] for each in presentations], np.int8) if rule.thresholds is None
            else metric.answers(scores, *rule.thresholds))
    return Sample(scores, kinds, told, [each.label.group for each in presentations], types)


def chosen(words: str, presentations: Sequence[Presentation], where: str = "") -> Rule:
    """Return the rule that ``--threshold`` asks for: a score, or eer, apcer=PERCENT, bpcer=PERCENT of presentations.

    Args:
        where: what the presentations are, in words; empty: those that are scored.

    Raises:
        UsageError: it is none of these, or the presentations lack a class.
    """
    name, _, value = words.partition("=")
    number = _number(value) if name in ("apcer", "bpcer") else _number(words)
    if name not in ("apcer", "bpcer") and 0 <= number <= 1:
        return Rule((number, number), f"threshold {number:g}")
    if words != "eer" and not (name in ("apcer", "bpcer") and 0 <= number < 100):
        raise UsageError(f"--threshold {words}: a score from 0 to 1, eer, apcer=PERCENT or bpcer=PERCENT is needed")
    sample = sample_of(presentations)
    curve = sample.curve()
    if not {True, False} <= {each.label.live for each in presentations}:
        raise UsageError(f"--threshold {words}: {where or 'what is scored'} has live faces alone or attacks alone, and "
                         "one is chosen between both")
    threshold = float(metric.eer(curve)[1] if name == "eer" else live_from(curve, number / 100) if name == "apcer"
                      else spoof_below(curve, number / 100))
    return Rule((threshold, threshold), f"threshold {threshold:.4f}, {words} of {where or 'the very set scored here'}",
                not where)


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return math.nan


def evaluate_liveness(gathered: Gathered, rule: Rule = Rule(), column: str | None = None,
                      seed: int = 0) -> LivenessEvaluation:
    """Return the figures of presentations.

    Args:
        column: of labels.csv, by whose values the whole is given, too.
        seed: of the resamples of which the intervals are made.

    Raises:
        UsageError: there is nothing to score, or no such column.
    """
    presentations = gathered.presentations
    if not presentations:
        raise UsageError("no labelled file has a face in the records: there is nothing to score")
    sample = sample_of(presentations, rule)
    notes: list[str] = []
    found = _Scored(sample, seed)
    attacks = {kind: _type(found, number) for number, kind in enumerate(sample.types)}
    shares = _silence(gathered)
    for kind, share in sorted((kind, share) for kind, share in shares.items() if kind is not None):
        attacks.setdefault(kind, Group({"attacks": 0})).figures["APNRR"] = share
    live = found.group(("BPCER", "unsure_live"), {"live": int((sample.kinds == LIVE).sum())})
    live = Group(_renamed(live.figures), {**live.spread})
    if None in shares:
        live.figures["BPNRR"] = shares[None]
    notes += _undefined(sample)
    by, small = _by(presentations, sample, column, seed)
    whole = found.group(tuple(found.figures), {"live": live.figures["live"],
                                               "attacks": int((sample.kinds != LIVE).sum())})
    _worst_silence(whole, live, attacks)
    return LivenessEvaluation(whole, found.worst, live, attacks, by, small, notes)


class _Scored:
    """Figures of a sample, as shares, with resamples."""

    def __init__(self, sample: Sample, seed: int) -> None:
        self.sample = sample
        self.figures = {name: float(value) for name, value in _measured(sample).items()}
        few, times = sample.merged()
        attacked = np.bincount(sample.kinds[sample.kinds != LIVE], minlength=len(sample.types))
        draws = metric.resampled(few.kinds, few.groups, lambda weights: np.stack(
            list(_measured(few, weights * times, attacked).values()), axis=-1), seed)
        self._draws = dict(zip(self.figures, draws.T, strict=True))
        counts = metric.groups_of(sample.kinds, sample.groups)
        live, attacks = counts.get(LIVE, 0), sample.kinds != LIVE
        self._types = [f"APCER {kind}" for kind in sample.types]
        # Of how many groups each plain share is.
        self._groups = {"BPCER": live, "unsure_live": live, "pooled": len(set(compress(sample.groups, attacks))),
                        **{f"APCER {kind}": counts[number] for number, kind in enumerate(sample.types)}}
        known = {name: value for name, value in self.figures.items()
                 if name.startswith("APCER ") and not math.isnan(value)}
        self.worst = max(known, key=known.__getitem__).removeprefix("APCER ") if known else None

    def spread(self, name: str) -> tuple[float, float] | None:
        """Return a figure's interval; of one that is made of others, some of them exact, what follows from theirs."""
        if name == "APCER" and self._types:
            return metric.worst_interval([self.figures[kind] for kind in self._types],
                                         [self._groups[kind] for kind in self._types],
                                         np.stack([self._draws[kind] for kind in self._types], axis=1))
        parts = {"ACER": ("APCER", "BPCER"), "HTER": ("pooled", "BPCER")}.get(name, ())
        found = [self.spread(part) for part in parts]
        if any(map(self._is_exact, parts)) and None not in found:
            lows, highs = zip(*found, strict=True)
            return sum(lows) / 2, sum(highs) / 2
        return metric.share_interval(self.figures[name], self._groups.get(name, 0), self._draws[name])

    def _is_exact(self, name: str) -> bool:
        if name == "APCER":
            return any(map(self._is_exact, self._types))
        return metric.is_exact(self.figures[name], self._groups[name])

    def group(self, names: Sequence[str], counts: Figures) -> Group:
        """Return figures in percent with their intervals."""
        shown = {name: value for name in names if not math.isnan(value := self.figures[name])
                 and not name.startswith("APCER ") and name != "pooled"}
        spread = {name: found for name in shown if (found := self.spread(name)) is not None}
        return Group(counts | {name: 100 * value for name, value in shown.items()},
                     {name: (100 * low, 100 * high) for name, (low, high) in spread.items()})


def _measured(sample: Sample, weights: np.ndarray | None = None,
              attacked: np.ndarray | None = None) -> dict[str, np.ndarray]:
    """Return all figures as shares (...), NaN where undefined, of weights (..., N).

    Args:
        attacked: (T,) how many attacks of each type there are; None: as many as rows of ``sample``.
    """
    rates = metric.rates(sample.told, sample.kinds, len(sample.types), weights)
    curve = sample.curve(weights)
    curve = curve if attacked is None else replace(curve, counts=attacked)
    out = {"APCER": rates.worst, "BPCER": rates.bpcer, "unsure_live": rates.live_unsure, "ACER": rates.acer,
           "HTER": rates.hter, "pooled": rates.pooled, "accuracy": rates.accuracy, "EER": metric.eer(curve)[0],
           "AUC": metric.auc(curve)}
    out |= {name: metric.bpcer_at(curve, apcer) for name, apcer in AT.items()}
    return out | {f"APCER {kind}": rates.apcer[..., number] for number, kind in enumerate(sample.types)}


def _type(found: _Scored, number: int) -> Group:
    """Return the figures of one type of attack, against all live faces."""
    kind = found.sample.types[number]
    rows = (found.sample.kinds == LIVE) | (found.sample.kinds == number)
    mine = found.sample.take(rows)
    shares = {name: float(value) for name, value in _measured(mine).items()}
    rates = metric.rates(mine.told, mine.kinds, 1)
    count = int((mine.kinds != LIVE).sum())
    figures: Figures = {"attacks": count, "APCER": 100 * shares["APCER"],
                        "unsure": 100 * float(rates.attacks_unsure[0])}
    figures |= {name: 100 * shares[name] for name in ("EER", "AUC", *AT) if not math.isnan(shares[name])}
    spread = found.spread(f"APCER {kind}")
    return Group(figures, {"APCER": (100 * spread[0], 100 * spread[1])} if spread is not None else {})


def _renamed(figures: Figures) -> Figures:
    return {"unsure" if name == "unsure_live" else name: value for name, value in figures.items()}


def _silence(gathered: Gathered) -> dict[str | None, float]:
    """Return of files of each type of attack, None for live, the percentage without a face; of none where unknown.

    Source: ISO/IEC 30107-3, APNRR and BPNRR.
    """
    if not gathered.ledgered:
        return {}
    answered = Counter({each.label.name: each.label.attack for each in gathered.presentations}.values())
    silent = Counter(label.attack for label in gathered.silent)
    return {kind: 100 * silent[kind] / (answered[kind] + silent[kind]) for kind in answered | silent}


def _worst_silence(whole: Group, live: Group, attacks: Mapping[str, Group]) -> None:
    """Add the non-response rates, of attacks that of the worst type, to the figures of all."""
    if "BPNRR" in live.figures:
        whole.figures["BPNRR"] = live.figures["BPNRR"]
    if rates := [group.figures["APNRR"] for group in attacks.values() if "APNRR" in group.figures]:
        whole.figures["APNRR"] = max(rates)


def _undefined(sample: Sample) -> list[str]:
    """Say which BPCER at an APCER have no meaning, and since which type of attack has too few."""
    counts = {kind: int((sample.kinds == number).sum()) for number, kind in enumerate(sample.types)}
    if not counts or LIVE not in sample.kinds:
        return [f"there are no {'live faces' if counts else 'attacks'}: figures of both classes are left out"]
    fewest = min(counts, key=counts.__getitem__)
    left = [(name, apcer) for name, apcer in AT.items() if counts[fewest] * apcer < 1 - 1e-9]
    if not left:
        return []
    names = ", ".join(f"{name} ({100 * apcer:g} %)" for name, apcer in left)
    needed = ", ".join(f"{1 / apcer:.0f}" for _, apcer in left)
    return [f"{names} {'are' if len(left) > 1 else 'is'} left out: {fewest} has {counts[fewest]} attacks, and such an "
            f"APCER takes {needed} of each type"]


def _by(presentations: Sequence[Presentation], sample: Sample, column: str | None,
        seed: int) -> tuple[dict[str, Group], list[str]]:
    """Return the figures of all by value of ``column``, and the values of which there are too few."""
    if column is None:
        return {}, []
    values = [each.label.columns.get(column, NOBODY) for each in presentations]
    if set(values) == {NOBODY}:
        columns = sorted({name for each in presentations for name in each.label.columns})
        raise UsageError(f"--by {column}: no labelled face has this column; there is "
                         f"{', '.join(columns) or 'none: labels.csv may have some'}")
    by, small = {}, []
    for value in sorted(set(values)):
        some = sample.take(np.array([each == value for each in values]))
        found = _Scored(some, seed)
        counts = np.bincount(some.kinds + 1, minlength=1).tolist()
        by[value] = found.group(("APCER", "BPCER", "ACER", "accuracy", "unsure_live", "EER", "AUC"),
                                {"live": counts[0], "attacks": sum(counts[1:])})
        if any(0 < count < FEW for count in counts):
            small.append(value)
    return by, small
