"""Labels against the truth by hand-worked values: spans, several right labels, ranks, abstentions, topk."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from vtk.errors import UsageError
from vtk.evaluation.label_lanes import Gathered, LabelLanes
from vtk.evaluation.label_table import check_plot, diagram, lines, remarks, report
from vtk.evaluation.label_truth import Task, read_truth
from vtk.evaluation.labels import LabelEvaluation, evaluate_labels
from vtk.metrics.calibration import reliability
from vtk.species.taxonomy import Taxonomy


def gathered(folder: Path, task: Task, table: str, *records: dict[str, Any], taxonomy: Taxonomy | None = None,
             **options: Any) -> Gathered:
    (folder / "labels.csv").write_text(table)
    lines = [json.dumps({"v": 1, "by": f"{task}/x", **each}) + "\n" for each in records]
    (folder / "in.jsonl").write_text("".join(lines))
    lanes = LabelLanes(task, taxonomy=taxonomy, **options)
    lanes.read(str(folder / "in.jsonl"))
    return lanes.gather(read_truth(folder, task, taxonomy=taxonomy))


def scene(source: str, label: str, score: float = 0.6, start: float = 0.0, end: float = 0.0,
          others: dict[str, float] | None = None, **keys: Any) -> dict[str, Any]:
    topk = [{"label": name, "score": each} for name, each in {label: score, **(others or {})}.items()]
    return {"type": "scene", "source": source, "start": start, "end": end, "label": label, "score": score, "topk": topk,
            **keys}


def species(source: str, topk: dict[str, float], label: str = "", score: float = 0.0, rank: str = "species",
            **keys: Any) -> dict[str, Any]:
    answer = {"label": label, "score": score, "rank": rank} if label else {}
    return {"type": "species", "source": source, "frame": 0, "t": 0.0,
            "topk": [{"label": name, "score": each} for name, each in topk.items()], **answer, **keys}


def end(source: str, by: str = "recognize-scene/x", status: str = "ok") -> dict[str, Any]:
    return {"type": "end", "by": by, "source": source, "status": status, "records": 0,
            "frames": {"decoded": 1, "processed": 1, "skipped": 0}}


def test_the_figures_of_scenes(tmp_path: Path) -> None:
    table = "file,label,night\na.jpg,beach|coast,1\nb.jpg,bar,0\nc.jpg,bar,0\nd.jpg,bedroom,0\n"
    found = gathered(tmp_path, "scene", table, scene("a.jpg", "coast", 0.8),
                     scene("b.jpg", "beach", 0.4, others={"bar": 0.3}),
                     scene("c.jpg", "bar", 1.0), scene("d.jpg", "kitchen", 0.5))
    evaluation = evaluate_labels(found.pairs, "scene", by="night")
    figures = evaluation.figures
    assert (figures["rows"], figures["labels"]) == (4, 4)
    assert (figures["top1"], figures["first"], figures["top5"], figures["answered"]) == (50, 50, 75, 100)
    # F1: coast 1 (what was answered of what is right), bar 2/3, bedroom 0; beach is answered alone, and is of no row.
    assert figures["macro_f1"] == pytest.approx(100 * (1 + 2 / 3 + 0) / 3)
    # AP: beach is right for a, which has a score of 0 behind b; among the zeros a stands with c and d: 1 of 4.
    # Coast 1; bar: c, b come first: 1; bedroom: not in any topk, all alike: 1/4.
    assert figures["mAP"] == pytest.approx(100 * (1 / 4 + 1 + 1 + 1 / 4) / 4)
    # Brier: a 0.2², b 0.4² + 0.7², c 0, d 0.5² + 1.
    assert figures["Brier"] == pytest.approx((0.04 + 0.65 + 0 + 1.25) / 4)
    assert "NLL" not in figures
    assert figures["ECE"] == pytest.approx(100 * (0.2 + 0.4 + 0.0 + 0.5) / 4)
    levels = evaluation.levels
    assert (levels["place"]["accuracy"], levels["top"]["accuracy"]) == (50, 75)  # bedroom and kitchen are indoors
    assert levels["kind"]["accuracy"] == 75  # of a home
    assert evaluation.by["1"]["top1"] == 100 and evaluation.by["0"]["rows"] == 3


def test_spans_take_the_scene_that_shares_most_and_films_the_mean_by_length(tmp_path: Path) -> None:
    table = "file,label,start,end\nf.mp4,bar,0,4\nf.mp4,beach,4,10\nf.mp4,beach,,\nf.mp4,coast,20,30\n"
    found = gathered(tmp_path, "scene", table, scene("f.mp4", "bar", 0.9, 0, 4.5, {"beach": 0.1}),
                     scene("f.mp4", "beach", 0.6, 4.5, 10, {"bar": 0.2}))
    assert [(truth.span, answer.levels["place"], round(answer.score, 3)) for truth, answer in found.pairs] == [
        ((0, 4), "bar", 0.9), ((4, 10), "beach", 0.6), (None, "bar", round(0.45 * 0.9 + 0.55 * 0.2, 3))]
    assert found.missing == ["f.mp4"]  # from 20 on nothing is said
    assert evaluate_labels(found.pairs, "scene").figures["top1"] == pytest.approx(200 / 3)


BIRDS = ("file,label,group\na.jpg,Parus major,bird\nb.jpg,Parus_ater,bird\nc.jpg,Vipera berus,snake\n"
         "d.jpg,parus major,bird\n")


def test_what_is_not_answered_is_no_answer_and_a_genus_counts_at_its_rank(tmp_path: Path) -> None:
    found = gathered(
        tmp_path, "species", BIRDS,
        species("a.jpg", {"Parus major": 0.9, "Parus ater": 0.1}, "Parus major", 0.9, taxon={"family": "Paridae"}),
        species("b.jpg", {"Parus major": 0.5, "Parus ater": 0.4}, "Parus", 0.9, "genus", taxon={"genus": "Parus"}),
        species("c.jpg", {}, group="snake", covered=False),
        species("d.jpg", {"Parus ater": 0.3, "Parus major": 0.2}, note="unsure"))
    evaluation = evaluate_labels(found.pairs, "species", by="group")
    figures = evaluation.figures
    assert (figures["top1"], figures["top1_answered"], figures["answered"]) == (25, 100, 50)
    assert (figures["first"], figures["top5"], figures["right_answered"]) == (25, 75, 100)
    assert figures["macro_f1"] == pytest.approx(100 * (2 / 3) / 3)
    assert figures["ECE"] == pytest.approx(10)
    genus, family = evaluation.levels["genus"], evaluation.levels.get("family")
    assert family is None  # the truth has no families
    assert (genus["answered"], genus["accuracy"], genus["accuracy_answered"]) == (50, 50, 100)
    assert evaluation.by["snake"]["answered"] == 0 and "top1_answered" not in evaluation.by["snake"]
    assert evaluation.classes["Parus major"] == {"rows": 2, "P": 100, "R": 50, "F1": pytest.approx(200 / 3)}


def test_levels_come_from_the_table_and_synonyms_from_the_taxonomy(tmp_path: Path) -> None:
    path = ("Cyanistes caeruleus", "Cyanistes", "Paridae", "Passeriformes", "Aves")
    taxonomy = Taxonomy({"cyanistes caeruleus": path}, {"parus caeruleus": "cyanistes caeruleus"})
    table = "file,label,family\na.jpg,Parus caeruleus,\nb.jpg,Tetraonidae,Tetraonidae\n"
    records = (species("a.jpg", {"Cyanistes caeruleus": 0.9}, "Cyanistes caeruleus", 0.9),
               species("b.jpg", {}, "Tetraonidae", 0.7, "family"))
    found = gathered(tmp_path, "species", table, *records, taxonomy=taxonomy)
    evaluation = evaluate_labels(found.pairs, "species")
    assert (evaluation.figures["top1"], evaluation.levels["family"]["accuracy"]) == (100, 100)
    assert evaluation.figures["right_answered"] == 100
    assert "1 rows have a label of a higher level alone" in evaluation.notes[1]
    bare = evaluate_labels(gathered(tmp_path, "species", table, *records).pairs, "species")
    assert bare.figures["top1"] == 0


def test_one_record_answers_for_a_file(tmp_path: Path) -> None:
    table = "file,label\na.jpg,Parus major\nf.mp4,Parus major\ng.mp4,Parus major\n"
    box = {"xyxy": [0, 0, 9, 9]}
    track = {"start": 0.0, "end": 2.0, "frame": 0}
    other = {"Apis mellifera": 0.9}
    records = (species("a.jpg", other, "Apis mellifera", 0.9, group_score=0.4, **box),
               species("a.jpg", {"Parus major": 0.6}, "Parus major", 0.6, **box, group_score=0.5),
               {**species("f.mp4", other, "Apis mellifera", 0.9, observations=2, track_id=1), **track},
               {**species("f.mp4", {"Parus major": 0.6}, "Parus major", 0.6, observations=9, track_id=2), **track},
               species("g.mp4", other, "Apis mellifera", 1.0, observations=3),
               {"type": "observation", "observation": "o", "sources": ["g.mp4"], "topk": [], "label": "Parus major",
                "score": 0.7})
    found = gathered(tmp_path, "species", table, *records)
    assert [answer.levels["species"] for _, answer in found.pairs] == ["parus major", "parus major", "apis mellifera"]
    joint = gathered(tmp_path, "species", table, *records, observations=True)
    assert [answer.levels["species"] for _, answer in joint.pairs] == ["parus major"] * 3


def test_the_answer_about_a_film_goes_before_its_first_look(tmp_path: Path) -> None:
    look = species("f.mp4", {"Parus major": 0.9}, "Parus major", 0.9)
    film = {key: value for key, value in species("f.mp4", {"Parus ater": 0.4}, start=0.0, end=9.0, observations=9,
                                                 note="unsure").items() if key not in ("frame", "t")}
    for records in ((look, film), (film, look)):
        [(_, answer)] = gathered(tmp_path, "species", "file,label\nf.mp4,Parus major\n", *records).pairs
        assert answer.level is None


def test_sets_are_held_to_their_coverage(tmp_path: Path) -> None:
    two = [{"label": "Parus major", "score": 0.5}, {"label": "Parus ater", "score": 0.4}]
    found = gathered(tmp_path, "species", BIRDS, species("a.jpg", {}, candidates=two, coverage=0.9),
                     species("b.jpg", {}, candidates=two[:1], coverage=0.9), species("c.jpg", {}),
                     species("d.jpg", {}, "Parus major", 0.5, candidates=two, coverage=0.9))
    figures = evaluate_labels(found.pairs, "species").figures
    assert (figures["sets"], figures["set_size"]) == (3, pytest.approx(5 / 3))
    assert figures["set_coverage"] == pytest.approx(200 / 3)


def test_files_that_failed_are_missing_or_have_no_record(tmp_path: Path) -> None:
    table = "file,label\na.jpg,bar\nb.jpg,bar\nc.jpg,bar\nd.jpg,bar\n"
    found = gathered(tmp_path, "scene", table, scene("x/a.jpg", "bar"), end("x/a.jpg"), end("b.jpg"),
                     end("c.jpg", status="failed"), scene("other.jpg", "bar"))
    assert [answer.levels for _, answer in found.pairs] == [{"place": "bar", "kind": "shopping and dining",
                                                             "top": "indoor"}, {}]
    assert (found.failed, found.missing, found.unlabelled) == (["c.jpg"], ["d.jpg"], ["other.jpg"])
    evaluation = evaluate_labels(found.pairs, "scene")
    said = remarks(evaluation, found)
    assert [line.split(":")[1].strip() for line in said[:3]] == ["c.jpg", "d.jpg", "other.jpg"]
    assert report(evaluation, found)["failed"] == 1
    assert "answered" in "".join(lines(evaluation, found, each=True))


@pytest.mark.parametrize(("table", "said"), [
    ("file,label\na.jpg,bar\na.jpg,bar\n", "line 3: a.jpg is listed in line 2 already"),
    ("file,label,start,end\na.mp4,bar,5,2\n", "line 2: start '5' and end '2'"),
    ("file,label,start,end\na.mp4,bar,,2\n", "line 2: start '' and end '2'"),
    ("file,label,start,end\na.mp4,bar,nan,2\n", "line 2: start 'nan' and end '2'"),
    ("file,label\na.jpg,|\n", "line 2: label is empty"), ("file,label\na.jpg,\n", "line 2: label is empty"),
    ("file,name\na.jpg,bar\n", "no column label"), ("file,label\n", "lists no file"),
])
def test_tables_that_are_wrong_name_the_line(table: str, said: str, tmp_path: Path) -> None:
    (tmp_path / "labels.csv").write_text(table)
    with pytest.raises(UsageError, match=".*") as error:
        read_truth(tmp_path / "labels.csv", "scene")
    assert said in str(error.value)


@pytest.mark.parametrize(("records", "options", "said"), [
    ([scene("x.jpg", "bar")], {}, "no source of the records is labelled"),
    ([scene("a.jpg", "bar"), scene("a.jpg", "bar") | {"by": "scene/y"}], {}, "choose with --made-by"),
    ([scene("a.jpg", "bar")], {"by": "scene/y"}, "--made-by scene/y: no scene records of this maker"),
    ([species("a.jpg", {})], {}, "there is no scene among the records (species)"),
])
def test_records_that_do_not_fit_are_refused(records: list[dict[str, Any]], options: dict[str, str], said: str,
                                             tmp_path: Path) -> None:
    with pytest.raises(UsageError) as error:
        gathered(tmp_path, "scene", "file,label\na.jpg,bar\n", *records, **options)
    assert said in str(error.value)


def test_unknown_columns_and_nothing_are_refused(tmp_path: Path) -> None:
    found = gathered(tmp_path, "scene", "file,label\na.jpg,bar\n", scene("a.jpg", "bar"))
    with pytest.raises(UsageError, match="--by light: the table has no other column"):
        evaluate_labels(found.pairs, "scene", by="light")
    with pytest.raises(UsageError, match="nothing is to be scored"):
        evaluate_labels([], "scene")


def test_intervals_draw_files_not_spans(tmp_path: Path) -> None:
    rows = "".join(f"f{n}.mp4,{'bar' if n % 2 else 'beach'},{k},{k + 1}\n" for n in range(4) for k in range(5))
    found = gathered(tmp_path, "scene", "file,label,start,end\n" + rows,
                     *(scene(f"f{n}.mp4", "bar", 0.5, 0, 9) for n in range(4)))
    evaluation: LabelEvaluation = evaluate_labels(found.pairs, "scene")
    low, high = evaluation.intervals["top1"]
    assert evaluation.figures["top1"] == 50 and (low, high) == (0, 100)  # 2 of 4 films, whatever their spans


def test_intervals_are_of_the_rows_of_their_figures(tmp_path: Path) -> None:
    table = "file,label,family\n" + "".join(f"{n}.jpg,Parus major,\n" for n in range(4)) + "".join(
        f"{n}.jpg,Paridae,Paridae\n" for n in range(4, 24))
    names = ("Parus ater", "Parus major") * 2
    found = gathered(tmp_path, "species", table,
                     *(species(f"{n}.jpg", {name: 0.6}, name, 0.6) for n, name in enumerate(names)),
                     *(species(f"{n}.jpg", {}) for n in range(4, 24)))
    evaluation = evaluate_labels(found.pairs, "species")
    assert evaluation.figures["top1"] == 50
    assert evaluation.intervals["top1"] == (0, 100)  # of four rows: no answer to what has no species is not right
    none = [pair for pair in found.pairs if pair[0].labels == ("Paridae",)]
    assert evaluate_labels(none, "species").intervals == {}


def test_the_diagram_shows_each_bin(tmp_path: Path) -> None:
    rights = np.array([True] * 5 + [False] * 5 + [True] * 9 + [False])
    curve = reliability(np.array([0.1] * 10 + [0.9] * 10), rights, 10)
    image = diagram(curve)
    assert image.dtype == np.uint8 and image.shape[2] == 3
    gap = (image == (230, 159, 0)).all(2)
    columns = np.flatnonzero(gap.any(0))
    assert math.isclose(gap.any(1).sum(), 0.4 * 480, abs_tol=4)  # from 0.1 to 0.5
    assert columns.max() < image.shape[1] / 2  # and none at 0.9, which keeps its word
    for path, said in ((tmp_path / "a.svg", "a .png or .jpg is needed"), (tmp_path / "no" / "a.png", "there is no")):
        with pytest.raises(UsageError, match=said):
            check_plot(path, False)
    (tmp_path / "a.png").write_bytes(b"mine")
    with pytest.raises(UsageError, match="would be replaced"):
        check_plot(tmp_path / "a.png", False)
    check_plot(tmp_path / "a.png", True)
