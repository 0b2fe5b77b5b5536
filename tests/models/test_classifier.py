"""Classifiers on their real weights and labelled pictures: what they take, what they name, what they never name."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from labelled_pictures import class_of, pictures, read

from vtk.errors import UsageError, WeightsError
from vtk.models import net_classifier, zoo
from vtk.models.classifier import ClassifierOptions, load_classifier, model_name
from vtk.models.net_classifier import NetClassifier, fitted, given, log_probabilities
from vtk.models.openvino import openvino
from vtk.models.runtime import RuntimeOptions, load
from vtk.models.weights import resolve
from vtk.models.zoo import Input

pytestmark = pytest.mark.usefixtures("one_thread")

CPU = RuntimeOptions("cpu", "fp32", offline=True)
BIRDS = {  # that the network of birds knows, and what their pictures show; the goldfinch is of the American species
    "n01531178_goldfinch.JPEG": "Spinus tristis", "n01532829_house_finch.JPEG": "Haemorhous mexicanus",
    "n01537544_indigo_bunting.JPEG": "Passerina cyanea", "n01558993_robin.JPEG": "Turdus migratorius",
    "n01614925_bald_eagle.JPEG": "Haliaeetus leucocephalus",
}


def seeing(name: str, **changes: object) -> NetClassifier:
    """Return the table's classifier with another input."""
    recipe = zoo.get(name, "classify")
    recipe = replace(recipe, input=replace(recipe.input, **changes))
    return net_classifier.build(recipe, resolve(recipe, offline=True), ClassifierOptions(runtime=CPU))


def found(model: NetClassifier, data: Path, step: int = 1) -> tuple[int, int, float]:
    """Return how many pictures' classes stand first and in the first five, and the mean of -log p; of each step-th."""
    known = pictures(data)[::step]
    scores = model.scores([image for _, image in known])
    truth = np.array([class_of(words, model.labels) for words, _ in known])
    of_truth = scores[np.arange(len(truth)), truth]
    ranks = (scores > of_truth[:, None]).sum(axis=1)
    return int((ranks == 0).sum()), int((ranks < 5).sum()), float(-of_truth.mean())


def test_it_names_what_pictures_show(shared: Path) -> None:
    model = load_classifier("imagenet", runtime=CPU)
    assert (model.name, len(model.labels), model.batch, model.precision) == ("imagenet", 1000, 1, "fp32")
    assert len(set(model.labels)) == 1000 and "background" not in model.labels
    first, in_five, surprise = found(model, shared / "data")
    print(f"middle 87.5 %: {first} first, {in_five} in five; -log p {surprise:.3f}")
    assert len(pictures(shared / "data")) == 63
    assert first >= 54 and in_five == 63 and surprise < 0.48


@pytest.mark.parametrize("changes", [{"colour": "bgr"}, {"scale": 1 / 255}, {"mean": (127.5,) * 3, "std": (127.5,) * 3},
                                     {"scale": 0.25}], ids=["bgr", "0 to 1", "-1 to 1", "a quarter"])  # fmt: skip
def test_other_values_are_told_by_what_it_names(changes: dict[str, object], shared: Path) -> None:
    """Of every fourth picture: fewer are named, and their classes get far less."""
    right, other = (found(seeing("imagenet", **each), shared / "data", 4) for each in ({}, changes))
    print(f"right {right}, {changes} {other}")
    assert other[0] < right[0] and other[2] > right[2] + 0.3


def test_the_middle_is_better_than_all_of_a_picture_and_than_no_margin(shared: Path) -> None:
    middle = found(seeing("imagenet"), shared / "data")
    for name, changes in (("stretched", {"fit": "stretch"}), ("the largest square", {"share": 1.0})):
        other = found(seeing("imagenet", **changes), shared / "data")
        print(f"{name}: {other[0]} first, {other[1]} in five; -log p {other[2]:.3f}")
        assert middle[0] >= other[0] and middle[1] >= other[1] and middle[2] < other[2] - 0.03


def test_birds_get_their_scientific_names_in_these_colours_alone(shared: Path) -> None:
    images = [read(shared / "data" / "classify-species" / "imagenet_one_per_class" / name) for name in BIRDS]
    model = load_classifier("inat-birds", runtime=CPU)
    assert len(model.labels) == 964 and "background" not in model.labels
    named = [model.labels[index].split(" (")[0] for index in model.scores(images).argmax(axis=1)]
    assert named == list(BIRDS.values())
    turned = seeing("inat-birds", colour="bgr").scores(images)
    assert sum(model.labels[index].startswith(name) for index, name in zip(turned.argmax(axis=1), named)) <= 2


def test_the_background_is_no_answer_and_its_probability_is_missing(shared: Path) -> None:
    black, bird = np.zeros((300, 400, 3), np.uint8), read(shared / "data" / "classify-species" /
                                                           "imagenet_one_per_class" / "n01537544_indigo_bunting.JPEG")
    snake = read(shared / "data" / "classify-species" / "imagenet_one_per_class" / "n01756291_sidewinder.JPEG")
    sums = np.exp(load_classifier("inat-birds", runtime=CPU).scores([black, bird, snake])).sum(axis=1)
    assert sums[1] > 0.99 and sums[2] < 0.2 and sums[0] < 0.7
    insects = load_classifier("inat-insects", runtime=CPU)
    assert len(insects.labels) == 1021 and "background" not in insects.labels


def test_half_precision_names_the_same(shared: Path) -> None:
    automatic = load_classifier("imagenet", runtime=RuntimeOptions("cpu", offline=True))
    assert automatic.precision == "fp32"  # 8 bits gain nothing from less
    images = [image for _, image in pictures(shared / "data")][::3]
    exact = load_classifier("imagenet", runtime=CPU).scores(images)
    try:
        rough = load_classifier("imagenet", runtime=RuntimeOptions("cpu", "bf16", offline=True)).scores(images)
    except UsageError:
        pytest.skip("this CPU does not compute in bf16")
    assert (exact.argmax(axis=1) == rough.argmax(axis=1)).mean() > 0.9


def test_pictures_of_any_size_and_no_others(shared: Path) -> None:
    model = load_classifier("imagenet", runtime=CPU)
    odd = [np.full(shape, 90, np.uint8) for shape in ((1, 1, 3), (1, 900, 3), (3000, 40, 3), (224, 224, 3))]
    scores = model.scores(odd)
    assert scores.shape == (4, 1000) and scores.dtype == np.float32 and np.isfinite(scores).all()
    assert model.scores([]).shape == (0, 1000)
    for wrong in (np.zeros((9, 9), np.uint8), np.zeros((9, 9, 3), np.float32), np.zeros((0, 9, 3), np.uint8)):
        with pytest.raises(ValueError, match=r"images\[1\]: got .* expected \(h, w, 3\) uint8 RGB"):
            model.scores([odd[0], wrong])


def test_the_middle_of_a_picture_is_what_is_looked_at() -> None:
    image = np.zeros((100, 300, 3), np.uint8)
    image[:, 100:200] = 255
    assert (fitted(image, Input(50, 50, "crop", share=0.9)) == 255).all()
    assert (fitted(image, Input(50, 50, "stretch")) == 0).any()
    thin = np.zeros((1600, 1600, 3), np.uint8)
    thin[:, ::4] = 200  # thin stripes: the mean is seen, not one line in eight
    assert np.ptp(fitted(thin, Input(200, 200, "crop", share=1.0))) == 0


def test_outputs_are_told_by_their_values() -> None:
    logits = np.array([[2.0, 0.0, -1.0, 0.5]], np.float32)
    shares = np.exp(logits) / np.exp(logits).sum()
    assert given(logits) == "logits" and given(logits + 9) == "logits"
    assert given(shares) == "probabilities" and given(np.round(shares * 256)) == "8 bits"
    np.testing.assert_allclose(log_probabilities(logits, "logits"), np.log(shares), atol=1e-6)
    np.testing.assert_allclose(log_probabilities(shares, "probabilities"), np.log(shares), atol=1e-6)
    eighths = log_probabilities(np.array([[192.0, 64.0, 0.0]], np.float32), "8 bits")
    np.testing.assert_allclose(eighths, np.log([[0.75, 0.25, 1 / 512]]), atol=1e-6)
    assert np.isfinite(log_probabilities(np.array([[1.0, 0.0]], np.float32), "probabilities")).all()


def test_a_file_of_the_users_own_needs_its_labels(shared: Path, tmp_path: Path) -> None:
    own = shared / "models" / "mobilenet_v2_1.0_224_inat_bird_quant.tflite"
    labels = shared / "models" / "inat_bird_labels.txt"
    model = load_classifier("imagenet", own, labels, CPU)
    assert model.name == own.stem == model_name("imagenet", own) and len(model.labels) == 964
    assert model.sha256 != load_classifier("inat-birds", runtime=CPU).sha256
    with pytest.raises(UsageError, match="give the names of its classes, too, with --labels FILE"):
        load_classifier("imagenet", own, runtime=CPU)
    with pytest.raises(WeightsError, match="1022 labels, and the network has 965 outputs"):
        load_classifier("imagenet", own, shared / "models" / "inat_insect_labels.txt", CPU)
    with pytest.raises(WeightsError, match="there is no such file"):
        load_classifier("imagenet", own, tmp_path / "none.txt", CPU)
    with pytest.raises(WeightsError, match="which holds its network"):
        load_classifier("imagenet", labels, labels, CPU)
    renamed = load_classifier("inat-birds", labels=_numbered(tmp_path / "names.txt", 965), runtime=CPU)
    assert renamed.labels[0] == "species 0" and len(renamed.labels) == 965


@pytest.mark.parametrize("ending", ["softmax", "softmax and reshape", "nothing"])
def test_what_a_softmax_takes_is_read_before_it(ending: str, tmp_path: Path) -> None:
    """A network of means of colours, as OpenVINO's files have it: its logits are the means less 100."""
    library = openvino()
    ops = library.opset13
    images = ops.parameter([-1, 3, 8, 8], np.float32)
    last = ops.subtract(ops.reduce_mean(images, np.array([2, 3]), False), np.float32(100))
    if ending != "nothing":
        last = ops.softmax(last, 1)
    if ending == "softmax and reshape":
        last = ops.reshape(last, np.array([0, 3, 1, 1]), True)
    library.save_model(library.Model([last], [images]), tmp_path / "means.xml", compress_to_fp16=False)
    (tmp_path / "labels.txt").write_text("red\ngreen\nblue\n")
    picture = np.full((8, 8, 3), (90, 100, 200), np.uint8)
    model = load_classifier("imagenet", tmp_path / "means.xml", tmp_path / "labels.txt", CPU)
    # Probabilities would end at FLOOR, e to the -16; the first is e to the -110.
    np.testing.assert_allclose(model.scores([picture, picture]), [[-110, -100, 0]] * 2, atol=1e-3)
    assert load(tmp_path / "means.xml", CPU, tmp_path / "means.bin")(np.zeros((1, 3, 8, 8), np.float32))[0].sum() == (
        pytest.approx(-300 if ending == "nothing" else 1))


def _numbered(path: Path, count: int) -> Path:
    path.write_text("".join(f"species {index}\n" for index in range(count)))
    return path


def test_unknown_names() -> None:
    with pytest.raises(UsageError, match=r"no classifier 'inat-bird': did you mean 'inat-birds'\? there is imagenet, "):
        load_classifier("inat-bird", runtime=CPU)
    assert model_name("timm:resnet18") == "timm:resnet18"
