"""Find the files of a model, check them against their sha256, and fetch what is missing."""

from __future__ import annotations

import hashlib
import importlib.util
import json
import os
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from vtk.errors import WeightsError
from vtk.models import zoo


@dataclass(frozen=True, slots=True)
class Weights:
    """The files of a model on this machine, checked.

    Attributes:
        paths: in the order of ``zoo.Model.files``; the first is the one that is loaded.
        sha256: of the file; of the files' hashes, in order, where there are several; None without files.
        official: whether every hash stands in the table.
    """

    paths: tuple[Path, ...]
    sha256: str | None
    official: bool = True


@dataclass(frozen=True, slots=True)
class Place:
    """Where a file lies on this machine: ``origin`` is cache, mirror or package."""

    origin: str
    path: Path


def home() -> Path:
    """Return the cache folder: $VTK_HOME, else the user's cache folder. It may not exist yet."""
    if os.environ.get("VTK_HOME"):
        return Path(os.environ["VTK_HOME"]).expanduser()
    import platformdirs

    return Path(platformdirs.user_cache_dir("vtk", appauthor=False))


def is_offline(offline: bool = False) -> bool:
    """Return whether the network is off, by ``offline`` or by VTK_OFFLINE."""
    return offline or os.environ.get("VTK_OFFLINE", "").lower() not in ("", "0", "false", "no")


def mirror_url() -> str | None:
    """Return $VTK_MIRROR where it is an address and not a folder."""
    mirror = os.environ.get("VTK_MIRROR", "")
    return mirror.rstrip("/") if mirror.startswith(("http://", "https://")) else None


def locate(file: zoo.File) -> Place | None:
    """Return where ``file`` lies here, unchecked, or None: the cache, a mirror folder, a package."""
    candidates = [Place("cache", home() / "weights" / file.name)]
    mirror = os.environ.get("VTK_MIRROR")
    if mirror and not mirror_url():
        candidates.append(Place("mirror", Path(mirror).expanduser() / file.name))
    if file.package:
        candidates += _packaged(file.package)
    return next((place for place in candidates if place.path.is_file()), None)


def _packaged(package: str) -> list[Place]:
    name, _, inner = package.partition(":")
    spec = importlib.util.find_spec(name)  # finds the folder, runs nothing of a top-level package
    folders = (spec.submodule_search_locations or ()) if spec else ()
    return [Place("package", Path(folder) / inner) for folder in folders]


def at_hand(model: zoo.Model) -> bool:
    """Return whether every file of ``model`` lies on this machine, or it needs none."""
    if not model.hub:
        return all(locate(file) for file in model.files)
    from vtk.models import hub

    return all(hub.locate(file) for file in model.hub)


def resolve(
    model: zoo.Model, weights: Path | None = None, *, offline: bool = False, trust: bool = False
) -> Weights:
    """Return the checked files of ``model``, fetched where they are missing; ``weights`` goes before all.

    Raises:
        WeightsError: a file cannot be had (E_OFFLINE, E_WEIGHTS), or its hash is not the one in the table (E_HASH).
    """
    if weights is not None:
        return _given(weights)
    places = [locate(file) for file in model.files]
    missing = [file for file, place in zip(model.files, places, strict=True) if place is None]
    if missing and is_offline(offline):
        raise WeightsError(_missing(model, missing, "the network is off"), code="E_OFFLINE")
    paths, digests = [], []
    for file, place in zip(model.files, places, strict=True):
        path = place.path if place else _fetch(model, file)
        paths.append(path)
        digests.append(check(file, path, trust=trust))
    return Weights(tuple(paths), _combined(digests))


def _given(weights: Path) -> Weights:
    """Return the user's own file, and what lies beside it where it is an OpenVINO model."""
    if not weights.is_file():
        found = "a folder" if weights.is_dir() else "nothing"
        raise WeightsError(f"--weights {weights}: found {found} there; give a .pt, .onnx, .tflite or .xml file")
    paths = [weights]
    if weights.suffix == ".xml":
        paths.append(weights.with_suffix(".bin"))
        if not paths[1].is_file():
            raise WeightsError(f"--weights {weights}: its tensors, {paths[1].name}, are not beside it")
    digests = [sha256_of(path) for path in paths]
    return Weights(tuple(paths), _combined(digests), any(digests[0] in file.hashes for file in zoo.FILES.values()))


def _fetch(model: zoo.Model, file: zoo.File) -> Path:
    """Download ``file`` into the cache, from the mirror's address first."""
    from vtk.models.download import DownloadError, download

    mirror = mirror_url()
    urls = [f"{mirror}/{file.name}"] if mirror else []
    urls += [file.url] if file.url else []
    reasons = []
    for url in urls:
        try:
            return download(url, home() / "weights" / file.name, file.hashes, file.size)
        except DownloadError as error:
            reasons.append(str(error))
    raise WeightsError(_missing(model, [file], "; ".join(reasons) or "it has no public address"))


def check(file: zoo.File, path: Path, *, trust: bool = False) -> str:
    """Return the sha256 of ``path``.

    Raises:
        WeightsError: E_HASH where the table has another hash, or has none and ``trust`` is not given.
    """
    digest = sha256_of(path)
    if not file.hashes and not trust:
        raise WeightsError(f"{path}: its sha256 is {digest}, and no published one is known to check it against; "
                           "--trust-weights loads it all the same", code="E_HASH")
    if file.hashes and digest not in file.hashes:
        raise WeightsError(f"{path}: its sha256 is {digest[:16]}…, expected {file.hashes[0][:16]}…; "
                           "delete or replace the file", code="E_HASH")
    return digest


def sha256_of(path: Path, fresh: bool = False) -> str:
    """Return a file's sha256; read once per path, size and time of change unless ``fresh``."""
    status = path.stat()
    key = [str(path.absolute()), status.st_size, status.st_mtime_ns, status.st_ino]
    stamp = home() / "stamps" / (hashlib.sha256(key[0].encode("utf-8", "surrogateescape")).hexdigest()[:24] + ".json")
    key[0] = stamp.stem  # a path need not be UTF-8, its hash is
    if not fresh:
        with suppress(OSError, ValueError, KeyError, TypeError):  # an unreadable stamp is no stamp
            known = json.loads(stamp.read_bytes())
            if known["key"] == key and isinstance(known["sha256"], str):
                return known["sha256"]
    with open(path, "rb") as stream:
        digest = hashlib.file_digest(stream, "sha256").hexdigest()
    with suppress(OSError):  # a read-only cache costs the time to hash again, nothing else
        stamp.parent.mkdir(parents=True, exist_ok=True)
        part = stamp.with_suffix(f".{os.getpid()}")
        part.write_text(json.dumps({"key": key, "sha256": digest}))
        part.replace(stamp)
    return digest


def _combined(digests: Sequence[str]) -> str | None:
    if len(digests) < 2:
        return digests[0] if digests else None
    return hashlib.sha256("".join(digests).encode()).hexdigest()


def _missing(model: zoo.Model, files: Sequence[zoo.File], why: str) -> str:
    """Return the message of weights that cannot be had: what, why, what is at hand, what brings it."""
    names = ", ".join(f"{file.name}, {file.size}" for file in files)
    hand = [other.name for other in zoo.MODELS.values() if other.task == model.task and at_hand(other)]
    public = mirror_url() or any(file.url for file in files)
    packages = [file.package.partition(":")[0] for file in files if file.package]
    brings = (f"vtk models pull {model.name}" if public
              else f"the Python package {packages[0].replace('_', '-')}" if packages else "a mirror in VTK_MIRROR")
    return (f"the weights of {model.name} ({names}) are not at hand: {why}; at hand: {', '.join(hand) or 'none'}; "
            f"to bring them, with the network: {brings}")
