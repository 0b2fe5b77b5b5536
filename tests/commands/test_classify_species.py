"""``vtk classify-species`` on real pictures with its real weights."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from occurrence_tables import at, write
from said import streamer

from vtk.models.label_files import read_labels, split_label
from vtk.species.building import build
from vtk.species.range_files import write_ranges

Vtk = Callable[..., tuple[int, list[dict[str, Any]], str]]
# By the name of the file: the species that the picture shows, or the group where no model knows species of it.
SHOWN = {
    "n01532829_house_finch": "Haemorhous mexicanus", "n01534433_junco": "Junco hyemalis",
    "n01537544_indigo_bunting": "Passerina cyanea", "n01558993_robin": "Turdus migratorius",
    "n01614925_bald_eagle": "Haliaeetus leucocephalus", "n01806143_peacock": "Pavo cristatus",
    "n01728920_ringneck_snake": "snake", "n01755581_diamondback": "snake", "n02119022_red_fox": "mammal",
    "n02391049_zebra": "mammal", "n01641577_bullfrog": "amphibian",
}


@pytest.fixture
def vtk(capfdbinary: pytest.CaptureFixture[bytes], monkeypatch: pytest.MonkeyPatch) -> Vtk:
    return streamer(capfdbinary, monkeypatch, "classify-species")


def species(records: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    return {Path(record["source"]).stem: record for record in records if record["type"] == "species"}


def test_birds_are_named_and_others_are_not_covered(vtk: Vtk, shared: Path) -> None:
    folder = shared / "data" / "classify-species" / "imagenet_one_per_class"
    code, records, err = vtk(*(folder / f"{name}.JPEG" for name in SHOWN))
    assert (code, err) == (0, "")
    found = species(records)
    assert {name: record["label"] if record["covered"] else record["group"] for name, record in found.items()} == SHOWN
    snakes = [record for record in found.values() if record["group"] == "snake"]
    assert all("get medical help at once" in record["note"] and "harmless" in record["note"] for record in snakes)
    assert all(len(json.dumps(record)) < 4096 for record in records)


def test_a_place_changes_the_answer_and_says_so(vtk: Vtk, shared: Path, tmp_path: Path) -> None:
    """The model calls this Eurasian magpie an Australian one; all its species were seen in Sydney, one in Berlin."""
    birds = read_labels(shared / "models" / "inat_bird_labels.txt")
    magpie = {"class": "Aves", "order": "Passeriformes", "family": "Corvidae", "genus": "Pica", "species": "Pica pica",
              "taxonRank": "SPECIES", "scientificName": "Pica pica"}
    others = [magpie | {"family": "", "genus": name.split()[0], "species": name, "scientificName": name}
              for name in (split_label(bird)[0] for bird in birds) if name != "background"]
    write(tmp_path / "seen.csv",
          [magpie | at(52.5, 13.4, "DE")] * 500 + [other | at(-33.9, 151.2, "AU") for other in others])
    write_ranges(build([tmp_path / "seen.csv"])[0], tmp_path / "ranges.npz")
    picture = shared / "data" / "classify-species" / "imagenet_one_per_class" / "n01582220_magpie.JPEG"
    prior = ("--prior", tmp_path / "ranges.npz", "--model", "inat-birds")
    [alone] = species(vtk(picture, "--model", "inat-birds")[1]).values()
    [sydney] = species(vtk(picture, *prior, "--lat", -33.9, "--lon", 151.2)[1]).values()
    [berlin] = species(vtk(picture, *prior, "--lat", 52.5, "--lon", 13.4, "--filter")[1]).values()
    assert alone["topk"][0]["label"] == sydney["topk"][0]["label"] == "Gymnorhina tibicen"
    assert "adjusted_by" not in sydney
    assert berlin["topk"][0]["label"] == "Pica pica"
    assert berlin["adjusted_by"].split(",")[-1] in ("place", "filter")
    assert berlin["taxon"]["family"] == "Corvidae"
