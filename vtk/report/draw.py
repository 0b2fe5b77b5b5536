"""The stage behind ``vtk draw``: records painted onto the frames of their source, as a video or an image.

Where copies are known before its first frame, a source is drawn beside what it copies.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from vtk.driver.stage import Frame, Record, Source, Stage
from vtk.driver.targets import Target, shows_image
from vtk.errors import MediaError, RecordError, UsageError, VtkError
from vtk.media.image import write_image
from vtk.media.sampling import Sampling
from vtk.media.writer import PRESETS, VideoWriter
from vtk.report.beside import Beside
from vtk.report.canvas import Canvas, Style
from vtk.report.copied import Copied, Copy
from vtk.report.cues import Cues, cues_of
from vtk.report.fonts import faces
from vtk.report.painters import PAINTERS, paint
from vtk.report.spanned import SPANNED, Spanned
from vtk.report.trails import Trails

DRAWN = (*PAINTERS, "copy")  # the record types that show in a picture


@dataclass(slots=True)
class State:
    """One open source: where it goes, and the writer once its first frame has come."""

    source: Source
    path: Path
    style: Style
    trails: Trails
    cues: Cues
    names: Mapping[int, int | str] = field(default_factory=dict)  # who each track is, where it is known
    copies: list[Copy] = field(default_factory=list)
    beside: Beside | None = None
    warnings: list[VtkError] = field(default_factory=list)
    begun: bool = False
    judged: bool = False  # whether tracks of faces came
    shown: bool = False  # whether any box came
    spans: Spanned = field(default_factory=Spanned)
    framed: set[str] = field(default_factory=set)  # types of which records of frames came
    writer: VideoWriter | None = None

    def take(self, records: Sequence[Record]) -> None:
        """Take note of copies; what cannot be shown is warned of once."""
        copies = dict.fromkeys(Copy.of(record) for record in records)  # those of a run come a second time, in its lines
        news = [copy for copy in copies if copy is not None and copy not in self.copies]
        self.copies += news
        if None in copies and not any(warning.code == "E_RECORD" for warning in self.warnings):
            self.warnings.append(RecordError("a copy record has a span that lasts no time: left out"))
        if self.begun and news and not any(warning.code == "E_LATE" for warning in self.warnings):
            self.warnings.append(RecordError("copy records came after its frames: drawn without them; vtk sort puts "
                                             "them first", code="E_LATE"))


class DrawStage(Stage):
    """Paint the records of each frame onto it and write what comes out.

    Args:
        output: the file to write, for one source.
        out_dir: the folder to write into, one file a source.
        overwrite: whether files that exist are replaced.
        labels, scores: whether boxes carry their name, and their score.
        trail: seconds that a track's trail reaches back; 0 for none.
        types: the record types to show; none: all that can be.
        crf, preset: quality and effort of the H.264 encoder.
        subtitles: a file of subtitles to write into the picture, or a folder with one for each source.
        font: a font file for letters that the built-in fonts lack.
        sampling: the frames to write.
        tee: whether records go on to stdout.

    Raises:
        UsageError: no output or two are named, a type has no painter, or a number is out of range.
    """

    name = "draw"
    reads = frozenset({*DRAWN, "face_track"})  # these have no box in each frame: said, where nothing else came
    sink = True

    def __init__(self, output: Path | None = None, out_dir: Path | None = None, overwrite: bool = False,
                 labels: bool = True, scores: bool = True, trail: float = 2.0, types: Sequence[str] = (),
                 crf: int = 20, preset: str = "veryfast", subtitles: Path | None = None, font: Path | None = None,
                 sampling: Sampling = Sampling(), tee: bool = False) -> None:
        if (output is None) == (out_dir is None):
            raise UsageError("draw needs either -o FILE, for one source, or --out-dir DIR, for one file a source")
        for kind in types:
            if kind not in DRAWN:
                raise UsageError(f"--types: nothing paints '{kind}' records; there are {', '.join(DRAWN)}")
        if not 0 <= trail < float("inf"):
            raise UsageError(f"--trail {trail:g}: seconds, 0 or more, are needed")
        if not 0 <= crf <= 51:
            raise UsageError(f"--crf {crf}: a number from 0 (lossless) to 51 is needed")
        if preset not in PRESETS:
            raise UsageError(f"--preset {preset}: there are {', '.join(PRESETS)}")
        self._target = Target(output, out_dir)
        self._output = self.one_output = output
        self._out_dir = out_dir
        self._overwrite = overwrite
        self._style = Style(labels=labels, scores=scores, trail=trail, font=str(font or ""))
        self._subtitles = subtitles
        self._types = frozenset(types) or frozenset(DRAWN)
        self._crf, self._preset = crf, preset
        self._sampling = sampling
        # Who is who, and what is copied, is waited for only where it can be seen.
        shows = {"track": "identity", "copy": "copy"}
        self.late = frozenset(late for kind, late in shows.items() if kind in self._types)
        self.early = self._types & {"copy", *SPANNED}
        self._names: dict[str, dict[int, int | str]] = {}
        self._copies: dict[str, list[Record]] = {}
        self._subtitled: str | None = None
        self.tee = tee

    def options(self, mode: str = "media") -> Record:
        """Return the options that change results."""
        given = {} if self._subtitles is None else {"subtitles": str(self._subtitles)}
        return {"types": sorted(self._types), "style": repr(self._style), "crf": self._crf, "preset": self._preset,
                "sampling": repr(self._sampling), **given}

    def prepare(self, mode: str = "media") -> None:
        """Check before any work."""
        self.check()

    def check(self) -> None:
        """Refuse an output that exists, a font that is none and subtitles that are not there."""
        try:
            faces(self._style.font)
        except OSError as error:
            raise UsageError(f"--font {self._style.font}: {error}; a TrueType or OpenType file is needed") from None
        if self._subtitles is not None and not self._subtitles.exists():
            raise UsageError(f"--subtitles {self._subtitles}: there is no such file or folder")
        if self._output is not None:
            self._check_free(self._output, None)

    def told(self, records: Sequence[Record]) -> None:
        """Take note of copies and of who tracks are; where two records are of one track, the later one holds."""
        for record in records:
            if record["type"] == "copy":
                self._copies.setdefault(record["source"], []).append(record)
            else:
                self._names.setdefault(record["source"], {})[record["track_id"]] = record["identity"]

    def sampling(self, source: Source) -> Sampling:
        """Return the frames to write, in their own size."""
        return self._sampling

    def start(self, source: Source) -> State:
        """Choose the source's file and read its subtitles.

        Raises:
            UsageError: the file exists, or has another source in it.
            MediaError, RecordError: the subtitles are not there or are none.
        """
        path = self._target.of(source.name, source.info is not None and source.info.kind == "image")
        self._check_free(path, source)
        state = State(source, path, self._style, Trails(self._style.trail), self._cues(source),
                      self._names.get(source.name, {}))
        state.take(self._copies.get(source.name, ()))
        return state

    def unframed(self, state: State, records: Sequence[Record]) -> list[Record]:
        """Take note of the source's copies; those of others may stand among its lines."""
        state.take([record for record in records if record["type"] == "copy" and "copy" in self._types
                    and record["source"] == state.source.name])
        state.judged |= any(record["type"] == "face_track" for record in records)
        state.spans.take([record for record in records if record["type"] in self._types
                          and record.get("source") == state.source.name], state.begun)
        return []

    def frames(self, state: State, batch: Sequence[Frame]) -> list[list[Record]]:
        """Paint and write the frames; no records come of it."""
        for frame in batch:
            if frame.image is None:
                raise ValueError(f"draw needs frames with pixels; frame {frame.index} of {state.source.name} has none")
            if not state.begun:
                self._begin(state, frame.image)
            painted = self._painted(state, frame)
            if state.beside is not None:
                painted = state.beside.picture(painted, frame.t)
            if state.writer is not None:
                state.writer.write(painted, frame.t)
            else:
                write_image(state.path, painted)
        return [[] for _ in batch]

    def end(self, state: State, ok: bool = True) -> list[Record]:
        """Complete the file: of a source that broke off, with what there was."""
        if state.beside is not None:
            state.beside.close()
            state.warnings += [MediaError(f"reference {ref} {error}", code=error.code)
                               for ref, error in state.beside.failed.items()]
        if state.writer is not None:
            state.writer.close()
        return []

    def own_reading(self, state: State) -> tuple[int, Sequence[VtkError]]:
        """Return what of the source's copies, spans and faces is not drawn, and why."""
        if state.spans.late and not state.framed & set(SPANNED):
            state.warnings.append(RecordError("records of scenes or species came after their frames: drawn without "
                                              "them; vtk sort puts them first", code="E_LATE"))
        if state.judged and not state.shown and "face" in self._types:
            return 0, [*state.warnings, RecordError("tracks of faces came and not one face, so none is drawn: vtk "
                                                    "face-antispoof --frames writes each", code="E_NO_FACE")]
        return 0, state.warnings

    def _painted(self, state: State, frame: Frame) -> np.ndarray:
        """Return the frame with its records painted; the frame itself is shared and stays as it is."""
        canvas = Canvas(frame.image.copy(), state.style)
        records = [record for record in frame.records if record["type"] in self._types & PAINTERS.keys()]
        state.shown |= bool(records)
        state.framed |= {record["type"] for record in records}
        records = [*map(state.spans.named, records), *state.spans.at(frame.t)]
        if state.names:
            records = [record | {"identity": state.names.get(record.get("track_id"))} if record["type"] == "track"
                       else record for record in records]
        if state.style.trail:
            state.trails.paint(canvas, records, frame.t)
        paint(canvas, records)
        for cue in state.cues.at(frame.t):
            canvas.subtitle(cue.lines)
        return canvas.finish()

    def _cues(self, source: Source) -> Cues:
        """Return the subtitles of a source. Raises UsageError where one file would go into several sources."""
        if self._subtitles is None:
            return Cues([])
        if not self._subtitles.is_dir() and self._subtitled not in (None, source.name):
            raise UsageError(f"--subtitles {self._subtitles} went into {self._subtitled} already, and {source.name} "
                             "came too: give a folder with a file for each source")
        self._subtitled = source.name
        return cues_of(self._subtitles, source.name)

    def _check_free(self, path: Path, source: Source | None) -> None:
        """Raise UsageError where ``path`` may not be written; a device or a pipe always may."""
        if path.is_dir():
            raise UsageError(f"{path} is a folder: --out-dir writes into folders")
        if self._out_dir is None and not path.parent.is_dir():
            raise UsageError(f"{path}: there is no folder {path.parent}")
        if not path.is_file():
            return
        if not self._overwrite:
            raise UsageError(f"{path} exists: --overwrite replaces it")
        if source is not None and os.path.exists(source.path) and os.path.samefile(source.path, path):
            raise UsageError(f"{path} is the source itself: write to another file")

    def _begin(self, state: State, image: np.ndarray) -> None:
        """Open the writer of a source for frames like ``image``."""
        height, width = image.shape[:2]
        line, letters = Style.sizes(width, height)
        state.style = replace(state.style, line=line, letters=letters)
        if self._out_dir is not None:
            try:
                state.path.parent.mkdir(parents=True, exist_ok=True)
            except OSError as error:
                raise MediaError(f"cannot make folder {state.path.parent}: {error.strerror}", code="E_ENCODE") from None
        if state.copies:
            duration = (state.source.info.duration if state.source.info is not None else None) or 0.0
            state.beside = Beside(state.source.name, Copied(state.copies), width, height, duration, state.style,
                                  state.source.root)
            width, height = state.beside.size
        if not shows_image(state.path):
            state.writer = VideoWriter(state.path, width, height, self._fps(state.source),
                                       audio_from=state.source.path, crf=self._crf, preset=self._preset)
        state.begun = True

    def _fps(self, source: Source) -> float:
        """Return the frames a second of the written video: those that are looked at."""
        fps = (source.info.fps if source.info is not None else None) or 25.0
        if self._sampling.mode == "fps":
            return min(fps, self._sampling.fps)
        return fps / self._sampling.every
