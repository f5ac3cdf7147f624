"""Archives: extraction within a folder and a size, which continues after a kill (data sets, second step).

Each member is written beside its target and renamed, so that what has its name is whole; members that are there already
with the right size are passed over.
"""

from __future__ import annotations

import gzip
import lzma
import os
import shutil
import stat
import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import IO, Any

from tqdm.auto import tqdm

# 100 times what the largest known archive of scores unpacks to would be an attack or an accident.
MAX_SIZE = 200 << 30
MAX_RATIO = 1000
BLOCK = 1 << 20

_TAR = (".tar", ".tar.gz", ".tgz", ".tar.xz", ".txz", ".tar.bz2", ".tbz2")


class ArchiveError(ValueError):
    """An archive that is damaged, of an unknown kind, or not safe to extract."""


def extract(
    archive: str | os.PathLike[str],
    folder: str | os.PathLike[str],
    *,
    max_size: int = MAX_SIZE,
    overwrite: bool = False,
    progress: bool | None = None,
) -> list[Path]:
    """Extract an archive (zip, tar with any compression, gz, xz) and return the paths of its files.

    overwrite: extract members again that are there with the right size. Links and devices in it are left out. Raises
    ArchiveError, and leaves what was extracted so far, if a member would land outside of `folder`, if the content is
    larger than `max_size` or unpacks to more than 1,000 times the archive's size, or if it is damaged or encrypted.
    """
    archive, folder = Path(archive), Path(folder)
    if not archive.stat().st_size:
        raise ArchiveError(f"{archive.name}: damaged: the file is empty")
    folder.mkdir(parents=True, exist_ok=True)
    bound = min(max_size, max(archive.stat().st_size * MAX_RATIO, BLOCK))
    budget = _Budget(archive.name, bound)
    paths = []
    try:
        with _members(archive) as members:
            for name, size, source in tqdm(members, desc=archive.name, unit="file", disable=_hidden(progress)):
                budget.take(max(size, 0))
                target = _target(archive, folder, name)
                # What has its name is whole.
                if overwrite or size < 0 or not target.is_file() or target.stat().st_size != size:
                    _extract_member(archive, target, name, size, source, budget)
                paths.append(target)
    except (RuntimeError, NotImplementedError) as error:
        # What zipfile raises for members that are encrypted or compressed in a way it does not know.
        raise ArchiveError(f"{archive.name}: cannot be extracted here: {error}") from None
    except (zipfile.BadZipFile, tarfile.TarError, EOFError, zlib.error, lzma.LZMAError, gzip.BadGzipFile) as error:
        raise ArchiveError(f"{archive.name}: damaged: {error}") from None
    return paths


def is_archive(path: str | os.PathLike[str]) -> bool:
    """Whether the extension is that of an archive."""
    return str(path).lower().endswith((".zip", ".gz", ".xz", *_TAR))


class _Budget:
    """The bytes that may still be written."""

    def __init__(self, name: str, size: int) -> None:
        self.name, self.size, self.left = name, size, size

    def take(self, count: int) -> None:
        self.left -= count
        if self.left < 0:
            raise ArchiveError(
                f"{self.name}: unpacks to more than {self.size:,} bytes; extract it by hand if you trust it"
            )


def _hidden(progress: bool | None) -> bool | None:
    return None if progress is None else not progress


Member = tuple[str, int, Any]


@contextmanager
def _members(archive: Path) -> Iterator[Iterator[Member]]:
    """Give (name, size or −1, function that opens the content) of each regular file of an archive."""
    name = archive.name.lower()
    if name.endswith(".zip"):
        with zipfile.ZipFile(archive) as bundle:
            yield _zip_members(bundle)
    elif name.endswith(_TAR):
        with tarfile.open(archive) as tar:
            yield _tar_members(tar)
    elif name.endswith((".gz", ".xz")):
        opener = gzip.open if name.endswith(".gz") else lzma.open
        yield iter([(archive.name[:-3], -1, lambda: opener(archive, "rb"))])
    else:
        raise ArchiveError(f"{archive.name}: not a kind of archive known here (zip, tar, tgz, txz, gz, xz)")


def _zip_members(bundle: zipfile.ZipFile) -> Iterator[Member]:
    for info in bundle.infolist():
        mode = info.external_attr >> 16
        if info.is_dir() or (mode and not stat.S_ISREG(mode) and stat.S_IFMT(mode)):
            continue
        yield info.filename, info.file_size, lambda info=info: bundle.open(info)


def _tar_members(tar: tarfile.TarFile) -> Iterator[Member]:
    for info in tar:
        if info.isfile():
            yield info.name, info.size, lambda info=info: tar.extractfile(info)


def _extract_member(archive: Path, target: Path, name: str, size: int, source: Any, budget: _Budget) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    # Names are limited in bytes, of which a character may have four.
    temporary = target.with_name(f".{target.name[:40]}.extracting")
    try:
        with source() as content, open(temporary, "wb") as file:
            if size < 0:
                _copy_within(content, file, budget)
            else:
                shutil.copyfileobj(content, file, BLOCK)
        if size >= 0 and temporary.stat().st_size != size:
            raise ArchiveError(f"{archive.name}: damaged: {name} is shorter than it claims")
        os.replace(temporary, target)
    finally:
        temporary.unlink(missing_ok=True)


def _copy_within(content: IO[bytes], file: IO[bytes], budget: _Budget) -> None:
    while block := content.read(BLOCK):
        budget.take(len(block))
        file.write(block)


def _target(archive: Path, folder: Path, name: str) -> Path:
    """The path of a member inside the folder."""
    pure = PurePosixPath(name.replace("\\", "/"))
    # On Windows a drive anywhere in a path starts over from there.
    has_drive = any(PureWindowsPath(part).drive for part in pure.parts)
    if not pure.parts or pure.is_absolute() or ".." in pure.parts or has_drive or "\0" in name:
        raise ArchiveError(f"{archive.name}: {name!r} would land outside of the folder")
    target = folder.joinpath(*pure.parts)
    if not target.parent.resolve().is_relative_to(folder.resolve()):
        raise ArchiveError(f"{archive.name}: {name!r} would land outside of the folder, through a link")
    return target
