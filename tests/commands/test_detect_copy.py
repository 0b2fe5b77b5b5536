"""``vtk detect-copy``: copies at their seconds, and every way in which inputs and references can be wrong."""

from __future__ import annotations

import json
import shutil
import wave
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

import cv2
import numpy as np
import pytest
from called import loader
from filmed import Part, film, picture

from conftest import run_vtk
from vtk.errors import VtkError
from vtk.media.writer import VideoWriter

Vtk = Callable[..., "CompletedProcess[bytes]"]
DCT = ("--descriptor", "dct")
# A copy's ends are looked at eight times a second.
NEAR = 0.25


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with films, and videos that show parts of them."""
    folder = tmp_path_factory.mktemp("copies")
    (folder / "films").mkdir()
    for number in (1, 2):
        film(folder / "films" / f"{number}.mp4", [Part(number, 0, 40)])
    film(folder / "query.mp4", [Part(9, 0, 8), Part(1, 10, 22), Part(8, 0, 6), Part(2, 4, 14)])
    film(folder / "flipped.mp4", [Part(9, 0, 6), Part(1, 10, 22, hflip=True)])
    film(folder / "fast.mp4", [Part(9, 0, 5), Part(1, 4, 34, speed=2.0)])
    film(folder / "again.mp4", [Part(5, 0, 12), Part(6, 0, 9), Part(5, 0, 12)])
    film(folder / "other.mp4", [Part(7, 0, 20)])
    added = run_vtk("library", "add", "films", "--library", "films.lance", *DCT, cwd=folder)
    assert added.returncode == 0, added.stderr
    return folder


@pytest.fixture
def vtk(capfdbinary: pytest.CaptureFixture[bytes], monkeypatch: pytest.MonkeyPatch) -> Vtk:
    """Return a function that runs a command in this process, in a folder."""
    return loader(capfdbinary, monkeypatch)


def copies(found: CompletedProcess[bytes], kind: str = "copy") -> list[dict]:
    """Return the records of a kind."""
    return [record for record in map(json.loads, found.stdout.splitlines()) if record["type"] == kind]


def spans(found: CompletedProcess[bytes]) -> list[tuple[str, float, float, float, float]]:
    return [(each["ref"], each["start"], each["end"], each["ref_start"], each["ref_end"]) for each in copies(found)]


def near(*span: object) -> tuple[object, ...]:
    return (span[0], *(pytest.approx(each, abs=NEAR) for each in span[1:]))


def test_copies_are_found_at_their_seconds(place: Path, vtk: Vtk) -> None:
    for where in (("--refs", "films"), ("--library", "films.lance")):
        found = vtk("detect-copy", "query.mp4", "other.mp4", *where, *DCT, cwd=place)
        assert (found.returncode, found.stderr) == (0, b"")
        assert spans(found) == [near("films/1.mp4", 8, 20, 10, 22), near("films/2.mp4", 26, 36, 4, 14)]
        assert all(each["score"] > 0.9 and each["transform"] == {"speed": pytest.approx(1, abs=0.03), "hflip": False}
                   for each in copies(found))
        kinds = [(each["type"], each["source"]) for each in map(json.loads, found.stdout.splitlines())]
        assert kinds == [("media", "query.mp4"), ("copy", "query.mp4"), ("copy", "query.mp4"), ("end", "query.mp4"),
                         ("media", "other.mp4"), ("end", "other.mp4")]


# Not dtw: its one path from corner to corner passes by what lies off it.
@pytest.mark.parametrize("aligner", ["diagonal", "hough", "tn", "dp"])
def test_other_aligners_find_them(place: Path, vtk: Vtk, aligner: str) -> None:
    found = vtk("detect-copy", "query.mp4", "--library", "films.lance", "--aligner", aligner, cwd=place)
    assert [each[0] for each in spans(found)] == ["films/1.mp4", "films/2.mp4"]
    for each, true in zip(spans(found), [(8, 20, 10, 22), (26, 36, 4, 14)], strict=True):
        assert each[1:] == pytest.approx(true, abs=1.0)


def test_mirrored_copies_are_found_where_they_are_looked_for(place: Path, vtk: Vtk) -> None:
    assert spans(vtk("detect-copy", "flipped.mp4", "--library", "films.lance", cwd=place)) == []
    found = vtk("detect-copy", "flipped.mp4", "--library", "films.lance", "--hflip", cwd=place)
    assert spans(found) == [near("films/1.mp4", 6, 18, 10, 22)]
    assert copies(found)[0]["transform"]["hflip"] is True


def test_another_speed_is_found_and_told(place: Path, vtk: Vtk) -> None:
    found = vtk("detect-copy", "fast.mp4", "--library", "films.lance", cwd=place)
    (span,) = spans(found)
    assert span[1:] == pytest.approx((5, 20, 4, 34), abs=0.5)
    assert copies(found)[0]["transform"]["speed"] == pytest.approx(2, abs=0.05)
    assert spans(vtk("detect-copy", "fast.mp4", "--library", "films.lance", "--speeds", "0.8-1.25", cwd=place)) == []


def test_what_comes_back_within_a_video_is_found(place: Path, vtk: Vtk) -> None:
    found = vtk("detect-copy", "again.mp4", "other.mp4", "--within", *DCT, cwd=place)
    (span,) = spans(found)
    assert span[0] == "again.mp4" and sorted(span[1:]) == pytest.approx([0, 12, 21, 33], abs=0.5)


def test_a_video_is_no_copy_of_itself(place: Path, vtk: Vtk) -> None:
    found = vtk("detect-copy", "films/1.mp4", "--library", "films.lance", cwd=place)
    assert spans(found) == []
    shutil.copy(place / "films" / "1.mp4", place / "renamed.mp4")
    assert spans(vtk("detect-copy", "renamed.mp4", "--library", "films.lance", cwd=place)) == [
        near("films/1.mp4", 0, 40, 0, 40)]


def test_inputs_are_compared_with_each_other(place: Path, tmp_path: Path, vtk: Vtk) -> None:
    shutil.copytree(place / "films", tmp_path / "films")
    film(tmp_path / "films" / "small.mp4", [Part(1, 0, 40)], fps=5.0)
    found = vtk("detect-copy", "films", "--all-pairs", *DCT, cwd=tmp_path)
    assert found.returncode == 0
    assert [(each["source"], each["ref"]) for each in copies(found)] == [("films/small.mp4", "films/1.mp4")]
    (cluster,) = copies(found, "cluster")
    assert (cluster["sources"], cluster["keep"]) == (["films/1.mp4", "films/small.mp4"], "films/1.mp4")
    kinds = [each["type"] for each in map(json.loads, found.stdout.splitlines())]
    assert kinds == ["media", "run", "end", *["media", "end"] * 2, "copy", "cluster", "run"]


def test_one_file_under_two_names_is_one_video(place: Path, tmp_path: Path, vtk: Vtk) -> None:
    shutil.copytree(place / "films", tmp_path / "films")
    (tmp_path / "films" / "0.mp4").symlink_to(tmp_path / "films" / "1.mp4")
    found = vtk("detect-copy", "films", "--all-pairs", *DCT, cwd=tmp_path)
    assert copies(found) == copies(found, "cluster") == []
    (error,) = copies(found, "error")
    assert (error["source"], error["error"]["code"]) == ("films/1.mp4", "E_SAME")


def test_all_of_many_copies_are_one_cluster(place: Path, tmp_path: Path, vtk: Vtk) -> None:
    """Of 25 copies each frame has more that are like it than are asked for at first, its own among them."""
    names = [f"{'a long name ' * 16}{number:02}.mp4" for number in reversed(range(25))]
    for name in names:
        shutil.copy(place / "other.mp4", tmp_path / name)
    found = vtk("detect-copy", *names, "--all-pairs", *DCT, "--no-refine", cwd=tmp_path)
    one, two = copies(found, "cluster")  # no line holds all of their names
    assert one["sources"] + two["sources"] == names
    assert [one[key] for key in ("cluster", "videos", "keep")] == [two[key] for key in ("cluster", "videos", "keep")]
    assert one["videos"] == 25 and max(map(len, found.stdout.splitlines())) < 4096
    assert copies(found, "run")[-1]["records"] == len(copies(found)) + 2


def test_what_a_reference_shows_three_times_is_found_three_times(tmp_path: Path, vtk: Vtk) -> None:
    film(tmp_path / "jingle.mp4", [Part(3, 0, 10)])
    film(tmp_path / "day.mp4", [Part(4, 0, 12), Part(3, 0, 10), Part(5, 0, 14), Part(3, 0, 10), Part(6, 0, 9)])
    found = vtk("detect-copy", "jingle.mp4", "--refs", "day.mp4", *DCT, cwd=tmp_path)
    assert sorted(spans(found), key=lambda each: each[3]) == [near("day.mp4", 0, 10, 12, 22), near("day.mp4", 0, 10, 36, 46)]


def test_slides_that_stand_still_are_found(tmp_path: Path, vtk: Vtk) -> None:
    """Of a frame a second most show what the one before showed, and say little: the others say enough."""
    for name, fps in (("slides.mp4", 2.0), ("again.mp4", 4.0)):
        with VideoWriter(tmp_path / name, 128, 72, fps, crf=18) as writer:
            for index in range(round(120 * fps)):
                writer.write(picture(20 + int(index / fps // 20), 0.0), index / fps)
    found = vtk("detect-copy", "slides.mp4", "--refs", "again.mp4", *DCT, "--no-refine", cwd=tmp_path)
    (span,) = spans(found)
    assert span[1] <= 10 and span[2] >= 110


def test_part_of_a_source_is_looked_at(place: Path, vtk: Vtk) -> None:
    words = ("detect-copy", "query.mp4", "--library", "films.lance")
    found = vtk(*words, "--start", "22", cwd=place)
    assert spans(found) == [near("films/2.mp4", 26, 36, 4, 14)]
    for part in (("--start", "10", "--end", "16"), ("--start", "10", "--end", "16", "--fast")):
        assert spans(vtk(*words, *part, cwd=place)) == [near("films/1.mp4", 10, 16, 12, 18)], part
    (span,) = spans(vtk(*words, "--limit", "150", cwd=place))
    assert span[1:] == pytest.approx((8, 15, 10, 17), abs=NEAR)
    for words_ in ((), ("--fast",)):
        found = vtk(*words, "--start", "99", *words_, cwd=place)
        assert found.returncode == 0 and spans(found) == []


def test_damage_is_told_however_a_source_is_read(place: Path, tmp_path: Path, vtk: Vtk) -> None:
    path = film(tmp_path / "long.mp4", [Part(9, 0, 30), Part(1, 4, 34), Part(8, 0, 30)])
    whole = bytearray(path.read_bytes())
    at = whole.index(b"mdat") + 4
    middle = at + (len(whole) - at) * 2 // 5
    whole[middle:middle + len(whole) // 20] = b"\x55" * (len(whole) // 20)
    (tmp_path / "long.mp4").write_bytes(whole)
    for words in ((), ("--fast",)):
        found = vtk("detect-copy", "long.mp4", "--library", place / "films.lance", "--root", tmp_path, *words,
                    cwd=place)  # fmt: skip
        (end,) = copies(found, "end")
        assert (found.returncode, end["status"]) == (1, "partial"), words
        assert end["frames"]["decoded"] > 0
    added = vtk("library", "add", "long.mp4", "--library", "bad.lance", *DCT, cwd=tmp_path)
    assert added.returncode == 1 and added.stdout.startswith(b"added") and b"it was added without" in added.stderr


def test_what_parts_of_frames_found_is_not_cut(tmp_path: Path, vtk: Vtk) -> None:
    with VideoWriter(tmp_path / "q.mp4", 256, 72, 10.0, crf=18) as writer:
        for index in range(200):
            writer.write(np.hstack([picture(7, index / 10), picture(1, 4 + index / 10)]), index / 10)
    film(tmp_path / "r.mp4", [Part(1, 0, 30)])
    words = ("--crops", "halves", *DCT)
    for more in ((), ("--no-refine",)):
        (span,) = spans(vtk("detect-copy", "q.mp4", "--refs", "r.mp4", *words, *more, cwd=tmp_path))
        assert span[1:] == pytest.approx((0, 20, 4, 24), abs=0.8), more
    for order in (("q.mp4", "r.mp4"), ("r.mp4", "q.mp4")):
        assert len(copies(vtk("detect-copy", *order, "--all-pairs", *words, cwd=tmp_path))) == 1, order


def test_processes_and_one_give_the_same(place: Path, vtk: Vtk) -> None:
    words = ("detect-copy", "query.mp4", "other.mp4", "--library", "films.lance")
    assert run_vtk(*words, "--jobs", "2", cwd=place).stdout == vtk(*words, cwd=place).stdout


def test_sources_are_done_again_when_the_library_grew(place: Path, tmp_path: Path, vtk: Vtk) -> None:
    shutil.copytree(place / "films", tmp_path / "films")
    shutil.copy(place / "query.mp4", tmp_path)
    words = ("detect-copy", "query.mp4", "--library", "some.lance", "-o", "out.jsonl", "--resume")
    vtk("library", "add", "films/1.mp4", "--library", "some.lance", *DCT, cwd=tmp_path)
    assert vtk(*words, cwd=tmp_path).returncode == 0
    assert (tmp_path / "out.jsonl").read_bytes().count(b'"type":"copy"') == 1
    vtk("library", "add", "films/2.mp4", "--library", "some.lance", *DCT, cwd=tmp_path)
    assert vtk(*words, cwd=tmp_path).returncode == 0
    assert (tmp_path / "out.jsonl").read_bytes().count(b'"type":"copy"') == 2


def test_records_that_come_in_pass(place: Path) -> None:
    line = b'{"v":1,"type":"media","by":"probe","source":"query.mp4","kind":"video","width":128,"height":72}\n'
    found = run_vtk("detect-copy", "--library", "films.lance", stdin=line, cwd=place)
    assert found.stdout.startswith(line) and len(spans(found)) == 2


def test_a_reference_that_is_gone_or_changed_is_found_with_a_note(place: Path, tmp_path: Path, vtk: Vtk) -> None:
    shutil.copytree(place / "films", tmp_path / "films")
    shutil.copy(place / "query.mp4", tmp_path)
    vtk("library", "add", "films", "--library", "films.lance", *DCT, cwd=tmp_path)
    (tmp_path / "films" / "1.mp4").unlink()
    shutil.copy(place / "other.mp4", tmp_path / "films" / "2.mp4")
    found = vtk("detect-copy", "query.mp4", "--library", "films.lance", cwd=tmp_path)
    assert found.returncode == 0
    assert [each["ref"] for each in copies(found)] == ["films/1.mp4", "films/2.mp4"]
    gone, changed = (each["note"] for each in copies(found))
    assert gone.startswith("the reference is gone, or --root") and changed.startswith("the reference changed")
    # A frame a second: the ends are as near as that.
    assert [each[1:] for each in spans(found)] == [pytest.approx((8, 20, 10, 22), abs=1),
                                                   pytest.approx((26, 36, 4, 14), abs=1)]


def test_videos_that_show_nothing_or_too_little_are_no_copies(tmp_path: Path, vtk: Vtk) -> None:
    for name in ("black", "night"):
        film(tmp_path / f"{name}.mp4", [Part(None, 0, 20)])
    film(tmp_path / "one.mp4", [Part(1, 0, 0.1)])
    film(tmp_path / "same.mp4", [Part(1, 0, 0.1)])
    found = vtk("detect-copy", ".", "--all-pairs", *DCT, cwd=tmp_path)
    assert (found.returncode, found.stderr) == (0, b"")
    assert copies(found) == copies(found, "cluster") == []


def test_a_picture_is_told_to_have_no_seconds(place: Path, tmp_path: Path, vtk: Vtk) -> None:
    cv2.imwrite(str(tmp_path / "a.png"), picture(1, 12.0))
    found = vtk("detect-copy", tmp_path / "a.png", "--library", "films.lance", cwd=place)
    assert found.returncode == 0 and copies(found) == []
    assert [each["error"]["code"] for each in copies(found, "error")] == ["E_PICTURE"]


def test_broken_queries_do_not_stop_the_others(place: Path, tmp_path: Path, vtk: Vtk) -> None:
    (tmp_path / "noise.mp4").write_bytes(bytes(range(256)) * 40)
    with wave.open(str(tmp_path / "sound.wav"), "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(2)
        sound.setframerate(8000)
        sound.writeframes(bytes(16000))
    broken = (tmp_path / "noise.mp4", tmp_path / "sound.wav")
    for words in ((), ("--fast",)):
        found = vtk("detect-copy", *broken, "query.mp4", "--library", "films.lance", *words, cwd=place)
        assert found.returncode == 1
        errors = copies(found, "error")
        assert [each["source"] for each in errors] == [str(each) for each in broken]
        assert all(each["error"]["fatal"] for each in errors) and "has audio" in errors[1]["error"]["message"]
        assert len(spans(found)) == 2
        assert [each["status"] for each in copies(found, "end")] == ["failed", "failed", "ok"]
        assert found.stderr.count(b"\n") == 2 and b"Traceback" not in found.stderr


def test_broken_references_do_not_stop_the_others(place: Path, tmp_path: Path, vtk: Vtk) -> None:
    shutil.copytree(place / "films", tmp_path / "films")
    (tmp_path / "films" / "0.mp4").write_bytes(b"no video")
    found = vtk("detect-copy", place / "query.mp4", "--refs", "films", *DCT, cwd=tmp_path)
    assert found.returncode == 1
    (error,) = copies(found, "error")
    assert error["error"]["message"].startswith("reference films/0.mp4: ") and "source" not in error
    assert len(spans(found)) == 2


@pytest.mark.parametrize(("words", "said"), [
    ((), "nothing to look in: name --library LIBRARY, --refs FOLDER, --all-pairs or --within"),
    (("--library", "none.lance"), "no library at 'none.lance'"),
    (("--library", "films.lance", "--refs", "films"), "give one of them"),
    (("--library", "films.lance", "--descriptor", "pdq"), "library 'films.lance' holds dct@"),
    (("--refs", "missing"), "none of 1 references can be read; the first, missing: "),
    (("--all-pairs", "--library", "films.lance"), "it goes without --library and --refs"),
    (("--library", "films.lance", "--aligner", "hugh"), "--aligner hugh: expected one of diagonal, hough"),
    (("--library", "films.lance", "--min-score", "1.5"), "--min-score 1.5: 0 to 1 is needed"),
    (("--library", "films.lance", "--speeds", "2-1"), "--speeds 2-1: slowest and fastest are needed"),
    (("--library", "films.lance", "--speeds", "all"), "--speeds all: SLOW-FAST is needed"),
    (("--library", "films.lance", "--crops", "edges"), "there is no 'edges'"),
    (("--library", "films.lance", "--frames", "all"), "--frames all: uniform:RATE"),
    (("--library", "films.lance", "--fps", "2"), "--frames uniform:RATE does"),
    (("--all-pairs", "--fast", *DCT), "--fast goes without --all-pairs"),
    (("--all-pairs", "--shard", "1/2"), "--shard sees some of them"),
    (("--refs", "films", "--jobs", "2"), "--jobs cannot run detect-copy: each process would describe all of --refs again; "
                                         "vtk library add describes them once, and --library with --jobs looks in"),
    (("--all-pairs", "--resume", "-o", "out.jsonl"), "--resume cannot go on with detect-copy: cluster, copy records need"),
    (("--within", "--descriptor", "dtc"), "no descriptor 'dtc': did you mean 'dct'?"),
])  # fmt: skip
def test_what_the_user_can_mend_is_said_in_one_line(place: Path, vtk: Vtk, words: tuple[str, ...], said: str) -> None:
    with pytest.raises(VtkError) as error:
        vtk("detect-copy", "query.mp4", *words, cwd=place)
    assert said in str(error.value) and "\n" not in str(error.value)


@pytest.mark.parametrize(("words", "mend"), [
    (("--library", "films.lance"), "--overwrite replaces it, --resume goes on with it"),
    (("--all-pairs",), "--overwrite replaces it"),
    (("--all-pairs", "-"), "--overwrite replaces it"),
])
def test_an_output_that_exists_is_gone_on_with_only_where_that_can_be(
        place: Path, tmp_path: Path, vtk: Vtk, words: tuple[str, ...], mend: str,
) -> None:  # fmt: skip
    (tmp_path / "out.jsonl").touch()
    (tmp_path / "query.mp4.jsonl").touch()
    source = () if words[-1] == "-" else ("query.mp4",)
    for where, name in ((("-o", tmp_path / "out.jsonl"), "out.jsonl"), (("--out-dir", tmp_path), "query.mp4.jsonl")):
        if source or name == "out.jsonl":
            with pytest.raises(VtkError) as error:
                vtk("detect-copy", *source, *words, *DCT, *where, cwd=place)
            assert str(error.value) == f"{tmp_path / name} exists: {mend}"


def test_pictures_of_what_was_compared(place: Path, tmp_path: Path, vtk: Vtk) -> None:
    words = ("--library", "films.lance", "--plot", tmp_path / "plots")
    found = vtk("detect-copy", "query.mp4", *words, cwd=place)
    assert found.returncode == 0
    pictures = sorted((tmp_path / "plots" / "query.mp4").iterdir())
    assert len(pictures) == 2 and all(each.suffix == ".png" and each.stat().st_size > 2000 for each in pictures)
    assert vtk("detect-copy", "other.mp4", *words, cwd=place).returncode == 0
    with pytest.raises(VtkError, match="query--1--.*png exists: --overwrite replaces it"):
        vtk("detect-copy", "other.mp4", "query.mp4", *words, cwd=place)


def test_a_source_whose_pictures_exist_fails_where_it_comes_as_a_record(place: Path, tmp_path: Path, vtk: Vtk) -> None:
    words = ("detect-copy", "--library", "films.lance", "--plot", str(tmp_path))
    assert vtk(*words, "query.mp4", cwd=place).returncode == 0
    lines = [b'{"v":1,"type":"media","by":"probe","source":"%s","kind":"video","width":128,"height":72}\n' % name
             for name in (b"query.mp4", b"fast.mp4")]  # fmt: skip
    found = run_vtk(*words, stdin=b"".join(lines), cwd=place)
    assert [each["status"] for each in copies(found, "end")] == ["failed", "ok"] and found.returncode == 1
    assert [each["ref"] for each in copies(found)] == ["films/1.mp4"]
    assert "exists: --overwrite replaces it" in copies(found, "error")[0]["error"]["message"]


def test_real_copies_among_real_videos(shared: Path, vtk: Vtk) -> None:
    """All four pairs of the shared clips by the default descriptor, each both ways round, and no other pair."""
    folder = shared / "data" / "detect-copy"
    found = vtk("detect-copy", ".", "--refs", ".", cwd=folder)
    assert (found.returncode, found.stderr) == (0, b"")
    pairs = {(pair["query"], pair["reference"]): pair["segments"]
             for pair in json.loads((folder / "pairs_gt.json").read_text())["pairs"]}
    made = {(each["source"], each["ref"]): each for each in copies(found)}
    assert len(made) == len(copies(found)) == 2 * len(pairs)
    assert set(made) == {pair[::way] for pair in pairs for way in (1, -1)}
    for pair, (true,) in pairs.items():
        for start, end in (("start", "end"), ("ref_start", "ref_end")):
            first, last = (true["query_start"], true["query_end"]) if start == "start" else (true[start], true[end])
            one = made[pair]
            both = min(one[end], last) - max(one[start], first)
            assert both / (max(one[end], last) - min(one[start], first)) >= 0.8, (pair, one)
