"""Files of labels: what is read, and how each fault is named."""

from __future__ import annotations

from pathlib import Path

import pytest

from vtk.errors import WeightsError
from vtk.models.label_files import classes, read_labels, split_label


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_encodings(encoding: str, tmp_path: Path) -> None:
    path = tmp_path / "labels.txt"
    path.write_bytes(" Parus cæruleus (Mésange)\r\nbackground\r\n漢字\r\n\r\n".encode(encoding))
    assert read_labels(path) == ("Parus cæruleus (Mésange)", "background", "漢字")


@pytest.mark.parametrize(("raw", "said"), [
    ("a\nM\xe9sange\n".encode("latin-1"), "line 2 is not utf-8; save the labels as UTF-8"),
    (b"a\nb\na\n", "lines 1 and 3 are both 'a'; labels must differ"),
    (b"a\n\nb\n", "line 2 is empty"), (b"\n \n", "it is empty"), (b"", "it is empty"),
])  # fmt: skip
def test_faults(raw: bytes, said: str, tmp_path: Path) -> None:
    path = tmp_path / "labels.txt"
    path.write_bytes(raw)
    with pytest.raises(WeightsError, match=f"labels.txt: .*{said}"):
        read_labels(path)
    with pytest.raises(WeightsError, match="cannot read the labels: Is a directory"):
        read_labels(tmp_path)


def test_two_cranes(shared: Path) -> None:
    labels = read_labels(shared / "models" / "imagenet_labels.txt")
    assert labels[0] == "background" and labels[135] == "crane, bird" and labels[518] == "crane, machine"
    assert len(set(labels)) == len(labels) == 1001


def test_the_background_is_no_class() -> None:
    path = Path("labels.txt")
    assert classes(("Background", "a", "b"), 3, path) == (("a", "b"), [1, 2])
    with pytest.raises(WeightsError, match=r"labels.txt: 2 labels, and the network has 3 outputs"):
        classes(("a", "b"), 3, path)
    with pytest.raises(WeightsError, match="names the background alone"):
        classes(("background",), 1, path)


def test_names_of_species() -> None:
    assert split_label("Corvus corax (Common Raven)") == ("Corvus corax", "Common Raven")
    assert split_label("Corvus corax") == ("Corvus corax", "")
    assert split_label("Larus (group) x (A (b) c)") == ("Larus", "group) x (A (b) c")
