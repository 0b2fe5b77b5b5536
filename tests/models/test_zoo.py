"""The table of models says what it must of each, and loads nothing heavy."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest

from vtk.errors import UsageError
from vtk.models import zoo
from vtk.models.coco import COCO

ALL = list(zoo.MODELS.values())


@pytest.mark.parametrize("model", ALL, ids=lambda model: model.name)
def test_entry(model: zoo.Model) -> None:
    assert re.fullmatch(r"[a-z0-9-]+", model.name) and model.licence and model.trained_on
    for file in model.files:
        assert file.url is None or (file.url.startswith("https://") and file.url.endswith(file.name))
        assert all(re.fullmatch(r"[0-9a-f]{64}", digest) for digest in file.hashes)
        assert file.url or file.package or model.experimental, "nobody could ever get it"
        assert not file.name.endswith(".pt") or file.sha256, "a pickle without a hash would be run unseen"
    for figure in model.published:
        assert figure.source.startswith("https://") and 0 < figure.value <= 100
    assert not (model.commercial and "AGPL" in model.licence)


def test_names_are_unique() -> None:
    digests = [digest for model in ALL for file in model.files for digest in file.hashes]
    assert len(set(digests)) == len(digests)
    assert len(zoo.FILES) == sum(len(model.files) for model in ALL)
    assert len(set(COCO)) == 80 and COCO[0] == "person" and COCO[79] == "toothbrush"


@pytest.mark.parametrize("name, near", [("yolo11", "yolo11n"), ("yolox_nano", "yolox-nano"), ("YOLO26S", "yolo26s"),
                                        ("pedestrian", "pedestrian-adas")])
def test_unknown_name_gets_the_nearest(name: str, near: str) -> None:
    with pytest.raises(UsageError, match=f"no detect model '{name}': did you mean '{near}'.*vtk models list"):
        zoo.get(name, "detect")


def test_unknown_name_without_a_near_one() -> None:
    with pytest.raises(UsageError, match="no model 'qqq': vtk models list"):
        zoo.get("qqq")


def test_light_modules() -> None:
    code = """
import sys, vtk.models.zoo, vtk.models.runtime, vtk.models.weights, vtk.commands.detect, vtk.commands.models
heavy = ("numpy", "cv2", "torch", "openvino", "ultralytics", "numba", "tqdm")
print([name for name in heavy if name in sys.modules])
"""
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, check=True).stdout.strip() == b"[]"
