"""Which seconds of a query show which seconds of a reference, from how alike their frames are.

    matches = align(query, reference, similarity(query, reference, descriptor))

Aligners work in frames; footprints say when these are shown, at whatever rate, even or not, each video was looked at.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from vtk.copies.matches import Match, merged
from vtk.copies.similarity import ALIKE, Entries, later, weighted
from vtk.copies.telling import clear, told_apart
from vtk.kernels.temporal_align import diagonal, dtw, dynamic_programming, hough, temporal_network

if TYPE_CHECKING:
    from vtk.copies.footprint import Footprint

ALIGNERS = ("diagonal", "hough", "tn", "dp", "dtw")
# Reference seconds per query second that are looked for.
SPEEDS = (0.4, 2.5)
# Seconds that the shorter side of a match has at least.
MIN_SECONDS = 1.0
# Least score of a match. Source: of single frames one pair of strangers in 10,000 reaches it. Measured: of 14 real
# videos no two without a copy match at any score; of 225 generated queries (seed 1, ``python -m vtk.copies.table``)
# mean F is 74.0 with it, 74.2 at the best, 0.55, and 71.6 at 0.65, which is above five of eight false matches.
MIN_SCORE = 0.5
# Seconds between two spans of one video that are alike: nearer ones are one scene going on.
APART = 5.0
# Defaults of ``diagonal`` where both videos are looked at equally often: reference frames, score of a query frame, and
# what frames must gain above ALIKE in the mean: less than still ones that are the same do, 0.1.
_BAND, _GAP_COST, _MIN_MEAN = 2.0, 0.05, 0.08
# Frames of a match that show something new: a slide that is followed by another, but no title that stands alone.
_CHANGES = 2
# What all frames of a segment must gain above ALIKE: three frames of 0.73, so that three seconds can be found.
_MIN_TOTAL = 1.0
# How far a pair of frames may lie from the line of a copy, in the larger sample: half a one, and what else is off.
_ON_LINE = 0.75
# Speeds that are one, within what is seen of it, and what a match at them is worth as against another.
_USUAL, _LIKELIER = (0.97, 1.03), 1.1
# Frames of a query that a segment must have, whatever the seconds: of two, any two are on a line.
_LEAST = 3
# Score of a match of fewer frames of one of the videos: the same scene later on reaches 0.56 (mma_test.mp4).
_BEYOND_DOUBT = 0.7


def align(query: Footprint, reference: Footprint, similarity: Entries, aligner: str = "diagonal",
          min_seconds: float = MIN_SECONDS, speeds: tuple[float, float] = SPEEDS, *, hflip: bool = False,
          within: bool = False, apart: float = APART) -> list[Match]:
    """Return the spans of a reference that a query shows, in order of the query.

    A span begins half a sample before the first pair of frames that are alike, and ends half a sample after the last
    one, within the videos. Where these pairs lie on a line, its reference side is read off that line. The score is the
    mean similarity along it, of whichever video has fewer frames there, each by its weight. Seconds of the query that
    are like several spans of the reference show the one that they are most like, and another where that comes twice.

    Args:
        query, reference: of one space.
        similarity: of their frames, not weighted yet.
        aligner: one of ALIGNERS; all but ``diagonal`` see what goes by at one speed on both clocks best.
        min_seconds: of both sides.
        speeds: slowest and fastest, reference seconds per query second.
        hflip: what matches say: whether the query's vectors are those of its mirrored frames.
        within: the reference is the query: spans of it that come back ``apart`` seconds or more later, after
            something else.

    Raises:
        ValueError: an argument is not as said.
    """
    if aligner not in ALIGNERS:
        raise ValueError(f"aligner: got {aligner!r}, expected one of {', '.join(ALIGNERS)}")
    if not 0 < speeds[0] <= speeds[1]:
        raise ValueError(f"speeds: got {speeds}, expected slowest and fastest, above 0")
    if tuple(similarity.shape) != (len(query), len(reference)):
        raise ValueError(f"similarity: got a shape of {similarity.shape}, expected {(len(query), len(reference))}")
    if within and query is not reference:
        raise ValueError(f"within: got {query.source} and {reference.source}, expected one footprint twice")
    entries = later(similarity, query, apart) if within else similarity
    steps = _step(query), _step(reference)
    if 0 in entries.shape or not len(entries.rows):
        return []
    found = [(_match(box, entries, query, reference, steps, hflip), factor)
             for boxes, factor in _tries(weighted(entries, query, reference), aligner, steps, speeds)
             for box in boxes.tolist()]  # fmt: skip
    # What a sample more or less makes of a speed that is searched.
    fits = [(match, factor) for match, factor in found if match is not None and match.seconds >= min_seconds - min(steps) / 2
            and speeds[0] * (match.end - match.start) - steps[1] <= match.ref_end - match.ref_start
            <= speeds[1] * (match.end - match.start) + steps[1] and _is_seen(match, steps)]  # fmt: skip
    return merged(told_apart(fits, entries, query, reference), max(1.0, 2 * steps[1]))


def _is_seen(match: Match, steps: tuple[float, float]) -> bool:
    """Tell whether both videos have ``_LEAST`` frames in a match; two of one must be alike beyond doubt."""
    frames = min((match.end - match.start) / steps[0], (match.ref_end - match.ref_start) / steps[1])
    return frames >= _LEAST - 0.5 or match.score >= _BEYOND_DOUBT


def _step(footprint: Footprint) -> float:
    """Return the mean seconds between two frames."""
    times = footprint.times
    step = float(times[-1] - times[0]) / (len(times) - 1) if len(times) > 1 else footprint.duration
    return step if step > 0 else 1.0


def _tries(entries: Entries, aligner: str, steps: tuple[float, float],
           speeds: tuple[float, float]) -> Iterator[tuple[np.ndarray, float]]:
    """Yield the segments that an aligner finds, with a factor on their worth.

    ``diagonal`` looks four times: at the map and at what is clear of it, at all speeds and at one, which of two lines
    through what hardly changes is the likelier.
    """
    for some in (entries, clear(entries)) if aligner == "diagonal" else (entries,):
        yield _boxes(some, aligner, steps, speeds), 1.0
        if aligner == "diagonal" and speeds[0] <= 1 <= speeds[1]:
            yield _boxes(some, aligner, steps, (max(speeds[0], _USUAL[0]), min(speeds[1], _USUAL[1]))), _LIKELIER


def _boxes(entries: Entries, aligner: str, steps: tuple[float, float], speeds: tuple[float, float]) -> np.ndarray:
    """Return the segments (S, 5) float32 in frames that an aligner finds."""
    if aligner == "diagonal":
        if steps[0] > steps[1]:
            # The runs go along whichever video has more frames: of two ways to see one copy, both find it.
            turned = entries._replace(rows=entries.columns, columns=entries.rows, shape=entries.shape[::-1])
            found = _boxes(turned, aligner, steps[::-1], (1 / speeds[1], 1 / speeds[0]))
            return found[:, [1, 0, 3, 2, 4]]
        # Reference frames per query frame where both clocks go alike: at most 1, so some of the query's have none.
        share = steps[0] / steps[1]
        return diagonal(entries, min_sim=ALIKE, slowest=max(1e-3, speeds[0] * share),
                        fastest=max(1e-3, speeds[1] * share), band=_BAND, gap_cost=_GAP_COST * share,
                        min_mean=_MIN_MEAN * share, min_score=_MIN_TOTAL, min_length=_LEAST)  # fmt: skip
    if aligner == "hough":
        return hough(entries, min_sim=ALIKE)
    others = {"tn": temporal_network, "dp": dynamic_programming, "dtw": dtw}
    return others[aligner](entries, min_sim=ALIKE, min_length=_LEAST - 1)  # which must be exceeded


def _match(box: list[float], entries: Entries, query: Footprint, reference: Footprint, steps: tuple[float, float],
           hflip: bool) -> Match | None:
    """Return the match that a segment in frames is; None where its frames count for nothing."""
    q0, r0, q1, r1 = map(int, box[:4])
    rows, columns, values = _along(box, entries, query, reference, steps)
    slope = _slope(box, query, reference)
    by_query = slope * steps[0] >= steps[1]
    best = _best(rows if by_query else columns, values)
    rows, columns, values = rows[best], columns[best], values[best]
    line = _line(query.times[rows], reference.times[columns], values, max(steps[1], slope * steps[0]))
    if line is not None:
        on_line = np.flatnonzero(line[2])
        q0, q1 = int(rows[on_line].min()), int(rows[on_line].max()) + 1
        r0, r1 = int(columns[on_line].min()), int(columns[on_line].max()) + 1
    start, end = _sides(query, q0, q1)
    ref_start, ref_end = _sides(reference, r0, r1)
    if line is not None:
        last = max(reference.duration, float(reference.times[-1]))
        ref_start, ref_end = (min(max(line[0] * each + line[1], 0.0), last) for each in (start, end))
    units, first, weights = (rows, q0, query.weights[q0:q1]) if by_query else (columns, r0, reference.weights[r0:r1])
    inside = (units >= first) & (units < first + len(weights))
    score = np.zeros(len(weights))
    score[units[inside] - first] = values[inside]
    if not ((weights == 1).sum() >= _CHANGES and end > start and ref_end > ref_start):
        return None
    mean = float((score * weights).sum() / weights.sum())
    return Match(reference.source, start, end, ref_start, ref_end, min(max(mean, 0.0), 1.0),
                 (ref_end - ref_start) / (end - start), hflip)  # fmt: skip


def _slope(box: list[float], query: Footprint, reference: Footprint) -> float:
    """Return the reference seconds per query second of a segment in frames, from its first pair to its last."""
    q0, r0, q1, r1 = map(int, box[:4])
    return float((reference.times[r1 - 1] - reference.times[r0]) / max(query.times[q1 - 1] - query.times[q0], 1e-9))


def _along(box: list[float], entries: Entries, query: Footprint, reference: Footprint,
           steps: tuple[float, float]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return rows, columns and values of the entries that lie in a segment, near its diagonal."""
    q0, r0, q1, r1 = map(int, box[:4])
    inside = np.flatnonzero((entries.rows >= q0) & (entries.rows < q1) & (entries.columns >= r0)
                            & (entries.columns < r1))  # fmt: skip
    rows, columns, slope = entries.rows[inside], entries.columns[inside], _slope(box, query, reference)
    off = np.abs(reference.times[columns] - reference.times[r0] - slope * (query.times[rows] - query.times[q0]))
    near = off <= _BAND * max(steps[1], slope * steps[0])
    return rows[near], columns[near], entries.values[inside][near]


def _sides(footprint: Footprint, first: int, stop: int) -> tuple[float, float]:
    """Return the seconds from half a sample before frame ``first`` to half a sample after the one before ``stop``.

    A sample is the time to the neighbour, but the mean one at most: what lies in a longer gap is not known.
    """
    times, step = footprint.times, _step(footprint)
    before = times[first] - times[first - 1] if first else step
    after = times[stop] - times[stop - 1] if stop < len(times) else step
    start = max(0.0, float(times[first] - min(before, step) / 2))
    end = float(times[stop - 1] + min(after, step) / 2)
    return start, min(end, max(footprint.duration, float(times[-1])))


def _best(units: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Return which of (N,) values is the greatest of each unit, in order of units; of equal ones the first."""
    order = np.lexsort((-values, units))
    return order[np.flatnonzero(np.diff(units[order], prepend=-1))]


def _line(queries: np.ndarray, references: np.ndarray, values: np.ndarray,
          sample: float) -> tuple[float, float, np.ndarray] | None:
    """Return slope and offset, in seconds, of the line that points (N,) are on, and which of them are, (N,) bool.

    None where there are too few points, or some are off by more than the band: what is missing or repeated, say.
    """
    if len(queries) <= _LEAST or not np.ptp(queries) > 0:
        return None
    kept = np.ones(len(queries), bool)
    for _ in range(2):  # anew without what was off at first
        slope, offset = np.polyfit(queries[kept], references[kept], 1, w=np.sqrt(values[kept]))
        off = np.abs(slope * queries + offset - references)
        kept = off <= _ON_LINE * sample
        if off.max() > _BAND * sample or kept.sum() <= _LEAST or not np.ptp(queries[kept]) > 0 or not slope > 0:
            return None
    return float(slope), float(offset), kept
