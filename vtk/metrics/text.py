"""Text in images and video: detection, reading and tracking against ground truth, over plain lists and arrays.

    scores = score_texts(truth, ignored, Texts(frame, id, polygons, text), VIDEO)  # of one sequence or image
    scores.figures()                                                               # percent
    combine_texts([scores, ...]).figures()                                         # over sequences

End-to-end figures have names that begin with E2E: a match needs the transcript too.
"""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np

from vtk.metrics.mot import Pairs, Places, Scores, combine, score_pairs
from vtk.metrics.polygons import bounds, overlap_of_pairs

MATCH = 0.5  # the least overlap of a match. Source: the ICDAR robust reading protocols; TrackEval's default too


class Texts(NamedTuple):
    """Pieces of text of one sequence.

    Attributes:
        frame: (R,) int64.
        id: (R,) int64, unique within a frame.
        polygons: R arrays (K, 2) float64 in pixels.
        text: R transcripts.
    """

    frame: np.ndarray
    id: np.ndarray
    polygons: Sequence[np.ndarray]
    text: Sequence[str]

    def take(self, rows: np.ndarray) -> Texts:
        """Return those of ``rows``, a mask or indices."""
        places = np.arange(len(self.frame))[rows].tolist()
        return Texts(self.frame[rows], self.id[rows], [self.polygons[place] for place in places],
                     [self.text[place] for place in places])


@dataclass(frozen=True, slots=True)
class Rules:
    """A protocol: what a match is, and what takes a result out of the count.

    Attributes:
        shape: overlap of the polygons, or of the axis-aligned boxes around them.
        ignored: what takes out a result on a don't-care region: an overlap (IoU) above 0.5 with it, or more than half
            of the result's area in it.
        shortest: letters and digits that a word needs; a shorter one of the truth is don't-care end to end.
        vocabulary: words, one of which each transcript is taken for before they are compared; None compares as read.
        case: whether CER and WER tell capitals from small letters; end to end they never differ.
        tracked: whether ids mean anything: without, there are no figures of tracks.

    Source: ICDAR 2015 robust reading, challenges 3 (video) and 4 (images).
    """

    shape: Literal["polygon", "box"] = "polygon"
    ignored: Literal["overlap", "area"] = "overlap"
    shortest: int = 3
    vocabulary: tuple[str, ...] | None = None
    case: bool = True
    tracked: bool = True


VIDEO = Rules()
IMAGE = Rules(ignored="area", tracked=False)


class Edits(NamedTuple):
    """Edits between the transcripts of matched tracks (or words of images): what CER and WER are shares of."""

    pairs: int = 0
    character_edits: int = 0
    characters: int = 0
    word_edits: int = 0
    words: int = 0

    def __add__(self, other: object) -> Edits:
        """Return the sums of both."""
        if not isinstance(other, Edits):
            return NotImplemented
        return Edits(*(mine + its for mine, its in zip(self, other, strict=True)))


@dataclass(frozen=True, slots=True)
class TextScores:
    """What one sequence, or several combined, came to: found, read, and how far transcripts are off."""

    detection: Scores
    spotting: Scores
    edits: Edits
    tracked: bool = True

    def figures(self) -> dict[str, float | int]:
        """Return the figures, shares in percent and counts; a share of nothing is left out.

        P, R, Hmean; of tracks MOTA, MOTP (mean overlap of matches), IDF1, MM, PM, ML (share of tracks that are matched
        in more than 80 %, between, and less than 20 % of their frames), IDSW; FP, FN; the same with E2E_ before them;
        CER and WER over the tracks (words, of images) that have a match.
        """
        figures = _figures(self.detection, self.tracked)
        if self.spotting.truth:  # without transcripts there is no end to end
            figures |= {f"E2E_{name}": value for name, value in _figures(self.spotting, self.tracked).items()}
        if self.edits.characters:
            figures["CER"] = 100 * self.edits.character_edits / self.edits.characters
        if self.edits.words:
            figures["WER"] = 100 * self.edits.word_edits / self.edits.words
        return figures | {"read": self.edits.pairs}


def score_texts(truth: Texts, ignored: np.ndarray, found: Texts, rules: Rules = VIDEO) -> TextScores:
    """Score the texts of a sequence or an image.

    Args:
        truth: all R pieces of the ground truth, in any order.
        ignored: (R,) bool, those that are don't-care: neither found nor missed.
        found: the results, in any order.
        rules: the protocol.

    Raises:
        ValueError: lengths that do not agree, an id twice in a frame.
    """
    order = _checked_order(truth)
    truth, ignored = truth.take(order), _checked_mask(ignored, len(order))[order]
    found = found.take(_checked_order(found))
    pairs = overlapping(truth, found, rules.shape)
    inside = pairs if rules.ignored == "overlap" else overlapping(truth, found, rules.shape, "second")
    word = _reader(rules.vocabulary)
    truth_words, found_words = ([word(text) for text in side.text] for side in (truth, found))
    short = np.array([len(spelled(text)) < rules.shortest for text in truth.text], dtype=bool)
    same = [truth_words[row] == found_words[column] for row, column in zip(pairs.truth, pairs.found, strict=True)]
    detection = _score(truth, ignored, found, pairs, inside, rules)
    spotting = _score(truth, ignored | short, found, pairs.take(np.array(same, dtype=bool)), inside, rules)
    return TextScores(detection, spotting, _edits(truth, ignored, found, pairs, rules.case), rules.tracked)


def combine_texts(scores: Sequence[TextScores]) -> TextScores:
    """Return the scores over several sequences: counts add up, shares are of the sums."""
    if not scores:
        raise ValueError("scores of at least one sequence are needed, got none")
    return TextScores(combine([one.detection for one in scores]), combine([one.spotting for one in scores]),
                      sum((one.edits for one in scores), Edits()), all(one.tracked for one in scores))


def overlapping(truth: Texts, found: Texts, shape: Literal["polygon", "box"] = "polygon",
                share_of: Literal["union", "second"] = "union") -> Pairs:
    """Return the pairs of a frame that overlap, of any shares above 0; both sides are by frame."""
    if shape not in ("polygon", "box"):
        raise ValueError(f"shape must be polygon or box, got {shape!r}")
    starts = np.searchsorted(found.frame, truth.frame, "left")
    counts = np.searchsorted(found.frame, truth.frame, "right") - starts
    rows = np.repeat(np.arange(len(truth.frame)), counts)
    columns = np.repeat(starts - np.concatenate([[0], np.cumsum(counts)[:-1]])[: len(counts)], counts) + np.arange(
        len(rows))
    sides = [side.polygons for side in (truth, found)]
    if shape == "box":
        sides = [_boxes(side) for side in sides]
    overlap = overlap_of_pairs(*sides, rows, columns, share_of)
    return Pairs(rows, columns, overlap).take(overlap > 0)


def spelled(text: str) -> str:
    """Return the letters, digits and vowel signs of ``text`` without case: what end-to-end figures compare."""
    plain = unicodedata.normalize("NFKC", text).casefold()
    return "".join(letter for letter in plain if unicodedata.category(letter)[0] in "LNM")


def edits_between(truth: str, found: str, case: bool = True) -> Edits:
    """Return the edits that make ``found`` of ``truth``, in characters and in words.

    Both are taken as written, punctuation and, unless ``case`` is False, case too, but for white space, whose runs
    count as one space, and for composed letters (NFC).
    """
    from rapidfuzz.distance import Levenshtein

    one, other = (" ".join(unicodedata.normalize("NFC", text).split()) for text in (truth, found))
    if not case:
        one, other = one.casefold(), other.casefold()
    return Edits(1, Levenshtein.distance(one, other), len(one), Levenshtein.distance(one.split(), other.split()),
                 len(one.split()))


def voted(texts: Sequence[str]) -> str:
    """Return the most frequent of ``texts``, the first of equals; empty of none."""
    return Counter(texts).most_common(1)[0][0] if len(texts) else ""


def _boxes(polygons: Sequence[np.ndarray]) -> list[np.ndarray]:
    """Return the axis-aligned boxes around polygons, as polygons."""
    return list(bounds(polygons)[:, [0, 1, 2, 1, 2, 3, 0, 3]].reshape(-1, 4, 2))


def _checked_order(texts: Texts) -> np.ndarray:
    """Return the rows by frame."""
    lengths = {len(column) for column in texts}
    if len(lengths) != 1:
        raise ValueError(f"frame, id, polygons and text must be of one length, got {sorted(lengths)}")
    return np.argsort(texts.frame, kind="stable")


def _checked_mask(ignored: np.ndarray, count: int) -> np.ndarray:
    ignored = np.asarray(ignored, dtype=bool)
    if ignored.shape != (count,):
        raise ValueError(f"ignored must have shape ({count},), got {ignored.shape}")
    return ignored


def _reader(vocabulary: Sequence[str] | None) -> Callable[[str], str]:
    """Return what makes a comparable word of a transcript: its spelling, or the word of the vocabulary nearest to it."""
    if not vocabulary:
        return spelled
    from rapidfuzz.distance import Levenshtein
    from rapidfuzz.process import extractOne

    words = list(dict.fromkeys(filter(None, map(spelled, vocabulary))))
    known: dict[str, str] = {}

    def nearest(text: str) -> str:
        word = spelled(text)
        if word not in known:
            hit = extractOne(word, words, scorer=Levenshtein.distance)
            known[word] = hit[0] if word and hit else word
        return known[word]

    return nearest


def _score(truth: Texts, ignored: np.ndarray, found: Texts, pairs: Pairs, inside: Pairs, rules: Rules) -> Scores:
    """Score what counts of both sides: results on don't-care regions are taken out."""
    kept = np.ones(len(found.frame), dtype=bool)
    kept[inside.found[ignored[inside.truth] & (inside.overlap > MATCH)]] = False
    counted = ~ignored
    pairs = pairs.take(counted[pairs.truth] & kept[pairs.found])
    new_truth, new_found = np.cumsum(counted) - 1, np.cumsum(kept) - 1
    return score_pairs(Places(truth.frame[counted], truth.id[counted]), Places(found.frame[kept], found.id[kept]),
                       Pairs(new_truth[pairs.truth], new_found[pairs.found], pairs.overlap),
                       ("CLEAR", "Identity") if rules.tracked else ("CLEAR",))


def _edits(truth: Texts, ignored: np.ndarray, found: Texts, pairs: Pairs, case: bool) -> Edits:
    """Return the edits between transcripts of tracks, each truth with the result that it shares most frames with."""
    from scipy.optimize import linear_sum_assignment

    matches = pairs.take((pairs.overlap >= MATCH) & ~ignored[pairs.truth])
    if not len(matches.truth):
        return Edits()
    truth_ids, rows = np.unique(truth.id[matches.truth], return_inverse=True)
    found_ids, columns = np.unique(found.id[matches.found], return_inverse=True)
    shared = np.zeros((len(truth_ids), len(found_ids)))
    np.add.at(shared, (rows, columns), 1 + matches.overlap * 1e-6)  # of equal counts the one that lies closer
    edits = Edits()
    truth_texts, found_texts = _transcripts(truth, ~ignored), _transcripts(found, np.ones(len(found.frame), dtype=bool))
    for row, column in zip(*linear_sum_assignment(-shared), strict=True):
        text = truth_texts[int(truth_ids[row])]
        if shared[row, column] and text.strip():
            edits += edits_between(text, found_texts[int(found_ids[column])], case)
    return edits


def _transcripts(texts: Texts, counted: np.ndarray) -> dict[int, str]:
    """Return the most frequent transcript of each id, of the rows that count."""
    readings: dict[int, list[str]] = {}
    for row in np.flatnonzero(counted).tolist():
        readings.setdefault(int(texts.id[row]), []).append(texts.text[row])
    return {track: voted(some) for track, some in readings.items()}


def _figures(scores: Scores, tracked: bool) -> dict[str, float | int]:
    """Return the figures of a kind of match, detection or end to end."""
    raw, figures = scores.raw["CLEAR"], {}
    matches = int(raw["CLR_TP"])
    for name, whole in (("P", scores.found), ("R", scores.truth), ("Hmean", (scores.found + scores.truth) / 2)):
        if whole:
            figures[name] = 100 * matches / whole
    if tracked:
        known = scores.figures()
        figures |= {name: known[name] for name in ("MOTA", "MOTP", "IDF1") if name in known}
        tracks = int(raw["MT"] + raw["PT"] + raw["ML"])
        if tracks:
            figures |= {name: 100 * int(raw[field]) / tracks for name, field in (("MM", "MT"), ("PM", "PT"),
                                                                                 ("ML", "ML"))}
        figures["IDSW"] = int(raw["IDSW"])
    return figures | {"FP": scores.found - matches, "FN": scores.truth - matches}
