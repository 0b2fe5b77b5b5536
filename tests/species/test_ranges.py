"""What a range table says of places and dates: values worked by hand, and what must hold."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable
from datetime import date, timedelta
from fractions import Fraction as F
from pathlib import Path

import numpy as np
import pytest
from occurrence_tables import FOX, LYNX, WOLF, at, write

from vtk.errors import UsageError
from vtk.species import occurrences
from vtk.species.building import build
from vtk.species.cells import Grid
from vtk.species.range_files import read_ranges, write_ranges
from vtk.species.ranges import SMOOTHING, RangeTable

NAMES = ["Vulpes vulpes", "Lynx lynx"]
MAY = date(2020, 5, 17)


def made(folder: Path, rows: list[dict[str, str]], size: float | None = 1.0) -> RangeTable:
    return build([write(folder / "occurrences.csv", rows)], size)[0]


@pytest.fixture
def two_countries(tmp_path: Path) -> RangeTable:
    """Germany: 30 foxes in May, 10 lynxes in November; France: 20 lynxes in no known month."""
    return made(tmp_path, [*[FOX | at("", "", "DE", "2020-05-01")] * 30, *[LYNX | at("", "", "DE", "2020-11-01")] * 10,
                           *[LYNX | at("", "", "FR")] * 20], None)


def prior(table: RangeTable, *arguments: object, **keys: object) -> np.ndarray:
    return np.exp(table.log_prior(NAMES, *arguments, floor=0.0, **keys).astype(np.float64))  # type: ignore[arg-type]


def test_shares_lean_on_the_wider_region(two_countries: RangeTable) -> None:
    """By hand: an observation counts 1/60 in Germany, 1/40 in France, so that the world's share of foxes is 3/7."""
    assert SMOOTHING == 20
    world = (60 * F(3, 7) + 20 * F(1, 2)) / 80
    europe = (60 * F(3, 7) + 20 * world) / 80
    germany = (40 * F(3, 4) + 20 * europe) / 60
    france = 20 * europe / 40
    assert (world, europe, germany, france) == (F(25, 56), F(97, 224), F(433, 672), F(97, 448))
    assert prior(two_countries, country="de") == pytest.approx([float(germany), float(1 - germany)], rel=1e-6)
    assert prior(two_countries, country="FR") == pytest.approx([float(france), float(1 - france)], rel=1e-6)


def test_months_beside_count_half(two_countries: RangeTable) -> None:
    germany = F(433, 672)
    june = (15 + 20 * germany) / 35
    assert prior(two_countries, None, None, date(2020, 6, 1), country="DE")[0] == pytest.approx(float(june), rel=1e-6)
    may = (30 + 20 * germany) / 50
    assert prior(two_countries, None, None, MAY, country="DE")[0] == pytest.approx(float(may), rel=1e-6)
    july = prior(two_countries, None, None, date(2020, 7, 1), country="DE")
    assert july == pytest.approx(prior(two_countries, country="DE")), "nothing is known of July: the whole year"
    december = prior(two_countries, None, None, date(2020, 12, 31), country="DE")
    assert december[0] == pytest.approx(float(20 * germany / 25), rel=1e-6), "November counts half"


def test_cells_lean_on_those_around_them(tmp_path: Path) -> None:
    """By hand, in one country of one continent: a cell with 20 foxes, one beside it with 20 lynxes."""
    table = made(tmp_path, [*[FOX | at(50.5, 10.5, "DE")] * 20, *[LYNX | at(50.5, 12.2, "DE")] * 20])
    wide = F(1, 2)  # all regions hold both cells, which weigh the same
    cell = (20 * 1 + 20 * wide) / 40
    assert prior(table, 50.5, 10.5)[0] == pytest.approx(float(cell))
    assert prior(table, 51.5, 11.5)[0] == pytest.approx(0.5), "it touches both"
    west = (20 * 1 + 20 * wide) / 40
    found = table.at(50.5, 9.5)
    assert (found.level, found.effort) == ("around", 20)
    assert prior(table, 50.5, 9.0)[0] == pytest.approx(float(west)), "it touches the foxes alone"


def test_much_effort_at_one_place_does_not_rule_a_region(tmp_path: Path) -> None:
    """A town with 2,000 foxes and ten places with 20 lynxes each: of the counts foxes are 91 %."""
    rows = [FOX | at(50.5, 10.5, "DE")] * 2000
    rows += [LYNX | at(40.5, longitude, "DE") for longitude in range(-50, 50, 10) for _ in range(20)]
    table = made(tmp_path, rows)
    fox = prior(table, country="DE")[0]
    weight = (2000 / 2020) / (2000 / 2020 + 10 * 20 / 40)
    assert fox == pytest.approx(weight, abs=0.01)
    assert fox < 0.2


def test_more_effort_alone_changes_nothing_but_how_sure_it_is(tmp_path: Path) -> None:
    rows = [*[FOX | at(50.5, 10.5, "DE")] * 300, *[LYNX | at(50.5, 10.5, "DE")] * 100]
    once, often = (prior(made(tmp_path, rows * times), 50.5, 10.5)[0] for times in (1, 10))
    assert once == pytest.approx(0.75, abs=0.02)
    assert abs(often - 0.75) < abs(once - 0.75)


def test_what_is_named_above_the_species_is_effort(tmp_path: Path) -> None:
    genus = FOX | {"species": "", "scientificName": "Vulpes", "taxonRank": "GENUS"}
    table, tally = build([write(tmp_path / "o.csv", [FOX | at(1.5, 1.5, "DE"), *[genus | at(1.5, 1.5, "DE")] * 3])])
    assert (tally.kept, tally.above) == (4, 3)
    assert table.species == ["Vulpes vulpes"]
    assert table.effort.sum() == 4


def test_unknown_places_make_all_equal(tmp_path: Path) -> None:
    table = made(tmp_path, [FOX | at(50.5, 10.5, "DE")] * 50 + [LYNX | at(50.5, 10.5, "DE")])
    for place in ((-30.5, 100.5), (None, None)):
        assert np.array_equal(table.log_prior(NAMES, *place), np.full(2, np.log(0.5), np.float32))
    assert table.log_prior(NAMES, country="NZ") == pytest.approx(np.log(0.5))
    assert table.at(-30.5, 100.5).shares is None
    assert table.log_prior(NAMES, -30.5, 100.5, country="DE")[0] > np.log(0.9), "the country is known"


def test_a_prior_without_the_species_says_nothing_of_it(tmp_path: Path) -> None:
    table = made(tmp_path, [FOX | at(50.5, 10.5, "DE")] * 50 + [LYNX | at(50.5, 10.5, "DE")])
    names = [*NAMES, "Canis lupus", "Ursus arctos"]
    found = table.log_prior(names, 50.5, 10.5, floor=0.0)
    assert found.dtype == np.float32 and found.shape == (4,)
    assert found[2:] == pytest.approx(np.log(1 / 4))
    assert np.exp(found).sum() == pytest.approx(1, rel=1e-6)
    assert np.exp(found[:2].astype(float)) == pytest.approx(prior(table, 50.5, 10.5) / 2, rel=1e-6)
    assert table.missing(names) == ["Canis lupus", "Ursus arctos"]
    assert np.array_equal(table.log_prior(["Ursus arctos"] * 3, 50.5, 10.5), np.full(3, np.log(1 / 3), np.float32))
    assert table.log_prior([], 50.5, 10.5).shape == (0,)


def test_the_floor_keeps_every_species_possible(tmp_path: Path) -> None:
    table = made(tmp_path, [FOX | at(50.5, 10.5, "DE")] * 5000 + [LYNX | at(-30.5, 10.5, "ZA")])
    assert table.log_prior(NAMES, 50.5, 10.5, floor=0.0)[1] < np.log(1e-3)
    floored = np.exp(table.log_prior(NAMES, 50.5, 10.5, floor=0.01).astype(float))
    assert floored[1] == pytest.approx((prior(table, 50.5, 10.5)[1] + 0.01) / 1.02, rel=1e-5)
    with pytest.raises(ValueError, match="floor -1: expected 0 to 1"):
        table.log_prior(NAMES, floor=-1)


def test_names_are_told_by_any_spelling_and_synonym(tmp_path: Path) -> None:
    old = FOX | {"scientificName": "Canis vulpes Linnaeus, 1758"}
    table = made(tmp_path, [old | at(50.5, 10.5, "DE"), LYNX | at(50.5, 10.5, "DE")])
    assert table.indices(["vulpes_vulpes", "VULPES  vulpes", "Canis vulpes", "canis_vulpes", "Canis"]).tolist() == [
        1, 1, 1, 1, -1]


def test_the_mask_has_what_was_seen_around(tmp_path: Path) -> None:
    rows = [FOX | at(50.5, 10.5, "DE")] * 120 + [LYNX | at(50.5, 20.5, "DE")] * 5 + [WOLF | at(60.5, 40.5, "RU")]
    table = made(tmp_path, rows)
    names = [*NAMES, "Canis lupus", "Ursus arctos"]
    assert table.mask(names, 50.5, 10.5).tolist() == [True, False, False, True], "of the bear nothing is known"
    assert table.mask(names, 50.5, 9.5).tolist() == [True, False, False, True], "the cell beside it"
    assert table.mask(names, 50.5, 20.5).tolist() == [True, True, False, True], "5 are too few: the country"
    assert table.mask(names, 60.5, 40.5).all(), "1 is too few, in the country too: all"
    assert table.mask(names, 0.5, 0.5).all()
    assert table.mask(["Canis lupus"], 50.5, 10.5).all(), "a mask that leaves nothing is none"
    assert table.mask(names, country="DE", enough=1).tolist() == [True, True, False, True]


def test_places_over_the_antimeridian_and_the_pole_are_near(tmp_path: Path) -> None:
    table = made(tmp_path, [FOX | at(10.5, 179.8)] * 30 + [LYNX | at(89.9, 10)] * 30)
    assert prior(table, 10.5, -179.8)[0] > 0.7
    assert table.at(10.5, -179.8).level == "around"
    assert prior(table, 89.9, -170)[1] > 0.7
    assert table.at(89.9, -170).level == "around"


def test_a_table_of_countries_knows_where_they_are(tmp_path: Path) -> None:
    rows = [FOX | at(50.5, 10.5, "DE")] * 30 + [LYNX | at(50.6, 10.6, "FR")] * 3 + [LYNX | at(47.5, 2.5, "FR")] * 30
    table = made(tmp_path, rows, None)
    assert np.array_equal(table.log_prior(NAMES, 50.5, 10.5), table.log_prior(NAMES, country="DE")), "most are German"
    assert np.array_equal(table.log_prior(NAMES, 47.5, 2.5), table.log_prior(NAMES, country="FR"))
    assert table.at(-47.5, 2.5).shares is None


@pytest.mark.parametrize(("keys", "said"), [
    ({"latitude": 91.0, "longitude": 0.0}, "no place has latitude 91"),
    ({"latitude": 1.0}, "expected both or neither"),
    ({"country": "Germany"}, "country 'Germany': expected two letters"),
    ({"country": "DE", "when": date.today() + timedelta(3)}, "is in the future"),
])
def test_impossible_questions_are_refused(two_countries: RangeTable, keys: dict[str, object], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        two_countries.log_prior(NAMES, **keys)  # type: ignore[arg-type]


def written_out(rows: list[dict[str, str]], latitude: float, longitude: float, month: int) -> dict[str, float]:
    """Return the shares of species as the module's docstring has them, row by row and without arrays."""
    grid = Grid(1.0)
    seen = [(grid.cell_of(float(row["decimalLatitude"]), float(row["decimalLongitude"])), row["countryCode"],
             row["species"], int(row["eventDate"][5:7])) for row in rows]
    here = grid.cell_of(latitude, longitude)
    [country] = {code for cell, code, _, _ in seen if cell == here}
    places = Counter((cell, code) for cell, code, _, _ in seen)

    def lean(keep: Callable[[int, str], bool], wider: dict[str, float], months: dict[int, float] | None = None
             ) -> dict[str, float]:
        part = [(1 / (places[cell, code] + 20), name, months.get(each, 0) if months else 1)
                for cell, code, name, each in seen if keep(cell, code)]
        effort, total = sum(each for *_, each in part), sum(weight * each for weight, _, each in part)
        return {name: (effort * (sum(w * each for w, other, each in part if other == name) / total if total else 0)
                       + 20 * p) / (effort + 20) for name, p in wider.items()}

    around = set(grid.around(here).tolist())
    shares = lean(lambda cell, code: True, {name: 1 / 3 for name in {name for _, _, name, _ in seen}})
    shares = lean(lambda cell, code: code in ("DE", "FR"), shares)
    shares = lean(lambda cell, code: code == country, shares)
    wide = lean(lambda cell, code: cell in around, shares)
    dated = lean(lambda cell, code: cell in around, wide,
                 {month: 1, month % 12 + 1: 0.5, (month - 2) % 12 + 1: 0.5})
    found = {name: p * dated[name] / wide[name] for name, p in lean(lambda cell, code: cell == here, wide).items()}
    return {name: p / sum(found.values()) for name, p in found.items()}


def test_the_whole_is_what_the_formula_says_row_by_row(tmp_path: Path) -> None:
    draw = random.Random(8)
    rows = [draw.choice([FOX, FOX, LYNX, WOLF]) | at(draw.uniform(48, 52), longitude := draw.uniform(5, 11),
                                                     "FR" if longitude < 7 else "DE",
                                                     f"2019-{draw.choice([1, 4, 5, 12]):02}-01") for _ in range(600)]
    rows += [WOLF | at(draw.uniform(-30, -20), draw.uniform(20, 30), "ZA", "2019-06-01") for _ in range(60)]
    table = made(tmp_path, rows)
    names = ["Vulpes vulpes", "Lynx lynx", "Canis lupus"]
    asked = 0
    for row in rows[:8]:
        place = float(row["decimalLatitude"]), float(row["decimalLongitude"])
        if len(table._at(Grid(1.0).cell_of(*place))) > 1:
            continue  # on the border the cell's country is that of most observations
        for month in (1, 5, 8, 11):
            expected = written_out(rows, *place, month)
            found = np.exp(table.log_prior(names, *place, date(2020, month, 3), floor=0.0).astype(np.float64))
            assert found == pytest.approx([expected[name] for name in names], rel=1e-5)
            asked += 1
    assert asked >= 12


def rows_of_many(count: int) -> list[dict[str, str]]:
    draw = random.Random(3)
    return [draw.choice([FOX, LYNX, WOLF]) | at(draw.uniform(-90, 90), draw.uniform(-180, 180),
                                                draw.choice(["DE", "FR", ""]), f"2019-{draw.randint(1, 12):02}-01")
            | {"gbifID": str(number)} for number in range(count)]


def test_the_order_of_rows_and_the_size_of_blocks_change_nothing(tmp_path: Path,
                                                                 monkeypatch: pytest.MonkeyPatch) -> None:
    rows = rows_of_many(400)
    whole = made(tmp_path, rows).hash
    random.Random(4).shuffle(rows)
    monkeypatch.setattr(occurrences, "BLOCK", 7)
    assert made(tmp_path, rows).hash == whole
    assert made(tmp_path, rows[1:]).hash != whole


def test_a_file_holds_the_table(tmp_path: Path) -> None:
    table = made(tmp_path, rows_of_many(300))
    write_ranges(table, tmp_path / "a.npz")
    write_ranges(read_ranges(tmp_path / "a.npz"), tmp_path / "b.npz")
    again = read_ranges(tmp_path / "b.npz")
    assert (tmp_path / "a.npz").read_bytes() == (tmp_path / "b.npz").read_bytes()
    assert again.hash == table.hash
    assert np.array_equal(again.log_prior(NAMES, 10.5, 20.5, MAY), table.log_prior(NAMES, 10.5, 20.5, MAY))
    assert again.paths[1] == ("Lynx lynx", "Lynx", "Felidae", "Carnivora", "Mammalia")


def test_files_that_are_no_tables_are_refused_in_one_line(tmp_path: Path) -> None:
    table = made(tmp_path, rows_of_many(50))
    path = tmp_path / "ranges.npz"
    write_ranges(table, path)
    whole = path.read_bytes()
    with np.load(path) as archive:
        arrays = dict(archive)
    for wrong, said in (
            ({"row_species": arrays["row_species"] + 9}, "a damaged range table .row_species beyond its 3"),
            ({"place_cell": arrays["place_cell"][::-1]}, "rows out of order"),
            ({"effort": arrays["effort"][:, :5]}, "a damaged range table"),
            ({"header": np.frombuffer(b'{"format": "vtk species ranges", "version": 2}', np.uint8)}, "of version 2"),
            ({"header": np.frombuffer(b'{"format": "vtk species ranges", "version": 1, "size": null, "rows": 1}',
                                      np.uint8)}, "damaged range table .size None"),
            ({"header": np.frombuffer(b"[]", np.uint8)}, "no range table")):
        np.savez(path, **{**arrays, **wrong})
        with pytest.raises(UsageError, match=said):
            read_ranges(path)
    for data in (b"", b"PK\x03\x04", whole[:200], whole[: len(whole) // 2], b"latitude,longitude\n"):
        path.write_bytes(data)
        with pytest.raises(UsageError, match="no range table"):
            read_ranges(path)
    np.save(tmp_path / "plain.npy", np.zeros(3))
    with pytest.raises(UsageError, match="no range table"):
        read_ranges(tmp_path / "plain.npy")
    with pytest.raises(UsageError, match="cannot be read: No such file"):
        read_ranges(tmp_path / "none.npz")
