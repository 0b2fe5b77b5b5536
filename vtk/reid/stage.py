"""The stage behind ``vtk reid``: tracks in, or a tracker or crops inside; embeddings and identities out."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Sequence
from copy import copy
from dataclasses import dataclass, field
from typing import Any

from orjson import loads

from vtk.driver.link import error_record
from vtk.driver.stage import Frame, Source, Stage
from vtk.errors import RecordError, UsageError, VtkError
from vtk.media.sampling import NATIVE, ON_DEMAND, Sampling
from vtk.models.embedder import Embedder, EmbedderOptions, load_embedder, model_name, space_of
from vtk.records import Record, dump
from vtk.reid.following import Followed, Following
from vtk.reid.identity_records import Deciding, identity_records
from vtk.reid.people import check_gallery
from vtk.reid.tracklets import Store, Tracklet, from_record, to_record
from vtk.tracking import TrackStage

DEFAULT = "retail-0277"
CROPS = 8
# Frames a call where no detector sets it.
BATCH = 8
# Names as Market-1501 has them: identity, camera and sequence, frame, box.
MARKET = re.compile(r"-?\d+_c(\d+)s\d+_\d+_\d+")


@dataclass(frozen=True, slots=True)
class Plan:
    """What is embedded, and what of it is written.

    Attributes:
        crops: how many crops of a track, at most.
        classes: labels of the tracks that are taken; empty: all. Tracks without a label are always taken.
        images: whether each source is one crop, an image, of somebody of its own.
        embed_only: whether identities are left to a later run.
    """

    crops: int = CROPS
    classes: tuple[str, ...] = ("person",)
    images: bool = False
    embed_only: bool = False

    def __post_init__(self) -> None:
        if self.crops < 1:
            raise UsageError(f"--crops-per-track {self.crops}: 1 or more are needed")


@dataclass(slots=True)
class State:
    """One open source.

    Attributes:
        following: its tracks and their views.
        tracking: the state of the tracker inside; None where tracks come in.
        size: width and height of its frames, pixels.
        told: whether a tracklet came, and whether a track did.
    """

    source: Source
    following: Following
    tracking: Any = None
    size: tuple[int, int] = (0, 0)
    told: dict[str, bool] = field(default_factory=lambda: {"track": False, "tracklet": False})


class ReidStage(Stage):
    """Embed the best crops of each track, and tell by them who is who across sources.

    Args:
        model: name of the embedder in the zoo.
        options: its weights, input size and runtime.
        plan: what is embedded.
        deciding: how identities are told.
        tracker: builds the stage that tracks where no tracks come in; picklable.
        sampling: frames of media that are looked at; it must be that of the tracker.

    Raises:
        UsageError: a name or a number is not one that it takes.
    """

    name = "reid"
    reads = frozenset({"track", "tracklet"})
    writes = frozenset({"track", "tracklet", "embedding", "identity"})
    deferral = "--embed-only leaves them to vtk reid --finish DIR (of a recipe: --set reid.embed-only=true)"

    def __init__(self, model: str = DEFAULT, options: EmbedderOptions = EmbedderOptions(), plan: Plan = Plan(),
                 deciding: Deciding = Deciding(), tracker: Callable[[], TrackStage] = TrackStage,
                 sampling: Sampling = Sampling()) -> None:
        self._model = model_name(model, "reid", options.weights)
        self._given = (model, options)
        self._plan, self._deciding, self._wanted = plan, deciding, sampling
        self._tracker = None if plan.images else tracker()
        self._loaded: Embedder | VtkError | None = None
        self._store = Store()
        self._left: list[bytes] | None = None  # of a mapper: the records that tell identities, of the source so far

    def __getstate__(self) -> dict[str, Any]:
        """Leave the networks and what was found behind: another process loads its own."""
        return {**self.__dict__, "_loaded": None, "_store": Store()}

    @property
    def by(self) -> str:
        """The maker that its records name; what the tracker inside makes names the tracker."""
        return f"reid/{self._model}"

    @property
    def across(self) -> bool:
        """Whether identities are told at the run's end."""
        return not self._plan.embed_only and self._left is None

    @property
    def late_writes(self) -> frozenset[str]:  # type: ignore[override]
        """The types that only the run's end gives."""
        return frozenset() if self._plan.embed_only else frozenset({"identity"})

    @property
    def batch(self) -> int:  # type: ignore[override]
        """How many frames one call takes: the tracker's number where one is at work; else it looks at each by itself."""
        return min(BATCH, self._tracker.batch) if self._tracker is not None and self._tracker.detects else 1

    def options(self, mode: str = "media") -> Record:
        """Return the options that change what is made of a source: not those of identities, which are of the run."""
        runtime = self._given[1].runtime
        options: dict[str, Any] = {
            "input": self._given[1].size, "pixels": self._given[1].pixels, "crops": self._plan.crops,
            "classes": sorted(self._plan.classes), "precision": runtime.precision, "batch": runtime.batch}
        try:
            options["sha256"] = self._embedder().sha256
        except VtkError:  # said of each source where it is started
            pass
        if mode == "media":
            options |= {"images": self._plan.images or None, "sampling": str(self._wanted),
                        "tracker": self._tracker.options() if self._tracker is not None else None,
                        "tracker_by": self._tracker.by if self._tracker is not None else None}
        return {key: value for key, value in options.items() if value is not None}

    def check(self) -> None:
        """Refuse a gallery that is none, and a place where none can be made."""
        if self._deciding.gallery is not None and not self._plan.embed_only:
            check_gallery(self._deciding.gallery)

    def prepare(self, mode: str = "media") -> None:
        """Load the embedder, and where media are named the detector: weights are missed before the work begins."""
        embedder = self._embedder()
        if not self._plan.embed_only:
            self._deciding.check(space_of(embedder), embedder.precision)
            if self._deciding.gallery is not None:
                check_gallery(self._deciding.gallery, space_of(embedder), embedder.dimensions)
        if mode == "media" and self._tracker is not None:
            self._tracker.prepare(mode)

    def sampling(self, source: Source) -> Sampling:
        """Return the frames with tracks, pictures only of those worth a look; of media what the tracker looks at."""
        if source.mode == "media":
            return self._tracker.sampling(source) if self._tracker is not None else self._wanted.sized(ON_DEMAND)
        if self._wanted != Sampling():
            raise UsageError("--every, --fps, --start, --end and --limit choose frames of media, and tracks came in: "
                             "give them to the tracker")
        return Sampling(mode="records").sized(ON_DEMAND)

    def start(self, source: Source) -> State:
        """Return the state of a newly opened source.

        Raises:
            VtkError: the weights cannot be had.
        """
        embedder = self._embedder()
        following = Following(embedder.embed, embedder.batch, self._plan.crops, self._plan.classes, source.info)
        info = source.info
        state = State(source, following, size=(info.width, info.height) if info is not None else (0, 0))
        if source.mode == "media" and self._tracker is not None:
            state.tracking = self._tracker.start(source)
        return state

    def picks(self, state: State, frame: Frame) -> bool:
        """Return whether a track of ``frame`` is worth a look at its pixels."""
        tracks = [record for record in frame.records if record["type"] == "track"]
        return state.following.pick(frame.index, round(frame.t, 6), tracks, state.size)

    def frames(self, state: State, batch: Sequence[Frame]) -> list[list[Record]]:
        """Look at each frame's tracks; return those that the tracker inside made."""
        if state.tracking is not None:
            made = self._tracker.frames(state.tracking, batch)  # type: ignore[union-attr]
            for frame, records in zip(batch, made, strict=True):
                self._look(state, frame, records)
            return made
        for frame in batch:
            self._look(state, frame, [_whole(*state.size)] if state.source.mode == "media" else frame.records)
        return [[] for _ in batch]

    def unframed(self, state: State, records: Sequence[Record]) -> list[Record]:
        """Take tracklets: their tracks will not be seen any more."""
        for record in records:
            state.told[record["type"]] = True
            state.following.ends(record)
        return []

    def end(self, state: State, ok: bool = True) -> list[Record]:
        """Embed what is left and return the tracklets of the tracker inside, embeddings by track, and warnings."""
        made = self._tracker.end(state.tracking, ok) if state.tracking is not None else []  # type: ignore[union-attr]
        space, camera = space_of(self._embedder()), camera_of(state.source.name)
        for found in state.following.finish():
            if found.vector is not None:
                made.append(self._keep(found, state.source.name, camera, space))
        return [*made, *(error_record(self.by, self.name, warning, state.source.name)
                         for warning in self._warnings(state))]

    def finish(self) -> list[Record]:
        """Return the identities of the run, by source and track."""
        if not self.across:
            return []
        try:
            return identity_records(self._store, self._deciding, self.by, self._embedder().precision)
        finally:
            self._store.close()

    def mapper(self, sources: Sequence[str]) -> ReidStage:
        """Return a stage that embeds, and leaves the embeddings of a source."""
        alone = copy(self)
        alone._left = []
        return alone

    def left(self) -> bytes:
        """Return the embeddings of the source that was done last, after what the model ran in."""
        if not self._left:
            return b""
        lines, self._left = [dump({"precision": self._embedder().precision}), *self._left], []
        return b"\n".join(lines)

    def reduce(self, left: Iterable[bytes]) -> list[Record]:
        """Return the identities of the run, by source and track."""
        precision = None
        try:
            for part in left:
                head, *lines = part.split(b"\n")
                precision = loads(head)["precision"]
                for line in lines:
                    self._store.add(from_record(loads(line)))
            return identity_records(self._store, self._deciding, self.by, precision)
        finally:
            self._store.close()

    def _look(self, state: State, frame: Frame, records: Sequence[Record]) -> None:
        """Take views of a frame's tracks."""
        if tracks := [record for record in records if record["type"] == "track"]:
            state.told["track"] = True
            state.following.look(frame.index, round(frame.t, 6), tracks, state.size,
                                 lambda: frame.sized(NATIVE))
        self.unframed(state, [record for record in records if record["type"] == "tracklet"])

    def _keep(self, found: Followed, source: str, camera: str | None, space: str) -> Record:
        """Return the record of a tracklet, and remember for the run what the record says: its vector is rounded."""
        record = to_record(Tracklet(source, found.track_id, found.start, found.end, camera, found.vector, space,
                                    found.label, found.crops), self.by)
        if self._left is not None:
            self._left.append(dump(record))
        elif not self._plan.embed_only:
            self._store.add(from_record(record))
        return record

    def _warnings(self, state: State) -> list[VtkError]:
        """Return what the user should know of a source, one error each; the source is done all the same."""
        following, found = state.following, []
        if state.told["tracklet"] and not state.told["track"]:
            found.append(RecordError("tracklets came in and no tracks: boxes of single frames are needed to cut crops "
                                     "from; run vtk track without --tracklets-only", code="E_NO_TRACKS"))
        if following.blank:
            several = ", ".join(map(str, following.blank[:5])) + (", …" if len(following.blank) > 5 else "")
            found.append(RecordError(f"{len(following.blank)} tracks without a usable crop ({several}): their boxes lie "
                                     "outside the frame or are nearly empty; they have no identity", code="E_NO_CROP"))
        if following.left_out and not following.tracks:
            found.append(RecordError(f"no track of {', '.join(self._plan.classes)}: there are "
                                     f"{', '.join(sorted(following.left_out))}; --classes says which are taken, "
                                     "--classes '' takes all", code="E_NO_CLASS"))
        return found

    def _embedder(self) -> Embedder:
        """Return the embedder, loaded at the first source."""
        if self._loaded is None:
            name, options = self._given
            try:
                self._loaded = load_embedder(name, "reid", options)
            except VtkError as error:
                self._loaded = error  # the next source fails the same way, without another try
        if isinstance(self._loaded, VtkError):
            raise self._loaded
        return self._loaded


def camera_of(source: str) -> str | None:
    """Return the camera that a Market-1501 file name states, such as ``c1``; None for other names."""
    match = MARKET.match(os.path.basename(source))
    return f"c{match[1]}" if match else None


def _whole(width: int, height: int) -> Record:
    """Return a track that is all of a frame: of an image that is a crop."""
    return {"type": "track", "track_id": 1, "xyxy": [0.0, 0.0, float(width), float(height)], "score": 1.0}
