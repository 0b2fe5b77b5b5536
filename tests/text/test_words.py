"""Lines split into words, against words drawn where they are known to stand."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from vtk.models.spotter import Reading
from vtk.text.words import WordIds, part, words_of


def reading(text, spans, scores=None):
    scores = np.full(len(text), 0.9, np.float32) if scores is None else np.array(scores, np.float32)
    return Reading(text, float(scores.mean()), scores, np.array(spans, np.float32), np.zeros(1, np.float32))


def test_spans_of_the_reading_tell_where_words_stand():
    line = reading("AB CD", [[0.05, 0.1], [0.2, 0.25], [0.45, 0.5], [0.7, 0.75], [0.9, 0.95]], [1, 0.5, 0.1, 0.8, 0.6])
    first, second = words_of("AB CD", 0.3, line)
    assert (first.text, second.text) == ("AB", "CD")
    assert (first.score, second.score) == pytest.approx((0.75, 0.7))
    # Half a letter of five, 0.1, beyond what was read, or half of the room between.
    assert (first.start, first.end, second.start, second.end) == pytest.approx((0, 0.35, 0.6, 1))


def test_another_text_than_was_read_is_split_by_its_characters():
    words = words_of("ABCD EFGH I", 0.4, reading("ABCDEFGHI", np.zeros((9, 2))))
    assert [(word.text, word.score) for word in words] == [("ABCD", 0.4), ("EFGH", 0.4), ("I", 0.4)]
    assert [(word.start * 11, word.end * 11) for word in words] == [
        pytest.approx(each) for each in [(0, 4), (5, 9), (10, 11)]]


@pytest.mark.parametrize("text", ["", " ", "\u3000"])
def test_nothing_has_no_words(text):
    assert words_of(text, 0.5, None) == []


def test_part_of_a_slanted_line():
    quad = np.array([[0, 0], [100, 50], [90, 70], [-10, 20]], np.float32)
    assert part(quad, 0, 1).tolist() == quad.tolist()
    assert part(quad, 0.5, 1).tolist() == [[50, 25], [100, 50], [90, 70], [40, 45]]


def test_part_of_vertical_text_is_from_the_top_down():
    quad = np.array([[0, 0], [20, 0], [20, 100], [0, 100]], np.float32)
    assert part(quad, 0, 0.25).tolist() == [[0, 0], [20, 0], [20, 25], [0, 25]]


def test_ids_stay_with_the_words_of_a_line():
    ids = WordIds()
    assert ids.of(7, ["bourFront"]) == [1]
    assert ids.of(8, ["PAY", "FOR"]) == [2, 3]
    assert ids.of(7, ["to", "HarbourFront"]) == [4, 1]  # the rest comes into view
    assert ids.of(7, ["HarbourFr"]) == [1] and ids.of(7, ["t"]) == [4]
    assert ids.of(8, ["WHY", "PAY", "FOR"]) == [5, 2, 3]
    assert ids.of(8, ["WHY", "PAV", "F0R"]) == [5, 2, 3]  # misread, in its place
    assert ids.of(8, ["FOR"]) == [3] and ids.of(8, []) == []
    assert ids.of(8, ["WHY", "FOR"]) == [5, 3]
    ids.close(7)
    assert ids.of(7, ["HarbourFront"]) == [6]


def test_words_that_were_drawn_are_found_where_they_stand(spotter):
    """Four words of one line, by the packaged networks: each overlaps with its ink, along the line, by 0.75 or more."""
    image = np.full((120, 640, 3), 255, np.uint8)
    x, ink = 20, []
    for word in ("Mind", "the", "little", "gap"):
        (width, height), _ = cv2.getTextSize(word, cv2.FONT_HERSHEY_SIMPLEX, 1.3, 3)
        cv2.putText(image, word, (x, 70), cv2.FONT_HERSHEY_SIMPLEX, 1.3, (0, 0, 0), 3, cv2.LINE_AA)
        ink.append((x, x + width))
        x += width + 22
    [quad] = spotter.find([image])[0].quads
    [read] = spotter.read([spotter.crop(image, quad)])
    assert read.text == "Mind the little gap"
    words = words_of(read.text, read.score, read)
    assert [word.text for word in words] == read.text.split()
    for word, (left, right) in zip(words, ink, strict=True):
        got = part(quad, word.start, word.end)
        low, high = got[:, 0].min(), got[:, 0].max()
        overlap = (min(high, right) - max(low, left)) / (max(high, right) - min(low, left))
        assert overlap >= 0.75, (word, low, high, left, right)
