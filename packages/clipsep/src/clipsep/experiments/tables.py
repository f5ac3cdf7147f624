"""The tables of the results page: which rows there are, what trains them, and what they are asked (rows → runs).

A row is a configuration with changes. What it is asked: "label" (LabelSep), "none" (PIT), or texts: "name" (the name
alone), "seen" and "unseen" wordings, "nameless" ones; "caption" is the training caption, which names the third sound of
the mixture in half of the cases. All but the bundled model are trained for 500 steps: what a core does in five minutes.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Row:
    """A line of a table.

    title: as printed. config: a name of a configuration. arguments: changes to it. asked: kinds of queries. seeds: how
    often it is trained. noise: whether test mixtures hold a third sound. begin: row whose model it begins with.
    """

    name: str
    title: str
    config: str
    asked: tuple[str, ...]
    seeds: int = 1
    arguments: tuple[str, ...] = ()
    noise: bool = False
    noise_heads: bool = False
    begin: str = ""


_TEXTS = ("name", "seen", "unseen", "nameless")
_SHIFT = ("caption", "name")
_SHORT = ("--trainer.max_steps", "500", "--model.decay_end_step", "500")
GAMMAS = ("0", "0.25", "0.5", "0.75", "1", "null")


def _sweep() -> tuple[Row, ...]:
    names = {gamma: "none" if gamma == "null" else gamma for gamma in GAMMAS}
    return tuple(
        Row(f"gamma-{names[gamma]}", f"γ = {names[gamma]}", "small-nit", _SHIFT, noise=True, noise_heads=True,
            arguments=(*_SHORT, "--model.gamma", gamma))
        for gamma in GAMMAS
    )  # fmt: skip


TABLES: dict[str, tuple[Row, ...]] = {
    "labels": (
        Row("instruments", "the bundled model, by sentence vectors", "small-instruments", _TEXTS),
        Row("labelsep", "LabelSep", "small-labelsep", ("label",), 3, arguments=_SHORT),
        Row("text", "CLIPSep by sentence vectors", "small-text", _TEXTS, 3, arguments=_SHORT),
        Row("pit", "PIT", "small-pit", ("none",), 3, arguments=_SHORT),
    ),
    "shift": (
        Row("clipsep", "CLIPSep", "small-clipsep", _SHIFT, 5, noise=True, arguments=_SHORT),
        Row("nit", "CLIPSep-NIT", "small-nit", _SHIFT, 5, noise=True, arguments=_SHORT),
    ),
    "sweep": _sweep(),
    "fusion": (
        Row("late", "late fusion", "small-text", _TEXTS, arguments=_SHORT),
        Row("early", "early fusion", "small-early", _TEXTS),
        Row("middle", "middle fusion", "small-middle", _TEXTS),
    ),
    "finetune": (
        Row("noisy", "trained on noisy targets, not tuned", "small-clipsep", ("name",), arguments=_SHORT),
        Row("scratch", "trained on clean targets alone", "small-text", ("name",), arguments=_SHORT),
        Row("tuned", "noisy, then clean", "small-text", ("name",), arguments=_SHORT, begin="noisy"),
    ),
    "more": (
        Row("nit-3", "CLIPSep-NIT, n = 3", "small-nit", _SHIFT, noise=True,
            arguments=(*_SHORT, "--model.config.sources", "3")),
        Row("width-32", "LabelSep, width 32", "small-labelsep", ("label",),
            arguments=(*_SHORT, "--model.config.width", "32")),
        Row("ratio", "LabelSep, ratio masks", "small-labelsep", ("label",),
            arguments=(*_SHORT, "--model.config.mask", "ratio")),
    ),
}  # fmt: skip
