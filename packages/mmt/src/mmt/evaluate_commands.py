"""`mmt evaluate`: a model beside the test songs, as lines, as JSON, and as figures (parse, call, report)."""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from muspy_core.console import EXIT_OK, add_command, add_json_option, positive, print_step

from mmt.cli_options import add_sampling, sampling_options

if TYPE_CHECKING:
    from mmt.assessment import Assessment, Corpus
    from mmt.attention import Evidence
    from mmt.checkpoint import Checkpoint

ATTENTION_SONGS = 100


def add_evaluate(commands: Any) -> None:
    """Add the command."""
    parser = add_command(
        commands, "evaluate", _evaluate, "measure a model on test songs", "mmt evaluate --data data --n 100"
    )
    parser.add_argument(
        "--data", type=Path, required=True, metavar="FOLDER", help="songs of `mmt prepare`, those it was trained with"
    )
    parser.add_argument("--n", type=positive, default=100, metavar="N", help="samples (default: 100)")
    parser.add_argument(
        "--notes", type=positive, default=64, metavar="N", help="notes of the excerpts for -log p (default: 64)"
    )
    parser.add_argument("--figures", type=Path, metavar="FOLDER", help="draw the attention (extra: render)")
    add_json_option(parser)
    add_sampling(parser)


def _evaluate(options: argparse.Namespace) -> int:
    settings = sampling_options(options)
    from mmt.assessment import Corpus, assess
    from mmt.checkpoint import load_checkpoint

    start = time.perf_counter()
    checkpoint = load_checkpoint(options.model)
    corpus = Corpus.of(options.data, checkpoint.training)
    found = assess(checkpoint, corpus, settings, options.n, options.notes)
    report: dict[str, Any] = found.to_dict()
    claims: list[Evidence] = []
    if options.figures is not None:
        claims = _attention(checkpoint, corpus, options.figures)
        report["attention"] = [{**vars(claim), "verdict": claim.verdict} for claim in claims]
    if options.json:
        print(json.dumps(report, indent=2))
        return EXIT_OK
    for line in lines(found):
        print(line)
    for claim in claims:
        if claim.head:
            continue  # lines are about the mean of all heads, the JSON report about each
        interval = f"{claim.mean:+.4f}, 95 % from {claim.low:+.4f} to {claim.high:+.4f}"
        print(f"attention to {claim.claim}: {claim.verdict} ({interval})")
    print_step(f"measured {found.n_samples} samples and {found.test_songs} test songs", time.perf_counter() - start)
    if options.figures is not None:
        print(f"next: see {options.figures}")
    return EXIT_OK


def lines(found: Assessment) -> list[str]:
    """Return what was found, one line each."""
    result = [f"{'':22}{'test songs':>20}{'samples':>20}"]
    for name, inside in found.within_sd.items():
        truth, samples = getattr(found.truth, name), getattr(found.samples, name)
        mark = "" if inside else "   further than 1 sd of the test songs"
        result.append(f"{name.replace('_', ' '):22}{truth!s:>20}{samples!s:>20}{mark}")
    result.append(
        f"-log p of a note: {found.nll_note:.3f} nats, a bigram's {found.bigram_nll_note:.3f} "
        f"(the first {found.excerpt_notes} notes of {found.test_songs} songs)"
    )
    if found.validity is not None:
        shares = {name: value for name, value in vars(found.validity).items() if name != "songs" and value}
        faults = ", ".join(f"{name} {value:.1%}" for name, value in shares.items())
        result.append(f"samples with a fault: {faults or 'none'}")
    result.append(f"longest run of notes in common with a training song: {found.longest_copy}")
    if found.playing is not None:
        result.append(f"instruments asked for that play: {found.playing:.1%}")
    result.append(f"length {found.length_s} s, {found.notes} notes, {found.notes_per_s:.0f} notes a second")
    return result


def _attention(checkpoint: Checkpoint, corpus: Corpus, folder: Path) -> list[Evidence]:
    import numpy as np

    from mmt.assessment import beats_of
    from mmt.attention import draw, evidence, relative_attentions
    from mmt.attention_maps import draw_maps, draw_similarities
    from mmt.encoding import encode
    from mmt.evaluate import plain

    folder.mkdir(parents=True, exist_ok=True)
    beats = beats_of(checkpoint.model)
    songs = [encode(plain(corpus.test[index], beats)) for index in range(min(ATTENTION_SONGS, len(corpus.test)))]
    measured = relative_attentions(checkpoint.model, songs)
    for field, found in measured.items():
        for extension in ("png", "pdf"):
            draw(found, folder / f"{field}-gain.{extension}")
            draw(found, folder / f"{field}-attention.{extension}", gain=False)
    draw_maps(checkpoint.model, songs, folder)
    draw_similarities(checkpoint.model, folder)
    return evidence(measured, np.random.default_rng(0))
