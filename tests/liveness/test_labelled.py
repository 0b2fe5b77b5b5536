"""Faces with labels: folders, tables, what is refused in one line, and which source of records is which file."""

from __future__ import annotations

from pathlib import Path

import pytest

from vtk.errors import UsageError
from vtk.liveness.labelled import Labelled, match, read_labelled, taken


def touch(folder: Path, *names: str) -> Path:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(b"")
    return folder


def table(folder: Path, text: str) -> Path:
    (folder / "labels.csv").write_text(text)
    return folder


def test_folders_at_any_depth(tmp_path: Path) -> None:
    touch(tmp_path, "dev/live/a.jpg", "dev/Spoof/print/session/b.png", "dev/live/notes.txt", "dev/live/.hidden.jpg",
          "test/site/fake/c.mp4", "test/site/genuine/d.JPG")
    found = read_labelled(tmp_path)
    assert [(each.name, each.live, each.attack, each.part) for each in found] == [
        ("dev/Spoof/print/session/b.png", False, "print", "dev"), ("dev/live/a.jpg", True, None, "dev"),
        ("test/site/fake/c.mp4", False, "attack", "test/site"), ("test/site/genuine/d.JPG", True, None, "test/site")]
    assert [each.name for each in taken(found, "dev")] == ["dev/Spoof/print/session/b.png", "dev/live/a.jpg"]
    assert taken(found, None) == found and found[0].group == "file dev/Spoof/print/session/b.png"
    with pytest.raises(UsageError, match="--dev-part val: there is dev, test/site"):
        taken(found, "val", "--dev-part")


def test_a_table(tmp_path: Path) -> None:
    table(tmp_path, "\ufefffile,label,attack,subject,split,tone\nx/a.jpg,Real,none,7,dev,dark\ny/b.jpg,bonafide,,,,\n"
                    "c.mp4,ATTACK,replay,7,test,\nd.jpg,fake,,8,test,light\n")
    found = read_labelled(tmp_path)
    assert found == read_labelled(tmp_path / "labels.csv")
    assert found[0] == Labelled("x/a.jpg", tmp_path / "x/a.jpg", True, None, "7", "dev")
    assert found[0].columns == {"attack": "none", "subject": "7", "split": "dev", "tone": "dark"}
    assert found[0].group == found[2].group == "subject 7" and found[3].columns["tone"] == "light"
    assert [(each.live, each.attack, each.part) for each in found[1:]] == [
        (True, None, None), (False, "replay", "test"), (False, "attack", "test")]
    assert [each.part for each in read_labelled(tmp_path, "tone")] == ["dark", None, None, "light"]


@pytest.mark.parametrize(("text", "said"), [
    ("file,label\na.jpg,live\nb.jpg,maybe\n", "line 3: the label maybe is not known: live, real"),
    ("file,label\na.jpg,live\nb.jpg,live\na.jpg,fake\n", "line 4: a.jpg is listed in line 2 already"),
    ("file,label\na.jpg,\n", "line 2: label is empty"), ("file,label\n,live\n", "line 2: file is empty"),
    ("file,class\na.jpg,live\n", "has no column label: there is file, class"), ("", "has no column file: there"),
    ("file,label\n", "lists no file"), ("file,label\n\xff\n", "labels.csv, line 2: byte 0xff is not UTF-8"),
])
def test_what_is_wrong_in_a_table(text: str, said: str, tmp_path: Path) -> None:
    (tmp_path / "labels.csv").write_bytes(text.encode("latin-1"))
    with pytest.raises(UsageError) as error:
        read_labelled(tmp_path)
    assert said in str(error.value) and "\n" not in str(error.value)


def test_what_is_wrong_with_folders(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="gone: a folder of labelled faces or a csv file"):
        read_labelled(tmp_path / "gone")
    with pytest.raises(UsageError, match="gone.csv: No such file"):
        read_labelled(tmp_path / "gone.csv")
    with pytest.raises(UsageError, match="no labelled faces"):
        read_labelled(touch(tmp_path / "empty", "live/a.txt"))
    with pytest.raises(UsageError, match="c.jpg: no folder says whether it is live"):
        read_labelled(touch(tmp_path / "some", "live/a.jpg", "other/c.jpg"))
    with pytest.raises(UsageError, match="its folders say both live and fake"):
        read_labelled(touch(tmp_path / "both", "live/fake/a.jpg"))
    with pytest.raises(UsageError, match="--split x: a column of .*labels.csv, which is not there"):
        read_labelled(touch(tmp_path / "split", "live/a.jpg"), "x")
    with pytest.raises(UsageError, match="has no column x: there is file, label"):
        read_labelled(table(touch(tmp_path / "t", "a.jpg"), "file,label\na.jpg,live\n"), "x")


def labels(*names: str, folder: str = "faces") -> list[Labelled]:
    return [Labelled(name, Path(folder) / name, True) for name in names]


def test_sources_are_matched_by_path_then_by_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    known = labels("real/a.jpg", "real/b.jpg", "fake/a.jpg", "fake/c.mp4", "d.jpg")
    for sources, expected in (
            (["faces/real/a.jpg", "faces/fake/a.jpg"], ["real/a.jpg", "fake/a.jpg"]), (["./faces/d.jpg"], ["d.jpg"]),
            ([str(tmp_path / "faces/real/b.jpg")], ["real/b.jpg"]),
            (["real/a.jpg", "elsewhere/fake/a.jpg", "d.jpg"], ["real/a.jpg", "fake/a.jpg", "d.jpg"]),
            (["shots/c.mp4", "b.jpg", "a.jpg", "new.jpg"], ["fake/c.mp4", "real/b.jpg"]),
            (["x/c.mp4", "y/c.mp4"], [])):
        found = match(known, sources)
        assert [label.name for label in found.values()] == expected, sources
    with pytest.raises(UsageError, match=r"x/real/a.jpg and y/real/a.jpg are both real/a.jpg of the labels"):
        match(known, ["x/real/a.jpg", "y/real/a.jpg"])


def test_names_that_are_not_utf_8_are_matched() -> None:
    name = b"caf\xe9.jpg".decode("utf-8", "surrogateescape")
    assert [label.name for label in match(labels(name), ["file:faces/caf%E9.jpg"]).values()] == [name]
    assert not match(labels("b.jpg"), ["file://elsewhere/a.jpg"]), "a file of another machine"
