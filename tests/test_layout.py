"""The tree keeps to the house numbers, and imports run downward only."""

from __future__ import annotations

import ast
import re
import statistics
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
FILES = sorted(path for folder in ("vtk", "commands", "kernels") for path in (ROOT / folder).rglob("*.py"))
ALL = sorted([*FILES, *(ROOT / "tests").rglob("*.py"), *(ROOT / "examples").rglob("*.py")])

# Layers from the top; a module imports from its own layer or from one below.
LAYERS = (
    ("vtk.cli", "vtk.__main__"),
    ("vtk.commands",),
    ("vtk.piping", "vtk.recipes", "vtk.diagnosis", "vtk.engines", "vtk.watching"),
    ("vtk.detection", "vtk.labelling", "vtk.tracking", "vtk.probing", "vtk.report", "vtk.sorting", "vtk.export",
     "vtk.evaluation", "vtk.clipping", "vtk.copies", "vtk.cropping", "vtk.heads", "vtk.liveness",
     "vtk.redaction", "vtk.reid", "vtk.scenes", "vtk.species", "vtk.stats", "vtk.text", "vtk.tuning"),
    ("vtk.driver",),
    ("vtk.options",),
    ("vtk.models", "vtk.media", "vtk.library"),
    ("vtk.kernels", "vtk.metrics"),
    ("vtk.records", "vtk.schema", "vtk.sharing"),
    ("vtk.errors", "vtk.threads", "vtk"),
)
# Where the rule is broken on purpose.
EXCEPTIONS = {
    ("vtk.piping", "vtk.cli"),  # a pipe's text is parsed by the command line itself
    ("vtk.recipes", "vtk.cli"),  # and so are a recipe's options
    ("vtk.driver", "vtk.engines"),  # drive hands over to the engine that --jobs asks for
    ("vtk.options", "vtk.models"),
}
HOMES = {
    "numba": ("kernels/*/cpu.py",), "triton": ("kernels/*/gpu.py", "kernels/*.py"),
    "av": ("vtk/media/*.py",), "decord": ("vtk/media/*.py",),
    "timm": ("vtk/models/*.py",), "ultralytics": ("vtk/models/*.py",),
}
BANNED = {"utils", "util", "common", "helpers", "base", "manager", "misc"}


def name_of(path: Path) -> str:
    """Return the dotted name that a file is imported by."""
    parts = path.relative_to(ROOT).with_suffix("").parts
    parts = ("vtk", *parts) if parts[0] in ("commands", "kernels") else parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imports_of(path: Path) -> Iterator[str]:
    """Yield the dotted names that a file imports, anywhere in it."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            if node.module in ("vtk",):
                yield from (f"vtk.{alias.name}" for alias in node.names if not alias.name.startswith("__"))


def layer_of(name: str) -> tuple[int, str]:
    """Return the layer of a module and the entry that it falls under."""
    found = [(number, entry) for number, layer in enumerate(LAYERS) for entry in layer
             if name == entry or (entry != "vtk" and name.startswith(entry + "."))]
    if not found:
        raise AssertionError(f"{name} stands in no layer: add it to LAYERS")
    return found[0]


def functions_of(path: Path) -> Iterator[ast.FunctionDef]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            yield node


def test_files_keep_to_their_ceilings() -> None:
    lines = {path: len(path.read_text().splitlines()) for path in ALL}
    assert not {str(path): count for path, count in lines.items() if count > 400}
    ours = [lines[path] for path in FILES]
    assert statistics.median(ours) <= 120
    assert statistics.quantiles(ours, n=10)[8] <= 300


def test_functions_keep_to_their_ceilings() -> None:
    lengths = {(str(path.relative_to(ROOT)), node.name): node.end_lineno - node.lineno + 1
               for path in ALL for node in functions_of(path)}
    assert not {key: length for key, length in lengths.items() if length > 60}
    assert statistics.median(lengths.values()) <= 13
    assert statistics.quantiles(lengths.values(), n=10)[8] <= 45


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_imports_run_downward(path: Path) -> None:
    mine, entry = layer_of(name_of(path))
    for name in imports_of(path):
        if name != "vtk" and not name.startswith("vtk."):
            assert name.split(".")[0] not in ("kernels", "commands"), f"{path} imports {name}: it is vtk.{name}"
            continue
        below, other = layer_of(name)
        assert below >= mine or (entry, other) in EXCEPTIONS, f"{name_of(path)} imports {name}, which is above it"
        if entry == "vtk.commands" and name.startswith("vtk.commands"):
            assert name == "vtk.commands", f"{path} imports another command"


def test_modules_know_only_what_is_theirs() -> None:
    for path in FILES:
        where = path.relative_to(ROOT)
        for name in {name.split(".")[0] for name in imports_of(path)} & set(HOMES):
            assert any(where.match(home) for home in HOMES[name]), f"{where} imports {name}"
        if where.parts[:2] == ("vtk", "models"):
            assert "vtk.records" not in set(imports_of(path)), f"{where}: models never see records"
        if where.parts[:2] == ("vtk", "media"):
            assert not any(name.startswith("vtk.models") for name in imports_of(path)), f"{where} imports models"


def test_video_is_decoded_in_media_alone() -> None:
    """OpenCV is everywhere, its decoder is not."""
    assert not [path for path in FILES if "VideoCapture" in path.read_text() and path.parent != ROOT / "vtk" / "media"]


def test_no_file_names_a_machine() -> None:
    """No path of somebody's machine and no registry host, in anything that is handed on."""
    handed_on = [*ALL, *(path for path in (ROOT / "examples").iterdir() if path.is_file()), ROOT / "Makefile",
                 ROOT / "README.md", ROOT / "pyproject.toml", ROOT / ".ci" / "run", ROOT / ".gitignore"]
    machine = re.compile(r"(?<![\w.$}])/(?:work|root|home|Users|mnt|farm)/\w|/simple/?[\"']|--(?:extra-)?index-url")
    found = {path.relative_to(ROOT).as_posix(): hit.group() for path in handed_on
             if path.name != "test_layout.py" and (hit := machine.search(path.read_text()))}
    assert not found


def test_no_file_has_a_name_that_says_nothing() -> None:
    assert not [path for path in ALL if path.stem in BANNED]


def test_input_is_never_asserted_and_the_library_never_prints() -> None:
    for path in FILES:
        tree = ast.parse(path.read_text())
        where = path.relative_to(ROOT)
        for node in ast.walk(tree):
            assert not isinstance(node, ast.Assert), f"{where}:{node.lineno} asserts"
            if isinstance(node, ast.ExceptHandler) and (node.type is None or ast.unparse(node.type) == "Exception"):
                assert not all(isinstance(part, ast.Pass) for part in node.body), f"{where}:{node.lineno} hides errors"
        printing = [node for node in ast.walk(tree) if isinstance(node, ast.Call)
                    and isinstance(node.func, ast.Name) and node.func.id == "print"]
        allowed = where.parts[0] == "commands" or where.stem in ("cli", "progress", "run", "bench", "download")
        assert allowed or not printing, f"{where} prints"


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_public_functions_are_annotated_and_documented(path: Path) -> None:
    tree = ast.parse(path.read_text())
    assert ast.get_docstring(tree) or not tree.body, f"{path} has no docstring"
    for owner in [tree, *(node for node in tree.body if isinstance(node, ast.ClassDef))]:
        protocol = isinstance(owner, ast.ClassDef) and any(ast.unparse(base) == "Protocol" for base in owner.bases)
        for node in owner.body:
            if not isinstance(node, ast.FunctionDef) or (node.name.startswith("_") and node.name != "__init__"):
                continue
            where = f"{path.relative_to(ROOT)}:{node.lineno} {node.name}"
            arguments = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]
            bare = [argument.arg for argument in arguments if argument.annotation is None]
            missing = [name for name in bare if name not in ("self", "cls")]
            is_kernel = any("jit" in ast.unparse(decorator) for decorator in node.decorator_list)
            assert is_kernel or not missing, f"{where}: {missing} not annotated"
            assert is_kernel or node.returns is not None or node.name == "__init__", f"{where}: no return type"
            overload = any("setter" in ast.unparse(decorator) for decorator in node.decorator_list)
            assert ast.get_docstring(node) or node.name == "__init__" or overload or protocol, f"{where}: no docstring"


def test_the_package_list_equals_the_folders() -> None:
    stated = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]["packages"]
    found = sorted({name_of(path) for path in FILES if path.name == "__init__.py"})
    assert sorted(stated) == found
