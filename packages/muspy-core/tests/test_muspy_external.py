"""Bravura and MuseScore's SoundFont come to the places where MusPy has them, whole and over HTTP or FTP."""

from __future__ import annotations

import socketserver
from pathlib import Path

import muspy_core
import pytest
from ftp_server import serving_ftp
from hostile_server import serving
from muspy_core import external
from muspy_core.datasets.downloads import DownloadError, Remote, download

FONT = b"OTTO" + bytes(range(256)) * 800
SOUND = b"RIFF" + bytes(range(256)) * 4000


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    return tmp_path


@pytest.fixture(autouse=True)
def no_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    """Repeated attempts wait no time."""
    monkeypatch.setattr("muspy_core.datasets.downloads.time.sleep", lambda seconds: None)


def test_the_places_are_those_of_muspy(home: Path) -> None:
    assert muspy_core.get_bravura_font_dir() == home / ".muspy/bravura"
    assert muspy_core.get_bravura_font_path() == home / ".muspy/bravura/Bravura.otf"
    assert muspy_core.get_musescore_soundfont_dir() == home / ".muspy/musescore-general"
    assert muspy_core.get_musescore_soundfont_path() == home / ".muspy/musescore-general/MuseScore_General.sf3"
    assert not list(home.iterdir())


def test_the_font_is_downloaded_once_with_its_licence(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with serving(FONT, "truncate", "busy") as server:
        monkeypatch.setattr(external, "BRAVURA_URL", server.url.removesuffix("data.bin"))
        assert muspy_core.download_bravura_font() is None
        asked = len(server.requests)
        muspy_core.download_bravura_font()
        assert len(server.requests) == asked
        muspy_core.download_bravura_font(overwrite=True)
        assert len(server.requests) == asked + 2
    folder = muspy_core.get_bravura_font_dir()
    assert muspy_core.get_bravura_font_path().read_bytes() == FONT
    assert sorted(path.name for path in folder.iterdir()) == ["Bravura.otf", "LICENSE.txt"]


def test_the_soundfont_comes_over_ftp_and_continues(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    files = {"/pub/MuseScore_General.sf3": SOUND, "/pub/MuseScore_General_License.md": b"MIT"}
    with serving_ftp(files, 500_000, 300_000) as server:
        monkeypatch.setattr(external, "MUSESCORE_URL", f"{server.url}pub/")
        muspy_core.download_musescore_soundfont()
        assert server.offsets == [0, 500_000, 800_000, 0]
    folder = muspy_core.get_musescore_soundfont_dir()
    assert muspy_core.get_musescore_soundfont_path().read_bytes() == SOUND
    assert (folder / "MuseScore_General_License.md").read_bytes() == b"MIT"
    assert len(list(folder.iterdir())) == 2


def test_what_is_no_font_does_not_take_its_name(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with serving(b"<html>not found</html>") as server:
        monkeypatch.setattr(external, "BRAVURA_URL", server.url.removesuffix("data.bin"))
        with pytest.raises(DownloadError, match=r"begins with b'<htm' instead of b'OTTO'"):
            muspy_core.download_bravura_font()
    assert not list(muspy_core.get_bravura_font_dir().iterdir())


def test_a_file_that_changed_meanwhile_is_downloaded_from_its_beginning(tmp_path: Path) -> None:
    with serving_ftp({"/a.bin": SOUND}, 1000) as server:
        remote = Remote("a.bin", f"{server.url}a.bin")
        with pytest.raises(DownloadError, match="1,000 bytes kept"):
            download(remote, tmp_path, retries=0)
        server.files, server.changed = {"/a.bin": FONT}, "20250101000000"
        assert download(remote, tmp_path).read_bytes() == FONT
        assert server.offsets == [0, 0]


def test_a_server_without_the_file_is_asked_once(tmp_path: Path) -> None:
    with serving_ftp({}) as server, pytest.raises(DownloadError, match="550 there is no such file"):
        download(Remote("a.bin", f"{server.url}a.bin"), tmp_path)
    assert not (tmp_path / "a.bin").exists()


def test_a_server_that_is_not_there_ends_in_an_error(tmp_path: Path) -> None:
    with socketserver.TCPServer(("127.0.0.1", 0), socketserver.BaseRequestHandler) as taken:
        address = f"ftp://127.0.0.1:{taken.server_address[1]}/a.bin"
    with pytest.raises(DownloadError, match=r"a\.bin"):
        download(Remote("a.bin", address), tmp_path, retries=1, timeout=1)
