"""Recordings → prepared data for training: note rows, timings, mels and samples in one folder (§5.3).

A folder holds `recordings.json` (names, performers, works, tempi, the mel definition), `notes.npz` (rows and timings of
all recordings) and, where there is sound, `mels/NAME.npy` and `waves/NAME.npy`, which training maps into memory.
"""

from __future__ import annotations

import dataclasses
import json
import logging
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np
from muspy_core import Audio
from muspy_core.io.files import write_atomically
from numpy.typing import NDArray
from tqdm.auto import tqdm

from deepperformer.errors import DataError, MelError
from deepperformer.features.marks import Marks, no_marks
from deepperformer.features.notes import NoteRows, Timings, performed_music
from deepperformer.features.spectrogram import Mel, MelDefinition, log_mel
from deepperformer.recordings import Recording

logger = logging.getLogger(__name__)

DESCRIPTION_NAME, NOTES_NAME = "recordings.json", "notes.npz"

Renderer = Callable[[Recording], Audio]
Performers = Literal["soundfonts", "players"]
Aligner = Callable[[Recording, Audio], Timings]


@dataclasses.dataclass(frozen=True)
class Prepared:
    """Prepared recordings of a folder; lists are by recording. sounding: whether there are a mel and samples.

    marks: (n, K), articulations and ornaments of each note, none where the scores were not at hand.
    """

    folder: Path
    mel: MelDefinition
    names: tuple[str, ...]
    performers: tuple[str, ...]
    works: tuple[str, ...]
    qpm: tuple[float, ...]
    sounding: tuple[bool, ...]
    rows: tuple[NoteRows, ...]
    timings: tuple[Timings, ...]
    marks: tuple[Marks, ...]
    conditions: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.names)

    def mel_of(self, index: int) -> Mel:
        """Return the mel spectrogram of a recording, (T, M), mapped from its file. Raises DataError without one."""
        mel: Mel = np.load(self._file("mels", index), mmap_mode="r")
        return mel

    def samples_of(self, index: int) -> NDArray[np.int16]:
        """Return the samples of a recording, (samples,), mapped from its file. Raises DataError without one."""
        samples: NDArray[np.int16] = np.load(self._file("waves", index), mmap_mode="r")
        return samples

    def _file(self, kind: str, index: int) -> Path:
        path = self.folder / kind / f"{self.names[index]}.npy"
        if not path.is_file():
            raise DataError(f"{self.names[index]}: its sound was not prepared ({path} is missing)")
        return path


def prepare(
    recordings: Sequence[Recording],
    output: str | os.PathLike[str],
    *,
    definition: MelDefinition | None = None,
    sound: Renderer | None = None,
    align: Aligner | None = None,
    progress: bool | None = None,
) -> Prepared:
    """Write recordings into a folder for training.

    sound: what a recording sounds like; None: read its file. align: makes the timings of recordings without; None: they
    are an error. Recordings without sound are kept for the alignment model. Called again, it goes on where it stopped.
    Raises DataError for a folder that was prepared with another mel definition, and as the arguments do.
    """
    output, definition = Path(output), definition or MelDefinition()
    if not recordings:
        raise DataError("there are no recordings to prepare")
    if (output / DESCRIPTION_NAME).is_file():
        definition.check(load_prepared(output).mel, str(output))
    for kind in ("mels", "waves"):
        (output / kind).mkdir(parents=True, exist_ok=True)
    timings = []
    for recording in tqdm(recordings, desc="preparing", disable=None if progress is None else not progress):
        has_sound = sound is not None or recording.sound is not None
        audio = _sound_of(recording, output, definition, sound) if has_sound else None
        if recording.timings is not None:
            timings.append(recording.timings)
        elif align is None or audio is None:
            raise DataError(f"{recording.name}: has no timings, and none can be made without an aligner and its sound")
        else:
            timings.append(align(recording, audio))
    _write_notes(recordings, timings, output)
    _write_description(recordings, output, definition)
    return load_prepared(output)


def _sound_of(recording: Recording, output: Path, definition: MelDefinition, sound: Renderer | None) -> Audio:
    """Return a recording's sound at the rate of the mels, and write it and its mel if they are not there."""
    wave, mel = (output / kind / f"{recording.name}.npy" for kind in ("waves", "mels"))
    if wave.is_file() and mel.is_file():
        return Audio(np.load(wave), definition.sample_rate)
    audio = recording.clip(definition.sample_rate).audio if sound is None else sound(recording)
    audio = audio.to_mono().resample(definition.sample_rate)
    audio = audio.scale(0.95 / audio.peak) if audio.peak else audio
    with write_atomically(wave) as temporary:
        np.save(temporary, audio.to_int16()[:, 0])
    with write_atomically(mel) as temporary:
        np.save(temporary, log_mel(audio.samples[0], definition).astype(np.float16))
    return audio


def rendered(
    recordings: Sequence[Recording],
    soundfonts: Sequence[Path | None],
    program: int,
    definition: MelDefinition,
    performers: Performers = "soundfonts",
) -> tuple[list[Recording], Renderer]:
    """Return each recording once for each SoundFont, which becomes its condition, and a `sound` that plays them.

    soundfonts: files; None: the default one, TimGM6mb. performers: whose sound it is, the `soundfonts`' or the
    `players`' whose timings they play. Raises DataError for SoundFonts that are one under two names.
    """
    from muspy_core import render
    from muspy_core.rendering.soundfont import default_soundfont

    from deepperformer.soundfonts import check_different

    fonts = {"TimGM6mb" if font is None else font.stem: font for font in soundfonts}
    check_different([Path(default_soundfont()) if font is None else font for font in fonts.values()])

    def sound(recording: Recording) -> Audio:
        if recording.timings is None:
            raise DataError(f"{recording.name}: has no timings to render")
        music = performed_music(recording.rows, recording.timings, program)
        return render(music, soundfont=fonts[recording.condition], sample_rate=definition.sample_rate)

    played = [
        dataclasses.replace(
            recording,
            name=f"{recording.name}_{font}",
            performer=font if performers == "soundfonts" else recording.performer,
            condition=font,
            sound=None,
        )
        for font in fonts
        for recording in recordings
    ]
    return played, sound


def aligned(recording: Recording, audio: Audio) -> Timings:
    """An `align` for `prepare`: our alignment, which needs the extra `align`."""
    from deepperformer.alignment import align

    found = align(recording.rows, audio)
    for warning in found.quality.warnings:
        logger.warning("%s: %s", recording.name, warning)
    return found.timings


def _write_notes(recordings: Sequence[Recording], timings: Sequence[Timings], output: Path) -> None:
    bounds = np.cumsum([0, *(len(recording.rows) for recording in recordings)])
    rows = np.concatenate([recording.rows for recording in recordings])
    marks = np.concatenate([recording.marks() for recording in recordings])
    with write_atomically(output / NOTES_NAME) as temporary:
        np.savez_compressed(temporary, rows=rows, timings=np.concatenate(timings), bounds=bounds, marks=marks)


def _write_description(recordings: Sequence[Recording], output: Path, definition: MelDefinition) -> None:
    described = [
        {
            "name": recording.name,
            "performer": recording.performer,
            "work": recording.work,
            "qpm": recording.qpm,
            "condition": recording.condition,
            "sounding": (output / "mels" / f"{recording.name}.npy").is_file(),
        }
        for recording in recordings
    ]
    text = json.dumps({"mel": definition.to_dict(), "recordings": described}, indent=1, ensure_ascii=False)
    with write_atomically(output / DESCRIPTION_NAME) as temporary:
        temporary.write_text(text + "\n", encoding="utf-8")


def load_prepared(folder: str | os.PathLike[str]) -> Prepared:
    """Read a folder that `prepare` wrote. Raises DataError if it is none, or damaged."""
    folder = Path(folder)
    if not (folder / DESCRIPTION_NAME).is_file():
        raise DataError(f"{folder}: holds no prepared data ({DESCRIPTION_NAME}); make it by `deepperformer prepare`")
    try:
        description: dict[str, Any] = json.loads((folder / DESCRIPTION_NAME).read_text(encoding="utf-8"))
        recordings: list[dict[str, Any]] = description["recordings"]
        with np.load(folder / NOTES_NAME, allow_pickle=False) as arrays:
            rows, timings, bounds = arrays["rows"], arrays["timings"], arrays["bounds"][1:-1]
            # Folders of earlier versions know no marks, or fewer kinds of them.
            marks = no_marks(len(rows))
            if "marks" in arrays:
                marks[:, : arrays["marks"].shape[1]] = arrays["marks"]
        return Prepared(
            folder,
            MelDefinition(**description["mel"]),
            tuple(str(line["name"]) for line in recordings),
            tuple(str(line["performer"]) for line in recordings),
            tuple(str(line["work"]) for line in recordings),
            tuple(float(line["qpm"]) for line in recordings),
            tuple(bool(line["sounding"]) for line in recordings),
            tuple(np.split(rows, bounds)),
            tuple(np.split(timings, bounds)),
            tuple(np.split(marks, bounds)),
            tuple(str(line.get("condition", "")) for line in recordings),
        )
    except MelError:
        raise
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise DataError(f"{folder}: its prepared data are damaged: {error!r}") from error
