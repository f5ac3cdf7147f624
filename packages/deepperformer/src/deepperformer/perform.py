"""A score in, the sound of a performance out: timings → mel → samples, in windows, block by block (§5.3).

Memory does not grow with the length of the piece but for its notes. Windows of the synthesis model are as long as in
training, and cross-faded; blocks of the inverter go on from each other (`vocoder.blocks`), so that there is no seam and
a stream is the same as the whole.
"""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
from muspy_core import Audio, Music
from muspy_core.audio_blocks import join
from muspy_core.pretrained import CONFIG_NAME
from numpy.typing import NDArray

from deepperformer.checkpoint import INVERTERS, STAGES, Checkpoint, load_checkpoint, model_folder
from deepperformer.clips import CLIP_FRAMES, clip_of
from deepperformer.errors import ModelError, PerformError
from deepperformer.features.marks import Marks, Ornaments, marked_rows, no_marks
from deepperformer.features.notes import NoteRows, Timings
from deepperformer.features.spectrogram import Mel, MelDefinition
from deepperformer.timing import ScoreTempo, constant_timings, expressive_timings

FADE_FRAMES = 32  # in which a window of the synthesis model passes into the next
EDGE_FRAMES = 24  # at the ends of a window, whose surroundings the model cannot see; they are not used
TAIL_S = 0.5  # after the last note


@dataclasses.dataclass(frozen=True)
class Performance:
    """Notes and when they are played. rows: (n, 4). timings: (n, 2) in seconds. marks: (n, K) or None: not known."""

    rows: NoteRows
    timings: Timings
    marks: Marks | None = None

    @property
    def duration(self) -> float:
        """Seconds until the last note has ended."""
        return float(self.timings[:, 1].max())


class Performer:
    """The three models that perform.

    Args:
        synthesis: Timed notes → mel.
        inverter: Mel → samples; None: Griffin-Lim.
        alignment: Notes → their times; None: the score's tempo is kept.
        seed: Of Griffin-Lim.

    Raises MelError if two were trained with different mels, ModelError for a model in another's place.
    """

    def __init__(
        self,
        synthesis: Checkpoint,
        inverter: Checkpoint | None = None,
        alignment: Checkpoint | None = None,
        seed: int = 0,
    ) -> None:
        for checkpoint, kinds in ((synthesis, ("synthesis",)), (inverter, INVERTERS), (alignment, ("alignment",))):
            if checkpoint is not None and checkpoint.kind not in kinds:
                raise ModelError(f"{checkpoint.name}: is a model of kind {checkpoint.kind}, not {' or '.join(kinds)}")
            if checkpoint is not None:
                synthesis.mel.check(checkpoint.mel, checkpoint.name)
        self.synthesis, self.alignment = synthesis, alignment
        self.mel_definition: MelDefinition = synthesis.mel
        self.inverter: Any = _griffin_lim(synthesis.mel, seed) if inverter is None else inverter.model

    @classmethod
    def from_pretrained(cls, name: str | os.PathLike[str] = "violin", seed: int = 0) -> Performer:
        """Load a bundle by name, folder or Hub id; what it lacks is done without (see the class).

        seed: of Griffin-Lim, where that is the inverter.

        Raises ModelError if it has no synthesis model, or one that cannot be used.
        """
        folder = model_folder(name)
        # A model that is there but damaged is an error, one that is not there is done without.
        stages = [stage for stage in STAGES if stage == "synthesis" or (folder / stage / CONFIG_NAME).is_file()]
        found = {stage: load_checkpoint(name, stage) for stage in stages}
        return cls(found["synthesis"], found.get("inverter"), found.get("alignment"), seed)

    @property
    def performers(self) -> tuple[str, ...]:
        """Names of the performers, by number."""
        return self.synthesis.performers

    def number_of(self, performer: str | int) -> int:
        """Return the number of a performer, by number or name. Raises PerformError, with the names."""
        return _numbered(performer, self.performers, "performer")

    @property
    def conditions(self) -> tuple[str, ...]:
        """Names of the recording conditions, by number; none where the synthesis model is not told any."""
        return self.synthesis.conditions

    def timing_number_of(self, timing: str | int | None, performer: str | int) -> int:
        """Return the number of the one whose timing is wanted; None: the performer of that number or name, if any.

        Sound and timing may come from different data, and then have different performers.
        """
        known = () if self.alignment is None else self.alignment.performers
        if timing is not None:
            return _numbered(timing, known, "timing")
        if isinstance(performer, str) and performer in known:
            return known.index(performer)
        return min(self.number_of(performer), max(len(known) - 1, 0))

    # --- stages ------------------------------------------------------------------------------------------------------

    def time_notes(
        self,
        music: Music,
        *,
        performer: str | int = 0,
        timing: str | int | None = None,
        qpm: float | None = None,
        humanise: float = 1.0,
        part: str | None = None,
        ornaments: Ornaments = "written",
    ) -> Performance:
        """Decide when the notes of a score are played.

        Args:
            music: The score.
            performer: Number or name.
            timing: The same of whose timing it is, where the alignment model knows others; None: the performer's.
            qpm: Constant tempo; None: the score's.
            humanise: 0 (exactly that tempo) to 1 (as the model plays).
            part: Name or number of the only part to play.
            ornaments: `written`: trills, mordents and turns are single notes; `played`: they are realised.
        """
        rows, marks = marked_rows(music, "score", part, ornaments)
        tempo = ScoreTempo.of(music, qpm)
        self.number_of(performer)  # an unknown one is said here, before anything is played
        number = self.timing_number_of(timing, performer)
        if self.alignment is None:
            return Performance(rows, constant_timings(rows, tempo), marks)
        frame_s = self.mel_definition.frame_s
        timings = expressive_timings(rows, tempo, self.alignment.model, number, frame_s, humanise, marks)
        return Performance(rows, timings, marks)

    def mel_blocks(self, performance: Performance, performer: str | int = 0, condition: str | int = 0) -> Iterator[Mel]:
        """Give the log-mel spectrogram of a performance block by block, (T, M) each.

        performer, condition: number or name; the latter of a recording condition, where the model knows some.
        """
        hop = CLIP_FRAMES - 2 * EDGE_FRAMES - FADE_FRAMES
        frames = self.frames_of(performance)
        number, room = self.number_of(performer), _numbered(condition, self.conditions, "condition")
        rise = np.linspace(0, 1, FADE_FRAMES + 2, dtype=np.float32)[1:-1, None]
        before: Mel | None = None
        for start in range(0, frames, hop):
            window = self._window(performance, start - EDGE_FRAMES, number, room)[EDGE_FRAMES:-EDGE_FRAMES]
            if before is not None:
                window[:FADE_FRAMES] = rise * window[:FADE_FRAMES] + (1 - rise) * before
            before = window[hop:]
            yield window[: min(hop, frames - start)]

    def mel(self, performance: Performance, performer: str | int = 0, condition: str | int = 0) -> Mel:
        """Return the log-mel spectrogram of a performance, (T, M)."""
        return np.concatenate(list(self.mel_blocks(performance, performer, condition)))

    def frames_of(self, performance: Performance) -> int:
        """Return the number of frames of a performance: half a second more than its notes."""
        return int(np.ceil((performance.duration + TAIL_S) / self.mel_definition.frame_s))

    def invert_blocks(self, mels: Iterable[Mel]) -> Iterator[Audio]:
        """Give the sound of a mel spectrogram that comes in blocks, in blocks of 4 s (the last is shorter)."""
        from deepperformer.vocoder.blocks import sound_blocks

        for samples in sound_blocks(self.inverter, mels, self.mel_definition):
            yield Audio(np.clip(samples, -1, 1), self.mel_definition.sample_rate)

    # --- all together ------------------------------------------------------------------------------------------------

    def stream(self, music: Music, *, condition: str | int = 0, **options: Any) -> Iterator[Audio]:
        """Give the performance of a score block by block; the further options are those of `time_notes`."""
        played = self.time_notes(music, **options)
        yield from self.stream_notes(played, options.get("performer", 0), condition)

    def stream_notes(
        self, performance: Performance, performer: str | int = 0, condition: str | int = 0
    ) -> Iterator[Audio]:
        """Give the sound of notes whose times are known, block by block."""
        yield from self.invert_blocks(self.mel_blocks(performance, performer, condition))

    def perform(self, music: Music, **options: Any) -> Audio:
        """Return the performance of a score; the options are those of `stream`."""
        return join(self.stream(music, **options), sample_rate=self.mel_definition.sample_rate)

    # --- windows -----------------------------------------------------------------------------------------------------

    def _window(self, performance: Performance, first: int, performer: int, condition: int) -> Mel:
        """Return one window of the synthesis model, (CLIP_FRAMES, M); the floor where no note sounds."""
        import torch

        frame_s = self.mel_definition.frame_s
        clip = clip_of(performance.rows, performance.timings, first * frame_s, CLIP_FRAMES, frame_s)
        if not len(clip):
            floor = np.float32(np.log(self.mel_definition.floor))
            return np.full((CLIP_FRAMES, self.mel_definition.n_mels), floor)
        model = self.synthesis.model
        marks = no_marks(len(clip)) if performance.marks is None else performance.marks[clip.indices]
        with torch.inference_mode():
            mel = model(
                torch.from_numpy(clip.notes)[None],
                torch.ones(1, len(clip), dtype=torch.bool),
                torch.tensor([min(performer, max(model.config.performers - 1, 0))]),
                torch.tensor([model.config.tempo_class(_local_qpm(performance))]),
                torch.from_numpy(clip.onsets.astype(np.float32))[None],
                torch.from_numpy(clip.durations.astype(np.float32))[None],
                CLIP_FRAMES,
                torch.from_numpy(marks.astype(np.float32))[None],
                torch.tensor([condition]),
            )
        made: NDArray[np.float32] = mel[0].numpy().copy()
        return made


def _numbered(performer: str | int, names: tuple[str, ...], what: str) -> int:
    """Return the number of one of several performers. Raises PerformError, with the names."""
    if isinstance(performer, int) or performer.isdigit():
        if int(performer) < max(len(names), 1):
            return int(performer)
    elif performer in names:
        return names.index(performer)
    known = ", ".join(f"{index} ({name})" for index, name in enumerate(names)) or "0"
    raise PerformError(f"no {what} {performer!r}: choose one of {known}")


def _local_qpm(performance: Performance) -> float:
    """Return the mean tempo of a performance: what the model was told of recordings."""
    from deepperformer.recordings import mean_qpm

    return mean_qpm(performance.rows, performance.duration)


def _griffin_lim(definition: MelDefinition, seed: int) -> Any:
    from deepperformer.vocoder.griffin_lim import GriffinLim

    return GriffinLim(definition, seed=seed)
