"""What the seqinfo.ini of a MOT sequence says of its frames."""

from __future__ import annotations

import configparser
import math
import os
from dataclasses import dataclass
from pathlib import Path

from vtk.errors import UsageError
from vtk.media.names import source_name


@dataclass(frozen=True, slots=True)
class SeqInfo:
    """Frames a second of a sequence, and where stated their width and height in pixels and their number."""

    fps: float
    width: int | None = None
    height: int | None = None
    frames: int | None = None


def seqinfo_of(path: str | os.PathLike[str], fps: float | None = None) -> SeqInfo:
    """Return what is known of the sequence that a MOT file is about.

    The seqinfo.ini stands beside the file, or in the folder above (SEQ/seqinfo.ini of SEQ/det/det.txt).

    Args:
        path: the MOT file.
        fps: frames a second; goes before what is stated.

    Raises:
        UsageError: no rate is known.
    """
    folder = Path(os.path.abspath(path)).parent
    for place in (folder / "seqinfo.ini", folder.parent / "seqinfo.ini"):
        if place.is_file():
            return _read(place, fps)
    if fps is None:
        raise UsageError(f"{source_name(os.fspath(path))} has no seqinfo.ini beside it or in the folder above: "
                         "--fps says how many frames a second it has")
    return SeqInfo(fps)


def _read(place: Path, fps: float | None) -> SeqInfo:
    """Return what a seqinfo.ini states; one that cannot be read states nothing."""
    shown = source_name(os.fspath(place))
    parser = configparser.ConfigParser(interpolation=None)
    stated: dict[str, str] = {}
    try:
        parser.read_string(place.read_text(encoding="utf-8-sig"))
        stated = dict(parser["Sequence"]) if parser.has_section("Sequence") else {}
    except (OSError, ValueError, configparser.Error):
        pass  # then it has no rate either, which is said below
    numbers = {name: _number(stated.get(name, "")) for name in ("framerate", "imwidth", "imheight", "seqlength")}
    rate = fps if fps is not None else numbers["framerate"]
    if rate is None:
        raise UsageError(f"{shown} states no frameRate above 0: --fps says how many frames a second there are")
    width, height, frames = (None if value is None else int(value) for value in list(numbers.values())[1:])
    return SeqInfo(rate, width or None, height or None, frames)


def _number(text: str) -> float | None:
    """Return a number above 0, or None."""
    try:
        value = float(text)
    except ValueError:
        return None
    return value if 0 < value < math.inf else None
