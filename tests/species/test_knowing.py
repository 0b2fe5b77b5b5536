"""What is known beside a picture changes answers as Bayes' rule has it, and says that it did."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import numpy as np
import pytest
from occurrence_tables import FOX, LYNX, WOLF, at, write

from vtk.errors import UsageError
from vtk.species.building import build
from vtk.species.knowing import Given, Knowledge
from vtk.species.ranges import RangeTable
from vtk.species.sets import calibrate
from vtk.species.whereabouts import Whereabouts

NAMES = ("Vulpes vulpes (Red fox)", "Lynx lynx", "Canis lupus (Wolf)")
BERLIN, NORTH = Whereabouts(52.5, 13.4), Whereabouts(65.0, 25.0)


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> RangeTable:
    """Foxes in Berlin in May, lynxes in the north, 150 of each; wolves in Berlin in December, 30."""
    folder = tmp_path_factory.mktemp("ranges")
    rows = ([FOX | at(52.5, 13.4, "DE", "2024-05-03")] * 150 + [LYNX | at(65.0, 25.0, "FI", "2024-05-03")] * 150
            + [WOLF | at(52.5, 13.4, "DE", "2024-12-03")] * 30)
    write(folder / "seen.csv", rows)
    return build([folder / "seen.csv"])[0]


def knows(given: Given = Given(), table: RangeTable | None = None, names: tuple[str, ...] = NAMES) -> Knowledge:
    return Knowledge(names, "model@0123", given, table)


def logs(*probabilities: float) -> np.ndarray:
    return np.log(np.array(probabilities, np.float32))


def test_without_anything_known_the_model_answers() -> None:
    judged = knows().judge(logs(0.2, 0.7, 0.1), Whereabouts())
    np.testing.assert_allclose(judged.probabilities, [0.2, 0.7, 0.1], rtol=1e-6)
    assert (judged.best, judged.adjusted, judged.candidates, judged.cost) == (1, (), None, None)
    assert judged.answer is not None
    assert (judged.answer.rank, judged.answer.name) == ("species", "Lynx lynx")


def test_a_place_multiplies_by_its_shares(table: RangeTable) -> None:
    known = knows(table=table)
    names = [name.partition(" (")[0] for name in NAMES]
    shares = np.exp(table.log_prior(names, 52.5, 13.4).astype(np.float64)) * [0.3, 0.6, 0.1]
    judged = known.judge(logs(0.3, 0.6, 0.1), BERLIN)
    np.testing.assert_allclose(judged.probabilities, shares / shares.sum(), rtol=1e-5)
    assert (judged.best, judged.adjusted) == (0, ("place",))
    assert known.judge(logs(0.3, 0.6, 0.1), NORTH).adjusted == ()
    assert known.judge(logs(0.3, 0.6, 0.1), Whereabouts()).best == 1


def test_gamma_says_how_much(table: RangeTable) -> None:
    none = knows(Given(gamma=0.0), table).judge(logs(0.3, 0.6, 0.1), BERLIN)
    np.testing.assert_allclose(none.probabilities, [0.3, 0.6, 0.1], rtol=1e-5)
    assert none.adjusted == ()
    bare = knows(Given(gamma=0.0, floor=0.0), table).judge(logs(0.3, 0.6, 0.1), BERLIN)  # no lynx was ever seen there
    assert (bare.best, bare.adjusted) == (1, ())


def test_what_the_table_has_no_say_on_is_told(table: RangeTable, tmp_path: Path) -> None:
    """A place that nobody gave, one where nobody looked, and one of which a table of countries does not know the country."""
    known = knows(table=table)
    assert known.deaf(BERLIN) == known.deaf(Whereabouts(country="FI")) == knows().deaf(Whereabouts()) == ""
    assert known.deaf(Whereabouts()) == "no place is known: the range table is not asked"
    assert known.deaf(Whereabouts(-30.0, 150.0)) == "the range table has no observations of the place"
    assert knows(Given(gamma=0), table).deaf(Whereabouts()) == ""
    write(tmp_path / "seen.csv", [FOX | at(52.5, 13.4, "DE", "2024-05-03")] * 9)
    countries = knows(table=build([tmp_path / "seen.csv"], size=None)[0])
    assert countries.deaf(Whereabouts(country="DE")) == countries.deaf(BERLIN) == ""
    assert countries.deaf(NORTH) == "the range table has no observations of the place"


def test_a_date_is_named_where_it_is_what_changed_the_answer(table: RangeTable) -> None:
    winter = Whereabouts(52.5, 13.4, day=date(2025, 12, 10))
    judged = knows(table=table).judge(logs(0.35, 0.2, 0.45), winter)
    assert (judged.best, judged.adjusted) == (2, ("place", "date"))  # to the fox by the place, and back by the month
    assert knows(table=table).judge(logs(0.35, 0.2, 0.45), BERLIN).best == 0


def test_a_filter_leaves_out_what_was_never_seen_there(table: RangeTable) -> None:
    soft = knows(Given(floor=0.5), table).judge(logs(0.04, 0.95, 0.01), BERLIN)
    hard = knows(Given(prior=Path("x"), hard=True, floor=0.5), table).judge(logs(0.04, 0.95, 0.01), BERLIN)
    assert soft.best == 1
    assert (hard.best, hard.probabilities[1], hard.adjusted) == (0, 0.0, ("filter",))


def test_a_species_that_the_table_lacks_is_known_as_missing(table: RangeTable) -> None:
    known = knows(table=table, names=(*NAMES, "Gulo gulo"))
    assert known.missing == {"Gulo gulo"}
    with pytest.raises(UsageError, match="the range table has none of the 2 species of model, such as Apis mellifera"):
        knows(table=table, names=("Apis mellifera", "Vespa crabro"))


def test_training_shares_are_taken_out(tmp_path: Path) -> None:
    counts = tmp_path / "counts.csv"
    counts.write_text("label,count\nVulpes vulpes (Red fox),900\nLynx lynx,90\nCanis lupus,10\n")
    judged = knows(Given(train=counts)).judge(logs(0.6, 0.3, 0.1), Whereabouts())
    expected = np.array([0.6 / 0.9, 0.3 / 0.09, 0.1 / 0.01])
    np.testing.assert_allclose(judged.probabilities, expected / expected.sum(), rtol=1e-5)
    assert (judged.best, judged.adjusted) == (2, ("prior",))
    half = knows(Given(train=counts, tau=0.5)).judge(logs(0.6, 0.3, 0.1), Whereabouts())
    expected = np.array([0.6, 0.3, 0.1]) / np.sqrt([0.9, 0.09, 0.01])
    np.testing.assert_allclose(half.probabilities, expected / expected.sum(), rtol=1e-5)


@pytest.mark.parametrize(("text", "said"), [
    ("label,count\nLynx lynx,3\n", "no count of 2 of the model's 3 species, such as Vulpes vulpes"),
    ("label,count\nLynx lynx,0\n", "line 2: count '0' of Lynx lynx: expected a number above 0"),
    ("label,count\nLynx lynx,many\n", "line 2: count 'many'"),
    ("label,count\nLynx lynx,3\nLynx lynx,4\n", "line 3: Lynx lynx has two counts"),
    ("name,count\nLynx lynx,3\n", "it needs label and count"),
])
def test_counts_that_are_none_are_refused(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "counts.csv"
    path.write_text(text)
    with pytest.raises(UsageError, match=said):
        knows(Given(train=path))


def test_unsure_answers_roll_up_to_the_genus() -> None:
    names = ("Turdus merula", "Turdus migratorius", "Corvus corax")
    known = knows(names=names)
    answer = known.judge(logs(0.45, 0.4, 0.15), Whereabouts()).answer
    assert answer is not None
    assert (answer.rank, answer.name, round(answer.probability, 4)) == ("genus", "Turdus", 0.85)
    assert known.taxon("Turdus", "genus") == {"genus": "Turdus"}
    assert known.taxon("Corvus corax", "species") == {"genus": "Corvus", "species": "Corvus corax"}
    assert knows(Given(sure=0.9), names=names).judge(logs(0.45, 0.4, 0.15), Whereabouts()).answer is None


def test_ranks_are_those_of_the_table(table: RangeTable) -> None:
    known = knows(table=table)
    answer = known.judge(logs(0.4, 0.3, 0.3), Whereabouts()).answer
    assert answer is not None
    assert (answer.rank, answer.name) == ("family", "Canidae")  # fox and wolf
    assert known.taxon("Canidae", "family") == {"class": "Mammalia", "order": "Carnivora", "family": "Canidae"}


def test_costs_choose_the_answer(tmp_path: Path) -> None:
    costs = tmp_path / "costs.csv"
    costs.write_text("truth,answer,cost\nLynx lynx,*,100\n")
    judged = knows(Given(costs=costs)).judge(logs(0.8, 0.15, 0.05), Whereabouts())
    assert (judged.best, judged.adjusted) == (1, ("cost",))
    assert judged.cost == pytest.approx(0.85)
    assert judged.answer is not None
    assert (judged.answer.name, round(judged.answer.probability, 4)) == ("Lynx lynx", 0.15)


def test_sets_are_those_of_the_calibration(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    given = rng.dirichlet(np.ones(3), 200)
    truth = np.array([rng.choice(3, p=row) for row in given])
    names = [name.partition(" (")[0] for name in NAMES]
    found = calibrate(given, truth, 0.9, names=names, model="model@0123")
    path = tmp_path / "sets.json"
    path.write_bytes(found.to_json())
    judged = knows(Given(sets=path, coverage=0.9)).judge(logs(0.5, 0.3, 0.2), Whereabouts())
    np.testing.assert_array_equal(judged.candidates, found.sets(np.array([[0.5, 0.3, 0.2]]))[0])
    with pytest.raises(UsageError, match=r"--coverage 0.95: .* is calibrated for 0.9; calibrate again"):
        knows(Given(sets=path, coverage=0.95))


@pytest.mark.parametrize(("given", "said"), [
    (Given(gamma=-1.0), "--gamma -1"), (Given(tau=float("nan")), "--tau nan"), (Given(floor=2.0), "--floor 2"),
    (Given(sure=0.0), "--sure 0"), (Given(hard=True), "--filter .*: give --prior"),
    (Given(coverage=0.9), "--coverage 0.9 needs --calibration"),
])
def test_numbers_out_of_range_are_refused(given: Given, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        given.check()
