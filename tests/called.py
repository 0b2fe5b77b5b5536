"""Commands called in this process as a shell would call them: as ``vtk`` of conftest, without a process for each."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess
from tempfile import TemporaryFile

import pytest

from vtk.cli import load, main


def caller(capfdbinary: pytest.CaptureFixture[bytes], monkeypatch: pytest.MonkeyPatch) -> Callable[
        ..., CompletedProcess[bytes]]:
    """Return a function that runs ``vtk`` with words, and bytes on stdin, in a folder."""

    def run(*words: object, stdin: bytes = b"", cwd: Path | None = None) -> CompletedProcess[bytes]:
        said = [*map(str, words)]
        before = os.dup(0)
        with monkeypatch.context() as patch, TemporaryFile() as given:
            patch.setattr("sys.argv", ["vtk", *said])
            patch.chdir(cwd or Path.cwd())
            given.write(stdin)
            given.seek(0)
            os.dup2(given.fileno(), 0)
            capfdbinary.readouterr()
            code = 0
            try:
                main()
            except SystemExit as left:
                code = int(left.code or 0)
            finally:
                os.dup2(before, 0)
                os.close(before)
        return CompletedProcess(said, code, *capfdbinary.readouterr())

    return run


def loader(capfdbinary: pytest.CaptureFixture[bytes], monkeypatch: pytest.MonkeyPatch) -> Callable[
        ..., CompletedProcess[bytes]]:
    """Return a function that runs a command in a folder; what the user can mend is raised."""

    def run(name: str, *words: object, cwd: Path) -> CompletedProcess[bytes]:
        monkeypatch.chdir(cwd)
        capfdbinary.readouterr()
        try:
            code = load(name).main([*map(str, words)], prog_name=f"vtk {name}", standalone_mode=False) or 0
        except SystemExit as left:
            code = int(left.code or 0)
        return CompletedProcess([name, *words], code, *capfdbinary.readouterr())

    return run
