"""``temporal_align`` on maps with lines drawn where they are known to be, on a real map, and at ten hours by ten."""

from __future__ import annotations

import time
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from vtk.kernels import temporal_align
from vtk.kernels.temporal_align import diagonal, dtw, dynamic_programming, hough, temporal_network
from vtk.kernels.temporal_align.cases import NAMES, draw, nearest
from vtk.kernels.timing import peak_memory

# Of unrelated frames here: far enough below what every aligner calls similar that none is by chance.
NOISE = 0.1


def _noise(queries: int = 120, refs: int = 150, seed: int = 0) -> np.ndarray:
    """Return a map of unrelated frames, (queries, refs) float32 below 0.2."""
    return np.random.default_rng(seed).uniform(0, 2 * NOISE, (queries, refs)).astype(np.float32)


def _drawn(*lines: tuple[int, int, float, int], queries: int = 120, refs: int = 150) -> np.ndarray:
    """Return unrelated frames with lines from (query, ref) at a speed over so many query frames."""
    sims = _noise(queries, refs)
    for line in lines:
        draw(sims, *line)
    return sims


def _box(query: int, ref: int, speed: float, length: int) -> list[int]:
    """Return the box of a line: its first cell to behind its last."""
    return [query, ref, query + length, ref + round(speed * (length - 1)) + 1]


def _found(segments: np.ndarray) -> list[list[int]]:
    """Return the boxes of segments in order of the query."""
    assert segments.dtype == np.float32
    assert (np.diff(segments[:, 4]) <= 0).all(), "not the best first"
    return sorted(segments[:, :4].tolist())


def _iou(a: list[float], b: list[float]) -> float:
    """Return the shared area of two boxes over the joint one."""
    sides = [min(a[axis + 2], b[axis + 2]) - max(a[axis], b[axis]) for axis in (0, 1)]
    shared = max(sides[0], 0) * max(sides[1], 0)
    return shared / (sum((box[2] - box[0]) * (box[3] - box[1]) for box in (a, b)) - shared)


@pytest.mark.parametrize("speed", [0.4, 0.5, 0.77, 1.0, 1.27, 2.0, 2.5])
def test_diagonal_finds_a_line_of_any_speed(speed: float) -> None:
    """Exactly from its first hit to its last; the box's slope is the speed but for half a frame at its end."""
    line = (30, 20, speed, 50)
    (got,) = diagonal(_drawn(line)).tolist()
    assert got[:4] == _box(*line)
    assert (got[3] - got[1] - 1) / (got[2] - got[0] - 1) == pytest.approx(speed, abs=0.501 / 49)
    # 50 hits of 0.8 gain 0.4 each; a line between two speeds of the grid may lag a frame behind now and then.
    assert got[4] == pytest.approx(20, abs=1)


def test_diagonal_follows_a_speed_between_two_of_the_grid_however_long() -> None:
    """At 1.05 a line of speed 1 is 75 frames off after 1500."""
    line = (100, 40, 1.05, 1500)
    assert _found(diagonal(_drawn(line, queries=1700, refs=1700))) == [_box(*line)]


@pytest.mark.parametrize("lines", [
    [(5, 90, 1.0, 30), (40, 10, 1.0, 30)],  # two segments, in the other order on the reference
    [(0, 80, 1.0, 20), (20, 40, 1.0, 20), (40, 110, 1.0, 20), (60, 0, 1.0, 20)],  # a list of cuts, without a gap
    [(10, 10, 1.0, 40), (10, 100, 1.0, 40)],  # the same of the query twice in the reference
    [(10, 60, 1.0, 20), (50, 60, 1.0, 20)],  # and the other way round
    [(5, 10, 0.5, 40), (60, 60, 2.0, 40)],  # at two speeds
])  # fmt: skip
def test_diagonal_finds_every_segment(lines: list[tuple[int, int, float, int]]) -> None:
    assert _found(diagonal(_drawn(*lines))) == sorted(_box(*line) for line in lines)


def test_diagonal_bears_noise_and_missing_hits() -> None:
    """Every third frame has no hit, one in 50 cells elsewhere is one: the line is found, its ends within 2 frames.

    Within 2, because a stray hit in the band beyond an end, of which there is one in 4 rows, gains as a true one does.
    """
    rng = np.random.default_rng(3)
    sims = _drawn((30, 20, 1.0, 60))
    sims[(np.arange(120) % 3 == 1)] = NOISE
    stray = rng.random(sims.shape) < 0.02
    sims[stray] = rng.uniform(0.4, 0.6, stray.sum())
    best = diagonal(sims)[0, :4]
    assert np.abs(best - _box(30, 20, 1.0, 60)).max() <= 2


def test_diagonal_goes_on_over_repeated_and_missing_frames() -> None:
    """The query stands still for 6 frames, later it leaves out 6: three lines, one segment."""
    sims = _drawn((10, 20, 1.0, 30), (46, 50, 1.0, 30), (76, 86, 1.0, 30))
    sims[40:46, 49] = 0.8
    assert _found(diagonal(sims)) == [[10, 20, 106, 116]]
    assert len(diagonal(sims, max_gap=4)) == 3


def test_diagonal_is_none_where_nothing_or_a_still_picture_is() -> None:
    """A frame like 60 of the other video is no line at any speed; its column or row is followed for 7 frames."""
    assert diagonal(_noise()).shape == (0, 5)
    sims = _noise()
    sims[30:90, 70] = sims[15, 20:80] = 0.9
    assert diagonal(sims, min_length=10).shape == (0, 5)


def test_diagonal_keeps_to_its_options() -> None:
    sims = _drawn((10, 10, 1.0, 30), (60, 60, 2.0, 30))
    assert _found(diagonal(sims, fastest=1.5)) == [[10, 10, 40, 40]]
    assert _found(diagonal(sims, slowest=1.5)) == [[60, 60, 90, 119]]
    assert len(diagonal(sims, min_sim=0.85)) == len(diagonal(sims, min_length=31)) == 0
    assert len(diagonal(sims, min_score=13)) == len(diagonal(sims, min_mean=0.41)) == 0
    assert len(diagonal(sims, max_segments=1)) == 1
    broken = _drawn((10, 10, 1.0, 20), (34, 34, 1.0, 20))
    assert _found(diagonal(broken, max_gap=4)) == [[10, 10, 54, 54]]
    assert diagonal(broken, max_gap=4)[0, 4] == pytest.approx(40 * 0.4 - 4 * 0.05, abs=1e-5)  # float32 at 16


@pytest.mark.parametrize("align", [
    partial(hough, min_sim=0.4), temporal_network, partial(dynamic_programming, min_sim=0.3), diagonal,
])  # fmt: skip
def test_local_aligners_find_segments_in_any_order(align: Any) -> None:
    lines = [(5, 90, 1.0, 30), (40, 10, 1.0, 30), (75, 60, 1.0, 40)]
    assert _found(align(_drawn(*lines))) == sorted(_box(*line) for line in lines)


def test_hough_boxes_are_the_hits_or_the_whole_diagonal() -> None:
    sims = _drawn((30, 20, 1.0, 50))
    assert hough(sims).tolist() == [[30, 20, 80, 70, 40]]
    assert hough(sims, whole=True).tolist() == [[10, 0, 120, 110, 40]]
    assert hough(sims, max_peaks=0).shape == (0, 5)
    near = _drawn((30, 20, 1.0, 50), (31, 20, 1.0, 45))
    assert len(hough(near, max_iou=0.9)) == 2
    assert len(hough(near, max_iou=0.5)) == 1


def test_temporal_network_keeps_to_its_options() -> None:
    sims = _drawn((10, 10, 1.0, 30), (45, 45, 1.0, 30))
    assert _found(temporal_network(sims)) == [[10, 10, 75, 75]]
    assert _found(temporal_network(sims, max_step=6)) == [[10, 10, 40, 40], [45, 45, 75, 75]]
    assert len(temporal_network(sims, max_step=6, max_path=1)) == 1
    assert len(temporal_network(sims, max_step=6, min_length=30)) == 0
    # An edge past a reference that the node leads to already would jump over it: 4 of 5 frames are a fifth less.
    sims[:, 20] = NOISE
    assert temporal_network(sims)[0, 4] == pytest.approx(59 * 0.8, abs=1e-4)  # float32 at 47


def test_dynamic_programming_counts_what_is_unmatched() -> None:
    sims = _drawn((10, 10, 1.0, 30), (44, 44, 1.0, 30))
    sims[sims < 0.3] = NOISE  # else the way over a gap is the one that earns most, not the shortest
    two = [[10, 10, 40, 40], [44, 44, 74, 74]]
    assert _found(dynamic_programming(sims, min_sim=0.3)) == two
    assert _found(dynamic_programming(sims, min_sim=0.3, discontinue=4)) == [[10, 10, 74, 74]]
    assert len(dynamic_programming(sims, min_sim=0.3, max_paths=1)) == 1
    assert len(dynamic_programming(sims, min_sim=0.3, ave_sim=0.81)) == 0
    assert len(dynamic_programming(sims, min_sim=0.3, min_length=30)) == 0


def test_dynamic_programming_cuts_long_straight_runs() -> None:
    """The query stands still for 20 frames between two halves of a copy."""
    sims = _drawn((10, 10, 1.0, 30), (60, 40, 1.0, 30))
    sims[40:60, 39] = 0.8
    assert _found(dynamic_programming(sims, min_sim=0.3)) == [[10, 10, 90, 70]]
    cut = _found(dynamic_programming(sims, min_sim=0.3, max_straight=10))
    assert cut == [[10, 10, 40, 40], [59, 39, 90, 70]]


def test_dtw_is_one_path_cut_where_it_stands_still() -> None:
    """Nothing of the query is in 15 frames of the reference, nor of the reference in 15 frames of the query."""
    sims = _drawn((0, 0, 1.0, 40), (40, 55, 1.0, 40), (95, 95, 1.0, 25), refs=120)
    parts = [[0, 0, 40, 40], [40, 55, 80, 95], [95, 95, 120, 120]]
    assert _found(dtw(sims)) == parts
    assert _found(dtw(sims, min_length=25)) == parts[:2]
    assert len(dtw(sims, min_sim=0.85)) == 0
    (whole,) = _found(dtw(sims, discontinue=15))
    assert whole == [0, 0, 120, 120]


@pytest.mark.parametrize("name", NAMES)
def test_entries_give_what_the_map_gives(name: str) -> None:
    """Whole map and entries, the 20 best of each row: where the map has 0 elsewhere they are the same."""
    sims = _drawn((5, 90, 1.0, 30), (40, 10, 1.0, 30), (75, 60, 0.5, 40))
    columns = np.argsort(-sims, axis=1)[:, :20]
    rows = np.repeat(np.arange(len(sims)), 20)
    entries = rows, columns.ravel(), sims[rows, columns.ravel()], sims.shape
    held = np.zeros_like(sims)
    held[entries[:2]] = entries[2]
    align = getattr(temporal_align, name)
    assert len(align(held))
    np.testing.assert_array_equal(align(entries), align(held))


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("module", ["", ".reference"])
def test_nothing_given_is_changed(name: str, module: str) -> None:
    align = getattr(import_module(f"vtk.kernels.temporal_align{module}"), name)
    sims, entries = _drawn((5, 10, 1.0, 30)), nearest(60, np.random.default_rng(0), top=5)
    before = sims.copy(), [each.copy() for each in entries[:3]]
    align(sims)
    align(entries)
    np.testing.assert_array_equal(sims, before[0])
    for each, was in zip(entries, before[1], strict=False):
        np.testing.assert_array_equal(each, was)


@pytest.mark.parametrize("name", NAMES)
def test_a_video_of_no_or_one_frame(name: str) -> None:
    align = getattr(temporal_align, name)
    none = np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0, np.float32)
    for shape in ((0, 0), (0, 5), (5, 0), (1, 1)):
        assert align(np.ones(shape, np.float32)).shape == ((1, 5) if name == "hough" and shape == (1, 1) else (0, 5))
        assert align((*none, shape)).shape == (0, 5)


@pytest.mark.parametrize(("changed", "message"), [
    ({"rows": np.array([0, 3])}, "rows: got 0 to 3, expected 0 to 2"),
    ({"columns": np.array([-1, 0])}, "columns: got -1 to 0, expected 0 to 3"),
    ({"values": np.array([0.5, np.nan], np.float32)}, "got NaN or inf"),
    ({"shape": (3,)}, "shape: got"),
    ({"shape": (3, 1 << 25)}, "at most 16777216 frames"),
])  # fmt: skip
def test_wrong_entries_are_refused(changed: dict[str, Any], message: str) -> None:
    entries = {"rows": np.array([0, 1]), "columns": np.array([0, 1]), "values": np.ones(2, np.float32), "shape": (3, 4)}
    with pytest.raises(ValueError, match=message):
        diagonal(tuple((entries | changed).values()))


def test_unmatched_cells_cannot_be_matched_among_entries() -> None:
    with pytest.raises(ValueError, match="min_sim"):
        dynamic_programming(nearest(20, np.random.default_rng(0)), min_sim=-0.5)
    with pytest.raises(ValueError, match="slowest"):
        diagonal(_noise(), slowest=2.0, fastest=1.0)


@pytest.mark.parametrize("name", sorted(set(NAMES) - {"dtw"}))
def test_the_copy_in_a_real_map_is_found(name: str, shared: Path) -> None:
    """VCSL's sample, ISC descriptors: query 0 to 54 is reference 187 to 241, as one reads off the map.

    IoU 0.85: three frames at the beginning (dynamic programming begins behind them) leave 0.89. DTW is not among them:
    its path leads from corner to corner, and the copy leaves the map at its side.
    """
    sims = np.load(shared / "data" / "detect-copy" / "vcsl_sample_sim.npy")
    segments = getattr(temporal_align, name)(sims)
    assert _iou(segments[0, :4].tolist(), [0, 187, 54, 241]) > 0.85
    if name == "diagonal":
        # What is similar beside the copy is still pictures; none lasts.
        assert len(segments) <= 2
        assert segments[1:, 4].sum() < segments[0, 4] / 5


@pytest.mark.parametrize("name", NAMES)
def test_ten_hours_against_ten_hours(name: str) -> None:
    """20 entries for each of 36,000 frames; the map would take 5.2 GB, what is held is below 0.5."""
    entries = nearest(36_000, np.random.default_rng(0))
    align = getattr(temporal_align, name)
    align(nearest(100, np.random.default_rng(0)))  # compiles
    start, found = time.process_time(), []
    taken = peak_memory(lambda: found.append(align(entries)))
    assert time.process_time() - start < 10, "processor's time of the one call, whatever else the machine does"
    assert taken is None or taken < 500e6
    lines = entries[1].reshape(-1, 20)[:, 0], entries[2].reshape(-1, 20)[:, 0]
    copied = np.flatnonzero(lines[1] > 0.5)
    covered = np.zeros(36_000, bool)
    for q0, r0, q1, r1 in found[0][:, :4].astype(int).tolist():
        inside = copied[(copied >= q0) & (copied < q1)]
        covered[inside[(lines[0][inside] >= r0) & (lines[0][inside] < r1)]] = True
    # Hough counts the two of speed 1; the path of DTW goes through what is similar by chance, from corner to corner.
    parts = {"hough": 2, "temporal_network": 4, "dynamic_programming": 2, "dtw": 0, "diagonal": 4}
    assert covered.sum() >= 3600 * parts[name]
    if name == "diagonal":
        assert len(found[0]) == 4
