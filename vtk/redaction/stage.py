"""The stage behind ``vtk redact``: records and their media in, the media without what the records show out."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from vtk.driver.stage import Frame, Record, Source, Stage
from vtk.driver.targets import Target
from vtk.errors import UsageError, VtkError
from vtk.media.names import is_image, is_stream
from vtk.media.writer import PRESETS
from vtk.redaction.coverage import PARENTS, WHOLE, lacking
from vtk.redaction.hiding import HOWS
from vtk.redaction.plan import Plan
from vtk.redaction.sightings import Sightings
from vtk.redaction.writing import Style, Written, discard, prove, write

BOXED = ("detection", "track", "text", "face", "species")
_NAMED = 10  # labels that a message tells of


class NotWholeError(VtkError):
    """It is not known where all is that has to be hidden."""

    code = "E_UNSEEN"


@dataclass(slots=True)
class State:
    """One open source: what is to be hidden of it, and what else came."""

    source: Source
    path: Path
    sightings: Sightings = field(default_factory=Sightings)
    came: Counter[str] = field(default_factory=Counter)
    trackers: set[str] = field(default_factory=set)  # makers of tracks, some of which may be shown
    names: set[str] = field(default_factory=set)  # of boxes that are not hidden, the first ones
    fitting: bool = False  # whether any box is to be hidden
    taken: int = 0  # frames that had records
    read: int = 0


class RedactStage(Stage):
    """Write sources anew without what records show in them, where it is certain that these show all of it.

    Args:
        output: the file to write, for one source.
        out_dir: the folder to write into, one file a source.
        overwrite: whether files that exist are replaced.
        types: the record types to hide; none: all that have boxes.
        classes: the labels, or types, to hide; none: all.
        keep: identities that are shown: their tracks are not hidden.
        hold: seconds that something is hidden before it is seen and after, and between two sightings.
        style: how it is hidden and written.
        allow_partial: whether sources are written of which not all was looked at.
        say: told, in words, where of all boxes of a source none is of ``classes``.

    Raises:
        UsageError: an option is out of range.
    """

    name = "redact"
    sink = True
    needs = "source"
    whole = True
    reads = frozenset({*BOXED, *WHOLE, "error"})

    def __init__(self, output: Path | None = None, out_dir: Path | None = None, overwrite: bool = False,
                 types: Sequence[str] = (), classes: Sequence[str] = (), keep: Sequence[str] = (), hold: float = 0.5,
                 style: Style = Style(), allow_partial: bool = False, tee: bool = False,
                 say: Callable[[str], None] | None = None) -> None:
        if (output is None) == (out_dir is None):
            raise UsageError("say where to write: -o FILE for one source, or --out-dir DIR")
        if unknown := set(types) - set(BOXED):
            raise UsageError(f"--types has '{min(unknown)}': records with boxes are {', '.join(BOXED)}")
        if style.how not in HOWS:
            raise UsageError(f"--how is '{style.how}': it is one of {', '.join(HOWS)}")
        if not 0 <= style.margin <= 2:
            raise UsageError(f"--margin {style.margin:g}: a number from 0 to 2 is needed")
        if not 0 <= hold < float("inf"):
            raise UsageError(f"--hold {hold:g}: seconds, 0 or more, are needed")
        if not 0 <= style.crf <= 35:
            raise UsageError(f"--crf {style.crf}: a number from 0 (lossless) to 35 is needed; worse cannot be checked")
        if style.preset not in PRESETS:
            raise UsageError(f"--preset {style.preset}: there are {', '.join(PRESETS)}")
        self._target = Target(output, out_dir)
        self._output, self._out_dir, self._overwrite = output, out_dir, overwrite
        self.one_output = output
        self._types, self._classes, self._keep = frozenset(types or BOXED), frozenset(classes), frozenset(keep)
        self._hold, self._style, self._allow_partial, self.tee = hold, style, allow_partial, tee
        self._say = say
        self.late = frozenset({"identity"} if keep else ())
        self._names: dict[str, dict[int, str]] = {}
        self._bad_line: str | None = None

    def options(self, mode: str = "media") -> Record:
        """Return the options that change what is written."""
        return {"types": sorted(self._types), "classes": sorted(self._classes), "keep": sorted(self._keep),
                "hold": self._hold, "style": repr(self._style), "allow_partial": self._allow_partial}

    def prepare(self, mode: str = "media") -> None:
        """Check before any work."""
        self.check()

    def check(self) -> None:
        """Refuse an output that exists or has no folder."""
        if self._output is not None:
            if not self._output.parent.is_dir():
                raise UsageError(f"-o {self._output}: there is no folder {self._output.parent}")
            self._check_free(self._output, None)

    def told(self, records: Sequence[Record]) -> None:
        """Take note of who tracks are; where two records are of one track, the later one holds."""
        for record in records:
            self._names.setdefault(record["source"], {})[record["track_id"]] = str(record["identity"])

    def overhear(self, records: Sequence[Record]) -> None:
        """Take note of lines that could not be used: they may have said what to hide."""
        for record in records:
            if record["type"] == "error" and "line" in record:
                self._bad_line = f"line {record['line']} of what came in cannot be used"

    def _note(self, state: State, records: Sequence[Record]) -> None:
        """Take note of what came of a source: of its types, and of lines that could not be used further up."""
        state.came.update(record["type"] for record in records)
        self.overhear(records)

    def start(self, source: Source) -> State:
        """Choose the source's file.

        Raises:
            UsageError: the file exists, or has another source in it; no records came.
        """
        if source.mode == "media":
            raise UsageError("nothing says what to hide: pipe records of it in (vtk detect, vtk track, vtk spot-text, "
                             "vtk face-antispoof --frames)")
        if is_stream(source.name) and not source.name.startswith(("http://", "https://")):
            raise UsageError("is a live stream, which cannot be read a second time: record it first")
        path = self._target.of(source.name, is_image(source.name))
        self._check_free(path, source)
        return State(source, path)

    def frames(self, state: State, batch: Sequence[Frame]) -> list[list[Record]]:
        """Take note of what is to be hidden in frames."""
        known = self._names.get(state.source.name, {})
        state.taken += len(batch)
        for frame in batch:
            self._note(state, frame.records)
            for record in frame.records:
                if not self._is_hidden(record):
                    if len(state.names) < _NAMED and record["type"] in self._types:
                        state.names.add(record.get("label", record["type"]))
                    continue
                state.fitting = True
                if not self._is_kept(state, record, known):
                    state.sightings.add(record)
        return [[] for _ in batch]

    def unframed(self, state: State, records: Sequence[Record]) -> list[Record]:
        """Take note of whole tracks: where they came, their boxes have to."""
        self._note(state, records)
        return []

    def end(self, state: State, ok: bool = True) -> list[Record]:
        """Write the source, look at what was written, and give it its name.

        Raises:
            NotWholeError: it is not certain that the records show all that has to be hidden.
            ShownError: what was written shows some of it.
            VtkError: it cannot be read, or the file not be written.
        """
        bad, self._bad_line = self._bad_line, None
        if not ok:
            return []
        if not self._allow_partial:
            self._refuse(bad or self._missing(state))
        # Hidden, so that nobody takes it for whole where this process dies before it is proven.
        trial = os.fspath(state.path.with_name(f".{state.path.name}.unchecked{state.path.suffix}"))
        try:
            if self._out_dir is not None:
                state.path.parent.mkdir(parents=True, exist_ok=True)
            written = write(state.source, Plan(state.sightings, self._hold), self._style, trial)
            state.read = written.frames
            if not self._allow_partial:
                self._refuse(self._unseen(state, written))
            prove(state.source, Plan(state.sightings, self._hold), self._style, trial)
            os.replace(trial, state.path)
            self._tell(state)
        except OSError as error:
            raise VtkError(f"cannot write {state.path}: {error.strerror}", code="E_ENCODE") from None
        finally:
            discard(trial)
        return []

    def _tell(self, state: State) -> None:
        """Say where names that were given fit nothing that came: they may be misspelt."""
        if self._say is not None and self._classes and not state.fitting and state.names:
            wanted, came = (", ".join(sorted(names)) for names in (self._classes, state.names))
            self._say(f"{state.path}: nothing is hidden in it: none of its boxes is of {wanted} (they are of {came})")

    def own_reading(self, state: State) -> tuple[int, Sequence[VtkError]]:
        """Return how many frames were read beside those that had records."""
        return max(0, state.read - state.taken), ()

    def _is_hidden(self, record: Record) -> bool:
        if record["type"] not in self._types or "xyxy" not in record:
            return False
        return not self._classes or record.get("label") in self._classes or record["type"] in self._classes

    def _is_kept(self, state: State, record: Record, known: dict[int, str]) -> bool:
        """Return whether it is the track of somebody who is shown: text and faces have numbers of their own."""
        if not self._keep or record["type"] != "track":
            return False
        state.trackers.add(record["by"])
        return known.get(record["track_id"]) in self._keep

    def _refuse(self, why: str | None) -> None:
        if why is not None:
            raise NotWholeError(f"is not written, since not all of it may have been seen: {why} (--allow-partial "
                                "writes it all the same)")

    def _missing(self, state: State) -> str | None:
        """Return what shows, before anything is read, that records do not tell of all there is to hide."""
        for whole, part in WHOLE.items():
            places = {part, *PARENTS.get(part, ())} & self._types  # where it is may stand in what it was found among
            if state.came[whole] and part in self._types and not any(state.came[kind] for kind in places):
                return f"{whole} records came and none of {part}, which say where it is"
        if len(state.trackers) > 1:
            return (f"tracks of {' and '.join(sorted(state.trackers))} came, and nothing says whose of one number "
                    "--keep is to show")
        return lacking(state.source.ledgers, self._types, 1, 1, lambda gap: 0.0, self._hold)

    def _unseen(self, state: State, written: Written) -> str | None:
        """Return what shows that frames of the source were not looked at, or that it is another one now."""
        ledgers, sightings = state.source.ledgers, state.sightings
        prints = {ledger["fingerprint"] for ledger in ledgers if "fingerprint" in ledger}
        if written.fingerprint is not None and prints - {written.fingerprint}:
            return "the file has changed since it was looked at"
        if written.damage:
            return str(written.damage[0])
        if len(sightings) and max(sightings.frames) >= written.frames:
            return f"records reach frame {max(sightings.frames)}, and the source has {written.frames}"
        return lacking(ledgers, self._types, written.frames, sightings.step, written.apart, self._hold)

    def _check_free(self, path: Path, source: Source | None) -> None:
        """Raise UsageError where ``path`` may not be written."""
        if path.is_dir():
            raise UsageError(f"{path} is a folder: --out-dir writes into folders")
        if path.exists() and not path.is_file():
            raise UsageError(f"{path} is no file: what is written is read again, to look whether all is hidden")
        if path.is_file() and not self._overwrite:
            raise UsageError(f"{path} exists: --overwrite replaces it")
        if source is not None and path.exists() and os.path.exists(source.path) and os.path.samefile(source.path, path):
            raise UsageError(f"{path} is the source itself: write to another file")
