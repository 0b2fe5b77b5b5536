"""The stage behind ``vtk face-antispoof``: media, detections or tracks in; faces with verdicts out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from vtk.detection import detections
from vtk.driver.link import error_record
from vtk.driver.stage import Frame, Source, Stage
from vtk.errors import RecordError, UsageError, VtkError
from vtk.liveness import calibration as calibrations
from vtk.liveness.calibration import Calibration, Maker, uncalibrated
from vtk.liveness.decision import DEFAULT, Thresholds
from vtk.liveness.finding import FACE, PERSON, Found, of_people, of_record
from vtk.liveness.fusing import Fusing
from vtk.liveness.quality import Gates, measure, reasons
from vtk.media.sampling import NATIVE, ON_DEMAND, Sampling
from vtk.models import liveness as networks
from vtk.models.detector import Detect, Detector, Settings, load_detector
from vtk.models.detector import model_name as detector_name
from vtk.models.liveness import Face, Liveness, load_liveness
from vtk.models.runtime import RuntimeOptions
from vtk.records import Record, make, score
from vtk.tracking import TrackStage

DETECTOR = "rfb-320"
MIN_FACE_SCORE = 0.7
# Frames a call where no detector sets it.
BATCH = 8
# The tracker inside, the seconds that it waits for a face that is gone, and the maker of its tracks. In half a second a
# face blinks out and comes back, and nobody takes a live one away and holds up a picture of it in its place.
TRACKER = "vtk"
MAX_LOST = 0.5
INSIDE = ""


@dataclass(slots=True)
class State:
    """One open source.

    Attributes:
        still: whether it is a picture: nothing is followed.
        fusing: its faces over time.
        detecting, tracking: the states of the stages inside.
        size: width and height of its frames, pixels.
        tracked: whether tracks came in: then detections are what they were made of.
        makers: of the faces found so far, the first one first.
        seen: labels that came, and how many faces lay outside of the frame.
    """

    source: Source
    still: bool
    fusing: Fusing
    detecting: Detect | None = None
    tracking: Any = None
    tracked: bool = False
    makers: list[str] = field(default_factory=list)
    labels: set[str] = field(default_factory=set)
    outside: int = 0


class LivenessStage(Stage):
    """Find faces, or take them, and say of each whether it is live.

    Args:
        model, weights: name of the network in the zoo, and a file to load instead.
        detector, detector_weights: what finds faces where no records say where they are, and a file to load instead.
        min_face_score: the detector's least score, in [0, 1].
        tile: pixels of the tiles that the detector looks at; 0: the frame as a whole.
        thresholds: of verdicts; None: those of ``calibration``, else the default ones.
        calibration: a file of ``vtk calibrate face-antispoof``.
        gates: what a face has to be like to be judged; None: every face is.
        frames: whether faces of a video are written frame by frame, too.
        runtime, sampling: where the networks run, and on which frames; precision auto is fp32, so that thresholds mean
            the same everywhere.

    Raises:
        UsageError: a name, a number or a file is not one that it takes.
    """

    name = "face-antispoof"
    reads = frozenset({"detection", "track", "tracklet"})
    writes = frozenset({"face", "face_track"})

    def __init__(self, model: str = networks.DEFAULT, weights: Path | None = None, detector: str = DETECTOR,
                 detector_weights: Path | None = None, min_face_score: float = MIN_FACE_SCORE, tile: int = 0,
                 thresholds: Thresholds | None = None, calibration: Path | None = None, gates: Gates | None = Gates(),
                 frames: bool = False, runtime: RuntimeOptions = RuntimeOptions(),
                 sampling: Sampling = Sampling()) -> None:
        if thresholds is not None and calibration is not None:
            raise UsageError("--thresholds and --calibration both say what is live: give one of them")
        if not 0 <= min_face_score <= 1:
            raise UsageError(f"--min-face-score {min_face_score:g}: expected a number from 0 to 1")
        runtime = replace(runtime, precision="fp32") if runtime.precision == "auto" else runtime
        self._model = networks.model_name(model, weights)
        self._given = (model, weights, runtime)
        self._detector = detector_name(detector, detector_weights)
        self._finds = {"name": detector, "weights": detector_weights, "min_score": min_face_score, "tile": tile,
                       "runtime": runtime}
        Settings(min_score=min_face_score, tile=tile)  # refuses what is out of range before anything is read
        self._track = TrackStage(tracker=TRACKER, max_lost=MAX_LOST, keep_detections=True)
        self._thresholds = thresholds or DEFAULT
        self._calibration = calibrations.read(calibration) if calibration is not None else None
        self._gates, self._each, self._wanted = gates, frames, sampling
        self._loaded: Liveness | VtkError | None = None
        self._finder: Detector | VtkError | None = None
        self._checked: set[str] = set()

    def __getstate__(self) -> dict[str, Any]:
        """Leave the networks behind: another process loads its own."""
        return {**self.__dict__, "_loaded": None, "_finder": None}

    @property
    def by(self) -> str:
        """The maker that its records name where the detector inside is used."""
        return f"{self.name}/{self._detector}+{self._model}"

    @property
    def batch(self) -> int:  # type: ignore[override]
        """How many frames one call takes: as many as fill the network's batch where each has a face."""
        return max(BATCH, self._given[2].batch or 0)

    def maker(self, state: State) -> str:
        """Return the maker that the records of a source name: faces of records are another's."""
        return state.makers[0] if state.makers else self.by

    def scores_by(self, detector: str | None = None) -> Maker:
        """Return what makes the scores: ``detector`` where records name one, else the one inside, with its hash."""
        network = self._network()
        if detector is None:
            finder = self._face_detector()
            detector = f"{finder.name}@{(finder.sha256 or '')[:12]}"
        return Maker(detector, f"{network.name}@{network.sha256[:12]}", network.precision)

    def options(self, mode: str = "media") -> Record:
        """Return the options that change results; the detector's sampling only where it looks at media."""
        runtime = self._given[2]
        judge = self._calibration
        options: dict[str, Any] = {
            "detector": self._detector, "min_face_score": self._finds["min_score"], "tile": self._finds["tile"] or None,
            "frames": self._each or None, "gates": str(self._gates), "thresholds": str(self._thresholds),
            "calibration": judge.to_json() if judge is not None else None,
            "precision": runtime.precision, "batch": runtime.batch}
        try:
            options |= {"sha256": self._network().sha256, "detector_sha256": self._face_detector().sha256}
        except VtkError:  # said of each source where it is started
            pass
        if mode == "media":
            options["sampling"] = str(self._wanted)
        return {key: value for key, value in options.items() if value is not None}

    def prepare(self, mode: str = "media") -> None:
        """Load the networks: weights are missed, and calibrations of others refused, before the work begins.

        Raises:
            UsageError: the detector finds no faces, or the calibration is of other networks.
            WeightsError: weights cannot be had.
        """
        self._network()
        if mode == "media":
            self._face_detector().start()
            self._check(self._detector)

    def sampling(self, source: Source) -> Sampling:
        """Return the user's frames in the size that the detector takes; of records the frames that have some."""
        if source.mode == "media":
            return self._wanted.sized(self._face_detector().size)
        if self._wanted != Sampling():
            raise UsageError("--every, --fps, --start, --end and --limit choose frames of media, and records of faces "
                             "or people came in: give them to the command that made these")
        return Sampling(mode="records").sized(ON_DEMAND)

    def start(self, source: Source) -> State:
        """Return the state of a newly opened source.

        Raises:
            VtkError: the weights cannot be had.
        """
        self._network()
        info = source.info
        interval = 1 / info.fps if info is not None and info.fps else 0.0
        state = State(source, info is not None and info.kind == "image",
                      Fusing(source.name, interval, self._judge()))
        state.tracking = self._track.start(replace(source, mode="records"))
        if source.mode == "media":
            state.detecting = self._face_detector().start()
        return state

    def picks(self, state: State, frame: Frame) -> bool:
        """Return whether a face or a person is in the records of ``frame``."""
        return any(record.get("label") in (None, FACE, PERSON) for record in frame.records)

    def frames(self, state: State, batch: Sequence[Frame]) -> list[list[Record]]:
        """Return the faces of each frame where they are wanted, and the tracks of faces that ended."""
        made = [frame.records for frame in batch]
        if state.source.mode == "media":
            made = self._detected(state, batch)
        found, ended = zip(*(self._found(state, frame, records) for frame, records in zip(batch, made, strict=True)),
                           strict=True)
        faces = self._scored(state, batch, found)
        out = []
        for frame, here, ids in zip(batch, faces, ended, strict=True):
            shown = here if state.still or self._each else []
            out.append([*shown, *state.fusing.close((INSIDE, track_id) for track_id in ids),
                        *state.fusing.ended(frame.index)])
        return out

    def unframed(self, state: State, records: Sequence[Record]) -> list[Record]:
        """Hear which tracks end."""
        for record in records:
            if record["type"] == "tracklet" and "end_frame" in record:
                state.fusing.ends((str(record.get("by")), record["track_id"]), record["end_frame"])
        return []

    def end(self, state: State, ok: bool = True) -> list[Record]:
        """Return the tracks of faces that are still open, and warnings."""
        made = state.fusing.close()
        return [*made, *(error_record(self.maker(state), self.name, warning, state.source.name)
                         for warning in self._warnings(state))]

    def _detected(self, state: State, batch: Sequence[Frame]) -> list[list[Record]]:
        """Return what the detector inside finds in frames of media."""
        finder = self._face_detector()
        boxes = iter(self._searching(state)([frame.image for frame in batch if frame.image is not None]))
        return [[] if frame.image is None else
                detections(frame, next(boxes), finder.labels, f"detect/{self._detector}") for frame in batch]

    def _found(self, state: State, frame: Frame, records: Sequence[Record]) -> tuple[list[Found], list[int]]:
        """Return the faces of a frame, and the ids of tracks of the tracker inside that ended."""
        kinds = {record["type"] for record in records}
        if "track" in kinds and not state.tracked:
            state.tracked = True
            state.fusing.drop(INSIDE)
        taken = [record for record in records if record["type"] == ("track" if state.tracked else "detection")]
        state.labels.update(str(record["label"]) for record in taken if "label" in record)
        faces = [of_record(record) for record in taken if record.get("label") in (None, FACE)]
        people = [record for record in taken if record.get("label") == PERSON]
        if people and frame.convert is not None:
            faces += of_people(people, frame.sized(NATIVE), self._searching(state), self._detector)
        return (faces, []) if state.still or state.tracked else self._followed(state, frame, faces)

    def _followed(self, state: State, frame: Frame, faces: Sequence[Found]) -> tuple[list[Found], list[int]]:
        """Give faces the ids of the tracker inside; return them, and the ids that ended."""
        made = [make("detection", f"detect/{face.by}", **frame.keys(), xyxy=face.xyxy,
                     score=1.0 if face.score is None else face.score, label=FACE) for face in faces]
        [told] = self._track.frames(state.tracking, [replace(frame, records=made, image=None, convert=None)])
        ids = {tuple(track["det_xyxy"]): track["track_id"] for track in told if track["type"] == "track"}
        return ([replace(face, maker=INSIDE, track_id=ids.get(tuple(face.xyxy))) for face in faces],
                [track["track_id"] for track in told if track["type"] == "tracklet"])

    def _scored(self, state: State, batch: Sequence[Frame], found: Sequence[Sequence[Found]]) -> list[list[Record]]:
        """Return the record of each face of each frame, largest first, and let its track hear of it."""
        wanted: list[tuple[int, Found, Face]] = []
        for row, (frame, faces) in enumerate(zip(batch, found, strict=True)):
            image = frame.sized(NATIVE) if faces and frame.convert is not None else None
            for face in sorted(faces, key=lambda face: -_area(face.xyxy)):
                if image is None or not _inside(face.xyxy, image):
                    state.outside += 1
                    continue
                self._check(face.detector)
                wanted.append((row, face, Face(image, tuple(face.xyxy))))  # type: ignore[arg-type]
        values = self._network().scores([seen for *_, seen in wanted]).tolist() if wanted else []
        out: list[list[Record]] = [[] for _ in batch]
        for (row, face, seen), value in zip(wanted, values, strict=True):
            out[row].append(self._told(state, batch[row], face, seen, value))
        return out

    def _told(self, state: State, frame: Frame, face: Found, seen: Face, value: float) -> Record:
        """Return the record of a face in a frame; its track hears of it."""
        by = f"{self.name}/{face.by}+{self._model}"
        if by not in state.makers:
            state.makers.append(by)
        points = np.array(face.points, np.float32) if face.points is not None else None
        quality = {name: float(value) for name, value in
                   measure(seen.image, face.xyxy, points, face.score).items()}
        against = reasons(quality, self._gates) if self._gates is not None else ()
        quality.pop("score", None)  # the record has it
        # Tracks that came later in the same batch took the place of those of the tracker inside.
        if face.track_id is not None and not state.still and not (state.tracked and face.maker == INSIDE):
            state.fusing.see((face.maker, face.track_id), by, frame, value, against, face.xyxy)
        bounds, told = self._judge().face, score(value)
        keys: Record = {"xyxy": face.xyxy, "score": face.score, "live_score": told,
                        "verdict": bounds.verdict(told, against), "thresholds": [bounds.spoof_below, bounds.live_from],
                        "track_id": face.track_id, "points": face.points, "quality": quality,
                        "reasons": list(against) or None}
        return make("face", by, **frame.keys(), **{key: value for key, value in keys.items() if value is not None})

    def _warnings(self, state: State) -> list[VtkError]:
        """Return what the user should know of a source, one error each; the source is done all the same."""
        found: list[VtkError] = []
        if state.outside:
            which = ("1 box of a face lies outside of the frame: it has no score" if state.outside == 1 else
                     f"{state.outside} boxes of faces lie outside of the frame: they have no score")
            found.append(RecordError(which, code="E_OUTSIDE"))
        if state.labels and not state.labels & {FACE, PERSON}:
            found.append(RecordError(f"no box of a face or a person came: there are {', '.join(sorted(state.labels)[:5])}",
                                     code="E_NO_CLASS"))
        return found

    def _judge(self) -> Calibration:
        """Return the thresholds that apply."""
        return self._calibration or uncalibrated(Maker("", "", ""), self._thresholds)

    def _check(self, detector: str) -> None:
        """Raise UsageError where the calibration is not for faces by ``detector``."""
        if self._calibration is not None and detector not in self._checked:
            self._calibration.check(self.scores_by(None if detector == self._detector else detector))
            self._checked.add(detector)

    def _searching(self, state: State) -> Detect:
        """Return what finds faces in pictures."""
        if state.detecting is None:
            state.detecting = self._face_detector().start()
        return state.detecting

    def _face_detector(self) -> Detector:
        """Return the detector of faces, loaded where it is first needed: records of faces need none."""
        if self._finder is None:
            try:
                self._finder = load_detector(**self._finds)  # type: ignore[arg-type]
                if FACE not in self._finder.labels:
                    raise UsageError(f"--detector {self._detector} finds no faces: it knows "
                                     f"{', '.join(self._finder.labels[:5])}; rfb-320 and yunet find them")
            except VtkError as error:
                self._finder = error  # the next source fails the same way, without another try
        if isinstance(self._finder, VtkError):
            raise self._finder
        return self._finder

    def _network(self) -> Liveness:
        """Return the network, loaded at the first source."""
        if self._loaded is None:
            try:
                self._loaded = load_liveness(*self._given)
            except VtkError as error:
                self._loaded = error
        if isinstance(self._loaded, VtkError):
            raise self._loaded
        return self._loaded


def _area(xyxy: Sequence[float]) -> float:
    return (xyxy[2] - xyxy[0]) * (xyxy[3] - xyxy[1])


def _inside(xyxy: Sequence[float], image: np.ndarray) -> bool:
    """Return whether a box has an area in ``image``."""
    height, width = image.shape[:2]
    return min(xyxy[2], width) > max(xyxy[0], 0) and min(xyxy[3], height) > max(xyxy[1], 0)
