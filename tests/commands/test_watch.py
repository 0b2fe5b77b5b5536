"""``vtk watch``: files that really land, by other threads, while it runs; nothing here waits for a fixed time."""

from __future__ import annotations

import json
import os
import shutil
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Thread

import pytest
from clips import make_clip

from conftest import run_vtk
from vtk.cli import load
from vtk.errors import UsageError, VtkError
from vtk.watching import changes, running
from vtk.watching.landing import is_being_written

PIPE = "detect --model motion"
SECONDS = 60.0  # so long nothing here takes, on any machine


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_clip(tmp_path_factory.mktemp("clip") / "square.mp4", frames=12)


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Return the current folder, in which ``in`` is to be watched; a signal that comes too late ends nothing."""
    (tmp_path / "in").mkdir()
    monkeypatch.chdir(tmp_path)
    before = {number: signal.signal(number, signal.SIG_IGN) for number in (signal.SIGTERM, signal.SIGINT)}
    yield tmp_path
    for number, handler in before.items():
        signal.signal(number, handler)


def watch(*words: str, pipe: str = PIPE, folder: str = "in") -> int:
    """Run the command in this process and return its exit code."""
    try:
        load("watch").main([folder, pipe, "--out-dir", "out", "--settle", "0.1", *words], prog_name="watch",
                           standalone_mode=False)
    except SystemExit as end:
        return int(end.code or 0)
    return 0


def until(true: Callable[[], object]) -> None:
    """Wait until something is so."""
    end = time.monotonic() + SECONDS
    while not true():
        assert time.monotonic() < end, "it never came"
        time.sleep(0.01)


def statuses(name: str) -> list[str]:
    """Return how a source ended, as its records say; nothing where there are none yet."""
    path = Path("out", "in", f"{name}.jsonl")
    lines = path.read_bytes().splitlines() if path.exists() else []
    return [record["status"] for record in map(json.loads, lines) if record["type"] == "end"]


def while_it_watches(work: Callable[[], None], *words: str, ends: int = signal.SIGTERM, **more: str) -> int:
    """Run the command with another thread beside it that does ``work`` and then stops it; return its exit code."""
    troubles: list[BaseException] = []

    def beside() -> None:
        try:
            until(lambda: callable(signal.getsignal(signal.SIGTERM)))
            work()
        except BaseException as error:
            troubles.append(error)
        os.kill(os.getpid(), ends)

    thread = Thread(target=beside)
    thread.start()
    try:
        return watch(*words, **more)
    finally:
        thread.join()
        assert not troubles, troubles


def whole(folder: Path) -> dict[str, bytes]:
    """Return the records of each source below a folder of them."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def test_what_is_there_is_done_as_by_vtk_pipe_and_once(clip: Path, place: Path) -> None:
    (place / "in" / "deep").mkdir()
    for name in ("a b.mp4", "deep/c.mp4", "ü.mp4"):
        shutil.copy(clip, place / "in" / name)
    (place / "in" / "bad.mp4").write_text("no film")
    (place / "in" / "notes.txt").write_text("no film either")
    assert run_vtk("pipe", PIPE, "in", "--out-dir", "piped", cwd=place).returncode == 1
    assert watch("--once") == 1
    assert whole(place / "out") == whole(place / "piped")
    assert set(statuses("a b.mp4")) == {"ok"} and set(statuses("bad.mp4")) == {"failed"}
    before = {path: path.stat().st_ino for path in (place / "out").rglob("*.jsonl")}
    assert watch("--once") == 1, "what failed is tried again"
    assert {path.name for path, number in before.items() if path.stat().st_ino != number} == {"bad.mp4.jsonl"}
    (place / "in" / "bad.mp4").unlink()
    assert watch("--once") == 0


def refusing(*folders: str, **options: object) -> Iterator[set[tuple[int, str]]]:
    """Be watchfiles where the system watches no more folders."""
    raise RuntimeError("OS file watch limit reached")
    yield set()


@pytest.mark.parametrize("how", ["told", "listed", "not installed", "at its limit"])
def test_files_are_done_when_they_are_whole(how: str, clip: Path, place: Path, monkeypatch: pytest.MonkeyPatch,
                                            capfd: pytest.CaptureFixture[str]) -> None:
    """A copy that stalls, a rename, a new folder and a link; a bad file between them; one that goes away."""
    if how == "told":
        pytest.importorskip("watchfiles")
    elif how != "listed":
        monkeypatch.setattr(changes, "_watcher", lambda: None if how == "not installed" else refusing)
        monkeypatch.setattr(running, "UNTOLD", 0.05)
    data, seen = clip.read_bytes(), {}

    def work() -> None:
        with open("in/slow.mp4", "wb") as file:
            file.write(data[:1000])
            file.flush()
            told = is_being_written("in/slow.mp4")
            Path("in/moved.mp4.part").write_bytes(data)
            Path("in/new/er").mkdir(parents=True)
            shutil.copy(clip, "in/new/er/b.mp4")
            Path("in/bad.mp4").write_bytes(b"")
            Path("in/link.mp4").symlink_to(clip)
            until(lambda: statuses("new/er/b.mp4") and statuses("bad.mp4") and statuses("link.mp4"))
            seen.update(slow=statuses("slow.mp4") if told else [], moved=statuses("moved.mp4"))
            os.rename("in/moved.mp4.part", "in/moved.mp4")
            until(lambda: statuses("moved.mp4"))
            file.write(data[1000:])
        until(lambda: statuses("slow.mp4") == ["ok"])  # without leases it was done before too, and failed
        Path("in/link.mp4").unlink()

    assert while_it_watches(work, *(("--poll", "0.05") if how == "listed" else ())) == 1
    assert ("limit reached): the folder is listed instead" in capfd.readouterr().err) == (how == "at its limit")
    assert seen == {"slow": [], "moved": []}, "not before it was whole"
    assert statuses("bad.mp4") == ["failed"]
    assert {*statuses("moved.mp4"), *statuses("new/er/b.mp4"), *statuses("link.mp4")} == {"ok"}
    assert not [path for path in Path("out").rglob("*") if path.is_file() and path.suffix != ".jsonl"]


def test_a_file_that_changes_is_done_again(clip: Path, place: Path, tmp_path: Path) -> None:
    """One of the same size, beginning and end as well; one that is only touched stays what it was."""
    other = make_clip(tmp_path / "other.mp4", frames=8)
    shutil.copy(clip, "in/a.mp4")
    numbers = []

    def work() -> None:
        until(lambda: statuses("a.mp4"))
        numbers.append(Path("out/in/a.mp4.jsonl").stat().st_ino)
        shutil.copy(other, "in/new.tmp")
        os.rename("in/new.tmp", "in/a.mp4")
        until(lambda: b'"decoded":8,' in Path("out/in/a.mp4.jsonl").read_bytes())
        numbers.append(Path("out/in/a.mp4.jsonl").stat().st_ino)
        Path("in/a.mp4").chmod(0o600)
        shutil.copy(clip, "in/b.mp4")
        until(lambda: statuses("b.mp4"))

    assert while_it_watches(work) == 0
    assert numbers[0] != numbers[1] == Path("out/in/a.mp4.jsonl").stat().st_ino


def test_hundreds_at_once_are_each_done_once(place: Path) -> None:
    from PIL import Image

    Image.new("RGB", (8, 8)).save(place / "one.png")
    names = [f"{number:03}.png" for number in range(300)]

    def work() -> None:
        for name in names:
            os.link(place / "one.png", f"in/{name}")
        until(lambda: all(Path("out", "in", f"{name}.jsonl").exists() for name in names))

    assert while_it_watches(work, pipe="probe") == 0
    found = whole(place / "out" / "in")
    assert sorted(found) == [f"{name}.jsonl" for name in names]
    assert all(lines.count(b'"type":"media"') == 1 for lines in found.values())


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 0)])
def test_a_signal_ends_it_after_the_file_at_work(number: int, code: int, clip: Path, place: Path) -> None:
    for name in ("a.mp4", "b.mp4"):
        shutil.copy(clip, f"in/{name}")
    assert while_it_watches(lambda: until(lambda: list(Path("out").rglob("*"))), ends=number) == code
    assert [path.name for path in Path("out").rglob("*.part")] == [], "what was begun is whole"
    assert watch("--once") == 0
    assert set(statuses("a.mp4") + statuses("b.mp4")) == {"ok"}


def test_it_stops_by_itself_when_nothing_comes(clip: Path, place: Path) -> None:
    shutil.copy(clip, "in/a.mp4")
    assert watch("--max-idle", "0.05") == 0
    assert statuses("a.mp4") == ["ok"]


def test_records_go_to_stdout_as_well(clip: Path, place: Path, capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    for name in ("a.mp4", "b.mp4"):
        shutil.copy(clip, f"in/{name}")
    assert watch("--once", "--tee", "--quiet") == 0
    out, err = capfdbinary.readouterr()
    assert out == b"".join(whole(place / "out").values()) and err == b""


def test_two_watchers_share_a_folder_by_shards(clip: Path, place: Path) -> None:
    for number in range(6):
        shutil.copy(clip, f"in/{number}.mp4")
    assert watch("--once", "--shard", "1/2") == 0
    first = set(whole(place / "out"))
    assert watch("--once", "--shard", "2/2") == 0
    assert 0 < len(first) < len(whole(place / "out")) == 6


def test_what_cannot_be_watched_is_refused(clip: Path, place: Path) -> None:
    for words, message in (
            ({"folder": "nothing"}, "a folder is needed"),
            ({"pipe": "track --detector motion | reid --model colour --threshold 0.9"}, "there is no last one; --embed-only"),
            ({"pipe": "detect --model motion | draw --out-dir drawn"}, "give it --tee"),
            ({"pipe": "detect --model motion | draw --out-dir in/drawn --tee"}, "draw --out-dir in/drawn .*would land there"),
            ({"pipe": "recognize-scene --shots-only --thumbs in/t"}, "recognize-scene --thumbs in/t .*would land there"),
            ({"pipe": "sort"}, "has no stage")):
        with pytest.raises(UsageError, match=message):
            watch("--once", **words)
    assert not Path("out").exists()


def test_a_sink_makes_its_files_beside_the_records(clip: Path, place: Path) -> None:
    shutil.copy(clip, "in/a.mp4")
    assert watch("--once", pipe="detect --model motion | draw --out-dir drawn --tee") == 0
    assert Path("drawn/in/a.mp4").stat().st_size > 1000
    assert statuses("a.mp4") == ["ok", "ok"]


def test_a_folder_that_goes_away_is_said(place: Path) -> None:
    with pytest.raises(VtkError, match="in: the folder that is watched is gone"):
        while_it_watches(lambda: until(lambda: os.rmdir("in") is None), "--poll", "0.05", ends=0)


def test_a_recipe_is_a_pipe(clip: Path, place: Path) -> None:
    shutil.copy(clip, "in/a.mp4")
    Path("r.toml").write_text('[[stage]]\ncommand = "detect"\nmodel = "motion"\n')
    assert watch("--once", pipe="r.toml") == 0
    assert statuses("a.mp4") == ["ok"]
    Path("r.toml").write_text('[run]\njobs = 2\n[[stage]]\ncommand = "detect"\nmodel = "motion"\n')
    with pytest.raises(UsageError, match="jobs is nothing that watch could do"):
        watch("--once", pipe="r.toml")


def test_the_second_signal_ends_it_at_once(place: Path) -> None:
    asked = running.Asked()
    with running.listening(asked, changes.Changes("in", listen=False)):
        os.kill(os.getpid(), signal.SIGINT)
        until(lambda: asked.by == signal.SIGINT)
        with pytest.raises(KeyboardInterrupt):
            os.kill(os.getpid(), signal.SIGINT)
            until(lambda: False)
