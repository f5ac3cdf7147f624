"""Notes a second of the Multitrack Music Transformer with a cache, beside the same network without one.

    python benchmarks/mmt_generation.py --steps 256 --threads 1 --json mmt.json      our model alone
    python benchmarks/mmt_generation.py --steps 1024 --threads 1 --peers              and two peers, which take minutes

The model has the paper's size (19.9 M parameters) and random weights, whose type head favours notes, so that songs do
not end. Peers, on the same machine in the same run: the uncached loop that the published code runs (the whole song is
read again for every event), and the same network built with the `x-transformers` package, which does the same.
Steps of the peers are timed at a few lengths and summed over all by interpolation, which is said in the output.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from mmt.config import Heads, MMTConfig
from mmt.encoding import NOTE
from mmt.generate import Options, instrument_informed, stream
from mmt.model import MMT

PROBES = 6  # lengths at which a step of a peer is timed
SEED = 0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--steps", type=int, default=256)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--heads", choices=["parallel", "conditional"], default="parallel")
    parser.add_argument("--peers", action="store_true")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    results = measure(options.steps, options.heads, peers=options.peers)
    results["threads"] = options.threads
    for name, value in results.items():
        print(f"{name:28} {value:,.2f}" if isinstance(value, float) else f"{name:28} {value}")
    if options.json is not None:
        options.json.write_text(json.dumps(results, indent=1) + "\n")


def measure(steps: int, heads: Heads, *, peers: bool) -> dict[str, Any]:
    """Return notes a second of our model and, if wanted, of the peers, with the ratios."""
    model = random_model(heads)
    seconds = generate(model, steps)
    results: dict[str, Any] = {
        "notes_per_second": steps / seconds,
        "parameters": model.n_parameters,
        "steps": steps,
        "heads": heads,
    }
    if peers:
        for name, read in (("uncached", uncached(model)), ("x_transformers", x_transformers())):
            rate = steps / interpolated(read, steps)
            results[f"{name}_notes_per_second"] = rate
            results[f"ratio_to_{name}"] = results["notes_per_second"] / rate
    return results


def random_model(heads: Heads) -> MMT:
    """A model of the paper's size whose songs go on: notes are likely, and beats follow closely."""
    torch.random.manual_seed(SEED)
    model = MMT(MMTConfig(heads=heads)).eval()
    with torch.no_grad():
        biases = model.heads.logits.bias.split(model.heads.sizes) if heads == "parallel" else [
            field.logits.bias for field in model.heads.fields
        ]  # fmt: skip
        biases[0][NOTE] += 30
        biases[1].sub_(torch.arange(len(biases[1])) * 0.5)
    return model


def generate(model: MMT, steps: int) -> float:
    """Return the seconds for so many notes of one song, drawn under the grammar; a short run warms up."""
    prompt = instrument_informed(["piano", "violin", "cello", "flute"])
    for warm in stream(model, prompt, Options(8, seed=SEED)):
        del warm
    start = time.perf_counter()
    notes = sum(event[0] == NOTE for event in stream(model, prompt, Options(steps, seed=SEED)))
    seconds = time.perf_counter() - start
    if notes < steps - 1:
        raise RuntimeError(f"the song ended after {notes} of {steps} notes")
    return seconds


def uncached(model: MMT) -> Callable[[torch.Tensor], Any]:
    """The published loop: every step reads all events and computes the logits of all of them."""
    return lambda codes: model(codes, codes)


def x_transformers() -> Callable[[torch.Tensor], Any]:
    """The same network by the `x-transformers` package: six summed embeddings, six heads."""
    from x_transformers import Decoder

    config = MMTConfig()
    torch.random.manual_seed(SEED)
    embeddings = torch.nn.ModuleList(torch.nn.Embedding(size, config.dim) for size in config.sizes)
    positions = torch.nn.Embedding(config.max_length, config.dim)
    decoder = Decoder(dim=config.dim, depth=config.depth, heads=config.attention_heads).eval()
    heads = torch.nn.ModuleList(torch.nn.Linear(config.dim, size) for size in config.sizes)

    def read(codes: torch.Tensor) -> Any:
        events = sum(table(codes[..., i]) for i, table in enumerate(embeddings))
        hidden = decoder(events + positions(torch.arange(codes.shape[1])) * config.dim**-0.5)
        return [head(hidden) for head in heads]

    return read


@torch.inference_mode()
def interpolated(read: Callable[[torch.Tensor], Any], steps: int) -> float:
    """Return the seconds that `steps` steps take whose lengths grow from 1, by timing some of them."""
    lengths = np.unique(np.linspace(1, min(steps, 1024), PROBES).astype(int))
    generator = torch.Generator().manual_seed(SEED)
    seconds = []
    for length in lengths.tolist():
        columns = [torch.randint(size, (1, length), generator=generator) for size in MMTConfig().sizes]
        codes = torch.stack(columns, -1)
        read(codes)
        start = time.perf_counter()
        read(codes)
        seconds.append(time.perf_counter() - start)
    return float(np.interp(np.arange(1, steps + 1), lengths, seconds).sum())


if __name__ == "__main__":
    main()
