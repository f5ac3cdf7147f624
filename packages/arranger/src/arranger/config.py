"""What defines a model, without torch: its parts, its features and its size; saved beside its weights as JSON."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Literal, get_args

from arranger.features import Knowledge, input_width, read_time, require, required_knowledge
from arranger.parts import PartSet, part_set

PAPER_FEATURES = ("pitch", "position", "beat", "frequency")
_HELD = ("held_above", "held_below", "below_1", "below_2", "below_3")
CAUSAL_FEATURES = ("pitch", "position", "gap", "index", *_HELD, "held_above_1", "held_above_2", "held_above_3")
ONSET_FEATURES = ("pitch", "position", "gap", "chord_size", "rank", *_HELD, "above_1", "above_2", "above_3")
OFFLINE_FEATURES = (*ONSET_FEATURES, "duration")
TEMPO_FREE_FEATURES = tuple(name for name in ONSET_FEATURES if name not in ("position", "gap"))
FEATURE_SETS = {
    "raw": ("raw_pitch", "raw_time"),
    "paper": PAPER_FEATURES,
    "paper-duration": ("pitch", "position", "beat", "duration", "frequency"),
    "paper-raw-time": ("pitch", "raw_time", "frequency"),
    "paper-raw-beat": ("pitch", "raw_position", "raw_beat", "frequency"),
    "paper-time": ("pitch", "time", "frequency"),
    "neighbours": ("chord", "history"),
    "causal": CAUSAL_FEATURES,
    "onset": ONSET_FEATURES,
    "offline": OFFLINE_FEATURES,
    "tempo-free": TEMPO_FREE_FEATURES,
}


Architecture = Literal["recurrent", "transformer", "perceptron"]


@dataclass(frozen=True)
class ModelConfig:
    """A stack of layers over the features of the notes (§4.4.2).

    parts: name of the part set. features: names in `features.FEATURES`, or one of `FEATURE_SETS`. architecture: the
    kind of layer. hidden: width of a layer (both directions together). layers: number of them. bidirectional: whether
    the future is read too (BiLSTM and Transformer-Enc; else LSTM and Transformer-Dec). residual: whether a recurrent
    layer's input is added to its output, from the second layer on (not in the paper). dropout: after every layer.
    input_dropout: on the features (not in the paper). heads, feedforward: of a Transformer. linear: a perceptron
    without activations, as the original code has it; the paper's text does not say so.
    """

    parts: str = "satb"
    features: tuple[str, ...] = PAPER_FEATURES
    architecture: Architecture = "recurrent"
    hidden: int = 128
    layers: int = 3
    bidirectional: bool = False
    residual: bool = False
    dropout: float = 0.2
    input_dropout: float = 0.0
    heads: int = 8
    feedforward: int = 256
    linear: bool = False

    def __post_init__(self) -> None:
        names = tuple(name for given in self.features for name in FEATURE_SETS.get(given, (given,)))
        object.__setattr__(self, "features", names)
        self.knowledge  # noqa: B018 - an unknown feature shows here, not in the middle of training
        if self.architecture not in get_args(Architecture):
            raise ValueError(f"architecture={self.architecture!r}; there are {', '.join(get_args(Architecture))}")
        if self.architecture == "recurrent" and self.bidirectional and self.hidden % 2:
            raise ValueError(f"hidden={self.hidden}: two directions need an even width")
        if self.architecture == "transformer" and self.hidden % self.heads:
            raise ValueError(f"hidden={self.hidden} cannot be divided among {self.heads} heads")
        if "pitch_hint" in names and "pitch" not in names:
            raise ValueError("pitch hints share the embedding of the pitch; add the feature 'pitch'")
        if ("history" in names) != (self.architecture == "perceptron"):
            raise ValueError("the feature 'history' and the architecture 'perceptron' go together")

    @property
    def part_set(self) -> PartSet:
        """The parts that the model tells apart."""
        return part_set(self.parts)

    @property
    def knowledge(self) -> Knowledge:
        """What must have been heard before a note can be labelled."""
        return "offline" if self.bidirectional else required_knowledge(self.features)

    @property
    def reads_time(self) -> bool:
        """Whether it reads beats; if not, the order of the notes and what sounds together is all it knows."""
        return read_time(self.features)

    @property
    def input_width(self) -> int:
        """Width of the first layer's input."""
        return input_width(self.features, len(self.part_set))

    @property
    def reads_hints(self) -> bool:
        """Whether the model must be told when parts enter or how high they lie."""
        return require(self.features, "hints")

    def to_dict(self) -> dict[str, Any]:
        """Return as what JSON can hold."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> ModelConfig:
        """Build from `to_dict`'s result; raises TypeError for an unknown key."""
        return cls(**{**values, "features": tuple(values["features"])})


@dataclass(frozen=True)
class DecodingConfig:
    """What a per-onset assignment may cost, in nats beside the model's -log probabilities.

    chord_penalty: for every pair of notes of one onset in one part. overlap_penalty: for every earlier note that still
    sounds in the part that a note enters; a wrong decision earlier should not force another one, so it is small.
    range_penalty: for every semitone outside a part's usual range. excluded_parts: parts that stay empty.
    """

    chord_penalty: float = 100.0
    overlap_penalty: float = 1.0
    range_penalty: float = 0.0
    excluded_parts: tuple[int, ...] = ()
