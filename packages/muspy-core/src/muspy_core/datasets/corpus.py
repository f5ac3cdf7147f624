"""The scores inside the music21 wheel as data sets: no download, no network.

Only the files are used, read by our own readers; music21 itself is not imported. Files in formats that have no reader
here (Humdrum, Roman numeral text) are left out.
"""

from __future__ import annotations

import copy
import importlib.util
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar

from muspy_core.datasets.abc import read_tune, tunes_of
from muspy_core.datasets.base import Dataset, DatasetInfo
from muspy_core.datasets.conversion import convert
from muspy_core.datasets.folder import Kind, MusicDataset, files_below
from muspy_core.io import read
from muspy_core.music import Music

SCORES = ("mid", "midi", "mxl", "xml", "mxml", "musicxml")
# Folders of the wheel that are data sets of their own, or no music to learn from.
APART = ("essenFolksong", "oneills1850", "ryansMammoth", "airdsAirs", "theoryExercises", "demos", "nottingham-dataset")

CITATION = """@inproceedings{cuthbert2010music21,
  title={music21: A Toolkit for Computer-Aided Musicology and Symbolic Music Data},
  author={Cuthbert, Michael Scott and Ariza, Christopher},
  booktitle={Proceedings of the 11th International Society for Music Information Retrieval Conference},
  year={2010}
}"""


def corpus_root() -> Path:
    """Return the folder of scores of the installed music21 wheel. Raises ImportError if there is none."""
    spec = importlib.util.find_spec("music21")
    if spec is None or not spec.submodule_search_locations:
        raise ImportError("these scores are part of the music21 wheel; pip install music21")
    return Path(next(iter(spec.submodule_search_locations))) / "corpus"


class CorpusDataset(Dataset):
    """Scores in folders of the music21 wheel.

    Args:
        expand_repeats: Play repeats, or read the scores as they are written.

    Raises ImportError if the wheel is not installed.
    """

    _folders: ClassVar[Sequence[str] | None] = None
    _excluded: ClassVar[Sequence[str]] = ()
    _extensions: ClassVar[Sequence[str]] = SCORES

    def __init__(self, expand_repeats: bool = True) -> None:
        self.root = corpus_root()
        self.expand_repeats = expand_repeats
        self.filenames = self._find()

    def _find(self) -> list[tuple[Path, int | None]]:
        found = [self.root / name for name in self._folders] if self._folders else [self.root]
        paths = [path for folder in found for path in files_below(folder, self._extensions)]
        items: list[tuple[Path, int | None]] = []
        for path in paths:
            if path.relative_to(self.root).parts[0] not in self._excluded:
                items += tunes_of(path) if path.suffix == ".abc" else [(path, None)]
        return items

    def name(self, index: int) -> str:
        """Return the path of a piece in the wheel, with the number of the tune in a book."""
        path, tune = self.filenames[index]
        place = path.relative_to(self.root).as_posix()
        return place if tune is None else f"{place} {tune}"

    def music(self, index: int) -> Music:
        """Read a piece."""
        return self[index]

    def part(self, run: range) -> CorpusDataset:
        """Return some of the pieces, in order, as a data set of their own."""
        copied = copy.copy(self)
        copied.filenames = self.filenames[run.start : run.stop]
        return copied

    def __getitem__(self, index: int) -> Music:
        path, tune = self.filenames[index]
        if tune is not None:
            return read_tune(path, tune, expand_repeats=self.expand_repeats)
        if path.suffix in (".mid", ".midi"):
            return read(path)
        return read(path, expand_repeats=self.expand_repeats)

    def __len__(self) -> int:
        return len(self.filenames)

    def convert(
        self,
        root: str | os.PathLike[str],
        kind: Kind = "json",
        n_jobs: int = 1,
        ignore_exceptions: bool = True,
        verbose: bool = True,
        **kwargs: Any,
    ) -> MusicDataset:
        """Convert all pieces into a folder and return the converted data set."""
        convert(self, root, kind, n_jobs, ignore_exceptions=ignore_exceptions, progress=verbose, **kwargs)
        return MusicDataset(root, kind)


class Music21Dataset(CorpusDataset):
    """The scores of the music21 corpus, all or of one composer.

    Args:
        composer: Folder of the corpus ("bach", "haydn", …); all by default.
    """

    _info = DatasetInfo(
        name="music21 corpus",
        description="Scores shipped with music21",
        homepage="https://www.music21.org",
        license="see license.txt in the corpus; each work its own",
        citation=CITATION,
        genre="classical",
        format="MusicXML, MIDI",
        songs=613,
        hours=16.86,
        multitrack=True,
    )

    def __init__(self, composer: str | None = None, expand_repeats: bool = True) -> None:
        self.composer = composer
        super().__init__(expand_repeats)

    def _find(self) -> list[tuple[Path, int | None]]:
        items = super()._find()
        if self.composer is None:
            return items
        chosen = [item for item in items if item[0].relative_to(self.root).parts[0] == self.composer]
        if not chosen:
            folders = sorted({path.relative_to(self.root).parts[0] for path, _ in items})
            raise ValueError(f"no scores of {self.composer!r} in the corpus; it has {', '.join(folders)}")
        return chosen


class Music21ChoralesDataset(CorpusDataset):
    """The works of J. S. Bach in the music21 corpus: chorales for four voices ("music21 JSBach")."""

    _folders = ("bach",)
    _info = DatasetInfo(
        name="music21 JSBach",
        description="Chorales and a few other works of J. S. Bach, shipped with music21",
        homepage="https://www.music21.org",
        license="public domain music; see license.txt in the corpus",
        citation=CITATION,
        genre="classical",
        format="MusicXML",
        songs=410,
        hours=3.46,
        multitrack=True,
    )


class Music21WithoutBachDataset(CorpusDataset):
    """The scores of the music21 corpus but those of Bach and the folk tune books, to compare with the chorales."""

    _excluded = ("bach", *APART)
    _info = DatasetInfo(
        name="music21 without Bach",
        description="Scores shipped with music21, without Bach's and the tune books",
        homepage="https://www.music21.org",
        license="see license.txt in the corpus; each work its own",
        citation=CITATION,
        genre="classical",
        format="MusicXML, MIDI",
        multitrack=True,
    )


def _tune_books(name: str, description: str, songs: int) -> DatasetInfo:
    return DatasetInfo(
        name=name,
        description=description,
        homepage="https://www.music21.org",
        license="see license.txt in the corpus",
        citation=CITATION,
        genre="folk",
        format="ABC",
        songs=songs,
        melody=True,
        monophonic=True,
    )


class EssenCorpusDataset(CorpusDataset):
    """The Essen folk song collection in the music21 wheel."""

    _folders = ("essenFolksong",)
    _extensions = ("abc",)
    _info = _tune_books("Essen (music21)", "German, Chinese and other folk songs", 8514)


class ONeillsDataset(CorpusDataset):
    """O'Neill's Music of Ireland in the music21 wheel."""

    _folders = ("oneills1850",)
    _extensions = ("abc",)
    _info = _tune_books("O'Neill's 1850", "O'Neill's Music of Ireland", 2009)


class RyansMammothDataset(CorpusDataset):
    """Ryan's Mammoth Collection in the music21 wheel."""

    _folders = ("ryansMammoth",)
    _extensions = ("abc",)
    _info = _tune_books("Ryan's Mammoth", "Ryan's Mammoth Collection of fiddle tunes", 1059)


class AirdsAirsDataset(CorpusDataset):
    """Aird's Airs in the music21 wheel."""

    _folders = ("airdsAirs",)
    _extensions = ("abc",)
    _info = _tune_books("Aird's Airs", "Six books of Scottish, English, Irish and foreign airs", 1180)
