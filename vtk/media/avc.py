"""What an H.264 stream says of itself: parameter sets in the head of a file, and the units of its packets.

Source: ISO/IEC 14496-15, 5.3.3.1 (the head, ``avcC``); ITU-T H.264, 7.3.1 and 7.3.2 (units and parameter sets).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

_SPS, _PPS, _SEI, _DELIMITER = 7, 8, 6, 9
_MOST = 32  # numbers of parameter sets of sequences


@dataclass(frozen=True, slots=True)
class AvcConfig:
    """The head of H.264 in MP4 and Matroska.

    Attributes:
        start: version, profile, compatibility, level.
        length: bytes of the number before each unit that says how long it is.
        sequences, pictures: the parameter sets, each a unit.
        rest: what follows them.
    """

    start: bytes
    length: int
    sequences: tuple[bytes, ...]
    pictures: tuple[bytes, ...]
    rest: bytes

    @classmethod
    def parse(cls, data: bytes) -> AvcConfig:
        """Return the configuration in ``data``. Raises ValueError where it is none."""
        if len(data) < 7 or data[0] != 1:
            raise ValueError("no avcC")
        sequences, place = _sets(data, 5, data[5] & 31)
        pictures, place = _sets(data, place, data[place] if place < len(data) else 0)
        if not sequences or not pictures:
            raise ValueError("no parameter sets in avcC")
        return cls(data[:4], (data[4] & 3) + 1, sequences, pictures, data[place:])

    def free_number(self) -> int:
        """Return a number that no parameter set has. Raises ValueError where all are taken."""
        taken = {_number(unit, 4) for unit in self.sequences} | {_number(unit, 1) for unit in self.pictures}
        free = next((number for number in range(1, _MOST) if number not in taken), None)
        if free is None:
            raise ValueError(f"all {_MOST} numbers of parameter sets are taken")
        return free

    def joined(self, stream: bytes) -> bytes:
        """Return avcC with the parameter sets of ``stream`` (units behind start codes) beside its own."""
        units = list(units_of(stream))
        sequences = (*self.sequences, *(unit for unit in units if unit[0] & 31 == _SPS))
        pictures = (*self.pictures, *(unit for unit in units if unit[0] & 31 == _PPS))
        return b"".join([self.start, bytes([0xFC | self.length - 1, 0xE0 | len(sequences)]), *map(_sized, sequences),
                         bytes([len(pictures)]), *map(_sized, pictures), self.rest])


def units_of(stream: bytes) -> Iterator[bytes]:
    """Yield the units of a stream with start codes."""
    for part in re.split(rb"\x00\x00\x01", stream)[1:]:
        if unit := part.rstrip(b"\x00"):
            yield unit


def prefixed(stream: bytes, length: int) -> bytes:
    """Return the pictures of a stream with start codes, each unit behind its size in ``length`` bytes."""
    kept = [unit for unit in units_of(stream) if unit[0] & 31 not in (_SPS, _PPS, _SEI, _DELIMITER)]
    return b"".join(len(unit).to_bytes(length, "big") + unit for unit in kept)


def nal_kinds(packet: bytes, length: int) -> set[int]:
    """Return the kinds of units in a packet whose units stand behind their sizes."""
    kinds, place = set(), 0
    while place + length < len(packet):
        size = int.from_bytes(packet[place : place + length], "big")
        kinds.add(packet[place + length] & 31)
        place += length + size
    return kinds


def _sets(data: bytes, place: int, count: int) -> tuple[tuple[bytes, ...], int]:
    """Return ``count`` parameter sets behind the byte at ``place``, and where they end."""
    found, place = [], place + 1
    for _ in range(count):
        size = int.from_bytes(data[place : place + 2], "big")
        found.append(data[place + 2 : place + 2 + size])
        place += 2 + size
        if not size or place > len(data):
            raise ValueError("avcC is cut")
    return tuple(found), place


def _sized(unit: bytes) -> bytes:
    return len(unit).to_bytes(2, "big") + unit


def _number(unit: bytes, skip: int) -> int:
    """Return the number of a parameter set: the Exp-Golomb code behind ``skip`` bytes (ITU-T H.264, 9.1)."""
    bits = "".join(f"{byte:08b}" for byte in unit[skip : skip + 4])
    zeros = len(bits) - len(bits.lstrip("0"))
    return int(bits[zeros : 2 * zeros + 1] or "1", 2) - 1
