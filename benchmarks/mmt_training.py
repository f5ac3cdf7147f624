"""Seconds and memory of a training step of the paper's network: ours beside the same built with `x-transformers`.

    python benchmarks/mmt_training.py --threads 2 --json training.json

A step is forward, loss, backward and Adam on 8 songs of 1,024 events, 6 blocks of width 512. Each network runs in a
process of its own, whose largest resident memory is read when it ends; what imports alone take is subtracted. Dropout
is 0 unless `--dropout` says otherwise: on a CPU it takes more time than the layers do, in both networks.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import torch
from mmt.config import MMTConfig
from mmt.losses import masked_loss
from mmt.model import MMT
from mmt_generation import XTransformers, random_codes

NETWORKS = ("mmt", "x-transformers")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--songs", type=int, default=8)
    parser.add_argument("--length", type=int, default=1024)
    parser.add_argument("--steps", type=int, default=2, help="the best of so many counts")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--dropout", type=float, default=0.0)
    parser.add_argument("--network", choices=NETWORKS, help="only this one, in this process")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    if options.network is not None:
        print(json.dumps(step(options.network, options)))
        return
    results: dict[str, Any] = {}
    for network in NETWORKS:
        arguments = [argument for argument in sys.argv[1:] if not argument.startswith("--json")]
        done = subprocess.run(
            [sys.executable, __file__, *arguments, "--network", network], check=True, capture_output=True, text=True
        )
        results[network] = json.loads(done.stdout.splitlines()[-1])
        print(f"{network:16} {results[network]['seconds']:8.2f} s {results[network]['megabytes']:8.0f} MB")
    for figure in ("seconds", "megabytes"):
        results[f"{figure}_ratio"] = results["mmt"][figure] / results["x-transformers"][figure]
        print(f"{figure} of ours / x-transformers: {results[f'{figure}_ratio']:.2f}")
    if options.json is not None:
        options.json.write_text(json.dumps(results | {"load": os.getloadavg()[0]}, indent=1) + "\n")


def step(network: str, options: argparse.Namespace) -> dict[str, float]:
    """Return the seconds of the best step, and the memory that the network and its steps took."""
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    codes = random_codes(options.songs, options.length + 1)
    inputs, targets = codes[:, :-1], codes[:, 1:]
    mask = torch.ones(targets.shape[:2], dtype=torch.bool)
    config = MMTConfig(dropout=options.dropout)
    model = MMT(config) if network == "mmt" else XTransformers(config)
    optimizer = torch.optim.Adam(model.parameters(), 5e-4)
    seconds = []
    for _ in range(options.steps):
        start = time.perf_counter()
        logits = model(inputs, targets) if isinstance(model, MMT) else model(inputs)
        loss = masked_loss(logits, targets, mask)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        seconds.append(time.perf_counter() - start)
    return {
        "seconds": min(seconds),
        "megabytes": (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024,
    }


if __name__ == "__main__":
    main()
