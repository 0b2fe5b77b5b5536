"""Files that end before their own headers say: cut while copied, or never finished."""

from __future__ import annotations

import os
import struct

_MP4_BOXES = frozenset(b"ftyp moov mdat free skip wide moof sidx styp uuid meta mfra pnot".split())
_EBML, _SEGMENT = b"\x1a\x45\xdf\xa3", b"\x18\x53\x80\x67"


def missing_bytes(path: str) -> int:
    """Return how many bytes a file lacks at its end; 0 where its headers do not tell.

    The headers of MP4, AVI and Matroska do.

    Source: ISO/IEC 14496-12 §4.2 (boxes), RIFF (chunks), RFC 8794 §6 (EBML element sizes).
    """
    boxes, size = top_level(path), os.path.getsize(path)
    return max(0, boxes[-1][2] - size) if boxes else 0


def lacks_index(path: str) -> bool:
    """Return whether an MP4 holds pictures and not the box that says where they are (moov)."""
    kinds = [kind for kind, _, _ in top_level(path)]
    return b"mdat" in kinds and b"moov" not in kinds and b"moof" not in kinds


def top_level(path: str) -> list[tuple[bytes, int, int]]:
    """Return (kind, start, end) of a file's outermost boxes, in bytes; the last may end beyond it."""
    size = os.path.getsize(path)
    with open(path, "rb") as file:
        head = file.read(12)
        if head[4:8] in _MP4_BOXES:
            step = _mp4_box
        elif head[:4] == b"RIFF" and head[8:] == b"AVI ":
            step = _riff_chunk
        elif head[:4] == _EBML:
            step = _ebml_element
        else:
            return []
        found: list[tuple[bytes, int, int]] = []
        start = 0
        while start < size:
            file.seek(start)
            kind, length = step(file.read(16))
            if length <= 0 or (not found and start + length > size and kind != b"RIFF"):
                break
            found.append((kind, start, start + length))
            start += length
    return found


def _mp4_box(head: bytes) -> tuple[bytes, int]:
    """Return kind and length of a box; 0 ends the walk: it runs to the end, or is no box."""
    if len(head) < 8 or head[4:8] not in _MP4_BOXES:
        return b"", 0
    length = struct.unpack(">I", head[:4])[0]
    if length == 1 and len(head) == 16:
        length = struct.unpack(">Q", head[8:])[0]
    return head[4:8], length


def _riff_chunk(head: bytes) -> tuple[bytes, int]:
    if len(head) < 12 or head[:4] != b"RIFF":
        return b"", 0
    length = struct.unpack("<I", head[4:8])[0]
    return b"RIFF", 8 + length + length % 2


def _ebml_element(head: bytes) -> tuple[bytes, int]:
    """Return id and length of an element; 0 ends the walk: a stream that was never finished."""
    if len(head) < 5 or head[:4] not in (_EBML, _SEGMENT):
        return b"", 0
    width = 9 - head[4].bit_length()
    if width > 8 or len(head) < 4 + width:
        return b"", 0
    value = int.from_bytes(head[4 : 4 + width], "big") & ((1 << 7 * width) - 1)
    return head[:4], 0 if value == (1 << 7 * width) - 1 else 4 + width + value
