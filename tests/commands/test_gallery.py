"""``vtk gallery``: what each subcommand says and does, and what is wrong in one line."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from crowd import LIKE, OTHER, SPACE, crowd, fill, seen, write_embeddings

from conftest import Vtk
from vtk.cli import load
from vtk.errors import RecordError, UsageError
from vtk.library import LibraryError, Space
from vtk.library.entries import schema
from vtk.library.header import Header
from vtk.library.storage import connect, create_table
from vtk.records import check
from vtk.reid.people import assign_people


@pytest.fixture
def people(tmp_path: Path) -> Path:
    """Return a gallery of five people, each seen by two cameras."""
    fill(tmp_path / "people.lance", 5)
    return tmp_path / "people.lance"


@pytest.fixture
def gallery(capfd: pytest.CaptureFixture[str]) -> Callable[..., list[str]]:
    """Return a function that runs ``vtk gallery`` in this process and gives its lines; errors are raised."""

    def run(*words: object) -> list[str]:
        capfd.readouterr()
        load("gallery").main([*map(str, words)], prog_name="vtk gallery", standalone_mode=False)
        return capfd.readouterr().out.splitlines()

    return run


def test_list_is_a_table_or_json(people: Path, gallery: Callable[..., list[str]]) -> None:
    head, first, *rest = gallery("list", people)
    assert head.split() == ["IDENTITY", "TRACKLETS", "SOURCES", "FIRST", "LAST"] and len(rest) == 4
    assert first.split()[:3] == ["p000001", "2", "2"]
    rows = [json.loads(line) for line in gallery("list", people, "--json")]
    assert [row["identity"] for row in rows] == [f"p00000{number}" for number in range(1, 6)]
    assert rows[0]["tracklets"] == 2 and rows[0]["first"] == first.split()[3]


def test_show_has_tracklets_and_neighbours(people: Path, gallery: Callable[..., list[str]]) -> None:
    lines = gallery("show", people, "p000002")
    assert lines[0].split() == ["TRACKLET", "SOURCE", "TRACK_ID", "START", "END", "ADDED"]
    assert [line.split()[1:5] for line in lines[1:3]] == [["cam1.mp4", "2", "2.00", "6.00"],
                                                          ["cam2.mp4", "2", "2.00", "6.00"]]
    assert lines[4].split() == ["IDENTITY", "DISTANCE", "COSINE", "TRACKLETS"] and len(lines) == 5 + 4
    shown = json.loads(gallery("show", people, "p000002", "--json", "--nearest", 2)[0])
    assert [row["tracklet"] for row in shown["tracklets"]] == [line.split()[0] for line in lines[1:3]]
    assert [row["identity"] for row in shown["nearest"]] == [line.split()[0] for line in lines[5:7]]
    assert "camera" not in shown["tracklets"][0], "absent is absent"
    assert len(gallery("show", people, "p000002", "--nearest", 0)) == 3


def test_merge_split_rename_remove_forget(people: Path, gallery: Callable[..., list[str]]) -> None:
    assert gallery("merge", people, "p000001", "p000002", "p000003") == ["p000001: 4 tracklets joined, 6 in all"]
    one = json.loads(gallery("show", people, "p000001", "--json")[0])["tracklets"][0]["tracklet"]
    assert gallery("split", people, "p000001", one, "cam2.mp4#3") == ["p000006"]
    assert gallery("rename", people, "p000006", "Ann") == ["Ann: 2 tracklets"]
    assert gallery("remove", people, "p000004") == ["2 tracklets removed"]
    assert gallery("forget", people, "p000005", "--retention", 30) == ["2 tracklets forgotten, 6 left"]
    assert gallery("forget", people) == ["0 tracklets forgotten, 6 left"]
    said = dict(line.split(maxsplit=1) for line in gallery("stats", people))
    assert (said["identities"], said["tracklets"], said["removed"], said["space"]) == ("2", "6", "0", SPACE)
    assert json.loads(gallery("stats", people, "--json")[0])["identities"] == 2


def test_export_is_records(people: Path, gallery: Callable[..., list[str]]) -> None:
    records = [json.loads(line) for line in gallery("export", people)]
    for record in records:
        check(record)
    assert [record["type"] for record in records[:2]] == ["embedding", "identity"] and len(records) == 20
    assert records[0]["space"] == SPACE and records[1]["identity"] == "p000001"


def test_upgrade_takes_embeddings_from_files_and_stdin(vtk: Vtk, people: Path, tmp_path: Path,
                                                       gallery: Callable[..., list[str]]) -> None:
    anew = tmp_path / "embeddings.jsonl"
    write_embeddings(anew, 5)
    assert gallery("upgrade", people, "--sources") == ["cam1.mp4", "cam2.mp4"]
    assert gallery("upgrade", people, anew, "-o", tmp_path / "new.lance") == [f"10 tracklets in {tmp_path}/new.lance"]
    assert assign_people(str(tmp_path / "new.lance"), *seen(crowd(2), OTHER), LIKE)[0] == ["p000001", "p000002"] * 2
    some = b"".join(line for line in anew.read_bytes().splitlines(True) if b'"cam1' in line)
    found = vtk("gallery", "upgrade", people, "-o", tmp_path / "half.lance", stdin=b'{"type":"weather"}\n' + some)
    assert found.returncode == 1 and found.stdout == f"5 tracklets in {tmp_path}/half.lance\n".encode()
    assert found.stderr == (b"vtk gallery: 5 tracklets have no new embedding, of 5 identities, 0 of them with none at "
                            b"all; embed cam2.mp4\n")
    anew.write_bytes(anew.read_bytes()[:-150])
    with pytest.raises(RecordError, match="embeddings.jsonl, line 10: "):
        gallery("upgrade", people, anew, "-o", tmp_path / "cut.lance")
    with pytest.raises(UsageError, match="stores no crops: embed its 2 sources anew"):
        gallery("upgrade", people)


def test_index_needs_enough(people: Path, gallery: Callable[..., list[str]]) -> None:
    with pytest.raises(UsageError, match="got 10 entries, expected at least 256"):
        gallery("index", people)


def test_runs_over_many_files_share_a_gallery(vtk: Vtk, tmp_path: Path) -> None:
    """What --finish reads of files goes to the gallery as what a run embedded: the next run knows them again."""
    (tmp_path / "runs").mkdir()
    ask = ("reid", "--finish", tmp_path / "runs", "--threshold", str(LIKE), "--gallery", tmp_path / "people.lance")

    def who() -> dict[tuple[str, int], str]:
        found = vtk(*ask)
        assert (found.returncode, found.stderr) == (0, b"")
        records = [json.loads(line) for line in found.stdout.splitlines() if b'"type":"identity"' in line]
        return {(record["source"], record["track_id"]): record["identity"] for record in records}

    write_embeddings(tmp_path / "runs" / "monday.jsonl", 3)
    first = who()
    assert first == {(f"cam{camera}.mp4", track): f"p00000{track}" for camera in (1, 2) for track in (1, 2, 3)}
    write_embeddings(tmp_path / "runs" / "monday.jsonl", 5)
    assert {key: name for key, name in who().items() if key in first} == first
    assert who()["cam1.mp4", 5] == "p000005"
    found = vtk("reid", "--finish", people_of_another_model(tmp_path), *ask[3:])
    assert (found.returncode, found.stdout.count(b'"type":"identity"')) == (2, 0)
    assert b"vtk gallery upgrade" in found.stderr and found.stderr.count(b"\n") == 1


def people_of_another_model(folder: Path) -> Path:
    """Return a folder with embeddings that another model made."""
    (folder / "others").mkdir()
    write_embeddings(folder / "others" / "run.jsonl", 3, SPACE)
    return folder / "others"


def newer(folder: Path) -> None:
    """Make a gallery of a format that this program does not know."""
    stated = Header(Space("net", "0" * 64, 4)).metadata()
    create_table(connect(str(folder)), str(folder), schema(4, "float16", {**stated, "vtk.format_version": "9"}))


def test_what_is_no_gallery_is_one_line(vtk: Vtk, people: Path, tmp_path: Path,
                                        gallery: Callable[..., list[str]]) -> None:
    found = vtk("gallery", "show", people, "p00003")
    assert (found.returncode, found.stdout) == (2, b"")
    assert found.stderr == f"vtk: no identity 'p00003' in {people}: did you mean 'p000003'?\n".encode()
    newer(tmp_path / "newer.lance")
    for place, message in ((tmp_path / "none", "no gallery at '.*none': vtk reid --gallery makes one"),
                           (Path(__file__), "gallery.py' is a file"),
                           (tmp_path / "newer.lance", "has format 9, this program reads up to 1; install a newer vtk")):
        with pytest.raises(LibraryError, match=message) as refused:
            gallery("list", place)
        assert refused.value.exit_code == (1 if place.name == "newer.lance" else 2)
    for path in (people / "entries.lance" / "_versions").iterdir():
        path.write_bytes(path.read_bytes()[:20])
    with pytest.raises(LibraryError, match="cannot be used: .*cut short"):
        gallery("list", people)
