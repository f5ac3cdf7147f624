"""The parts of the models: FFT blocks, sinusoids, the reading of notes, and the polyphonic mixer (§5.3.2).

Symbols: B clips, N notes, T frames, D width, K kinds of marks. Masks are True where there is something.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from deepperformer.config import NoteConfig

ONSET, DURATION, PITCH, VELOCITY = range(4)
PITCHES = 128


def sinusoids(length: int, dim: int, device: torch.device | None = None) -> Tensor:
    """Return the fixed positional encoding, (length, dim): sine on even, cosine on odd dimensions."""
    positions = torch.arange(length, device=device, dtype=torch.float32)[:, None]
    rates = torch.exp(torch.arange(0, dim, 2, device=device, dtype=torch.float32) * (-math.log(10000.0) / dim))
    return torch.stack([torch.sin(positions * rates), torch.cos(positions * rates)], dim=2).flatten(1)


class FFTBlock(nn.Module):
    """FastSpeech 2's block: self-attention, then two convolutions, each with dropout, skip and layer norm after it.

    Args:
        dim: Width.
        heads: Of attention.
        attention_dim: Of queries, keys and values, all heads together.
        ffn: Channels between the convolutions.
        kernels: Their lengths.
        dropout: After each of the two parts.
    """

    def __init__(
        self, dim: int, heads: int, attention_dim: int, ffn: int, kernels: tuple[int, int], dropout: float
    ) -> None:
        super().__init__()
        self.heads = heads
        self.queries, self.keys, self.values = (nn.Linear(dim, attention_dim) for _ in range(3))
        self.output = nn.Linear(attention_dim, dim)
        self.attention_norm, self.norm = nn.LayerNorm(dim), nn.LayerNorm(dim)
        self.widen, self.narrow = Convolution(dim, ffn, kernels[0]), Convolution(ffn, dim, kernels[1])
        self.dropout = nn.Dropout(dropout)

    @classmethod
    def of(cls, config: NoteConfig) -> FFTBlock:
        """Build from a model's configuration."""
        return cls(config.dim, config.heads, config.attention_dim, config.ffn, config.kernels, config.dropout)

    def forward(self, inputs: Tensor, mask: Tensor) -> Tensor:
        """inputs: (B, L, D). mask: (B, L). Returns (B, L, D), zero in padding."""
        batch, length, _ = inputs.shape
        q, k, v = (
            layer(inputs).view(batch, length, self.heads, -1).transpose(1, 2)
            for layer in (self.queries, self.keys, self.values)
        )
        attended = F.scaled_dot_product_attention(q, k, v, attn_mask=mask[:, None, None, :])
        attended = self.output(attended.transpose(1, 2).reshape(batch, length, -1))
        hidden: Tensor = self.attention_norm(inputs + self.dropout(attended)) * mask[..., None]
        convolved = self.narrow(torch.relu(self.widen(hidden)))
        result: Tensor = self.norm(hidden + self.dropout(convolved)) * mask[..., None]
        return result


class Convolution(nn.Conv1d):
    """A convolution along sequences, (B, L, inputs) → (B, L, outputs), as long as before; with `Conv1d`'s weights.

    Without gradients it is a sum of products of matrices, one for each place of the kernel: on a CPU that leaves out
    the transpositions, and the reordering of the weights at each call.

    Args:
        inputs: Channels.
        outputs: Channels.
        kernel: Its length, odd.
    """

    def __init__(self, inputs: int, outputs: int, kernel: int) -> None:
        super().__init__(inputs, outputs, kernel, padding=kernel // 2)
        self._ordered: tuple[tuple[int, int], Tensor] | None = None

    def forward(self, inputs: Tensor) -> Tensor:
        """inputs: (B, L, inputs). Returns (B, L, outputs)."""
        if self.weight.shape[2] == 1:
            return F.linear(inputs, self.weight[:, :, 0], self.bias)
        if not self._is_plain(inputs):
            return super().forward(inputs.transpose(1, 2)).transpose(1, 2)
        assert self.bias is not None
        batch, length, channels = inputs.shape
        taps, reach = self._taps(), self.weight.shape[2] // 2
        # Clips one behind the other, with a kernel's reach of zeros between them, are one sequence.
        padded = F.pad(inputs, (0, 0, reach, reach)).view(-1, channels)
        count = len(padded) - 2 * reach
        summed = self.bias.expand(count, -1).clone()
        for place, tap in enumerate(taps):
            summed.addmm_(padded[place : place + count], tap)
        whole = F.pad(summed, (0, 0, 0, 2 * reach)) if batch > 1 else summed
        return whole.view(batch, -1, summed.shape[1])[:, :length]

    def _is_plain(self, inputs: Tensor) -> bool:
        """Return whether nothing but the result is wanted: no gradients, no graph, no other precision or device."""
        special = torch.is_grad_enabled() or torch.jit.is_tracing() or self.weight.is_inference()
        return not special and inputs.device.type == "cpu" and inputs.dtype == self.weight.dtype

    def _taps(self) -> Tensor:
        """Return the weights of each place, (kernel, inputs, outputs), ordered anew when the weights have changed."""
        version = self.weight.data_ptr(), self.weight._version
        if self._ordered is None or self._ordered[0] != version:
            self._ordered = version, self.weight.detach().permute(2, 1, 0).contiguous()
        return self._ordered[1]


class NoteReader(nn.Module):
    """Notes → vectors: embeddings of pitch, onset, duration and velocity, and a linear layer on the plain numbers.

    The five are added. Embeddings of times are clipped at their largest; the linear layer sees how large they really
    are (in units of that largest). Where the model reads marks, an embedding of each that a note has is added too.
    """

    units: Tensor

    def __init__(self, config: NoteConfig) -> None:
        super().__init__()
        self.max_time, self.max_duration = config.max_time, config.max_duration
        self.is_delta = config.time_encoding == "delta"
        self.pitch, self.velocity = nn.Embedding(PITCHES, config.dim), nn.Embedding(PITCHES, config.dim)
        self.onset = nn.Embedding(config.max_time + 1, config.dim)
        self.duration = nn.Embedding(config.max_duration + 1, config.dim)
        self.numbers = nn.Linear(4, config.dim)
        self.marks = nn.Linear(config.marks, config.dim, bias=False) if config.marks else None
        units = torch.tensor([config.max_time, config.max_duration, PITCHES, PITCHES], dtype=torch.float32)
        self.register_buffer("units", units, persistent=False)

    def forward(self, notes: Tensor, marks: Tensor | None = None) -> Tensor:
        """notes: (B, N, 4) rows, integers. marks: (B, N, K) or None: no note has one. Returns (B, N, D)."""
        if self.is_delta:
            gaps = notes[..., ONSET] - F.pad(notes[..., ONSET], (1, 0))[:, :-1]
            notes = torch.cat([gaps[..., None], notes[..., 1:]], dim=2)
        read: Tensor = (
            self.pitch(notes[..., PITCH])
            + self.onset(notes[..., ONSET].clamp(0, self.max_time))
            + self.duration(notes[..., DURATION].clamp(0, self.max_duration))
            + self.velocity(notes[..., VELOCITY])
            + self.numbers(notes / self.units)
        )
        if self.marks is None or marks is None:
            return read
        known = self.marks.in_features
        result: Tensor = read + self.marks(marks[..., :known].to(read.dtype))
        return result


class NoteEncoder(nn.Module):
    """Notes, performer and tempo → one vector for each note."""

    def __init__(self, config: NoteConfig) -> None:
        super().__init__()
        self.conditioning = config.conditioning
        self.reader = NoteReader(config)
        self.conditions = Conditions(config)
        self.blocks = nn.ModuleList(FFTBlock.of(config) for _ in range(config.encoder_layers))

    def forward(
        self, notes: Tensor, mask: Tensor, performer: Tensor, tempo: Tensor, marks: Tensor | None = None
    ) -> Tensor:
        """notes: (B, N, 4). mask: (B, N). performer, tempo: (B,) numbers of classes. marks: (B, N, K).

        Returns (B, N, D).
        """
        hidden = self.reader(notes, marks)
        hidden = hidden + sinusoids(hidden.shape[1], hidden.shape[2], hidden.device)
        conditions = self.conditions(performer, tempo)[:, None]
        if self.conditioning == "input":
            hidden = hidden + conditions
        hidden = hidden * mask[..., None]
        for block in self.blocks:
            hidden = block(hidden, mask)
        if self.conditioning == "after_encoder":
            hidden = hidden + conditions
        result: Tensor = hidden * mask[..., None]
        return result


class Conditions(nn.Module):
    """Performer and tempo → a vector; without performers that of the tempo alone."""

    def __init__(self, config: NoteConfig) -> None:
        super().__init__()
        self.performer = nn.Embedding(config.performers, config.dim) if config.performers else None
        self.tempo = nn.Embedding(config.tempo_classes, config.dim)

    def forward(self, performer: Tensor, tempo: Tensor) -> Tensor:
        """performer, tempo: (B,). Returns (B, D)."""
        result: Tensor = self.tempo(tempo)
        return result if self.performer is None else result + self.performer(performer)


# --- from notes to frames --------------------------------------------------------------------------------------------


def sounding(onsets: Tensor, durations: Tensor, mask: Tensor, frames: int) -> tuple[Tensor, Tensor]:
    """Return which notes sound in which frames, and where in the note each frame lies, both (B, N, T).

    onsets, durations: (B, N), in frames, fractions allowed; a note sounds in one frame at least. The place runs from 0
    in a note's first frame to 1 in its last.
    """
    starts = torch.round(onsets)[..., None]
    lengths = torch.round(onsets + durations)[..., None] - starts
    lengths = lengths.clamp(min=1)
    passed = torch.arange(frames, device=onsets.device, dtype=starts.dtype) - starts
    active = ((passed >= 0) & (passed < lengths) & mask[..., None]).to(starts.dtype)
    return active, active * passed / (lengths - 1).clamp(min=1)


class PolyphonicMixer(nn.Module):
    """Note vectors → frames: in each frame the sum over the notes that sound, (1 + p w) ⊙ h (§5.3.2).

    p is the place in the note and w the weight of the note-wise positional encoding. As the sum is linear in both, it
    is two products of matrices: A'H + w ⊙ P'H, with A and P from `sounding`.

    Args:
        dim: Width.
        notewise: Whether there is a w.
    """

    def __init__(self, dim: int, notewise: bool) -> None:
        super().__init__()
        self.weight = nn.Parameter(0.01 * torch.randn(dim)) if notewise else None

    def forward(self, notes: Tensor, active: Tensor, places: Tensor) -> Tensor:
        """notes: (B, N, D). active, places: (B, N, T). Returns (B, T, D), zero in frames without a note."""
        mixed = active.transpose(1, 2) @ notes
        return mixed if self.weight is None else mixed + self.weight * (places.transpose(1, 2) @ notes)


def rolls(notes: Tensor, active: Tensor, places: Tensor) -> Tensor:
    """Return piano roll and position roll beside each other, (B, T, 256): the input of models that know no notes.

    notes: (B, N, 4). active, places: (B, N, T). The position falls from 1 to 0 in the course of a note.
    """
    pitches = F.one_hot(notes[..., PITCH], PITCHES).to(active.dtype)
    piano = (active.transpose(1, 2) @ pitches).clamp(max=1)
    position = ((active - places).transpose(1, 2) @ pitches).clamp(max=1)
    return torch.cat([piano, position], dim=2)
