"""Noise → spectrograms, step by step: the paper's ancestral sampler and solvers that need few steps (§7.4.1).

The steps themselves are those of diffusers' schedulers. They are handed clean spectrograms rather than noise, after
clipping to ±1 and after what is known has been put in: without clipping a network that predicts noise blows up in few
steps, since √ᾱ is 1.2e-5 where sampling begins. Every item has a generator of its own, so that a sound does not
depend on what is made beside it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol, get_args

import torch
from torch import Tensor

from clipsonic.config import ModelError, NetworkConfig
from clipsonic.model import Output
from clipsonic.schedule import CosineSchedule

Sampler = Literal["unipc", "dpm++", "ddim", "ddpm"]


@dataclass(frozen=True)
class Sampling:
    """How spectrograms are drawn.

    steps: how many of the schedule's steps are visited, evenly spaced from the last to the first. sampler: `unipc` and
    `dpm++` are solvers of second order, `ddim` one of first order; `ddpm` adds noise at each step, and needs hundreds.
    """

    steps: int = 25
    sampler: Sampler = "unipc"

    def __post_init__(self) -> None:
        if self.sampler not in get_args(Sampler):
            raise ModelError(f"sampler={self.sampler!r}: choose one of {', '.join(get_args(Sampler))}")
        if self.steps < 1:
            raise ModelError(f"sampling needs at least 1 step, got {self.steps}")


PAPER = Sampling(1000, "ddpm")


class Predictor(Protocol):
    """What predicts: a `Guided` network, or a `Canvas` of it."""

    def __call__(self, mels: Tensor, step: Tensor) -> Output:
        """Return the prediction for noisy spectrograms (B, 1, M, T) at a step ()."""


@dataclass(frozen=True)
class Known:
    """What is given of spectrograms and stays. mels: (B, 1, M, T) within ±1. mask: (B, 1, M, T) bool."""

    mels: Tensor
    mask: Tensor


@dataclass(frozen=True)
class Start:
    """Spectrograms from which sampling sets out instead of from noise.

    mels: (B, 1, M, T) within ±1. strength: share of the steps that are done, above 0 and at most 1: 1 forgets them.
    """

    mels: Tensor
    strength: float

    def __post_init__(self) -> None:
        if not 0 < self.strength <= 1:
            raise ModelError(f"the strength must be above 0 and at most 1, got {self.strength}")


@dataclass(frozen=True)
class Progress:
    """A step that was done. step: its number, from 1. steps: how many there are. mels: the clean estimate then."""

    step: int
    steps: int
    mels: Tensor


def sample(
    predictor: Predictor,
    size: tuple[int, int],
    generators: Sequence[torch.Generator],
    config: NetworkConfig,
    sampling: Sampling | None = None,
    *,
    known: Known | None = None,
    start: Start | None = None,
    device: str | torch.device = "cpu",
) -> Tensor:
    """Return spectrograms, (B, 1, M, T) within ±1; see `sample_steps`."""
    mels = torch.empty(0)
    steps = sample_steps(predictor, size, generators, config, sampling, known=known, start=start, device=device)
    for progress in steps:
        mels = progress.mels
    return mels


def sample_steps(
    predictor: Predictor,
    size: tuple[int, int],
    generators: Sequence[torch.Generator],
    config: NetworkConfig,
    sampling: Sampling | None = None,
    *,
    known: Known | None = None,
    start: Start | None = None,
    device: str | torch.device = "cpu",
) -> Iterator[Progress]:
    """Draw spectrograms, and tell of every step; the last one's `mels` are the result.

    size: (M, T), multiples of `config.multiple`. generators: one on the CPU for each item. known: what is kept. start:
    what is varied. device: of the predictor and of what is known; noise is drawn on the CPU, the same for every one.
    Raises ModelError for a size that the network cannot have and for more steps than the schedule has.
    """
    sampling = sampling or Sampling()
    if size[0] % config.multiple or size[1] % config.multiple or min(size) < 1:
        raise ModelError(f"{size[0]} bands × {size[1]} frames: both must be multiples of {config.multiple}")
    schedule = CosineSchedule(config.steps)
    scheduler = scheduler_of(sampling, config)
    mels = draw_noise(size, generators).to(device)
    timesteps: Tensor = scheduler.timesteps
    if start is not None:
        done = max(round(start.strength * len(timesteps)), 1)
        timesteps = timesteps[len(timesteps) - done :]
        mels = schedule.add_noise(start.mels, mels, timesteps[:1].expand(len(mels)))
    # Schedulers that add noise take a generator; UniPC and DPM-Solver++ are deterministic.
    drawing: dict[str, Any] = {"generator": list(generators)} if sampling.sampler == "ddpm" else {}
    for number, step in enumerate(timesteps, 1):
        with torch.inference_mode():
            output = predictor(mels, step)
            clean = schedule.clean(config.prediction, output.prediction, mels, step.expand(len(mels))).clamp(-1, 1)
            if known is not None:
                clean = torch.where(known.mask, known.mels, clean)
            said = clean
            if sampling.sampler == "ddpm" and output.variance is not None:
                said = torch.cat([clean, output.variance], 1)
            (mels, *_) = scheduler.step(said, step, mels, return_dict=False, **drawing)
        yield Progress(number, len(timesteps), clean)


def scheduler_of(sampling: Sampling, config: NetworkConfig) -> Any:
    """Return diffusers' scheduler, which is handed clean spectrograms (`prediction_type="sample"`).

    Raises ModelError for more steps than the network was trained on.
    """
    import diffusers

    if sampling.steps > config.steps:
        raise ModelError(f"{sampling.steps} steps, but the model was trained on a schedule of {config.steps}")
    common: dict[str, Any] = {
        "num_train_timesteps": config.steps,
        "beta_schedule": "squaredcos_cap_v2",
        "prediction_type": "sample",
        "timestep_spacing": "linspace",
    }
    if sampling.sampler == "ddpm":
        variance = "fixed_small" if config.variance == "fixed" else "learned_range"
        scheduler: Any = diffusers.DDPMScheduler(**common, variance_type=variance, clip_sample=False)
    elif sampling.sampler == "ddim":
        scheduler = diffusers.DDIMScheduler(**common, clip_sample=False, set_alpha_to_one=True)
    elif sampling.sampler == "dpm++":
        scheduler = diffusers.DPMSolverMultistepScheduler(**common, algorithm_type="dpmsolver++", solver_order=2)
    else:
        scheduler = diffusers.UniPCMultistepScheduler(**common, solver_order=2)
    scheduler.set_timesteps(sampling.steps)
    return scheduler


def draw_noise(size: tuple[int, int], generators: Sequence[torch.Generator]) -> Tensor:
    """Return noise for each generator's item, (B, 1, M, T)."""
    return torch.stack([torch.randn((1, *size), generator=generator) for generator in generators])


def generators_of(seeds: Sequence[int]) -> list[torch.Generator]:
    """Return a generator for each item's seed."""
    return [torch.Generator().manual_seed(seed) for seed in seeds]
