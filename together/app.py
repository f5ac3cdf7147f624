"""A page on this machine for those who do not type commands: open a file, choose, listen, download (`nox -s app`).

    python together/app.py

Nobody else can use it: it listens on 127.0.0.1 alone, answers only to that name (so that no other site's name can be
pointed at it), and does nothing without the secret that its own page holds (so that no other page can ask it to).
"""

from __future__ import annotations

import html
import json
import re
import secrets
import shutil
import signal
import sys
import webbrowser
from collections.abc import Sequence
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from jobs import BusyError, Job, Jobs
from muspy_core.console import Parser, run_command
from programs import missing
from tasks import BY_NAME, TASKS, Field, FormError, Task

ADDRESS = "127.0.0.1"
NAMES = (ADDRESS, "localhost")
PORT = 8765
MOST_BYTES = 100 * 1024 * 1024
SECRET_HEADER = "X-Page-Secret"
MEDIA_TYPES = {".wav": "audio/wav", ".mp3": "audio/mpeg", ".html": "text/html; charset=utf-8", ".mid": "audio/midi"}
_BLOCK = 1 << 16
_HERE = Path(__file__).parent


class Refusal(Exception):
    """A request that is not answered. status: of HTTP. The message is one line for people."""

    def __init__(self, status: HTTPStatus, message: str) -> None:
        super().__init__(message)
        self.status = status


class App(ThreadingHTTPServer):
    """The server. secret: what the page shows with each job that it asks for."""

    daemon_threads = True

    def __init__(self, port: int = PORT, most_bytes: int = MOST_BYTES) -> None:
        super().__init__((ADDRESS, port), Handler)
        self.secret = secrets.token_urlsafe(24)
        self.most_bytes = most_bytes
        self.jobs = Jobs()

    @property
    def address(self) -> str:
        """Where a browser finds it."""
        return f"http://{ADDRESS}:{self.server_port}/"

    def server_close(self) -> None:
        """Close the port, end what runs, remove all files."""
        super().server_close()
        self.jobs.close()


class Handler(BaseHTTPRequestHandler):
    """One request: GET / (the page), POST /jobs/TASK (a file and a form), GET /jobs/JOB, GET /jobs/JOB/FILE."""

    server: App
    timeout = 30  # seconds that a connection may be silent
    server_version = "muspy"
    sys_version = ""

    def do_GET(self) -> None:
        """Answer with the page, the state of a job, or one of its files."""
        self._answer(self._get)

    def do_POST(self) -> None:
        """Take a file and a form, and start a job."""
        self._answer(self._post)

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing: what is asked for is nobody's business."""

    def _answer(self, method: Any) -> None:
        try:
            self._check_host()
            method(urlsplit(self.path))
        except Refusal as refusal:
            # The body of what is refused is not read, so the connection cannot be used again.
            self.close_connection = True
            self._send_json({"error": str(refusal)}, refusal.status)

    def _check_host(self) -> None:
        allowed = {f"{name}:{self.server.server_port}" for name in NAMES}
        if self.headers.get("Host") not in allowed:
            raise Refusal(HTTPStatus.FORBIDDEN, f"this page answers at {self.server.address} only")
        origin = self.headers.get("Origin")
        if origin is not None and origin not in {f"http://{host}" for host in allowed}:
            raise Refusal(HTTPStatus.FORBIDDEN, "another page may not use this one")

    def _get(self, address: Any) -> None:
        if address.path == "/":
            nonce = secrets.token_urlsafe(16)
            policy = (
                f"default-src 'none'; script-src 'nonce-{nonce}'; style-src 'nonce-{nonce}'; connect-src 'self'; "
                "media-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
            )
            body = page(self.server.secret, nonce, self.server.most_bytes).encode()
            self._send(body, MEDIA_TYPES[".html"], {"Content-Security-Policy": policy})
            return
        found = re.fullmatch(r"/jobs/([\w-]+)(?:/([\w.-]+))?", address.path)
        job = self.server.jobs.get(found[1]) if found else None
        if found is None or job is None:
            raise Refusal(HTTPStatus.NOT_FOUND, "there is nothing here, or not any more")
        if found[2] is None:
            self._send_json(job.to_dict())
        else:
            self._send_file(job, found[2], as_download="download" in address.query)

    def _post(self, address: Any) -> None:
        given = self.headers.get(SECRET_HEADER, "")
        if not secrets.compare_digest(given.encode(), self.server.secret.encode()):
            raise Refusal(HTTPStatus.FORBIDDEN, "only the page itself may ask for work; reload it")
        task = BY_NAME.get(address.path.removeprefix("/jobs/"))
        if task is None or not address.path.startswith("/jobs/"):
            raise Refusal(HTTPStatus.NOT_FOUND, "there is no such task")
        length = self._length()
        values = dict(parse_qsl(address.query, keep_blank_values=True, max_num_fields=20))
        try:
            file = task.input_name(values.pop("file", ""), length > 0)
            checked = task.checked(values)
        except FormError as error:
            raise Refusal(HTTPStatus.UNPROCESSABLE_ENTITY, str(error)) from None
        folder = self.server.jobs.new_folder()
        try:
            if file:
                self._receive(folder / file, length)
            job = self.server.jobs.start(task, folder, file, checked)
        except BusyError as error:
            shutil.rmtree(folder, ignore_errors=True)
            raise Refusal(HTTPStatus.SERVICE_UNAVAILABLE, str(error)) from None
        except (OSError, Refusal):
            shutil.rmtree(folder, ignore_errors=True)
            raise
        self._send_json(job.to_dict(), HTTPStatus.ACCEPTED)

    def _length(self) -> int:
        text = self.headers.get("Content-Length")
        if text is None or not text.isdecimal():
            raise Refusal(HTTPStatus.LENGTH_REQUIRED, "a request must say how long it is")
        if int(text) > self.server.most_bytes:
            most = self.server.most_bytes // 1024**2
            raise Refusal(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"the file is larger than {most} MB")
        return int(text)

    def _receive(self, path: Path, length: int) -> None:
        with open(path, "wb") as target:
            while length:
                block = self.rfile.read(min(length, _BLOCK))
                if not block:
                    raise Refusal(HTTPStatus.BAD_REQUEST, "the file came incompletely")
                target.write(block)
                length -= len(block)

    # ---- answers

    def _send_file(self, job: Job, name: str, *, as_download: bool) -> None:
        # Only names that the job itself lists are looked up: a name is no path.
        if name not in job.files:
            raise Refusal(HTTPStatus.NOT_FOUND, "this job has no such file")
        headers = {"Content-Disposition": f'attachment; filename="{name}"'} if as_download else {}
        if name.endswith(".html"):
            headers["Content-Security-Policy"] = "sandbox allow-scripts"  # beside the page's own, which is stricter
        self._send((job.folder / name).read_bytes(), MEDIA_TYPES[Path(name).suffix], headers)

    def _send_json(self, value: object, status: HTTPStatus = HTTPStatus.OK) -> None:
        self._send(json.dumps(value).encode(), "application/json", {}, status)

    def _send(self, body: bytes, media_type: str, headers: dict[str, str], status: HTTPStatus = HTTPStatus.OK) -> None:
        self.send_response(status)
        for name, value in {
            "Content-Type": media_type,
            "Content-Length": str(len(body)),
            "Cache-Control": "no-store",
            "X-Content-Type-Options": "nosniff",
            "Referrer-Policy": "no-referrer",
            "Cross-Origin-Resource-Policy": "same-origin",
            **headers,
        }.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)


# ---- the page


def page(secret: str, nonce: str, most_bytes: int) -> str:
    """Return the page: a form for each task. nonce: of its style and script."""
    lacking = missing()
    forms = "\n".join(_form(task, available=task.program not in lacking) for task in TASKS)
    values = {"secret": secret, "nonce": nonce, "most": str(most_bytes), "forms": forms}
    text = (_HERE / "app.html").read_text(encoding="utf-8")
    return re.sub(r"\{\{(\w+)\}\}", lambda found: values[found[1]], text)


def _form(task: Task, *, available: bool) -> str:
    note = "" if available else f'<p class="note">Not installed here: {task.program}</p>'
    disabled = "" if available else " disabled"
    file = ""
    if task.suffixes:
        label = "File (may be left out)" if task.file_optional else "File"
        file = f'<label>{label}<input type="file" name="file" accept="{",".join(task.suffixes)}"></label>'
    fields = "".join(map(_field, task.fields))
    return (
        f'<form data-task="{task.name}"><fieldset{disabled}><legend>{html.escape(task.title)}</legend>'
        f"<p>{html.escape(task.purpose)}</p>{note}{file}{fields}<button>Start</button></fieldset>"
        '<p class="state" role="status"></p><p class="error" role="alert"></p><div class="results"></div></form>'
    )


def _field(field: Field) -> str:
    name, value = f'name="{field.name}"', html.escape(field.value)
    if field.kind == "choice":
        options = "".join(f"<option{' selected' * (item == field.value)}>{item}</option>" for item in field.choices)
        control = f"<select {name}>{options}</select>"
    elif field.kind == "number":
        control = f'<input type="number" {name} value="{value}" min="{field.low}" max="{field.high}">'
    else:
        control = f'<input type="text" {name} value="{value}" maxlength="100"{"" if field.optional else " required"}>'
    return f"<label>{html.escape(field.label)}{control}</label>"


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve until Ctrl-C."""
    parser = Parser(description="A page on this machine: open a file, choose what to do, listen, download.")
    parser.add_argument("--port", type=int, default=PORT, help=f"0: any that is free (default: {PORT})")
    parser.add_argument("--no-browser", action="store_true", help="do not open the page")
    options = parser.parse_args(arguments)

    def serve() -> None:
        if not 0 <= options.port <= 65535:
            raise ValueError(f"--port {options.port}: from 0 to 65535")
        try:
            app = App(options.port)
        except OSError as error:
            reason = error.strerror or error
            raise OSError(f"port {options.port} cannot be used ({reason}); name another by --port") from None
        signal.signal(signal.SIGTERM, _interrupt)
        with app:
            print(f"{app.address} (this machine only; Ctrl-C ends)", flush=True)
            if not options.no_browser:
                webbrowser.open(app.address)
            try:
                app.serve_forever()
            except KeyboardInterrupt:
                print("ended; all files of the page are removed")

    return run_command(serve)


def _interrupt(number: int, frame: object) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
