"""What a library keeps, finds, renames and removes."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from datetime import datetime, timedelta, timezone

import numpy as np
import pytest

from library.conftest import SPACE, entries, vectors
from vtk.library import Columns, Entry, Library, search
from vtk.library.entries import directions


def expected(queries: np.ndarray, stored: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the rows and cosines of the k nearest, by the definition."""
    units = [rows / np.linalg.norm(rows.astype(np.float64), axis=1, keepdims=True) for rows in (queries, stored)]
    cosines = units[0] @ units[1].T
    order = np.argsort(-cosines, axis=1, kind="stable")[:, :k]
    return order, np.take_along_axis(cosines, order, axis=1)


def test_what_was_added_comes_back(library: Library) -> None:
    entry = library.get(["e11"])["e11"]
    assert (entry.group, entry.source, entry.t, entry.start, entry.extra) == ("g4", "2.mp4", 1.1, None, {"number": 11})
    assert abs(datetime.now(timezone.utc) - entry.added) < timedelta(minutes=5)
    assert entry.vector.dtype == np.float16
    # float16 keeps 11 bits of each component.
    assert np.abs(entry.vector - directions(vectors(1, 11), 16, "v")[0]).max() < 2**-11
    assert len(library) == 300 and library.get(["nobody"]) == {}


def test_adding_again_changes_nothing_unless_asked_to(library: Library) -> None:
    before = library.get(["e5"])["e5"]
    library.rename("g5", "renamed")
    assert library.add([*entries(0, 300), *entries(300, 302), *entries(300, 302)]) == 2
    after = library.get(["e5"])["e5"]
    assert (after.group, after.added, len(library)) == ("renamed", before.added, 302)
    assert library.add([Entry("e5", vectors(1, 999)[0], "new")], replace=True) == 1
    assert library.get(["e5"])["e5"].group == "new" and len(library) == 302
    assert library.search(vectors(1, 999), 1)[0].ids == ["e5"]


@pytest.mark.parametrize("held", [search.HELD, 0], ids=["held", "streamed"])
@pytest.mark.parametrize("dtype", ["float16", "float32"])
def test_exact_search_is_exact(uri: str, dtype: str, held: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(search, "HELD", held)
    monkeypatch.setattr(search, "BLOCK", 64)
    stored, queries = vectors(500, 1) * 10, vectors(9, 2) / 10
    library = Library.open(uri, SPACE, dtype=dtype)
    library.add(Columns([f"{row}" for row in range(500)], stored, ["g"] * 500, t=np.arange(500.0)), batch=130)
    rows, cosines = expected(queries, directions(stored, 16, "v").astype(dtype), 7)
    for hits, row, cosine in zip(library.search(queries, 7), rows, cosines, strict=True):
        assert hits.ids == [str(place) for place in row]
        assert hits.t.tolist() == row.tolist()
        np.testing.assert_allclose(hits.scores, cosine, atol=2**-22)  # rounded to float32


def test_search_follows_what_is_added_renamed_and_removed(library: Library) -> None:
    query = vectors(1, 12)
    assert library.search(query, 1)[0].groups == ["g5"]
    library.add([Entry("twin", query[0], "late")])
    assert library.search(query, 2)[0].ids == ["e12", "twin"]
    library.rename("g5", "five")
    assert dict(zip(*(lambda hits: (hits.ids, hits.groups))(library.search(query, 2)[0]), strict=True)) == {
        "e12": "five", "twin": "late"}
    library.remove(ids=["e12"])
    assert library.search(query, 1)[0].ids == ["twin"]
    assert len(library.search(query, 1000)[0]) == 300


def test_a_condition_narrows_the_search(library: Library, monkeypatch: pytest.MonkeyPatch) -> None:
    query = vectors(1, 12)
    found = library.search(query, 400, where="group = 'g3' AND t < 20")[0]
    assert sorted(found.ids) == sorted(entry.id for entry in entries(0, 200) if entry.group == "g3")
    assert set(found.groups) == {"g3"}
    monkeypatch.setattr(search, "HELD", 0)
    assert library.search(query, 400, where="group = 'g3' AND t < 20")[0].ids == found.ids
    for held in (0, search.HELD):
        monkeypatch.setattr(search, "HELD", held)
        assert len(library.search(query, 5, where="group = 'nobody'")[0]) == 0
    with pytest.raises(ValueError, match="where: .*nonsense"):
        library.search(query, 5, where="nonsense = 1")


def test_an_empty_library_finds_nothing(uri: str) -> None:
    library = Library.open(uri, SPACE)
    assert library.search(vectors(2), 3)[1].ids == []
    assert library.add([]) == 0 and library.groups() == [] and library.stats().entries == 0
    assert library.search(np.empty((0, 16), np.float32)) == []


def test_groups_are_counted_merged_and_split(library: Library) -> None:
    name = "it's \"g\"; -- \n"
    assert library.rename("g0", name) == 43
    assert library.rename("g1", name) == 43
    assert library.rename(name, "split", ids=["e0", "e1", "e2"]) == 2
    groups = {group.name: group for group in library.groups()}
    assert (groups[name].entries, groups["split"].entries, groups["split"].sources) == (84, 2, 2)
    assert "g0" not in groups and groups["g2"].entries == 43
    assert library.rename("nobody", "x") == 0


def test_entries_are_removed_by_group_name_and_age(library: Library) -> None:
    assert library.remove(group="g2") == 43
    assert library.remove(ids=["e0", "e1", "nobody"]) == 2
    old = datetime.now(timezone.utc) - timedelta(days=40)
    library.add([replace(entry, added=old) for entry in entries(400, 410)])
    assert library.remove(older_than=timedelta(days=41)) == 0
    assert library.remove(older_than=timedelta(days=39)) == 10
    assert library.remove(older_than=old) == 0
    assert len(library) == 255
    with pytest.raises(ValueError, match="expected one"):
        library.remove()


def test_many_names_are_more_than_one_condition(library: Library) -> None:
    names = [f"e{number}" for number in range(2500)]
    assert len(library.get(names, vectors=False)) == 300
    assert library.remove(ids=names) == 300


def test_the_index_finds_what_exact_search_finds(uri: str) -> None:
    library = Library.open(uri, SPACE)
    stored = vectors(6000, 3)
    library.add(Columns([f"{row}" for row in range(6000)], stored, [f"g{row % 2}" for row in range(6000)]))
    with pytest.raises(ValueError, match="build it first"):
        library.search(stored[:1], method="index")
    library.index()
    library.add([Entry("late", stored[7], "g1")])
    assert (library.stats().index, library.stats().unindexed) == ("sq", 1)
    exact, near = (library.search(stored[:50], 10, method=method) for method in ("exact", "index"))
    recall = np.mean([len(set(a.ids) & set(b.ids)) / 10 for a, b in zip(exact, near, strict=True)])
    assert recall >= 0.95  # all three partitions are looked at, so only what 8 bits a component confuse is missed
    assert set(near[7].ids[:2]) == {"7", "late"}
    assert abs(near[3].scores[0] - 1) < 1e-3  # float16
    one = library.search(stored[7:8], 3, where="group = 'g1'", method="index")[0]
    assert set(one.groups) == {"g1"} and set(one.ids[:2]) == {"7", "late"}


@pytest.mark.parametrize(("wrong", "says"), [
    (Entry("", vectors(1)[0], "g"), "id: got ''"),
    (Entry("x", vectors(1)[0], ""), "group: got ''"),
    (Entry("x", vectors(1, dim=8)[0], "g"), r"vector of 'x': got shape \(8,\), expected \(16,\)"),
    (Entry("x", np.zeros(16, np.float32), "g"), "no direction"),
    (Entry("x", np.full(16, np.nan, np.float32), "g"), "no direction"),
    (Entry("x", np.ones(16, np.int64), "g"), "expected floats"),
    (Entry("x", vectors(1)[0], "g", added=datetime(2020, 1, 1)), "time zone"),
])
def test_a_wrong_entry_is_named(library: Library, wrong: Entry, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        library.add([*entries(300, 303), wrong])
    assert len(library) == 300


def test_wrong_queries_are_refused(library: Library) -> None:
    for wrong in (vectors(1)[0], vectors(1, dim=8), np.zeros((1, 16)), np.full((1, 16), np.inf)):
        with pytest.raises(ValueError, match="vectors: "):
            library.search(wrong)
    with pytest.raises(ValueError, match="k: got 0"):
        library.search(vectors(1), 0)


def test_vectors_of_extreme_length_keep_their_direction(uri: str) -> None:
    library = Library.open(uri, SPACE)
    base = vectors(3, 5)
    library.add([Entry("large", base[0] * 1e30, "g"), Entry("small", base[1] * 1e-30, "g"),
                 Entry("half", base[2].astype(np.float16), "g")])
    assert [hits.ids[0] for hits in library.search(base, 1)] == ["large", "small", "half"]


def test_importing_the_package_loads_no_database() -> None:
    code = "import sys, vtk.library; print([name for name in ('lancedb', 'pyarrow', 'numba') if name in sys.modules])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, check=True).stdout == b"[]\n"
