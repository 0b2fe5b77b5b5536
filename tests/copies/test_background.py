"""Backgrounds: what all vectors have in common is taken out, kept with its space, and refused for another."""

from __future__ import annotations

import io

import numpy as np
import pytest

from vtk.copies.background import FLOOR, NEIGHBOURS, Background, Whitened, fit
from vtk.copies.calibration import SHARES
from vtk.copies.descriptors import DctDescriptor
from vtk.errors import UsageError
from vtk.models.net_embedder import unit

SPACE = "net@0123456789ab"


def cone(count: int, seed: int) -> np.ndarray:
    """Return (count, 24) unit vectors that share a direction and vary most in a few, as those of networks do."""
    rng = np.random.default_rng(seed)
    return unit((3 + rng.normal(size=(count, 24)) * np.linspace(2, 0.2, 24)).astype(np.float32))


class Net(DctDescriptor):
    """A descriptor of the space of these vectors."""

    dimensions = 24

    def __init__(self) -> None:
        super().__init__()
        self.space = SPACE


VECTORS = cone(400, 0)
SOURCES = [f"film {row // 4}" for row in range(400)]
FITTED = fit(VECTORS, SOURCES, SPACE, 12)


def test_whitened_vectors_vary_alike_in_all_directions() -> None:
    rows = (VECTORS - FITTED.mean) @ FITTED.projection
    np.testing.assert_allclose(rows.mean(axis=0), 0, atol=1e-4)
    np.testing.assert_allclose(np.cov(rows, rowvar=False), np.eye(12), atol=1e-3)
    np.testing.assert_allclose(FITTED.apply(VECTORS), unit(rows), atol=1e-6)
    np.testing.assert_array_equal(FITTED.bank, FITTED.apply(VECTORS))


def test_strangers_come_apart_and_copies_stay_together() -> None:
    new = cone(100, 1)
    copies = unit(new + np.random.default_rng(2).normal(size=new.shape).astype(np.float32) * 0.01)
    other = ~np.eye(100, dtype=bool)
    before, after = new @ copies.T, FITTED.apply(new) @ FITTED.apply(copies).T
    assert np.median(before[other]) > 0.8 and abs(np.median(after[other])) < 0.05
    gaps = [one.diagonal().min() - np.quantile(one[other], 0.999) for one in (before, after)]
    assert gaps[1] > 4 * gaps[0] > 0
    scores = Whitened(Net(), FITTED).scores(new, copies)
    # What half the scale means: a stranger in 10,000 of those that it was not fitted to.
    assert (scores[other] >= 0.5).mean() < 20 * SHARES[-1] and scores.diagonal().min() > 0.5


def test_a_row_of_zeros_stays_one_and_counts_for_nothing() -> None:
    blank = np.zeros((3, 24), np.float32)
    assert not FITTED.apply(blank).any()
    again = fit(np.concatenate([VECTORS, blank]), [*SOURCES, "a", "b", "c"], SPACE, 12)
    np.testing.assert_array_equal(again.projection, FITTED.projection)
    assert again.sha256 == FITTED.sha256 and len(again.bank) == 400


def test_a_direction_without_variance_is_not_blown_up() -> None:
    flat = VECTORS.copy()
    flat[:, 20:] = 0
    found = fit(unit(flat), SOURCES, SPACE, 24)
    assert np.isfinite(found.projection).all()
    lengths = np.linalg.norm(found.projection, axis=0)
    assert lengths.max() <= lengths.min() / np.sqrt(FLOOR) * 1.001


def test_the_bias_is_the_mean_similarity_of_the_nearest() -> None:
    queries = FITTED.apply(cone(5, 3))
    expected = np.sort(queries @ FITTED.bank.T, axis=1)[:, -NEIGHBOURS:].mean(axis=1)
    np.testing.assert_allclose(FITTED.bias(queries), expected, atol=1e-5)
    np.testing.assert_allclose(FITTED.bias(np.zeros((1, 12), np.float32)), 0)


def test_similarities_are_whitened_and_above_the_bias_of_the_query() -> None:
    queries, references = cone(5, 3), cone(7, 4)
    white = FITTED.apply(queries)
    bias = FITTED.bias(white)[:, None]
    expected = (white @ FITTED.apply(references).T - bias) / (1 - bias)
    np.testing.assert_allclose(FITTED.similarities(queries, queries).diagonal(), 1, atol=1e-5)
    np.testing.assert_allclose(FITTED.similarities(queries, references), expected, atol=1e-6)
    own = np.stack([references[row : row + 3] for row in range(5)])
    found = FITTED.similarities(queries, own)
    np.testing.assert_allclose(found, [expected[row, row : row + 3] for row in range(5)], atol=1e-6)


def test_what_the_background_is_full_of_is_like_nothing() -> None:
    """Frames of credits are alike, and copies of each other no more than of the background's."""
    credits = unit(cone(1, 7) + np.random.default_rng(8).normal(size=(42, 24)).astype(np.float32) * 0.01)
    background = fit(np.concatenate([VECTORS, credits[:40]]), [*SOURCES, *map(str, range(40))], SPACE, 12)
    scores = Whitened(Net(), background).scores
    assert FITTED.calibration(FITTED.apply(credits[40:]) @ FITTED.apply(credits[40:]).T).min() > 0.95
    assert scores(credits[40:41], credits[41:]).max() < 0.5 < scores(VECTORS, VECTORS).diagonal().min()


def test_directions_find_what_is_most_similar() -> None:
    queries, references = cone(40, 5), cone(300, 6)
    best = np.argsort(-FITTED.similarities(queries, references), axis=1)[:, :5]
    near = np.argsort(-(FITTED.directions(queries) @ references.T), axis=1)[:, :40]
    plain = np.argsort(-(queries @ references.T), axis=1)[:, :40]
    shares = [np.mean([np.isin(row, found).mean() for row, found in zip(best, some, strict=True)])
              for some in (near, plain)]  # fmt: skip
    assert shares[0] > 0.95 > shares[1]
    np.testing.assert_allclose(np.linalg.norm(FITTED.directions(queries), axis=1), 1, atol=1e-5)
    assert not FITTED.directions(np.zeros((1, 24), np.float32)).any()


def test_it_is_kept_whole() -> None:
    found = Background.from_bytes(FITTED.to_bytes(), "films.lance")
    assert (found.sha256, found.calibration, found.dimensions, found.space) == (
        FITTED.sha256, FITTED.calibration, 12, SPACE)  # fmt: skip
    np.testing.assert_array_equal(found.apply(VECTORS), FITTED.apply(VECTORS))
    np.testing.assert_allclose(found.bank, FITTED.bank, atol=2**-11)


def test_what_is_no_background_is_refused() -> None:
    stored = FITTED.to_bytes()
    whole = dict(np.load(io.BytesIO(stored)))
    for change, words in (({"format": 2}, "films.lance has format 2, this program reads up to 1"),
                          ({"mean": whole["mean"][:5]}, r"is no background \(its arrays are \(5,\), \(24, 12\)"),
                          ({"bank": whole["bank"] * np.nan}, "is no background"),
                          ({"cosines": np.zeros(6)}, r"is no background \(cosines: got")):
        stream = io.BytesIO()
        np.savez(stream, **whole | change)
        with pytest.raises(UsageError, match=words):
            Background.from_bytes(stream.getvalue(), "films.lance")
    for content in (b"", b"PK\x03\x04 cut off", b"text", stored[:-200], stored[: len(stored) // 2]):
        with pytest.raises(UsageError, match="films.lance is no background"):
            Background.from_bytes(content, "films.lance")


@pytest.mark.parametrize(("vectors", "sources", "dimensions", "words"), [
    (VECTORS, SOURCES[:-1], 4, r"got vectors \(400, 24\) and 399 sources"),
    (VECTORS, SOURCES, 25, "dimensions: got 25, expected 1 to 24 with 400 vectors of 24"),
    (VECTORS[:10], SOURCES[:10], 12, "dimensions: got 12, expected 1 to 9 with 10 vectors of 24"),
    (VECTORS[:9], SOURCES[:9], 2, "got 0 pairs of frames of two sources, expected 10000 or more"),
    (VECTORS, ["one"] * 400, 4, "sources: got 1 with 400 frames, expected more"),
    (np.ones_like(VECTORS), SOURCES, 4, "that are all one, expected a background that varies"),
    (VECTORS[:0], [], None, "got 0 vectors that show something, expected more"),
])
def test_what_cannot_be_fitted(vectors: np.ndarray, sources: list[str], dimensions: int | None, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        fit(vectors, sources, SPACE, dimensions)


def test_a_whitened_descriptor_makes_the_same_vectors() -> None:
    rng = np.random.default_rng(4)
    descriptor = DctDescriptor()
    vectors = unit(rng.normal(size=(300, 255)).astype(np.float32))
    found = Whitened(descriptor, fit(vectors, [str(row) for row in range(300)], descriptor.space, 20))
    assert (found.name, found.space, found.dimensions) == ("dct", descriptor.space, 255)
    frames = [rng.integers(0, 256, (64, 64, 3), np.uint8), np.zeros((64, 64, 3), np.uint8)]
    rows = found.describe(frames)
    np.testing.assert_array_equal(rows, descriptor.describe(frames))
    expected = found.background.calibration(found.background.similarities(rows, rows))
    np.testing.assert_array_equal(found.scores(rows, rows), expected)
    assert expected[0, 0] > 0.5
    with pytest.raises(UsageError, match="the background is of net@0123456789ab, and the descriptor makes dct@"):
        Whitened(descriptor, FITTED)
    with pytest.raises(ValueError, match=r"vectors: got \(2, 255\), expected \(N, 24\) of net@"):
        FITTED.apply(rows)
