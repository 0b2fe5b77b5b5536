"""Where things are hidden in frames in which no record tells of them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from vtk.redaction.plan import Plan, Region
from vtk.redaction.sightings import Sightings

FPS = 10.0


def seen(*places: tuple[int, float], track_id: int | None = None, kind: str = "detection") -> list[dict[str, Any]]:
    """Return records of a box of 20 × 20 pixels at (frame, x)."""
    keys = {} if track_id is None else {"track_id": track_id}
    return [{"type": kind, "by": "x", "source": "a", "frame": frame, "t": frame / FPS, "xyxy": [x, 50, x + 20, 70],
             **keys} for frame, x in places]


def plan(*records: dict[str, Any], hold: float = 0.5) -> dict[int, list[Region]]:
    """Return what is hidden in each of 40 frames."""
    sightings = Sightings()
    for record in records:
        sightings.add(record)
    found = Plan(sightings, hold)
    return {index: found.regions(index, index / FPS) for index in range(40)}


def covers(regions: list[Region], x: float, y: float = 50.0) -> bool:
    return any(region.box[0] <= x + 1e-3 and region.box[2] >= x + 20 - 1e-3 and region.box[1] <= y + 1e-3
               and region.box[3] >= y + 20 - 1e-3 for region in regions)


@pytest.mark.parametrize("track_id", [1, None])
def test_what_was_not_looked_at_is_hidden_on_the_way(track_id: int | None) -> None:
    found = plan(*seen((10, 0), (14, 16), (18, 32), track_id=track_id))
    for index in range(10, 19):
        assert covers(found[index], 4 * (index - 10)), index
    assert [region.seen for region in found[14]] == [True]
    # Something may stand still for half of the time and make all of the way in the other half.
    assert covers(found[12], 0) and covers(found[12], 16)


def test_what_is_lost_is_hidden_for_a_while() -> None:
    found = plan(*seen((10, 30), (30, 30), track_id=1))
    hidden = {index for index, regions in found.items() if regions}
    assert hidden == {*range(5, 16), *range(25, 36)}
    assert all(covers(found[index], 30) for index in hidden)
    assert {index for index, regions in plan(*seen((10, 30)), hold=0).items() if regions} == {10}


def test_what_leaves_is_hidden_where_it_goes() -> None:
    found = plan(*seen(*((index, 5.0 * index) for index in range(10, 15)), track_id=1))
    for index in range(5, 20):
        assert covers(found[index], 5.0 * index), index
    assert covers(found[17], 70.0), "and where it was last seen"


def test_two_things_keep_apart() -> None:
    found = plan(*seen((10, 0), (13, 9)), *seen((10, 100), (13, 109)))
    assert len(found[11]) == 2
    assert covers(found[11], 3) and covers(found[11], 103)
    assert not any(region.box[0] < 60 < region.box[2] for region in found[11])
    other = plan(*seen((10, 0), (12, 200), track_id=1), *seen((10, 0), (12, 200), track_id=1, kind="face"))
    assert len(other[11]) == 2, "a number is a type's own"


def test_far_boxes_without_tracks_are_two_things() -> None:
    found = plan(*seen((10, 0), (12, 200)))
    assert covers(found[11], 0) and covers(found[11], 200)
    assert all(region.box[2] - region.box[0] == 20 for region in found[11])


def test_outlines_are_kept() -> None:
    corners = [[10, 10], [60, 30], [55, 40], [5, 20]]
    record = {"type": "text", "by": "x", "source": "a", "frame": 3, "t": 0.3, "poly": corners, "xyxy": [0, 0, 99, 99]}
    [region] = plan(record)[3]
    assert region.box == (5.0, 10.0, 60.0, 40.0)
    assert np.array_equal(region.outline, corners)
    assert np.array_equal(plan(record)[5][0].outline, corners)
    [region] = plan({**record, "type": "detection"})[3]
    assert region == Region((0.0, 0.0, 99.0, 99.0)), "an outline that is not of text may be of a part"


def test_nothing_is_nothing() -> None:
    assert not any(plan().values())
