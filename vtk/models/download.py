"""Download a file whole or not at all: resumed after a break, checked, and put in place in one step."""

from __future__ import annotations

import errno
import fcntl
import hashlib
import http.client
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from vtk.errors import WeightsError

TIMEOUT = 30.0  # seconds without a byte
ATTEMPTS = 4  # in a row without progress
PAUSE = 0.2  # seconds, more after each failure
CHUNK = 1 << 18


class DownloadError(Exception):
    """The address does not give the file; another may."""


def download(url: str, target: Path, hashes: tuple[str, ...], size: str = "") -> Path:
    """Fetch ``url`` to ``target`` and return it; a process that does the same waits, and finds it there.

    A killed or broken download leaves ``target`` absent and a part file, which the next one goes on with.

    Args:
        hashes: the accepted sha256, hexadecimal; empty: unknown, then only https will do and parts are not resumed.

    Raises:
        DownloadError: the address cannot be reached or does not have the file.
        WeightsError: what came has another hash (E_HASH), or the cache cannot be written.
    """
    if not hashes and not url.startswith("https://"):
        raise DownloadError(f"{url}: refused, since a file of unknown sha256 needs an https address")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with _locked(target.with_name(f".{target.name}.lock")):
            if not target.exists():
                part = target.with_name(f".{target.name}.part")
                _checked(url, part, hashes, size)
                part.replace(target)
    except OSError as error:
        reason = "the disk is full" if error.errno == errno.ENOSPC else error.strerror or str(error)
        raise WeightsError(f"cannot write {target}: {reason}; set VTK_HOME to a folder with space") from error
    return target


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    """Hold the lock at ``path``; the system frees it when the process dies, however it dies."""
    with open(path, "a") as stream:
        fcntl.flock(stream, fcntl.LOCK_EX)
        yield


def _checked(url: str, part: Path, hashes: tuple[str, ...], size: str) -> None:
    """Fill ``part`` from ``url`` until its hash is right; a resumed part that is wrong is begun anew."""
    if not hashes:
        part.unlink(missing_ok=True)
    resumed = part.exists() and part.stat().st_size > 0
    _fill(url, part, size)
    with open(part, "rb") as stream:
        digest = hashlib.file_digest(stream, "sha256").hexdigest()
    if not hashes or digest in hashes:
        return
    part.unlink()
    if resumed:
        return _checked(url, part, hashes, size)
    raise WeightsError(f"{url} gave a file of sha256 {digest[:16]}…, expected {hashes[0][:16]}…; it was not kept",
                       code="E_HASH")


def _fill(url: str, part: Path, size: str) -> None:
    """Append to ``part`` until it is as long as the server says, through broken connections."""
    failures, last = 0, "no answer"
    while failures < ATTEMPTS:
        before = part.stat().st_size if part.exists() else 0
        try:
            if _receive(url, part, before, size):
                return
            last = "the connection broke off"
        except urllib.error.HTTPError as error:
            if error.code == 416 and before:  # the part is as long as the file, or longer: its hash will tell
                return
            if error.code < 500 and error.code not in (408, 429):
                raise DownloadError(f"{url}: HTTP {error.code} {error.reason}") from error
            last = f"HTTP {error.code} {error.reason}"
        except (urllib.error.URLError, http.client.HTTPException, TimeoutError, ConnectionError) as error:
            last = str(getattr(error, "reason", None) or error or type(error).__name__)
        grown = part.exists() and part.stat().st_size > before
        failures = 0 if grown else failures + 1
        time.sleep(PAUSE * failures)
    raise DownloadError(f"{url}: {last}")


def _receive(url: str, part: Path, have: int, size: str) -> bool:
    """Ask for the bytes after ``have`` and append what comes; return whether the file is complete."""
    headers = {"User-Agent": "vidtk", "Accept-Encoding": "identity"}
    if have:
        headers["Range"] = f"bytes={have}-"
    with urllib.request.urlopen(urllib.request.Request(url, headers=headers), timeout=TIMEOUT) as response:
        if url.startswith("https://") and not response.url.startswith("https://"):
            raise DownloadError(f"{url}: refused, it leads to {response.url}, which is not https")
        resumes = response.status == 206 and response.headers.get("Content-Range", "").startswith(f"bytes {have}-")
        if have and not resumes:
            have = 0  # a server without ranges sends the whole file
        declared = response.headers.get("Content-Length")
        total = have + int(declared) if declared and declared.isdigit() else None
        with open(part, "ab" if have else "wb") as stream, _bar(part.name[1:-5], have, total, size) as bar:
            while block := _block(response):
                stream.write(block)
                bar.update(len(block))
            have = stream.tell()
    return block is not None and total in (None, have)


def _block(response: http.client.HTTPResponse) -> bytes | None:
    """Return the next bytes, empty at the end, None where the connection broke off."""
    try:
        return response.read1(CHUNK)
    except (OSError, http.client.HTTPException):
        return None


def _bar(name: str, have: int, total: int | None, size: str) -> Any:
    """Return a progress bar on stderr, silent where that is no terminal."""
    from tqdm import tqdm

    return tqdm(total=total, initial=have, desc=f"{name} ({size})" if size else name, unit="B", unit_scale=True,
                disable=not sys.stderr.isatty(), file=sys.stderr, leave=False)
