"""A folder with broken clips among the others gives the same records however it is done, and after a kill."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import orjson
import pytest

from vtk.engines.folder_bench import PIPE, do, make_folder, told, ways

CLIPS, BROKEN = 24, 3
FEW, BROKEN_OF_FEW = 6, 2
WAYS = ("jobs", "shard", "ray", "watch", "parallel", "xargs", "slurm")


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with the clips, in ``videos``, and what one process makes of them, in ``one``."""
    return filled(tmp_path_factory.mktemp("ways"), CLIPS, BROKEN)


def filled(folder: Path, clips: int, broken: int) -> Path:
    make_folder(folder / "videos", clips, broken)
    do(folder, "one", PIPE, "one", clips, False)
    return folder


def test_one_process_tells_what_is_broken(place: Path) -> None:
    found = told(place / "one")
    ends = Counter((record["source"], record["status"]) for record in map(orjson.loads, found.lines)
                   if record["type"] == "end")
    assert set(ends.values()) == {2}, "one of each stage, of each source"
    assert Counter(status for _, status in ends) == {"ok": CLIPS - BROKEN, "failed": BROKEN}
    assert len(set(found.lines)) == len(found.lines), "nothing twice"


@pytest.mark.parametrize("name", WAYS)
def test_each_way_gives_the_same_records_once(name: str, place: Path) -> None:
    """Killed in the middle with all its processes, and started again; nothing is left of what was begun."""
    check(name, place, CLIPS)


def test_make_gives_the_same_records_once(tmp_path: Path) -> None:
    """A process for each clip: here there are fewer of them."""
    check("make", filled(tmp_path, FEW, BROKEN_OF_FEW), FEW)


def check(name: str, place: Path, clips: int) -> None:
    if name not in ways(PIPE, str(place / "out")):
        pytest.skip(f"{name} is not installed")
    found = do(place, name, PIPE, f"{name}-out", clips, kill=name != "xargs")  # that is GNU parallel's script
    assert found.lines == told(place / "one").lines
    assert (found.files, found.left) == (clips, 0)
