"""Stages over sources: inputs, decoding, grouping, pass-through, errors in band, the ledger, resume."""

from typing import Any

# Found when first asked for: a command that only needs the stage protocol does not load orjson.
_HOME = {"drive": "run", "drive_all": "run", "run": "run", "collect": "run", "Frame": "stage", "Source": "stage",
         "Stage": "stage", "Record": "stage", "Opening": "stage", "Step": "chain"}


def __getattr__(name: str) -> Any:
    """Return a public name of this package from the module that defines it."""
    from importlib import import_module

    if name not in _HOME:
        raise AttributeError(f"module 'vtk.driver' has no attribute '{name}'")
    return getattr(import_module(f"vtk.driver.{_HOME[name]}"), name)
