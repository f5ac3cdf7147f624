"""Pictures of data and models: figures 5.3 to 5.6 of the dissertation, and a performance beside a recording.

They need matplotlib (the extra `render`).
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from muspy_core import Audio
from muspy_core.io.files import write_atomically
from numpy.typing import NDArray

from deepperformer.checkpoint import Checkpoint
from deepperformer.data import Batch, ClipDataModule, collate
from deepperformer.features.notes import DURATION, ONSET, PITCH
from deepperformer.features.spectrogram import Mel, MelDefinition, mel_of
from deepperformer.model import constant_tempo, frames_per_step

WIDTH, HEIGHT = 9.0, 1.9  # inches of a panel


def data_figure(data: ClipDataModule, path: Path) -> None:
    """Figure 5.3: notes of the score, the mel of the recording, and the notes as they are aligned with it."""
    batch = clip_with_most_notes(data, 0)
    frame_s, count = data.prepared.mel.frame_s, int(batch.mask[0].sum())
    rows = batch.notes[0, :count].numpy()
    figure, axes = _panels(3, ("score", "recording", "as aligned"))
    _roll(axes[0], rows[:, PITCH], rows[:, ONSET] / 24, rows[:, DURATION] / 24, "quarter notes from the anchor")
    _mel(axes[1], _mel_of(batch), frame_s)
    _roll(axes[2], rows[:, PITCH], *_times(batch, frame_s), "s")
    _save(figure, path)


def alignment_figure(checkpoint: Checkpoint, data: ClipDataModule, path: Path) -> None:
    """Figure 5.4: the times of a clip as they were played, as the model has them, and at constant tempo."""
    batch = clip_with_most_notes(data, 0)
    frame_s, count = data.prepared.mel.frame_s, int(batch.mask[0].sum())
    pitches = batch.notes[0, :count, PITCH].numpy()
    config, model = checkpoint.model.config, checkpoint.model
    pace = frames_per_step(batch.qpm, frame_s)
    classes = torch.tensor([config.tempo_class(qpm) for qpm in batch.qpm.tolist()])
    with torch.inference_mode():
        made = model.decode(model(batch.notes, batch.mask, batch.performer, classes, batch.marks), batch.notes, pace)
    figure, axes = _panels(3, ("as played", "alignment model", "constant tempo"))
    _roll(axes[0], pitches, *_times(batch, frame_s), "s")
    anchor = float(batch.anchor[0])
    for place, times in zip(axes[1:], (made, constant_tempo(batch.notes, pace)), strict=True):
        starts, lengths = (times[0, :count, index].numpy() for index in (0, 1))
        _roll(place, pitches, (starts + anchor) * frame_s, lengths * frame_s, "s")
        place.set_xlim(axes[0].get_xlim())
    _save(figure, path)


def polyphony_figure(checkpoint: Checkpoint, data: ClipDataModule, path: Path) -> None:
    """Figure 5.5: two clips of many notes, and the mels that the synthesis model makes of them."""
    figure, axes = _panels(4, ("notes", "mel, made", "notes", "mel, made"))
    frame_s = data.prepared.mel.frame_s
    for number in (0, 1):
        batch = clip_with_most_notes(data, number)
        count = int(batch.mask[0].sum())
        _roll(axes[2 * number], batch.notes[0, :count, PITCH].numpy(), *_times(batch, frame_s), "s")
        _mel(axes[2 * number + 1], synthesised(checkpoint, batch), frame_s)
    _save(figure, path)


def models_figure(checkpoints: Mapping[str, Checkpoint], data: ClipDataModule, path: Path) -> None:
    """Figure 5.6: the mel of a clip, and what each of several models makes of its notes."""
    batch = clip_with_most_notes(data, 0)
    figure, axes = _panels(1 + len(checkpoints), ("recording", *checkpoints))
    _mel(axes[0], _mel_of(batch), data.prepared.mel.frame_s)
    for place, checkpoint in zip(axes[1:], checkpoints.values(), strict=True):
        _mel(place, synthesised(checkpoint, batch), data.prepared.mel.frame_s)
    _save(figure, path)


def performance_figure(
    sounds: Mapping[str, tuple[Audio, float]], seconds: float, definition: MelDefinition, path: Path
) -> None:
    """Waveform and mel of a part of several sounds, below each other; with each sound, where its part begins (s)."""
    titles = tuple(f"{name}, {what}" for name in sounds for what in ("waveform", "mel"))
    figure, axes = _panels(2 * len(sounds), titles)
    for number, (audio, start_s) in enumerate(sounds.values()):
        mono = audio.to_mono().resample(definition.sample_rate)
        first, last = (round(time * definition.sample_rate) for time in (start_s, start_s + seconds))
        part = Audio(mono.samples[:, first:last], definition.sample_rate)
        axes[2 * number].plot(np.arange(part.frames) / definition.sample_rate, part.samples[0], linewidth=0.3)
        axes[2 * number].set(xlim=(0, seconds), ylim=(-1, 1))
        _mel(axes[2 * number + 1], mel_of(part, definition), definition.frame_s)
    _save(figure, path, dpi=72)


def clip_with_most_notes(data: ClipDataModule, rank: int) -> Batch:
    """Return the test clip in which, on average, the most notes sound at once, or the `rank`-th after it."""
    examples = data.dataset("test")
    clips = [examples[index] for index in range(len(examples))]
    density = [float(example.clip.durations.clip(0, examples.frames).sum()) for example in clips]
    return collate([clips[int(np.argsort(density)[::-1][min(rank, len(clips) - 1)])]])


def synthesised(checkpoint: Checkpoint, batch: Batch) -> Mel:
    """Return the mel that a model makes of the first clip of a batch, (T, M)."""
    model = checkpoint.model
    classes = torch.tensor([model.config.tempo_class(qpm) for qpm in batch.qpm.tolist()])
    frames = len(_mel_of(batch))
    performer = batch.performer.clamp(max=max(model.config.performers - 1, 0))
    condition = batch.condition.clamp(max=max(model.config.conditions - 1, 0))
    with torch.inference_mode():
        mel = model(
            batch.notes,
            batch.mask,
            performer,
            classes,
            batch.onsets,
            batch.durations,
            frames,
            batch.marks,
            condition,
        )
    made: Mel = mel[0].numpy()
    return made


# --- panels ----------------------------------------------------------------------------------------------------------


def _mel_of(batch: Batch) -> Mel:
    """Return the mel of the first clip, or silence where clips bring none."""
    if batch.mel is None:
        return np.full((312, 80), np.log(1e-5), np.float32)
    mel: Mel = batch.mel[0].numpy()
    return mel


def _times(batch: Batch, frame_s: float) -> tuple[NDArray[Any], NDArray[Any]]:
    count = int(batch.mask[0].sum())
    return batch.onsets[0, :count].numpy() * frame_s, batch.durations[0, :count].numpy() * frame_s


def _panels(count: int, titles: tuple[str, ...]) -> tuple[Any, Any]:
    try:
        from matplotlib.figure import Figure
    except ModuleNotFoundError as error:
        raise ImportError("figures need matplotlib: pip install 'deepperformer[render]'") from error
    figure = Figure(figsize=(WIDTH, HEIGHT * count), layout="constrained")
    axes = figure.subplots(count, 1, squeeze=False)[:, 0]
    for number, (place, title) in enumerate(zip(axes, titles, strict=True)):
        place.set_title(f"({chr(97 + number)}) {title}", loc="left", fontsize=9)
    return figure, axes


def _roll(axes: Any, pitches: NDArray[Any], starts: NDArray[Any], lengths: NDArray[Any], unit: str) -> None:
    axes.barh(pitches, lengths, left=starts, height=0.8, linewidth=0.4, edgecolor="white")
    axes.set(ylabel="pitch", xlabel=unit)


def _mel(axes: Any, mel: Mel, frame_s: float) -> None:
    axes.imshow(
        mel.T,
        origin="lower",
        aspect="auto",
        cmap="magma",
        vmin=-9,
        vmax=2,
        extent=(0, len(mel) * frame_s, 0, mel.shape[1]),
    )
    axes.set(ylabel="mel band", xlabel="s")


def _save(figure: Any, path: Path, dpi: int = 110) -> None:
    with write_atomically(path) as temporary:
        figure.savefig(temporary, format=path.suffix.lstrip("."), dpi=dpi)
