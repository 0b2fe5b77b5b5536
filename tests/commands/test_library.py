"""``vtk library``: references that are added once, listed, replaced when their file changed, and removed."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from coded import code_clip
from conftest import Vtk
from filmed import picture

from vtk.cli import load
from vtk.copies.background import Whitened
from vtk.copies.descriptors import DctDescriptor
from vtk.copies.reference_library import ReferenceLibrary
from vtk.errors import EXIT_USAGE, UsageError
from vtk.library import Library, LibraryError, NoLibraryError, Space, SpaceError
from vtk.media.writer import VideoWriter

Run = Callable[..., list[str]]


@pytest.fixture
def library(capfd: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Return a function that runs ``vtk library`` in this process, beside two clips, and gives its lines."""
    (tmp_path / "videos").mkdir()
    for clip in range(2):
        code_clip(tmp_path / "videos" / f"{clip}.mp4", clip, 60, 10.0)
    monkeypatch.chdir(tmp_path)

    def run(*words: object) -> list[str]:
        capfd.readouterr()
        status = load("library").main([*map(str, words)], prog_name="vtk library", standalone_mode=False)
        found = capfd.readouterr()
        return [*found.out.splitlines(), *found.err.splitlines(), *([f"exit {status}"] if status else [])]

    return run


def added(library: Run, *words: object) -> list[str]:
    return library("add", *words, "--library", "films.lance", "--descriptor", "dct")


def test_references_are_added_once_and_replaced_when_they_changed(library: Run) -> None:
    assert added(library, "videos") == ["added     videos/0.mp4", "added     videos/1.mp4"]
    Path("videos/1.mp4").unlink()
    code_clip(Path("videos/1.mp4"), 7, 50, 10.0)
    assert added(library, "videos") == ["unchanged videos/0.mp4", "replaced  videos/1.mp4"]
    assert added(library, "videos/0.mp4", "--frames", "uniform:5") == ["replaced  videos/0.mp4"]
    # Without --descriptor it is the library's own.
    assert library("add", "videos/1.mp4", "--library", "films.lance") == ["unchanged videos/1.mp4"]
    rows = [json.loads(line) for line in library("list", "films.lance", "--json")]
    assert [(row["reference"], row["frames"], row["duration"], row["plan"]) for row in rows] == [
        ("videos/0.mp4", 30, 6.0, "uniform:5"), ("videos/1.mp4", 16, 5.0, "uniform:1")]
    assert rows[0]["fps"] == 10 and (rows[0]["width"], rows[0]["height"]) == (96, 64)
    head, *lines = library("list", "films.lance")
    assert head.split()[:3] == ["REFERENCE", "FRAMES", "DURATION"]
    assert [line.split()[:2] for line in lines] == [["videos/0.mp4", "30"], ["videos/1.mp4", "16"]]


def test_references_are_removed_and_counted(library: Run) -> None:
    added(library, "videos")
    before = json.loads(library("stats", "films.lance", "--json")[0])
    assert (before["references"], before["frames"], before["seconds"]) == (2, 32, 12.0)
    assert before["space"].startswith("dct@") and before["bytes"] > 32 * 255 * 2
    assert library("remove", "films.lance", "videos/0.mp4") == ["1 reference removed, 16 frames"]
    assert library("compact", "films.lance")[0].startswith("1 reference, ")
    told = dict(line.split(maxsplit=1) for line in library("stats", "films.lance"))
    assert (told["references"], told["frames"], told["removed"], told["index"]) == ("1", "16", "0", "-")
    with pytest.raises(UsageError, match=r"no reference 'videos/0.mp4': did you mean 'videos/1.mp4'"):
        library("remove", "films.lance", "videos/0.mp4")
    with pytest.raises(UsageError, match=r"no reference '1.mp4': did you mean 'videos/1.mp4'"):
        library("remove", "films.lance", "1.mp4")
    with pytest.raises(UsageError, match=r"no reference 'xyz': there is 1 other; vtk library list has their names"):
        library("remove", "films.lance", "xyz")


def test_what_cannot_be_read_stops_nothing_else(library: Run) -> None:
    Path("videos/broken.mp4").write_bytes(b"no video" * 1000)
    out = added(library, "videos")
    assert out[:2] == ["added     videos/0.mp4", "added     videos/1.mp4"] and out[-1] == "exit 1"
    assert len(out) == 4 and "videos/broken.mp4" in out[2]
    assert added(library, "videos/broken.mp4", "--quiet") == ["exit 3"]


def test_wrong_requests_are_refused(library: Run) -> None:
    with pytest.raises(LibraryError, match="no library at 'films.lance'"):
        library("list", "films.lance")
    with pytest.raises(UsageError, match="uniform:RATE"):
        added(library, "videos", "--frames", "all")
    assert not Path("films.lance").exists()
    added(library, "videos/0.mp4")
    with pytest.raises(SpaceError, match=r"holds dct@.*asked for pdq@"):
        library("add", "videos", "--library", "films.lance", "--descriptor", "pdq")


def test_an_upgrade_takes_the_place_of_the_library_when_it_is_whole(library: Run) -> None:
    added(library, "videos", "--frames", "uniform:5")
    kept = Path("videos/1.mp4").rename("elsewhere.mp4")
    out = library("upgrade", "films.lance", "--descriptor", "pdq")
    assert out[0] == "added     videos/0.mp4" and out[1].startswith("1 reference of pdq@") and out[-1] == "exit 1"
    assert "videos/1.mp4" in out[2] and out[3].endswith("films.lance stays as it was (--leave-out goes on without)")
    assert [json.loads(line)["reference"] for line in library("list", "films.lance", "--json")] == [
        "videos/0.mp4", "videos/1.mp4"]
    assert json.loads(library("stats", "films.lance", "--json")[0])["space"].startswith("dct@")
    kept.rename("videos/1.mp4")
    assert library("upgrade", "films.lance", "--descriptor", "pdq")[0] == "added     videos/1.mp4"  # the other is there
    stats = json.loads(library("stats", "films.lance", "--json")[0])
    assert stats["space"].startswith("pdq@") and (stats["references"], stats["frames"]) == (2, 60)
    assert [json.loads(line)["plan"] for line in library("list", "films.lance", "--json")] == ["uniform:5"] * 2
    assert not Path("films.lance/references").exists() and not Path("films.lance/frames").exists()
    with pytest.raises(UsageError, match="library 'films.lance' is of pdq@.* already"):
        library("upgrade", "films.lance", "--descriptor", "pdq")
    with pytest.raises(SpaceError, match="vtk library upgrade films.lance --descriptor dct describes"):
        added(library, "videos")
    assert library("upgrade", "films.lance", "--descriptor", "dct")[-1].startswith("2 references of dct@")
    assert added(library, "videos", "--frames", "uniform:5") == ["unchanged videos/0.mp4", "unchanged videos/1.mp4"]
    assert [path.name for path in Path("films.lance").iterdir() if path.name.startswith("by-")] == [
        "by-" + json.loads(library("stats", "films.lance", "--json")[0])["space"].split("@")[1]]


def test_tables_inside_a_library_are_not_named(library: Run) -> None:
    """But where the user has to delete what is left of an upgrade."""
    added(library, "videos")
    kept = Path("videos/1.mp4").rename("elsewhere.mp4")
    library("upgrade", "films.lance", "--descriptor", "pdq")
    (begun,) = Path("films.lance").glob("by-*")
    for path in begun.rglob("*.manifest"):
        path.write_bytes(path.read_bytes()[:10])
    with pytest.raises(LibraryError, match=r"^library 'films.lance' is whole, but its upgrade, .*: delete films.lance/by-"):
        library("upgrade", "films.lance", "--descriptor", "pdq")
    shutil.rmtree(begun)
    kept.rename("videos/1.mp4")
    assert library("upgrade", "films.lance", "--descriptor", "pdq")[-1].startswith("2 references of pdq@")
    (now,) = Path("films.lance").glob("by-*")
    for path in (now / "frames").rglob("*.manifest"):
        path.write_bytes(path.read_bytes()[:10])
    for words in (("list", "films.lance"), ("upgrade", "films.lance", "--descriptor", "dct")):
        with pytest.raises(LibraryError, match="^library 'films.lance' cannot be used: .*cut short") as error:
            library(*words)
        assert "by-" not in str(error.value)


def test_an_upgrade_goes_on_without_what_cannot_be_read_if_told_so(library: Run) -> None:
    added(library, "videos")
    Path("videos/0.mp4").write_bytes(b"no video")
    out = library("upgrade", "films.lance", "--descriptor", "pdq", "-o", "newer.lance")
    assert out[0] == "added     videos/1.mp4" and out[-1] == "exit 1" and "the new library goes without" in out[-2]
    assert json.loads(library("stats", "films.lance", "--json")[0])["references"] == 2
    out = library("upgrade", "films.lance", "--descriptor", "pdq", "--leave-out")
    assert out[1].startswith("1 reference of pdq@") and out[-1].endswith(
        "1 reference cannot be read: the new library goes without"), "and no exit code: it was asked for"
    assert [json.loads(line)["reference"] for line in library("list", "films.lance", "--json")] == ["videos/1.mp4"]


def test_a_damaged_reference_is_described_anew_with_the_same_damage(library: Run) -> None:
    with VideoWriter("videos/0.mp4", 128, 72, 10.0, crf=18) as writer:
        for index in range(600):
            writer.write(picture(1, index / 10), index / 10)
    whole = bytearray(Path("videos/0.mp4").read_bytes())
    middle = whole.index(b"mdat") + len(whole) // 2
    whole[middle:middle + len(whole) // 20] = b"\x55" * (len(whole) // 20)
    Path("videos/0.mp4").write_bytes(whole)
    assert added(library, "videos")[-1] == "exit 1"
    out = library("upgrade", "films.lance", "--descriptor", "pdq")
    assert out[2].startswith("2 references of pdq@"), "it takes the library's place"
    assert "it was added without the frames that are lost" in out[3] and out[4:] == ["exit 1"]


@pytest.mark.parametrize(("words", "said"), [
    (("list", "none"), "no library at 'none'"),
    (("list", "empty"), "no library at 'empty'"),
    (("list", "videos"), "'videos' holds other files and no library of references"),
    (("list", "videos/0.mp4"), "'videos/0.mp4' is a file"),
    (("stats", "people.lance"), "'people.lance' holds other files and no library of references"),
    (("remove", "none", "a.mp4"), "no library at 'none'"),
    (("compact", "none"), "no library at 'none'"),
    (("upgrade", "none", "--descriptor", "pdq"), "no library at 'none'"),
    (("add", "videos", "--library", "videos", "--descriptor", "dct"), "'videos' holds other files"),
    (("upgrade", "films.lance", "--descriptor", "pdq", "-o", "videos"), "'videos' holds other files"),
])
def test_what_is_no_library_is_a_mistake_of_the_command_line(library: Run, words: tuple[str, ...], said: str) -> None:
    Path("empty").mkdir()
    Library.open("people.lance", Space("net", "0" * 64, 4)).close()
    if words[0] == "upgrade" and words[1] != "none":
        added(library, "videos/0.mp4")
    with pytest.raises(NoLibraryError, match=f"^{said}") as refused:
        library(*words)
    assert refused.value.exit_code == EXIT_USAGE


def test_an_index_is_built_beyond_a_few_frames(library: Run) -> None:
    added(library, "videos")
    assert library("index", "films.lance") == [
        "no index: 32 frames, fewer than 256 of which show something, are searched exactly"]
    added(library, "videos", "--frames", "uniform:10")
    code_clip(Path("videos/long.mp4"), 3, 300, 10.0)
    added(library, "videos/long.mp4", "--frames", "uniform:10")
    assert library("index", "films.lance", "--kind", "pq") == ["pq: 420 frames"]
    stats = json.loads(library("stats", "films.lance", "--json")[0])
    assert (stats["index"], stats["unindexed"]) == ("pq", 0)
    with pytest.raises(UsageError, match="--kind ivf: expected one of rq, sq, pq, hnsw"):
        library("index", "films.lance", "--kind", "ivf")


def test_what_has_no_network_is_not_normalised(library: Run) -> None:
    added(library, "videos")
    with pytest.raises(UsageError, match="descriptor dct has no network"):
        library("fit-norm", "films.lance", "videos")
    assert library("fit-norm", "films.lance", "--remove") == ["scores are not normalised"]
    with pytest.raises(LibraryError, match="no library at 'none.lance'"):
        library("fit-norm", "none.lance", "videos")
    with pytest.raises(UsageError, match="films.lance: descriptor: got pdq of"):
        library("allow", "films.lance", "--descriptor", "pdq")


class Network:
    """Stands in for a network, whose vectors would take minutes."""

    def __init__(self) -> None:
        self._dct = DctDescriptor()
        self.name, self.sha256, self.dimensions, self.space = "net", "a" * 64, 255, "net@" + "a" * 12
        self.describe, self.scores, self.calibration = self._dct.describe, self._dct.scores, self._dct.calibration


def test_a_background_normalises_networks(library: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("vtk.copies.descriptors.load_descriptor", lambda *_: Network())
    Path("background").mkdir()
    for clip in range(16):
        code_clip(Path(f"background/{clip}.mp4"), 100 + clip, 16, 16.0)
    Path("background/broken.mp4").write_bytes(b"no video" * 1000)
    library("add", "videos", "--library", "films.lance", "--descriptor", "net")
    out = library("fit-norm", "films.lance", "background", "--dimensions", "64", "--quiet")
    assert out == ["net@aaaaaaaaaaaa: 256 frames, 64 of 255 dimensions", "exit 1"]
    assert json.loads(library("stats", "films.lance", "--json")[0])["normalised"] == {"net@aaaaaaaaaaaa": 256}
    references = ReferenceLibrary.open("films.lance", Network())
    assert isinstance(references.descriptor, Whitened)
    query = references.footprint("videos/1.mp4")
    scores, rows = references.search(query.vectors, 1)
    assert rows[:, 0].tolist() == list(range(16, 32)) and scores.min() > 0.95
    assert library("fit-norm", "films.lance", "--remove") == ["scores are not normalised"]
    assert not isinstance(ReferenceLibrary.open("films.lance", Network()).descriptor, Whitened)


def test_the_default_descriptor_is_a_union(shared: Path, library: Run, vtk: Vtk) -> None:
    found = vtk("library", "add", "videos/0.mp4", "--library", "films.lance", "--threads", "1", cwd=Path.cwd())
    assert found.returncode == 0, found.stderr.decode()
    assert json.loads(library("stats", "films.lance", "--json")[0])["space"].startswith("dct+mobilenet@")
    assert sorted(path.name for path in Path("films.lance").iterdir() if path.is_dir()) == [
        "frames", "frames-2", "references"]
