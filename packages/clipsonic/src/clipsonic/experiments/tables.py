"""What is trained and what is measured: the rows of the experiment, in the order in which they are done.

Rows of the paper's Table 7.1 have its figures for MUSIC beside them; they are for orientation alone, since data, image
vectors and judge are others.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from clipsonic.sampling import Sampler

QueryPath = Literal["IQ", "ZS", "PD", "SD", "TTA", "label", "real", "other", "mean-mel", "copy"]


@dataclass(frozen=True)
class Training:
    """A training that rows need.

    name: of its folder. config: of `clipsonic fit`. data: "sounds" or "pairs". begin: training whose model it begins
    with.
    """

    name: str
    config: str
    data: str
    begin: str = ""


@dataclass(frozen=True)
class Row:
    """A row of figures.

    name: of its file. about: for the page. path: of the query: "IQ" an image of a test clip, "ZS" its text, "PD" and
    "SD" that through a prior, "TTA" its text to the network that learned from texts, "label" its label's name to the
    same; "real", "other", "mean-mel" and "copy" are peers without a network. needs: trainings. paper: FAD and CLAP
    score (Table 7.1, MUSIC). n: sounds, where they are fewer than in other rows.
    """

    name: str
    about: str
    path: QueryPath
    needs: tuple[str, ...] = ()
    seed: int = 0
    guidance: float = 1.5
    steps: int = 25
    sampler: Sampler = "unipc"
    paper: tuple[float | None, float | None] = (None, None)
    n: int | None = None


@dataclass(frozen=True)
class Table:
    """An experiment."""

    name: str
    trainings: tuple[Training, ...]
    rows: tuple[Row, ...]


TRAININGS = (
    Training("vocoder", "small-istft", "sounds"),
    Training("text", "small-text", "sounds"),
    Training("text-spread", "small-text-spread", "sounds", begin="text"),
    Training("image", "small-image", "sounds"),
    Training("prior-sd", "small-prior", "sounds"),
    Training("prior-pd", "small-prior", "pairs"),
)
_TEXT, _IMAGE = ("vocoder", "text"), ("vocoder", "image")
_SPREAD = ("vocoder", "text-spread")
SHIPPED = "text-spread"
SEEDS = (0, 1, 2)
FEW = 128
GUIDANCE = (1.0, 1.25, 2.0, 2.5, 3.0, 4.0)

# One row of each kind before further seeds, and those before sweeps: what matters most is there first.
_PEERS = (
    Row("real", "real training clips, as many", "real"),
    Row("other-soundfont", "the same notes with the other SoundFont", "other"),
    Row("copy-istft-matched", "real test sounds through the vocoder, matched", "copy", ("vocoder",)),
    Row("copy-istft", "real test sounds through the vocoder alone", "copy", ("vocoder",)),
    Row("copy-griffin-lim", "real test sounds through Griffin-Lim alone", "copy", ("vocoder",)),
    Row("copy-griffin-lim-matched", "real test sounds through Griffin-Lim, matched", "copy", ("vocoder",)),
    Row("mean-mel", "mean spectrogram of the label, made audible", "mean-mel", ("vocoder", "text")),
)


def _systems(seed: int) -> tuple[Row, ...]:
    return (
        Row(f"tta-s{seed}", "learned from texts, asked by texts (TTA)", "TTA", _TEXT, seed, paper=(9.39, 0.298)),
        Row(f"iq-s{seed}", "learned from images, asked by images (IQ)", "IQ", _IMAGE, seed, paper=(4.71, None)),
        Row(f"zs-s{seed}", "learned from images, asked by texts (ZS)", "ZS", _IMAGE, seed, paper=(19.30, 0.284)),
        Row(
            f"sd-s{seed}",
            "by the prior of the same labels (SD)",
            "SD",
            (*_IMAGE, "prior-sd"),
            seed,
            paper=(12.13, 0.299),
        ),
        Row(
            f"pd-s{seed}", "by the prior of other labels (PD)", "PD", (*_IMAGE, "prior-pd"), seed, paper=(13.51, 0.254)
        ),
    )


_LABELS = (
    Row("spread-label", "learned from moved texts, asked by the label's name", "label", _SPREAD),
    Row("spread-s0", "learned from moved texts, asked by texts", "TTA", _SPREAD, paper=(9.39, 0.298)),
    Row("tta-label", "learned from texts, asked by the label's name", "label", _TEXT),
)
_SWEEP = tuple(Row(f"tta-w{weight:g}", f"TTA, w = {weight:g}", "TTA", _TEXT, guidance=weight) for weight in GUIDANCE)
# Distances depend on the number of sounds, so that these three are compared with each other alone.
_STEPS = (
    Row("tta-25-few", "TTA, 25 steps of UniPC, fewer sounds", "TTA", _TEXT, n=FEW),
    Row("tta-100-few", "TTA, 100 steps of UniPC, fewer sounds", "TTA", _TEXT, steps=100, n=FEW),
    Row("tta-ddpm-few", "TTA, 1,000 ancestral steps, fewer sounds", "TTA", _TEXT, steps=1000, sampler="ddpm", n=FEW),
)

TABLES = {
    "instruments": Table(
        "instruments",
        TRAININGS,
        (*_PEERS, *_LABELS, *(row for seed in SEEDS for row in _systems(seed)), *_SWEEP, *_STEPS),
    )
}
