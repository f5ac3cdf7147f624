"""Hymns of hymnal.net, fetched one by one, as the site offers no archive."""

from __future__ import annotations

import http
import http.client
import os
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import ClassVar, TypeVar

from tqdm.auto import tqdm

from muspy_core.datasets.base import DatasetInfo
from muspy_core.datasets.downloads import DownloadError
from muspy_core.datasets.folder import SUCCESS, FolderDataset, Kind
from muspy_core.io.files import write_atomically

HymnalT = TypeVar("HymnalT", bound="HymnalDataset")

FOLDERS = {"h": "Classic", "nt": "New Tunes", "ns": "New Songs", "c": "Children"}
# Numbers without a hymn in a row after which a book is at its end.
TOLERANCE = 10
TRIES = 3
TIMEOUT = 30.0
# No hymn has more bytes; the site has answered with web pages.
MAX_SIZE = 1 << 22


class HymnalDataset(FolderDataset):
    """The hymns of hymnal.net with their harmonies.

    Args:
        root: The folder, which must exist.
        download: Download what is not there yet; a download that was interrupted goes on.

    The other arguments are those of `FolderDataset`.
    """

    _extension = "mid"
    _type: ClassVar[str] = "mid"
    _site: ClassVar[str] = "https://www.hymnal.net/en/hymn"
    # Seconds between two requests: the site is small.
    _pause: ClassVar[float] = 0.5
    _info = DatasetInfo(
        name="Hymnal",
        description="Hymns with four-part harmonies",
        homepage="https://www.hymnal.net/",
        citation="""@misc{hymnal,
  title={Hymnal.net},
  howpublished={\\url{https://www.hymnal.net/}}
}""",
        genre="hymn",
        format="MIDI",
        songs=1723,
        hours=17.50,
        note="fetched one by one, so there is no checksum",
    )

    def __init__(
        self,
        root: str | os.PathLike[str],
        download: bool = False,
        convert: bool = False,
        kind: Kind = "json",
        n_jobs: int = 1,
        ignore_exceptions: bool = True,
        use_converted: bool | None = None,
    ) -> None:
        self.root = Path(root).expanduser().resolve()
        if not self.root.is_dir():
            raise ValueError(f"{self.root}: there is no such folder")
        if download:
            self.download()
        super().__init__(root, convert, kind, n_jobs, ignore_exceptions, use_converted)

    def download(self: HymnalT) -> HymnalT:
        """Download all four books; return the data set.

        Raises DownloadError if the site cannot be reached; what came so far stays, and the next call goes on there.
        """
        for book, folder in FOLDERS.items():
            (self.root / folder).mkdir(exist_ok=True)
            self._download_book(book, self.root / folder)
        (self.root / SUCCESS).touch()
        return self

    def _download_book(self, book: str, folder: Path) -> None:
        misses, number = 0, 1
        with tqdm(desc=folder.name, unit="hymn", disable=None) as bar:
            while misses < TOLERANCE:
                path = folder / f"{number}.mid"
                if path.exists():
                    misses = 0
                else:
                    found = self._download_hymn(f"{self._site}/{book}/{number}/f={self._type}", path)
                    if found is None:
                        return
                    misses = 0 if found else misses + 1
                    bar.update(int(found))
                number += 1

    def _download_hymn(self, url: str, path: Path) -> bool | None:
        """Save a hymn; return whether there is one under this number, None beyond the end of the book."""
        first = self._request(url, "HEAD")
        if first is None or first[0] != "audio/midi":
            return False
        # Beyond the end the site sends some hymn or other: two answers differ in length.
        second = self._request(url, "HEAD")
        if second is None or second[1] != first[1]:
            return None
        answer = self._request(url, "GET")
        if answer is None or not answer[2].startswith(b"MThd"):
            return False
        with write_atomically(path) as temporary:
            temporary.write_bytes(answer[2])
        return True

    def _request(self, url: str, method: str) -> tuple[str, str | None, bytes] | None:
        """Return (content type, stated length, content) of an answer, None if the site has nothing there."""
        request = urllib.request.Request(url, method=method, headers={"User-Agent": "muspy-core"})
        reason = ""
        for attempt in range(TRIES):
            time.sleep(self._pause * 2**attempt)
            try:
                with urllib.request.urlopen(request, timeout=TIMEOUT) as response:
                    content = response.read(MAX_SIZE)
                    return response.headers.get_content_type(), response.headers.get("Content-Length"), content
            except urllib.error.HTTPError as error:
                error.close()
                if (
                    error.code < http.HTTPStatus.INTERNAL_SERVER_ERROR
                    and error.code != http.HTTPStatus.TOO_MANY_REQUESTS
                ):
                    return None
                reason = f"the server says {error.code}"
            except (OSError, http.client.HTTPException) as error:
                reason = str(error) or type(error).__name__
        raise DownloadError(f"{url}: {reason} ({TRIES} tries); run it again to go on")


class HymnalTuneDataset(HymnalDataset):
    """The melodies of the hymns of hymnal.net."""

    _type = "tune"
    _info = DatasetInfo(
        name="Hymnal, tunes only",
        description="Melodies of hymns",
        homepage="https://www.hymnal.net/",
        citation=HymnalDataset._info.citation,
        genre="hymn",
        format="MIDI",
        songs=1756,
        hours=18.74,
        melody=True,
        monophonic=True,
        note="fetched one by one, so there is no checksum",
    )
