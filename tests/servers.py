"""Servers on the loopback that die while they are read: HTTP with ranges, and MPEG-TS over TCP."""

from __future__ import annotations

import socket
import struct
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import BinaryIO

import av


class FileServer(ThreadingHTTPServer):
    """Serves one file; ``breaks`` are bytes after which answers break off, one an answer.

    ``gone`` seconds after a break every request is refused; for good where it is infinite.
    """

    daemon_threads = True

    def __init__(self, path: Path, breaks: Sequence[int] = (), gone: float = 0.0) -> None:
        self.content = path.read_bytes()
        self.breaks = list(breaks)
        self.gone = gone
        self.back_at = 0.0
        self.requests: list[str] = []
        super().__init__(("127.0.0.1", 0), Answer)

    @property
    def url(self) -> str:
        """Where the file is."""
        return f"http://127.0.0.1:{self.server_port}/clip.mp4"


class Answer(BaseHTTPRequestHandler):
    """One answer of a FileServer."""

    server: FileServer

    def do_GET(self) -> None:
        """Send the range that was asked for, or a part of it, or nothing."""
        content, wanted = self.server.content, self.headers.get("Range", "bytes=0-")
        self.server.requests.append(wanted)
        if time.monotonic() < self.server.back_at:
            self.close_connection = True
            self.connection.close()
            return
        first, _, last = wanted.removeprefix("bytes=").partition("-")
        start, stop = int(first), int(last) + 1 if last else len(content)
        body = content[start:stop]
        self.send_response(206)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Content-Range", f"bytes {start}-{start + len(body) - 1}/{len(content)}")
        self.send_header("Accept-Ranges", "bytes")
        self.end_headers()
        if self.server.breaks and len(body) > self.server.breaks[0]:
            body = body[: self.server.breaks.pop(0)]
            self.server.back_at = time.monotonic() + self.server.gone
        self.wfile.write(body)
        self.close_connection = True

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


@contextmanager
def serving(path: Path, breaks: Sequence[int] = (), gone: float = 0.0) -> Iterator[FileServer]:
    """Give a FileServer that runs."""
    server = FileServer(path, breaks, gone)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class Broadcast:
    """Sends MPEG-TS over TCP: one of ``parts`` a connection, paced; then it is silent or closes."""

    def __init__(self, parts: Sequence[bytes], pause: float = 0.0, linger: float = 0.0) -> None:
        self._parts = list(parts)
        self._pause = pause  # seconds in which no one can connect after a part
        self._linger = linger  # seconds in which a connection stays open and silent after its part
        self._stop = threading.Event()
        self._socket = self._listen(0)
        self.port = self._socket.getsockname()[1]
        self.connections = 0
        self._thread = threading.Thread(target=self._serve)

    @property
    def url(self) -> str:
        """What to read."""
        return f"tcp://127.0.0.1:{self.port}"

    def __enter__(self) -> Broadcast:
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._stop.set()
        self._thread.join()

    def _listen(self, port: int) -> socket.socket:
        listener = socket.socket()
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(("127.0.0.1", port))
        listener.listen()
        listener.settimeout(0.05)
        return listener

    def _serve(self) -> None:
        while not self._stop.is_set() and self._parts:
            try:
                connection, _ = self._socket.accept()
            except TimeoutError:
                continue
            self.connections += 1
            with connection:
                self._send(connection, self._parts.pop(0))
                self._stop.wait(self._linger)
            self._socket.close()
            self._stop.wait(self._pause)
            self._socket = self._listen(self.port)
        self._socket.close()

    def _send(self, connection: socket.socket, part: bytes) -> None:
        try:
            for start in range(0, len(part), 188 * 20):
                if self._stop.is_set():
                    return
                connection.sendall(part[start:start + 188 * 20])
                time.sleep(0.005)
        except OSError:
            return  # the reader left


class Camera:
    """An RTSP server that plays one clip a connection, RTP within TCP, then closes."""

    SDP = ("v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\ns=test\r\nt=0 0\r\nm=video 0 RTP/AVP 96\r\n"
           "a=rtpmap:96 H264/90000\r\na=fmtp:96 packetization-mode=1\r\na=control:track\r\n")

    def __init__(self, clips: Sequence[Sequence[bytes]]) -> None:
        self._clips = list(clips)
        self._stop = threading.Event()
        self._socket = socket.create_server(("127.0.0.1", 0))
        self._socket.settimeout(0.05)
        self.url = f"rtsp://127.0.0.1:{self._socket.getsockname()[1]}/cam"
        self._thread = threading.Thread(target=self._serve)

    def __enter__(self) -> Camera:
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._stop.set()
        self._thread.join()
        self._socket.close()

    def _serve(self) -> None:
        while not self._stop.is_set() and self._clips:
            try:
                connection, _ = self._socket.accept()
            except TimeoutError:
                continue
            with connection, connection.makefile("rb") as lines:
                try:
                    if self._answer(connection, lines):
                        self._play(connection, self._clips.pop(0))
                except OSError:
                    continue  # the reader left

    def _answer(self, connection: socket.socket, lines: BinaryIO) -> bool:
        """Answer requests up to PLAY; return whether it came."""
        while request := lines.readline().decode().split():
            heads = dict(line.decode().strip().split(": ", 1) for line in iter(lines.readline, b"\r\n"))
            more, body = "", ""
            if request[0] == "DESCRIBE":
                more, body = f"Content-Base: {self.url}/\r\nContent-Type: application/sdp\r\n", self.SDP
            elif request[0] == "SETUP":
                more = "Transport: RTP/AVP/TCP;unicast;interleaved=0-1\r\nSession: 1\r\n"
            heading = f"RTSP/1.0 200 OK\r\nCSeq: {heads['CSeq']}\r\n{more}Content-Length: {len(body)}\r\n\r\n"
            connection.sendall((heading + body).encode())
            if request[0] == "PLAY":
                return True
        return False

    def _play(self, connection: socket.socket, clip: Sequence[bytes]) -> None:
        for packet in clip:
            connection.sendall(struct.pack(">cBH", b"$", 0, len(packet)) + packet)
            if self._stop.wait(0.002):
                return


def rtp_packets(path: Path) -> list[bytes]:
    """Return a clip as RTP packets, made by FFmpeg."""
    receiver = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    receiver.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 22)
    receiver.bind(("127.0.0.1", 0))
    receiver.settimeout(0.2)
    port = receiver.getsockname()[1]
    with receiver, av.open(str(path)) as clip, av.open(f"rtp://127.0.0.1:{port}?rtcpport={port + 1}", "w",
                                                       format="rtp") as out:
        stream = out.add_stream_from_template(clip.streams.video[0])
        for packet in clip.demux(video=0):
            if packet.size:
                packet.stream = stream
                out.mux(packet)
        packets = []
        try:
            while True:
                packets.append(receiver.recv(65536))
        except TimeoutError:
            return [packet for packet in packets if packet[1] & 0x7F == 96]
