"""One thread for torch; a server of files on 127.0.0.1 that can be slow, die, lie and refuse ranges."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

BODY = random.Random(0).randbytes(600_000)


@dataclass
class Server:
    """The server's address, the file it has, and what it was asked: (path, Range header)."""

    url: str
    body: bytes = BODY
    asked: list[tuple[str, str | None]] = field(default_factory=list)


@pytest.fixture(scope="module")
def one_thread() -> Iterator[None]:
    """Two threads on a machine that others use wait for each other more than they work."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture
def server() -> Iterator[Server]:
    """Serve BODY under /plain, /slow, /dying, /stuck, /norange, /wrong, /chunked, each with any file name after it."""
    state = Server("")

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            mode = self.path.split("/")[1]
            wanted = self.headers.get("Range")
            state.asked.append((self.path, wanted))
            if mode not in ("plain", "slow", "dying", "stuck", "norange", "wrong", "chunked"):
                return self.send_error(404)
            body = b"<html>please log in</html>" if mode == "wrong" else state.body
            start = int(wanted[6:-1]) if wanted and mode not in ("norange", "chunked") else 0
            if start >= len(body):
                return self.send_error(416)
            self.send_response(206 if start else 200)
            if start:
                self.send_header("Content-Range", f"bytes {start}-{len(body) - 1}/{len(body)}")
            self.send_header("Connection", "close")
            if mode != "chunked":
                self.send_header("Content-Length", str(len(body) - start))
            else:
                self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            self._send(mode, body[start:])
            self.close_connection = True

        def _send(self, mode: str, body: bytes) -> None:
            if mode == "stuck":
                return
            if mode == "chunked":  # the first two answers break off inside a chunk
                whole = len(state.asked) > 2
                self.wfile.write(b"%x\r\n" % len(body) + (body if whole else body[:1000]))
                return self.wfile.write(b"\r\n0\r\n\r\n") if whole else None
            step = 50_000
            for index, start in enumerate(range(0, len(body), step)):
                if mode == "dying" and index == 2:
                    return
                try:
                    self.wfile.write(body[start : start + step])
                    self.wfile.flush()
                except OSError:  # the client was killed
                    return
                if mode == "slow":
                    time.sleep(0.1)

        def log_message(self, *args: object) -> None:
            """Stay quiet."""

    http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    state.url = f"http://127.0.0.1:{http.server_address[1]}"
    thread = threading.Thread(target=http.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    yield state
    http.shutdown()
    http.server_close()
