"""Upgrades: nothing is lost by one, whatever happens meanwhile."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from coded import code_clip

from vtk.copies import reference_place
from vtk.copies.adding import add_sources
from vtk.copies.descriptors import DctDescriptor, PdqDescriptor
from vtk.copies.footprint import FramePlan
from vtk.copies.reference_library import ReferenceLibrary
from vtk.copies.upgrading import upgrade
from vtk.errors import UsageError
from vtk.library import LibraryError

DCT, PDQ = DctDescriptor(), PdqDescriptor()
PLAN = FramePlan(rate=2)


@pytest.fixture
def uri(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Return a library of three clips, beside a fourth that it has not."""
    monkeypatch.chdir(tmp_path)
    for clip in range(4):
        code_clip(tmp_path / f"{clip}.mp4", clip, 20, 10.0)
    with ReferenceLibrary.open("films.lance", DCT) as references:
        list(add_sources(references, ["0.mp4", "1.mp4", "2.mp4"], PLAN))
    return "films.lance"


def names(uri: str) -> list[str]:
    return [each.source for each in ReferenceLibrary.open(uri).list()]


def test_what_others_add_and_remove_meanwhile_is_kept(uri: str) -> None:
    def told(source: str, outcome: str) -> None:
        if source == "1.mp4":
            other = ReferenceLibrary.open(uri, DCT)
            list(add_sources(other, ["3.mp4"], PLAN))
            other.remove("0.mp4")

    before = ReferenceLibrary.open(uri, DCT)
    done = upgrade(uri, PDQ, told=told)
    assert (done.references, done.lost, done.whole) == (3, {}, True)
    references = ReferenceLibrary.open(uri, PDQ)
    assert [each.source for each in references.list()] == ["1.mp4", "2.mp4", "3.mp4"]
    assert {each.plan for each in references.list()} == {"uniform:2"}
    query = references.footprint("3.mp4")
    assert (references.locate(references.search(query.vectors, 1)[1][:, 0])[0] == 2).all()
    with pytest.raises(LibraryError, match="'films.lance' was upgraded by another process: open it again"):
        before.remove("1.mp4")
    with pytest.raises(LibraryError, match="'films.lance' was upgraded by another process: open it again"):
        before.refresh()


KILLED = """
import os, signal
from vtk.copies.descriptors import PdqDescriptor
from vtk.copies.upgrading import upgrade
upgrade("films.lance", PdqDescriptor(), told=lambda source, outcome: os.kill(os.getpid(), signal.SIGKILL))
"""


def test_one_that_was_killed_is_gone_on_with(uri: str, tmp_path: Path) -> None:
    done = subprocess.run([sys.executable, "-c", KILLED], cwd=tmp_path, check=False, capture_output=True)
    assert done.returncode == -signal.SIGKILL, done.stderr
    assert names(uri) == ["0.mp4", "1.mp4", "2.mp4"] and ReferenceLibrary.open(uri).held == DCT.space
    os.unlink("0.mp4")  # it has been described already
    told: list[str] = []
    assert upgrade(uri, PDQ, told=lambda source, outcome: told.append(source)).whole
    assert told == ["1.mp4", "2.mp4"] and names(uri) == ["0.mp4", "1.mp4", "2.mp4"]


def test_the_old_tables_go_even_where_a_kill_left_them(uri: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(reference_place, "clear", lambda uri: None)
        upgrade(uri, PDQ)
    assert Path(uri, "references").is_dir() and ReferenceLibrary.open(uri).held == PDQ.space
    list(add_sources(ReferenceLibrary.open(uri, PDQ), ["3.mp4"]))
    left = {path.name for path in Path(uri).iterdir()}
    assert left == {".turn", "current.json", "by-" + PDQ.space.split("@")[1]}


def test_what_cannot_be_upgraded_is_refused(uri: str) -> None:
    with pytest.raises(UsageError, match="is of dct@.* already: there is nothing to upgrade"):
        upgrade(uri, DCT)
    with pytest.raises(LibraryError, match="no library at 'none.lance'"):
        upgrade("none.lance", PDQ)
