"""The stage behind ``vtk crop``: records and their media in, a folder of pictures out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from vtk.cropping.groups import BY, TYPES, Wanted, boxed, distinct, folder_of, group_of, label_of, track_of
from vtk.cropping.kept import Best, Spool
from vtk.cropping.manifest import Manifest
from vtk.cropping.names import FORMATS, crop_name
from vtk.cropping.views import FITS, Cut
from vtk.driver.stage import Frame, Record, Source, Stage
from vtk.errors import MediaError, RecordError, UsageError
from vtk.media.image import encode_image
from vtk.media.sampling import NATIVE, ON_DEMAND, Sampling
from vtk.reid.views import cut, plain_worths, sharpness

# Keys of records that stand in the manifest.
_TOLD = ("label", "class_id", "score", "track_id", "identity", "text", "verdict", "live_score", "common", "rank")
_MARGINS = 10.0  # a box has room of so many times its size at most
_SIDES = 8192  # pixels of a crop's side, at most


@dataclass(frozen=True, slots=True)
class Thinning:
    """How many crops there are of what is seen often.

    Attributes:
        per_track: the best so many of each track; None takes all.
        apart: seconds between two of a track.
        per_folder: at most so many in a folder, the first that come; None takes all.
    """

    per_track: int | None = None
    apart: float = 0.0
    per_folder: int | None = None


@dataclass(slots=True)
class State:
    """One open source: when crops of each track were taken, and the best of them where not all are."""

    source: str
    taken: dict[tuple[str, int], float] = field(default_factory=dict)
    best: dict[tuple[str, int], Best] = field(default_factory=dict)
    followed: bool = False  # whether tracks came


class CropStage(Stage):
    """Cuts boxes out of their frames and writes them as DIR/GROUP/SOURCE-000123-7.jpg, with a table of all.

    Args:
        out_dir: the folder.
        by: what makes folders: label, track, identity, source, type, none, or any key with names or numbers.
        wanted: the boxes.
        cut: what is shown of each.
        thinning: how many.
        format: jpg, png or webp.
        quality: 1 to 100, of jpg and webp.
        table: whether labels.csv is written beside the manifest.
        overwrite: whether crops of an earlier run of the same sources are replaced.

    Raises:
        UsageError: a number or a name is out of range.
    """

    name = "crop"
    sink = True
    opens_media = False
    reads = frozenset(TYPES)

    def __init__(self, out_dir: Path, by: str = "label", wanted: Wanted = Wanted(), cut: Cut = Cut(),
                 thinning: Thinning = Thinning(), format: str = "jpg", quality: int = 92, table: bool = False,
                 overwrite: bool = False, sampling: Sampling = Sampling(), tee: bool = False) -> None:
        _check(by, wanted, cut, thinning, format, quality)
        self._by, self._cut, self._thinning = by, cut, thinning
        self._wanted = wanted
        self._format, self._quality, self._sampling, self.tee = format, quality, sampling, tee
        self.late = frozenset({"identity"} if by == "identity" else ())
        self._names: dict[str, dict[int, int | str]] = {}
        self._manifest = Manifest(out_dir, overwrite, table)
        self._spool = Spool()
        self._folders: Counter[str] = Counter()
        self._boxes = self._grouped = 0  # that were wanted, and those of them that have a folder

    @property
    def why_across(self) -> str:
        """Why several processes could not do it."""
        return "its manifest is of all sources, and each process sees some of them"

    def options(self, mode: str = "media") -> Record:
        """Return the options that change the crops."""
        return {"by": self._by, "wanted": repr(replace(self._wanted, types=frozenset(), classes=frozenset())),
                "types": sorted(self._wanted.types), "classes": sorted(self._wanted.classes), "cut": asdict(self._cut),
                "thinning": asdict(self._thinning), "format": self._format, "quality": self._quality,
                "sampling": repr(self._sampling)}

    def prepare(self, mode: str = "media") -> None:
        """Check before any work."""
        self.check()

    def check(self) -> None:
        """Refuse a folder in which a run broke off, or that is none."""
        self._manifest.check()

    def expect(self, sources: Sequence[str]) -> None:
        """Refuse sources of which there are crops."""
        self._manifest.expect(sources)

    def told(self, records: Sequence[Record]) -> None:
        """Take note of who tracks are; where two records are of one track, the later one holds."""
        for record in records:
            self._names.setdefault(record["source"], {})[record["track_id"]] = record["identity"]

    def sampling(self, source: Source) -> Sampling:
        """Return the frames with records; a picture is made only of those that show something wanted."""
        wanted = self._sampling
        return replace(wanted, mode="records" if wanted.mode == "all" else wanted.mode, size=ON_DEMAND)

    def start(self, source: Source) -> State:
        """Return the state of a source.

        Raises:
            VtkError: there are crops of it, and they may not be replaced.
        """
        self._manifest.begin(source.name)
        return State(source.name)

    def picks(self, state: State, frame: Frame) -> bool:
        """Return whether a frame has a box that may be cropped."""
        return any(self._wanted.takes(record) and self._group(record) is not None for record in frame.records)

    def frames(self, state: State, batch: Sequence[Frame]) -> list[list[Record]]:
        """Cut out what is wanted of each frame."""
        for frame in batch:
            self._look(state, frame)
        self._manifest.flush()
        return [[] for _ in batch]

    def end(self, state: State, ok: bool = True) -> list[Record]:
        """Write the best crops of the source's tracks: of one that broke off, of what there was."""
        kept = [(one, best) for best in state.best.values() for one in best.chosen()]
        for one, _ in sorted(kept, key=lambda pair: pair[0].row["file"]):
            self._write(one.row, self._spool.get(one.start, one.length))
        for best in state.best.values():
            best.drop()
        state.best = {}
        if ok:
            self._manifest.done(state.source)
        return []

    def overhear(self, records: Sequence[Record]) -> None:
        """Take note of sources that failed further up: that nothing came of them says nothing."""
        for record in records:
            if record["type"] == "end" and record.get("status") == "failed":
                self._manifest.failed(record["source"])

    def finish(self) -> list[Record]:
        """Complete the manifest.

        Raises:
            RecordError: boxes came, and none of a group.
            VtkError: the manifest cannot be written.
        """
        self._spool.close()
        self._manifest.finish()
        if self._boxes and not self._grouped:
            raise RecordError(f"none of {self._boxes} boxes has {self._lacking()}", code="E_NO_GROUP")
        return []

    def _look(self, state: State, frame: Frame) -> None:
        """Take the crops of one frame."""
        chosen = [(place, boxed(record, frame.source.info)) for place, record in enumerate(frame.records)
                  if self._wanted.takes(record)]
        state.followed |= any(record["type"] == "track" for _, record in chosen)
        image: np.ndarray | None = None
        worths: dict[int, float] | None = None
        for index in distinct([record for _, record in chosen], state.followed):
            place, record = chosen[index]
            group, track = self._group(record), track_of(record)
            self._boxes += 1
            self._grouped += group is not None
            if group is None or not self._due(state, track, frame.t):
                continue
            image = frame.sized(NATIVE) if image is None else image
            if not self._wanted.fits(record["xyxy"], image.shape[1], image.shape[0]):
                continue
            row = self._row(record, frame, place, group)
            if track is not None:
                state.taken[track] = frame.t
            if self._thinning.per_track is not None and track is not None:
                worths = _worths(frame.records, image) if worths is None else worths
                self._hold(state, track, worths.get(place, record.get("score", 1.0)), image, row)
            elif (found := self._cut.of(image, record["xyxy"])) is not None:
                self._write(_complete(row, *found), self._encoded(found[0]))

    def _group(self, record: Record) -> int | str | None:
        """Return what a box is grouped by; None where it has none, and where it should have a track and has none."""
        if (self._thinning.per_track or self._thinning.apart) and "track_id" not in record:
            return None
        return group_of(record, self._by, self._names)

    def _due(self, state: State, track: tuple[str, int] | None, t: float) -> bool:
        """Return whether the track's last crop is long enough ago."""
        last = state.taken.get(track) if track is not None and self._thinning.apart else None
        return last is None or t - last >= self._thinning.apart - 1e-6

    def _hold(self, state: State, track: tuple[str, int], plain: float, image: np.ndarray, row: dict[str, Any]) -> None:
        """Keep a crop of a track if it is one of its best."""
        best = state.best.get(track)
        if best is None:
            best = state.best[track] = Best(self._thinning.per_track or 1, self._spool)
        if best.place(plain, row["t"]) is None:  # sharpness only takes away
            return
        found = self._cut.of(image, row["xyxy"])
        if found is None:
            return
        worth = plain * sharpness(cut(image, row["xyxy"])) if plain > 0 else 0.0
        moment = best.place(worth, row["t"])
        if moment is not None:
            best.put(moment, worth, _complete(row, *found), self._encoded(found[0]))

    def _row(self, record: Record, frame: Frame, place: int, group: int | str) -> dict[str, Any]:
        """Return the row of a crop in the manifest, but for what is known once it is cut."""
        folder = folder_of(record, self._by, group)
        name = crop_name(record["source"], frame.index, place, self._format)
        row: dict[str, Any] = {"file": f"{folder}/{name}" if folder else name}
        if group != "":
            row["group"] = str(group)
        row |= {"source": record["source"], "frame": frame.index, "t": round(frame.t, 6), "type": record["type"],
                "xyxy": record["xyxy"], "label": label_of(record)}
        row |= {key: record[key] for key in _TOLD if key in record}
        if self._by == "identity":
            row["identity"] = group
        return row

    def _encoded(self, crop: np.ndarray) -> bytes:
        try:
            return encode_image(crop, f".{self._format}", self._quality)
        except cv2.error as error:  # webp has no more than 16,383 pixels a side
            height, width = crop.shape[:2]
            raise MediaError(f"a crop of {width} × {height} pixels cannot be a {self._format}: "
                             f"{' '.join(str(error).split())}; --size makes it smaller", code="E_ENCODE") from None

    def _write(self, row: dict[str, Any], data: bytes) -> None:
        """Write a crop, unless its folder is full."""
        folder = row["file"].rpartition("/")[0]
        if self._thinning.per_folder is not None and self._folders[folder] >= self._thinning.per_folder:
            return
        self._manifest.write(row, data)
        if self._thinning.per_folder is not None:
            self._folders[folder] += 1

    def _lacking(self) -> str:
        """Return what the boxes do not have, and what to do."""
        if self._by == "identity":
            return "an identity: vtk reid gives them, and its run records announce them"
        if self._by in BY:
            return "a track_id: vtk track follows them"
        return f"a '{self._by}' that is a name or a number" + (
            " and a track_id" if self._thinning.per_track or self._thinning.apart else "")


def _complete(row: dict[str, Any], crop: np.ndarray, window: list[int]) -> dict[str, Any]:
    """Return a row with what is known once its crop is cut."""
    return row | {"window": window, "width": crop.shape[1], "height": crop.shape[0]}


def _worths(records: Sequence[Record], image: np.ndarray) -> dict[int, float]:
    """Return how well each box of a frame shows what is in it, by its place; those of one type may cover each other."""
    worths: dict[int, float] = {}
    for kind in {record["type"] for record in records}:
        places = [place for place, record in enumerate(records) if record["type"] == kind and "xyxy" in record]
        boxes = np.array([records[place]["xyxy"] for place in places], np.float64).reshape(-1, 4)
        scores = np.array([records[place].get("score", 1.0) for place in places], np.float64)
        worths |= zip(places, plain_worths(boxes, scores, image.shape[1], image.shape[0]).tolist(), strict=True)
    return worths


def _check(by: str, wanted: Wanted, cut: Cut, thinning: Thinning, format: str, quality: int) -> None:
    """Raise UsageError where a number or a name is out of range."""
    if not by.isidentifier():
        raise UsageError(f"--by '{by}': one of {', '.join(BY)}, or a key of records, is needed")
    if unknown := sorted(wanted.types - set(TYPES)):
        raise UsageError(f"--types: '{unknown[0]}' records have no boxes to crop; there are {', '.join(TYPES)}")
    if format not in FORMATS:
        raise UsageError(f"--format is '{format}': it is one of {', '.join(FORMATS)}")
    if cut.fit not in FITS:
        raise UsageError(f"--fit is '{cut.fit}': it is one of {', '.join(FITS)}")
    for option, value, least, most in (
            ("--margin", cut.margin, 0, _MARGINS), ("--quality", quality, 1, 100), ("--size", 1 if cut.side is None else cut.side, 1, _SIDES),
            ("--min-score", wanted.min_score, 0, 1), ("--min-size", wanted.min_size, 0, float("1e6")),
            ("--apart", thinning.apart, 0, float("1e9"))):
        if not least <= value <= most:
            raise UsageError(f"{option} is {value:g}: a number from {least} to {most:g} is needed")
