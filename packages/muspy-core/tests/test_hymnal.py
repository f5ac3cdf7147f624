"""Hymns from a site of their own: a local server that answers as hymnal.net does."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import muspy_core as m
import pytest
from catalogue_samples import contents
from muspy_core.datasets.catalogue.hymnal import HymnalDataset
from muspy_core.datasets.downloads import DownloadError

HYMN = contents("hymnal")["Classic/1.mid"]


class Site(ThreadingHTTPServer):
    """hymns: numbers by book. Other numbers are web pages; from `end` on, every answer has another length."""

    daemon_threads = True

    def __init__(self, hymns: dict[str, set[int]], end: int = 1000) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.hymns, self.end = hymns, end
        self.asked: list[tuple[str, str]] = []
        self.failures = 0


class _Handler(BaseHTTPRequestHandler):
    server: Site

    def log_message(self, *args: Any) -> None:
        """Quiet."""

    def answer(self) -> None:
        site = self.server
        site.asked.append((self.command, self.path))
        if site.failures:
            site.failures -= 1
            self.send_error(503)
            return
        book, number = self.path.split("/")[2:4]
        beyond = int(number) >= site.end
        found = beyond or int(number) in site.hymns.get(book, set())
        content = (HYMN if found else b"<html></html>") + (b"\0" * len(site.asked) if beyond else b"")
        self.send_response(200)
        self.send_header("Content-Type", "audio/midi" if found else "text/html")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(content)

    do_GET = do_HEAD = answer


@pytest.fixture
def site(monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    # Classic has a gap of nine numbers, then one that is too long.
    server = Site({"h": {1, 2, 12, 23}, "ns": {1}})
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    monkeypatch.setattr(HymnalDataset, "_site", f"http://127.0.0.1:{server.server_port}/hymn")
    monkeypatch.setattr(HymnalDataset, "_pause", 0.0)
    yield server
    server.shutdown()
    server.server_close()


def files(root: Path) -> list[str]:
    return sorted(path.relative_to(root).as_posix() for path in root.rglob("*.mid"))


def test_books_end_after_ten_numbers_without_a_hymn(site: Site, tmp_path: Path) -> None:
    dataset = m.HymnalDataset(tmp_path, download=True)
    assert files(tmp_path) == ["Classic/1.mid", "Classic/12.mid", "Classic/2.mid", "New Songs/1.mid"]
    assert len(dataset) == 4
    numbers = [
        int(path.split("/")[3]) for method, path in site.asked if path.startswith("/hymn/h/") and method == "HEAD"
    ]
    assert max(numbers) == 22
    assert all(path.endswith("/f=mid") for _, path in site.asked)


def test_books_end_where_the_site_answers_at_random(site: Site, tmp_path: Path) -> None:
    site.end = 2
    m.HymnalTuneDataset(tmp_path, download=True)
    assert files(tmp_path) == ["Classic/1.mid", "New Songs/1.mid"]
    assert all(path.endswith("/f=tune") for _, path in site.asked)


def test_what_is_there_is_not_asked_for_again(site: Site, tmp_path: Path) -> None:
    m.HymnalDataset(tmp_path, download=True)
    site.asked.clear()
    m.HymnalDataset(tmp_path, download=True)
    assert not [path for method, path in site.asked if method == "GET"]


def test_short_failures_are_waited_out_and_long_ones_said(site: Site, tmp_path: Path) -> None:
    site.failures = 2
    assert len(m.HymnalDataset(tmp_path, download=True)) == 4
    site.failures = 1000
    (tmp_path / "Classic/1.mid").unlink()
    with pytest.raises(DownloadError, match=r"503 .*go on"):
        m.HymnalDataset(tmp_path, download=True)


def test_the_folder_must_exist(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no such folder"):
        m.HymnalDataset(tmp_path / "missing", download=True)
