"""Whether texts are the same: by hand, and by the rule on all pairs."""

from __future__ import annotations

import numpy as np
import pytest
from rapidfuzz.distance import Indel, Levenshtein

from vtk.text.agreement import disagree, plain


@pytest.mark.parametrize(("a", "b", "wanted"), [
    ("EXIT", "exit!", False),
    ("fusionopolis", "fusion", False),  # a prefix: half of it may be covered
    ("abcde", "xyzuv", True),
    ("ab", "xy", False),  # a distance of 2 proves nothing
    ("abc", "xyz", True),
    ("Carpark", "Carpenter", False),  # ratio 0.625
    ("???", "anything", False),  # nothing remains of it
    ("漢字認識", "東京都庁", True),
    ("ábc", "Ábc.", False),
])  # fmt: skip
def test_disagreement_by_hand(a: str, b: str, wanted: bool) -> None:
    assert disagree([a], [b]).tolist() == [[wanted]]
    assert disagree([b], [a]).tolist() == [[wanted]]


def test_disagreement_is_the_rule_on_all_pairs() -> None:
    rng = np.random.default_rng(0)
    texts = ["".join(rng.choice(list("abcABC1-. é"), rng.integers(0, 9))) for _ in range(60)]
    got = disagree(texts[:40], texts[40:])
    assert got.shape == (40, 20)
    assert 0.1 < got.mean() < 0.9
    for i, j in np.ndindex(got.shape):
        a, b = plain(texts[i]), plain(texts[40 + j])
        differ = Indel.normalized_similarity(a, b) < 0.4 and Levenshtein.distance(a, b) >= 3
        assert got[i, j] == (differ and not a.startswith(b) and not b.startswith(a)), (a, b)


def test_plain_text() -> None:
    assert plain(" Genaxis-Theatre, [06] €") == "GENAXISTHEATRE06"
    assert plain("re\u0301sume\u0301") == "RE\u0301SUME\u0301"
    assert plain("«שלום» 漢字。") == "שלום漢字"


def test_nothing_to_compare() -> None:
    assert disagree([], ["a"]).shape == (0, 1)
    assert disagree(["a", "b"], []).shape == (2, 0)
