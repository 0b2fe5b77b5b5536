"""MOT files as arrays: how rows may look, and what is said of those that cannot be used."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from vtk.errors import MediaError, RecordError
from vtk.export.mot import BadRow, read_mot, scan_mot

Write = Callable[[bytes], Path]


@pytest.fixture
def written(tmp_path: Path) -> Write:
    """Return a function that writes bytes to a file and returns its path."""
    def write(data: bytes) -> Path:
        path = tmp_path / "rows.txt"
        path.write_bytes(data)
        return path

    return write


@pytest.mark.parametrize("data", [
    b"1,-1,10,20.5,3,4,0.5\n2,7,-1,0,0,4,-0.25\n",
    b"1, -1, 10, 20.5, 3, 4, 0.5\n2, 7, -1, 0, 0, 4, -0.25",
    b"1 -1 10 20.5 3 4 0.5\n2  7 -1 0 0 4 -0.25\n",
    b"1\t-1\t10\t20.5\t3\t4\t0.5\n2\t7\t-1\t0\t0\t4\t-0.25\n",
    b"\xef\xbb\xbf1,-1,10,20.5,3,4,0.5\r\n\r\n  \r\n2,7,-1,0,0,4,-0.25\r\n",
    b"1.0,-1.0,1e1,20.5,3,4,.5\n2.0,7e0,-1,0,0,4,-25e-2\n",
])
def test_rows_may_be_written_in_many_ways(written: Write, data: bytes) -> None:
    rows = read_mot(written(data))
    assert rows.frame.dtype == rows.id.dtype == np.int64
    assert rows.frame.tolist() == [1, 2]
    assert rows.id.tolist() == [-1, 7]
    assert rows.xywh.tolist() == [[10, 20.5, 3, 4], [-1, 0, 0, 4]]
    assert rows.score.tolist() == [0.5, -0.25]
    assert (rows.class_id, rows.visibility, rows.columns) == (None, None, 7)


def test_columns_say_what_there_is(written: Write) -> None:
    rows = read_mot(written(b"1,2,3,4,5,6,1,7,0.25\n"))
    assert (rows.class_id.tolist(), rows.visibility.tolist(), rows.columns) == ([7], [0.25], 9)
    assert read_mot(written(b"1,2,3,4,5,6\n")).score.tolist() == [1.0], "no score: sure"
    rows = read_mot(written(b"1,2,3,4,5,6,0.5,nan,nan,nan\n"))
    assert (rows.score.tolist(), rows.class_id) == ([0.5], None), "places in the world are not read"


@pytest.mark.parametrize("data", [b"", b"\n \r\n", b"\xef\xbb\xbf"])
def test_an_empty_file_has_no_rows(written: Write, data: bytes) -> None:
    rows, bad = scan_mot(written(data))
    assert (rows.frame.shape, rows.xywh.shape, rows.columns, bad) == ((0,), (0, 4), 0, [])


@pytest.mark.parametrize(("row", "reason"), [
    ("x,1,2,3,4,5,1", "column 1 is 'x', a number is needed"),
    ("1,9,2,3,4,,1", "column 6 is '', a number is needed"),
    ("1,9,2,3,4,5,nan", "column 7 is nan, a number is needed"),
    ("1,9,inf,3,4,5,1", "column 3 is inf, a number is needed"),
    ("1,9,2,3", "4 columns, at least 6 are needed"),
    ("1,9,2,3,4,5", "6 columns, 7 as in the other rows are needed"),
    ("0,9,2,3,4,5,1", "frame is 0, a whole number from 1 is needed"),
    ("1.5,9,2,3,4,5,1", "frame is 1.5, a whole number from 1 is needed"),
    ("1,9.5,2,3,4,5,1", "id is 9.5, a whole number is needed"),
    ("1,9,1e300,3,4,5,1", "box is 1e+300, 3, 4, 5, pixels are needed"),
    ("1,9,2,3,-4,5,1", "size is -4 x 5, it cannot be negative"),
    ("2,7,2,3,4,5,1", "frame 2 has id 7 already"),
    ("frame,id,x,y,w,h,score", "column 1 is 'frame', a number is needed"),
])
def test_a_bad_row_is_named_and_the_others_are_kept(written: Write, row: str, reason: str) -> None:
    path = written(f"2,7,1,1,2,2,0.5\n\n{row}\n1,-1,1,1,2,2,0.5\n1,-1,1,1,2,2,0.5\n".encode())
    rows, bad = scan_mot(path)
    assert bad == [BadRow(3, reason)]
    assert (rows.frame.tolist(), rows.id.tolist()) == ([2, 1, 1], [7, -1, -1])
    with pytest.raises(RecordError) as caught:
        read_mot(path)
    assert str(caught.value) == f"{path}, line 3: {reason}"
    assert caught.value.code == "E_MOT"


def test_a_class_that_is_no_number_is_a_bad_row(written: Write) -> None:
    _, bad = scan_mot(written(b"1,1,1,1,2,2,1,1,1\n1,2,1,1,2,2,1,nan,1\n1,3,1,1,2,2,1,1.5,1\n"))
    assert bad == [BadRow(2, "column 8 is nan, a number is needed"),
                   BadRow(3, "class is 1.5, a whole number is needed")]


@pytest.mark.parametrize(("data", "said"), [
    (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "it is not text"),
    (b"\xff\xd8\xff\xe0JFIF", "it is not text"),
    (b"hello\nworld\n", "line 1: 1 column, at least 6 are needed"),
    (b'{"v":1,"type":"track","source":"a","frame":1,"t":0,"score":1}\n', "line 1: column 1 is"),
    (b"1,-1,1,1,2,2,nan\n", "line 1: column 7 is nan"),
])
def test_what_is_no_mot_file_is_said_in_one_line(written: Write, data: bytes, said: str) -> None:
    path = written(data)
    for read in (read_mot, scan_mot):
        with pytest.raises(RecordError) as caught:
            read(path)
        assert said in str(caught.value)
        assert str(caught.value).startswith(str(path))
        assert "\n" not in str(caught.value)


def test_a_file_that_cannot_be_read_is_said(tmp_path: Path) -> None:
    with pytest.raises(MediaError, match="cannot read .*gone.txt: No such file"):
        read_mot(tmp_path / "gone.txt")
    with pytest.raises(MediaError, match="directory"):
        read_mot(tmp_path)


def test_real_files_are_read_whole(shared: Path) -> None:
    root = shared / "data" / "track"
    files = [*root.glob("*/det/*.txt"), *root.glob("*/gt/gt.txt"), *root.glob("expected_sort_output/*.txt"),
             *root.glob("motmetrics_pkg/*/*.txt")]
    assert len(files) >= 16
    for path in files:
        rows = read_mot(path)
        lines = [line for line in path.read_bytes().splitlines() if line.strip()]
        assert (len(rows.frame), rows.columns) == (len(lines), 10), path
    rows = read_mot(root / "KITTI-17" / "det" / "det.txt")
    assert (rows.score.min(), rows.score.max(), rows.frame.max()) == (-0.76509, 85.361, 145)
