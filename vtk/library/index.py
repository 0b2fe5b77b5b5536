"""The approximate index, beyond the size at which all vectors are looked at."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, get_args

import numpy as np

from vtk.library.entries import matrix
from vtk.library.hits import FOUND, Hits

if TYPE_CHECKING:
    from lancedb.table import LanceTable

Kind = Literal["rq", "sq", "pq", "hnsw"]
KINDS: tuple[str, ...] = get_args(Kind)
NAME = "vector_idx"
GROUPS = "group_idx"
ROWS = 2000  # a partition, about, as centres are learnt from 256 rows for each partition
# Of the partitions that a search looks at: finds 0.92 of the exact ten among 200k (python -m vtk.library.bench).
SHARE = 0.5
FEWEST = 256  # rows that an index is made of


def check(kind: str, rows: int) -> None:
    """Raise ValueError where ``kind`` is unknown, or ``rows`` are too few."""
    if kind not in KINDS:
        raise ValueError(f"kind: got {kind!r}, expected one of {', '.join(KINDS)}")
    if rows < FEWEST:
        raise ValueError(f"got {rows} entries, expected at least {FEWEST} to index: search them exactly")


def build(table: LanceTable, kind: Kind) -> None:
    """Build the index of all entries, at least ``FEWEST``; an older one is replaced."""
    from lancedb.index import HnswSq, IvfPq, IvfRq, IvfSq

    rows = table.count_rows()
    parts = max(1, rows // ROWS)
    configs = {
        "rq": lambda: IvfRq(distance_type="cosine", num_partitions=parts),
        "sq": lambda: IvfSq(distance_type="cosine", num_partitions=parts),
        "pq": lambda: IvfPq(distance_type="cosine", num_partitions=parts),
        "hnsw": lambda: HnswSq(distance_type="cosine", num_partitions=max(1, rows // 500_000)),
    }
    table.create_index("vector", config=configs[kind](), replace=True, name=NAME)


def build_groups(table: LanceTable) -> None:
    """Build the index of the names of groups; an older one is replaced."""
    table.create_scalar_index("group", index_type="BTREE", replace=True, name=GROUPS)


def has_groups(table: LanceTable) -> bool:
    """Return whether there is an index of the names of groups."""
    return any(each.name == GROUPS for each in table.list_indices())


def kind_of(table: LanceTable) -> Kind | None:
    """Return the kind of the index; None where there is none."""
    types = {"IVFRQ": "rq", "IVFSQ": "sq", "IVFPQ": "pq", "IVFHNSWSQ": "hnsw"}
    for index in table.list_indices():
        if index.name == NAME:
            return types.get(index.index_type.upper().replace("_", ""), "rq")
    return None


def unindexed(table: LanceTable) -> int:
    """Return how many entries the index does not hold; they are looked at one by one."""
    stats = table.index_stats(NAME)
    return 0 if stats is None else int(stats.num_unindexed_rows)


def search(
    table: LanceTable, queries: np.ndarray, k: int, where: str | None, probes: int | None, refine: int,
    vectors: bool = False,
) -> list[Hits]:  # fmt: skip
    """Return k entries near each query, of ``probes`` partitions, ``refine`` times k of them compared exactly."""
    probes = probes or max(20, round(SHARE * table.count_rows() / ROWS))
    query = table.search(list(queries), vector_column_name="vector").distance_type("cosine").limit(k)
    query = query.nprobes(probes).refine_factor(refine).select([*FOUND, "_distance", *(["vector"] if vectors else [])])
    rows = (query.where(where, prefilter=True) if where else query).to_arrow()
    which = rows["query_index"].to_numpy() if len(queries) > 1 else np.zeros(len(rows), np.int64)
    scores = (1 - rows["_distance"].to_numpy()).astype(np.float32)
    found = rows.select(list(FOUND))
    stored = matrix(rows["vector"]) if vectors else None
    hits = []
    for number in range(len(queries)):
        mine = np.flatnonzero(which == number)
        mine = mine[np.argsort(-scores[mine], kind="stable")]
        hits.append(Hits(np.clip(scores[mine], -1, 1), found.take(mine), None if stored is None else stored[mine]))
    return hits
