"""How sources are named: paths that need not be UTF-8, URLs, cameras and image sequences."""

from __future__ import annotations

import os
import re
from urllib.parse import quote_from_bytes, unquote_to_bytes

VIDEO_SUFFIXES = frozenset(
    ".3g2 .3gp .asf .avi .divx .dv .f4v .flv .gif .h264 .h265 .hevc .ivf .m1v .m2ts .m2v .m4v .mjpeg .mjpg .mkv .mov "
    ".mp4 .mpeg .mpg .mts .mxf .obu .ogm .ogv .rm .ts .vob .webm .wmv .y4m".split()
)
IMAGE_SUFFIXES = frozenset(
    ".avif .bmp .heic .heif .jfif .jp2 .jpe .jpeg .jpg .pbm .pgm .png .pnm .ppm .tif .tiff .webp".split()
)

_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://")
_WEBCAM = re.compile(r"webcam:\d+")
DECODERS = ("auto", "pyav", "decord", "opencv")

_SEQUENCE = "seq:"


def is_stream(source: str) -> bool:
    """Return whether ``source`` is a URL or a camera: nothing on a disk here to list, stat or hash."""
    return is_webcam(source) or bool(_URL.match(source) and not source.startswith("file:"))


def is_webcam(source: str) -> bool:
    """Return whether ``source`` is a local camera, ``webcam:0``."""
    return bool(_WEBCAM.fullmatch(source))


def is_sequence(source: str) -> bool:
    """Return whether ``source`` is a folder of images that makes one video, ``seq:DIR``."""
    return source.startswith(_SEQUENCE)


def is_image(source: str) -> bool:
    """Return whether ``source`` names a single image, by its suffix."""
    return not is_stream(source) and not is_sequence(source) and suffix(source) in IMAGE_SUFFIXES


def suffix(source: str) -> str:
    """Return the lower-case suffix of a source's file name, dot included, or an empty string."""
    return os.path.splitext(source)[1].lower()


def source_name(path: str) -> str:
    """Return what stands in records for ``path``, a string from argv, a listing or a record.

    Unchanged where UTF-8 can say it; otherwise ``file:`` and its bytes percent-encoded, so that JSON can carry it.
    """
    if path.startswith(_SEQUENCE):
        return _SEQUENCE + source_name(path[len(_SEQUENCE) :])
    try:
        path.encode("utf-8")
    except UnicodeEncodeError:
        return "file:" + quote_from_bytes(os.fsencode(path), safe="/")
    return path


def open_name(source: str, root: str | os.PathLike[str] | None = None) -> str:
    """Return what opens ``source``: a URL or ``webcam:N`` as it is, else a path, relative ones below ``root``.

    The inverse of ``source_name``: a path that is not UTF-8 comes back with surrogate escapes. ``seq:DIR`` keeps
    its prefix, since the prefix says how to read the folder.
    """
    if is_stream(source):
        return source
    if source.startswith(_SEQUENCE):
        return _SEQUENCE + open_name(source[len(_SEQUENCE) :], root)
    path = _path_of_uri(source) if source.startswith("file:") else source
    # A path that is absolute stands for itself: os.path.join drops what comes before it.
    return path if root is None else os.path.join(os.fspath(root), path)


def _path_of_uri(uri: str) -> str:
    """Return the path of a ``file:`` URI, absolute (``file:///a``, ``file://localhost/a``) or relative (``file:a``)."""
    rest = uri[len("file:") :]
    if rest.startswith("//"):
        host, slash, tail = rest[2:].partition("/")
        if host not in ("", "localhost"):
            raise ValueError(f"file URI names the host {host!r}; expected file:///path")
        rest = slash + tail
    return os.fsdecode(unquote_to_bytes(rest))
