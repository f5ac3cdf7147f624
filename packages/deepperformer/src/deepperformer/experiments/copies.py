"""An inverter's copies → how well their notes are heard: onset F1 of sound → mel → sound, beside that of the sound.

    python -m deepperformer.experiments.copies violin BACH-VIOLIN minji-kim_bwv1003_mov4 --judge nmp.onnx

Two sounds of one recording's notes are copied: FluidSynth's rendering of its timings, whose onsets are known exactly,
and, where it is there, the recording itself, whose onsets are those of its published alignment. Copies by Griffin-Lim
from the same mels stand beside them.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence

import numpy as np
from muspy_core import Audio
from muspy_core.audio_blocks import join

from deepperformer.experiments.judging import Figures, judge, judge_parser, onsets_of, real_sound, rendered_sound
from deepperformer.features.spectrogram import mel_of
from deepperformer.perform import Performer
from deepperformer.recordings import Recording
from deepperformer.transcription import Onsets, Transcriber, onset_f1

SECONDS = 60.0


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the program and return its exit code."""
    parser = judge_parser("copies", "Judge an inverter's copies.", "the inverter was not trained on")
    parser.add_argument("--seconds", type=float, default=SECONDS, help=f"from the beginning (default: {SECONDS:g})")
    return judge(parser, arguments, _figures)


def _figures(options: argparse.Namespace, recording: Recording) -> Figures:
    assert recording.timings is not None
    performer = Performer.from_pretrained(options.model)
    without = Performer(performer.synthesis)
    transcriber = Transcriber(options.judge)
    true = onsets_of(recording.rows, recording.timings)
    figures: Figures = {"seconds": options.seconds}
    for name, sound in sounds_of(recording, performer.mel_definition.sample_rate):
        start = Audio(sound.samples[:, : round(options.seconds * sound.sample_rate)], sound.sample_rate)
        copies = {"sound": start, "inverter": copied(performer, start), "griffin_lim": copied(without, start)}
        figures[name] = heard(transcriber, true[true[:, 0] < options.seconds], copies)
    return figures


def sounds_of(recording: Recording, sample_rate: int) -> Iterator[tuple[str, Audio]]:
    """Give the sounds of a recording's notes, by name: rendered, and recorded if there is a recording."""
    assert recording.timings is not None
    yield "rendered", rendered_sound(recording.rows, recording.timings, sample_rate)
    if recording.sound is not None:
        yield "recorded", real_sound(recording, sample_rate)


def copied(performer: Performer, sound: Audio) -> Audio:
    """Return what a performer's inverter makes of a sound's mel."""
    definition = performer.mel_definition
    return join(performer.invert_blocks([mel_of(sound, definition)]), sample_rate=definition.sample_rate)


def heard(transcriber: Transcriber, true: Onsets, sounds: dict[str, Audio]) -> dict[str, float]:
    """Return the onset F1 of sounds, the first of which the others copy, and what share of its F1 they reach."""
    scores = {name: onset_f1(true, transcriber.onsets(sound)) for name, sound in sounds.items()}
    original = next(iter(scores.values()))
    figures = {"notes": float(len(true)), **{name: round(score, 4) for name, score in scores.items()}}
    for name in list(scores)[1:]:
        figures[f"{name}_ratio"] = round(float(np.divide(scores[name], max(original, 1e-9))), 4)
    return figures


if __name__ == "__main__":
    sys.exit(main())
