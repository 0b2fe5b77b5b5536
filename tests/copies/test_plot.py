"""Pictures of maps: each entry stays visible and is where its time is, spans lie over it, names are safe."""

from __future__ import annotations

import numpy as np
import pytest

from vtk.copies.footprint import Footprint
from vtk.copies.matches import Match
from vtk.copies.plot import BLUES, LONGEST, SEGMENT, mapped, plot_name
from vtk.copies.plot import plot as plot_of
from vtk.copies.similarity import LISTED, Entries


def footprint(times: np.ndarray, duration: float, name: str = "films/a.mp4") -> Footprint:
    count = len(times)
    return Footprint(name, np.arange(count, dtype=np.int64), np.asarray(times, np.float64),
                     np.ones((count, 2), np.float32), np.ones(count, np.float32), duration, 25.0, 320, 240, "x@y")


def entries(cells: list[tuple[int, int, float]], shape: tuple[int, int]) -> Entries:
    rows, columns, values = zip(*cells, strict=True) if cells else ((), (), ())
    return Entries(np.array(rows, np.int64), np.array(columns, np.int64), np.array(values, np.float32), shape)


def plot(query: Footprint, reference: Footprint, similarity: Entries, matches: list[Match]) -> np.ndarray:
    return plot_of(mapped(query, reference, similarity), matches)


def blue(picture: np.ndarray) -> np.ndarray:
    """Return where entries are, (H, W) bool: more blue than red by far, as no line, letter or segment is.

    The legend's ramp, above the map, is left out.
    """
    found = picture[..., 2].astype(int) - picture[..., 0] > 40
    found[:top(picture)] = False
    return found


def top(picture: np.ndarray) -> int:
    """Return the row at which the map begins: below the frame's line."""
    grey = (picture == 150).all(axis=2).sum(axis=1)
    return int(np.flatnonzero(grey > 100)[0]) + 1


def span(picture: np.ndarray) -> tuple[int, int, int, int]:
    """Return the map's place: left, top, right, bottom."""
    grey = (picture == 150).all(axis=2)
    columns, rows = (np.flatnonzero(grey.sum(axis=axis) > 100) for axis in (0, 1))
    return int(columns[0]) + 1, int(rows[0]) + 1, int(columns[-1]), int(rows[-1])


@pytest.mark.parametrize(("counts", "cell"), [
    ((10, 10), (3, 7)), ((30, 20), (0, 0)), ((30, 20), (29, 19)), ((5000, 300), (4321, 7)),
    ((300, 20_000), (17, 19_999)),
])
def test_a_single_entry_shows_where_its_time_is(counts: tuple[int, int], cell: tuple[int, int]) -> None:
    query, reference = (footprint(np.arange(count), count) for count in counts)
    picture = plot(query, reference, entries([(*cell, 1.0)], counts), [])
    assert picture.dtype == np.uint8 and picture.ndim == 3
    left, upper, right, lower = span(picture)
    assert right - left <= LONGEST and lower - upper <= LONGEST
    rows, columns = np.nonzero(blue(picture))
    assert len(rows) >= 1
    for place, count, start, stop, index in ((columns, counts[0], left, right, cell[0]),
                                             (rows, counts[1], upper, lower, cell[1])):
        scale = (stop - start) / count
        # Frame n is shown at second n; its cell reaches from halfway to its neighbours, one pixel either way.
        assert place.min() >= start + (index - 0.5) * scale - 1.01
        assert place.max() <= start + (index + 1) * scale + 1.01
    assert (picture[rows, columns] == BLUES[-1]).all(axis=1).any(), "an entry of 1 keeps its full colour"


def test_of_many_entries_in_a_pixel_the_greatest_shows() -> None:
    count = 6000
    query = footprint(np.arange(count), count)
    faint = [(row, row, LISTED) for row in range(count)]
    picture = plot(query, query, entries([*faint, (3003, 3003, 1.0)], (count, count)), [])
    assert (picture[blue(picture)] == BLUES[-1]).all(axis=1).sum() == 1


def test_greater_is_darker_and_the_least_is_not_white() -> None:
    values = np.linspace(LISTED, 1, 12)
    query = footprint(np.arange(12), 12.0)
    picture = plot(query, query, entries([(n, n, v) for n, v in enumerate(values.tolist())], (12, 12)), [])
    left, upper, right, lower = span(picture)
    step = (right - left) / 12
    grounds = [picture[round(upper + (n + 0.2) * step), round(left + (n + 0.2) * step)].astype(int) for n in range(12)]
    light = [int(ground.sum()) for ground in grounds]
    assert light == sorted(light, reverse=True) and len(set(light)) == 12 and light[0] < 3 * 255 - 60


def test_uneven_times_are_drawn_by_time() -> None:
    """Of a video whose second half stands still, the last frame's cell takes half of the map."""
    query = footprint(np.array([0, 1, 2, 3, 4, 5, 12]), 20.0)
    picture = plot(query, query, entries([(6, 6, 1.0)], (7, 7)), [])
    left, _, right, _ = span(picture)
    columns = np.flatnonzero(blue(picture).any(axis=0))
    assert columns.min() == pytest.approx(left + 8.5 / 20 * (right - left), abs=2) and columns.max() >= right - 2


def test_matches_lie_over_their_spans() -> None:
    query, reference = footprint(np.arange(60), 60.0), footprint(np.arange(120), 120.0, "films/b.mp4")
    match = Match("films/b.mp4", 10.0, 30.0, 40.0, 80.0, 0.9, 2.0)
    picture = plot(query, reference, entries([], (60, 120)), [match])
    left, upper, right, lower = span(picture)
    rows, columns = np.nonzero((picture == SEGMENT).all(axis=2))
    wide, high = (right - left) / 60, (lower - upper) / 120
    # The label of a score stands above its box: the box itself is what lies below it.
    assert columns.min() == pytest.approx(left + 10 * wide, abs=2)
    assert rows.max() == pytest.approx(upper + 80 * high, abs=2)
    dashes = np.abs((rows - upper) / high - (40 + 2 * ((columns - left) / wide - 10))) < 1
    inside = (columns > left + 11 * wide) & (columns < left + 29 * wide) & (rows > upper + 41 * high)
    inside &= rows < upper + 79 * high
    assert (dashes & inside).sum() > 50 and (dashes | ~inside).mean() > 0.95, "a line from corner to corner"
    plain = plot(query, reference, entries([], (60, 120)), [])
    assert not (plain == SEGMENT).all(axis=2).any() and plain.shape == picture.shape


def test_a_match_of_whole_videos_has_all_four_sides() -> None:
    query = footprint(np.arange(20), 20.0)
    picture = plot(query, query, entries([], (20, 20)), [Match("films/a.mp4", 0.0, 20.0, 0.0, 20.0, 0.9, 1.0)])
    left, upper, right, lower = span(picture)
    drawn = (picture[upper:lower, left:right] == SEGMENT).all(axis=2)
    assert drawn[-1].all() and drawn[:, -1].all() and drawn[0].mean() > 0.8 and drawn[:, 0].mean() > 0.8


def test_one_scale_for_both_sides_as_far_as_can_be() -> None:
    def sides(one: float, other: float) -> tuple[int, int]:
        pair = (footprint(np.arange(20) * one / 20, one), footprint(np.arange(20) * other / 20, other))
        left, upper, right, lower = span(plot(*pair, entries([], (20, 20)), []))
        return right - left, lower - upper

    wide, high = sides(20.0, 10.0)
    assert wide == pytest.approx(2 * high, abs=2)
    wide, high = sides(1.0, 3600.0)
    assert wide >= 150 and high >= 600


@pytest.mark.parametrize("count", [0, 1])
def test_videos_of_no_frame_or_one(count: int) -> None:
    query = footprint(np.zeros(count), 0.0)
    picture = plot(query, query, entries([(0, 0, 0.5)] if count else [], (count, count)), [])
    assert blue(picture).any() == bool(count)


def test_names_that_are_long_or_odd_are_drawn() -> None:
    query = footprint(np.arange(4), 4.0, "clips/" + "sub/" * 80 + "été 你好 \udc80.mp4")
    picture = plot(query, query, entries([], (4, 4)), [])
    assert (picture[-20:].min(axis=2) < 80).any() and picture.shape[1] < 1500


def test_a_map_of_other_frames_is_refused() -> None:
    query = footprint(np.arange(4), 4.0)
    with pytest.raises(ValueError, match=r"similarity: got a shape of \(4, 5\), expected \(4, 4\)"):
        plot(query, query, entries([], (4, 5)), [])


def test_file_names_are_safe_and_no_other_pairs() -> None:
    names = ["a.mp4", "b/a.mp4", "a_.mp4", "a.avi", "a", "ü/../x\0y.mp4", "\udc80.mp4", "rtsp://host/a?b=c&d",
             "x" * 900, "..", "-rf", "con/a--b", "a--b", "A.mp4"]
    found = [plot_name(one, other, mirrored) for one in names for other in names for mirrored in (False, True)]
    assert len({name.lower() for name in found}) == 2 * len(names) ** 2, "also where disks do not know case"
    for name in found:
        assert name.isascii() and len(name) < 200 and name.endswith(".png") and not name.startswith((".", "-"))
        assert not set(name) & set('/\\:*?"<>|\0 ')
    assert plot_name("films/Megamind.avi", "b.mp4").startswith("Megamind--b--")
