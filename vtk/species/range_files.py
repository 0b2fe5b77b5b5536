"""Range tables as files: a NumPy archive of plain arrays, which says itself what it is.

``header`` is a JSON object in UTF-8: ``format``, ``version``, ``cells`` (degree or country), ``size`` in degrees,
``rows`` that it was made of. The other arrays:

| array | shape | what |
|---|---|---|
| ``taxa`` | bytes | UTF-8, a line for each of S species: name, genus, family, order, class, between tabs |
| ``synonyms`` | bytes | UTF-8, a line each: other name, tab, species |
| ``countries`` | bytes | UTF-8, two-letter codes, one a line; numbers below mean lines from 0, -1 none |
| ``place_cell``, ``place_country`` | (P,) | cell of ``vtk.species.cells.Grid``, -1 none; country |
| ``effort`` | (P, 13) | all observations of a place, without a month and by month |
| ``row_place``, ``row_species``, ``row_month``, ``row_count`` | (K,) | how often a species was seen there and then |
| ``map_cell``, ``map_country`` | (M,) | the country of most observations of a cell |
"""

from __future__ import annotations

import contextlib
import json
import os
import zipfile
import zlib
from pathlib import Path

import numpy as np

from vtk.errors import UsageError, VtkError
from vtk.species.cells import Grid
from vtk.species.ranges import MONTHS, RangeTable

FORMAT, VERSION = "vtk species ranges", 1
_AGAIN = "make one with vtk species prior build"


def write_ranges(table: RangeTable, path: Path) -> None:
    """Write a table to a file, whole or not at all; the same table makes the same bytes.

    Raises:
        VtkError: it cannot be written.
    """
    codes = sorted({code for code in (*table.place_country, *table.map_country) if code})
    number = {code: place for place, code in enumerate(codes)} | {"": -1}
    header = {"format": FORMAT, "version": VERSION, "cells": "country" if table.by_country else "degree",
              "size": table.size, "rows": table.rows}
    arrays = {
        "header": _bytes(json.dumps(header)), "taxa": _bytes("\n".join(map("\t".join, table.paths))),
        "synonyms": _bytes("\n".join(map("\t".join, table.synonyms))), "countries": _bytes("\n".join(codes)),
        "place_cell": table.place_cell.astype("<i4"), "effort": table.effort.astype("<i8"),
        "place_country": np.array([number[code] for code in table.place_country], "<i2"),
        "row_place": table.row_place.astype("<i4"), "row_species": table.row_species.astype("<i4"),
        "row_month": table.row_month.astype("u1"), "row_count": table.row_count.astype("<i8"),
        "map_cell": table.map_cell.astype("<i4"),
        "map_country": np.array([number[code] for code in table.map_country], "<i2")}
    part = path.with_name(f"{path.name}.part{os.getpid()}")
    try:
        with part.open("wb") as file:
            np.savez_compressed(file, **arrays)
            file.flush()
            os.fsync(file.fileno())
        os.replace(part, path)
    except OSError as error:
        raise VtkError(f"cannot write {path}: {error.strerror or error}", code="E_WRITE") from None
    finally:
        with contextlib.suppress(OSError):
            part.unlink()


def read_ranges(path: Path) -> RangeTable:
    """Return the table in a file.

    Raises:
        UsageError: it cannot be read, is no range table or a damaged one, or one of a later version.
    """
    try:
        with np.load(path, allow_pickle=False) as archive:
            arrays = {name: archive[name] for name in archive.files}
            header = json.loads(arrays["header"].tobytes())
    except OSError as error:
        raise UsageError(f"{path}: cannot be read: {error.strerror or 'no range table'}") from None
    except (ValueError, KeyError, EOFError, AttributeError, TypeError, zipfile.BadZipFile, zlib.error):
        raise UsageError(f"{path}: no range table: {_AGAIN}") from None
    if not isinstance(header, dict) or header.get("format") != FORMAT:
        raise UsageError(f"{path}: no range table: {_AGAIN}")
    if not isinstance(header.get("version"), int) or header["version"] > VERSION:
        raise UsageError(f"{path}: a range table of version {header.get('version')}, this vtk reads version {VERSION}: "
                         "upgrade vidtk")
    try:
        table = _table(header, arrays)
        _check(table)
    except (KeyError, ValueError, TypeError, IndexError) as error:
        raise UsageError(f"{path}: a damaged range table ({error}): {_AGAIN}") from None
    return table


def _table(header: dict[str, object], arrays: dict[str, np.ndarray]) -> RangeTable:
    codes = [*_lines(arrays["countries"]), ""]
    whole = {name: arrays[name].astype(np.int64) for name in (
        "place_cell", "effort", "row_place", "row_species", "row_month", "row_count", "map_cell")}
    place, where = (tuple(codes[each] for each in arrays[name].tolist()) for name in ("place_country", "map_country"))
    paths = tuple(tuple(line.split("\t")) for line in _lines(arrays["taxa"]))
    synonyms = tuple((line.partition("\t")[0], line.partition("\t")[2]) for line in _lines(arrays["synonyms"]))
    size, rows = (header[name] for name in ("size", "rows"))
    if not isinstance(size, (int, float)) or not isinstance(rows, int):
        raise ValueError(f"size {size}, rows {rows}")
    return RangeTable(float(size), header["cells"] == "country", paths, synonyms, place_country=place,
                      map_country=where, rows=rows, **whole)


def _check(table: RangeTable) -> None:
    """Raise ValueError where arrays do not fit together: what is asked of them later must not fail."""
    places, species = len(table.place_cell), len(table.paths)
    rows = (table.row_place, table.row_species, table.row_month, table.row_count)
    if table.effort.shape != (places, MONTHS) or len(table.place_country) != places or not places or not species:
        raise ValueError(f"{places} places, {species} species, effort {table.effort.shape}")
    maps = len(table.map_cell), len(table.map_country)
    if any(row.shape != rows[0].shape or row.ndim != 1 for row in rows) or maps[0] != maps[1]:
        raise ValueError("columns of different lengths")
    for name, values, end in (("row_place", table.row_place, places), ("row_species", table.row_species, species),
                              ("row_month", table.row_month, MONTHS)):
        if len(values) and not 0 <= values.min() <= values.max() < end:
            raise ValueError(f"{name} beyond its {end}")
    if (np.diff(table.row_place) < 0).any() or (np.diff(table.place_cell) < 0).any() or (
            np.diff(table.map_cell) <= 0).any() or min(table.effort.min(), table.row_count.min(initial=0)) < 0:
        raise ValueError("rows out of order, or a count below 0")
    named = {path[0] for path in table.paths}
    if any(len(path) != 5 or not path[0] for path in table.paths) or not {name for _, name in table.synonyms} <= named:
        raise ValueError("a species without its path, or a synonym of none")
    if table.place_cell.max() >= len(Grid(table.size)):
        raise ValueError("a cell beyond the grid")


def _bytes(text: str) -> np.ndarray:
    return np.frombuffer(text.encode(), np.uint8)


def _lines(array: np.ndarray) -> list[str]:
    text = array.astype(np.uint8).tobytes().decode()
    return text.split("\n") if text else []
