"""Thresholds of verdicts, found on faces that are labelled: as few unsure as the wanted error rates allow.

    found = calibrate(lanes, labels, maker, Targets(apcer=0.05, bpcer=0.05))
    found.to_json()                 # what vtk face-antispoof --calibration reads
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from vtk.errors import UsageError
from vtk.liveness.calibration import Calibration, Maker
from vtk.liveness.decision import Thresholds
from vtk.liveness.fusion import log_odds, scaled
from vtk.liveness.labelled import Labelled, match
from vtk.liveness.presentations import FaceLanes, Seen
from vtk.metrics import liveness as metric
from vtk.metrics.liveness import LIVE, Curve

# What scores in records are rounded to.
STEP = 1e-4
# Videos of each class with a face track, from which on tracks have thresholds and a scale of their own. Judged, not
# measured: one video in twenty is 5 points.
TRACKS = 20
# Scales that are looked for: a fit outside says more of too few videos than of tracks.
_SCALES = (0.01, 10.0)


@dataclass(frozen=True, slots=True)
class Targets:
    """Error rates that are not to be passed, shares above 0 and below 1.

    Attributes:
        apcer: of each type of attack, taken for live.
        bpcer: of live faces, taken for spoofs.
        few: whether sets are taken that are too small to tell such a rate from none.
    """

    apcer: float = 0.05
    bpcer: float = 0.05
    few: bool = False

    def __post_init__(self) -> None:
        for name, value in (("apcer", self.apcer), ("bpcer", self.bpcer)):
            if not 0 < value < 1:
                raise UsageError(f"--target-{name} {100 * value:g}: a percentage above 0 and below 100 is needed")


@dataclass(frozen=True, slots=True)
class Scores:
    """Scores of labelled sources, N in all; equal scores of a source are one, so that it has 10,001 at most.

    Attributes:
        scores: (N,) float64; kinds: (N,) int64, LIVE or a place in ``types``.
        weights: (N,) float64: those of a source are 1 together, however many frames it has.
        groups: N names of what is drawn together: subjects, else sources.
        sources: number of sources of live faces, and of each type of attack.
        gated: number of faces that quality made unsure, which are left out: no threshold bears on them.
    """

    scores: np.ndarray
    kinds: np.ndarray
    weights: np.ndarray
    groups: list[str]
    types: tuple[str, ...]
    sources: dict[str | None, int]
    gated: int

    def curve(self, drawn: np.ndarray | None = None) -> Curve:
        """Return the error rates at every threshold, of each source as often as ``drawn`` says."""
        weights = self.weights if drawn is None else self.weights * drawn
        return metric.operating_curve(self.scores, self.kinds, len(self.types), weights)


def live_from(curve: Curve, apcer: float) -> np.ndarray:
    """Return (...) the least threshold, of four decimals, at which no APCER is above ``apcer``; above 1 for none."""
    above, up_to = metric.span_at_apcer(curve, apcer)
    least = np.round((np.floor(above / STEP + 1e-6) + 1) * STEP, 4)
    return np.where(np.isinf(above), 0.0, np.minimum(least, up_to))


def spoof_below(curve: Curve, bpcer: float) -> np.ndarray:
    """Return (...) the greatest threshold, of four decimals where they do, at which BPCER is not above ``bpcer``."""
    above, up_to = metric.span_at_bpcer(curve, bpcer)
    rounded = np.round(np.floor(up_to / STEP + 1e-6) * STEP, 4)
    return np.where(rounded > above, rounded, up_to)


def calibrate(lanes: FaceLanes, labels: Sequence[Labelled], maker: Maker, targets: Targets = Targets(),
              seed: int = 0) -> Calibration:
    """Return thresholds of faces, and of face tracks where enough videos are labelled.

    Args:
        lanes: faces of all frames and face tracks, judged without a calibration.
        labels: the files that count.
        maker: what made the scores.
        seed: of the resamples of which the intervals are made.

    Raises:
        UsageError: a class is missing, or there is too little of one for the targets.
    """
    faces, tracks = collected(lanes, labels)
    for kind, count, share, option in _needed(faces, targets):
        if not count:
            raise UsageError(f"no {kind} that can be judged: both live faces and attacks are needed")
        if count * share < 1 - 1e-9 and not targets.few:
            raise UsageError(f"{count} {kind}: {_least(share)} at least are needed to tell {100 * share:g} % from "
                             f"none; give more, a larger {option}, or --allow-few")
    notes = [f"{count} {kind}: fewer than the {_least(share)} with which {100 * share:g} % can be told from none"
             for kind, count, share, _ in _needed(faces, targets) if count * share < 1 - 1e-9]
    bounds, said = _found(faces, targets, "faces")
    notes += [f"faces: {said}"] if said else []
    report = {"targets": {"APCER": 100 * targets.apcer, "BPCER": 100 * targets.bpcer}, "seed": seed,
              "resamples": metric.RESAMPLES, "face": _report(faces, bounds, targets, seed)}
    scale, track_bounds = 1.0, bounds
    if reason := _too_few(tracks, targets):
        notes.append(f"tracks: {reason}: they have the thresholds of faces, and their log-odds are taken as they are")
    else:
        fitted = fit_scale(tracks.scores, tracks.kinds == LIVE)
        if fitted is None:
            notes.append("tracks: no scale fits them, since all are on their side of one half, or too few are; 1 is "
                         "taken")
        scale = 1.0 if fitted is None else round(fitted, 4)
        judged = _scaled(tracks, scale)
        track_bounds, said = _found(judged, targets, "tracks")
        notes += [f"tracks: {said}"] if said else []
        report["track"] = _report(judged, track_bounds, targets, seed)
    return Calibration(maker, bounds, track_bounds, scale, report | {"notes": notes})


def checked(found: Calibration, lanes: FaceLanes, labels: Sequence[Labelled], seed: int = 0) -> dict[str, Any]:
    """Return the rates at thresholds on other faces than those that they were found on.

    Raises:
        UsageError: none of these has a face to be judged.
    """
    faces, tracks = collected(lanes, labels)
    if not len(faces.scores):
        raise UsageError("--check: no face to be judged in this part")
    out = {"face": _report(faces, found.face, None, seed)}
    if len(tracks.scores):
        out["track"] = _report(_scaled(tracks, found.track_scale), found.track, None, seed)
    return out


def collected(lanes: FaceLanes, labels: Sequence[Labelled]) -> tuple[Scores, Scores]:
    """Return the scores of faces and those of face tracks.

    Of a picture its largest face, of a video the largest of each frame, together as much as one picture; the longest
    track of each video.

    Raises:
        UsageError: there are face tracks and no faces, or as ``FaceLanes.maker`` and ``match``.
    """
    lanes.maker  # noqa: B018  # refuses records of several makers, and those without any
    found = match(labels, lanes.sources)
    faces = {label: lanes.sources[name].largest() for name, label in found.items()}
    tracks = {label: [track] for name, label in found.items() if (track := lanes.sources[name].longest()) is not None}
    if tracks and not any(faces.values()):
        raise UsageError("the records hold face tracks and no faces: vtk face-antispoof --frames gives both")
    return _scores(faces), _scores(tracks)


def fit_scale(scores: np.ndarray, live: np.ndarray) -> float | None:
    """Return what log-odds are best multiplied by, so that they say how often a score is right; None where none fits.

    Both classes weigh as much, whatever their numbers.

    Args:
        scores: (N,) in [0, 1].
        live: (N,) bool.

    Source: temperature scaling, Guo et al., ICML 2017.
    """
    odds = np.array([log_odds(score) for score in scores.tolist()])
    weights = np.where(live, 1 / max(live.sum(), 1), 1 / max((~live).sum(), 1))

    def slope(scale: float) -> float:
        return float(np.sum(weights * odds * (1 / (1 + np.exp(-np.clip(scale * odds, -500, 500))) - live)))

    low, high = _SCALES
    if slope(low) >= 0 or slope(high) <= 0:
        return None
    for _ in range(60):  # the likelihood has one top, and its slope rises through it
        middle = math.sqrt(low * high)
        low, high = (middle, high) if slope(middle) < 0 else (low, middle)
    return math.sqrt(low * high)


def _scores(found: dict[Labelled, list[Seen]]) -> Scores:
    judged = {label: [each for each in some if not each.gated] for label, some in found.items()}
    judged = {label: some for label, some in judged.items() if some}
    types = tuple(sorted({label.attack for label in judged if label.attack is not None}))
    rows = [(label, score, count / len(some)) for label, some in judged.items()
            for score, count in Counter(seen.score for seen in some).items()]
    sources: dict[str | None, int] = {}
    for label in judged:
        sources[label.attack] = sources.get(label.attack, 0) + 1
    kinds = [LIVE if label.attack is None else types.index(label.attack) for label, _, _ in rows]
    return Scores(np.array([score for _, score, _ in rows], np.float64), np.array(kinds, np.int64),
                  np.array([weight for _, _, weight in rows], np.float64), [label.group for label, _, _ in rows], types,
                  sources, sum(seen.gated for some in found.values() for seen in some))


def _scaled(tracks: Scores, scale: float) -> Scores:
    """Return tracks with their log-odds multiplied by ``scale``, as the command scales and rounds them."""
    return replace(tracks, scores=np.array([round(scaled(score, scale), 4) for score in tracks.scores.tolist()]))


def _least(share: float) -> int:
    return math.ceil(1 / share - 1e-9)


def _needed(scores: Scores, targets: Targets) -> list[tuple[str, int, float, str]]:
    """Return what there has to be: in words, how many there are, for which target, and its option."""
    attacks = [(f"attacks of type {kind}", scores.sources[kind], targets.apcer, "--target-apcer")
               for kind in scores.types] or [("attacks", 0, targets.apcer, "--target-apcer")]
    return [("live faces", scores.sources.get(None, 0), targets.bpcer, "--target-bpcer"), *attacks]


def _too_few(tracks: Scores, targets: Targets) -> str:
    """Return why tracks get no thresholds of their own; empty where they do."""
    live, attacks = tracks.sources.get(None, 0), sum(tracks.sources[kind] for kind in tracks.types)
    if min(live, attacks) < TRACKS:
        return f"{live} live videos and {attacks} of attacks with a track, {TRACKS} of each are needed"
    for kind, count, share, _ in _needed(tracks, targets):
        if count * share < 1 - 1e-9 and not targets.few:
            return f"{count} videos of {kind} with a track, {_least(share)} are needed"
    return ""


def _found(scores: Scores, targets: Targets, unit: str) -> tuple[Thresholds, str]:
    """Return the thresholds of scores, of faces or of tracks, for ``targets``, and what is to be said of them.

    Raises:
        UsageError: no threshold keeps attacks from passing.
    """
    curve = scores.curve()
    start, below = float(live_from(curve, targets.apcer)), float(spoof_below(curve, targets.bpcer))
    if start > 1:
        highest = curve.apcer[-2]  # at the greatest score, which is 1
        raise UsageError(f"no threshold keeps APCER at {100 * targets.apcer:g} %: {100 * highest.max():.1f} % of the "
                         f"{unit} of {scores.types[highest.argmax()]} score 1.0; a larger --target-apcer is needed")
    if below <= start:
        return Thresholds(below, start), ""
    # Any threshold between keeps both targets: in the middle neither class lies near it, and nothing is unsure.
    middle = round((start + below) / 2, 4)
    return Thresholds(middle, middle), (
        f"from {start:g} on APCER is kept, up to {below:g} BPCER: one threshold in the middle keeps both, and none is "
        "unsure")


def _report(scores: Scores, bounds: Thresholds, targets: Targets | None, seed: int) -> dict[str, Any]:
    """Return rates in percent at ``bounds``, with intervals; also of thresholds that were found for ``targets``."""
    told = metric.answers(scores.scores, bounds.spoof_below, bounds.live_from)

    def measure(drawn: np.ndarray) -> np.ndarray:
        rates = metric.rates(told, scores.kinds, len(scores.types), scores.weights * drawn)
        found = [rates.bpcer, rates.live_unsure]
        if targets is not None:
            curve = scores.curve(drawn)
            found += [spoof_below(curve, targets.bpcer), np.minimum(live_from(curve, targets.apcer), 1)]
        return np.concatenate([np.stack(found, axis=-1), rates.apcer], axis=-1)

    rates = metric.rates(told, scores.kinds, len(scores.types), scores.weights)
    draws = metric.resampled(scores.kinds, scores.groups, measure, seed)
    shares = {name: float(value) for name, value in (
        ("APCER", rates.worst), ("BPCER", rates.bpcer), ("unsure_live", rates.live_unsure))}
    groups, kinds = metric.groups_of(scores.kinds, scores.groups), len(scores.types)
    live = [metric.share_interval(shares[name], groups.get(LIVE, 0), draws[:, place])
            for place, name in enumerate(("BPCER", "unsure_live"))]
    worst = metric.worst_interval(rates.apcer.tolist(), [groups[kind] for kind in range(kinds)],
                                  draws[:, draws.shape[1] - kinds:]) if kinds else None
    spread: dict[str, Any] = {name: [round(100 * each, 4) for each in found]
                              for name, found in zip(shares, (worst, *live), strict=True) if found is not None}
    if targets is not None:
        for place, name in ((2, "spoof_below"), (3, "live_from")):
            spread[name] = [round(float(each), 4) for each in np.percentile(draws[:, place], (2.5, 97.5))]
    by_type = {kind: {"sources": scores.sources[kind], "APCER": round(100 * float(share), 4),
                      "unsure": round(100 * float(unsure), 4)}
               for kind, share, unsure in zip(scores.types, rates.apcer, rates.attacks_unsure, strict=True)}
    return {"live": scores.sources.get(None, 0), "gated": scores.gated, "attacks": by_type,
            **{name: round(100 * value, 4) for name, value in shares.items() if not math.isnan(value)},
            "interval": spread}
