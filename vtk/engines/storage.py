"""Folders of record files that many machines write: on a disk that all of them see, or in object storage.

    storage = open_storage("s3://bucket/records")
    with storage.writing("a.mp4.jsonl", "3f2a-1") as file:    # nobody sees it before the block ended well
        file.write(...)

Two machines may write one name at the same time, since one of them was thought dead: each writes a part of its own, and
a whole file takes the place of another whole file.
"""

from __future__ import annotations

import os
import re
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from typing import IO, Any, Protocol

from vtk.errors import UsageError, VtkError

READ = 1 << 20
# What is uploaded to these appears when it is whole; to others it goes under a part's name, and is then renamed.
ATOMIC = frozenset(("s3", "s3a", "gs", "gcs", "az", "abfs", "abfss", "adl", "oci", "oss"))
_PART = re.compile(r"(.+)\.[0-9a-f]+-[0-9]+\.part")


class Storage(Protocol):
    """A folder of files, each named by its path below the folder, with ``/``."""

    place: str

    def names(self, folders: Iterable[str]) -> set[str]: ...
    def has(self, name: str) -> bool: ...
    def opened(self, name: str) -> IO[bytes]: ...
    def writing(self, name: str, token: str) -> Any: ...
    def remove(self, name: str) -> None: ...


def open_storage(place: str | os.PathLike[str]) -> Storage:
    """Return the folder that a path or a URL names; it need not be there.

    Raises:
        UsageError: the URL is of a kind that nothing installed can write.
    """
    text = restored(os.fspath(place))
    scheme = scheme_of(text)
    if scheme == "file":
        return DiskFolder("/" + text.split("://", 1)[1].lstrip("/"))
    return DiskFolder(os.path.abspath(text)) if scheme is None else ObjectFolder(text)


def restored(text: str) -> str:
    """Return a URL whose slashes a path has folded (``s3:/bucket/x``) as it was; a path as it is."""
    return re.sub(r"^([a-z][a-z0-9+.-]+):/+", r"\1://", text)


def scheme_of(text: str) -> str | None:
    """Return the scheme of a URL, folded by a path or not; None of a path."""
    found = re.match(r"([a-z][a-z0-9+.-]+)://", restored(text))
    return found[1] if found else None


def part_name(name: str, token: str) -> str:
    """Return what ``name`` is called while it is written; ``token`` is HEX-NUMBER, of one run and try."""
    return f"{name}.{token}.part"


def whole_of(name: str) -> str | None:
    """Return the name of the file that ``name`` is a part of; None where it is no part."""
    found = _PART.fullmatch(name)
    return found[1] if found else None


def folder_of(name: str) -> str:
    """Return the folder of a file below the storage's folder; "" is that one itself."""
    return name.rpartition("/")[0]


class DiskFolder:
    """A folder on a disk, which other machines may see too."""

    def __init__(self, folder: str) -> None:
        self.place = folder

    def names(self, folders: Iterable[str]) -> set[str]:
        """Return the files that stand directly in ``folders``."""
        found = set()
        for folder in folders:
            with suppress(FileNotFoundError, NotADirectoryError), os.scandir(self._path(folder)) as entries:
                found |= {f"{folder}/{entry.name}" if folder else entry.name for entry in entries}
        return found

    def has(self, name: str) -> bool:
        """Return whether the file is there."""
        return os.path.exists(self._path(name))

    def opened(self, name: str) -> IO[bytes]:
        """Open a file to read it."""
        return open(self._path(name), "rb")

    @contextmanager
    def writing(self, name: str, token: str) -> Iterator[IO[bytes]]:
        """Give a file to write; it is synced and renamed to ``name`` when the block ends well, else it is removed.

        Raises:
            VtkError: it cannot be written.
        """
        path, part = self._path(name), self._path(part_name(name, token))
        with _refusing(path):
            os.makedirs(os.path.dirname(path), exist_ok=True)
            with open(part, "wb") as file:
                try:
                    yield file
                    file.flush()
                    os.fsync(file.fileno())
                except BaseException:
                    with suppress(OSError):
                        os.unlink(part)
                    raise
            os.replace(part, path)

    def remove(self, name: str) -> None:
        """Take a file away, where it is there."""
        with suppress(OSError):
            os.unlink(self._path(name))

    def _path(self, name: str) -> str:
        return os.path.join(self.place, name) if name else self.place


class ObjectFolder:
    """A prefix in object storage, or a folder that fsspec reaches by other means."""

    def __init__(self, url: str) -> None:
        self.place = url.rstrip("/")
        try:
            import fsspec
        except ImportError:
            raise UsageError(f"{url}: object storage needs fsspec; pip install 'vidtk[ray]' brings it") from None
        try:
            self._files, self._root = fsspec.core.url_to_fs(self.place)
        except (ImportError, ValueError) as error:
            raise UsageError(f"--out-dir {url}: {' '.join(str(error).split())}") from None
        self._atomic = scheme_of(url) in ATOMIC
        self._plain = fsspec.AbstractFileSystem.mv

    def names(self, folders: Iterable[str]) -> set[str]:
        """Return the files that stand directly in ``folders``."""
        found = set()
        for folder in folders:
            with suppress(FileNotFoundError, NotADirectoryError), _refusing(self.place, "read"):
                self._files.invalidate_cache(self._path(folder))
                for path in self._files.ls(self._path(folder), detail=False):
                    base = path.rstrip("/").rpartition("/")[2]
                    found.add(f"{folder}/{base}" if folder else base)
        return found

    def has(self, name: str) -> bool:
        """Return whether the file is there."""
        with _refusing(self.place, "read"):
            self._files.invalidate_cache(self._path(folder_of(name)))
            return bool(self._files.exists(self._path(name)))

    def opened(self, name: str) -> IO[bytes]:
        """Open a file to read it."""
        with _refusing(self.place, "read"):
            file: IO[bytes] = self._files.open(self._path(name), "rb")
            return file

    @contextmanager
    def writing(self, name: str, token: str) -> Iterator[IO[bytes]]:
        """Give a file to write; it is uploaded when the block ends well.

        Raises:
            VtkError: it cannot be written.
        """
        path, part = self._path(name), self._path(part_name(name, token))
        with tempfile.NamedTemporaryFile(prefix="vtk-upload-") as file:
            yield file  # type: ignore[misc]
            with _refusing(f"{self.place}/{name}"):
                file.flush()
                if not self._atomic:
                    self._files.makedirs(self._path(folder_of(name)), exist_ok=True)
                self._files.put_file(file.name, path if self._atomic else part)
                if not self._atomic:
                    self._rename(part, path)

    def remove(self, name: str) -> None:
        """Take a file away, where it is there."""
        with suppress(Exception):  # what is left over hurts nobody
            self._files.rm_file(self._path(name))

    def _rename(self, part: str, path: str) -> None:
        """Give a part its name, by what the store has for it; fsspec's own way takes ``a[1].mp4`` for a pattern."""
        if type(self._files).mv is not self._plain:
            self._files.mv(part, path)
        else:
            self._files.cp_file(part, path)
            self._files.rm_file(part)

    def _path(self, name: str) -> str:
        return f"{self._root.rstrip('/')}/{name}" if name else self._root


@contextmanager
def _refusing(what: str, deed: str = "write") -> Iterator[None]:
    """Say in one line what went wrong with a file; clients of object storage raise errors of their own kinds."""
    try:
        yield
    except VtkError:
        raise
    except Exception as error:
        if deed == "read" and isinstance(error, FileNotFoundError):
            raise
        said = getattr(error, "strerror", None) or f"{type(error).__name__}: {error}"
        raise VtkError(f"cannot {deed} {what}: {' '.join(str(said).split())}",
                       code="E_WRITE" if deed == "write" else "E_READ") from error


def lines_in(storage: Storage, name: str) -> Iterator[list[bytes]]:
    """Yield the whole lines of a file; a last line without its newline was cut off and does not count."""
    rest = b""
    with storage.opened(name) as file:
        while data := file.read(READ):
            *whole, rest = (rest + data).split(b"\n")
            yield whole


