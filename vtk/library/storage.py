"""The table under a library: opened, created, locked, and its errors said in one line.

LanceDB, and pyarrow with it, is loaded by the first library that is opened; it takes a second.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import random
import re
import time
import warnings
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import unquote, urlsplit

from vtk.library.errors import LibraryError, NoLibraryError

if TYPE_CHECKING:
    import pyarrow as pa
    from lancedb.db import DBConnection
    from lancedb.table import LanceTable

TABLE = "entries"
# Where LanceDB notes the last version, so that it need not list them all; without its file the one before would pass
# for the last.
HINT = f"{TABLE}.lance/_versions/latest_version_hint.json"
ATTEMPTS = 30  # of a commit that others were faster with; LanceDB itself tries a merge ten times

Result = TypeVar("Result")


def folder_of(uri: str) -> Path | None:
    """Return the folder of a library in files; None for object storage.

    Raises:
        NoLibraryError: the name is that of a stream.
    """
    if uri == "-":
        raise NoLibraryError("'-' is no library: a library is a folder, not a stream; name one")
    if "://" not in uri:
        return Path(uri)
    parts = urlsplit(uri)
    return Path(unquote(parts.path)) if parts.scheme == "file" else None


def connect(uri: str, options: Mapping[str, str] | None = None) -> DBConnection:
    """Return a connection; ``options`` are those of the object storage, its credentials for instance.

    Raises:
        NoLibraryError: there is a file.
    """
    os.environ.setdefault("LANCEDB_LOG", "error")  # it would tell stderr of each table that it creates
    import lancedb

    folder = folder_of(uri)
    if folder is not None and folder.exists() and not folder.is_dir():
        raise NoLibraryError(f"'{uri}' is a file; a library is a folder")
    with speaking(uri):
        return lancedb.connect(uri if folder is None else str(folder), storage_options=dict(options or {}) or None)


def open_table(connection: DBConnection, uri: str) -> LanceTable | None:
    """Return the table; None where there is none yet.

    Raises:
        LibraryError: it is damaged, or changes that were acknowledged are gone.
    """
    folder = folder_of(uri)
    last = _last_written(folder)  # before the table is looked at: others may write meanwhile
    with speaking(uri):
        # Damaged tables are not found either: files tell them from those that never were.
        if folder is None and TABLE not in connection.list_tables().tables:
            return None
        if folder is not None and not _begun(folder):
            return None
        table = connection.open_table(TABLE)
        found = int(table.version)
    if last > found:
        raise LibraryError(f"library '{uri}' was written up to version {last}, and the newest that is left is {found}: "
                           f"files of it are lost; restore it from a copy, or delete {folder / HINT} to go on without "
                           "what is lost")
    return table


def _begun(folder: Path) -> bool:
    """Return whether there is a table: not while one is being made, nor where its maker was killed before it was."""
    table = folder / f"{TABLE}.lance"
    return any(path.name.endswith((".manifest", ".lance")) for part in ("_versions", "data")
               for path in (table / part).glob("*"))


def _last_written(folder: Path | None) -> int:
    """Return the version that LanceDB noted when it last wrote a library in files; 0 where there is no such note."""
    if folder is None:
        return 0
    try:
        return int(json.loads((folder / HINT).read_bytes())["version"])
    except (OSError, ValueError, KeyError, TypeError):  # it only hints: a library is whole without it
        return 0


def create_table(connection: DBConnection, uri: str, columns: pa.Schema) -> LanceTable:
    """Return a new table, or the one that another process created in the same moment."""
    folder = folder_of(uri)
    if folder is None:
        return _created(connection, uri, columns)
    check_new(uri)
    with speaking(uri):
        folder.mkdir(parents=True, exist_ok=True)
    with locked(uri, alone=True):
        return open_table(connection, uri) or _created(connection, uri, columns)


def check_new(uri: str) -> None:
    """Raise NoLibraryError where a library that is to be made would stand among other files."""
    folder, table = folder_of(uri), f"{TABLE}.lance"
    if folder is not None and folder.is_dir():
        # Listed once: another process may make the table between one look and the next.
        others = {path.name for path in folder.iterdir()} - {".lock"}
        if others and not (table in others and (folder / table).is_dir()):
            raise NoLibraryError(f"'{uri}' holds other files and no library; name a folder that is new or empty")


def _created(connection: DBConnection, uri: str, columns: pa.Schema) -> LanceTable:
    try:
        return connection.create_table(TABLE, schema=columns)
    except ValueError as error:
        if "already exists" not in str(error):
            raise
    except RuntimeError as error:
        if not _is_conflict(error):
            raise LibraryError(f"library '{uri}' cannot be made: {_reason(error)}") from error
    with speaking(uri):
        return connection.open_table(TABLE)


@contextlib.contextmanager
def locked(uri: str, alone: bool) -> Iterator[bool]:
    """Hold a library in files, with other writers or ``alone``; yield whether nobody else can write now.

    Writers need no lock against each other: the faster commit wins and the other tries again. But files that no
    version names are either left by a process that was killed, or just being written: they can be deleted alone
    only. The system drops a lock with the process that held it. Object storage has none.
    """
    folder = folder_of(uri)
    if folder is None:
        yield False
        return
    with open(folder / ".lock", "ab") as file:
        fcntl.flock(file, fcntl.LOCK_EX if alone else fcntl.LOCK_SH)
        yield alone


@contextlib.contextmanager
def speaking(uri: str) -> Iterator[None]:
    """Turn what LanceDB raises about files into a LibraryError in one line.

    Raises:
        ValueError: a condition cannot be understood.
        LibraryError: the library cannot be read or written.
    """
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", module="lancedb|vtk\\.library")
        try:
            yield
        except (RuntimeError, OSError, ValueError) as error:
            if isinstance(error, ValueError) and re.match("Invalid input, (?!Failed)", str(error)):
                raise ValueError(f"where: {_reason(error)}") from error
            raise _as_library_error(uri, error) from error
        except BaseException as error:
            if type(error).__name__ != "PanicException":  # of Rust; it has no better base
                raise
            raise _as_library_error(uri, error) from error


def commit(table: LanceTable, uri: str, write: Callable[[], Result]) -> Result:
    """Return what ``write`` returns, tried again while other writers are faster.

    Raises:
        LibraryError: it cannot be written.
    """
    for attempt in range(ATTEMPTS):
        try:
            with speaking(uri), locked(uri, alone=False):
                table.checkout_latest()
                return write()
        except LibraryError as error:
            if attempt == ATTEMPTS - 1 or not _is_conflict(error.__cause__):
                raise
        time.sleep(random.uniform(0, 0.02 * (attempt + 1)))
    raise LibraryError(f"library '{uri}': no attempt to write")


def is_stale(error: LibraryError) -> bool:
    """Return whether the version that was read may have been removed by another process's ``compact``."""
    return bool(re.search("not found|no such file", str(error.__cause__), re.IGNORECASE))


def _is_conflict(error: BaseException | None) -> bool:
    return bool(re.search("conflict|concurrent|already exists", str(error), re.IGNORECASE))


def _as_library_error(uri: str, error: Any) -> LibraryError:
    if folder_of(uri) is None:
        advice = "check the address, the credentials and the network, and that its files are whole"
    elif isinstance(error, PermissionError) or "ermission denied" in str(error):
        advice = "change its permissions"
    else:
        advice = "are files of it missing or cut short? restore it from a copy or build it again"
    return LibraryError(f"library '{uri}' cannot be used: {_reason(error)}; {advice}")


def _reason(error: BaseException) -> str:
    """Return the first line of what LanceDB says, without where in its source it says so."""
    text = str(error).strip().split("\n")[0]
    text = re.sub(r",? ?(?:/\S*)?/?\S*\.rs:\d+(?::\d+)?", "", text)
    return text[:300].rstrip(" ,:;.") or type(error).__name__
