"""What the user named, turned into sources: files, folders, globs, URLs, lists, shards."""

from __future__ import annotations

import glob
import hashlib
import os
import re
import sys
from collections.abc import Iterator

import typer

from vtk.driver.progress import printable
from vtk.errors import UsageError
from vtk.media.names import IMAGE_SUFFIXES, VIDEO_SUFFIXES, is_stream, open_name, source_name
from vtk.options import Common

LONGEST = 200  # bytes of a file's name, of 255: suffixes such as .jsonl.0123abcd-1.part follow


def sources(common: Common) -> list[str] | None:
    """Return the sources that the command line names, in order and each once; None for records on stdin.

    Says on stderr which folders hold no media. One that cannot be read is a source, which fails.

    Raises:
        UsageError: nothing to read (a terminal on stdin), stdin asked for twice, a bad --shard, an unreadable list.
    """
    names = list(common.inputs)
    if common.files_from is not None:
        names += _listed(str(common.files_from), common.null)
    elif common.null:
        raise UsageError("--null goes with --files-from")
    if names == ["-"] or (not names and common.files_from is None):
        if common.shard is not None:
            raise UsageError("--shard picks among sources named on the command line; records on stdin are one stream")
        if sys.stdin is None or (names != ["-"] and sys.stdin.isatty()):
            what = "stdin is closed" if sys.stdin is None else "no input"
            raise UsageError(f"{what}: name files, folders or URLs, or pipe records in (--help shows how)")
        return None
    if "-" in names:
        raise UsageError("- (records on stdin) cannot stand beside other inputs")
    root = os.fspath(common.root) if common.root is not None else None
    found: dict[str, None] = {}
    for name in names:
        there = list(_expand(name, root))
        if not there and not common.quiet:
            typer.echo(f"vtk: {_without_media(name, root)}", err=True)
        found.update(dict.fromkeys(there))
    return [name for name in found if in_shard(name, common.shard)] if common.shard else list(found)


def _without_media(name: str, root: str | None) -> str:
    """Return what to tell of a folder, or of a glob that matches folders, in which there are no media."""
    path = open_name(name, root)
    if not os.path.isdir(path):
        return f"{printable(name)}: none of the folders that it matches holds media"
    others = sum(len(files) for _, _, files in os.walk(path))
    return f"{printable(name)}: holds no media" + (
        f": {others} {'file is' if others == 1 else 'files are'} called otherwise, and tried where named one by one"
        if others else ": no files are in it")


def _expand(name: str, root: str | None) -> Iterator[str]:
    """Yield the sources of one argument: a folder's media in name order, a glob's matches, else the name itself."""
    if not name:
        raise UsageError("an input is an empty string: name a file, a folder or a URL")
    if is_stream(name) or name.startswith("seq:"):
        yield name
        return
    path = open_name(name, root)
    if os.path.isdir(path):
        yield from (joined(name, path, found) for found in media_under(path))
    elif not os.path.exists(path) and re.search(r"[*?\[]", name):
        matches = sorted(glob.glob(path, recursive=True))
        if not matches:
            yield source_name(name)  # opening it says that there is no such file
        for match in matches:
            typed = os.path.relpath(match, root) if root is not None and not os.path.isabs(name) else match
            yield from _expand(source_name(typed), root)
    else:
        yield name if name.startswith("file:") else source_name(name)


def joined(name: str, path: str, found: str) -> str:
    """Return the source name of file ``found`` in folder ``path``, which the user typed as ``name``."""
    if name.startswith("file:"):
        return source_name(os.path.normpath(os.path.join(path, found)))
    return source_name(os.path.normpath(os.path.join(name, found)))


def is_media(name: str) -> bool:
    """Return whether a file of a folder is taken for media, by its name."""
    return not name.startswith(".") and os.path.splitext(name)[1].lower() in VIDEO_SUFFIXES | IMAGE_SUFFIXES


def media_under(folder: str) -> Iterator[str]:
    """Yield the media files below ``folder``, and folders that cannot be read, relative to it, in order of names.

    A link to a folder that it stands in is not followed.
    """
    found: list[str] = []

    def note(error: OSError) -> None:
        found.append(os.path.relpath(error.filename, folder))

    for place, folders, files in os.walk(folder, onerror=note, followlinks=True):
        folders[:] = sorted(name for name in folders if not name.startswith(".") and not _leads_back(place, name))
        within = os.path.relpath(place, folder)
        found += [name if within == os.curdir else os.path.join(within, name) for name in files if is_media(name)]
    yield from sorted(found, key=lambda path: path.split(os.sep))


def _leads_back(place: str, name: str) -> bool:
    """Return whether ``name`` in folder ``place`` is a link to that folder or to one that it lies in."""
    path = os.path.join(place, name)
    return os.path.islink(path) and f"{os.path.realpath(place)}/".startswith(f"{os.path.realpath(path)}/")


def _listed(path: str, null: bool) -> list[str]:
    """Return the inputs that a list file names, one a line or NUL-terminated."""
    try:
        if path == "-":
            if sys.stdin is None:
                raise UsageError("--files-from -: stdin is closed")
            data = sys.stdin.buffer.read()
        else:
            with open(path, "rb") as file:
                data = file.read()
    except OSError as error:
        raise UsageError(f"--files-from {path}: {error.strerror}") from None
    entries = data.split(b"\0") if null else data.splitlines()
    return [os.fsdecode(entry) for entry in entries if entry]


def in_shard(name: str, shard: str) -> bool:
    """Return whether a source belongs to shard "i/n": by a hash of its name, so that adding files moves no other."""
    match = re.fullmatch(r"(\d+)/(\d+)", shard)
    part, parts = (int(group) for group in match.groups()) if match else (0, 0)
    if not 1 <= part <= parts:
        raise UsageError(f"--shard is '{shard}': I/N with I from 1 to N is needed, such as 2/8")
    digest = hashlib.blake2b(name.encode("utf-8", "surrogateescape"), digest_size=8).digest()
    return int.from_bytes(digest, "big") % parts == part - 1


def output_path(source: str) -> str:
    """Return the relative path of a source's own output file, without suffix; no two sources share one.

    A path keeps its shape (``videos/a.mp4``); what would leave the folder, and URLs, are percent-encoded. Of a name that
    file systems would not take with a suffix the end is a digest.
    """
    from urllib.parse import quote

    if is_stream(source) or re.match(r"(seq|file):", source):
        return _short(quote(source, safe=""))
    parts = ["%2E" * len(part) if part in (".", "..") else part.replace("%", "%25")
             for part in source.split("/") if part]
    path = "/".join(map(_short, parts)) or "%2F"
    return "%5Frun" if path == "_run" else path  # _run.jsonl is the whole run's


def _short(name: str) -> str:
    """Return a name as it is, or where it is too long its beginning and a digest of all of it."""
    data = name.encode("utf-8", "surrogateescape")
    if len(data) <= LONGEST:
        return name
    digest = f"~{hashlib.blake2b(data, digest_size=8).hexdigest()}"
    return data[:LONGEST - len(digest)].decode("utf-8", "ignore") + digest
