"""File names of crops: of any label and any source one path component, and no two alike."""

from __future__ import annotations

import hashlib
import re

MANIFEST = "manifest.jsonl"
TABLE = "labels.csv"
FORMATS = ("jpg", "png", "webp")
# Bytes of one component; file systems take 255, and behind a source there are a frame, a place and .part.
LONGEST = 180
# What has a meaning to shells of Windows, or stands for something here.
_SPECIAL = frozenset('%+\\:*?"<>|')
_CROP = re.compile(rf"(?:(?P<folder>[^/]+)/)?[^/]+-\d{{6,}}-\d+\.(?:{'|'.join(FORMATS)})")


def escaped(text: str) -> str:
    """Return ``text`` as one path component, by which it can be told from every other text.

    A slash becomes +, and what cannot stand in names everywhere is percent-encoded, as are %, + and a dot or a blank at
    either end. What is longer than LONGEST bytes is cut, and ends in ~ and a hash of all of it.
    """
    name = "".join("+" if char == "/" else char if _plain(char) else _percent(char) for char in text)
    if name[:1] in (".", " "):
        name = _percent(name[0]) + name[1:]
    if name[-1:] in (".", " "):
        name = name[:-1] + _percent(name[-1])
    data = name.encode()
    if len(data) > LONGEST:
        digest = hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).hexdigest()
        return f"{data[:LONGEST - 17].decode(errors='ignore')}~{digest}"
    return name or "%"


def folder_name(text: str) -> str:
    """Return ``text`` as the name of a folder beside the files that describe all crops."""
    return _beside(escaped(text))


def track_name(source: str, track: str) -> str:
    """Return the name of the folder of a track, ``track`` its number and what numbers it."""
    return _beside(f"{escaped(source)}-{track}")


def _beside(name: str) -> str:
    """Return a name, another one where it is that of a file that describes all crops."""
    return _percent(name[0]) + name[1:] if name.startswith((MANIFEST, TABLE)) else name


def crop_name(source: str, frame: int, place: int, kind: str) -> str:
    """Return the file name of a crop: its source, its frame, and its place among the boxes of the frame."""
    return f"{escaped(source)}-{frame:06d}-{place}.{kind}"


def is_crop(file: object) -> bool:
    """Return whether what a manifest names can be a crop below its folder, and nothing elsewhere."""
    if not isinstance(file, str) or "\0" in file:
        return False
    match = _CROP.fullmatch(file)
    return match is not None and match["folder"] not in (".", "..")


def _plain(char: str) -> bool:
    return char.isprintable() and char not in _SPECIAL


def _percent(char: str) -> str:
    return "".join(f"%{byte:02X}" for byte in char.encode("utf-8", "surrogatepass"))
