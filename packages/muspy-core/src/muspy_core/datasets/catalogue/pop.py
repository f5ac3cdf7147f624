"""Pop music: POP909 with its annotations of beats, chords and keys."""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from muspy_core.columns import EventList, new_array
from muspy_core.datasets.base import DatasetInfo
from muspy_core.datasets.catalogue.extracted import DatasetFilesError, MIDIFolderDataset
from muspy_core.datasets.downloads import Remote
from muspy_core.events import Annotation, Beat
from muspy_core.music import Music


class POP909Dataset(MIDIFolderDataset):
    """POP909: piano arrangements of Chinese pop songs (tracks MELODY, BRIDGE and PIANO).

    The annotations that stand beside a song come with it: beats (`beat_midi.txt`) as `Music.beats`; chords
    (`chord_midi.txt`) and keys (`key_audio.txt`) as annotations of the groups "chord" and "key", whose texts are the
    labels as given ("F#:maj7/5", "N" for no chord). Other versions of a song (folder `versions`) are left out.
    """

    _info = DatasetInfo(
        name="POP909",
        description="Piano arrangements of 909 pop songs with annotated beats, chords and keys",
        homepage="https://github.com/music-x-lab/POP909-Dataset",
        license="MIT",
        citation="""@inproceedings{wang2020pop909,
  title={{POP909}: A Pop-Song Dataset for Music Arrangement Generation},
  author={Wang, Ziyu and Chen, Ke and Jiang, Junyan and Zhang, Yiyi and Xu, Maoran and Dai, Shuqi and Bin, Guxian and
    Xia, Gus},
  booktitle={Proceedings of the 21st International Society for Music Information Retrieval Conference (ISMIR)},
  year={2020}
}""",
        genre="pop",
        format="MIDI",
        songs=909,
        melody=True,
        chords=True,
        multitrack=True,
        note="the source is a repository, whose content may change",
    )
    _sources: ClassVar = {
        "pop909": Remote("POP909-Dataset.zip", "https://github.com/music-x-lab/POP909-Dataset/archive/HEAD.zip")
    }

    def get_raw_filenames(self) -> list[Any]:
        """Return the songs, which bear the name of their folder ("001/001.mid")."""
        return [path for path in super().get_raw_filenames() if path.stem == path.parent.name]

    def read(self, filename: Any) -> Music:
        """Read one song with its annotations. Raises DatasetFilesError for annotations that are not numbers."""
        music = super().read(filename)
        folder = Path(filename).parent
        beats = _rows(folder / "beat_midi.txt")
        if beats:
            times = np.unique(_steps(music, beats))
            columns = new_array(Beat, len(times))
            columns["time"] = times
            music.beats = EventList.from_columns(Beat, columns, {})
        for name, group in (("chord_midi.txt", "chord"), ("key_audio.txt", "key")):
            rows = _rows(folder / name)
            labels = [row[-1] for _, row in rows]
            music.annotations.extend(map(Annotation, _steps(music, rows), labels, [group] * len(rows)))
        return music


Rows = list[tuple[float, list[str]]]


def _rows(path: Path) -> Rows:
    """The lines of an annotation file as (seconds, columns); empty if there is no such file."""
    if not path.exists():
        return []
    lines = map(str.split, path.read_text(encoding="utf-8").splitlines())
    try:
        return [(float(columns[0]), columns) for columns in lines if columns]
    except ValueError as error:
        raise DatasetFilesError(f"{path.parent.name}/{path.name}: a line does not begin with a time: {error}") from None


def _steps(music: Music, rows: Rows) -> list[int]:
    seconds = np.array([time for time, _ in rows], dtype=np.float64)
    steps: list[int] = np.maximum(np.rint(music.tempo_map.steps(seconds)), 0).astype(np.int64).tolist()
    return steps
