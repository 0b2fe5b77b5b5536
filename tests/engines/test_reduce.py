"""Results across sources by several processes: byte for byte what one process gives."""

from __future__ import annotations

import json
import os
import pickle
from collections.abc import Callable, Sequence
from functools import partial
from itertools import takewhile
from pathlib import Path
from subprocess import CompletedProcess

import cv2
import pytest
from called import loader
from clips import make_clip
from filmed import Part, film
from painted import BLUE, GREEN, RED, panel, picture, plant

from vtk.driver.chain import OfRun, Opening, Step
from vtk.driver.passes import Done, Tally, run_passes
from vtk.driver.run import prepare, run
from vtk.engines.reduce import Factory, left_of, split_across
from vtk.errors import UsageError, VtkError
from vtk.probing import ProbeStage
from vtk.records import dump
from vtk.reid.identity_records import Deciding
from vtk.reid.stage import Plan, ReidStage
from vtk.species.stage import SpeciesStage
from vtk.species.whereabouts import Finder
from vtk.tracking import TrackStage

Vtk = Callable[..., "CompletedProcess[bytes]"]
REID = ("reid", "clips", "--detector", "motion", "--classes", "motion", "--model", "colour", "--threshold", "0.9")


@pytest.fixture
def vtk(capfdbinary: pytest.CaptureFixture[bytes], monkeypatch: pytest.MonkeyPatch) -> Vtk:
    """Return a function that runs a command in this process, in a folder."""
    return loader(capfdbinary, monkeypatch)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with clips/ of moving squares, one broken, and films/ that show parts of each other."""
    folder = tmp_path_factory.mktemp("reduce")
    (folder / "clips").mkdir()
    for number in range(2):
        make_clip(folder / "clips" / f"{number}.mp4", frames=12 + number)
    (folder / "clips" / "0-broken.mp4").write_bytes(b"nothing of use" * 50)
    (folder / "films").mkdir()
    film(folder / "films" / "a.mp4", [Part(1, 0, 14)])
    film(folder / "films" / "b.mp4", [Part(9, 0, 5), Part(1, 2, 12)])
    os.link(folder / "films" / "a.mp4", folder / "films" / "c.mp4")
    (folder / "films" / "d.mp4").write_bytes(b"")
    return folder


def files(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


@pytest.mark.parametrize("words", [
    REID, ("detect-copy", "films", "--all-pairs", "--descriptor", "dct", "--hflip"),
], ids=["reid", "detect-copy"])  # fmt: skip
def test_processes_give_what_one_gives(place: Path, tmp_path: Path, vtk: Vtk, words: tuple[str, ...]) -> None:
    one = vtk(*words, cwd=place)
    two = vtk(*words, "--jobs", "2", cwd=place)
    assert two.stdout == one.stdout and (two.returncode, two.stderr) == (one.returncode, one.stderr)
    kinds = [record["type"] for record in map(json.loads, one.stdout.splitlines())]
    assert kinds.count("run") == 2 and {"identity", "copy"} & set(kinds[-5:]), "results across sources come last"
    for name, more in (("one", ()), ("two", ("--jobs", "2"))):
        assert vtk(*words, *more, "--out-dir", tmp_path / name, cwd=place).returncode == one.returncode
    assert files(tmp_path / "one") == files(tmp_path / "two") and "_run.jsonl" in files(tmp_path / "one")


def test_sources_out_of_order_have_the_same_results(place: Path, vtk: Vtk) -> None:
    words = ("detect-copy", "films", "--all-pairs", "--descriptor", "dct")
    mixed = vtk(*words, "--jobs", "2", "--unordered", cwd=place).stdout.splitlines()
    assert sorted(mixed) == sorted(vtk(*words, cwd=place).stdout.splitlines())
    assert mixed[0].startswith(b'{"v":1,"type":"media"') and b'"type":"run"' in mixed[1] and b'"type":"run"' in mixed[-1]


def by_two(factories: Sequence[Factory], names: Sequence[str]) -> list[bytes]:
    """Return the lines of a run of which two sets of stages did every other source, the last ones first."""
    alone, reducer = split_across(factories, names)
    assert reducer is not None
    sets = [[Step(factory(), only) for factory, only in pickle.loads(pickle.dumps(alone))] for _ in range(2)]
    parts: dict[int, list[list[bytes]]] = {}
    for number in reversed(range(len(names))):
        steps = sets[number % 2]
        found = takewhile(lambda item: not isinstance(item, Done),
                          run_passes(steps, [names[number]], None, Opening(), Tally()))
        parts[number] = [item for item in found if isinstance(item, list)]
        reducer.take(number, left_of(steps))
    lines = [line for number in sorted(parts) for item in parts[number]
             for line in (reducer.said(item) if isinstance(item, OfRun) else item)]
    return [*lines, *(line for part in reducer.lines(Tally()) for line in part)]


def test_observations_of_several_are_those_of_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Sums of sums would be rounded otherwise: looks are added one by one, in the order of sources."""
    plant(monkeypatch, panel())
    names = []
    for number, colour in enumerate((RED, GREEN, RED, BLUE, RED)):
        path = tmp_path / "ab"[number % 2] / f"{number}.png"
        path.parent.mkdir(exist_ok=True)
        cv2.imwrite(str(path), picture(colour, shade=10 * number)[..., ::-1])
        names.append(str(path))
    factory = partial(SpeciesStage, finder=Finder(group="folder"))
    whole = [dump(record) for record in run([factory()], names)]
    assert by_two([(factory, False)], names) == whole
    assert sum(b'"observations":3' in line for line in whole) == 1


def test_what_waits_for_the_runs_end_is_refused_in_one_line(place: Path, vtk: Vtk) -> None:
    motion = " ".join(REID[2:])
    for rest, said in (("draw -o out.mp4", "--jobs cannot run draw after reid: it needs identity of all sources, and each "
                                           "process sees some of them; run the pipe up to reid with --jobs, and pipe its "
                                           "records into the rest"),
                       ("sheet -o out.png", "--jobs cannot run sheet after reid: it needs identity of all sources")):
        with pytest.raises(UsageError) as error:
            vtk("pipe", f"reid {motion} | {rest}", "clips", "--jobs", "2", cwd=place)
        assert said in str(error.value) and "\n" not in str(error.value)
        assert not (place / "out.mp4").exists()


@pytest.mark.parametrize("sink", ["draw -o made.mp4", "redact -o made.mp4", "clip -o made.mp4", "export mot -o made.txt",
                                  "export mot -o -"])
def test_one_file_is_not_shared_by_processes(place: Path, vtk: Vtk, sink: str) -> None:
    """Each would write it, and the last one would win."""
    first = "recognize-scene" if sink.startswith("clip") else "track --detector motion"
    with pytest.raises(UsageError, match="--jobs cannot run .* with -o .*: processes do not share .*--out-dir DIR"):
        vtk("pipe", f"{first} | {sink}", "clips", "--jobs", "2", cwd=place)
    assert not list(place.glob("made*"))


def test_one_source_may_have_its_file_by_a_process(place: Path, vtk: Vtk) -> None:
    done = vtk("pipe", "track --detector motion | draw -o one.mp4", "clips/0.mp4", "--jobs", "2", cwd=place)
    assert done.returncode == 0 and (place / "one.mp4").stat().st_size


def test_what_is_dropped_on_the_way_is_reduced_all_the_same(place: Path) -> None:
    """A later stage that keeps only its own records drops embeddings and identities alike."""
    names = [str(place / "clips" / f"{number}.mp4") for number in range(2)]
    tracker = partial(TrackStage, detector="motion", classes=("motion",))
    reid = partial(ReidStage, "colour", plan=Plan(classes=("motion",)), deciding=Deciding(0.9), tracker=tracker)
    for only, kinds in ((False, {"embedding", "identity", "run"}), (True, set())):
        steps = [Step(reid()), Step(ProbeStage(), only)]
        prepare([step.stage for step in steps], True)
        items = run_passes(steps, names, None, Opening(), Tally())
        whole = [line for item in items if isinstance(item, list) for line in item]
        assert by_two([(reid, False), (ProbeStage, only)], names) == whole
        assert kinds == {"embedding", "identity", "run"}.intersection(json.loads(line)["type"] for line in whole)


def test_pipes_without_such_results_are_left_as_they_are() -> None:
    factories, reducer = split_across([(ProbeStage, False)], ["a.mp4"])
    assert reducer is None and factories == [(ProbeStage, False)]


def test_a_run_is_announced_once_and_concluded_with_what_went_wrong() -> None:
    factories, reducer = split_across([(ReidStage, False)], ["a.mp4", "b.mp4"])
    assert reducer is not None
    alone = Step(factories[0][0]()).stage
    assert not alone.across and (alone.by, alone.late_writes) == (ReidStage().by, {"identity"}) and alone.left() == b""
    announced = OfRun([b'{"v":1,"type":"run","by":"%s","late":["identity"]}' % ReidStage().by.encode()])
    assert [reducer.said(announced), reducer.said(announced)] == [announced, []]
    reducer.take(1, [b'{"precision":"fp32"}\n{"v":1,"type":"embedding"}'])
    tally = Tally()
    error, run = (json.loads(line) for [line] in reducer.lines(tally))
    assert error["type"] == "error" and error["error"]["code"] == "E_RECORD" and tally.troubled
    assert run == {"v": 1, "type": "run", "by": ReidStage().by, "late": ["identity"], "status": "failed", "records": 0}


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no disk that is always full")
def test_a_full_disk_is_said_in_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("vtk.engines.reduce.tempfile.TemporaryFile", lambda prefix: open("/dev/full", "w+b"))
    _, reducer = split_across([(ReidStage, False)], ["a.mp4"])
    assert reducer is not None
    with pytest.raises(VtkError, match="cannot put by in .*: No space left on device; TMPDIR") as error:
        reducer.take(0, [b"vectors"])
    assert error.value.code == "E_SPOOL"
    reducer.close()
