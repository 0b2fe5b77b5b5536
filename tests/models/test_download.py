"""A download is whole or absent, whatever server, network and process do."""

from __future__ import annotations

import hashlib
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from vtk.errors import WeightsError
from vtk.models import download as module
from vtk.models.download import DownloadError, download

FETCH = """
import sys
from pathlib import Path
from vtk.models.download import download
print(download(sys.argv[1], Path(sys.argv[2]), (sys.argv[3],)))
"""


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "PAUSE", 0.0)
    monkeypatch.setattr(module, "TIMEOUT", 5.0)


def hashes(server) -> tuple[str, ...]:
    return (hashlib.sha256(server.body).hexdigest(),)


def part_of(target: Path) -> Path:
    return target.with_name(f".{target.name}.part")


@pytest.mark.parametrize("mode", ["plain", "norange", "dying", "chunked"])
def test_arrives_whole(server, tmp_path: Path, mode: str) -> None:
    target = tmp_path / "new" / "a.bin"
    assert download(f"{server.url}/{mode}/a.bin", target, hashes(server)) == target
    assert target.read_bytes() == server.body
    assert not part_of(target).exists()


def test_dying_server_is_asked_for_the_rest_alone(server, tmp_path: Path) -> None:
    download(f"{server.url}/dying/a.bin", tmp_path / "a.bin", hashes(server))
    assert [wanted for _, wanted in server.asked] == [None, *(f"bytes={n}-" for n in range(100_000, 600_000, 100_000))]


def test_part_is_resumed(server, tmp_path: Path) -> None:
    target = tmp_path / "a.bin"
    part_of(target).write_bytes(server.body[:250_000])
    download(f"{server.url}/plain/a.bin", target, hashes(server))
    assert target.read_bytes() == server.body
    assert server.asked == [("/plain/a.bin", "bytes=250000-")]


def test_whole_part_needs_no_bytes(server, tmp_path: Path) -> None:
    part_of(tmp_path / "a.bin").write_bytes(server.body)
    assert download(f"{server.url}/plain/a.bin", tmp_path / "a.bin", hashes(server)).read_bytes() == server.body


@pytest.mark.parametrize("length", [250_000, 700_000])
def test_part_of_another_file_is_begun_anew(server, tmp_path: Path, length: int) -> None:
    target = tmp_path / "a.bin"
    part_of(target).write_bytes(b"x" * length)
    download(f"{server.url}/plain/a.bin", target, hashes(server))
    assert target.read_bytes() == server.body


def test_wrong_content_is_not_kept(server, tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match=r"gave a file of sha256 \w{16}…, expected") as caught:
        download(f"{server.url}/wrong/a.bin", tmp_path / "a.bin", hashes(server))
    assert caught.value.code == "E_HASH"
    assert [path.name for path in tmp_path.iterdir()] == [".a.bin.lock"]


@pytest.mark.parametrize("mode, words", [("absent", "HTTP 404"), ("stuck", "broke off")])
def test_address_without_the_file(server, tmp_path: Path, mode: str, words: str) -> None:
    with pytest.raises(DownloadError, match=words):
        download(f"{server.url}/{mode}/a.bin", tmp_path / "a.bin", hashes(server))
    assert not (tmp_path / "a.bin").exists()


def test_nobody_listens(tmp_path: Path) -> None:
    with pytest.raises(DownloadError, match="refused"):
        download("http://127.0.0.1:9/a.bin", tmp_path / "a.bin", ("0" * 64,))


def test_unknown_hash_needs_https(server, tmp_path: Path) -> None:
    with pytest.raises(DownloadError, match="needs an https address"):
        download(f"{server.url}/plain/a.bin", tmp_path / "a.bin", ())
    assert server.asked == []


def test_cache_that_cannot_be_written(server, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(WeightsError, match="cannot write .*set VTK_HOME"):
        download(f"{server.url}/plain/a.bin", tmp_path / "file" / "a.bin", hashes(server))


def test_full_disk(server, tmp_path: Path) -> None:
    part_of(tmp_path / "a.bin").symlink_to("/dev/full")
    with pytest.raises(WeightsError, match="the disk is full"):
        download(f"{server.url}/plain/a.bin", tmp_path / "a.bin", hashes(server))


def start(server, mode: str, target: Path) -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-c", FETCH, f"{server.url}/{mode}/a.bin", str(target), hashes(server)[0]],
                            stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def test_killed_download_leaves_a_part_to_resume(server, tmp_path: Path) -> None:
    target = tmp_path / "a.bin"
    process = start(server, "slow", target)
    deadline = time.monotonic() + 20
    while not (part_of(target).exists() and part_of(target).stat().st_size >= 100_000):
        assert time.monotonic() < deadline, "the download never began"
        time.sleep(0.01)
    os.kill(process.pid, signal.SIGKILL)
    process.communicate()
    assert not target.exists()
    had = part_of(target).stat().st_size
    assert 0 < had < len(server.body)
    download(f"{server.url}/plain/a.bin", target, hashes(server))
    assert target.read_bytes() == server.body
    assert server.asked[-1] == ("/plain/a.bin", f"bytes={had}-")


def test_two_processes_fetch_once(server, tmp_path: Path) -> None:
    target = tmp_path / "a.bin"
    both = [start(server, "slow", target) for _ in range(2)]
    outputs = [process.communicate(timeout=60) for process in both]
    assert [process.returncode for process in both] == [0, 0], outputs
    assert target.read_bytes() == server.body
    assert len(server.asked) == 1
    assert all(error == b"" for _, error in outputs), "a progress bar where stderr is no terminal"
