"""The stages behind ``vtk export srt``, ``vtt`` and ``icdar``: text records as files of other tools."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from vtk.driver.stage import Frame, Record, Source, Stage
from vtk.errors import RecordError, UsageError
from vtk.export.outputs import STDOUT, Outputs
from vtk.export.subtitles import FORMATS, cues, line_of, srt_lines, vtt_lines

if TYPE_CHECKING:
    from vtk.export.icdar import TextRows

MOST_FRAMES = 2_000_000  # an XML lists each; 18 hours at 30 a second
_LINES = {"srt": srt_lines, "vtt": vtt_lines}


@dataclass(slots=True)
class State:
    """One open source: where it goes, and its records by their maker."""

    source: Source
    path: Path
    tracks: dict[str, list[Record]] = field(default_factory=dict)
    texts: dict[str, list[Record]] = field(default_factory=dict)
    last: int = 0

    def of_one_maker(self) -> tuple[list[Record], list[Record]]:
        """Return the text_track and the text records. Raises RecordError where they are of several makers."""
        makers = sorted(self.tracks.keys() | self.texts.keys())
        if len(makers) > 1:
            raise RecordError(f"text records of {len(makers)} makers ({', '.join(makers)}): --by says whose to write")
        [maker] = makers or [""]
        return self.tracks.get(maker, []), self.texts.get(maker, [])


class SubtitleStage(Stage):
    """Write the text tracks of each source as subtitles.

    Args:
        form: ``srt`` or ``vtt``.
        output: the file to write, for one source; - is stdout.
        out_dir: the folder to write into, one file a source.
        overwrite: whether files that exist are replaced.
        maker: write the records of this maker (``by``) alone; empty: of the only one that there is.
        tee: whether records go on to stdout.

    Raises:
        UsageError: an unknown format, no output or two, or the file and records would share stdout.
    """

    name = "export"
    reads = frozenset({"text_track"})
    sink = True
    opens_media = False
    batch = 64

    def __init__(self, form: str = "srt", output: Path | None = None, out_dir: Path | None = None,
                 overwrite: bool = False, maker: str = "", tee: bool = False) -> None:
        if form not in FORMATS:
            raise UsageError(f"the format is '{form}': it is one of {', '.join(FORMATS)}")
        self._form, self._maker = form, maker
        self._outputs = Outputs(form, f".{form}", output, out_dir, overwrite, tee)
        self.one_output = output
        self.tee = tee

    def options(self, mode: str = "media") -> Record:
        """Return the options that change the cues."""
        return {"format": self._form, "by": self._maker}

    def prepare(self, mode: str = "media") -> None:
        """Refuse an output that exists or cannot be, before any work is done."""
        self._outputs.prepare()

    def start(self, source: Source) -> State:
        """Choose the source's file. Raises UsageError where it exists, or has another source in it."""
        return State(source, self._outputs.place(source.name))

    def unframed(self, state: State, records: Sequence[Record]) -> list[Record]:
        """Take text tracks; no record comes of them."""
        _take(state.tracks, "text_track", records, self._maker)
        return []

    def frames(self, state: State, batch: Sequence[Frame]) -> list[list[Record]]:
        """Take text tracks that name a frame."""
        for frame in batch:
            _take(state.tracks, "text_track", frame.records, self._maker)
        return [[] for _ in batch]

    def end(self, state: State, ok: bool = True) -> list[Record]:
        """Write the source's file, where nothing went wrong here."""
        if ok:
            tracks, _ = state.of_one_maker()
            lines = [line for record in tracks if (line := line_of(record)) is not None]
            self._outputs.write(state.path, [line.encode() for line in _LINES[self._form](cues(lines))])
        return []


class IcdarStage(Stage):
    """Write the texts of each source as an ICDAR submission: an XML of frames, and beside it a list of transcripts.

    An object is called by its track, from 1; a text without a track has a number of its own. Its transcript is that of
    its track where there is a text_track record, and the list has one for each number.

    Args:
        output: the XML to write, for one source; the list has its name with ``.txt``; - is stdout, without a list.
        out_dir: the folder to write into, two files a source.
        overwrite: whether files that exist are replaced.
        maker: write the records of this maker (``by``) alone; empty: of the only one that there is.
        tee: whether records go on to stdout.

    Raises:
        UsageError: no output or two, or the file and records would share stdout.
    """

    name = "export"
    reads = frozenset({"text", "text_track"})
    sink = True
    opens_media = False
    batch = 64

    def __init__(self, output: Path | None = None, out_dir: Path | None = None, overwrite: bool = False,
                 maker: str = "", tee: bool = False) -> None:
        self._outputs = Outputs("icdar", ".xml", output, out_dir, overwrite, tee)
        self.one_output = output
        if output is not None and output.suffix == ".txt":
            raise UsageError(f"-o {output}: the list of transcripts gets this name; call the XML {output.stem}.xml")
        self._maker = maker
        self.tee = tee

    def options(self, mode: str = "media") -> Record:
        """Return the options that change the files."""
        return {"by": self._maker}

    def prepare(self, mode: str = "media") -> None:
        """Refuse an output that exists or cannot be, before any work is done."""
        self._outputs.prepare()

    def start(self, source: Source) -> State:
        """Choose the source's files. Raises UsageError where one exists, or has another source in it."""
        path = self._outputs.place(source.name)
        if path != STDOUT:
            self._outputs.check_free(path.with_suffix(".txt"))
        return State(source, path)

    def unframed(self, state: State, records: Sequence[Record]) -> list[Record]:
        """Take text tracks; no record comes of them."""
        _take(state.tracks, "text_track", records, self._maker)
        return []

    def frames(self, state: State, batch: Sequence[Frame]) -> list[list[Record]]:
        """Take the texts of frames; no record comes of them."""
        for frame in batch:
            _take(state.texts, "text", frame.records, self._maker)
            _take(state.tracks, "text_track", frame.records, self._maker)
            state.last = max(state.last, frame.index + 1)
        return [[] for _ in batch]

    def end(self, state: State, ok: bool = True) -> list[Record]:
        """Write the source's files, where nothing went wrong here."""
        if not ok:
            return []
        from vtk.export.icdar import transcript_lines, xml_lines

        tracks, texts = state.of_one_maker()
        if state.last > MOST_FRAMES:
            raise RecordError(f"frame {state.last - 1}: the XML lists every frame, and takes {MOST_FRAMES} at most")
        rows = icdar_rows(texts, tracks)
        self._outputs.write(state.path, [line.encode() for line in xml_lines(rows, last=state.last)])
        if state.path != STDOUT:
            transcripts = dict(zip(rows.id, rows.text, strict=True))
            self._outputs.write(state.path.with_suffix(".txt"),
                                [line.encode() for line in transcript_lines(transcripts)])
        return []


def icdar_rows(texts: Sequence[Record], tracks: Sequence[Record]) -> TextRows:
    """Return text records as rows: numbers from 1, and one transcript a track, the voted or the most frequent.

    Raises:
        RecordError: a frame has a track twice.
    """
    import numpy as np

    from vtk.export.icdar import TextRows
    from vtk.metrics.text import voted

    readings: dict[int, list[str]] = {}
    for record in texts:
        if "track_id" in record:
            readings.setdefault(int(record["track_id"]), []).append(record["text"])
    transcripts = {track: voted(some) for track, some in readings.items()}
    transcripts |= {int(record["track_id"]): record["text"] for record in tracks}
    rows, seen = TextRows(), set()
    lift = 1 if 0 in readings else 0
    unnumbered = max(readings, default=0) + lift
    for record in texts:
        track = record.get("track_id")
        if track is None:
            unnumbered += 1
            number, text = unnumbered, record["text"]
        else:
            number, text = int(track) + lift, transcripts[int(track)]
        if (record["frame"], number) in seen:
            raise RecordError(f"frame {record['frame']} has track {track} twice; an ICDAR file cannot")
        seen.add((record["frame"], number))
        rows.add(record["frame"] + 1, number, np.array(record["poly"], dtype=np.float64), text)
    return rows


def _take(by_maker: dict[str, list[Record]], kind: str, records: Sequence[Record], maker: str) -> None:
    for record in records:
        if record["type"] == kind and maker in ("", record["by"]):
            by_maker.setdefault(record["by"], []).append(record)
