"""``vtk redact``: hidden in every frame of what it writes, and nothing written where that is not certain."""

from __future__ import annotations

import json
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

import av
import cv2
import numpy as np
import pytest
from called import caller
from cut_films import VARYING, seen
from encoded import assert_same_video

import vtk.redaction.stage
import vtk.redaction.writing
from vtk.media.fingerprint import fingerprint

Vtk = Callable[..., "CompletedProcess[bytes]"]
WIDTH, HEIGHT, COUNT, SIDE = 160, 112, 30, 32
RATE = [index / 15 for index in range(COUNT)]


def place_at(index: int) -> tuple[int, int, int, int]:
    """Return the box of what moves in a frame."""
    x = 6 + 4 * index
    return x, 40, x + SIDE, 40 + SIDE


def picture(index: int) -> np.ndarray:
    """Return a frame: a chequered thing that moves over a plain ground."""
    image = np.full((HEIGHT, WIDTH, 3), 150, np.uint8)
    x1, y1, x2, y2 = place_at(index)
    cells = np.indices((SIDE, SIDE)).sum(axis=0) // 4 % 2
    image[y1:y2, x1:x2] = np.where(cells[..., None], (250, 240, 40), (20, 10, 120))[:, : WIDTH - x1]
    return image


def film(path: Path, times: list[float] = RATE) -> Path:
    """Write a film with sound, a title, a place and a cover."""
    with av.open(str(path), "w", format="mp4", options={"movflags": "use_metadata_tags"}) as out:
        out.metadata.update({"title": "Secret", "location": "+48.1+011.5/", "creation_time": "2024-05-06T07:08:09"})
        stream = out.add_stream("libx264", rate=15)
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        stream.codec_context.time_base = Fraction(1, 90000)
        stream.options = {"preset": "ultrafast", "crf": "10"}
        stream.metadata["handler_name"] = "Secret camera"
        tone = out.add_stream("aac", rate=16000, layout="mono")
        tone.metadata["title"] = "Secret room"
        for index, t in enumerate(times):
            frame = av.VideoFrame.from_ndarray(picture(index), "rgb24")
            frame.pts, frame.time_base = round(t * 90000), Fraction(1, 90000)
            out.mux(stream.encode(frame))
        out.mux(stream.encode())
        for begin in range(0, 16000, 1024):
            sound = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), "fltp", "mono")
            sound.sample_rate, sound.pts = 16000, begin
            out.mux(tone.encode(sound))
        out.mux(tone.encode())
    return path


@pytest.fixture(scope="module")
def films(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("films")
    film(folder / "a.mp4")
    film(folder / "varying.mp4", [round(t, 4) for t in VARYING[:COUNT]])
    cv2.imwrite(str(folder / "still.png"), picture(5)[..., ::-1])
    cv2.imwrite(str(folder / "still.jpg"), picture(5)[..., ::-1])
    return folder


@pytest.fixture
def run(capfdbinary: pytest.CaptureFixture[bytes], monkeypatch: pytest.MonkeyPatch, films: Path) -> Vtk:
    call = caller(capfdbinary, monkeypatch)
    return lambda *words, **keys: call(*words, **{"cwd": films, **keys})


@pytest.fixture
def redact(run: Vtk) -> Vtk:
    return lambda *words, **keys: run("redact", *words, **keys)


def told(source: str = "a.mp4", every: int = 1, times: list[float] = RATE, kind: str = "detection",
         frames: range | None = None, **end: Any) -> list[dict[str, Any]]:
    """Return records of what moves, and the ledger of who looked at the frames."""
    looked = frames if frames is not None else range(0, COUNT, every)
    extra = {"track": {"track_id": 3}, "face": {"live_score": 0.5, "verdict": "unsure", "thresholds": [0.2, 0.8]}}
    step = {"step": every} if every > 1 else {}
    records = [{"v": 1, "type": kind, "by": f"{kind}/x", "source": source, "frame": index, "t": times[index], **step,
                "xyxy": list(map(float, place_at(index))), "score": 0.9, "label": "thing", **extra.get(kind, {})}
               for index in looked]
    return [*records, {"v": 1, "type": "end", "by": f"{kind}/x", "source": source, "status": "ok", "records": 1,
                       "frames": {"decoded": COUNT, "processed": len(looked), "skipped": 0}, "types": [kind], **end}]


def lines(records: list[dict[str, Any]]) -> bytes:
    return b"".join(json.dumps(record).encode() + b"\n" for record in records)


def detail(image: np.ndarray, index: int) -> float:
    """Return the spread of grey levels where the thing is, less a border of two pixels."""
    x1, y1, x2, y2 = place_at(index)
    return float(image[y1 + 2 : y2 - 2, x1 + 2 : x2 - 2].std(axis=(0, 1)).max())


@pytest.mark.parametrize(("how", "left"), [("fill", 3), ("pixelate", 40), ("blur", 40)])
def test_it_is_hidden_in_every_frame_and_the_rest_stays(how: str, left: float, redact: Vtk, tmp_path: Path) -> None:
    out = tmp_path / "out.mp4"
    given = lines(told())
    done = redact("-o", out, "--how", how, "--tee", stdin=given)
    assert (done.returncode, done.stderr) == (0, b"")
    assert done.stdout.startswith(given)
    frames = seen(out)
    assert len(frames) == COUNT
    for index, (t, image) in enumerate(frames):
        assert t == pytest.approx(RATE[index], abs=1e-3)
        assert detail(picture(index), index) > 90
        assert detail(image, index) < left, index
        assert np.abs(image[:20].astype(int) - 150).max() < 12
    assert [path.name for path in tmp_path.iterdir()] == ["out.mp4"]


@pytest.mark.parametrize("kind", ["detection", "track", "face"])
def test_frames_that_nobody_looked_at_show_nothing(kind: str, redact: Vtk, tmp_path: Path) -> None:
    out = tmp_path / "out.mp4"
    done = redact("-o", out, stdin=lines(told(every=5, kind=kind)))
    assert done.returncode == 0, done.stderr
    assert max(detail(image, index) for index, (_, image) in enumerate(seen(out))) < 3
    done = redact("-o", tmp_path / "b.mp4", "--hold", "0.2", stdin=lines(told(every=5, kind=kind)))
    assert done.returncode != 0
    assert b"looked at every 5th frame, 0.33 s apart, and --hold is 0.2 s" in done.stderr
    assert not (tmp_path / "b.mp4").exists()


def test_a_varying_rate_stays(redact: Vtk, tmp_path: Path) -> None:
    times = [round(t, 4) for t in VARYING[:COUNT]]
    done = redact("-o", tmp_path / "out.mp4", stdin=lines(told("varying.mp4", times=times)))
    assert done.returncode == 0, done.stderr
    assert np.allclose([t for t, _ in seen(tmp_path / "out.mp4")], times, atol=1e-3)


def test_sound_goes_along_and_nothing_else(redact: Vtk, films: Path, tmp_path: Path) -> None:
    assert b"Secret" in (films / "a.mp4").read_bytes()
    for words, kinds in (((), ["video", "audio"]), (("--mute",), ["video"])):
        out = tmp_path / f"{len(kinds)}.mp4"
        assert redact("-o", out, *words, stdin=lines(told())).returncode == 0
        data = out.read_bytes()
        assert not [word for word in (b"Secret", b"+48.1", b"2024-05", b"xyz") if word in data]
        with av.open(str(out)) as made:
            assert [stream.type for stream in made.streams] == kinds


def test_only_what_is_asked_for_is_hidden(redact: Vtk, tmp_path: Path) -> None:
    for number, (words, hides) in enumerate(((("--classes", "thing"), True), (("--classes", "detection"), True),
                                             (("--classes", "other"), False))):
        out = tmp_path / f"{number}.mp4"
        done = redact("-o", out, *words, stdin=lines(told()))
        assert done.returncode == 0
        assert (detail(seen(out)[9][1], 9) < 3) == hides
        assert (b"none of its boxes is of other (they are of thing)" in done.stderr) != hides
    done = redact("-o", tmp_path / "n.mp4", "--types", "face", stdin=lines(told()))
    assert b"no end record says that its frames were looked at" in done.stderr


def test_who_is_kept_is_shown(redact: Vtk, tmp_path: Path) -> None:
    who = {"v": 1, "type": "identity", "by": "reid/x", "source": "a.mp4", "track_id": 3, "identity": "Ann",
           "score": 1.0}
    late = {"v": 1, "type": "run", "by": "reid/x", "late": ["identity"]}
    given = lines([late, *told(kind="track"), who, {**late, "status": "ok", "records": 1}])
    for name, hides in (("Ann", False), ("Bob", True)):
        out = tmp_path / f"{name}.mp4"
        done = redact("-o", out, "--keep", name, stdin=given)
        assert done.returncode == 0, done.stderr
        assert (detail(seen(out)[9][1], 9) < 3) == hides


def test_who_is_kept_keeps_nothing_but_tracks_of_one_tracker(redact: Vtk, tmp_path: Path) -> None:
    who = {"v": 1, "type": "identity", "by": "reid/x", "source": "a.mp4", "track_id": 3, "identity": "Ann",
           "score": 1.0}
    late = {"v": 1, "type": "run", "by": "reid/x", "late": ["identity"]}
    over = [who, {**late, "status": "ok", "records": 1}]
    faces = [{**record, "track_id": 3} if record["type"] == "face" else record for record in told(kind="face")]
    out = tmp_path / "out.mp4"
    assert redact("-o", out, "--keep", "Ann", stdin=lines([late, *faces, *over])).returncode == 0
    assert detail(seen(out)[9][1], 9) < 3, "faces are numbered on their own"
    two = [record | {"by": by} for record in told(kind="track")[:-1] for by in ("track/x", "track/y")]
    done = redact("-o", tmp_path / "b.mp4", "--keep", "Ann", stdin=lines([late, *two, told(kind="track")[-1], *over]))
    assert done.returncode != 0 and b"tracks of track/x and track/y came" in done.stderr
    assert not (tmp_path / "b.mp4").exists()


def test_a_pause_between_looks_counts_as_long_as_it_is(redact: Vtk, films: Path, tmp_path: Path) -> None:
    times = [round(index / 20 + (2 if index > 17 else 0), 4) for index in range(COUNT)]
    film(films / "paused.mp4", times)
    done = redact("-o", tmp_path / "out.mp4", stdin=lines(told("paused.mp4", every=5, times=times)))
    assert done.returncode != 0 and b"looked at every 5th frame, 2.25 s apart" in done.stderr
    assert redact("-o", tmp_path / "all.mp4", stdin=lines(told("paused.mp4", times=times))).returncode == 0


@pytest.mark.parametrize("place", [0, 5, COUNT])
def test_a_line_that_was_bad_further_up_is_bad_here(place: int, run: Vtk, redact: Vtk, tmp_path: Path) -> None:
    whole = lines(told()).splitlines(keepends=True)
    given = b"".join([*whole[:place], b"{broken\n", *whole[place:]])
    for words in (("track", "--tracker", "bytetrack"), ("sort",)):
        between = run(*words, stdin=given)
        assert between.returncode == 1
        done = redact("-o", tmp_path / "out.mp4", stdin=between.stdout)
        assert done.returncode != 0 and b"line %d of what came in cannot be used" % (place + 1) in done.stderr, words
    done = run("pipe", f"track | redact -o {tmp_path / 'out.mp4'}", stdin=given)
    assert done.returncode != 0 and b"line %d of what came in cannot be used" % (place + 1) in done.stderr
    assert not any(tmp_path.iterdir())


@pytest.mark.parametrize(("given", "said"), [
    (told()[:-1], b"no end record"),
    (told(status="partial"), b"detection/x ended partial"),
    (told(status="failed"), b"detection/x ended failed"),
    (told(frames=range(20)), b"looked at every 2th frame"),
    (told(frames=range(20), every=1)[:-1] + [{**told()[-1], "frames": {"decoded": 20, "processed": 20, "skipped": 0}}],
     b"looked at 20 of 30 frames"),
    (told(fingerprint="0123456789abcdef"), b"the file has changed since it was looked at"),
    ([{**told()[0], "frame": 77}, told()[-1]], b"records reach frame 77, and the source has 30"),
    ([{"v": 1, "type": "tracklet", "by": "track/x", "source": "a.mp4", "track_id": 1, "start": 0, "end": 1, "score": 1,
       "observations": 9, "best": {"frame": 1, "xyxy": [0, 0, 9, 9]}}, {**told(kind="track")[-1]}],
     b"tracklet records came and none of track"),
    ([*told()[:-1], {"v": 1, "type": "text_track", "by": "spot-text/x", "source": "a.mp4", "track_id": 1, "start": 0,
                     "end": 1, "text": "x", "score": 1, "observations": 9, "best": {"frame": 1}}, told()[-1],
      {**told()[-1], "by": "spot-text/x", "types": ["text", "text_track"]}],
     b"text_track records came and none of text"),
    ([told()[0], {"v": 1, "type": "detection"}, *told()[1:]], b"line 2 of what came in cannot be used"),
])
def test_where_it_is_not_certain_nothing_is_written(given: list[dict[str, Any]], said: bytes, redact: Vtk,
                                                    tmp_path: Path) -> None:
    hold = ("--hold", "0.1")
    done = redact("-o", tmp_path / "out.mp4", *hold, stdin=lines(given))
    assert done.returncode == 3
    assert said in done.stderr and done.stderr.splitlines()[-1].count(b"is not written") == 1
    assert not list(tmp_path.iterdir())
    done = redact("-o", tmp_path / "out.mp4", *hold, "--allow-partial", "--tee", stdin=lines(given))
    assert (tmp_path / "out.mp4").exists(), done.stderr


def test_the_same_file_is_known(redact: Vtk, films: Path, tmp_path: Path) -> None:
    given = lines(told(fingerprint=fingerprint(str(films / "a.mp4"))))
    assert redact("-o", tmp_path / "out.mp4", stdin=given).returncode == 0


@pytest.mark.parametrize(("harm", "said"), [("shown", b"frame 7 still shows what was to be hidden"),
                                            ("spoilt", b"frame 7 is not the source's beside what was hidden")])
def test_what_the_check_finds_is_not_kept(harm: str, said: bytes, redact: Vtk, tmp_path: Path,
                                          monkeypatch: pytest.MonkeyPatch) -> None:
    right = vtk.redaction.writing.hidden
    count = iter(range(COUNT))

    def wrong(image: np.ndarray, *given: Any) -> np.ndarray:
        made = right(image, *given)
        if next(count) == 7:
            return image if harm == "shown" else np.concatenate([made[:100], 255 - made[100:]])
        return made

    monkeypatch.setattr(vtk.redaction.writing, "hidden", wrong)
    (tmp_path / "out.mp4").write_bytes(b"mine")
    done = redact("-o", tmp_path / "out.mp4", "--overwrite", stdin=lines(told()))
    assert done.returncode != 0 and said in done.stderr and b"[E_REDACT]" in done.stderr
    assert [(path.name, path.read_bytes()) for path in tmp_path.iterdir()] == [("out.mp4", b"mine")]


def test_what_is_not_proven_yet_is_hidden(redact: Vtk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A process that is killed before the proof leaves nothing that a listing of videos finds."""
    there: list[str] = []
    right = vtk.redaction.stage.prove
    monkeypatch.setattr(vtk.redaction.stage, "prove", lambda *given: (
        there.extend(path.name for path in tmp_path.iterdir()), right(*given)))
    assert redact("-o", tmp_path / "out.mp4", stdin=lines(told())).returncode == 0
    assert [name[0] for name in there] == ["."]
    assert [path.name for path in tmp_path.iterdir()] == ["out.mp4"]


@pytest.mark.parametrize("name", ["still.png", "still.jpg"])
def test_images(name: str, redact: Vtk, tmp_path: Path) -> None:
    box = list(map(float, place_at(5)))
    given = [{**told(name)[0], "t": 0.0, "xyxy": box}, {**told(name)[-1], "frames": {"decoded": 1, "processed": 1,
                                                                                    "skipped": 0}}]
    done = redact("--out-dir", tmp_path, stdin=lines(given))
    assert done.returncode == 0, done.stderr
    image = cv2.imread(str(tmp_path / name))[..., ::-1]
    assert detail(image, 5) < 3
    assert np.abs(image[:20].astype(int) - 150).max() < 4


def test_a_bad_source_does_not_stop_the_others(redact: Vtk, films: Path, tmp_path: Path) -> None:
    given = told("gone.mp4") + told("a.mp4")
    done = redact("--out-dir", tmp_path, "--tee", stdin=lines(given))
    assert done.returncode == 1
    assert len(done.stderr.splitlines()) == 1 and b"gone.mp4: cannot be opened" in done.stderr
    ends = [json.loads(line) for line in done.stdout.splitlines() if b'"end"' in line]
    assert [end["status"] for end in ends if end["by"] == "redact"] == ["failed", "ok"]
    assert [path.name for path in tmp_path.iterdir()] == ["a.mp4"]


def test_usage(redact: Vtk, tmp_path: Path) -> None:
    for words, said in (([], b"say where to write"), (["-o", "b.txt"], b"a name that ends in"),
                        (["-o", "b.mp4", "--how", "hide"], b"--how is 'hide'"),
                        (["-o", "b.mp4", "--crf", "40"], b"worse cannot be checked"),
                        (["-o", "b.mp4", "--types", "scene"], b"--types has 'scene'"),
                        (["-o", "b.mp4", "--limit", "9"], b"leave frames out"),
                        (["-o", "/dev/stdout.mp4/x.mp4"], b"there is no folder"),
                        (["-o", "b.mp4"], b"nothing says what to hide"),
                        (["-o", "a.mp4"], b"a.mp4 exists")):
        done = redact("a.mp4", *words)
        assert done.returncode in (2, 3) and said in done.stderr, done.stderr
        assert len(done.stderr.splitlines()) == 1


def test_in_a_pipe_as_in_a_shell(run: Vtk, tmp_path: Path) -> None:
    given = run("detect", "--model", "motion", "a.mp4")
    assert run("redact", "-o", tmp_path / "shell.mp4", stdin=given.stdout).returncode == 0
    done = run("pipe", f"detect --model motion | redact -o {tmp_path / 'pipe.mp4'}", "a.mp4")
    assert (done.returncode, done.stdout) == (0, b""), done.stderr
    assert_same_video(tmp_path / "shell.mp4", tmp_path / "pipe.mp4")
    assert detail(seen(tmp_path / "pipe.mp4")[15][1], 15) < 30
