"""`clipsep prepare`: its options, and what they mean for `clipsep.prepare` (a part of cli)."""

from __future__ import annotations

import argparse
import json
import sys
import time
from pathlib import Path
from typing import Any

from muspy_core.console import EXIT_OK, EXIT_SOME_FAILED, add_command, add_json_option, positive, print_step


def add_prepare(commands: Any) -> None:
    """Add the command to the sub-commands of a parser."""
    parser = add_command(commands, "prepare", _prepare, "prepare videos or sounds for training",
                         "clipsep prepare videos -o data --clip-weights open_clip_model.safetensors")  # fmt: skip
    add_json_option(parser)
    parser.add_argument("input", type=Path, metavar="FOLDER", help="videos or sounds; sub-folders are labels")
    parser.add_argument("-o", "--output", type=Path, required=True, metavar="FOLDER", help="folder to write into")
    parser.add_argument(
        "--set", choices=("folder", "music", "vggsound", "vggsound-clean", "esc50"), default="folder",
        help="a published set whose files lie in FOLDER (default: folder)",
    )  # fmt: skip
    parser.add_argument(
        "--without-music", action="store_true", help="VGGSound: leave out music, as interferers of MUSIC+ do"
    )
    parser.add_argument("--list", type=Path, metavar="FILE", help="vggsound.csv, or MUSIC-21's JSON list")
    parser.add_argument(
        "--clip-model", default="ViT-B-32-quickgelu", metavar="NAME", help="open_clip name or .json file"
    )
    parser.add_argument("--clip-weights", metavar="FILE", help="file or tag: vectors of pictures and labels by CLIP")
    parser.add_argument(
        "--resnet-weights", metavar="FILE", help="vectors of pictures by torchvision's resnet18 (Sound of Pixels)"
    )
    parser.add_argument("--sentence", action="store_true", help="vectors of labels by a sentence encoder")
    parser.add_argument("--min-similarity", type=float, metavar="X", help="leave out videos that fit their label less")
    parser.add_argument("--split", default="0.8,0.1,0.1", metavar="A,B,C", help="shares of train, test, validation")
    parser.add_argument("--seed", type=int, default=0, help="of the split (default: 0)")
    parser.add_argument("-j", "--jobs", type=positive, default=1, metavar="N", help="processes (default: 1)")


def _prepare(options: argparse.Namespace) -> int:
    from clipsep.prepare import prepare

    start = time.perf_counter()
    try:
        shares = [float(share) for share in options.split.split(",")]
    except ValueError:
        raise ValueError(f"--split {options.split}: shares are numbers, such as 0.8,0.1,0.1") from None
    made = prepare(
        _source(options),
        options.output,
        encoder=_encoder(options),
        shares=shares,
        seed=options.seed,
        min_similarity=options.min_similarity,
        jobs=options.jobs,
    )
    manifest = made.library.manifest
    counts = {str(split): count for split, count in manifest.splits.items()}
    if options.json:
        report = {"sounds": len(manifest), "labels": list(manifest.labels), "split": counts, "failed": made.failed,
                  "left_out": made.left_out}  # fmt: skip
        print(json.dumps(report, indent=2, ensure_ascii=False))
    else:
        shown = ", ".join(f"{split} {count}" for split, count in counts.items())
        print_step(f"prepared {len(manifest)} sounds of {len(manifest.labels)} labels: {shown}",
                   time.perf_counter() - start)  # fmt: skip
        if made.left_out:
            print(f"left out {made.left_out} whose pictures do not fit their label")
        with_vectors = "music-sop" if options.resnet_weights else "small-text"
        best = with_vectors if made.library.vectors.dim else "small-labelsep"
        print(f"next: clipsep fit -c {best} --data.folder {options.output}")
    for name, reason in made.failed:
        print(f"failed: {name}: {reason}", file=sys.stderr)
    return EXIT_SOME_FAILED if made.failed else EXIT_OK


def _source(options: argparse.Namespace) -> Any:
    from muspy_core import media

    if options.without_music and not options.set.startswith("vggsound"):
        raise ValueError(f"--without-music is an option of the sets vggsound and vggsound-clean, not of {options.set}")
    music = False if options.without_music else None
    if options.set == "music":
        return media.music(options.input, ids=options.list)
    if options.set == "vggsound":
        if options.list is None:
            raise ValueError("--set vggsound needs --list vggsound.csv, the published list")
        return media.vggsound(options.input, options.list, music=music)
    if options.set == "vggsound-clean":
        return media.vggsound_clean(options.input, music=music)
    return media.esc50(options.input) if options.set == "esc50" else options.input


def _encoder(options: argparse.Namespace) -> Any:
    from clipsep.features.queries import ClipQueries, SentenceQueries
    from clipsep.features.wordings import TRAINING_TEMPLATES

    cache = options.output / "cache"
    if options.clip_weights:
        from muspy_core.media import ClipEncoder

        options.output.mkdir(parents=True, exist_ok=True)
        return ClipQueries(ClipEncoder(options.clip_model, options.clip_weights, cache=cache), TRAINING_TEMPLATES)
    if options.min_similarity is not None:
        raise ValueError("--min-similarity compares pictures with labels, and needs --clip-weights")
    if options.resnet_weights:
        from clipsep.resnet import ResNetQueries

        return ResNetQueries(options.resnet_weights, cache=cache)
    return SentenceQueries() if options.sentence else None
