"""Networks for tests: small, with random weights where training begins with zeros."""

from __future__ import annotations

import torch
from clipsonic.config import NetworkConfig
from clipsonic.model import SoundDiffusion

SMALL = NetworkConfig(query_dim=8, channels=(8, 16), layers=1, attention=(False, True), head_dim=8, groups=4, steps=100)


def network(seed: int = 0, **changes: object) -> SoundDiffusion:
    """A small network that says something, though nothing sensible."""
    torch.random.manual_seed(seed)
    model = SoundDiffusion(NetworkConfig(**{**SMALL.to_dict(), **changes})).eval()
    for parameter in model.parameters():
        if not parameter.any():
            torch.nn.init.normal_(parameter, std=0.05)
    return model
