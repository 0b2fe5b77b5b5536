"""Descriptors: what stays alike under edits, what is never alike, one scale for all, and the pairs of real copies."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import cv2
import numpy as np
import pytest

from vtk.copies import bench
from vtk.copies.calibration import CALIBRATIONS, PLAIN, SCORES, SHARES, Calibration, calibrate, strangers
from vtk.copies.crops import CROPS, MultiCrop, cut, read_crops
from vtk.copies.descriptors import DctDescriptor, NetworkDescriptor, PdqDescriptor, blank, load_descriptor, luminance
from vtk.copies.union import Union
from vtk.errors import UsageError
from vtk.kernels.frame_signature import dct_vector
from vtk.models.embedder import EmbedderOptions
from vtk.models.runtime import RuntimeOptions

RNG = np.random.default_rng(0)
FP32 = EmbedderOptions(runtime=RuntimeOptions("cpu", "fp32", offline=True))
Edit = Callable[[np.ndarray], np.ndarray]


def scene(height: int = 144, width: int = 192) -> np.ndarray:
    """Return a picture whose amplitudes fall with frequency, as those of natural pictures do."""
    waves = np.hypot(np.fft.fftfreq(height)[:, None] * height, np.fft.rfftfreq(width) * width)
    planes = [np.fft.irfft2(np.fft.rfft2(RNG.normal(size=(height, width))) / np.maximum(waves, 1), (height, width))
              for _ in range(3)]
    image = np.stack([planes[0] + 0.3 * plane for plane in planes], axis=-1)
    return np.clip(128 + 50 * image / image.std(), 0, 255).astype(np.uint8)


SCENES = [scene() for _ in range(12)]


def jpeg(image: np.ndarray) -> np.ndarray:
    return cv2.imdecode(cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, 8])[1], cv2.IMREAD_COLOR)


def captioned(image: np.ndarray) -> np.ndarray:
    image = image.copy()
    image[-18:-8, 20:-20] = 20
    return image


EDITS: dict[str, Edit] = {
    "encoded": jpeg, "smaller": lambda image: cv2.resize(image, (80, 66), interpolation=cv2.INTER_AREA),
    "larger": lambda image: cv2.resize(image, (500, 300)), "darker": lambda image: (image * 0.4).astype(np.uint8),
    "blurred": lambda image: cv2.GaussianBlur(image, (0, 0), 3), "captioned": captioned,
}  # fmt: skip


@pytest.mark.parametrize("edit", EDITS.values(), ids=EDITS)
def test_dct_finds_edited_pictures(edit: Edit) -> None:
    descriptor = DctDescriptor()
    scores = descriptor.scores(descriptor.describe([edit(image) for image in SCENES]), descriptor.describe(SCENES))
    same, other = scores.diagonal(), scores[~np.eye(len(SCENES), dtype=bool)]
    assert same.min() > 0.5 > other.max() + 0.1


@pytest.mark.parametrize("edit", [EDITS["encoded"], EDITS["larger"], EDITS["darker"]])
def test_pdq_finds_duplicates(edit: Edit) -> None:
    descriptor = PdqDescriptor()
    cosines = descriptor.describe([edit(image) for image in SCENES]) @ descriptor.describe(SCENES).T
    # PDQ's authors take 31 bits of 256 for the same picture; strangers lie about 128 apart.
    assert cosines.diagonal().min() >= 1 - 31 / 128 and cosines[~np.eye(len(SCENES), dtype=bool)].max() < 0.5
    hashes, good = descriptor.bits(SCENES)
    assert hashes.shape == (12, 32) and good.all()
    apart = np.bitwise_count(hashes[:, None] ^ hashes).sum(axis=2)
    np.testing.assert_allclose(descriptor.describe(SCENES) @ descriptor.describe(SCENES).T, 1 - apart / 128, atol=1e-6)


def test_skies_over_land_are_not_all_one() -> None:
    """Weighing the frequencies leaves less of what two strangers have in common, and as much of what copies have."""
    land = [image // 2 for image in SCENES]
    for image in land:
        image[:72] += 90
    luma = luminance(land), luminance([captioned(image) for image in land])
    plain = dct_vector(luma[0]) @ dct_vector(luma[1]).T
    ours = DctDescriptor().describe(land) @ DctDescriptor().describe([captioned(image) for image in land]).T
    other = ~np.eye(len(land), dtype=bool)
    assert plain[other].mean() > 0.7 and ours[other].mean() < 0.6
    assert ours.diagonal().min() - ours[other].max() > plain.diagonal().min() - plain[other].max() + 0.05


@pytest.mark.parametrize("name", ["dct", "pdq", "mobilenet", "dct+mobilenet"])
def test_what_shows_nothing_is_like_nothing(name: str, request: pytest.FixtureRequest) -> None:
    if "mobilenet" in name:
        request.getfixturevalue("shared")
    descriptor = load_descriptor(name, FP32)
    black = RNG.integers(0, 3, (90, 120, 3), np.uint8)  # as a codec leaves it
    white = np.full((90, 120, 3), 255, np.uint8)
    vectors = descriptor.describe([black, white, SCENES[0], black[:30, :30]])
    assert vectors.shape == (4, descriptor.dimensions) and vectors.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), [0, 0, 1, 0], atol=1e-5)
    # A cosine of zero is that of most strangers.
    assert descriptor.scores(vectors, vectors)[[0, 0, 0, 1], [0, 1, 3, 2]].max() <= 0.125
    assert descriptor.describe([]).shape == (0, descriptor.dimensions)


def test_luminance_is_the_mean_of_areas() -> None:
    frame = np.zeros((128, 192, 3), np.uint8)
    frame[:, 96:] = 200
    frame[::2] //= 2
    [luma] = luminance([frame])
    np.testing.assert_allclose(luma[:, :32], 0, atol=1e-4)
    np.testing.assert_allclose(luma[:, 32:], 150, atol=1e-4)
    assert not blank(luma[None])[0] and blank(luma[None] / 100)[0]
    for wrong in (frame[..., 0], frame.astype(np.float32), frame[:0]):
        with pytest.raises(ValueError, match=r"frames\[1\]: got"):
            luminance([frame, wrong])


def test_calibration_says_how_seldom_strangers_reach_a_cosine() -> None:
    cosines = np.linspace(-1, 0.8, 1_000_001).astype(np.float32)  # of 10,000 one lies above 0.79982
    found = calibrate(cosines)
    np.testing.assert_allclose(found.cosines[:-1], -1 + 1.8 * (1 - np.asarray(SHARES)), atol=1e-4)
    np.testing.assert_allclose(found([-1, 0.62, 0.782, 0.9, 1.0]), [0, 0.125, 0.25, 0.5 + 0.25, 1], atol=2e-3)
    assert (np.diff(found(np.linspace(-1, 1, 999))) >= 0).all() and len(found.cosines) == len(SCORES)
    with pytest.raises(ValueError, match="got 9 pairs of frames of two sources, expected 10000 or more"):
        calibrate(cosines[:9])
    for wrong in ((0, 1), (0.1, 0.2, 0.3, 0.4, 0.4, 1), (0.1, 0.2, 0.3, 0.4, 0.5, 0.9)):
        with pytest.raises(ValueError, match="expected 6 that ascend, the last one 1"):
            Calibration(wrong)


def test_strangers_are_of_two_sources_and_show_something() -> None:
    vectors = np.array([[1, 0], [0.6, 0.8], [0, 0], [0, 1]], np.float32)
    np.testing.assert_allclose(strangers(vectors, ["a", "a", "b", "c"]), [0, 0.8], atol=1e-6)
    assert strangers(vectors[:0], []).shape == (0,)
    with pytest.raises(ValueError, match="got 4 vectors and 1 sources"):
        strangers(vectors, ["a"])


def test_what_is_offered_is_calibrated(shared: Path) -> None:
    offered = [load_descriptor(name, FP32) for name in ("dct", "pdq", "mobilenet")]
    assert {each.space for each in offered} == set(CALIBRATIONS)
    assert all(each.calibration is CALIBRATIONS[each.space] for each in offered)


class Looks(DctDescriptor):
    """A descriptor that sees two colours."""

    name, sha256, dimensions, space, calibration = "looks", "0" * 64, 2, "looks@0", PLAIN

    def describe(self, frames: Sequence[np.ndarray]) -> np.ndarray:
        means = np.array([frame.reshape(-1, 3).mean(axis=0)[:2] for frame in frames], np.float32).reshape(-1, 2)
        return means / np.maximum(np.linalg.norm(means, axis=1, keepdims=True), 1e-12)


def test_a_union_takes_the_larger_score() -> None:
    parts = DctDescriptor(), Looks()
    both = Union(parts)
    assert both.name == "dct+looks" and both.dimensions == 257 and both.space == f"dct+looks@{both.sha256[:12]}"
    flat = np.zeros((20, 20, 3), np.uint8)
    flat[..., 0] = 90
    vectors = both.describe([*SCENES[:3], flat])
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-6)
    alone = [part.describe([*SCENES[:3], flat]) for part in parts]
    for joined, single in zip(both.split(vectors), alone, strict=True):
        np.testing.assert_allclose(joined, single, atol=1e-6)
    expected = np.maximum(*(part.scores(each, each) for part, each in zip(parts, alone, strict=True)))
    np.testing.assert_allclose(both.scores(vectors, vectors), expected, atol=1e-4)
    assert not alone[0][3].any() and both.scores(vectors, vectors)[3, 3] == pytest.approx(1, abs=1e-4)
    with pytest.raises(ValueError, match=r"vectors: got \(4, 255\), expected \(N, 257\)"):
        both.split(alone[0])
    with pytest.raises(ValueError, match="expected two descriptors or more"):
        Union(parts[:1])
    with pytest.raises(ValueError, match=r"expected \(N, D\) with D of each"):
        both.join(alone[:1])


def test_crops_find_what_was_cut_out_and_what_is_shown_small() -> None:
    descriptor = DctDescriptor()
    all_crops, whole = MultiCrop(descriptor), MultiCrop(descriptor, ["whole"])
    quarter = np.ascontiguousarray(cut(SCENES[0], "bottom-right"))
    small = SCENES[2].copy()
    small[:72, :96] = cv2.resize(SCENES[1], (96, 72), interpolation=cv2.INTER_AREA)
    for query, reference in ((quarter, SCENES[0]), (SCENES[0], quarter), (small, SCENES[1])):
        vectors = [crop.describe([query]) for crop in (whole, all_crops)], [
            crop.describe([reference, SCENES[5]]) for crop in (whole, all_crops)]
        before, after = (crop.scores(one, other)[0]
                         for crop, one, other in zip((whole, all_crops), *vectors, strict=True))
        assert before[0] < 0.4 and after[0] > 0.85 and after[1] < 0.4
    assert all_crops.describe([]).shape == (0, 10, 255)
    both = all_crops.describe(SCENES[:2])
    np.testing.assert_allclose(all_crops.scores(both[:1], both), all_crops.scores(both, both[:1]).T, atol=1e-6)


def test_names_of_crops() -> None:
    assert read_crops("") == ("whole",) and read_crops("centre,whole") == ("whole", "centre")
    assert read_crops("halves,quadrants,left,centre") == (
        "whole", "left", "right", "top", "bottom", "top-left", "top-right", "bottom-left", "bottom-right", "centre")
    assert sorted(read_crops("centre,halves,quadrants")) == sorted(CROPS)
    with pytest.raises(UsageError, match="there is no 'middle'; it is one of halves, quadrants, whole, centre"):
        read_crops("middle")
    with pytest.raises(ValueError, match="expected the whole, then others"):
        MultiCrop(DctDescriptor(), ["left"])
    assert cut(np.zeros((1, 1, 3), np.uint8), "bottom-right").shape == (1, 1, 3)


def test_names_of_descriptors(tmp_path: Path) -> None:
    for name, words in (("dtc", "no descriptor 'dtc': did you mean 'dct'\\? there is dct, pdq, mobilenet, sscd, timm:"),
                        ("dct+", "no descriptor ''"), ("dct+dct", "it names one twice")):
        with pytest.raises(UsageError, match=words):
            load_descriptor(name)
    for name, count in (("dct", 0), ("mobilenet+sscd", 2)):
        with pytest.raises(UsageError, match=f"'{name.replace('+', '.')}' has {count} networks, expected one"):
            load_descriptor(name, EmbedderOptions(weights=tmp_path / "own.onnx"))


def test_large_frames_are_averaged_before_a_network_sees_them(shared: Path) -> None:
    """Fine stripes are grey from afar: a frame twice as large is the same picture."""
    descriptor = load_descriptor("mobilenet", FP32)
    assert isinstance(descriptor, NetworkDescriptor)
    image = cv2.resize(SCENES[0], (448, 448))
    striped = image.copy()
    striped[::4] = np.minimum(striped[::4].astype(int) + 60, 255)
    striped[2::4] = np.maximum(striped[2::4].astype(int) - 60, 0)
    one, other = descriptor.describe([cv2.resize(striped, (224, 224), interpolation=cv2.INTER_AREA), striped])
    np.testing.assert_allclose(one, other, atol=1e-6)


def test_edits_are_found_by_one_or_the_other(tmp_path: Path, shared: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The bench itself, on pictures that are made here: what a blur hides from a network DCT sees."""
    for index in range(16):
        cv2.imwrite(str(tmp_path / f"{index}.png"), scene())
    bench.edits([tmp_path], "dct:1,dct,mobilenet,dct+mobilenet", every=1, seed=0)
    plain, dct, mobilenet, both = map(json.loads, capsys.readouterr().out.splitlines())
    assert plain["strangers reach"] != dct["strangers reach"] and dct["pictures"] == 16
    assert dct["blur"] == dct["jpeg"] == dct["noise"] == both["jpeg"] == 100 > mobilenet["blur"]
    assert both["mean"] > min(dct["mean"], mobilenet["mean"])
    bench.edits([tmp_path], "dct", every=4, seed=0)
    assert json.loads(capsys.readouterr().out)["pictures"] == 4


def test_real_copies_are_above_all_strangers(shared: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Of the four pairs DCT alone and the union find all; MobileNet alone takes a false one for the worst."""
    folder = shared / "data/detect-copy"
    bench.pairs(folder, folder / "pairs_gt.json", "dct,mobilenet,dct+mobilenet")
    dct, mobilenet, both = map(json.loads, capsys.readouterr().out.splitlines())
    assert (dct["above"], mobilenet["above"], both["above"]) == (4, 3, 4)
    assert min(pair["cosine"] for pair in dct["true"].values()) > 0.9 > 0.5 > dct["false"]["cosine"]
    assert both["false"]["score"] < 0.5 < 0.7 < min(pair["score"] for pair in both["true"].values())
    assert mobilenet["true"]["carphone_distorted.mp4"]["cosine"] < mobilenet["false"]["cosine"]


def test_what_needs_no_torch_does_not_load_it(shared: Path) -> None:
    code = """
import sys, numpy as np
from vtk.copies.descriptors import load_descriptor
load_descriptor("dct+mobilenet+pdq").describe([np.zeros((90, 120, 3), np.uint8)])
print([name for name in ("torch", "av", "timm", "lancedb") if name in sys.modules])
"""
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, check=True).stdout.strip() == b"[]"
