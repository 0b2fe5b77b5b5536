"""Which of the spans of a reference that a query's seconds are like they show: one of them, as a rule.

A street, a desk, a title: what hardly changes is like itself for minutes, and each second of a copy of it is like all
of these. Each second is shown by the reference frames that are most like it, so matches are weighed by how near their
frames come to that, and of those that are of the same seconds of the query the best stays.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from vtk.copies.matches import Match
from vtk.copies.similarity import ALIKE, Entries

if TYPE_CHECKING:
    from vtk.copies.footprint import Footprint

# Constants: by the mean F over families of 225 generated queries (seed 1), ``python -m vtk.copies.table``.
# What a frame of a match loses for each part that another frame of the reference is more like the query's.
_CLEARER = 10.0
# The same where a map is made clear before it is aligned: more would lose what is cut or drawn over.
CLEAR = 4.0
# Share of the shorter of two matches beyond which they are of the same seconds of the query.
_SAME = 0.5
# A second match of the same seconds is what the reference shows twice: its score so near to the first one's, and so
# much more alike along its line than beside it, without which it is a picture that stands still.
_TWICE, _ALONG = 0.9, 0.3
# What stands out less is shown twice, too, where it is as good as the first match, and stands out nearly as it does.
_AS_GOOD, _AS_MUCH, _AT_LEAST = 0.97, 0.8, 0.1


def clear(entries: Entries, contrast: float = CLEAR) -> Entries:
    """Return the entries less ``contrast`` times what they are below the greatest of their row or column, from 0 up."""
    tops = np.maximum(*(_greatest(places, entries.values, length)[places] for places, length
                        in zip((entries.rows, entries.columns), entries.shape, strict=True)))  # fmt: skip
    values = entries.values - contrast * (tops - entries.values)
    return entries._replace(values=np.maximum(values, 0).astype(np.float32))


def told_apart(matches: Sequence[tuple[Match, float]], entries: Entries, query: Footprint,
               reference: Footprint) -> list[Match]:
    """Return the matches of one query and one reference that its seconds show, the best first.

    Args:
        matches: each with a factor on what it is worth, 1 or more.
        entries: of their map, not weighted.
    """
    order = np.lexsort((entries.columns, entries.rows))
    entries = entries._replace(rows=entries.rows[order], columns=entries.columns[order], values=entries.values[order])
    worths = [(_worth(match, entries, query, reference), factor) for match, factor in matches]
    ranked = sorted(((worth * factor if worth > 0 else worth, match) for (worth, factor), (match, _)
                     in zip(worths, matches, strict=True)), key=lambda each: -each[0])  # fmt: skip
    kept: list[Match] = []
    for _, match in ranked:
        same = [other for other in kept if _are_of_one_time(match, other)]
        if not same or (all(_is_twice(match, other) for other in same)
                        and _stands_out(match, same, entries, query, reference)):  # fmt: skip
            kept.append(match)
    return kept


def _worth(match: Match, entries: Entries, query: Footprint, reference: Footprint) -> float:
    """Return what the frames along a match are more alike than strangers, times its seconds."""
    frames = np.flatnonzero((query.times >= match.start) & (query.times <= match.end))
    if not len(frames):
        return 0.0
    opposite = np.searchsorted(_middles(reference.times), match.opposite(query.times[frames]))
    values = np.maximum.reduce([_at(entries, frames, opposite + step) for step in (-1, 0, 1)])
    tops = _greatest(entries.rows, entries.values, entries.shape[0])[frames]
    gains = (values - ALIKE - _CLEARER * (tops - values)) * query.weights[frames]
    return float(gains.mean() * (match.end - match.start))


def _are_of_one_time(one: Match, other: Match) -> bool:
    shorter = min(one.end - one.start, other.end - other.start)
    return min(one.end, other.end) - max(one.start, other.start) > _SAME * shorter


def _is_twice(match: Match, better: Match) -> bool:
    """Tell whether a match is about as good as a better one, of other seconds of the reference."""
    apart = min(match.ref_end, better.ref_end) <= max(match.ref_start, better.ref_start)
    return apart and match.score >= _TWICE * better.score


def _stands_out(match: Match, same: Sequence[Match], entries: Entries, query: Footprint,
                reference: Footprint) -> bool:
    """Tell whether a match is no picture that stands still; ``same``, the better ones, say what is to be had here."""
    relief = _relief(match, entries, query, reference)
    if relief >= _ALONG or relief < _AT_LEAST or any(match.score < _AS_GOOD * other.score for other in same):
        return relief >= _ALONG
    return relief >= _AS_MUCH * max(_relief(other, entries, query, reference) for other in same)


def _relief(match: Match, entries: Entries, query: Footprint, reference: Footprint) -> float:
    """Return by how much the frames along a match are more alike than others of the same seconds of both videos."""
    frames = np.flatnonzero((query.times >= match.start) & (query.times <= match.end))
    first, stop = np.searchsorted(reference.times, [match.ref_start, match.ref_end + 1e-9])
    step = max(np.ptp(each.times) / max(len(each) - 1, 1) for each in (query, reference))
    line = match.opposite(query.times[frames])
    low, high = (np.clip(np.searchsorted(reference.times, line + side * 2 * step), first, stop) for side in (-1, 1))
    along = float((high - low).sum())
    beside = float(len(frames) * (stop - first) - along)
    place = np.searchsorted(frames, entries.rows)
    inside = (entries.columns >= first) & (entries.columns < stop) & np.isin(entries.rows, frames)
    place, columns, values = place[inside], entries.columns[inside], entries.values[inside]
    near = (columns >= low[place]) & (columns < high[place])
    if not along or beside <= 0:
        return 0.0
    return float(values[near].sum() / along - values[~near].sum() / beside)


def _at(entries: Entries, rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
    """Return the values (N,) float32 at places of a map whose entries are in order; 0 where none is listed."""
    width = entries.shape[1]
    cells = entries.rows * width + entries.columns
    wanted = rows * width + columns
    places = np.minimum(np.searchsorted(cells, wanted), max(len(cells) - 1, 0))
    listed = (columns >= 0) & (columns < width) & (cells[places] == wanted) if len(cells) else np.zeros(len(rows), bool)
    return np.where(listed, entries.values[places] if len(cells) else np.float32(0), np.float32(0))


def _greatest(places: np.ndarray, values: np.ndarray, length: int) -> np.ndarray:
    """Return the greatest value (L,) float32 at each of ``length`` places; 0 where there is none."""
    out = np.zeros(length, np.float32)
    np.maximum.at(out, places, values)
    return out


def _middles(times: np.ndarray) -> np.ndarray:
    return (times[1:] + times[:-1]) / 2
