"""What defines a model, without torch: its parts, its features and its size; saved beside its weights as JSON."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from arranger.features import Knowledge, input_width, required_knowledge
from arranger.parts import PartSet, part_set

PAPER_FEATURES = ("pitch", "position", "beat", "frequency")
_HELD = ("held_above", "held_below", "below_1", "below_2", "below_3")
CAUSAL_FEATURES = ("pitch", "position", "gap", "index", *_HELD, "held_above_1", "held_above_2", "held_above_3")
ONSET_FEATURES = ("pitch", "position", "gap", "chord_size", "rank", *_HELD, "above_1", "above_2", "above_3")
OFFLINE_FEATURES = (*ONSET_FEATURES, "duration")
FEATURE_SETS = {
    "paper": PAPER_FEATURES,
    "paper-duration": (*PAPER_FEATURES, "duration"),
    "causal": CAUSAL_FEATURES,
    "onset": ONSET_FEATURES,
    "offline": OFFLINE_FEATURES,
}


@dataclass(frozen=True)
class ModelConfig:
    """A stack of recurrent layers over the features of the notes (§4.4.2).

    parts: name of the part set. features: names in `features.FEATURES`, or one of `FEATURE_SETS`. hidden: width of a
    layer (both directions together). layers: number of them. bidirectional: whether the future is read too.
    residual: whether a layer's input is added to its output, from the second layer on (not in the paper).
    dropout: after every layer. input_dropout: on the features (not in the paper).
    """

    parts: str = "satb"
    features: tuple[str, ...] = PAPER_FEATURES
    hidden: int = 128
    layers: int = 3
    bidirectional: bool = False
    residual: bool = False
    dropout: float = 0.2
    input_dropout: float = 0.0

    def __post_init__(self) -> None:
        names = tuple(name for given in self.features for name in FEATURE_SETS.get(given, (given,)))
        object.__setattr__(self, "features", names)
        self.knowledge  # noqa: B018 - an unknown feature shows here, not in the middle of training
        if self.bidirectional and self.hidden % 2:
            raise ValueError(f"hidden={self.hidden}: two directions need an even width")

    @property
    def part_set(self) -> PartSet:
        """The parts that the model tells apart."""
        return part_set(self.parts)

    @property
    def knowledge(self) -> Knowledge:
        """What must have been heard before a note can be labelled."""
        return "offline" if self.bidirectional else required_knowledge(self.features)

    @property
    def input_width(self) -> int:
        """Width of the first layer's input."""
        return input_width(self.features)

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
