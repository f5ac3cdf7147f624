"""Rows of the tables → LightningCLI configurations, one file for each (Tables 4.2 to 4.4, and beyond the paper).

    python -m arranger.experiments.configs          # writes src/arranger/configs/*.yaml again

A file is named after the corpus, the model and what it reads: `bach-bilstm-emb-dur-eh`. emb: embedded pitch, beat,
position and frequency; dur: durations; eh, ph: entry and pitch hints.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

from muspy_core.runs import write_configurations


@dataclass(frozen=True)
class Recipe:
    """What a configuration says, but for its corpus.

    name: without the corpus. about: the comment at its top. mode: what the trained model can be used for. ours: whether
    it goes beyond the paper: averaged weights, shuffled ties, more dropout.

    Batches hold 4 pieces where nothing else is said, not the paper's 16, and the rate is warmed up and falls along a
    cosine: on a CPU this costs the same for each note, and reaches in a few passes what the paper's recipe reaches in
    many.
    """

    name: str
    about: str
    features: tuple[str, ...]
    mode: str = "causal"
    architecture: str = "recurrent"
    hidden: int = 128
    bidirectional: bool = False
    linear: bool = False
    transpose: tuple[int, int] = (-5, 6)
    ours: bool = False
    batch_size: int = 4

    @property
    def ties(self) -> str:
        """Which notes are shuffled that a piece's order would tell apart."""
        if not self.ours:
            return "kept"
        return "equal" if self.mode == "offline" else "unisons"  # without time, durations are not known either


_EH = ("entry_hint",)
_DEC, _ENC = "Transformer-Dec, online", "Transformer-Enc, offline, with durations"
PAPER_RECIPES = (
    Recipe(
        "mlp",
        "Table 4.2, MLP, with entry hints as the paper's text has it",
        ("neighbours", *_EH),
        "offline",
        "perceptron",
    ),
    Recipe(
        "mlp-linear",
        "Table 4.2, MLP as the published code has it: no activation, no hints",
        ("neighbours",),
        "offline",
        "perceptron",
        linear=True,
    ),
    Recipe("lstm-emb", "Table 4.2, LSTM, online; the reference row of Tables 4.3 and 4.4", ("paper",)),
    Recipe("transformer-dec-emb", f"Table 4.2, {_DEC}", ("paper",), architecture="transformer"),
    Recipe(
        "bilstm-emb-dur",
        "Table 4.2, BiLSTM, offline, with durations",
        ("paper-duration",),
        "offline",
        bidirectional=True,
    ),
    Recipe(
        "transformer-enc-emb-dur",
        f"Table 4.2, {_ENC}",
        ("paper-duration",),
        "offline",
        "transformer",
        bidirectional=True,
    ),
    Recipe("lstm-emb-eh", "Table 4.2, LSTM, online, entry hints; Table 4.3, Emb + EH", ("paper", *_EH)),
    Recipe("transformer-dec-emb-eh", f"Table 4.2, {_DEC}, entry hints", ("paper", *_EH), architecture="transformer"),
    Recipe(
        "bilstm-emb-dur-eh",
        "Table 4.2, BiLSTM, offline, with durations, entry hints",
        ("paper-duration", *_EH),
        "offline",
        bidirectional=True,
    ),
    Recipe(
        "transformer-enc-emb-dur-eh",
        f"Table 4.2, {_ENC}, entry hints",
        ("paper-duration", *_EH),
        "offline",
        "transformer",
        bidirectional=True,
    ),
    Recipe("lstm-raw", "Table 4.3, raw pitch and time", ("raw",)),
    Recipe("lstm-emb-dur", "Table 4.3, Emb + Dur", ("paper-duration",), "offline"),
    Recipe("lstm-emb-dur-eh", "Table 4.3, Emb + Dur + EH", ("paper-duration", *_EH), "offline"),
    Recipe("lstm-emb-ph", "Table 4.3, Emb + PH", ("paper", "pitch_hint")),
    Recipe("lstm-raw-time", "Table 4.4, embedded pitch, time as a number", ("paper-raw-time",)),
    Recipe("lstm-raw-beat", "Table 4.4, embedded pitch, beat and position as numbers", ("paper-raw-beat",)),
    Recipe("lstm-time", "Table 4.4, embedded pitch, time embedded", ("paper-time",)),
    Recipe("lstm-emb-no-aug", "Table 4.4, no augmentation", ("paper",), transpose=(0, 0)),
    Recipe("lstm-emb-light-aug", "Table 4.4, light augmentation", ("paper",), transpose=(-1, 1)),
)
OUR_RECIPES = (
    Recipe(
        "lstm-causal-context",
        "Beyond the paper: strictly causal LSTM that also reads what still sounds",
        ("causal",),
        "causal",
        ours=True,
    ),
    Recipe(
        "lstm-onset-context",
        "Beyond the paper: LSTM that reads all notes of an onset together",
        ("onset",),
        "online",
        ours=True,
    ),
    Recipe(
        "bilstm-context",
        "Beyond the paper: BiLSTM with durations and what sounds around a note",
        ("offline",),
        "offline",
        hidden=192,
        bidirectional=True,
        ours=True,
    ),
    Recipe(
        "bilstm-tempo-free",
        "Beyond the paper: BiLSTM that knows the order of notes and what sounds together, but no time",
        ("tempo-free",),
        "tempo-free",
        bidirectional=True,
        ours=True,
        batch_size=16,
    ),
)


@dataclass(frozen=True)
class Setting:
    """A corpus as a configuration names it. index: of its number of passes in a recipe."""

    prefix: str
    corpus: str
    parts: str
    index: int


# Passes over the training pieces: of the chorales, of the quartets, of the game music.
PASSES = (12, 1, 4)
SETTINGS = (
    Setting("bach", "bach", "satb", 0),
    Setting("quartets", "openscore-quartets", "string-quartet", 1),
    Setting("freedoom", "freedoom", "pop-band", 2),
)


def configurations() -> Iterator[tuple[str, str]]:
    """Yield name and text of every configuration."""
    for setting in SETTINGS:
        for recipe in (*PAPER_RECIPES, *OUR_RECIPES):
            yield f"{setting.prefix}-{recipe.name}", text_of(recipe, setting)


def text_of(recipe: Recipe, setting: Setting) -> str:
    """Return a configuration as YAML."""
    fast = recipe.architecture == "recurrent"
    larger = recipe.batch_size // 4  # fewer steps, and a rate that grows as the root of the size
    rate = (2e-3 if fast else 1e-3) * larger**0.5
    lines = [
        f"# {recipe.about}.",
        "seed_everything: 0",
        "model:",
        "  config:",
        f"    parts: {setting.parts}",
        f"    features: [{', '.join(recipe.features)}]",
        f"    architecture: {recipe.architecture}",
        f"    hidden: {recipe.hidden}",
        "    layers: 3",
        f"    bidirectional: {str(recipe.bidirectional).lower()}",
        *(["    linear: true"] if recipe.linear else []),
        f"    dropout: {0.3 if recipe.ours else 0.2}",
        f"    input_dropout: {0.1 if recipe.ours else 0.0}",
        f"  learning_rate: {1000 * rate:.1f}e-3",
        f"  warmup_steps: {(100 if fast else 200) // larger}",
        "  decay: true",
        f"  average: {0.99 if recipe.ours else 0.0}",
        "data:",
        f"  corpus: {setting.corpus}",
        "  split: grouped",
        f"  batch_size: {recipe.batch_size}",
        "  crop: 500",
        f"  transpose: [{recipe.transpose[0]}, {recipe.transpose[1]}]",
        f"  ties: {recipe.ties}",
        "trainer:",
        "  accelerator: auto",
        f"  max_epochs: {PASSES[setting.index]}",
        "  gradient_clip_val: 1.0",
        "  logger:",
        "    class_path: lightning.pytorch.loggers.CSVLogger",
        f"    init_args: {{save_dir: runs, name: {setting.prefix}-{recipe.name}, version: ''}}",
        "  callbacks:",
        "    - class_path: arranger.training.ExportBest",
        f"      init_args: {{name: {recipe.mode}}}",
        "    - class_path: lightning.pytorch.callbacks.ModelCheckpoint",
        "      init_args: {save_last: true, every_n_epochs: 1}",
    ]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    write_configurations(Path(str(resources.files("arranger") / "configs")), configurations())
