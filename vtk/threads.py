"""One bound on the threads of every library, so that copies of a command side by side do not fight."""

from __future__ import annotations

import os
import sys

# OpenMP, OpenBLAS, MKL, Numba and OpenCV read these once, when they are loaded.
VARIABLES = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS",
             "OPENCV_FOR_THREADS_NUM")


def available() -> int:
    """Return the number of processors that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def bound(threads: int | None) -> None:
    """Bound OpenMP, BLAS, Numba, OpenCV and torch to ``threads``; None leaves their own defaults.

    OpenVINO and the decoders take the bound with each model and reader that is opened. Libraries loaded already are
    told directly, those loaded later find it in the environment.
    """
    if threads is None:
        return
    os.environ["VTK_THREADS"] = str(threads)
    for name in VARIABLES:
        os.environ[name] = str(threads)
    if "cv2" in sys.modules:
        sys.modules["cv2"].setNumThreads(threads)
    if "numba" in sys.modules:
        sys.modules["numba"].set_num_threads(min(threads, sys.modules["numba"].config.NUMBA_NUM_THREADS))
    if "torch" in sys.modules:
        sys.modules["torch"].set_num_threads(threads)


def asked() -> int | None:
    """Return the bound in force, or None where nothing was asked for."""
    value = os.environ.get("VTK_THREADS", "")
    return int(value) if value.isdigit() and int(value) > 0 else None
