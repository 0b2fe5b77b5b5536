"""Text metrics by hand: what matches, what is don't-care, what tracks and transcripts come to."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from vtk.metrics.mot import Pairs, Places, score_pairs
from vtk.metrics.text import IMAGE, VIDEO, Edits, Texts, combine_texts, edits_between, score_texts, spelled

Row = tuple[int, int, tuple[float, float, float, float], str]


def texts(*rows: Row) -> Texts:
    """Return rows of frame, id, box x y w h and text."""
    boxes = [np.array([[x, y], [x + w, y], [x + w, y + h], [x, y + h]], dtype=float) for _, _, (x, y, w, h), _ in rows]
    return Texts(np.array([row[0] for row in rows], dtype=np.int64), np.array([row[1] for row in rows], dtype=np.int64),
                 boxes, [row[3] for row in rows])


def nobody(truth: Texts) -> np.ndarray:
    return np.zeros(len(truth.frame), dtype=bool)


BOX = (0, 0, 40, 10)
TRACK = texts(*((frame, 1, BOX, "Hello") for frame in range(1, 11)))


def test_the_truth_against_itself_is_perfect() -> None:
    figures = score_texts(TRACK, nobody(TRACK), TRACK).figures()
    shares = {name: value for name, value in figures.items() if name.removeprefix("E2E_") in (
        "P", "R", "Hmean", "MOTA", "MOTP", "IDF1", "MM")}
    assert shares == dict.fromkeys(shares, 100)
    assert len(shares) == 14
    assert (figures["ML"], figures["IDSW"], figures["CER"], figures["WER"], figures["read"]) == (0, 0, 0, 0, 1)


def test_a_track_found_in_half_of_its_frames_under_two_ids() -> None:
    """5 of 10 frames, 3 as id 7 and 2 as id 8: MOTA = 1 − (5 + 1)/10, IDF1 = 2·3 / (10 + 5), partly matched."""
    found = texts(*((frame, 7 if frame < 4 else 8, BOX, "Hello") for frame in range(1, 6)))
    figures = score_texts(TRACK, nobody(TRACK), found).figures()
    assert figures["Hmean"] == pytest.approx(100 * 10 / 15)
    assert {name: figures[name] for name in ("P", "R", "MOTA", "IDF1", "PM", "IDSW", "FN", "FP")} == pytest.approx(
        {"P": 100, "R": 50, "MOTA": 40, "IDF1": 40, "PM": 100, "IDSW": 1, "FN": 5, "FP": 0})


def test_end_to_end_needs_the_transcript_whatever_its_case_and_punctuation() -> None:
    truth = texts((1, 1, BOX, "Hello!"), (1, 2, (0, 50, 40, 10), "World"), (1, 3, (0, 90, 40, 10), "été"))
    found = texts((1, 1, BOX, "hELLO"), (1, 2, (0, 50, 40, 10), "Word"), (1, 3, (0, 90, 40, 10), "e\u0301té"))
    figures = score_texts(truth, nobody(truth), found, IMAGE).figures()
    assert (figures["Hmean"], figures["E2E_P"], figures["E2E_R"]) == (100, pytest.approx(200 / 3), pytest.approx(200 / 3))
    # 6 + 5 + 3 characters: the mark, four capitals against small ones and back, the l of World.
    assert figures["CER"] == pytest.approx(100 * (6 + 1 + 0) / 14)
    assert score_texts(truth, nobody(truth), found, replace(IMAGE, case=False)).figures()["CER"] == pytest.approx(
        100 * 2 / 14)


def test_words_that_are_too_short_are_dont_care_end_to_end_alone() -> None:
    truth = texts((1, 1, BOX, "It"), (1, 2, (0, 50, 40, 10), "rains"))
    found = texts((1, 1, BOX, "of"), (1, 2, (0, 50, 40, 10), "rains"))
    figures = score_texts(truth, nobody(truth), found, IMAGE).figures()
    assert (figures["R"], figures["E2E_P"], figures["E2E_R"]) == (100, 100, 100)
    strict = score_texts(truth, nobody(truth), found, replace(IMAGE, shortest=0)).figures()
    assert (strict["E2E_P"], strict["E2E_R"]) == (50, 50)


def test_what_lies_on_a_dont_care_region_is_not_counted() -> None:
    """A result a quarter of the region's size inside it: overlap 1/4, all of its own area."""
    truth = texts((1, 1, (0, 0, 40, 40), "###"), (1, 2, (100, 0, 40, 10), "word"))
    inside, same, half = (texts((1, 1, box, "x")) for box in ((0, 0, 20, 20), (0, 0, 40, 40), (20, 0, 40, 40)))
    ignored = np.array([True, False])
    said = {name: [score_texts(truth, ignored, found, replace(rules, tracked=False)).figures()["FP"]
                   for found in (inside, same, half)] for name, rules in (("overlap", VIDEO), ("area", IMAGE))}
    assert said == {"overlap": [1, 0, 1], "area": [0, 0, 1]}, "exactly half of the area is not more than half"


def test_an_overlap_of_exactly_half_matches() -> None:
    truth, found = texts((1, 1, (0, 0, 40, 10), "word")), texts((1, 1, (0, 0, 20, 10), "word"))
    assert score_texts(truth, nobody(truth), found).figures()["Hmean"] == 100
    less = texts((1, 1, (0, 0, 19.9, 10), "word"))
    assert score_texts(truth, nobody(truth), less).figures()["Hmean"] == 0


def test_a_slanted_text_by_polygon_and_by_box() -> None:
    """A diamond fills half of its box: against the box it overlaps ½ as polygons, 1 as boxes; a smaller box, less."""
    diamond = Texts(np.array([1]), np.array([1]), [np.array([[5.0, 0], [10, 5], [5, 10], [0, 5]])], ["word"])
    box = texts((1, 1, (0, 0, 10, 10), "word"))
    figures = {shape: score_texts(diamond, np.array([False]), box, replace(VIDEO, shape=shape)).figures()["MOTP"]
               for shape in ("polygon", "box")}
    assert figures == {"polygon": 50, "box": 100}


def test_a_vocabulary_takes_both_sides_for_its_nearest_word() -> None:
    truth, found = texts((1, 1, BOX, "ROLEX")), texts((1, 1, BOX, "R0LEX"))
    assert score_texts(truth, nobody(truth), found).figures()["E2E_Hmean"] == 0
    rules = replace(VIDEO, vocabulary=("Chopard", "Rolex"))
    assert score_texts(truth, nobody(truth), found, rules).figures()["E2E_Hmean"] == 100
    assert score_texts(truth, nobody(truth), texts((1, 1, BOX, "chopar")), rules).figures()["E2E_Hmean"] == 0


def test_transcripts_of_tracks_are_compared_once_a_track() -> None:
    """Two truth tracks; the result follows one of them and reads it wrong in one frame of three: the vote is right."""
    truth = texts(*((frame, 1, BOX, "two words") for frame in (1, 2, 3)), (1, 2, (0, 90, 40, 10), "missed"))
    found = texts((1, 5, BOX, "two words"), (2, 5, BOX, "two warts"), (3, 5, BOX, "two words"))
    scores = score_texts(truth, nobody(truth), found)
    assert scores.edits == Edits(1, 0, 9, 0, 2)
    wrong = texts(*((frame, 5, BOX, "two  worlds") for frame in (1, 2, 3)))
    assert score_texts(truth, nobody(truth), wrong).edits == Edits(1, 1, 9, 1, 2), "white space is one space"


@pytest.mark.parametrize(("text", "plain"), [
    ("It's!", "its"), ("STRASSE", "strasse"), ("straße", "strasse"), ("你好，世界", "你好世界"), ("שלום", "שלום"),
    ("ﬁn", "fin"), ("हिन्दी", "हिन्दी"), ("--- ###", ""), ("Ⅷ", "viii")])
def test_spelling(text: str, plain: str) -> None:
    assert spelled(text) == plain


def test_edits_by_hand() -> None:
    assert edits_between("kitten here", "sitting here") == Edits(1, 3, 11, 1, 2)
    assert edits_between("word", "") == Edits(1, 4, 4, 1, 1)
    assert edits_between("Ab", "aB", case=False) == Edits(1, 0, 2, 0, 1)


def test_scores_add_up_over_sequences() -> None:
    nothing = texts()
    missed = score_texts(TRACK, nobody(TRACK), nothing)
    invented = score_texts(nothing, nobody(nothing), TRACK)
    perfect = score_texts(TRACK, nobody(TRACK), TRACK)
    figures = combine_texts([perfect, missed, invented]).figures()
    assert (figures["P"], figures["R"], figures["Hmean"], figures["MM"], figures["ML"]) == (50, 50, 50, 50, 50)
    assert (figures["MOTA"], figures["IDF1"]) == (0, 50)
    assert {"R", "MOTA", "CER", "E2E_P"}.isdisjoint(invented.figures())
    assert {"P", "MOTP", "WER"}.isdisjoint(missed.figures())
    assert score_texts(nothing, nobody(nothing), nothing).figures() == {"IDSW": 0, "FP": 0, "FN": 0, "read": 0}
    with pytest.raises(ValueError, match="at least one sequence"):
        combine_texts([])


def test_order_does_not_matter() -> None:
    random = np.random.default_rng(2)
    rows = [(frame, track, (track * 60 + float(random.normal()), 0, 40, 10), f"word{track}")
            for frame in range(1, 20) for track in range(5) if random.random() < 0.8]
    other = [(*row[:2], (row[2][0] + 4, 0, 40, 10), row[3]) for row in rows if random.random() < 0.8]
    shuffled = [other[place] for place in random.permutation(len(other))]
    truth = texts(*rows)
    figures = score_texts(truth, nobody(truth), texts(*other)).figures()
    assert score_texts(truth, nobody(truth), texts(*shuffled)).figures() == pytest.approx(figures)
    assert 50 < figures["E2E_IDF1"] < 100


def test_wrong_input_is_refused() -> None:
    with pytest.raises(ValueError, match=r"must have shape \(10,\), got \(3,\)"):
        score_texts(TRACK, np.zeros(3, dtype=bool), TRACK)
    with pytest.raises(ValueError, match="must be of one length, got \\[9, 10\\]"):
        score_texts(TRACK, nobody(TRACK), TRACK._replace(text=["x"] * 9))
    with pytest.raises(ValueError, match="shape must be polygon or box, got 'round'"):
        score_texts(TRACK, nobody(TRACK), TRACK, replace(VIDEO, shape="round"))  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="got id 1 twice in frame 1"):
        score_texts(TRACK, nobody(TRACK), texts((1, 1, BOX, "a"), (1, 1, BOX, "b")))
    here, there = Places(np.array([1]), np.array([1])), Places(np.array([2]), np.array([1]))
    with pytest.raises(ValueError, match="of one frame"):
        score_pairs(here, there, Pairs(np.array([0]), np.array([0]), np.array([1.0])))
    with pytest.raises(ValueError, match="must not decrease"):
        score_pairs(Places(np.array([2, 1]), np.array([1, 1])), there, Pairs(*(np.empty(0, np.int64),) * 2, np.empty(0)))
