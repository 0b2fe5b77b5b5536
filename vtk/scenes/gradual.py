"""Gradual transitions: dissolves and wipes are told by a model of what lies between, fades by contrast that goes."""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import compress, pairwise
from statistics import median

import numpy as np

from vtk.kernels.shot_change import shares_between, transition_fit
from vtk.scenes.carrying import carried
from vtk.scenes.looks import FLAT, GRID, SMALL_MIDDLE, Box, Look, deviations, likeness, overlay, picture_area, pictures

# Half lengths, in seconds, of the stretches that a dissolve or wipe may fill.
HALVES = (0.25, 0.45, 0.8, 1.25)
# Share of a stretch that lies before a transition, and behind it, at least: the middle of one looks like a whole.
MARGIN = 0.05
# Looks of a dissolve or a wipe at least: shorter ones are cuts.
SHORTEST = 6
# Looks within a stretch that are fitted, at most.
FITTED = 17
# Levels of 255, root mean square, by which two shots differ at least, bars included.
STILL = 4.0
# Correlation of the pictures at both ends, up to which they are of two shots.
APART, ALIKE = 0.6, 0.6
# Share of the blocks that differ between two shots at least, by so much of their mean difference: where things come
# into a shot, the rest stays.
EVERYWHERE, CHANGED = 0.75, 0.2
# What the model may leave unexplained, as a share of the difference of the ends: of a mix of both, and of a picture
# that is here of the one and there of the other.
MIXED, SPLIT = 0.36, 0.22
# Contrast half-way through a dissolve, as a share of that of both shots, at most; 0.71 for shots that have nothing
# in common.
DIP = 0.9
# Share of a wipe's blocks, by what they change, that go over once and not back: in a moving picture many do.
ONCE = 0.75
# How far the share of the new picture may fall back, and rise from one look to the next.
BACK, LEAP = 0.12, 0.4
# A fade goes below this share of the contrast on both sides, and takes so many looks at least, seconds at most.
DARK, FADING, LONGEST = 0.3, 5, 1.6
# Deviation of luminance, of 255, in the middle and in the whole of the darkest picture of a fade, at most.
CORE_DARK, DARK_MOST = 18.0, 24.0
# Growth of contrast over some looks below which a fade has ended.
GROWTH, AHEAD = 1.04, 5
# Seconds of black between fading out and fading in, at most.
BLANK = 1.0


@dataclass(frozen=True)
class Found:
    """A gradual transition: looks from the first mixed to the first that is not.

    ``error`` is what the model leaves unexplained, as a share of what it may.
    """

    kind: str
    start: int
    end: int
    error: float = 0.0


def find_mix(looks: Sequence[Look], stretches: Sequence[tuple[int, int]], cut: int | None = None) -> list[Found]:
    """Return the dissolves and wipes that fill ``stretches``, which ``likely_stretches`` gives for one look.

    Stretches that hold the look ``cut``, which a cut stands before, are left out.
    """
    found = [_fit(looks, first, last) for first, last in stretches if cut is None or not first < cut <= last]
    return [each for each in found if each is not None]


def likely_stretches(looks: Sequence[Look], start: int, stop: int) -> dict[int, list[tuple[int, int]]]:
    """Return, for looks from ``start`` up to ``stop``, the stretches around each that go from one shot to another.

    Their ends are of two shots, and the looks between come ever nearer to the last. Each length is tried as often as it
    takes: the middle may be off by an eighth of it. A stretch is its first and its last look; looks without one are left
    out. All are compared at once, for most end here.
    """
    tried = list(_tried([look.t for look in looks], start, stop))
    if not tried:
        return {}
    low, high = min(first for _, first, _ in tried), max(last for _, _, last in tried) + 1
    blocks = np.concatenate([look.blocks for look in looks[low:high]]).reshape(-1, GRID, GRID)
    places: dict[int, list[tuple[int, int]]] = {}
    areas: dict[tuple[int, int], list[tuple[int, int, int]]] = {}
    for at, first, last in tried:
        one, other = looks[first], looks[last]
        areas.setdefault((one.rows | other.rows, one.columns | other.columns), []).append((at, first, last))
    for group in areas.values():
        area = picture_area([looks[n] for n in group[0][1:]])
        ends = np.array(group)[:, 1:] - low
        likely = _are_apart(blocks[ends[:, 0]], blocks[ends[:, 1]], area)
        group, ends = list(compress(group, likely)), ends[likely]
        for at, first, last in compress(group, _come_nearer(blocks, ends, area) if group else ()):
            places.setdefault(at, []).append((first, last))
    return places


def _tried(times: Sequence[float], start: int, stop: int) -> Iterator[tuple[int, int, int]]:
    """Yield looks from ``start`` up to ``stop``, each with the first and the last look of a stretch around it."""
    for at in range(start, stop):
        t, before = times[at], times[at - 1] if at else -1.0
        for half in HALVES:
            if t // (half / 4) == before // (half / 4):
                continue
            first, last = bisect_left(times, t - half, hi=at), bisect_right(times, t + half, lo=at) - 1
            if last - first < SHORTEST:
                continue
            if times[first] > t - half * 0.7 or times[last] < t + half * 0.7:
                break  # the film begins or ends there
            yield at, first, last


def _are_apart(ones: np.ndarray, others: np.ndarray, area: Box) -> np.ndarray:
    """Return of which pairs of pictures (N, 16, 16) float32 both differ, are not flat, and are not alike."""
    ways = (others - ones).reshape(len(ones), -1)
    moved = np.einsum("ij,ij->i", ways, ways) >= STILL**2 * ways.shape[1]
    first, second = (each[:, area[0], area[1]].reshape(len(each), -1) for each in (ones, others))
    first, second = (each - each.mean(axis=1, keepdims=True) for each in (first, second))
    lengths = np.einsum("ij,ij->i", first, first), np.einsum("ij,ij->i", second, second)
    shown = np.minimum(*lengths) > FLAT**2 * first.shape[1]
    along = np.einsum("ij,ij->i", first, second)
    return moved & shown & (along <= APART * np.sqrt(lengths[0] * lengths[1]))


def _come_nearer(blocks: np.ndarray, ends: np.ndarray, area: Box) -> np.ndarray:
    """Return for which stretches, first and last look (N, 2), the share of the last rises as it does in a transition."""
    shares = shares_between(blocks[:, area[0], area[1]].reshape(len(blocks), -1), ends, FITTED)
    steps = shares[:, 1:] - shares[:, :-1]
    quarter, beyond = ((shares >= level).argmax(axis=1) for level in (0.25, 0.75))
    return ((steps >= -BACK) & (steps <= LEAP)).all(axis=1) & (quarter > 0) & (quarter < beyond)


def _stretch(looks: Sequence[Look], at: int, half: float) -> tuple[int, int]:
    """Return the first and the last look within ``half`` seconds of ``looks[at]``."""
    t = looks[at].t
    first = bisect_left(looks, t - half, hi=at, key=_time)
    return first, bisect_right(looks, t + half, lo=at, key=_time) - 1


def _time(look: Look) -> float:
    return look.t


def _fit(looks: Sequence[Look], first: int, last: int) -> Found | None:
    area = picture_area((looks[first], looks[last]))
    count = min(FITTED, last - first + 1)
    places = first + np.arange(count) * (last - first) // (count - 1)
    pictured = pictures([looks[n] for n in places.tolist()], area)
    ends = carried(looks, places, area)
    fits, (changed, once) = transition_fit(pictured, *ends, CHANGED)
    if changed < EVERYWHERE:
        return None
    for kind, shares, errors, most in (("dissolve", *fits[:2], MIXED), ("wipe", *fits[2:], SPLIT)):
        ramp = _ramp(places, shares)
        if ramp is None:
            continue
        start, end = ramp
        margin = MARGIN * (last - first)
        if start - first <= margin or last - end <= margin or end - start < SHORTEST:
            continue
        error = median(errors[(places >= start) & (places < end)].tolist())
        if not error <= most:
            continue
        if kind == "wipe" and once < ONCE:
            continue
        if kind == "dissolve" and _dip([looks[n] for n in places], shares, area) > DIP:
            continue
        middle = len(places) // 2
        if float(np.corrcoef(ends[0][middle], ends[1][middle])[0, 1]) > APART or likeness(
                overlay(looks[first], area), overlay(looks[last], area), SMALL_MIDDLE) > ALIKE:
            return None
        return Found(kind, start, end, error / most)
    return None


def _dip(looks: Sequence[Look], shares: np.ndarray, area: Box) -> float:
    """Return the contrast half-way, as a share of that of the ends: a mix of two pictures has less than either."""
    contrast = deviations([*looks], area)
    middle = (shares > 0.35) & (shares < 0.65)
    if not middle.any():
        return 1.0
    share = shares[middle]
    ends = np.sqrt((1 - share) * contrast[0] ** 2 + share * contrast[-1] ** 2)
    return float(contrast[middle].mean() / ends.mean())


def _ramp(places: np.ndarray, shares: np.ndarray) -> tuple[int, int] | None:
    """Return the looks between which shares rise from 0 to 1, steadily; None where they do not.

    The ends follow from where a quarter and three quarters are reached: near its ends a ramp is lost in motion.
    """
    values = shares.tolist()
    for before, after in pairwise(values):  # not all(), which takes three times as long
        if not -BACK <= after - before <= LEAP:
            return None
    quarter, beyond = (next((n for n, share in enumerate(values) if share >= level), 0) for level in (0.25, 0.75))
    if not 0 < quarter < beyond:
        return None
    low, high = _reached(0.25, quarter, values, places), _reached(0.75, beyond, values, places)
    half = high - low
    return round(low - half / 2) + 1, round(high + half / 2)


def _reached(level: float, n: int, shares: Sequence[float], places: np.ndarray) -> float:
    """Return where shares reach a level on the way to the first that does, ``shares[n]``."""
    part = (level - shares[n - 1]) / (shares[n] - shares[n - 1])
    return float(places[n - 1] + part * (places[n] - places[n - 1]))


def find_fade(looks: Sequence[Look], at: int) -> Found | None:
    """Return the fade through a flat picture, or to one or from one, of which ``looks[at]`` is the flattest.

    The first of several that are as flat counts.
    """
    if looks[at].core > CORE_DARK:
        return None
    around = looks[max(0, at - AHEAD) : at + AHEAD + 1]
    near = deviations(around, picture_area(around))
    lowest, middle = near[min(at, AHEAD)], min(at, AHEAD)
    if lowest > FLAT and (lowest > near.min() or lowest > DARK_MOST):
        return None
    first, last = _stretch(looks, at, LONGEST + BLANK)
    area = picture_area(looks[first : last + 1])
    contrast = deviations(looks[first : last + 1], area)
    middle = at - first
    blank = max(FLAT, float(contrast[middle]))
    if middle and contrast[middle - 1] <= blank:
        return None  # not the first of them
    end = middle + 1
    while end < len(contrast) and contrast[end] <= blank:
        end += 1
    return _faded(looks, first, contrast, middle, end, area)


def _faded(looks: Sequence[Look], first: int, contrast: np.ndarray, dark: int, light: int, area: Box) -> Found | None:
    """Return the fade around flat looks from ``dark`` up to ``light``, in numbers of ``contrast``."""
    start, end = dark - _climb(contrast[:dark + 1][::-1]), light - 1 + _climb(contrast[light - 1 :])
    # What comes into a dark picture, as against a picture that gets lighter, is no fade.
    if dark - start >= FADING and not _is_one(looks, first + start, first + (start + dark) // 2, area):
        start = dark - 1 if dark else dark
    if end - light >= FADING and not _is_one(looks, first + end, first + (end + light) // 2, area):
        end = light
    out, into = dark - start, end - light + 1
    floor = float(contrast[dark])
    if floor > DARK * min(contrast[start], contrast[min(end, len(contrast) - 1)]) and floor > FLAT:
        return None
    if out < FADING and into < FADING or looks[first + light - 1].t - looks[first + dark].t > BLANK:
        return None
    ends = [overlay(looks[first + n], area) for n in (start, min(end, len(contrast) - 1))]
    if likeness(*ends) > APART and looks[first + min(end, len(contrast) - 1)].t - looks[first + start].t < 0.5:
        return None  # a flash
    return Found("fade", first + start + 1, first + end)


def _is_one(looks: Sequence[Look], whole: int, half: int, area: Box) -> bool:
    """Return whether a look shows what another does, but for brightness and contrast."""
    return likeness(overlay(looks[min(whole, len(looks) - 1)], area), overlay(looks[half], area)) > APART


def _climb(contrast: np.ndarray) -> int:
    """Return over how many looks contrast rises from its first on."""
    n = 0
    while n + 1 < len(contrast) and contrast[n + 1 : n + 1 + AHEAD].max() > max(contrast[n] * GROWTH, contrast[n] + 0.5):
        n += 1
    return n
