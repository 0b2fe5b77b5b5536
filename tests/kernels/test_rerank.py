"""``rerank`` on five points worked out by hand, against the usual program, and at edges."""

from __future__ import annotations

from math import exp
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from vtk.kernels.cosine_topk import cosine_topk
from vtk.kernels.cosine_topk.cases import people
from vtk.kernels.rerank import rerank, rerank_distances, rerank_topk, rivals
from vtk.kernels.rerank.cases import inputs

# A query at 0; 1 and 2 beside it, 10 and 11 far off.
LINE = np.abs(np.subtract.outer([0.0, 1, 2, 10, 11], [0, 1, 2, 10, 11])).astype(np.float32)


def test_by_hand() -> None:
    """k1 = 1: 0 and 1 are neighbours of each other, and 10 and 11; 2 has 1, which has 0: only itself."""
    got = rerank_distances(LINE, 1, k1=1, k2=1, weight=0.25)
    # Codes: of 0 (1, e^(-1/11)) over rows 0 and 1; of 1 (e^(-1/10), 1), for its farthest is at 10. k1 / 2 rounds to 0.
    near, far = exp(-1 / 11), exp(-1 / 10)
    shared = min(1 / (1 + near), far / (1 + far)) + min(near / (1 + near), 1 / (1 + far))
    wanted = [0.75 * (1 - shared / (2 - shared)) + 0.25 / 11, 0.75 + 0.5 / 11, 0.75 + 2.5 / 11, 1.0]
    assert got.dtype == np.float32
    assert got[0].tolist() == pytest.approx(wanted, abs=1e-7)
    # k2 = 2 mixes the codes of neighbours: 2 takes half of that of 1, and shares it with 0.
    mixed = rerank_distances(LINE, 1, k1=1, k2=2, weight=0.0)[0]
    assert mixed[0] == 0 and mixed[1] == pytest.approx(1 - 0.5 / 1.5, abs=1e-7) and mixed[2:].tolist() == [1, 1]


@pytest.mark.parametrize(("k1", "k2", "weight"), [(20, 6, 0.3), (50, 15, 0.3), (7, 1, 0.0), (1, 3, 1.0)])
def test_equals_the_usual_program(k1: int, k2: int, weight: float) -> None:
    """To float32, which that program computes distances and codes in: exp and division lose a few steps."""
    rows = people(400, 64, np.random.default_rng(0), each=20)
    arguments = {"queries": rows[:80], "gallery": rows[80:], "k1": k1, "k2": k2, "weight": weight}
    got, wanted = rerank(**arguments), rivals.usual(arguments)()
    assert np.abs(got - wanted).max() < 1e-5
    indices, distances = rerank_topk(**arguments, k=10)
    assert np.abs(distances - np.sort(wanted, axis=1)[:, :10]).max() < 1e-5
    assert np.abs(np.take_along_axis(got, indices, 1) - distances).max() < 1e-5


def test_distances_or_features_give_the_same() -> None:
    rows = people(300, 32, np.random.default_rng(1), each=20)
    similar = cosine_topk(rows, rows, 300)
    apart = np.empty((300, 300), np.float32)
    np.put_along_axis(apart, similar[0], 1 - similar[1], 1)
    assert np.abs(rerank(rows[:50], rows[50:]) - rerank_distances(apart, 50)).max() < 1e-6


def test_neighbours_of_each_other_come_nearer() -> None:
    """What it is for: on crowded identities the right ones rise."""
    rng = np.random.default_rng(2)
    who = np.repeat(np.arange(60), 12)
    centres = rng.standard_normal((60, 16))
    rows = (centres[who] + 1.1 * rng.standard_normal((720, 16))).astype(np.float32)
    order = rng.permutation(720)
    rows, who = rows[order], who[order]
    plain = cosine_topk(rows[:100], rows[100:], 5)[0]
    again = rerank_topk(rows[:100], rows[100:], 5, k1=12, k2=4)[0]
    right = [(who[100:][found] == who[:100, None]).mean() for found in (plain, again)]
    assert right[1] > right[0] + 0.02 and right[0] > 0.3


def test_ties_are_kept_by_index_and_runs_are_alike() -> None:
    rows = np.repeat(people(20, 8, np.random.default_rng(3)), 6, axis=0)
    first = rerank_topk(rows[:12], rows[12:], 30, k1=8)
    for _ in range(2):
        for one, other in zip(first, rerank_topk(rows[:12], rows[12:], 30, k1=8), strict=True):
            assert (one == other).all()
    indices, distances = first
    equal = np.diff(distances, axis=1) == 0
    assert equal.any() and (np.diff(indices, axis=1)[equal] > 0).all()


def test_all_rows_alike_or_of_zeros() -> None:
    ones = np.ones((3, 4), np.float32)
    assert rerank(ones[:1], ones).tolist() == [[0, 0, 0]]
    # Rows of zeros are as far from all: by index, the first two are each other's neighbours, the last nobody's.
    assert rerank(0 * ones[:1], 0 * ones, k1=1, k2=1)[0, 2] == 1
    assert np.isfinite(rerank(0 * ones, ones)).all()


def test_k1_and_k2_are_cut_to_the_set() -> None:
    rows = people(9, 8, np.random.default_rng(4))
    assert (rerank(rows[:3], rows[3:], k1=500, k2=100) == rerank(rows[:3], rows[3:], k1=8, k2=9)).all()


def test_threads_do_not_matter(monkeypatch: pytest.MonkeyPatch) -> None:
    from vtk.kernels.cosine_topk import cpu as search
    from vtk.kernels.rerank import cpu

    given = inputs("rerank", 1000, np.random.default_rng(5))
    found = []
    for threads in (1, 3):
        for module in (cpu, search):
            monkeypatch.setattr(module, "asked", lambda threads=threads: threads)
        found.append(rerank_topk(given["queries"], given["gallery"], 20))
    assert all((one == other).all() for one, other in zip(*found, strict=True))


def test_memory_mapped_distances(tmp_path: Path) -> None:
    np.save(tmp_path / "apart.npy", LINE)
    mapped = np.load(tmp_path / "apart.npy", mmap_mode="r")
    assert (rerank_distances(mapped, 2) == rerank_distances(LINE, 2)).all()


def test_empty() -> None:
    rows, none = np.ones((3, 4), np.float32), np.zeros((0, 4), np.float32)
    assert rerank(none, rows).shape == (0, 3) and rerank(rows, none).shape == (3, 0)
    assert [each.shape for each in rerank_topk(rows, none, 0)] == [(3, 0)] * 2
    assert rerank_distances(LINE, 0).shape == (0, 5) and rerank_distances(LINE, 5).shape == (5, 0)
    assert rerank_distances(np.zeros((0, 0), np.float32), 0).shape == (0, 0)


ROWS = np.ones((3, 4), np.float32)


@pytest.mark.parametrize(
    ("function", "arguments", "message"),
    [
        (rerank, {"queries": ROWS * np.nan, "gallery": ROWS}, "queries: got nan, expected finite numbers"),
        (rerank, {"queries": ROWS, "gallery": ROWS * np.inf}, "gallery: got inf, expected finite numbers"),
        (rerank, {"queries": ROWS, "gallery": ROWS[:, :2]}, r"gallery: got a float32 array of shape \(3, 2\)"),
        (rerank, {"queries": ROWS.astype(float), "gallery": ROWS}, "queries: got a float64 array"),
        (rerank, {"queries": ROWS, "gallery": ROWS, "k1": 0}, "k1: got 0, expected a whole number, 1 or more"),
        (rerank, {"queries": ROWS, "gallery": ROWS, "k2": 1.5}, "k2: got 1.5, expected a whole number"),
        (rerank, {"queries": ROWS, "gallery": ROWS, "weight": 1.1}, r"weight: got 1.1, expected a finite number in"),
        (rerank_topk, {"queries": ROWS, "gallery": ROWS, "k": 4}, "k: got 4, expected a whole number, from 0 to 3"),
        (rerank_distances, {"distances": LINE[:4], "queries": 1}, r"distances: got a float32 array of shape \(4, 5\)"),
        (rerank_distances, {"distances": -LINE, "queries": 1}, "distances: got -11.0, expected finite numbers, 0 or"),
        (rerank_distances, {"distances": LINE * np.nan, "queries": 1}, "distances: got nan, expected finite"),
        (rerank_distances, {"distances": LINE, "queries": 6}, "queries: got 6, expected a whole number, from 0 to 5"),
    ],
)  # fmt: skip
def test_refusals(function: Any, arguments: dict[str, Any], message: str) -> None:
    with np.errstate(invalid="ignore"), pytest.raises(ValueError, match=message):
        function(**arguments)
