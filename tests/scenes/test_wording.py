"""What is written as evidence of the place: names of labels, words of signs, and how much they say."""

from __future__ import annotations

import numpy as np
import pytest

from vtk.models.places365_labels import PLACES
from vtk.scenes.wording import _NO_SIGNS, SURE, Wording, _signs


@pytest.fixture(scope="module")
def wording() -> Wording:
    return Wording(PLACES)


def best(wording: Wording, *texts: str, score: float = 0.9) -> set[str]:
    """Return the labels that get the most by texts."""
    found = wording.probabilities([(text, score) for text in texts])
    return set() if found is None else {PLACES[row] for row in np.flatnonzero(found >= found.max() - 1e-12)}


def test_the_lexicon_names_places_and_each_phrase_once() -> None:
    phrases = [phrase for phrase, _ in _signs()]
    assert len(phrases) == len(set(phrases)) > 200
    assert {place for _, places in _signs() for place in places} <= set(PLACES)
    assert all(phrase == " ".join(phrase.casefold().split()) for phrase in phrases)
    assert _NO_SIGNS <= {place.split("/")[0] for place in PLACES}


@pytest.mark.parametrize(("text", "places"), [
    ("PHARMACY", {"pharmacy"}), ("Rx  apotheke", {"pharmacy", "drugstore"}), ("Coffee-Shop!", {"coffee_shop"}),
    ("COFFEE", {"coffee_shop"}), ("SUBWAY", {"subway_station/platform", "train_station/platform"}),
    ("the museum", {"museum/indoor", "museum/outdoor"}),
    ("CAR PARK", {"parking_garage/indoor", "parking_garage/outdoor", "parking_lot"}),
    ("BÄCKEREI", {"bakery/shop"}), ("Panaderi\u0301a", {"bakery/shop"}),
    ("Bibliothèque", {"library/indoor", "library/outdoor"}),
    ("P I Z Z A", {"pizzeria"}), ("Restaurant", {"restaurant"}), ("sky", set()), ("Main Street", set()),
    ("", set()), ("1984", set()), ("pharmacyx", set()), ("日本", set()),
])
def test_signs(wording: Wording, text: str, places: set[str]) -> None:
    assert best(wording, text) == places


def test_the_longest_phrase_counts_and_its_words_once(wording: Wording) -> None:
    assert best(wording, "ski rental") == {"ski_resort", "ski_slope"}
    assert best(wording, "hotel room") == {"hotel_room"}, "not the hotel as well"


def test_what_is_read_surely_says_more(wording: Wording) -> None:
    sure, unsure = (wording.probabilities([("PIZZA", score)]) for score in (1.0, 0.3))
    assert sure is not None and unsure is not None
    place = PLACES.index("pizzeria")
    np.testing.assert_allclose([sure[place], unsure[place]],
                               [SURE + (1 - SURE) / 365, 0.3 * SURE + (1 - 0.3 * SURE) / 365])
    np.testing.assert_allclose([sure.sum(), unsure.sum()], 1)
    assert wording.probabilities([("PIZZA", 0.0)]) is None and wording.probabilities([]) is None


def test_pictures_and_text_are_fused_by_hand() -> None:
    wording = Wording(("cinema", "zoo"))
    pictures = np.log([0.2, 0.8])
    both = np.exp(wording.fused(pictures, [("ZOO", 1.0), ("Cinema", 1.0)], 0.5))
    np.testing.assert_allclose(both, [0.2, 0.8], err_msg="both are written: nothing changes")
    told = np.array([SURE + (1 - SURE) / 2, (1 - SURE) / 2])
    raised = np.array([0.2, 0.8]) * np.sqrt(told)
    np.testing.assert_allclose(np.exp(wording.fused(pictures, [("CINEMA", 1.0)], 0.5)), raised / raised.sum())
    assert wording.fused(pictures, [("CINEMA", 1.0)], 0.0) is pictures
    assert wording.fused(pictures, [("nothing", 1.0)], 0.5) is pictures


def test_labels_of_any_kind() -> None:
    wording = Wording(("Ćevabdžinica", "Ara macao (Scarlet Macaw)", "coffee_shop"))
    found = [wording.probabilities([(text, 1.0)]) for text in ("ĆEVABDŽINICA Željo", "ara macao", "espresso")]
    assert [int(np.argmax(each)) for each in found] == [0, 1, 2]
    assert Wording(()).probabilities([("x", 1.0)]) is None
