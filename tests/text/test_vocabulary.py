"""What is near enough to be a word, what is not, and what it costs."""

from __future__ import annotations

import random
import time

import pytest

from vtk.errors import UsageError
from vtk.text.vocabulary import Vocabulary

WORDS = Vocabulary(["Carpark", "HarbourFront", "exit", "Exits", "Bukit Timah", "9¾", "Straße", "", "  "])


@pytest.mark.parametrize(("read", "said"), [
    ("Carpark", "Carpark"), ("CARPARK", "Carpark"), ("Garpank", "Carpark"),  # 2 of 7
    ("Garpenk", "Garpenk"),  # 3 of 7 are too many
    ("to HarbourFrnt", "to HarbourFront"), ("(Carpork),", "(Carpark),"), ("Bukit Timoh", "Bukit Timah"),
    ("BukitTimah", "Bukit Timah"), ("Exit Bukit", "exit Bukit"), ("exjt", "exit"),
    ("STRASSE", "Straße"), ("", ""), ("…", "…"),
    ("exitz", "exitz"),  # one letter from two entries
    ("9¾ exit", "9¾ exit"),
])
def test_the_nearest_entry_where_it_is_near(read, said):
    assert WORDS.snap(read) == said
    assert WORDS.snap(read) == said  # remembered


def test_order_and_repetition_of_entries_change_nothing():
    assert Vocabulary(["b", "a", "b"]).sha256 == Vocabulary(["a", "b"]).sha256 != Vocabulary(["a"]).sha256
    assert len(WORDS) == 7


def test_a_file_an_entry_a_line(tmp_path):
    path = tmp_path / "words.txt"
    path.write_bytes("\ufeffCarpark\r\n\r\nCafe\u0301\n".encode())
    assert Vocabulary.read(path).snap("Caf\u00e8") == "Caf\u00e9"


@pytest.mark.parametrize(("content", "words"), [
    (None, "No such file"), (b"", "it has no entry"), (b"\n \n", "it has no entry"),
    (b"Caf\xe9\n", "not UTF-8 at byte 3")])
def test_what_is_no_vocabulary_is_refused(tmp_path, content, words):
    path = tmp_path / "words.txt"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(UsageError, match=words):
        Vocabulary.read(path)


def test_a_folder_is_no_vocabulary(tmp_path):
    with pytest.raises(UsageError, match="Is a directory"):
        Vocabulary.read(tmp_path)


def test_a_hundred_thousand_words_are_fast():
    rng = random.Random(0)
    words = ["".join(rng.choices("abcdefghijklmnopqrstuvwxyz", k=rng.randint(6, 12))) for _ in range(100_000)]
    vocabulary = Vocabulary(words)
    asked = words[::2000]
    start = time.process_time()
    right = sum(vocabulary.snap("#" + word[1:]) == word for word in asked)
    spent = (time.process_time() - start) / len(asked)
    assert right >= 45 and spent < 0.25, (right, spent)  # 15 ms where the machine is quiet
