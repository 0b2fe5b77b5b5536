"""The stage behind ``vtk track``: detections in, or a detector inside; tracks and tracklets out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from vtk import records
from vtk.detection import detections as detection_records
from vtk.driver.stage import Frame, Source, Stage
from vtk.errors import UsageError, VtkError
from vtk.media.sampling import Sampling
from vtk.models.detector import DEFAULT, Detect, Detector, Settings, find_files, load_detector, model_name
from vtk.models.runtime import RuntimeOptions
from vtk.records import Record
from vtk.tracking.detections import Classes, arrays, check_detection, has_area
from vtk.tracking.tracker import Tracker
from vtk.tracking.tracklets import Tracklets
from vtk.tracking.trackers import TRACKERS, make_tracker

# Scores from which the detector inside reports boxes: ByteTrack lives on unsure ones too, SORT believes every box.
MIN_SCORES = {"bytetrack": 0.1, "sort": 0.25}

# Frames that the stage takes at a time where no detector sets it: enough to make calls cheap.
BATCH = 64

# Keys that a track record states itself; a detection's others travel on.
OWN_KEYS = frozenset({"v", "type", "by", "source", "frame", "pts", "t", "step", "xyxy", "track_id", "det_xyxy"})


@dataclass(slots=True)
class Lane:
    """One maker's detections in one source: they are tracked apart from another maker's."""

    by: str
    tracker: Tracker
    tracklets: Tracklets
    classes: Classes = field(default_factory=Classes)


@dataclass(slots=True)
class State:
    """One open source.

    Attributes:
        size: width and height of the displayed frame in pixels, where known.
        interval: seconds from a frame to the next.
        fixed: whether the media states the interval; else it is measured on the frames that come.
        lanes: by the maker of the detections.
        detect: the detector inside; None where detections come in.
    """

    source: Source
    size: tuple[int, int] | None
    interval: float
    fixed: bool
    lanes: dict[str, Lane] = field(default_factory=dict)
    detect: Detect | None = None


class TrackStage(Stage):
    """Detect objects, or take detections, and give each object an id that stays with it.

    Args:
        detector: name of the detector in the zoo; used only where no detections come.
        tracker: bytetrack or sort.
        weights: a file with the detector's weights; None takes the zoo's.
        classes: labels to track; none: all.
        min_score: boxes below it are left out; None: 0.1 with bytetrack and 0.25 with sort from the detector inside,
            every detection record.
        max_lost: seconds after its last box at which a track ends; None: the tracker's default.
        tracklets_only: whether tracks are written only when they have ended.
        runtime, sampling: where the detector runs, and on which frames.

    Raises:
        UsageError: a name or a number is not one that it takes.
    """

    name = "track"
    reads = frozenset({"detection"})
    writes = frozenset({"track", "tracklet"})

    def __init__(self, detector: str = DEFAULT, weights: Path | None = None, tracker: str = "bytetrack",
                 classes: Sequence[str] = (), min_score: float | None = None, max_lost: float | None = None,
                 tracklets_only: bool = False, runtime: RuntimeOptions = RuntimeOptions(),
                 sampling: Sampling = Sampling()) -> None:
        if tracker not in TRACKERS:
            raise UsageError(f"no tracker '{tracker}': there are {' and '.join(TRACKERS)}")
        if max_lost is not None and not 0 <= max_lost < float("inf"):
            raise UsageError(f"--max-lost {max_lost:g}: seconds, 0 or more, are needed")
        score = MIN_SCORES[tracker] if min_score is None else min_score
        Settings(tuple(classes), score)  # refuses what is out of range before anything is read
        self._model = model_name(detector, weights)
        self._given = {"name": detector, "weights": weights, "classes": tuple(classes), "min_score": score,
                       "runtime": runtime}
        self._tracker = tracker
        self._classes = frozenset(classes)
        self._least = min_score
        self._max_lost = max_lost
        self._tracklets_only = tracklets_only
        self._wanted = sampling
        self._loaded: Detector | VtkError | None = None

    def __getstate__(self) -> dict[str, object]:
        """Leave the network behind: another process loads its own."""
        return {**self.__dict__, "_loaded": None}

    @property
    def by(self) -> str:
        """The maker that the records name where the detector inside is used."""
        return self._maker(self._model)

    @property
    def batch(self) -> int:  # type: ignore[override]
        """How many frames one call takes: the detector's own number where it is loaded."""
        return BATCH if self._loaded is None or isinstance(self._loaded, VtkError) else self._loaded.batch

    def options(self, mode: str = "media") -> Record:
        """Return the options that change results; the detector's only where it is used."""
        runtime: RuntimeOptions = self._given["runtime"]  # type: ignore[assignment]
        options: dict[str, object] = {
            "tracker": self._tracker, "classes": sorted(self._classes), "min_score": self._least,
            "max_lost": self._max_lost, "tracklets_only": self._tracklets_only}
        if mode == "media":
            options |= {"sha256": self._sha256(), "precision": runtime.precision, "batch": runtime.batch,
                        "sampling": str(self._wanted)}
        return {key: value for key, value in options.items() if value is not None}

    def maker(self, state: State) -> str:
        """Return the maker that the records of a source name: its detections' own, where they came in."""
        return next(iter(state.lanes.values())).by if state.lanes else self.by

    def _sha256(self) -> str | None:
        """Return the hash of the detector's weights where they are at hand, without loading them."""
        runtime: RuntimeOptions = self._given["runtime"]  # type: ignore[assignment]
        try:
            return find_files(self._given["name"], self._given["weights"], replace(runtime, offline=True))[1].sha256
        except VtkError:
            return None

    def prepare(self, mode: str = "media") -> None:
        """Load the detector where it is sure to be needed: its weights are missed before the work begins."""
        if mode == "media":
            self._detector()

    def sampling(self, source: Source) -> Sampling:
        """Return no pixels where detections come, else the user's frames in the size that the detector takes."""
        if source.mode == "media":
            return self._wanted.sized(self._detector().size)
        if self._wanted != Sampling():
            raise UsageError("--every, --fps, --start, --end and --limit choose frames of media, and detections came "
                             "in: give them to the detector")
        return Sampling(mode="none")

    def start(self, source: Source) -> State:
        """Return the state of a newly opened source, its ids not yet used."""
        width, height, fps = described(source)
        state = State(source, (width, height) if width and height else None, 1 / fps if fps else 0.0, bool(fps))
        if source.mode == "media":
            state.detect = self._detector().start()
        return state

    def frames(self, state: State, batch: Sequence[Frame]) -> list[list[Record]]:
        """Return the tracks of each frame, and the tracklets that ended by it."""
        if state.detect is None:
            return [self._track(state, frame, [record for record in frame.records if self._wants(record)])
                    for frame in batch]
        # The detector's boxes pass through records, rounded: a pipe from vtk detect gives the same tracks.
        found = state.detect([frame.image for frame in batch if frame.image is not None])
        labels, by = self._detector().labels, f"detect/{self._model}"
        return [self._track(state, frame, detection_records(frame, boxes, labels, by))
                for frame, boxes in zip(batch, found, strict=True)]

    def end(self, state: State, ok: bool = True) -> list[Record]:
        """End every track of the source and return the tracklets."""
        return self._ordered([lane.tracklets.close(lane.tracker.finish(), state.interval)
                              for lane in state.lanes.values()])

    def _detector(self) -> Detector:
        """Return the detector, loaded at the first source that needs it: detections on stdin need none."""
        if self._loaded is None:
            try:
                self._loaded = load_detector(**self._given)  # type: ignore[arg-type]
            except VtkError as error:
                self._loaded = error  # the next source fails the same way, without another try at the network
        if isinstance(self._loaded, VtkError):
            raise self._loaded
        return self._loaded

    def _wants(self, record: Record) -> bool:
        check_detection(record)
        return ((not self._classes or record.get("label") in self._classes)
                and (self._least is None or record["score"] >= self._least))

    def _track(self, state: State, frame: Frame, detections: Sequence[Record]) -> list[Record]:
        """Return a frame's tracks, in the order of their detections, then the tracklets that ended."""
        # A record holds six decimals of a second: with the same here, a pipe through records expires the same tracks.
        t = round(frame.t, 6)
        by_maker: dict[str, list[Record]] = {}
        for detection in detections:
            if has_area(detection):
                by_maker.setdefault(detection.get("by", "detect"), []).append(detection)
        if by_maker and not state.fixed and frame.index > 0:
            state.interval = t / frame.index
        for maker in by_maker:
            if maker not in state.lanes:
                state.lanes[maker] = self._lane(state, maker)
        tracks: dict[int, Record] = {}
        ended = []
        for maker, lane in state.lanes.items():
            here = by_maker.get(maker, [])
            step = lane.tracker.update(frame.index, t, frame.step, *arrays(here, lane.classes))
            for detection, track_id, box in zip(here, step.track_ids.tolist(), records.boxes(step.boxes), strict=True):
                if track_id > 0:
                    track = self._record(state, lane, frame, detection, track_id, box)
                    lane.tracklets.add(track)
                    tracks[id(detection)] = track
            ended.append(lane.tracklets.close(step.ended, state.interval))
        if self._tracklets_only:
            return self._ordered(ended)
        return [tracks[id(detection)] for detection in detections if id(detection) in tracks] + self._ordered(ended)

    def _lane(self, state: State, maker: str) -> Lane:
        by = self._maker(maker.partition("/")[2] or maker)
        return Lane(by, make_tracker(self._tracker, self._max_lost), Tracklets(by, state.source.name, state.size))

    def _maker(self, detector: str) -> str:
        return f"track/{detector}+{self._tracker}"

    @staticmethod
    def _record(state: State, lane: Lane, frame: Frame, detection: Record, track_id: int, box: list[float]) -> Record:
        others = {name: value for name, value in detection.items() if name not in OWN_KEYS}
        found = detection["xyxy"]
        return records.make("track", lane.by, **frame.keys(), track_id=track_id, xyxy=clipped(box, found, state.size),
                            **others, det_xyxy=found)

    @staticmethod
    def _ordered(ended: Sequence[list[Record]]) -> list[Record]:
        """Return tracklets of all lanes by their last frame and id; of equal ones the earlier lane's first."""
        return sorted((record for lane in ended for record in lane),
                      key=lambda record: (record["end_frame"], record["track_id"]))


def described(source: Source) -> tuple[int, int, float]:
    """Return width, height (pixels) and frames a second that a source's media states, 0 where unknown."""
    if source.info is not None:
        return source.info.width, source.info.height, source.info.fps or 0.0
    media = source.media or {}
    stated = [media.get(name) for name in ("width", "height", "fps")]
    width, height, fps = (value if type(value) in (int, float) and value > 0 else 0 for value in stated)
    return int(width), int(height), float(fps)


def clipped(box: list[float], found: list[float], size: tuple[int, int] | None) -> list[float]:
    """Return a filtered box cut to the frame; the detector's box where nothing of it would be left.

    Args:
        box: filtered xyxy in pixels.
        found: the detector's xyxy in pixels.
        size: width and height of the frame in pixels; None where unknown: the box stays as it is.
    """
    if size is not None:
        width, height = size
        box = [min(max(box[0], 0.0), width), min(max(box[1], 0.0), height),
               min(max(box[2], 0.0), width), min(max(box[3], 0.0), height)]
    return box if box[0] < box[2] and box[1] < box[3] else found
