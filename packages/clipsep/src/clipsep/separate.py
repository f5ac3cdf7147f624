"""Sound and queries → what was asked for, and the rest: any length, rate and number of channels (mask by mask, §6.3).

The network hears the mean of the channels at 16 kHz; its mask acts on each channel. What lies above 8 kHz belongs to
the rest unless masks are extended. Everything runs in blocks: memory does not grow with the length, and K queries cost
one run of the U-Net. Symbols: C channels, K queries, G = 256 rows, T frames.
"""

from __future__ import annotations

import dataclasses
import functools
import math
import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Literal

import numpy as np
import torch
from muspy_core.audio import Audio
from muspy_core.audio_blocks import join, resample_blocks
from numpy.typing import NDArray
from torch import Tensor

from clipsep.checkpoint import load_checkpoint
from clipsep.config import HOP_LENGTH, SAMPLE_RATE
from clipsep.features.queries import QueryEncoder, encoder_of
from clipsep.features.spectrogram import FLOOR, unwarp, warp
from clipsep.features.wordings import QueryError
from clipsep.model import CLIPSep, FusedSep, Network, PITSep, for_inference
from clipsep.query import EncodedQuery, Query, encode
from clipsep.windows import CONTEXT, WINDOW, FrameStream, SampleStream, WindowedMasks

Band = Literal["cut", "extend"]
Precision = Literal["fp32", "bf16"]
MAX_STREAMS = 64  # channels times queries
_HIGH_ROWS = 64  # linear rows below 8 kHz whose mean mask stands for what lies above
_SILENCE_DB = -120.0

# What is looked at while sound passes: (masks (K, G, T), and those of noise heads, magnitudes of the mixture (F, T)).
Watcher = Callable[[Tensor, Tensor], None]
Shown = Literal["queries", "queries and noise"]


@dataclasses.dataclass(frozen=True)
class Block:
    """A piece of the result. stems: one for each query; their sum and `residual` is `mixture`, sample by sample."""

    stems: list[Audio]
    residual: Audio
    mixture: Audio


@dataclasses.dataclass(frozen=True)
class Separation:
    """A whole result. stems: by the name of the query. residual: what is left of the input. presence: by name, energy
    of the stem relative to the input in decibels, -120 for silence.
    """

    stems: dict[str, Audio]
    residual: Audio
    presence: dict[str, float]


class Separator:
    """A network that is asked for sounds.

        separator = Separator.from_pretrained("instruments")
        separation = separator.separate(Audio.read("band.wav"), ["violin", "piano"])
        separation.stems["violin"].write("violin.wav")

    Args:
        network: A trained model.
        encoder: Reads its queries; None for PIT, which has none.
        device: Where the network runs.
        precision: "bf16" halves memory, and time where the processor has instructions for it.
    """

    def __init__(
        self,
        network: Network,
        encoder: QueryEncoder | None = None,
        *,
        device: str = "cpu",
        precision: Precision = "fp32",
    ) -> None:
        if encoder is None and not isinstance(network, PITSep):
            raise QueryError("a model that is asked needs an encoder of queries")
        self.network = for_inference(network).to(device)
        self.encoder, self.device, self.precision = encoder, device, precision

    @classmethod
    def from_pretrained(
        cls,
        name: str | os.PathLike[str] = "default",
        *,
        clip_weights: str | os.PathLike[str] | None = None,
        cache: str | os.PathLike[str] | None = None,
        device: str = "cpu",
        precision: Precision = "fp32",
    ) -> Separator:
        """Load a model by its bundled name, folder or Hub id, with the encoder that it was trained with.

        clip_weights: file or tag of CLIP's weights in the place of those that the model names. cache: folder for the
        vectors of queries. Raises ModelError, QueryError or ClipError.
        """
        loaded = load_checkpoint(name)
        if isinstance(loaded.model, PITSep):
            return cls(loaded.model, None, device=device, precision=precision)
        labels = loaded.model.config.labels
        encoder = encoder_of(loaded.training.encoder, labels, weights=clip_weights, cache=cache, device=device)
        return cls(loaded.model, encoder, device=device, precision=precision)

    def separate(self, audio: Audio, queries: Sequence[str | Query] = (), *, band: Band = "cut") -> Separation:
        """Separate a sound that is in memory; see `stream`."""
        names = [query.name for query in self.encoded(queries)]
        energy = Presence(len(names))
        blocks = [block for block in self.stream([audio], queries, band=band) if energy.add(block)]
        parts = list(zip(*(block.stems for block in blocks), strict=True))
        stems = {name: join(part) for name, part in zip(names, parts, strict=True)}
        return Separation(
            stems, join(block.residual for block in blocks), dict(zip(names, energy.decibels, strict=True))
        )

    def stream(
        self,
        blocks: Iterable[Audio],
        queries: Sequence[str | Query] = (),
        *,
        band: Band = "cut",
        watch: Watcher | None = None,
        shown: Shown = "queries",
    ) -> Iterator[Block]:
        """Separate sound as it comes, in constant memory; blocks of the result are delayed by at most a window (16 s).

        Args:
            blocks: Sound of any rate and number of channels, all alike.
            queries: Texts or `Query`s; for PIT none: it gives its sources in its own order.
            band: What happens above 8 kHz: "cut" leaves it to the residual, "extend" lets through as much of it as of
                the two kilohertz below.
            watch: Is shown all masks, for pictures of them.
            shown: Whether the masks of the noise heads (of CLIPSep-NIT) are among those. No sound passes through them.

        Raises QueryError and the like before anything is read.
        """
        asked = self.encoded(queries)
        if shown == "queries and noise" and not self.noise_heads:
            raise QueryError("this model has no noise heads; it was not trained by noise invariant training")
        return self._stream(iter(blocks), asked, band, watch, shown)

    @property
    def noise_heads(self) -> int:
        """The number of noise heads, 0 of all but CLIPSep-NIT."""
        return len(self.network.noise_heads) if isinstance(self.network, CLIPSep) else 0

    def encoded(self, queries: Sequence[str | Query]) -> list[EncodedQuery]:
        """Return queries as vectors, all with different names. Raises QueryError."""
        if self.encoder is None:
            if queries:
                raise QueryError("this model (PIT) takes no queries; it gives its sources in its own order")
            none = np.zeros((0, 0), np.float32)
            return [EncodedQuery(f"source {index + 1}", none, none) for index in range(self.network.config.sources)]
        if not queries:
            raise QueryError("nothing is asked for: name at least one sound")
        asked = [Query.of_text(query) if isinstance(query, str) else query for query in queries]
        names = [query.name for query in asked]
        if len(set(names)) < len(names):
            raise QueryError(f"a query stands twice among {', '.join(names)}")
        return [encode(query, self.encoder) for query in asked]

    # --- masks -------------------------------------------------------------------------------------------------------

    @torch.inference_mode()
    def masks(self, magnitude: Tensor, queries: Sequence[EncodedQuery]) -> Tensor:
        """Return the masks of a window, (K, G, T). magnitude: (F, T) linear, T a multiple of 2 to the depth."""
        mixture = warp(magnitude)[None].to(self.device)
        with self._precise():
            if isinstance(self.network, FusedSep):
                vectors = self._tensor(_terms(queries))
                return joined(self.network(mixture, vectors[None]).queries[0].float(), queries)
            return self._masks_of(self._features(mixture), queries)

    @torch.inference_mode()
    def masks_with_noise(self, magnitude: Tensor, queries: Sequence[EncodedQuery]) -> Tensor:
        """Return the masks of a window, and after them those of the noise heads, which hear all queries together."""
        network = self.network
        assert isinstance(network, CLIPSep)  # `stream` has asked for noise heads
        with self._precise():
            features = self._features(warp(magnitude)[None].to(self.device))
            wanted = np.concatenate([query.positive for query in queries])
            projections = network.noise_projections(network.project(self._tensor(wanted)[None]))
            noise = torch.sigmoid(network.mix(projections, features))[0].float()
            return torch.cat([self._masks_of(features, queries), noise])

    def _precise(self) -> torch.autocast:
        return torch.autocast(torch.device(self.device).type, torch.bfloat16, enabled=self.precision == "bf16")

    def _masks_of(self, features: Tensor, queries: Sequence[EncodedQuery]) -> Tensor:
        """Masks of queries, (K, G, T), of what the U-Net makes of a window."""
        if isinstance(self.network, PITSep):
            return torch.sigmoid(self.network.mix(features))[0].float()
        assert isinstance(self.network, CLIPSep)  # fused networks have no features
        projected = self.network.project(self._tensor(_terms(queries))[None])
        return joined(torch.sigmoid(self.network.mix(projected, features))[0].float(), queries)

    def _features(self, mixture: Tensor) -> Tensor:
        logarithms = torch.log(mixture + FLOOR)[:, None].contiguous(memory_format=torch.channels_last)
        return self.network.unet.features(logarithms)

    def _tensor(self, vectors: NDArray[np.float32]) -> Tensor:
        tensor = torch.from_numpy(vectors).to(self.device)
        return tensor[:, 0].long() if self.network.config.kind == "labelsep" else tensor

    # --- the stream --------------------------------------------------------------------------------------------------

    def _stream(
        self, blocks: Iterator[Audio], queries: list[EncodedQuery], band: Band, watch: Watcher | None, shown: Shown
    ) -> Iterator[Block]:
        waiting = _Waiting()
        first = next(blocks, None)
        if first is None:
            return
        if first.channels * len(queries) > MAX_STREAMS:
            most = MAX_STREAMS // first.channels
            raise QueryError(f"{len(queries)} queries of {first.channels} channels are too many; at most {most}")
        low = resample_blocks(waiting.tapped(first, blocks), SAMPLE_RATE)
        with_gain = self._masked(low, queries, first.channels, watch, shown, extend=band == "extend")
        stems = resample_blocks(with_gain, first.sample_rate)
        # Stems first, then the mixture as it comes back from 16 kHz, then the gains of what lies above.
        streams = len(queries) * first.channels
        for made in stems:
            samples = waiting.take(made.frames)
            if samples.shape[1]:
                yield self._block(made.samples[:, : samples.shape[1]], samples, streams, first)
        rest = waiting.take(None)
        if rest.shape[1]:
            silence = np.zeros((made_channels(streams, first.channels, len(queries), band), rest.shape[1]), np.float32)
            yield self._block(silence, rest, streams, first)

    def _block(self, made: NDArray[np.float32], samples: NDArray[np.float32], streams: int, like: Audio) -> Block:
        stems = made[:streams].reshape(-1, like.channels, samples.shape[1])
        if len(made) > streams:
            high = samples - made[streams : streams + like.channels]
            gains = np.clip(made[streams + like.channels :], 0.0, 1.0)
            stems = stems + gains[:, None] * high[None]
        residual = samples - stems.sum(axis=0)
        rate = like.sample_rate
        return Block([Audio(stem, rate) for stem in stems], Audio(residual, rate), Audio(samples, rate))

    def _masked(
        self,
        blocks: Iterable[Audio],
        queries: list[EncodedQuery],
        channels: int,
        watch: Watcher | None,
        shown: Shown,
        *,
        extend: bool,
    ) -> Iterator[Audio]:
        """Yield the stems at 16 kHz, K × C channels (and, to extend masks, the mixture and K gains)."""
        frames = FrameStream(channels)
        samples = SampleStream((len(queries) + extend) * channels)
        masks_of = functools.partial(self.masks if shown == "queries" else self.masks_with_noise, queries=queries)
        windows = WindowedMasks(masks_of, self.network.config.frame_multiple, WINDOW, CONTEXT)

        def finished(pairs: Iterator[tuple[Tensor, Tensor]]) -> Iterator[Audio]:
            for spectrum, masks in pairs:
                if watch is not None:
                    watch(masks, spectrum.mean(dim=0).abs())
                linear = unwarp(masks[: len(queries)].cpu())
                # Frames lie one behind the other, as their inverse transform reads them.
                parts = [(linear.mT.contiguous()[:, None] * spectrum.mT.contiguous()[None]).flatten(0, 1).mT]
                given = samples.push(torch.cat([*parts, spectrum]) if extend else parts[0])
                gains = linear[:, -_HIGH_ROWS:].mean(dim=1) if extend else None
                if given.shape[1] or gains is not None:
                    yield from self._given(given, gains_stream, gains)

        gains_stream = _Gains(len(queries))
        for block in blocks:
            yield from finished(windows.push(frames.push(torch.from_numpy(np.ascontiguousarray(block.samples)))))
        yield from finished(windows.push(frames.finish()))
        yield from finished(windows.finish())
        yield from self._given(samples.finish(), gains_stream, None if not extend else torch.zeros(len(queries), 0))

    def _given(self, samples: Tensor, stream: _Gains, gains: Tensor | None) -> Iterator[Audio]:
        made = samples.numpy()
        if gains is not None:
            stream.push(gains.numpy())
            made = np.concatenate([made, stream.take(made.shape[1])])
        if made.shape[1]:
            yield Audio(made, SAMPLE_RATE)


def _terms(queries: Sequence[EncodedQuery]) -> NDArray[np.float32]:
    """The vectors of all terms, those of a query together, the wanted before the unwanted."""
    return np.concatenate([vectors for query in queries for vectors in (query.positive, query.negative)])


def joined(single: Tensor, queries: Sequence[EncodedQuery]) -> Tensor:
    """Return the mask of each query, (K, G, T): that of its terms together, times one minus each of its negative terms.

    single: one mask for each term, (terms, G, T), in the order of `_terms`.
    """
    masks, first = [], 0
    for query in queries:
        count, unwanted = len(query.positive), len(query.negative)
        wanted = single[first : first + count]
        mask = wanted.sum(dim=0).clamp(max=1.0) if query.combine == "sum" else wanted.amax(dim=0)
        for negative in single[first + count : first + count + unwanted]:
            mask = mask * (1.0 - negative)
        masks.append(mask)
        first += count + unwanted
    return torch.stack(masks)


def made_channels(streams: int, channels: int, queries: int, band: Band) -> int:
    """Return the number of channels between the network and the result."""
    return streams + (channels + queries if band == "extend" else 0)


class _Waiting:
    """Input that waits for its masks."""

    def __init__(self) -> None:
        self.held: deque[NDArray[np.float32]] = deque()

    def tapped(self, first: Audio, blocks: Iterator[Audio]) -> Iterator[Audio]:
        """Pass blocks on, and keep them."""
        kind = (first.channels, first.sample_rate)
        self.held.append(first.samples)
        yield first
        for block in blocks:
            if (block.channels, block.sample_rate) != kind:
                raise QueryError(f"blocks must be alike: {kind[0]} × {kind[1]} Hz, then {block.channels} × "
                                 f"{block.sample_rate} Hz")  # fmt: skip
            self.held.append(block.samples)
            yield block

    def take(self, count: int | None) -> NDArray[np.float32]:
        """Return the next samples, (C, count) or as many as there are."""
        taken: list[NDArray[np.float32]] = []
        left = math.inf if count is None else count
        while self.held and left > 0:
            block = self.held.popleft()
            if block.shape[1] > left:
                self.held.appendleft(block[:, int(left) :])
                block = block[:, : int(left)]
            taken.append(block)
            left -= block.shape[1]
        return np.concatenate(taken, axis=1) if taken else np.zeros((1, 0), np.float32)


class _Gains:
    """Gains by frame → gains by sample, interpolated between the middles of frames."""

    def __init__(self, queries: int) -> None:
        self.held = np.zeros((queries, 0), np.float32)
        self.first = 0  # frame of held[:, 0]
        self.sample = 0  # next sample

    def push(self, gains: NDArray[np.float32]) -> None:
        """Append gains, (K, T)."""
        self.held = np.concatenate([self.held, gains], axis=1)

    def take(self, count: int) -> NDArray[np.float32]:
        """Return gains of the next samples, (K, count)."""
        places = (self.sample + np.arange(count)) / HOP_LENGTH - self.first
        known = np.arange(self.held.shape[1])
        made = np.stack([np.interp(places, known, gains) for gains in self.held]).astype(np.float32)
        self.sample += count
        drop = min(max(self.sample // HOP_LENGTH - self.first - 1, 0), max(self.held.shape[1] - 1, 0))
        self.held, self.first = self.held[:, drop:], self.first + drop
        return made


class Presence:
    """How loud each stem is beside the input, summed up block by block."""

    def __init__(self, stems: int) -> None:
        self.energy, self.whole = np.zeros(stems), 0.0

    def add(self, block: Block) -> bool:
        """Take a block into account; always True, so that it fits into a comprehension."""
        self.energy += [_energy(stem) for stem in block.stems]
        self.whole += _energy(block.mixture)
        return True

    @property
    def decibels(self) -> list[float]:
        """Energy of each stem relative to the input in decibels, -120 for silence."""
        shares = self.energy / max(self.whole, 1e-20)
        return [max(10 * math.log10(share), _SILENCE_DB) if share > 0 else _SILENCE_DB for share in shares]


def _energy(sound: Audio) -> float:
    # Stems are rows of a larger array, which `vdot` would copy.
    return float(np.einsum("cn,cn->", sound.samples, sound.samples))
