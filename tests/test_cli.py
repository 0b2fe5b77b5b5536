"""The command line itself: its table, its help, what it loads, completion."""

from __future__ import annotations

import importlib
import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
import typer

from conftest import ROOT, run_vtk
from vtk import __version__, cli
from vtk.cli import COMMANDS, KEYWORDS, load, module_of
from vtk.errors import UsageError

ARRAY_LIBRARIES = ("numpy", "torch", "cv2", "av", "openvino", "numba", "scipy", "PIL", "ultralytics", "timm")

LOADED = """
import sys
sys.argv = ["vtk", *sys.argv[1:]]
from vtk.cli import main
try:
    main()
except SystemExit:
    pass
print("LOADED", *sorted({name.split(".")[0] for name in sys.modules}))
"""


def loaded(*arguments: str) -> set[str]:
    """Return the top-level modules that a command line loads."""
    found = subprocess.run([sys.executable, "-c", LOADED, *arguments], capture_output=True, text=True, check=True)
    return set(found.stdout.rpartition("LOADED")[2].split())


def test_every_command_has_its_file_and_its_row() -> None:
    stems = {path.stem for path in (ROOT / "commands").glob("*.py")} - {"__init__"}
    assert stems == {module_of(name).rpartition(".")[2] for name, _, _ in COMMANDS}
    assert module_of("import") == "vtk.commands.import_"
    assert module_of("spot-text") == "vtk.commands.spot_text"
    assert KEYWORDS == {"import"}


@pytest.mark.parametrize(("name", "text"), [(name, text) for name, _, text in COMMANDS])
def test_the_table_says_what_the_docstring_says(name: str, text: str) -> None:
    module = importlib.import_module(module_of(name))
    doc = module.run.__doc__ if hasattr(module, "run") else module.app.info.help
    assert doc.strip().splitlines()[0] == text
    if hasattr(module, "run"):
        assert "Example" in doc


@pytest.mark.parametrize("name", [name for name, _, _ in COMMANDS])
def test_help_of_a_command_loads_no_array_library(name: str) -> None:
    assert not loaded(name, "--help") & set(ARRAY_LIBRARIES)


def test_help_loads_no_array_library_and_no_command() -> None:
    assert not loaded("--help") & set(ARRAY_LIBRARIES)
    found = run_vtk("--help")
    assert found.returncode == 0
    for name, _, _ in COMMANDS:
        assert f"  {name} ".encode() in found.stdout


@pytest.mark.parametrize("words", [
    ("track", "track/vtest.avi", "--detector", "yolox-nano", "--limit", "3"),
    ("recognize-scene", "recognize-scene/mountains.jpg"),
    ("classify-species", "recognize-scene/mountains.jpg"),
], ids=lambda words: words[0])
def test_a_command_over_ready_files_imports_no_torch(words: tuple[str, ...], shared: Path) -> None:
    name, source, *options = words
    modules = loaded(name, str(shared / "data" / source), *options, "-q")
    assert "openvino" in modules, "the model ran"
    assert "torch" not in modules


def test_version_and_module_and_names() -> None:
    assert run_vtk("--version").stdout.decode().strip() == f"vtk {__version__}"
    for script in ("vtk", "vidtk"):
        found = subprocess.run([Path(sys.executable).parent / script, "--version"], capture_output=True, text=True,
                               check=True)
        assert found.stdout.strip() == f"vtk {__version__}"


@pytest.fixture
def faulty(monkeypatch: pytest.MonkeyPatch) -> typer.Typer:
    """Give an app that stands in the table as the command ``faulty``, with commands that fail."""
    app = typer.Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)

    @app.command()
    def bug(traceback: bool = False) -> None:
        """Fail as no one expected.

        Example: vtk faulty bug --traceback
        """
        raise ZeroDivisionError("a number\nby nothing")

    @app.command(help="Fail the same way, with a help text of its own.")
    def other() -> None:
        raise ZeroDivisionError("a number by nothing")

    @app.command()
    def interrupt() -> None:
        raise KeyboardInterrupt

    @app.command()
    def usage() -> None:
        raise UsageError("the user can mend it")

    monkeypatch.setitem(sys.modules, "vtk.commands.faulty", SimpleNamespace(app=app))  # type: ignore[arg-type]
    monkeypatch.setattr(cli, "COMMANDS", (*COMMANDS, ("faulty", "tool", "Fail.")))
    monkeypatch.delenv("VTK_TRACEBACK", raising=False)
    return app


@pytest.mark.parametrize(("words", "code", "said"), [
    ("bug", 1, "vtk: internal error, ZeroDivisionError: a number by nothing (--traceback shows where)\n"),
    ("other", 1, "vtk: internal error, ZeroDivisionError: a number by nothing (VTK_TRACEBACK=1 shows where)\n"),
    ("interrupt", 130, ""),
    ("usage", 2, "vtk: the user can mend it\n"),
])
def test_commands_of_an_app_fail_in_one_line(faulty: typer.Typer, monkeypatch: pytest.MonkeyPatch,
                                             capsys: pytest.CaptureFixture[str], words: str, code: int,
                                             said: str) -> None:
    monkeypatch.setattr(sys, "argv", ["vtk", "faulty", words])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    assert (ended.value.code, capsys.readouterr().err) == (code, said)


@pytest.mark.parametrize(("words", "variable"), [(["bug", "--traceback"], ""), (["other"], "1")])
def test_a_traceback_comes_on_request(faulty: typer.Typer, monkeypatch: pytest.MonkeyPatch, words: list[str],
                                      variable: str) -> None:
    monkeypatch.setenv("VTK_TRACEBACK", variable)
    monkeypatch.setattr(sys, "argv", ["vtk", "faulty", *words])
    with pytest.raises(ZeroDivisionError):
        cli.main()


def test_a_command_that_is_loaded_twice_stays_the_same(faulty: typer.Typer) -> None:
    first, second = (load("faulty").commands["bug"].help for _ in range(2))
    assert first == second == "Fail as no one expected.\n\n\b\nExample: vtk faulty bug --traceback"


@pytest.mark.parametrize("words", ["models list", "models list --json", "schema"])
def test_a_closed_pipe_ends_a_table_quietly(words: str) -> None:
    read, write = os.pipe()
    os.close(read)  # before anything is written: a table is less than a pipe takes while it is open
    found = subprocess.run([sys.executable, "-m", "vtk", *words.split()], stdout=write, stderr=subprocess.PIPE,
                           check=False)
    os.close(write)
    assert (found.returncode, found.stderr) == (141, b"")


@pytest.mark.parametrize("words", ["models list", "schema", "--version", "library --help"])
def test_a_full_disk_ends_what_prints_with_a_line(words: str) -> None:
    full = Path("/dev/full")
    if not full.exists():
        pytest.skip("there is no /dev/full")
    for unbuffered in ("", "1"):
        with full.open("wb") as stdout:
            found = subprocess.run([sys.executable, "-m", "vtk", *words.split()], stdout=stdout, stderr=subprocess.PIPE,
                                   env={**os.environ, "PYTHONUNBUFFERED": unbuffered}, check=False)
        assert (found.returncode, found.stderr) == (1, b"vtk: cannot write stdout: No space left on device\n")


@pytest.mark.parametrize(("words", "code", "said"), [
    ("schema", 0, b""), ("sort", 1, b"vtk: cannot write stdout: it is closed; -o FILE writes elsewhere\n")])
def test_a_closed_stdout_is_no_bug(words: str, code: int, said: bytes) -> None:
    found = subprocess.run(["sh", "-c", f'"$0" -m vtk {words} >&-', sys.executable], stdin=subprocess.DEVNULL,
                           stderr=subprocess.PIPE, check=False)
    assert (found.returncode, found.stderr) == (code, said)


def test_completion_offers_commands_and_options() -> None:
    def complete(words: str) -> list[str]:
        last = len(words.split(" ")) - 1
        env = {**os.environ, "_VTK_COMPLETE": "complete_bash", "COMP_WORDS": words, "COMP_CWORD": str(last)}
        found = subprocess.run([sys.executable, "-m", "vtk"], capture_output=True, text=True, env=env, check=False)
        return found.stdout.split()

    assert {"detect", "detect-copy", "draw", "doctor"} == set(complete("vtk d"))
    assert "--min-score" in complete("vtk detect --m")
    assert set(complete("vtk ")) == {name for name, _, _ in COMMANDS}


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_scripts_call_back(shell: str) -> None:
    env = {**os.environ, "_VTK_COMPLETE": f"source_{shell}"}
    found = subprocess.run([sys.executable, "-m", "vtk"], capture_output=True, text=True, env=env, check=True)
    assert f"_VTK_COMPLETE=complete_{shell}" in found.stdout


def test_doctor_reports_and_names_what_is_wrong(tmp_path: Path) -> None:
    found = run_vtk("doctor", "--json", VTK_HOME=str(tmp_path), VTK_MIRROR=str(tmp_path / "gone"))
    assert found.returncode == 1
    import json

    report = json.loads(found.stdout)
    assert report["packages"]["vidtk"] == __version__
    assert report["devices"][0] == "cpu"
    assert report["cache"]["path"].startswith(str(tmp_path))
    assert any("VTK_MIRROR" in line for line in report["problems"])


def test_doctor_reports_the_other_vtk(monkeypatch: pytest.MonkeyPatch) -> None:
    from vtk import diagnosis

    versions = {"vtk": "9.4.0", "opencv-python": "5.0.0.93", "opencv-python-headless": "5.0.0.90"}
    monkeypatch.setattr(diagnosis, "version", versions.get)
    found = diagnosis.problems()
    assert any("Visualization Toolkit (9.4.0)" in line for line in found)
    assert any("opencv-python 5.0.0.93 and opencv-python-headless 5.0.0.90" in line for line in found)


def test_schema_prints_one_type_or_all() -> None:
    assert b'"title": "detection"' in run_vtk("schema", "detection").stdout
    assert b'"$defs"' in run_vtk("schema").stdout
    found = run_vtk("schema", "detektion")
    assert found.returncode == 2
    assert found.stderr.count(b"\n") == 1
