"""What is measured: tables and their rows, with the paper's figures (Table 5.1, the alignment model, our options)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Kind = Literal["alignment", "synthesis"]


@dataclass(frozen=True)
class Row:
    """A line of a table. configuration: its name. options: further arguments of `fit`. paper: the paper's figure."""

    title: str
    configuration: str
    options: tuple[str, ...] = ()
    paper: float | None = None
    seeds: int = 1


@dataclass(frozen=True)
class Table:
    """Rows that are trained on the same data. split: of the data. folds: that the first row is repeated on."""

    name: str
    title: str
    kind: Kind
    rows: tuple[Row, ...]
    split: str
    folds: tuple[str, ...] = ()
    about: str = ""


TABLES = {
    "alignment": Table(
        "alignment",
        "Alignment model",
        "alignment",
        (
            Row("absolute times, clipped (paper)", "paper-alignment", (), None, 3),
            Row("absolute times, onsets as distances", "paper-alignment-delta"),
            Row("deviations from constant tempo", "paper-alignment-deviation", (), None, 3),
            Row("ratios", "paper-alignment-ratio"),
            Row("ratios, onsets as distances", "paper-alignment-ratio-delta", (), None, 3),
            Row("ratios, without performer", "paper-alignment-ratio-without-performer"),
            Row("absolute times, without performer", "paper-alignment-without-performer"),
        ),
        "fold-1",
        tuple(f"fold-{number}" for number in range(2, 6)),
        "Real timings of 48 recordings; errors in ms on movements held out, onsets from the anchor of each 5 s clip.",
    ),
    "violin": Table(
        "violin",
        "Table 5.1, violin",
        "synthesis",
        (
            Row("ours", "small-full", (), 0.700, 2),
            Row("without note-wise positional encoding", "small-without-notewise", (), 0.700),
            Row("without performer embedding", "small-without-performer", (), 1.030, 2),
            Row("without encoder", "small-without-encoder", (), 0.844),
        ),
        "movement",
        (),
        "Real timings, rendered by two unrelated SoundFonts as two performers; mean squared error of log mels.",
    ),
    "piano": Table(
        "piano",
        "Table 5.1, piano",
        "synthesis",
        (
            Row("ours", "small-full", (), 0.436),
            Row("without note-wise positional encoding", "small-without-notewise", (), 0.433),
            Row("without performer embedding", "small-without-performer", (), 0.523),
            Row("without encoder", "small-without-encoder", (), 0.621),
        ),
        "movement",
        (),
        "Piano parts, rendered by two unrelated SoundFonts as two performers; mean squared error of log mels.",
    ),
    "options": Table(
        "options",
        "Beyond the paper",
        "synthesis",
        (
            Row("none of them", "small-full"),
            Row("articulations and ornaments", "small-marks"),
            Row("recording condition", "small-condition"),
            Row("discriminator of mel patches", "small-adversarial"),
        ),
        "movement",
        (),
        "Options that are off by default. Real timings, rendered by two unrelated SoundFonts; performers are the "
        "violinists, recording conditions the SoundFonts (`prepare --render … --performers players`).",
    ),
}
