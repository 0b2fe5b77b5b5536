"""The spotter cotext: its file of weights, its transcripts, pictures of any kind, and the command on random weights."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from clips import frame_at, make_clip

from cotext_pictures import picture, quad
from vtk.errors import UsageError, WeightsError
from vtk.models import cotext_weights
from vtk.models.cotext import load_cotext
from vtk.models.cotext_network import CoText, Maps
from vtk.models.cotext_regions import Growth
from vtk.models.cotext_spotter import CoTextSpotter
from vtk.models.cotext_transcripts import run_ends, transcripts
from vtk.models.cotext_weights import LOWERCASE, UNKNOWN
from vtk.models.ppocr_detection import layout
from vtk.models.runtime import RuntimeOptions
from vtk.models.spotters import SpotterOptions, load_spotter

pytestmark = pytest.mark.usefixtures("one_thread")

CPU = RuntimeOptions("cpu", "fp32")


@pytest.fixture(scope="module")
def net() -> CoText:
    """Return a random network that lights up everywhere on the clips' frames, and is sure of what it reads there.

    Its maps and its reader's logits are scaled to deviations of 20 and 40 around where texts and characters begin.
    """
    torch.manual_seed(0)
    net = CoText().eval()
    last, classify = net.detector[1], net.reader.classify
    with torch.no_grad():
        maps = net(torch.tensor(frame_at(6, 192, 128) / 255 - 0.45).permute(2, 0, 1)[None].float() / 0.225)
        logits = maps.detection[0, :2]
        factor = 20 / logits.std(dim=(1, 2))
        last.weight[:2] *= factor[:, None, None, None]
        last.bias[:2] = (last.bias[:2] - logits.mean(dim=(1, 2))) * factor + torch.tensor([15.0, 0.0])
        quads = torch.tensor(np.stack([quad(x, 64, 40, 12) for x in range(30, 170, 10)]))
        words = net.read(net.rois(maps.recognition, quads, torch.zeros(len(quads), dtype=torch.int64)))
        scale = 40 / (words - words.mean(dim=(0, 1))).std()
        classify.weight *= scale
        classify.bias.copy_((classify.bias - words.mean(dim=(0, 1))) * scale)
    return net


@pytest.fixture(scope="module")
def file(net: CoText, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("weights") / "random.pt"
    cotext_weights.write(net, path)
    return path


@pytest.fixture(scope="module")
def noise() -> np.ndarray:
    """Return a picture of faint noise and a square, (128, 192, 3) uint8."""
    return frame_at(6, 192, 128)


def test_a_file_comes_back_as_it_was(net: CoText, file: Path) -> None:
    read, vocabulary = cotext_weights.read(file)
    assert vocabulary == LOWERCASE and len(LOWERCASE) == 38 and not read.training
    for key, value in net.state_dict().items():
        assert torch.equal(read.state_dict()[key], value), key
    saved = torch.load(file, weights_only=True)
    assert set(saved) == {"state_dict", "vocabulary", "arch"} and saved["arch"] == "cotext-resnet18"


def drop(saved: dict[str, Any], *keys: str) -> None:
    for key in keys:
        del saved["state_dict"][key]


def put(saved: dict[str, Any], key: str, value: Any) -> None:
    saved["state_dict"][key] = value


@pytest.mark.parametrize(("change", "words"), [
    (lambda saved: saved.pop("vocabulary"), "it holds no vocabulary"),
    (lambda saved: [saved.pop(key) for key in ("state_dict", "arch")], "it holds no state_dict, arch"),
    (lambda saved: saved.update(arch="resnet50"), "its arch is 'resnet50', expected 'cotext-resnet18'"),
    (lambda saved: saved.update(vocabulary=["a", "b"]), "without a blank at its start"),
    (lambda saved: saved.update(vocabulary=["", "a", "a"]), "one with repetitions"),
    (lambda saved: saved.update(vocabulary=7), "not a list of strings"),
    (lambda saved: saved.update(vocabulary=["", 7]), "not a list of strings"),
    (lambda saved: saved.update(vocabulary=["", *"abc"]),
     r"in another shape reader.classify.weight \(38, 256\) for \(4, 256\), reader.classify.bias \(38,\) for \(4,\)$"),
    (lambda saved: drop(saved, "detector.1.bias", "tracker.join.0.weight"),
     "it does not have detector.1.bias, tracker.join.0.weight$"),
    (lambda saved: drop(saved, *[key for key in saved["state_dict"] if key.startswith("trunk.pyramids")]),
     r"trunk.pyramids.0.down.0.0.weight, trunk.pyramids.0.down.0.1.0.weight, \S+ and 81 more$"),
    (lambda saved: put(saved, "extra", torch.zeros(1)), "it has besides extra$"),
    (lambda saved: put(saved, "detector.1.bias", torch.full((6,), torch.nan)),
     "it has with values that are not finite detector.1.bias$"),
    (lambda saved: put(saved, "detector.1.bias", 3), "its state_dict is no dict of tensors"),
])
def test_files_that_do_not_fit(file: Path, monkeypatch: pytest.MonkeyPatch, change: Callable[[dict[str, Any]], object],
                               words: str) -> None:  # fmt: skip
    """What a changed file would hold is handed over without the 55 MB being written each time."""
    saved = torch.load(file, weights_only=True)
    change(saved)
    monkeypatch.setattr(torch, "load", lambda *_, **__: saved)
    with pytest.raises(WeightsError, match=words) as caught:
        cotext_weights.read(file)
    assert str(caught.value).startswith(str(file)) and "\n" not in str(caught.value)


class Evil:
    """What a pickle would run."""

    def __reduce__(self) -> tuple[Any, ...]:
        return print, ("it was run",)


def test_files_that_are_none(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "own.pt"
    for content, words in ((b"", "damaged"), (b"not a model" * 99, "damaged"), (b"PK\x03\x04" + bytes(99), "damaged")):
        path.write_bytes(content)
        with pytest.raises(WeightsError, match=words):
            load_cotext(path, CPU)
    for saved, words in (({"state_dict": Evil()}, "damaged, or not CoText's"), ([1], "it holds a list")):
        torch.save(saved, path)
        with pytest.raises(WeightsError, match=words):
            load_cotext(path, CPU)
    assert "it was run" not in capsys.readouterr().out
    with pytest.raises(WeightsError, match="found nothing there"):
        load_cotext(tmp_path / "absent.pt", CPU)


def test_wrong_vocabularies_are_not_written(net: CoText, tmp_path: Path) -> None:
    for vocabulary in (LOWERCASE[:-1], LOWERCASE[1:], [*LOWERCASE[:-1], "a"]):
        with pytest.raises(ValueError, match="expected the network's 38 classes"):
            cotext_weights.write(net, tmp_path / "own.pt", vocabulary)


def test_wrong_options(file: Path) -> None:
    with pytest.raises(UsageError, match="long side 100: expected a multiple of 32"):
        load_cotext(file, CPU, 100)
    with pytest.raises(UsageError, match="cotext computes in fp32 or bf16 on the CPU"):
        load_cotext(file, RuntimeOptions("cpu", "fp16"))
    with pytest.raises(UsageError, match="takes --detector-weights and --reader-weights, not --weights"):
        load_spotter("ppocr", SpotterOptions(weights=file))
    with pytest.raises(UsageError, match="cotext is one network, and takes --weights"):
        load_spotter("cotext", SpotterOptions(detector_weights=file))
    with pytest.raises(WeightsError, match="cotext has no trained weights yet .* --weights FILE"):
        load_spotter("cotext")


def test_a_transcript_by_hand() -> None:
    """The path _ a a _ a ? b b over 8 steps: the unknown is left out, a run is as sure as its best step."""
    vocabulary = ("", "a", "b", UNKNOWN)
    logits = np.zeros((1, 8, 4), np.float32)
    chance = [0.9, 0.5, 0.8, 0.7, 0.6, 0.9, 0.75, 0.95]
    for step, (label, each) in enumerate(zip([0, 1, 1, 0, 1, 3, 2, 2], chance, strict=True)):
        logits[0, step] = np.log((1 - each) / 3)
        logits[0, step, label] = np.log(each)
    [reading] = transcripts(logits, np.array([[3.0, 4.0]], np.float32), vocabulary)
    assert reading.text == "aab"
    np.testing.assert_allclose(reading.characters, [0.8, 0.6, 0.95], atol=1e-6)
    np.testing.assert_allclose(reading.spans * 8, [[1, 3], [4, 5], [6, 8]])
    assert reading.score == pytest.approx(0.7833, abs=1e-4) and reading.characters.dtype == np.float32
    np.testing.assert_allclose(reading.feature, [0.6, 0.8], atol=1e-6)
    logits[..., 0] = 9
    [empty] = transcripts(logits, np.zeros((1, 2), np.float32), vocabulary)
    assert (empty.text, empty.score, empty.spans.shape) == ("", 0.0, (0, 2)) and not empty.feature.any()
    assert transcripts(logits[:0], np.zeros((0, 2), np.float32), vocabulary) == []
    assert run_ends(np.array([[0, 1, 1, 2], [3, 3, 3, 3]])).tolist() == [[1, 3, 3, 4], [4, 4, 4, 4]]


def test_maps_that_light_up_everywhere(net: CoText, noise: np.ndarray) -> None:
    spotter = CoTextSpotter(net, LOWERCASE, 192)
    [found] = spotter.find([noise])
    assert len(found.quads) > 3 and found.quads.dtype == np.float32 and found.quads.shape[1:] == (4, 2)
    assert found.quads.min() >= 0 and (found.quads <= [192, 128]).all()
    assert (np.diff(found.scores) <= 0).all() and found.scores.min() > 0.85 and found.scores.max() <= 1
    readings = found.read(range(len(found.quads)))
    assert any(reading.text for reading in readings)
    for reading in readings:
        assert len(reading.text) == len(reading.characters) == len(reading.spans)
        assert (0 <= reading.spans).all() and (reading.spans <= 1).all() and 0 <= reading.score <= 1
        assert (np.diff(reading.spans, axis=1) > 0).all() and reading.feature.shape == (128,)
        assert np.linalg.norm(reading.feature) == pytest.approx(1, abs=1e-5)
    again = found.read([2, 0])
    assert [reading.text for reading in again] == [readings[2].text, readings[0].text] and found.read([]) == []
    np.testing.assert_allclose(again[1].feature, readings[0].feature, atol=1e-5)
    [few] = CoTextSpotter(net, LOWERCASE, 192, how=Growth(max_boxes=2)).find([noise])
    assert len(few.quads) == 2 and few.more == len(found.quads) - 2 and len(few.read([0, 1])) == 2


def test_the_answer_does_not_depend_on_company(net: CoText, noise: np.ndarray) -> None:
    other = picture(["hotel"], quad(100, 50, 120, 40)[None], 100, 250)
    spotter = CoTextSpotter(net, LOWERCASE, 192)
    together = spotter.find([other, noise, other])
    assert [each.quads.tolist() for each in together] == [spotter.find([each])[0].quads.tolist()
                                                          for each in (other, noise, other)]


@pytest.mark.parametrize("shape", [(1, 1, 3), (8, 300, 3), (300, 8, 3), (1, 3000, 3), (90, 160, 3)])
def test_pictures_of_any_shape(net: CoText, shape: tuple[int, int, int]) -> None:
    image = np.random.default_rng(1).integers(0, 256, shape, dtype=np.uint8)
    [found] = CoTextSpotter(net, LOWERCASE, 96).find([image])
    assert (found.quads <= [shape[1], shape[0]]).all() and np.isfinite(found.quads).all()
    for reading in found.read(range(min(3, len(found.quads)))):
        assert np.isfinite(reading.feature).all()


def test_a_long_picture_is_one_map(net: CoText, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each piece's map is told by its place: joined, they rise from left to right without gap or repetition."""
    spotter = CoTextSpotter(net, LOWERCASE, 128)
    seen: list[int] = []

    def run(image: np.ndarray) -> Maps:
        seen.append(image.shape[1])
        columns = torch.tensor(image[::4, ::4, 0].astype(np.float32) * 256 + image[::4, ::4, 1])
        return Maps(*(columns.expand(1, size, *columns.shape) for size in (6, 128)))

    monkeypatch.setattr(spotter, "_run", run)
    for turned in (False, True):
        place = np.arange(960) // 4
        image = np.zeros((32, 960, 3), np.uint8)
        image[..., 0], image[..., 1] = place // 256, place % 256
        plan = layout(*((32, 960) if turned else (960, 32)), 128)
        maps = spotter._maps(np.ascontiguousarray(image.swapaxes(0, 1)) if turned else image, plan)
        line = maps.recognition[0, 0, :, 0] if turned else maps.recognition[0, 0, 0]
        assert len(plan.starts) > 3 and line.tolist() == list(range(240)) and maps.detection.shape[1] == 6
    assert set(seen) == {128, 32}


@pytest.mark.parametrize("image", [np.zeros((20, 30), np.uint8), np.zeros((20, 30, 4), np.uint8),
                                   np.zeros((20, 30, 3), np.float32), np.zeros((0, 30, 3), np.uint8)])
def test_what_is_no_picture_is_refused(net: CoText, noise: np.ndarray, image: np.ndarray) -> None:
    with pytest.raises(ValueError, match=r"images\[1\]: got .*expected \(H, W, 3\) uint8 RGB"):
        CoTextSpotter(net, LOWERCASE, 96).find([noise, image])


def test_values_that_are_not_finite(noise: np.ndarray) -> None:
    torch.manual_seed(0)
    net = CoText()
    with torch.no_grad():
        net.trunk.reduce[0][1].weight.fill_(1e38)
        net.trunk.reduce[0][1].running_var.fill_(1e-30)
    with pytest.raises(WeightsError, match="values that are not finite"):
        CoTextSpotter(net, LOWERCASE, 96).find([noise])


def test_half_precision_finds_much_the_same(net: CoText, noise: np.ndarray) -> None:
    """bf16 has 8 bits of mantissa: of maps of ±20 the error is about 0.1, which moves few of the texts' borders."""
    full, half = (CoTextSpotter(net, LOWERCASE, 192, precision=precision) for precision in ("fp32", "bf16"))
    with torch.inference_mode():
        one, other = full._run(noise), half._run(noise)
    assert other.detection.dtype == other.recognition.dtype == torch.float32
    signs = (one.detection[:, :2] > 0) == (other.detection[:, :2] > 0)
    assert signs.float().mean() > 0.97 and not torch.equal(one.detection, other.detection)


def test_torch_is_loaded_only_when_it_is_asked_for() -> None:
    code = ("import sys; from vtk.models.spotters import load_spotter; load_spotter('ppocr');"
            "import vtk.text.stage, vtk.commands.spot_text;"
            "print([name for name in ('torch', 'timm') if name in sys.modules])")
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True)
    assert done.stdout.strip() == b"[]"


def test_the_command_without_weights(vtk: Any, tmp_path: Path) -> None:
    clip = make_clip(tmp_path / "clip.mp4", 4)
    done = vtk("spot-text", clip, "--model", "cotext", "--device", "cpu", VTK_HOME=str(tmp_path), VTK_MIRROR="")
    assert done.returncode != 0 and b"cotext has no trained weights yet" in done.stderr
    assert b"--weights FILE" in done.stderr and len(done.stderr.strip().splitlines()) == 1
    listed = vtk("models", "list", VTK_HOME=str(tmp_path), VTK_MIRROR="").stdout.decode()
    assert any(line.startswith("cotext (experimental)") and line.endswith("-") for line in listed.splitlines())


def test_the_command_on_random_weights(vtk: Any, file: Path, tmp_path: Path) -> None:
    """A random network sees texts everywhere: the command follows, reads and ends them all the same."""
    clip = make_clip(tmp_path / "clip.mp4", 8)
    done = vtk("spot-text", clip, "--model", "cotext", "--weights", file, "--long-side", "192", "--detect-fps", "12",
               "--device", "cpu", "--precision", "fp32", VTK_THREADS="1", OMP_NUM_THREADS="1")  # fmt: skip
    assert done.returncode == 0, done.stderr
    records = [json.loads(line) for line in done.stdout.splitlines()]
    kinds = [record["type"] for record in records]
    assert kinds[-1] == "end" and records[-1]["status"] == "ok" and "text" in kinds and "text_track" in kinds
    texts = [record for record in records if record["type"] == "text"]
    assert {record["by"] for record in texts} == {"spot-text/cotext"}
    assert all(set(record["text"]) <= set("".join(LOWERCASE)) for record in texts)
    assert records[-1]["options"]
