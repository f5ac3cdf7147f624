"""Lead sheets: Wikifonia."""

from __future__ import annotations

import os
from typing import Any, ClassVar

import numpy as np

from muspy_core.datasets.base import DatasetInfo
from muspy_core.datasets.catalogue.extracted import ExtractedFolderDataset, Variants
from muspy_core.datasets.downloads import Remote
from muspy_core.datasets.folder import Kind
from muspy_core.music import Music


class WikifoniaDataset(Variants, ExtractedFolderDataset):
    """Wikifonia's lead sheets: a melody with chord symbols.

    Args:
        melody_only: Leave out chord symbols and all but the melody (see `melody_of`), as §2.5 of the dissertation does.

    The other arguments are those of `RemoteFolderDataset`.
    """

    _extension = ("mxl", "musicxml", "xml")
    _info = DatasetInfo(
        name="Wikifonia",
        description="Lead sheets that users of wikifonia.org had shared",
        homepage="http://www.wikifonia.org/",
        citation="""@misc{wikifonia,
  title={Wikifonia},
  howpublished={\\url{http://www.wikifonia.org/}}
}""",
        genre="misc",
        format="MusicXML",
        songs=6405,
        hours=198.40,
        melody=True,
        chords=True,
        monophonic=True,
        note="the site is closed; many songs are under copyright",
    )
    _sources: ClassVar = {
        "wikifonia": Remote(
            "Wikifonia.zip",
            "http://www.synthzone.com/files/Wikifonia/Wikifonia.zip",
            35727800,
            "e7bce509462a73cee175308b6a3cdafa9effd6e8958b3ce03b4edb293cc6b691",
            "d26e22562e67eb7d37535e96cc5eebba",
        )
    }

    def __init__(
        self,
        root: str | os.PathLike[str],
        download_and_extract: bool = False,
        overwrite: bool = False,
        cleanup: bool = False,
        convert: bool = False,
        kind: Kind = "json",
        n_jobs: int = 1,
        ignore_exceptions: bool = True,
        use_converted: bool | None = None,
        verbose: bool = True,
        melody_only: bool = False,
    ) -> None:
        self.melody_only = melody_only
        self._variant = "melody" if melody_only else ""
        super().__init__(
            root,
            download_and_extract,
            overwrite,
            cleanup,
            convert,
            kind,
            n_jobs,
            ignore_exceptions,
            use_converted,
            verbose,
        )

    def read(self, filename: Any) -> Music:
        """Read one lead sheet."""
        from muspy_core.io.musicxml import read_musicxml

        music = read_musicxml(filename)
        return melody_of(music) if self.melody_only else music


def melody_of(music: Music) -> Music:
    """Reduce a lead sheet, in place, to its melody and return it.

    What stays of the tracks is the first one with notes, of these the highest where several begin together. Chord
    symbols and chords go.
    """
    music.chord_symbols.clear()
    music.tracks[:] = [track for track in music.tracks if len(track.notes)][:1]
    for track in music.tracks:
        track.chords.clear()
        columns = track.notes.array
        order = np.lexsort((-columns["pitch"].astype(np.int64), columns["time"]))
        highest = np.zeros(len(columns), bool)
        highest[order[np.unique(columns["time"][order], return_index=True)[1]]] = True
        track.notes.select(highest)
    return music
