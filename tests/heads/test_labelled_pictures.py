"""Pictures with labels: folders, tables, encodings, and what is refused in one line."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from vtk.errors import UsageError
from vtk.heads.labelled import Labelled, read_labelled, taken


def touch(folder: Path, *names: str) -> Path:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(b"")
    return folder


def table(folder: Path, text: str, encoding: str = "utf-8") -> Path:
    touch(folder, "a.jpg", "b.jpg", "x/c.jpg")
    (folder / "labels.csv").write_bytes(text.encode(encoding))
    return folder


def test_a_folder_for_each_label(tmp_path: Path) -> None:
    touch(tmp_path, "forest/b.jpg", "beach/a.PNG", "beach/notes.txt", "beach/.hidden.jpg", "empty/readme")
    assert read_labelled(tmp_path) == [Labelled("beach/a.PNG", tmp_path / "beach/a.PNG", "beach"),
                                       Labelled("forest/b.jpg", tmp_path / "forest/b.jpg", "forest")]


def test_a_folder_for_each_part(tmp_path: Path) -> None:
    touch(tmp_path, "train/forest/b.jpg", "test/beach/a.jpg")
    found = read_labelled(tmp_path)
    assert [(each.label, each.part) for each in found] == [("beach", "test"), ("forest", "train")]
    assert taken(found, "train") == found[1:] and taken(found, None) == found
    with pytest.raises(UsageError, match="--check dev: there is test, train"):
        taken(found, "dev", "--check")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_a_table(encoding: str, tmp_path: Path) -> None:
    table(tmp_path, "file,label,split,country\na.jpg, forêt ,train,FR\nx/c.jpg,côte,test,\n", encoding)
    found = read_labelled(tmp_path)
    assert found == read_labelled(tmp_path / "labels.csv")
    assert [(each.name, each.label, each.part) for each in found] == [("a.jpg", "forêt", "train"),
                                                                     ("x/c.jpg", "côte", "test")]
    assert [each.part for each in read_labelled(tmp_path, "country")] == ["FR", None]
    assert taken(found, None, where=("country=FR",)) == found[:1]
    assert taken(found, "test", where=("country=", "label=côte")) == found[1:]
    for rule in ("place=FR", "country"):
        with pytest.raises(UsageError, match=f"--where {rule}: COLUMN=VALUE is needed.* country, file, label, split"):
            taken(found, None, where=(rule,))
    with pytest.raises(UsageError, match="--part test, --where country=FR: no picture is left"):
        taken(found, "test", where=("country=FR",))


@pytest.mark.parametrize(("text", "said"), [
    ("file,label\na.jpg,x\nb.jpg,y\n./a.jpg,y\n", "line 4: a.jpg is listed in line 2 already"),
    ("file,label\na.jpg,x\nx/../a.jpg,x\n", "line 3: x/../a.jpg is listed in line 2 already"),
    ("file,label\na.jpg,\n", "line 2: label is empty"), ("file,label\n,x\n", "line 2: file is empty"),
    ("file,class\na.jpg,x\n", "has no column label: there is file, class"),
    ("", "has no column file: there is nothing"),
    ("file,label\n", "lists no file"), ("file,label\na.jpg,x\ngone.jpg,x\n", "line 3: "),
    ("file,label\na.jpg,x\nb.jpg,for\xeat\n", "line 3: byte 0xea is not UTF-8; save it as UTF-8"),
    ('file,label\na.jpg,"two\nlines"\n', "line 3: the label 'two\\nlines' is not one line of text"),
    ("f\0i\0l\0e\0", "it is no text, or UTF-16 without its mark"),
    ("file,label\na.jpg,Beach\nb.jpg,beach\n", "'Beach' (a.jpg) and 'beach' (b.jpg) are one label written in two"),
    ("file,label\na.jpg,tall_building\nb.jpg,tall building\n", "are one label written in two ways"),
])
def test_what_is_wrong_in_a_table(text: str, said: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError) as error:
        read_labelled(table(tmp_path, text, "latin-1"))
    assert said in str(error.value) and "\n" not in str(error.value)


def test_letters_composed_in_two_ways_are_one_label(tmp_path: Path) -> None:
    table(tmp_path, "file,label\na.jpg,for\u00eat\nb.jpg,fore\u0302t\n")
    with pytest.raises(UsageError, match="written in two ways"):
        read_labelled(tmp_path)


def test_what_is_wrong_with_folders(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="gone: a folder of labelled pictures or a csv file"):
        read_labelled(tmp_path / "gone")
    with pytest.raises(UsageError, match="gone.csv: No such file"):
        read_labelled(tmp_path / "gone.csv")
    with pytest.raises(UsageError, match="no labelled pictures; labels.csv"):
        read_labelled(touch(tmp_path / "empty", "beach/a.txt"))
    with pytest.raises(UsageError, match=r"flat: pictures are needed in LABEL/ or in PART/LABEL/ .*/flat/a.jpg$"):
        read_labelled(touch(tmp_path / "flat", "a.jpg"))
    with pytest.raises(UsageError, match="there is .*beach/a.jpg and .*train/beach/a.jpg"):
        read_labelled(touch(tmp_path / "mixed", "beach/a.jpg", "train/beach/a.jpg"))
    with pytest.raises(UsageError, match=r"the folder 'b\\udce9' is no name for a label"):
        read_labelled(touch(tmp_path / "bytes", os.fsdecode(b"b\xe9/a.jpg")))
    with pytest.raises(UsageError, match="--split x: a column of .*labels.csv, which is not there"):
        read_labelled(touch(tmp_path / "split", "beach/a.jpg"), "x")
    with pytest.raises(UsageError, match="has no column x: there is file, label"):
        read_labelled(table(tmp_path / "t", "file,label\na.jpg,x\n"), "x")
    with pytest.raises(UsageError, match="--part train: there is no part"):
        taken(read_labelled(table(tmp_path / "u", "file,label\na.jpg,x\n")), "train")
