"""A general network says whom to ask, and looks at one thing come to one answer."""

from __future__ import annotations

import numpy as np
import pytest
from painted import BLUE, GREEN, GREY, RED, Species, panel, picture

from vtk.species.groups import GROUPS
from vtk.species.routing import Look, Looks


def test_only_models_of_the_group_are_asked() -> None:
    made = panel()
    looks = made.look([picture(RED), picture(BLUE), picture(GREEN), picture(GREY)], [None] * 4)
    assert [sorted(look.scores) for look in looks] == [[0], [], [1], []]
    assert [GROUPS[int(np.argmax(look.groups))] for look in looks] == ["bird", "snake", "insect", "none"]
    np.testing.assert_allclose([look.groups.sum() for look in looks], 1, rtol=1e-6)
    birds, insects = (expert.classifier for expert in made.experts)
    assert isinstance(birds, Species) and isinstance(insects, Species)
    assert (len(birds.shapes), len(insects.shapes)) == (1, 1)


def test_a_group_that_is_known_is_not_asked_for() -> None:
    [bird, mammal] = panel().look([picture(GREY), picture(RED)], ["bird", "mammal"])
    assert (bird.groups[GROUPS.index("bird")], sorted(bird.scores)) == (1.0, [0])
    assert (mammal.groups[GROUPS.index("mammal")], sorted(mammal.scores)) == (1.0, [])


def seen(bird: float, *probabilities: float) -> Look:
    groups = np.zeros(len(GROUPS))
    groups[GROUPS.index("bird")], groups[GROUPS.index("none")] = bird, 1 - bird
    return Look(groups, {0: np.log(np.array(probabilities, np.float32))})


def test_one_look_is_its_own() -> None:
    looks = Looks()
    looks.add(seen(0.8, 0.5, 0.3, 0.2), panel().experts)
    assert looks.groups[GROUPS.index("bird")] == pytest.approx(0.8)
    np.testing.assert_allclose(np.exp(looks.scores(0)), [0.5, 0.3, 0.2], rtol=1e-6)
    assert looks.scores(1) is None


def test_looks_that_show_it_count() -> None:
    looks = Looks()
    for _ in range(18):
        looks.add(seen(0.01, 0.1, 0.8, 0.1), panel().experts)
    looks.add(seen(0.9, 0.9, 0.05, 0.05), panel().experts)
    looks.add(seen(0.9, 0.6, 0.2, 0.2), panel().experts)
    shares = np.array([0.01] * 18 + [0.9] * 2)
    assert looks.groups[GROUPS.index("bird")] == pytest.approx((shares**2).sum() / shares.sum())
    logs = np.log([[0.1, 0.8, 0.1]] * 18 + [[0.9, 0.05, 0.05], [0.6, 0.2, 0.2]])
    mean = np.exp((shares[:, None] * logs).sum(0) / shares.sum())
    np.testing.assert_allclose(np.exp(looks.scores(0)), mean / mean.sum(), rtol=1e-5)
    none = 1 - shares
    assert looks.groups[GROUPS.index("none")] == pytest.approx((none**2).sum() / none.sum())
    assert looks.group == "none"  # most looks show nothing, and a bird is seen all the same
    assert panel().experts[0].knows(looks.groups) > 0.8


def test_sums_add_up() -> None:
    one, other, both = Looks(), Looks(), Looks()
    for looks, values in ((one, (0.9, 0.7, 0.2, 0.1)), (other, (0.4, 0.1, 0.1, 0.8))):
        looks.add(seen(*values), panel().experts)
        both.add(seen(*values), panel().experts)
    one.merge(other)
    assert one.count == both.count == 2
    np.testing.assert_array_equal(one.groups, both.groups)
    np.testing.assert_array_equal(one.scores(0), both.scores(0))
