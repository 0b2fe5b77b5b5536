"""Costs of confusions: worked by hand, against the whole matrix, and files that are wrong."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from vtk.errors import UsageError
from vtk.species.costs import Costs, read_costs

NAMES = ["Vipera berus", "Natrix natrix", "Coronella austriaca"]


def costs(folder: Path, text: str, names: list[str] = NAMES) -> Costs:
    (folder / "costs.csv").write_text("truth,answer,cost\n" + text)
    return read_costs(folder / "costs.csv", names)


def test_a_viper_that_may_be_is_answered(tmp_path: Path) -> None:
    """By hand: to say grass snake costs 0.03 · 100 + 0.07, to say viper 0.97."""
    found = costs(tmp_path, "Vipera berus,Natrix natrix,100\n")
    given = np.array([0.03, 0.9, 0.07])
    assert found.expected(given) == pytest.approx([0.97, 3.07, 0.93])
    assert found.answer(given) == 2, "a third one that costs less than either"
    assert costs(tmp_path, "Vipera berus,*,100\n").answer(given) == 0
    assert costs(tmp_path, "").answer(given) == 1, "without costs the most probable"


def test_what_is_said_of_less_counts_before_what_is_said_of_more(tmp_path: Path) -> None:
    found = costs(tmp_path, "*,*,2\n*,Natrix natrix,3\nVipera berus,*,5\nvipera_berus,natrix  natrix,7\n"
                            "Coronella austriaca,Coronella austriaca,0.5\n")
    matrix = np.array([found.expected(row) for row in np.eye(3)])
    assert matrix == pytest.approx(np.array([[0, 7, 5], [2, 0, 2], [2, 3, 0.5]]))


def test_it_is_the_product_with_the_whole_matrix() -> None:
    rng = np.random.default_rng(0)
    for _ in range(20):
        count = int(rng.integers(1, 8))
        truths, answers = (np.where(rng.random(count) < 0.4, rng.random(count) * 9, np.nan) for _ in range(2))
        codes = rng.permutation(count * count)[: int(rng.integers(0, count * count + 1))]
        pairs, values = np.stack(np.divmod(codes, count), 1), rng.random(len(codes)) * 9
        matrix = np.where(np.isnan(answers), 1.5, answers)[None].repeat(count, 0)
        matrix = np.where(np.isnan(truths)[:, None], matrix, truths[:, None])
        np.fill_diagonal(matrix, 0)
        matrix[tuple(pairs.T)] = values
        given = rng.dirichlet(np.ones(count), (4, 2))
        found = Costs(1.5, truths, answers, pairs, values)
        assert found.expected(given) == pytest.approx(given @ matrix)
        assert np.array_equal(found.answer(given), (given @ matrix).argmin(-1))


def test_equal_costs_go_to_the_most_probable_then_to_the_first(tmp_path: Path) -> None:
    free = costs(tmp_path, "*,*,0\n")
    assert free.answer(np.array([0.2, 0.5, 0.3])) == 1
    assert free.answer(np.array([0.4, 0.4, 0.2])) == 0
    thirds = costs(tmp_path, "*,*,3\n")
    assert thirds.answer(np.array([1 / 3, 1 / 3, 1 / 3])[[2, 1, 0]]) == 0


def test_names_that_the_model_does_not_have_are_said_in_one_line(tmp_path: Path) -> None:
    others = "".join(f"Vipera {letter * 3},Natrix natrix,9\n" for letter in "abcdef")
    found = costs(tmp_path, "Vipera aspis,*,100\n" + others)
    assert found.notice() == ("costs name 7 species that the model does not have, and nothing guards them: "
                              "Vipera aspis, Vipera aaa, Vipera bbb, Vipera ccc, Vipera ddd and 2 more")
    assert costs(tmp_path, "Vipera berus,*,100\n").notice() == ""
    assert found.expected(np.array([0.5, 0.5, 0])) == pytest.approx([0.5, 0.5, 1])


def test_classes_of_one_name_cost_the_same(tmp_path: Path) -> None:
    found = costs(tmp_path, "Vipera berus,Natrix natrix,100\n", [*NAMES, "vipera_berus"])
    assert found.expected(np.array([0, 0, 0, 1.0]))[1] == 100


@pytest.mark.parametrize(("text", "said"), [
    ("Vipera berus,Natrix natrix,\n", "line 2: Vipera berus, Natrix natrix, cost '': expected two names"),
    ("Vipera berus,Natrix natrix,-1\n", "a number from 0"), ("Vipera berus,*,nan\n", "a number from 0"),
    ("Vipera berus,*,inf\n", "a number from 0"), (",*,1\n", "no truth"), ("Vipera berus,,1\n", "no answer"),
    ("Vipera berus,*,1\nNatrix natrix,*,1\nVIPERA_berus,*,2\n", "line 4: VIPERA_berus, . costs 2 here and 1 before"),
    ("Vipera aspis,*,1\n", "the model has none of its 1 species, such as Vipera aspis: write names as the model does"),
    ("Vipera berus,1\n", "line 2: 2 fields, expected 3")])
def test_costs_that_are_none_are_refused_by_line(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        costs(tmp_path, text)


def test_the_same_cost_twice_is_one(tmp_path: Path) -> None:
    assert len(costs(tmp_path, "Vipera berus,Natrix natrix,4\nVipera berus,Natrix natrix,4.0\n").pairs) == 1


def test_files_that_are_none_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "costs.csv"
    path.write_text("species,cost\nVipera berus,1\n")
    with pytest.raises(UsageError, match="its columns are species, cost: it needs truth, answer and cost"):
        read_costs(path, NAMES)
    path.write_bytes("truth;answer;cost\nVipera b\xe9rus;*;1\n".encode("latin-1"))
    with pytest.raises(UsageError, match="line 2: not UTF-8"):
        read_costs(path, NAMES)
    with pytest.raises(UsageError, match="cannot be read: No such file"):
        read_costs(tmp_path / "none.csv", NAMES)
    with pytest.raises(ValueError, match=r"shape \(2,\), expected 3 in a row"):
        costs(tmp_path, "").answer(np.array([0.5, 0.5]))
