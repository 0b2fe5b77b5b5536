"""``hamming_topk`` and ``hamming_within`` on bits set by hand, across blocks and threads, and at their bounds."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from vtk.kernels.hamming_topk import bench, cpu, hamming_topk, hamming_within, reference
from vtk.kernels.hamming_topk.cases import search, turned

# 0, 1, 8, 8 and 4 bits from a row of zeros.
ROWS = np.array([[0, 0], [0, 128], [255, 0], [0, 255], [15, 0]], np.uint8)


def same(got: tuple[Any, ...], wanted: tuple[Any, ...]) -> bool:
    """Tell whether all arrays are equal in type, shape and values."""
    return all(a.dtype == b.dtype and np.array_equal(a, b) for a, b in zip(got, wanted, strict=True))


def test_by_hand() -> None:
    distances, indices = hamming_topk(np.array([[0, 0], [255, 255]], np.uint8), ROWS, 5)
    assert (distances.dtype, indices.dtype) == (np.int32, np.int64)
    assert distances.tolist() == [[0, 1, 4, 8, 8], [8, 8, 12, 15, 16]]
    assert indices.tolist() == [[0, 1, 4, 2, 3], [2, 3, 4, 1, 0]]


def test_pairs_by_hand() -> None:
    rows, columns, distances = hamming_within(np.array([[0, 0], [255, 15]], np.uint8), ROWS, 4)
    assert (rows.dtype, columns.dtype, distances.dtype) == (np.int64, np.int64, np.int32)
    assert rows.tolist() == [0, 0, 0, 1]
    assert columns.tolist() == [0, 1, 4, 2]
    assert distances.tolist() == [0, 1, 4, 4]


@pytest.mark.parametrize("width", [0, 3, 8, 15, 32, 40, 64])
def test_every_number_of_words_in_a_row(width: int) -> None:
    rng = np.random.default_rng(width)
    base = rng.integers(0, 256, (300, width), np.uint8)
    for count in (1, 5):
        queries = turned(base[:count], 0.05, rng)
        assert same(hamming_topk(queries, base, 9), reference.hamming_topk(queries, base, 9))
        assert same(hamming_within(queries, base, 3 * width), reference.hamming_within(queries, base, 3 * width))


@pytest.mark.parametrize("count", [1, 2, 3, 40])
def test_equal_rows_come_by_index(count: int) -> None:
    rows = np.random.default_rng(0).integers(0, 256, (3, 32), np.uint8)
    distances, indices = hamming_topk(np.repeat(rows[1:2], count, axis=0), np.tile(rows, (cpu.BLOCK, 1)), 200)
    assert (indices == np.arange(1, 600, 3)).all() and not distances.any()


@pytest.mark.parametrize("count", [1, 5])
def test_rows_that_come_ever_nearer_are_all_looked_at(count: int) -> None:
    """The worst order: each row is at least as near as all before it."""
    base = np.packbits(np.arange(256) >= np.sort(np.arange(2560) % 257)[:, None], axis=1)
    queries = np.zeros((count, 32), np.uint8)
    assert same(hamming_topk(queries, base, 30), reference.hamming_topk(queries, base, 30))


@pytest.mark.parametrize("threads", [1, 2, 5])
@pytest.mark.parametrize("count", [1, 7, 200])
def test_blocks_and_threads_do_not_show(threads: int, count: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """More rows than a block and a share hold, a last step that is not full; queries or rows divided among threads."""
    given = search(count, 3 * cpu.ROWS + 77, 32, np.random.default_rng(count))
    given["base"][::50] = given["queries"][0]
    monkeypatch.setattr(cpu, "asked", lambda: threads)
    for name, value in (("WORTH", 1), ("SHARE", 700), ("HELD", 1000)):
        monkeypatch.setattr(cpu, name, value)
    for k in (1, 10, 1000):
        assert same(hamming_topk(**given, k=k), reference.hamming_topk(**given, k=k))
    for radius in (0, 20, 115):
        assert same(hamming_within(**given, radius=radius), reference.hamming_within(**given, radius=radius))


@pytest.mark.parametrize("threads", [1, 3])
def test_no_more_pairs_than_wanted(threads: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cpu, "asked", lambda: threads)
    monkeypatch.setattr(cpu, "WORTH", 1)
    rows = np.repeat(np.arange(100, dtype=np.uint8)[:, None], 8, axis=1)
    found = len(hamming_within(rows, rows, 9)[0])
    assert found == (reference.hamming_topk(rows, rows, 100)[0] <= 9).sum()
    assert len(hamming_within(rows, rows, 9, most=found)[0]) == found
    message = f"most: got more than {found - 1} pairs within 9 bits, expected no more; a smaller radius"
    for function in (hamming_within, reference.hamming_within):
        with pytest.raises(ValueError, match=message):
            function(rows, rows, 9, found - 1)


def test_too_many_pairs_are_refused_before_they_fill_the_memory() -> None:
    """All of 4 * 10^8 pairs are near: they would take 8 GB."""
    from vtk.kernels.timing import peak_memory

    rows = np.zeros((20_000, 32), np.uint8)

    def refused() -> None:
        with pytest.raises(ValueError, match="got more than 1000000 pairs"):
            hamming_within(rows, rows, 5, most=1_000_000)

    refused()
    peak = peak_memory(refused)
    if peak is None:
        pytest.skip("this system doesn't tell a process's peak memory")
    assert peak < 60e6


def test_memory_mapped_base(tmp_path: Path) -> None:
    given = search(5, 5000, 32, np.random.default_rng(3))
    np.save(tmp_path / "base.npy", given["base"])
    mapped = np.load(tmp_path / "base.npy", mmap_mode="r")
    for count in (1, 5):
        queries = given["queries"][:count]
        assert same(hamming_topk(queries, mapped, 9), hamming_topk(queries, given["base"], 9))
        assert same(hamming_within(queries, mapped, 90), hamming_within(queries, given["base"], 90))


def test_rows_that_start_at_an_odd_address() -> None:
    given = search(5, 700, 32, np.random.default_rng(4))
    memory = np.empty(given["base"].size + 1, np.uint8)
    odd = memory[1:].reshape(-1, 32)
    odd[:] = given["base"]
    assert same(hamming_topk(given["queries"], odd, 9), hamming_topk(**given, k=9))


def test_opencv_finds_the_same_distances() -> None:
    cv2 = pytest.importorskip("cv2")
    given = search(20, 3000, 32, np.random.default_rng(5))
    wanted, _ = cv2.batchDistance(given["queries"], given["base"], cv2.CV_32S, normType=cv2.NORM_HAMMING, K=7)
    assert (hamming_topk(**given, k=7)[0] == wanted).all()


BYTES = np.zeros((4, 5), np.uint8)


@pytest.mark.parametrize(
    ("queries", "base", "k", "message"),
    [
        (BYTES, BYTES[:, :4], 1, r"base: got a uint8 array of shape \(4, 4\), expected .* of shape \(N, 5\)"),
        (BYTES[0], BYTES, 1, r"queries: got a uint8 array of shape \(5,\)"),
        (BYTES.astype(bool), BYTES, 1, "queries: got a bool array .*expected a uint8"),
        (np.zeros((1, 65), np.uint8), np.zeros((1, 65), np.uint8), 1, "got rows of 65 bytes, expected at most 64"),
        (BYTES, BYTES, 5, "k: got 5, expected a whole number from 0 to 4, the rows of the base"),
        (BYTES, BYTES[:0], 1, "k: got 1, expected a whole number from 0 to 0"),
        (BYTES, BYTES, -1, "k: got -1, expected a whole number"),
        (BYTES, BYTES, True, "k: got True, expected a whole number"),
    ],
)
def test_refusals(queries: np.ndarray, base: np.ndarray, k: int, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        hamming_topk(queries, base, k)


@pytest.mark.parametrize(
    ("radius", "most", "message"),
    [
        (41, 9, "radius: got 41, expected a whole number from 0 to 40, the bits of a row"),
        (-1, 9, "radius: got -1, expected"),
        (1.0, 9, "radius: got 1.0, expected"),
        (1, -1, "most: got -1, expected a whole number from 0"),
        (1, 9.0, "most: got 9.0, expected a whole number from 0"),
    ],
)
def test_refusals_of_numbers(radius: Any, most: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        hamming_within(BYTES, BYTES, radius, most)


def test_empty() -> None:
    none = BYTES[:0]
    for queries, base, k in ((none, BYTES, 2), (BYTES, none, 0), (none, none, 0), (BYTES, BYTES, 0)):
        assert [found.shape for found in hamming_topk(queries, base, k)] == [(len(queries), k)] * 2
        assert len(hamming_within(queries, base, 40)[0]) == len(queries) * len(base)


def test_bench_of_many(capsys: pytest.CaptureFixture[str]) -> None:
    assert bench.main(["--queries", "40", "--rows", "2000", "--top", "4"]) == 0
    first = json.loads(capsys.readouterr().out.splitlines()[0])
    assert (first["implementation"], first["queries"], first["rows"]) == ("ours", 40, 2000)
    assert first["seconds"] > 0
