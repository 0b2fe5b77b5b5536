"""``cosine_topk`` on angles known beforehand, on galleries whose order is hard to keep, and against torch."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from vtk.kernels.cosine_topk import cosine_topk, cpu, reference
from vtk.kernels.cosine_topk.cases import people, stored

# At 0, 45, 90 and 180 degrees to the first axis, of different lengths.
ANGLES = np.array([[5, 0], [2, 2], [0, 0.1], [-3, 0]], np.float32)


def test_by_hand() -> None:
    indices, scores = cosine_topk(np.array([[2, 0], [0, -7]], np.float32), ANGLES, 4)
    assert (indices.dtype, scores.dtype) == (np.int64, np.float32)
    assert indices.tolist() == [[0, 1, 2, 3], [0, 3, 1, 2]]
    half = float(np.float32(0.5**0.5))
    assert scores.tolist() == [[1, half, 0, -1], [0, 0, -half, -1]]


def test_equal_rows_come_by_index_whatever_multiplies_them() -> None:
    """Copies of a row, and multiples by powers of two, whose products BLAS may round apart."""
    rng = np.random.default_rng(0)
    rows = people(3, 100, rng, 1)
    gallery = np.concatenate([rows * np.float32(2.0 ** (i % 5 - 2)) for i in range(1500)])
    for count in (1, 30):
        queries = np.repeat(rows[1:2], count, axis=0)
        indices, scores = cosine_topk(queries, gallery, 200)
        assert (indices == np.arange(1, 600, 3)).all()
        assert (scores == 1).all()


def test_rows_that_grow_ever_more_similar_are_all_looked_at() -> None:
    """The worst order: each row is better than all before it."""
    angle = np.linspace(3, 0, 5000)
    gallery = np.stack([np.cos(angle), np.sin(angle)], axis=1).astype(np.float32)
    for count in (1, 9):
        indices, scores = cosine_topk(np.repeat(gallery[-1:], count, axis=0), gallery, 3)
        assert (indices == [4999, 4998, 4997]).all()
        assert (np.diff(scores) <= 0).all()


def test_one_query_or_many_and_one_thread_or_more_give_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    """More rows and queries than a block holds; the reference is the judge of the first."""
    rng = np.random.default_rng(1)
    gallery, queries = people(cpu.ROWS * 2 + 77, 33, rng), people(cpu.QUERIES + 5, 33, rng)
    monkeypatch.setattr(cpu, "asked", lambda: 2)
    indices, scores = cosine_topk(queries, gallery, 7)
    monkeypatch.setattr(cpu, "asked", lambda: 1)
    again = cosine_topk(queries, gallery, 7)
    assert (again[0] == indices).all() and (again[1] == scores).all()
    wanted = reference.cosine_topk(queries[:20], gallery, 7)
    assert (indices[:20] == wanted[0]).all() and (scores[:20] == wanted[1]).all()
    for threads in (1, 3):
        monkeypatch.setattr(cpu, "asked", lambda threads=threads: threads)
        few = cosine_topk(queries[:5], gallery, 7)
        assert (few[0] == indices[:5]).all() and (few[1] == scores[:5]).all()


def test_scale_does_not_matter_even_beyond_what_float32_can_square() -> None:
    rng = np.random.default_rng(2)
    gallery, queries = people(300, 64, rng), people(20, 64, rng)
    wanted = cosine_topk(queries, gallery, 5)
    scale = np.float32(2.0) ** rng.integers(-100, 100, (300, 1)).astype(np.float32)
    for count in (2, 20):
        indices, scores = cosine_topk(queries[:count] * np.float32(2.0**-90), gallery * scale, 5)
        assert (indices == wanted[0][:count]).all() and (scores == wanted[1][:count]).all()


@pytest.mark.parametrize("count", [1, 12])
def test_what_has_no_direction(count: int) -> None:
    gallery = np.array([[np.nan, 1], [0, 0], [1, 0], [np.inf, 0], [-1, 0]], np.float32)
    indices, scores = cosine_topk(np.repeat(gallery[2:3], count, axis=0), gallery, 5)
    assert (indices == [2, 1, 4, -1, -1]).all()
    assert (scores == np.float32([1, 0, -1, -np.inf, -np.inf])).all()
    for bad, found in ((0, [-1, -1, -1]), (3, [-1, -1, -1]), (1, [1, 2, 4])):
        assert (cosine_topk(np.repeat(gallery[bad : bad + 1], count, axis=0), gallery, 3)[0] == found).all()


@pytest.mark.parametrize("kind", ["float16", "uint16"])
def test_every_half_is_widened_exactly(kind: str) -> None:
    bits = np.arange(1 << 16, dtype=np.uint16).reshape(-1, 1)
    rows = bits.view(np.float16) if kind == "float16" else bits
    with np.errstate(invalid="ignore"):  # NumPy warns of the NaNs that it is asked to widen
        wanted, got = reference.widened(rows), cpu.widened(rows).astype(np.float64)
    assert np.array_equal(got, wanted, equal_nan=True)
    assert np.isnan(got).sum() == 2 * (1023 if kind == "float16" else 127)


def test_memory_mapped_gallery(tmp_path: Path) -> None:
    rng = np.random.default_rng(3)
    gallery, queries = people(5000, 32, rng), people(20, 32, rng)
    np.save(tmp_path / "gallery.npy", gallery)
    mapped = np.load(tmp_path / "gallery.npy", mmap_mode="r")
    for some in (queries, queries[:2]):
        for theirs, ours in zip(cosine_topk(some, mapped, 9), cosine_topk(some, gallery, 9), strict=True):
            assert (theirs == ours).all()


def test_torch_and_its_bfloat16() -> None:
    torch = pytest.importorskip("torch")
    rng = np.random.default_rng(4)
    gallery, queries = (torch.from_numpy(people(count, 128, rng)) for count in (2000, 50))
    indices, scores = cosine_topk(queries, gallery, 10)
    wanted = torch.topk(torch.nn.functional.cosine_similarity(queries[:, None].double(), gallery.double(), dim=2), 10)
    assert indices.equal(wanted.indices) and scores.equal(wanted.values.float())
    half = cosine_topk(queries.bfloat16(), gallery.bfloat16(), 10)
    bits = [stored(array.bfloat16().float().numpy(), "uint16") for array in (queries, gallery)]
    assert half[0].numpy().tolist() == cosine_topk(*bits, 10)[0].tolist()


def test_a_large_gallery_is_read_by_the_block() -> None:
    """Whatever the gallery's size, a search holds blocks of it and no products of all pairs."""
    from vtk.kernels.timing import peak_memory

    rng = np.random.default_rng(5)
    gallery, queries = people(200_000, 8, rng).astype(np.float16), people(600, 8, rng)
    cosine_topk(queries, gallery[:5000], 3)
    peak = peak_memory(lambda: cosine_topk(queries, gallery, 3))
    if peak is None:
        pytest.skip("this system doesn't tell a process's peak memory")
    # All pairs would be 480 MB; a block of products is 5 MB.
    assert peak < 40e6


@pytest.mark.parametrize(
    ("queries", "gallery", "k", "message"),
    [
        (np.zeros((2, 3), np.float32), np.zeros((4, 5), np.float32), 1, r"gallery: got a float32 array of shape \(4, 5"),
        (np.zeros(3, np.float32), np.zeros((4, 3), np.float32), 1, r"queries: got a float32 array of shape \(3,\)"),
        (np.zeros((2, 3)), np.zeros((4, 3), np.float32), 1, "queries: got a float64 array .*expected a float32 or"),
        (np.zeros((2, 3), np.float32), np.zeros((4, 3), np.float32), 5, "k: got 5, expected a whole number from 0 to 4"),
        (np.zeros((2, 3), np.float32), np.zeros((0, 3), np.float32), 1, "k: got 1, expected a whole number from 0 to 0"),
        (np.zeros((2, 3), np.float32), np.zeros((4, 3), np.float32), 1.0, "k: got 1.0, expected a whole number"),
        (np.zeros((2, 3), np.float32), np.zeros((4, 3), np.float32), True, "k: got True, expected a whole number"),
    ],
)  # fmt: skip
def test_refusals(queries: np.ndarray, gallery: np.ndarray, k: int, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        cosine_topk(queries, gallery, k)


def test_empty() -> None:
    none, some = np.zeros((0, 4), np.float32), np.ones((3, 4), np.float32)
    for queries, gallery, k in ((none, some, 2), (some, none, 0), (none, none, 0), (some, some, 0)):
        indices, scores = cosine_topk(queries, gallery, k)
        assert indices.shape == scores.shape == (len(queries), k)
    indices, scores = cosine_topk(np.zeros((2, 0), np.float32), np.zeros((3, 0), np.float32), 3)
    assert indices.tolist() == [[0, 1, 2]] * 2 and not scores.any()
