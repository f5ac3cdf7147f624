"""What is measured: tables and their rows, with the paper's figures (§3.4; rows → runs → page)."""

from __future__ import annotations

from dataclasses import dataclass

EXCERPT_NOTES = 64  # of the comparison of models: short enough for the longest encoding
SAMPLES = 100
SEEDS = (0, 1, 2)


@dataclass(frozen=True)
class Paper:
    """A row of the paper's tables; what a row has not is None.

    entropy, scale, groove: the objective metrics, in bits and percent. length_s: of samples of at most 1,024 events.
    speed: notes a second on the paper's GPU. opinions: coherence, richness, arrangement, overall.
    """

    entropy: str
    scale: str
    groove: str
    length_s: float | None = None
    speed: float | None = None
    opinions: tuple[str, ...] = ()


PAPER = {
    "truth": Paper("2.974 ± 0.018", "92.26 ± 1.25", "93.05 ± 1.00"),
    "mmm": Paper(
        "2.884", "93.13", "91.90", 38.69, 5.66, ("3.48 ± 0.35", "3.05 ± 0.38", "3.28 ± 0.37", "3.17 ± 0.43")
    ),
    "remi": Paper(
        "2.897", "93.12", "92.90", 28.69, 3.58, ("3.90 ± 0.52", "3.74 ± 0.21", "3.74 ± 0.44", "3.77 ± 0.41")
    ),
    "mmt": Paper(
        "2.802 ± 0.025", "94.74 ± 0.42", "92.09 ± 0.49", 100.42, 11.79,
        ("3.55 ± 0.46", "3.53 ± 0.35", "3.40 ± 0.44", "3.33 ± 0.47"),
    ),
}  # fmt: skip


@dataclass(frozen=True)
class Model:
    """A model that is compared. configuration: the name that `mmt fit -c` takes. seeds: of its trainings."""

    name: str
    title: str
    configuration: str
    paper: str
    seeds: tuple[int, ...] = SEEDS


MODELS = {
    model.name: model
    for model in (
        Model("parallel", "MMT, parallel heads (the paper's)", "table-parallel", "mmt"),
        Model("conditional", "MMT, conditional heads (ours)", "table-conditional", "mmt"),
        Model("mmm", "MMM", "table-mmm", "mmm"),
        Model("remi", "REMI+", "table-remi", "remi"),
    )
}
BUNDLED = "default"
WHOLE = "extended"

TABLES = {
    "models": "-log p of a note of models of one size, steps and notes",
    "coverage": "music within 1,024 events, by representation and corpus",
    "samples": "length, speed and metrics of samples",
    "attention": "claims about the attention",
    "validity": "faults of samples, with and without the grammar",
    "infilling": "bars filled in, gone on with, and from nothing",
    "whole": "what velocity, tempo, time signature and drums cost",
}
