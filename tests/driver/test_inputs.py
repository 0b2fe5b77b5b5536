"""What the user named, turned into sources."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from vtk.driver.inputs import in_shard, output_path, sources
from vtk.driver.output import RUN_FILE
from vtk.driver.records_in import record_files
from vtk.errors import MediaError, UsageError
from vtk.media.video import open_media
from vtk.options import Common


@pytest.fixture
def tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Make videos/{b.mp4,a10.mp4,sub/c.JPG,notes.txt,.hidden.mp4} and go there."""
    for name in ("videos/b.mp4", "videos/a10.mp4", "videos/sub/c.JPG", "videos/notes.txt", "videos/.hidden.mp4"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def named(*inputs: str, **options: object) -> list[str] | None:
    return sources(Common(inputs=inputs, **options))  # type: ignore[arg-type]


def test_a_folder_gives_its_media_in_order(tree: Path) -> None:
    assert named("videos") == ["videos/a10.mp4", "videos/b.mp4", "videos/sub/c.JPG"]
    assert named("videos/") == named("videos")
    assert named("videos", root=None) == named("videos", root=tree)


def test_a_folder_without_media_is_said(tree: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (tree / "empty" / "inside").mkdir(parents=True)
    (tree / "notes").mkdir()
    (tree / "notes" / "a.txt").write_bytes(b"x")
    for words, said in ((("empty",), "vtk: empty: holds no media: no files are in it\n"),
                        (("notes",), "vtk: notes: holds no media: 1 file is called otherwise, and tried where named "
                                     "one by one\n"),
                        (("emp*",), "vtk: emp*: none of the folders that it matches holds media\n")):
        assert named(*words) == []
        assert capfd.readouterr().err == said
        assert named(*words, quiet=True) == [] and capfd.readouterr().err == ""
    assert named("empty", "videos/b.mp4") == ["videos/b.mp4"]
    assert capfd.readouterr().err.startswith("vtk: empty: ")
    # A glob's own folders say nothing while one of its matches has something, and a share may well be empty.
    assert named("*") == ["videos/a10.mp4", "videos/b.mp4", "videos/sub/c.JPG"]
    assert [named("videos/b.mp4", shard=f"{part}/2") for part in (1, 2)].count([]) == 1
    assert capfd.readouterr().err == ""


def test_a_folder_that_cannot_be_read_is_a_source_that_fails(
        tree: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    shut(monkeypatch, tree / "videos" / "sub")
    assert named("videos") == ["videos/a10.mp4", "videos/b.mp4", "videos/sub"]
    assert named(f"file:{tree}/videos/sub") == [f"{tree}/videos/sub"]
    assert named("videos/sub") == ["videos/sub"] and capfd.readouterr().err == ""
    with pytest.raises(MediaError, match="^cannot be opened: Permission denied$"):
        open_media("videos/sub")
    with pytest.raises(MediaError, match="is a folder"):
        open_media("videos")


def shut(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    """Let a folder be one that cannot be listed, whoever runs the tests: to root all can."""
    scandir = os.scandir

    def refused(path: str = ".") -> object:
        if os.path.realpath(path) == str(folder.resolve()):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), path)
        return scandir(path)

    monkeypatch.setattr(os, "scandir", refused)


def test_a_file_is_taken_whatever_its_suffix(tree: Path) -> None:
    assert named("videos/notes.txt", "gone.mp4") == ["videos/notes.txt", "gone.mp4"]


def test_globs_are_expanded_and_an_empty_one_stays(tree: Path) -> None:
    assert named("videos/*.mp4") == ["videos/a10.mp4", "videos/b.mp4"]
    assert named("**/*.JPG") == ["videos/sub/c.JPG"]
    assert named("videos/*.mkv") == ["videos/*.mkv"]


def test_a_name_with_glob_characters_is_itself_where_it_exists(tree: Path) -> None:
    (tree / "odd[1].mp4").write_bytes(b"x")
    assert named("odd[1].mp4") == ["odd[1].mp4"]


def test_each_source_comes_once(tree: Path) -> None:
    assert named("videos/b.mp4", "videos", "videos/b.mp4") == ["videos/b.mp4", "videos/a10.mp4", "videos/sub/c.JPG"]


def test_urls_and_sequences_are_left_alone(tree: Path) -> None:
    assert named("rtsp://x/[a]*", "seq:videos/sub", "webcam:0") == ["rtsp://x/[a]*", "seq:videos/sub", "webcam:0"]


def test_lists_by_line_and_by_nul(tree: Path) -> None:
    (tree / "list").write_bytes(b"videos/b.mp4\n\nvideos/sub\n")
    assert named(files_from=Path("list")) == ["videos/b.mp4", "videos/sub/c.JPG"]
    (tree / "nul").write_bytes(b"new\nline.mp4\0videos/b.mp4\0")
    assert named(files_from=Path("nul"), null=True) == ["new\nline.mp4", "videos/b.mp4"]
    with pytest.raises(UsageError, match="No such file"):
        named(files_from=Path("gone"))


def test_a_name_that_is_not_utf8_travels_as_a_uri(tree: Path) -> None:
    with open(os.fsencode(tree / "videos") + b"/\xff.mp4", "wb"):
        pass
    assert "file:videos/%FF.mp4" in (named("videos") or [])


def test_stdin_stands_alone(tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert named("-") is None
    with pytest.raises(UsageError, match="beside other inputs"):
        named("-", "videos")
    monkeypatch.setattr("sys.stdin", open(os.devnull))
    assert named() is None
    monkeypatch.setattr("sys.stdin", open("/dev/ptmx"))
    with pytest.raises(UsageError, match="no input"):
        named()


def test_closed_stdin_is_said(tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", None)  # as Python has it after <&-
    for names in ((), ("-",)):
        with pytest.raises(UsageError, match="stdin is closed"):
            named(*names)
        with pytest.raises(UsageError, match="stdin is closed"):
            list(record_files(names))
    with pytest.raises(UsageError, match="--files-from -: stdin is closed"):
        sources(Common(inputs=[], files_from=Path("-")))
    assert named("videos")


def test_an_empty_name_is_refused(tree: Path) -> None:
    with pytest.raises(UsageError, match="empty string"):
        named("")


def test_shards_part_the_sources_and_stay(tree: Path) -> None:
    names = [f"clip{number}.mp4" for number in range(200)]
    parts = [{name for name in names if in_shard(name, f"{part}/4")} for part in (1, 2, 3, 4)]
    assert set.union(*parts) == set(names)
    assert sum(map(len, parts)) == 200
    assert min(map(len, parts)) > 25
    assert "clip7.mp4" in parts[0], "a shard is stable over runs and versions"


@pytest.mark.parametrize("shard", ["0/4", "5/4", "x", "1/0", "-1/2", "1"])
def test_a_bad_shard_is_refused(shard: str) -> None:
    with pytest.raises(UsageError, match="I/N"):
        in_shard("a", shard)


def test_output_paths_keep_their_shape_and_stay_inside() -> None:
    assert output_path("videos/a.mp4") == "videos/a.mp4"
    assert output_path("/abs/a.mp4") == "abs/a.mp4"
    assert output_path("../a.mp4") == "%2E%2E/a.mp4"
    assert output_path("rtsp://h/a") == "rtsp%3A%2F%2Fh%2Fa"
    assert output_path("a%2E.mp4") == "a%252E.mp4"
    assert output_path("seq:videos/x") == "seq%3Avideos%2Fx"
    assert output_path("..") == "%2E%2E"
    assert output_path("/") == "%2F"


@pytest.mark.parametrize("name", ["x" * 250 + ".mp4", "\u00e9" * 120 + ".mp4", "https://store/a.mp4?Signature=" + "%2Fab" * 200,
                                  "file:///" + "long/" * 60 + "%E9.mp4"])
def test_files_of_long_names_can_be_written_and_told_apart(tmp_path: Path, name: str) -> None:
    """A file's name may have 255 bytes, a signed URL any number."""
    path = output_path(name)
    part = tmp_path / f"{path}.jsonl.0123abcd-100.part"
    part.write_bytes(b"")
    assert output_path(name[:-4] + "2" + name[-4:]) != path
    assert output_path(f"videos/{name}").startswith("videos/") and "%" not in path[-17:]
    assert output_path("x" * 200) == "x" * 200


def test_a_source_called_run_leaves_the_file_of_the_whole_run_alone() -> None:
    assert f"{output_path('_run')}.jsonl" != RUN_FILE
    assert output_path("videos/_run") == "videos/_run"
