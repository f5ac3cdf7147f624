"""Vector of a text → vector of an image: the diffusion prior, a causal transformer (App. 7.A).

The transformer reads, in this order, the encoded tokens of the text (if it has any), the vector of the text, the
diffusion step, the noisy vector of the image, and a learned query, at whose place it says what the clean vector is.
Vectors of images have unit length, and are scaled by √D for the diffusion, so that each value has unit variance.

Symbols: B items, D width of vectors, L encoded text tokens.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from clipsonic.config import PriorConfig
from clipsonic.schedule import CosineSchedule

SAMPLING_STEPS, CANDIDATES = 64, 2


class Block(nn.Module):
    """A pre-norm transformer block whose places see themselves and those before."""

    def __init__(self, config: PriorConfig) -> None:
        super().__init__()
        width = config.dim
        self.heads, self.dropout = config.heads, config.dropout
        self.attention_norm, self.feed_forward_norm = nn.LayerNorm(width), nn.LayerNorm(width)
        self.inputs, self.outputs = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.feed_forward = nn.Sequential(nn.Linear(width, 4 * width), nn.GELU(), nn.Linear(4 * width, width))

    def forward(self, places: Tensor, mask: Tensor) -> Tensor:
        """places: (B, P, dim). mask: (B, 1, P, P), what each place sees."""
        batch, length, width = places.shape
        parts = self.inputs(self.attention_norm(places)).view(batch, length, 3, self.heads, -1)
        query, key, value = parts.permute(2, 0, 3, 1, 4)
        seen = F.scaled_dot_product_attention(query, key, value, attn_mask=mask)
        dropout = self.dropout if self.training else 0.0
        places = places + F.dropout(self.outputs(seen.transpose(1, 2).reshape(batch, length, width)), dropout)
        return places + F.dropout(self.feed_forward(self.feed_forward_norm(places)), dropout)


class Prior(nn.Module):
    """What the vector of an image may be, given a text.

    Args:
        config: Size.
    """

    def __init__(self, config: PriorConfig | None = None) -> None:
        super().__init__()
        self.config = config = config or PriorConfig()
        width, dim = config.dim, config.query_dim
        self.text, self.image = nn.Linear(dim, width), nn.Linear(dim, width)
        self.token = nn.Linear(dim, width) if config.tokens else None
        self.step = nn.Sequential(nn.Linear(width, width), nn.SiLU(), nn.Linear(width, width))
        self.query = nn.Parameter(0.02 * torch.randn(width))
        self.positions = nn.Parameter(0.02 * torch.randn(config.tokens + 4, width))
        # What stands for a text that is left out, and for tokens after a text's end.
        self.null_text = nn.Parameter(torch.randn(dim) * dim**-0.5)
        self.null_tokens = nn.Parameter(0.02 * torch.randn(config.tokens, width)) if config.tokens else None
        self.blocks = nn.ModuleList(Block(config) for _ in range(config.depth))
        self.norm = nn.LayerNorm(width)
        self.output = nn.Linear(width, dim)

    @property
    def n_parameters(self) -> int:
        """Number of trainable values."""
        return sum(parameter.numel() for parameter in self.parameters())

    def forward(
        self,
        noisy: Tensor,
        steps: Tensor,
        texts: Tensor,
        tokens: Tensor | None = None,
        dropped: Tensor | None = None,
    ) -> Tensor:
        """Return the clean vectors that are believed, (B, D), scaled by √D as `noisy` is.

        noisy: (B, D). steps: (B,). texts: (B, D), of any length. tokens: (B, L, D) with zeros after a text's end, where
        the config has tokens. dropped: (B,) bool, where the text and its tokens are replaced by the learned nulls.
        """
        texts = F.normalize(texts, dim=-1)
        if dropped is not None:
            texts = torch.where(dropped[:, None], self.null_text, texts)
        own = torch.stack(
            [
                self.text(texts),
                self.step(_sinusoids(steps, self.config.dim)),
                self.image(noisy),
                self.query.expand(len(noisy), -1),
            ],
            dim=1,
        )
        places = own if self.token is None else torch.cat([self._tokens(tokens, len(own), dropped), own], 1)
        places = places + self.positions
        length = places.shape[1]
        mask = torch.ones(length, length, dtype=torch.bool, device=places.device).tril()
        for block in self.blocks:
            places = block(places, mask)
        clean: Tensor = self.output(self.norm(places[:, -1]))
        return clean

    def _tokens(self, tokens: Tensor | None, items: int, dropped: Tensor | None) -> Tensor:
        assert self.token is not None
        assert self.null_tokens is not None
        if tokens is None:
            return self.null_tokens.expand(items, -1, -1)
        missing = F.pad(tokens, (0, 0, 0, self.config.tokens - tokens.shape[1]))
        absent = (missing == 0).all(-1)
        if dropped is not None:
            absent = absent | dropped[:, None]
        return torch.where(absent[..., None], self.null_tokens, self.token(missing))


def prior_loss(
    prior: Prior,
    images: Tensor,
    texts: Tensor,
    tokens: Tensor | None,
    dropped: Tensor,
    generator: torch.Generator | None = None,
) -> Tensor:
    """Return the squared error of the believed vector at random steps, ().

    images, texts: (B, D). tokens: (B, L, D) or None. dropped: (B,) bool.
    """
    schedule = CosineSchedule(prior.config.steps)
    clean = F.normalize(images, dim=-1) * prior.config.query_dim**0.5
    steps = torch.randint(prior.config.steps, (len(clean),), generator=generator).to(clean.device)
    noise = torch.randn(clean.shape, generator=generator).to(clean)
    said = prior(schedule.add_noise(clean, noise, steps), steps, texts, tokens, dropped)
    return F.mse_loss(said, clean)


@torch.inference_mode()
def sample_images(
    prior: Prior,
    texts: Tensor,
    generators: list[torch.Generator],
    tokens: Tensor | None = None,
    *,
    steps: int = SAMPLING_STEPS,
    candidates: int = CANDIDATES,
) -> Tensor:
    """Return vectors of images of unit length for texts, (B, D): of each text's candidates the one nearest to it.

    texts: (B, D). generators: one on the CPU for each text. tokens: (B, L, D) or None. steps: of ancestral sampling
    (DDIM with η = 1), as the published prior has it; no guidance, which it does not need.
    """
    import diffusers

    scheduler: Any = diffusers.DDIMScheduler(
        num_train_timesteps=prior.config.steps,
        beta_schedule="squaredcos_cap_v2",
        prediction_type="sample",
        clip_sample=False,
        timestep_spacing="trailing",
    )
    scheduler.set_timesteps(steps)
    repeated = texts.repeat_interleave(candidates, 0)
    many = None if tokens is None else tokens.repeat_interleave(candidates, 0)
    drawing = [generator for generator in generators for _ in range(candidates)]
    dim = prior.config.query_dim
    vectors = torch.stack([torch.randn(dim, generator=generator) for generator in drawing]).to(texts)
    for step in scheduler.timesteps:
        said = prior(vectors, step.expand(len(vectors)), repeated, many)
        noise = torch.stack([torch.randn(dim, generator=generator) for generator in drawing]).to(texts)
        vectors = scheduler.step(said, step, vectors, eta=1.0, variance_noise=noise).prev_sample
    choices = F.normalize(vectors, dim=-1).view(len(texts), candidates, dim)
    return nearest_candidates(choices, texts)


def nearest_candidates(choices: Tensor, texts: Tensor) -> Tensor:
    """Return of each item's candidates, (B, K, D), the one of the highest cosine to its text, (B, D)."""
    cosines = F.cosine_similarity(choices, texts[:, None], dim=-1)
    return choices[torch.arange(len(choices), device=choices.device), cosines.argmax(1)]


def _sinusoids(steps: Tensor, width: int) -> Tensor:
    half = width // 2
    rates = torch.exp(-torch.arange(half, device=steps.device) / half * 9.21034)  # 1 to 1/10,000
    angles = steps.float()[:, None] * rates
    return F.pad(torch.cat([angles.cos(), angles.sin()], 1), (0, width - 2 * half))
