"""``pixel_aggregation`` on masks that can be followed by eye, its ties, and what a shortest-path program says."""

from __future__ import annotations

import numpy as np
import pytest

from vtk.kernels.case import cases
from vtk.kernels.pixel_aggregation import pixel_aggregation, progressive_expansion
from vtk.kernels.pixel_aggregation.cases import page


def _labels(*rows: str) -> np.ndarray:
    """Return a picture of labels: a digit each, a dot for 0."""
    return np.array([[0 if sign == "." else int(sign) for sign in row] for row in rows], np.int32)


def _mask(*rows: str) -> np.ndarray:
    """Return a picture of a mask: a dot is outside."""
    return np.array([[sign != "." for sign in row] for row in rows])


@pytest.mark.parametrize(
    ("kernels", "region", "wanted"),
    [
        # The middle is as far from one as from the other: the lower label has it, wherever it stands.
        (["1...2"], ["#####"], ["11122"]),
        (["2...1"], ["#####"], ["22111"]),
        (["2..1"], ["####"], ["2211"]),
        # Steps go inside the region alone: 2 is nearer by air, 1 by land.
        (["1.2", "...", "..."], ["#.#", "#.#", "##."], ["1.2", "1.2", "11."]),
        # Corners don't touch.
        (["1..", "...", "..."], ["#..", ".#.", "..#"], ["1..", "...", "..."]),
        # What nothing reaches stays 0, what of a kernel lies outside the region is nothing.
        (["1....", "....2"], ["##.##", "#...."], ["11...", "1...."]),
        # Three at once at one pixel, the least of them last in the order of reading.
        ([".9.", "5..", ".3."], [".#.", "##.", ".#."], [".9.", "53.", ".3."]),
        # A lower label that comes later takes nothing.
        (["9..1"], ["####"], ["9911"]),
        (["9...1.."], ["#######"], ["9911111"]),
    ],
)
def test_by_hand(kernels: list[str], region: list[str], wanted: list[str]) -> None:
    got = pixel_aggregation(_labels(*kernels), _mask(*region))
    assert got.dtype == np.int32
    assert got.tolist() == _labels(*wanted).tolist()


def test_maps_are_grown_one_after_the_other() -> None:
    """In the largest map alone the middle is nearer to 1; the middle map gives it to 2 before."""
    kernels = _labels("1....2")
    small, middle, large = _mask("#....#"), _mask("#.####"), _mask("######")
    assert pixel_aggregation(kernels, large).tolist() == _labels("111222").tolist()
    assert progressive_expansion(kernels, np.stack([small, middle, large])).tolist() == _labels("112222").tolist()
    assert progressive_expansion(kernels, np.stack([middle, large])).tolist() == _labels("112222").tolist()


def test_distance_begins_anew_in_each_map() -> None:
    """1 came far in the first map; in the second the gap's middle is as near to it as to 2."""
    kernels = _labels("1......2")
    maps = np.stack([_mask("####...#"), _mask("########")])
    assert progressive_expansion(kernels, maps).tolist() == _labels("11111122").tolist()


def test_a_label_stays_where_a_later_map_is_not_but_the_last_cuts_all() -> None:
    kernels = _labels("1....")
    first, gap, last = _mask("###.."), _mask("#..##"), _mask("####.")
    # The third pixel has its label from the first map, and the fourth comes from it in the second.
    assert progressive_expansion(kernels, np.stack([first, gap, last])).tolist() == _labels("1111.").tolist()
    assert progressive_expansion(kernels, np.stack([last, first])).tolist() == _labels("111..").tolist()


def test_one_map_is_pixel_aggregation() -> None:
    given = page(90, 160, np.random.default_rng(1), 12)
    got = progressive_expansion(given["kernels"], given["region"][None])
    assert (got == pixel_aggregation(**given)).all()


def test_same_as_shortest_paths() -> None:
    """Distances from each label by scipy's shortest paths; the least (distance, label) wins."""
    from scipy.sparse import coo_matrix
    from scipy.sparse.csgraph import dijkstra

    given = cases("pixel_aggregation").inputs("pixel_aggregation", 120, np.random.default_rng(8))
    kernels, region = given["kernels"] * (given["region"] != 0), given["region"] != 0
    index = np.arange(region.size).reshape(region.shape)
    sides = [(index[:, :-1], index[:, 1:]), (index[:-1], index[1:])]
    pairs = np.concatenate([np.stack([a.ravel(), b.ravel()]) for a, b in sides], axis=1)
    pairs = pairs[:, region.ravel()[pairs].all(axis=0)]
    graph = coo_matrix((np.ones(pairs.shape[1]), tuple(pairs)), (region.size, region.size)).tocsr()
    labels = np.unique(kernels[kernels > 0])
    assert len(labels) > 3
    away = np.stack([
        dijkstra(graph, directed=False, indices=index[kernels == label], min_only=True) for label in labels
    ])  # fmt: skip
    wanted = np.where(np.isfinite(away.min(axis=0)), labels[away.argmin(axis=0)], 0)
    assert (pixel_aggregation(**given).ravel() == wanted).all()


def test_order_of_labels_alone_decides_ties() -> None:
    """A picture turned around gives the result turned around."""
    given = page(120, 200, np.random.default_rng(5), 30, 4)
    got = progressive_expansion(**given)
    flipped = progressive_expansion(given["kernels"][::-1, ::-1], given["maps"][:, ::-1, ::-1])
    assert (flipped[::-1, ::-1] == got).all()
    assert (got > 0).sum() > 1.3 * (given["kernels"] > 0).sum()
    assert ((got > 0) == (given["maps"][-1] != 0))[got > 0].all()


@pytest.mark.parametrize("shape", [(0, 0), (0, 5), (5, 0), (1, 1)])
def test_empty_and_tiny_pictures(shape: tuple[int, int]) -> None:
    kernels = np.ones(shape, np.int32)
    assert (pixel_aggregation(kernels, np.ones(shape, bool)) == kernels).all()
    assert progressive_expansion(kernels, np.zeros((3, *shape), np.uint8)).sum() == 0


def test_largest_label_and_those_below_zero() -> None:
    kernels = np.array([[2**31 - 1, 0, 0, -5]], np.int32)
    assert pixel_aggregation(kernels, np.full((1, 4), 255, np.uint8)).tolist() == [[2**31 - 1] * 4]
    assert kernels.tolist() == [[2**31 - 1, 0, 0, -5]], "the caller's array was written"


def test_refusals() -> None:
    kernels = np.zeros((4, 5), np.int32)
    with pytest.raises(ValueError, match=r"region: got a bool array of shape \(5, 4\), expected a bool or uint8 array"):
        pixel_aggregation(kernels, np.zeros((5, 4), bool))
    with pytest.raises(ValueError, match="kernels: got a int64 array"):
        pixel_aggregation(kernels.astype(np.int64), np.zeros((4, 5), bool))
    with pytest.raises(ValueError, match=r"maps: got shape \(0, 4, 5\), expected at least one map"):
        progressive_expansion(kernels, np.zeros((0, 4, 5), bool))
