"""Where a library of references stands: one folder, or one address, with the tables in it that are current.

Tables stand at the address itself, until an upgrade makes new ones in a folder inside it and ``point``s to that: who
opens the library in the moment before has the old ones, in the moment after the new ones, and nobody a part.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import re
import shlex
import shutil
from collections.abc import Iterator
from pathlib import Path

from vtk.copies.descriptors import Descriptor
from vtk.library import LibraryError, NoLibraryError, SpaceError
from vtk.library.storage import folder_of
from vtk.models import zoo

KNOWN = "references"
NORM = "norm"
CURRENT = "current.json"
UPGRADE = "vtk library upgrade"


def tables_of(uri: str) -> str:
    """Return the address under which the current tables of a library stand.

    Raises:
        LibraryError: what says so is damaged.
    """
    folder = folder_of(uri)
    name = _pointer(uri, folder).get("at") if folder is not None else None
    return uri if name is None else f"{uri}/{name}"


def upgrade_of(uri: str, space: str) -> str:
    """Return the address inside a library at which an upgrade makes the tables of ``space``, ``model@hash``."""
    return f"{uri}/by-{space.rpartition('@')[2]}"


def point(uri: str, tables: str) -> None:
    """Make the tables under ``tables``, inside the library, its current ones; delete those that were.

    Raises:
        LibraryError: it cannot be written.
    """
    folder = Path(folder_of(uri) or uri)
    was = _pointer(uri, folder).get("at")
    part = folder / f".{CURRENT}.{os.getpid()}"
    try:
        with part.open("w") as stream:
            json.dump({"at": tables.removeprefix(f"{uri}/"), "was": was}, stream)
            stream.flush()
            os.fsync(stream.fileno())
        part.replace(folder / CURRENT)
    except OSError as error:
        raise LibraryError(f"library '{uri}' cannot be written: {error.strerror}") from None
    clear(uri)


def clear(uri: str) -> None:
    """Delete the tables that were current before the last upgrade, where a kill left them."""
    folder = folder_of(uri)
    stated = _pointer(uri, folder) if folder is not None else {}
    if folder is None or not stated:
        return
    if stated.get("was"):
        shutil.rmtree(folder / stated["was"], ignore_errors=True)
    for path in folder.iterdir():
        if _is_ours(path.name) and path.is_dir():
            shutil.rmtree(path, ignore_errors=True)


def frames_at(tables: str, number: int) -> str:
    """Return the address of the frames by part ``number`` of a descriptor, from 0."""
    return f"{tables}/frames" if number == 0 else f"{tables}/frames-{number + 1}"


def check_place(uri: str, create: bool) -> None:
    """Raise NoLibraryError where there is no library and none may be made."""
    folder = folder_of(uri)
    if folder is None or (folder / KNOWN).is_dir() or (folder / CURRENT).is_file():
        return
    if folder.exists() and not folder.is_dir():
        raise NoLibraryError(f"'{uri}' is a file; a library is a folder")
    if folder.is_dir() and any(not _is_ours(path.name) for path in folder.iterdir()):
        raise NoLibraryError(f"'{uri}' holds other files and no library of references; name a new or empty folder")
    if not create:
        raise NoLibraryError(f"no library at '{uri}'; add to it first, or mend the path")


@contextlib.contextmanager
def called(uri: str) -> Iterator[None]:
    """Name a library in errors as its user does, not a table inside it."""
    try:
        yield
    except (LibraryError, SpaceError) as error:
        told = re.sub(f"'{re.escape(uri)}/[^']*'", lambda _: f"'{uri}'", str(error))
        if told == str(error):
            raise
        raise type(error)(told) from error


@contextlib.contextmanager
def turn(uri: str) -> Iterator[bool]:
    """Hold a library for one change; yield whether nobody else can change it now: object storage has no locks.

    Raises:
        LibraryError: it cannot be written.
    """
    folder = folder_of(uri)
    if folder is None:
        yield False
        return
    try:
        file = open(folder / ".turn", "ab")
    except OSError as error:
        raise LibraryError(f"library '{uri}' cannot be written: {error.strerror}") from None
    with file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield True


def command(uri: str, descriptor: Descriptor) -> str:
    """Return the command that describes a library's sources by ``descriptor``."""
    known = {"dct", "pdq", *(model.name for model in zoo.MODELS.values() if model.task == "copy")}
    names = descriptor.name.split("+")
    loaded = [name if name in known or name.startswith("timm:") else "NAME" for name in names]
    file = " --weights FILE" if loaded != names else ""
    return f"{UPGRADE} {shlex.quote(uri)} --descriptor {'+'.join(loaded)}{file}"


def _is_ours(name: str) -> bool:
    """Return whether a name is of what stands under a library's own address, such as a kill leaves while it is made."""
    return name in (KNOWN, NORM, "frames", ".turn") or name.startswith(("frames-", f".{CURRENT}"))


def _pointer(uri: str, folder: Path) -> dict[str, str]:
    """Return what ``point`` wrote; nothing where there was no upgrade."""
    try:
        stated = json.loads((folder / CURRENT).read_bytes())
        if not isinstance(stated, dict) or not isinstance(stated["at"], str):
            raise ValueError(f"got {stated!r}")
        return stated
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, KeyError) as error:
        raise LibraryError(f"library '{uri}' cannot be used: {CURRENT} does not say where its tables are ({error}); "
                           "restore it from a copy") from None
