"""The stage: tracks of the source in, embeddings and identities out."""

from __future__ import annotations

import json
import pickle
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from vtk.driver.run import run
from vtk.driver.stage import Record
from vtk.errors import UsageError
from vtk.models import embedder as embedders
from vtk.records import check, make
from vtk.reid import stage as stages
from vtk.reid.identity_records import Deciding
from vtk.reid.stage import Plan, ReidStage, camera_of
from vtk.tracking import TrackStage

COLOURS = {1: (220, 40, 40), 2: (40, 200, 60), 3: (60, 60, 230)}
FPS = 10


def people(path: Path, who: Sequence[int], frames: int = 30) -> Path:
    """Write a video in which coloured figures stand side by side."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=FPS)
        stream.width, stream.height, stream.pix_fmt = 64 * len(who) + 64, 96, "yuv444p"
        stream.options = {"preset": "ultrafast", "crf": "10"}
        for index in range(frames):
            image = np.random.default_rng(7).integers(90, 110, (96, 64 * len(who) + 64, 3), dtype=np.uint8)
            for place, person in enumerate(who):
                left, top, right, bottom = box_of(place, index)
                image[top:bottom, left:right] = COLOURS[person]
                image[top:top + 20, left:right] = 20 + 40 * person
            container.mux(stream.encode(av.VideoFrame.from_ndarray(image, "rgb24")))
        container.mux(stream.encode())
    return path


def box_of(place: int, frame: int) -> tuple[int, int, int, int]:
    left = 16 + 64 * place + frame % 10
    return left, 8, left + 32, 88


def tracks(path: Path, who: Sequence[int], frames: Sequence[int] = range(30), **keys: Any) -> list[Record]:
    """Return ``track`` records of the figures; ids are 10 × the place, so that they tell nothing."""
    found = [make("track", "truth", str(path), frame=frame, t=round(frame / FPS, 6), track_id=10 * place + 10,
                  xyxy=[float(side) for side in box_of(place, frame)], score=0.9, label="person") | keys
             for frame in frames for place in range(len(who))]
    return found


def stage(**keys: Any) -> ReidStage:
    plan = {key: keys.pop(key) for key in ("crops", "classes", "images", "embed_only") if key in keys}
    return ReidStage("colour", plan=Plan(**plan), deciding=Deciding(**{"threshold": 0.9, **keys}),
                     tracker=partial(TrackStage, detector="motion"))


def of_type(records: Sequence[Record], kind: str) -> list[Record]:
    return [record for record in records if record["type"] == kind]


@pytest.fixture(scope="module")
def films(tmp_path_factory: pytest.TempPathFactory) -> dict[Path, tuple[int, ...]]:
    """Return two films: who is in them from left to right."""
    folder = tmp_path_factory.mktemp("films")
    return {people(folder / "a.mp4", (1, 2)): (1, 2), people(folder / "b.mp4", (3, 1)): (3, 1)}


@pytest.fixture
def records(films: dict[Path, tuple[int, ...]]) -> list[Record]:
    return [record for path, who in films.items() for record in tracks(path, who)]


def test_people_are_found_again_in_another_film(films: dict[Path, tuple[int, ...]], records: list[Record]) -> None:
    found = list(run([stage()], records=records))
    for record in found:
        check(record)
    embeddings, identities = of_type(found, "embedding"), of_type(found, "identity")
    assert [(record["track_id"], record["crops"], record["start"], record["end"]) for record in embeddings] == [
        (10, 8, 0.0, 3.0), (20, 8, 0.0, 3.0)] * 2
    assert [record["identity"] for record in identities] == [1, 2, 3, 1]
    assert all(record["by"] == "reid/colour" for record in [*embeddings, *identities])
    assert min(record["score"] for record in identities) > 0.9
    kinds = [record["type"] for record in found]
    assert kinds.index("identity") > max(place for place, kind in enumerate(kinds) if kind == "end")


def test_two_at_one_time_are_two_people_unless_told_otherwise(tmp_path: Path) -> None:
    twins = people(tmp_path / "twins.mp4", (1, 1))
    for overlap, expected in ((True, [1, 2]), (False, [1, 1])):
        found = run([stage(overlap=overlap)], records=tracks(twins, (1, 1)))
        assert [record["identity"] for record in of_type(list(found), "identity")] == expected


def test_each_identity_can_be_explained(records: list[Record]) -> None:
    found = of_type(list(run([stage(explain=True)], records=records)), "identity")
    for record in found:
        check(record)
        assert len(record["nearest"]) >= 2
        assert {near["why"] for near in record["nearest"]} <= {"time", "threshold"}
    assert found[1]["nearest"][0]["source"] != "" and "time" in {near["why"] for near in found[0]["nearest"]}


def test_tracklets_say_when_to_embed_and_change_nothing(films: dict[Path, tuple[int, ...]],
                                                        monkeypatch: pytest.MonkeyPatch) -> None:
    """Crops are embedded once, when their track has ended, and whether tracklets come changes no vector."""
    [(path, who), *_] = films.items()
    calls: list[int] = []
    loaded = embedders.load_embedder("colour", "reid")
    monkeypatch.setattr(stages, "load_embedder", lambda *_: Counting(loaded, calls))
    short = [record for record in tracks(path, who) if record["track_id"] == 10 or record["frame"] < 12]
    plain = of_type(list(run([stage()], records=short)), "embedding")
    assert calls == [14], "all at the end, in one call: eight, and one for each fifth of a second"
    calls.clear()
    ends = make("tracklet", "truth", str(path), track_id=20, start=0.0, end=1.2, start_frame=0, end_frame=12,
                score=0.9, observations=12, best={"frame": 0})
    for place in (24, 12, len(short)):  # in its place, and far before and after it
        told = of_type(list(run([stage()], records=[*short[:place], ends, *short[place:]])), "embedding")
        assert told == plain
    assert sorted(calls) == [6, 6, 8, 8, 14]


class Counting:
    """An embedder that notes how many crops each call brings."""

    def __init__(self, inner: Any, calls: list[int]) -> None:
        self._inner, self._calls = inner, calls

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)

    def embed(self, crops: Sequence[np.ndarray]) -> np.ndarray:
        self._calls.append(len(crops))
        return self._inner.embed(crops)


def test_tracks_that_pause_for_long_are_embedded_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Their crops go, the vectors of the best stay: what comes later is told with what came before."""
    from vtk.reid import following

    path = people(tmp_path / "long.mp4", (1, 2), frames=60)
    some = [record for record in tracks(path, (1, 2), range(60))
            if record["track_id"] == 10 or not 10 <= record["frame"] < 50]
    before = of_type(list(run([stage()], records=some)), "embedding")
    calls: list[int] = []
    loaded = embedders.load_embedder("colour", "reid")
    monkeypatch.setattr(stages, "load_embedder", lambda *_: Counting(loaded, calls))
    monkeypatch.setattr(following, "IDLE", 1.0)
    paused = of_type(list(run([stage()], records=some)), "embedding")
    assert [record["crops"] for record in paused] == [record["crops"] for record in before] == [8, 6]
    assert paused[0] == before[0], "the other one was never away"
    assert len(calls) == 2 and calls[0] <= 8 and sum(calls) <= 16, "no view is embedded twice, nor what was not best"


def test_media_bring_a_tracker_along(films: dict[Path, tuple[int, ...]], tmp_path: Path) -> None:
    from clips import make_clip

    clip = make_clip(tmp_path / "square.mp4")
    found = list(run([stage(classes=("motion",))], sources=[str(clip)]))
    alone = list(run([TrackStage(detector="motion"), stage(classes=("motion",))], sources=[str(clip)]))
    kinds = ("track", "tracklet", "embedding", "identity")
    assert len(of_type(found, "track")) == 20 and len(of_type(found, "embedding")) == 1
    assert [of_type(found, kind) for kind in kinds] == [of_type(alone, kind) for kind in kinds], "as a pipe has it"


def test_images_are_crops_where_it_is_said(tmp_path: Path) -> None:
    from PIL import Image

    for name, person in (("0002_c1s1_000451_03.jpg", 1), ("0002_c2s1_000776_01.jpg", 1), ("plain.png", 2)):
        image = np.full((80, 32, 3), COLOURS[person], np.uint8)
        Image.fromarray(image).save(tmp_path / name)
    found = list(run([stage(images=True)], sources=sorted(map(str, tmp_path.iterdir()))))
    embeddings = of_type(found, "embedding")
    assert [(record.get("camera"), record["track_id"], record["crops"]) for record in embeddings] == [
        ("c1", 1, 1), ("c2", 1, 1), (None, 1, 1)]
    assert [record["identity"] for record in of_type(found, "identity")] == [1, 1, 2]


@pytest.mark.parametrize(("name", "camera"), [
    ("a/0002_c1s1_000451_03.jpg", "c1"), ("-1_c6s3_012345_00.jpg", "c6"), ("0002_c12s1_000451_03.jpg.jpg", "c12"),
    ("street.mp4", None), ("c1s1.jpg", None)])
def test_cameras_by_market_names(name: str, camera: str | None) -> None:
    assert camera_of(name) == camera


def test_boxes_that_show_nothing_have_no_identity_and_a_warning(films: dict[Path, tuple[int, ...]]) -> None:
    [(path, who), *_] = films.items()
    outside = tracks(path, (1,), xyxy=[5000.0, 10.0, 5050.0, 90.0], track_id=7)
    empty = tracks(path, (1,), xyxy=[20.0, 20.0, 20.0, 60.0], track_id=8)
    mixed = sorted([*tracks(path, who), *outside, *empty], key=lambda record: record["frame"])
    found = list(run([stage()], records=mixed))
    assert [record["track_id"] for record in of_type(found, "embedding")] == [10, 20]
    assert [record["track_id"] for record in of_type(found, "identity")] == [10, 20]
    [warning] = of_type(found, "error")
    assert warning["error"]["code"] == "E_NO_CROP" and not warning["error"]["fatal"]
    assert "2 tracks without a usable crop (7, 8)" in warning["error"]["message"]
    assert of_type(found, "end")[-1]["status"] == "ok"


def test_a_box_that_leaves_the_frame_is_cut_at_its_border(films: dict[Path, tuple[int, ...]]) -> None:
    [(path, _), *_] = films.items()
    found = list(run([stage()], records=tracks(path, (1,), xyxy=[-10.0, -20.0, 60.0, 200.0])))
    assert [record["crops"] for record in of_type(found, "embedding")] == [8] and not of_type(found, "error")


@pytest.mark.parametrize("kind", ["tracklets", "labels", "makers"])
def test_what_cannot_be_used_is_said_in_one_line(kind: str, films: dict[Path, tuple[int, ...]]) -> None:
    [(path, who), *_] = films.items()
    given = {
        "tracklets": [make("tracklet", "truth", str(path), track_id=1, start=0.0, end=1.0, score=0.5, observations=3,
                           best={"frame": 0})],
        "labels": tracks(path, who, label="dog"),
        "makers": [*tracks(path, who, range(3)), *tracks(path, who, range(3, 5), by="other")],
    }[kind]
    expected = {"tracklets": "without --tracklets-only", "labels": "no track of person: there are dog",
                "makers": "tracks of two makers, truth and other"}[kind]
    [error] = of_type(list(run([stage()], records=given)), "error")
    assert expected in error["error"]["message"] and "\n" not in error["error"]["message"]


def test_a_source_that_is_gone_does_not_stop_the_others(films: dict[Path, tuple[int, ...]]) -> None:
    [(path, who), *_] = films.items()
    gone = tracks(path.with_name("gone.mp4"), (1,))
    found = list(run([stage()], records=[*gone, *tracks(path, who)]))
    assert [record["error"]["code"] for record in of_type(found, "error")] == ["E_OPEN"]
    assert [record["status"] for record in of_type(found, "end")] == ["failed", "ok"]
    assert {record["source"] for record in of_type(found, "identity")} == {str(path)}


def test_frames_beyond_the_end_are_said(films: dict[Path, tuple[int, ...]]) -> None:
    [(path, who), *_] = films.items()
    found = list(run([stage()], records=tracks(path, who, range(20, 40))))
    assert [record["error"]["code"] for record in of_type(found, "error")] == ["E_FRAME"]
    assert len(of_type(found, "embedding")) == 2


def test_options_that_make_no_sense_are_refused() -> None:
    for make_it, message in (
            (lambda: Plan(crops=0), "--crops-per-track 0"), (lambda: Deciding(threshold=1.5), "--threshold 1.5"),
            (lambda: Deciding(0.5, Path("x.json")), "give one of them"), (lambda: Deciding(retention=3.0), "--gallery"),
            (lambda: ReidStage("retail-277"), "did you mean 'retail-0277'")):
        with pytest.raises(UsageError, match=message):
            make_it()


def test_a_model_without_a_threshold_is_refused_before_the_work() -> None:
    with pytest.raises(UsageError, match=r"colour@\w+ has no threshold"):
        stage(threshold=None).prepare("records")
    stage(threshold=None, embed_only=True).prepare("records")


def test_the_threshold_changes_no_embedding() -> None:
    assert stage(threshold=0.5).options() == stage(threshold=0.9).options()
    assert stage(crops=3).options() != stage().options()
    assert pickle.loads(pickle.dumps(stage())).options() == stage().options()
    json.dumps(stage().options("records"))
