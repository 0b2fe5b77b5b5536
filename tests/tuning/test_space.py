"""What is tried: distinct configurations, the defaults first, the values that a user names."""

from __future__ import annotations

import itertools

import pytest

from vtk.errors import UsageError
from vtk.tracking.trackers import SEARCH, defaults, make_tracker
from vtk.tuning.space import MOST_COMBINATIONS, gridded, make_space, sampled


@pytest.mark.parametrize("tracker", SEARCH)
def test_a_sample_is_distinct_and_begins_with_the_defaults(tracker: str) -> None:
    space = make_space(tracker)
    found = sampled(space, 30, seed=0)
    assert found[0] == space.default == tuple(defaults(tracker)[option] for option in SEARCH[tracker])
    assert len(set(found)) == len(found)
    for config in found:
        assert all(value in (default, *SEARCH[tracker][option])
                   for option, value, default in zip(space.values, config, space.default, strict=True))
        assert space.options(config).items() <= dict(zip(space.values, config, strict=True)).items()
    assert found == sampled(space, 30, seed=0)


def test_small_steps_and_large_ones_are_tried() -> None:
    space = make_space("vtk")
    steps = [sum(a != b for a, b in zip(config, space.default, strict=True)) for config in sampled(space, 200, 1)]
    assert steps[0] == 0
    assert set(range(1, len(space.values) + 1)) == set(steps[1:])
    assert sampled(space, 200, 2) != sampled(space, 200, 1)
    assert sampled(space, 200, 1)[:50] == sampled(space, 50, 1), "more trials go on where fewer ended"


def test_a_small_space_is_tried_whole() -> None:
    space = make_space("sort", ["max_age=1,2", "min_hits=3,5", "least_overlap=0.4"])
    everything = {(age, hits) for age in (1, 2) for hits in (3, 5)}
    assert set(sampled(space, 100, 0)) == everything
    assert sampled(space, 100, 0)[0] == (1, 3)
    for trials in range(1, 4):
        assert len(sampled(space, trials, 0)) == trials
    assert space.options((2, 5)) == {"least_overlap": 0.4, "max_age": 2, "min_hits": 5}


def test_values_are_the_users_in_their_own_type() -> None:
    space = make_space("vtk", ["high=0.33, 1e-1,0.1", "wide_match=0.7,0.9", "max_lost=4"])
    assert space.values["high"] == (0.33, 0.1)
    assert space.values["wide_match"] == (0.7, 0.9), "an option that is not searched by itself"
    assert space.values["start"] == SEARCH["vtk"]["start"]
    assert "max_lost" not in space.values
    assert space.fixed == {"max_lost": 4.0}
    hits = make_space("sort", ["min_hits=2,3.0", "max_lost=1,2"]).values["min_hits"]
    assert [type(value) for value in hits] == [int, int]


def test_an_option_without_a_number_by_default_is_left_out_there() -> None:
    space = make_space("sort", ["max_lost=1,2"], grid=True)
    assert gridded(space) == [(None,), (1.0,), (2.0,)]
    assert [space.options(config) for config in gridded(space)] == [{}, {"max_lost": 1.0}, {"max_lost": 2.0}]
    assert space.plain((2.0,), "max_lost") == (None,)


def test_a_grid_has_the_named_values_alone_after_the_defaults() -> None:
    space = make_space("bytetrack", ["high=0.4,0.6", "match=0.7,0.8,0.9", "low=0.2"], grid=True)
    assert gridded(space) == [(0.5, 0.8), *itertools.product((0.4, 0.6), (0.7, 0.8, 0.9))]
    assert space.size == 6
    for config in gridded(space):
        assert make_tracker("bytetrack", options=space.options(config)).low == 0.2


@pytest.mark.parametrize(("tracker", "settings", "message"), [
    ("deepsort", [], "no tracker 'deepsort' that can be tuned: there are vtk, bytetrack"),
    ("vtk", ["hihg=0.3"], "--set hihg=0.3: vtk has no option 'hihg': it has max_lost, high"),
    ("vtk", ["high"], "--set high: option=value,value is needed"),
    ("vtk", ["=0.3"], "--set =0.3: option=value,value is needed"),
    ("vtk", ["high= ,"], "option=value,value is needed"),
    ("vtk", ["high=0.3,low"], "--set high: 'low' is no number"),
    ("vtk", ["high=0.3,-0.1"], "--set high=-0.1: vtk's high must be a number from 0, got -0.1"),
    ("vtk", ["high=nan"], "--set high=nan: vtk's high must be a number from 0, got nan"),
    ("sort", ["min_hits=1,inf"], "--set min_hits: sort takes whole numbers there, got inf"),
    ("sort", ["min_hits=1.5"], "--set min_hits: sort takes whole numbers there, got 1.5"),
    ("vtk", ["high=0.3", "high=0.4"], "--set high is given twice"),
])
def test_settings_that_cannot_be(tracker: str, settings: list[str], message: str) -> None:
    with pytest.raises(UsageError) as caught:
        make_space(tracker, settings)
    assert message in str(caught.value)


def test_grids_that_cannot_be() -> None:
    with pytest.raises(UsageError, match="--grid tries the combinations of --set: give it an option with two values"):
        gridded(make_space("vtk", ["high=0.3"], grid=True))
    many = [f"{option}={','.join(map(str, range(1, 12)))}" for option in ("high", "low", "start", "match")]
    with pytest.raises(UsageError, match=rf"--grid: {11**4} combinations of high, low, start, match, at most "
                                         rf"{MOST_COMBINATIONS} are tried"):
        gridded(make_space("vtk", many, grid=True))
