"""Which text is which from frame to frame: by what it looks like, where it stands and what it says."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from vtk.kernels.association import assign
from vtk.metrics.polygons import overlap_of_pairs, polygon_overlap
from vtk.text.agreement import disagree, plain

# A text that is shorter than this share of what it was, and stands inside it, is hidden in part.
PART = 0.85
INSIDE = 0.7  # of it at least
HIGHER = 1.5  # times at most
SAME = 0.75  # of its letters, in order, at least
# What a track looks like is forgotten by half with each sighting: CoText's moving average.
MEMORY = 0.5


@dataclass(frozen=True, slots=True)
class Cues:
    """What each cue counts for when texts are told apart; 0 leaves it out.

    Attributes:
        visual: weight of the distance of looks, (1 - cosine) / 2.
        position: weight of the distance of places, the mean of 1 - IoU of the quadrilaterals and of how far apart their
            centres are as a share of the reach.
        semantic: weight of the distance of transcripts, 1 - similarity in [0, 1].
        limit: mean distance, weighted, from which on a pair is none.
        overlap: IoU that makes a pair by place alone, where the transcripts do not disagree.
        reach: longest sides of the larger of two texts within which their centres lie, else they are no pair.
        veto: whether transcripts that disagree keep a pair by place apart although ``semantic`` is 0.
        same: cosine of looks from which on transcripts that disagree are misread, and keep nothing apart.

    The weight of looks and ``same`` were chosen on films 2 and 3 of ``vtk.text.accuracy``.
    """

    visual: float = 2.0
    position: float = 1.0
    semantic: float = 1.0
    limit: float = 0.5
    overlap: float = 0.4
    reach: float = 1.5
    veto: bool = False
    same: float = 0.6


# For features that are learnt from looks, place and words together. Source: CoText's released tracker on ICDAR: cosine
# distance of at most 0.5, twice the distance here; then an overlap of at least 0.6, unless the transcripts disagree.
JOINT = Cues(position=0.0, semantic=0.0, limit=0.25, overlap=0.6, veto=True, same=2.0)


@dataclass(frozen=True, slots=True)
class Sighting:
    """The texts found in one frame.

    Attributes:
        quads: (N, 4, 2) float32, corners in pixels.
        features: (N, D) float32 of unit length, what they look like; a row of zeros where that is unknown.
        texts: what they say; None where they were not read.
    """

    quads: np.ndarray
    features: np.ndarray
    texts: Sequence[str | None]

    def __len__(self) -> int:
        return len(self.quads)


@dataclass(slots=True)
class TextTrack:
    """One piece of text on screen.

    Attributes:
        number: its id, from 1.
        quad: (4, 2) float32, where it was seen or followed to last, pixels.
        feature: (D,) float32, what it looks like, averaged.
        text: what it says, as far as it was read.
        frame, t: index and time of its first sighting; last_frame, last_t: of its last.
        score: how sure the last reading was, in [0, 1].
        seen: in how many frames it was seen or followed.
        lost: whether the last frame that was looked at did not have it.
        whole: (4, 2), where all of it would stand: more than ``quad`` while it is hidden in part.
        says: what all of it says, as far as it was read.
        whole_t: when all of it was seen last.
        sighted: (4, 2), ``whole`` when it was last found; sighted_t: when that was.
        speed: (2,) pixels a second at which it moved then.
    """

    number: int
    quad: np.ndarray
    feature: np.ndarray
    text: str | None
    frame: int
    t: float
    last_frame: int
    last_t: float
    score: float = 0.0
    seen: int = 1
    lost: bool = False
    whole: np.ndarray = field(init=False)
    says: str | None = field(init=False)
    whole_t: float = field(init=False)
    sighted: np.ndarray = field(init=False)
    sighted_t: float = field(init=False)
    speed: np.ndarray = field(default_factory=lambda: np.zeros(2))

    def __post_init__(self) -> None:
        """Take it for whole as it is first seen."""
        self.whole = self.sighted = np.asarray(self.quad, np.float64)
        self.says, self.whole_t, self.sighted_t = self.text, self.t, self.t

    def move(self, quad: np.ndarray) -> None:
        """Take it to ``quad`` (4, 2), to which it was followed, and what is hidden of it along."""
        before = np.column_stack([np.asarray(self.quad, np.float64), np.ones(4)])
        motion = np.linalg.lstsq(before, np.asarray(quad, np.float64), rcond=None)[0]
        self.whole = np.column_stack([self.whole, np.ones(4)]) @ motion
        self.quad = quad.astype(np.float32)

    def expected(self, t: float) -> np.ndarray:
        """Return where all of it stands at ``t`` seconds if it moves on as it did when it was last found."""
        return self.sighted + self.speed * (t - self.sighted_t)


@dataclass(slots=True)
class TextTracks:
    """The texts that are on screen in one source.

    Args:
        cues: what tells texts apart.
        patience: seconds after its last sighting at which a track ends.

    Source: Wu et al., CoText, 2022, its inference: association by embeddings first (cost limit 0.5, moving average
    0.5), then by the overlap of polygons unless the transcripts disagree, then new tracks. There the cues are one
    learnt embedding; here their distances are averaged.
    """

    cues: Cues = field(default_factory=Cues)
    patience: float = 1.0
    open: list[TextTrack] = field(default_factory=list)
    _last: int = 0

    def update(self, frame: int, t: float, found: Sighting,
               known: Sequence[TextTrack | None] = ()) -> tuple[list[TextTrack], list[TextTrack]]:
        """Give each text of a frame its track.

        Args:
            frame: index of the frame, greater than that of the last.
            t: its time in seconds.
            known: for each text the open track that it is sure to belong to, None where that is to be found out.

        Returns:
            the track of each text, in order, and the tracks that ended before it.
        """
        ended = self.expire(t)
        tracks: list[TextTrack] = []
        for row, track in enumerate(self._pairs(t, found, known or [None] * len(found))):
            if track is None:
                self._last += 1
                track = TextTrack(self._last, found.quads[row], found.features[row], found.texts[row], frame, t,
                                  frame, t)
                self.open.append(track)
            else:
                self._see(track, frame, t, found, row)
            tracks.append(track)
        here = {track.number for track in tracks}
        for track in self.open:
            track.lost = track.number not in here
        return tracks, ended

    def expire(self, t: float) -> list[TextTrack]:
        """Take the tracks off that were not seen for longer than the patience at ``t`` seconds, and return them."""
        ended = [track for track in self.open if t - track.last_t > self.patience]
        self.open = [track for track in self.open if t - track.last_t <= self.patience]
        return ended

    def finish(self) -> list[TextTrack]:
        """End every track, at the end of the source or at a cut, and return them."""
        ended, self.open = self.open, []
        return ended

    def _see(self, track: TextTrack, frame: int, t: float, found: Sighting, row: int) -> None:
        quad, text = np.asarray(found.quads[row], np.float64), found.texts[row]
        place = track.expected(t) if track.lost else track.whole
        if t - track.whole_t <= self.patience and float(_parts(place[None], quad[None])[0, 0]) > 0:
            track.whole = place
        else:
            track.whole, track.whole_t = quad, t
            if found.features[row].any():
                mean = MEMORY * track.feature + (1 - MEMORY) * found.features[row]
                track.feature = mean / (np.linalg.norm(mean) or 1.0)
            if text is not None:
                track.says = text
        if t > track.sighted_t:
            track.speed = (track.whole.mean(axis=0) - track.sighted.mean(axis=0)) / (t - track.sighted_t)
        track.sighted, track.sighted_t = track.whole, t
        track.quad = found.quads[row]
        if text is not None:
            track.text = text
        track.last_frame, track.last_t = frame, t
        track.seen += 1

    def _pairs(self, t: float, found: Sighting, known: Sequence[TextTrack | None]) -> list[TextTrack | None]:
        """Return the track of each text; None for those that are new."""
        owner = list(known)
        taken = {track.number for track in owner if track is not None}
        rows = np.array([track.number not in taken for track in self.open], dtype=bool)
        columns = np.array([track is None for track in owner], dtype=bool)
        if not rows.any() or not columns.any():
            return owner
        quads = np.asarray(found.quads, np.float64)
        moved = np.stack([track.whole for track in self.open])
        places = [moved, np.stack([track.expected(t) for track in self.open])]
        overlap = np.max([np.maximum(polygon_overlap(place, quads), _parts(place, quads)) for place in places], axis=0)
        away = np.min([_away(place, quads, self.cues.reach) for place in places], axis=0)
        alike, hidden = _alike([track.says or "" for track in self.open], [text or "" for text in found.texts])
        looks = np.stack([track.feature for track in self.open]) @ found.features.T
        # What says something else is another text, however alike in place, unless it is misread and looks the same
        # where the other is expected: neighbouring lines of one font look alike too.
        apart = ~hidden & disagree([track.says or "" for track in self.open], [text or "" for text in found.texts])
        elsewhere = (overlap <= 0) & bool(self.cues.position)
        apart &= (looks < self.cues.same) | elsewhere | (self.cues.visual == 0)
        by_cues = apart & bool(self.cues.semantic)
        by_place = apart & bool(self.cues.semantic or self.cues.veto)
        cost = np.where(by_cues, np.inf, self._distances(overlap, away, alike, found))
        column = assign(cost, self.cues.limit, rows, columns)
        rows &= column < 0
        columns[column[column >= 0]] = False
        # What is left: where it stood, it stands.
        rows &= np.array([not track.lost for track in self.open])
        if rows.any() and columns.any():
            cost = np.where(by_place, np.inf, 1 - overlap)
            column = np.maximum(column, assign(cost, 1 - self.cues.overlap, rows, columns))
        for row, place in enumerate(column.tolist()):
            if place >= 0:
                owner[place] = self.open[row]
        return owner

    def _distances(self, overlap: np.ndarray, away: np.ndarray, alike: np.ndarray, found: Sighting) -> np.ndarray:
        """Return the weighted mean distance (T, N) of each track and text; inf where they are out of reach."""
        cues = self.cues
        total = cues.position * (1 - overlap + np.minimum(away, 1)) / 2
        weight = np.full(overlap.shape, cues.position, float)
        looks = np.stack([track.feature for track in self.open])
        known = looks.any(axis=1)[:, None] & found.features.any(axis=1)
        total += np.where(known, cues.visual * (1 - looks @ found.features.T) / 2, 0)
        weight += np.where(known, cues.visual, 0)
        read = np.array([bool(track.says) for track in self.open])[:, None] & np.array(list(map(bool, found.texts)))
        total += np.where(read, cues.semantic * (1 - alike), 0)
        weight += np.where(read, cues.semantic, 0)
        mean = np.divide(total, weight, out=np.ones_like(total), where=weight > 0)
        return np.where(away <= 1, mean, np.inf)


def _alike(ours: Sequence[str], theirs: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
    """Return how alike texts are, (T, N) in [0, 1], and which of them may be parts of the other, (T, N) bool.

    The mean of what both have in common, as a share of both and of the shorter one, which may be hidden in part.
    """
    from rapidfuzz import process
    from rapidfuzz.distance import Indel

    ours, theirs = list(map(plain, ours)), list(map(plain, theirs))
    share = process.cdist(ours, theirs, scorer=Indel.normalized_similarity, dtype=np.float64)
    lengths = np.array(list(map(len, ours)))[:, None], np.array(list(map(len, theirs)))
    least = np.minimum(*lengths)
    part = np.divide(share * (lengths[0] + lengths[1]) / 2, least, out=np.zeros_like(share), where=least > 0)
    return (share + part) / 2, (part >= SAME) & (least > 1)


def _away(places: np.ndarray, quads: np.ndarray, reach: float) -> np.ndarray:
    """Return how far the centres of places and texts (T, N) are apart, as a share of the reach."""
    away = np.linalg.norm(places.mean(axis=1)[:, None] - quads.mean(axis=1), axis=2)
    longest = reach * np.maximum(_length(places)[:, None], _length(quads))
    return np.divide(away, longest, out=np.full(away.shape, np.inf), where=longest > 0)


def _parts(places: np.ndarray, quads: np.ndarray) -> np.ndarray:
    """Return how much (T, N) of each text lies in each place, where it may be what is seen of the text there, else 0.

    It may be where it is shorter than the place and as high, and nearly all of it lies inside.
    """
    shorter = _length(quads) < PART * _length(places)[:, None]
    heights = _height(quads) / np.maximum(_height(places)[:, None], 1e-6)
    likely = shorter & (heights > 1 / HIGHER) & (heights < HIGHER)
    inside = np.zeros(likely.shape)
    rows, columns = np.nonzero(likely)
    if len(rows):
        inside[rows, columns] = overlap_of_pairs(places, quads, rows, columns, "second")
    return np.where(inside >= INSIDE, inside, 0.0)


def _height(quads: np.ndarray) -> np.ndarray:
    """Return the shorter of both pairs of sides (N,) of quadrilaterals (N, 4, 2), as their mean."""
    sides = np.linalg.norm(quads - np.roll(quads, 1, axis=1), axis=2)
    return np.minimum(sides[:, 0] + sides[:, 2], sides[:, 1] + sides[:, 3]) / 2


def _length(quads: np.ndarray) -> np.ndarray:
    """Return the longest side (N,) of quadrilaterals (N, 4, 2)."""
    return np.linalg.norm(quads - np.roll(quads, 1, axis=1), axis=2).max(axis=1)
