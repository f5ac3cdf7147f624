"""Data sets → recordings: the note rows of a score, when each note was played, by whom, and where the sound lies.

Sources: the Bach Violin Dataset (§5.3), MAESTRO, and any folder of scores with their recordings.
"""

from __future__ import annotations

import csv
import dataclasses
import logging
import os
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from muspy_core import AudioClip, Music, read
from muspy_core.io import READABLE
from muspy_core.media import read_clip

from deepperformer.errors import DataError
from deepperformer.features.marks import Marks, marked_rows, no_marks
from deepperformer.features.notes import (
    DURATION,
    ONSET,
    RESOLUTION,
    VELOCITY,
    NoteRows,
    Rows,
    Timings,
    played_rows,
    read_rows,
    read_timings,
    row_order,
    rows_of,
)

logger = logging.getLogger(__name__)

SOUND_ENDINGS = (".wav", ".flac", ".mp3", ".ogg", ".opus", ".m4a", ".aiff")
MAESTRO_STEPS = 20  # steps a second, where there are no beats: the paper's cap of 100 steps is then 5 s


@dataclasses.dataclass(frozen=True)
class Recording:
    """A performance of a score.

    rows: (n, 4), see `features.notes`. timings: (n, 2), start and end of each note in seconds of the recording; None:
    not known. qpm: mean tempo. work: recordings of one work are never on both sides of a split. sound: its file;
    start_s, end_s: the part of the file that is the recording. score: its file, whose articulations and ornaments can
    be read. condition: what it was recorded by, alike for recordings of one room and microphone.
    """

    name: str
    performer: str
    work: str
    rows: NoteRows
    timings: Timings | None
    qpm: float
    sound: Path | None = None
    start_s: float = 0.0
    end_s: float | None = None
    score: Path | None = None
    condition: str = ""

    def __post_init__(self) -> None:
        if self.timings is not None and len(self.timings) != len(self.rows):
            raise DataError(f"{self.name}: {len(self.rows)} notes, but times of {len(self.timings)}")

    def clip(self, sample_rate: int) -> AudioClip:
        """Read its sound, mono. Raises DataError if there is none."""
        if self.sound is None:
            raise DataError(f"{self.name}: its sound is not there")
        return read_clip(
            self.sound, self.performer, start_s=self.start_s, end_s=self.end_s, sample_rate=sample_rate, channels=1
        )

    def marks(self) -> Marks:
        """Read the marks of its notes from its score, (n, K); none where it has no score, or one with other notes."""
        if self.score is None:
            return no_marks(len(self.rows))
        music = read(self.score)
        forms: tuple[Rows, ...] = ("released", "score") if isinstance(music, Music) else ()
        for form in forms:
            rows, marks = marked_rows(music, form)
            if np.array_equal(rows[:, :VELOCITY], self.rows[:, :VELOCITY]):
                return marks
        logger.warning(
            "%s: the notes of %s are others; its articulations and ornaments are left out", self.name, self.score
        )
        return no_marks(len(self.rows))


def mean_qpm(rows: NoteRows, seconds: float) -> float:
    """Return the tempo at which the notes last so many seconds."""
    return 60.0 * float((rows[:, ONSET] + rows[:, DURATION]).max()) / RESOLUTION / seconds


# --- Bach Violin Dataset ---------------------------------------------------------------------------------------------


def read_bach_violin(folder: str | os.PathLike[str]) -> list[Recording]:
    """Read the recordings of the data set whose timings are in a folder, in the order of its `info.csv`.

    Needed: `info.csv`, `notes/`, `alignments/` and `tempos/`; sound is found in `audio/` and scores in `scores/` where
    they are there. The collection is the recording condition. Raises DataError for a folder without them.
    """
    folder = Path(folder)
    if not (folder / "info.csv").is_file() or not (folder / "alignments").is_dir():
        raise DataError(f"{folder}: is no Bach Violin Dataset: info.csv or alignments/ is missing")
    recordings = []
    for line in _lines(folder / "info.csv"):
        inside = Path(line["collection"], line["filename"])
        timings = folder / "alignments" / inside.with_suffix(".csv")
        if timings.is_file():
            sound = folder / "audio" / line["source_filename"]
            score = folder / "scores" / line["work"].lower() / f"{line['score_filename']}.mxl"
            recordings.append(
                Recording(
                    line["filename"],
                    line["violinist"],
                    f"{line['work'].lower()}_mov{line['mov']}",
                    read_rows(folder / "notes" / inside.with_suffix(".csv")),
                    read_timings(timings),
                    float((folder / "tempos" / inside.with_suffix(".txt")).read_text(encoding="utf-8")),
                    sound if sound.is_file() else None,
                    _seconds(line["start"]),
                    _seconds(line["end"]),
                    score if score.is_file() else None,
                    line["collection"],
                )
            )
    return recordings


def _seconds(clock: str) -> float:
    """Parse H:MM:SS."""
    hours, minutes, seconds = clock.split(":")
    return 3600 * int(hours) + 60 * int(minutes) + float(seconds)


# --- MAESTRO ---------------------------------------------------------------------------------------------------------


def read_maestro(folder: str | os.PathLike[str]) -> Iterator[Recording]:
    """Yield the recordings of MAESTRO v1–v3: steps of 1/20 s, the year of the competition as performer.

    What was played is the score, so that no alignment model is needed (§5.4). Raises DataError without its table.
    """
    folder = Path(folder)
    tables = sorted(folder.glob("maestro-v*.csv"))
    if not tables:
        raise DataError(f"{folder}: is no MAESTRO: there is no maestro-v*.csv")
    for line in _lines(tables[-1]):
        music = read(folder / line["midi_filename"])
        if not isinstance(music, Music):
            raise DataError(f"{folder / line['midi_filename']}: holds no single piece")
        rows, timings = timed_rows(music)
        title = f"{line['canonical_composer']}: {line['canonical_title']}"
        sound = folder / line["audio_filename"]
        name = line["midi_filename"].rsplit(".", 1)[0].replace("/", "_")
        qpm = 60.0 * MAESTRO_STEPS / RESOLUTION
        yield Recording(name, line["year"], title, rows, timings, qpm, sound if sound.is_file() else None)


def timed_rows(music: Music, steps_per_second: int = MAESTRO_STEPS) -> tuple[NoteRows, Timings]:
    """Return the notes of music without beats, in steps of time, and their exact times in seconds."""
    rows, timings = played_rows(music)
    steps = np.rint(timings * steps_per_second).astype(np.int64)
    rows[:, ONSET] = steps[:, 0]
    rows[:, DURATION] = np.maximum(steps[:, 1] - steps[:, 0], 1)
    order = row_order(rows)
    return rows[order], timings[order]


# --- folders of scores with recordings -------------------------------------------------------------------------------


def read_folder(folder: str | os.PathLike[str]) -> list[Recording]:
    """Pair scores with the sound files of the same name, and with `NAME.csv` of timings where there is one.

    Performers are sub-folders; files that lie in the folder itself belong to its name. Raises DataError if nothing
    pairs up.
    """
    folder = Path(folder)
    recordings = []
    for score in sorted(file for file in folder.rglob("*") if file.name.lower().endswith(tuple(READABLE))):
        stem = score.name.split(".")[0]
        sound = next((path for path in sorted(score.parent.glob(f"{stem}.*")) if path.suffix in SOUND_ENDINGS), None)
        if sound is None:
            continue
        music = read(score)
        if not isinstance(music, Music):
            raise DataError(f"{score}: holds several pieces; only one can belong to {sound.name}")
        rows = rows_of(music)
        seconds = read_clip(sound, channels=1).duration
        timings = read_timings(score.parent / f"{stem}.csv") if (score.parent / f"{stem}.csv").is_file() else None
        name = score.parent.relative_to(folder).joinpath(stem).as_posix().replace("/", "_")
        qpm = mean_qpm(rows, seconds)
        recordings.append(Recording(name, score.parent.name, stem, rows, timings, qpm, sound, score=score))
    if not recordings:
        raise DataError(f"{folder}: no score has a recording of the same name ({', '.join(SOUND_ENDINGS)})")
    return recordings


def read_recordings(folder: str | os.PathLike[str]) -> list[Recording]:
    """Read a folder as what it is: the Bach Violin Dataset, MAESTRO, or scores with recordings."""
    folder = Path(folder)
    if not folder.is_dir():
        raise FileNotFoundError(2, "no such folder", str(folder))
    if (folder / "info.csv").is_file() and (folder / "alignments").is_dir():
        return read_bach_violin(folder)
    if list(folder.glob("maestro-v*.csv")):
        return list(read_maestro(folder))
    return read_folder(folder)


def performers_of(recordings: Sequence[Recording]) -> list[str]:
    """Return the names of the performers, sorted."""
    return sorted({recording.performer for recording in recordings})


def _lines(path: Path) -> list[dict[str, str]]:
    with open(path, encoding="utf-8-sig", newline="") as stream:
        return list(csv.DictReader(stream))
