"""What texts resemble in meaning: shares by hand, what says nothing, and words of the list before all."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from vtk.errors import UsageError, WeightsError
from vtk.models.places365_labels import PLACES
from vtk.models.runtime import RuntimeOptions
from vtk.scenes import meaning
from vtk.scenes.meaning import LEAST, SENTENCE, TEMPERATURE, Meaning, encoder_for
from vtk.scenes.words_bench import judged
from vtk.scenes.wording import SURE, Wording

LABELS = ("zoo", "church/indoor", "cinema")


class Vectors:
    """Stands for MiniLM: sentences of labels are axes, texts lie between them; it counts what it is asked."""

    name, sha256 = "all-minilm-l6-v2", "ab" * 32
    texts = {"lions": (0.8, 0.0, 0.6), "vespers": (0.1, 0.9, 0.0), "lunch": (LEAST - 0.01, 0.3, 0.3)}

    def __init__(self) -> None:
        self.asked: list[list[str]] = []

    def embed(self, texts: Sequence[str]) -> np.ndarray:
        self.asked.append(list(texts))
        axes = {SENTENCE.format(said): row for said, row in zip(("zoo", "indoor church", "cinema"), np.eye(3).tolist())}
        return np.array([(axes | self.texts)[text] for text in texts], np.float32)


@pytest.fixture
def vectors(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Vectors:
    """Return an encoder; what it says of labels is remembered in a folder of its own."""
    monkeypatch.setenv("VTK_HOME", str(tmp_path))
    return Vectors()


def test_shares_are_a_softmax_of_cosines(vectors: Vectors) -> None:
    lions, lunch, vespers = Meaning(LABELS, vectors).shares(["lions", "lunch", "vespers"])
    assert lions is not None and vespers is not None and lunch is None, "lunch resembles nothing enough"
    odds = np.exp(np.array([0.8, 0.0, 0.6]) / TEMPERATURE)
    np.testing.assert_allclose(lions, odds / odds.sum(), rtol=1e-5)  # cosines are of float32
    assert int(vespers.argmax()) == 1 and vespers.sum() == pytest.approx(1)


def test_each_text_and_label_is_embedded_once(vectors: Vectors, monkeypatch: pytest.MonkeyPatch) -> None:
    first = Meaning(LABELS, vectors)
    first.shares(["lions", "lions", "12", "", "7 €"])
    first.shares(["vespers", "lions"])
    assert vectors.asked[1:] == [["lions"], ["vespers"]], "fewer than three letters say nothing"
    Meaning(LABELS, vectors)
    assert len(vectors.asked) == 3, "the labels' vectors are in the cache"
    monkeypatch.setattr(meaning, "REMEMBERED", 1)
    first.shares(["lions"])
    assert vectors.asked[3:] == [["lions"]]
    assert Meaning((), vectors).shares(["lions"]) == [None]


def test_words_of_the_list_count_before_meaning(vectors: Vectors) -> None:
    wording = Wording(LABELS, Meaning(LABELS, vectors))
    plain = Wording(LABELS)
    known = [("ZOO", 0.9), ("vespers", 1.0)]
    np.testing.assert_array_equal(wording.probabilities(known), plain.probabilities(known))
    assert len(vectors.asked) == 1, "no text was asked about"
    found = wording.probabilities(iter([("vespers", 0.5), ("lunch", 0.9)]))
    assert found is not None and plain.probabilities([("vespers", 0.5)]) is None
    share = Meaning(LABELS, vectors).shares(["vespers"])[0]
    assert share is not None
    np.testing.assert_allclose(found, SURE * 0.5 * share + (1 - SURE * 0.5) / 3)
    for silent in ([("lunch", 1.0)], [("vespers", 0.0)], [], [("12", 1.0)]):
        assert wording.probabilities(silent) is None


def test_what_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    options = RuntimeOptions()
    made = object()
    monkeypatch.setattr(meaning, "load_text_encoder", lambda runtime: made)
    for there, expected in ((True, [made, None, made]), (False, [None, None, made])):
        monkeypatch.setattr(meaning, "at_hand", lambda there=there: there)
        assert [encoder_for(texts, options) for texts in meaning.TEXTS] == expected
    monkeypatch.undo()
    monkeypatch.setattr("vtk.models.weights.locate", lambda file: None)
    with pytest.raises(WeightsError, match="use --texts words"):
        encoder_for("minilm", options)
    with pytest.raises(UsageError, match="--texts all: there is auto, words, minilm"):
        meaning.check_texts("all")


def test_the_signs_name_places_and_the_list_knows_what_they_say_it_does() -> None:
    with open(Path(__file__).parent / "signs.csv", newline="", encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream))
    assert len({row["text"] for row in rows}) == len(rows) == 120
    wording = Wording(PLACES)
    for row in rows:
        places = set(filter(None, row["places"].split("|")))
        assert places <= set(PLACES) and bool(places) == (row["kind"] != "nothing"), row
        assert (wording.probabilities([(row["text"], 1.0)]) is not None) == (row["kind"] == "known"), row


def test_parts_of_an_answer_are_judged_by_hand() -> None:
    found = np.full(len(PLACES), 0.001)
    found[:2] = 0.3
    assert judged(found, frozenset(PLACES[:1])) == (0.5, 0.5, 0.0)
    assert judged(found, frozenset()) == (0.0, 1.0, 0.0) and judged(None, frozenset(PLACES)) == (0.0, 0.0, 1.0)
