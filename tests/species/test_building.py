"""What counting in blocks holds and finds, against plain Python."""

from __future__ import annotations

from collections import Counter

import numpy as np

from vtk.species.building import Counts, Seen


def test_counts_are_those_of_all_blocks_and_hold_each_code_once() -> None:
    rng = np.random.default_rng(0)
    counts, expected = Counts(), Counter[int]()
    for size in (0, 1, 500, 3, 0, 2000):
        block = rng.integers(0, 300, size)
        counts.add(block)
        expected.update(block.tolist())
    codes, number = counts.all()
    assert dict(zip(codes.tolist(), number.tolist(), strict=True)) == expected
    assert (np.diff(codes) > 0).all()
    counts.add(codes)
    assert counts.all()[1].sum() == sum(expected.values()) + len(expected), "it may be asked, and go on"
    assert len(counts.all()[0]) == len(expected)
    assert [len(each) for each in Counts().all()] == [0, 0]


def test_a_million_rows_of_few_codes_wait_in_no_more_than_these() -> None:
    counts = Counts()
    for _ in range(100):
        counts.add(np.arange(50_000) % 7)
        assert sum(len(codes) for codes, _ in counts._waiting) <= 7 * 100
    assert counts.all()[1].sum() == 5_000_000


def test_ids_that_came_are_known_across_blocks() -> None:
    rng = np.random.default_rng(1)
    seen, known = Seen(), set[int]()
    for size in (5, 0, 300, 1, 40, 700):
        block = rng.integers(-400, 400, size)
        fresh = seen.fresh(block)
        for identity, found in zip(block.tolist(), fresh.tolist(), strict=True):
            assert found == (identity == 0 or identity not in known)
            known.add(identity)
    assert sum(map(len, seen._known)) <= len(known)
    lengths = [len(part) for part in seen._known]
    assert all(more >= 2 * less for more, less in zip(lengths, lengths[1:], strict=False)), "few arrays to search"
