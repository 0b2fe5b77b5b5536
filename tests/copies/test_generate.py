"""Generated queries show what their truth says, frame by frame."""

from __future__ import annotations

import json
import os
import shutil
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from coded import HEIGHT, WIDTH, code_clip, coded
from encoded import assert_same_video
from vtk.copies import generate, plans
from vtk.copies.edits import edited, fitted
from vtk.copies.rendering import render, truth_of
from vtk.errors import UsageError
from vtk.media.sampling import NATIVE
from vtk.media.video import open_media
from vtk.records import Record, check

CLIPS = {"a.mp4": (150, 25.0), "b.mp4": (72, 12.0), "c.mkv": (170, 29.97), "x.mp4": (120, 20.0), "y.mp4": (60, 10.0)}
STRANGERS = ("x.mp4", "y.mp4")


@pytest.fixture(scope="module")
def clips(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder of five clips whose frames carry their number, two of them strangers."""
    folder = tmp_path_factory.mktemp("clips")
    for number, (name, (frames, fps)) in enumerate(CLIPS.items()):
        code_clip(folder / name, number, frames, fps)
    return folder


@pytest.fixture(scope="module")
def sources(clips: Path) -> dict[str, plans.Source]:
    return {name: generate.probed(str(clips / name)) for name in CLIPS}


def read(path: Path) -> tuple[np.ndarray, np.ndarray]:
    """Return the times (N,) in seconds and the pictures (N, H, W, 3) of a video."""
    with closing(open_media(str(path))) as reader:
        shown = [(frame.t, frame.image(NATIVE)) for frame in reader.frames([NATIVE], lambda index, t: True)]
    return np.array([t for t, _ in shown]), np.stack([image for _, image in shown])


def seen(image: np.ndarray, plan: plans.Plan, piece: plans.Piece, place: int,
         behind: np.ndarray | None) -> tuple[str, float]:
    """Return the clip and the seconds whose frame, edited as the plan has it, is most like ``image``."""
    codes = [(name, index / fps, coded(number, index)) for number, (name, (frames, fps)) in enumerate(CLIPS.items())
             for index in range(frames)]
    away = []
    for _, _, code in codes:
        expected = edited(fitted(code, plan.width, plan.height), piece.edits, place, behind)
        away.append(np.abs(image.astype(float) - expected).mean())
    name, t, _ = codes[int(np.argmin(away))]
    return name, t


def chosen_places(count: int) -> list[int]:
    """Return eight places spread over a span, both ends among them: each is compared with 572 pictures."""
    return sorted(set(np.linspace(0, count - 1, min(count, 8)).round().astype(int).tolist()))


@pytest.mark.parametrize("family", [*plans.FAMILIES, plans.NEGATIVE])
def test_each_span_shows_the_stated_seconds_of_its_reference(family: str, sources: dict[str, plans.Source],
                                                             tmp_path: Path) -> None:
    references = [source for name, source in sources.items() if name not in STRANGERS]
    strangers = [sources[name] for name in STRANGERS]
    plan = plans.drawn(list(plans.FAMILIES).index(family) if family in plans.FAMILIES else 99, 5, references, strangers,
                       family=family)
    spans = render(plan, tmp_path / plan.name)
    records = truth_of(plan, spans)
    times, images = read(tmp_path / plan.name)
    assert images.shape[1:3] == (plan.height, plan.width)
    assert bool(records) == (family != plans.NEGATIVE)
    assert len(spans) == len(plan.pieces)
    of_copies = iter(records)
    for span, after in zip(spans, [*spans[1:], None]):
        inside = np.flatnonzero((times >= span.start - 1e-5) & (times < span.end - 1e-5))
        name, rate = span.piece.source.name, CLIPS[span.piece.source.name][1]
        stated: Record = next(of_copies) if span.piece.copied else {}
        if span.piece.copied:
            assert (stated["source"], stated["ref"], stated["score"]) == (plan.name, name, 1.0)
            assert (stated["start"], stated["end"]) == pytest.approx((span.start, span.end), abs=1e-6)
            assert stated["transform"] == {"speed": span.piece.speed, "hflip": ("hflip", {}) in span.piece.edits}
            assert stated["ref_end"] <= CLIPS[name][0] / rate + 1e-3
        else:
            assert name in STRANGERS
        assert abs(times[inside[0]] - span.start) < 1e-5  # MPEG's tick is 1.1e-5 s
        assert after is None or abs(after.start - span.end) < 1e-5
        for at in inside[chosen_places(len(inside))]:
            place = round((times[at] - span.start) * plan.fps)
            behind = _backdrop(span.piece, plan, place)
            clip, t = seen(images[at], plan, span.piece, place, behind)
            expected = span.ref_start + (times[at] - span.start) * span.piece.speed
            assert clip == name
            # Half a frame, and a millisecond: Matroska's clock.
            assert abs(t - expected) <= 0.5 / rate + 1e-3, f"{family}: {clip} at {t} s, {expected} s is stated"
    assert next(of_copies, None) is None
    assert abs(times[-1] + 1 / plan.fps - spans[-1].end) < 1e-4


def _backdrop(piece: plans.Piece, plan: plans.Plan, place: int) -> np.ndarray | None:
    """Return what stands behind picture number ``place``: the frame nearest to its time, at last the last one."""
    if piece.backdrop is None:
        return None
    frames, fps = CLIPS[piece.backdrop.name]
    index = min(round(place / plan.fps * fps), frames - 1)
    return fitted(coded(list(CLIPS).index(piece.backdrop.name), index), plan.width, plan.height)


def test_a_mirrored_copy_is_mirrored(sources: dict[str, plans.Source], tmp_path: Path) -> None:
    source = sources["a.mp4"]
    piece = plans.Piece(source, 1.0, 2.0, copied=True, edits=(("hflip", {}),))
    plan = plans.Plan("q.mp4", "hflip", WIDTH, HEIGHT, 25.0, 14, (piece,), (0, 0))
    (record,) = truth_of(plan, render(plan, tmp_path / plan.name))
    assert record["transform"] == {"speed": 1.0, "hflip": True}
    assert (record["start"], record["end"], record["ref_start"], record["ref_end"]) == (0.0, 2.0, 1.0, 3.0)
    _, images = read(tmp_path / plan.name)
    # Blocks of 50 and 200: the wrong half of them would be 75 levels away.
    assert np.abs(images[0].astype(float) - coded(0, 25)[:, ::-1]).mean() < 10
    assert np.abs(images[49].astype(float) - coded(0, 74)[:, ::-1]).mean() < 10


def test_dropped_frames_leave_the_others_at_their_times(sources: dict[str, plans.Source], tmp_path: Path) -> None:
    piece = plans.Piece(sources["a.mp4"], 0.0, 4.0, copied=True, drop=0.5)
    plan = plans.Plan("q.mp4", "drops", WIDTH, HEIGHT, 25.0, 20, (piece,), (0, 0))
    (span,) = render(plan, tmp_path / plan.name)
    times, _ = read(tmp_path / plan.name)
    assert 30 < len(times) < 70  # of 100; the deviation is 5
    assert np.allclose(times * 25, np.round(times * 25), atol=1e-3)
    assert (span.start, span.end, span.ref_end) == pytest.approx((0.0, 4.0, 4.0))


def test_a_source_that_ends_early_shortens_the_span(sources: dict[str, plans.Source], tmp_path: Path) -> None:
    late = plans.Piece(sources["b.mp4"], 4.0, 50.0, copied=True)
    gone = plans.Piece(sources["b.mp4"], 400.0, 2.0, copied=True)
    plan = plans.Plan("q.mp4", "trim", WIDTH, HEIGHT, 24.0, 20, (late, gone), (0, 0))
    (span,) = render(plan, tmp_path / plan.name)
    times, _ = read(tmp_path / plan.name)
    assert span.ref_start == pytest.approx(4.0)
    assert 5.9 <= span.ref_end <= 6.0
    assert span.end == pytest.approx(times[-1] + 1 / 24, abs=1e-4)
    assert span.ref_end - span.ref_start == pytest.approx(span.end - span.start, abs=1e-4)


def test_the_same_seed_makes_the_same_files_and_another_one_others(clips: Path, tmp_path: Path) -> None:
    for folder, seed in (("one", 3), ("two", 3), ("other", 4)):
        assert generate.main([str(tmp_path / folder), str(clips), "--queries", "6", "--seed", str(seed),
                              "--longest", "3"]) == 0
    one, two, other = ({path.name: path.read_bytes() for path in (tmp_path / folder).iterdir()}
                       for folder in ("one", "two", "other"))
    assert one and set(one) == set(two)
    for name in one:
        if name.endswith(".mp4"):
            assert_same_video(tmp_path / "one" / name, tmp_path / "two" / name)
        else:
            assert one[name] == two[name]
    assert one["truth.jsonl"] != other["truth.jsonl"]
    rows = [json.loads(line) for line in one["manifest.jsonl"].splitlines()]
    assert [row["family"] for row in rows] == ["trim", "cuts", "concat", "crop", "negative", "border"]
    assert {row["query"] for row in rows} == {name for name in one if name.endswith(".mp4")}
    listing = json.loads(one["sources.json"])
    strangers = {Path(path).name for path in listing["strangers"]}
    for record in map(json.loads, one["truth.jsonl"].splitlines()):
        check(record)
        assert record["ref"] not in strangers and record["source"] in one
    pairs = one["pairs.csv"].decode().splitlines()
    references = [Path(path).name for path in listing["references"]]
    assert pairs == ["query_id,reference_id", *(f"{row['query']},{name}" for row in rows for name in references)]
    copied = {record["source"] for record in map(json.loads, one["truth.jsonl"].splitlines())}
    assert copied == {row["query"] for row in rows if row["family"] != "negative"}


def test_what_cannot_be_used_is_left_out_with_a_line(clips: Path, tmp_path: Path,
                                                     capfd: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "in"
    shutil.copytree(clips, folder)
    (folder / "b.mp4").rename(folder / os.fsdecode(b"b\xff.mp4"))  # a name that is not UTF-8
    (folder / "notes.txt").write_text("no video")
    (folder / "empty.mp4").touch()
    code_clip(folder / "short.mp4", 9, 10, 10.0)
    (tmp_path / "pairs.json").write_text('{"pairs": [{"query": "c.mkv", "reference": "a.mp4"}]}')
    assert generate.main([str(tmp_path / "out"), str(folder), str(folder / "absent.mp4"), "--queries", "6", "--longest",
                          "2", "--pairs", str(tmp_path / "pairs.json"), "--strangers", str(folder / "x.mp4")]) == 0
    lines = capfd.readouterr().err.splitlines()
    left = {Path(line.split()[1]).name: line for line in lines if "left out" in line}
    assert set(left) == {"notes.txt", "empty.mp4", "short.mp4", "absent.mp4", "c.mkv"} and len(lines) == 5
    assert "lasts 1.00 s, 2 s are needed" in left["short.mp4"] and "shows what a.mp4 shows" in left["c.mkv"]
    listing = json.loads((tmp_path / "out" / "sources.json").read_bytes())
    assert [Path(path).name for path in listing["strangers"]] == ["x.mp4"]
    assert [Path(path).name for path in listing["references"]] == ["a.mp4", "b%FF.mp4", "y.mp4"]


def test_a_source_that_vanishes_costs_its_queries_alone(clips: Path, sources: dict[str, plans.Source],
                                                        tmp_path: Path) -> None:
    gone = plans.Source("gone.mp4", str(clips / "gone.mp4"), WIDTH, HEIGHT, 25.0, 6.0)
    whole = plans.drawn(0, 0, [sources["a.mp4"]], [sources["x.mp4"]], longest=2.0)
    broken = plans.drawn(5, 0, [gone], [sources["x.mp4"]], longest=2.0)
    lines: list[str] = []
    assert generate.generate(tmp_path, [broken, whole], [sources["a.mp4"]], lines.append) == (1, 1)
    assert len(lines) == 1 and lines[0].startswith(f"{broken.name} left out: cannot be opened")
    assert {path.name for path in tmp_path.iterdir()} == {"manifest.jsonl", "pairs.csv", whole.name, "truth.jsonl"}


def test_what_is_asked_for_must_be_possible(clips: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert generate.main([str(tmp_path / "out"), str(clips / "a.mp4")]) == 2
    assert "got 0 videos to copy from and 1 that are not copied" in capfd.readouterr().err
    for option, least in (("--queries", 1), ("--seed", 0), ("--longest", 2), ("--long-side", 16)):
        assert generate.main([str(tmp_path / "out"), str(clips), f"{option}={least - 1}"]) == 2
        assert f"{option} is {least - 1}" in (line := capfd.readouterr().err) and f"{least} or more" in line
    (tmp_path / "again").mkdir()
    shutil.copy(clips / "b.mp4", tmp_path / "again" / "a.mp4")
    with pytest.raises(UsageError, match="have one name"):
        generate.gathered([str(clips), str(tmp_path / "again")], {}, lambda line: None)
    (tmp_path / "pairs.json").write_text("[]")
    assert generate.main([str(tmp_path / "out"), str(clips), "--pairs", str(tmp_path / "pairs.json")]) == 2
    with pytest.raises(ValueError, match="got 0 references and 1 strangers"):
        plans.drawn(0, 0, [], [generate.probed(str(clips / "a.mp4"))])


def test_cuts_never_follow_each_other_in_the_source() -> None:
    long, other = (plans.Source(name, name, WIDTH, HEIGHT, 25.0, 40.0) for name in ("long.mp4", "other.mp4"))
    for seed in range(40):
        plan = plans.drawn(1, seed, [long], [other], family="cuts")
        copies = [piece for piece in plan.pieces if piece.copied]
        assert 2 <= len(copies) <= 4 and all(piece.start + piece.seconds <= 40.001 for piece in copies)
        for piece, after in zip(copies, copies[1:]):
            assert after.start < piece.start or after.start - piece.start - piece.seconds >= 40 / len(copies) - 0.002


def test_families_take_turns_and_each_fifth_query_copies_nothing() -> None:
    families = [plans.family_of(index) for index in range(200)]
    counts = {family: families.count(family) for family in families}
    assert counts.pop(plans.NEGATIVE) == 40
    assert set(counts) == set(plans.FAMILIES) and len(counts) >= 10
    assert set(counts.values()) <= {10, 11}
