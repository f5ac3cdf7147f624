"""A local FTP server that has a few files, and breaks off if told to: what downloads over FTP are tested against."""

from __future__ import annotations

import socket
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager


class FTPServer(socketserver.ThreadingTCPServer):
    """Serves `files` (path → content). stops: after how many bytes each next transfer ends; without, all is sent."""

    daemon_threads = True

    def __init__(self, files: dict[str, bytes], *stops: int) -> None:
        super().__init__(("127.0.0.1", 0), _Session)
        self.files = files
        self.stops = list(stops)
        self.changed = "20240101000000"
        self.offsets: list[int] = []

    @property
    def url(self) -> str:
        return f"ftp://127.0.0.1:{self.server_address[1]}/"


class _Session(socketserver.StreamRequestHandler):
    server: FTPServer

    def handle(self) -> None:
        self.folder, self.offset = "/", 0
        self.say("220 hello")
        for line in iter(self.rfile.readline, b""):
            command, _, argument = line.decode().strip().partition(" ")
            getattr(self, f"on_{command.upper()}", self.on_other)(argument)

    def say(self, text: str) -> None:
        self.wfile.write(f"{text}\r\n".encode())

    def on_other(self, argument: str) -> None:
        self.say("502 no such command")

    def on_USER(self, argument: str) -> None:
        self.say("230 welcome")

    def on_TYPE(self, argument: str) -> None:
        self.say("200 done")

    def on_CWD(self, argument: str) -> None:
        self.folder = argument
        self.say("250 done")

    def on_SIZE(self, argument: str) -> None:
        content = self.content(argument)
        self.say("550 there is no such file" if content is None else f"213 {len(content)}")

    def on_MDTM(self, argument: str) -> None:
        self.say(f"213 {self.server.changed}")

    def on_REST(self, argument: str) -> None:
        self.offset = int(argument)
        self.say("350 go on")

    def on_EPSV(self, argument: str) -> None:
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.say(f"229 (|||{self.listener.getsockname()[1]}|)")

    def on_PASV(self, argument: str) -> None:
        self.listener = socket.create_server(("127.0.0.1", 0))
        high, low = divmod(self.listener.getsockname()[1], 256)
        self.say(f"227 (127,0,0,1,{high},{low})")

    def on_RETR(self, argument: str) -> None:
        content = self.content(argument)
        assert content is not None
        self.server.offsets.append(self.offset)
        rest = content[self.offset :]
        stop = self.server.stops.pop(0) if self.server.stops else len(rest)
        self.say("150 here it comes")
        with self.listener, self.listener.accept()[0] as data:
            data.sendall(rest[:stop])
        self.say("226 done")

    def content(self, name: str) -> bytes | None:
        return self.server.files.get(f"{self.folder.rstrip('/')}/{name}")


@contextmanager
def serving_ftp(files: dict[str, bytes], *stops: int) -> Iterator[FTPServer]:
    """Run the server for the length of a block."""
    server = FTPServer(files, *stops)
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
