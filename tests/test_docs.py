"""The README knows every command and kernel, and its examples run."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from clips import make_clip

from conftest import ROOT
from vtk.cli import COMMANDS

README = (ROOT / "README.md").read_text()


def blocks(language: str) -> list[str]:
    """Return the README's code blocks of a language."""
    return re.findall(rf"```{language}\n(.*?)```", README, re.DOTALL)


@pytest.mark.parametrize(("name", "kind"), [(name, kind) for name, kind, _ in COMMANDS])
def test_every_command_has_its_row(name: str, kind: str) -> None:
    assert re.search(rf"^\| `vtk {re.escape(name)}` \| {kind} \|", README, re.MULTILINE)


@pytest.mark.parametrize("family", sorted(path.parent.name for path in (ROOT / "kernels").glob("*/cases.py")))
def test_every_kernel_family_has_its_row(family: str) -> None:
    assert f"| `{family}` |" in README


def test_the_example_record_is_of_the_vocabulary() -> None:
    from vtk.records import check, parse

    [line] = blocks("json")
    check(parse(line.strip().encode()))


def test_the_example_pipes_run(tmp_path: Path) -> None:
    """The two pipes of the README, with the detector that needs no weights, on a clip of the same name."""
    make_clip(tmp_path / "street.mp4")
    pipes = [block for block in blocks("sh") if "street.mp4" in block]
    assert len(pipes) == 2
    bins = tmp_path / "bin"
    bins.mkdir()
    (bins / "vtk").write_text(f'#!/bin/sh\nexec "{sys.executable}" -m vtk "$@"\n')
    (bins / "vtk").chmod(0o755)
    (bins / "jq").write_text("#!/bin/sh\nexec cat\n")  # jq itself is not a dependency
    (bins / "jq").chmod(0o755)
    for pipe in pipes:
        script = pipe.replace("--classes person", "--detector motion")
        found = subprocess.run(["bash", "-euo", "pipefail", "-c", script], cwd=tmp_path, capture_output=True, check=False,
                               env={**os.environ, "PATH": f"{bins}:{os.environ['PATH']}"})
        assert found.returncode == 0, found.stderr.decode()
        assert (tmp_path / "street-ids.mp4").stat().st_size > 1000
        (tmp_path / "street-ids.mp4").unlink()


def test_every_example_in_a_docstring_is_a_command_line() -> None:
    """Each option that a docstring's example names exists in that command's help."""
    import importlib

    from vtk.cli import load, module_of
    from vtk.piping import split

    for name, _, _ in COMMANDS:
        module = importlib.import_module(module_of(name))
        doc = module.run.__doc__ if hasattr(module, "run") else ""
        for example in re.findall(r"Example: (.*)", doc or ""):
            for words in split(example.split(" > ")[0]):
                if words[0] in {row[0] for row in COMMANDS}:
                    known = {option for param in load(words[0]).params for option in param.opts}
                    assert {word for word in words[1:] if word.startswith("-") and word != "-"} <= known, example
