"""What the commands `generate` and `stream` share: options, and what they mean (parse)."""

from __future__ import annotations

import argparse
import dataclasses
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from muspy_core.console import positive

if TYPE_CHECKING:
    from muspy_core import Music

    from mmt.checkpoint import Checkpoint
    from mmt.generate import Options


def add_sampling(parser: argparse.ArgumentParser) -> None:
    """Add the options that say how songs are drawn."""
    group = parser.add_argument_group("how they are drawn")
    group.add_argument("--model", default="default", help="bundled name, folder or hub:OWNER/NAME (default: default)")
    group.add_argument(
        "--precision", choices=("float32", "int8"), default="float32", help="int8: faster on a CPU (default: float32)"
    )
    group.add_argument("--length", type=positive, default=512, metavar="N", help="events at most (default: 512)")
    group.add_argument("--temperature", type=float, default=1.0, metavar="T", help="above 0 (default: 1)")
    group.add_argument("--top-p", type=float, default=0.95, metavar="P", help="mass of codes kept (default: 0.95)")
    group.add_argument("--paper", action="store_true", help="the paper's filter and rules instead of ours")
    group.add_argument("--seed", type=int, default=0, help="song i is drawn from SEED + i (default: 0)")
    group.add_argument("--lowest", type=int, default=0, metavar="PITCH", help="lowest MIDI pitch (default: 0)")
    group.add_argument("--highest", type=int, default=127, metavar="PITCH", help="highest MIDI pitch (default: 127)")
    group.add_argument("--polyphony", type=positive, metavar="N", help="most notes that may start together")
    group.add_argument("--max-beats", type=positive, metavar="N", help="beats after which a song ends")


def sampling_options(options: argparse.Namespace) -> Options:
    """Return what `add_sampling` was given, checked. Raises ValueError."""
    from mmt.generate import Options
    from mmt.grammar import Bans
    from mmt.sampling import PAPER, Sampling

    return Options(
        length=options.length,
        sampling=PAPER if options.paper else Sampling(options.temperature, "top-p", options.top_p),
        rules="published" if options.paper else "grammar",
        bans=Bans((options.lowest, options.highest), options.polyphony, options.max_beats),
        seed=options.seed,
    )


def load_model(options: argparse.Namespace) -> Checkpoint:
    """Load the model that is named, in the precision that is wanted."""
    from mmt.checkpoint import load_checkpoint
    from mmt.int8 import to_int8

    checkpoint = load_checkpoint(options.model)
    if options.precision == "float32":
        return checkpoint
    return dataclasses.replace(checkpoint, model=to_int8(checkpoint.model))


def instrument_names(text: str | None) -> list[str] | None:
    """Return the names of a comma-separated list; None if none was given."""
    return None if text is None else [name.strip() for name in text.split(",") if name.strip()]


def read_piece(path: Path) -> Music:
    """Read a piece that the model can go on with. Raises EncodingError for one without notes that it knows."""
    from muspy_core import read

    from mmt.notes import EncodingError, notes_of

    music: Music | list[Music] = read(path)
    if isinstance(music, list):
        raise ValueError(f"{path}: {len(music)} tunes; take one out by `muspy-core convert --tune N`")
    if not len(notes_of(music)):
        drums = "only drums, which the model does not know" if any(track.is_drum for track in music.tracks) else None
        raise EncodingError(f"{path}: has {drums or 'no note of an instrument that the model knows'}")
    return music


def warnings_of(checkpoint: Checkpoint, names: Iterable[str]) -> list[str]:
    """Return a line for each instrument that the model hardly heard when it was trained."""
    hours = checkpoint.training.hours
    return [
        f"{name} played in {hours.get(name, 0.0):.1f} h of the music that {checkpoint.name} was trained on: "
        "do not expect much of it"
        for name in checkpoint.training.hardly_heard(names)
    ]
