"""Writes a source anew with regions hidden, and looks at every frame of the result before it gets its name."""

from __future__ import annotations

import os
from array import array
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import zip_longest

import numpy as np

from vtk.driver.stage import Source
from vtk.errors import MediaError, VtkError
from vtk.media.frames import Decoded
from vtk.media.image import write_image
from vtk.media.names import suffix
from vtk.media.sampling import NATIVE
from vtk.media.video import Reader, open_media
from vtk.media.writer import MUXERS, VideoWriter
from vtk.redaction.checking import SURVIVES, bounds, look
from vtk.redaction.hiding import How, hidden
from vtk.redaction.plan import Plan

_LATE = 0.002  # seconds that a frame may stand from its time: Matroska counts milliseconds


@dataclass(frozen=True, slots=True)
class Style:
    """How regions are hidden and the result is written.

    Attributes:
        how: filled, in blocks, or blurred.
        margin: what regions are larger by on each side, as a share of their width and height.
        sound: whether the source's sound goes along.
        crf, preset: quality and effort of the H.264 encoder.
    """

    how: How = "fill"
    margin: float = 0.15
    sound: bool = True
    crf: int = 20
    preset: str = "veryfast"


class ShownError(VtkError):
    """What was written shows what was to be hidden, or is not the source otherwise."""

    code = "E_REDACT"


@dataclass(frozen=True, slots=True)
class Written:
    """What was written: when its frames are shown, the source's fingerprint, and the damage met in it."""

    times: array[float]
    fingerprint: str | None
    damage: list[MediaError]

    @property
    def frames(self) -> int:
        """How many frames there are."""
        return len(self.times)

    def apart(self, gap: int) -> float:
        """Return the most seconds from a frame to the one ``gap`` frames further, or to the last one."""
        times = np.frombuffer(self.times, np.float64)
        return float((times[np.minimum(np.arange(len(times)) + gap, len(times) - 1)] - times).max(initial=0.0))


def opened(source: Source) -> Reader:
    """Return a reader of a source, opened as the run opens sources."""
    opening = source.opening
    return open_media(source.name, decoder=opening.decoder, threads=opening.threads, timeout=opening.timeout,
                      root=opening.root, framerate=opening.framerate)


def write(source: Source, plan: Plan, style: Style, target: str) -> Written:
    """Write ``source`` into ``target`` with what ``plan`` says hidden: picture and sound, and nothing else of it.

    Raises:
        MediaError: it cannot be read, or the file not be written.
    """
    reader = opened(source)
    writer, times = None, array("d")
    try:
        if suffix(target) in MUXERS:
            info = reader.info
            writer = VideoWriter(target, info.width, info.height, info.fps or 25.0, crf=style.crf, preset=style.preset,
                                 audio_from=source.path if style.sound else None)
        for frame in _all(reader):
            image = hidden(frame.image(NATIVE), plan.regions(frame.index, frame.t), style.how, style.margin)
            if writer is not None:
                writer.write(image, frame.t)
            else:
                write_image(target, image, 95)
            times.append(frame.t)
        if writer is not None:
            writer.close()
    finally:
        reader.close()
        if writer is not None:
            writer.abort()
    return Written(times, reader.info.fingerprint, list(reader.errors))


def prove(source: Source, plan: Plan, style: Style, made: str) -> None:
    """Compare every frame of ``made`` with the source's.

    Raises:
        ShownError: a region shows something of the source, or the rest is not the source's.
        MediaError: one of them cannot be read.
    """
    least, stain = bounds(style.crf if suffix(made) in MUXERS else None)
    late = _LATE if suffix(made) != ".avi" else 1.0
    theirs, ours = opened(source), open_media(made)
    try:
        width, height = theirs.info.width, theirs.info.height
        first: float | None = None
        for before, after in zip_longest(_all(theirs), _all(ours)):
            if before is None or after is None:
                raise ShownError("what was written has another number of frames than the source: it is not kept")
            first = before.t if first is None else first
            if abs(before.t - first - after.t) > late:
                raise ShownError(f"frame {before.index} was written at {after.t:.3f} s, not at "
                                 f"{before.t - first:.3f} s: it is not kept")
            verdict = look(before.image(NATIVE), after.image(NATIVE)[:height, :width],
                           plan.regions(before.index, before.t), style.how, style.margin)
            if verdict.survives > SURVIVES or verdict.stain > stain:
                what = (f"{verdict.survives:.0%} of its detail" if verdict.survives > SURVIVES else
                        f"{verdict.stain:.0f} grey levels off a plain fill")
                raise ShownError(f"frame {before.index} still shows what was to be hidden ({what}): it is not kept")
            if verdict.likeness < least:
                raise ShownError(f"frame {before.index} is not the source's beside what was hidden "
                                 f"({verdict.likeness:.1f} dB, {least:.1f} are needed): it is not kept")
        if ours.errors:
            raise ShownError(f"what was written does not decode: {ours.errors[0]}")
    finally:
        theirs.close()
        ours.close()


def discard(path: str) -> None:
    """Remove a file that was not kept, and its part."""
    for name in (path, path + ".part"):
        if os.path.lexists(name):
            os.unlink(name)


def _all(reader: Reader) -> Iterator[Decoded]:
    return reader.frames([NATIVE], lambda index, t: True)
