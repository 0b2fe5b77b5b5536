"""The stage behind ``vtk recognize-scene``: media in, shots with where they were filmed out."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from vtk.driver.stage import Frame, Source, Stage
from vtk.errors import UsageError, VtkError
from vtk.media.sampling import NATIVE, ON_DEMAND, Sampling, Size
from vtk.models.runtime import RuntimeOptions
from vtk.records import Record, make
from vtk.scenes.album import LATE, LATE_FRAMES, Album, Picture
from vtk.scenes.looks import LOOK, shrink, small_overlay
from vtk.scenes.meaning import check_texts, encoder_for
from vtk.scenes.scene_models import SIDE, Asked, Judge, load_judges
from vtk.scenes.shots import Shots
from vtk.scenes.smoothing import Smoothing, Span
from vtk.scenes.telling import Teller, keys_of, written
from vtk.scenes.thumbs import Thumbs
from vtk.scenes.tiling import Shot
from vtk.scenes.windows import Windows

if TYPE_CHECKING:
    from vtk.models.text_encoder import TextEncoder
    from vtk.models.transnet import TransNet

# Frames a call.
BATCH = 8
FINDERS = ("vtk", "transnet")
# Frames that TransNet V2 looks at at a time.
TRANSNET_FRAMES = 100


class Finder(Protocol):
    """Parts a film into shots, as ``vtk.scenes.Shots`` does."""

    def add(self, index: int, t: float, image: np.ndarray) -> list[Shot]:
        """Take a frame and return the shots that are over."""
        ...

    def finish(self) -> list[Shot]:
        """Return the shots that are left."""
        ...


@dataclass(frozen=True, slots=True)
class Plan:
    """How a film is parted, and how much of each part is looked at.

    Attributes:
        shots: what finds them, of FINDERS.
        min_shot: seconds that a shot lasts at least.
        window: seconds of windows in place of shots; None: shots.
        shots_only: whether no model looks at them.
        looks: pictures of each that networks look at, at most.
        smooth: weight of neighbours, in [0, 1].
    """

    shots: str = "vtk"
    min_shot: float = 0.0
    window: float | None = None
    shots_only: bool = False
    looks: int = 8
    smooth: float = 0.0

    def check(self) -> None:
        """Raise UsageError where a number is out of range or options contradict each other."""
        if self.shots not in FINDERS:
            raise UsageError(f"--shots {self.shots}: there is {', '.join(FINDERS)}")
        if not 0 <= self.min_shot < math.inf:
            raise UsageError(f"--min-shot {self.min_shot:g}: seconds, 0 or more, are needed")
        if self.window is not None and not 0 < self.window < math.inf:
            raise UsageError(f"--window {self.window:g}: seconds above 0 are needed")
        if self.window is not None and (self.shots_only or self.min_shot or self.shots != "vtk"):
            raise UsageError("--window parts films by the clock: it goes with none of --shots, --shots-only, "
                             "--min-shot")
        if not 1 <= self.looks <= 64:
            raise UsageError(f"--looks {self.looks}: a number from 1 to 64 is needed")
        if not 0 <= self.smooth <= 1:
            raise UsageError(f"--smooth {self.smooth:g}: a number from 0 to 1 is needed")


@dataclass(slots=True)
class State:
    """One open source.

    Attributes:
        finder: of its shots; None for a picture.
        album: pictures of shots that are not over.
        smoothing: of its spans.
        texts: what is written in it, with span and score.
        waiting: spans that wait for the last text.
        still: the picture, where the source is one.
    """

    source: Source
    finder: Finder | None
    album: Album
    smoothing: Smoothing
    texts: list[Record] = field(default_factory=list)
    waiting: list[Span] = field(default_factory=list)
    still: Picture | None = None

    @property
    def reads_text(self) -> bool:
        """Whether texts came, the last of which may be of the first shot."""
        return self.source.mode == "records"


class SceneStage(Stage):
    """Part media into shots, and say where each was filmed.

    Args:
        asked: the models and heads that say it; their labels, topk of which are written.
        plan: how media are parted and looked at.
        topk: labels in a record, at most.
        text_weight: of what is written, beside what is seen; 0 reads no text.
        thumbs: writes a picture of each shot.
        runtime, sampling: where networks run, and on which frames.
        texts: how texts are matched with labels, of ``meaning.TEXTS``.

    Raises:
        UsageError: a name, a number or a file is not one that it takes.
    """

    name = "recognize-scene"
    reads = frozenset({"text_track", "text"})
    writes = frozenset({"scene", "shot"})
    batch = BATCH

    def __init__(self, asked: Asked = Asked(), plan: Plan = Plan(), topk: int = 5, text_weight: float = 0.5,
                 thumbs: Thumbs | None = None, runtime: RuntimeOptions = RuntimeOptions(),
                 sampling: Sampling = Sampling(), texts: str = "auto") -> None:
        plan.check()
        check_texts(texts)
        if topk < 1:
            raise UsageError(f"--topk {topk}: 1 or more is needed")
        if not 0 <= text_weight < math.inf:
            raise UsageError(f"--text-weight {text_weight:g}: a number of 0 or more is needed")
        self._asked, self._plan, self._topk, self._text_weight = asked, plan, topk, text_weight
        self._names = (plan.shots,) if plan.shots_only else asked.check()
        self._thumbs, self._runtime, self._sampling = thumbs, runtime, sampling
        self._loaded: list[Judge] | VtkError | None = None
        self._tellers: list[Teller] = []
        self._found_by: TransNet | VtkError | None = None
        self._texts = texts
        self._read_by: tuple[TextEncoder | None] | VtkError | None = None
        self.writes = frozenset({"shot" if plan.shots_only else "scene"})
        if plan.shots_only or not text_weight:
            self.reads = frozenset()

    def __getstate__(self) -> dict[str, Any]:
        """Leave the networks behind: another process loads its own."""
        return {**self.__dict__, "_loaded": None, "_tellers": [], "_found_by": None, "_read_by": None}

    @property
    def by(self) -> str:
        """The maker that the ledger names: all who answer."""
        return f"{self.name}/{'+'.join(self._names)}"

    def options(self, mode: str = "media") -> Record:
        """Return the options that change results, the hashes of all weights among them where they can be had."""
        plan = self._plan
        options: dict[str, Any] = {"shots": plan.shots, "min_shot": plan.min_shot or None, "window": plan.window,
                                   "sampling": str(self._sampling)}
        try:
            if plan.shots != "vtk":
                options["shots_sha256"] = self._network().sha256
            if not plan.shots_only:
                options |= {"topk": self._topk, "looks": plan.looks, "smooth": plan.smooth or None,
                            "text_weight": self._text_weight if mode == "records" else None,
                            "precision": self._runtime.precision, "batch": self._runtime.batch}
                options["sha256"] = [judge.sha256 for judge in self._judges()]
                options |= self._reading() if mode == "records" else {}
        except VtkError:  # said of each source where it is started
            pass
        return {key: value for key, value in options.items() if value is not None}

    def check(self) -> None:
        """Refuse files that are not there, and a folder for thumbnails that is none."""
        if self._thumbs is not None:
            self._thumbs.check()
        if not self._plan.shots_only:
            self._asked.check_files()

    def prepare(self, mode: str = "media") -> None:
        """Load the networks: weights are missed before the work begins.

        Raises:
            UsageError, WeightsError: something cannot be had or read.
        """
        self.check()
        self._finder()
        if not self._plan.shots_only:
            self._judges()
        if mode == "records" or self._texts == "minilm":
            self._reading()

    def sampling(self, source: Source) -> Sampling:
        """Return the user's frames, made small here: where decoding is what is waited for it is not kept from it."""
        return self._sampling.sized(ON_DEMAND)

    def start(self, source: Source) -> State:
        """Return the state of a newly opened source.

        Raises:
            VtkError: weights cannot be had.
        """
        if self._thumbs is not None:
            self._thumbs.check_source(source.name)
        if not self._plan.shots_only:
            self._judges()
        if source.mode == "records":
            self._reading()
        plan = self._plan
        image = source.info is not None and source.info.kind == "image"
        late = LATE_FRAMES if plan.shots == "vtk" else 2 * TRANSNET_FRAMES
        return State(source, None if image else self._finder(),
                     Album(1 if plan.shots_only else plan.looks, LATE + plan.min_shot, late), Smoothing(plan.smooth))

    def frames(self, state: State, batch: Sequence[Frame]) -> list[list[Record]]:
        """Return the records of the shots that are known to be over at each frame."""
        out = []
        for frame in batch:
            if frame.convert is None:
                raise ValueError(f"recognize-scene needs frames with pixels; frame {frame.index} has none")
            if state.finder is None:
                state.still = Picture(frame.index, frame.t, frame.sized(NATIVE))
                state.texts += [record | {"start": 0.0, "end": 0.0} for record in frame.records]
                out.append([])
                continue
            small = self._small(frame)
            over = state.finder.add(frame.index, frame.t, small)  # type: ignore[arg-type]
            out.append(self._told(state, over))
            if not (self._plan.shots_only and self._thumbs is None):
                self._keep(state, frame, small)
        return out

    def unframed(self, state: State, records: Sequence[Record]) -> list[Record]:
        """Hear what is written, and from when to when."""
        state.texts += [record for record in records if record["type"] == "text_track"]
        return []

    def end(self, state: State, ok: bool = True) -> list[Record]:
        """Return the records of the shots that are left."""
        if state.still is not None:
            left = [Shot(state.still.t, state.still.t, state.still.index, state.still.index + 1)]
        else:
            left = state.finder.finish() if state.finder is not None else []
        return [*self._told(state, left), *self._written(state, [*state.waiting, *state.smoothing.finish()])]

    def _small(self, frame: Frame) -> np.ndarray | None:
        """Return a frame as shots are found on it; None where they go by the clock."""
        if self._plan.window is not None:
            return None
        return frame.sized(LOOK if self._plan.shots == "vtk" else self._network().size)

    def _keep(self, state: State, frame: Frame, small: np.ndarray | None) -> None:
        """Keep a picture of a frame, which is ``small`` as shots are found on it, where it may be looked at."""
        info = frame.source.info
        short = SIDE if self._plan.shots_only else max(judge.side for judge in self._judges())
        short = short if info is None else min(short, info.width, info.height)
        size = Size("short", max(1, short))
        if small is None:  # by the clock: what is seen does not matter
            if not state.album.due(frame.t):
                return
            picture = frame.sized(size)
            state.album.add(frame.index, frame.t, shrink(picture), lambda: picture)
        else:
            state.album.add(frame.index, frame.t, small, lambda: frame.sized(size))

    def _told(self, state: State, shots: Sequence[Shot]) -> list[Record]:
        """Return the records of shots, or what is known by now where neighbours or texts have a say."""
        if self._plan.shots_only:
            return [self._shot(state, shot) for shot in shots]
        known = state.smoothing.add(self._spans(state, shots))
        if state.reads_text:
            state.waiting += [replace(span, look=None) for span in known]
            return []
        return self._written(state, known)

    def _spans(self, state: State, shots: Sequence[Shot]) -> list[Span]:
        """Return shots with what the judges see in them."""
        spans = []
        for shot in shots:
            pictures = self._pictures(state, shot)
            if not pictures:
                continue
            images = [picture.image for picture in pictures]
            judges = self._judges()
            words = " ".join(written(state.texts, shot)) if any(judge.hears for judge in judges) else ""
            scores = [answer for judge in judges for answer in judge.span(images, words)]
            look = small_overlay(images[len(images) // 2]) if self._plan.smooth else None
            spans.append(Span(_lasting(shot, state.source), tuple(scores), len(images), look))
            self._thumb(state, shot, pictures)
        return spans

    def _pictures(self, state: State, shot: Shot) -> list[Picture]:
        if state.still is not None:
            return [state.still]
        return state.album.take(shot.start_frame, shot.end_frame, shot.clear)

    def _written(self, state: State, spans: Sequence[Span]) -> list[Record]:
        """Return the records of spans, all that is written by now taken into account."""
        return [teller.scene(span, answer, state.source.name, state.texts)
                for span in spans for teller, answer in zip(self._tellers, span.scores, strict=True)]

    def _shot(self, state: State, shot: Shot) -> Record:
        if self._thumbs is not None:
            self._thumb(state, shot, self._pictures(state, shot))
        shot = _lasting(shot, state.source)
        return make("shot", self.by, state.source.name, **keys_of(shot))

    def _thumb(self, state: State, shot: Shot, pictures: Sequence[Picture]) -> None:
        if self._thumbs is not None and pictures:
            self._thumbs.write(state.source.name, shot.start_frame, pictures[len(pictures) // 2].image)

    def _finder(self) -> Finder:
        """Return what finds the shots of one film. Raises VtkError where its weights cannot be had."""
        plan = self._plan
        if plan.window is not None:
            return Windows(plan.window)
        if plan.shots == "vtk":
            return Shots(plan.min_shot)
        from vtk.scenes.transnet import TransNetShots

        return TransNetShots(self._network(), plan.min_shot)

    def _network(self) -> TransNet:
        """Return the network that finds shots, loaded once."""
        if self._found_by is None:
            from vtk.models.transnet import load_transnet

            try:
                self._found_by = load_transnet(self._runtime)
            except VtkError as error:
                self._found_by = error
        if isinstance(self._found_by, VtkError):
            raise self._found_by
        return self._found_by

    def _encoder(self) -> TextEncoder | None:
        """Return what matches texts with labels by meaning, loaded once; None where words alone count."""
        if self._read_by is None:
            try:
                self._read_by = (encoder_for(self._texts, self._runtime),)
            except VtkError as error:
                self._read_by = error
        if isinstance(self._read_by, VtkError):
            raise self._read_by
        return self._read_by[0]

    def _reading(self) -> dict[str, Any]:
        """Return the options of how texts are matched with labels; none where no text is. Raises as ``prepare``."""
        if not self.reads or all(judge.hears for judge in self._judges()):
            return {}
        encoder = self._encoder()
        return {"texts": "words"} if encoder is None else {"texts": "minilm", "texts_sha256": encoder.sha256}

    def _judges(self) -> list[Judge]:
        """Return what answers, loaded once."""
        if self._loaded is None:
            try:
                self._loaded = load_judges(self._asked, self._runtime)
                self._tellers = [teller for judge in self._loaded for teller in self._tellers_of(judge)]
            except VtkError as error:
                self._loaded = error  # the next source fails the same way, without another try
        if isinstance(self._loaded, VtkError):
            raise self._loaded
        return self._loaded

    def _tellers_of(self, judge: Judge) -> list[Teller]:
        weight = 0.0 if judge.hears else self._text_weight
        return [Teller(f"{self.name}/{name}", labels, self._topk, weight, self._encoder)
                for name, labels in zip(judge.names, judge.labels, strict=True)]


def _lasting(shot: Shot, source: Source) -> Shot:
    """Return a shot; one of a video's only frame lasts as long as a frame does."""
    info = source.info
    if shot.end > shot.start or info is None or not info.fps or info.kind == "image":
        return shot
    return replace(shot, end=shot.start + 1 / info.fps)
