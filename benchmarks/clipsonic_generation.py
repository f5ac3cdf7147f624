"""Seconds of clipsonic's sampling by size, steps, duration and threads, beside diffusers' own loop.

    python benchmarks/clipsonic_generation.py --threads 2                         the bundled size, 2 s of sound
    python benchmarks/clipsonic_generation.py --duration 60 --memory              and the peak of memory
    python benchmarks/clipsonic_generation.py --size paper --peer --steps 2       the paper's network, two guided steps

Networks have random weights, which cost what trained ones do. The peer is diffusers' own loop over the same U-Net:
passes with and without the query in one batch, then the step of the scheduler. Both run alternately in one process, and
the best of several runs counts. Seconds are those of the clock; `processor_seconds` are those that the process worked.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from clipsonic.canvas import Canvas
from clipsonic.config import MelConfig, NetworkConfig
from clipsonic.guidance import guided
from clipsonic.model import TIME_SCALE, SoundDiffusion
from clipsonic.sampling import Sampling, generators_of, sample
from torch.nn import functional as F

SIZES = {
    "instruments": NetworkConfig(384, (32, 64, 96), 1, (False, True, True), 32, 16, variance="fixed", patch=2),
    "tiny-3lvl": NetworkConfig(384, (32, 64, 96), 1, (False, False, True), 32, 16, variance="fixed"),
    "small": NetworkConfig(384, (32, 64, 96, 128), 1, (False, False, True, True), 32, 16, variance="fixed"),
    "paper": NetworkConfig(),
}
GUIDANCE, SEED = 1.5, 0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--size", choices=SIZES, default="instruments")
    parser.add_argument("--steps", type=int, default=25)
    parser.add_argument("--duration", type=float, default=2.048)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--peer", action="store_true")
    parser.add_argument("--memory", action="store_true")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    results = measure(options.size, options.steps, options.duration, options.repeats, peer=options.peer)
    results |= {"threads": options.threads, "load": os.getloadavg()[0]}
    if options.memory:
        results["peak_megabytes"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    for name, value in results.items():
        print(f"{name:28} {value:,.3f}" if isinstance(value, float) else f"{name:28} {value}")
    if options.json is not None:
        options.json.write_text(json.dumps(results, indent=1) + "\n")


def measure(size: str, steps: int, duration: float, repeats: int, *, peer: bool) -> dict[str, Any]:
    """Return the seconds of one sound's sampling, without the vocoder, and the peer's."""
    torch.random.manual_seed(SEED)
    config, mel = SIZES[size], MelConfig()
    model = SoundDiffusion(config).eval()
    query = torch.randn(1, config.query_dim)
    frames = -(-mel.frames(duration) // config.multiple) * config.multiple

    def ours() -> None:
        canvas = Canvas(guided(model, query, weight=GUIDANCE))
        sample(canvas, (mel.n_mels, frames), generators_of([SEED]), config, Sampling(steps))

    ways: dict[str, Callable[[], None]] = {"seconds": ours}
    if peer:
        ways["peer_seconds"] = lambda: plain_loop(model, query, (mel.n_mels, frames), steps)
    best = dict.fromkeys(ways, float("inf"))
    worked = float("inf")
    with torch.inference_mode():
        for way in ways.values():
            way()
        for _ in range(repeats):
            for name, way in ways.items():
                start, processor = time.perf_counter(), time.process_time()
                way()
                best[name] = min(best[name], time.perf_counter() - start)
                worked = min(worked, time.process_time() - processor) if name == "seconds" else worked
    results: dict[str, Any] = {"size": size, "parameters": model.n_parameters, "steps": steps, "frames": frames}
    results |= best | {"processor_seconds": worked}
    if peer:
        results["ratio_to_peer"] = best["seconds"] / best["peer_seconds"]
    return results


def plain_loop(model: SoundDiffusion, query: torch.Tensor, size: tuple[int, int], steps: int) -> None:
    """Diffusers' form: both passes in one batch, the scheduler's own clipping, noise predicted."""
    import diffusers

    config = model.config
    scheduler = diffusers.UniPCMultistepScheduler(
        num_train_timesteps=config.steps, beta_schedule="squaredcos_cap_v2", thresholding=True, sample_max_value=1.0
    )
    scheduler.set_timesteps(steps)
    labels = torch.cat([model.condition(query), model.unconditional(1)])
    mels = torch.randn(1, 1, *size, generator=torch.Generator().manual_seed(SEED))
    for step in scheduler.timesteps:
        times = step.float() * (TIME_SCALE / config.steps)
        patches = F.pixel_unshuffle(mels.repeat(2, 1, 1, 1), config.patch)
        said = F.pixel_shuffle(model.unet(patches, times, class_labels=labels).sample, config.patch)[:, :1]
        guided_noise = said[1:] + GUIDANCE * (said[:1] - said[1:])
        mels = scheduler.step(guided_noise, step, mels).prev_sample


if __name__ == "__main__":
    main()
