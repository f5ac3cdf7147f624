"""Downloads resume, verify and retry; archives stay inside their folder."""

from __future__ import annotations

import gzip
import hashlib
import io
import os
import signal
import subprocess
import sys
import tarfile
import time
import zipfile
from pathlib import Path

import numpy as np
import pytest
from hostile_server import serving
from muspy_core.datasets.archives import ArchiveError, extract
from muspy_core.datasets.downloads import DownloadError, Remote, download

CONTENT = np.random.default_rng(0).bytes(200_000)
SHA256 = hashlib.sha256(CONTENT).hexdigest()


def remote(url: str, **known: object) -> Remote:
    return Remote("data.bin", url, **{"size": len(CONTENT), "sha256": SHA256, **known})  # type: ignore[arg-type] # keyword table


@pytest.fixture(autouse=True)
def no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("muspy_core.datasets.downloads.time.sleep", lambda seconds: None)


def test_a_file_arrives_and_is_not_fetched_twice(tmp_path: Path) -> None:
    with serving(CONTENT) as server:
        assert download(remote(server.url), tmp_path).read_bytes() == CONTENT
        download(remote(server.url), tmp_path)
        assert server.requests == [None]
    assert [path.name for path in tmp_path.iterdir()] == ["data.bin"]


@pytest.mark.parametrize("faults", [("truncate",), ("die",), ("busy",), ("truncate", "lie", "truncate", "die", "busy")])
def test_broken_connections_are_continued(tmp_path: Path, faults: tuple[str, ...]) -> None:
    with serving(CONTENT, *faults) as server:
        assert download(remote(server.url), tmp_path).read_bytes() == CONTENT
        if faults == ("truncate",):
            assert server.requests == [None, "bytes=100000-"]


def test_a_stalling_server_is_left_after_the_timeout(tmp_path: Path) -> None:
    with serving(CONTENT, "stall") as server:
        assert download(remote(server.url), tmp_path, timeout=0.3).read_bytes() == CONTENT
        assert server.requests[1] == "bytes=1000-"


def test_a_server_without_ranges_starts_over(tmp_path: Path) -> None:
    with serving(CONTENT, "truncate", "no-range") as server:
        assert download(remote(server.url), tmp_path).read_bytes() == CONTENT


def test_a_file_that_changed_between_two_tries_starts_over(tmp_path: Path) -> None:
    with serving(b"x" * 200_000, "truncate", "busy") as server:
        with pytest.raises(DownloadError):
            download(remote(server.url, sha256=None), tmp_path, retries=0)
        server.content, server.version, server.faults = CONTENT, '"2"', []
        assert download(remote(server.url), tmp_path).read_bytes() == CONTENT


@pytest.mark.parametrize(
    ("known", "reason"),
    [({"sha256": "0" * 64}, "sha256"), ({"sha256": None, "md5": "0" * 32}, "md5"), ({"size": 7}, "7")],
)
def test_another_file_than_expected_is_thrown_away(tmp_path: Path, known: dict[str, object], reason: str) -> None:
    with serving(CONTENT) as server, pytest.raises(DownloadError, match=reason):
        download(remote(server.url, **known), tmp_path)
    assert not (tmp_path / "data.bin").exists()


def test_more_than_the_expected_size_is_not_written(tmp_path: Path) -> None:
    with serving(CONTENT, "longer") as server, pytest.raises(DownloadError, match="more than"):
        download(remote(server.url), tmp_path)
    assert (tmp_path / "data.bin.part").stat().st_size <= len(CONTENT)


def test_giving_up_keeps_the_part_for_the_next_time(tmp_path: Path) -> None:
    with serving(CONTENT, "truncate", *["die"] * 4) as server:
        with pytest.raises(DownloadError, match="100,000 bytes kept"):
            download(remote(server.url), tmp_path, retries=3)
        server.faults.clear()
        assert download(remote(server.url), tmp_path).read_bytes() == CONTENT
        assert server.requests[-1] == "bytes=100000-"


def test_missing_files_and_strange_addresses_are_said_at_once(tmp_path: Path) -> None:
    with pytest.raises(DownloadError, match="only http"):
        download(Remote("x", "file:///etc/passwd"), tmp_path)


def test_a_killed_download_is_continued(tmp_path: Path) -> None:
    program = (
        "import sys; from muspy_core.datasets.downloads import *; "
        "download(Remote('data.bin', sys.argv[1]), sys.argv[2], timeout=20)"
    )
    with serving(CONTENT, "stall") as server:
        process = subprocess.Popen([sys.executable, "-c", program, server.url, str(tmp_path)])
        part = tmp_path / "data.bin.part"
        deadline = time.monotonic() + 20
        while not (part.exists() and part.stat().st_size) and time.monotonic() < deadline:
            time.monotonic()
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
        assert download(remote(server.url), tmp_path).read_bytes() == CONTENT
        assert server.requests[-1] == "bytes=1000-"


def archive_of(path: Path, names: dict[str, bytes]) -> Path:
    if path.suffix == ".zip":
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as bundle:
            for name, content in names.items():
                bundle.writestr(name, content)
    else:
        with tarfile.open(path, "w:gz") as tar:
            for name, content in names.items():
                info = tarfile.TarInfo(name)
                info.size = len(content)
                tar.addfile(info, io.BytesIO(content))
    return path


@pytest.mark.parametrize("name", ["a.zip", "a.tar.gz", "a.tgz"])
def test_archives_are_extracted_and_continued(tmp_path: Path, name: str) -> None:
    archive = archive_of(tmp_path / name, {"x/1.txt": b"one", "x/2.txt": b"two"})
    out = tmp_path / "out"
    assert {path.read_bytes() for path in extract(archive, out)} == {b"one", b"two"}
    kept = (out / "x/1.txt").stat().st_mtime_ns
    (out / "x/2.txt").unlink()
    extract(archive, out)
    assert (out / "x/2.txt").read_bytes() == b"two"
    assert (out / "x/1.txt").stat().st_mtime_ns == kept
    (out / "x/2.txt").write_text("222")
    extract(archive, out, overwrite=True)
    assert (out / "x/2.txt").read_bytes() == b"two"


def test_long_names_in_other_scripts_are_extracted(tmp_path: Path) -> None:
    name = "音" * 80 + ".mid"
    assert extract(archive_of(tmp_path / "a.zip", {name: b"x"}), tmp_path / "out")[0].name == name


def test_encrypted_members_are_named(tmp_path: Path) -> None:
    archive = archive_of(tmp_path / "a.zip", {"1.txt": b"one"})
    content = bytearray(archive.read_bytes())
    # The flag of encryption, in the central directory and in the member's own header.
    content[content.index(b"PK\x01\x02") + 8] |= 1
    content[content.index(b"PK\x03\x04") + 6] |= 1
    archive.write_bytes(content)
    with pytest.raises(ArchiveError, match="encrypted"):
        extract(archive, tmp_path / "out")


@pytest.mark.parametrize("name", ["a.zip", "a.tar.gz"])
@pytest.mark.parametrize(
    "member", ["../evil.txt", "/evil.txt", "x/../../evil.txt", "..\\evil.txt", "C:/evil.txt", "x/C:evil.txt", "."]
)
def test_members_outside_of_the_folder_are_refused(tmp_path: Path, name: str, member: str) -> None:
    archive = archive_of(tmp_path / name, {member: b"evil"})
    with pytest.raises(ArchiveError, match="outside"):
        extract(archive, tmp_path / "out" / "deep")
    assert not list(tmp_path.rglob("evil.txt"))


def test_members_do_not_leave_through_a_link(tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    (tmp_path / "elsewhere").mkdir()
    (out / "link").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(ArchiveError, match="link"):
        extract(archive_of(tmp_path / "a.zip", {"link/evil.txt": b"x"}), out)


def test_links_in_archives_are_left_out(tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "a.tar", "w") as tar:
        info = tarfile.TarInfo("link")
        info.type, info.linkname = tarfile.SYMTYPE, "/etc/passwd"
        tar.addfile(info)
    assert extract(tmp_path / "a.tar", tmp_path / "out") == []


@pytest.mark.parametrize("name", ["bomb.zip", "bomb.gz"])
def test_bombs_are_defused(tmp_path: Path, name: str) -> None:
    content = bytes(30_000_000)
    if name.endswith(".zip"):
        archive = archive_of(tmp_path / name, {"bomb": content})
    else:
        archive = tmp_path / name
        archive.write_bytes(gzip.compress(content))
    with pytest.raises(ArchiveError, match="unpacks to more than"):
        extract(archive, tmp_path / "out", max_size=10_000_000)
    assert not [path for path in (tmp_path / "out").rglob("*") if path.is_file()]


@pytest.mark.parametrize("name", ["a.zip", "a.tar.gz", "a.gz", "a.xz"])
@pytest.mark.parametrize("content", [b"", b"junk" * 100])
def test_damaged_archives_are_named(tmp_path: Path, name: str, content: bytes) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(ArchiveError, match=name):
        extract(tmp_path / name, tmp_path / "out")
