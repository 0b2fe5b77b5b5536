"""Scripts by hand, in the words of those who write them."""

from __future__ import annotations

import pytest

from vtk.text.script import LANGUAGES, SCRIPTS, language_of, script_of


@pytest.mark.parametrize(("text", "script", "language"), [
    ("Platform 9¾", "Latn", None), ("Straße", "Latn", None), ("Đường", "Latn", None), ("ＥＸＩＴ", "Latn", None),
    ("Москва", "Cyrl", None), ("Έξοδος", "Grek", "el"), ("مخرج", "Arab", None), ("יציאה", "Hebr", "he"),
    ("出口", "Hani", None), ("出口はこちら", "Jpan", "ja"), ("ﾃﾚﾋﾞ", "Jpan", "ja"), ("サーバー", "Jpan", "ja"),
    ("출구", "Kore", "ko"), ("大韓民國 서울", "Kore", "ko"), ("ทางออก", "Thai", "th"), ("निकास", "Deva", None),
    ("வெளியேறு", "Taml", "ta"), ("ելք", "Armn", "hy"), ("გასასვლელი", "Geor", "ka"),
    ("12:45 – 50 %", None, None), ("", None, None), ("½ ① ™", "Latn", None),
])
def test_words_for_exit(text, script, language):
    assert (script_of(text), language_of(script_of(text))) == (script, language)


@pytest.mark.parametrize(("text", "script"), [
    ("Tokyo 東京駅前通り", "Jpan"), ("NHK ニュース", "Jpan"), ("SALE распродажа", "Cyrl"), ("ab вг", "Latn")])
def test_most_letters_decide_and_the_first_among_equals(text, script):
    assert script_of(text) == script


def test_codes_are_codes():
    assert all(len(code) == 4 and code.istitle() for code in SCRIPTS.values())
    assert set(LANGUAGES) <= set(SCRIPTS.values())
    assert all(len(tag) == 2 and tag.islower() for tag in LANGUAGES.values())
