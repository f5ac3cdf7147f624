"""A score that no model was trained on → the mixture of `clipsep demo` (a duet of ten seconds).

    python -m clipsep.experiments.demo SCORES --soundfont FluidR3_GM.sf2 -o src/clipsep/demo/duet.flac

The first violin's part of a quartet of the test split is played by a flute, those of viola and cello by a piano: the
other SoundFont, 44.1 kHz, stereo, and nothing chosen by how well it separates.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from muspy_core import Audio, Music, read
from muspy_core.console import Parser, expand_inputs, run_command
from muspy_core.rendering import render

from clipsep.experiments.stems import excerpt, instruments, splits_of

SECONDS = 10.0
SAMPLE_RATE = 44100
PARTS = {"flute": [0], "piano": [2, 3]}
_LEVEL_DB = -23.0


def duet(music: Music, soundfont: Path, start_s: float) -> Audio:
    """Return both instruments together, equally loud, stereo."""
    classes = {instrument.name: instrument for instrument in instruments()}
    sounds = []
    for name, parts in PARTS.items():
        score = excerpt(music, parts, classes[name], start_s, SECONDS)
        sound = render(score, soundfont=soundfont, sample_rate=SAMPLE_RATE).to_stereo()
        sounds.append(sound.window(0, round(SECONDS * SAMPLE_RATE)).normalize_rms(_LEVEL_DB))
    return Audio.mix(sounds)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the program and return its exit code."""
    parser = Parser(prog="python -m clipsep.experiments.demo", description="Render the mixture of `clipsep demo`.")
    parser.add_argument("scores", type=Path, help="folder of string quartets (MusicXML), one folder a work")
    parser.add_argument("--soundfont", type=Path, required=True, help="that of the test")
    parser.add_argument("-o", "--output", type=Path, required=True, help="file to write")
    parser.add_argument("--seed", type=int, default=0, help="of the split, as the stems' (default: 0)")
    parser.add_argument("--debug", action="store_true", help="show the traceback of an error")
    options = parser.parse_args(arguments)
    return run_command(lambda: _run(options), debug=options.debug)


def _run(options: argparse.Namespace) -> int:
    scores = expand_inputs([options.scores], (".mxl", ".musicxml", ".xml"))
    path = splits_of(scores, options.seed)["test"][0]
    music = read(path)
    assert isinstance(music, Music)  # MusicXML has no other content
    duet(music, options.soundfont, 0.0).write(options.output)
    sys.stdout.write(f"wrote {options.output}: the beginning of {path.parent.name}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
