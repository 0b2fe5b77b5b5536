"""What species belong to, and the rank at which an unsure answer is sure."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from occurrence_tables import FOX, LYNX, WOLF, at, write

from vtk.errors import UsageError
from vtk.species.building import build
from vtk.species.names import RANKS, binomial
from vtk.species.taxonomy import UNKNOWN, Answer, Rollup, Taxonomy, read_taxonomy

TAXA = """canonicalName,taxonRank,genus,family,order,class,taxonID,acceptedNameUsageID,synonyms
Vulpes vulpes,species,Vulpes,Canidae,Carnivora,Mammalia,1,,Canis vulpes|Vulpes fulva
Vulpes lagopus,species,Vulpes,Canidae,Carnivora,Mammalia,2,2,
Alopex lagopus,species,Alopex,Canidae,Carnivora,Mammalia,3,2,
Canis lupus,species,Canis,Canidae,Carnivora,Mammalia,4,,
Lynx lynx,species,,Felidae,Carnivora,Mammalia,5,,
Canidae,family,,Canidae,Carnivora,Mammalia,6,,
Bufo bufo,species,Bufo,Bufonidae,Anura,Amphibia,7,,
"""
NAMES = ["Vulpes vulpes", "Vulpes lagopus", "Canis lupus", "Lynx lynx", "Bufo bufo", "Nessiteras rhombopteryx"]


@pytest.fixture
def taxonomy(tmp_path: Path) -> Taxonomy:
    (tmp_path / "taxa.csv").write_text(TAXA)
    return read_taxonomy(tmp_path / "taxa.csv")


def test_paths_and_synonyms(taxonomy: Taxonomy) -> None:
    fox = ("Vulpes vulpes", "Vulpes", "Canidae", "Carnivora", "Mammalia")
    assert taxonomy.path("vulpes_vulpes") == taxonomy.path("Canis vulpes") == taxonomy.path("VULPES FULVA") == fox
    assert taxonomy.accepted("Alopex lagopus") == "Vulpes lagopus", "by the id of the accepted name"
    assert taxonomy.path("Lynx lynx")[1] == "Lynx", "the genus is in the name"
    assert taxonomy.path("Canidae") == UNKNOWN
    assert taxonomy.accepted("Canidae") == "Canidae"
    assert taxonomy.missing(NAMES) == ["Nessiteras rhombopteryx"]
    assert not taxonomy.conflicts


@pytest.mark.parametrize(("probabilities", "threshold", "expected"), [
    ([0.9, 0.1, 0, 0, 0, 0], 0.9, Answer("species", "Vulpes vulpes", 0.9)),
    ([0.5, 0.45, 0.05, 0, 0, 0], 0.9, Answer("genus", "Vulpes", 0.95)),
    ([0.3, 0.3, 0.35, 0.05, 0, 0], 0.9, Answer("family", "Canidae", 0.95)),
    ([0.3, 0.2, 0.2, 0.25, 0.05, 0], 0.9, Answer("order", "Carnivora", 0.95)),
    ([0.2, 0.1, 0.1, 0.1, 0.45, 0.05], 0.9, None),
    ([0.3, 0.3, 0.3, 0.1, 0, 0], 0.9, Answer("family", "Canidae", 0.9)),
    ([0.25, 0.25, 0.25, 0.25, 0, 0], 0.25, Answer("species", "Vulpes vulpes", 0.25)),
    ([0, 0, 0, 0, 0, 1], 1, Answer("species", "Nessiteras rhombopteryx", 1.0))])
def test_the_deepest_rank_that_is_sure(taxonomy: Taxonomy, probabilities: list[float], threshold: float,
                                       expected: Answer | None) -> None:
    found = Rollup(taxonomy, NAMES).answer(np.array(probabilities), threshold)
    if expected is None:
        assert found is None
    else:
        assert found is not None and (found.rank, found.name) == (expected.rank, expected.name)
        assert found.probability == pytest.approx(expected.probability)


def test_sums_of_a_rank(taxonomy: Taxonomy) -> None:
    rollup = Rollup(taxonomy, NAMES)
    sums = rollup.sums(np.array([0.3, 0.2, 0.2, 0.15, 0.1, 0.05]), "family")
    assert list(sums) == ["Canidae", "Felidae", "Bufonidae"]
    assert list(sums.values()) == pytest.approx([0.7, 0.15, 0.1]), "what is not known belongs to no family"
    with pytest.raises(ValueError, match="rank 'tribe': expected one of species, genus"):
        rollup.sums(np.zeros(6), "tribe")
    with pytest.raises(ValueError, match=r"shape \(5,\), expected \(6,\)"):
        rollup.answer(np.zeros(5), 0.9)
    with pytest.raises(ValueError, match="threshold 0: expected above 0"):
        rollup.answer(np.zeros(6), 0)


@settings(deadline=None, max_examples=60)
@given(st.lists(st.floats(0, 1), min_size=6, max_size=6).filter(lambda p: sum(p) > 0.1), st.floats(0.51, 1))
def test_a_surer_answer_is_never_deeper_and_holds_the_deeper_one(weights: list[float], threshold: float) -> None:
    taxonomy = Taxonomy({"a b": ("A b", "A", "F", "O", "C"), "a c": ("A c", "A", "F", "O", "C"),
                         "d e": ("D e", "D", "F", "O", "C"), "g h": ("G h", "G", "H", "O", "C"),
                         "i j": ("I j", "I", "J", "K", "C"), "l m": ("L m", "L", "M", "N", "C")})
    rollup = Rollup(taxonomy, ["A b", "A c", "D e", "G h", "I j", "L m"])
    given_ = np.array(weights) / sum(weights)
    sure, surer = rollup.answer(given_, 0.51), rollup.answer(given_, threshold)
    assert sure is not None and surer is not None, "all are of one class"
    assert RANKS.index(surer.rank) >= RANKS.index(sure.rank)
    inside = {path[RANKS.index(surer.rank)] for path in taxonomy.paths.values() if sure.name in path}
    assert inside == {surer.name}


def test_a_range_table_and_its_occurrences_say_the_same(tmp_path: Path) -> None:
    rows = [each | at(1.5, 1.5, "DE") for each in (FOX, LYNX | {"scientificName": "Felis lynx L."}, WOLF)]
    path = write(tmp_path / "o.csv", rows)
    table, read = Taxonomy.of(build([path])[0]), read_taxonomy(path)
    assert table.paths == read.paths and table.synonyms == read.synonyms == {"felis lynx": "lynx lynx"}


def test_duplicates_count_once_and_conflicts_are_kept(tmp_path: Path) -> None:
    path = tmp_path / "taxa.tsv"
    path.write_text("species\tfamily\tsynonyms\nAa bb\tF\t\nAa bb\tF\tXx yy\nAa bb\tG\t\nCc dd\tF\tXx yy|Aa bb\n")
    found = read_taxonomy(path)
    assert found.path("Aa bb")[2] == "F"
    assert found.accepted("Xx yy") == "Aa bb"
    assert found.accepted("Aa bb") == "Aa bb", "a species is no synonym"
    assert set(found.conflicts) == {"Aa bb", "Xx yy"}


def test_a_rank_that_one_row_lacks_comes_from_another(tmp_path: Path) -> None:
    path = tmp_path / "taxa.csv"
    path.write_text("species,family,order,countryCode\nAa bb,,O,DE\nAa bb,F,,DE\n")
    found = read_taxonomy(path)
    assert found.path("Aa bb") == ("Aa bb", "Aa", "F", "O", "")
    assert not found.conflicts


def test_an_accepted_name_may_be_a_name(tmp_path: Path) -> None:
    path = tmp_path / "taxa.csv"
    path.write_text("scientificName,acceptedNameUsage,family\nParus caeruleus L.,Cyanistes caeruleus (L.),Paridae\n"
                    "Cyanistes caeruleus (L.),Cyanistes caeruleus (L.),Paridae\n")
    found = read_taxonomy(path)
    assert found.path("Parus_caeruleus") == ("Cyanistes caeruleus", "Cyanistes", "Paridae", "", "")


@pytest.mark.parametrize(("data", "said"), [
    (b"", "empty"), (b"name,family\nx,y\n", "no column species or scientificName .it has name, family"),
    (b"species,family\nVulpes,Canidae\n", "no species"),
    (b"species,family\nVulpes vulpes,Can\xefdae\n", "line 2: not UTF-8: iconv"),
    (b"species,family\nVulpes vulpes\n", "line 2: 1 fields, expected 2"),
    ("species,family\n".encode("utf-16"), "not UTF-8"),
    (b"species,species\nVulpes vulpes,x\n", "two columns are called species")])
def test_lists_that_are_none_are_refused(tmp_path: Path, data: bytes, said: str) -> None:
    (tmp_path / "taxa.csv").write_bytes(data)
    with pytest.raises(UsageError, match=said):
        read_taxonomy(tmp_path / "taxa.csv")


@pytest.mark.parametrize(("name", "rank", "expected"), [
    ("Parus caeruleus Linnaeus, 1758", "", "Parus caeruleus"), ("alouatta_palliata", "", "Alouatta palliata"),
    ("Parus Linnaeus, 1758", "", ""), ("Parus", "", ""), ("", "", ""), ("Bufo bufo bufo", "SUBSPECIES", "Bufo bufo"),
    ("Bufo bufo", "GENUS", ""), ("Mentha × piperita L.", "", "Mentha × piperita"),
    ("Vulpes (Vulpes) vulpes (L.)", "", "Vulpes vulpes"), ("Isoëtes échinospora", "", "Isoëtes échinospora")])
def test_binomials(name: str, rank: str, expected: str) -> None:
    assert binomial(name, rank) == expected
