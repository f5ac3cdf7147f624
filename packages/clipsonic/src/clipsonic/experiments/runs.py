"""Rows → trainings and sounds → figures on disk: one JSON file a row (data → results).

A training is continued from its last checkpoint if it was interrupted; a row that has its file is not done again.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import lightning as L
import numpy as np
import torch
from muspy_core import Audio
from muspy_core.pretrained import CONFIG_NAME
from muspy_core.runs import write_figures

from clipsonic.aisfx import load_aisfx
from clipsonic.checkpoint import load_prior, load_vocoder
from clipsonic.clips import TABLE, Clip, Clips, DataError
from clipsonic.config import MelConfig
from clipsonic.evaluate import Reference, balanced, figures, generate_for, mean_mel_baseline, reference_of
from clipsonic.experiments import sounds
from clipsonic.experiments.tables import Row, Table, Training
from clipsonic.experiments.vocoders import Made, choose
from clipsonic.features.queries import SentenceEncoder, Vectors
from clipsonic.features.spectrogram import torch_mel_spectrogram
from clipsonic.fit import CONFIGS, fit
from clipsonic.generate import Query, Settings, Synthesizer
from clipsonic.metrics import mean_cosine
from clipsonic.prior import sample_images
from clipsonic.sampling import Sampling, generators_of
from clipsonic.vocoder.losses import log_mel_error
from clipsonic.vocoder.matching import ITERATIONS, to_sound

VocoderChoice = Literal["chosen", "trained", "griffin-lim"]
SAMPLE_SEEDS = 10_000  # between the sounds of two sampling seeds
CHUNK = 16


@dataclass(frozen=True)
class Plan:
    """Where things are, and how much is done.

    runs: data and trainings. results: figures. n: sounds of a row. vocoder: of generated sounds: the trained one, the
    one that needs no training, or the better of the two by validation sounds.
    """

    runs: Path
    results: Path
    budget_s: float
    n: int = 512
    max_steps: int | None = None
    vocoder: VocoderChoice = "chosen"
    table: str = "instruments"

    @property
    def made_by(self) -> Made:
        """What makes generated sounds; measured when it is first asked for, if it is to be chosen."""
        if self.vocoder != "chosen":
            return self.vocoder
        export = self.runs / "vocoder" / "export"
        return choose(export, self.runs / "data" / "sounds", self.results / self.table).made

    @property
    def vocoder_folder(self) -> Path | None:
        """The folder of the trained vocoder, None for Griffin-Lim."""
        return self.runs / "vocoder" / "export" if self.made_by == "trained" else None


def run_missing(table: Table, plan: Plan, source: sounds.Source, only: Sequence[str] | None = None) -> Iterator[str]:
    """Do the next missing rows with the trainings they need, until the budget is spent; yield a line for each step."""
    start = time.monotonic()
    data = plan.runs / "data"
    if not (data / "pairs" / TABLE).is_file():
        sounds.build(source, data)
        yield f"rendered sounds into {data}"
    reference: Reference | None = None
    trainings = {training.name: training for training in table.trainings}
    wanted = [row for row in table.rows if only is None or row.name in only]
    for row in wanted:
        path = plan.results / table.name / f"{row.name}.json"
        if path.is_file():
            continue
        for name in row.needs:
            left = plan.budget_s - (time.monotonic() - start)
            if left <= 0:
                yield f"the budget is spent; the next row is {row.name}"
                return
            if not train(trainings[name], plan, left, trainings):
                yield f"the budget is spent in the training {name}; it will be continued"
                return
        if time.monotonic() - start > plan.budget_s:
            yield f"the budget is spent; the next row is {row.name}"
            return
        if reference is None:
            clips = Clips.load(data / "sounds")
            reference = reference_of(clips, load_aisfx(), MelConfig(), sounds.SECONDS, plan.n)
        began = time.monotonic()
        values = measure(row, plan, reference)
        values["seconds"] = round(time.monotonic() - began, 1)
        path.parent.mkdir(parents=True, exist_ok=True)
        write_figures(path, values)
        yield f"{row.name}: FD-aisfx {values['fd_aisfx']:.3f}, accuracy {values['accuracy']:.3f}"


# --- trainings -------------------------------------------------------------------------------------------------------


def train(training: Training, plan: Plan, seconds: float, others: Mapping[str, Training]) -> bool:
    """Train, or go on training, for at most so many seconds; return whether it is finished.

    others: by name, for a training that begins with the model of another one.
    """
    folder = plan.runs / training.name
    done = folder / "done"
    if done.is_file():
        return True
    began = time.monotonic()
    last = folder / "last.ckpt"
    arguments = ["--ckpt_path", str(last)] if last.is_file() else []
    if training.begin and not arguments:
        if not train(others[training.begin], plan, seconds, others):
            return False
        arguments = ["--init-from", str(plan.runs / training.begin / "export")]
    fit(["-c", str(_configuration(training, plan, seconds)), *arguments])
    finished = time.monotonic() - began < seconds
    if finished:
        done.write_text("", encoding="utf-8")
    return finished


def _configuration(training: Training, plan: Plan, seconds: float) -> Path:
    """Write the configuration of a training: the shipped one, with this run's folders, length and time."""
    import yaml

    values = yaml.safe_load((CONFIGS / f"{training.config}.yaml").read_text(encoding="utf-8"))
    folder = plan.runs / training.name
    values["data"]["folder"] = str(plan.runs / "data" / training.data)
    trainer = values["trainer"]
    trainer["enable_progress_bar"] = False
    if plan.max_steps is not None:
        trainer["max_steps"] = plan.max_steps
        trainer["val_check_interval"] = min(trainer["val_check_interval"], plan.max_steps)
    trainer["logger"]["init_args"] |= {"save_dir": str(plan.runs), "name": training.name}
    export, checkpoint = trainer["callbacks"]
    export["init_args"]["folder"] = str(folder / "export")
    checkpoint["init_args"]["dirpath"] = str(folder)
    deadline = {"seconds": seconds, "checkpoint": str(folder / "last.ckpt")}
    trainer["callbacks"].append({"class_path": "clipsonic.experiments.runs.Deadline", "init_args": deadline})
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "configuration.yaml"
    path.write_text(yaml.safe_dump(values, sort_keys=False), encoding="utf-8")
    return path


class Deadline(L.Callback):
    """Stops a training after a time, with a checkpoint from which it goes on.

    Lightning's own limit counts the time of all runs of a training together.

    Args:
        seconds: From the start of this run.
        checkpoint: File to write.
    """

    def __init__(self, seconds: float, checkpoint: str) -> None:
        self.seconds, self.checkpoint = seconds, checkpoint
        self.start = time.monotonic()

    def on_train_batch_end(self, trainer: L.Trainer, *_: Any, **__: Any) -> None:
        """Stop if it is time."""
        if time.monotonic() - self.start > self.seconds and not trainer.should_stop:
            trainer.save_checkpoint(self.checkpoint)
            trainer.should_stop = True


# --- rows ------------------------------------------------------------------------------------------------------------


def measure(row: Row, plan: Plan, reference: Reference) -> dict[str, Any]:
    """Return the figures of a row."""
    clips = Clips.load(plan.runs / "data" / "sounds")
    labels = list(reference.labels[: row.n])
    extra: dict[str, Any] = {}
    if row.path in ("real", "other"):
        audios, labels = _real(row, plan, clips)
    elif row.path == "copy":
        audios, extra["log_mel_error"] = copies(row, plan, reference)
    elif row.path == "mean-mel":
        audios = mean_mel_baseline(clips, _synthesizer(row, plan), labels, reference.seconds)
        # The same sound for all clips of a label has no spread of its own; it is shifted in time to count as many.
        audios = [Audio(np.roll(audio.samples, 160 * index), audio.sample_rate) for index, audio in enumerate(audios)]
    else:
        synthesizer = _synthesizer(row, plan)
        vectors, images = query_vectors(row, plan, clips, labels)
        queries = [Query(vector, label) for vector, label in zip(vectors, labels, strict=True)]
        settings = Settings(sounds.SECONDS, Sampling(row.steps, row.sampler), row.guidance)
        began = time.process_time()
        audios = generate_for(synthesizer, queries, settings, seed=SAMPLE_SEEDS * row.seed)
        extra["cpu_seconds_a_sound"] = round((time.process_time() - began) / len(audios), 3)
        extra["network_steps"] = synthesizer.network.steps
        extra["cosine"] = mean_cosine(vectors, images)
        extra["cosine_within"] = _within(vectors, labels)
        extra["guidance"], extra["steps"], extra["sampler"] = row.guidance, row.steps, row.sampler
        extra["vocoder"] = plan.made_by
    return {"row": row.name, "seed": row.seed, **figures(audios, labels, reference), **extra}


def query_vectors(row: Row, plan: Plan, clips: Clips, labels: Sequence[str]) -> tuple[Vectors, Vectors]:
    """Return the query of each test clip by the row's path, and the image vector of a clip with its label, (n, D) each.

    Texts are test wordings, which no training has read.
    """
    rng = np.random.default_rng(row.seed)
    tested = {label: [clip for clip in clips.of("test") if clip.label == label] for label in set(labels)}
    images = np.stack([_drawn(clips.image_vectors(_one(tested[label], rng)), rng) for label in labels])
    if row.path == "IQ":
        # Other images of the same clips, so that the cosine is not that of a vector with itself.
        return np.stack([_drawn(clips.image_vectors(_one(tested[label], rng)), rng) for label in labels]), images
    if row.path == "label":
        names = clips.label_vectors()
        return np.stack([names[label][0] for label in labels]), images
    wordings = clips.label_vectors("test")
    texts = np.stack([_drawn(wordings[label], rng) for label in labels])
    if row.path in ("ZS", "TTA"):
        return texts, images
    prior, _ = load_prior(plan.runs / f"prior-{row.path.lower()}" / "export")
    made = [
        sample_images(
            prior,
            torch.from_numpy(texts[first : first + CHUNK]),
            generators_of(
                [SAMPLE_SEEDS * row.seed + first + index for index in range(len(texts[first : first + CHUNK]))]
            ),
        ).numpy()
        for first in range(0, len(texts), CHUNK)
    ]
    return np.concatenate(made), images


def copies(row: Row, plan: Plan, reference: Reference) -> tuple[list[Audio], float]:
    """Return the test sounds made again of their spectrograms, and the error of their log-mel bands in nats.

    The row's name says by what, and whether they are matched to their spectrograms.
    """
    vocoder = load_vocoder(plan.runs / "vocoder" / "export")
    chosen = None if "griffin-lim" in row.name else vocoder
    iterations = ITERATIONS if row.name.endswith("matched") else 0
    waves = torch.from_numpy(np.concatenate([audio.samples for audio in reference.audios]))
    made = []
    with torch.inference_mode():
        for part in torch_mel_spectrogram(waves, vocoder.mel).split(CHUNK):
            made.append(to_sound(part, vocoder.mel, chosen, iterations=iterations))
        sounds_made = torch.cat(made)
        error = float(log_mel_error(sounds_made, waves, vocoder.mel))
    return [Audio(wave.clamp(-1, 1).numpy(), vocoder.mel.sample_rate) for wave in sounds_made], error


def _synthesizer(row: Row, plan: Plan) -> Synthesizer:
    network = plan.runs / row.needs[1] / "export"
    if not (network / CONFIG_NAME).is_file():
        raise DataError(f"{network}: the training has exported no network yet")
    return Synthesizer.from_pretrained(network, vocoder=plan.vocoder_folder or "griffin-lim", encoder=SentenceEncoder())


def _real(row: Row, plan: Plan, clips: Clips) -> tuple[list[Audio], list[str]]:
    """Training clips, or test clips with the other SoundFont."""
    other = row.path == "other"
    source = Clips.load(plan.runs / "data" / "other") if other else clips
    chosen = balanced(source.of("test" if other else "train"), plan.n, np.random.default_rng(row.seed))
    return [source.audio(clip) for clip in chosen], [clip.label for clip in chosen]


def _one(clips: Sequence[Clip], rng: np.random.Generator) -> Clip:
    return clips[int(rng.integers(len(clips)))]


def _drawn(vectors: Vectors, rng: np.random.Generator) -> Vectors:
    return np.asarray(vectors[rng.integers(len(vectors))], np.float32)


def _within(vectors: Vectors, labels: Sequence[str]) -> float:
    """Mean cosine of pairs of queries of one label: 1 where a prior says the same for all."""
    rows = np.array(labels)
    directions = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    values = []
    for label in sorted(set(labels)):
        group = directions[rows == label]
        if len(group) > 1:
            values.append((np.square(group.sum(0)).sum() - len(group)) / (len(group) * (len(group) - 1)))
    return float(np.mean(values)) if values else float("nan")
