"""Rows of occurrences that are wrong in the ways that such tables are: counted by reason, named, and passed over."""

from __future__ import annotations

import gzip
import zipfile
from datetime import date
from pathlib import Path

import pytest
from occurrence_tables import COLUMNS, FOX, LYNX, at, write

from vtk.errors import UsageError
from vtk.species.building import build
from vtk.species.occurrences import BROKEN, REASONS, Rules, month_of

TODAY = date(2026, 11, 21)
HERE = at(50.5, 10.5, "DE", "2020-05-01")
GOOD = FOX | HERE
# What is wrong with a row, and the reason that it is counted under.
WRONG = [
    (GOOD | {"decimalLatitude": "north"}, "number"), (GOOD | {"coordinateUncertaintyInMeters": "?"}, "number"),
    (GOOD | {"decimalLatitude": "90.01"}, "coordinates"), (GOOD | {"decimalLongitude": "-180.5"}, "coordinates"),
    (GOOD | {"decimalLatitude": "inf"}, "coordinates"), (GOOD | {"decimalLatitude": ""}, "coordinates"),
    (GOOD | at(0, 0, "DE"), "zero"), (GOOD | at("0.0", "-0.000", "DE"), "zero"),
    (GOOD | {"eventDate": "2026-11-22"}, "future"), (GOOD | {"year": "2027", "eventDate": ""}, "future"),
    (GOOD | {"eventDate": "2026-12"}, "future"), (GOOD | {"eventDate": "9999-01-01T00:00:00"}, "future"),
    (GOOD | {"basisOfRecord": "FOSSIL_SPECIMEN"}, "basis"), (GOOD | {"basisOfRecord": "LivingSpecimen"}, "basis"),
    (GOOD | {"occurrenceStatus": "absent"}, "absent"), (GOOD | {"individualCount": "0"}, "absent"),
    (GOOD | {"coordinateUncertaintyInMeters": "50001"}, "uncertain"),
    (GOOD | at("", "", ""), "nowhere"), (GOOD | at("", "", "ZZ"), "nowhere"), (GOOD | at("", "", "Germany"), "nowhere"),
    (GOOD | {"species": "", "scientificName": "", "genus": "", "family": "", "order": "", "class": ""}, "unnamed"),
    (GOOD | {"species": "Vulpes m\udcfclleri"}, "name"), (GOOD | {"gbifID": "1"}, "duplicate"),
]
RULES = Rules(today=TODAY)


def made(path: Path, **keys: object):  # noqa: ANN201
    return build([path], rules=RULES, **keys)  # type: ignore[arg-type]


@pytest.mark.parametrize(("row", "reason"), WRONG)
def test_a_wrong_row_is_counted_named_and_passed_over(tmp_path: Path, row: dict[str, str], reason: str) -> None:
    table, tally = made(write(tmp_path / "o.csv", [GOOD, row, LYNX | HERE]))
    assert tally.dropped == {reason: 1}
    assert tally.first == {reason: [("o.csv", 3)]}
    assert (tally.rows, tally.kept, len(table.paths)) == (3, 2, 2)
    [line] = tally.lines()
    assert line == f"1 row left out, {REASONS[reason]}: o.csv line 3"


def test_every_reason_is_tried() -> None:
    assert {reason for _, reason in WRONG} | {"broken"} == set(REASONS)
    assert set(BROKEN) < set(REASONS)


@pytest.mark.parametrize("delimiter", ["\t", ",", ";"])
def test_rows_of_another_length_are_broken(tmp_path: Path, delimiter: str) -> None:
    path = write(tmp_path / "o.csv", [GOOD, LYNX | HERE], delimiter)
    if delimiter == ",":  # the author's year stands behind a comma
        path.write_text(path.read_text().replace("Vulpes vulpes (Linnaeus, 1758)", '"Vulpes vulpes (Linnaeus, 1758)"'))
    lines = path.read_text().splitlines()
    path.write_text("\n".join([*lines, "Vulpes vulpes", "", *[f"a{delimiter}b"] * 8]) + "\n")
    _, tally = made(path)
    assert tally.dropped == {"broken": 9}
    assert tally.first["broken"] == [("o.csv", number) for number in (4, 6, 7, 8, 9)]
    assert tally.kept == 2
    assert tally.lines() == ["9 rows left out, cannot be read: o.csv line 4, o.csv line 6, o.csv line 7, "
                             "o.csv line 8, o.csv line 9, …"]


def test_a_quotation_mark_between_tabs_is_a_letter(tmp_path: Path) -> None:
    rows = [GOOD | {"taxonRank": '"SPECIES'}, LYNX | HERE]
    _, tally = made(write(tmp_path / "o.csv", rows))
    assert (tally.kept, tally.dropped) == (2, {})


def test_quoted_fields_may_hold_commas_and_lines(tmp_path: Path) -> None:
    path = tmp_path / "o.csv"
    path.write_text('species,decimalLatitude,decimalLongitude,locality\r\n"Vulpes vulpes",1.5,2.5,"a, ""b""\r\nc"\r\n'
                    'Lynx lynx,x,2.5,d\r\nLynx lynx,1.5,2.5,"never closed')
    table, tally = made(path)
    assert table.species == ["Lynx lynx", "Vulpes vulpes"]
    assert tally.first == {"number": [("o.csv", 4)]}, "lines are counted as an editor does"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
def test_utf8_is_read_with_and_without_a_mark(tmp_path: Path, encoding: str) -> None:
    species = FOX | {"species": "Isoëtes échinospora", "scientificName": "Isoëtes échinospora Durieu"}
    table, tally = made(write(tmp_path / "o.csv", [species | HERE], encoding=encoding))
    assert table.species == ["Isoëtes échinospora"]
    assert table.indices(["isoëtes_échinospora", "Isoe\u0308tes e\u0301chinospora"]).tolist() == [0, 0]
    assert tally.dropped == {}


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-32"])
def test_other_encodings_are_refused_in_one_line(tmp_path: Path, encoding: str) -> None:
    with pytest.raises(UsageError, match="o.csv: not UTF-8 .*iconv -f UTF-16 -t UTF-8"):
        made(write(tmp_path / "o.csv", [GOOD], encoding=encoding))


def test_latin1_is_read_where_names_are_plain_letters(tmp_path: Path) -> None:
    columns = (*COLUMNS, "locality")
    rows = [GOOD | {"locality": "Köln"}, GOOD | {"species": "Isoëtes lacustris", "locality": "Köln"}]
    _, tally = made(write(tmp_path / "o.csv", rows, encoding="latin-1", columns=columns))
    assert (tally.kept, tally.dropped) == (1, {"name": 1})
    path = write(tmp_path / "p.csv", rows, encoding="latin-1", columns=(*columns, "größe"))
    with pytest.raises(UsageError, match="the names of its columns are not UTF-8: iconv -f LATIN1"):
        made(path)


@pytest.mark.parametrize("suffix", ["gz", "zip"])
def test_packed_tables_are_read_as_they_are(tmp_path: Path, suffix: str) -> None:
    plain = write(tmp_path / "o.csv", [GOOD, LYNX | HERE])
    packed = tmp_path / f"o.{suffix}"
    if suffix == "gz":
        packed.write_bytes(gzip.compress(plain.read_bytes()))
    else:
        with zipfile.ZipFile(packed, "w") as archive:
            archive.write(plain, "0012345.csv")
    assert made(packed)[0].hash == made(plain)[0].hash
    packed.write_bytes(packed.read_bytes()[:-20])
    with pytest.raises(UsageError, match=f"o.{suffix}: cannot be read"):
        made(packed)


def test_an_archive_has_one_table(tmp_path: Path) -> None:
    plain = write(tmp_path / "o.csv", [GOOD])
    with zipfile.ZipFile(tmp_path / "dwca.zip", "w") as archive:
        for name in ("verbatim.txt", "multimedia.txt"):
            archive.writestr(name, "a\tb\n")
    with pytest.raises(UsageError, match="the archive has 2 tables, one is needed"):
        made(tmp_path / "dwca.zip")
    with zipfile.ZipFile(tmp_path / "dwca.zip", "a") as archive:
        archive.write(plain, "occurrence.txt")
    assert made(tmp_path / "dwca.zip")[0].species == ["Vulpes vulpes"]


@pytest.mark.parametrize(("text", "said"), [
    ("", "empty"), ("\n\n", "empty"), ("name\tplace\nfox\there\n", "no column species or scientificName .it has name"),
    ("species\tplace\nfox\there\n", "nothing says where"),
    ("species\tspecies\tcountryCode\n", "two columns are called"),
    ("species\tcountryCode\n", "no observation of a species is left of 0 rows"),
    ("species\tcountryCode\nVulpes vulpes\tXX9\n", "left of 1 rows; 1 row left out, neither coordinates nor a country"),
])
def test_tables_that_are_none_are_refused(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "o.csv").write_text(text)
    with pytest.raises(UsageError, match=said):
        made(tmp_path / "o.csv")
    with pytest.raises(UsageError, match="none.csv: cannot be read: No such file"):
        made(tmp_path / "none.csv")


def test_a_kind_of_record_counts_where_it_is_asked_for(tmp_path: Path) -> None:
    path = write(tmp_path / "o.csv", [GOOD, GOOD | {"basisOfRecord": "FOSSIL_SPECIMEN"}])
    assert build([path], rules=Rules((), today=TODAY))[1].kept == 2


def test_a_row_of_two_files_counts_once_and_rows_without_ids_always(tmp_path: Path) -> None:
    one, two = (write(tmp_path / name, [GOOD, LYNX | HERE]) for name in ("a.csv", "b.csv"))
    assert build([one, two], rules=RULES)[1].dropped == {"duplicate": 2}
    bare = write(tmp_path / "c.csv", [GOOD, GOOD], columns=COLUMNS[1:])
    assert build([bare, bare], rules=RULES)[1].kept == 4


def test_names_come_from_the_species_else_from_the_scientific_name(tmp_path: Path) -> None:
    bare = {"species": "", "genus": ""}
    table, tally = made(write(tmp_path / "o.csv", [
        FOX | HERE | bare | {"scientificName": "Vulpes vulpes crucigera (Bechstein, 1789)", "taxonRank": "SUBSPECIES"},
        FOX | HERE | bare | {"scientificName": "Canidae", "taxonRank": "FAMILY"},
        FOX | HERE | bare | {"scientificName": "Vulpes Frisch, 1775", "taxonRank": "GENUS"}]))
    assert table.paths == (("Vulpes vulpes", "Vulpes", "Canidae", "Carnivora", "Mammalia"),)
    assert (tally.kept, tally.above) == (3, 2)


def test_a_rank_that_one_row_lacks_comes_from_another(tmp_path: Path) -> None:
    table, _ = made(write(tmp_path / "o.csv", [FOX | HERE | {"family": ""}, FOX | HERE | {"scientificName": ""}]))
    assert table.paths == (("Vulpes vulpes", "Vulpes", "Canidae", "Carnivora", "Mammalia"),)


def test_a_synonym_of_two_species_is_none(tmp_path: Path) -> None:
    old = {"scientificName": "Felis borealis Thunberg"}
    table, _ = made(write(tmp_path / "o.csv", [FOX | HERE | old, LYNX | HERE | old,
                                                LYNX | HERE | {"scientificName": "Felis lynx Linnaeus"}]))
    assert table.synonyms == (("Felis lynx", "Lynx lynx"),)


@pytest.mark.parametrize(("when", "year", "month", "expected"), [
    ("2020-05-01", "", "", 5), ("2020-05-01T10:00:00Z", "", "", 5), ("2020-05", "", "", 5), ("2020", "", "", 0),
    ("2020-05-01/2020-05-30", "", "", 5), ("2020-05-01/2020-06-02", "", "", 0), ("", "2020", "7", 7), ("", "", "", 0),
    ("2020-05-01", "2020", "13", 5), ("2020-13-01", "", "", 0), ("spring", "", "x", 0), ("2020-05-01", "2020", "6", 6),
    ("2026-11-21", "", "", 11), ("2026-11-22", "", "", -1), ("2026-11-22", "2026", "11", -1), ("", "2026", "12", -1),
    ("12345-01-01", "", "", 0)])
def test_months(when: str, year: str, month: str, expected: int) -> None:
    assert month_of(when, year, month, TODAY) == expected
