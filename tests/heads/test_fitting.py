"""Features over views, heads fitted on them, and what is said of how they do."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from people_crops import labelled

from vtk.errors import MediaError, UsageError
from vtk.heads import Features, Fit, fit_head, load_features, read_labelled, write
from vtk.heads.checking import figures, twins
from vtk.heads.classifier import HeadClassifier, load_head
from vtk.models.views import VIEWS


class Corners:
    """An embedder that sees the first pixel: whatever a look begins with is what comes out."""

    name, sha256, dimensions, batch, precision = "corners", "ab" * 32, 3, 2, "fp32"

    def embed(self, crops: list[np.ndarray]) -> np.ndarray:
        """Return (N, 3) float32 of unit length."""
        rows = np.array([crop[0, 0] for crop in crops], np.float32).reshape(-1, 3)
        return rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-12)


def test_views_look_where_they_say() -> None:
    image = np.arange(5 * 16 * 3, dtype=np.uint8).reshape(5, 16, 3)
    [whole], [centre], [flip] = (VIEWS[name](image) for name in ("whole", "centre", "flips"))
    assert (whole == image).all() and (flip[:, 0] == image[:, -1]).all()
    assert centre.shape == (4, 14, 3) and (centre[0, 0] == image[0, 1]).all()
    quarters = VIEWS["quadrants"](image)
    assert [quarter.shape for quarter in quarters] == [(3, 8, 3)] * 4
    assert [quarter[0, 0].tolist() for quarter in quarters] == [
        image[row, column].tolist() for row in (0, 2) for column in (0, 8)]
    assert all(look.size for view in VIEWS.values() for look in view(image[:1, :1])), "a picture of one pixel"


def test_vectors_are_means_over_looks_of_unit_length() -> None:
    image = np.zeros((4, 4, 3), np.uint8)
    image[:, :2] = (9, 0, 0)
    image[:, 2:] = (0, 5, 0)
    features = Features(Corners(), ("whole", "flips", "quadrants"))
    assert features.space == "corners@abababababab"
    np.testing.assert_allclose(features.vectors([image]), [[np.sqrt(0.5), np.sqrt(0.5), 0]], atol=1e-6)
    np.testing.assert_allclose(Features(Corners(), ("whole", "centre")).vectors([image, image]), [[1, 0, 0]] * 2)
    assert features.vectors([]).shape == (0, 3) and not features.vectors([image * 0]).any()


def test_features_of_files(tmp_path: Path) -> None:
    pictures = read_labelled(labelled(tmp_path, ("beach", "forest"), 3))
    heard: list[int] = []
    assert load_features("colour").of(pictures, heard.append).shape == (6, 192) and sum(heard) == 6
    pictures[4].path.write_bytes(b"no picture")
    with pytest.raises(MediaError, match=r"forest/1.png is named as an image, and its content"):
        load_features("colour").of(pictures)


@pytest.mark.parametrize("views", [[], ["corner"], ["whole", "whole"]])
def test_views_that_are_not_there_are_refused(views: list[str]) -> None:
    with pytest.raises(UsageError, match="give some of whole,centre,flips,quadrants,scales, each once"):
        load_features("colour", views=views)


def clouds(sizes: list[int], seed: int = 0) -> tuple[np.ndarray, list[str]]:
    """Return unit vectors (N, 3) about a centre a label, wide enough to be mistaken, and the labels."""
    random = np.random.default_rng(seed)
    labels = [f"label{place}" for place, size in enumerate(sizes) for _ in range(size)]
    rows = np.array([np.eye(3)[int(label[-1]) % 3] for label in labels]) + random.normal(0, 0.45, (len(labels), 3))
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32), labels


def test_a_head_says_how_it_was_fitted() -> None:
    vectors, labels = clouds([30, 20, 10])
    head = fit_head(vectors, labels, Features(Corners()), Fit(note="mine"))
    assert head.labels == ("label0", "label1", "label2") and head.counts == (30, 20, 10)
    assert head.prior == (0.5, 20 / 60, 10 / 60) and head.note == "mine" and head.space == "corners@abababababab"
    assert head.fit["left_out"]["pictures"] == 60 and head.fit["left_out"]["calibrated"]
    assert head.fit["penalty_by"] == "nll" and 60 < head.fit["left_out"]["top1"] < 100
    fresh, truth = clouds([300, 200, 100], seed=1)
    together, by_label = figures(head, fresh, truth)
    assert together["top1"] == pytest.approx(head.fit["left_out"]["top1"], abs=10)
    assert together["NLL"] == pytest.approx(head.fit["left_out"]["nll"], abs=0.2)
    assert by_label["label1"]["pictures"] == 200 and "top5" not in together, "there are three labels"
    assert 0 <= together["ECE"] < 10 and together["macroF1"] == pytest.approx(together["top1"], abs=12)
    told = head.log_probabilities(fresh).argmax(axis=1)
    assert by_label["label2"]["recall"] == pytest.approx(100 * np.mean(told[500:] == 2))
    assert by_label["label2"]["precision"] == pytest.approx(100 * np.mean(np.array(truth)[told == 2] == "label2"))


def test_rare_labels_gain_by_balance_and_by_tau() -> None:
    vectors, labels = clouds([200, 200, 8])
    fresh, truth = clouds([200, 200, 200], seed=1)
    plain, balanced, adjusted = (figures(fit_head(vectors, labels, Features(Corners()), plan), fresh, truth)
                                 for plan in (Fit(), Fit(balance=True), Fit(tau=1.0)))
    for better in (balanced, adjusted):
        assert better[1]["label2"]["recall"] > plain[1]["label2"]["recall"] + 20
        assert better[0]["top1"] > plain[0]["top1"] + 3
    assert fit_head(vectors, labels, Features(Corners()), Fit(balance=True)).prior == (1 / 3, 1 / 3, 1 / 3)


def test_one_picture_a_label_is_no_calibration() -> None:
    vectors, labels = clouds([1, 1, 1])
    head = fit_head(vectors, labels, Features(Corners()))
    assert head.temperature == 1.0 and head.fit["left_out"] == {"pictures": 0, "calibrated": False}
    assert head.log_probabilities(vectors).argmax(axis=1).tolist() == [0, 1, 2]


def test_a_head_is_a_classifier(tmp_path: Path) -> None:
    features = Features(Corners(), ("whole", "flips"))
    vectors, labels = clouds([9, 9])
    head = fit_head(vectors, labels, features)
    write(head, tmp_path / "places.npz")
    found = load_head(tmp_path / "places.npz", features)
    assert (found.name, found.labels, found.batch, found.precision) == ("places", head.labels, 2, "fp32")
    assert found.sha256 == HeadClassifier("x", head, features).sha256 != HeadClassifier(
        "x", replace(head, tau=1.0), features).sha256
    images = [np.full((2, 2, 3), colour, np.uint8) for colour in ((200, 0, 0), (0, 200, 0), (9, 9, 9))]
    scores = found.scores(images)
    assert scores.dtype == np.float32 and scores[:2].argmax(axis=1).tolist() == [0, 1]
    np.testing.assert_allclose(np.exp(scores).sum(axis=1), 1, rtol=1e-5)
    with pytest.raises(UsageError, match="for the views whole,flips, and these are whole$"):
        HeadClassifier("x", head, Features(Corners()))
    with pytest.raises(UsageError, match="these are of corners@abababababab"):
        HeadClassifier("x", replace(head, space="corners@00"), features)


def test_what_a_fit_refuses() -> None:
    vectors, labels = clouds([5])
    with pytest.raises(UsageError, match="two labels or more are needed, and there is label0"):
        fit_head(vectors, labels, Features(Corners()))
    for given, said in (({"penalty": 0.0}, "--penalty 0: a number above 0"), ({"penalty": np.nan}, "--penalty nan"),
                        ({"criterion": "aic"}, "--criterion aic: there is nll, press, gcv"),
                        ({"note": "two\nlines"}, "one line of text"), ({"note": "\udce9"}, "in UTF-8 is needed"),
                        ({"tau": -1.0}, "--tau -1: a number from 0 to 10"),
                        ({"tau": 1.0, "balance": True}, "give one of them")):
        with pytest.raises(UsageError, match=said):
            Fit(**given)  # type: ignore[arg-type]
    head = fit_head(*clouds([5, 5]), Features(Corners()))
    with pytest.raises(UsageError, match=r"LABELS: label7 \(2\): the head does not know this label; it has 2, such as"):
        figures(head, vectors[:3], ["label0", "label7", "label7"])


def test_pictures_that_are_in_both_parts_are_counted(tmp_path: Path) -> None:
    pictures = read_labelled(labelled(tmp_path, ("beach", "forest"), 3))
    pictures[5].path.write_bytes(pictures[0].path.read_bytes())
    assert twins(pictures[:3], pictures[3:]) == 1 and twins(pictures[:3], pictures[3:5]) == 0
