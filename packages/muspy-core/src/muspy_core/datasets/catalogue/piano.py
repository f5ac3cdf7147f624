"""Other sets of piano music: EMOPIA, ASAP, GiantMIDI-Piano."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, ClassVar, Literal

from muspy_core.datasets.base import DatasetInfo
from muspy_core.datasets.catalogue.extracted import ExtractedFolderDataset, MIDIFolderDataset, Variants
from muspy_core.datasets.downloads import Remote
from muspy_core.datasets.folder import FolderDataset, Kind, files_below
from muspy_core.events import Annotation
from muspy_core.music import Music


class EMOPIADataset(MIDIFolderDataset):
    """EMOPIA: clips of pop piano with the emotion that listeners perceived.

    Each piece has one annotation, {"emo_class", "YouTube_ID", "seg_id"}, from the name of its file; the class is the
    quadrant of valence and arousal, "1" to "4".
    """

    _info = DatasetInfo(
        name="EMOPIA",
        description="Clips of pop piano music transcribed from recordings, labelled with perceived emotion",
        homepage="https://annahung31.github.io/EMOPIA/",
        license="CC BY-NC-SA 4.0",
        citation="""@inproceedings{hung2021emopia,
  title={{EMOPIA}: A Multi-Modal Pop Piano Dataset for Emotion Recognition and Emotion-based Music Generation},
  author={Hung, Hsiao-Tzu and Ching, Joann and Doh, Seungheon and Kim, Nabin and Nam, Juhan and Yang, Yi-Hsuan},
  booktitle={Proceedings of the 22nd International Society for Music Information Retrieval Conference (ISMIR)},
  year={2021}
}""",
        genre="pop",
        format="MIDI",
        songs=1087,
        note="licence as its repository states it; MusPy says CC BY 4.0",
    )
    _sources: ClassVar = {
        "emopia": Remote(
            "EMOPIA_2.2.zip",
            "https://zenodo.org/record/5257995/files/EMOPIA_2.2.zip",
            md5="bad5171786a4898f37fc2678e99afd94",
        )
    }

    def read(self, filename: Any) -> Music:
        """Read one clip, "Q<class>_<YouTube id>_<segment>.mid"."""
        music = super().read(filename)
        # YouTube ids are 11 characters long and may hold underscores.
        stem = Path(filename).stem
        label = {"emo_class": stem[1:2], "YouTube_ID": stem[3:14], "seg_id": stem.rpartition("_")[2]}
        music.annotations.clear()
        music.annotations.append(Annotation(0, label))
        return music


class ASAPDataset(Variants, ExtractedFolderDataset):
    """ASAP: piano scores and aligned performances.

    Args:
        content: "performances" (MIDI as played), "scores" (MusicXML) or "midi-scores" (the scores as quantised MIDI).

    The other arguments are those of `RemoteFolderDataset`.
    """

    _extension = ("mid", "musicxml")
    _info = DatasetInfo(
        name="ASAP",
        description="Aligned scores and performances of classical piano music",
        homepage="https://github.com/fosfrancesco/asap-dataset",
        citation="""@inproceedings{foscarin2020asap,
  title={{ASAP}: A Dataset of Aligned Scores and Performances for Piano Transcription},
  author={Foscarin, Francesco and McLeod, Andrew and Rigaux, Philippe and Jacquemard, Florent and Sakai, Masahiko},
  booktitle={International Society for Music Information Retrieval Conference (ISMIR)},
  pages={534--541},
  year={2020}
}""",
        genre="classical",
        format="MIDI, MusicXML",
        songs=1068,
        note="1,068 performances of 236 scores; the source is a repository, whose content may change",
    )
    _sources: ClassVar = {
        "asap": Remote("asap-dataset.zip", "https://github.com/fosfrancesco/asap-dataset/archive/HEAD.zip")
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
        content: Literal["performances", "scores", "midi-scores"] = "performances",
    ) -> None:
        if content not in ("performances", "scores", "midi-scores"):
            raise ValueError(f'`content` is "performances", "scores" or "midi-scores", got {content!r}')
        self.content = content
        self._variant = "" if content == "performances" else content
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

    def get_raw_filenames(self) -> list[Any]:
        """Return the files of the chosen content, in order of their paths."""
        if self.content == "scores":
            return list(files_below(self.root, "musicxml"))
        scores = self.content == "midi-scores"
        return [path for path in files_below(self.root, "mid") if (path.name == "midi_score.mid") == scores]


class GiantMIDIPianoDataset(FolderDataset):
    """GiantMIDI-Piano: recordings of classical piano music, transcribed; to be downloaded by hand."""

    _extension = ("mid", "midi")
    _info = DatasetInfo(
        name="GiantMIDI-Piano",
        description="Transcriptions of recordings of classical piano music by 2,786 composers",
        homepage="https://github.com/bytedance/GiantMIDI-Piano",
        license="CC BY 4.0",
        citation="""@article{kong2020giantmidi,
  title={{GiantMIDI-Piano}: A Large-Scale {MIDI} Dataset for Classical Piano Music},
  author={Kong, Qiuqiang and Li, Bochen and Chen, Jitong and Wang, Yuxuan},
  journal={arXiv preprint arXiv:2010.07061},
  year={2020}
}""",
        genre="classical",
        format="MIDI",
        songs=10855,
        hours=1237,
        note="by hand: agree to disclaimer.md of the repository, follow its link and extract the archive",
    )
