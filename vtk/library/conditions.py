"""Conditions in the SQL that LanceDB reads."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timezone

_CHUNK = 1000  # names in one condition; the parser recurses


def one_of(column: str, values: Sequence[str]) -> Iterator[str]:
    """Yield conditions that together are true of rows whose ``column`` is one of ``values``."""
    for first in range(0, len(values), _CHUNK):
        yield f"`{column}` IN ({', '.join(map(quoted, values[first : first + _CHUNK]))})"


def quoted(text: str) -> str:
    """Return ``text`` as an SQL string."""
    return "'" + text.replace("'", "''") + "'"


def before(moment: datetime) -> str:
    """Return the condition that an entry was added before ``moment``.

    Raises:
        ValueError: the moment has no time zone.
    """
    if moment.tzinfo is None:
        raise ValueError(f"moment: got {moment} without a time zone, expected UTC")
    return f"added < timestamp '{moment.astimezone(timezone.utc):%Y-%m-%dT%H:%M:%S.%fZ}'"
