"""Windows by the clock: they tile what was seen."""

from __future__ import annotations

import pytest

from vtk.scenes.windows import Windows


def tiled(windows: Windows, times: list[float],
          indices: list[int] | None = None) -> list[tuple[float, float, int, int]]:
    numbers = indices or list(range(len(times)))
    found = [shot for index, t in zip(numbers, times, strict=True) for shot in windows.add(index, t)]
    return [(shot.start, shot.end, shot.start_frame, shot.end_frame) for shot in [*found, *windows.finish()]]


def test_windows_tile_a_film() -> None:
    assert tiled(Windows(1.0), [n / 4 for n in range(10)]) == [(0.0, 1.0, 0, 4), (1.0, 2.0, 4, 8), (2.0, 2.5, 8, 10)]


def test_times_that_were_rounded_down_are_of_the_next_window() -> None:
    assert [each[:2] for each in tiled(Windows(0.1), [0.0, 0.0999999, 0.2])] == [
        (0.0, 0.0999999), (0.0999999, 0.2), (0.2, pytest.approx(0.3))]


def test_windows_without_frames_are_none() -> None:
    assert tiled(Windows(1.0), [0.5, 7.5, 8.0], [5, 75, 80]) == [
        (0.5, 7.5, 5, 75), (7.5, 8.0, 75, 80), (8.0, 8.5, 80, 85)]
    assert Windows(1.0).finish() == []


@pytest.mark.parametrize("seconds", [0.0, -1.0, float("nan"), float("inf")])
def test_a_length_that_is_none_is_refused(seconds: float) -> None:
    with pytest.raises(ValueError, match="seconds: got"):
        Windows(seconds)
