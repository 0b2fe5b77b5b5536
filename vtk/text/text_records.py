"""Texts and text tracks as records: cut to what was asked for, split into words, snapped to a vocabulary."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np

from vtk import records
from vtk.driver.stage import Frame
from vtk.models.spotter import Reading
from vtk.records import Record
from vtk.text.region import Region
from vtk.text.script import language_of, script_of
from vtk.text.spotting import Seen, Spotting
from vtk.text.tracks import TextTrack
from vtk.text.views import View
from vtk.text.vocabulary import Vocabulary
from vtk.text.words import WordIds, part, reading_order, words_of


@dataclass(frozen=True, slots=True)
class Output:
    """Which texts are written, and how.

    Attributes:
        min_height: pixels under which a text is left out.
        region: where the centre of a text lies; None: anywhere.
        vocabulary: what transcripts are snapped to; None: nothing.
        words: whether words are written, not lines.
        tracks_only: whether texts are written only when they have ended.
        image_tracks: whether single pictures have tracks as videos have.
    """

    min_height: float = 0.0
    region: Region | None = None
    vocabulary: Vocabulary | None = None
    words: bool = False
    tracks_only: bool = False
    image_tracks: bool = False

    def options(self) -> Record:
        """Return what changes results, for the hash of options."""
        return {"min_height": self.min_height, "region": str(self.region) if self.region else None,
                "vocab": self.vocabulary.sha256 if self.vocabulary else None, "words": self.words,
                "tracks_only": self.tracks_only, "image_tracks": self.image_tracks}


@dataclass(slots=True)
class Teller:
    """Makes the records of one source.

    Words are split off when records are written: a line is followed and read as a whole, and each of its words has an
    id of its own from when it was first written until the line ends. It stands where the line's reading has it, along
    the line's quadrilateral of each frame, and has the line's span.

    Args:
        by, source: what the records name as their maker and their source.
        output: what is written, and how.
        interval: seconds from a frame to the next.
        tracked: whether texts have tracks.
        offset: pixels of the source, x and y, at which the pictures stand in which texts were looked for.
    """

    by: str
    source: str
    output: Output
    interval: float
    tracked: bool
    offset: tuple[int, int] = (0, 0)
    _ids: WordIds = field(default_factory=WordIds)

    def texts(self, frame: Frame, seen: Sequence[Seen], spotting: Spotting) -> Iterator[Record]:
        """Yield the text records of a frame, in reading order."""
        if self.output.tracks_only:
            return
        for each in in_order(seen):
            track = each.track
            told = spotting.told.get(track.number)
            reading = told.reading if told is not None else None
            for text, score, quad, number in self._parts(track.number, track.text or "", track.score, each.quad,
                                                         reading):
                poly, box = self._within(quad, frame)
                record = records.make("text", self.by, **frame.keys(), poly=poly, xyxy=box,
                                      **self._said(text), score=records.score(score))
                if each.det_score is not None:
                    record["det_score"] = records.score(min(max(each.det_score, 0.0), 1.0))
                if self.tracked:
                    record["track_id"] = number
                yield record

    def ended(self, tracks: Sequence[TextTrack], spotting: Spotting) -> Iterator[Record]:
        """Yield the text_track records of tracks that ended, by last frame and id."""
        for track in sorted(tracks, key=lambda each: (each.last_frame, each.number)):
            told = spotting.told.get(track.number)
            text, score, best = spotting.transcript(track)
            if self.tracked:
                reading = told.reading if told is not None else None
                quad = best.quad if best is not None else track.quad
                for word, sure, where, number in self._parts(track.number, text, min(score, 1.0), quad, reading):
                    yield self._track(track, word, sure, best, where, number)
            self._ids.close(track.number)

    def _track(self, track: TextTrack, text: str, score: float, best: View | None, quad: np.ndarray,
               number: int) -> Record:
        record = records.make(
            "text_track", self.by, self.source, track_id=number, start=track.t,
            end=round(track.last_t + self.interval, 6), start_frame=track.frame, end_frame=track.last_frame + 1,
            **self._said(text), score=records.score(score), observations=track.seen)
        script = script_of(record["text"])
        for key, value in (("script", script), ("language", language_of(script))):
            if value is not None:
                record[key] = value
        if best is not None:
            record["best"] = {"frame": best.frame, "poly": _rounded(quad + self.offset)}
        return record

    def _parts(self, line: int, text: str, score: float, quad: np.ndarray,
               reading: Reading | None) -> Iterator[tuple[str, float, np.ndarray, int]]:
        """Yield text, score, quad and id of a line, or of each of its words."""
        if not self.output.words:
            yield text, score, quad, line
            return
        words = words_of(text, score, reading)
        for word, number in zip(words, self._ids.of(line, [word.text for word in words]), strict=True):
            yield word.text, word.score, part(quad, word.start, word.end), number

    def _said(self, text: str) -> Record:
        """Return the keys of what a text says, and of what was read where the vocabulary has it otherwise."""
        snapped = self.output.vocabulary.snap(text) if self.output.vocabulary is not None else text
        return {"text": snapped} if snapped == text else {"text": snapped, "raw_text": text}

    def _within(self, quad: np.ndarray, frame: Frame) -> tuple[list[list[float]], list[float]]:
        """Return a quad cut to its frame, and the box around it, source pixels, two decimals."""
        height, width = frame.image.shape[:2]  # type: ignore[union-attr]
        scaled = np.clip(quad + self.offset, 0, (width, height)) * np.array(frame.scale)
        low, high = scaled.min(axis=0), scaled.max(axis=0)
        return _rounded(scaled), records.boxes(np.concatenate([low, high])[None])[0]


def in_order(seen: Sequence[Seen]) -> list[Seen]:
    """Return texts in reading order: line by line from the top, each from the left, as most of them are turned.

    What belongs to a line is told along the slope of its first text, so that rows of a page that is not straight stay
    apart. Of a page on its side, and of columns of upright signs, the top is on the right.
    """
    if not seen:
        return []
    quads = _upright(np.stack([each.quad for each in seen]))
    rest = sorted(range(len(seen)), key=lambda row: (float(quads[row, :, 1].mean()), seen[row].track.number))
    out: list[Seen] = []
    while rest:
        beside = _beside(quads[rest[0]], quads[rest])
        line = [row for row, near in zip(rest, beside, strict=True) if near]
        line.sort(key=lambda row: (float(quads[row, :, 0].min()), seen[row].track.number))
        out += [seen[row] for row in line]
        rest = [row for row, near in zip(rest, beside, strict=True) if not near]
    return out


def _upright(quads: np.ndarray) -> np.ndarray:
    """Return quads (N, 4, 2) turned by the quarter turns that most of their length reads upright after."""
    lines = np.stack([reading_order(quad) for quad in quads])
    along = (lines[:, 1] + lines[:, 2] - lines[:, 0] - lines[:, 3]) / 2
    quarters = np.round(np.arctan2(along[:, 1], along[:, 0]) / (np.pi / 2)).astype(int) % 4
    most = int(np.bincount(quarters, np.hypot(*along.T), minlength=4).argmax())
    cosine, sine = ((1, 0), (0, 1), (-1, 0), (0, -1))[most]
    return lines @ np.array([[cosine, -sine], [sine, cosine]], quads.dtype)


def _beside(first: np.ndarray, quads: np.ndarray) -> np.ndarray:
    """Tell which quads (N, 4, 2) have their centres in the band that ``first`` (4, 2) goes on to: (N,) bool."""
    along = first[1] + first[2] - first[0] - first[3]
    across, length = first[3] + first[2] - first[0] - first[1], float(np.hypot(*along))
    if abs(along[1]) > abs(along[0]):  # it climbs: its sides are no line to go by
        along, length = np.array([1.0, 0.0]), 1.0
    normal = np.array([-along[1], along[0]]) / max(length, 1e-9)
    away = (quads.mean(axis=1) - first.mean(axis=0)) @ normal
    near = np.abs(away) <= max(abs(float(across @ normal)) / 4, 1e-6)
    near[0] = True
    return near


def _rounded(quad: np.ndarray) -> list[list[float]]:
    return np.asarray(quad, np.float64).round(2).tolist()
