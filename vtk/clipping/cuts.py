"""Cuts one span of a source into a file: packets copied, frames encoded anew, or both."""

from __future__ import annotations

import math
import os
from dataclasses import dataclass
from typing import Literal

import numpy as np

from vtk.clipping.spans import Span
from vtk.driver.stage import Source
from vtk.errors import MediaError
from vtk.media.cutting import TOLERANCE, Cut, copy_span
from vtk.media.names import is_image, is_sequence, is_stream
from vtk.media.packing import container_suffix
from vtk.media.sampling import NATIVE
from vtk.media.splicing import UnfitError, splice_span
from vtk.media.video import Reader, open_media
from vtk.media.writer import VideoWriter

How = Literal["smart", "exact", "copy"]
HOWS: tuple[How, ...] = ("smart", "exact", "copy")
SPLICED = (".mp4", ".m4v", ".mov", ".mkv")  # containers whose head holds the parameter sets of both parts
ALIKE = 30.0  # dB: frames encoded at the default quality are above 36 (measured, all H.264 of the tests' media)
_BESIDE = 3  # frames on either side of a splice that are looked at


@dataclass(frozen=True, slots=True)
class Made:
    """A file that was cut: what it shows, how it was made, and the damage that was met in its source."""

    cut: Cut
    how: How
    damage: tuple[MediaError, ...] = ()


@dataclass(frozen=True, slots=True)
class Cutter:
    """How spans are cut.

    Attributes:
        how: ``copy`` from the key frame before, ``exact`` encodes all frames anew, ``smart`` those that it has to.
        sound: whether the source's sound goes along.
        crf, preset: quality and effort of the H.264 encoder.
    """

    how: How = "smart"
    sound: bool = True
    crf: int = 18
    preset: str = "veryfast"

    def suffix(self, source: Source) -> str:
        """Return the suffix that cuts of ``source`` get where the user names no file."""
        if self.how == "exact" or not os.path.isfile(source.path):
            return ".mp4"
        found = container_suffix(source.path)
        return found if self.how == "copy" or found in SPLICED else ".mp4"

    def cut(self, source: Source, span: Span, target: str) -> Made:
        """Write a span of ``source`` into ``target``, which appears when it is whole.

        Raises:
            MediaError: there is no such frame, or the source cannot be read or the file be written.
        """
        refuse(source)
        local = os.path.isfile(source.path) and not is_sequence(source.name)
        if self.how == "copy":
            if not local:
                raise MediaError("it is no file, whose packets could be copied: --cut exact", code="E_COPY")
            return Made(copy_span(source.path, target, span.start, span.end, span.frames, self.sound), "copy")
        if self.how == "smart" and local and target.lower().endswith(SPLICED):
            try:
                return Made(self._spliced(source, span, target), "smart")
            except (UnfitError, MediaError) as error:
                if error.code not in ("E_SPLICE", "E_COPY", "E_ENCODE"):
                    raise
        return self._encoded(source, span, target)

    def _spliced(self, source: Source, span: Span, target: str) -> Cut:
        """Write a span by splicing, and look at what stands on either side of the splices."""
        trial = target + ".splice" + os.path.splitext(target)[1]
        try:
            cut = splice_span(source.path, trial, span.start, span.end, span.frames, self.sound, self.crf, self.preset)
            check_splice(source, trial, cut)
            os.replace(trial, target)
        finally:
            if os.path.exists(trial):
                os.unlink(trial)
        return cut

    def _encoded(self, source: Source, span: Span, target: str) -> Made:
        """Write a span frame by frame."""
        reader = opened(source)
        writer, first, last, count = None, 0.0, 0.0, 0
        rate = reader.info.fps or 25.0
        end = span.end if math.isfinite(span.end) else None
        begin, bound = span.frames or (0, None)

        def wanted(index: int, t: float) -> bool:
            return index >= begin and (bound is None or index < bound)

        # Where frames say which, times are only where to begin to look.
        window = ((max(0.0, span.start - 0.5) or None, None) if span.frames is not None else
                  (span.start or None, end - TOLERANCE if end is not None else None))
        try:
            for frame in reader.frames([NATIVE], wanted, *window):
                if writer is None:
                    writer = VideoWriter(target, reader.info.width, reader.info.height, rate, crf=self.crf,
                                         preset=self.preset, audio_from=source.path if self.sound else None)
                    first = frame.t
                writer.write(frame.image(NATIVE), frame.t)
                last, count = frame.t, count + 1
                if frame.index + 1 == bound:
                    break
            if writer is None:
                raise MediaError(f"no frame is shown from {span.start:g} to {span.end:g} s", code="E_SPAN")
            writer.close()
        finally:
            reader.close()
            if writer is not None:
                writer.abort()
        return Made(Cut(first, last + 1 / rate, count), "exact", tuple(reader.errors))


def refuse(source: Source) -> None:
    """Raise MediaError for what has no spans, or cannot be read a second time."""
    if is_image(source.name):
        raise MediaError("is an image, of which no span can be cut", code="E_SPAN")
    if is_stream(source.name) and not source.name.startswith(("http://", "https://")):
        raise MediaError("is a live stream, which cannot be read a second time: record it first", code="E_SPAN")


def opened(source: Source) -> Reader:
    """Return a reader of a source, opened as the run opens sources."""
    opening = source.opening
    return open_media(source.name, decoder=opening.decoder, threads=opening.threads, timeout=opening.timeout,
                      root=opening.root, framerate=opening.framerate)


def check_splice(source: Source, target: str, cut: Cut) -> None:
    """Compare the frames beside the splices of ``target`` with the source's.

    Raises:
        UnfitError: one is not what it should be, which a decoder of H.264 would show.
    """
    made, there = open_media(target), opened(source)
    try:
        first = next((frame.index for frame in there.frames([NATIVE], lambda index, t: True, cut.start)), 0)
    finally:
        there.close()
    edges = (0, cut.head, cut.head + cut.copied, cut.frames)
    places = sorted({place for edge in edges for place in range(edge - _BESIDE, edge + _BESIDE)
                     if 0 <= place < cut.frames})
    there = opened(source)
    try:
        pairs = zip(made.at(iter(places), [NATIVE]), there.at((first + place for place in places), [NATIVE]))
        seen = 0
        for mine, theirs in pairs:
            seen += 1
            if mine.index + first != theirs.index or likeness(mine.image(NATIVE), theirs.image(NATIVE)) < ALIKE:
                raise UnfitError(f"frame {mine.index} of what was spliced is not the source's")
        if seen != len(places) or made.errors:
            raise UnfitError("what was spliced does not decode")
    finally:
        made.close()
        there.close()


def likeness(a: np.ndarray, b: np.ndarray) -> float:
    """Return the peak signal-to-noise ratio of two (H, W, 3) uint8 pictures in dB; 100 where they are equal."""
    import cv2

    if a.shape != b.shape:
        return 0.0
    return min(100.0, float(cv2.PSNR(a, b)))
