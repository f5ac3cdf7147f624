"""A trained model → the ways of asking for two sounds at once, and of asking without one (C10; no training).

    python -m clipsep.experiments.combinations --data data/stems --model instruments

Two of three instruments are wanted: by one text that names both, by the mean of two vectors, by the greater of two
masks or by their sum. Then one of two, by two wordings for it, and by its name alone, also without the mask of the
other, or by the other alone. The validation part decides the defaults of `separate`; the test part is what counts.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from muspy_core.console import Parser, run_command
from muspy_core.runs import write_figures
from numpy.typing import NDArray
from torch import Tensor

from clipsep.evaluate import Figures, Mixture, Separate, baselines, estimates, measure, middle
from clipsep.experiments.runs import SAMPLES, mixture_of
from clipsep.experiments.stems import Pair, pairs_of
from clipsep.features.queries import QueryEncoder
from clipsep.features.spectrogram import stft, warp
from clipsep.library import Library
from clipsep.metrics import bootstrap_interval
from clipsep.model import Network
from clipsep.separate import Separator

EACH = 2  # test mixtures of an ordered pair of classes: 264 of twelve classes
FILE = "combinations.json"


@dataclass(frozen=True)
class Way:
    """A way to ask. texts: what is asked, by the labels of both sounds. join: their masks, (texts, G, T) → one."""

    name: str
    title: str
    texts: Callable[[str, str], list[str]]
    join: Callable[[Tensor], Tensor]
    mean_vector: bool = False


def _both(first: str, second: str) -> list[str]:
    return [first, second]


def _worded(first: str, second: str) -> list[str]:
    return [first, f"the sound of a {first}"]


WAYS: dict[str, tuple[Way, ...]] = {
    "two of three": (
        Way("text", "“A and B” in one text", lambda a, b: [f"{a} and {b}"], lambda masks: masks[0]),
        Way("mean", "mean of both vectors (`--combine mean`)", _both, lambda masks: masks[0], mean_vector=True),
        Way("max", "the greater of both masks (`--combine max`)", _both, lambda masks: masks.amax(0)),
        Way("sum", "sum of both masks, at most 1 (`--combine sum`)", _both, lambda masks: masks.sum(0).clamp(max=1.0)),
    ),
    "one of two, worded twice": (
        Way("mean", "mean of both vectors", _worded, lambda masks: masks[0], mean_vector=True),
        Way("max", "the greater of both masks", _worded, lambda masks: masks.amax(0)),
        Way("sum", "sum of both masks, at most 1", _worded, lambda masks: masks.sum(0).clamp(max=1.0)),
    ),
    "one of two": (
        Way("name", "A", lambda a, b: [a], lambda masks: masks[0]),
        Way("negative", "A without B (`--negative B`)", _both, lambda masks: masks[0] * (1.0 - masks[1])),
        Way("rest", "what B leaves", lambda a, b: [b], lambda masks: 1.0 - masks[0]),
    ),
}
DEFAULTS = {"two of three": "max", "one of two, worded twice": "max", "one of two": "name"}
SPLITS = ("validation", "test")


def by_way(network: Network, encoder: QueryEncoder, way: Way) -> Separate:
    """Return separation by a way to ask; a mixture's label and interferer are what is asked for."""
    network = network.eval()
    known: dict[str, NDArray[np.float32]] = {}

    def vectors(mixture: Mixture) -> NDArray[np.float32]:
        texts = way.texts(mixture.label, mixture.interferer)
        for text in texts:
            if text not in known:
                known[text] = encoder.text(text)
        rows = np.stack([known[text] for text in texts])
        return np.asarray(rows.mean(0, keepdims=True) if way.mean_vector else rows, np.float32)

    @torch.inference_mode()
    def separate(mixture: Mixture) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        spectrum = stft(torch.from_numpy(mixture.heard)[None])
        masks = network(warp(spectrum.abs()), torch.from_numpy(vectors(mixture))[None]).queries[0]
        return estimates(way.join(masks)[None], spectrum, len(mixture.heard))

    typed: Separate = separate
    return typed


def two_of_three(library: Library, pair: Pair) -> Mixture:
    """Return a mixture of three sounds of which two are the target; label and interferer name these two."""
    mixture = mixture_of(library, Pair(pair.target, pair.other, pair.gain_db))
    assert pair.noise is not None  # pairs_of(noise=True) draws one
    third = np.asarray(middle(library.manifest, pair.noise, SAMPLES) / 2, np.float32)
    return Mixture(mixture.heard, third, mixture.name, mixture.label, mixture.interferer)


def figures_of(library: Library, split: str, network: Network, encoder: QueryEncoder) -> dict[str, Any]:
    """Return SI-SDR gains over the mixture by task and way, with their differences to the default way."""
    three = [two_of_three(library, pair) for pair in pairs_of(library, EACH, split=split, noise=True)]
    two = [mixture_of(library, pair) for pair in pairs_of(library, EACH, split=split)]
    return {task: _task(task, three if task == "two of three" else two, network, encoder) for task in WAYS}


def _task(task: str, mixtures: Sequence[Mixture], network: Network, encoder: QueryEncoder) -> dict[str, Any]:
    without = {name: measure(mixtures, method, metrics=("si_sdr",)) for name, method in baselines().items()}
    heard = without["mixture"].values["si_sdr"]
    gains = {
        way.name: measure(mixtures, by_way(network, encoder, way), metrics=("si_sdr",)).values["si_sdr"] - heard
        for way in WAYS[task]
    }
    return {
        "n": len(mixtures),
        "oracle": Figures({"si_sdr_gain": without["oracle"].values["si_sdr"] - heard}, []).to_dict()["si_sdr_gain"],
        "ways": {name: _described(values, gains[DEFAULTS[task]]) for name, values in gains.items()},
    }


def _described(gains: NDArray[np.float64], default: NDArray[np.float64]) -> dict[str, Any]:
    difference = gains - default
    return {
        **Figures({"si_sdr_gain": gains}, []).to_dict()["si_sdr_gain"],
        "beside_default": float(np.mean(difference)),
        "interval": list(bootstrap_interval(difference, np.random.default_rng(0))),
    }


def page(figures: dict[str, Any]) -> list[str]:
    """Return the table as lines of Markdown."""
    lines = ["| wanted | asked by | validation | test: SI-SDR gain | median | beside the default (95 %) | n |"]
    lines.append(f"|{'---|' * 7}")
    for task, made in figures["test"].items():
        decided = figures["validation"][task]
        for way in WAYS[task]:
            found = made["ways"][way.name]
            is_default = way.name == DEFAULTS[task]
            low, high = found["interval"]
            beside = "default" if is_default else f"{found['beside_default']:+.2f} ({low:+.2f} to {high:+.2f})"
            cells = [task, way.title, _mean(decided["ways"][way.name]), _mean(found), f"{found['median']:+.2f}", beside]
            lines.append(f"| {' | '.join(cells)} | {made['n']} |")
        cells = [task, "*true binary mask*", _mean(decided["oracle"]), _mean(made["oracle"])]
        lines.append(f"| {' | '.join(cells)} | {made['oracle']['median']:+.2f} | | {made['n']} |")
    return [*lines, "", f"`{figures['command']}`", ""]


def _mean(summary: dict[str, Any]) -> str:
    return f"{summary['mean']:+.2f} ± {summary['standard_error']:.2f}"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the program and return its exit code."""
    parser = Parser(prog="python -m clipsep.experiments.combinations", description="Compare ways to ask a model.")
    parser.add_argument("--data", type=Path, required=True, metavar="FOLDER", help="folder of the stems")
    parser.add_argument("--model", default="instruments", help="bundled name or folder (default: instruments)")
    parser.add_argument("--results", type=Path, default=Path("docs/clipsep/results"), metavar="FOLDER", help="figures")
    parser.add_argument("--debug", action="store_true", help="show the traceback of an error")
    options = parser.parse_args(arguments)
    return run_command(lambda: _run(options), debug=options.debug)


def _run(options: argparse.Namespace) -> int:
    separator = Separator.from_pretrained(options.model)
    if separator.encoder is None:
        raise ValueError(f"{options.model}: takes no queries, so that none can be combined")
    library = Library.read(options.data)
    made = {split: figures_of(library, split, separator.network, separator.encoder) for split in SPLITS}
    command = f"python -m clipsep.experiments.combinations --data DATA --model {options.model}"
    options.results.mkdir(parents=True, exist_ok=True)
    write_figures(options.results / FILE, {"model": str(options.model), "command": command, **made})
    sys.stdout.write("\n".join(page({"command": command, **made})) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
