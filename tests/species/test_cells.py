"""Cells of the earth: equal areas, longitudes that wrap, poles at which all cells touch."""

from __future__ import annotations

import numpy as np
import pytest

from vtk.species.cells import Grid

SIZES = (0.5, 1.0, 5.0, 30.0)


@pytest.mark.parametrize("size", SIZES)
def test_a_cell_holds_its_middle_and_touches_whoever_touches_it(size: float) -> None:
    grid = Grid(size)
    for cell in np.random.default_rng(0).integers(0, len(grid), 100).tolist():
        south, west, north, east = grid.bounds(cell)
        assert grid.cell_of((south + north) / 2, (west + east) / 2) == cell
        around = grid.around(cell)
        assert cell in around
        assert all(cell in grid.around(int(other)) for other in around)


@pytest.mark.parametrize("size", SIZES)
def test_cells_have_one_area_within_rounding(size: float) -> None:
    """A cell is as wide as it should be but for the rounding of cells in its row, a half of three or more at most."""
    grid = Grid(size)
    areas = []
    for cell in np.random.default_rng(1).integers(0, len(grid), 300).tolist():
        south, west, north, east = grid.bounds(cell)
        areas.append((np.sin(np.radians(north)) - np.sin(np.radians(south))) * np.radians(east - west))
    assert np.allclose(areas, 4 * np.pi / len(grid), rtol=1 / 5)


def test_the_number_of_cells_is_the_area_of_the_earth_in_square_degrees() -> None:
    assert len(Grid(1.0)) == pytest.approx(4 * np.pi * (180 / np.pi) ** 2, rel=1e-3)


def test_longitudes_wrap() -> None:
    grid = Grid(1.0)
    assert grid.cell_of(10.5, 180) == grid.cell_of(10.5, -180) == grid.cell_of(10.5, -179.9)
    assert grid.cell_of(10.5, 190.5) == grid.cell_of(10.5, -169.5)
    assert grid.cell_of(10.5, -179.5) in grid.around(grid.cell_of(10.5, 179.5))
    assert len(grid.around(grid.cell_of(0.5, 179.5))) == 9


@pytest.mark.parametrize("pole", [90.0, -90.0])
def test_all_cells_touch_at_a_pole(pole: float) -> None:
    grid = Grid(1.0)
    inside = [grid.cell_of(pole * 0.999, longitude) for longitude in (-120, 0, 120)]
    assert len(set(inside)) == 3
    assert set(inside) <= set(grid.around(inside[0]).tolist())
    assert len({grid.cell_of(pole, longitude) for longitude in (-180, -60, 0, 77)}) == 1, "longitude says nothing there"


@pytest.mark.parametrize("place", [(90.1, 0), (float("nan"), 0), (0, float("inf")), (0, 361)])
def test_what_is_no_place_is_refused(place: tuple[float, float]) -> None:
    with pytest.raises(ValueError, match="no place has latitude"):
        Grid(1.0).cell_of(*place)


@pytest.mark.parametrize("size", [0.0, -1.0, 0.01, 0.7, 45.0, float("nan")])
def test_sizes_that_make_no_grid_are_refused(size: float) -> None:
    with pytest.raises(ValueError, match="degrees: expected"):
        Grid(size)


def test_cells_that_are_none_are_refused() -> None:
    with pytest.raises(ValueError, match="no cell 41252: there are 41252"):
        Grid(1.0).around(41252)
