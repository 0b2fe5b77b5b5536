"""The stage behind ``vtk sheet``: records and their media in, a contact sheet out."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from vtk.driver.stage import Frame, Record, Source, Stage
from vtk.errors import RecordError, UsageError, VtkError
from vtk.media.image import write_image
from vtk.media.sampling import NATIVE, ON_DEMAND, Sampling
from vtk.reid.views import cut, plain_worths, sharpness
from vtk.report.best_crops import Crop, Group, Pixels
from vtk.report.contact import Row, pages
from vtk.report.painters import VERDICTS, unanswered
from vtk.report.palette import colour_of, colour_of_identity
from vtk.report.strips import KINDS as SPANS
from vtk.report.strips import Strip, clock

KINDS = (".png", ".jpg", ".jpeg", ".webp")
AUTO = "auto"
# (what it is by, its source where names count within one, its value)
Key = tuple[str, str, int | str]


class SheetStage(Stage):
    """Collects the best crops of each group of boxes and writes them as pages of pictures.

    What is told of a whole picture, its species, has the whole picture for a box. Where no box of anything comes, but
    scenes, shots or the species of whole films do, it is a picture of each of these.

    Args:
        output: the first page; further ones are called NAME-2, NAME-3.
        by: the key that groups: identity, track_id, label or any other with names or numbers; ``auto`` takes
            identities where they are told, else tracks, else labels, and verdicts of faces.
        crops: of a group, at most.
        height: of a crop, pixels.
        rows: groups on a page.
        overwrite: whether pages that exist are replaced.
        font: a font file for letters that the built-in fonts lack.

    Raises:
        UsageError: a number or a name is out of range.
    """

    name = "sheet"
    sink = True
    opens_media = False
    # Copies to say that they have no boxes, tracks of faces for the verdict on them.
    reads = frozenset({"detection", "track", "text", "face", "face_track", "species", "copy", *SPANS})

    def __init__(self, output: Path, by: str = AUTO, crops: int = 8, height: int = 128, rows: int = 40,
                 overwrite: bool = False, font: Path | None = None, sampling: Sampling = Sampling(),
                 tee: bool = False) -> None:
        if output.suffix.lower() not in KINDS:
            raise UsageError(f"-o {output}: a name that ends in {', '.join(KINDS)} is needed")
        if not 32 <= height <= 1024:
            raise UsageError(f"--size {height}: a number from 32 to 1024 is needed")
        self._output, self._by, self._most, self._height, self._rows = output, by, crops, height, rows
        self._overwrite, self._font, self._sampling, self.tee = overwrite, str(font or ""), sampling, tee
        self.late = frozenset({"identity", "copy"} if by in (AUTO, "identity") else {"copy"})
        self._names: dict[str, dict[int, int | str]] = {}
        self._groups: dict[Key, Group] = {}
        self._order: dict[str, int] = {}
        self._pixels: Pixels | None = None
        self._boxes, self._copied = 0, False
        self._strips: dict[str, Strip] = {}
        self._sources: dict[str, Source] = {}
        self._own: dict[str, tuple[int, list[VtkError]]] = {}
        self._judged: dict[tuple[str, int | str], Record] = {}

    def options(self, mode: str = "media") -> Record:
        """Return the options that change the sheet."""
        return {"by": self._by, "crops": self._most, "height": self._height, "rows": self._rows}

    def prepare(self, mode: str = "media") -> None:
        """Check before any work."""
        self.check()

    def check(self) -> None:
        """Refuse an output that exists or has no folder, and a font that is none."""
        from vtk.report.fonts import faces

        try:
            faces(self._font)
        except OSError as error:
            raise UsageError(f"--font {self._font}: {error}; a TrueType or OpenType file is needed") from None
        self._check_free(self._output)
        if not self._output.parent.is_dir():
            raise UsageError(f"-o {self._output}: there is no folder {self._output.parent}")

    def told(self, records: Sequence[Record]) -> None:
        """Take note of who tracks are; where two records are of one track, the later one holds."""
        self._copied |= any(record["type"] == "copy" for record in records)
        for record in (record for record in records if record["type"] == "identity"):
            self._names.setdefault(record["source"], {})[record["track_id"]] = record["identity"]

    def sampling(self, source: Source) -> Sampling:
        """Return the frames with records; a picture is made only of those that may be shown."""
        from dataclasses import replace

        wanted = self._sampling
        return replace(wanted, mode="records" if wanted.mode == "all" else wanted.mode, size=ON_DEMAND)

    def start(self, source: Source) -> str:
        """Return the name of the source, and remember its place."""
        self._order.setdefault(source.name, len(self._order))
        self._sources[source.name] = source
        return source.name

    def unframed(self, state: str, records: Sequence[Record]) -> list[Record]:
        """Take note of scenes, shots, species of films, and copies, and of the verdicts on tracks of faces."""
        self._judged |= {(record["source"], record["track_id"]): record for record in records
                         if record["type"] == "face_track"}
        self._copied |= any(record["type"] == "copy" for record in records)
        spans = [record for record in records if record["type"] in SPANS or _is_of_a_film(record)]
        if spans:
            self._strips.setdefault(state, Strip()).take(spans)
        return []

    def end(self, state: str, ok: bool = True) -> list[Record]:
        """Look at scenes and shots, where there is nothing else to show."""
        source, strip = self._sources.pop(state), self._strips.get(state)
        if strip is not None and not self._boxes and ok:
            self._own[state] = strip.look(source, self._kept())
        return []

    def own_reading(self, state: str) -> tuple[int, Sequence[VtkError]]:
        """Return how many frames of scenes and shots were read, and what was lost of them."""
        return self._own.pop(state, (0, ()))

    def frames(self, state: str, batch: Sequence[Frame]) -> list[list[Record]]:
        """Keep what shows a group better than what there is."""
        for frame in batch:
            boxed = [self._whole(frame, record) for record in frame.records
                     if "xyxy" in record or record["type"] == "species"]
            self._boxes += len(boxed)
            for kind in dict.fromkeys(record["type"] for record in boxed):
                self._look(frame, [record for record in boxed if record["type"] == kind])
        return [[] for _ in batch]

    def finish(self) -> list[Record]:
        """Write the pages.

        Raises:
            RecordError: there were boxes, and none of a group; or people, copies or tracks of faces,
                and no boxes.
            MediaError, UsageError: a page cannot be written, or is there.
        """
        try:
            groups = self._shown()
            if self._boxes and not groups:
                raise RecordError(f"none of {self._boxes} boxes has {self._lacking()}", code="E_NO_GROUP")
            if self._copied and not self._boxes:
                raise RecordError("copy records came and no box of anything, of which a sheet is made: vtk draw shows "
                                  "copies beside their references", code="E_NO_GROUP")
            if self._judged and not self._boxes:
                raise RecordError(f"{_counted(len(self._judged), 'track')} of faces came and not one face: vtk "
                                  "face-antispoof --frames writes each", code="E_NO_GROUP")
            if self._names and not self._boxes:
                raise RecordError(f"it was told who {sum(map(len, self._names.values()))} tracks are, and no box of any "
                                  "came: track records have to pass (without --only), and their media to open",
                                  code="E_NO_GROUP")
            rows = [self._row(key, groups[key]) for key in sorted(groups, key=self._place)]
            if not self._boxes:
                rows = [row for name in sorted(self._strips, key=self._order.__getitem__)
                        for row in self._strips[name].rows(name, self._most, self._kept())]
            for number, page in enumerate(pages(rows, self._height, self._rows, self._font), 1):
                path = self._output if number == 1 else self._output.with_stem(f"{self._output.stem}-{number}")
                self._check_free(path)
                write_image(path, page)
        finally:
            if self._pixels is not None:
                self._pixels.close()
        return []

    def _whole(self, frame: Frame, record: Record) -> Record:
        """Return a record with a box: that of the whole frame where it has none."""
        if "xyxy" in record:
            return record
        height, width = self._sides(frame)
        return record | {"xyxy": [0.0, 0.0, float(width), float(height)]}

    def _sides(self, frame: Frame) -> tuple[int, int]:
        """Return (height, width) of a frame."""
        info = frame.source.info
        return (info.height, info.width) if info is not None else frame.sized(NATIVE).shape[:2]

    def _look(self, frame: Frame, records: Sequence[Record]) -> None:
        """Take crops of one kind of record of a frame, where they are wanted."""
        keyed = [(row, key) for row, record in enumerate(records) if (key := self._key(record)) is not None]
        if not keyed:
            return
        image: np.ndarray | None = None
        worths = self._worths(frame, records)
        for row, key in keyed:
            record = records[row]
            group = self._groups.setdefault(key, Group())
            of = record["source"], record.get("track_id")
            group.boxes += 1
            group.tracks.add(of)
            # Sharpness only takes away: what is not wanted without it needs no picture.
            if worths[row] <= 0 or group.place(float(worths[row]), of, frame.t, self._most) is None:
                continue
            image = frame.sized(NATIVE) if image is None else image
            crop = cut(image, record["xyxy"])
            self._keep(group, float(worths[row]) * sharpness(crop), of, frame.t, crop)

    def _worths(self, frame: Frame, records: Sequence[Record]) -> np.ndarray:
        """Return (N,) how well records of one kind of a frame show what is in them, by their boxes."""
        height, width = self._sides(frame)
        boxes = np.array([record["xyxy"] for record in records], np.float64)
        scores = np.array([record.get("score", 1.0) for record in records], np.float64)
        return plain_worths(boxes, scores, width, height)

    def _keep(self, group: Group, worth: float, of: tuple[str, int | None], t: float, pixels: np.ndarray) -> None:
        place = group.place(worth, of, t, self._most)
        if place is None:
            return
        kept = self._kept()
        slot = group.crops[place].slot if place < len(group.crops) else kept.slot()
        crop = Crop(worth, *of, t, slot, kept.write(slot, pixels))
        group.crops[place : place + 1] = [crop]

    def _kept(self) -> Pixels:
        """Return what keeps crops on disk."""
        if self._pixels is None:
            self._pixels = Pixels(self._height)
        return self._pixels

    def _key(self, record: Record) -> Key | None:
        """Return the group of a record; None where it has none."""
        source, track = record["source"], record.get("track_id")
        if self._by == "identity" or (self._by == AUTO and self._names):
            who = record.get("identity", self._names.get(source, {}).get(track)) if record["type"] == "track" else None
            return ("identity", "", who) if isinstance(who, (int, str)) else None
        alone = "verdict" if record["type"] == "face" else "label"
        by = self._by if self._by != AUTO else alone if track is None else "track_id"
        value = record.get(by)
        if value is None and self._by == AUTO and record["type"] == "species":
            value = unanswered(record) or None
        if isinstance(value, bool) or not isinstance(value, (int, str)):
            return None
        return by, source if by == "track_id" else "", value

    def _shown(self) -> dict[Key, Group]:
        """Return the groups with something to show, beside tracks and verdicts without what they were made of."""
        some = {key: group for key, group in self._groups.items() if group.crops}
        if self._by != AUTO:
            return some
        kinds = {key[0] for key in some}
        followed = {key[1] for key in some if key[0] == "track_id"}  # sources; faces are seen before they are followed

        def shown(key: Key, group: Group) -> bool:
            if key[0] == "label":
                return not followed and not ("verdict" in kinds and key[2] == "face")
            return key[0] != "verdict" or any(source not in followed for source, _ in group.tracks)

        return {key: group for key, group in some.items() if shown(key, group)}

    def _lacking(self) -> str:
        """Return what the boxes do not have, and what to do."""
        if self._groups:
            return "pixels inside its frame: are these the records of these media?"
        if self._by == "identity":
            return "an identity: vtk reid gives them, and its run records announce them"
        return f"'{self._by}'" if self._by != AUTO else "a track_id or a label"

    def _place(self, key: Key) -> tuple[Any, ...]:
        """Return what groups are sorted by: sources as they came, numbers by size, names as people count them."""
        parts = re.split(r"(\d+)", key[2]) if isinstance(key[2], str) else ["", str(key[2]), ""]
        return self._order.get(key[1], -1), [(int(part), "") if place % 2 else (0, part)
                                             for place, part in enumerate(parts)]

    def _row(self, key: Key, group: Group) -> Row:
        """Return what the sheet shows of a group, crops in order of source and time."""
        by, source, value = key
        several = len(self._order) > 1
        title = f"#{value}" if by in ("identity", "track_id") and isinstance(value, int) else str(value)
        notes = [os.path.basename(source)] if source and several else []
        judged = self._judged.get((source, value)) if by == "track_id" else None
        if judged is not None:
            notes += [f"{judged['verdict']} {judged['live_score']:.2f}", *judged.get("reasons", [])]
        if by not in ("track_id", "label", "verdict"):
            notes.append(_counted(len(group.tracks), "track"))
        if several and not source:
            notes.append(_counted(group.sources, "source"))
        notes.append(_counted(group.boxes, "box", "boxes"))
        crops = sorted(group.crops, key=lambda crop: (self._order[crop.source], crop.t))
        captions = [[clock(crop.t), *([os.path.basename(crop.source)] if several and not source else [])]
                    for crop in crops]
        verdict = judged["verdict"] if judged is not None else str(value) if by == "verdict" else ""
        colour = VERDICTS.get(verdict) or (colour_of_identity(value) if by == "identity" else colour_of(value))
        pictures = [self._pixels.read(crop) for crop in crops]  # type: ignore[union-attr]
        return Row(title, notes, colour, pictures, captions)

    def _check_free(self, path: Path) -> None:
        if path.exists() and not self._overwrite:
            raise UsageError(f"{path} exists: --overwrite replaces it")


def _is_of_a_film(record: Record) -> bool:
    """Return whether a record says what species a whole film shows, rather than a picture, a box or a track."""
    return record["type"] == "species" and "start" in record and not {"frame", "track_id"} & record.keys()


def _counted(count: int, one: str, several: str = "") -> str:
    return f"{count} {one if count == 1 else several or one + 's'}"
