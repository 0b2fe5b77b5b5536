"""References are candidates by the votes of a query's frames."""

from __future__ import annotations

import numpy as np

from vtk.copies.footprint import Footprint
from vtk.copies.search import Candidate, Hits, candidates, search
from vtk.kernels.cosine_topk import cosine_topk


class Bank:
    """Footprints in memory, whose cosines are their scores."""

    def __init__(self, *footprints: Footprint) -> None:
        self.vectors = np.concatenate([each.vectors for each in footprints])
        self.starts = np.cumsum([0, *map(len, footprints)])

    def search(self, vectors: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray]:
        rows, cosines = cosine_topk(vectors, self.vectors, min(k, len(self.vectors)))
        # As a library does where there are fewer rows than asked for.
        short = ((0, 0), (0, k - rows.shape[1]))
        return np.pad(np.maximum(cosines, 0), short), np.pad(rows, short, constant_values=-1)

    def locate(self, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        numbers = np.searchsorted(self.starts, rows, side="right") - 1
        return numbers, rows - self.starts[numbers]


def video(seed: int, count: int) -> np.ndarray:
    rows = np.random.default_rng(seed).normal(size=(count, 64)).astype(np.float32)
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def footprint(vectors: np.ndarray, weights: list[float] | None = None) -> Footprint:
    count = len(vectors)
    return Footprint("film", np.arange(count), np.arange(float(count)), vectors,
                     np.array([1] * count if weights is None else weights, np.float32), float(count), 1.0, 64, 36,
                     "random@0123456789ab")  # fmt: skip


FILMS = [video(seed, 30) for seed in range(4)]
BANK = Bank(*map(footprint, FILMS))


def test_hits_are_the_nearest_frames_of_all_references() -> None:
    query = footprint(np.concatenate([FILMS[2][5:9], np.zeros((1, 64), np.float32), FILMS[0][20:22]]))
    hits = search(query, BANK, k=3)
    # The frame of zeros, number 4, is not searched.
    assert hits.frames.tolist() == sorted([0, 1, 2, 3, 5, 6] * 3)
    assert hits.references[::3].tolist() == [2, 2, 2, 2, 0, 0]
    assert hits.columns[::3].tolist() == [5, 6, 7, 8, 20, 21]
    np.testing.assert_allclose(hits.scores[::3], 1, atol=1e-5)
    entries = hits.of(0, (7, 30))
    assert entries.shape == (7, 30) and {(5, 20), (6, 21)} <= set(zip(entries.rows.tolist(), entries.columns.tolist()))


def test_rows_that_are_none_are_no_hits() -> None:
    hits = search(footprint(FILMS[3][:2]), Bank(footprint(FILMS[3][:4])), k=20)
    assert len(hits.frames) == 8 and set(hits.references.tolist()) == {0}


def test_a_query_in_lots_is_the_query() -> None:
    long = footprint(np.concatenate([FILMS[1]] * 40))
    hits = search(long, BANK, k=2)
    assert hits.frames.tolist() == [frame for frame in range(1200) for _ in range(2)]
    assert hits.columns[::2].tolist() == list(range(30)) * 40


def test_more_are_asked_for_where_all_are_alike() -> None:
    """Thirty frames of one film are the query's picture, and one of another film is."""
    still = np.tile(FILMS[0][:1], (30, 1))
    bank = Bank(footprint(still), footprint(np.concatenate([FILMS[1], FILMS[0][:1]])))
    hits = search(footprint(FILMS[0][:2]), bank, k=20)
    assert set(hits.references[hits.frames == 0].tolist()) == {0, 1}
    assert (hits.frames == 0).sum() > 20 == (hits.frames == 1).sum()
    assert (np.diff(hits.frames) >= 0).all()


def test_candidates_are_those_with_votes_in_order_and_bounded() -> None:
    query = footprint(np.concatenate([FILMS[2][5:9], FILMS[0][20:22], FILMS[3][:1]]))
    hits = search(query, BANK, k=10)
    found = candidates(hits, query.weights)
    # One frame of a film is not enough for it, and strangers do not vote.
    assert [each.reference for each in found] == [2, 0]
    np.testing.assert_allclose([each.votes for each in found], [4, 2], atol=1e-4)
    assert [each.reference for each in candidates(hits, query.weights, least=0.5)] == [2, 0, 3]
    assert [each.reference for each in candidates(hits, query.weights, most=1)] == [2]


def test_a_frame_votes_once_for_a_reference_by_its_weight() -> None:
    hits = Hits(np.array([0, 0, 0, 1]), np.array([5, 5, 6, 6]), np.array([1, 2, 3, 4]),
                np.array([0.9, 0.8, 0.7, 0.3], np.float32))  # fmt: skip
    found = candidates(hits, np.array([0.5, 1], np.float32), least=0.1)
    assert [each.reference for each in found] == [5, 6]
    np.testing.assert_allclose([each.votes for each in found], [0.45, 0.35], rtol=1e-6)
    assert isinstance(found[0], Candidate)


def test_nothing_that_shows_something_has_no_candidates() -> None:
    blank = footprint(np.zeros((5, 64), np.float32), [0.0] * 5)
    hits = search(blank, BANK)
    assert len(hits.frames) == 0 and candidates(hits, blank.weights) == []
