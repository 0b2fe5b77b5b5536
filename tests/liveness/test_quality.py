"""Measures of a face's picture, hand-worked and on real faces; the gates; whatever is no face at all."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vtk.errors import UsageError
from vtk.liveness.quality import REASONS, Gates, measure, reasons
from vtk.media.image import load
from vtk.models.detector import load_detector
from vtk.models.runtime import RuntimeOptions

FRONTAL = np.array([(70, 80), (130, 80), (100, 110), (80, 140), (120, 140)], np.float64)
Faces = list[tuple[np.ndarray, list[float]]]
# (picture, left side of the box) → points as shares of the box, and whether a mask, veil, phone or paper is before it.
SET: dict[tuple[str, int], tuple[list[tuple[float, float]], bool]] = {
    ("14736_person.jpg", 137): ([(0.2, 0.42), (0.72, 0.26), (0.52, 0.5), (0.42, 0.78), (0.72, 0.7)], True),
    ("14766_person.jpg", 150): ([(0.25, 0.42), (0.75, 0.38), (0.5, 0.55), (0.4, 0.75), (0.65, 0.73)], True),
    ("14769_person.jpg", 124): ([(0.3, 0.42), (0.8, 0.35), (0.55, 0.5), (0.45, 0.7), (0.7, 0.68)], True),
    ("person101.jpg", 37): ([(0.2, 0.38), (0.7, 0.28), (0.45, 0.5), (0.4, 0.75), (0.65, 0.7)], True),
    ("14734_person.jpg", 158): ([(0.33, 0.42), (0.75, 0.24), (0.6, 0.52), (0.55, 0.78), (0.85, 0.7)], False),
    ("14740_person.jpg", 143): ([(0.22, 0.48), (0.65, 0.27), (0.45, 0.58), (0.5, 0.87), (0.78, 0.75)], False),
    ("person100.jpg", 89): ([(0.2, 0.4), (0.62, 0.3), (0.42, 0.5), (0.4, 0.8), (0.72, 0.75)], False),
    ("person101.jpg", 90): ([(0.25, 0.36), (0.72, 0.34), (0.42, 0.55), (0.3, 0.75), (0.6, 0.74)], False),
    ("person130.jpg", 127): ([(0.35, 0.4), (0.8, 0.38), (0.68, 0.56), (0.4, 0.77), (0.85, 0.77)], False),
    ("person151.jpg", 120): ([(0.25, 0.4), (0.7, 0.4), (0.42, 0.56), (0.3, 0.77), (0.62, 0.76)], False),
}


def checked(level: int = 128, side: int = 200, cell: int = 4, swing: int = 40) -> np.ndarray:
    """Return a (side, side, 3) grey picture of squares, ``swing`` levels above and below ``level``."""
    rows, columns = np.indices((side, side)) // cell
    plane = np.where((rows + columns) % 2, level + swing, level - swing).astype(np.uint8)
    return np.repeat(plane[:, :, None], 3, axis=2)


def turned(degrees: float, points: np.ndarray = FRONTAL) -> np.ndarray:
    """Return points turned clockwise about the middle of the picture."""
    turn = np.deg2rad(degrees)
    rotation = np.array([(np.cos(turn), np.sin(turn)), (-np.sin(turn), np.cos(turn))])
    return (points - 100) @ rotation + 100


def test_brightness_and_contrast_are_worked_by_hand() -> None:
    found = measure(checked(level=102, swing=51), (20, 20, 180, 180))
    assert found["brightness"] == pytest.approx(102 / 255, abs=0.002)
    assert found["contrast"] == pytest.approx(51 / 255, abs=0.002)
    assert (found["clipped"], found["size"], found["cut"]) == (0.0, 160.0, 0.0)


def test_what_is_burnt_or_black_is_counted() -> None:
    assert measure(checked(level=128, swing=127), (0, 0, 200, 200))["clipped"] == 1.0
    assert measure(np.full((90, 90, 3), 255, np.uint8), (0, 0, 90, 90))["clipped"] == 1.0


@pytest.mark.parametrize(("box", "cut"), [
    ((20, 20, 120, 120), 0.0), ((-50, 0, 50, 100), 0.5), ((150, 150, 250, 250), 0.75), ((-100, -100, 0, 0), 1.0),
    ((500, 0, 600, 90), 1.0), ((-200, -200, 400, 400), 1 - 1 / 9), ((30, 30, 30, 90), 1.0)])
def test_the_share_outside_is_of_the_boxs_area(box: tuple[float, ...], cut: float) -> None:
    assert measure(checked(), box)["cut"] == pytest.approx(cut, abs=1e-4)


@pytest.mark.parametrize(("box", "cut"), [
    ((0, 50, 65, 150), 0.0), ((0, 50, 39, 150), 0.4), ((161, 50, 200, 150), 0.4), ((3, 50, 42, 150), 0.4),
    ((50, 0, 130, 100), 0.0), ((50, 0, 130, 60), 0.4), ((50, 140, 130, 200), 0.4), ((0, 0, 80, 60), 0.4),
    ((20, 50, 59, 150), 0.0), ((50, 30, 130, 90), 0.0), ((0, 50, 80, 110), 0.0)])
def test_of_a_box_that_ends_at_an_edge_it_is_by_the_shape(box: tuple[float, ...], cut: float) -> None:
    """A narrow box at the left or right, a low one at the top or bottom; elsewhere they say nothing."""
    assert measure(checked(), box)["cut"] == pytest.approx(cut, abs=1e-4)


def test_a_box_wholly_outside_has_no_pixels_to_measure() -> None:
    found = measure(checked(), (500, 0, 590, 90), FRONTAL, 0.9)
    assert found == {"size": 90.0, "cut": 1.0, "score": 0.9}
    assert reasons(found, Gates()) == ("cut",)


def test_sharpness_does_not_follow_size_or_exposure() -> None:
    fine, coarse = checked(side=192, cell=12), checked(side=768, cell=48)
    dim = checked(side=192, cell=12, level=64, swing=20)
    whole = [measure(image, (0, 0, len(image), len(image)))["sharpness"] for image in (fine, coarse, dim)]
    assert whole[1] == pytest.approx(whole[0], rel=0.05)  # the scaling's grid falls otherwise on the squares
    assert whole[2] == pytest.approx(whole[0], rel=0.02)  # levels are whole


def test_sharpness_falls_with_blur() -> None:
    # An edge: it has every frequency; of one alone, blur takes the contrast as it takes the edges.
    image = np.full((200, 200, 3), 60, np.uint8)
    image[:, 100:] = 180
    found = [measure(cv2.GaussianBlur(image, (0, 0), sigma) if sigma else image, (0, 0, 200, 200))["sharpness"]
             for sigma in (0, 2, 4, 8)]
    assert found == sorted(found, reverse=True) and found[-1] < found[0] / 4


@pytest.mark.parametrize("degrees", [0, 30, -75, 90, 180])
def test_roll_is_clockwise_and_leaves_the_turn_alone(degrees: float) -> None:
    found = measure(checked(), (0, 0, 200, 200), turned(degrees))
    assert abs((found["roll"] - degrees + 180) % 360 - 180) < 0.1
    assert found["turn"] == 0.0


@pytest.mark.parametrize(("aside", "degrees"), [(0, 0.0), (30, 45.0), (-30, 45.0), (60, 63.4)])
def test_the_turn_is_of_the_nose_against_the_eyes(aside: float, degrees: float) -> None:
    points = FRONTAL.copy()
    points[2, 0] += aside  # the eyes stand 60 apart: half of it aside is 45 degrees
    assert measure(checked(), (0, 0, 200, 200), points)["turn"] == degrees


def test_a_smooth_patch_over_the_mouth_is_evidence_of_a_cover() -> None:
    image = checked(cell=5)
    assert measure(image, (40, 40, 160, 180), FRONTAL)["covered"] < 0.1
    image[118:162] = 128
    assert measure(image, (40, 40, 160, 180), FRONTAL)["covered"] == 1.0


@pytest.mark.parametrize("skin", [(230, 190, 170), (90, 60, 45)])
@pytest.mark.parametrize(("cloth", "covered"), [((150, 180, 220), True), ((30, 30, 34), True), (None, False)])
def test_cloth_of_another_colour_is_evidence_on_any_skin(
        skin: tuple[int, ...], cloth: tuple[int, ...] | None, covered: bool) -> None:
    shading = checked(cell=5, level=200, swing=40).astype(np.float32) / 255
    image = (shading * skin).astype(np.uint8)
    if cloth is not None:
        image[105:] = (shading[105:] * cloth).astype(np.uint8)  # as textured as the skin
    against = reasons(measure(image, (40, 40, 160, 180), FRONTAL), Gates())
    assert ("covered" in against) == covered


def test_points_that_say_nothing_are_no_evidence() -> None:
    for points in (np.full((5, 2), np.nan), np.full((5, 2), 7.0)):
        assert {"turn", "roll", "covered"}.isdisjoint(measure(checked(), (0, 0, 200, 200), points))


def test_a_picture_of_one_colour_is_flat_and_blurred() -> None:
    found = measure(np.full((120, 120, 3), (120, 90, 60), np.uint8), (0, 0, 120, 120))
    assert (found["contrast"], found["sharpness"], found["colour"]) == (0.0, 0.0, 0.5)
    assert reasons(found, Gates()) == ("blurred", "flat")


def test_colour_is_by_hand_and_does_not_follow_the_light() -> None:
    image = np.zeros((200, 200, 3), np.uint8)
    image[:, :100], image[:, 100:] = (200, 150, 100), (40, 40, 40)  # (100 + 0) / (200 + 40), half of the picture each
    for picture in (image, image // 2):
        assert measure(picture, (0, 0, 200, 200))["colour"] == pytest.approx(100 / 240, abs=0.001)
    assert measure(np.zeros((90, 90, 3), np.uint8), (0, 0, 90, 90))["colour"] == 0.0
    assert "grey" in reasons(measure(checked(), (20, 20, 180, 180)), Gates())


def test_each_reason_has_its_measure_and_the_order_is_fixed() -> None:
    good = {"cut": 0.0, "size": 100.0, "sharpness": 0.5, "brightness": 0.4, "contrast": 0.1, "colour": 0.3, "turn": 5.0,
            "roll": -5.0, "covered": 0.3, "score": 0.99}
    bad = {"cut": 0.3, "small": 39.0, "blurred": 0.1, "dark": 0.01, "bright": 0.95, "flat": 0.01, "grey": 0.05,
           "turned": 50.0, "covered": 0.9, "doubtful": 0.7}
    of = {"small": "size", "blurred": "sharpness", "dark": "brightness", "bright": "brightness", "flat": "contrast",
          "grey": "colour", "turned": "turn", "doubtful": "score"}
    assert reasons(good, Gates()) == () and reasons({}, Gates()) == ()
    for reason, value in bad.items():
        assert reasons(good | {of.get(reason, reason): value}, Gates()) == (reason,)
    assert reasons(good | {"roll": -170.0}, Gates()) == ("turned",)
    every = {of.get(reason, reason): value for reason, value in bad.items()}  # bright is last of two
    assert reasons(every, Gates()) == tuple(reason for reason in REASONS if reason != "dark")


@pytest.mark.parametrize(("wrong", "option"), [
    ({"min_size": -1}, "--gates min_size=-1"), ({"min_sharpness": float("nan")}, "min_sharpness"),
    ({"brightness": (0.9, 0.1)}, "brightness"), ({"min_contrast": 2}, "min_contrast"),
    ({"min_colour": 8}, "min_colour"),
    ({"max_turn": 200}, "max_turn"), ({"max_cut": 1.5}, "max_cut"), ({"min_score": 80}, "min_score"),
    ({"max_covered": -0.1}, "max_covered")])
def test_bounds_out_of_range_are_refused_by_name(wrong: dict[str, float], option: str) -> None:
    with pytest.raises(UsageError, match=option):
        Gates(**wrong)


@pytest.mark.parametrize("image", [np.zeros((9, 9), np.uint8), np.zeros((9, 9, 3), np.float32)])
def test_a_picture_of_another_kind_is_refused(image: np.ndarray) -> None:
    with pytest.raises(ValueError, match="uint8"):
        measure(image, (0, 0, 9, 9))


def test_boxes_and_points_of_another_shape_are_refused() -> None:
    with pytest.raises(ValueError, match="four finite"):
        measure(checked(), (0, 0, float("nan"), 9))
    with pytest.raises(ValueError, match=r"\(5, 2\)"):
        measure(checked(), (0, 0, 99, 99), FRONTAL[:4])


@settings(max_examples=60, deadline=None)
@given(st.lists(st.floats(-500, 500), min_size=4, max_size=4), st.integers(1, 40), st.integers(1, 40),
       st.lists(st.floats(-1e4, 1e4), min_size=10, max_size=10))
def test_any_box_and_points_have_a_defined_answer(box: list[float], height: int, width: int, flat: list[float]) -> None:
    image = np.random.default_rng(3).integers(0, 256, (height, width, 3), np.uint8)
    found = measure(image, box, np.reshape(flat, (5, 2)))
    assert all(np.isfinite(value) for value in found.values())
    assert 0 <= found["cut"] <= 1 and 0 <= found.get("covered", 0) <= 1 and 0 <= found.get("turn", 0) <= 90
    assert set(reasons(found, Gates())) <= set(REASONS)


@pytest.fixture(scope="module")
def real(shared: Path) -> Faces:
    """Return pictures of real faces with their boxes."""
    folder = shared / "data" / "face-antispoof"
    rows = json.loads((folder / "expected_minifasnet_scores.json").read_bytes())
    return [(load(str(folder / "benchmarks" / kind / name))[0], box) for kind, name, box, _ in rows
            if kind == "real"]


def flagged(faces: Faces, reason: str | None = None) -> float:
    """Return the share of faces that the default gates flag, at all or for one reason."""
    found = [reasons(measure(image, box), Gates()) for image, box in faces]
    return sum(bool(given) if reason is None else reason in given for given in found) / len(found)


def test_masks_and_paper_are_covers_and_beards_and_glasses_are_none(real: Faces, shared: Path) -> None:
    """Faces whose points were set by hand, as shares of their boxes: eyes, nose, corners of the mouth."""
    folder = shared / "data" / "face-antispoof"
    names = [name for kind, name, *_ in json.loads((folder / "expected_minifasnet_scores.json").read_bytes())
             if kind == "real"]
    assert len(names) == len(real)
    for (name, left), (points, covered) in SET.items():
        image, box = next(face for face, found in zip(real, names, strict=True) if found == name and face[1][0] == left)
        corner, size = np.array(box[:2]), np.array([box[2] - box[0], box[3] - box[1]])
        found = measure(image, box, corner + np.array(points) * size)
        assert ("covered" in reasons(found, Gates())) == covered, name


def test_real_faces_pass_and_blurred_or_dark_ones_do_not(real: Faces) -> None:
    assert len(real) == 141
    assert flagged(real) <= 0.01
    blurred = {part: [(cv2.GaussianBlur(image, (0, 0), (box[2] - box[0]) / part), box) for image, box in real]
               for part in (64, 32, 16)}
    assert flagged(blurred[64], "blurred") <= 0.05
    assert flagged(blurred[32], "blurred") >= 0.8
    assert flagged(blurred[16], "blurred") >= 0.95
    assert flagged([(image // 3, box) for image, box in real]) <= 0.1
    assert flagged([(image // 8, box) for image, box in real], "dark") >= 0.9
    grey = [np.repeat(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)[:, :, None], 3, axis=2) for image, _ in real]
    pale = [cv2.addWeighted(image, 0.1, plain, 0.9, 0) for (image, _), plain in zip(real, grey, strict=True)]
    for pictures in (grey, pale):
        assert flagged([(image, box) for image, (_, box) in zip(pictures, real, strict=True)], "grey") == 1


@pytest.mark.parametrize("side", range(4))
def test_faces_cut_by_half_are_cut_and_whole_ones_beside_an_edge_are_not(real: Faces, side: int) -> None:
    """Each picture is made to end beside its face, or in the middle of it, and the detector looks again."""
    detect = load_detector("rfb-320", None, min_score=0.7, runtime=RuntimeOptions(precision="fp32", batch=1)).start()
    axis, sign = side % 2, 1 if side < 2 else -1
    told: dict[float, list[bool]] = {0.0: [], 0.5: []}
    for image, _ in real[::6]:
        face = max(detect([image])[0].xyxy, key=lambda box: box[2] - box[0])
        for share, found in told.items():
            edge = round(float(face[side] + sign * share * (face[axis + 2] - face[axis])))
            part = [slice(None), slice(None)]
            part[1 - axis] = slice(max(0, edge), None) if sign > 0 else slice(None, edge)
            shown = np.ascontiguousarray(image[tuple(part)])
            again = detect([shown])[0].xyxy
            if len(again):
                seen = measure(shown, max(again, key=lambda box: box[2] - box[0]))
                found.append("cut" in reasons(seen, Gates()))
    assert len(told[0.0]) >= 20 and not any(told[0.0])
    assert len(told[0.5]) >= 5 and np.mean(told[0.5]) >= 0.8
