"""Commands of an app run in this process, with what they print."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from vtk.cli import load, main
from vtk.records import Record


class Said:
    """What a run printed."""

    def __init__(self, out: str, err: str, code: int) -> None:
        self.out, self.err, self.code = out, err, code

    @property
    def report(self) -> dict[str, Any]:
        return json.loads(self.out)


def runner(capfd: pytest.CaptureFixture[str], name: str, command: str) -> Callable[..., Said]:
    """Return a function that runs ``vtk NAME COMMAND`` in this process; what the user can mend is raised."""

    def run(*arguments: object) -> Said:
        code = load(name).main([command, *map(str, arguments)], prog_name=f"vtk {name}", standalone_mode=False)
        out, err = capfd.readouterr()
        return Said(out, err, code or 0)

    return run


def streamer(capfdbinary: pytest.CaptureFixture[bytes], monkeypatch: pytest.MonkeyPatch,
             name: str) -> Callable[..., tuple[int, list[Record], str]]:
    """Return a function that runs ``vtk NAME`` in this process as a shell would: its code, records and stderr."""

    def run(*words: object) -> tuple[int, list[Record], str]:
        monkeypatch.setattr("sys.argv", ["vtk", name, *map(str, words)])
        capfdbinary.readouterr()
        code = 0
        try:
            main()
        except SystemExit as left:
            code = int(left.code or 0)
        out, err = capfdbinary.readouterr()
        return code, [json.loads(line) for line in out.splitlines()], err.decode()

    return run
