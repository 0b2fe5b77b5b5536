"""The stage behind ``vtk track``: detections in, or a detector inside; tracks and tracklets out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from operator import itemgetter
from pathlib import Path
from typing import TYPE_CHECKING

from vtk.detection import detections as detection_records
from vtk.driver.stage import Frame, Source, Stage
from vtk.errors import UsageError, VtkError
from vtk.media.sampling import Sampling, Size
from vtk.models.detector import DEFAULT, Detect, Detector, Settings, find_files, load_detector, model_name
from vtk.models.runtime import RuntimeOptions
from vtk.records import Record
from vtk.tracking.detections import Classes, arrays, check_detection
from vtk.tracking.lanes import Lane, Place
from vtk.tracking.refine import LAG, Refiner
from vtk.tracking.trackers import DEFAULT as DEFAULT_TRACKER
from vtk.tracking.trackers import TRACKERS, make_tracker
from vtk.tracking.tracklets import Tracklets

if TYPE_CHECKING:
    from vtk.tracking.camera import CameraMotion

# Scores from which the detector inside reports boxes: trackers of two stages live on unsure ones too, SORT believes
# every box. OC-SORT looks at none below its own threshold.
MIN_SCORES = {"vtk": 0.1, "bytetrack": 0.1, "botsort": 0.1, "ocsort": 0.1, "sort": 0.25}

# Frames that the stage takes at a time where no detector sets it: enough to make calls cheap.
BATCH = 64

# The size in which frames are looked at for the camera's motion where no detector asks for its own.
FLOW = Size("long", 480)


@dataclass(slots=True)
class State:
    """One open source.

    Attributes:
        size: width and height of the displayed frame in pixels, where known.
        interval: seconds from a frame to the next.
        fixed: whether the media states the interval; else it is measured on the frames that come.
        lanes: by the maker of the detections.
        detect: the detector inside; None where detections come in.
        camera: what tells how the camera moves; None: nobody asked.
        frame: the last frame that came.
    """

    source: Source
    size: tuple[int, int] | None
    interval: float
    fixed: bool
    lanes: dict[str, Lane] = field(default_factory=dict)
    detect: Detect | None = None
    camera: CameraMotion | None = None
    frame: int = -1


class TrackStage(Stage):
    """Detect objects, or take detections, and give each object an id that stays with it.

    Args:
        detector: name of the detector in the zoo; used only where no detections come.
        tracker: one of TRACKERS.
        weights: a file with the detector's weights; None takes the zoo's.
        classes: labels to track; none: all.
        min_score: boxes below it are left out; None: 0.25 with sort and 0.1 with the others from the detector inside,
            every detection record.
        max_lost: seconds after its last box at which a track ends; None: the tracker's default.
        set_options: values for the tracker's own options, by name.
        keep_detections: whether tracks carry the detector's box as ``det_xyxy``.
        refine: whether tracks are told some frames late, with gaps filled and boxes smoothed.
        gmc: whether the camera's motion is taken out, which needs pixels.
        tracklets_only: whether tracks are written only when they have ended.
        runtime, sampling: where the detector runs, and on which frames.

    Raises:
        UsageError: a name or a number is not one that it takes.
    """

    name = "track"
    reads = frozenset({"detection"})
    writes = frozenset({"track", "tracklet"})

    def __init__(self, detector: str = DEFAULT, weights: Path | None = None, tracker: str = DEFAULT_TRACKER,
                 classes: Sequence[str] = (), min_score: float | None = None, max_lost: float | None = None,
                 set_options: Mapping[str, float] | None = None, keep_detections: bool = False, refine: bool = False,
                 gmc: bool = False, tracklets_only: bool = False, runtime: RuntimeOptions = RuntimeOptions(),
                 sampling: Sampling = Sampling()) -> None:
        if tracker not in TRACKERS:
            raise UsageError(f"no tracker '{tracker}': there are {', '.join(TRACKERS)}")
        if max_lost is not None and not 0 <= max_lost < float("inf"):
            raise UsageError(f"--max-lost {max_lost:g}: seconds, 0 or more, are needed")
        try:
            # Refuses what it does not know before anything is read.
            self._looks = make_tracker(tracker, max_lost, set_options).looks
        except ValueError as error:
            raise UsageError(str(error)) from None
        score = MIN_SCORES[tracker] if min_score is None else min_score
        Settings(tuple(classes), score)
        self._model = model_name(detector, weights)
        self._given = {"name": detector, "weights": weights, "classes": tuple(classes), "min_score": score,
                       "runtime": runtime}
        self._tracker, self._set = tracker, dict(set_options or {})
        self._classes = frozenset(classes)
        self._least = min_score
        self._max_lost = max_lost
        self._keep, self._refine, self._gmc = keep_detections, refine, gmc
        self._tracklets_only = tracklets_only
        self._wanted = sampling
        self._loaded: Detector | VtkError | None = None

    @property
    def holds(self) -> bool:  # type: ignore[override]
        """Whether frames are held back: hindsight takes some frames."""
        return self._refine

    def horizon(self, state: State) -> int:
        """Return the first frame whose tracks may still change."""
        return state.frame - LAG + 1

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
        return self._loaded.batch if self.detects else BATCH

    @property
    def detects(self) -> bool:
        """Whether its detector is loaded."""
        return self._loaded is not None and not isinstance(self._loaded, VtkError)

    def options(self, mode: str = "media") -> Record:
        """Return the options that change results; the detector's only where it is used."""
        runtime: RuntimeOptions = self._given["runtime"]  # type: ignore[assignment]
        options: dict[str, object] = {
            "tracker": self._tracker, "classes": sorted(self._classes), "min_score": self._least,
            "max_lost": self._max_lost, "tracklets_only": self._tracklets_only, "set": self._set or None,
            "keep_detections": self._keep or None, "refine": self._refine or None, "gmc": self._gmc or None}
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
        return Sampling(mode="records").sized(FLOW) if self._gmc else Sampling(mode="none")

    def start(self, source: Source) -> State:
        """Return the state of a newly opened source, its ids not yet used."""
        width, height, fps = described(source)
        state = State(source, (width, height) if width and height else None, 1 / fps if fps else 0.0, bool(fps))
        if source.mode == "media":
            state.detect = self._detector().start()
        if self._gmc and not self._looks:
            from vtk.tracking.camera import CameraMotion  # OpenCV: loaded only where pixels are looked at

            state.camera = CameraMotion()
        return state

    def frames(self, state: State, batch: Sequence[Frame]) -> list[list[Record]]:
        """Return the tracks of each frame, and the tracklets that ended by it."""
        if state.detect is None:
            return [self._track(state, frame, self._wanted_of(frame.records))
                    for frame in batch]
        # The detector's boxes pass through records, rounded: a pipe from vtk detect gives the same tracks.
        found = state.detect([frame.image for frame in batch if frame.image is not None])
        labels, by = self._detector().labels, f"detect/{self._model}"
        return [self._track(state, frame, detection_records(frame, boxes, labels, by))
                for frame, boxes in zip(batch, found, strict=True)]

    def end(self, state: State, ok: bool = True) -> list[Record]:
        """End every track of the source and return what was held back, and the tracklets."""
        done = [lane.finish(state.interval) for lane in state.lanes.values()]
        return self._told([], done)

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

    def _wanted_of(self, found: Sequence[Record]) -> list[Record]:
        """Return the detections to track, checked."""
        for record in found:
            check_detection(record)
        least, classes = self._least, self._classes
        if least is None and not classes:
            return list(found)
        return [record for record in found if (not classes or record.get("label") in classes)
                and (least is None or record["score"] >= least)]

    def _track(self, state: State, frame: Frame, detections: Sequence[Record]) -> list[Record]:
        """Return a frame's tracks, in the order of their detections, then the tracklets that ended."""
        # A record holds six decimals of a second: with the same here, a pipe through records expires the same tracks.
        place = Place(frame.keys(), state.interval)
        by_maker: dict[str, list[Record]] = {}
        for detection in detections:
            by_maker.setdefault(detection.get("by", "detect"), []).append(detection)
        if by_maker and not state.fixed and frame.index > 0:
            state.interval = place.interval = place.keys["t"] / frame.index
        if self._gmc and self._looks:
            place.image, place.scale = frame.image, frame.scale
        if state.camera is not None and frame.image is not None:
            place.motion = state.camera.update(frame.image, frame.scale, arrays(
                [detection for here in by_maker.values() for detection in here], Classes())[0])
        for maker in by_maker:
            if maker not in state.lanes:
                state.lanes[maker] = self._lane(state, maker)
        state.frame = frame.index
        tracks: dict[int, Record] = {}
        done = []
        for maker, lane in state.lanes.items():
            here = by_maker.get(maker, [])
            found, ended = lane.track(place, here)
            tracks |= {id(detection): track for detection, track in zip(here, found, strict=True) if track is not None}
            refined, complete = lane.final(frame.index, state.interval)
            done.append((refined, ended + complete))
        return self._told([tracks[id(detection)] for detection in detections if id(detection) in tracks], done)

    def _told(self, tracks: list[Record], done: Sequence[tuple[list[Record], list[Record]]]) -> list[Record]:
        """Return tracks, refined ones of all lanes by frame, then tracklets by their last frame and id."""
        refined = sorted((track for lane, _ in done for track in lane), key=itemgetter("frame"))
        ended = sorted((tracklet for _, lane in done for tracklet in lane), key=itemgetter("end_frame", "track_id"))
        return ended if self._tracklets_only else [*tracks, *refined, *ended]

    def _lane(self, state: State, maker: str) -> Lane:
        by = self._maker(maker.partition("/")[2] or maker)
        tracker = make_tracker(self._tracker, self._max_lost, self._set)
        tracker.size = state.size
        return Lane(by, tracker, Tracklets(by, state.source.name, state.size), state.size, self._keep,
                    Refiner() if self._refine else None)

    def _maker(self, detector: str) -> str:
        return f"track/{detector}+{self._tracker}"


def described(source: Source) -> tuple[int, int, float]:
    """Return width, height (pixels) and frames a second that a source's media states, 0 where unknown."""
    if source.info is not None:
        return source.info.width, source.info.height, source.info.fps or 0.0
    media = source.media or {}
    stated = [media.get(name) for name in ("width", "height", "fps")]
    width, height, fps = (value if type(value) in (int, float) and value > 0 else 0 for value in stated)
    return int(width), int(height), round(float(fps), 6)
