"""Subtitles to write into the picture: whose they are, and which of them are on screen."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from vtk.errors import MediaError
from vtk.export.cue_files import read_cues
from vtk.export.outputs import output_name
from vtk.export.subtitles import FORMATS, Cue


class Cues:
    """Cues by time.

    Args:
        cues: by start.
    """

    def __init__(self, cues: Sequence[Cue]) -> None:
        self._cues = cues
        spans = np.array([(cue.start, cue.end) for cue in cues], np.int64).reshape(-1, 2)
        self._starts, self._ends = spans[:, 0], spans[:, 1]

    def at(self, t: float) -> list[Cue]:
        """Return the cues on screen ``t`` seconds from the first frame, the first to come first.

        Time is rounded to milliseconds, as subtitle files have it: a cue begins with the frame that it was made of.
        """
        now = round(t * 1000)
        return [self._cues[place] for place in np.flatnonzero((self._starts <= now) & (now < self._ends))]


def cues_of(place: Path, source: str) -> Cues:
    """Return the cues of a source: of the file ``place``, or of the one in the folder ``place`` that bears its name.

    In a folder it stands where ``vtk export --out-dir`` writes it, or at the top with the last part of the name.

    Raises:
        MediaError: there is no such file, or it cannot be read.
        RecordError: E_SUBTITLES, it holds something else.
    """
    if not place.is_dir():
        return Cues(read_cues(place))
    stem = Path(source).stem
    names = dict.fromkeys(name for form in FORMATS for name in (output_name(source, f".{form}"), f"{stem}.{form}"))
    for name in names:
        if (place / name).is_file():
            return Cues(read_cues(place / name))
    raise MediaError(f"{place} has no subtitles of {source}: none of {', '.join(names)} is there", code="E_OPEN")
