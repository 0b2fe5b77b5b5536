"""What is looked in, while others change it: no second is of a reference as it was."""

from __future__ import annotations

from collections.abc import Callable, Container
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from copies.test_references import Toy, made
from filmed import Part, film

from vtk.copies.collecting import footprint_of
from vtk.copies.descriptors import DctDescriptor, PdqDescriptor
from vtk.copies.finding import find
from vtk.copies.footprint import Footprint, FramePlan, Query
from vtk.copies.matches import Match
from vtk.copies.reference_library import ReferenceLibrary
from vtk.copies.sought import Place, Sought, held_descriptor, open_references
from vtk.copies.stage import CopyStage
from vtk.copies.upgrading import upgrade
from vtk.driver.run import run
from vtk.library import Library, SpaceError

TOY = Toy("toy", 64)
LENGTH = 40


def shown(source: str, first: int, seed: int = 0) -> Footprint:
    """Return a reference that shows what the query does from its frame ``first`` on, and strangers around that."""
    vectors = made(source, LENGTH, 100 + seed, TOY).vectors
    vectors[first : first + 20] = query().whole.vectors
    return made(source, LENGTH, seed, TOY, vectors=vectors, weights=np.ones(LENGTH, np.float32))


def query() -> Query:
    vectors = made("query", 20, 7, TOY).vectors
    vectors[2] = vectors[3]
    return Query(made("query", 20, 7, TOY, vectors=vectors, weights=np.ones(20, np.float32)))


@pytest.fixture
def other(tmp_path: Path) -> ReferenceLibrary:
    """Return another process's handle of a library of three references, two of which show the query."""
    references = ReferenceLibrary.open(str(tmp_path / "films.lance"), TOY)
    references.add_all([shown("a.mp4", 5), shown("b.mp4", 12), made("c.mp4", LENGTH, 0, TOY)])
    return references


@pytest.fixture
def sought(other: ReferenceLibrary) -> Sought:
    return Sought(ReferenceLibrary.open(other.uri, TOY), FramePlan(), "toy")


Looks = Callable[[Container[str]], list[Match]]


def looks(sought: Sought, *changes: Callable[[], object]) -> Looks:
    """Return what looks for the query; before each search one of ``changes`` happens."""
    rest = list(changes)

    def look(skip: Container[str]) -> list[Match]:
        if rest:
            rest.pop(0)()
        return find(query(), sought.references, skip=skip)

    return look


def found(matches: list[Match]) -> dict[str, int]:
    """Return the frame of each reference at which the query begins."""
    assert len({match.ref for match in matches}) == len(matches)
    return {match.ref: round(match.ref_start / 1.001) for match in matches}


def test_what_changed_is_told_and_seen_where_it_is_asked_for(other: ReferenceLibrary,
                                                             monkeypatch: pytest.MonkeyPatch) -> None:
    one = ReferenceLibrary.open(other.uri, TOY)
    read: list[str] = []
    real = Library.read
    monkeypatch.setattr(Library, "read", lambda self, *args, **more: read.append(self.uri) or real(self, *args, **more))
    assert one.refresh() == one.refresh(added=False) == frozenset() and read == []
    other.add_all([shown("b.mp4", 3, 1), shown("d.mp4", 0)])
    other.remove("c.mp4")
    assert one.refresh(added=False) == {"b.mp4", "c.mp4"}
    assert [each.source for each in one.list()] == ["a.mp4", "b.mp4"]
    read.clear()
    assert one.refresh(added=False) == frozenset()
    assert one.refresh() == frozenset() and [each.source for each in one.list()] == ["a.mp4", "b.mp4", "d.mp4"]
    assert one.refresh() == frozenset() and set(read) <= {f"{one.uri}/norm"}  # what was read is not read again


def test_a_reference_that_is_replaced_during_a_search_is_found_as_it_is(other: ReferenceLibrary, sought: Sought) -> None:
    again: list[str] = []
    look = looks(sought, lambda: other.add(shown("b.mp4", 17, 1)), lambda: other.add(shown("b.mp4", 2, 2)))
    assert found(sought.find(look, (), again.extend)) == {"a.mp4": 5, "b.mp4": 2}
    assert again == ["b.mp4", "b.mp4"]


def test_a_reference_that_is_replaced_between_search_and_comparison_is_found_as_it_is(
        other: ReferenceLibrary, sought: Sought, monkeypatch: pytest.MonkeyPatch) -> None:
    real = sought.references.footprint

    def footprint(source: str) -> Footprint:
        other.add(shown("b.mp4", 17, 1))
        return real(source)

    monkeypatch.setattr(sought.references, "footprint", footprint)
    assert found(sought.find(looks(sought))) == {"a.mp4": 5, "b.mp4": 17}


def test_a_reference_that_is_removed_during_a_search_is_not_told(other: ReferenceLibrary, sought: Sought) -> None:
    def look(skip: Container[str]) -> list[Match]:
        matches = looks(sought)(skip)
        if len(other) == 3:
            other.remove("b.mp4")
        return matches

    assert found(sought.find(look)) == {"a.mp4": 5}


def test_the_next_search_finds_what_was_added_and_the_hash_is_of_what_was_looked_in(
        other: ReferenceLibrary, sought: Sought) -> None:
    before = sought.digest()
    look = looks(sought, lambda: other.add_all([shown("d.mp4", 9), shown("b.mp4", 3, 1)]))
    assert found(sought.find(look)) == {"a.mp4": 5, "b.mp4": 3}
    during = sought.digest()
    assert found(sought.find(looks(sought))) == {"a.mp4": 5, "b.mp4": 3, "d.mp4": 9}
    fresh = Sought(ReferenceLibrary.open(other.uri, TOY), FramePlan(), "toy")
    assert len({before, during, sought.digest()}) == 3 and sought.digest() == fresh.digest()


def test_what_is_left_out_stays_left_out_when_it_is_replaced(other: ReferenceLibrary, sought: Sought) -> None:
    own = Match("b.mp4", 0.0, 9.0, 1.0, 10.0, 1.0, 1.0)

    def look(skip: Container[str]) -> list[Match]:
        other.add(shown("b.mp4", 17, 1))
        return [own, *find(query(), sought.references, skip=skip)]

    assert sorted((each.ref, each.start) for each in sought.find(look, ["b.mp4"])) == [
        ("a.mp4", pytest.approx(0, abs=0.6)), ("b.mp4", 0.0)]


def test_each_source_is_looked_for_in_the_library_as_it_is_then(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    dct = DctDescriptor()
    film(tmp_path / "film.mp4", [Part(1, 0, 20)])
    for name in ("one.mp4", "two.mp4"):
        film(tmp_path / name, [Part(1, 4, 14)])
    other = ReferenceLibrary.open("films.lance", dct)
    other.add(footprint_of("film.mp4", dct))
    spans, hashes = {}, []
    for record in run([CopyStage(Place(library="films.lance"))], ["one.mp4", "two.mp4"]):
        if record["type"] == "copy":
            assert "note" not in record
            spans[record["source"]] = (record["ref_start"], record["ref_end"])
        elif record["type"] == "end":
            hashes.append(record["options"])
            film(tmp_path / "film.mp4", [Part(2, 0, 7), Part(1, 0, 20)])
            other.add(footprint_of("film.mp4", dct))
    assert spans == {"one.mp4": pytest.approx((4, 14), abs=0.25), "two.mp4": pytest.approx((11, 21), abs=0.25)}
    assert len(set(hashes)) == 2


def test_a_run_that_an_upgrade_overtakes_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    film(tmp_path / "film.mp4", [Part(1, 0, 20)])
    for name in ("one.mp4", "two.mp4"):
        film(tmp_path / name, [Part(1, 4, 14)])
    other = ReferenceLibrary.open("films.lance", DctDescriptor())
    other.add(footprint_of("film.mp4", other.descriptor))
    kinds, said = [], []
    for record in run([CopyStage(Place(library="films.lance"))], ["one.mp4", "two.mp4"]):
        kinds.append(record["type"])
        said += [record["error"]["message"]] if record["type"] == "error" else []
        if record["type"] == "copy":
            upgrade("films.lance", PdqDescriptor())
    assert kinds == ["media", "copy", "end", "media", "error", "end"]
    assert said == ["library 'films.lance' was upgraded by another process: open it again, in a new run"]


def test_a_run_opens_and_reads_a_library_once(other: ReferenceLibrary, monkeypatch: pytest.MonkeyPatch,
                                              tmp_path: Path) -> None:
    monkeypatch.setattr("vtk.copies.sought.load_descriptor", lambda name, options: {"toy": TOY}[name])
    opened, read = [], []
    real, reading = Library.open, Library.read
    monkeypatch.setattr(Library, "open", lambda uri, *args, **more: opened.append(uri) or real(uri, *args, **more))
    monkeypatch.setattr(Library, "read",
                        lambda self, *args, **more: read.append(self.uri) or reading(self, *args, **more))
    stage = CopyStage(Place(library=other.uri))
    stage.prepare()
    assert stage.by == "detect-copy/toy" and stage.options()["space"] == TOY.space
    assert sorted(uri for uri in opened if not uri.endswith("/norm")) == [f"{other.uri}/frames", f"{other.uri}/references"]
    assert read == [f"{other.uri}/references"]


def test_the_name_of_a_library_s_descriptor_is_had_without_its_references(other: ReferenceLibrary,
                                                                          monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Library, "read", None)
    assert held_descriptor(other.uri) == Place(library=other.uri).descriptor_name() == "toy"
    assert held_descriptor(other.uri + "2") is None


def test_a_descriptor_of_another_file_of_weights_is_refused(other: ReferenceLibrary,
                                                            monkeypatch: pytest.MonkeyPatch) -> None:
    newer = Toy("toy", 64)
    newer.sha256 = "9" * 64
    newer.space = f"toy@{newer.sha256[:12]}"
    monkeypatch.setattr("vtk.copies.sought.load_descriptor", lambda name, options: newer)
    for place in (Place(library=other.uri), Place(library=other.uri, descriptor="toy")):
        with pytest.raises(SpaceError, match="they cannot be compared; vtk library upgrade"):
            open_references(place)
    other.allow(newer)
    assert open_references(Place(library=other.uri)).name == "toy"
