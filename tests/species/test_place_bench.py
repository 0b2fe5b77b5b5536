"""The bench of places draws what it says, and combines scores as the command does."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from vtk.errors import UsageError
from vtk.heads.labelled import Labelled
from vtk.species.place_bench import _native, _told, correct, drawn

# Three pictures of two species: the second is native to the last picture's country alone.
SCORES = np.log(np.array([[0.6, 0.4], [0.4, 0.6], [0.6, 0.4]], np.float32))
NATIVE = np.array([[True, False], [True, False], [True, True]])
TRUTH = np.array([0, 0, 1])


def test_place_and_shares_change_answers_as_by_hand() -> None:
    found = correct(SCORES, np.log(np.float32([0.7, 0.3])), NATIVE, TRUTH)
    # Plain: right, wrong, wrong. Shares make 0.6/0.7 < 0.4/0.3: all come out as the second.
    assert found["plain"] == pytest.approx(100 / 3) and found["tau"] == pytest.approx(100 / 3)
    # The place puts the first two right; both together the last as well.
    assert found["place"] == found["filter"] == pytest.approx(200 / 3)
    assert found["tau, place"] == found["tau, filter"] == 100


def test_so_many_are_drawn_of_species_that_are_drawn_themselves() -> None:
    classes, random = np.repeat([0, 1, 2], 8), np.random.default_rng(0)
    counts = [np.bincount(classes[drawn(classes, [5, 2, 1], random)]).tolist() for _ in range(20)]
    assert all(sorted(each) == [1, 2, 5] for each in counts) and len({tuple(each) for each in counts}) > 3
    rows = drawn(classes, [20, 20, 20], random)
    assert sorted(rows.tolist()) == list(range(24)) and drawn(classes, None, random).tolist() == list(range(24))


def test_gains_are_within_a_draw() -> None:
    some = [dict.fromkeys(("tau", "place", "tau, place", "filter", "tau, filter"), plain + more) | {"plain": plain}
            for plain, more in ((50.0, 3.0), (60.0, 5.0))]
    assert _told(some)["plain"] == [55.0, 7.1, 0.0, 0.0] and _told(some)["place"] == [59.0, 8.5, 4.0, 1.4]
    assert _told(some[:1])["place"] == [53.0, 3.0]


def test_what_a_table_lacks_is_named(tmp_path: Path) -> None:
    (tmp_path / "ranges.csv").write_text("label,native_countries\nlion,KE TZ\ntiger,IN\n")
    (tmp_path / "places.csv").write_text("file,country\na.jpg,KE\n")
    pictures = [Labelled("a.jpg", tmp_path / "a.jpg", "lion")]
    found = _native(tmp_path / "ranges.csv", tmp_path / "places.csv", ["lion", "tiger"], pictures)
    assert found.tolist() == [[True, False]]
    with pytest.raises(UsageError, match=r"ranges.csv: it lacks 1 of 2, such as lynx"):
        _native(tmp_path / "ranges.csv", tmp_path / "places.csv", ["lion", "lynx"], pictures)
    with pytest.raises(UsageError, match="No such file"):
        _native(tmp_path / "none.csv", tmp_path / "places.csv", ["lion"], pictures)
