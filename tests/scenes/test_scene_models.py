"""Models of places by name, what is refused before one is loaded, and heads that share what a network sees."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from coloured import Coloured, shown

from vtk.errors import UsageError
from vtk.heads.features import Features
from vtk.heads.head import Head
from vtk.models.places365_labels import PLACES
from vtk.models.runtime import RuntimeOptions
from vtk.scenes import scene_models
from vtk.scenes.judging import Heads
from vtk.scenes.places import scene_scores
from vtk.scenes.scene_models import Asked, OfPictures, PlacesByThings, load_scene_model


@pytest.mark.parametrize(("asked", "names"), [
    (Asked(), ("imagenet-scenes",)),
    (Asked(("imagenet-scenes", "places365-resnet18")), ("imagenet-scenes+places365-resnet18",)),
    (Asked((), (Path("x/mine.npz"), Path("other.npz"))), ("mine", "other")),
    (Asked(("imagenet",), (Path("mine.npz"),)), ("imagenet", "mine")),
    (Asked(("places365-resnet18",), weights=Path("own.pth")), ("own",)),
    (Asked(("clip:ViT-B-32/openai",), labels=Path("names.txt")), ("clip:ViT-B-32/openai",)),
    (Asked(("twostream",), weights=Path("two.pt")), ("two",)),
])
def test_who_answers(asked: Asked, names: tuple[str, ...]) -> None:
    assert asked.check() == names


@pytest.mark.parametrize(("asked", "said"), [
    (Asked(()), "give --model or --head"),
    (Asked(("imagenet", "imagenet")), "each once"),
    (Asked(("imagenet", "")), "each once"),
    (Asked(("places365-resnet81",)), "no classifier 'places365-resnet81': did you mean 'places365-resnet18'?"),
    (Asked(("scenes",)), "of scenes imagenet-scenes and twostream, too"),
    (Asked(("clip:ViT-B-32",)), "give names with --labels FILE"),
    (Asked(("twostream",)), "give a file of your own with --weights"),
    (Asked(("twostream",), weights=Path("x"), labels=Path("x.txt")), "has its labels in the file of its weights"),
    (Asked(weights=Path("x.pth")), "name it with --model"),
    (Asked(("imagenet", "places365-resnet18"), labels=Path("x.txt")), "name it with --model, alone"),
    (Asked(views=("whole", "all")), "--views whole,all: give some of whole"),
    (Asked((), (Path("x.npz"),), views=("flips",)), "heads and twostream have views of their own"),
    (Asked((), (Path("a/x.npz"), Path("b/x.npz"))), "two would write records by x"),
    (Asked(("imagenet",), (Path("imagenet.npz"),)), "two would write records by imagenet"),
])
def test_what_is_refused_before_anything_is_loaded(asked: Asked, said: str) -> None:
    with pytest.raises(UsageError) as refused:
        asked.check()
    assert said in str(refused.value) and "\n" not in str(refused.value)


class Things:
    """A classifier of a thousand classes that sees one of them."""

    name, sha256, batch, precision = "imagenet", "00", 4, "fp32"

    def __init__(self, classes: int = 1000) -> None:
        self.labels = tuple(f"class {number}" for number in range(classes))

    def scores(self, images: Sequence[np.ndarray]) -> np.ndarray:
        values = np.full((len(images), len(self.labels)), np.log(0.1 / 999), np.float32)
        values[:, int(images[0][0, 0, 0])] = np.log(0.9)
        return values


def test_places_by_things_are_those_of_the_table() -> None:
    model, seen = PlacesByThings(Things()), np.full((4, 4, 3), 97, np.uint8)
    np.testing.assert_allclose(np.exp(model.scores([seen])), scene_scores(Things().scores([seen])), rtol=1e-5)
    assert model.labels == PLACES and model.sha256 != Things.sha256
    with pytest.raises(UsageError, match="has 10 classes, expected the 1000 of ImageNet"):
        PlacesByThings(Things(10))


def test_several_models_are_averaged_and_two_streams_stand_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    made = {"imagenet": Coloured(name="imagenet"), "inat-birds": Coloured(("street", "beach", "kitchen"), "birds")}
    monkeypatch.setattr(scene_models, "load_classifier", lambda name, *given, **options: made[name])
    judge = load_scene_model(Asked(("imagenet", "inat-birds")), RuntimeOptions())
    assert judge.names == ("imagenet+birds",) and judge.labels == (made["imagenet"].labels,)
    [scores] = judge.span([shown("beach"), shown("beach", 1)])
    assert scores.shape == (3,) and judge.labels[0][scores.argmax()] == "beach"
    assert np.exp(scores).sum() == pytest.approx(1, abs=1e-4)
    with pytest.raises(UsageError, match="is averaged with none"):
        load_scene_model(Asked(("twostream", "imagenet"), weights=Path("x")), RuntimeOptions())


def test_pictures_are_as_large_as_the_largest_network_takes(monkeypatch: pytest.MonkeyPatch) -> None:
    made = {"imagenet": Coloured(name="small"), "inat-birds": Coloured(name="large")}
    made["inat-birds"].side = 384
    monkeypatch.setattr(scene_models, "load_classifier", lambda name, *given, **options: made[name])
    sides = [load_scene_model(Asked(models), RuntimeOptions()).side for models in (("imagenet",), tuple(made))]
    assert sides == [256, 384]
    assert load_scene_model(Asked(tuple(made), views=("whole", "quadrants")), RuntimeOptions()).side == 2 * 384


def test_a_span_is_the_mean_of_log_probabilities_of_its_pictures() -> None:
    model = Coloured(sharp=5)
    judge = OfPictures(model)
    images = [shown("beach"), shown("street", 1), shown("street", 2)]
    means = model.scores(images).mean(axis=0)
    np.testing.assert_allclose(judge.span(images)[0], means - np.log(np.exp(means).sum()), atol=1e-5)
    assert model.calls == [3, 3], "one call a span"


def test_views_are_looked_at_and_part_of_the_hash(monkeypatch: pytest.MonkeyPatch) -> None:
    model = Coloured()
    monkeypatch.setattr(scene_models, "load_classifier", lambda name, *given, **options: model)
    plain, twice = (load_scene_model(Asked(("imagenet",), views=views), RuntimeOptions())
                    for views in (("whole",), ("whole", "flips")))
    twice.span([shown("beach"), shown("beach", 1)])
    assert sum(model.calls) == 4 and plain.sha256 != twice.sha256


class Eye:
    """An embedder that counts the pictures that it sees: mean colours, at unit length."""

    name, batch, precision, dimensions = "eye", 4, "fp32", 3

    def __init__(self, sha256: str) -> None:
        self.sha256, self.seen = sha256, 0

    def embed(self, images: Sequence[np.ndarray]) -> np.ndarray:
        self.seen += len(images)
        means = np.stack([image.reshape(-1, 3).mean(axis=0) for image in images])
        return (means / np.linalg.norm(means, axis=1, keepdims=True)).astype(np.float32)


def head(space: str, views: tuple[str, ...], *labels: str) -> Head:
    return Head(labels, np.eye(3, len(labels), dtype=np.float32) * 9, np.zeros(len(labels), np.float32), space, views,
                (1,) * len(labels), (1 / len(labels),) * len(labels))


def test_heads_of_one_network_share_what_it_sees() -> None:
    from vtk.models.embedder import space_of

    eyes = {space_of(eye): eye for eye in (Eye("a" * 64), Eye("b" * 64))}
    one, two = eyes
    heads = [("mine", head(one, ("whole",), "red", "green", "blue")),
             ("flipped", head(one, ("whole", "flips"), "warm", "fresh")),
             ("other", head(two, ("quadrants",), "r", "g", "b"))]
    loaded: list[tuple[str, ...]] = []

    def load(each: Head, views: tuple[str, ...]) -> Features:
        loaded.append(views)
        return Features(eyes[each.space], views)

    judge = Heads(heads, load)
    assert judge.names == ("mine", "flipped", "other") and loaded == [("whole", "flips"), ("quadrants",)]
    images = [shown("kitchen", number) for number in range(3)]
    answers = judge.span(images)
    assert [eyes[one].seen, eyes[two].seen] == [2 * 3, 4 * 3], "whole and flips once each, four quarters"
    told = [labels[answer.argmax()] for labels, answer in zip(judge.labels, answers, strict=True)]
    assert told == ["red", "warm", "r"]
    # As by itself: sharing changes no answer.
    for (name, each), answer in zip(heads, answers, strict=True):
        alone = each.log_probabilities(Features(eyes[each.space], each.views).vectors(images)).mean(axis=0)
        np.testing.assert_allclose(answer, alone - np.log(np.exp(alone).sum()), atol=1e-6, err_msg=name)


def test_a_head_of_other_weights_is_refused() -> None:
    with pytest.raises(UsageError, match="vectors of the two do not compare"):
        Heads([("mine", head("eye@0123", ("whole",), "a", "b"))], lambda each, views: Features(Eye("a" * 64), views))


def test_two_streams_hear_the_words_themselves(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    from vtk.driver.stage import Frame, Source
    from vtk.media.info import MediaInfo
    from vtk.models import twostream
    from vtk.scenes.stage import SceneStage

    heard: list[str] = []

    class Streams:
        labels, sha256 = ("kitchen", "beach"), "00"

        def span(self, images: Sequence[np.ndarray], words: str = "") -> np.ndarray:
            heard.append(words)
            return np.log(np.array([0.6, 0.4], np.float32))

    monkeypatch.setattr(twostream, "load_two_stream", lambda weights, runtime: Streams())
    stage = SceneStage(Asked(("twostream",), weights=tmp_path / "own.pt"))
    source = Source("a.png", "records", MediaInfo("image", 160, 120))
    state = stage.start(source)
    line = {"type": "text", "text": "beach", "score": 1.0, "source": "a.png", "frame": 0, "t": 0.0}
    assert stage.frames(state, [Frame(source, 0, 0.0, records=[line], convert=lambda size: shown("beach"))]) == [[]]
    [record] = stage.end(state)
    assert heard == ["beach"] and "adjusted_by" not in record
    assert (record["by"], record["label"], record["score"]) == ("recognize-scene/own", "kitchen", 0.6)
