"""Names of thumbnails: no two sources share one, nothing is replaced unasked, nothing half written stays."""

from __future__ import annotations

from itertools import product
from pathlib import Path

import numpy as np
import pytest
from coloured import shown
from PIL import Image

from vtk.errors import MediaError, UsageError
from vtk.scenes.thumbs import Thumbs

SOURCES = ("a.mp4", "b/a.mp4", "a.mp4.0000001.jpg", "a", "a.0000001.jpg", "/a.mp4", "../a.mp4", "b%2Fa.mp4", "b_a.mp4",
           "http://x/a.mp4", "http_x_a.mp4", "seq:a", "file:a%FF.mp4", "ü.mp4")


def test_no_two_shots_share_a_file(tmp_path: Path) -> None:
    thumbs = Thumbs(tmp_path)
    paths = [thumbs.path(source, frame) for source, frame in product(SOURCES[:5] + SOURCES[6:], (0, 1, 10**7, 10**8))]
    assert len(set(paths)) == len(paths)
    assert all(path.resolve().is_relative_to(tmp_path) for path in paths)
    assert thumbs.path("films/a.mp4", 120) == tmp_path / "films" / "a.mp4.0000120.jpg"


def test_a_picture_is_written_whole_and_not_replaced(tmp_path: Path) -> None:
    image = shown("beach")
    path = Thumbs(tmp_path / "new").write("films/a.mp4", 3, image)
    assert [each.name for each in path.parent.iterdir()] == ["a.mp4.0000003.jpg"]
    assert np.abs(np.asarray(Image.open(path)).astype(int) - image).mean() < 8
    before = path.read_bytes()
    with pytest.raises(UsageError, match=r"a\.mp4\.0000003\.jpg exists: --overwrite replaces it"):
        Thumbs(tmp_path / "new").write("films/a.mp4", 3, shown("street"))
    with pytest.raises(UsageError, match="exists: --overwrite replaces it"):  # whichever shot it is of
        Thumbs(tmp_path / "new").check_source("films/a.mp4")
    Thumbs(tmp_path / "new").check_source("films/a")
    Thumbs(tmp_path / "new", overwrite=True).check_source("films/a.mp4")
    assert path.read_bytes() == before
    Thumbs(tmp_path / "new", overwrite=True).write("films/a.mp4", 3, shown("street"))
    assert path.read_bytes() != before


@pytest.mark.parametrize(("large", "small"), [
    ((600, 800), (256, 341)), ((256, 900), (256, 900)), ((1, 900), (1, 900)), ((2000, 257), (1992, 256))])
def test_large_pictures_become_small(tmp_path: Path, large: tuple[int, int], small: tuple[int, int]) -> None:
    path = Thumbs(tmp_path).write("a.png", 0, shown("beach", 0, *large))
    assert Image.open(path).size == small[::-1]


def test_what_cannot_be_written_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(UsageError, match="it is a file, a folder is needed"):
        Thumbs(tmp_path / "file").check()
    with pytest.raises(MediaError, match="cannot make folder"):
        Thumbs(tmp_path).write("file/a.mp4", 0, shown("beach"))
