"""Lines that the key frames of a query lie on in a reference: copies of which only some frames were looked at."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from vtk.copies.footprint import Footprint
from vtk.copies.matches import Match
from vtk.copies.similarity import ALIKE, Entries, weighted
from vtk.kernels.temporal_align import diagonal

# Seconds that a key frame may lie from the line: half a sample of the reference, and what a fit through few is off.
OFF = 1.0
# Of the aligner: seconds of a cell, and from the line through the run so far, at a speed of a grid and over a long gap.
_CELL, _BAND = 0.5, 2.0
# Key frames in a row that may be missed, and what each costs.
_MISSED, _COST = 2, 0.05


@dataclass(frozen=True, slots=True)
class KeyLine:
    """A line in time, from the first key frame that lies on it to the last one.

    Attributes:
        match: its ends those key frames' seconds; its score the mean of all key frames in between, 0 for those that
            are off.
        keys: (N,) int64, the key frames on it.
        alike: their own mean score.
    """

    match: Match
    keys: np.ndarray
    alike: float

    @property
    def share(self) -> float:
        """How many of the key frames in between are on it, in [0, 1]."""
        return len(self.keys) / float(self.keys[-1] - self.keys[0] + 1)


def key_lines(keys: Footprint, reference: Footprint, similarity: Entries, speeds: tuple[float, float], *,
              hflip: bool = False) -> list[KeyLine]:
    """Return the lines that two key frames or more lie on.

    Key frames come at uneven times, to which aligners, counting frames, are blind. They are put on an even
    grid, which is empty in between, and aligned there.

    Args:
        keys: of the query.
        reference: at whatever rate.
        similarity: of their frames, not weighted yet.
        speeds: slowest and fastest, reference seconds per query second.
        hflip: what matches say.
    """
    entries = weighted(similarity, keys, reference)
    good = entries.values >= ALIKE
    rows, columns, values = entries.rows[good], entries.columns[good], entries.values[good]
    if not len(rows):
        return []
    seconds, others = keys.times[rows], reference.times[columns]
    steps = np.diff(keys.times) / _CELL
    shape = int(keys.times[-1] / _CELL) + 1, int(reference.times[-1] / _CELL) + 1
    grid = Entries((seconds / _CELL).astype(np.int64), (others / _CELL).astype(np.int64), values, shape)
    boxes = diagonal(grid, min_sim=ALIKE, slowest=speeds[0], fastest=speeds[1], band=_BAND / _CELL,
                     max_gap=round((_MISSED + 1) * float(steps.max(initial=1.0))),
                     gap_cost=_COST / float(steps.mean()) if len(steps) else _COST, min_length=2, min_score=0.0,
                     min_mean=0.0)  # fmt: skip
    found = []
    for q0, r0, q1, r1 in (boxes[:, :4] * _CELL).tolist():
        slope = max(r1 - r0 - _CELL, 1e-9) / max(q1 - q0 - _CELL, 1e-9)
        off = np.abs(others - r0 - slope * (seconds - q0))
        near = (seconds >= q0) & (seconds < q1) & (off <= _BAND + OFF)
        line = _fitted(rows[near], seconds[near], others[near], values[near], speeds)
        if line is not None:
            found.append(_line(keys, reference, *line, hflip))
    return found


Fit = tuple[np.ndarray, np.ndarray, float, float]


def _fitted(rows: np.ndarray, seconds: np.ndarray, others: np.ndarray, values: np.ndarray,
            speeds: tuple[float, float]) -> Fit | None:
    """Return the key frames on a line and their values, its slope and its offset; None where there are too few."""
    slope = offset = 0.0
    order = np.lexsort((-values, rows))
    kept = order[np.flatnonzero(np.diff(rows[order], prepend=-1))]  # the best of each key frame
    for _ in range(2):
        if len(kept) < 2 or not np.ptp(seconds[kept]) > 0:
            return None
        slope, offset = np.polyfit(seconds[kept], others[kept], 1, w=np.sqrt(values[kept]))
        if abs(slope - 1) * np.ptp(seconds[kept]) <= OFF:
            slope, offset = 1.0, float(np.average(others[kept] - seconds[kept], weights=values[kept]))
        off = np.abs(slope * seconds + offset - others)
        # The nearest to the line of each key frame: of a picture that stands still, many are as good.
        order = np.lexsort((off, rows))
        kept = order[np.flatnonzero(np.diff(rows[order], prepend=-1))]
        kept = kept[off[kept] <= OFF]
    if len(kept) < 2 or not speeds[0] <= slope <= speeds[1]:
        return None
    return rows[kept], values[kept], float(slope), float(offset)


def _line(keys: Footprint, reference: Footprint, rows: np.ndarray, values: np.ndarray, slope: float, offset: float,
          hflip: bool) -> KeyLine:
    first, last = int(rows[0]), int(rows[-1])
    scores = np.zeros(last - first + 1)
    scores[rows - first] = values
    weights = keys.weights[first : last + 1]
    score = float((scores * weights).sum() / weights.sum()) if weights.sum() > 0 else 0.0
    start, end = float(keys.times[first]), float(keys.times[last])
    sides = [min(max(slope * each + offset, 0.0), reference.duration) for each in (start, end)]
    return KeyLine(Match(reference.source, start, end, *sides, score, slope, hflip), rows,
                   float(values.mean()))  # fmt: skip
