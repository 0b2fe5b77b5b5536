"""What a library holds, one by one and as columns, and how it lies in the table."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timezone
from itertools import islice
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

if TYPE_CHECKING:
    import pyarrow as pa

Dtype = Literal["float16", "float32"]
NAMES = ("id", "group", "source", "start", "end", "t", "added", "extra")
_KEY = {"lance-schema:unenforced-primary-key:position": "1"}  # two writers of one id: the second one sees the first


@dataclass(frozen=True, slots=True)
class Entry:
    """One embedding.

    Attributes:
        id: its name in the library, unique.
        vector: (D,) of any float dtype and length; the library keeps its direction alone.
        group: the identity or the reference that it belongs to.
        source: the path or URL that it was seen in.
        start, end: the span that it stands for, seconds from the first frame of the source, end exclusive.
        t: the moment that it stands for, seconds.
        added: when it was added, UTC; the moment of adding where it is None.
        extra: anything else that JSON can hold.
    """

    id: str
    vector: np.ndarray
    group: str
    source: str | None = None
    start: float | None = None
    end: float | None = None
    t: float | None = None
    added: datetime | None = None
    extra: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Columns:
    """Many embeddings as columns, where a Python object for each would take too long; see ``Entry``.

    Attributes:
        ids: N names.
        vectors: (N, D) of any float dtype.
        groups: N names.
        sources: N paths or URLs, or None.
        start, end, t: (N,) float64, seconds, NaN where there is none, or None.
    """

    ids: Sequence[str]
    vectors: np.ndarray
    groups: Sequence[str]
    sources: Sequence[str | None] | None = None
    start: np.ndarray | None = None
    end: np.ndarray | None = None
    t: np.ndarray | None = None

    def __len__(self) -> int:
        return len(self.ids)

    def part(self, first: int, last: int) -> Columns:
        """Return the embeddings from ``first`` to before ``last``."""
        return Columns(*(value if value is None else value[first:last] for value in (
            self.ids, self.vectors, self.groups, self.sources, self.start, self.end, self.t)))


def schema(dim: int, dtype: Dtype, metadata: Mapping[str, str]) -> pa.Schema:
    """Return the table's columns; ``metadata`` of the library stands at the vectors, where it can be changed."""
    import pyarrow as pa

    vector = pa.list_(pa.float16() if dtype == "float16" else pa.float32(), dim)
    return pa.schema([
        pa.field("id", pa.string(), nullable=False, metadata=_KEY),
        pa.field("group", pa.string(), nullable=False),
        pa.field("vector", vector, nullable=False, metadata=dict(metadata)),
        pa.field("source", pa.string()),
        *(pa.field(name, pa.float64()) for name in ("start", "end", "t")),
        pa.field("added", pa.timestamp("us", tz="UTC"), nullable=False),
        pa.field("extra", pa.string(), nullable=False),
    ])


def batches(entries: Iterable[Entry] | Columns, size: int, columns: pa.Schema) -> Iterator[pa.Table]:
    """Yield tables of at most ``size`` entries, each id once: of equal ones the first stays.

    Raises:
        ValueError: an id or a group is empty or no string, a vector has another shape, or no direction.
    """
    if isinstance(entries, Columns):
        for first in range(0, len(entries), size):
            yield _distinct(_of_columns(entries.part(first, first + size), columns))
        return
    rest = iter(entries)
    while some := list(islice(rest, size)):
        yield _distinct(_of_entries(some, columns))


def entries_of(table: pa.Table, names: Sequence[str] = NAMES) -> Iterator[Entry]:
    """Yield the rows of a table as entries; without a column of vectors theirs are empty."""
    vectors = matrix(table["vector"]) if "vector" in table.column_names else np.empty((len(table), 0), np.float32)
    for row, vector in zip(table.select(list(names)).to_pylist(), vectors, strict=True):
        yield Entry(**{**row, "extra": json.loads(row["extra"]), "vector": vector})


def matrix(column: pa.ChunkedArray | pa.Array) -> np.ndarray:
    """Return a column of vectors as (N, D) in its own dtype, without a copy where it is one chunk."""
    import pyarrow as pa

    whole = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
    return whole.flatten().to_numpy(zero_copy_only=False).reshape(len(whole), whole.type.list_size)


def directions(vectors: np.ndarray, dim: int, what: str) -> np.ndarray:
    """Return (N, ``dim``) float32 vectors of length 1.

    Raises:
        ValueError: the shape is another, or a vector is zero or not finite and so has no direction.
    """
    given = np.asarray(vectors)
    if given.ndim != 2 or given.shape[1] != dim:
        raise ValueError(f"{what}: got shape {given.shape}, expected (N, {dim})")
    if given.dtype.kind != "f":
        raise ValueError(f"{what}: got {given.dtype}, expected floats")
    # By the largest component first: squares of a float32 overflow from 1e19 on.
    with np.errstate(invalid="ignore", divide="ignore"):
        scaled = given / np.abs(given).max(axis=1, initial=0, keepdims=True)
    scaled = scaled.astype(np.float32, copy=False)
    lengths = np.sqrt(np.einsum("nd,nd->n", scaled, scaled))
    if not np.isfinite(lengths).all():
        raise ValueError(f"{what}: row {int(np.flatnonzero(~np.isfinite(lengths))[0])} is zero or not finite: "
                         "it has no direction to compare")
    return scaled / lengths[:, None]


def _of_entries(entries: Sequence[Entry], columns: pa.Schema) -> pa.Table:
    dim = columns.field("vector").type.list_size
    for entry in entries:
        if np.shape(entry.vector) != (dim,):
            raise ValueError(f"vector of '{entry.id}': got shape {np.shape(entry.vector)}, expected ({dim},)")
        if np.asarray(entry.vector).dtype.kind != "f":
            raise ValueError(f"vector of '{entry.id}': got {np.asarray(entry.vector).dtype}, expected floats")
    vectors = np.stack([np.asarray(entry.vector) for entry in entries])
    now = datetime.now(timezone.utc)
    return _table(columns, vectors, {
        "id": [entry.id for entry in entries], "group": [entry.group for entry in entries],
        "source": [entry.source for entry in entries], "start": [entry.start for entry in entries],
        "end": [entry.end for entry in entries], "t": [entry.t for entry in entries],
        "added": [_utc(entry.added or now) for entry in entries],
        "extra": [json.dumps(dict(entry.extra), sort_keys=True, allow_nan=False) for entry in entries],
    })


def _of_columns(given: Columns, columns: pa.Schema) -> pa.Table:
    count = len(given)
    absent = [None] * count
    return _table(columns, given.vectors, {
        "id": given.ids, "group": given.groups, "source": absent if given.sources is None else given.sources,
        "start": absent if given.start is None else given.start, "end": absent if given.end is None else given.end,
        "t": absent if given.t is None else given.t, "added": [datetime.now(timezone.utc)] * count,
        "extra": ["{}"] * count,
    })


def _table(columns: pa.Schema, vectors: np.ndarray, values: Mapping[str, Any]) -> pa.Table:
    import pyarrow as pa

    for name in ("id", "group"):
        wrong = next((value for value in values[name] if not isinstance(value, str) or not value), None)
        if wrong is not None:
            raise ValueError(f"{name}: got {wrong!r}, expected a name")
    kind = columns.field("vector").type
    unit = directions(vectors, kind.list_size, "vectors").astype(kind.value_type.to_pandas_dtype())
    if len(unit) != len(values["id"]):
        raise ValueError(f"vectors: got {len(unit)}, expected {len(values['id'])}, one for each id")
    arrays = {**values, "vector": pa.FixedSizeListArray.from_arrays(pa.array(unit.ravel()), kind.list_size)}
    return pa.table([_array(arrays[field.name], field.type) for field in columns], schema=columns)


def _array(values: Any, kind: pa.DataType) -> pa.Array:
    import pyarrow as pa

    return values if isinstance(values, pa.Array) else pa.array(values, kind, from_pandas=pa.types.is_floating(kind))


def _distinct(table: pa.Table) -> pa.Table:
    seen: dict[str, int] = {}
    for row, name in enumerate(table["id"].to_pylist()):
        seen.setdefault(name, row)
    return table if len(seen) == len(table) else table.take(list(seen.values()))


def _utc(moment: datetime) -> datetime:
    if moment.tzinfo is None:
        raise ValueError(f"added: got {moment} without a time zone, expected UTC")
    return moment.astimezone(timezone.utc)
