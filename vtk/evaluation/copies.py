"""Copies against ground truth: which pairs count, what they are called, the figures of VCSL and of VSC22."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Hashable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import orjson

from vtk.errors import UsageError
from vtk.evaluation.copy_lanes import naming
from vtk.evaluation.sequences import Note
from vtk.export.copies import CopyRows, Pair
from vtk.metrics.copies import Overlaps, PairScore, macro, micro, rejection, score_pair
from vtk.metrics.copy_ranking import (
    THRESHOLDS,
    Segments,
    axis_overlaps,
    cover_precision,
    match_precision,
    pair_precision,
)

Figures = dict[str, float | int]
Named = Callable[[Pair], tuple[Pair, bool]]  # a pair by its names on both sides, and whether it is turned around


@dataclass(frozen=True, slots=True)
class CopyEvaluation:
    """What results came to; shares in percent, and left out where there is nothing to take a share of.

    Attributes:
        micro: P, R, F, means over pairs.
        macro: P, R, F, means over query sets, and sets, their number.
        videos: FRR and FAR, copied and missed, others and false: numbers of pairs.
        ranking: uAP, segAP, AP50, AP75, AP; empty of results without scores.
        pairs: by pair P, R, F, found and labelled segments, and IoU, the mean over the labelled ones of the best
            overlap with a found one, the lesser of both axes.
    """

    micro: Figures
    macro: Figures
    videos: Figures
    ranking: Figures
    pairs: dict[Pair, Figures]


def evaluate_copies(truth: CopyRows, found: CopyRows, note: Note, listed: Collection[Pair] = (),
                    sets: Mapping[Pair, Hashable] | None = None, either: bool = False) -> CopyEvaluation:
    """Score found segments against labelled ones.

    Args:
        note: is told, a line each, what the figures do not show.
        listed: the pairs that count; none: those that the ground truth names, and those that were found.
        sets: the query set of each pair; None: each query is one.
        either: whether a pair counts whichever of its videos is the query.

    Raises:
        UsageError: no result is about a video of the ground truth, or sets lack a pair that counts.
    """
    stated = [_videos(pairs) for pairs in (truth.pairs, listed, sets or ())]
    name = naming(*stated, _videos(found.pairs))
    named = _naming(name, truth.pairs, either)
    known = dict.fromkeys(named(pair)[0] for pair in truth.pairs)
    _check_known({name(video) for side in stated for video in side}, {name(video) for video in _videos(found.pairs)},
                 bool(listed), note)
    mine, theirs = _by_pair(truth, named), _by_pair(found, named)
    if not either:
        _note_turned(mine, theirs, note)
    counted = known | dict.fromkeys(theirs)
    if listed:
        counted = dict.fromkeys(named(pair)[0] for pair in listed)
        _note_left_out(counted, known, theirs, note)
    if twice := len(found.twice()):
        note(f"{twice} of {len(found.boxes)} found segments are there twice: P, R and F do not see it, AP does")
    scores = {pair: score_pair(_boxes(theirs.get(pair)), _boxes(mine.get(pair))) for pair in counted}
    return CopyEvaluation(
        _overlaps(micro(list(scores.values()))), _macro(scores, sets, named),
        _rejection(scores, any(not mine.get(pair) for pair in (counted if listed else known)), note),
        _ranking(mine, theirs, counted, found.scored, note),
        {pair: _of_pair(score, _boxes(mine.get(pair)), _boxes(theirs.get(pair))) for pair, score in scores.items()})


def copy_report(evaluation: CopyEvaluation, each: bool = False) -> str:
    """Return the figures as JSON, four decimals, those of each pair where wanted."""
    report: dict[str, Any] = {name: _rounded(getattr(evaluation, name))
                              for name in ("micro", "macro", "videos", "ranking")}
    if each:
        report["pairs"] = [{"query": query, "ref": ref, **_rounded(figures)}
                           for (query, ref), figures in evaluation.pairs.items()]
    return orjson.dumps(report).decode()


def _rounded(figures: Figures) -> Figures:
    return {name: round(value, 4) for name, value in figures.items()}


def _videos(pairs: Iterable[Pair]) -> set[str]:
    return {video for pair in pairs for video in pair}


def _naming(name: Callable[[str], str], truth: Iterable[Pair], either: bool) -> Named:
    """Return what gives pairs their names; with ``either`` all are turned as the first of them in the ground truth."""
    known: set[Pair] = set()

    def named(pair: Pair) -> tuple[Pair, bool]:
        here = name(pair[0]), name(pair[1])
        back = here[::-1]
        turn = either and here not in known and (back in known or back < here)
        return (back if turn else here), turn

    for pair in truth if either else ():
        here = name(pair[0]), name(pair[1])
        if here[::-1] not in known:
            known.add(here)
    return named


def _by_pair(rows: CopyRows, named: Named) -> dict[Pair, list[tuple[list[float], float]]]:
    """Return boxes and scores by pair."""
    found: dict[Pair, list[tuple[list[float], float]]] = {}
    for query, ref, box, score in zip(rows.query, rows.ref, rows.boxes, rows.score, strict=True):
        pair, turned = named((query, ref))
        q0, r0, q1, r1 = box
        found.setdefault(pair, []).append(([r0, q0, r1, q1] if turned else box, score))
    return found


def _boxes(segments: list[tuple[list[float], float]] | None) -> np.ndarray:
    """Return segments as (N, 4) [q0, r0, q1, r1]."""
    return np.array([box for box, _ in segments or ()], dtype=np.float64).reshape(-1, 4)


def _check_known(known: set[str], found: set[str], listed: bool, note: Note) -> None:
    strange = sorted(found - known)
    if found and len(strange) == len(found):
        raise UsageError(f"no result is about a video of the ground truth: it has {_some(sorted(known))}, results are "
                         f"about {_some(strange)}; name them alike")
    if strange and not listed:
        note(f"the ground truth does not name {_some(strange)}: what was found there is false")


def _note_turned(mine: Mapping[Pair, list], theirs: Collection[Pair], note: Note) -> None:
    """Note where no copied pair was found, but some would be with both videos in each other's place."""
    turned = sum(pair[::-1] in mine for pair in theirs)
    if turned and not any(pair in mine for pair in theirs):
        note(f"no copied pair was found, and {turned} would be with query and reference swapped: --either-way takes "
             "pairs either way round")


def _note_left_out(counted: Collection[Pair], known: Iterable[Pair], found: Iterable[Pair], note: Note) -> None:
    for what, pairs in (("of the ground truth", known), ("of the results", found)):
        if left := [pair for pair in pairs if pair not in counted]:
            note(f"pairs {what} that are not listed, left out: {len(left)} ({_some(map(' – '.join, left))})")


def _macro(scores: Mapping[Pair, PairScore], sets: Mapping[Pair, Hashable] | None, named: Named) -> Figures:
    """Return the means over query sets."""
    names: list[Hashable] = [pair[0] for pair in scores]
    if sets is not None:
        of_pair = {named(pair)[0]: name for pair, name in sets.items()}
        for pair in scores:
            if pair not in of_pair:
                raise UsageError(f"--sets has no set for the pair {' – '.join(pair)}")
        names = [of_pair[pair] for pair in scores]
    return _overlaps(macro(list(scores.values()), names)) | {"sets": len(set(names))}


def _rejection(scores: Mapping[Pair, PairScore], told: bool, note: Note) -> Figures:
    """Return shares of pairs; FAR is one where pairs without a copy are ``told`` of."""
    rates = rejection(list(scores.values()))
    if not told:
        note("no pair without a copy is named, so that there is no FAR: name all that were compared with --pairs")
    shares = _percent({"FRR": rates.frr, "FAR": rates.far if told else math.nan})
    return shares | {"missed": rates.missed, "copied": rates.copied, "false": rates.false, "others": rates.others}


def _ranking(mine: Mapping[Pair, list], theirs: Mapping[Pair, list], counted: Collection[Pair], scored: bool,
             note: Note) -> Figures:
    """Return the average precisions."""
    if not scored:
        note("the results have no scores: there are no figures of ranking")
        return {}
    numbers = {pair: number for number, pair in enumerate(counted)}
    found, truth = (_segments(side, numbers) for side in (theirs, mine))
    pairs = [pair for pair in counted if theirs.get(pair)]
    best = np.array([max(score for _, score in theirs[pair]) for pair in pairs])
    copied = np.array([bool(mine.get(pair)) for pair in pairs], dtype=bool)
    total = sum(bool(mine.get(pair)) for pair in counted)
    by_overlap = match_precision(found, truth)
    return _percent({
        "uAP": pair_precision(best, copied, total), "segAP": cover_precision(found, truth),
        "AP50": float(by_overlap[THRESHOLDS.index(0.5)]), "AP75": float(by_overlap[THRESHOLDS.index(0.75)]),
        "AP": float(by_overlap.mean())})


def _segments(side: Mapping[Pair, list[tuple[list[float], float]]], numbers: Mapping[Pair, int]) -> Segments:
    rows = [(numbers[pair], box, score) for pair, some in side.items() if pair in numbers for box, score in some]
    return Segments(np.array([row[0] for row in rows], dtype=np.int64), np.array([row[1] for row in rows]),
                    np.array([row[2] for row in rows], dtype=np.float64))


def _of_pair(score: PairScore, truth: np.ndarray, found: np.ndarray) -> Figures:
    both = score.precision + score.recall
    f = 2 * score.precision * score.recall / both if both else 0.0
    overlap = float(axis_overlaps(found, truth).max(axis=0, initial=0.0).mean()) if len(truth) else math.nan
    return {**_percent({"P": score.precision, "R": score.recall, "F": f, "IoU": overlap}), "found": score.found,
            "labelled": score.labelled}


def _overlaps(scores: Overlaps) -> Figures:
    return _percent({"P": scores.precision, "R": scores.recall, "F": scores.f})


def _percent(shares: Mapping[str, float]) -> Figures:
    return {name: 100 * share for name, share in shares.items() if not math.isnan(share)}


def _some(names: Iterable[str]) -> str:
    names = list(names)
    return ", ".join(names[:5]) + (", …" if len(names) > 5 else "")
