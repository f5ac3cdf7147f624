"""A bundle → what its performance of a held-out movement is worth: onset F1, distance, length, speed, memory.

    python -m deepperformer.experiments.acceptance violin BACH-VIOLIN minji-kim_bwv1003_mov4 --judge nmp.onnx

The notes of the recording's score are performed at its mean tempo. A transcriber hears them in the performance, and in
a FluidSynth rendering of the same performed notes, which says how well it could hear them at best; the control is the
performance judged by the same notes with their pitches shuffled. Where the recording's sound is there, it is judged by
its own alignment too and drawn beside the performance, and the distance of both sounds from it is measured in the
embedding of the transcriber's network.
"""

from __future__ import annotations

import argparse
import resource
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from muspy_core import Audio
from muspy_core.audio_blocks import join

from deepperformer.embedding import NAME, Embedder, embedding_distance
from deepperformer.experiments.judging import Figures, judge, judge_parser, onsets_of, real_sound, rendered_sound
from deepperformer.features.notes import ONSET, music_of
from deepperformer.features.spectrogram import MelDefinition
from deepperformer.perform import Performance, Performer
from deepperformer.recordings import Recording
from deepperformer.transcription import Transcriber, onset_f1

PICTURE_FROM_S, PICTURE_S = 20.0, 8.0


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the program and return its exit code."""
    parser = judge_parser("acceptance", "Judge a performance.", "no model saw")
    parser.add_argument("--performer", default="0", metavar="NAME", help="number or name (default: 0)")
    parser.add_argument("--sound", type=Path, metavar="FILE", help="where the performance goes")
    parser.add_argument("--picture", type=Path, metavar="FILE", help="waveform and mel beside the recording's (.png)")
    return judge(parser, arguments, _figures)


def _figures(options: argparse.Namespace, recording: Recording) -> Figures:
    performer = Performer.from_pretrained(options.model)
    performance, audio, figures = performed(performer, recording, options.performer)
    figures.update(judged(Transcriber(options.judge), performance, audio, recording))
    if recording.sound is not None:
        figures.update(distances(Embedder(options.judge), performance, audio, recording))
    if options.sound is not None:
        audio.write(options.sound, overwrite=True)
    if options.picture is not None and recording.sound is not None:
        draw(performance, audio, recording, performer.mel_definition, options.picture)
    return {"performer": options.performer, **figures}


def performed(performer: Performer, recording: Recording, who: str | int) -> tuple[Performance, Audio, Figures]:
    """Return the performance of a recording's score at its mean tempo, its sound, and length, speed and memory."""
    music = music_of(recording.rows, qpm=recording.qpm)
    start, processor = time.perf_counter(), time.process_time()
    performance = performer.time_notes(music, performer=who)
    blocks, first = [], 0.0
    for block in performer.stream_notes(performance, who):
        first = first or time.perf_counter() - start
        blocks.append(block)
    seconds, processor = time.perf_counter() - start, time.process_time() - processor
    audio = join(iter(blocks), sample_rate=performer.mel_definition.sample_rate)
    written = float((recording.rows[:, 0] + recording.rows[:, 1]).max()) / 24 * 60 / recording.qpm
    figures: Figures = {
        "notes": len(performance.rows),
        "seconds": round(audio.duration, 2),
        "of_the_score": round(performance.duration / written, 4),
        "rtf": round(seconds / audio.duration, 4),
        "rtf_processor": round(processor / audio.duration, 4),
        "first_block_s": round(first, 3),
        "peak_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024),
    }
    return performance, audio, figures


def judged(
    transcriber: Transcriber, performance: Performance, audio: Audio, recording: Recording, seed: int = 0
) -> Figures:
    """Return the onset F1 of a performance, of FluidSynth's rendering of its notes, and of the controls."""
    true = onsets_of(performance.rows, performance.timings)
    heard = transcriber.onsets(audio)
    rendered = rendered_sound(performance.rows, performance.timings, audio.sample_rate)
    shuffled = true.copy()
    shuffled[:, 1] = np.random.default_rng(seed).permutation(shuffled[:, 1])
    ours, reference = onset_f1(true, heard), onset_f1(true, transcriber.onsets(rendered))
    figures: Figures = {
        "f1": round(ours, 4),
        "f1_fluidsynth": round(reference, 4),
        "ratio": round(ours / max(reference, 1e-9), 4),
        "f1_shuffled": round(onset_f1(shuffled, heard), 4),
    }
    if recording.sound is not None and recording.timings is not None:
        real = transcriber.onsets(real_sound(recording, audio.sample_rate))
        figures["f1_recording"] = round(onset_f1(onsets_of(recording.rows, recording.timings), real), 4)
    return figures


def distances(embedder: Embedder, performance: Performance, audio: Audio, recording: Recording) -> Figures:
    """Return how far a performance, and FluidSynth's rendering of its notes, are from the recording, by an embedding.

    Beside them: how far the second half of the recording is from its first, the least that can be asked for.
    """
    real = embedder.features(real_sound(recording, audio.sample_rate))
    rendered = rendered_sound(performance.rows, performance.timings, audio.sample_rate)
    first, second = np.array_split(real, 2)
    return {
        "embedding": NAME,
        "distance": round(embedding_distance(embedder.features(audio), real), 4),
        "distance_fluidsynth": round(embedding_distance(embedder.features(rendered), real), 4),
        "distance_halves": round(embedding_distance(second, first), 4),
    }


def draw(performance: Performance, audio: Audio, recording: Recording, mel: MelDefinition, path: Path) -> None:
    """Draw 8 s of a performance and of the recording, from the same note on: the first after 20 s of the recording."""
    from deepperformer.figures import performance_figure

    assert recording.timings is not None
    note = int(np.searchsorted(recording.timings[:, 0], PICTURE_FROM_S))
    onset = recording.rows[min(note, len(recording.rows) - 1), ONSET]
    starts = (
        float(timings[rows[:, ONSET] >= onset, 0].min())
        for rows, timings in ((performance.rows, performance.timings), (recording.rows, recording.timings))
    )
    sounds = zip((audio, real_sound(recording, mel.sample_rate)), starts, strict=True)
    performance_figure(dict(zip(("performance", "recording"), sounds, strict=True)), PICTURE_S, mel, path)


if __name__ == "__main__":
    sys.exit(main())
