"""An inverter's copies → how well their notes are heard: onset F1 of sound → mel → sound, beside that of the sound.

    python -m deepperformer.experiments.copies violin BACH-VIOLIN minji-kim_bwv1003_mov4 --judge nmp.onnx

Two sounds of one recording's notes are copied: FluidSynth's rendering of its timings, whose onsets are known exactly,
and, where it is there, the recording itself, whose onsets are those of its published alignment. Copies by Griffin-Lim
from the same mels stand beside them.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from muspy_core import Audio, render
from muspy_core.audio_blocks import join
from muspy_core.console import Parser, run_command
from muspy_core.io.files import write_atomically

from deepperformer.errors import DataError
from deepperformer.experiments.acceptance import onsets_of, real_sound
from deepperformer.features.notes import performed_music
from deepperformer.features.spectrogram import mel_of
from deepperformer.perform import Performer
from deepperformer.recordings import Recording, read_bach_violin
from deepperformer.transcription import Onsets, Transcriber, onset_f1

SECONDS = 60.0


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the program and return its exit code."""
    parser = Parser(prog="python -m deepperformer.experiments.copies", description="Judge an inverter's copies.")
    parser.add_argument("model", help="bundled name or folder")
    parser.add_argument("dataset", type=Path, help="Bach Violin Dataset")
    parser.add_argument("recording", help="name of a recording that the inverter was not trained on")
    parser.add_argument("--judge", type=Path, required=True, metavar="FILE", help="nmp.onnx of basic-pitch")
    parser.add_argument("--seconds", type=float, default=SECONDS, help=f"from the beginning (default: {SECONDS:g})")
    parser.add_argument("--json", type=Path, metavar="FILE", help="where the figures go")
    parser.add_argument("--debug", action="store_true", help="show the traceback of an error")
    options = parser.parse_args(arguments)
    return run_command(lambda: _run(options), debug=options.debug)


def _run(options: argparse.Namespace) -> int:
    found = [recording for recording in read_bach_violin(options.dataset) if recording.name == options.recording]
    if not found or found[0].timings is None:
        raise DataError(f"{options.dataset}: has no recording {options.recording!r} with timings")
    performer = Performer.from_pretrained(options.model)
    without = Performer(performer.synthesis)
    transcriber = Transcriber(options.judge)
    true = onsets_of(found[0].rows, found[0].timings)
    figures: dict[str, Any] = {"model": options.model, "recording": options.recording, "seconds": options.seconds}
    for name, sound in sounds_of(found[0], performer.mel_definition.sample_rate):
        start = Audio(sound.samples[:, : round(options.seconds * sound.sample_rate)], sound.sample_rate)
        copies = {"sound": start, "inverter": copied(performer, start), "griffin_lim": copied(without, start)}
        figures[name] = heard(transcriber, true[true[:, 0] < options.seconds], copies)
    text = json.dumps(figures, indent=1) + "\n"
    if options.json is not None:
        with write_atomically(options.json, overwrite=True) as temporary:
            temporary.write_text(text, encoding="utf-8")
    sys.stdout.write(text)
    return 0


def sounds_of(recording: Recording, sample_rate: int) -> Iterator[tuple[str, Audio]]:
    """Give the sounds of a recording's notes, by name: rendered, and recorded if there is a recording."""
    assert recording.timings is not None
    music = performed_music(recording.rows, recording.timings)
    yield "rendered", render(music, renderer="fluidsynth", sample_rate=sample_rate).to_mono()
    if recording.sound is not None:
        yield "recorded", real_sound(recording, sample_rate).to_mono()


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
