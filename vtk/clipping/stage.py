"""The stage behind ``vtk clip``: spans of a source in, a file of each out."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from vtk.clipping.cuts import HOWS, Cutter, Made, refuse
from vtk.clipping.spans import SPANNED, Choice, Span, clip_name, span_of
from vtk.driver.inputs import output_path
from vtk.driver.link import first_of
from vtk.driver.stage import Record, Source, Stage
from vtk.errors import MediaError, UsageError, VtkError
from vtk.media.joining import join_files
from vtk.media.packing import CONTAINERS
from vtk.media.sampling import Sampling
from vtk.media.writer import MUXERS, PRESETS
from vtk.records import dump

MANIFEST = "clips.jsonl"


@dataclass(slots=True)
class State:
    """One open source: the spans that were told of, and what went wrong with some."""

    source: Source
    told: list[Span] = field(default_factory=list)
    warnings: list[VtkError] = field(default_factory=list)
    frames: int = 0


class ClipStage(Stage):
    """Cut the spans that records tell of out of their media.

    Args:
        output: the file to write, of one span, or of all with ``join``.
        out_dir: the folder to write into: a folder a source, in it a file a span and ``clips.jsonl``, a row a file.
        overwrite: whether files that exist are replaced.
        choice: which spans are cut.
        cutter: how.
        join: whether the spans of a source become one file.
        say: told of a cut that begins earlier than its span, in words.

    Raises:
        UsageError: an option is out of range.
    """

    name = "clip"
    sink = True

    def __init__(self, output: Path | None = None, out_dir: Path | None = None, overwrite: bool = False,
                 choice: Choice = Choice(), cutter: Cutter = Cutter(), join: bool = False, tee: bool = False,
                 say: Callable[[str], None] | None = None) -> None:
        if (output is None) == (out_dir is None):
            raise UsageError("say where to write: -o FILE for one span, or --out-dir DIR")
        if cutter.how not in HOWS:
            raise UsageError(f"--cut is '{cutter.how}': it is one of {', '.join(HOWS)}")
        if cutter.preset not in PRESETS:
            raise UsageError(f"--preset {cutter.preset}: there are {', '.join(PRESETS)}")
        if not 0 <= cutter.crf <= 51:
            raise UsageError(f"--crf {cutter.crf}: a number from 0 (lossless) to 51 is needed")
        for option, value in (("--margin", choice.margin), ("--min", choice.least), ("--max", choice.most),
                              ("--merge", choice.merge)):
            if value is not None and not 0 <= value < float("inf"):
                raise UsageError(f"{option} {value:g}: seconds, 0 or more, are needed")
        if unknown := set(choice.types) - set(SPANNED):
            raise UsageError(f"--types has '{min(unknown)}': records of spans are {', '.join(SPANNED)}")
        if output is not None and output.suffix.lower() not in (CONTAINERS if cutter.how == "copy" else MUXERS):
            known = CONTAINERS if cutter.how == "copy" else MUXERS
            raise UsageError(f"-o {output}: a name that ends in {', '.join(known)} is needed")
        self._output, self._out_dir, self._overwrite, self._join = output, out_dir, overwrite, join
        self.one_output = output
        self._choice, self._cutter, self._say, self.tee = choice, cutter, say, tee
        self._taken: str | None = None
        self.reads = frozenset(choice.types or SPANNED)

    def options(self, mode: str = "media") -> Record:
        """Return the options that change the cuts."""
        return {"choice": repr(self._choice), "cutter": repr(self._cutter), "join": self._join}

    def prepare(self, mode: str = "media") -> None:
        """Check before any work."""
        self.check()

    def check(self) -> None:
        """Refuse an output that exists or has no folder."""
        if self._output is not None:
            if not self._output.parent.is_dir():
                raise UsageError(f"-o {self._output}: there is no folder {self._output.parent}")
            self._check_free(self._output)

    def sampling(self, source: Source) -> Sampling:
        """Return that no frame is wanted from the driver; without records the source is opened, to be named in them."""
        return Sampling(limit=0) if source.mode == "media" else Sampling(mode="none")

    def start(self, source: Source) -> State:
        """Return a source's state; named by itself it is one span, from --start to --end.

        Raises:
            UsageError: there is no span.
            MediaError: it is none that spans can be cut of.
        """
        refuse(source)
        state = State(source)
        if source.mode == "media":
            if self._choice.start is None and self._choice.end is None:
                raise UsageError("no span of it came: pipe records with start and end in (vtk recognize-scene, vtk "
                                 "track), or give --start and --end")
            duration = source.info.duration if source.info is not None else None
            state.told.append(Span(self._choice.start or 0.0, self._choice.end or duration or float("inf")))
        return state

    def unframed(self, state: State, records: Sequence[Record]) -> list[Record]:
        """Take note of spans; a copy names the source that shows it."""
        state.told += [span for record in records if record.get("source") == state.source.name
                       and (span := span_of(record)) is not None]
        return []

    def end(self, state: State, ok: bool = True) -> list[Record]:
        """Cut the spans.

        Raises:
            UsageError, MediaError: a file is there, or cannot be written.
        """
        choice = self._choice
        if state.source.mode == "media":  # it was said by hand: what bounds records is itself the span
            choice = Choice(margin=choice.margin)
        spans = choice.spans(state.told) if ok else []
        if not spans:
            return []
        if self._output is not None and len(spans) > 1 and not self._join:
            raise UsageError(f"-o {self._output}: {len(spans)} spans came: --join puts them in one file, --out-dir "
                             "writes one each")
        if self._join:
            self._joined(state, spans)
        else:
            self._apart(state, spans)
        return []

    def own_reading(self, state: State) -> tuple[int, Sequence[VtkError]]:
        """Return how many frames were written, and which spans could not be cut."""
        return state.frames, state.warnings

    def _apart(self, state: State, spans: list[Span]) -> None:
        """Write a file for each span."""
        folder = self._folder(state.source)
        suffix, taken = "" if self._output else self._cutter.suffix(state.source), set[str]()
        named = [(span, self._single(state.source) if folder is None else folder / clip_name(span, suffix, taken))
                 for span in spans]
        for _, path in named:
            self._check_free(path, state.source)
        rows = []
        for span, path in named:
            made = self._cut(state, span, path, self._cutter)
            if made is not None:
                rows.append(_row(path.name, state.source, span, made))
        self._write_manifest(folder, rows)

    def _joined(self, state: State, spans: list[Span]) -> None:
        """Write one file of all spans."""
        folder = self._folder(state.source)
        path = self._single(state.source) if folder is None else folder / f"joined{self._cutter.suffix(state.source)}"
        self._check_free(path, state.source)
        with tempfile.TemporaryDirectory(prefix=".vtk-clip-", dir=path.parent) as scratch:
            parts = self._parts(state, spans, Path(scratch), path.suffix, self._cutter)
            if len({made.how for _, made, _ in parts}) > 1:  # parts that are joined are encoded alike
                parts = self._parts(state, spans, Path(scratch), path.suffix, replace(self._cutter, how="exact"))
            if not parts:
                return
            join_files([os.fspath(part) for _, _, part in parts], os.fspath(path))
        rows, at = [], 0.0
        for span, made, _ in parts:
            rows.append({**_row(path.name, state.source, span, made), "at": round(at, 6)})
            at += made.cut.end - made.cut.start
        self._write_manifest(folder, rows)

    def _parts(self, state: State, spans: list[Span], scratch: Path, suffix: str,
               cutter: Cutter) -> list[tuple[Span, Made, Path]]:
        """Cut the spans that can be cut into files of their own."""
        state.frames, state.warnings = 0, []
        named = [(span, scratch / f"{number}{suffix}") for number, span in enumerate(spans)]
        tried = [(span, self._cut(state, span, path, cutter), path) for span, path in named]
        return [(span, made, path) for span, made, path in tried if made is not None]

    def _cut(self, state: State, span: Span, path: Path, cutter: Cutter) -> Made | None:
        """Cut one span; None where it cannot be, which is told when the source ended."""
        try:
            made = cutter.cut(state.source, span, os.fspath(path))
        except MediaError as error:
            where = f"{span.start:.3f} to {span.end:.3f} s"
            state.warnings.append(MediaError(f"{where} is not cut: {error}", code=error.code))
            return None
        state.frames += made.cut.frames
        state.warnings += [type(error)(f"{path.name} lacks something: {error}", code=error.code)
                           for error in first_of(made.damage)]
        early, late = span.start - made.cut.start, made.cut.end - span.end
        if made.how == "copy" and self._say is not None and self._output is not None and early > 1e-3:
            self._say(f"{path} begins {early:.2f} s before {span.start:g} s, at a key frame"
                      + (f", and ends {late:.2f} s late" if 1e-3 < late < float("inf") else ""))
        return made

    def _folder(self, source: Source) -> Path | None:
        """Make the folder of a source; None where all goes to one file."""
        if self._out_dir is None:
            return None
        folder = self._out_dir / output_path(source.name)
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise MediaError(f"cannot make folder {folder}: {error.strerror}", code="E_ENCODE") from None
        self._check_free(folder / MANIFEST)
        return folder

    def _single(self, source: Source) -> Path:
        """Return the one file that -o names. Raises UsageError where another source is in it."""
        if self._taken not in (None, source.name):
            raise UsageError(f"-o {self._output} holds {self._taken} already, and {source.name} came too: give "
                             "--out-dir DIR for several sources")
        self._taken = source.name
        return self._output or Path()

    def _check_free(self, path: Path, source: Source | None = None) -> None:
        """Raise UsageError where ``path`` may not be written."""
        if path.is_dir():
            raise UsageError(f"{path} is a folder: --out-dir writes into folders")
        if path.exists() and not path.is_file():
            raise UsageError(f"{path} is no file: a cut is written to a file")
        if path.is_file() and not self._overwrite and self._taken is None:
            raise UsageError(f"{path} exists: --overwrite replaces it")
        if source is not None and path.exists() and os.path.exists(source.path) and os.path.samefile(source.path, path):
            raise UsageError(f"{path} is the source itself: write to another file")

    def _write_manifest(self, folder: Path | None, rows: Sequence[Record]) -> None:
        """Write which file shows which span of the source, a row a file."""
        if folder is None:
            return
        part = folder / f"{MANIFEST}.part"
        try:
            part.write_bytes(b"".join(dump(row) + b"\n" for row in rows))
            part.replace(folder / MANIFEST)
        except OSError as error:
            raise MediaError(f"cannot write {folder / MANIFEST}: {error.strerror}", code="E_ENCODE") from None


def _row(name: str, source: Source, span: Span, made: Made) -> Record:
    """Return the manifest's row of a file: the span that was asked for, and the one that the file shows."""
    row: Record = {"file": name, "source": source.name}
    if span.type:
        row["type"] = span.type
    if span.label:
        row["label"] = span.label
    if span.track_id is not None:
        row["track_id"] = span.track_id
    row["start"] = round(span.start, 6)
    if span.end != float("inf"):
        row["end"] = round(span.end, 6)
    cut = made.cut
    return row | {"cut": made.how, "shown_start": round(cut.start, 6), "shown_end": round(cut.end, 6),
                  "frames": cut.frames, "copied": cut.copied}
