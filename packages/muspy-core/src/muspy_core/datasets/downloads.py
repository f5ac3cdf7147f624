"""Remote files: downloads that resume, verify and retry (data sets, first step).

What arrived is kept in a `.part` file beside the target until it is whole and its checksum is right; only then does it
take its name. A broken connection, a kill or a restart continues where the part ends.
"""

from __future__ import annotations

import dataclasses
import hashlib
import http.client
import json
import logging
import os
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import IO, Any

from tqdm.auto import tqdm

logger = logging.getLogger(__name__)

BLOCK = 1 << 18
# A claim above it is an accident or an attack; the largest known set of scores is 2 GB.
MAX_SIZE = 64 << 30


class DownloadError(OSError):
    """A file that could not be downloaded or is not the file that was expected."""


@dataclasses.dataclass(frozen=True)
class Remote:
    """A file on a server.

    filename: name it gets, relative to the data set's folder. size: bytes. sha256, md5: hexadecimal checksums; the
    strongest known one is checked, and none at all is said in the log. archive: whether it is to be extracted.
    """

    filename: str
    url: str
    size: int | None = None
    sha256: str | None = None
    md5: str | None = None
    archive: bool = True


def download(
    remote: Remote,
    folder: str | os.PathLike[str],
    *,
    overwrite: bool = False,
    retries: int = 5,
    timeout: float = 30.0,
    progress: bool | None = None,
) -> Path:
    """Download a file into a folder and return its path; a file that is there and right is kept.

    Args:
        remote: What to download.
        folder: Where to.
        overwrite: Download even if the file is there.
        retries: How often to try again after a broken connection, waiting longer each time.
        timeout: Seconds without a byte after which a connection counts as broken.
        progress: Show a progress bar; None: on terminals only.

    Raises DownloadError if the server refuses, the tries are used up, or the content is not what was expected.
    """
    target = Path(folder) / remote.filename
    if target.exists() and not overwrite and not mismatch(target, remote):
        return target
    target.parent.mkdir(parents=True, exist_ok=True)
    part = target.with_name(target.name + ".part")
    if overwrite:
        _discard(part)
    _fetch(remote, part, retries, timeout, None if progress is None else not progress)
    wrong = mismatch(part, remote)
    if wrong:
        _discard(part)
        raise DownloadError(f"{remote.url}: {wrong}; the download was thrown away")
    os.replace(part, target)
    _state_path(part).unlink(missing_ok=True)
    if remote.sha256 is None and remote.md5 is None:
        logger.warning("%s: no checksum is known for this file, so it was not verified", remote.filename)
    return target


def mismatch(path: Path, remote: Remote) -> str | None:
    """Say in what a file differs from what is known about a remote file; None if in nothing."""
    size = path.stat().st_size
    if remote.size is not None and size != remote.size:
        return f"{size:,} bytes instead of {remote.size:,}"
    for name, expected in (("sha256", remote.sha256), ("md5", remote.md5)):
        if expected is not None:
            actual = checksum(path, name)
            return None if actual == expected.lower() else f"{name} is {actual} instead of {expected}"
    return None


def checksum(path: Path, name: str) -> str:
    """Return the hexadecimal checksum of a file. name: "sha256" or "md5"."""
    digest = hashlib.new(name, usedforsecurity=False)
    with open(path, "rb") as file:
        while block := file.read(BLOCK):
            digest.update(block)
    return digest.hexdigest()


def _fetch(remote: Remote, part: Path, retries: int, timeout: float, hide_progress: bool | None) -> None:
    """Bring the part to its full length; progress resets the count of tries."""
    failures, reached = 0, -1
    while True:
        try:
            _fetch_rest(remote, part, timeout, hide_progress)
            return
        except DownloadError:
            raise
        except (OSError, http.client.HTTPException) as error:
            size = part.stat().st_size if part.exists() else 0
            failures = failures + 1 if size <= reached else 1
            reached = max(size, reached)
            if failures > retries:
                raise DownloadError(f"{remote.url}: {error or type(error).__name__} ({size:,} bytes kept)") from None
            logger.info("%s: %s at byte %d; trying again", remote.filename, error or type(error).__name__, size)
            time.sleep(min(0.1 * 2**failures, 30.0))


def _fetch_rest(remote: Remote, part: Path, timeout: float, hide_progress: bool | None) -> None:
    have = part.stat().st_size if part.exists() else 0
    if remote.size is not None and have == remote.size:
        return
    if have and remote.size is not None and have > remote.size:
        _discard(part)
        have = 0
    with _open(remote, part, have, timeout) as response:
        start, total = _range_of(response, have)
        if start == 0:
            _remember_version(response, part)
        limit = remote.size if remote.size is not None else min(total or MAX_SIZE, MAX_SIZE)
        with (
            # Unbuffered: what has arrived survives a kill.
            open(part, "ab" if start else "wb", buffering=0) as file,
            tqdm(
                total=total, initial=start, unit="B", unit_scale=True, desc=remote.filename, disable=hide_progress
            ) as bar,
        ):
            received = _copy(response, file, bar, limit - start, remote)
        if total is not None and start + received < total:
            raise ConnectionError(f"the server stopped {total - start - received:,} bytes before the end")
        if total is None and remote.size is not None and start + received < remote.size:
            raise ConnectionError(f"the server stopped {remote.size - start - received:,} bytes before the end")


def _open(remote: Remote, part: Path, have: int, timeout: float) -> Any:
    if remote.url.startswith("ftp://"):
        from muspy_core.datasets.ftp import FTPResponse

        return FTPResponse(remote.url, have, _known_version(part), timeout)
    if not remote.url.startswith(("https://", "http://")):
        raise DownloadError(f"{remote.url}: only http, https and ftp addresses are downloaded")
    request = urllib.request.Request(remote.url, headers={"User-Agent": "muspy-core"})
    if have:
        request.add_header("Range", f"bytes={have}-")
        version = _known_version(part)
        if version:
            # The server sends the whole file if it has changed meanwhile.
            request.add_header("If-Range", version)
    try:
        return urllib.request.urlopen(request, timeout=timeout)
    except urllib.error.HTTPError as error:
        error.close()
        if error.code == http.HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE:
            _discard(part)
            raise ConnectionError("the part kept is longer than the file; starting over") from None
        if error.code < 500 and error.code not in (http.HTTPStatus.REQUEST_TIMEOUT, http.HTTPStatus.TOO_MANY_REQUESTS):
            raise DownloadError(f"{remote.url}: the server says {error.code} {error.reason}") from None
        raise ConnectionError(f"the server says {error.code} {error.reason}") from None
    except urllib.error.URLError as error:
        raise ConnectionError(str(error.reason)) from None


def _range_of(response: Any, have: int) -> tuple[int, int | None]:
    """Where the body starts, and the length of the whole file if the server states it."""
    if response.status == http.HTTPStatus.PARTIAL_CONTENT:
        unit, _, rest = response.headers.get("Content-Range", "").partition(" ")
        span, _, total = rest.partition("/")
        if unit == "bytes" and span.split("-")[0] == str(have):
            return have, int(total) if total.isdigit() else None
        raise ConnectionError(f"asked for bytes from {have}, the server offered {rest or 'nothing'!r}")
    length = response.headers.get("Content-Length", "")
    return 0, int(length) if length.isdigit() else None


def _copy(response: Any, file: IO[bytes], bar: Any, limit: int, remote: Remote) -> int:
    received = 0
    while block := response.read1(BLOCK) if hasattr(response, "read1") else response.read(BLOCK):
        received += len(block)
        if received > limit:
            raise DownloadError(f"{remote.url}: the server sends more than the {limit:,} bytes expected")
        file.write(block)
        bar.update(len(block))
    return received


def _state_path(part: Path) -> Path:
    return part.with_name(part.name + ".json")


def _remember_version(response: Any, part: Path) -> None:
    version = response.headers.get("ETag") or response.headers.get("Last-Modified")
    # A weak ETag may not be used to continue a download (RFC 9110, 13.1.5).
    if version and not version.startswith("W/"):
        _state_path(part).write_text(json.dumps({"version": version}))
    else:
        _state_path(part).unlink(missing_ok=True)


def _known_version(part: Path) -> str | None:
    try:
        version = json.loads(_state_path(part).read_text())["version"]
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return version if isinstance(version, str) else None


def _discard(part: Path) -> None:
    part.unlink(missing_ok=True)
    _state_path(part).unlink(missing_ok=True)
