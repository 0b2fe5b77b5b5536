"""Text in a video, frame by frame: found now and then, followed in between, read when it is new."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from vtk.metrics.polygons import polygon_overlap
from vtk.models.spotter import Found, Reading, Spotter
from vtk.text.changes import likeness, may_differ, rewritten
from vtk.text.following import Follower
from vtk.text.glance import correlation, difference, glance
from vtk.text.tracks import Sighting, TextTrack, TextTracks
from vtk.text.views import View, Views, worth_of
from vtk.text.voting import vote

# How many times longer or shorter, for its height, a text is read again.
RESHAPED = 1.12


@dataclass(frozen=True, slots=True)
class Plan:
    """When to look for text, and what to believe.

    Attributes:
        interval: seconds between detections where nothing happens.
        soonest: share of the interval that passes before the next one at least, whatever happens.
        changed: mean difference of luminance, of 255, to the frame last detected on, from which on it is looked again.
        cut, alike: the same to the frame before, from which on the film was cut, where their correlation is below
            ``alike``: a lamp that is switched on changes as much, and keeps what is where. Measured: cuts of two films
            differ by 44 to 141 and correlate by 0.2 at most; a light box switched on and off by 43 and 0.87.
        sure: confidence from which on a followed text is where it was followed to.
        confirmed: IoU with where a text was followed to, from which on it is that text and needs no reading.
        legible: score of a reading from which on it is text.
        upright: score of a reading under which the text may stand on its head, and from which it does where it reads so
            when it is turned. Measured: lines of print on their heads are read with 0.66 to 0.77, and turned with 0.96
            to 1; of 20 words of ICDAR 2015 none below it is read better when turned.
        most: texts of a picture that are looked at, the surest; and half of the tracks that may be open at a time.
    """

    interval: float = 0.25
    soonest: float = 0.25
    changed: float = 12.0
    cut: float = 20.0
    alike: float = 0.5
    sure: float = 0.6
    confirmed: float = 0.6
    legible: float = 0.5
    upright: float = 0.85
    most: int = 1000


@dataclass(frozen=True, slots=True)
class Seen:
    """A text in a frame: its track, where it stands, and how sure the detector was; None where it was followed."""

    track: TextTrack
    quad: np.ndarray
    det_score: float | None


@dataclass(frozen=True, slots=True)
class Told:
    """Where a track's text comes from.

    Attributes:
        reading: what was read.
        looks: what it looked like when it was read last (``changes.likeness``).
        turned: whether it stands on its head: its quad begins at what is the bottom right for the detector.
    """

    reading: Reading
    looks: np.ndarray
    turned: bool


@dataclass(slots=True)
class Spotting:
    """The texts of one source.

    A text_track is one text: where what stands in a place is read as something else than before, surely, its track ends
    and another begins. It is read again only where it looks different in part, such as a digit of a clock.

    Args:
        spotter: finds the texts of a picture and reads them.
        plan: when to look, and what to believe.
        wanted: tells of quads (N, 4, 2) which of them count, (N,) bool; None: all.

    Attributes:
        told: by track that is open, what its text was read from.
        left_out: the most boxes of a picture that were there and not looked at, for there were too many.
    """

    spotter: Spotter
    plan: Plan = field(default_factory=Plan)
    tracks: TextTracks = field(default_factory=TextTracks)
    follower: Follower = field(default_factory=Follower)
    views: dict[int, Views] = field(default_factory=dict)
    wanted: Callable[[np.ndarray], np.ndarray] | None = None
    told: dict[int, Told] = field(default_factory=dict)
    left_out: int = 0
    _before: np.ndarray | None = None
    _looked: np.ndarray | None = None
    _looked_t: float = float("-inf")

    def look(self, frame: int, t: float, image: np.ndarray) -> tuple[list[Seen], list[TextTrack]]:
        """Return the texts of a frame, and the tracks that ended before it.

        Args:
            frame: index, rising.
            t: seconds.
            image: (H, W, 3) uint8 RGB.
        """
        ended: list[TextTrack] = []
        now = glance(image)
        if self._is_cut(now):
            ended += self.tracks.finish()
            self._looked_t = float("-inf")
        self._before = now
        here = [track for track in self.tracks.open if not track.lost]
        confidence = self._follow(here, image)
        if self._is_due(t, now, confidence):
            self._looked, self._looked_t = now, t
            seen, gone = self._detect(frame, t, image, here, confidence)
        else:
            gone = self.tracks.expire(t)
            counts = self._count(np.stack([track.quad for track in here])) if here else ()
            seen = [Seen(track, track.quad, None) for track, sure, counted in zip(here, confidence, counts, strict=True)
                    if sure >= self.plan.sure and counted]
            for each in seen:
                each.track.last_frame, each.track.last_t = frame, t
                each.track.seen += 1
        return seen, ended + gone

    def finish(self) -> list[TextTrack]:
        """End every track, at the end of the source."""
        return self.tracks.finish()

    def transcript(self, track: TextTrack) -> tuple[str, float, View | None]:
        """Return what a track that ended says by its best views, how sure that is, and the best of them."""
        views = self.views.pop(track.number, Views()).kept
        self.told.pop(track.number, None)
        read = self._read_late([view for view in views if view.reading is None])
        ballots = []
        for view in views:
            text, scores = view.reading or (read[id(view)].text, read[id(view)].characters)
            ballots.append((text, [float(score) for score in scores], max(view.worth, 1e-3)))
        text, score = vote(ballots)
        return (text or track.text or ""), score, (views[0] if views else None)

    def _follow(self, here: list[TextTrack], image: np.ndarray) -> np.ndarray:
        """Move the tracks on with what is inside them; return how sure that is, (T,)."""
        if not here:
            self.follower.start(image)
            return np.zeros(0)
        quads, confidence = self.follower.follow(image, np.stack([track.quad for track in here]))
        for track, quad, sure in zip(here, quads, confidence, strict=True):
            if sure >= self.plan.sure:
                track.move(quad)
        return confidence

    def _is_cut(self, now: np.ndarray) -> bool:
        before = self._before
        return (before is not None and difference(before, now) > self.plan.cut
                and correlation(before, now) < self.plan.alike)

    def _is_due(self, t: float, now: np.ndarray, confidence: np.ndarray) -> bool:
        plan, since = self.plan, t - self._looked_t
        if self._looked is None or since >= plan.interval - 1e-6:
            return True
        if since < plan.soonest * plan.interval - 1e-6:
            return False
        return bool((confidence < plan.sure).any()) or difference(self._looked, now) > plan.changed

    def _detect(self, frame: int, t: float, image: np.ndarray, here: list[TextTrack],
                confidence: np.ndarray) -> tuple[list[Seen], list[TextTrack]]:
        """Look for text; read what is not where a text was followed to, or looks different there."""
        found = self._bounded(self.spotter.find([image])[0])
        quads, scores = found.quads.copy(), found.scores
        known = self._confirmed(here, confidence, quads)
        turned = {row for row, track in enumerate(known) if track is not None and self._is_turned(track)}
        for row in turned:
            quads[row] = np.roll(quads[row], 2, axis=0)
        crops = [self.spotter.crop(image, quad) for quad in quads]
        readings = self._read_now(found, known, crops)
        turned |= self._turn(quads, known, crops, readings)
        kept = [row for row in range(len(quads)) if known[row] is not None
                or (readings[row].text and readings[row].score >= self.plan.legible)]
        kept.sort(key=lambda row: tuple(quads[row].mean(axis=0)[::-1].tolist()))  # ids count from the top
        ended = self._end_rewritten(quads, known, readings, [row for row in kept if row in readings], crops)
        length = next((len(reading.feature) for reading in readings.values()), 0) or self._length()
        features = np.zeros((len(kept), length), np.float32)
        for place, row in enumerate(kept):
            if row in readings:
                features[place] = readings[row].feature
        # What stays where it is, as long as it was, and was read worse says what it said.
        better = {row for row in readings if known[row] is None or readings[row].score >= known[row].score
                  or (readings[row].score >= self.plan.legible and self._is_reshaped(known[row], crops[row]))}
        texts = [readings[row].text if row in better else None for row in kept]
        tracks, gone = self.tracks.update(frame, t, Sighting(quads[kept], features, texts),
                                          [known[row] for row in kept])
        for row, track in zip(kept, tracks, strict=True):
            if row in readings:
                self._tell(track, readings[row], crops[row], row in turned, row in better)
            self._view(frame, t, crops[row], quads[row], track, readings.get(row))
        return ([Seen(track, quads[row], float(scores[row])) for row, track in zip(kept, tracks, strict=True)],
                [*ended, *gone, *self._end_beyond()])

    def _tell(self, track: TextTrack, reading: Reading, crop: np.ndarray, is_turned: bool, is_better: bool) -> None:
        """Note what a track was read as, where that is better, and what it looked like."""
        if is_better:
            track.score = float(reading.score)
        else:
            reading = self.told[track.number].reading
        self.told[track.number] = Told(reading, likeness(crop), is_turned)

    def _is_turned(self, track: TextTrack) -> bool:
        told = self.told.get(track.number)
        return told is not None and told.turned

    def _bounded(self, found: Found) -> Found:
        """Return what counts of what was found, at most ``plan.most``, and note what is left out."""
        rows = np.flatnonzero(self._count(found.quads))
        self.left_out = max(self.left_out, found.more + max(0, len(rows) - self.plan.most))
        rows = rows[: self.plan.most]
        if len(rows) == len(found.quads):
            return found
        return replace(found, quads=found.quads[rows], scores=found.scores[rows],
                       read=lambda some: found.read([int(rows[row]) for row in some]))

    def _count(self, quads: np.ndarray) -> np.ndarray:
        return np.ones(len(quads), bool) if self.wanted is None or not len(quads) else self.wanted(quads)

    def _end_beyond(self) -> list[TextTrack]:
        """End the tracks that were lost first where more are open than there is room for."""
        beyond = len(self.tracks.open) - 2 * self.plan.most
        if beyond <= 0:
            return []
        lost = sorted((track for track in self.tracks.open if track.lost), key=lambda each: (each.last_t, each.number))
        return self._end(lost[:beyond])

    def _end(self, tracks: Sequence[TextTrack]) -> list[TextTrack]:
        """End open tracks, and return them."""
        numbers = {track.number for track in tracks}
        self.tracks.open = [track for track in self.tracks.open if track.number not in numbers]
        return list(tracks)

    def _end_rewritten(self, quads: np.ndarray, known: list[TextTrack | None], readings: dict[int, Reading],
                       rows: Sequence[int], crops: Sequence[np.ndarray]) -> list[TextTrack]:
        """End the tracks in whose places something else is read now, which is then no longer known; return them."""
        present = [track for track in self.tracks.open if not track.lost and track.number in self.told]
        if not rows or not present:
            return []
        overlap = polygon_overlap(np.stack([track.quad for track in present]), quads[list(rows)])
        ended = []
        for column, row in enumerate(rows):
            track = known[row] or present[int(overlap[:, column].argmax())]
            if known[row] is None and overlap[:, column].max() < self.plan.confirmed / 2:
                continue
            told = self.told.get(track.number)
            if (told is not None and rewritten(told.reading, readings[row])
                    and may_differ(told.looks, likeness(crops[row]))):
                ended.append(track)
                known[row] = None
        return self._end(list({track.number: track for track in ended}.values()))

    def _confirmed(self, here: list[TextTrack], confidence: np.ndarray,
                   quads: np.ndarray) -> list[TextTrack | None]:
        """Return for each quad the track that was followed there, where it and nothing else was."""
        known: list[TextTrack | None] = [None] * len(quads)
        if not here or not len(quads):
            return known
        overlap = polygon_overlap(np.stack([track.quad for track in here]), quads)
        # In half of it another one may not stand, on either side.
        alone = ((overlap > self.plan.confirmed / 2).sum(axis=1) == 1)[:, None] & (
            (overlap > self.plan.confirmed / 2).sum(axis=0) == 1)
        sure = (overlap >= self.plan.confirmed) & alone & (confidence >= self.plan.sure)[:, None]
        for row, column in np.argwhere(sure).tolist():
            known[column] = here[row]
        return known

    def _read_now(self, found: Found, known: Sequence[TextTrack | None],
                  crops: Sequence[np.ndarray]) -> dict[int, Reading]:
        """Return by row the readings of what is not known or looks different; of all where none is read later."""
        read = self.spotter.read
        rows = [row for row, track in enumerate(known)
                if track is None or read is None or self._may_have_changed(track, crops[row])]
        if not rows:
            return {}
        return dict(zip(rows, found.read(rows) if read is None else read([crops[row] for row in rows]), strict=True))

    def _turn(self, quads: np.ndarray, known: Sequence[TextTrack | None], crops: list[np.ndarray],
              readings: dict[int, Reading]) -> set[int]:
        """Turn what is new, was read poorly and reads well on its head; return its rows."""
        rows = [row for row, reading in readings.items() if known[row] is None and reading.text
                and self.plan.legible <= reading.score < self.plan.upright]
        if not rows or self.spotter.read is None:
            return set()
        over = [np.ascontiguousarray(np.rot90(crops[row], 2)) for row in rows]
        turned = set()
        for row, crop, reading in zip(rows, over, self.spotter.read(over), strict=True):
            if reading.score >= self.plan.upright:
                quads[row], crops[row], readings[row] = np.roll(quads[row], 2, axis=0), crop, reading
                turned.add(row)
        return turned

    def _may_have_changed(self, track: TextTrack, crop: np.ndarray) -> bool:
        told = self.told.get(track.number)
        return told is not None and (self._is_reshaped(track, crop) or may_differ(told.looks, likeness(crop)))

    def _is_reshaped(self, track: TextTrack, crop: np.ndarray) -> bool:
        """Tell whether a text is longer or shorter than when it was read: more or less of it is hidden."""
        told = self.told.get(track.number)
        return told is not None and abs(np.log(likeness(crop).shape[1] / told.looks.shape[1])) > np.log(RESHAPED)

    def _read_late(self, views: Sequence[View]) -> dict[int, Reading]:
        """Return by identity the readings of views that were kept unread."""
        if not views or self.spotter.read is None:
            return {}
        return dict(zip(map(id, views), self.spotter.read([view.crop for view in views]), strict=True))

    def _length(self) -> int:
        return len(self.tracks.open[0].feature) if self.tracks.open else 0

    def _view(self, frame: int, t: float, crop: np.ndarray, quad: np.ndarray, track: TextTrack,
              reading: Reading | None) -> None:
        """Keep this view of a text if it is among its best."""
        worth = worth_of(crop)
        views = self.views.setdefault(track.number, Views())
        if views.wants(worth, t):
            read = None if reading is None else (reading.text, reading.characters)
            views.add(View(worth, frame, t, quad, crop, read))
