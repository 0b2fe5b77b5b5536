"""The state of an installation: versions, devices, decoders, caches, and what is wrong with them."""

from __future__ import annotations

import importlib.util
import os
import platform
from importlib import metadata
from pathlib import Path

PACKAGES = ("vidtk", "torch", "torchvision", "openvino", "onnxruntime-gpu", "opencv-python", "opencv-python-headless",
            "av", "decord", "numba", "triton", "ultralytics", "timm", "orjson", "typer", "pillow-heif")


def version(name: str) -> str | None:
    """Return the installed version of a distribution, or None."""
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


def facts() -> dict[str, object]:
    """Return what is installed and found, JSON types only. Loads torch only where a driver for its devices is there."""
    return {
        "python": platform.python_version(),
        "platform": f"{platform.system()} {platform.machine()}",
        "packages": {name: version(name) for name in PACKAGES},
        "devices": _devices(),
        "threads": _threads(),
        "decoders": {"pyav": importlib.util.find_spec("av") is not None,
                     "decord": importlib.util.find_spec("decord") is not None,
                     "opencv": importlib.util.find_spec("cv2") is not None},
        "cache": _cache(),
        "mirror": os.environ.get("VTK_MIRROR"),
        "offline": bool(os.environ.get("VTK_OFFLINE")),
    }


def problems() -> list[str]:
    """Return what is wrong with the installation, one line each with what mends it; empty where all is well."""
    found = []
    if version("vtk") is not None:
        found.append(f"the Visualization Toolkit ({version('vtk')}) also imports as vtk, and one hides the other: "
                     "install vidtk with pipx or in an environment of its own")
    pair = version("opencv-python"), version("opencv-python-headless")
    if None not in pair and pair[0] != pair[1]:
        found.append(f"opencv-python {pair[0]} and opencv-python-headless {pair[1]} share their files and differ: "
                     f"pip install opencv-python-headless=={pair[0]}")
    cache = Path(str(_cache()["path"]))
    nearest = next(folder for folder in (cache, *cache.parents) if folder.exists())
    if not os.access(nearest, os.W_OK):
        found.append(f"the cache folder {cache} cannot be written: set VTK_HOME to one that can")
    mirror = os.environ.get("VTK_MIRROR")
    if mirror and "://" not in mirror and not Path(mirror).is_dir():
        found.append(f"VTK_MIRROR is {mirror}, which is no folder: unset it or mend the path")
    for name in ("av", "openvino", "cv2", "orjson", "numba", "torch"):
        if importlib.util.find_spec(name) is None:
            found.append(f"the package {name} is missing: pip install --force-reinstall vidtk")
    return found


def _devices() -> list[str]:
    """Return the devices that models can run on."""
    from vtk.models.runtime import cuda_devices

    return ["cpu", *(f"cuda:{number}" for number in range(cuda_devices()))]


def _threads() -> dict[str, int | None]:
    from vtk.threads import asked, available

    return {"available": available(), "asked": asked()}


def _cache() -> dict[str, object]:
    from vtk.models.weights import home

    path = home()
    files = [file for file in path.rglob("*") if file.is_file()] if path.is_dir() else []
    return {"path": str(path), "files": len(files), "bytes": sum(file.stat().st_size for file in files)}
