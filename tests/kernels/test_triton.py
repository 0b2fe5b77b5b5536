"""Triton kernels without a GPU: right in the interpreter, and what was launched there compiles for Hopper."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from vtk.kernels.case import functions

pytest.importorskip("triton")
# The interpreter takes minutes for all kernels, and its test waits for all of them.
pytestmark = pytest.mark.timeout(1500)

FUNCTIONS = list(functions())
# Options of a launch that are no parameters of the kernel.
OPTIONS = ("num_warps", "num_stages", "num_ctas", "enable_fp_fusion", "maxnreg")


@pytest.fixture(scope="module")
def interpreted() -> dict[str, Any]:
    """Return what interpret.py prints."""
    done = subprocess.run(
        [sys.executable, str(Path(__file__).with_name("interpret.py"))],
        env=os.environ | {"TRITON_INTERPRET": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.parametrize(("family", "name"), FUNCTIONS)
def test_interpreter_agrees_with_the_reference(family: str, name: str, interpreted: dict[str, Any]) -> None:
    assert interpreted[f"{family}.{name}"]["differences"] == []


@pytest.fixture(scope="module")
def compiled_before(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of what these tests compiled: families share kernels."""
    return tmp_path_factory.mktemp("triton")


@pytest.mark.parametrize(("family", "name"), FUNCTIONS)
def test_kernels_compile_for_hopper(
    family: str, name: str, interpreted: dict[str, Any], compiled_before: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TRITON_CACHE_DIR", str(compiled_before))
    launches = interpreted[f"{family}.{name}"]["launches"]
    assert launches, "the launcher started no Triton kernel"
    compiled = set()
    for launch in launches:
        # Values of constants beside, the kernel is the same.
        key = (launch["kernel"], *sorted(_constants(launch).items()), *sorted(launch["types"].items()))
        if key not in compiled:
            compiled.add(key)
            assert "ptx" in _compile(launch).asm


def test_every_kernel_was_launched(interpreted: dict[str, Any]) -> None:
    from triton.runtime.jit import JITFunction

    launched = {(launch["module"], launch["kernel"]) for found in interpreted.values() for launch in found["launches"]}
    for family in {family for family, _ in FUNCTIONS}:
        module = import_module(f"vtk.kernels.{family}.gpu")
        kernels = {name for name, value in vars(module).items() if isinstance(value, JITFunction)}
        # A function that a kernel calls is compiled with it.
        called = {name for kernel in kernels for name in getattr(module, kernel).fn.__code__.co_names}
        missing = {kernel for kernel in kernels - called if (module.__name__, kernel) not in launched}
        assert not missing, f"{module.__name__}: no test launches {missing}"


def _constants(launch: dict[str, Any]) -> dict[str, Any]:
    """Return the values of a launch's compile-time parameters."""
    kernel = getattr(import_module(launch["module"]), launch["kernel"])
    return {param.name: launch["values"][param.name] for param in kernel.params if param.is_constexpr}


def _compile(launch: dict[str, Any]) -> Any:
    """Compile a launch for an H100 or H200."""
    import triton
    from triton.backends.compiler import GPUTarget
    from triton.compiler import ASTSource

    kernel = getattr(import_module(launch["module"]), launch["kernel"])
    constants = _constants(launch)
    signature = {
        param.name: "constexpr" if param.name in constants else launch["types"][param.name] for param in kernel.params
    }
    options = {name: launch["values"][name] for name in OPTIONS if name in launch["values"]}
    source = ASTSource(kernel, signature, constexprs=constants)
    return triton.compile(source, target=GPUTarget("cuda", 90, 32), options=options)
