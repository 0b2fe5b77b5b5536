"""The benchmark of spotters: its figures by hand, and a short run of it on real pictures."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from vtk.export.icdar import TextRows
from vtk.text import bench, rivals
from vtk.text.rivals import Page, Piece


def quad(x: float, y: float, width: float, height: float = 10) -> np.ndarray:
    return np.array([[x, y], [x + width, y], [x + width, y + height], [x, y + height]], np.float64)


def truth() -> TextRows:
    rows = TextRows()
    rows.add(1, 0, quad(0, 0, 40), "EXIT")
    rows.add(1, 1, quad(50, 0, 40), "Hall")
    rows.add(1, 2, quad(0, 50, 40), "blurred", True)
    return rows


def test_words_read_by_hand() -> None:
    """A word counts where its line stands over its centre and contains it, whatever the case and the signs."""
    assert bench.words_read(truth(), [Piece(quad(0, 0, 90), "exit-hall 3")]) == (2, 2)
    assert bench.words_read(truth(), [Piece(quad(0, 0, 45), "exit hall")]) == (1, 2)
    assert bench.words_read(truth(), [Piece(quad(0, 0, 90), "EXTT")]) == (0, 2)
    assert bench.words_read(truth(), []) == (0, 2)


def test_figures_by_hand() -> None:
    """One of two words is found and read, one found and misread; what lies on a don't-care does not count."""
    found = [Piece(quad(0, 0, 40), "exit"), Piece(quad(50, 0, 40), "Mall"), Piece(quad(0, 50, 40), "x")]
    figures = bench.figures_of([truth()], [found])
    assert (figures["P"], figures["R"], figures["E2E_Hmean"]) == (100, 100, 50)


def test_differing_lines() -> None:
    one = [Page([Piece(quad(0, 0, 40), "a"), Piece(quad(0, 50, 40), "b")], [])]
    other = [Page([Piece(quad(1, 0, 40), "a"), Piece(quad(0, 50, 40), "c"), Piece(quad(0, 90, 40), "b")], [])]
    assert bench.differing(one, one) == (0, 2) and bench.differing(one, other) == (2, 3)


def test_a_missing_engine_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    assert rivals.available({"json": "json", "other": "no_such_engine"}) == ["json"]
    assert "rapidocr on other left out: No module named 'no_such_engine'" in capsys.readouterr().err


def test_wrong_options() -> None:
    with pytest.raises(SystemExit):
        bench.main(["images", "a", "b", "--turns", "0"])
    with pytest.raises(SystemExit):
        bench.main([])


def test_a_run_on_a_real_picture(shared: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str],
                                 monkeypatch: pytest.MonkeyPatch) -> None:
    source = shared / "data" / "spot-text" / "ic15_train10"
    data = json.loads((source / "textdet_test.json").read_text())
    data["data_list"] = [each for each in data["data_list"] if each["img_path"].endswith("img_8.jpg")]
    (tmp_path / "textdet_test.json").write_text(json.dumps(data))
    shutil.copyfile(source / "imgs" / "test" / "img_8.jpg", tmp_path / "img_8.jpg")
    words = tmp_path / "words.json"
    words.write_text(json.dumps({"items": [["img_8.jpg", 568, 347, "WHY"], ["img_8.jpg", 625, 345, "PAY"],
                                           ["img_8.jpg", 675, 350, "FOR"], ["img_8.jpg", 598, 381, "NOTHING?"]]}))
    monkeypatch.setattr(rivals, "ENGINES", {})
    monkeypatch.setattr(bench, "contestants", lambda *a: (each for each in rivals.contestants(*a)
                                                          if each[0].startswith("vtk")))
    assert bench.main(["images", str(tmp_path), str(words), "--turns", "1"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines[1:3]] == ["vtk,", "vtk"]
    assert "4/ 4" in lines[2]


def test_pictures_with_icdars_lists(shared: Path, tmp_path: Path) -> None:
    folder = shared / "train/spot-text/ic15_test5"
    truth = bench.truth_of(folder)
    assert len(truth) == 5 and sum(not ignored for _, rows in truth.values() for ignored in rows.ignored) == 46
    assert all(image.shape == (720, 1280, 3) for image, _ in truth.values())
    with pytest.raises(FileNotFoundError, match="found no gt_NAME.txt"):
        bench.truth_of(tmp_path)
