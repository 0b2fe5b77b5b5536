"""Which CUDA device each process sees."""

from __future__ import annotations

import os
import re

from vtk.errors import UsageError
from vtk.models.runtime import cuda_devices


def placed(text: str, jobs: int, device: str = "auto") -> list[str]:
    """Return what ``CUDA_VISIBLE_DEVICES`` is for processes in turn; nothing where --devices was not given.

    Numbers count the devices that this process sees: where CUDA_VISIBLE_DEVICES names some of them, those.

    Args:
        text: of --devices, such as ``0,1``.
        jobs: how many processes there are.
        device: of --device.

    Raises:
        UsageError: it is no such list, or there are no such devices.
    """
    if not text:
        return []
    words = [word.strip() for word in text.split(",")]
    if not all(re.fullmatch(r"\d+", word) for word in words) or len(set(words)) < len(words):
        raise UsageError(f"--devices {text}: numbers of CUDA devices are needed, each once, such as 0,1")
    if device not in ("auto", "cuda"):
        raise UsageError(f"--devices {text} and --device {device} both say where models run: give one of them")
    count = cuda_devices()
    if (most := max(map(int, words))) >= count:
        raise UsageError(f"--devices {text}: there is no CUDA device {most}; "
                         + (f"the driver offers {count}, from 0" if count else "the driver offers none: leave it away, "
                            "and processors are divided among --jobs"))  # fmt: skip
    if jobs < len(words):
        raise UsageError(f"--devices {text}: {len(words)} devices need --jobs {len(words)} or more, and it is {jobs}")
    visible = [name.strip() for name in os.environ.get("CUDA_VISIBLE_DEVICES", "").split(",") if name.strip()]
    return [visible[int(word)] if visible else word for word in words]
