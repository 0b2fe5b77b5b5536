"""Sets of species calibrated on labelled pictures, through the models and all that is known beside them.

    run = Run(asked, given, finder, least=0.5)
    found, report = calibrated(run.answers(pictures), 0.95)     # Sets, and what to say of them
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np

from vtk.driver.stage import Opening, Source
from vtk.errors import MediaError, UsageError
from vtk.heads.labelled import Labelled
from vtk.media.names import source_name
from vtk.media.sampling import NATIVE, Size
from vtk.media.video import open_media
from vtk.species.asking import Asked, load_knowledge, load_panel
from vtk.species.knowing import Given
from vtk.species.names import key_of
from vtk.species.routing import MIN_GROUP, Looks
from vtk.species.sets import FREE, PENALTY, Sets, calibrate, coverage_of, tune
from vtk.species.stage import LARGE
from vtk.species.taxonomy import read_taxonomy
from vtk.species.whereabouts import Finder

BATCH = 8
# Pictures, as a multiple of the fewest that a coverage can be calibrated on, from which on half of them tune.
_TUNED = 4
Note = Callable[[str], None]


@dataclass(slots=True)
class Answers:
    """What a model and all that is known beside it say of labelled pictures.

    Attributes:
        names: C species of the model.
        model: name@hash; prior, combined: of the range table and of how scores are combined, as ``Sets`` has them.
        probabilities: one (C,) a picture.
        labels: the right species' index of each.
        left_out: names of pictures by why they do not count.
    """

    names: tuple[str, ...]
    model: str
    prior: str | None
    combined: str
    probabilities: list[np.ndarray] = field(default_factory=list)
    labels: list[int] = field(default_factory=list)
    left_out: dict[str, list[str]] = field(default_factory=dict)

    def arrays(self) -> tuple[np.ndarray, np.ndarray]:
        """Return probabilities (N, C) float64 and labels (N,) int64."""
        given = np.array(self.probabilities, np.float64).reshape(-1, len(self.names))
        return given, np.array(self.labels, np.int64)


class Run:
    """The models and what is known, loaded once.

    Args:
        asked: one model.
        given: what is known beside pictures; its ``sets`` are not looked at.
        finder: where and when pictures were taken.
        least: probability of a group from which on the model answers.

    Raises:
        UsageError: several models are asked, or a file is not what it should be.
        WeightsError: weights cannot be had.
    """

    def __init__(self, asked: Asked, given: Given, finder: Finder, least: float = MIN_GROUP) -> None:
        asked.check()
        given.check()
        if not 0 <= least <= 1:
            raise UsageError(f"--min-group {least:g}: expected a probability from 0 to 1")
        self._panel = load_panel(asked)
        if len(self._panel.experts) > 1:
            names = ", ".join(expert.classifier.name for expert in self._panel.experts)
            raise UsageError(f"a calibration is of one model, and {len(self._panel.experts)} are asked ({names}): give "
                             "one --model, and a file for each")
        [self._known] = load_knowledge(self._panel, given)
        taxonomy = read_taxonomy(given.taxonomy) if given.taxonomy is not None else None
        self._key: Callable[[str], str] = lambda name: key_of((taxonomy and taxonomy.path(name)[0]) or name)
        self._index = {self._key(name): place for place, name in enumerate(self._known.names)}
        self._finder, self._least, self._combined = finder, least, given.combined

    def answers(self, pictures: Sequence[Labelled], hear: Callable[[int], object] = lambda count: None) -> Answers:
        """Return what is said of pictures.

        What the model would not answer does not count, as in ``vtk classify-species``: pictures in which the group that
        it knows is not seen; nor do species that it does not know, which no set of its could hold, and pictures that
        cannot be read.

        Args:
            hear: is told how many more are done.
        """
        classifier, prior = self._panel.experts[0].classifier, self._known.prior
        found = Answers(self._known.names, f"{classifier.name}@{classifier.sha256[:12]}", prior, self._combined)
        for start in range(0, len(pictures), BATCH):
            seen = []
            for picture in pictures[start:start + BATCH]:
                if self._key(picture.label) not in self._index:
                    found.left_out.setdefault("of species that the model does not know", []).append(picture.name)
                    continue
                try:
                    seen.append((picture, _image(picture)))
                except MediaError:
                    found.left_out.setdefault("that cannot be read", []).append(picture.name)
            looks = self._panel.look([image for _, image in seen], [None] * len(seen))
            for (picture, _), look in zip(seen, looks, strict=True):
                one = Looks()
                one.add(look, self._panel.experts)
                self._take(found, picture, one)
            hear(len(pictures[start:start + BATCH]))
        return found

    def _take(self, found: Answers, picture: Labelled, looks: Looks) -> None:
        scores = looks.scores(0)
        if scores is None or float(self._panel.experts[0].knows(looks.groups)) < self._least:
            found.left_out.setdefault("in which the group that the model knows is not seen", []).append(picture.name)
            return
        where, _ = self._finder.of(Source(source_name(str(picture.path)), opening=Opening()))
        given = self._known.probabilities(scores, where).astype(np.float64)
        if not given.any() or not np.isfinite(given).all():
            found.left_out.setdefault("of places where no species of the model may be", []).append(picture.name)
            return
        found.probabilities.append(given / given.sum())
        found.labels.append(self._index[self._key(picture.label)])


def check_enough(count: int, coverage: float, left_out: str = "") -> int:
    """Return how many pictures a coverage needs, 1 / α. Raises UsageError: there are fewer, or it is none."""
    if not 0 < coverage < 1:
        raise UsageError(f"--coverage {coverage:g}: expected a share above 0 and below 1, such as 0.95")
    need = math.ceil(1 / (1 - coverage) - 1e-9)
    if count < need:
        raise UsageError(f"coverage {coverage:g} needs {need} labelled pictures at least, and there are {count}"
                         f"{f' ({left_out})' if left_out else ''}: add some, or ask for less")
    return need


def calibrated(answers: Answers, coverage: float, seed: int = 0, check: Answers | None = None) -> Sets:
    """Return a threshold for sets; its report has coverage on the pictures, and under ``check`` on others.

    From four times the fewest pictures on, half of them, drawn by ``seed``, tune what ranks cost, and the other half
    alone is calibrated on: on the same ones the promise would not hold.

    Raises:
        UsageError: there are fewer pictures than 1 / α.
    """
    given, labels = answers.arrays()
    need = check_enough(len(labels), coverage, _left_out(answers))
    rows, penalty, free = np.arange(len(labels)), PENALTY, FREE
    if len(labels) >= _TUNED * need:
        order = np.random.default_rng(seed).permutation(len(labels))
        half, rows = np.sort(order[:len(order) // 2]), np.sort(order[len(order) // 2:])
        penalty, free = tune(given[half], labels[half], coverage)
    found = calibrate(given[rows], labels[rows], coverage, names=answers.names, model=answers.model,
                      prior=answers.prior, combined=answers.combined, penalty=penalty, free=free, seed=seed)
    found.report["tuned_on"] = len(labels) - len(rows)
    if answers.left_out:
        found.report["left_out"] = {why: len(names) for why, names in answers.left_out.items()}
    if check is not None and check.labels:
        given, labels = check.arrays()
        found.report["check"] = coverage_of(found.sets(given, seed=seed + 1), labels, answers.names)
    return found


def remarks(found: Sets, answers: Answers, check: Answers | None = None) -> list[str]:
    """Return what to know of a calibration, a line each."""
    made = [f"{why}: {len(names)}, such as {names[0]}; left out"
            for some in (answers, check) if some is not None for why, names in
            ((f"pictures {why}", names) for why, names in some.left_out.items())]
    if not found.report["tuned_on"]:
        made.append(f"too few pictures to tune on: penalty {PENALTY:g} from rank {FREE + 1} on is not tuned")
    made.append(_told("leaving each picture out", found.report, found.coverage))
    if "check" in found.report:
        made.append(_told("on --check", found.report["check"], found.coverage))
    return made


def _told(where: str, report: dict[str, object], coverage: float) -> str:
    """Return coverage, size and the classes that are covered least, in words."""
    low, high = report["interval"]  # type: ignore[misc]
    classes: dict[str, list[float]] = report["classes"]  # type: ignore[assignment]
    under = sorted((share, -count, name) for name, (share, count) in classes.items() if share < coverage)
    named = ", ".join(f"{name} {100 * share:.0f} % of {-count:.0f}" for share, count, name in under[:5])
    return (f"{where}: the set holds the right species of {100 * report['coverage']:.1f} % "  # type: ignore[operator]
            f"({100 * low:.1f}–{100 * high:.1f}) of {report['count']} pictures, with {report['size']:.2f} species on "
            f"average; of {len(under)} of {len(classes)} species less often than promised"
            + (f": {named}{', …' if len(under) > 5 else ''}" if named else ""))


def _left_out(answers: Answers) -> str:
    return "; ".join(f"{len(names)} {why} are left out" for why, names in answers.left_out.items())


def _image(picture: Labelled) -> np.ndarray:
    """Return a picture in the size in which ``vtk classify-species`` looks at it. Raises MediaError."""
    reader = open_media(source_name(str(picture.path)))
    try:
        large = min(reader.info.width, reader.info.height) > LARGE
        size = Size("short", LARGE) if large else NATIVE
        frame = next(reader.at([0], [size]), None)
        if frame is None:
            raise MediaError(f"{picture.name} has no picture", code="E_DECODE")
        return frame.image(size)
    finally:
        reader.close()
