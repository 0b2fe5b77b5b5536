"""The README knows every command, model and kernel, and its examples and those of the help pages run."""

from __future__ import annotations

import ast
import importlib
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from clips import make_clip, square_at
from people_crops import labelled, market
from crowd import fill, write_embeddings
from face_records import drawn, lines, write_set
from occurrence_tables import FOX, LYNX, at
from occurrence_tables import write as write_occurrences

from conftest import ROOT, SHARED, run_vtk
from vtk.cli import COMMANDS, load, module_of
from vtk.driver.run import collect
from vtk.driver.stage import Stage
from vtk.models.zoo import MODELS
from vtk.piping import split

README = (ROOT / "README.md").read_text()
NAMES = [name for name, _, _ in COMMANDS]
# What a command cannot do without, to build its stage.
NEEDED = {"clip": ["-o", "out.mp4"], "redact": ["-o", "out.mp4"],
          "classify-species": ["--group", "folder"], "crop": ["-o", "out"], "detect-copy": ["--all-pairs"],
          "draw": ["-o", "out.mp4"], "frames": ["-o", "out"], "sheet": ["-o", "out.png"], "report": ["-o", "out.html"], "export": ["mot", "-o", "out.txt"]}  # fmt: skip
# Filters and sinks that build none: they look at lines or at files of other tools, source by source.
STAGELESS = ("sort", "import")
# The examples mean the default detector; here they run on the one that needs no weights and knows no classes.
WRAPPER = """#!/bin/bash
words=()
for word in "$@"; do
    [ "$word" = --classes ] && skip=1 && continue
    [ -n "${{skip:-}}" ] && skip= && continue
    word=${{word/track --classes person/track --detector motion}}
    words+=("$word")
done
case "$1" in
    detect) words+=(--model motion) ;;
    track) words+=(--detector motion) ;;
    reid) words+=(--model colour --threshold 0.9 --classes motion) ;;
    detect-copy) words+=(--descriptor dct) ;;
    pipe) [ "$2" = people.toml ] && words+=(--set track.detector=motion --set track.classes= --set reid.model=colour \\
        --set reid.threshold=0.9 --set reid.classes=motion) ;;
    scene) [ "$2" = fit-head ] && words+=(--features colour) ;;
esac
exec "{python}" -m vtk "${{words[@]}}"
"""
# What there is to see with it, too: its label, and a part of two videos that is not empty.
STANDS_FOR = {'"person"': '"motion"', "--shard 3/16": "--shard 1/1"}


def blocks(language: str) -> list[str]:
    """Return the README's code blocks of a language."""
    return re.findall(rf"```{language}\n(.*?)```", README, re.DOTALL)


def row_of(name: str) -> list[str]:
    """Return the cells of a command's row: kind, what it reads, what it adds, how it streams."""
    [row] = re.findall(rf"^\| `vtk {re.escape(name)}` \|(.*)\|$", README, re.MULTILINE)
    return [cell.strip() for cell in row.split("|")]


def stage_of(name: str) -> Stage | None:
    """Return the stage that a command builds; None where it builds none."""
    arguments = [*NEEDED.get(name, []), "no.mp4"]
    planned = collect(lambda: load(name).main(arguments, prog_name=name, standalone_mode=False))
    return planned[0].factory() if planned else None


def examples() -> Iterator[tuple[str, str]]:
    """Yield (command, example) of every help page, those of subcommands too."""
    for name in NAMES:
        tree = ast.parse(Path(importlib.import_module(module_of(name)).__file__ or "").read_text())
        docs = [ast.get_docstring(node) for node in tree.body if isinstance(node, ast.FunctionDef)]
        yield from ((name, example) for doc in docs for example in re.findall(r"Example: (.*)", doc or ""))


@pytest.mark.parametrize(("name", "kind"), [(name, kind) for name, kind, _ in COMMANDS])
def test_every_command_has_its_row_and_an_example(name: str, kind: str) -> None:
    assert row_of(name)[0] == kind
    assert name in {command for command, _ in examples()}
    assert set(re.findall(r"^\| `vtk ([a-z-]+)` \|", README, re.MULTILINE)) == set(NAMES)


@pytest.mark.parametrize("name", [name for name, kind, _ in COMMANDS if kind != "tool" and name not in STAGELESS])
def test_the_row_says_what_the_stage_says(name: str) -> None:
    stage = stage_of(name)
    assert stage is not None
    kind, reads, adds, _ = row_of(name)
    assert stage.sink == (kind == "sink")
    for cell, types in ((reads, stage.reads | stage.late), (adds, stage.writes)):
        assert types == set(re.findall(r"`(\w+)`", cell))
    assert ("media" in reads) == stage.opens_media


@pytest.mark.parametrize("family", sorted(path.parent.name for path in (ROOT / "kernels").glob("*/cases.py")))
def test_every_kernel_family_has_its_row(family: str) -> None:
    assert re.search(rf"^\| `{family}` \| .+ \| `python -m vtk.kernels.bench {family}` \|$", README, re.MULTILINE)


def test_every_model_has_its_licence_and_its_makers_figure() -> None:
    said: dict[str, tuple[str, list[float]]] = {}
    families = "yolo|pedestrian|motion|rfb|yunet|ppocr|cotext|retail|dcformer|colour|mobilenet|sscd|minifasnet|cdcn|transfas"
    families += "|imagenet|inat|places365|bioclip|clip`|siglip|transnet|twostream|all-minilm"
    for row in re.findall(rf"^\| (`(?:{families}).*)$", README, re.MULTILINE):
        names, licence, figures, _ = row.split("|")[:4]
        names, values = re.findall(r"`([^`]+)`", names), re.findall(r"\b\d+(?:\.\d+)?\b", figures)
        figures = [[float(value) for value in values]] if len(names) == 1 and values else [[float(v)] for v in values]
        assert len(figures) in (0, len(names))
        said |= {name: (licence.strip(), each) for name, each in zip(names, figures or [[0.0]] * len(names))}
    known = {name: (model.licence, [figure.value for figure in model.published] or [0.0])
             for name, model in MODELS.items() if name != "yolov8n-int8"}  # that one is for our tests alone
    assert said == known


def test_the_example_record_is_of_the_vocabulary() -> None:
    from vtk.records import check, parse

    [line] = blocks("json")
    check(parse(line.strip().encode()))


def test_every_example_of_a_help_page_is_a_command_line() -> None:
    """Each option that an example names exists in that command's help."""
    count = 0
    for _, example in examples():
        for words in split(example.split(" > ")[0]):
            if words[0] != "vtk" and words[0] not in NAMES:
                continue
            command = load(words[0] if words[0] in NAMES else words[1])
            for word in words[1:]:
                command = getattr(command, "commands", {}).get(word, command)
            known = {option for param in command.params for option in param.opts}
            assert {word for word in words[1:] if word.startswith("-") and word != "-"} <= known, example
            count += 1
    assert count > len(NAMES)


def write_truth(path: Path) -> None:
    """Write where the clip's square is, as ground truth of MOT15."""
    boxes = [(index, *square_at(index, 192, 128)) for index in range(4, 24)]
    path.write_text("".join(f"{index + 1},1,{x1},{y1},{x2 - x1},{y2 - y1},1,-1,-1,-1\n"
                            for index, x1, y1, x2, y2 in boxes))


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with what the examples name: street.mp4, videos/, people/, photos/, and records of the clip."""
    folder = tmp_path_factory.mktemp("examples")
    make_clip(folder / "street.mp4")
    write_truth(folder / "street.txt")
    rows = [f"{frame},-1,{place + 4 * frame},60,30,80,{50 + place}\n" for frame in range(1, 31) for place in (10, 300)]
    (folder / "det.txt").write_text("".join(rows))
    (folder / "videos").mkdir()
    for number in range(2):
        shutil.copy(folder / "street.mp4", folder / "videos" / f"{number}.mp4")
    found = run_vtk("detect", "street.mp4", "--model", "motion", cwd=folder)
    (folder / "detections.jsonl").write_bytes(found.stdout)
    (folder / "out.jsonl").write_bytes(found.stdout)
    run_vtk("export", "parquet", "detections.jsonl", "-o", "tables", cwd=folder)
    run_vtk("export", "coco", "detections.jsonl", "-o", "boxes.json", cwd=folder)
    text = {"v": 1, "type": "text", "by": "spot-text/x", "source": "street.mp4", "frame": 3, "t": 0.25, "text": "BUS",
            "score": 0.9, "xyxy": [5, 5, 60, 20], "poly": [[5, 5], [60, 5], [60, 20], [5, 20]]}
    whole = {"v": 1, "type": "text_track", "by": "spot-text/x", "source": "street.mp4", "track_id": 1, "start": 0.0,
             "end": 1.0, "text": "BUS", "score": 0.9, "observations": 1}
    (folder / "texts.jsonl").write_text(json.dumps(text) + "\n" + json.dumps(whole) + "\n")
    (folder / "street_GT.xml").write_text('<Frames><frame ID="4"><object ID="1" Transcription="BUS"><Point x="5" y="5"/>'
                                          '<Point x="60" y="5"/><Point x="60" y="20"/></object></frame></Frames>')
    copied = {"v": 1, "type": "copy", "by": "detect-copy/x", "source": "videos/0.mp4", "ref": "videos/1.mp4",
              "start": 0.0, "end": 2.0, "ref_start": 0.0, "ref_end": 2.0, "score": 0.9}
    (folder / "copies.jsonl").write_text(json.dumps(copied) + "\n")
    (folder / "copies_gt.json").write_text('{"0-1": [[0, 0, 2, 2]]}')
    media = {"v": 1, "type": "media", "by": "probe", "source": "street.mp4", "kind": "video", "width": 192, "height": 128,
             "fps": 12.0}
    scenes = [{"v": 1, "type": "scene", "by": "recognize-scene/x", "source": "street.mp4", "start": 0.0, "end": 1.0,
               "label": "street", "score": 0.9}]
    (folder / "scenes.jsonl").write_text("".join(json.dumps(record) + "\n" for record in (media, *scenes)))
    species = {"v": 1, "type": "species", "by": "classify-species/x", "source": "street.mp4", "topk": [], "start": 0.0,
               "end": 1.0, "label": "Parus major", "score": 0.9, "latitude": 52.5, "longitude": 13.4, "date": "2026-05-01"}
    (folder / "species.jsonl").write_text(json.dumps(species) + "\n")
    (folder / "places.csv").write_text("file,label\nstreet.mp4,street|crosswalk\n")
    (folder / "animals.csv").write_text("file,label,group\nstreet.mp4,Parus major,bird\n")
    known = write_set(folder / "faces", drawn(0, 30, 2), {"print": drawn(1, 30, -2)})
    (folder / "faces.jsonl").write_bytes(lines(known))
    fill(folder / "people.lance")
    run_vtk("library", "add", "videos", "--library", "films.lance", "--descriptor", "dct", cwd=folder)
    write_occurrences(folder / "occurrences.csv", [FOX | at(52.5, 13.4, "DE"), LYNX | at(61.5, 13.4, "SE")] * 20)
    run_vtk("species", "prior", "build", "occurrences.csv", "-o", "lives.npz", cwd=folder)
    write_embeddings(folder / "embeddings.jsonl")
    market(folder / "people")
    labelled(folder / "pictures")
    shutil.copytree(folder / "pictures", folder / "photos")
    few_birds(folder / "birds")
    (folder / "bin").mkdir()
    (folder / "bin" / "vtk").write_text(WRAPPER.format(python=sys.executable))
    if shutil.which("jq") is None:  # not a dependency; what it would pick is not what is tested
        (folder / "bin" / "jq").write_text("#!/bin/sh\nexec cat\n")
    for script in (folder / "bin").iterdir():
        script.chmod(0o755)
    return folder


def few_birds(folder: Path) -> None:
    """Write six pictures of birds and their species, where there are real ones."""
    birds = {"n01530575_brambling": "Fringilla montifringilla", "n01531178_goldfinch": "Carduelis carduelis",
             "n01532829_house_finch": "Haemorhous mexicanus", "n01537544_indigo_bunting": "Passerina cyanea",
             "n01558993_robin": "Turdus migratorius", "n01614925_bald_eagle": "Haliaeetus leucocephalus"}
    if (pictures := SHARED / "data" / "classify-species" / "imagenet_one_per_class").is_dir():
        folder.mkdir()
        for name in birds:
            shutil.copy(pictures / f"{name}.JPEG", folder)
        rows = [f"{name}.JPEG,{label}\n" for name, label in birds.items()]
        (folder / "labels.csv").write_text("file,label\n" + "".join(rows))


def run_example(place: Path, script: str) -> bytes:
    """Run a shell example in ``place`` and return its stdout; what it writes is removed."""
    for said, here in STANDS_FOR.items():
        script = script.replace(said, here)
    before = set(place.iterdir())
    found = subprocess.run(["bash", "-euo", "pipefail", "-c", script], cwd=place, capture_output=True, check=False,
                           env={**os.environ, "PATH": f"{place / 'bin'}:{os.environ['PATH']}",
                                "VTK_HOME": str(place / "bin" / "home")})
    assert found.returncode == 0, found.stderr.decode()
    written = set(place.iterdir()) - before
    for path in written:
        assert path.is_dir() or path.stat().st_size > 1000, f"{path.name} is nearly empty"
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    assert written or found.stdout or script.startswith("vtk validate"), "it wrote nothing"
    return found.stdout


# Commands whose networks nobody's package ships: their examples run where the mirror is.
WITH_WEIGHTS = ("face-antispoof", "recognize-scene", "classify-species")


@pytest.mark.parametrize("example", [example for _, example in examples()])
def test_examples_of_help_pages_run(example: str, place: Path, request: pytest.FixtureRequest) -> None:
    if "models pull" in example:
        pytest.skip("fetches weights: tests/models has a server for that")
    if "models" in example and "list" not in example or any(name in example for name in WITH_WEIGHTS):
        request.getfixturevalue("shared")
    run_example(place, example)


@pytest.mark.parametrize("block", [block for block in blocks("sh") if "street.mp4" in block])
def test_the_pipes_of_the_readme_run(block: str, place: Path) -> None:
    run_example(place, block)


@pytest.mark.parametrize("line", [line for block in blocks("sh") if "videos" in block for line in block.splitlines()])
def test_the_lines_over_many_files_run(line: str, place: Path) -> None:
    run_example(place, line)


def test_the_readme_was_read() -> None:
    assert len([block for block in blocks("sh") if "street.mp4" in block]) == 4
    assert len([block for block in blocks("sh") if "videos" in block]) == 3
    for path in re.findall(r"\]\(([^)#]+)\)|`((?:examples|vtk|commands|kernels)/[\w./]*)`", README):
        assert (ROOT / "".join(path)).exists(), path
    for example in (ROOT / "examples").iterdir():
        if example.is_file() and example.name not in ("demo.sh", "records_to_csv.py"):  # parts of others
            assert f"| `examples/{example.name}` |" in README
