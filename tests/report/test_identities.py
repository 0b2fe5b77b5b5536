"""Who is who, in the picture: one colour and one name wherever they come up."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from vtk.driver.stage import Frame, Source
from vtk.media.info import MediaInfo
from vtk.report.canvas import Canvas, Style
from vtk.report.draw import DrawStage
from vtk.report.painters import colour_of_track, paint
from vtk.report.palette import PALETTE, UNKNOWN, colour_of, colour_of_identity
from vtk.report.trails import Trails

WIDTH, HEIGHT = 320, 240
VIDEO = MediaInfo("video", WIDTH, HEIGHT, fps=10.0)


def track(**keys: Any) -> dict[str, Any]:
    return {"v": 1, "type": "track", "by": "track/x", "source": "a.mp4", "frame": 0, "t": 0.0, "track_id": 3,
            "xyxy": [60.0, 80.0, 160.0, 200.0], "score": 0.9, "label": "person", **keys}


def painted(**keys: Any) -> np.ndarray:
    canvas = Canvas(np.zeros((HEIGHT, WIDTH, 3), np.uint8), Style())
    paint(canvas, [track(**keys)])
    return canvas.finish()


def identity(source: str, track_id: int, who: int | str) -> dict[str, Any]:
    return {"v": 1, "type": "identity", "by": "reid/x", "source": source, "track_id": track_id, "identity": who,
            "score": 0.9}


@pytest.mark.parametrize(("who", "colour"), [
    (7, colour_of(7)), ("anna", colour_of_identity("anna")), (None, UNKNOWN), ("", colour_of(3)), (-2, colour_of(3)),
    (["odd"], colour_of(3)), (0.5, colour_of(3)), (7.0, colour_of(7)),
])
def test_a_track_has_the_colour_of_who_it_is(who: Any, colour: tuple[int, int, int]) -> None:
    assert colour_of_track(track(identity=who)) == colour
    image = painted(identity=who)
    assert (image == colour).all(axis=2).sum() > 500
    others = [other for other in (*PALETTE, UNKNOWN) if other != colour]
    assert not any((image == other).all(axis=2).sum() > 200 for other in others)


def said(monkeypatch: pytest.MonkeyPatch, **keys: Any) -> str:
    """Return the label of a track."""
    found: list[str] = []
    monkeypatch.setattr(Canvas, "label", lambda self, text, box, colour: found.append(text))
    painted(**keys)
    return found[0]


@pytest.mark.parametrize(("keys", "label"), [
    ({}, "3 person 0.90"), ({"identity": 7}, "person #7 0.90"), ({"identity": "anna"}, "anna 0.90"),
    ({"identity": None}, "3 person 0.90"), ({"identity": 7, "label": ""}, "#7 0.90"), ({"identity": ""}, "3 person 0.90"),
])
def test_it_is_labelled_with_who_it_is(keys: dict[str, Any], label: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert said(monkeypatch, **keys) == label


def test_names_that_count_up_look_unlike_and_stay() -> None:
    names = [f"p{number:06d}" for number in range(1, len(PALETTE) + 1)]
    assert len({colour_of_identity(name) for name in names}) == len(PALETTE)
    assert [colour_of_identity(name) for name in ("p000017", "anna", "12", "\ud800", "é٣")] == [
        PALETTE[place] for place in (17, 11, 11, 0, 16)], "the same in every run, on every machine"


def test_trails_bear_the_colour_too() -> None:
    trails, image = Trails(1.0), np.zeros((HEIGHT, WIDTH, 3), np.uint8)
    for index in range(6):
        image = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
        trails.paint(Canvas(image, Style()), [track(identity="anna", xyxy=[20.0 * index, 80, 20.0 * index + 60, 200])],
                     index / 10)
    assert (image == colour_of_identity("anna")).all(axis=2).any() and not (image == colour_of(3)).all(axis=2).any()


def drawn(stage: DrawStage, path: Path, source: str, track_id: int) -> np.ndarray:
    """Return the only frame of a source's video."""
    place = Source(source, "records", VIDEO)
    state = stage.start(place)
    grey = np.full((HEIGHT, WIDTH, 3), 128, np.uint8)
    stage.frames(state, [Frame(place, 0, 0.0, image=grey, records=[track(track_id=track_id)])])
    stage.end(state)
    with av.open(str(path)) as container:
        return next(container.decode(video=0)).to_ndarray(format="rgb24").astype(int)


def plate(picture: np.ndarray, colour: tuple[int, int, int]) -> bool:
    return bool((np.abs(picture - colour).max(axis=2) < 40).sum() > 200)


def test_videos_of_one_run_agree_and_so_do_runs_with_names(tmp_path: Path) -> None:
    stage = DrawStage(out_dir=tmp_path)
    stage.told([identity("a.mp4", 1, 5), identity("b.mp4", 2, 5)])
    stage.told([identity("c.mp4", 1, "p000004"), identity("c.mp4", 2, 1), identity("c.mp4", 2, "p000004")])
    for source, track_id, colour in [("a.mp4", 1, colour_of(5)), ("b.mp4", 2, colour_of(5)), ("b.mp4", 1, UNKNOWN),
                                     ("c.mp4", 1, colour_of_identity("p000004")),
                                     ("c.mp4", 2, colour_of_identity("p000004")), ("d.mp4", 1, colour_of(1))]:
        (tmp_path / source).unlink(missing_ok=True)
        assert plate(drawn(stage, tmp_path / source, source, track_id), colour), (source, track_id)


def test_names_and_copies_are_waited_for_only_where_they_show(tmp_path: Path) -> None:
    assert DrawStage(out_dir=tmp_path).late == {"identity", "copy"}
    assert DrawStage(out_dir=tmp_path, types=("text", "copy")).late == {"copy"}
    assert DrawStage(out_dir=tmp_path, types=("text", "track")).late == {"identity"}
    assert DrawStage(out_dir=tmp_path, types=("text",)).late == frozenset()
