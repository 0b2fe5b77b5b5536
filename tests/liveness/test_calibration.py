"""The file of a calibration: written and read, refused for other networks, and what is wrong with it in one line."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from vtk.errors import UsageError
from vtk.liveness.calibration import FORMAT, Calibration, Maker, read, uncalibrated
from vtk.liveness.decision import DEFAULT, Thresholds

MAKER = Maker("rfb-320@34cd7e60aeff", "minifasnet@0123456789ab", "fp32")
FOUND = Calibration(MAKER, Thresholds(0.1, 0.9), Thresholds(0.3, 0.7), 0.4, {"seed": 1})


def test_it_comes_back(tmp_path: Path) -> None:
    (tmp_path / "c.json").write_text(json.dumps(FOUND.to_json()))
    assert read(tmp_path / "c.json") == FOUND
    plain = uncalibrated(MAKER)
    assert (plain.face, plain.track, plain.track_scale) == (DEFAULT, DEFAULT, 1)


@pytest.mark.parametrize(("other", "said"), [
    ({"detector": "yunet@34cd7e60aeff"}, "detector rfb-320@34cd7e60aeff, and this is yunet@34cd7e60aeff"),
    ({"detector": "rfb-320@000000000000"}, "detector rfb-320@34cd7e60aeff, and this is rfb-320@000000000000"),
    ({"detector": "yunet"}, "detector rfb-320@34cd7e60aeff, and this is yunet"),
    ({"model": "minifasnet@ba9876543210"}, "model minifasnet@0123456789ab, and this is minifasnet@ba9876543210"),
    ({"model": "minifasnet"}, "model minifasnet@0123456789ab, and this is minifasnet:"),
    ({"precision": "bf16"}, "precision fp32, and this is bf16"),
])
def test_scores_of_another_maker_are_refused(other: dict[str, str], said: str) -> None:
    with pytest.raises(UsageError, match=said):
        FOUND.check(replace(MAKER, **other))


def test_a_detector_of_records_is_known_by_its_name() -> None:
    FOUND.check(MAKER)
    FOUND.check(replace(MAKER, detector="rfb-320"))


@pytest.mark.parametrize(("change", "said"), [
    ({"format": "vtk reid calibration 1"}, "no file of vtk calibrate face-antispoof"),
    ({"detector": None}, "damaged: None is no text"), ({"face": [0.9, 0.1]}, "damaged: thresholds 0.9,0.1: two scores"),
    ({"face": [0.1, 0.2, 0.3]}, r"damaged: face is \[0.1, 0.2, 0.3\], not two scores"),
    ({"track": [0.1, float("nan")]}, "damaged: thresholds 0.1,nan"), ({"track": [False, 1]}, "False is no number"),
    ({"track": {"live": 1}}, "damaged: track is {'live': 1}, not two scores"),
    ({"track_scale": 0}, "track_scale is 0, not above 0"), ({"track_scale": float("inf")}, "track_scale is inf"),
])
def test_what_is_wrong_is_said_with_the_name_of_the_file(change: dict[str, Any], said: str, tmp_path: Path) -> None:
    (tmp_path / "c.json").write_text(json.dumps(FOUND.to_json() | change))
    with pytest.raises(UsageError, match=f"--calibration .*c.json: {said}|--calibration .*c.json: damaged: {said}"):
        read(tmp_path / "c.json")


@pytest.mark.parametrize(("data", "said"), [
    (b"{", "not a JSON file"), (b"\xff", "not a JSON file"), (b"[]", "no file of vtk calibrate face-antispoof"),
    (json.dumps({"format": FORMAT}).encode(), "damaged: it has no detector"), (None, "No such file"),
])
def test_what_is_no_calibration(data: bytes | None, said: str, tmp_path: Path) -> None:
    if data is not None:
        (tmp_path / "c.json").write_bytes(data)
    with pytest.raises(UsageError, match=f"--calibration .*c.json: {said}"):
        read(tmp_path / "c.json")
