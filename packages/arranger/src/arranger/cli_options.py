"""Options that several of the program's commands share: the model, and what the user demands of the parts (`cli`)."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

MODES = ("online", "offline", "causal", "tempo-free")


def add_model(parser: argparse.ArgumentParser, more: str = "", mode: str = "online") -> None:
    """Add `--model` and `--mode`."""
    parser.add_argument(
        "--model",
        default="bach-chorales",
        help=f"bundled name, folder or hub:OWNER/NAME{more} (default: bach-chorales)",
    )
    parser.add_argument(
        "--mode",
        choices=MODES,
        default=mode,
        help="online: chord by chord; offline: with the whole piece in view; causal: note by note; "
        f"tempo-free: offline, for performances without a beat (default: {mode})",
    )


def add_demands(parser: argparse.ArgumentParser) -> None:
    """Add what a user may demand of the parts while music is played."""
    parser.add_argument("--parts", metavar="NAMES", help="instruments from the highest: violin,violin,viola,cello")
    parser.add_argument("--exclude", action="append", default=[], metavar="PART", help="a part to leave empty")
    parser.add_argument(
        "--range", action="append", default=[], metavar="PART=LOW-HIGH", help="pitches a part may have: Alto=G3-D5"
    )
    parser.add_argument(
        "--polyphony", action="append", default=[], metavar="PART=N", help="notes a part may play at once: Viola=2"
    )


def add_locks(parser: argparse.ArgumentParser) -> None:
    """Add what a user may demand of the notes of a file."""
    parser.add_argument(
        "--lock", type=Path, metavar="FILE", help="notes whose part is fixed: lines of onset,pitch,part"
    )
    parser.add_argument(
        "--fix", action="append", default=[], metavar="TRACK=PART", help="a track whose notes all go to one part"
    )
    parser.add_argument(
        "--unisons",
        choices=["single", "double"],
        default="single",
        help="double: a part that would be silent joins its most probable note (default: single)",
    )


def control_of_options(options: argparse.Namespace, mode: str | None = None) -> Any:
    """Return the demands, checked against the parts of the model; an unknown model is said here."""
    from arranger.checkpoint import load_checkpoint
    from arranger.control import control_of

    return control_of(
        load_checkpoint(options.model, mode or options.mode).config.part_set,
        ensemble=options.parts,
        excluded=options.exclude,
        ranges=options.range,
        polyphony=options.polyphony,
        locks=getattr(options, "lock", None),
        tracks=getattr(options, "fix", ()),
    )
