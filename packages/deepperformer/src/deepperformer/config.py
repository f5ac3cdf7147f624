"""What defines the models, without torch: sizes, encodings, ablations; saved beside their weights (§5.3).

Defaults are the paper's. Where it is silent or contradicts itself, a field names the choice.
"""

from __future__ import annotations

import dataclasses
from typing import Any, Literal, TypeVar, get_args

from deepperformer.errors import ModelError
from deepperformer.features.marks import MARKS
from deepperformer.features.spectrogram import MelDefinition

TimeEncoding = Literal["absolute-clipped", "delta"]
Conditioning = Literal["after_encoder", "input"]
Target = Literal["absolute", "deviation", "ratio"]
Encoder = Literal["transformer", "rolls"]

ConfigT = TypeVar("ConfigT", bound="NoteConfig")


def check_choice(name: str, value: str, allowed: tuple[str, ...]) -> None:
    """Raise ModelError, with what is allowed, for another value."""
    if value not in allowed:
        raise ModelError(f"{name}={value!r}: choose one of {', '.join(allowed)}")


@dataclasses.dataclass(frozen=True)
class NoteConfig:
    """How notes are read and encoded; the common part of both models.

    dim: width of embeddings and layers. encoder_layers: FFT blocks. heads, attention_dim: of self-attention; the
    latter is split among the heads. ffn: channels between the two convolutions of a block. kernels: their lengths.
    performers: number of performers; 0: no performer embedding (an ablation). tempo_classes, tempo_step: classes of
    `tempo_step` qpm each; the paper does not say its own. max_time, max_duration: steps at which embeddings are
    clipped; the linear layer beside them sees the numbers as they are. max_length: longest sequence in training.
    time_encoding: onsets from the anchor of the clip, or from the onset before. conditioning: where performer and tempo
    enter: after the encoder (the figure), or at its input (the text). marks: kinds of articulation and ornament that
    notes are read with, the first so many of `features.marks.MARKS`; 0: none (the paper).
    """

    dim: int = 128
    encoder_layers: int = 3
    heads: int = 2
    attention_dim: int = 128
    ffn: int = 512
    kernels: tuple[int, int] = (9, 1)
    dropout: float = 0.2
    performers: int = 17
    tempo_classes: int = 64
    tempo_step: float = 4.0
    max_time: int = 96
    max_duration: int = 96
    max_length: int = 1000
    time_encoding: TimeEncoding = "absolute-clipped"
    conditioning: Conditioning = "after_encoder"
    marks: int = 0

    def __post_init__(self) -> None:
        object.__setattr__(self, "kernels", tuple(self.kernels))
        check_choice("time_encoding", self.time_encoding, get_args(TimeEncoding))
        check_choice("conditioning", self.conditioning, get_args(Conditioning))
        sizes = (self.dim, self.heads, self.attention_dim, self.ffn, self.tempo_classes, self.max_time, self.max_length)
        if min(*sizes, self.max_duration, self.encoder_layers) < 1 or self.performers < 0 or self.tempo_step <= 0:
            raise ModelError(f"{self}: sizes must be positive")
        if not 0 <= self.marks <= len(MARKS):
            raise ModelError(f"marks={self.marks}: from 0 (none) to {len(MARKS)} (all that are known)")
        if self.attention_dim % self.heads or self.dim % 2:
            raise ModelError(
                f"attention_dim={self.attention_dim} must divide by {self.heads} heads, and dim={self.dim} by 2"
            )
        if any(kernel % 2 == 0 for kernel in self.kernels):
            raise ModelError(f"kernels={self.kernels} must be odd")

    def tempo_class(self, qpm: float) -> int:
        """Return the class of a tempo; what is beyond the last belongs to it."""
        return min(int(max(qpm, 0.0) / self.tempo_step), self.tempo_classes - 1)

    def to_dict(self) -> dict[str, Any]:
        """Return as what JSON can hold."""
        return dataclasses.asdict(self)

    @classmethod
    def from_dict(cls: type[ConfigT], values: dict[str, Any]) -> ConfigT:
        """Build from `to_dict`'s result; raises TypeError for an unknown key."""
        return cls(**{**values, "kernels": tuple(values.get("kernels", (9, 1)))})


@dataclasses.dataclass(frozen=True)
class AlignmentConfig(NoteConfig):
    """The alignment model: when is each note played (§5.3.1)? 1,153,858 parameters.

    attention_dim: 64 as in the dissertation's table; its slides say 128. target: what the last layer gives: `absolute`
    frames from the anchor (the paper), the `deviation` from constant tempo, or the logarithms of the `ratio` of
    inter-onset times and durations to those at constant tempo.
    """

    attention_dim: int = 64
    ffn: int = 256
    target: Target = "absolute"

    def __post_init__(self) -> None:
        super().__post_init__()
        check_choice("target", self.target, get_args(Target))


@dataclasses.dataclass(frozen=True)
class SynthesisConfig(NoteConfig):
    """The synthesis model: timed notes to a mel spectrogram (§5.3.2). 6,582,096 parameters.

    ffn: 512 as in the table; the text says 256 (3,630,672 parameters). decoder_layers: FFT blocks over frames.
    notewise: whether frames know their place in the note (note-wise positional encoding). encoder: `transformer`, or
    `rolls`: piano and position rolls instead of encoded notes. Both are ablations of Table 5.1. conditions: number of
    recording conditions (rooms and microphones, or SoundFonts), which are told beside the performer; 0: none (the
    paper).
    """

    decoder_layers: int = 6
    n_mels: int = 80
    notewise: bool = True
    encoder: Encoder = "transformer"
    conditions: int = 0

    def __post_init__(self) -> None:
        super().__post_init__()
        check_choice("encoder", self.encoder, get_args(Encoder))
        if self.decoder_layers < 1 or self.n_mels < 1:
            raise ModelError(f"decoder_layers={self.decoder_layers} and n_mels={self.n_mels} must be positive")
        if self.conditions < 0:
            raise ModelError(f"conditions={self.conditions}: cannot be negative")
        if self.marks and self.encoder == "rolls":
            raise ModelError(f"marks={self.marks} needs encoder=transformer: rolls have no notes that could have any")


@dataclasses.dataclass(frozen=True)
class HiFiGANConfig:
    """A HiFi-GAN generator (Kong et al. 2020); the defaults are its version 2, which the paper uses.

    channels: after the first convolution, halved by each upsampling. rates, kernels: of the upsamplings; the product of
    the rates is the hop of the mels. block: 1 (two convolutions to a dilation) or 2 (one). block_kernels, dilations: of
    the residual blocks. inputs: `mel`, or `rolls` for the paper's baseline (piano and position roll through a linear
    layer, plus a performer). performers: of the baseline.
    """

    n_mels: int = 80
    channels: int = 128
    rates: tuple[int, ...] = (8, 8, 2, 2)
    kernels: tuple[int, ...] = (16, 16, 4, 4)
    block: int = 1
    block_kernels: tuple[int, ...] = (3, 7, 11)
    dilations: tuple[tuple[int, ...], ...] = ((1, 3, 5), (1, 3, 5), (1, 3, 5))
    inputs: Literal["mel", "rolls"] = "mel"
    performers: int = 0

    def __post_init__(self) -> None:
        for name in ("rates", "kernels", "block_kernels"):
            object.__setattr__(self, name, tuple(getattr(self, name)))
        object.__setattr__(self, "dilations", tuple(map(tuple, self.dilations)))
        check_choice("inputs", self.inputs, ("mel", "rolls"))
        if self.block not in (1, 2):
            raise ModelError(f"block={self.block}: residual blocks are of type 1 or 2")
        if len(self.rates) != len(self.kernels) or len(self.block_kernels) != len(self.dilations):
            raise ModelError(f"{self}: each rate has a kernel, and each residual block has dilations")
        uneven = [(k, r) for k, r in zip(self.kernels, self.rates, strict=True) if k < r or (k - r) % 2]
        if uneven:
            raise ModelError(f"kernel {uneven[0][0]} − rate {uneven[0][1]} must be even and not negative")
        if self.channels % 2 ** len(self.rates):
            raise ModelError(f"channels={self.channels} must divide by 2 to the {len(self.rates)}")

    def check_hop(self, definition: MelDefinition) -> None:
        """Raise ModelError unless the rates multiply to the hop of a mel definition."""
        product = 1
        for rate in self.rates:
            product *= rate
        if product != definition.hop_length:
            raise ModelError(
                f"the rates {self.rates} make {product} samples a frame, the mels have {definition.hop_length}"
            )

    def to_dict(self) -> dict[str, Any]:
        """Return as what JSON can hold."""
        return dataclasses.asdict(self)

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> HiFiGANConfig:
        """Build from `to_dict`'s result."""
        return cls(**values)


HIFIGAN_V1 = HiFiGANConfig(channels=512)
HIFIGAN_V2 = HiFiGANConfig()
HIFIGAN_V3 = HiFiGANConfig(
    channels=256,
    rates=(8, 8, 4),
    kernels=(16, 16, 8),
    block=2,
    block_kernels=(3, 5, 7),
    dilations=((1, 2), (2, 6), (3, 12)),
)


@dataclasses.dataclass(frozen=True)
class ISTFTConfig:
    """An inverter in the manner of Vocos (Siuzdak 2023): ConvNeXt blocks, then magnitude and phase of an inverse STFT.

    dim, hidden, layers: of the blocks. n_fft, hop_length: of the transform; the hop is that of the mels.
    """

    n_mels: int = 80
    dim: int = 192
    hidden: int = 512
    layers: int = 6
    n_fft: int = 1024
    hop_length: int = 256

    def __post_init__(self) -> None:
        if min(self.n_mels, self.dim, self.hidden, self.layers, self.hop_length) < 1:
            raise ModelError(f"{self}: sizes must be positive")
        if self.n_fft < self.hop_length or (self.n_fft - self.hop_length) % 2:
            raise ModelError(f"n_fft={self.n_fft} − hop_length={self.hop_length} must be even and not negative")

    def check_hop(self, definition: MelDefinition) -> None:
        """Raise ModelError unless the hop is that of a mel definition."""
        if self.hop_length != definition.hop_length:
            raise ModelError(f"hop_length={self.hop_length}, but the mels have {definition.hop_length}")

    def to_dict(self) -> dict[str, Any]:
        """Return as what JSON can hold."""
        return dataclasses.asdict(self)

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> ISTFTConfig:
        """Build from `to_dict`'s result."""
        return cls(**values)


@dataclasses.dataclass(frozen=True)
class PhaseConfig(ISTFTConfig):
    """An inverter that predicts how phases change from frame to frame and from bin to bin, and adds the changes up.

    1.2 million parameters. refinements: iterations of Griffin-Lim that begin where the prediction ends.
    """

    dim: int = 160
    hidden: int = 448
    refinements: int = 4

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.refinements < 0:
            raise ModelError(f"refinements={self.refinements}: cannot be negative")

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> PhaseConfig:
        """Build from `to_dict`'s result."""
        return cls(**values)
