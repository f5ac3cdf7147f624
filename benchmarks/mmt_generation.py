"""Notes a second of the Multitrack Music Transformer with a cache, beside the same network without one.

    python benchmarks/mmt_generation.py --steps 256 --threads 1 --json mmt.json      our model alone
    python benchmarks/mmt_generation.py --steps 1024 --threads 1 --peers              and two peers, which take minutes
    python benchmarks/mmt_generation.py --steps 1024 --threads 2 --precision int8     the fastest mode
    python benchmarks/mmt_generation.py --steps 256 --threads 2 --songs 16            sixteen songs at once

The model has the paper's size (19.9 M parameters) and random weights, whose type head favours notes, so that songs do
not end. Peers, on the same machine in the same run: the uncached loop that the published code runs (the whole song is
read again for every event), and the same network built with the `x-transformers` package, which does the same.
Steps of the peers are timed at a few lengths and summed over all by interpolation. Seconds are those of the clock;
`processor_seconds` are those that the process worked, which is less where other work shares the machine.
"""

from __future__ import annotations

import argparse
import json
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from mmt.config import Heads, MMTConfig
from mmt.encoding import BEAT, NOTE, PITCH, POSITION
from mmt.generate import Options, generate, instrument_informed
from mmt.int8 import to_int8
from mmt.model import MMT

PROBES = 6  # lengths at which a step of a peer is timed
SEED = 0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--steps", type=int, default=256)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--songs", type=int, default=1)
    parser.add_argument("--heads", choices=["parallel", "conditional"], default="parallel")
    parser.add_argument("--precision", choices=["float32", "int8"], default="float32")
    parser.add_argument("--peers", action="store_true")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    results = measure(options.steps, options.songs, options.heads, options.precision, peers=options.peers)
    results |= {"threads": options.threads, "load": os.getloadavg()[0]}
    for name, value in results.items():
        print(f"{name:28} {value:,.2f}" if isinstance(value, float) else f"{name:28} {value}")
    if options.json is not None:
        options.json.write_text(json.dumps(results, indent=1) + "\n")


def measure(steps: int, songs: int, heads: Heads, precision: str, *, peers: bool) -> dict[str, Any]:
    """Return notes a second of our model and, if wanted, of the peers, with the ratios."""
    model = random_model(heads)
    parameters = model.n_parameters
    seconds, processor_seconds = timed(model if precision == "float32" else to_int8(model), steps, songs)
    results: dict[str, Any] = {
        "notes_per_second": steps * songs / seconds,
        "parameters": parameters,
        "processor_seconds": processor_seconds,
        "steps": steps,
        "songs": songs,
        "heads": heads,
        "precision": precision,
    }
    if peers:
        for name, read in (("uncached", uncached(model)), ("x_transformers", x_transformers())):
            rate = steps / interpolated(read, steps)
            results[f"{name}_notes_per_second"] = rate
            results[f"ratio_to_{name}"] = results["notes_per_second"] / rate
    return results


def random_model(heads: Heads) -> MMT:
    """A model of the paper's size whose songs go on: notes are likely, and follow one another closely."""
    torch.random.manual_seed(SEED)
    model = MMT(MMTConfig(heads=heads)).eval()
    with torch.no_grad():
        biases = model.heads.logits.bias.split(model.heads.sizes) if heads == "parallel" else [
            field.logits.bias for field in model.heads.fields
        ]  # fmt: skip
        biases[0][NOTE] += 30
        for field, step in ((BEAT, 4.0), (POSITION, 2.0), (PITCH, 0.3)):  # else the 256 beats are soon over
            biases[field].sub_(torch.arange(len(biases[field])) * step)
    return model


def timed(model: MMT, steps: int, songs: int) -> tuple[float, float]:
    """Return the seconds for so many notes of each song, drawn under the grammar; a short run warms up."""
    prompts = [instrument_informed(["piano", "violin", "cello", "flute"])] * songs
    generate(model, prompts, Options(8, seed=SEED))
    start, worked = time.perf_counter(), time.process_time()
    made = generate(model, prompts, Options(steps, seed=SEED))
    seconds, worked = time.perf_counter() - start, time.process_time() - worked
    notes = sum(int((song[:, 0] == NOTE).sum()) for song in made)
    if notes < (steps - 1) * songs:
        raise RuntimeError(f"songs ended after {notes} of {steps * songs} notes")
    return seconds, worked


def uncached(model: MMT) -> Callable[[torch.Tensor], Any]:
    """The published loop: every step reads all events and computes the logits of all of them."""
    return lambda codes: model(codes, codes)


def x_transformers() -> Callable[[torch.Tensor], Any]:
    """The same network by the `x-transformers` package: six summed embeddings, six heads."""
    return XTransformers(MMTConfig(dropout=0)).eval()


class XTransformers(torch.nn.Module):
    """The paper's network as the published code builds it, by the `x-transformers` package."""

    def __init__(self, config: MMTConfig) -> None:
        from x_transformers import Decoder

        super().__init__()
        torch.random.manual_seed(SEED)
        self.embeddings = torch.nn.ModuleList(torch.nn.Embedding(size, config.dim) for size in config.sizes)
        self.positions = torch.nn.Embedding(config.max_length, config.dim)
        self.decoder = Decoder(
            dim=config.dim,
            depth=config.depth,
            heads=config.attention_heads,
            attn_dropout=config.dropout,
            ff_dropout=config.dropout,
        )
        self.dropout = torch.nn.Dropout(config.dropout)
        self.heads = torch.nn.ModuleList(torch.nn.Linear(config.dim, size) for size in config.sizes)
        self.scale = config.dim**-0.5

    def forward(self, codes: torch.Tensor) -> list[torch.Tensor]:
        events = sum(table(codes[..., i]) for i, table in enumerate(self.embeddings))
        positions = self.positions(torch.arange(codes.shape[1])) * self.scale
        hidden = self.decoder(self.dropout(events + positions))
        return [head(hidden) for head in self.heads]


@torch.inference_mode()
def interpolated(read: Callable[[torch.Tensor], Any], steps: int) -> float:
    """Return the seconds that `steps` steps take whose lengths grow from 1, by timing some of them."""
    lengths = np.unique(np.linspace(1, min(steps, 1024), PROBES).astype(int))
    seconds = []
    for length in lengths.tolist():
        codes = random_codes(1, length)
        read(codes)
        start = time.perf_counter()
        read(codes)
        seconds.append(time.perf_counter() - start)
    return float(np.interp(np.arange(1, steps + 1), lengths, seconds).sum())


def random_codes(songs: int, length: int) -> torch.Tensor:
    """Codes of the paper's sizes, (songs, length, 6)."""
    generator = torch.Generator().manual_seed(SEED)
    columns = [torch.randint(size, (songs, length), generator=generator) for size in MMTConfig().sizes]
    return torch.stack(columns, -1)


if __name__ == "__main__":
    main()
