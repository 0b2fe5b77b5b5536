"""``ctc_decode`` on paths worked out by hand, against every path there is, and against torch's CTC loss."""

from __future__ import annotations

from collections import defaultdict
from itertools import groupby, product
from math import inf, log

import numpy as np
import pytest

from vtk.kernels.ctc_decode import KINDS, beam, greedy
from vtk.kernels.ctc_decode.cases import _as


def _one(*steps: tuple[float, ...]) -> np.ndarray:
    """Return one text's scores."""
    return np.array([steps], np.float32)


def _text(row: np.ndarray) -> list[int]:
    """Return the symbols of a row of ``beam``."""
    return [int(c) for c in row[1:] if c >= 0]


# Path a a blank a b b.
PATH = _one((0.1, 0.6, 0.3), (0.1, 0.8, 0.1), (0.9, 0.1, 0.0), (0.2, 0.7, 0.1), (0.0, 0.4, 0.6), (0.3, 0.2, 0.5))


def test_greedy_by_hand() -> None:
    got = greedy(PATH)
    assert got.dtype == np.float32
    nothing = [-1, 0, -1]
    wanted = [[1, 0.6, 0], [1, 0.7, 3], [2, 0.6, 4], nothing, nothing, nothing]
    assert got[0] == pytest.approx(np.array(wanted), abs=1e-7)
    assert greedy(PATH, best=True)[0, :3, 1] == pytest.approx([0.8, 0.7, 0.6], abs=1e-7)
    # With b as the blank: a once, then the old blank, then a.
    assert greedy(PATH, blank=2)[0, :, 0].tolist() == [1, 0, 1, -1, -1, -1]


def test_greedy_takes_the_first_of_equals() -> None:
    assert greedy(_one((0.2, 0.4, 0.4), (0.5, 0.5, 0.0)))[0].tolist() == [[1, pytest.approx(0.4), 0], [-1, 0, -1]]
    assert greedy(np.full((1, 2, 3), -inf, np.float32), blank=2, kind="logits")[0].tolist() == [[0, 0, 0], [-1, 0, -1]]


@pytest.mark.parametrize("function", [greedy, beam])
def test_kinds_agree(function: type(greedy)) -> None:
    logits = np.random.default_rng(0).normal(0, 3, (3, 12, 7))
    first, *others = (function(_as(kind, logits), kind=kind) for kind in KINDS)
    for other in others:
        np.testing.assert_allclose(other, first, rtol=1e-5)


def test_beam_sums_paths() -> None:
    """Graves's example: the best path is two blanks, 0.36; three paths to one a are together 0.64."""
    scores = _one((0.6, 0.4), (0.6, 0.4))
    assert greedy(scores)[0, 0, 0] == -1
    got = beam(scores)
    assert got.dtype == np.float64 and got.shape == (1, 3)
    assert got[0].tolist() == [pytest.approx(log(0.64), abs=1e-6), 1, -1]


def test_beam_knows_a_symbol_twice_from_one() -> None:
    sure = _one((0, 1), (1, 0), (0, 1))
    assert beam(sure)[0].tolist() == [0, 1, 1, -1]
    assert beam(_one((0, 1), (0, 1), (0, 1)))[0].tolist() == [0, 1, -1, -1]
    assert beam(sure[..., ::-1].copy(), blank=1)[0].tolist() == [0, 0, 0, -1]


def _every_path(scores: np.ndarray) -> dict[tuple[int, ...], float]:
    """Return the probability of every text of scores (T, V), by going down all of the paths; 0 is the blank."""
    texts: dict[tuple[int, ...], float] = defaultdict(float)
    for path in product(range(scores.shape[1]), repeat=len(scores)):
        text = tuple(symbol for symbol, _ in groupby(path) if symbol)
        texts[text] += float(np.prod([scores[t, c] for t, c in enumerate(path)], dtype=np.float64))
    return texts


@pytest.mark.parametrize("seed", range(8))
def test_beam_finds_the_best_of_all_texts(seed: int) -> None:
    scores = np.random.default_rng(seed).dirichlet([0.7] * 4, 5).astype(np.float32)
    texts = _every_path(scores)
    best = max(texts, key=lambda text: texts[text])
    got = beam(scores[None], width=500)[0]
    assert _text(got) == list(best)
    assert got[0] == pytest.approx(log(texts[best]), abs=1e-6)
    words = sorted(texts, key=lambda text: texts[text])[3:200:7]
    lexicon = np.array([[*word, *[-1] * (6 - len(word))] for word in words])
    got = beam(scores[None], width=500, lexicon=lexicon)[0]
    assert _text(got) == list(max(words, key=lambda text: texts[text]))


def test_the_score_is_that_of_torch() -> None:
    torch = pytest.importorskip("torch")
    logits = np.random.default_rng(5).normal(0, 4, (6, 40, 300)).astype(np.float32)
    got = beam(logits, kind="logits", width=20)
    log_scores = torch.from_numpy(logits).double().log_softmax(2).transpose(0, 1)
    for i, row in enumerate(got):
        text = _text(row)
        loss = torch.nn.functional.ctc_loss(
            log_scores[:, i : i + 1], torch.tensor([text]), torch.tensor([40]), torch.tensor([len(text)]),
            reduction="sum",
        )  # fmt: skip
        # The loss sums all paths, the search those that its beam kept: never more but for rounding.
        assert -1e-12 <= -loss.item() - row[0] < 0.1
        path = greedy(logits[i : i + 1], kind="logits")[0, :, 0]
        assert row[0] > -inf and len(text) >= (path >= 0).sum() - 3


def test_only_words_of_the_lexicon_come_out() -> None:
    steps = np.full((1, 7, 6), 0.01, np.float32)
    for step, symbol in enumerate((1, 0, 2, 0, 3, 0, 4)):
        steps[0, step, symbol] = 0.95
    steps[0, 6, 5] = 0.04
    words = np.array([[1, 2, 3, 5], [1, 2, -1, -1], [4, 3, 2, 1], [1, 2, 3, -1], [1, 5, 3, 1]])
    assert _text(beam(steps)[0]) == [1, 2, 3, 4]
    for order in (slice(None), slice(None, None, -1), [3, 1, 4, 0, 2, 2]):
        assert _text(beam(steps, lexicon=words[order])[0]) == [1, 2, 3, 5]
    # A word that is the start of another, and of what was read.
    assert _text(beam(steps, lexicon=words[[1, 3]])[0]) == [1, 2, 3]
    assert _text(beam(steps, lexicon=words[[1]])[0]) == [1, 2]


def test_no_text_is_possible() -> None:
    nothing = [-inf, -1, -1]
    assert beam(np.zeros((1, 2, 3), np.float32))[0].tolist() == nothing
    scores = _one((0.5, 0.5, 0.0), (0.5, 0.5, 0.0))
    for lexicon in (np.empty((0, 3), np.int64), np.array([[2]]), np.array([[1, 1, 1, 1]])):
        assert beam(scores, lexicon=lexicon)[0].tolist() == nothing
    assert beam(scores, lexicon=np.full((1, 0), -1))[0].tolist() == [pytest.approx(log(0.25)), -1, -1]
    assert beam(np.empty((2, 0, 3), np.float32)).tolist() == [[0.0], [0.0]]
    assert beam(np.empty((1, 0, 3), np.float32), lexicon=np.array([[1]])).tolist() == [[-inf]]


def test_wide_beams_over_many_classes_lose_no_symbol() -> None:
    """The search looks at a few symbols of a step; a beam that may keep them all finds the same or better."""
    scores = np.random.default_rng(7).dirichlet([0.02] * 2000, (2, 30)).astype(np.float32)
    narrow, wide = beam(scores, width=5), beam(scores, width=60)
    assert (wide[:, 0] >= narrow[:, 0]).all() and (narrow[:, 0] > -inf).all()


def test_refusals() -> None:
    scores = np.full((1, 2, 3), 0.1, np.float32)
    for function in (greedy, beam):
        with pytest.raises(ValueError, match="blank: got 3, expected one of the 3 classes"):
            function(scores, blank=3)
        with pytest.raises(ValueError, match="kind: got 'softmax', expected one of probabilities, log_prob"):
            function(scores, kind="softmax")
        for value in (np.nan, inf):
            wrong = scores.copy()
            wrong[0, 1, 2] = value
            with pytest.raises(ValueError, match="scores: got .*, expected numbers, or -inf"):
                function(wrong)
    with pytest.raises(ValueError, match="width: got 0, expected a whole number from 1 to 1000"):
        beam(scores, width=0)
    for word in ([0, 1], [1, 3], [-1, 1], [1, -2]):
        with pytest.raises(ValueError, match=r"lexicon: got \[.*\], expected symbols from 0 to 2 but not 0, then -1"):
            beam(scores, lexicon=np.array([[1, 2], word]))
