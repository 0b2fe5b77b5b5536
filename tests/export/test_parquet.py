"""Records as Parquet tables and back: whatever is legal comes back, and DuckDB and Polars read them without hints."""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from vocabulary import records

from vtk.errors import UsageError, VtkError
from vtk.export.columns import columns_of
from vtk.export.parquet_import import ParquetTable, parquet_records
from vtk.export.parquet_tables import Tables, schema_of
from vtk.records import TYPES, Record, check, make
from vtk.reid.tracklets import pack


def written(folder: Path, some: Iterable[Record], kinds: Sequence[str] = ()) -> dict[str, int]:
    """Write records as tables; return how many rows each has."""
    tables = Tables(folder, kinds, overwrite=True)
    for record in some:
        tables.add(record)
    return tables.close()


def track(source: str, frame: int, number: int, **keys: Any) -> Record:
    """Return a track record."""
    return make("track", "track/x", source, frame=frame, pts=512 * frame, t=frame / 25, track_id=number,
                xyxy=[1.25, 2.5, 30.75, 40.0], score=0.75, label="person", class_id=0, **keys)


def crowd() -> list[Record]:
    """Return two tracks in each of two sources, who two of them are, a detection and an end."""
    tracks = [track(source, frame, number) for source in ("a.mp4", "b.mp4") for frame in range(5) for number in (1, 2)]
    names = [make("identity", "reid/x", source, track_id=1, identity=name, score=0.9)
             for source, name in (("a.mp4", "Ada"), ("b.mp4", 7))]
    end = make("end", "track/x", "b.mp4", status="ok", frames={"decoded": 5, "processed": 5, "skipped": 0}, records=10,
               types=["track"])
    return [*tracks, make("detection", "detect/x", "b.mp4", frame=9, t=0.36, xyxy=[0.0, 0.0, 5.0, 5.0], score=0.5,
                          label="car"), end, *names]


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(records(), max_size=8))
def test_what_is_legal_comes_back(tmp_path: Path, some: list[Record]) -> None:
    some = [orjson.loads(orjson.dumps(record)) for record in some]
    for record in some:
        check(record)
    folder = tmp_path / "tables"
    shutil.rmtree(folder, ignore_errors=True)
    rows = written(folder, some)
    assert sum(rows.values()) == len(some)
    assert some == (list(parquet_records([str(folder)])) if some else [])


def test_lines_come_back_byte_for_byte(tmp_path: Path) -> None:
    some = [*crowd(), track("b.mp4", 11, 2, note="späť", xyxy_of=[1, None]), make("weather", "x/y", None, rain=True)]
    written(tmp_path / "t", some)
    assert [*map(orjson.dumps, parquet_records([str(tmp_path / "t")]))] == [*map(orjson.dumps, some)]


@pytest.mark.parametrize("kind", sorted(TYPES))
def test_a_schema_hangs_on_the_vocabulary_alone(tmp_path: Path, kind: str) -> None:
    """An empty table is of the same schema as a full one, and each key of the type has its column."""
    written(tmp_path, [], [kind])
    schema = pq.read_schema(tmp_path / f"{kind}.parquet")
    assert schema.equals(schema_of(kind))
    assert schema.names[0] == "row" and schema.names[-1] == "extra"
    assert {column.key for column in columns_of(kind)} == {
        "v", "by", "source", *TYPES[kind].required, *TYPES[kind].optional}


def test_duckdb_reads_them_without_hints(tmp_path: Path) -> None:
    duckdb = pytest.importorskip("duckdb")
    written(tmp_path, crowd())
    assert duckdb.sql(f"select label, count(*) from '{tmp_path}/track.parquet' group by all").fetchall() == [
        ("person", 20)]
    joined = f"""select identity, count(*), min(x2 - x1) from '{tmp_path}/track.parquet'
                 join '{tmp_path}/identity.parquet' using (source, track_id) group by all order by identity"""
    assert duckdb.sql(joined).fetchall() == [("7", 5, 29.5), ("Ada", 5, 29.5)]
    ends = duckdb.sql(f"select frames.decoded, types from '{tmp_path}/end.parquet'").fetchall()
    assert ends == [(5, ["track"])]


def test_polars_reads_them_without_hints(tmp_path: Path) -> None:
    polars = pytest.importorskip("polars")
    written(tmp_path, crowd())
    tracks = polars.read_parquet(tmp_path / "track.parquet")
    assert tracks.group_by("label").len().rows() == [("person", 20)]
    named = tracks.join(polars.read_parquet(tmp_path / "identity.parquet"), on=["source", "track_id"])
    assert sorted(named.group_by("identity").len().rows()) == [("7", 5), ("Ada", 5)]
    assert tracks["t"].dtype == polars.Float64 and tracks["frame"].dtype == polars.Int64


def embedded(space: str, values: np.ndarray, number: int = 1) -> Record:
    """Return an embedding record."""
    return make("embedding", "reid/x", "a.mp4", track_id=number, space=space, embedding=pack(values))


def test_vectors_are_lists_of_fixed_size_a_table_a_space(tmp_path: Path) -> None:
    duckdb = pytest.importorskip("duckdb")
    some = [embedded("net@1", np.eye(4)[0]), embedded("net@1", np.array([0.6, 0.8, 0, 0]), 2),
            embedded("a/b net", np.ones(3)), make("embedding", "x/y", "a.mp4", space="s", embedding={
                "dtype": "f16", "shape": [9000], "ref": "big.npy", "row": 3})]
    assert written(tmp_path, some) == {"embedding-net@1.parquet": 2, "embedding-a%2Fb%20net.parquet": 1,
                                       "embedding.parquet": 1}
    assert str(pq.read_schema(tmp_path / "embedding-net@1.parquet").field("embedding").type) == (
        "fixed_size_list<element: halffloat>[4]")
    [(near,)] = duckdb.sql(f"""select list_cosine_similarity(a.embedding, b.embedding) from
        '{tmp_path}/embedding-net@1.parquet' a, '{tmp_path}/embedding-net@1.parquet' b
        where a.track_id = 1 and b.track_id = 2""").fetchall()
    assert near == pytest.approx(0.6, abs=1e-3)  # half precision
    assert list(parquet_records([str(tmp_path)])) == some


def test_long_names_of_spaces_and_lengths_are_told_apart(tmp_path: Path) -> None:
    some = [embedded("ü" * 300 + end, np.ones(length)) for end in "ab" for length in (3, 4)]
    assert len(written(tmp_path / "t", some)) == 4
    assert list(parquet_records([str(tmp_path / "t")])) == some
    with pytest.raises(UsageError, match="several spaces or lengths"):
        written(tmp_path / "one.parquet", some, ["embedding"])


def test_a_table_grows_by_row_groups(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("vtk.export.parquet_tables.CUT", 10)
    monkeypatch.setattr("vtk.export.parquet_tables.GROUP_ROWS", 20)
    some = [track("a.mp4", frame, 1) for frame in range(95)]
    written(tmp_path, some)
    assert pq.ParquetFile(tmp_path / "track.parquet").num_row_groups == 5
    assert list(parquet_records([str(tmp_path / "track.parquet")])) == some


def test_other_tools_tables_come_in(tmp_path: Path) -> None:
    """What DuckDB makes of a table says no type; its name or --type does, and its own columns are keys."""
    duckdb = pytest.importorskip("duckdb")
    written(tmp_path / "t", crowd())
    duckdb.sql(f"""copy (select * exclude (row, extra), score > 0.5 as sure from '{tmp_path}/t/track.parquet'
                   where frame = 2) to '{tmp_path}/sure.parquet'""")
    with pytest.raises(VtkError, match="does not say of what type"):
        ParquetTable(tmp_path / "sure.parquet")
    found = list(parquet_records([str(tmp_path / "sure.parquet")], "track"))
    assert found[0] == {**track("a.mp4", 2, 1), "sure": True}
    assert len(found) == 4


def test_what_is_no_table_is_said(tmp_path: Path) -> None:
    (tmp_path / "track.parquet").write_bytes(b"PAR1 no")
    with pytest.raises(VtkError, match="cannot be read as Parquet"):
        ParquetTable(tmp_path / "track.parquet")
    with pytest.raises(UsageError, match="no .parquet files"):
        list(parquet_records([str(tmp_path / "..")]))
    written(tmp_path, [track("a.mp4", frame, frame) for frame in range(5000)])
    data = bytearray((tmp_path / "track.parquet").read_bytes())
    data[200:20000] = bytes(19800)
    (tmp_path / "track.parquet").write_bytes(data)
    with pytest.raises(VtkError, match="is damaged|cannot be read"):
        list(parquet_records([str(tmp_path)]))


def test_nothing_half_is_left(tmp_path: Path) -> None:
    tables = Tables(tmp_path / "t")
    for record in crowd():
        tables.add(record)
    assert not list((tmp_path / "t").glob("*.parquet"))
    tables.drop()
    assert not (tmp_path / "t").exists()
    written(tmp_path / "t", crowd())
    (tmp_path / "t" / "text.parquet.part").touch()  # of a run that was killed
    written(tmp_path / "t", crowd()[:3])
    assert [path.name for path in (tmp_path / "t").iterdir()] == ["track.parquet"], "tables of the run before are gone"
