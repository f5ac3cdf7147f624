"""Rows of the tables → LightningCLI configurations, one file for each (Table 5.1, and beyond the paper).

    python -m deepperformer.experiments.configs          # writes src/deepperformer/configs/*.yaml again

`paper-…` have the paper's sizes and steps, `small-…` those that two CPU cores train in minutes or hours.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

from muspy_core.runs import write_configurations

from deepperformer.features.marks import MARKS

PIANO = ("max_time: 100", "max_duration: 100")


@dataclass(frozen=True)
class Recipe:
    """What a configuration says. fields: of the model's configuration. options: of its training."""

    name: str
    about: str
    kind: str
    steps: int
    fields: tuple[str, ...] = ()
    options: tuple[str, ...] = ()
    data: tuple[str, ...] = ()
    every: int = 500


_SMALL = ("dim: 128", "ffn: 256", "dropout: 0.0")
_SHORT = ("schedule: constant", "learning_rate: 5.0e-4", "warmup_steps: 100")
_ABLATIONS = (
    ("full", "ours", ()),
    ("without-notewise", "without note-wise positional encoding", ("notewise: false",)),
    ("without-performer", "without performer embedding", ("performers: 0",)),
    ("without-encoder", "without encoder", ("encoder: rolls",)),
)
_OPTIONS = (
    ("marks", "articulations and ornaments read", (f"marks: {len(MARKS)}",)),
    ("condition", "two recording conditions known", ("conditions: 2",)),
)
_DEVIATION = ("target: deviation", "time_encoding: delta")
_CAREFUL = (
    "schedule: constant", "learning_rate: 3.0e-4", "warmup_steps: 100", "loss: absolute", "transpose: 5",
    "stretch: 1.25",
)  # fmt: skip
_TARGETS = (
    ("", "", ()),
    ("-delta", ", onsets read as distances from the one before", ("time_encoding: delta",)),
    ("-deviation", ", deviations from constant tempo", ("target: deviation",)),
    ("-ratio", ", ratios of inter-onset times", ("target: ratio",)),
    ("-ratio-delta", ", ratios, onsets read as distances", ("target: ratio", "time_encoding: delta")),
    ("-ratio-without-performer", ", ratios, without performer embedding", ("target: ratio", "performers: 0")),
    ("-without-performer", ", without performer embedding", ("performers: 0",)),
)


def recipes() -> Iterator[Recipe]:
    """Yield the recipe of every configuration."""
    for suffix, about, fields in _TARGETS:
        yield Recipe(
            f"paper-alignment{suffix}", f"The alignment model at full size{about}", "alignment", 10_000, fields
        )
    yield Recipe(
        "small-alignment", "The alignment model for a small data set", "alignment", 2500, _DEVIATION, _CAREFUL, (), 250
    )
    for name, about, fields in _ABLATIONS:
        yield Recipe(f"paper-violin-{name}", f"Table 5.1, violin, {about}", "synthesis", 100_000, fields, (), (), 2000)
    for name, about, fields in _ABLATIONS:
        yield Recipe(
            f"paper-piano-{name}", f"Table 5.1, piano, {about}", "synthesis", 250_000, (*PIANO, *fields), (), (), 2000
        )
    for name, about, fields in _ABLATIONS:
        small = (*_SMALL, *fields)
        yield Recipe(
            f"small-{name}", f"Table 5.1 at a size for two CPU cores, {about}", "synthesis", 5000, small, _SHORT
        )
    for name, about, fields in _OPTIONS:
        small = (*_SMALL, *fields)
        yield Recipe(f"small-{name}", f"Beyond the paper, {about}", "synthesis", 5000, small, _SHORT)
    adversary = (*_SHORT, "adversarial_weight: 0.05", "adversarial_start: 1000")
    yield Recipe(
        "small-adversarial", "Beyond the paper, a discriminator of mel patches", "adversarial", 5000, _SMALL, adversary
    )
    rolls = ("inputs: rolls", "performers: 17")
    clips = ("frames: 32", "sound: samples")
    yield Recipe("paper-baseline", "Table 5.1, HiFi-GAN on piano rolls", "baseline", 100_000, rolls, (), clips, 2000)
    few = ("discriminator_scale: 0.125", "warmup_steps: 1000")
    yield Recipe("small-baseline", "The baseline with small discriminators", "baseline", 5000, rolls, few, clips)
    yield Recipe("hifigan-v1", "HiFi-GAN v1 as published", "hifigan", 1_000_000, ("channels: 512",), (), (), 5000)
    yield Recipe("hifigan-v2", "HiFi-GAN v2 as published", "hifigan", 1_000_000, (), (), (), 5000)
    v3 = (
        "channels: 256", "rates: [8, 8, 4]", "kernels: [16, 16, 8]", "block: 2", "block_kernels: [3, 5, 7]",
        "dilations: [[1, 2], [2, 6], [3, 12]]",
    )  # fmt: skip
    yield Recipe("hifigan-v3", "HiFi-GAN v3 as published", "hifigan", 1_000_000, v3, (), (), 5000)
    yield Recipe("small-hifigan-v2", "HiFi-GAN v2 with small discriminators", "hifigan", 20_000, (), few)
    yield Recipe("istft", "The iSTFT inverter with the published discriminators", "istft", 1_000_000, (), (), (), 5000)
    yield Recipe("small-istft", "The iSTFT inverter with small discriminators", "istft", 20_000, (), few)
    yield Recipe(
        "small-phase",
        "The inverter of phase changes, at a size for two CPU cores",
        "phase",
        6000,
        ("dim: 160", "hidden: 440"),  # so that the bundle has less than 12 MB
        (),
        (),
        1000,
    )


MODULES = {
    "alignment": ("training.AlignmentModule", "config.AlignmentConfig"),
    "synthesis": ("training.SynthesisModule", "config.SynthesisConfig"),
    "adversarial": ("adversarial.AdversarialSynthesisModule", "config.SynthesisConfig"),
    "baseline": ("vocoder.training.InverterModule", "config.HiFiGANConfig"),
    "hifigan": ("vocoder.training.InverterModule", "config.HiFiGANConfig"),
    "istft": ("vocoder.training.InverterModule", "config.ISTFTConfig"),
    "phase": ("vocoder.phase_training.PhaseModule", "config.PhaseConfig"),
}
MONITORS = {"alignment": "val_onset_ms", "synthesis": "val_mse", "adversarial": "val_mse", "baseline": "val_mse"}
OF_SYNTHESIS = ("synthesis", "adversarial")
STEPPED_BY_HAND = ("adversarial", "baseline", "hifigan", "istft")  # several optimisers: the trainer clips no gradients


def text_of(recipe: Recipe) -> str:
    """Return a configuration as YAML."""
    module, config = MODULES[recipe.kind]
    union = recipe.kind in ("baseline", "hifigan", "istft")
    fields = [f"        {line}" for line in recipe.fields]
    if union:
        # One of two configuration classes is meant: it is named.
        fields = [f"        class_path: deepperformer.{config}"]
        fields += ["        init_args:", *(f"          {line}" for line in recipe.fields)] if recipe.fields else []
    elif not fields:
        fields = ["        dim: 128"]
    sound = {"alignment": "none", **dict.fromkeys(OF_SYNTHESIS, "mel")}.get(recipe.kind)
    segments = recipe.kind in ("hifigan", "istft", "phase")
    batch = 4 if recipe.name.startswith("small-") and recipe.kind in OF_SYNTHESIS else 16
    data = [*([f"sound: {sound}"] if sound else []), *recipe.data, f"batch_size: {batch}"]
    lines = [
        f"# {recipe.about}.",
        "seed_everything: 0",
        "model:",
        f"  class_path: deepperformer.{module}",
        "  init_args:",
        "    config:",
        *(line[2:] for line in fields),
        *(f"    {line}" for line in recipe.options),
        "data:",
        f"  class_path: deepperformer.data.{'SegmentDataModule' if segments else 'ClipDataModule'}",
        "  init_args:",
        "    folder: data",
        *(f"    {line}" for line in data),
        "trainer:",
        "  accelerator: auto",
        f"  max_steps: {recipe.steps}",
        f"  val_check_interval: {recipe.every}",
        "  check_val_every_n_epoch: null",
        *([] if recipe.kind in STEPPED_BY_HAND else ["  gradient_clip_val: 1.0"]),
        "  logger:",
        "    class_path: lightning.pytorch.loggers.CSVLogger",
        f"    init_args: {{save_dir: runs, name: {recipe.name}, version: ''}}",
        "  callbacks:",
        "    - class_path: deepperformer.training.ExportBest",
        f"      init_args: {{monitor: {MONITORS.get(recipe.kind, 'val_mel')}}}",
        "    - class_path: lightning.pytorch.callbacks.ModelCheckpoint",
        f"      init_args: {{save_last: true, save_top_k: 0, every_n_train_steps: {recipe.every}}}",
    ]
    return "\n".join(lines) + "\n"


def configurations() -> Iterator[tuple[str, str]]:
    """Yield name and text of every configuration."""
    for recipe in recipes():
        yield recipe.name, text_of(recipe)


if __name__ == "__main__":
    write_configurations(Path(str(resources.files("deepperformer") / "configs")), configurations())
