"""What programs that judge by a transcriber share: their arguments, the recording, its sound and onsets, the report.

`acceptance` judges performances, `copies` what an inverter makes of sounds.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from muspy_core import Audio, render
from muspy_core.console import Parser, run_command
from muspy_core.io.files import write_atomically

from deepperformer.errors import DataError
from deepperformer.features.notes import PITCH, NoteRows, Timings, performed_music
from deepperformer.recordings import Recording, read_bach_violin
from deepperformer.transcription import Onsets

Figures = dict[str, Any]


def judge_parser(name: str, description: str, recording: str) -> argparse.ArgumentParser:
    """Return a parser of model, data set, recording, judge and report; `recording`: which of them may be named."""
    parser = Parser(prog=f"python -m deepperformer.experiments.{name}", description=description)
    parser.add_argument("model", help="bundled name or folder")
    parser.add_argument("dataset", type=Path, help="Bach Violin Dataset")
    parser.add_argument("recording", help=f"name of a recording that {recording}")
    parser.add_argument("--judge", type=Path, required=True, metavar="FILE", help="nmp.onnx of basic-pitch")
    parser.add_argument("--json", type=Path, metavar="FILE", help="where the figures go")
    parser.add_argument("--debug", action="store_true", help="show the traceback of an error")
    return parser


def judge(
    parser: argparse.ArgumentParser,
    arguments: Sequence[str] | None,
    figures_of: Callable[[argparse.Namespace, Recording], Figures],
) -> int:
    """Run a program: find the recording, print what `figures_of` says of it, and return the exit code."""
    options = parser.parse_args(arguments)

    def run() -> int:
        figures = figures_of(options, recording_named(options.dataset, options.recording))
        text = json.dumps({"model": options.model, "recording": options.recording, **figures}, indent=1) + "\n"
        if options.json is not None:
            with write_atomically(options.json, overwrite=True) as temporary:
                temporary.write_text(text, encoding="utf-8")
        sys.stdout.write(text)
        return 0

    return run_command(run, debug=options.debug)


def recording_named(dataset: Path, name: str) -> Recording:
    """Return a recording of the data set. Raises DataError if it has none of that name with timings."""
    for recording in read_bach_violin(dataset):
        if recording.name == name and recording.timings is not None:
            return recording
    raise DataError(f"{dataset}: has no recording {name!r} with timings")


def onsets_of(rows: NoteRows, timings: Timings) -> Onsets:
    """Return time and pitch of each note, (n, 2)."""
    return np.stack([timings[:, 0], rows[:, PITCH].astype(np.float64)], axis=1)


def rendered_sound(rows: NoteRows, timings: Timings, sample_rate: int) -> Audio:
    """Return what FluidSynth makes of notes at their times, mono."""
    return render(performed_music(rows, timings), renderer="fluidsynth", sample_rate=sample_rate).to_mono()


def real_sound(recording: Recording, sample_rate: int) -> Audio:
    """Return the sound of a recording, mono."""
    return recording.clip(sample_rate).audio.to_mono()
