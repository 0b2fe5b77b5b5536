"""Groups of living things: which class of ImageNet is in which, and how well they are told apart in real pictures."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path

import numpy as np
import pytest
from labelled_pictures import class_of, pictures

from vtk.models.classifier import load_classifier
from vtk.models.label_files import read_labels
from vtk.models.runtime import RuntimeOptions
from vtk.species import groups_bench
from vtk.species.groups import CLASSES, GROUPS, RANGES, group_of, group_scores, table

CPU = RuntimeOptions("cpu", "fp32", offline=True)
# Words that decide, wherever they end a name of a living class.
ENDINGS = {
    "snake": "snake|cobra|mamba|viper|python|boa constrictor|diamondback|sidewinder",
    "bird": "finch|grouse|crane, bird|stork|heron|goose|swan|owl|eagle|penguin|pelican|toucan|hornbill|hummingbird",
    "insect": "beetle|butterfly|dragonfly|damselfly|cricket|bee|ant|fly|weevil",
    "spider": "spider|tarantula|scorpion|black widow",
    "mammal": "terrier|spaniel|retriever|poodle|hound|monkey|bear|fox|wolf|elephant|whale|cat|dog|sheep|zebra|panda",
    "reptile": "turtle|tortoise|lizard|crocodile|alligator|gecko|iguana|dragon",
    "amphibian": "newt|salamander|frog|axolotl",
    "fish": "shark|ray|eel|sturgeon|salmon|puffer",
    "fungus": "mushroom|fungus|bolete|agaric|stinkhorn",
    "plant": "squash|broccoli|daisy|acorn|banana|corn",
}


def test_every_class_is_in_one_group() -> None:
    taken = [index for ranges in RANGES.values() for first, last in ranges for index in range(first, last + 1)]
    assert len(set(taken)) == len(taken) and max(taken) < CLASSES and set(RANGES) == set(GROUPS) - {"none"}
    assert [GROUPS[index] for index in table()] == [group_of(label) for label in range(CLASSES)]
    # ImageNet's classes 0 to 397 are its animals, and no others. Source: WordNet's synset animal.
    plants = {"plant", "fungus", "none"}
    assert all((group_of(label) in plants) == (label > 397) for label in range(CLASSES))
    for wrong in (-1, 1000):
        with pytest.raises(ValueError, match="expected 0 to 999"):
            group_of(wrong)


def test_names_say_their_group(shared: Path) -> None:
    labels = read_labels(shared / "models" / "imagenet_labels.txt")[1:]
    counts = dict.fromkeys(ENDINGS, 0)
    for label, words in enumerate(labels):
        for group, endings in ENDINGS.items():
            said = any(re.search(rf"\b(?:{endings})$", name.strip().lower()) for name in [words, words.split(",")[0]])
            if said and group_of(label) != "none":
                assert group_of(label) == group, f"{label} {words}"
                counts[group] += 1
    assert all(counts.values()) and sum(counts.values()) > 150
    for words, group in {"king penguin": "bird", "killer whale": "mammal", "sea snake": "snake", "tick": "spider",
                         "trilobite": "invertebrate", "triceratops": "reptile", "platypus": "mammal", "hay": "none",
                         "coral fungus": "fungus", "coral reef": "none", "teddy": "none", "scuba diver": "none",
                         "starfish": "invertebrate", "jellyfish": "invertebrate", "rapeseed": "plant",
                         "isopod": "invertebrate", "crane, bird": "bird", "crane, machine": "none"}.items():
        label = labels.index(words) if words in labels else class_of(words, labels)
        assert group_of(label) == group, words


def test_probabilities_of_groups_are_sums() -> None:
    shares = np.zeros((2, CLASSES))
    shares[0, [10, 12, 60]] = 0.5, 0.2, 0.1  # two birds and a snake; the rest is the background's
    shares[1] = 1 / CLASSES
    with np.errstate(divide="ignore"):
        scores = group_scores(np.log(shares))
    assert list(scores) == list(GROUPS)
    first = {name: round(float(values[0]), 9) for name, values in scores.items() if values[0] > 0}
    assert first == {"bird": 0.7, "snake": 0.1, "none": 0.2}
    np.testing.assert_allclose([values[1] for values in scores.values()], np.bincount(table()) / CLASSES, atol=1e-12)
    assert group_scores(np.log(shares[1]))["mammal"].shape == ()


def test_what_are_no_log_probabilities() -> None:
    for wrong in (np.zeros((2, 1001)), np.zeros(()), np.zeros((0,))):
        with pytest.raises(ValueError, match=r"expected \(..., 1000\)"):
            group_scores(wrong)
    for wrong in (np.full(CLASSES, -1.0), np.full(CLASSES, np.nan)):
        with pytest.raises(ValueError, match="their exponentials sum to"):
            group_scores(wrong)


def test_groups_are_told_apart(shared: Path, capsys: pytest.CaptureFixture[str],
                               monkeypatch: pytest.MonkeyPatch) -> None:
    """All birds and mammals, 13 of 14 snakes, and no snake or mammal comes out as a bird; the ocelot is none."""
    folder = shared / "data" / "classify-species"
    found = bench(monkeypatch, capsys, str(folder / "imagenet_one_per_class"))
    assert {name: row["right"] for name, row in found.items()} == {
        "bird": 11, "mammal": 12, "snake": 13, "reptile": 4, "amphibian": 1, "all": 41}
    assert found["all"]["pictures"] == 42 and found["snake"]["pictures"] == 14
    assert all("bird" not in found[name]["came_out_as"] for name in ("mammal", "snake", "reptile", "amphibian"))
    cameras = bench(monkeypatch, capsys, str(folder / "speciesnet"), "--group", "mammal")
    assert cameras["mammal"]["came_out_as"] == {"mammal": 4, "none": 1}


def bench(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], *words: str) -> dict[str, dict]:
    """Return what the bench prints, by group."""
    monkeypatch.setattr(sys, "argv", ["groups_bench", *words])
    assert groups_bench.main() == 0
    return {row["group"]: row for row in map(json.loads, capsys.readouterr().out.splitlines())}


def test_pictures_without_animals_have_none(shared: Path) -> None:
    model = load_classifier("imagenet", runtime=CPU)
    places = [image for _, image in pictures(shared / "data")[42::3]]
    assert groups_bench.likeliest(model.scores(places)) == ["none"] * len(places)


def test_pictures_that_the_bench_cannot_name(tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match="no pictures there"):
        groups_bench.listed([tmp_path])
    with pytest.raises(SystemExit, match="'photo 1' names 0 classes of ImageNet; say --group"):
        groups_bench.named_class(tmp_path / "photo_1.jpg", ("tench, Tinca tinca",))
