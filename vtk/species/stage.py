"""The stage behind ``vtk classify-species``: media, boxes or tracks in; species out."""

from __future__ import annotations

import pickle
from collections.abc import Iterable, Sequence
from copy import copy
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from vtk.driver.link import error_record
from vtk.driver.stage import Frame, Source, Stage
from vtk.errors import RecordError, UsageError, VtkError
from vtk.media.sampling import NATIVE, ON_DEMAND, Sampling, Size
from vtk.models.weights import sha256_of
from vtk.records import Record, make
from vtk.sharing import shared_out
from vtk.species.asking import Asked, load_knowledge, load_panel
from vtk.species.boxes import Boxes, cut, group_of
from vtk.species.knowing import Given, Knowledge
from vtk.species.routing import ANIMALS, MIN_GROUP, Looks, Panel
from vtk.species.telling import Teller
from vtk.species.whereabouts import Finder, Whereabouts

# Looks a second at a film of which no records say where its animals are, and seconds between looks at a track.
RATE, INTERVAL = 1.0, 0.5
TOPK = 5
# Frames a call where the networks do not set it.
BATCH = 8
# Short side, pixels, from which on a picture is scaled before anyone looks at it: networks take 224 to 448, and views
# of a quarter of it twice that.
LARGE = 1024


@dataclass(frozen=True, slots=True)
class Telling:
    """How answers are made.

    Attributes:
        least: probability of a group of living things from which on its model answers, in [0, 1].
        topk: how many species are named.
        classes: labels of boxes that are looked at.
        interval: seconds between two looks at a track.
        frames: whether looks are told one by one, too, not only what they come to.
    """

    least: float = MIN_GROUP
    topk: int = TOPK
    classes: frozenset[str] = ANIMALS
    interval: float = INTERVAL
    frames: bool = False

    def check(self) -> None:
        """Raise UsageError where a number is out of range, or there is no class."""
        if not 0 <= self.least <= 1:
            raise UsageError(f"--min-group {self.least:g}: expected a probability from 0 to 1")
        if self.topk < 1:
            raise UsageError(f"--topk {self.topk}: expected a number of species from 1")
        if not 0 <= self.interval < float("inf"):
            raise UsageError(f"--interval {self.interval:g}: expected seconds, 0 or more")
        if not self.classes:
            raise UsageError("--classes: give one or several labels of boxes, such as bird,animal")


@dataclass(slots=True)
class State:
    """One open source.

    Attributes:
        still: whether it is a picture.
        where: where and when it was filmed, and ``notes`` on that.
        whole: looks at whole frames, and the span of those.
        boxes: its boxes.
        size: what frames are looked at in.
    """

    source: Source
    still: bool
    where: Whereabouts
    notes: tuple[str, ...]
    boxes: Boxes
    size: Size
    whole: Looks = field(default_factory=Looks)
    first: Frame | None = None
    last: Frame | None = None


class SpeciesStage(Stage):
    """Say which species pictures, boxes, tracks and films show.

    Args:
        asked: which models are asked, and how.
        given: what is known beside the pictures.
        telling: how answers are made.
        finder: where and when sources were filmed.
        sampling: frames of films that are looked at; all of them means one a second.

    Raises:
        UsageError: a name, a number or a file is not one that it takes.
    """

    name = "classify-species"
    reads = frozenset({"detection", "track", "tracklet"})
    writes = frozenset({"species"})
    deferral = "without --group each picture is answered on its own"

    def __init__(self, asked: Asked = Asked(), given: Given = Given(), telling: Telling = Telling(),
                 finder: Finder | None = None, sampling: Sampling = Sampling()) -> None:
        asked.check()
        given.check()
        telling.check()
        self._asked, self._given, self._telling, self._wanted = asked, given, telling, sampling
        self._finder = finder or Finder()
        self.writes = frozenset({"species", "observation"} if self._finder.group else {"species"})
        self._loaded: tuple[Panel, tuple[Knowledge, ...]] | VtkError | None = None
        self._observed: dict[str, tuple[Looks, Whereabouts, list[str]]] = {}
        self._left: list[tuple[Looks, Whereabouts, str]] | None = None  # of a mapper: looks at the source so far

    def __getstate__(self) -> dict[str, Any]:
        """Leave the networks and what was observed behind: another process loads its own."""
        return {**self.__dict__, "_loaded": None, "_observed": {}}

    @property
    def by(self) -> str:
        """The maker that its records name."""
        return f"{self.name}/{self._asked.name}"

    @property
    def batch(self) -> int:  # type: ignore[override]
        """How many frames one call takes."""
        return max(BATCH, self._asked.runtime.batch or 0)

    @property
    def across(self) -> bool:
        """Whether observations are told at the run's end."""
        return bool(self._finder.group) and self._left is None

    @property
    def late_writes(self) -> frozenset[str]:  # type: ignore[override]
        """The types that only the run's end gives."""
        return frozenset({"observation"}) if self._finder.group else frozenset()

    def options(self, mode: str = "media") -> Record:
        """Return the options that change results, with the hashes of networks and tables."""
        how, given, runtime = self._telling, self._given, self._asked.runtime
        options: dict[str, Any] = {
            "views": ",".join(self._asked.views), "covers": ",".join(sorted(self._asked.covers)) or None,
            "min_group": how.least, "topk": how.topk, "frames": how.frames or None, "where": self._finder.hash,
            "gamma": given.gamma, "floor": given.floor, "filter": given.hard or None, "tau": given.tau,
            "sure": given.sure, "precision": runtime.precision, "batch": runtime.batch}
        for name, path in (("train", given.train), ("taxonomy", given.taxonomy), ("costs", given.costs),
                           ("sets", given.sets), ("prior", given.prior)):
            options[name] = _digest(path) if path is not None else None
        try:
            panel, _ = self._panel()
            options["sha256"] = [panel.router.sha256, *(expert.classifier.sha256 for expert in panel.experts)]
        except VtkError:  # said of each source where it is started
            pass
        if mode == "media":
            options["sampling"] = str(self._wanted)
        else:
            options |= {"classes": sorted(how.classes), "interval": how.interval}
        return {key: value for key, value in options.items() if value is not None}

    def prepare(self, mode: str = "media") -> None:
        """Load the networks and tables: what is missing or wrong is said before the work begins.

        Raises:
            UsageError: a table is not what it should be.
            WeightsError: weights cannot be had.
        """
        self.check()
        self._panel()

    def check(self) -> None:
        """Refuse files that are not there.

        Raises:
            UsageError: one is not.
        """
        given, asked = self._given, self._asked
        for option, path in (("--prior", given.prior), ("--train-counts", given.train), ("--taxonomy", given.taxonomy),
                             ("--cost", given.costs), ("--calibration", given.sets), ("--head", asked.head),
                             ("--weights", asked.weights), ("--labels", asked.labels)):
            if path is not None and not path.is_file():
                raise UsageError(f"{option} {path}: there is no such file")

    def sampling(self, source: Source) -> Sampling:
        """Return one frame a second or those that the user wants; of records the frames that have some."""
        if source.mode == "media":
            wanted = replace(self._wanted, mode="fps", fps=RATE) if self._wanted.mode == "all" else self._wanted
            return wanted.sized(ON_DEMAND)
        if self._wanted != Sampling():
            raise UsageError("--every, --fps, --start, --end and --limit choose frames of media, and records of boxes "
                             "came in: give them to the command that made these")
        return Sampling(mode="records").sized(ON_DEMAND)

    def start(self, source: Source) -> State:
        """Return the state of a newly opened source.

        Raises:
            VtkError: the weights cannot be had.
        """
        self._panel()
        info = source.info
        where, problems = self._finder.of(source)
        large = info is not None and min(info.width, info.height) > LARGE
        seconds = 1 / info.fps if info is not None and info.fps else 0.0
        return State(source, info is not None and info.kind == "image", where,
                     tuple(str(problem) for problem in problems),
                     Boxes(self._telling.classes, self._telling.interval, seconds),
                     Size("short", LARGE) if large and source.mode == "media" else NATIVE)

    def picks(self, state: State, frame: Frame) -> bool:
        """Return whether a box of ``frame`` is looked at."""
        return state.boxes.choose(frame)

    def frames(self, state: State, batch: Sequence[Frame]) -> list[list[Record]]:
        """Return the species of each picture or box, and of each track that is over."""
        if state.source.mode == "media":
            return self._whole(state, batch)
        out: list[list[Record]] = []
        wanted = [(row, record) for row, frame in enumerate(batch) for record in state.boxes.due(frame)]
        seen = [(row, record, crop) for row, record in wanted
                if (crop := self._crop(state, batch[row], record)) is not None]
        looks = self._panel()[0].look([crop for *_, crop in seen], [group_of(record) for _, record, _ in seen])
        found: list[list[Record]] = [[] for _ in batch]
        for (row, record, _), look in zip(seen, looks, strict=True):
            one = Looks()
            one.add(look, self._panel()[0].experts)
            if record["type"] == "track":
                state.boxes.seen(record, one)
            elif state.still:
                self._observe(state, one)
            if record["type"] == "detection" or self._telling.frames:
                box = {key: record[key] for key in ("xyxy", "track_id") if key in record}
                found[row] += self._told(state, one, {**batch[row].keys(), **box})
        for frame, here in zip(batch, found, strict=True):
            out.append([*here, *self._over(state, frame.index)])
        return out

    def unframed(self, state: State, records: Sequence[Record]) -> list[Record]:
        """Hear which tracks end."""
        for record in records:
            if record["type"] == "tracklet":
                state.boxes.hear(record)
        return []

    def end(self, state: State, ok: bool = True) -> list[Record]:
        """Return the species of the tracks that are still open or of the film, and warnings."""
        made = self._over(state, None)
        if state.whole.count and not state.still and state.first is not None and state.last is not None:
            end = state.last.t + state.boxes.frame_seconds
            made += self._told(state, state.whole, {
                "source": state.source.name, "start": round(state.first.t, 6), "end": round(end, 6),
                "start_frame": state.first.index, "end_frame": state.last.index + 1})
        if outside := state.boxes.outside:
            which = "1 box lies outside of the frame" if outside == 1 else f"{outside} boxes lie outside of the frame"
            made.append(error_record(self.by, self.name, RecordError(f"{which}: nothing is seen there", code="E_OUTSIDE"),
                                     state.source.name))
        return made

    def finish(self) -> list[Record]:
        """Return what the pictures of each observation show, or the boxes in them, in the order in which these came."""
        made = []
        for name, (looks, where, sources) in self._observed.items():
            for keys in self._teller().tell(looks, where):
                keys |= {"observation": name, "observations": looks.count}
                made += shared_out(make("observation", self.by, sources=[], **keys), sources)
        return made

    def mapper(self, sources: Sequence[str]) -> SpeciesStage:
        """Return a stage that answers each picture, and leaves what it saw of it."""
        alone = copy(self)
        alone._left = []
        return alone

    def left(self) -> bytes:
        """Return the looks at the source that was done last, one by one: sums of sums are rounded otherwise."""
        looks, self._left = self._left, None if self._left is None else []
        return pickle.dumps(looks) if looks else b""

    def reduce(self, left: Iterable[bytes]) -> list[Record]:
        """Return what the pictures of each observation show; what mappers left comes from processes of this run."""
        for part in left:
            for looks, where, source in pickle.loads(part):
                self._add(looks, where, source)
        return self.finish()

    def _whole(self, state: State, batch: Sequence[Frame]) -> list[list[Record]]:
        """Return the species of whole frames: of a picture, and of each frame of a film where they are wanted."""
        images = [frame.sized(state.size) for frame in batch]
        panel = self._panel()[0]
        out: list[list[Record]] = []
        for frame, look in zip(batch, panel.look(images, [None] * len(batch)), strict=True):
            one = Looks()
            one.add(look, panel.experts)
            state.whole.merge(one)
            state.first, state.last = state.first or frame, frame
            out.append(self._told(state, one, frame.keys()) if state.still or self._telling.frames else [])
            if state.still:
                self._observe(state, one)
        return out

    def _crop(self, state: State, frame: Frame, record: Record) -> np.ndarray | None:
        """Return what is seen of a box; None where it lies outside of its frame."""
        crop = cut(frame.sized(NATIVE), record["xyxy"]) if frame.convert is not None else None
        if crop is None:
            state.boxes.outside += 1
        return crop

    def _over(self, state: State, index: int | None) -> list[Record]:
        """Return the species of the tracks that are over once frame ``index`` was looked at; of all for None."""
        made: list[Record] = []
        for (_, track_id), track in state.boxes.over(index):
            if track.looks.count:
                made += self._told(state, track.looks, {
                    "source": state.source.name, "track_id": track_id, "start": round(track.start, 6),
                    "end": round(track.end, 6), "start_frame": track.start_frame, "end_frame": track.end_frame})
        return made

    def _told(self, state: State, looks: Looks, place: Record) -> list[Record]:
        """Return the records on what was looked at; a thing of several looks says how many."""
        several = {"observations": looks.count} if "frame" not in place else {}
        place = dict(place)
        source = place.pop("source")
        return [make("species", self.by, source, **place, **keys, **several)
                for keys in self._teller().tell(looks, state.where, state.notes)]

    def _observe(self, state: State, looks: Looks) -> None:
        """Add a picture, or a box of it, to the observation that it belongs to, or leave it for the run's end."""
        if not state.where.observation or not self._finder.group:
            return
        if self._left is not None:
            self._left.append((looks, state.where, state.source.name))
        else:
            self._add(looks, state.where, state.source.name)

    def _add(self, looks: Looks, there: Whereabouts, source: str) -> None:
        """Add looks at a picture that was taken ``there`` to their observation."""
        total, where, sources = self._observed.setdefault(there.observation, (Looks(), there, []))
        total.merge(looks)
        if source not in sources[-1:]:
            sources.append(source)
        if where.latitude is None and where.country is None:  # the first picture that knows its place tells it
            where = replace(there, day=where.day or there.day)
        self._observed[there.observation] = (total, replace(where, day=where.day or there.day), sources)

    def _teller(self) -> Teller:
        panel, knowledge = self._panel()
        return Teller(panel, knowledge, self._telling.least, self._telling.topk)

    def _panel(self) -> tuple[Panel, tuple[Knowledge, ...]]:
        """Return the networks and what is known of their species, loaded at the first source."""
        if self._loaded is None:
            try:
                panel = load_panel(self._asked)
                self._loaded = (panel, load_knowledge(panel, self._given))
            except VtkError as error:
                self._loaded = error
        if isinstance(self._loaded, VtkError):
            raise self._loaded
        return self._loaded


def _digest(path: Path) -> str:
    """Return a short hash of a file; "" where it cannot be read, which is said where it is used."""
    try:
        return sha256_of(path)[:16]
    except OSError:
        return ""
