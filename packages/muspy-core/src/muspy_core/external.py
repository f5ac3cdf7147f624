"""MusPy's `muspy.external`: a music font and a SoundFont that are not part of any wheel, downloaded on request.

Nothing here is needed: scores are plotted with the Bravura in verovio's wheel and sound comes from TimGM6mb. Both files
lie where MusPy looks for them, so that the two share what either has downloaded.
"""

from __future__ import annotations

import logging
import os
from pathlib import Path

from muspy_core.datasets.downloads import DownloadError, Remote, download

logger = logging.getLogger(__name__)

__all__ = [
    "download_bravura_font",
    "download_musescore_soundfont",
    "get_bravura_font_dir",
    "get_bravura_font_path",
    "get_musescore_soundfont_dir",
    "get_musescore_soundfont_path",
]

BRAVURA_URL = "https://github.com/steinbergmedia/bravura/raw/master/"
MUSESCORE_URL = "ftp://ftp.osuosl.org/pub/musescore/soundfont/MuseScore_General/"
_OPENTYPE = b"OTTO"
_RIFF = b"RIFF"


def get_bravura_font_dir() -> Path:
    """Return the folder of the Bravura font, `~/.muspy/bravura`."""
    return Path.home() / ".muspy/bravura"


def get_bravura_font_path() -> Path:
    """Return where `download_bravura_font` puts the Bravura font; nothing says that it is there."""
    return get_bravura_font_dir() / "Bravura.otf"


def download_bravura_font(overwrite: bool = False) -> None:
    """Download the music font Bravura and its licence (SIL Open Font License); a font that is there is kept.

    overwrite: download it even then. Raises DownloadError if it cannot be had or is no OpenType font.
    """
    _download(BRAVURA_URL, "redist/otf/Bravura.otf", "LICENSE.txt", get_bravura_font_path(), _OPENTYPE, overwrite)


def get_musescore_soundfont_dir() -> Path:
    """Return the folder of MuseScore's SoundFont, `~/.muspy/musescore-general`."""
    return Path.home() / ".muspy/musescore-general"


def get_musescore_soundfont_path() -> Path:
    """Return where `download_musescore_soundfont` puts the SoundFont; nothing says that it is there."""
    return get_musescore_soundfont_dir() / "MuseScore_General.sf3"


def download_musescore_soundfont(overwrite: bool = False) -> None:
    """Download the SoundFont MuseScore General (40 MB) and its licence (MIT); one that is there is kept.

    `render(music, soundfont=get_musescore_soundfont_path())` then plays with it. overwrite: download it even if it is
    there. Raises DownloadError if it cannot be had or is no SoundFont.
    """
    target = get_musescore_soundfont_path()
    _download(MUSESCORE_URL, target.name, "MuseScore_General_License.md", target, _RIFF, overwrite)


def _download(prefix: str, file: str, licence: str, target: Path, magic: bytes, overwrite: bool) -> None:
    """Bring a file and its licence into the folder of `target`; no checksum is published, so its start must do."""
    if target.is_file() and not overwrite:
        logger.info("%s is there already", target)
        return
    # A server's page about an error must not take the name of the file.
    arrived = download(Remote(f"{target.name}.new", prefix + file, archive=False), target.parent, overwrite=overwrite)
    with open(arrived, "rb") as stream:
        start = stream.read(len(magic))
    if start != magic:
        arrived.unlink()
        raise DownloadError(f"{prefix}{file}: begins with {start!r} instead of {magic!r}; it was thrown away")
    download(Remote(licence, prefix + licence, archive=False), target.parent, overwrite=overwrite)
    os.replace(arrived, target)
    logger.info("downloaded %s", target)
