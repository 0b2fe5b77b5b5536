"""Names of sources survive the trip through records and back."""

import os

import pytest

from vtk.media import names


@pytest.mark.parametrize("raw", [b"caf\xe9.mp4", b"/data/\xff\xfe/a b%20.mp4", b"a\nb\"'\xc3.mkv"])
def test_names_that_are_not_utf8_travel_as_file_uris(raw):
    path = os.fsdecode(raw)
    source = names.source_name(path)
    assert source.startswith("file:")
    assert source.isascii() and "\n" not in source
    assert os.fsencode(names.open_name(source)) == raw


@pytest.mark.parametrize("path", ["a.mp4", "ä b%41.mp4", 'line\nbreak"quote.mp4', "/abs/12:30.mp4", "http://h/x.mp4",
                                  "webcam:0"])
def test_names_that_are_utf8_stay_as_typed(path):
    assert names.source_name(path) == path
    assert names.open_name(path) == path


def test_a_sequence_keeps_its_prefix_around_a_name_that_is_not_utf8():
    path = "seq:" + os.fsdecode(b"fr\xe4mes")
    source = names.source_name(path)
    assert source == "seq:file:fr%E4mes"
    assert names.open_name(source) == path


def test_root_resolves_relative_names_alone():
    assert names.open_name("a/b.mp4", "/data") == "/data/a/b.mp4"
    assert names.open_name("/a/b.mp4", "/data") == "/a/b.mp4"
    assert names.open_name("seq:img", "/data") == "seq:/data/img"
    assert names.open_name("rtsp://cam/1", "/data") == "rtsp://cam/1"
    assert names.open_name("file:%E9.mp4", "/data") == "/data/" + os.fsdecode(b"\xe9.mp4")


def test_file_uris_open():
    assert names.open_name("file:///a/b%20c.mp4") == "/a/b c.mp4"
    assert names.open_name("file://localhost/a.mp4") == "/a.mp4"
    assert names.open_name("file:/a.mp4") == "/a.mp4"
    with pytest.raises(ValueError, match="host 'elsewhere'"):
        names.open_name("file://elsewhere/a.mp4")


@pytest.mark.parametrize(
    ("source", "stream", "image"),
    [
        ("rtsp://cam/1", True, False),
        ("http://host/a.jpg", True, False),
        ("webcam:1", True, False),
        ("webcam:x", False, False),
        ("a.JPG", False, True),
        ("file:%E9.png", False, True),
        ("file:///a.mp4", False, False),
        ("seq:a.jpg", False, False),
    ],
)
def test_kinds_are_told_by_name(source, stream, image):
    assert (names.is_stream(source), names.is_image(source)) == (stream, image)
