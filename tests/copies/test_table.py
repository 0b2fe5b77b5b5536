"""The bench over generated copies: what it scores, what it looks in, what others come to."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest
from typer.testing import CliRunner

from coded import code_clip
from vtk.copies import generate, table
from vtk.copies.matches import Match
from vtk.copies.table_distractors import FRAMES, Distractors, drawn
from vtk.copies.table_pages import Way, page
from vtk.copies.table_rivals import Hashed, by_frames, by_whole, collage_hash
from vtk.copies.table_scores import above, scored
from vtk.copies.table_set import Asked, CopySet, load_set
from vtk.errors import UsageError


def match(ref: str, start: float, end: float, ref_start: float, score: float = 0.9) -> Match:
    return Match(ref, start, end, ref_start, ref_start + end - start, score, 1.0)


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    rng = np.random.default_rng(0)
    for number in range(5):
        image = cv2.resize(rng.integers(0, 256, (6, 8, 3), dtype=np.uint8), (160, 120), interpolation=cv2.INTER_CUBIC)
        cv2.imwrite(str(tmp_path / f"{number}.png"), image)
    return tmp_path


def test_figures_by_family_and_over_all_are_those_worked_out_by_hand() -> None:
    copies = CopySet((Asked("q1", "trim", {"a": np.array([[0.0, 0, 10, 10]])}),
                      Asked("q2", "crop", {"b": np.array([[0.0, 0, 10, 10]])}), Asked("q3", "negative", {})), ("a", "b"))
    found = {"q1": [match("a", 0, 5, 0)], "q2": [], "q3": [match("b", 0, 4, 0, 0.95)]}
    row = scored(copies, found, found, 7)
    assert row.families["trim"].f == pytest.approx(0.4, abs=1e-5)  # precision 1, recall 1/2 on both axes
    assert row.families["crop"].f == 0 and row.mean_f == pytest.approx(0.2, abs=1e-5)
    assert (row.families["trim"].ap, row.families["crop"].ap, row.mean_ap) == (1.0, 0.0, 0.5)
    assert row.all.ap == pytest.approx(0.25)  # the false pair ranks first, one of two is never found
    assert (row.all.missed, row.all.copied, row.all.false, row.false, row.others) == (1, 2, 1, 1, 7)
    better = scored(copies, above(found, 0.92), found, 7)
    assert better.mean_f == 0 and better.false == 1
    assert "| q |" not in page({Way("dct", "diagonal"): row}) and "40.0 / 100.0" in page({Way("dct", "diagonal"): row})


def test_distractors_are_the_same_each_time_and_loop(pictures: Path) -> None:
    made = drawn([pictures], 1.0, seed=3)
    assert (made.count, list(made.drawn)) == (6, [0, 1])
    first, again = list(made.frames(1)), list(made.frames(1))
    assert len(first) == FRAMES and first[0].shape == (240, 320, 3)
    assert all((one == other).all() for one, other in zip(first, again, strict=True))
    loops = [loop for number in made.drawn for loop in made.loops(number)]
    assert sorted(name for name, _ in loops) == sorted(f"distractor:{number}" for number in range(6))
    assert all((np.sort(order) == np.arange(FRAMES)).all() for _, order in loops)
    assert (loops[0][1] == np.arange(FRAMES)).all() and (loops[1][1] != np.arange(FRAMES)).any()
    unit = np.eye(300, dtype=np.float32)
    moved = made.moved(unit, "distractor:4")
    assert np.allclose(np.linalg.norm(moved, axis=1), 1, atol=1e-5) and 0.96 < (moved * unit).sum(axis=1).mean() < 0.99
    with pytest.raises(ValueError, match="pictures: got none"):
        drawn([pictures / "none"], 1.0)
    assert Distractors((), 0).count == 0


def hashed(name: str, hashes: np.ndarray, whole: int) -> Hashed:
    return Hashed(name, float(len(hashes)), np.arange(len(hashes), dtype=float), hashes, np.full(8, whole, np.uint8))


def test_rivals_match_what_is_near_and_say_which_seconds() -> None:
    hashes = np.random.default_rng(1).integers(0, 256, (20, 32), dtype=np.uint8)
    query = np.concatenate([hashes[4:8], 255 - hashes[:3]])
    query[0, :3] ^= 255  # 24 bits off: still one frame
    query[1, :4] ^= 255  # 32: another
    library = [hashed("a", hashes[:10], 0), hashed("b", hashes[10:], 255)]
    ((_, found),) = by_frames([hashed("q", query, 1)], library, documented=False)
    assert [(each.ref, each.start, each.end, each.ref_start, each.ref_end) for each in found] == [
        ("a", 0.0, 0.5, 3.5, 4.5), ("a", 1.5, 4.0 - 0.5, 5.5, 7.5)]
    assert found[0].score == pytest.approx(3 / 7)
    assert dict(by_frames([hashed("q", query, 1)], library, documented=True)) == {"q": []}
    ((_, whole),) = by_whole([hashed("q", query, 1)], library)
    assert [(each.ref, each.score, each.end, each.ref_end) for each in whole] == [("a", 1 - 8 / 64, 7.0, 10.0)]


def test_a_collage_is_hashed_by_what_is_bright_in_it() -> None:
    bright, dark = np.full((144, 144), 200, np.uint8), np.full((144, 144), 20, np.uint8)
    bits = np.unpackbits(collage_hash([bright, dark, dark, bright])).reshape(8, 8)
    assert bits[:4, :4].all() and bits[4:, 4:].all() and not bits[:4, 4:].any() and not bits[4:, :4].any()


def test_a_folder_that_holds_no_set_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="copies.generate made is needed"):
        load_set(tmp_path)
    for name in (generate.MANIFEST, generate.TRUTH):
        (tmp_path / name).write_text("{}\n")
    (tmp_path / generate.SOURCES).write_text("[]")
    with pytest.raises(UsageError, match="holds no set of copies"):
        load_set(tmp_path)


def test_a_small_set_is_generated_looked_through_and_scored(pictures: Path, tmp_path: Path) -> None:
    clips, out = tmp_path / "clips", tmp_path / "set"
    clips.mkdir()
    for number, name in enumerate(("a.mp4", "b.mp4", "x.mp4")):
        code_clip(clips / name, number, 12, 1.0)
    assert generate.main([str(out), str(clips), "--strangers", str(clips / "x.mp4"), "--queries", "5"]) == 0
    arguments = [str(out), "--distractors", str(pictures), "--hours", "0.1", "--descriptors", "dct", "--aligners",
                 "diagonal,dp", "--no-rivals", "--cache", str(tmp_path / "kept"), "--markdown", str(tmp_path / "t.md")]
    ran = CliRunner().invoke(table.app, arguments)
    assert ran.exit_code == 0, ran.output
    lines = [json.loads(line) for line in ran.stdout.splitlines()]
    assert [line["aligner"] for line in lines] == ["diagonal", "dp"]
    assert lines[0]["families"]["trim"]["f"] > 60 and lines[0]["distractor_hours"] == 0.2
    assert (tmp_path / "t.md").read_text().startswith("| by | F |")
    assert CliRunner().invoke(table.app, arguments).stdout == ran.stdout  # from what was kept
