"""Mixture and queries → masks: CLIPSep, with noise heads (NIT), PIT, LabelSep, BERTSep, SOP, early and middle fusion.

Symbols: B mixtures, n queries, D length of a query's vector, G = 256 bins, T frames, K maps. A query is projected to K
weights, z = We + c; its mask is σ(Σ_k w_k σ(z_k) M_k + b) of the K maps M that the U-Net makes of the mixture alone. So
any number of queries costs one run of the U-Net (§6.3).
"""

from __future__ import annotations

import copy
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from clipsep.config import KINDS, CLIPSepConfig, Kind
from clipsep.features.spectrogram import FLOOR
from clipsep.unet import UNet, initialise

if TYPE_CHECKING:
    from clipsep.checkpoint import Training


@dataclass(frozen=True)
class Masks:
    """What a network makes of a mixture, between 0 and 1.

    queries: (B, n, G, T), one for each query; of PIT one for each head. noise: (B, n, G, T), one for each noise head,
    or None where there are none.
    """

    queries: Tensor
    noise: Tensor | None = None


class CLIPSep(nn.Module):
    """Late fusion: the U-Net sees the mixture, a query weighs its maps.

    The defaults are the paper's model: 30,290,659 parameters.

    Args:
        config: Kind and size. `labelsep` looks its queries up in a table that it learns, `clipsep-nit` has a noise head
            for each source of a training mixture.
    """

    def __init__(self, config: CLIPSepConfig | None = None) -> None:
        super().__init__()
        self.config = config = config or CLIPSepConfig()
        self.unet = _unet(config)
        if config.kind == "labelsep":
            self.labels = nn.Embedding(max(len(config.labels), 1), config.query_dim)
        self.projection = nn.Linear(config.query_dim, config.maps)
        self.scale = nn.Parameter(torch.ones(config.maps))
        self.bias = nn.Parameter(torch.zeros(()))
        heads = config.sources if config.kind == "clipsep-nit" else 0
        self.noise_heads = nn.ModuleList(nn.Linear(config.maps, config.maps) for _ in range(heads))
        self.apply(initialise)

    @classmethod
    def from_pretrained(cls, name: str | os.PathLike[str] = "default") -> nn.Module:
        """Load a model by its bundled name, folder or Hub id. Raises `clipsep.checkpoint.ModelError`."""
        from clipsep.checkpoint import load_checkpoint

        return load_checkpoint(name).model

    def maps(self, mixture: Tensor) -> Tensor:
        """Return the maps, (B, K, G, T), without activation. mixture: (B, G, T), magnitudes on the grid."""
        maps: Tensor = self.unet(_logarithms(mixture))
        return maps

    def features(self, mixture: Tensor) -> Tensor:
        """Return what `mix` needs of a mixture; no query has a part in it. mixture: (B, G, T)."""
        return self.unet.features(_logarithms(mixture))

    def project(self, queries: Tensor) -> Tensor:
        """Return the projections z, (B, n, K). queries: (B, n, D), or for LabelSep indices of labels, (B, n)."""
        vectors = self.labels(queries) if self.config.kind == "labelsep" else queries
        projected: Tensor = self.projection(vectors)
        return projected

    def mix(self, projected: Tensor, features: Tensor) -> Tensor:
        """Return the logits of masks, (B, n, G, T): weighted sums of the maps, which need not be made for that.

        projected: (B, n, K). features: of `features`.
        """
        return self.unet.mixed(features, torch.sigmoid(projected) * self.scale) + self.bias

    def noise_projections(self, projected: Tensor) -> Tensor:
        """Return what the noise heads make of the queries of a mixture, (B, heads, K). projected: (B, n, K)."""
        together = projected.sum(1) if self.config.noise_input == "sum" else projected.mean(1)
        return torch.stack([head(together) for head in self.noise_heads], dim=1)

    def forward(self, mixture: Tensor, queries: Tensor) -> Masks:
        """Return masks. mixture: (B, G, T), magnitudes on the grid. queries: as `project` takes them."""
        features, projected = self.features(mixture), self.project(queries)
        if not self.noise_heads:
            return Masks(torch.sigmoid(self.mix(projected, features)))
        together = torch.cat([projected, self.noise_projections(projected)], dim=1)
        masks = torch.sigmoid(self.mix(together, features))
        return Masks(*masks.split([projected.shape[1], len(self.noise_heads)], dim=1))


class PITSep(nn.Module):
    """No query: one mask for each source, in an order that training leaves open (§6.5). 30,274,276 parameters."""

    def __init__(self, config: CLIPSepConfig) -> None:
        super().__init__()
        self.config = config
        self.unet = _unet(config)
        self.heads = nn.Conv2d(config.maps, config.sources, 1)
        self.apply(initialise)

    def forward(self, mixture: Tensor, queries: Tensor | None = None) -> Masks:
        """Return masks, one for each head. mixture: (B, G, T), magnitudes on the grid. queries: not looked at."""
        return Masks(torch.sigmoid(self.mix(self.unet.features(_logarithms(mixture)))))

    def mix(self, features: Tensor) -> Tensor:
        """Return the logits of masks, (B, n, G, T). features: of the U-Net."""
        weights, bias = self.heads.weight[:, :, 0, 0], self.heads.bias
        assert bias is not None  # a convolution has one by default
        return self.unet.mixed(features, weights.expand(len(features), -1, -1)) + bias[:, None, None]


class FusedSep(nn.Module):
    """Early or middle fusion: the query enters the U-Net, tiled beside its input or its bottleneck (§6.3).

    30,287,715 (early) and 30,402,339 (middle) parameters; of the latter the published code has 1,185 more that nothing
    uses.
    """

    def __init__(self, config: CLIPSepConfig) -> None:
        super().__init__()
        self.config = config
        self.unet = _unet(config)
        self.projection = nn.Linear(config.query_dim, config.maps)
        self.apply(initialise)

    def forward(self, mixture: Tensor, queries: Tensor) -> Masks:
        """Return masks; each query costs a run of the U-Net. mixture: (B, G, T). queries: (B, n, D)."""
        n = queries.shape[1]
        logarithms = _logarithms(mixture).repeat_interleave(n, dim=0)
        weights = torch.sigmoid(self.projection(queries)).flatten(0, 1)
        if self.config.kind == "early":
            tiled = weights[:, :, None, None].expand(-1, -1, *logarithms.shape[2:])
            logits = self.unet(torch.cat([logarithms, tiled], dim=1))
        else:
            logits = self.unet(logarithms, weights)
        return Masks(torch.sigmoid(logits[:, 0]).unflatten(0, (-1, n)))


Network = CLIPSep | PITSep | FusedSep


def build_model(model: CLIPSepConfig | Kind = "clipsep", **fields: Any) -> Network:
    """Build a network by its configuration, or by its kind with fields of `CLIPSepConfig`; it has learned nothing.

    Raises `clipsep.config.ConfigError` for an unknown kind or a field out of range.
    """
    if isinstance(model, CLIPSepConfig):
        config = model
    else:
        config = CLIPSepConfig(kind=model, **fields)
    assert config.kind in KINDS  # the configuration has checked it
    if config.kind == "pit":
        return PITSep(config)
    if config.kind in ("early", "middle"):
        return FusedSep(config)
    return CLIPSep(config)


def for_inference(network: Network) -> Network:
    """Return a copy that computes the same faster: normalisations are part of convolutions, maps lie channels last."""
    unet = network.unet.fused().to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # torch's types do not know it
    copied: Network = copy.deepcopy(network, {id(network.unet): unet})
    copied.eval()
    return copied


def n_parameters(network: nn.Module) -> int:
    """Return the number of values of a network that training changes."""
    return sum(parameter.numel() for parameter in network.parameters() if parameter.requires_grad)


def save_pretrained(network: Network, folder: str | os.PathLike[str], training: Training | None = None) -> None:
    """Write weights and configuration into a folder; see `clipsep.checkpoint.save_checkpoint`."""
    from clipsep.checkpoint import save_checkpoint

    save_checkpoint(folder, network, training)


def _logarithms(mixture: Tensor) -> Tensor:
    """What the U-Net sees, (B, 1, G, T)."""
    return torch.log(mixture + FLOOR)[:, None]


def _unet(config: CLIPSepConfig) -> UNet:
    if config.kind == "early":
        return UNet(config.width, config.depth, inputs=1 + config.maps, outputs=1)
    if config.kind == "middle":
        return UNet(config.width, config.depth, outputs=1, condition=config.maps)
    return UNet(config.width, config.depth, outputs=config.maps)
