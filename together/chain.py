"""One piece through all six packages: written, instrumented, played, mixed, taken apart, imitated (`nox -s demo`).

    python together/chain.py -o demo

Every step is a command that anybody can type; the page shows it, with its time. Only the mix is made here.
"""

from __future__ import annotations

import argparse
import dataclasses
import os
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from chain_page import page_of
from muspy_core import Audio, read, write_midi
from muspy_core.console import Parser, add_overwrite_option, run_command
from programs import PROGRAMS, ProgramError, Run, missing, run

WRITTEN_FOR = ("violin", "viola", "cello")
# The first of the parts is performed, taken out again and imitated: an instrument that all three models know.
PARTS = ("violin", "clarinet", "horn", "bassoon")
SOLO = PARTS[0]
SAMPLE_RATE = 44100
LEVEL_DB = -23.0  # RMS of the solo and of the others together, which leaves room for their sum
PEAK_DB = -1.5
# One thread: the networks are small, and on a machine that does other work threads wait for each other.
THREADS = 1


@dataclasses.dataclass(frozen=True)
class Step:
    """A step that was made. title: what it does. run: the command, its report and its time."""

    title: str
    run: Run


@dataclasses.dataclass(frozen=True)
class Chain:
    """Where the results lie. folder: of all of them; the other names are relative to it."""

    folder: Path
    piece: str = "piece/song-01.mid"
    piece_audio: str = "piece/song-01.wav"
    parts: str = "parts.mid"
    others: str = "others.mid"
    others_audio: str = "others.wav"
    solo: str = "solo.wav"
    mix: str = "mix.wav"
    taken_out: str = "taken-out.wav"
    rest: str = "rest.wav"
    sound: str = "sound.wav"
    page: str = "index.html"

    def files(self) -> list[Path]:
        """Every file that is written, but for those beside the piece."""
        return [self.folder / getattr(self, field.name) for field in dataclasses.fields(self)[1:]]


def make(chain: Chain, *, seed: int, notes: int, told: Callable[[str], None]) -> list[Step]:
    """Make everything but the page, and return the steps. told: is given a line after each of them.

    Raises ProgramError if a step fails, OSError for files that cannot be written.
    """
    steps: list[Step] = []

    def add(title: str, made: Run) -> Run:
        steps.append(Step(title, made))
        told(f"{len(steps)}. {title:<44} {made.seconds:6.1f} s  (processor {made.cpu_seconds:5.1f} s)  {made.command}")
        return made

    def command(title: str, *words: object) -> Run:
        return add(title, run(*map(str, words), folder=chain.folder, threads=THREADS))

    command(
        "write a piece", "mmt", "generate", "-o", "piece", "--instruments", ",".join(WRITTEN_FOR), "--length", notes,
        "--lowest", 36, "--highest", 88, "--top-p", 0.9, "--seed", seed, "--wav", "--overwrite",
    )  # fmt: skip
    names = ",".join(PARTS)
    command(
        "give its notes to four instruments", "arranger", "rearrange", chain.piece, "-o", chain.parts,
        "--parts", names, "--overwrite",
    )  # fmt: skip
    command(
        "perform the violin", "deepperformer", "perform", chain.parts, "-o", chain.solo, "--part", SOLO.capitalize(),
        "--humanise", 0, "--seed", seed, "--overwrite",
    )  # fmt: skip
    write_others(chain)
    command(
        "play the others by SoundFont", "muspy-core", "render", chain.others, "-o", chain.others_audio, "--overwrite"
    )
    add("mix", mix(chain))
    command(
        "take the violin out again", "clipsep", "separate", chain.mix, SOLO, "-o", chain.taken_out,
        "--residual", chain.rest, "--overwrite",
    )  # fmt: skip
    command("make a matching sound", "clipsonic", "generate", SOLO, "-o", chain.sound, "--seed", seed, "--overwrite")
    return steps


def write_others(chain: Chain) -> None:
    """Write the parts without the first one. Raises ProgramError if either has no notes."""
    music = read(chain.folder / chain.parts)
    solo, *others = music.tracks
    if not len(solo.notes) or not any(len(track.notes) for track in others):
        raise ProgramError("the piece has too few notes for an ensemble; another --seed writes another piece")
    music.tracks = others
    write_midi(chain.folder / chain.others, music)


def mix(chain: Chain) -> Run:
    """Write the solo and the others together: both at one loudness, the sum below full scale."""
    start, before = time.perf_counter(), time.process_time()
    sounds = [Audio.read(chain.folder / name) for name in (chain.solo, chain.others_audio)]
    level = [sound.resample(SAMPLE_RATE).to_stereo().normalize_rms(LEVEL_DB) for sound in sounds]
    mixed = Audio.mix(level).normalize_peak(PEAK_DB)
    mixed.write(chain.folder / chain.mix)
    report = {"output": chain.mix, "seconds_of_sound": round(mixed.duration, 3)}
    return Run("muspy_core.Audio.mix", report, time.perf_counter() - start, time.process_time() - before)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the program."""
    parser = Parser(description="One piece through all six packages, and a page that shows and plays it.")
    parser.add_argument("-o", "--output", type=Path, default=Path("demo"), metavar="FOLDER", help="(default: demo)")
    parser.add_argument("--seed", type=int, default=0, help="another seed, another piece (default: 0)")
    parser.add_argument("--notes", type=int, default=200, help="length of the piece (default: 200)")
    add_overwrite_option(parser)
    options = parser.parse_args(arguments)
    return run_command(lambda: demonstrate(options))


def demonstrate(options: argparse.Namespace) -> None:
    """Make everything, write the page, and say where it is."""
    start, before = time.perf_counter(), os.times()
    lacking = missing(PROGRAMS)
    if lacking:
        raise ProgramError(f"not installed in this environment: {', '.join(lacking)}")
    chain = Chain(options.output)
    chain.folder.mkdir(parents=True, exist_ok=True)
    there = [path for path in chain.files() if path.exists()]
    if there and not options.overwrite:
        raise FileExistsError(17, "exists already; add --overwrite to replace it", str(there[0]))
    steps = make(chain, seed=options.seed, notes=options.notes, told=lambda line: print(line, flush=True))
    drawn = time.perf_counter()
    page = page_of(chain, steps, seed=options.seed)
    page.write(chain.folder / chain.page)
    print(f"{len(steps) + 1}. {'write the page':<44} {time.perf_counter() - drawn:6.1f} s")
    used = sum(os.times()[:4]) - sum(before[:4])
    print(f"in {time.perf_counter() - start:.1f} s (processor {used:.1f} s). Open {chain.folder / chain.page}")


if __name__ == "__main__":
    sys.exit(main())
