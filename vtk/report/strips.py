"""Strips of a contact sheet: a picture of each shot, scene or other span of a source, in order, with label and times."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from vtk.driver.stage import Record, Source
from vtk.errors import VtkError
from vtk.media.sampling import NATIVE
from vtk.media.video import open_media
from vtk.report.best_crops import Crop, Pixels
from vtk.report.contact import Row
from vtk.report.palette import colour_of

KINDS = frozenset({"scene", "shot"})
LINES = 8  # of a caption: of so many makers of scenes the labels are never cut short, and the times
# What is told of a span, (start, end) in seconds, each maker a record.
Spans = dict[tuple[float, float], list[Record]]


@dataclass(slots=True)
class Strip:
    """What is shown of one source: its spans in order, and a picture of each that could be had."""

    spans: Spans = field(default_factory=dict)
    pictures: dict[tuple[float, float], Crop] = field(default_factory=dict)

    def take(self, records: Sequence[Record]) -> None:
        """Take note of scenes, shots and species of films; several that are told of one span share a picture."""
        for record in records:
            self.spans.setdefault((record["start"], record["end"]), []).append(record)

    def look(self, source: Source, pixels: Pixels) -> tuple[int, list[VtkError]]:
        """Read a frame from the middle of each span; return how many were read, and what was lost.

        Raises:
            MediaError: the source cannot be opened.
        """
        opening = source.opening
        reader = open_media(source.name, decoder=opening.decoder, threads=opening.threads, timeout=opening.timeout,
                            root=opening.root, framerate=opening.framerate)
        wanted = sorted((_middle(records[0], reader.info.fps or 25.0), span) for span, records in self.spans.items())
        read = 0
        try:
            frames = reader.at(iter(sorted({index for index, _ in wanted})), [NATIVE])
            for frame in frames:
                read += 1
                for index, span in wanted:
                    if index == frame.index:
                        slot = pixels.slot()
                        self.pictures[span] = Crop(1.0, source.name, None, frame.t, slot,
                                                   pixels.write(slot, frame.image(NATIVE)))
        finally:
            reader.close()
        return read, list(reader.errors)

    def rows(self, source: str, a_row: int, pixels: Pixels) -> Iterator[Row]:
        """Yield rows of at most ``a_row`` pictures; the first has the name of the source."""
        shown = sorted(self.pictures)
        for start in range(0, len(shown), a_row):
            part = shown[start : start + a_row]
            title, notes = (os.path.basename(source), [_counted(self.spans)]) if start == 0 else ("", [])
            yield Row(title, notes, colour_of(source), [pixels.read(self.pictures[span]) for span in part],
                      [self._caption(span) for span in part], whole=LINES)

    def _caption(self, span: tuple[float, float]) -> list[str]:
        labels = [f"{record['label']} {record['score']:.2f}" if "label" in record else record["note"]
                  for record in self.spans[span] if "label" in record or "note" in record]
        start, end = span
        return [*([f"{clock(start)}–{clock(end)}"] if end > start else []), *labels]


def clock(t: float) -> str:
    """Return seconds as 1:02:03.4."""
    tenths = round(t * 10)
    minutes, rest = divmod(tenths, 600)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest / 10:04.1f}" if hours else f"{minutes}:{rest / 10:04.1f}"


def _middle(record: Record, fps: float) -> int:
    """Return the frame in the middle of a span, by its frames where it has them."""
    if "start_frame" in record and "end_frame" in record:
        return max(record["start_frame"], (record["start_frame"] + record["end_frame"] - 1) // 2)
    return int((record["start"] + record["end"]) / 2 * fps)


def _counted(spans: Spans) -> str:
    kind = next((record["type"] for records in spans.values() for record in records), "shot")
    if kind == "species":
        return "1 span" if len(spans) == 1 else f"{len(spans)} spans"
    return f"{len(spans)} {kind}{'' if len(spans) == 1 else 's'}"
