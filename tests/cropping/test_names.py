"""Names of crops: one component of any text, no two alike, nothing outside."""

from __future__ import annotations

import os
import unicodedata

from hypothesis import given
from hypothesis import strategies as st

from vtk.cropping.names import LONGEST, crop_name, escaped, folder_name, is_crop, track_name

TEXTS = st.text(max_size=40)


@given(TEXTS, TEXTS)
def test_no_two_texts_share_a_name(one: str, other: str) -> None:
    assert (escaped(one) == escaped(other)) == (one == other)
    assert (folder_name(one) == folder_name(other)) == (one == other)


@given(st.text(max_size=400))
def test_a_name_is_one_component_that_any_system_takes(text: str) -> None:
    name = escaped(text)
    assert name and name not in (".", "..") and len(name.encode()) <= LONGEST
    assert not set(name) & set('/\\:*?"<>|\0') and all(map(str.isprintable, name))
    assert not name.startswith((".", " ")) and not name.endswith((".", " "))
    assert os.path.basename(name) == name


def test_names_are_as_people_would_write_them() -> None:
    assert escaped("person") == "person"
    assert escaped("traffic light") == "traffic light"
    assert escaped("videos/a.mp4") == "videos+a.mp4"
    assert escaped("a+b") == "a%2Bb" and escaped("100%") == "100%25"
    assert escaped("..") == "%2E%2E" and escaped(".hidden") == "%2Ehidden" and escaped("") == "%"
    assert escaped("../../etc") == "%2E.+..+etc"
    assert escaped("人/犬") == "人+犬"
    assert escaped("https://x.org/a?b") == "https%3A++x.org+a%3Fb"
    assert crop_name("videos/a.mp4", 123, 7, "jpg") == "videos+a.mp4-000123-7.jpg"
    assert crop_name("a", 12345678, 0, "png") == "a-12345678-0.png"


def test_long_names_end_in_a_hash_of_all() -> None:
    one, other = escaped("ü" * 300), escaped("ü" * 301)
    assert one != other and len(one.encode()) <= LONGEST and one.startswith("ü" * 40)
    assert unicodedata.is_normalized("NFC", one)


def test_no_folder_has_the_name_of_a_file_beside_it() -> None:
    assert folder_name("manifest.jsonl") == "%6Danifest.jsonl" and folder_name("labels.csv.part") != "labels.csv.part"
    assert folder_name("person") == "person"


@given(st.sampled_from(["a", "a-1", "a-text", "a-1-text"]), st.sampled_from(["1", "1-text", "11"]),
       st.sampled_from(["a", "a-1", "a-text", "a-1-text"]), st.sampled_from(["1", "1-text", "11"]))
def test_tracks_of_different_sources_have_different_folders(one: str, track: str, other: str, another: str) -> None:
    assert (track_name(one, track) == track_name(other, another)) == ((one, track) == (other, another))


def test_a_manifest_names_crops_alone() -> None:
    assert is_crop("person/a.mp4-000001-0.jpg") and is_crop("a-000001-0.webp")
    for file in ("../a-000001-0.jpg", "/etc/passwd", "person/notes.txt", "a/b/c-000001-0.jpg", "./a-000001-0.jpg", None,
                 3, "person/a.jpg", "/a-000001-0.jpg", "a\0-000001-0.jpg"):
        assert not is_crop(file), file
