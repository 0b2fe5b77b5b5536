"""The stage behind ``vtk export edl`` and ``otio``: scenes and shots as timelines of other tools."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any

from vtk.driver.stage import Frame, Record, Source, Stage
from vtk.errors import MediaError, RecordError, UsageError
from vtk.export.edl import edl_lines
from vtk.export.otio import otio_lines
from vtk.export.outputs import Outputs
from vtk.export.timeline import drops, events, rate_of

FORMATS = ("edl", "otio")
KINDS = ("scene", "shot")  # where a source has both, the first is written


@dataclass(slots=True)
class State:
    """One open source: where it goes, and its spans by the type of their records and their maker."""

    source: Source
    path: Path
    spans: dict[str, dict[str, list[Record]]] = field(default_factory=lambda: {kind: {} for kind in KINDS})
    media: Record | None = None

    def take(self, records: Sequence[Record], maker: str) -> None:
        """Take spans of ``maker``, of all where it is empty, and what is known of the media."""
        for record in records:
            if record["type"] == "media":
                self.media = self.media or record
            elif maker in ("", record["by"]):
                self.spans[record["type"]].setdefault(record["by"], []).append(record)

    def of_one_maker(self) -> list[Record]:
        """Return the scenes, else the shots. Raises RecordError where they are of several makers."""
        kind = next((kind for kind in KINDS if self.spans[kind]), KINDS[0])
        makers = sorted(self.spans[kind])
        if len(makers) > 1:
            raise RecordError(f"{kind} records of {len(makers)} makers ({', '.join(makers)}): --by says whose to write")
        return self.spans[kind][makers[0]] if makers else []


class TimelineStage(Stage):
    """Write the scenes of each source, or its shots where it has no scenes, as an edit decision list or a timeline.

    The rate is that of the media record, else of the file. Numbers of frames count where the rate is constant and the
    film's own; else seconds do, rounded to the nearest frame.

    Args:
        form: ``edl`` or ``otio``.
        output: the file to write, for one source; - is stdout.
        out_dir: the folder to write into, one file a source.
        overwrite: whether files that exist are replaced.
        maker: write the records of this maker (``by``) alone; empty: of the only one that there is.
        fps: frames a second of the timeline; None: those of the film.
        non_drop: whether timecodes of 29.97 and 59.94 number each frame, and run off the clock.
        packed: whether pieces follow each other without gaps.
        tee: whether records go on to stdout.

    Raises:
        UsageError: an unknown format, no output or two, no rate, or the file and records would share stdout.
    """

    name = "export"
    reads = frozenset({*KINDS, "media"})
    sink = True
    opens_media = False
    batch = 64

    def __init__(self, form: str = "edl", output: Path | None = None, out_dir: Path | None = None,
                 overwrite: bool = False, maker: str = "", fps: float | None = None, non_drop: bool = False,
                 packed: bool = False, tee: bool = False) -> None:
        if form not in FORMATS:
            raise UsageError(f"the format is '{form}': it is one of {', '.join(FORMATS)}")
        if fps is not None and not 0 < fps < 1000:
            raise UsageError(f"--fps is {fps:g}: a number above 0 is needed, such as 25 or 29.97")
        self._form, self._maker, self._fps = form, maker, fps
        self._non_drop, self._packed = non_drop, packed
        self._outputs = Outputs(form, f".{form}", output, out_dir, overwrite, tee)
        self.one_output = output
        self.tee = tee

    def options(self, mode: str = "media") -> Record:
        """Return the options that change the file."""
        return {"format": self._form, "by": self._maker, "fps": self._fps or 0, "non_drop": self._non_drop,
                "packed": self._packed}

    def prepare(self, mode: str = "media") -> None:
        """Refuse an output that exists or cannot be, before any work is done."""
        self._outputs.prepare()

    def start(self, source: Source) -> State:
        """Choose the source's file. Raises UsageError where it exists, or has another source in it."""
        return State(source, self._outputs.place(source.name), media=source.media)

    def unframed(self, state: State, records: Sequence[Record]) -> list[Record]:
        """Take scenes and shots; no record comes of them."""
        state.take(records, self._maker)
        return []

    def frames(self, state: State, batch: Sequence[Frame]) -> list[list[Record]]:
        """Take scenes and shots that name a frame."""
        for frame in batch:
            state.take(frame.records, self._maker)
        return [[] for _ in batch]

    def end(self, state: State, ok: bool = True) -> list[Record]:
        """Write the source's file, where nothing went wrong here."""
        if ok:
            spans = [span for span in state.of_one_maker() if span["end"] > span["start"]]  # a picture lasts no time
            lines = self._lines(state, spans, _known(state, opened=bool(spans)))
            self._outputs.write(state.path, [line.encode() for line in lines])
        return []

    def _lines(self, state: State, spans: Sequence[Record], known: dict[str, Any]) -> list[str]:
        rate = rate_of(self._fps) if self._fps else _rate(known, state.source.name) if spans else Fraction(25)
        made = events(spans, rate, by_time=self._fps is not None or bool(known.get("vfr")))
        clip = state.source.name.rstrip("/").rpartition("/")[2]
        title = clip.rpartition(".")[0] or clip
        if self._form == "edl":
            return edl_lines(title, clip, made, rate, drops(rate) and not self._non_drop, self._packed)
        seconds = known.get("duration")
        return otio_lines(title, _url(state.source), made, rate, round(seconds * rate) if seconds else None,
                          self._packed)


def _known(state: State, opened: bool) -> dict[str, Any]:
    """Return what is known of the media by its record, by who opened it, or by opening it where nobody did."""
    if state.media is not None:
        return state.media
    info = state.source.info
    if info is None and opened:
        from vtk.media.video import open_media

        try:
            reader = open_media(state.source.name, root=state.source.root)
        except MediaError:
            return {}  # that the rate is missing is said by who needs it
        info = reader.info
        reader.close()
    return {} if info is None else {key: getattr(info, key) for key in ("fps", "duration", "vfr")}


def _rate(known: dict[str, Any], name: str) -> Fraction:
    if not known.get("fps"):
        raise RecordError(f"how many frames a second {name} has is not known: there is no media record that says it, "
                          "and the file cannot be opened, or is a picture; give --fps", code="E_RATE")
    return rate_of(known["fps"])


def _url(source: Source) -> str:
    """Return what a timeline opens the film by: a file's whole URL where it is there, else its name as typed."""
    path = Path(source.path)
    return path.resolve().as_uri() if path.is_file() else source.name
