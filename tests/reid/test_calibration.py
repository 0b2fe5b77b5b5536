"""Thresholds found on known people: by hand, against the metric, on CUHK01; and files that are for something else."""

from __future__ import annotations

import json

import numpy as np
import pytest
from people_crops import market, save

from vtk.errors import MediaError, UsageError
from vtk.metrics.retrieval import b_cubed
from vtk.models.embedder import load_embedder, space_of
from vtk.reid.calibration import (
    GRID,
    _best,
    _shares,
    calibrate,
    checked,
    drawn,
    read_calibration,
    threshold_for,
)
from vtk.reid.constraints import Constraints, tightness
from vtk.reid.labelled import (
    JUNK,
    Crop,
    capped,
    embed,
    fused,
    read_labelled,
    taken,
    tracks,
)
from vtk.reid.linkage import exact
from vtk.reid.thresholds import THRESHOLDS
from vtk.reid.tracklets import Tracklet


def people(count=40, noise=0.5, seed=0):
    """Return vectors of two tracklets each, who they are, and the cameras a and b."""
    rng = np.random.default_rng(seed)
    centres = rng.standard_normal((count, 24))
    rows = np.repeat(centres, 2, axis=0) + noise * rng.standard_normal((2 * count, 24))
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    return rows.astype(np.float32), [f"p{row // 2}" for row in range(2 * count)], ["a", "b"] * count


def test_the_threshold_parts_the_same_from_others():
    """Two people at right angles, their tracklets at 20 degrees: from 0 to cos 20 all is right; the middle."""
    angles = np.radians([0, 20, 90, 110])
    vectors = np.stack([np.cos(angles), np.sin(angles)], axis=1).astype(np.float32)
    found = calibrate(vectors, ["x", "x", "y", "y"], [None] * 4, "m@1", "fp32", seen_once=0)
    free = found.choices["free"]
    # Both groups are joined from the mean of cos 90, 110, 70 and 90, which is 0, down.
    assert free.threshold == pytest.approx(np.cos(angles[1]) / 2, abs=0.01)
    assert (free.precision, free.recall, free.f) == (100, 100, 100) and free.f_interval == (100, 100)
    assert found.choices.keys() == {"free"} and found.threshold(True) == found.threshold(False)


def test_sums_by_person_are_the_metric():
    vectors, names, _ = people()
    codes = np.unique(names, return_inverse=True)[1]
    joins = exact.tree(vectors, None)
    sums = _shares(joins, codes, 40)
    for place in (0, 60, 120, 200):
        scores = b_cubed(exact.cut(joins, float(GRID[place])), codes)
        assert sums[0, place].sum() / 80 == pytest.approx(scores.precision)
        assert sums[1, place].sum() / 80 == pytest.approx(scores.recall)
    assert sums[2].sum(axis=1).tolist() == [80] * len(GRID)
    assert _best(np.array([[0, 1, 1, 1, 0], [2, 0, 0, 0, 0]])).tolist() == [2, 0]


def test_constraints_and_those_seen_once_move_it():
    vectors, names, cameras = people(noise=0.9)
    found = {share: calibrate(vectors, names, cameras, "m@1", "fp32", seen_once=share) for share in (0, 0.5)}
    assert found[0].choices["constrained"].f > found[0].choices["free"].f
    assert found[0].threshold(True) < found[0].threshold(False)
    assert found[0].threshold(True) < found[0.5].threshold(True)
    for each in found.values():
        for choice in each.choices.values():
            assert choice.threshold_interval[0] <= choice.threshold <= choice.threshold_interval[1]
            assert choice.f_interval[0] < choice.f < choice.f_interval[1]
    again = calibrate(vectors, names, cameras, "m@1", "fp32", seen_once=0.5)
    assert again.to_json() == found[0.5].to_json()
    assert calibrate(vectors, names, cameras, "m@1", "fp32", seed=1).to_json() != again.to_json()
    others = checked(found[0], *people(noise=0.9, seed=5))
    assert 60 < others["free"]["f"] < others["constrained"]["f"] and others["identities"] == 40


def test_a_calibration_is_read_back_for_its_model_alone(tmp_path):
    found = calibrate(*people(), "m@1", "bf16")
    file = tmp_path / "c.json"
    file.write_bytes(found.to_json())
    again = read_calibration(file, "m@1", "bf16")
    assert again.choices["free"].threshold == found.choices["free"].threshold
    assert read_calibration(file, "m@1").precision == "bf16"
    said = json.loads(file.read_bytes())
    assert said["identities"] == 40 and said["tracklets"] == 80 and "B-cubed F" in said["chosen"]
    with pytest.raises(UsageError, match="is for m@1, and the vectors are of n@2"):
        read_calibration(file, "n@2")
    with pytest.raises(UsageError, match="is for bf16, and the model runs in fp32: take --precision bf16"):
        read_calibration(file, "m@1", "fp32")
    for change in ({"task": "face-antispoof"}, {"v": 99}, {"thresholds": {}}, {"thresholds": {"free": {"x": 1}}},
                   {"thresholds": {"free": {**said["thresholds"]["free"], "threshold": 7}}}):
        file.write_text(json.dumps(said | change))
        with pytest.raises(UsageError, match="is no calibration of reid"):
            read_calibration(file, "m@1")
    for text in ("{", "[]", "{}"):
        file.write_text(text)
        with pytest.raises(UsageError, match="is no calibration of reid"):
            read_calibration(file, "m@1")
    with pytest.raises(UsageError, match="cannot read"):
        read_calibration(tmp_path / "none.json", "m@1")


def test_which_threshold_a_run_takes():
    [space, *_] = THRESHOLDS
    crowd = [Tracklet("a", row, 0, 5) for row in range(4)]
    single = [Tracklet(f"{row}.jpg", 1, 0, 0) for row in range(4)]
    row = [Tracklet("a", number, 5 * number, 5 * number + 6) for number in range(5)]
    assert tightness(crowd, Constraints()) == 1 and tightness(single, Constraints()) == 0
    assert tightness(row, Constraints()) == pytest.approx(4 / 10)
    assert tightness(crowd, Constraints(overlap=False)) == 0
    assert tightness(single, Constraints(one_per_camera=True)) == 1
    assert threshold_for(crowd, Constraints(), space) == THRESHOLDS[space]["constrained"]
    assert threshold_for(single, Constraints(), space) == THRESHOLDS[space]["free"]
    found = calibrate(*people(noise=0.9), "m@1", "fp32")
    assert threshold_for(crowd, Constraints(), "m@1", found) == found.choices["constrained"].threshold
    with pytest.raises(UsageError, match="m@1 has no threshold: give --threshold, or --calibration"):
        threshold_for(crowd, Constraints(), "m@1")


def test_too_little_to_calibrate_on():
    vectors, names, cameras = people()
    with pytest.raises(UsageError, match="two people and two tracklets"):
        calibrate(vectors[::2], names[::2], cameras[::2], "m@1", "fp32")
    with pytest.raises(ValueError, match="expected three of a length"):
        calibrate(vectors, names[1:], cameras, "m@1", "fp32")


def test_labelled_crops_of_every_kind(tmp_path):
    market(tmp_path / "m", 2)
    crops = read_labelled(tmp_path / "m")
    assert {crop.part for crop in crops} == {"query", "gallery", "train"}
    assert [(crop.label, crop.camera) for crop in crops if crop.part == "query"] == [("0001", "1"), ("0002", "1")]
    assert sum(crop.label == JUNK for crop in crops) == 1
    assert all(crop.label != JUNK for crop in taken(crops, "gallery"))
    with pytest.raises(UsageError, match="--part test: there is gallery, query, train"):
        taken(crops, "test")

    for name in ("ann/1.png", "ann/2.png", "bob/bob_c3_1.png"):
        save(tmp_path / "f" / name, 1, 1)
    assert [(crop.label, crop.camera) for crop in read_labelled(tmp_path / "f")] == [
        ("ann", None), ("ann", None), ("bob", "3")]
    (tmp_path / "t").mkdir()
    (tmp_path / "t" / "labels.csv").write_text("file,label,camera,fold\na.png,7,x,train\nb.png,8,,test\n")
    first, second = read_labelled(tmp_path / "t", "fold")
    assert (first.label, first.camera, first.part) == ("7", "x", "train") and second.camera is None
    assert read_labelled(tmp_path / "t")[0].part is None
    (tmp_path / "s.json").write_text(json.dumps({"query": ["0001_c1s1_000001_00.png"]}))
    assert [crop.part for crop in read_labelled(tmp_path / "m" / "query", str(tmp_path / "s.json"))] == ["query"]


@pytest.mark.parametrize(("split", "said"), [
    ("no.json", "No such file"), ("odd", "a JSON file of names by part, or a column"),
    ('{"query": ["gone.png"]}', "is not there"), ("[1]", "names by part are needed"), ("{", "is no JSON")])
def test_wrong_splits(tmp_path, split, said):
    market(tmp_path / "m", 1)
    if split[0] in "[{":
        (tmp_path / "s.json").write_text(split)
        split = str(tmp_path / "s.json")
    with pytest.raises(UsageError, match=said):
        read_labelled(tmp_path / "m", split)


def test_wrong_folders(tmp_path):
    with pytest.raises(UsageError, match="a folder of labelled crops is needed"):
        read_labelled(tmp_path / "none")
    with pytest.raises(UsageError, match="no labelled crops"):
        read_labelled(tmp_path)
    save(tmp_path / "x.png", 1, 1)
    with pytest.raises(UsageError, match="does not say who it is"):
        read_labelled(tmp_path)
    (tmp_path / "labels.csv").write_text("file,who\na,1\n")
    with pytest.raises(UsageError, match="no column label"):
        read_labelled(tmp_path)
    (tmp_path / "labels.csv").write_text("file,label\na,\n")
    with pytest.raises(UsageError, match="line 2: label is empty"):
        read_labelled(tmp_path)
    (tmp_path / "broken_c1_1.png").write_bytes(b"no picture")
    with pytest.raises(MediaError, match=r"broken_c1_1\.png"):
        embed([Crop(tmp_path / "broken_c1_1.png", "1")], load_embedder("colour", "reid"))


def test_crops_of_a_track_are_fused_and_capped(tmp_path):
    crops = [Crop(tmp_path / f"{place}", "x", "1" if place < 5 else None) for place in range(7)]
    assert [crop.path.name for crop in capped(crops, 2)] == ["0", "4", "5", "6"]
    assert len(drawn([*crops, Crop(tmp_path / "z", "y", "1")], 3, 0)) in (1, 7)
    vectors = np.array([[1, 0], [0, 1], [1, 0]], np.float32)
    mean, first = fused(vectors, ["a", "a", "b"])
    np.testing.assert_allclose(mean, [[0.5**0.5, 0.5**0.5], [1, 0]], atol=1e-6)
    assert first.tolist() == [0, 2]


def test_thresholds_of_100_of_cuhk01(shared):
    """All of it gives 0.465 and 0.565; grouping others at those is as good as it was with all of them, and better."""
    crops = read_labelled(shared / "train/reid/cuhk01", "split_485_486")
    some = [[crop for crop in taken(crops, part) if int(crop.label) % 10 < 2] for part in ("train", "test")]
    embedder = load_embedder("retail-0277", "reid")
    made = [tracks(each, embedder, lambda count: None) for each in some]
    found = calibrate(*made[0], space_of(embedder), embedder.precision, seen_once=0)
    assert found.threshold(True) < 0.465 and 0.45 < found.threshold(False) < 0.6
    figures = checked(found, *made[1])
    assert figures["constrained"]["f"] >= 98 and figures["free"]["f"] >= 88
    assert THRESHOLDS[space_of(embedder)]["free"] == pytest.approx(found.threshold(False), abs=0.1)
