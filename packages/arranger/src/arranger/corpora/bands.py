"""Pop and game music by instrument families: the Lakh MIDI Dataset and Freedoom (files → pieces, §4.6).

The families are those of General MIDI: piano, guitar, bass, strings, brass. All other instruments, and percussion, are
left out.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Iterable, Sequence
from pathlib import Path

from muspy_core.errors import MuspyError
from muspy_core.music import Music
from tqdm.auto import tqdm

from arranger.corpora.scores import CorpusError, counts
from arranger.mixture import Piece, labelled_mixture
from arranger.parts import POP_BAND

logger = logging.getLogger(__name__)

# Programs of the five families, 0–127. Orchestral harp and timpani (46, 47) are no strings.
FAMILIES: tuple[tuple[range, ...], ...] = (
    (range(8),),
    (range(24, 32),),
    (range(32, 40),),
    (range(40, 46), range(48, 52)),
    (range(56, 64),),
)
LONGEST_S = 20 * 60
IDS_FILE = "cleansed_ids.txt"
IDS_SOURCE = "the repository salu133445/mmt on GitHub has it as data/lmd/cleansed_ids.txt (21,425 lines)"


def read_lakh(folder: str | os.PathLike[str] | None) -> list[Piece]:
    """Return the pieces of the Lakh MIDI Dataset whose identifiers are in the cleansed list, sorted by name.

    folder: with the extracted `lmd_matched.tar.gz` or `lmd_full.tar.gz`, and `cleansed_ids.txt`, somewhere below it.
    Pieces of more than 20 minutes are left out. Files that cannot be read are named in a warning. Raises CorpusError
    if the list or all of its files are missing.
    """
    root = Path(folder or ".")
    wanted = cleansed_ids(root)
    files = {p.stem: p for p in sorted(root.rglob("*.mid")) if p.stem in wanted}  # a file may stand under many songs
    if not files:
        raise CorpusError(f"{root}: none of the MIDI files is in {IDS_FILE}")
    return _read_files([files[name] for name in sorted(files)], "reading Lakh")


def cleansed_ids(root: Path) -> set[str]:
    """Return the identifiers (MD5 sums) of the cleansed list; a line may have more columns after the identifier."""
    path = next(iter(sorted(root.rglob(IDS_FILE))), None)
    if path is None:
        raise CorpusError(f"{root}: there is no {IDS_FILE}, which says what is pop music; {IDS_SOURCE}")
    words = (line.split() for line in path.read_text(encoding="utf-8").splitlines())
    return {found[0].removesuffix(".mid").rsplit("/", 1)[-1] for found in words if found}


def read_freedoom(folder: str | os.PathLike[str] | None) -> list[Piece]:
    """Return the pieces of the game Freedoom that have at least two families, sorted by name.

    folder: with the `.mid` files somewhere below it. Raises CorpusError if there are none.
    """
    files = sorted(Path(folder or ".").rglob("*.mid"), key=lambda path: path.stem)
    if not files:
        raise CorpusError(f"{folder}: there is no MIDI file")
    return _read_files(files, "reading Freedoom")


def family_labels(music: Music) -> list[int | None]:
    """Return the family of each track by its program, None for percussion and other instruments."""
    return [None if track.is_drum else family(track.program) for track in music.tracks]


def family(program: int) -> int | None:
    """Return the family of a General MIDI program, 0–127, None if it is in none of the five."""
    return next((label for label, ranges in enumerate(FAMILIES) if _within(program, ranges)), None)


def _within(program: int, ranges: Iterable[range]) -> bool:
    return any(program in programs for programs in ranges)


def _read_files(files: Sequence[Path], purpose: str) -> list[Piece]:
    from muspy_core import read_midi

    pieces, unread = [], []
    for path in tqdm(files, desc=purpose, unit="file", disable=None):
        try:
            music = read_midi(path)
        except (MuspyError, OSError) as error:
            unread.append(f"{path.name} ({error})")
            continue
        if music.tempo_map.seconds([music.get_end_time()])[0] > LONGEST_S:
            continue
        piece = labelled_mixture(music, family_labels(music), path.stem)
        if counts(piece, POP_BAND):
            pieces.append(piece)
    if unread:
        logger.warning("%d of %d files cannot be read; the first is %s", len(unread), len(files), unread[0])
    return pieces
