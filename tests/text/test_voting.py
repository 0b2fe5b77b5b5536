"""The vote over aligned characters: what it must and must not elect, whatever the script and the order."""

from __future__ import annotations

import itertools
import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vtk.text.voting import vote

TEXTS = st.text(st.sampled_from("ab1 é\u0301\u05d0\u0661漢字🙂"), max_size=8)
SCORES = st.floats(0.01, 1)


def reading(text: str, score: float = 0.9, weight: float = 1.0) -> tuple[str, list[float], float]:
    """Return a reading with one score for all characters."""
    return text, [score] * len(text), weight


@settings(max_examples=200, deadline=None, derandomize=True)
@given(text=st.text(min_size=1, max_size=30), data=st.data())
def test_one_reading_is_itself(text: str, data: st.DataObject) -> None:
    scores = data.draw(st.lists(SCORES, min_size=len(text), max_size=len(text)))
    got, score = vote([(text, scores, data.draw(st.floats(0.1, 10)))])
    assert got == text
    assert min(scores) - 1e-9 <= score <= max(scores) + 1e-9


@settings(max_examples=200, deadline=None, derandomize=True)
@given(readings=st.lists(st.tuples(TEXTS, SCORES, st.floats(0.1, 5)), max_size=5), data=st.data())
def test_the_order_of_readings_does_not_matter(readings: list[tuple[str, float, float]], data: st.DataObject) -> None:
    given = [reading(*each) for each in readings]
    text, score = vote(given)
    assert vote(data.draw(st.permutations(given))) == (text, score)
    assert 0 <= score <= 1
    assert set(text) <= set("".join(each[0] for each in readings))


def test_characters_win_where_no_whole_text_has_a_majority() -> None:
    readings = [reading(text) for text in ("carpurk", "corpark", "carpar", "earpark", "carqark")]
    assert len({text for text, _, _ in readings}) == len(readings)
    text, score = vote(readings)
    assert text == "carpark"
    assert score == pytest.approx(0.9 * (4 + 4 + 5 + 4 + 4 + 5 + 4) / 7 / 5)


@pytest.mark.parametrize(("texts", "wanted"), [
    (("EXIT", "EXIT", "EXIIT"), "EXIT"),  # what one reading adds is voted out
    (("EXIT", "EXT", "EXIT"), "EXIT"),
    (("fusionopolis", "usionopolis", "fusionopoli", "fusiono polis"), "fusionopolis"),
    (("to the left", "tothe left", "to the left"), "to the left"),
    (("漢字認識", "漢宇認識", "漢字認"), "漢字認識"),
    (("שלום", "שלוס", "שלום"), "שלום"),
    (("مرحبا", "مرحا", "مرحبا"), "مرحبا"),
])  # fmt: skip
def test_majority_by_place(texts: tuple[str, ...], wanted: str) -> None:
    for order in itertools.permutations(texts):
        assert vote(map(reading, order))[0] == wanted


def test_scores_and_weights_outvote_numbers() -> None:
    readings = [("B0B", [0.9, 0.3, 0.9], 1), ("B0B", [0.9, 0.3, 0.9], 1), ("BOB", [0.9, 0.9, 0.9], 1)]
    assert vote(readings)[0] == "BOB"
    assert vote([reading("far", weight=1), reading("far", weight=1), reading("car", weight=3)])[0] == "car"


def test_a_combining_mark_stays_with_its_letter() -> None:
    with_mark, without = "cafe\u0301s", "cafes"
    assert vote([reading(with_mark), reading(with_mark), reading(without)])[0] == with_mark
    assert vote([reading(with_mark), reading(without), reading(without)])[0] == without
    # Two marks that are both likelier than none: only one of them may come out on the letter.
    assert vote([("a\u0301", [0.9, 0.8], 1), ("a\u0302", [0.9, 0.9], 1), ("a", [0.5], 1)])[0] == "a\u0302"


def test_what_was_not_read_does_not_vote() -> None:
    assert vote([]) == ("", 0.0)
    assert vote([reading(""), reading("")]) == ("", 0.0)
    assert vote([reading(""), reading(""), reading("EXIT")]) == ("EXIT", pytest.approx(0.9))
    assert vote([("ab", [0.0, 0.0], 1)]) == ("", 0.0)


def test_noisy_readings_are_mended() -> None:
    """Eight readings with one character in seven wrong, missing or added: half of them are wrong, the vote is not."""
    rng, right, readings_right = np.random.default_rng(5), 0, 0
    for _ in range(40):
        truth = "".join(rng.choice(list("abcdefghijklmnop"), 9))
        readings = []
        for _ in range(8):
            text, scores = [], []
            for each in truth:
                kind = rng.choice(5, p=(0.86, 0.06, 0.04, 0.02, 0.02))
                heard = {0: each, 1: "x", 2: "", 3: each + "y", 4: "z" + each}[int(kind)]
                text.append(heard)
                scores += list(rng.uniform(*((0.7, 1.0) if kind == 0 else (0.3, 0.9)), len(heard)))
            readings.append(("".join(text), scores, 1.0))
        readings_right += sum(text == truth for text, _, _ in readings) / 8
        right += vote(readings)[0] == truth
    assert readings_right < 0.4 * 40
    assert right >= 0.95 * 40


def test_time_of_a_vote() -> None:
    """Ten different readings of a line of 60 characters take less than a second by far (measured: about 20 ms)."""
    line = "the quick brown fox jumps over the lazy dog and runs far away"
    start = time.process_time()
    assert vote([reading(line[:k] + "#" + line[k + 1 :]) for k in range(0, 60, 6)])[0] == line
    assert time.process_time() - start < 1


@pytest.mark.parametrize(("readings", "message"), [
    ([("ab", [0.5], 1)], r"readings\[0\]: got 1 scores, expected 2"),
    ([reading("ab"), ("a", [1.5], 1)], r"readings\[1\]: got scores \[1.5\], expected numbers in \[0, 1\]"),
    ([("a", [float("nan")], 1)], "expected numbers in"),
    ([reading("ab", weight=0)], "got weight 0, expected a positive number"),
    ([reading("ab", weight=float("nan"))], "got weight nan"),
])  # fmt: skip
def test_refuses(readings: list[tuple[str, list[float], float]], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        vote(readings)
