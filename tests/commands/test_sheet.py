"""``vtk sheet``: the right crops in the right rows, named; and what is wrong in one line."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from conftest import Vtk
from vtk.media.writer import VideoWriter
from vtk.report.best_crops import Crop, Group, fitted_crop
from vtk.report.contact import BAR, GAP, GROUND
from vtk.report.painters import VERDICTS
from vtk.report.palette import colour_of, colour_of_identity

WIDTH, HEIGHT, COUNT = 160, 120, 30
RED, GREEN, BLUE = (220, 30, 30), (30, 200, 30), (40, 60, 230)
CROP = 48  # pixels, height of a crop


def clip(path: Path, *colours: tuple[int, int, int]) -> Path:
    """Write a clip of 3 s in which boxes of ``colours`` stand side by side, each 30 × 60 pixels."""
    image = np.full((HEIGHT, WIDTH, 3), 120, np.uint8)
    for place, colour in enumerate(colours):
        image[30:90, 10 + 50 * place : 40 + 50 * place] = colour
        image[30:90:6, 10 + 50 * place : 40 + 50 * place] = 0  # sharp
    with VideoWriter(path, WIDTH, HEIGHT, 10) as writer:
        for index in range(COUNT):
            writer.write(image, index / 10)
    return path


def tracks(source: Path | str, count: int, **keys: object) -> list[dict[str, object]]:
    """Return the records of a clip's boxes, track 1 the first."""
    return [{"v": 1, "type": "track", "by": "track/x", "source": str(source), "frame": frame, "t": frame / 10,
             "xyxy": [10 + 50 * place, 30, 40 + 50 * place, 90], "score": 0.9, "label": "person",
             "track_id": place + 1, **keys} for frame in range(COUNT) for place in range(count)]


def lines(*records: dict[str, object]) -> bytes:
    return b"".join(json.dumps(record).encode() + b"\n" for record in records)


def named(source: str, track: int, who: int | str) -> dict[str, object]:
    return {"v": 1, "type": "identity", "by": "reid/x", "source": source, "track_id": track, "identity": who,
            "score": 1.0}


def rows_of(path: Path) -> list[tuple[tuple[int, int, int], list[tuple[int, int, int]]]]:
    """Return each row's colour and the colour of each of its crops, by what stands at half the height of crops."""
    page = np.asarray(Image.open(path).convert("RGB")).astype(int)
    bars = (np.abs(page[:, GAP + BAR // 2] - GROUND).sum(axis=1) > 30).astype(int)
    tops = np.flatnonzero(np.diff(bars, prepend=0) == 1)
    found = []
    for top in tops:
        inside = page[top + 4 : top + CROP - 4, GAP + BAR + GAP :].max(axis=0)  # stripes apart
        lit = inside.max(axis=1) - inside.min(axis=1) > 90  # letters are grey
        starts = np.flatnonzero(np.diff(lit.astype(int), prepend=0) == 1)
        colours = [min((RED, GREEN, BLUE), key=lambda one: np.abs(inside[start + 6] - one).sum()) for start in starts]
        found.append((tuple(page[top + 4, GAP + BAR // 2].tolist()), colours))
    return found


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with a.mp4, of red and green, and b.mp4, of blue and red."""
    folder = tmp_path_factory.mktemp("place")
    clip(folder / "a.mp4", RED, GREEN)
    clip(folder / "b.mp4", BLUE, RED)
    return folder


def test_identities_of_several_videos_have_a_row_each(vtk: Vtk, place: Path, tmp_path: Path) -> None:
    run = {"v": 1, "type": "run", "by": "reid/x", "late": ["identity"]}
    stream = lines(run, *tracks("a.mp4", 2), *tracks("b.mp4", 2), named("a.mp4", 1, "p000001"),
                   named("a.mp4", 2, "p000010"), named("b.mp4", 1, "p000002"), named("b.mp4", 2, "p000001"),
                   {**run, "status": "ok", "records": 4})
    found = vtk("sheet", "-o", tmp_path / "sheet.png", "--size", str(CROP), "--crops", "4", "--tee", stdin=stream,
                cwd=place)
    assert (found.returncode, found.stderr) == (0, b"")
    assert [line for line in found.stdout.splitlines() if b'"by": ' in line] == stream.splitlines(), "records pass"
    assert rows_of(tmp_path / "sheet.png") == [
        (colour_of_identity("p000001"), [RED] * 4), (colour_of_identity("p000002"), [BLUE] * 3),
        (colour_of_identity("p000010"), [GREEN] * 3)]


def test_tracks_have_a_row_each_where_nobody_is_known(vtk: Vtk, place: Path, tmp_path: Path) -> None:
    stream = lines(*tracks("b.mp4", 2), *tracks("a.mp4", 1))
    found = vtk("sheet", "-o", tmp_path / "sheet.png", "--size", str(CROP), stdin=stream, cwd=place)
    assert (found.returncode, found.stdout, found.stderr) == (0, b"", b"")
    assert rows_of(tmp_path / "sheet.png") == [(colour_of(1), [BLUE] * 3), (colour_of(2), [RED] * 3),
                                               (colour_of(1), [RED] * 3)], "a crop a second; sources as they came"


def test_labels_or_any_key_make_rows_and_pages(vtk: Vtk, place: Path, tmp_path: Path) -> None:
    boxes = [{**record, "type": "detection", "label": "ab"[record["track_id"] - 1], "mood": f"m{record['track_id']}"}
             for record in tracks("a.mp4", 2)]
    plain = [{key: value for key, value in record.items() if key != "track_id"} for record in boxes]
    ask = ("sheet", "-o", tmp_path / "sheet.png", "--size", str(CROP), "--overwrite")
    assert vtk(*ask, stdin=lines(*plain), cwd=place).returncode == 0
    assert rows_of(tmp_path / "sheet.png") == [(colour_of("a"), [RED] * 3), (colour_of("b"), [GREEN] * 3)]
    assert vtk(*ask, "--by", "mood", "--rows", "1", stdin=lines(*plain), cwd=place).returncode == 0
    assert rows_of(tmp_path / "sheet.png") == [(colour_of("m1"), [RED] * 3)]
    assert rows_of(tmp_path / "sheet-2.png") == [(colour_of("m2"), [GREEN] * 3)]


def faces(source: str, **keys: object) -> list[dict[str, object]]:
    """Return the records of a clip's two boxes as faces, track 1 live and track 2 not."""
    return [{**{key: value for key, value in record.items() if key != "label"}, "type": "face", "by": "face-antispoof/x",
             "live_score": live, "verdict": "live" if live > 0.5 else "spoof", "thresholds": [0.2, 0.8], **keys}
            for record in tracks(source, 2) for live in [0.9 if record["track_id"] == 1 else 0.1]]


def test_tracks_of_faces_have_the_colour_of_their_verdict(vtk: Vtk, place: Path, tmp_path: Path) -> None:
    ends = [{"v": 1, "type": "face_track", "by": "face-antispoof/x", "source": "a.mp4", "track_id": track, "start": 0,
             "end": 3, "live_score": 0.5, "verdict": verdict, "thresholds": [0.2, 0.8], "observations": 30, "used": 30}
            for track, verdict in ((1, "live"), (2, "spoof"))]
    ask = ("sheet", "-o", tmp_path / "sheet.png", "--size", str(CROP))
    seen = faces("a.mp4")
    del seen[0]["track_id"]  # a tracker follows what it has seen again
    found = vtk(*ask, stdin=lines(*seen, *ends), cwd=place)
    assert (found.returncode, found.stderr) == (0, b"")
    assert rows_of(tmp_path / "sheet.png") == [(VERDICTS["live"], [RED] * 3), (VERDICTS["spoof"], [GREEN] * 3)]
    found = vtk(*ask, "--overwrite", stdin=lines(*ends), cwd=place)
    assert found.returncode == 1 and b"2 tracks of faces came and not one face: vtk face-antispoof --frames" in found.stderr


def test_faces_that_nobody_follows_have_a_row_a_verdict(vtk: Vtk, place: Path, tmp_path: Path) -> None:
    plain = [{key: value for key, value in record.items() if key != "track_id"} for record in faces("a.mp4")]
    found_as = [{key: value for key, value in record.items() if key != "track_id"}
                for record in tracks("a.mp4", 2, type="detection", label="face")]
    stream = lines(*(record for pair in zip(found_as, plain, strict=True) for record in pair))
    for options in ((), ("--by", "verdict", "--overwrite")):
        found = vtk("sheet", "-o", tmp_path / "sheet.png", "--size", str(CROP), *options, stdin=stream, cwd=place)
        assert (found.returncode, found.stderr) == (0, b"")
        assert rows_of(tmp_path / "sheet.png") == [(VERDICTS["live"], [RED] * 3), (VERDICTS["spoof"], [GREEN] * 3)]


def test_what_cannot_be_shown_is_one_line(vtk: Vtk, place: Path, tmp_path: Path) -> None:
    def said(*options: str, stdin: bytes = b"") -> tuple[int, str]:
        found = vtk("sheet", "-o", tmp_path / "sheet.png", *options, stdin=stdin, cwd=place)
        assert found.stderr.count(b"\n") <= 1
        return found.returncode, found.stderr.decode()

    boxes = tracks("a.mp4", 1)
    code, message = said("--by", "identity", stdin=lines(*boxes))
    assert code == 1 and "none of 30 boxes has an identity: vtk reid gives them" in message
    code, message = said(stdin=lines(*({**record, "xyxy": [500, 500, 510, 510]} for record in boxes)))
    assert code == 1 and "pixels inside its frame" in message
    assert said("--size", "5") == (2, "vtk: --size 5: a number from 32 to 1024 is needed\n")
    assert vtk("sheet", "-o", tmp_path / "sheet.pdf").returncode == 2
    run = {"v": 1, "type": "run", "by": "reid/x", "late": ["identity"]}
    alone = lines(run, named("a.mp4", 1, "p000001"), {**run, "status": "ok", "records": 1})
    code, message = said(stdin=alone)
    assert code != 0 and "it was told who 1 tracks are, and no box of any came: track records have to pass" in message
    missing = vtk("sheet", "-o", tmp_path / "no" / "sheet.png", stdin=lines(*boxes), cwd=place)
    assert missing.returncode == 2 and b"there is no folder" in missing.stderr
    assert not list(tmp_path.iterdir())
    assert said()[0] == 0 and (tmp_path / "sheet.png").exists(), "nothing found is a sheet of nothing"
    code, message = said(stdin=lines(*boxes))
    assert code == 2 and "sheet.png exists: --overwrite replaces it" in message
    code, message = said("--overwrite", stdin=lines(*tracks("gone.mp4", 1), *boxes))
    assert code == 1 and "gone.mp4" in message
    assert rows_of(tmp_path / "sheet.png")[0][0] == colour_of(1)


def test_a_group_shows_all_of_its_tracks() -> None:
    """Eight sharp seconds of one track leave room for another track that is seen worse."""
    group = Group()

    def offer(worth: float, track: int, t: float) -> None:
        place = group.place(worth, ("a", track), t, 4)
        if place is not None:
            group.crops[place : place + 1] = [Crop(worth, "a", track, t, 0, (1, 1))]

    for second in range(8):
        offer((50 + second) / 100, 1, 2.0 * second)
    assert sorted(crop.worth for crop in group.crops) == [0.54, 0.55, 0.56, 0.57]
    offer(0.1, 2, 0.0)
    offer(0.2, 2, 0.5)
    offer(0.05, 2, 9.0)
    assert sorted((crop.track, crop.worth) for crop in group.crops) == [(1, 0.56), (1, 0.57), (2, 0.05), (2, 0.2)]
    offer(0.9, 1, 14.2)
    assert sorted((crop.track, crop.worth) for crop in group.crops) == [(1, 0.56), (1, 0.9), (2, 0.05), (2, 0.2)]
    assert group.place(0.01, ("a", 2), 20.0, 4) is None, "it shows too little"


def test_a_track_is_shown_from_its_beginning_to_its_end() -> None:
    group = Group()
    for second in range(61):
        place = group.place(0.5, ("a", 1), float(second), 7)
        if place is not None:
            group.crops[place : place + 1] = [Crop(0.5, "a", 1, float(second), 0, (1, 1))]
    times = sorted(crop.t for crop in group.crops)
    assert len(times) == 7 and times[0] < 20 and times[-1] > 40 and np.diff(times).min() >= 3


@pytest.mark.parametrize(("shape", "expected"), [((200, 100), (96, 48)), ((10, 5), (30, 15)), ((50, 400), (24, 192)),
                                                 ((1, 500), (1, 192)), ((500, 1), (96, 1))])
def test_crops_keep_their_proportions(shape: tuple[int, int], expected: tuple[int, int]) -> None:
    assert fitted_crop(np.zeros((*shape, 3), np.uint8), 96).shape[:2] == expected


def spans(source: str, kind: str, *names: str) -> list[dict[str, object]]:
    """Return a span of a second for each of the labels."""
    return [{"v": 1, "type": kind, "by": f"recognize-scene/{kind}", "source": source, "start": float(second),
             "end": second + 1.0, "start_frame": 10 * second, "end_frame": 10 * second + 10}
            | ({"label": name, "score": 0.5} if kind == "scene" else {}) for second, name in enumerate(names)]


def shots(path: Path) -> Path:
    """Write a clip of a red, a green and a blue second."""
    with VideoWriter(path, WIDTH, HEIGHT, 10) as writer:
        for index in range(30):
            image = np.full((HEIGHT, WIDTH, 3), (RED, GREEN, BLUE)[index // 10], np.uint8)
            image[::6] = 0
            writer.write(image, index / 10)
    return path


@pytest.mark.parametrize("kind", ["scene", "shot"])
def test_scenes_and_shots_have_a_picture_each_in_strips(vtk: Vtk, tmp_path: Path, kind: str) -> None:
    shots(tmp_path / "a.mp4")
    found = vtk("sheet", "-o", tmp_path / "out.png", "--size", str(CROP), "--crops", "2",
                stdin=lines(*spans("a.mp4", kind, "kitchen", "beach", "street")), cwd=tmp_path)
    assert found.returncode == 0, found.stderr.decode()
    assert rows_of(tmp_path / "out.png") == [(colour_of("a.mp4"), [RED, GREEN]), (colour_of("a.mp4"), [BLUE])]


def test_boxes_are_shown_where_both_came(vtk: Vtk, place: Path, tmp_path: Path) -> None:
    found = vtk("sheet", "-o", tmp_path / "out.png", "--size", str(CROP),
                stdin=lines(*tracks("a.mp4", 2), *spans("a.mp4", "scene", "street")), cwd=place)
    assert found.returncode == 0, found.stderr.decode()
    assert rows_of(tmp_path / "out.png") == [(colour_of(1), [RED] * 3), (colour_of(2), [GREEN] * 3)]


def test_makers_of_one_span_share_a_picture_and_a_film_that_is_gone_is_one_line(vtk: Vtk, tmp_path: Path) -> None:
    shots(tmp_path / "a.mp4")
    several = [record | {"by": f"recognize-scene/{by}"} for by in "xy" for record in spans("a.mp4", "scene", "a", "b")]
    found = vtk("sheet", "-o", tmp_path / "out.png", "--size", str(CROP),
                stdin=lines(*several, *spans("gone.mp4", "scene", "a")), cwd=tmp_path)
    assert found.returncode == 1 and found.stderr.count(b"\n") == 1 and b"gone.mp4" in found.stderr
    assert rows_of(tmp_path / "out.png") == [(colour_of("a.mp4"), [RED, GREEN])]


def test_species_of_whole_pictures_and_films_show_all_of_them(vtk: Vtk, tmp_path: Path) -> None:
    """A row for each species, and one for those of a group without one, whatever else there is to say of each.

    Of a film alone a picture from its middle.
    """
    colours = {"red.png": RED, "green.png": GREEN, "blue.png": BLUE, "again.png": BLUE}
    for name, colour in colours.items():
        image = np.full((HEIGHT, WIDTH, 3), colour, np.uint8)
        image[::6] = 0
        Image.fromarray(image).save(tmp_path / name)
    answers = [{"label": "Turdus merula", "score": 0.9}, {"label": "Turdus merula", "score": 0.8},
               {"covered": False, "group": "snake", "note": "not covered; keep away"},
               {"covered": False, "group": "snake", "note": "not covered; its date is 2000-01-01; keep away"}]
    whole = [{"v": 1, "type": "species", "by": "classify-species/x", "source": name, "frame": 0, "t": 0.0, "topk": [],
              **answer} for name, answer in zip(colours, answers, strict=True)]
    found = vtk("sheet", "-o", tmp_path / "out.png", "--size", str(CROP), stdin=lines(*whole), cwd=tmp_path)
    assert found.returncode == 0, found.stderr.decode()
    assert rows_of(tmp_path / "out.png") == [(colour_of("Turdus merula"), [RED, GREEN]),
                                             (colour_of("snake, not covered"), [BLUE, BLUE])]
    shots(tmp_path / "a.mp4")
    film = {"v": 1, "type": "species", "by": "classify-species/x", "source": "a.mp4", "start": 0.0, "end": 3.0,
            "start_frame": 0, "end_frame": 30, "topk": [], "observations": 30, **answers[0]}
    found = vtk("sheet", "-o", tmp_path / "film.png", "--size", str(CROP), stdin=lines(film), cwd=tmp_path)
    assert found.returncode == 0, found.stderr.decode()
    assert rows_of(tmp_path / "film.png") == [(colour_of("a.mp4"), [GREEN])]
