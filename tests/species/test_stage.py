"""The stage: pictures, films, boxes and tracks in; species out."""

from __future__ import annotations

import pickle
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from painted import BLUE, GREEN, GREY, RED, panel, picture, plant

from vtk.driver.run import run
from vtk.driver.stage import Record
from vtk.errors import UsageError
from vtk.media.sampling import Sampling
from vtk.records import check, dump, make
from vtk.species.asking import Asked, read_models
from vtk.species.knowing import Given
from vtk.species.stage import SpeciesStage, Telling
from vtk.species.telling import STANDING
from vtk.species.whereabouts import Finder


@pytest.fixture(autouse=True)
def planted(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have red for birds, green for insects, blue for snakes, and grey for nothing living."""
    plant(monkeypatch, panel())


def save(path: Path, image: np.ndarray) -> str:
    path.parent.mkdir(exist_ok=True)
    cv2.imwrite(str(path), image[..., ::-1])
    return str(path)


def of_type(records: Sequence[Record], kind: str) -> list[Record]:
    found = [record for record in records if record["type"] == kind]
    for record in found:
        check(record)
    return found


def told(*places: str, **options: Any) -> list[Record]:
    return list(run([SpeciesStage(**options)], list(places)))


def film(folder: Path, colours: Sequence[tuple[int, int, int]]) -> str:
    """Write a film, as a folder of pictures, which counts as one of 25 frames a second."""
    for number, colour in enumerate(colours):
        save(folder / f"{number:04d}.png", picture(colour))
    return f"seq:{folder}"


def test_pictures_are_answered_one_by_one(tmp_path: Path) -> None:
    names = [save(tmp_path / f"{name}.png", picture(colour))
             for name, colour in (("a", RED), ("b", GREEN), ("c", BLUE), ("d", GREY))]
    bird, insect, snake, nothing = of_type(told(*names), "species")
    assert (bird["label"], bird["common"], bird["rank"], bird["score"]) == ("Turdus merula", "Blackbird", "species", 0.7)
    assert bird["taxon"] == {"genus": "Turdus", "species": "Turdus merula"}
    assert [entry["label"] for entry in bird["topk"]] == ["Turdus merula", "Turdus migratorius", "Corvus corax"]
    assert (bird["group"], bird["covered"], bird["frame"], bird["t"]) == ("bird", True, 0, 0)
    assert 0.9 <= bird["group_score"] < 0.91
    assert (insect["label"], "common" in insect) == ("Apis mellifera", True)
    assert (snake["covered"], snake["group"], snake["topk"], "label" in snake) == (False, "snake", [], False)
    assert snake["note"] == f"not covered; {STANDING['snake']}"
    assert (nothing["covered"], nothing["note"]) == (False, "not covered: nothing living is seen")
    assert bird["by"] == "classify-species/inat-birds+inat-insects"


def test_a_group_that_a_model_knows_and_that_is_not_sure_is_said_to_be_so(tmp_path: Path) -> None:
    [bird] = of_type(told(save(tmp_path / "a.png", picture(RED)), telling=Telling(least=0.95)), "species")
    assert (bird["group"], bird["covered"], "label" in bird) == ("bird", False, False)
    assert bird["note"] == "not covered: that it is of the group bird is not sure enough"


def test_a_film_is_answered_as_a_whole(tmp_path: Path) -> None:
    place = film(tmp_path / "film", [GREY, GREY, RED, RED, GREY, GREY])
    options = {"sampling": Sampling("every", every=1)}
    [species] = of_type(told(place, **options), "species")
    assert (species["label"], species["observations"]) == ("Turdus merula", 6)
    assert (species["start"], species["start_frame"], species["end_frame"]) == (0, 0, 6)
    assert species["end"] == pytest.approx(6 / 25)
    each = of_type(told(place, telling=Telling(frames=True), **options), "species")
    assert [record.get("label") for record in each] == [
        None, None, "Turdus merula", "Turdus merula", None, None, "Turdus merula"]


def test_a_film_is_looked_at_once_a_second(tmp_path: Path) -> None:
    [species] = of_type(told(film(tmp_path / "film", [RED] * 60)), "species")
    assert (species["observations"], species["end_frame"]) == (3, 51)  # frames 0, 25, 50 at 25 a second


def boxes(source: str, kind: str, frames: int, label: str | None = "bird", box: Sequence[float] = (8, 8, 40, 40),
          **keys: Any) -> list[Record]:
    named = {} if label is None else {"label": label}
    return [make(kind, "track/x", source, frame=frame, t=frame / 25, xyxy=list(box), score=0.9, **named, **keys)
            for frame in range(frames)]


def test_detections_are_answered_each(tmp_path: Path) -> None:
    place = film(tmp_path / "film", [RED] * 3)
    records = boxes(place, "detection", 3) + boxes(place, "detection", 3, "person")
    records.sort(key=lambda record: record["frame"])
    found = of_type(list(run([SpeciesStage()], records=records)), "species")
    assert [(record["frame"], record["label"], record["xyxy"]) for record in found] == [
        (frame, "Turdus merula", [8, 8, 40, 40]) for frame in range(3)]


def test_a_track_is_answered_once_when_it_is_over(tmp_path: Path) -> None:
    place = film(tmp_path / "film", [RED] * 30)
    tracklet = make("tracklet", "track/x", place, track_id=4, start=0.0, end=0.8, start_frame=0, end_frame=20,
                    score=0.9, observations=20, best={"frame": 3, "xyxy": [8, 8, 40, 40]}, label="bird")
    records = [*boxes(place, "track", 20, track_id=4), tracklet,
               *[record for record in boxes(place, "track", 30, None, track_id=5) if record["frame"] >= 20]]
    found = of_type(list(run([SpeciesStage()], records=records)), "species")
    assert [(record["track_id"], record["start_frame"], record["end_frame"], record["observations"],
             record["label"]) for record in found] == [(4, 0, 20, 2, "Turdus merula"), (5, 20, 30, 1, "Turdus merula")]
    each = of_type(list(run([SpeciesStage(telling=Telling(frames=True))], records=records)), "species")
    assert [(record.get("frame"), record["track_id"]) for record in each] == [
        (0, 4), (13, 4), (None, 4), (20, 5), (None, 5)]


def test_what_a_box_says_it_holds_is_not_guessed(tmp_path: Path) -> None:
    place = film(tmp_path / "film", [GREY])
    [cow, bird] = of_type(list(run([SpeciesStage()], records=boxes(place, "detection", 1, "cow")
                                   + boxes(place, "detection", 1, "bird"))), "species")
    assert (cow["group"], cow["covered"], cow["note"]) == ("mammal", False, "not covered")
    assert (bird["group"], bird["group_score"], bird["covered"]) == ("bird", 1, True)


def test_boxes_outside_of_the_frame_are_told_of(tmp_path: Path) -> None:
    place = film(tmp_path / "film", [RED] * 2)
    found = list(run([SpeciesStage()], records=boxes(place, "detection", 2, box=(900, 8, 940, 40))))
    assert of_type(found, "species") == []
    [error] = of_type(found, "error")
    assert error["error"]["message"] == "2 boxes lie outside of the frame: nothing is seen there"


def test_pictures_of_a_folder_are_one_observation(tmp_path: Path) -> None:
    names = [save(tmp_path / "one" / "a.png", picture(RED)), save(tmp_path / "one" / "b.png", picture(RED, shade=60)),
             save(tmp_path / "two" / "a.png", picture(GREEN))]
    made = told(*names, finder=Finder(group="folder"))
    singles, several = of_type(made, "species"), of_type(made, "observation")
    assert [record["topk"][0]["label"] for record in singles] == ["Turdus merula", "Corvus corax", "Apis mellifera"]
    assert [(record["observations"], record["sources"]) for record in several] == [(2, names[:2]), (1, names[2:])]
    shares = np.sqrt(np.array([0.7, 0.2, 0.1]) * np.array([0.1, 0.2, 0.7]))  # the mean of two logarithms
    assert {entry["label"]: entry["score"] for entry in several[0]["topk"]}["Turdus migratorius"] == pytest.approx(
        shares[1] / shares.sum(), abs=1e-4)
    assert singles[0]["observation"] == several[0]["observation"]
    assert of_type(made, "run")


def test_an_observation_of_many_pictures_is_on_several_lines(tmp_path: Path) -> None:
    names = [save(tmp_path / ("one" + "x" * 200) / f"{number:0200d}.png", picture(RED)) for number in range(20)]
    several = of_type(told(*names, finder=Finder(group="folder")), "observation")
    assert len(several) > 1 and all(len(dump(record)) < 4096 for record in several)
    assert [name for record in several for name in record["sources"]] == names
    assert {record["observations"] for record in several} == {20}


def test_boxes_of_pictures_are_looks_at_their_observation(tmp_path: Path) -> None:
    names = [save(tmp_path / "one" / "a.png", picture(RED)), save(tmp_path / "one" / "b.png", picture(RED))]
    records = [record for name, count in zip(names, (2, 1), strict=True) for _ in range(count)
               for record in boxes(name, "detection", 1)]
    made = list(run([SpeciesStage(finder=Finder(group="folder"))], records=records))
    assert len(of_type(made, "species")) == 3
    [several] = of_type(made, "observation")
    assert (several["observations"], several["sources"], several["label"]) == (3, names, "Turdus merula")


def test_an_observation_takes_place_and_day_from_the_pictures_that_know_them(tmp_path: Path) -> None:
    names = [save(tmp_path / f"{name}.png", picture(RED)) for name in "abc"]
    table = tmp_path / "places.csv"
    table.write_text("file,lat,lon,date\na.png,,,2024-05-01\nb.png,52.5,13.4,2024-06-01\nc.png,1,1,2024-07-01\n")
    [several] = of_type(told(*names, finder=Finder(table=table, group="folder")), "observation")
    assert (several["latitude"], several["longitude"], several["date"]) == (52.5, 13.4, "2024-05-01")


def test_where_it_was_filmed_is_in_the_record(tmp_path: Path) -> None:
    [species] = of_type(told(save(tmp_path / "a.png", picture(RED)),
                             finder=Finder(52.5, 13.4, "DE")), "species")
    assert (species["latitude"], species["longitude"], species["country"]) == (52.5, 13.4, "DE")
    assert "adjusted_by" not in species


def test_a_stage_can_be_sent_to_another_process(tmp_path: Path) -> None:
    stage = SpeciesStage(finder=Finder(group="folder"))
    name = save(tmp_path / "a.png", picture(RED))
    list(run([stage], [name]))
    copy = pickle.loads(pickle.dumps(stage))
    assert copy._loaded is None and copy._observed == {}
    assert copy.options() == stage.options()


def test_options_that_change_results_change_the_hash() -> None:
    plain = SpeciesStage().options()
    assert SpeciesStage(telling=Telling(least=0.3)).options() != plain
    assert SpeciesStage(finder=Finder(52.5, 13.4)).options() != plain
    assert SpeciesStage(asked=Asked(views=("whole", "flips"))).options() != plain


@pytest.mark.parametrize(("options", "said"), [
    ({"telling": Telling(least=1.5)}, "--min-group 1.5"), ({"telling": Telling(topk=0)}, "--topk 0"),
    ({"telling": Telling(classes=frozenset())}, "--classes"), ({"telling": Telling(interval=-1)}, "--interval -1"),
    ({"asked": Asked(models=("inat-bird",))}, "did you mean 'inat-birds'"),
    ({"asked": Asked(covers=frozenset({"dragon"}))}, "--covers dragon: there is bird"),
    ({"asked": Asked(head=Path("x.npz"), weights=Path("y"))}, "--head has a network"),
    ({"asked": Asked(weights=Path("y"))}, "2 are named: give one --model"),
])
def test_options_that_cannot_be_are_refused(options: dict[str, Any], said: str) -> None:
    with pytest.raises(UsageError, match=said):
        SpeciesStage(**options)


def test_files_that_are_not_there_are_refused_before_a_model_is_loaded(tmp_path: Path) -> None:
    for option, stage in (("--prior", SpeciesStage(given=Given(prior=tmp_path / "x"))),
                          ("--head", SpeciesStage(asked=Asked(head=tmp_path / "x")))):
        with pytest.raises(UsageError, match=f"{option} .*x: there is no such file"):
            stage.prepare()


def test_names_of_models_are_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("vtk.species.asking.pulled", lambda name: False)
    assert read_models("auto") == ("inat-birds", "inat-insects")
    monkeypatch.setattr("vtk.species.asking.pulled", lambda name: name != "inat21-eva02-large")
    assert read_models("auto") == ("inat21-vit-large",)
    assert read_models("inat-birds, timm:x") == ("inat-birds", "timm:x")
    with pytest.raises(UsageError, match="each once"):
        read_models("inat-birds,inat-birds")
    with pytest.raises(UsageError, match="give one name"):
        read_models(",")
