"""Views look where they say, at pictures of any size."""

from __future__ import annotations

import numpy as np
import pytest

from vtk.errors import UsageError
from vtk.models.views import DEFAULT_VIEWS, VIEWS, check_views, count_looks, looks, magnified


def test_scales_are_middles_of_three_quarters_and_a_half() -> None:
    image = np.arange(8 * 16 * 3, dtype=np.uint16).astype(np.uint8).reshape(8, 16, 3)
    large, small = VIEWS["scales"](image)
    assert (large == image[1:7, 2:14]).all() and (small == image[2:6, 4:12]).all()


def test_looks_come_in_the_order_of_the_views_and_contiguous() -> None:
    image = np.random.default_rng(0).integers(0, 256, (9, 7, 3), np.uint8)
    views = ("scales", "flips", "quadrants", "whole", "centre")
    found = list(looks(image, views))
    assert [len(VIEWS[view](image)) for view in views] == [2, 1, 4, 1, 1] and len(found) == count_looks(views) == 9
    assert (found[2] == image[:, ::-1]).all() and (found[7] == image).all() and found[0].shape == (7, 5, 3)
    assert all(look.flags.c_contiguous for look in found)
    assert count_looks(DEFAULT_VIEWS) == 1


def test_what_is_seen_in_parts_needs_more_pixels() -> None:
    assert [magnified(views) for views in (("whole", "flips"), ("quadrants",), ("whole", "scales"))] == [1, 2, 2]
    assert magnified(("centre",)) == pytest.approx(1 / 0.875)


@pytest.mark.parametrize("shape", [(1, 1, 3), (1, 900, 3), (2, 2, 3), (3, 1, 3)])
def test_no_look_is_empty(shape: tuple[int, int, int]) -> None:
    assert all(look.size and look.shape[2] == 3 for look in looks(np.zeros(shape, np.uint8), tuple(VIEWS)))


@pytest.mark.parametrize("views", [(), ("whole", "whole"), ("whole", "corners"), ("",)])
def test_views_that_are_none(views: tuple[str, ...]) -> None:
    with pytest.raises(UsageError, match="^--views .*: give some of whole,centre,flips,quadrants,scales, each once$"):
        check_views(views)
