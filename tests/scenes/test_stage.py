"""The stage of scenes on frames that are handed to it: windows by the clock, and pictures as shots."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from coloured import PLACES, Coloured, shown
from PIL import Image

from vtk.driver.stage import Frame, Source
from vtk.media.info import MediaInfo
from vtk.models.runtime import RuntimeOptions
from vtk.records import Record
from vtk.scenes import scene_models
from vtk.scenes.scene_models import Asked
from vtk.scenes.stage import Plan, SceneStage
from vtk.scenes.thumbs import Thumbs

FILM = Source("film.mp4", "media", MediaInfo("video", 160, 120, fps=25.0))
STILL = Source("a.png", "media", MediaInfo("image", 160, 120))


@pytest.fixture
def model(monkeypatch: pytest.MonkeyPatch) -> Coloured:
    """Return the classifier that stands for all."""
    made = Coloured()
    monkeypatch.setattr(scene_models, "load_classifier", lambda *given, **options: made)
    return made


def told(stage: SceneStage, source: Source, frames: list[Frame]) -> list[Record]:
    """Return all records of a source."""
    state = stage.start(source)
    return [record for frame in frames for records in stage.frames(state, [frame]) for record in records
            ] + stage.end(state)


def frame(source: Source, index: int, image: np.ndarray) -> Frame:
    return Frame(source, index, index / 25, convert=lambda size: image)


@pytest.mark.parametrize("seconds", [0.04, 0.1, 0.3, 0.7])
def test_each_window_is_told_by_pictures_of_its_own(model: Coloured, seconds: float) -> None:
    """Every window shows another place than the one before: none is told by its neighbour, however short it is."""
    number = [int((index / 25 + 1e-6) / seconds) for index in range(60)]
    frames = [frame(FILM, index, shown(PLACES[window % 3])) for index, window in enumerate(number)]
    found = told(SceneStage(Asked(("imagenet",)), Plan(window=seconds)), FILM, frames)
    assert [each["label"] for each in found] == [PLACES[window % 3] for window in dict.fromkeys(number)]
    assert found[-1]["end_frame"] == 60


def test_a_picture_is_one_shot_and_no_model_is_loaded(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(scene_models, "load_classifier", lambda *given, **options: pytest.fail("a model was loaded"))
    stage = SceneStage(Asked(), Plan(shots_only=True), thumbs=Thumbs(tmp_path), runtime=RuntimeOptions(offline=True))
    [found] = told(stage, STILL, [frame(STILL, 0, shown("beach"))])
    assert {key: found[key] for key in ("type", "by", "start", "end", "start_frame", "end_frame")} == {
        "type": "shot", "by": "recognize-scene/vtk", "start": 0.0, "end": 0.0, "start_frame": 0, "end_frame": 1}
    assert Image.open(tmp_path / "a.png.0000000.jpg").size == (160, 120)
