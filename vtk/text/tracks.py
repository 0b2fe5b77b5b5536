"""Which text is which from frame to frame: by what it looks like, where it stands and what it says."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from vtk.kernels.association import assign
from vtk.text.agreement import disagree, plain, polygon_iou

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
    """

    visual: float = 1.0
    position: float = 1.0
    semantic: float = 1.0
    limit: float = 0.5
    overlap: float = 0.4
    reach: float = 1.5
    veto: bool = False


# For features that are learnt from looks, place and words together. Source: CoText's released tracker on ICDAR: cosine
# distance of at most 0.5, twice the distance here; then an overlap of at least 0.6, unless the transcripts disagree.
JOINT = Cues(position=0.0, semantic=0.0, limit=0.25, overlap=0.6, veto=True)


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
        for row, track in enumerate(self._pairs(found, known or [None] * len(found))):
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
        track.quad = found.quads[row]
        if found.features[row].any():
            mean = MEMORY * track.feature + (1 - MEMORY) * found.features[row]
            track.feature = mean / (np.linalg.norm(mean) or 1.0)
        if found.texts[row] is not None:
            track.text = found.texts[row]
        track.last_frame, track.last_t = frame, t
        track.seen += 1

    def _pairs(self, found: Sighting, known: Sequence[TextTrack | None]) -> list[TextTrack | None]:
        """Return the track of each text; None for those that are new."""
        owner = list(known)
        taken = {track.number for track in owner if track is not None}
        rows = np.array([track.number not in taken for track in self.open], dtype=bool)
        columns = np.array([track is None for track in owner], dtype=bool)
        if not rows.any() or not columns.any():
            return owner
        overlap = polygon_iou(np.stack([track.quad for track in self.open]), found.quads)
        # What says something else is another text, however alike in place and looks.
        apart = disagree([track.text or "" for track in self.open], [text or "" for text in found.texts])
        by_cues = apart & bool(self.cues.semantic)
        by_place = apart & bool(self.cues.semantic or self.cues.veto)
        column = assign(np.where(by_cues, np.inf, self._distances(overlap, found)), self.cues.limit, rows, columns)
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

    def _distances(self, overlap: np.ndarray, found: Sighting) -> np.ndarray:
        """Return the weighted mean distance (T, N) of each track and text; inf where they are out of reach."""
        from rapidfuzz import process
        from rapidfuzz.distance import Indel

        cues, away = self.cues, self._away(found)
        total = cues.position * (1 - overlap + np.minimum(away, 1)) / 2
        weight = np.full(overlap.shape, cues.position, float)
        looks = np.stack([track.feature for track in self.open])
        known = looks.any(axis=1)[:, None] & found.features.any(axis=1)
        total += np.where(known, cues.visual * (1 - looks @ found.features.T) / 2, 0)
        weight += np.where(known, cues.visual, 0)
        ours, theirs = [track.text for track in self.open], list(found.texts)
        read = np.array([bool(text) for text in ours])[:, None] & np.array([bool(text) for text in theirs])
        if cues.semantic and read.any():
            alike = process.cdist([plain(text or "") for text in ours], [plain(text or "") for text in theirs],
                                  scorer=Indel.normalized_similarity, dtype=np.float64)
            total += np.where(read, cues.semantic * (1 - alike), 0)
            weight += np.where(read, cues.semantic, 0)
        mean = np.divide(total, weight, out=np.ones_like(total), where=weight > 0)
        return np.where(away <= 1, mean, np.inf)

    def _away(self, found: Sighting) -> np.ndarray:
        """Return how far the centres of each track and text (T, N) are apart, as a share of the reach."""
        quads = np.stack([track.quad for track in self.open])
        away = np.linalg.norm(quads.mean(axis=1)[:, None] - found.quads.mean(axis=1), axis=2)
        reach = self.cues.reach * np.maximum(_length(quads)[:, None], _length(found.quads))
        return np.divide(away, reach, out=np.full(away.shape, np.inf), where=reach > 0)


def _length(quads: np.ndarray) -> np.ndarray:
    """Return the longest side (N,) of quadrilaterals (N, 4, 2)."""
    return np.linalg.norm(quads - np.roll(quads, 1, axis=1), axis=2).max(axis=1)
