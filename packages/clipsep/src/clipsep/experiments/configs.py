"""Rows of the tables → LightningCLI configurations, one file for each (Tables 6.2, 6.3, 6.5, 6.6, and small ones).

    python -m clipsep.experiments.configs          # writes src/clipsep/configs/*.yaml again

A file is named after the data and the model: `vggsound-clipsep-nit`. `-text` is trained by text, `-hybrid` by image and
text in turn, the others by image where there are pictures.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

from muspy_core.runs import write_configurations

from clipsep.config import Kind
from clipsep.data import QuerySource

GAMMAS = (0.0, 0.25, 0.5, 0.75, 1.0, None)


@dataclass(frozen=True)
class Recipe:
    """What a configuration says.

    about: the comment at its top. gamma: of the regulariser of noise heads, None for no regulariser. small: the size
    and schedule of our own experiments on a CPU in the place of the paper's. steps: updates; 0: the paper's 200,000.
    Small ones hear clips of half the length. noisy: a third sound is added to each target. robust: clips are changed at
    random, sounds of a mixture have different labels, and one query in three is of a label that is not there.
    """

    name: str
    about: str
    kind: Kind
    queries: QuerySource
    gamma: float | None = 0.25
    small: bool = False
    steps: int = 0
    noisy: bool = False
    robust: bool = False


def recipes() -> Iterator[Recipe]:
    """Yield all recipes."""
    yield from (
        Recipe("music-clipsep", "Table 6.2, CLIPSep", "clipsep", "image"),
        Recipe("music-clipsep-text", "Table 6.2, CLIPSep-Text", "clipsep", "text"),
        Recipe("music-clipsep-hybrid", "Table 6.2, CLIPSep-Hybrid", "clipsep", "hybrid"),
        Recipe("music-sop", "Table 6.2, Sound of Pixels", "sop", "image"),
        Recipe("music-labelsep", "Table 6.2, LabelSep", "labelsep", "label"),
        Recipe("music-pit", "Table 6.2, PIT", "pit", "none"),
        Recipe("vggsound-clipsep", "Table 6.3, CLIPSep", "clipsep", "image"),
        Recipe("vggsound-clipsep-nit", "Table 6.3, CLIPSep-NIT", "clipsep-nit", "image"),
        Recipe("vggsound-clipsep-text", "Table 6.3, CLIPSep-Text", "clipsep", "text"),
        Recipe("vggsound-bertsep", "Table 6.3, BERTSep", "bertsep", "text"),
        Recipe("vggsound-sop", "Table 6.3, Sound of Pixels", "sop", "image"),
        Recipe("vggsound-labelsep", "Table 6.3, LabelSep", "labelsep", "label"),
        Recipe("vggsound-pit", "Table 6.3, PIT", "pit", "none"),
        Recipe("esc50-clipsep-text", "Table 6.6, trained on ESC-50 alone", "clipsep", "text"),
        Recipe("esc50-finetune", "Table 6.6, fine-tuned: add --init-from FOLDER", "clipsep", "text", steps=20_000),
    )
    for gamma in GAMMAS:
        name = "none" if gamma is None else f"{gamma:g}"
        yield Recipe(f"vggsound-nit-gamma-{name}", f"Table 6.5, γ = {name}", "clipsep-nit", "image", gamma)
    yield from (
        Recipe("small-instruments", "Ours, for a CPU: the bundled model, by sentence vectors", "clipsep", "text",
               small=True, steps=7000, robust=True),
        Recipe("small-labelsep", "Ours, for a CPU: LabelSep", "labelsep", "label", small=True, steps=4000),
        Recipe("small-text", "Ours, for a CPU: by sentence vectors", "clipsep", "text", small=True, steps=4000),
        Recipe("small-pit", "Ours, for a CPU: PIT", "pit", "none", small=True, steps=4000),
        Recipe("small-clipsep", "Ours, for a CPU: CLIPSep on noisy targets", "clipsep", "text", small=True, steps=1500,
               noisy=True),
        Recipe("small-nit", "Ours, for a CPU: NIT on noisy targets", "clipsep-nit", "text", small=True, steps=1500,
               noisy=True),
        Recipe("small-early", "Ours, for a CPU: early fusion", "early", "text", small=True, steps=500),
        Recipe("small-middle", "Ours, for a CPU: middle fusion", "middle", "text", small=True, steps=500),
    )  # fmt: skip


def text_of(recipe: Recipe) -> str:
    """Return a configuration as YAML."""
    steps = recipe.steps or 200_000
    every_small = 200 if recipe.robust else 100
    warmup, end, every = (
        (200, steps, every_small) if recipe.small else (min(5000, steps // 4), min(100_000, steps), 10_000)
    )
    lines = [
        f"# {recipe.about}.",
        "seed_everything: 1234",
        "model:",
        "  config:",
        f"    kind: {recipe.kind}",
        f"    width: {16 if recipe.small else 64}",
        "    depth: 7",
        "    maps: 32",
        "    sources: 2",
        "    mask: binary",
        "  learning_rate: 1.0e-3",
        f"  warmup_steps: {warmup}",
        f"  decay_end_step: {end}",
        "  decay_end_rate: 0.1",
        *_noise_lines(recipe),
        "data:",
        "  folder: data",
        f"  queries: {recipe.queries}",
        f"  frames: {128 if recipe.small else 256}",
        f"  batch_size: {8 if recipe.small else 32}",
        *(["  off_query: 1.0", "  named: 0.5"] if recipe.noisy else []),
        *(["  peers: other-label", "  absent: 1"] if recipe.robust else []),
        *(["  augmentation: {semitones: 2.0, equalizer_db: 4.0}"] if recipe.robust else []),
        "trainer:",
        "  accelerator: auto",
        f"  max_steps: {steps}",
        f"  val_check_interval: {every}",
        "  check_val_every_n_epoch: null",
        "  gradient_clip_val: 1.0",
        "  num_sanity_val_steps: 0",
        "  logger:",
        "    class_path: lightning.pytorch.loggers.CSVLogger",
        f"    init_args: {{save_dir: runs, name: {recipe.name}, version: ''}}",
        "  callbacks:",
        "    - class_path: clipsep.training.ExportBest",
        "    - class_path: lightning.pytorch.callbacks.ModelCheckpoint",
        f"      init_args: {{save_last: true, save_top_k: 0, every_n_train_steps: {min(every, 1000)}}}",
    ]
    return "\n".join(lines) + "\n"


def _noise_lines(recipe: Recipe) -> list[str]:
    if recipe.kind != "clipsep-nit":
        return []
    gamma = "null" if recipe.gamma is None else f"{recipe.gamma:g}"
    return [f"  gamma: {gamma}", "  noise_weight: 0.1"]


def configurations() -> Iterator[tuple[str, str]]:
    """Yield name and text of every configuration."""
    for recipe in recipes():
        yield recipe.name, text_of(recipe)


if __name__ == "__main__":
    write_configurations(Path(str(resources.files("clipsep") / "configs")), configurations())
