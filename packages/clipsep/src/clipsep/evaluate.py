"""A model on mixtures of known sounds → decibels beside its baselines (§6.5.3, Tables 6.2, 6.3 and 6.6).

Every table has the mixture itself, the mixture halved (which gains 2 to 3 dB by SNR without separating anything), and
the true binary mask, the ceiling of the method. A protocol is a list of targets and a list of interferers; the
interferer of target i is drawn by i, so that all models meet the same mixtures.
"""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Literal

import numpy as np
import torch
from muspy_core import Audio
from muspy_core.errors import MediaError
from muspy_core.media import Manifest
from numpy.typing import NDArray
from torch import Tensor
from tqdm.auto import tqdm

from clipsep.config import CLIP_SAMPLES, SAMPLE_RATE
from clipsep.features.spectrogram import reconstruct, stft, true_masks, warp
from clipsep.library import Library
from clipsep.losses import combined
from clipsep.metrics import Summary, bss_eval, si_sdr, snr
from clipsep.model import Network, PITSep

Method = Literal["mixture", "half", "oracle", "model"]
LEAST_SUM = 1e-5  # clips whose absolute samples sum to less are left out, as in the published code
METRICS = ("snr", "si_sdr", "sdr", "sir", "sar")


@dataclasses.dataclass(frozen=True)
class Mixture:
    """A test mixture.

    target, others: (N,) 16 kHz. Their sum is heard. name: of the target's file. label, interferer: their labels.
    """

    target: NDArray[np.float32]
    others: NDArray[np.float32]
    name: str = ""
    label: str = ""
    interferer: str = ""

    @property
    def heard(self) -> NDArray[np.float32]:
        """The sum, (N,)."""
        return np.asarray(self.target + self.others, np.float32)


def protocol(
    targets: Manifest, interferers: Manifest, *, samples: int = CLIP_SAMPLES, n: int = 2, limit: int | None = None
) -> Iterator[Mixture]:
    """Yield the mixtures of MUSIC+ and VGGSound-Clean+: target i with interferers drawn by the seed i (§6.5.3).

    Clips are cut out of the middle, of 16 kHz, divided by n; further interferers (n > 2) are averaged into one. Draws
    are those of Python's generator seeded by i, as in the published code. Silent clips are left out.
    """
    import random

    for index in range(len(targets) if limit is None else min(limit, len(targets))):
        draw = random.Random(index)
        chosen = [draw.randint(0, len(interferers) - 1) for _ in range(n - 1)]
        target = np.asarray(middle(targets, index, samples) / n, np.float32)
        others = np.mean([middle(interferers, other, samples) for other in chosen], axis=0, dtype=np.float32) / n
        if min(np.abs(target).sum(), np.abs(others).sum()) <= LEAST_SUM:
            continue
        item, other = targets[index], interferers[chosen[0]]
        yield Mixture(target, others.astype(np.float32), item.path, item.label or "", other.label or "")


def middle(manifest: Manifest, index: int, samples: int) -> NDArray[np.float32]:
    """Return the middle of a sound, (samples,), at 16 kHz; shorter ones are repeated."""
    audio: Audio = manifest.clip(index, sample_rate=SAMPLE_RATE, channels=1).audio
    if audio.frames < samples:
        return np.asarray(audio.tile(samples).samples[0], np.float32)
    return np.asarray(audio.window(audio.frames // 2 - samples // 2, samples).samples[0], np.float32)


# --- methods: mixture → estimates of target and others ----------------------------------------------------------------

Estimates = tuple[NDArray[np.float32], NDArray[np.float32]]
Separate = Callable[[Mixture], Estimates]


def baselines() -> dict[str, Separate]:
    """Return the methods that need no model, by name."""
    return {"mixture": baseline("mixture"), "half": baseline("half"), "oracle": baseline("oracle")}


def baseline(method: Literal["mixture", "half", "oracle"]) -> Separate:
    """Return what needs no model: the mixture as it is, halved, or through the true binary mask."""

    def separate(mixture: Mixture) -> Estimates:
        heard = mixture.heard
        if method == "mixture":
            return heard, heard
        if method == "half":
            half = np.asarray(heard / 2, np.float32)
            return half, half
        spectra = stft(torch.from_numpy(np.stack([heard, mixture.target])))
        magnitudes = warp(spectra.abs())
        mask = true_masks(magnitudes[None, 1:], magnitudes[:1], "binary")[0]
        return estimates(mask, spectra[:1], len(heard))

    return separate


def by_model(
    network: Network, query_of: Callable[[Mixture], NDArray[Any]], *, noise_heads: bool = False, device: str = "cpu"
) -> Separate:
    """Return separation by a network; of several masks (PIT, or NIT with its noise heads) the best by SNR counts.

    query_of: returns the vector of a mixture's target, (D,), or the index of its label, a whole number.
    """
    network = network.eval().to(device)

    @torch.inference_mode()
    def separate(mixture: Mixture) -> Estimates:
        heard = mixture.heard
        spectrum = stft(torch.from_numpy(heard)[None].to(device))
        if isinstance(network, PITSep):
            masks = network(warp(spectrum.abs()))
        else:
            asked = torch.from_numpy(np.asarray(query_of(mixture)))[None, None].to(device)
            masks = network(warp(spectrum.abs()), asked)
        candidates = masks.queries[0]
        if noise_heads and masks.noise is not None:
            candidates = combined(masks.queries, masks.noise)[0, 0]
        tried = [estimates(mask[None], spectrum, len(heard)) for mask in candidates]
        return max(tried, key=lambda pair: snr(mixture.target, pair[0]))

    typed: Separate = separate
    return typed


def estimates(mask: Tensor, spectrum: Tensor, samples: int) -> Estimates:
    """Return the sound through a mask, and through one minus it, (samples,). mask: (1, G, T). spectrum: (1, F, T)."""
    both = [reconstruct(m, spectrum, samples)[0].cpu().numpy() for m in (mask, 1.0 - mask)]
    return both[0], both[1]


# --- figures ---------------------------------------------------------------------------------------------------------


@dataclasses.dataclass(frozen=True)
class Figures:
    """Decibels of every mixture, by metric, in the order of the mixtures; labels: (label, interferer) of each."""

    values: dict[str, NDArray[np.float64]]
    labels: list[tuple[str, str]]

    def summary(self, metric: str) -> Summary:
        """Return mean, standard error, median and n of a metric."""
        return Summary.of(self.values[metric])

    def to_dict(self) -> dict[str, Any]:
        """Return the summaries, for JSON."""
        return {metric: dataclasses.asdict(self.summary(metric)) for metric in self.values}


def measure(
    mixtures: Sequence[Mixture],
    separate: Separate,
    *,
    metrics: Sequence[str] = METRICS,
    progress: bool | None = None,
    what: str = "evaluating",
) -> Figures:
    """Return the figures of the target for each mixture.

    metrics: of `METRICS`; sir and sar cost a tenth of a second a mixture, sdr without them a quarter of that.
    """
    values: dict[str, list[float]] = {metric: [] for metric in metrics}
    filters = [metric for metric in metrics if metric in ("sdr", "sir", "sar")]
    for mixture in tqdm(mixtures, desc=what, disable=None if progress is None else not progress):
        target, others = separate(mixture)
        if "snr" in values:
            values["snr"].append(snr(mixture.target, target))
        if "si_sdr" in values:
            values["si_sdr"].append(si_sdr(mixture.target, target))
        if filters == ["sdr"]:  # which no other source has a part in
            values["sdr"].append(float(bss_eval([mixture.target], [target]).sdr[0]))
        elif filters:
            found = bss_eval([mixture.target, mixture.others], [target, others])
            for metric in filters:
                values[metric].append(float(getattr(found, metric)[0]))
    labels = [(mixture.label, mixture.interferer) for mixture in mixtures]
    return Figures({metric: np.array(numbers) for metric, numbers in values.items()}, labels)


def with_baselines(
    mixtures: Sequence[Mixture], separate: Separate, *, metrics: Sequence[str] = METRICS, progress: bool | None = None
) -> dict[str, Figures]:
    """Return the figures of the mixture, the halved mixture, the true mask, and the model, by name."""
    methods = baselines() | {"model": separate}
    return {
        name: measure(mixtures, method, metrics=metrics, progress=progress, what=name)
        for name, method in methods.items()
    }


def table(results: dict[str, Figures]) -> str:
    """Return figures as lines: mean ± standard error / median in decibels, and n."""
    metrics = list(next(iter(results.values())).values)
    width = max(len(name) for name in results)
    lines = ["  ".join([" " * width, *(f"{metric:>22}" for metric in metrics), "     n"])]
    for name, figures in results.items():
        cells = [f"{figures.summary(metric)!s:>22}" for metric in metrics]
        lines.append("  ".join([f"{name:<{width}}", *cells, f"{figures.summary(metrics[0]).n:>6}"]))
    return "\n".join(lines)


def pictures_of(library: Library) -> Callable[[Mixture], NDArray[Any]]:
    """Return what asks by the three pictures around the middle of a mixture's target, as the chapter does.

    library: the prepared folder that the targets are of. Raises LibraryError, once asked, for a target without them.
    """
    places = {item.path: index for index, item in enumerate(library.manifest)}

    def vector(mixture: Mixture) -> NDArray[Any]:
        index = places[mixture.name]
        return library.picture(index, (library.manifest[index].duration_s or 0.0) / 2)

    return vector


def read_lists(
    targets: str | os.PathLike[str], interferers: str | os.PathLike[str] | None, split: str | None = None
) -> tuple[Manifest, Manifest]:
    """Read the two lists of a protocol: manifests, or CLIPSep's four columns. One list serves as both.

    split: part of either list that is taken; None: all. Raises MediaError if there is no such part.
    """
    paths = [targets] if interferers is None else [targets, interferers]
    lists = [Manifest.read(path) for path in paths]
    if split is not None:
        lists = [listed.where(split=split) for listed in lists]
        for path, listed in zip(paths, lists, strict=True):
            if not len(listed):
                raise MediaError(f"{path}: no sound is in the part {split!r}")
    return lists[0], lists[-1]
