"""``vtk spot-text`` as a process, on a video with three lines of text and on pictures."""

from __future__ import annotations

import fcntl
import json
import os
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
from held import MEASURED, check_growth

from vtk.media.writer import VideoWriter

SMALL = ("--long-side", "320", "--precision", "fp32")


def lines(result):
    return [json.loads(line) for line in result.stdout.splitlines()]


def test_three_lines_are_three_tracks(vtk, shared):
    """A light box is switched on and off behind the letters: they stay the same texts, over the whole film."""
    truth = json.loads((shared / "data" / "spot-text" / "sample_video_for_text_gt.json").read_text())
    result = vtk("spot-text", shared / "data" / "spot-text" / "sample_video_for_text.mp4", "--precision", "fp32")
    assert result.returncode == 0, result.stderr
    records = lines(result)
    tracks = {record["text"]: record for record in records if record["type"] == "text_track"}
    assert set(tracks) == {line["text"] for line in truth["lines"]}
    texts = [record for record in records if record["type"] == "text"]
    for line in truth["lines"]:
        track = tracks[line["text"]]
        mine = [record for record in texts if record["track_id"] == track["track_id"]]
        assert len(mine) == track["observations"] >= 0.95 * truth["frames"]
        assert (track["start"], track["start_frame"]) == (0.0, 0) and track["end_frame"] >= 0.95 * truth["frames"]
        for record in mine:  # the boxes by eye are good to 15 pixels, the camera drifts by 10, ours have a margin
            centre = [(record["xyxy"][axis] + record["xyxy"][axis + 2]) / 2 for axis in (0, 1)]
            wanted = [(line["box"][axis] + line["box"][axis + 2]) / 2 for axis in (0, 1)]
            assert max(abs(a - b) for a, b in zip(centre, wanted, strict=True)) <= 30


def test_pictures_have_texts_and_no_tracks(vtk, shared):
    picture = shared / "data" / "spot-text" / "ic15_train10" / "imgs" / "test" / "img_1.jpg"
    records = lines(vtk("spot-text", picture, "--precision", "fp32"))
    assert "Carpark" in [record.get("text") for record in records]
    assert {record["type"] for record in records} == {"media", "text", "end"}
    assert all("track_id" not in record for record in records)


def test_options_leave_out(vtk, shared):
    clip = shared / "data" / "spot-text" / "sample_video_for_text.mp4"
    short = lines(vtk("spot-text", clip, "--limit", "10", "--tracks-only"))
    assert [record["type"] for record in short] == ["media", "text_track", "text_track", "text_track", "end"]
    assert not [record for record in lines(vtk("spot-text", clip, "--limit", "5", "--min-height", "300"))
                if record["type"].startswith("text")]


@pytest.mark.parametrize(("options", "words"), [
    (("--model", "easyocr"), b"no text spotter 'easyocr': there is ppocr"),
    (("--detect-fps", "0"), b"--detect-fps 0"),
    (("--long-side", "100"), b"--long-side 100: a multiple of 32"),
    (("--min-height", "-1"), b"--min-height -1"),
    (("--region", "1,2,3"), b"--region 1,2,3: x1,y1,x2,y2 in pixels or percent"),
    (("--vocab", "no-such-file.txt"), b"--vocab no-such-file.txt: No such file"),
    (("--vocab", "/dev/null"), b"--vocab /dev/null: it has no entry"),
])
def test_usage_errors_are_one_line(vtk, options, words):
    result = vtk("spot-text", "a.mp4", *options)
    assert result.returncode == 2 and words in result.stderr and result.stdout == b""
    assert len(result.stderr.strip().splitlines()) == 1


def subtitle(frame: int) -> np.ndarray:
    """Return a frame with a sign that stands, and a subtitle that changes with the 15th."""
    image = np.full((200, 320, 3), (70, 90, 60), np.uint8)
    cv2.rectangle(image, (20, 20), (200, 70), (230, 230, 230), -1)
    cv2.putText(image, "GATE 12", (30, 58), cv2.FONT_HERSHEY_SIMPLEX, 1.1, (20, 20, 20), 3, cv2.LINE_AA)
    text = "Good morning" if frame < 15 else "See you soon"
    cv2.putText(image, text, (30, 175), cv2.FONT_HERSHEY_SIMPLEX, 1.0, (255, 255, 255), 2, cv2.LINE_AA)
    return image


@pytest.fixture(scope="module")
def talk(tmp_path_factory) -> Path:
    """Return a film of three seconds with subtitles."""
    path = tmp_path_factory.mktemp("talk") / "talk.mp4"
    with VideoWriter(path, 320, 200, 10) as writer:
        for frame in range(30):
            writer.write(subtitle(frame), frame / 10)
    return path


def test_subtitles_alone_as_srt(vtk, talk):
    """The region cuts the sign away; each subtitle has its time."""
    found = vtk("spot-text", talk, *SMALL, "--region", "0%,60%,100%,100%", "--tracks-only")
    assert {record["type"] for record in lines(found)} == {"media", "text_track", "end"}
    srt = vtk("export", "srt", "-o", "-", stdin=found.stdout)
    assert srt.returncode == 0, srt.stderr
    blocks = [block.splitlines()[1:] for block in srt.stdout.decode().strip().split("\n\n")]
    assert [block[1:] for block in blocks] == [["Good morning"], ["See you soon"]]
    assert blocks[0][0].startswith("00:00:00,000 --> 00:00:01,") and blocks[1][0].endswith("--> 00:00:03,000")


def test_words_snapped_to_a_vocabulary(vtk, talk, tmp_path):
    (tmp_path / "words.txt").write_text("GATE\nGoof\nmourning\n")
    found = lines(vtk("spot-text", talk, *SMALL, "--words", "--vocab", tmp_path / "words.txt", "--limit", "8"))
    tracks = [record for record in found if record["type"] == "text_track"]
    assert [(record["text"], record.get("raw_text")) for record in tracks] == [
        ("GATE", None), ("12", None), ("Goof", "Good"), ("mourning", "morning")]
    assert len({record["track_id"] for record in tracks}) == 4
    texts = [record for record in found if record["type"] == "text"]
    assert len(texts) == 8 * 4 and {record["track_id"] for record in texts} == {record["track_id"] for record in tracks}


def test_one_process_gives_what_the_shell_gives(vtk, talk, tmp_path):
    """Boxes come in, are passed on, texts are added, and both are drawn."""
    words = ("spot-text", *SMALL)
    tracked = vtk("track", talk, "--detector", "motion")
    spotted = vtk(*words, stdin=tracked.stdout)
    assert spotted.returncode == 0 and all(line in spotted.stdout for line in tracked.stdout.splitlines())
    drawn = vtk("draw", "-o", tmp_path / "shell.mp4", "--tee", stdin=spotted.stdout)
    assert drawn.returncode == 0 and (tmp_path / "shell.mp4").stat().st_size > 2000
    assert set(spotted.stdout.splitlines()) <= set(drawn.stdout.splitlines())
    piped = vtk("pipe", f"track --detector motion | {' '.join(words)} | draw -o {tmp_path / 'pipe.mp4'} --tee", talk)
    assert piped.returncode == 0, piped.stderr
    assert piped.stdout == drawn.stdout
    kinds = [record["type"] for record in lines(piped)]
    assert kinds.count("text_track") == 3 and kinds.count("track") > 5 and kinds.count("end") == 3


def test_a_folder_resumed_shared_out_and_abreast(vtk, tmp_path):
    """Pictures of a folder, one of them broken: two processes, two shards and a resumed run give the same lines."""
    folder = tmp_path / "pages"
    folder.mkdir()
    for number in range(4):
        image = np.full((120, 320, 3), 255, np.uint8)
        cv2.putText(image, f"PAGE {number}", (30, 75), cv2.FONT_HERSHEY_SIMPLEX, 1.4, (0, 0, 0), 3, cv2.LINE_AA)
        cv2.imwrite(str(folder / f"{number}.png"), image)
    (folder / "4.png").write_bytes((folder / "0.png").read_bytes()[:200])
    whole = vtk("spot-text", "pages", *SMALL, cwd=tmp_path)
    assert whole.returncode == 1 and len(whole.stderr.splitlines()) == 1
    assert [record["text"] for record in lines(whole) if record["type"] == "text"] == [f"PAGE {n}" for n in range(4)]
    ends = [record for record in lines(whole) if record["type"] == "end"]
    assert [record["status"] for record in ends] == ["ok"] * 4 + ["failed"] and len({e["options"] for e in ends}) == 1
    assert vtk("spot-text", "pages", *SMALL, "--jobs", "2", cwd=tmp_path).stdout == whole.stdout
    shards = [vtk("spot-text", "pages", *SMALL, "--shard", f"{n}/2", cwd=tmp_path) for n in (1, 2)]
    parts = [shard.stdout.splitlines() for shard in shards]  # by a hash of names: relative, so the same in any folder
    assert sorted(parts[0] + parts[1]) == sorted(whole.stdout.splitlines()) and parts[0] and parts[1]
    out = tmp_path / "out.jsonl"
    assert vtk("spot-text", "pages", *SMALL, "-o", out, cwd=tmp_path).returncode == 1
    again = vtk("spot-text", "pages", *SMALL, "-o", out, "--resume", "--profile", cwd=tmp_path)
    assert b"4.png" in again.stderr and again.stderr.count(b".png") == 1  # of five, the one that failed
    assert sorted(out.read_bytes().splitlines()) == sorted(whole.stdout.splitlines())


def test_numbered_pictures_are_a_film_or_pictures(vtk, tmp_path):
    for frame in range(4):
        cv2.imwrite(str(tmp_path / f"{frame:04}.png"), subtitle(0))
    film = lines(vtk("spot-text", f"seq:{tmp_path}", *SMALL, "--tracks-only"))
    assert [record["text"] for record in film if record["type"] == "text_track"] == ["GATE 12", "Good morning"]
    pictures = lines(vtk("spot-text", tmp_path, *SMALL, "--image-tracks", "--tracks-only"))
    assert [record["text"] for record in pictures if record["type"] == "text_track"] == ["GATE 12", "Good morning"] * 4


def test_a_reader_that_leaves_is_no_trouble(talk):
    read, write = os.pipe()
    fcntl.fcntl(write, fcntl.F_SETPIPE_SZ, 4096)  # less than there is to say: the writer waits for its reader
    process = subprocess.Popen([sys.executable, "-m", "vtk", "spot-text", talk, *SMALL], stdout=write,
                               stderr=subprocess.PIPE)
    os.close(write)
    assert b'"type":"media"' in os.read(read, 1000)
    os.close(read)
    assert process.wait(timeout=60) == 141 and process.stderr.read() == b""


@MEASURED
def test_memory_does_not_grow_with_the_film(tmp_path):
    """1,600 frames of 54 KiB, a new text every 40: to keep one of 27 would be seen."""
    path = tmp_path / "long.mp4"
    with VideoWriter(path, 192, 96, 25, preset="ultrafast") as writer:
        for frame in range(1600):
            image = np.full((96, 192, 3), (60, 80, 70), np.uint8)
            cv2.putText(image, f"No {frame // 40}", (10, 60), cv2.FONT_HERSHEY_SIMPLEX, 1, (255, 255, 255), 2)
            writer.write(image, frame / 25)
    check_growth(2, tmp_path, lambda run: ("spot-text", str(path), "--long-side", "160", "--detect-fps", "2"),
                 range(400, 700), range(1300, 1600))