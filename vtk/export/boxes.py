"""The boxes of a run for exporters that write one data set of all sources: gathered source by source, sizes known."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple, Protocol

from vtk.driver.inputs import output_path
from vtk.driver.link import error_record
from vtk.driver.stage import Frame, Opening, Record, Source, Stage
from vtk.errors import MediaError, RecordError, UsageError
from vtk.media.names import is_image, is_stream

KINDS = ("track", "detection", "face", "text")  # where a source has several, the first is written
SPANS = ("scene", "shot")


class Box(NamedTuple):
    """A box in a frame, pixels of the displayed frame.

    Attributes:
        track: number of its track; -1 of none.
        class_id: index of its class; -1 where none is stated.
        poly: corners of a text, [[x, y], …]; None of all else.
    """

    frame: int
    t: float
    pts: int | None
    step: int
    x1: float
    y1: float
    x2: float
    y2: float
    score: float
    label: str
    class_id: int
    track: int
    poly: list[list[float]] | None


@dataclass(slots=True)
class Boxes:
    """What is written of one source.

    Attributes:
        name: as in the records.
        path: what opens it.
        kind: video, image, sequence or stream.
        width, height: pixels of the displayed frame; 0 where the format can do without.
        fps, duration, frames: of a video, where they are known.
        boxes: in order of frames.
        spans: scenes or shots.
        maker: who made the boxes, else the spans.
    """

    name: str
    path: str
    kind: str
    width: int
    height: int
    fps: float | None
    duration: float | None
    frames: int | None
    boxes: list[Box]
    spans: list[Record]
    maker: str

    @property
    def image(self) -> bool:
        """Whether it is a single picture."""
        return self.kind == "image"

    @property
    def opened_by(self) -> str:
        """What other tools open it by: a file's whole path where it is there, else its name as typed."""
        return self.name if is_stream(self.name) or not os.path.exists(self.path) else os.path.abspath(self.path)


class Format(Protocol):
    """A format: takes sources as they close, and writes when all are there."""

    def check(self) -> None: ...
    def begin(self, source: str) -> None: ...
    def add(self, boxes: Boxes) -> list[str]: ...
    def close(self) -> None: ...


@dataclass(slots=True)
class State:
    """One open source: its boxes by type and maker, its spans, and what is known of it."""

    source: Source
    media: Record | None = None
    boxes: dict[str, dict[str, list[Box]]] = field(default_factory=dict)
    spans: dict[str, dict[str, list[Record]]] = field(default_factory=dict)


class BoxStage(Stage):
    """Gathers the boxes of each source and gives them to a format, which writes the data set after the last.

    Args:
        form: makes the format.
        kind: write records of this type alone; empty: the first of ``KINDS`` that a source has.
        maker: write the records of this maker (``by``) alone; empty: of the only one that there is.
        size: (width, height) of sources of which nothing says it; None: such a source is an error.
        root: the folder that relative sources are resolved in.
        spans: whether the format holds scenes and shots.
        tee: whether records go on to stdout.

    Raises:
        UsageError: an unknown type.
    """

    name = "export"
    sink = True
    opens_media = False
    batch = 64

    def __init__(self, form: Callable[[], Format], kind: str = "", maker: str = "", size: tuple[int, int] | None = None,
                 root: Path | None = None, spans: bool = False, tee: bool = False) -> None:
        if kind and kind not in KINDS:
            raise UsageError(f"--type is '{kind}': it is one of {', '.join(KINDS)}")
        self.reads = frozenset({*((kind,) if kind else KINDS), "media", *(SPANS if spans else ())})
        self._form, self._maker, self._size = form(), maker, size
        self._root = str(root) if root is not None else None
        self._written = 0
        self.tee = tee

    def options(self, mode: str = "media") -> Record:
        """Return the options that change the data set."""
        return {"form": type(self._form).__name__, "by": self._maker, "types": sorted(self.reads)}

    def prepare(self, mode: str = "media") -> None:
        """Refuse an output that exists or cannot be, before any work is done."""
        self.check()

    def check(self) -> None:
        """Refuse an output that exists or cannot be."""
        self._form.check()

    def start(self, source: Source) -> State:
        """Open a source. Raises UsageError where the format cannot take another."""
        self._form.begin(source.name)
        return State(source, source.media)

    def unframed(self, state: State, records: Sequence[Record]) -> list[Record]:
        """Take media, scenes and shots."""
        self._take(state, records)
        return []

    def frames(self, state: State, batch: Sequence[Frame]) -> list[list[Record]]:
        """Take the boxes of frames."""
        for frame in batch:
            self._take(state, frame.records)
        return [[] for _ in batch]

    def end(self, state: State, ok: bool = True) -> list[Record]:
        """Give the source to the format, where nothing went wrong here."""
        if ok:
            left_out = self._form.add(self._gathered(state))
            self._written += 1
            return [error_record(self.by, self.name, RecordError(message, code="E_LEFT_OUT"), state.source.name)
                    for message in left_out]
        return []

    def finish(self) -> list[Record]:
        """Write the data set; nothing where no source came through."""
        if self._written:
            self._form.close()
        return []

    def _take(self, state: State, records: Sequence[Record]) -> None:
        for record in records:
            kind, maker = record["type"], record["by"]
            if kind == "media":
                state.media = state.media or record
            elif self._maker in ("", maker):
                if kind in SPANS:
                    state.spans.setdefault(kind, {}).setdefault(maker, []).append(record)
                else:
                    state.boxes.setdefault(kind, {}).setdefault(maker, []).append(box_of(record))

    def _gathered(self, state: State) -> Boxes:
        boxes, maker = _one(state.boxes, KINDS)
        spans, other = _one(state.spans, SPANS)
        name = state.source.name
        known = self._known(state)
        path = state.source.path if self._root is None else Source(name, opening=Opening(root=self._root)).path
        return Boxes(name, path, known.get("kind", "image" if is_image(name) else "video"), known.get("width", 0),
                     known.get("height", 0), known.get("fps"), known.get("duration"), known.get("frames"), boxes,
                     spans, maker or other)

    def _known(self, state: State) -> dict[str, Any]:
        """Return what is known of the media: by its record, by who opened it, by --size, or by opening it.

        Raises:
            RecordError: E_SIZE, nothing says how large its frames are.
        """
        info = state.source.info
        if state.media is not None:
            return state.media
        if info is None and self._size is not None:
            return {"width": self._size[0], "height": self._size[1]}
        if info is None:
            from vtk.media.video import open_media

            try:
                reader = open_media(state.source.name, root=self._root or state.source.root)
            except (MediaError, UsageError) as error:
                raise RecordError(f"how large the frames of {state.source.name} are is not known: there is no media "
                                  f"record, and it cannot be opened ({error}); give --root, the folder that it is in, "
                                  "or --size WxH", code="E_SIZE") from None
            info = reader.info
            reader.close()
        return {key: getattr(info, key) for key in ("kind", "width", "height", "fps", "duration", "frames")}


def box_of(record: Record) -> Box:
    """Return the box of a record."""
    get = record.get
    x1, y1, x2, y2 = record["xyxy"]
    kind = record["type"]
    label = get("verdict") if kind == "face" else kind if kind == "text" else get("label", "object")
    score = record["live_score"] if kind == "face" else record["score"]
    return Box(record["frame"], get("t", 0.0), get("pts"), get("step", 1), x1, y1, x2, y2, score, label,
               int(get("class_id", -1)), int(get("track_id", -1)), get("poly"))


def read_size(text: str) -> tuple[int, int] | None:
    """Return the width and height of a text such as 1920x1080; None of an empty one. Raises UsageError: it is none."""
    if not text:
        return None
    match = re.fullmatch(r"(\d{1,6})[x×](\d{1,6})", text)
    if match is None or "0" in (match[1].lstrip("0") or "0", match[2].lstrip("0") or "0"):
        raise UsageError(f"--size is '{text}': width and height in pixels are needed, such as 1920x1080")
    return int(match[1]), int(match[2])


def frame_file(source: str, frame: int) -> str:
    """Return what a frame of a video is called as a picture: the name that vtk frames gives it below its folder."""
    return f"{output_path(source)}/{frame:06d}.jpg"


def _one(by_kind: dict[str, dict[str, list[Any]]], kinds: Sequence[str]) -> tuple[list[Any], str]:
    """Return the records of the first type that there is, and their maker. Raises RecordError: they are of several."""
    kind = next((kind for kind in kinds if kind in by_kind), "")
    makers = by_kind.get(kind, {})
    if len(makers) > 1:
        raise RecordError(f"{kind} records of {len(makers)} makers ({', '.join(sorted(makers))}): --by says whose to "
                          "write")
    return next(((records, maker) for maker, records in makers.items()), ([], ""))
