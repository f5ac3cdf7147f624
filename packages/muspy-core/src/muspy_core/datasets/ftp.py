"""Files on FTP servers, for `downloads.py`: a response that reads as one over HTTP, and continues where told to."""

from __future__ import annotations

import ftplib
import http
import io
import urllib.parse
from email.message import Message
from pathlib import PurePosixPath

from muspy_core.datasets.downloads import DownloadError


class FTPResponse(io.RawIOBase):
    """The bytes of a file from an offset on, with the status and headers that HTTP would send.

    Args:
        url: Its address; the login is anonymous.
        start: Offset of the first byte.
        version: What was known as "Last-Modified" when the bytes before `start` arrived. If the file has another by
            now, it is sent from its beginning.
        timeout: Seconds without a byte after which the connection counts as broken.

    Raises DownloadError if the server has no such file, other OSErrors where another attempt may help.
    """

    def __init__(self, url: str, start: int, version: str | None, timeout: float) -> None:
        super().__init__()
        parts = urllib.parse.urlsplit(url)
        path = PurePosixPath(urllib.parse.unquote(parts.path))
        self._client = ftplib.FTP(timeout=timeout)
        try:
            self._client.connect(parts.hostname or "", parts.port or ftplib.FTP_PORT)
            self._client.login()
            self._client.cwd(str(path.parent))
            self._client.voidcmd("TYPE I")
            total = self._client.size(path.name)
            changed = _change_time(self._client, path.name)
            start = 0 if version is not None and version != changed else start
            self._socket, _ = self._client.ntransfercmd(f"RETR {path.name}", start or None)
        except ftplib.error_perm as error:
            self._client.close()
            raise DownloadError(f"{url}: the server says {error}") from None
        except ftplib.Error as error:
            self._client.close()
            raise ConnectionError(f"the server says {error}") from None
        except BaseException:
            self._client.close()
            raise
        self._file = self._socket.makefile("rb")
        self.status = http.HTTPStatus.PARTIAL_CONTENT if start else http.HTTPStatus.OK
        self.headers = Message()
        if changed is not None:
            self.headers["Last-Modified"] = changed
        if start:
            self.headers["Content-Range"] = f"bytes {start}-/{'*' if total is None else total}"
        elif total is not None:
            self.headers["Content-Length"] = str(total)

    def read1(self, size: int) -> bytes:
        """Return some bytes, none at the end."""
        return self._file.read1(size)

    def close(self) -> None:
        """Hang up."""
        if not self.closed:
            self._file.close()
            self._socket.close()
            self._client.close()
        super().close()


def _change_time(client: ftplib.FTP, name: str) -> str | None:
    """When a file was changed, None if the server does not tell (RFC 3659, section 3)."""
    try:
        return client.sendcmd(f"MDTM {name}").partition(" ")[2].strip()
    except ftplib.error_perm:
        return None
