"""Read ultralytics checkpoints, and convert them once for the CPU runtime."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from dataclasses import asdict
from pathlib import Path
from typing import Any

from vtk.errors import WeightsError
from vtk.models.cached import converted_once
from vtk.models.conversion import convert
from vtk.models.ultralytics import About
from vtk.models.weights import home

# Part of the cached folder's name: raise it whenever the conversion below changes.
CONVERSION = 1


def converted(path: Path, sha256: str) -> Path:
    """Return the folder of the checkpoint's model.xml, model.bin and about.json, made where missing."""

    def fill(folder: Path) -> None:
        module, about = read(path)
        convert(module, (1, 3, 640, 640), (-1, 3, -1, -1), folder)
        (folder / "about.json").write_text(json.dumps(asdict(about)))

    return converted_once(f"{sha256[:32]}-{CONVERSION}", fill)


def read(path: Path) -> tuple[Any, About]:
    """Return the checkpoint's torch module, fused and float32, and what it says of itself.

    Loading runs what the pickle says: only files that are known or trusted may come here.
    """
    with _ultralytics_kept_quiet():
        try:
            from ultralytics.nn.tasks import load_checkpoint

            module, saved = load_checkpoint(str(path), fuse=False)
        except (RuntimeError, TypeError, AttributeError, ModuleNotFoundError, EOFError, KeyError, ValueError) as error:
            reason = " ".join(str(error).split())[:160]
            raise WeightsError(f"{path}: ultralytics cannot load it as a checkpoint: {reason}") from error
        head = module.model[-1]
        # YOLO26 and YOLOv10 have two heads; the end-to-end one needs no suppression.
        if getattr(head, "one2one_cv2", None) is not None:
            head.end2end = True
        module = module.fuse(verbose=False)
    names = module.names
    side = saved.get("train_args", {}).get("imgsz", 640)
    about = About(
        tuple(str(names[key]) for key in sorted(names)), side if isinstance(side, int) else 640,
        int(module.stride.max()), module.task,
    )  # fmt: skip
    # Grids follow the input's size, and only the decoded boxes come out.
    head.export, head.dynamic, head.format = True, True, "openvino"
    return module.requires_grad_(False), about


@contextmanager
def _ultralytics_kept_quiet() -> Iterator[None]:
    """Keep ultralytics off stdout and off the network, and its settings file in our cache.

    It prints on import, asks name servers whether there is a network, installs packages that it misses, and reads
    these variables once.
    """
    folder = home() / "ultralytics"
    folder.mkdir(parents=True, exist_ok=True)
    ours = {"YOLO_OFFLINE": "true", "YOLO_VERBOSE": "false", "YOLO_AUTOINSTALL": "false"}
    ours["YOLO_CONFIG_DIR"] = str(folder)
    before = {key: os.environ.get(key) for key in ours}
    os.environ.update(ours)
    try:
        with redirect_stdout(sys.stderr):
            yield
    finally:
        for key, value in before.items():
            if value is None:
                del os.environ[key]
            else:
                os.environ[key] = value
