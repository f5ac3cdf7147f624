"""Pop music: POP909 with its annotations of beats, chords and keys."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from muspy_core.columns import EventList, new_array
from muspy_core.datasets.base import DatasetInfo
from muspy_core.datasets.catalogue.extracted import DatasetFilesError, MIDIFolderDataset
from muspy_core.datasets.downloads import Remote
from muspy_core.events import Annotation, Beat
from muspy_core.music import Music

# Files of annotations, and the groups that they become.
_LABELS = (("chord_midi.txt", "chord"), ("key_audio.txt", "key"))


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
            times = np.unique(_steps(music, [time for time, _ in beats]))
            columns = new_array(Beat, len(times))
            columns["time"] = times
            music.beats = EventList.from_columns(Beat, columns, {})
        labelled = [(group, *row) for name, group in _LABELS for row in _rows(folder / name)]
        if labelled:
            groups, seconds, values = zip(*labelled, strict=True)
            columns = new_array(Annotation, len(labelled))
            columns["time"] = _steps(music, seconds)
            side: dict[str, list[Any] | None] = {"annotation": [row[-1] for row in values], "group": list(groups)}
            music.annotations = EventList.from_columns(Annotation, columns, side)
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


def _steps(music: Music, seconds: Sequence[float]) -> NDArray[np.int64]:
    steps = np.rint(music.tempo_map.steps(np.array(seconds, dtype=np.float64)))
    return np.maximum(steps, 0).astype(np.int64)
