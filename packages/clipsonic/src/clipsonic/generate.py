"""Queries → sounds: the synthesizer, with everything that can be done to a sound by its network (§7.3).

A sound is drawn by itself from a seed of its own, so that sound i of several equals that sound made alone. Long sounds
are drawn on a canvas of overlapping windows (`canvas`), loops on one that is a circle; what is kept of given sounds is
known to the sampler at every step (`sampling.Known`).
"""

from __future__ import annotations

import dataclasses
import math
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from muspy_core import Audio
from torch import Tensor
from tqdm.auto import tqdm

from clipsonic.canvas import Canvas
from clipsonic.checkpoint import (
    Network,
    check_same_mel,
    load_network,
    load_prior,
    load_vocoder,
    model_folder,
)
from clipsonic.config import ModelError
from clipsonic.features.queries import QueryEncoder, QueryError, Vectors, Vocabulary, mixed, weighted_texts
from clipsonic.features.spectrogram import mel_spectrogram
from clipsonic.guidance import guided
from clipsonic.sampling import Known, Progress, Sampling, Start, generators_of, sample_steps

if TYPE_CHECKING:
    from clipsonic.checkpoint import Vocoder
    from clipsonic.prior import Prior

SHORTEST_S, LONGEST_S = 0.1, 600.0
# Frames beyond the ends that vocoders are shown, so that pieces made one by one fit: more than their reach.
CONTEXT = 32
FADE = 8  # frames in which one piece passes into the next; phases of Griffin-Lim differ between them
PIECE = 1024  # frames that a vocoder makes at once; memory does not grow with the length


@dataclasses.dataclass(frozen=True)
class Settings:
    """How sounds are made.

    duration_s: of each sound. sampling: sampler and steps. guidance: weight w of the query; 1: none. window, hop:
    frames that the network sees at once, and after which the next window begins. loop: whether the end leads back to
    the beginning.
    """

    duration_s: float = 4.096
    sampling: Sampling = dataclasses.field(default_factory=Sampling)
    guidance: float = 1.5
    window: int = 128
    hop: int = 64
    loop: bool = False

    def __post_init__(self) -> None:
        if not SHORTEST_S <= self.duration_s <= LONGEST_S:
            raise ModelError(f"a sound lasts {SHORTEST_S} to {LONGEST_S:g} s, got {self.duration_s} s")
        if not math.isfinite(self.guidance):
            raise ModelError(f"the guidance must be a finite number, got {self.guidance}")


@dataclasses.dataclass(frozen=True)
class Query:
    """What is to be heard. vector: (D,). text: what it is called in reports. against: (D,), what is not to be heard."""

    vector: Vectors
    text: str
    against: Vectors | None = None


class Synthesizer:
    """A network with a vocoder, and what makes vectors of queries.

    Args:
        network: That was trained.
        vocoder: That was trained on the same spectrograms; None: Griffin-Lim.
        encoder: Of queries; None: the labels that the network knows.
        prior: From vectors of texts to vectors of images, for networks that learned from images; None: texts as they
            are ("zero shot").
        device: Of network and vocoder; they are moved there.

    Raises ModelError if they do not fit each other.
    """

    def __init__(
        self,
        network: Network,
        vocoder: Vocoder | None = None,
        encoder: QueryEncoder | None = None,
        prior: Prior | None = None,
        device: str = "cpu",
    ) -> None:
        if vocoder is not None:
            check_same_mel(network, vocoder)
        if prior is not None and prior.config.query_dim != network.model.config.query_dim:
            raise ModelError(
                f"the prior makes vectors of {prior.config.query_dim} values, "
                f"the network reads {network.model.config.query_dim}"
            )
        self.network, self.vocoder, self.prior, self.encoder = network, vocoder, prior, encoder
        self.device = torch.device(device)
        network.model.to(self.device)
        if vocoder is not None:
            vocoder.to(self.device)
        self.vocabulary: Vocabulary | None = None
        if network.vectors is not None:
            vectors = np.asarray(network.vectors, np.float32)
            self.vocabulary = Vocabulary(network.labels, vectors, network.aliases, network.queries.encoder)

    @classmethod
    def from_pretrained(
        cls,
        name: str | os.PathLike[str] = "instruments",
        *,
        vocoder: str | os.PathLike[str] | None = None,
        prior: str | os.PathLike[str] | None = None,
        encoder: QueryEncoder | None = None,
        device: str = "cpu",
    ) -> Synthesizer:
        """Load a synthesizer by its bundled name, folder or Hub id, or a network alone by its folder.

        vocoder: the folder of one, or "griffin-lim"; None: the synthesizer's own, or else Griffin-Lim. prior: the
        folder of one; None: the synthesizer's own, if it has one. Raises ModelError.
        """
        folder = model_folder(name)
        network = load_network(folder / "network" if (folder / "network").is_dir() else folder)
        own = folder / "vocoder"
        chosen = own if vocoder is None and own.is_dir() else vocoder
        loaded = None if chosen is None or os.fspath(chosen) == "griffin-lim" else load_vocoder(chosen)
        prior_folder = prior if prior is not None else folder / "prior"
        trained_prior = None
        if prior is not None or Path(prior_folder).is_dir():
            trained_prior, space = load_prior(prior_folder)
            if space.encoder != network.queries.encoder:
                raise ModelError(f"the prior's vectors are those of {space.encoder}, not {network.queries.encoder}")
        return cls(network, loaded, encoder, trained_prior, device)

    # --- queries -----------------------------------------------------------------------------------------------------

    def text(self, text: str, *, negative: str | None = None, seed: int = 0) -> Query:
        """Return the query of a text, such as "violin" or "violin:0.7 rain:0.3".

        negative: a text that is not to be heard. seed: of the prior, where there is one. Raises QueryError for a text
        that is no label, if the synthesizer has no encoder of texts.
        """
        against = None if negative is None else self._text_vector(negative, seed)
        return Query(self._text_vector(text, seed), text.strip(), against)

    def images(self, images: Sequence[Any], name: str = "image") -> Query:
        """Return the query of images, whose directions are averaged. images: paths, or (height, width, 3) uint8."""
        return Query(mixed(self._encoder().images(images)), name)

    def sounds(self, sounds: Sequence[Audio], name: str = "sound") -> Query:
        """Return the query of sounds."""
        return Query(mixed(self._encoder().sounds(sounds)), name)

    def nearest_label(self, query: Query) -> tuple[str, float] | None:
        """Return the label nearest to a query and the cosine, or None if the network knows no labels."""
        return None if self.vocabulary is None else self.vocabulary.nearest(query.vector)

    def _text_vector(self, text: str, seed: int) -> Vectors:
        parts = weighted_texts(text)
        vectors = self._text_vectors([part for part, _ in parts])
        if self.prior is not None:
            from clipsonic.prior import sample_images

            tokens = self._text_tokens([part for part, _ in parts])
            made = sample_images(self.prior, torch.from_numpy(vectors), generators_of([seed] * len(parts)), tokens)
            vectors = made.numpy()
        return mixed(vectors, [weight for _, weight in parts])

    def _text_vectors(self, texts: Sequence[str]) -> Vectors:
        if self.vocabulary is not None and (self.encoder is None or all(text in self.vocabulary for text in texts)):
            return self.vocabulary.texts(texts)
        template = self.network.queries.template
        return self._encoder().texts([template.format(text) for text in texts])

    def _text_tokens(self, texts: Sequence[str]) -> Tensor | None:
        """Encoded tokens for a prior that reads them; None, for which its nulls stand, if the encoder has none."""
        towers: Any = self.encoder
        if self.prior is None or not self.prior.config.tokens or not hasattr(towers, "tokens"):
            return None
        return torch.from_numpy(towers.tokens([self.network.queries.template.format(text) for text in texts]))

    def _encoder(self) -> QueryEncoder:
        if self.encoder is None:
            wanted = self.network.queries.encoder
            raise QueryError(f"this query needs the encoder {wanted} with which the network was trained")
        if self.encoder.identity != self.network.queries.encoder:
            raise QueryError(
                f"queries of {self.encoder.identity} mean nothing to a network trained with "
                f"{self.network.queries.encoder}"
            )
        return self.encoder

    # --- sounds ------------------------------------------------------------------------------------------------------

    def generate(
        self, query: Query | str, n: int = 1, *, seed: int = 0, settings: Settings | None = None
    ) -> list[Audio]:
        """Return n sounds; sound i is drawn from seed + i. Raises ModelError for impossible settings."""
        return [self._last(self.stream(query, seed=seed + index, settings=settings)) for index in range(n)]

    def stream(
        self, query: Query | str, *, seed: int = 0, settings: Settings | None = None
    ) -> Iterator[Progress | Audio]:
        """Make one sound, and tell of every step: a `Progress` after each, and the `Audio` at the end."""
        settings = settings or Settings()
        frames = self._padded(self.network.mel.frames(settings.duration_s), settings)
        yield from self._draw(query, frames, settings.duration_s, seed, settings)

    def vary(
        self,
        audio: Audio,
        query: Query | str,
        strength: float = 0.4,
        *,
        seed: int = 0,
        settings: Settings | None = None,
    ) -> Audio:
        """Return a variation of a sound as long as it is. strength: above 0 and at most 1, which forgets the sound."""
        settings = dataclasses.replace(settings or Settings(), duration_s=audio.duration)
        mels = self._given(audio, settings)
        start = Start(mels, strength)
        return self._last(self._draw(query, mels.shape[-1], audio.duration, seed, settings, start=start))

    def infill(
        self,
        audio: Audio,
        query: Query | str,
        from_s: float,
        to_s: float,
        *,
        seed: int = 0,
        settings: Settings | None = None,
    ) -> Audio:
        """Return a sound of which the part between two times is made anew; the samples outside are the given ones.

        Raises ModelError if the times are not in the sound.
        """
        if not 0 <= from_s < to_s <= audio.duration + 1e-6:
            raise ModelError(f"{from_s} to {to_s} s is no part of a sound of {audio.duration:.3f} s")
        settings = dataclasses.replace(settings or Settings(), duration_s=audio.duration)
        mels = self._given(audio, settings)
        rate = self.network.mel.sample_rate / self.network.mel.hop_length
        first, last = math.floor(from_s * rate), math.ceil(to_s * rate)
        mask = torch.ones_like(mels, dtype=torch.bool)
        mask[..., first:last] = False
        made = self._last(self._draw(query, mels.shape[-1], audio.duration, seed, settings, known=Known(mels, mask)))
        return self._joined(audio, made, [(first, last)])

    def extend(
        self, audio: Audio, query: Query | str, duration_s: float, *, seed: int = 0, settings: Settings | None = None
    ) -> Audio:
        """Return a sound that goes on, `duration_s` long in all; the given samples are kept.

        Raises ModelError if the sound is as long as that already.
        """
        if duration_s <= audio.duration:
            raise ModelError(f"the sound lasts {audio.duration:.3f} s already; --duration must be longer")
        settings = dataclasses.replace(settings or Settings(), duration_s=duration_s)
        mel = self.network.mel
        frames = self._padded(mel.frames(duration_s), settings)
        given = torch.from_numpy(mel_spectrogram(audio, mel))[None, None]
        # The last frames see the silence after the end, and would be learned as a fading.
        kept = max(math.floor(audio.duration * mel.sample_rate / mel.hop_length) - 2, 1)
        mels = torch.full((1, 1, mel.n_mels, frames), -1.0, device=self.device)
        mels[..., :kept] = given[..., :kept].to(self.device)
        mask = torch.zeros_like(mels, dtype=torch.bool)
        mask[..., :kept] = True
        made = self._last(self._draw(query, frames, duration_s, seed, settings, known=Known(mels, mask)))
        return self._joined(audio, made, [(kept, frames)])

    def sound(self, mels: Tensor, *, loop: bool = False) -> Audio:
        """Return the sound of a spectrogram, (M, T) within ±1, by the vocoder in pieces."""
        from clipsonic.vocoder.matching import to_sound

        mel, frames = self.network.mel, mels.shape[-1]
        length = frames + FADE if loop else frames
        places = torch.arange(-CONTEXT, length + CONTEXT)
        padded = mels[:, places % frames if loop else places.clamp(0, frames - 1)].to(self.device)
        if not loop:
            padded[:, :CONTEXT], padded[:, frames + CONTEXT :] = -1.0, -1.0
        hop, fade = mel.hop_length, FADE * mel.hop_length
        ramp = torch.linspace(0, 1, fade)
        sound = torch.zeros(length * hop)
        for first in range(0, length, PIECE):
            last = min(first + PIECE + FADE, length)
            with torch.inference_mode():
                part = padded[None, :, first : last + 2 * CONTEXT]
                waves = to_sound(part, mel, self.vocoder)
            waves = waves[0, CONTEXT * hop : (CONTEXT + last - first) * hop].cpu().clone()
            if first:
                waves[:fade] *= ramp
            if last < length:
                waves[-fade:] *= 1 - ramp
            sound[first * hop : last * hop] += waves
            if last == length:
                break
        if loop:
            # What would come after the end is faded into the beginning.
            sound[:fade] = ramp * sound[:fade] + (1 - ramp) * sound[frames * hop :]
        return Audio(sound[: frames * hop].clamp(-1, 1).numpy(), mel.sample_rate)

    def _draw(
        self,
        query: Query | str,
        frames: int,
        duration_s: float,
        seed: int,
        settings: Settings,
        *,
        known: Known | None = None,
        start: Start | None = None,
    ) -> Iterator[Progress | Audio]:
        query = self.text(query, seed=seed) if isinstance(query, str) else query
        vector = torch.from_numpy(query.vector)[None].to(self.device)
        negatives = None if query.against is None else torch.from_numpy(query.against)[None].to(self.device)
        with torch.inference_mode():
            model = guided(self.network.model, vector, negatives, settings.guidance)
        canvas = Canvas(model, settings.window, settings.hop, settings.loop)
        size, config = (self.network.mel.n_mels, frames), self.network.model.config
        mels = torch.empty(0)
        sampling, generators = settings.sampling, generators_of([seed])
        for progress in sample_steps(
            canvas, size, generators, config, sampling, known=known, start=start, device=self.device
        ):
            mels = progress.mels
            yield progress
        made = self.sound(mels[0, 0], loop=settings.loop)
        # A loop is as long as its circle, to the frame.
        samples = made.frames if settings.loop else round(duration_s * made.sample_rate)
        yield made.window(0, samples)

    def _padded(self, frames: int, settings: Settings) -> int:
        multiple = self.network.model.config.multiple
        if settings.window % multiple or settings.hop % multiple:
            raise ModelError(f"window={settings.window} and hop={settings.hop} must be multiples of {multiple} frames")
        return -(-frames // multiple) * multiple

    def _given(self, audio: Audio, settings: Settings) -> Tensor:
        """Return a sound's spectrogram, followed by silence up to what the network can read, (1, 1, M, T)."""
        mels = torch.from_numpy(mel_spectrogram(audio, self.network.mel))[None, None]
        missing = self._padded(mels.shape[-1], settings) - mels.shape[-1]
        return torch.nn.functional.pad(mels, (0, missing), value=-1.0).to(self.device)

    def _joined(self, given: Audio, made: Audio, new: Sequence[tuple[int, int]]) -> Audio:
        """Return made sound in the new frames and given sound elsewhere, faded into each other over a frame."""
        hop = self.network.mel.hop_length
        given = given.to_mono().resample(made.sample_rate)
        share = np.zeros(made.frames + 2 * hop, np.float32)
        for first, last in new:
            share[hop + first * hop : hop + last * hop] = 1.0
        if given.frames < made.frames:
            share[hop + given.frames - hop :] = 1.0
        ramp = np.convolve(share, np.full(hop, 1 / hop, np.float32), "same")[hop:-hop]
        kept = given.window(0, made.frames).samples[0]
        return Audio(ramp * made.samples[0] + (1 - ramp) * kept, made.sample_rate)

    @staticmethod
    def _last(events: Iterator[Progress | Audio]) -> Audio:
        """Return the sound at the end, with a bar for the steps on a terminal."""
        with tqdm(desc="sampling", disable=None, leave=False) as bar:
            for event in events:
                if isinstance(event, Audio):
                    return event
                bar.total = event.steps
                bar.update()
        raise AssertionError("a sound ends every stream")
