"""A local HTTP server that misbehaves as it is told: what downloads are tested against."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


class HostileServer(ThreadingHTTPServer):
    """Serves `content` at every path.

    faults: what to do with the next requests, one each: "truncate" (stop halfway but claim all), "stall" (send a little
    and then nothing), "die" (close at once), "busy" (503), "longer" (send more than claimed), "lie" (wrong
    Content-Range), "no-range" (ignore Range). Without faults it behaves.
    """

    daemon_threads = True

    def __init__(self, content: bytes, *faults: str) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.content = content
        self.faults = list(faults)
        self.version = '"1"'
        self.requests: list[str | None] = []
        self.released = threading.Event()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/data.bin"

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Clients hang up on purpose."""


class _Handler(BaseHTTPRequestHandler):
    server: HostileServer

    def log_message(self, *args: Any) -> None:
        """Quiet."""

    def do_GET(self) -> None:
        server = self.server
        fault = server.faults.pop(0) if server.faults else ""
        asked = self.headers.get("Range")
        server.requests.append(asked)
        if fault == "die":
            self.close_connection = True
            return
        if fault == "busy":
            self.send_error(503)
            return
        start = int(asked.removeprefix("bytes=").rstrip("-")) if asked else 0
        if asked and (fault == "no-range" or self.headers.get("If-Range", server.version) != server.version):
            start, asked = 0, None
        body = server.content[start:]
        if asked and not body:
            self.send_error(416)
            return
        self.send_response(206 if asked else 200)
        if asked:
            stated = 0 if fault == "lie" else start
            total = len(server.content)
            self.send_header("Content-Range", f"bytes {stated}-{total - 1}/{total}")
        self.send_header("ETag", server.version)
        if fault != "longer":
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if fault == "truncate":
            body = body[: len(body) // 2]
            self.close_connection = True
        if fault == "longer":
            body += b"more"
        if fault == "stall":
            self.wfile.write(body[:1000])
            self.wfile.flush()
            server.released.wait(20)
            return
        self.wfile.write(body)


@contextmanager
def serving(content: bytes, *faults: str) -> Iterator[HostileServer]:
    """Run a hostile server for the length of a block."""
    server = HostileServer(content, *faults)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.released.set()
        server.shutdown()
        server.server_close()
