"""Spans cut out of files: copied, spliced and joined, each compared with its source frame by frame."""

from __future__ import annotations

from pathlib import Path

import av
import pytest
from cut_films import HEIGHT, STEADY, VARYING, WIDTH, film, likenesses, seen

from vtk.errors import MediaError
from vtk.media.avc import AvcConfig, nal_kinds, prefixed, units_of
from vtk.media.cutting import copy_span
from vtk.media.joining import join_files
from vtk.media.packing import container_suffix
from vtk.media.splicing import UnfitError, splice_span
from vtk.media.video import open_media


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return film(tmp_path_factory.mktemp("whole") / "whole.mp4", sound=True)


@pytest.mark.parametrize(("suffix", "codec"), [(".mp4", "libx264"), (".mkv", "libx264"), (".ts", "libx264"),
                                               (".webm", "libvpx"), (".avi", "mpeg4")])
def test_copied_frames_are_the_sources(suffix: str, codec: str, tmp_path: Path) -> None:
    fast = {"deadline": "realtime", "cpu-used": "8"} if codec == "libvpx" else {"preset": "ultrafast"}
    source = film(tmp_path / f"a{suffix}", codec, **({"bf": "2"} if codec == "libx264" else {}), **fast)
    assert container_suffix(str(source)) == suffix
    cut = copy_span(str(source), str(tmp_path / f"b{suffix}"), 1.0, 2.0)
    assert (round(cut.start, 3), cut.frames) == (0.75, cut.copied)
    assert 2.0 <= cut.end <= 2.101, "at most what the codec reorders is behind the end"
    assert min(likenesses(seen(source, cut.start, cut.end), seen(tmp_path / f"b{suffix}"))) == float("inf")


@pytest.mark.parametrize("times", [STEADY, VARYING], ids=["steady", "varying"])
@pytest.mark.parametrize("suffix", [".mp4", ".mov", ".mkv"])
def test_spliced_frames_are_exactly_those_of_the_span(suffix: str, times: list[float], tmp_path: Path) -> None:
    source = film(tmp_path / f"a{suffix}", times=times, bf="2", preset="veryfast")
    start, end = times[10], times[52]
    cut = splice_span(str(source), str(tmp_path / f"b{suffix}"), start, end)
    assert (cut.frames, cut.head) == (42, 5)
    assert 27 <= cut.copied <= 37
    found = likenesses(seen(source, start, end - 1e-6), seen(tmp_path / f"b{suffix}"))
    assert set(found[5 : 5 + cut.copied]) == {float("inf")}
    assert min(found) > 34  # what the encoder makes of these pictures at its default quality is 35.8 at worst
    assert [path.name for path in sorted(tmp_path.iterdir())] == [f"a{suffix}", f"b{suffix}"]


def test_frames_say_more_than_seconds(whole: Path, tmp_path: Path) -> None:
    cut = splice_span(str(whole), str(tmp_path / "b.mp4"), 0.0, 1.0, (20, 50))
    assert (cut.start, cut.end, cut.frames) == (1.0, 2.5, 30)


@pytest.mark.parametrize("how", [copy_span, splice_span])
def test_sound_stays_beside_its_pictures(how: object, whole: Path, tmp_path: Path) -> None:
    cut = how(str(whole), str(tmp_path / "b.mp4"), 1.0, 2.0)  # type: ignore[operator]
    with av.open(str(tmp_path / "b.mp4")) as made:
        [sound] = made.streams.audio
        assert float(sound.duration * sound.time_base) == pytest.approx(cut.end - cut.start, abs=0.13)
        assert dict(made.metadata).keys() <= {"major_brand", "minor_version", "compatible_brands", "encoder"}
    how(str(whole), str(tmp_path / "c.mp4"), 1.0, 2.0, sound=False)  # type: ignore[operator]
    with av.open(str(tmp_path / "c.mp4")) as made:
        assert not made.streams.audio


def test_a_turned_film_stays_turned(tmp_path: Path) -> None:
    film(tmp_path / "flat.mp4")
    data = bytearray((tmp_path / "flat.mp4").read_bytes())
    upright = b"".join(number.to_bytes(4, "big") for number in (1 << 16, 0, 0, 0, 1 << 16, 0, 0, 0, 1 << 30))
    turned = b"".join(number.to_bytes(4, "big", signed=True) for number in
                      (0, 1 << 16, 0, -(1 << 16), 0, 0, HEIGHT << 16, 0, 1 << 30))
    place = data.rindex(upright)  # that of the track; the film's own stands before
    data[place : place + len(turned)] = turned
    (tmp_path / "a.mp4").write_bytes(data)
    for how in (copy_span, splice_span):
        how(str(tmp_path / "a.mp4"), str(tmp_path / "b.mp4"), 0.6, 2.0)
        reader = open_media(str(tmp_path / "b.mp4"))
        assert (reader.info.width, reader.info.height, reader.info.rotation) == (HEIGHT, WIDTH, 90)
        reader.close()


def test_what_cannot_be_spliced_says_why(whole: Path, tmp_path: Path) -> None:
    with pytest.raises(UnfitError, match="no key frame"):
        splice_span(str(whole), str(tmp_path / "b.mp4"), 0.8, 1.4)
    other = film(tmp_path / "a.avi", "mpeg4")
    with pytest.raises(UnfitError, match="mpeg4"):
        splice_span(str(other), str(tmp_path / "b.mp4"), 0.8, 2.4)
    with pytest.raises(MediaError, match="the source ends at 3.000 s"):
        copy_span(str(whole), str(tmp_path / "b.mp4"), 7.0, 8.0)
    with pytest.raises(MediaError, match="cannot write .*: No such file"):
        copy_span(str(whole), str(tmp_path / "gone" / "b.mp4"), 0.0, 1.0)
    assert [path.name for path in tmp_path.iterdir()] == ["a.avi"]


def test_joined_parts_follow_each_other(whole: Path, tmp_path: Path) -> None:
    parts = [str(tmp_path / f"{number}.mp4") for number in range(2)]
    copy_span(str(whole), parts[0], 0.75, 1.5)
    copy_span(str(whole), parts[1], 2.25, 3.0)
    join_files(parts, str(tmp_path / "both.mp4"))
    pieces = [seen(part) for part in parts]
    length = len(pieces[0]) / 20
    expected = [*pieces[0], *((t + length, image) for t, image in pieces[1])]
    assert min(likenesses(expected, seen(tmp_path / "both.mp4"))) == float("inf")
    film(tmp_path / "other.mkv", "mpeg4")
    with pytest.raises(MediaError, match="part 2 is not encoded as the first"):
        join_files([parts[0], str(tmp_path / "other.mkv")], str(tmp_path / "odd.mp4"))
    assert not (tmp_path / "odd.mp4").exists()


def test_heads_and_units_by_hand() -> None:
    # Number 0 is the bit 1, number 2 the bits 011; three bytes of profile and level stand before it in a sequence's.
    first, second, picture_set = b"\x67\x64\x00\x1e\x80", b"\x67\x64\x00\x1e\x60", b"\x68\x40"  # picture's number is 1
    head = b"\x01\x64\x00\x1e\xff\xe1\x00\x05" + first + b"\x01\x00\x02" + picture_set + b"\xfd\xf8\xf8\x00"
    config = AvcConfig.parse(head)
    assert (config.length, config.sequences, config.pictures) == (4, (first,), (picture_set,))
    assert config.free_number() == 2
    stream = b"\x00\x00\x00\x01" + second + b"\x00\x00\x01\x68\x60\x00\x00\x01\x06\x05\x00\x00\x01\x65\x11\x22"
    assert list(units_of(stream)) == [second, b"\x68\x60", b"\x06\x05", b"\x65\x11\x22"]
    joined = AvcConfig.parse(config.joined(stream))
    assert (joined.sequences, joined.pictures) == ((first, second), (picture_set, b"\x68\x60"))
    assert joined.rest == config.rest
    assert joined.free_number() == 3
    assert prefixed(stream, 4) == b"\x00\x00\x00\x03\x65\x11\x22"
    assert nal_kinds(prefixed(stream, 4), 4) == {5}
    for length in range(len(head) - 5):
        with pytest.raises(ValueError):
            AvcConfig.parse(head[:length])
