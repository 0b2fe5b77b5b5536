"""Every pair of commands that composes gives in one process what it gives in two: the records, and the files.

One stage goes before another on a clip in which something moves: detectors that need no weights find it, and where a
network does the work it sees the same pixels on both sides. A pipe's second command reads the first one's records, or
looks at the media by itself where these are none that it reads.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

import pytest
from clips import make_clip
from encoded import assert_same_video
from filter_calls import CALLS, HAS_WEIGHTS, READ_NO_RECORDS, WITH_WEIGHTS

from conftest import run_vtk
from vtk.cli import COMMANDS, load
from vtk.driver.run import collect
from vtk.driver.stage import Stage
from vtk.piping import parse, split

# How each sink is called: {out} is a new folder. Of the formats of export there is one, that takes all records.
SINKS: dict[str, str] = {
    "draw": "draw -o {out}/seen.mp4",
    "sheet": "sheet -o {out}/sheet.png",
    "frames": "frames -o {out}/frames --size 64",
    "crop": "crop -o {out}/crops",
    "clip": "clip --out-dir {out}/clips",
    "redact": "redact -o {out}/hidden.mp4",
    "report": "report -o {out}/page.html",
    "export coco": "export coco -o {out}/coco.json",
}
FILTERS = {name: " ".join(words) for name, words in CALLS.items() if name != "sort"}
FIRST = [pytest.param(name, marks=HAS_WEIGHTS) if name in WITH_WEIGHTS else name for name in FILTERS]
SECOND = {**FILTERS, **{name: f"{text} --tee" for name, text in SINKS.items()}}


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_clip(tmp_path_factory.mktemp("pairs") / "clip.mp4", frames=14)


@cache
def said(first: str, clip: Path) -> bytes:
    """Return the records that a command gives of the clip."""
    return run_vtk(*first.split(), clip).stdout


def fronted(first: str, second: str, clip: Path) -> bytes:
    """Return what the first command says, sorted where the second wants records about spans before all frames."""
    [one], [other] = (stages(first), stages(SECOND[second].format(out="x")))
    records = said(first, clip)
    return run_vtk("sort", stdin=records).stdout if one.writes & other.early else records


def stages(text: str) -> list[Stage]:
    """Return the stage of each command of a pipe."""
    return [plan.factory() for plan in parse(split(text))]


def tree(folder: Path) -> dict[str, bytes]:
    """Return the files below a folder by their names in it."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def test_every_command_with_a_stage_is_asked() -> None:
    """Of the sinks only those that look at pixels or hear all: what makes tables of records sees the same lines."""
    kinds = {name: kind for name, kind, _ in COMMANDS}
    asked = {name.split()[0] for name in SECOND} | READ_NO_RECORDS | {"sort"}
    assert asked == {name for name, kind in kinds.items() if kind in ("filter", "sink")}
    for text in SINKS.values():
        words = text.format(out="x").split()
        assert len(collect(lambda words=words: load(words[0]).main(words[1:], standalone_mode=False))) == 1, words


@pytest.mark.parametrize("name", FIRST)
@pytest.mark.parametrize("second", [pytest.param(name, marks=HAS_WEIGHTS) if name in WITH_WEIGHTS else name
                                    for name in SECOND])
def test_a_pair_in_one_process_equals_two(name: str, second: str, clip: Path, tmp_path: Path) -> None:
    first = FILTERS[name]
    texts = {}
    for way in ("fused", "piped"):
        (tmp_path / way).mkdir()
        texts[way] = SECOND[second].format(out=tmp_path / way)
    fused = run_vtk("pipe", f"{first} | {texts['fused']}", clip)
    piped = run_vtk(*texts["piped"].split(), stdin=fronted(first, second, clip))
    assert fused.returncode == piped.returncode, (fused.stderr.decode(), piped.stderr.decode())
    assert b"Traceback" not in fused.stderr + piped.stderr
    assert fused.stdout == piped.stdout
    theirs, ours = tree(tmp_path / "fused"), tree(tmp_path / "piped")
    assert list(theirs) == list(ours)
    for file in theirs:
        if file.endswith(".mp4"):
            assert_same_video(tmp_path / "fused" / file, tmp_path / "piped" / file)
        else:
            assert theirs[file] == ours[file], file
    assert fused.stdout.count(b'"type":"end"') >= 1
