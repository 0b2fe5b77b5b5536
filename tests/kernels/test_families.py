"""Every family has the same modules, its modules the same functions, and only they import what they may."""

from __future__ import annotations

import ast
from importlib import import_module
from pathlib import Path

import pytest

import vtk.kernels
from vtk.kernels.case import Bench, cases, families, functions

ROOT = Path(vtk.kernels.__file__).parent
MODULES = ("__init__", "reference", "cpu", "gpu")


def _tree(family: str, module: str) -> ast.Module:
    return ast.parse((ROOT / family / f"{module}.py").read_text())


def _signature(function: ast.FunctionDef) -> str:
    """Return names, kinds and defaults of the parameters, without their types: those name NumPy or torch."""
    for node in ast.walk(function.args):
        if isinstance(node, ast.arg):
            node.annotation = None
    return ast.unparse(function.args)


def _imports(tree: ast.AST) -> set[str]:
    nodes = list(ast.walk(tree))
    names = {alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names}
    names |= {node.module for node in nodes if isinstance(node, ast.ImportFrom) and node.module}
    return {name.split(".")[0] for name in names}


def test_first_families_are_found() -> None:
    assert {"association", "kalman", "nms", "normalize", "pairwise_iou"} <= set(families())
    folders = {path.parent.name for path in ROOT.glob("*/__init__.py")}
    assert folders == set(families()), "a folder without cases.py is no family"


@pytest.mark.parametrize(("family", "name"), list(functions()))
def test_modules_export_the_function_with_one_signature(family: str, name: str) -> None:
    signatures = {}
    for module in MODULES:
        found = [node for node in _tree(family, module).body if getattr(node, "name", None) == name]
        assert len(found) == 1, f"{family}/{module}.py has no function {name}"
        assert ast.get_docstring(found[0]), f"{family}/{module}.py: {name} has no docstring"
        signatures[module] = _signature(found[0])
    assert len(set(signatures.values())) == 1, signatures


@pytest.mark.parametrize(("family", "name"), list(functions()))
def test_contract_is_documented(family: str, name: str) -> None:
    documentation = getattr(import_module(f"vtk.kernels.{family}"), name).__doc__
    for heading in ("Args:", "Returns:", "Raises:", "Source:"):
        assert heading in documentation, f"{name} lacks {heading}"


@pytest.mark.parametrize("family", families())
def test_public_functions_are_those_of_names(family: str) -> None:
    public = {
        node.name
        for node in _tree(family, "__init__").body
        if isinstance(node, ast.FunctionDef) and not node.name.startswith("_")
    }
    assert public == set(cases(family).NAMES)


@pytest.mark.parametrize("family", families())
def test_array_libraries_are_imported_where_they_may_be(family: str) -> None:
    for path in (ROOT / family).glob("*.py"):
        imported = _imports(ast.parse(path.read_text()))
        assert "numba" not in imported or path.name == "cpu.py", path
        assert "triton" not in imported or path.name == "gpu.py", path
        assert not imported & {"torch", "torchvision", "cv2"} or path.name in ("gpu.py", "cases.py", "rivals.py"), path


@pytest.mark.parametrize("family", families())
def test_cases_are_complete(family: str) -> None:
    found = cases(family)
    for name in found.NAMES:
        assert found.tolerance.__doc__, "a tolerance states its reason"
        assert found.LIBRARIES[name], f"{name} has no library to be held against"
        benches = [bench for bench in found.BENCHES if bench.function == name]
        assert all(isinstance(bench, Bench) for bench in benches)
        assert any(bench.level == 0 for bench in benches), f"{name} has no case for --quick"
