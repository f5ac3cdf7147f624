"""Sounds beside real ones → figures: FD-aisfx, the judge's accuracy, diversity, cosines, guidance sweeps (§7.4.3)."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from muspy_core import Audio
from numpy.typing import NDArray
from tqdm.auto import tqdm

from clipsonic.aisfx import AisfxNet, aisfx_vectors
from clipsonic.clips import Clip, Clips, DataError
from clipsonic.config import MelConfig
from clipsonic.features.queries import CLAP_TEMPLATE, ClapQueries, Vectors
from clipsonic.generate import Query, Settings, Synthesizer
from clipsonic.judge import Judge, clip_mels, mels_of, train_judge
from clipsonic.metrics import frechet_distance, half_split_floor, mean_cosine, mean_pairwise_distance

WEIGHTS = (1.0, 1.25, 1.5, 2.0, 2.5, 3.0, 4.0)  # of the guidance in Figure 7.3


@dataclasses.dataclass(frozen=True)
class Reference:
    """Real test sounds, and those that judge by them. audios, labels: (n,). vectors: (n, 512)."""

    audios: list[Audio]
    labels: list[str]
    vectors: NDArray[np.float32]
    judge: Judge
    network: AisfxNet
    mel: MelConfig
    seconds: float


def reference_of(
    clips: Clips, network: AisfxNet, mel: MelConfig, seconds: float, n: int, *, seed: int = 0
) -> Reference:
    """Return n test clips, drawn evenly over labels, and a judge taught by the training clips."""
    chosen = balanced(clips.of("test"), n, np.random.default_rng(seed))
    samples = mel.frames(seconds) * mel.hop_length
    audios = [Audio(clips.samples(clip, 0, samples), clips.sample_rate) for clip in chosen]
    mels, labels = clip_mels(clips, "train", seconds, mel)
    judge = train_judge(mels, labels, seed=seed)
    vectors = aisfx_vectors(network, audios)
    return Reference(audios, [clip.label for clip in chosen], vectors, judge, network, mel, seconds)


def balanced(clips: Sequence[Clip], n: int, rng: np.random.Generator) -> list[Clip]:
    """Return n clips, as many of each label as there are, in an order of turns. Raises DataError without labels."""
    by_label: dict[str, list[Clip]] = {}
    for clip in clips:
        if clip.label:
            by_label.setdefault(clip.label, []).append(clip)
    if not by_label:
        raise DataError("no clip has a label")
    for group in by_label.values():
        rng.shuffle(group)  # type: ignore[arg-type]  # NumPy shuffles lists of anything in place
    longest = max(map(len, by_label.values()))
    turns = [group[turn] for turn in range(longest) for _, group in sorted(by_label.items()) if turn < len(group)]
    return turns[:n]


def figures(audios: Sequence[Audio], labels: Sequence[str], reference: Reference, *, seed: int = 0) -> dict[str, Any]:
    """Return the figures of sounds that were made for labels: FD-aisfx, accuracy, diversity, and those of real sounds.

    accuracy: share that the judge takes for its label; accuracy_shuffled: for another sound's label, a control.
    """
    vectors = aisfx_vectors(reference.network, audios)
    said = reference.judge.predict(mels_of(audios, reference.seconds, reference.mel))
    real_said = reference.judge.predict(mels_of(reference.audios, reference.seconds, reference.mel))
    rng = np.random.default_rng(seed)
    floor = half_split_floor(reference.vectors, rng)
    shuffled = [labels[index] for index in rng.permutation(len(labels))]
    n = min(len(vectors), len(reference.vectors))
    pairs = list(zip(said, labels, strict=True))
    return {
        "n": n,
        "fd_aisfx": frechet_distance(vectors[:n], reference.vectors[:n]),
        "fd_aisfx_real_halves": floor.mean,
        "n_real_halves": floor.n,
        "accuracy": _share(said, labels),
        "accuracy_shuffled": _share(said, shuffled),
        "accuracy_real": _share(real_said, reference.labels),
        "diversity": mean_pairwise_distance(vectors),
        "diversity_real": mean_pairwise_distance(reference.vectors),
        "accuracy_by_label": {
            label: _share([one for one, wanted in pairs if wanted == label], [label] * labels.count(label))
            for label in sorted(set(labels))
        },
    }  # fmt: skip


def clap_scores(clap: ClapQueries, audios: Sequence[Audio], labels: Sequence[str]) -> NDArray[np.float64]:
    """Return the cosine of each sound to the text of its label by CLAP, (n,): the CLAP score of Table 7.1."""
    texts = clap.texts([CLAP_TEMPLATE.format(label) for label in labels]).astype(np.float64)
    sounds = np.concatenate([clap.sounds([audio]) for audio in audios]).astype(np.float64)
    return np.asarray((texts * sounds).sum(1) / (np.linalg.norm(texts, axis=1) * np.linalg.norm(sounds, axis=1)))


def window_scores(
    clap: ClapQueries, audio: Audio, label: str, window_s: float = 4.0, hop_s: float = 0.5
) -> NDArray[np.float64]:
    """Return the CLAP scores of the windows of a sound, (windows,): Table 7.5 has their maximum, mean and minimum."""
    starts = np.arange(0, max(audio.duration - window_s, 0) + 1e-9, hop_s)
    windows = [audio.excerpt(start, start + window_s) for start in starts]
    return clap_scores(clap, windows, [label] * len(windows))


def generate_for(
    synthesizer: Synthesizer,
    queries: Sequence[Query],
    settings: Settings,
    *,
    seed: int = 0,
    progress: bool | None = None,
) -> list[Audio]:
    """Return one sound for each query; sound i is drawn from seed + i, whatever the guidance or steps."""
    shown = tqdm(queries, desc="generating", disable=None if progress is None else not progress)
    return [synthesizer.generate(query, seed=seed + index, settings=settings)[0] for index, query in enumerate(shown)]


def guidance_sweep(
    make: Callable[[float], Sequence[Audio]],
    labels: Sequence[str],
    reference: Reference,
    weights: Sequence[float] = WEIGHTS,
    *,
    clap: ClapQueries | None = None,
) -> dict[float, dict[str, Any]]:
    """Return the figures at every weight of the guidance (Figure 7.3).

    make: sounds at a weight, of the same noise for all. clap: for the mean CLAP score beside the other figures.
    """
    found = {}
    for weight in weights:
        audios = make(weight)
        found[weight] = figures(audios, labels, reference)
        if clap is not None:
            found[weight]["clap_score"] = float(clap_scores(clap, audios, labels).mean())
    return found


def cosine_table(images: Vectors, queries: Mapping[str, Vectors]) -> dict[str, float]:
    """Return the mean cosine of each kind of query to the true image vectors, (n, D) each (Table 7.2)."""
    return {name: mean_cosine(vectors, images) for name, vectors in queries.items()}


def mean_mel_baseline(clips: Clips, synthesizer: Synthesizer, labels: Sequence[str], seconds: float) -> list[Audio]:
    """Return for each label the sound of the mean spectrogram of its training clips."""
    mels, names = clip_mels(clips, "train", seconds, synthesizer.network.mel)
    import torch

    rows = np.array(names)
    means = {label: synthesizer.sound(torch.from_numpy(mels[rows == label].mean(0))) for label in set(labels)}
    return [means[label] for label in labels]


def nearest_training_clips(
    clips: Clips, reference: Reference, audios: Sequence[Audio], limit: int = 1000
) -> NDArray[np.float64]:
    """Return the distance of each sound's vector to the nearest training clip's, (n,): small ones are copies."""
    samples = reference.mel.frames(reference.seconds) * reference.mel.hop_length
    train = [Audio(clips.samples(clip, 0, samples), clips.sample_rate) for clip in clips.of("train")[:limit]]
    known = aisfx_vectors(reference.network, train).astype(np.float64)
    made = aisfx_vectors(reference.network, audios).astype(np.float64)
    squares = np.square(made).sum(1)[:, None] + np.square(known).sum(1) - 2 * made @ known.T
    return np.asarray(np.sqrt(squares.clip(min=0)).min(1))


def _share(said: Sequence[str], wanted: Sequence[str]) -> float:
    pairs = list(zip(said, wanted, strict=True))
    return sum(one == other for one, other in pairs) / max(len(pairs), 1)
