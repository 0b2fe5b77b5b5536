"""Where and when files say that they were taken: read from every kind, and passed over where it cannot be true."""

from __future__ import annotations

import random
import struct
import tracemalloc
import zlib
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from PIL.TiffImagePlugin import IFDRational
from tagged import AT, BERLIN, MAY, clip, exif_of, picture

from vtk.media.embedded import Embedded, embedded
from vtk.media.geotags import Lie, gps_place, gps_time
from vtk.media.sampling import NATIVE
from vtk.media.video import open_media

WHEN = datetime(2020, 5, 1, 10, 20, 30)
SUMMER = timezone(timedelta(hours=2))
QUICKTIME = {"movflags": "use_metadata_tags"}


def place(found: Embedded) -> tuple[float, float] | None:
    """Return the place, rounded to a metre or so."""
    return None if found.latitude is None else (round(found.latitude, 5), round(found.longitude or 0, 5))


@pytest.mark.parametrize("name", ["a.jpg", "a.png", "a.webp", "a.avif", "a.tif", "B.JPG"])
def test_pictures_of_every_kind(tmp_path: Path, name: str) -> None:
    found = embedded(picture(tmp_path / name, gps=BERLIN, offset="+02:00"))
    assert place(found) == AT and found.problems == ()
    assert found.time == WHEN.replace(tzinfo=SUMMER)


def test_heic(tmp_path: Path) -> None:
    heif = pytest.importorskip("pillow_heif", reason="the extra heif is not installed")
    heif.register_heif_opener()
    assert place(embedded(picture(tmp_path / "a.heic", gps=BERLIN))) == AT


def test_a_picture_that_says_nothing(tmp_path: Path) -> None:
    Image.new("RGB", (4, 4)).save(tmp_path / "a.jpg")
    assert embedded(tmp_path / "a.jpg") == embedded(picture(tmp_path / "b.png", taken=None)) == Embedded()


def test_south_and_west_are_negative(tmp_path: Path) -> None:
    gps = {1: "S", 2: (33.0, 51.5, 0.0), 3: "W", 4: (70.0, 0.0, 36.0)}
    assert place(embedded(picture(tmp_path / "a.jpg", gps=gps))) == (-33.85833, -70.01)


# What a GPS directory says and cannot be true, and what is said of it.
NO_PLACE: list[tuple[dict[int, Any], str]] = [
    ({2: (0.0, 0.0, 0.0), 4: (0.0, 0.0, 0.0)}, "its GPS place is 0, 0, which is written where there was no fix"),
    ({2: (91.0, 0.0, 0.0)}, "its GPS place has a latitude of 91, beyond 90"),
    ({4: (180.0, 0.0, 1.0)}, "its GPS place has a longitude of 180, beyond 180"),
    ({2: (52.0, 75.0, 0.0)}, "its GPS latitude is 52 degrees, 75 minutes and 0 seconds, which is none"),
    ({4: (13.0, 0.0, 61.0)}, "its GPS longitude is 13 degrees, 0 minutes and 61 seconds, which is none"),
    ({1: None}, "its GPS latitude is said to be neither N nor S but nothing"),
    ({3: None}, "its GPS longitude is said to be neither E nor W but nothing"),
    ({3: "N"}, "its GPS longitude is said to be neither E nor W but 'N'"),
    ({4: None}, "its GPS place has no longitude"), ({2: None}, "its GPS place has no latitude"),
    ({2: (IFDRational(52, 0), 0.0, 0.0)}, "its GPS latitude is no number (a denominator of 0, or text)"),
    ({4: (IFDRational(0, 0), IFDRational(0, 0), IFDRational(0, 0))},
     "its GPS longitude is no number (a denominator of 0, or text)"),
    ({9: "V"}, "its GPS receiver had no fix and says so (status V)"),
]


@pytest.mark.parametrize(("lie", "says"), NO_PLACE)
def test_places_that_cannot_be(tmp_path: Path, lie: dict[int, Any], says: str) -> None:
    found = embedded(picture(tmp_path / "a.jpg", gps=BERLIN | lie))
    assert place(found) is None and found.time == WHEN  # the date is not to blame
    assert found.problems == (f"{says}: no place is taken from it",)


@pytest.mark.parametrize("gps", [{0: b"\2\3\0\0"}, {9: "V"}, {29: "2020:05:01"}])
def test_a_receiver_that_names_no_place_does_not_lie(tmp_path: Path, gps: dict[int, Any]) -> None:
    found = embedded(picture(tmp_path / "a.jpg", gps=gps))
    assert place(found) is None and found.problems == ()


@pytest.mark.parametrize(("taken", "says"), [
    ("0000:00:00 00:00:00", "its date '0000:00:00 00:00:00' is no date"),
    ("yesterday", "its date 'yesterday' is no date"),
    ("2020:02:30 10:00:00", "its date '2020:02:30 10:00:00' is no date"),
    ("2020:05:01 25:00:00", "its date '2020:05:01 25:00:00' is no date"),
    ("1970:01:01 03:04:05", "its date is 1970-01-01, where clocks begin that nobody set"),
    ("2000:01:01 02:03:06", "its date is 2000-01-01, where clocks begin that nobody set"),
    ("2011:01:01 00:00:12", "its date is 2011-01-01, where clocks begin that nobody set"),
    ("2199:05:01 10:00:00", "its date is 2199-05-01, in the future: the clock was wrong"),
    ("9999:12:31 23:59:59", "its date is 9999-12-31, in the future: the clock was wrong"),
    ("1066:10:14 09:00:00", "its date is 1066-10-14, before there were pictures"),
])
def test_dates_that_cannot_be(tmp_path: Path, taken: str, says: str) -> None:
    found = embedded(picture(tmp_path / "a.jpg", taken, BERLIN))
    assert found.time is None and place(found) == AT  # the place is not to blame
    assert found.problems == (f"{says}: no date is taken from it",)


@pytest.mark.parametrize("taken", ["    :  :     :  :  ", "", " "])
def test_blanks_say_that_a_date_is_not_known(tmp_path: Path, taken: str) -> None:
    assert embedded(picture(tmp_path / "a.jpg", taken)) == Embedded()


@pytest.mark.parametrize(("text", "expected"), [
    ("2020-05-01T10:20:30", WHEN), ("2020:05:01 10:20:30.25", WHEN), ("2020:05:01 10:20", WHEN.replace(second=0)),
    ("2011:01:01 11:00:12", datetime(2011, 1, 1, 11, 0, 12)), (MAY + "+02:00", WHEN.replace(tzinfo=SUMMER))])
def test_dates_as_they_are_written(tmp_path: Path, text: str, expected: datetime) -> None:
    assert embedded(picture(tmp_path / "a.jpg", text)) == Embedded(time=expected)


def test_tomorrow_is_today_elsewhere(tmp_path: Path) -> None:
    soon = datetime.now(UTC).replace(tzinfo=None, microsecond=0) + timedelta(hours=14)
    assert embedded(picture(tmp_path / "a.jpg", f"{soon:%Y:%m:%d %H:%M:%S}")).time == soon


@pytest.mark.parametrize("offset", ["+25:00", "two hours", "+02:75"])
def test_an_offset_that_is_none_costs_the_offset_alone(tmp_path: Path, offset: str) -> None:
    found = embedded(picture(tmp_path / "a.jpg", offset=offset))
    assert found == Embedded(time=WHEN, problems=("its offset from UTC is none: its date is taken as it is",))


def test_when_a_file_was_changed_or_scanned_is_not_when_it_was_taken(tmp_path: Path) -> None:
    exif = exif_of(taken=None, t9004=MAY)
    exif[0x0132] = MAY
    Image.new("RGB", (4, 4)).save(tmp_path / "a.jpg", exif=exif)
    assert embedded(tmp_path / "a.jpg") == Embedded()


def test_the_receivers_date_where_the_camera_has_none(tmp_path: Path) -> None:
    gps = {29: "2020:05:01", 7: (8.0, 20.0, 30.0)}
    assert embedded(picture(tmp_path / "a.jpg", None, gps)).time == datetime(2020, 5, 1, 8, 20, 30, tzinfo=UTC)
    assert embedded(picture(tmp_path / "b.jpg", None, gps | {7: (99.0, 0.0, 0.0)})).time == datetime(2020, 5, 1,
                                                                                                    tzinfo=UTC)
    lied = embedded(picture(tmp_path / "c.jpg", "2000:01:01 02:03:06", gps))
    assert lied.time == datetime(2020, 5, 1, 8, 20, 30, tzinfo=UTC) and len(lied.problems) == 1


def test_two_dates_that_quarrel(tmp_path: Path) -> None:
    near = embedded(picture(tmp_path / "a.jpg", gps={29: "2020:05:02", 7: (0.0, 30.0, 0.0)}))
    assert near == Embedded(time=WHEN)
    far = embedded(picture(tmp_path / "b.jpg", gps=BERLIN | {29: "2021:07:02"}))
    assert far.time is None and place(far) == AT
    assert far.problems == ("it has two dates, 2020-05-01 by the camera's clock and 2021-07-02 by GPS, and one of them "
                            "is wrong: no date is taken from it",)


def test_of_what_is_not_wanted_nothing_is_said(tmp_path: Path) -> None:
    path = picture(tmp_path / "a.jpg", "2199:05:01 10:00:00", BERLIN | {2: (99.0, 0.0, 0.0)})
    assert len(embedded(path).problems) == 2
    assert [len(embedded(path, place=False).problems), len(embedded(path, time=False).problems)] == [1, 1]
    assert embedded(path, place=False, time=False) == Embedded()


def test_exif_behind_the_pixels_of_a_png(tmp_path: Path) -> None:
    """ExifTool writes it there; the pixels before it are not decoded, which are of 400 million and cannot be."""
    head = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">2I5B", 13000, 13000, 8, 2, 0, 0, 0))
    block = exif_of(gps=BERLIN).tobytes().removeprefix(b"Exif\0\0")
    body = head + chunk(b"IDAT", b"no pixels") + chunk(b"eXIf", block) + chunk(b"IEND", b"")
    (tmp_path / "a.png").write_bytes(body)
    assert place(embedded(tmp_path / "a.png")) == AT


def chunk(kind: bytes, data: bytes) -> bytes:
    """Return a chunk of a PNG file."""
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def test_no_more_is_read_of_a_png_than_a_camera_writes(tmp_path: Path) -> None:
    plain = picture(tmp_path / "a.png", taken=None).read_bytes()
    head = plain.index(b"IEND") - 4
    (tmp_path / "a.png").write_bytes(plain[:head] + struct.pack(">I4s", 2**32 - 1, b"eXIf") + b"MM" + plain[head:])
    tracemalloc.start()
    try:
        assert embedded(tmp_path / "a.png").time is None
        assert tracemalloc.get_traced_memory()[1] < 2**26
    finally:
        tracemalloc.stop()


def test_numbers_beyond_all_bounds_are_no_place_and_no_hour() -> None:
    assert gps_time({29: "2021:05:01", 7: (1e300, 0.0, 0.0)}) == datetime(2021, 5, 1, tzinfo=UTC)
    assert gps_time({29: "2021:05:01", 7: (1.0, 0.0, 1e300)}) == datetime(2021, 5, 1, tzinfo=UTC)
    with pytest.raises(Lie, match="its GPS latitude is no number"):
        gps_place({1: "N", 2: (10**400, 0, 0), 3: "E", 4: (1, 1, 1)})


def test_a_picture_that_is_too_large_says_nothing(tmp_path: Path) -> None:
    head = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">2I5B", 25000, 20000, 8, 2, 0, 0, 0))
    (tmp_path / "a.png").write_bytes(head + chunk(b"IDAT", b"") + chunk(b"IEND", b""))
    [problem] = embedded(tmp_path / "a.png").problems
    assert problem == "no place and no date are taken from it: it is too large for an image"


@pytest.mark.parametrize(("name", "content", "says"), [
    ("a.jpg", b"", "it is damaged, or its EXIF is"), ("a.jpg", b"no picture", "it is damaged, or its EXIF is"),
    ("a.jpg", None, "it cannot be opened: No such file or directory"), ("a.mp4", None, "it cannot be opened: "),
    ("a.mp4", b"no video\n" * 99, "it cannot be opened: it is no media, or its header is damaged")])
def test_files_that_cannot_be_read(tmp_path: Path, name: str, content: bytes | None, says: str) -> None:
    if content is not None:
        (tmp_path / name).write_bytes(content)
    found = embedded(tmp_path / name)
    assert found == Embedded(problems=found.problems) and len(found.problems) == 1
    assert found.problems[0].startswith(f"no place and no date are taken from it: {says}")


@pytest.mark.parametrize("name", ["a.jpg", "a.png", "a.webp", "a.tif", "a.avif"])
def test_no_damage_raises(tmp_path: Path, name: str) -> None:
    """Whatever bytes are wrong: a place that can be, a date that can be, and lines that can be printed."""
    whole = picture(tmp_path / name, gps=BERLIN | {29: "2020:05:01"}, offset="+02:00").read_bytes()
    some = random.Random(8)
    said = set()
    for _ in range(150):
        data = bytearray(whole)
        for _ in range(some.choice([1, 2, 5])):
            data[some.randrange(min(len(data), 700))] = some.randrange(256)
        (tmp_path / name).write_bytes(data[: some.choice([len(data), len(data), some.randrange(len(data))])])
        found = embedded(tmp_path / name)
        assert found.latitude is None or (abs(found.latitude) <= 90 and abs(found.longitude or 0) <= 180)
        assert found.time is None or 1826 <= found.time.year <= datetime.now(UTC).year
        assert all(line.isprintable() and len(line) < 200 for line in found.problems)
        said.update(found.problems)
    assert said and (name == "a.png" or len(said) > 2)  # PNG's own checksums find it all


@pytest.mark.parametrize(("name", "said", "muxer"), [
    ("a.mkv", {"location": "+52.50833+013.4000/"}, None), ("a.mkv", {"location": "+52.50833+13.4/"}, None),
    ("a.mov", {"com.apple.quicktime.location.ISO6709": "+52.50833+013.4000+034.000/"}, QUICKTIME),
    ("a.mkv", {"location": "+523029.988+0132400/"}, None), ("a.mkv", {"location": "+5230.4998+01324CRSWGS_84/"}, None)])
def test_places_of_videos(tmp_path: Path, name: str, said: dict[str, str], muxer: dict[str, str] | None) -> None:
    found = embedded(clip(tmp_path / name, said | {"creation_time": "2020-05-01T10:20:30Z"}, muxer))
    assert place(found) == AT and found.time == WHEN.replace(tzinfo=UTC) and found.problems == ()


@pytest.mark.parametrize("name", ["a.mp4", "a.mov", "a.3gp"])
def test_places_of_videos_as_their_own_boxes(tmp_path: Path, name: str) -> None:
    found = embedded(clip(tmp_path / name, {"location": "-33.8583-070.0100/"}))
    assert found.problems == () and place(found) == pytest.approx((-33.8583, -70.01), abs=1e-4)


def test_quicktimes_date_has_its_zone(tmp_path: Path) -> None:
    said = {"com.apple.quicktime.creationdate": "2020-05-02T00:10:00+0200", "creation_time": "2020-05-01T22:10:00Z"}
    found = embedded(clip(tmp_path / "a.mov", said, QUICKTIME))
    assert found.time == datetime(2020, 5, 2, 0, 10, tzinfo=SUMMER) and found.time.day == 2


@pytest.mark.parametrize(("said", "says"), [
    ({"location": "+00.0000+000.0000/"}, "its location '+00.0000+000.0000/' is 0, 0, which is written where there was "
                                         "no fix: no place is taken from it"),
    ({"location": "+95.0000+013.4000/"}, "its location '+95.0000+013.4000/' has a latitude of 95, beyond 90: no place "
                                         "is taken from it"),
    ({"location": "+5275.00+01324.00/"}, "its location has 52:75.00, which is no angle: no place is taken from it"),
    ({"location": "+52.5/"}, "its location '+52.5/' is no place of ISO 6709: no place is taken from it"),
    ({"creation_time": "2199-05-01T10:00:00Z"}, None),
    ({"creation_time": "1970-01-01T00:00:00Z"}, None)])
def test_videos_that_lie(tmp_path: Path, said: dict[str, str], says: str | None) -> None:
    found = embedded(clip(tmp_path / "a.mkv", said))
    assert (found.latitude, found.longitude, found.time, len(found.problems)) == (None, None, None, 1)
    assert says is None or found.problems == (says,)


def test_a_place_in_words_is_no_lie(tmp_path: Path) -> None:
    assert embedded(clip(tmp_path / "a.mkv", {"location": "Berlin"})) == Embedded()


def test_words_that_are_not_utf8_do_no_harm(tmp_path: Path) -> None:
    film = clip(tmp_path / "a.mp4", {"title": "cafXXX", "location": "+52.5083+013.4000/"})
    film.write_bytes(film.read_bytes().replace(b"cafXXX", "café ö".encode("latin-1")))
    assert place(embedded(film)) == (52.5083, 13.4)
    reader = open_media(str(film))
    assert len(list(reader.at([0, 1, 2], [NATIVE]))) == 3
    reader.close()


def test_a_folder_as_one_video_and_what_is_not_on_a_disk(tmp_path: Path) -> None:
    picture(tmp_path / "frames" / "2.jpg", gps=BERLIN)
    picture(tmp_path / "frames" / "10.jpg", "2021:05:01 10:00:00")
    assert embedded(f"seq:{tmp_path / 'frames'}").time == WHEN
    (tmp_path / "none").mkdir()
    assert embedded(f"seq:{tmp_path / 'none'}").problems
    assert embedded("http://localhost:1/a.jpg") == embedded("webcam:0") == Embedded()


def test_real_clocks_that_nobody_set(shared: Path) -> None:
    pictures = shared / "data" / "classify-species"
    snake = embedded(pictures / "imagenet_one_per_class" / "n01728572_thunder_snake.JPEG")
    assert snake.problems == ("its date is 2000-01-01, where clocks begin that nobody set: no date is taken from it",)
    assert embedded(pictures / "speciesnet" / "ocelot.jpg") == Embedded(time=datetime(2006, 2, 10, 17, 6, 43))
    film = embedded(shared / "data" / "detect-copy" / "bigbuckbunny.mp4")
    assert film.time is None and len(film.problems) == 1
